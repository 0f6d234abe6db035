"""Does a pacemaker speak, and where?

A pacing pulse lasts half a millisecond to two; sampled at 500 Hz it is one or two samples that stand out from a trace
which is smooth on both sides. A QRS is steep for tens of milliseconds. Each sample is compared with the straight line
between its neighbours 4 ms away, and that with the largest such deviation of the 40 ms around it.
"""

from typing import Final

import numpy as np

from worker.signal.filters import Floats

REACH_S: Final = 0.004
AROUND_S: Final = 0.040
CLOSE_S: Final = 0.008
STANDS_OUT: Final = 3.2
"""Times the largest deviation around it; a steep R wave of LUDB reaches 2.5."""
MIN_UV: Final = 150.0
APART_S: Final = 0.02
BLANK_S: Final = 0.008
MAX_PER_S: Final = 5.0
"""Two spikes a beat at 150/min; more is interference, not a pacemaker."""


def find_spikes(signal: Floats, hz: float) -> list[int]:
    """Sample numbers of pacing spikes in (n_leads, n_samples) at the recorder's own rate; none below 400 Hz."""
    reach, around, close = (max(1, round(seconds * hz)) for seconds in (REACH_S, AROUND_S, CLOSE_S))
    n = signal.shape[1]
    if hz < 400 or n < 4 * around:
        return []
    deviation = _deviation(signal, reach, around)
    candidates = np.flatnonzero(deviation > MIN_UV)
    if candidates.size > n * 0.1:
        return []
    found: list[int] = []
    for at in candidates[np.argsort(deviation[candidates])[::-1]].tolist():
        if any(abs(at - other) < APART_S * hz for other in found):
            continue
        before, after = deviation[max(0, at - around) : max(0, at - close)], deviation[at + close : at + around]
        if (
            before.size
            and after.size
            and deviation[at] > STANDS_OUT * max(before.max(), after.max(), MIN_UV / STANDS_OUT)
        ):
            found.append(at)
    return sorted(found) if len(found) <= MAX_PER_S * n / hz else []


def _deviation(signal: Floats, reach: int, around: int) -> Floats:
    """(n,) µV from the line between the neighbours, mean of the three leads that show it best, where that may matter:
    near places where one lead at least stands out."""
    deviation = np.zeros(signal.shape[1])
    middle = signal[:, : -2 * reach] + signal[:, 2 * reach :]
    middle /= 2
    np.subtract(signal[:, reach:-reach], middle, out=middle)
    np.abs(middle, out=middle)
    loud = np.flatnonzero(middle.max(axis=0) > MIN_UV)
    if loud.size:
        blocks = np.zeros(middle.shape[1] // around + 3, bool)  # one more on each side
        for beside in (0, 1, 2):
            blocks[loud // around + beside] = True
        near = np.flatnonzero(blocks[1:-1].repeat(around)[: middle.shape[1]])
        deviation[reach + near] = np.sort(middle[:, near], axis=0)[-3:].mean(axis=0)
    return deviation


def blank(signal: Floats, hz: float, spikes: list[int]) -> Floats:
    """The signal with a straight line drawn over each spike."""
    if not spikes:
        return signal
    clean = signal.copy()
    reach = max(1, round(BLANK_S * hz))
    for at in spikes:
        first, last = max(0, at - reach), min(signal.shape[1] - 1, at + reach)
        clean[:, first : last + 1] = np.linspace(signal[:, first], signal[:, last], last - first + 1, axis=1)
    return clean
