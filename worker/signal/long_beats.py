"""What does the usual beat look like up to the next P? The median beat may end before a U wave does."""

from typing import Final

import numpy as np

from worker.signal.beats import Beats
from worker.signal.delineate import Limits
from worker.signal.filters import Floats, moving_mean
from worker.signal.order import quantile

LEAST_S, LAST_S = 0.3, 0.75
BEFORE_P_S: Final = 0.03
UNKNOWN_P_S: Final = 0.22
SMOOTH_S: Final = 0.03
LEAST_BEATS: Final = 4
LEVEL_S: Final = 0.02


def long_beats(signal: Floats, beats: Beats, limits: Limits, hz: float) -> Floats | None:
    """(n_leads, n) the usual beats' mean from the onset of QRS to the next P, over the PR level; None of too few.

    Args:
        signal: (n_leads, n_samples) µV.
        beats: of this signal, two or more.
        limits: of the median beat.
        hz: the sampling rate.
    """
    before_p_s = BEFORE_P_S + ((limits.r - limits.p_on) / hz if limits.p_on is not None else UNKNOWN_P_S)
    rr_s = np.diff(beats.at) / hz
    length = round(min(LAST_S, float(quantile(rr_s, 0.2)) - before_p_s) * hz) if rr_s.size else 0
    quiet, back = round(LEVEL_S * hz), limits.r - limits.qrs_on
    room = np.append(np.diff(beats.at), length + back) >= length + back  # before an early beat there is no whole one
    starts = beats.at[(beats.group == 0) & room] - back
    starts = starts[(starts >= quiet) & (starts + length <= signal.shape[1])]
    if length < LEAST_S * hz or starts.size < LEAST_BEATS:
        return None
    whole = signal[:, starts[0] - quiet : starts[0] + length].copy()
    for at in starts[1:].tolist():
        whole += signal[:, at - quiet : at + length]
    whole /= starts.size
    level = whole[:, : quiet - 2].mean(axis=1, keepdims=True)
    return moving_mean(whole[:, quiet:] - level, max(1, round(SMOOTH_S * hz)))
