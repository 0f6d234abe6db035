"""Which beats did a pacemaker give?

As in :mod:`worker.signal.spikes`: a pacing pulse is one or two samples that stand out from a trace which is smooth on
both sides. What differs for a day: it is looked for from 200 samples a second on, and since a day holds every kind of
interference, pulses are believed only where most of them stand just before a beat: a pacemaker's do, or the beats
would not be there.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled_finite

Float32s = NDArray[np.float32]
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAST_HZ: Final = 200.0
REACH_S: Final = 0.004
AROUND_S: Final = 0.040
CLOSE_S: Final = 0.008
STANDS_OUT: Final = 3.2
"""Times the largest deviation around it; a steep R wave of LUDB reaches 2.5."""
MIN_UV: Final = 150.0
APART_S: Final = 0.02
BLANK_S: Final = 0.008
BEFORE_R_S: Final = (0.008, 0.140)
"""From a ventricular pulse to the R peak that it gives; the QRS of a paced beat is wide."""
BEFORE_ATRIAL_S: Final = 0.320
"""An atrial pulse comes as long before: the delay between the chambers is set to 120 to 250 ms."""
BELIEVED_SHARE: Final = 0.7
"""Of a block's pulses just before beats; pulses at random would have about a third of them there."""
LEAST_PULSES: Final = 6
MOST_PER_S: Final = 5.0
"""Two pulses a beat at 150/min; more is interference, not a pacemaker."""


def pulses_in(uv: Float32s, hz: float) -> Int64s:
    """(n,) samples of what looks like pacing pulses in (n_leads, n_samples) µV; none below 200 Hz."""
    reach, around, close = (max(1, round(seconds * hz)) for seconds in (REACH_S, AROUND_S, CLOSE_S))
    if hz < LEAST_HZ or uv.shape[1] < 4 * around:
        return np.zeros(0, np.int64)
    return _pulses(uv, reach, around, max(close, reach + 1), round(APART_S * hz))


def believed(pulses: Int64s, beats: Int64s, hz: float, duration_s: float) -> Int64s:
    """The pulses of a block, or none where they do not go with its beats.

    >>> beats = np.arange(250, 5000, 250)
    >>> believed(beats - 15, beats, 250.0, 20.0).size, believed(beats + 60, beats, 250.0, 20.0).size
    (19, 0)
    """
    none = pulses[:0]
    if pulses.size < LEAST_PULSES or beats.size == 0 or pulses.size > MOST_PER_S * duration_s:
        return none
    later = np.searchsorted(beats, pulses, side="right")
    ahead = np.where(later < beats.size, beats[np.minimum(later, beats.size - 1)] - pulses, np.iinfo(np.int64).max)
    with_beat = (ahead >= BEFORE_R_S[0] * hz) & (ahead <= BEFORE_ATRIAL_S * hz)
    return pulses[with_beat] if with_beat.mean() >= BELIEVED_SHARE else none


def paced(pulses: Int64s, beats: Int64s, hz: float) -> Bools:
    """(n_beats,) whether a pulse to the ventricles stands just before each beat."""
    found = np.zeros(beats.size, np.bool_)
    if pulses.size:
        last = np.searchsorted(pulses, beats - round(BEFORE_R_S[0] * hz), side="right") - 1
        ahead = beats - pulses[np.maximum(last, 0)]
        found = (last >= 0) & (ahead <= BEFORE_R_S[1] * hz)
    return found


def blanked(uv: Float32s, hz: float, pulses: Int64s) -> Float32s:
    """The signal with a straight line drawn over each pulse."""
    clean = uv.copy()
    _draw_over(clean, pulses, max(1, round(BLANK_S * hz)))
    return clean


@compiled_finite
def _draw_over(uv: Float32s, pulses: Int64s, reach: int) -> None:
    n_leads, n = uv.shape
    for at in pulses:
        first, last = max(0, at - reach), min(n - 1, at + reach)
        for lead in range(n_leads):
            left = uv[lead, first]
            step = (uv[lead, last] - left) / np.float32(max(1, last - first))
            for i in range(first, last):
                uv[lead, i] = left + step * np.float32(i - first)


@compiled_finite
def _pulses(uv: Float32s, reach: int, around: int, close: int, apart: int) -> Int64s:
    n_leads, n = uv.shape
    deviation = np.zeros(n, np.float32)
    inner = deviation[reach : n - reach]
    for lead in range(n_leads):
        before, middle, after = uv[lead, : n - 2 * reach], uv[lead, reach : n - reach], uv[lead, 2 * reach :]
        for i in range(inner.size):
            inner[i] = max(inner[i], abs(middle[i] - np.float32(0.5) * (before[i] + after[i])))
    found, count = np.empty(n // apart + 1, np.int64), 0
    i = around
    while i < n - around:
        if deviation[i] > MIN_UV and _stands_out(deviation, i, around, close):
            found[count] = i
            count += 1
            i += apart
        else:
            i += 1
    return found[:count]


@compiled_finite
def _stands_out(deviation: Float32s, at: int, around: int, close: int) -> bool:
    """Whether this is the highest nearby, and all but its immediate neighbours are much lower."""
    own = deviation[at]
    limit = own / np.float32(STANDS_OUT)
    for i in range(at - around, at + around + 1):
        if abs(i - at) < close:
            if deviation[i] > own or (deviation[i] == own and i < at):
                return False
        elif deviation[i] > limit:
            return False
    return True
