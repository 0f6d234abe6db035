"""How likely is each candidate a beat where the trace is never calm?

In electrode motion and tremor every beat is surrounded by its likes, and the regression that reads calm traces
(:mod:`worker.signal.qrs_weights`) believes too much. There boosted trees take over, which also look at how short the
burst of energy is, at the largest one within a second and a half, and at how restless that time is. They are for a lead
that stands alone: several leads outvote the noise of one, and with both leads of MIT-BIH the trees missed more.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.filters import Floats, moving_mean
from worker.signal.order import median
from worker.signal.qrs_noise_weights import TREES
from worker.signal.qrs_weights import Candidates, nearest

MAX_LEADS: Final = 1
NOISY_FLOOR: Final = -2.7
NOISY_WIDTH: Final = 0.2
"""The median log floor, in units of the usual beat, at which the trees have half the say, and how fast they gain it:
the calm records of MIT-BIH's DS1 lie at −4.8 to −3, with electrode motion of 9 dB at −2.9, of 0 dB at −2."""
SURE: Final = 0.5
"""Log odds more than the trees give: a lost beat costs more than a false one."""
SHORT_S, LONG_S = 0.05, 0.24
AROUND_S, OWN_S = 1.5, 0.15


def share_of_trees(floor: Floats) -> float:
    """0 in a calm trace, 1 in a restless one, of the (n,) log floors of its candidates.

    >>> round(share_of_trees(np.array([-4.0, -3.8, -2.9])), 3), round(share_of_trees(np.array([-2.0])), 2)
    (0.004, 0.97)
    """
    return float(1 / (1 + np.exp(-(np.median(floor) - NOISY_FLOOR) / NOISY_WIDTH)))


def weigh_in_noise(candidates: Candidates, beats: NDArray[np.int_], found: Floats) -> Floats:
    """(n,) log odds of each candidate being a beat. ``found``: its (n, 9) measures."""
    odds: Floats = TREES.log_odds(noise_measures(candidates, beats, found)) + SURE
    return odds


def noise_measures(candidates: Candidates, beats: NDArray[np.int_], found: Floats) -> Floats:
    """(n, 12): the nine measures, then the logs of how short the burst is, of its energy over the largest within 1.5 s,
    and of the mean energy of that time without its own, over that of the beats around."""
    at, energy, hz = candidates.at, candidates.energy, candidates.hz
    power = ((candidates.units * candidates.weights) ** 2).mean(axis=0)
    short, long = (moving_mean(power, round(seconds * hz))[at] for seconds in (SHORT_S, LONG_S))
    around, apart, own = round(AROUND_S * hz), round(OWN_S * hz), energy[at]
    first, last = np.searchsorted(at, at - around), np.searchsorted(at, at + around, "right")
    largest = np.array([own[a:b].max() for a, b in zip(first.tolist(), last.tolist(), strict=True)])
    usual = median(energy[beats][nearest(at, beats)], axis=1)
    outer, outer_n = _sum_around(energy, at, around)
    inner, inner_n = _sum_around(energy, at, apart)
    rest = (outer - inner) / np.maximum(outer_n - inner_n, 1)
    more = [
        np.log(np.maximum(short, 1e-9) / np.maximum(long, 1e-9)),
        np.log(own / largest),
        np.log(np.maximum(rest, 1e-3) / np.maximum(usual, 1e-3)),
    ]
    return np.concatenate([found, np.stack(more, axis=1)], axis=1)


def _sum_around(curve: Floats, at: NDArray[np.int_], reach: int) -> tuple[Floats, NDArray[np.int_]]:
    """((n,) sums of the curve from ``reach`` before to ``reach`` after each place, how many samples they hold)."""
    total = np.concatenate([[0.0], np.cumsum(curve)])
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach, curve.size)
    return total[last] - total[first], last - first
