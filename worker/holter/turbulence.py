"""How does the sinus node answer an early ventricular beat, and how fast does it slow down and speed up?

Heart rate turbulence (Schmidt 1999, doi:10.1016/S0140-6736(98)08428-1) by the standards of ISHNE (Bauer 2008,
doi:10.1016/j.jacc.2008.07.041): onset and slope of the mean of the intervals around single ventricular beats, each
between enough sinus intervals. Deceleration and acceleration capacity by phase-rectified signal averaging (Bauer 2006,
doi:10.1016/S0140-6736(06)68735-7).
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from worker.holter.measured import Label
from worker.holter.readable import Bools, Floats, Readable

BEFORE: Final = 5
AFTER: Final = 15
"""ISHNE 2008: sinus intervals that must stand before the coupling interval and after the pause."""
RR_S: Final = (0.3, 2.0)
STEP_S: Final = 0.2
OFF: Final = 0.2
"""ISHNE 2008: no interval outside of these, none that differs by more than 200 ms from the one before it, or by more
than a fifth from the reference, the mean of the five before."""
EARLY: Final = 0.8
LATE: Final = 1.2
"""The early beat comes at most at 80 % of the reference, and its pause lasts at least 120 %."""
LEAST_BEATS: Final = 5
"""ISHNE 2008: fewer say nothing."""
SLOPE_OVER: Final = 5
AT_ONCE: Final = 4096
"""Beats that are looked at together, whatever their number in two weeks."""

NEIGHBOURS: Final = 2
MOST_CHANGE: Final = 0.05
"""Bauer 2006: what changes by more than 5 % from one interval to the next is taken for an error or an early beat."""
LEAST_ANCHORS: Final = 1000
"""So that a scatter of some tens of ms leaves less than 1 ms in the mean; the limits of risk are 2.5 and 4.5 ms."""


def turbulence(day: Readable) -> dict[str, float]:
    """``onset_share``, ``slope_ms_per_rr``, ``beats``; empty with fewer than five suitable ventricular beats."""
    around = tachograms(day)
    if len(around) < LEAST_BEATS:
        return {}
    mean = around.mean(axis=0)
    # columns: two before, the coupling interval, the pause, then those after it
    onset = float(np.mean((around[:, 4:6].sum(axis=1) - around[:, :2].sum(axis=1)) / around[:, :2].sum(axis=1)))
    return {
        "onset_share": round(onset, 6),
        "slope_ms_per_rr": round(slope_ms(mean[4:]), 4),
        "beats": float(len(around)),
    }


def slope_ms(after_ms: Floats) -> float:
    """The steepest rise of a straight line through five intervals in a row, ms per interval.

    >>> slope_ms(np.array([800.0, 790, 800, 810, 820, 830, 825, 820, 815, 810, 805, 800, 800, 800, 800]))
    10.0
    """
    at = np.arange(SLOPE_OVER) - (SLOPE_OVER - 1) / 2
    rises = sliding_window_view(after_ms, SLOPE_OVER) @ at / float(at @ at)
    return float(rises.max())


def tachograms(day: Readable) -> Floats:
    """(n, 19) ms around each suitable ventricular beat: two intervals before, coupling, pause, fifteen after."""
    n = len(day.rr_s)
    early = np.flatnonzero(day.is_label(Label.V))
    early = early[(early >= BEFORE + 1) & (early + AFTER + 1 <= n)]
    normal = np.concatenate([np.zeros(1, np.int32), np.cumsum(day.is_label(Label.N), dtype=np.int32)])
    early = early[normal[early + AFTER + 2] - normal[early - BEFORE - 1] == BEFORE + AFTER + 2]
    parts = [_suitable(day, early[k : k + AT_ONCE]) for k in range(0, early.size, AT_ONCE)]
    return np.concatenate([np.zeros((0, 4 + AFTER)), *parts])


def _suitable(day: Readable, early: NDArray[np.intp]) -> Floats:
    """The tachograms of those of these early beats, with none but normal ones around them, that are suitable."""
    # row i of rr ends at beat i + 1: the coupling interval of beat e is e − 1, its pause is e
    window = early[:, None] + np.arange(-BEFORE - 1, AFTER + 1)
    pure = day.sound[window].all(axis=1)
    intervals = day.rr_s[window]
    sinus = np.delete(intervals, [BEFORE, BEFORE + 1], axis=1)
    reference = intervals[:, :BEFORE].mean(axis=1)
    good = pure & (sinus >= RR_S[0]).all(axis=1) & (sinus <= RR_S[1]).all(axis=1)
    good &= (np.abs(sinus / reference[:, None] - 1) <= OFF).all(axis=1)
    good &= (np.abs(np.diff(intervals[:, :BEFORE], axis=1)) <= STEP_S).all(axis=1)
    good &= (np.abs(np.diff(intervals[:, BEFORE + 2 :], axis=1)) <= STEP_S).all(axis=1)
    good &= (intervals[:, BEFORE] <= EARLY * reference) & (intervals[:, BEFORE + 1] >= LATE * reference)
    chosen: Floats = 1000 * intervals[good, BEFORE - 2 :]
    return chosen


def capacities(day: Readable) -> dict[str, float]:
    """``dc_ms`` and ``ac_ms``: how much intervals lengthen (shorten) about one longer (shorter) than the last.

    Anchors and the intervals averaged around them lie between normal beats that follow one another. Empty where there
    are too few of them.
    """
    normal = day.is_label(Label.N)
    usable = day.sound & normal[:-1] & normal[1:]
    # of whole samples: two equal intervals must not differ by a rounding
    rr_ms = 1000 * np.diff(day.beats.sample) / day.measured.sampling_hz
    found = {}
    for name, sign in (("dc_ms", 1.0), ("ac_ms", -1.0)):
        value = capacity_ms(rr_ms, usable, sign)
        if value is not None:
            found[name] = round(value, 4)
    return found


def capacity_ms(rr_ms: Floats, usable: Bools, sign: float) -> float | None:
    """(X0 + X1 − X−1 − X−2) / 4 of the means around the anchors; None with too few anchors.

    Args:
        sign: 1 for anchors that are longer than the interval before (deceleration), -1 for shorter ones.
    """
    anchors = _anchors(rr_ms, usable, sign)
    if anchors.size < LEAST_ANCHORS:
        return None
    mean = [float(rr_ms[anchors + place].mean()) for place in range(-NEIGHBOURS, NEIGHBOURS)]
    return (mean[2] + mean[3] - mean[1] - mean[0]) / 4


def _anchors(rr_ms: Floats, usable: Bools, sign: float) -> NDArray[np.int64]:
    """Rows of the intervals that are longer (shorter) than the one before, with enough of them on both sides."""
    n = rr_ms.size - 2 * NEIGHBOURS + 1
    if n < 1:
        return np.zeros(0, np.int64)
    change = rr_ms[NEIGHBOURS : NEIGHBOURS + n] / rr_ms[NEIGHBOURS - 1 : NEIGHBOURS - 1 + n] - 1
    good = (sign * change > 0) & (np.abs(change) <= MOST_CHANGE)
    for place in range(2 * NEIGHBOURS):
        good &= usable[place : place + n]
    return np.flatnonzero(good) + NEIGHBOURS
