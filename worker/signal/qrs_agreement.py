"""Do two leads agree that there is a beat?

Two leads seldom see a beat that one of them does not see at all, and tremor, a moved electrode or an artefact in one of
them is no beat in the other. So each lead is asked by itself: does nothing stand at the candidate although both beats
beside it are there? Then that speaks against it. A lead that has come off is silent at the beats beside as well, and
is not asked, nor is one in which a tachycardia is small: so its beats must all be believed before the leads are asked.
With three leads and more a beat may lie across one of them, and the others outvote a noisy one.

Left out by a fifth of MIT-BIH's DS1 in turn, 24 beats are missed and 25 false; without it 25 and 47 are.
"""

from typing import Final

import numpy as np

from worker.signal.filters import Floats, moving_mean
from worker.signal.order import median
from worker.signal.qrs_weights import Candidates, nearest

LEADS: Final = 2
WINDOW_S: Final = 0.09
REACH_S: Final = 0.04
APART_S: Final = 0.15
SILENT: Final = -1.2
"""Log of the energy in the lead over that of the beats around: below a third nothing is believed to stand there."""
MOST: Final = 2.5
THERE: Final = (-1.0, -0.4)
"""Likewise, of the weaker beat beside: from a third on it is there, from two thirds on for certain."""
LEAST: Final = 0.01
COEFFICIENT: Final = -2.8
"""By ``python -m bench.accuracy.fit_qrs_agreement DS1``; −2.7 to −2.9 without any fifth of the records."""


def weigh_agreement(candidates: Candidates, beats: np.ndarray) -> Floats | float:
    """(n,) what is added to the log odds of each candidate, given the beats that are believed; 0 unless two leads."""
    if len(candidates.units) != LEADS:
        return 0.0
    found: Floats = COEFFICIENT * silence(candidates, beats)
    return found


def silence(candidates: Candidates, beats: np.ndarray) -> Floats:
    """(n,) how far below :data:`SILENT` the more silent lead lies at each candidate, 0 where neither does."""
    at, hz = candidates.at, candidates.hz
    near, apart = nearest(at, beats), round(APART_S * hz)
    before = np.searchsorted(beats, at - apart) - 1
    after = np.searchsorted(beats, at + apart, "right")
    found = np.zeros(at.size)
    for lead in candidates.units:
        energy = np.sqrt(moving_mean(lead**2, round(WINDOW_S * hz)))
        usual = median(energy[beats][near], axis=1)
        own = _log(_largest_near(energy, at, hz), usual)
        beat = _largest_near(energy, beats, hz)
        beside = [
            np.where(before >= 0, beat[np.maximum(before, 0)], usual),
            np.where(after < beats.size, beat[np.minimum(after, beats.size - 1)], usual),
        ]
        there = np.clip((_log(np.minimum(*beside), usual) - THERE[0]) / (THERE[1] - THERE[0]), 0, 1)
        found = np.maximum(found, there * np.clip(SILENT - own, 0, MOST))
    return found


def _largest_near(energy: Floats, at: np.ndarray, hz: float) -> Floats:
    """(n,) the largest energy within :data:`REACH_S` of each place, looked at in quarters of it."""
    reach = round(REACH_S * hz)
    offsets = np.arange(-reach, reach + 1, max(1, reach // 4))
    largest: Floats = energy[np.clip(at[:, None] + offsets, 0, energy.size - 1)].max(axis=1)
    return largest


def _log(value: Floats, usual: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(value / np.maximum(usual, 1e-9), LEAST)))
