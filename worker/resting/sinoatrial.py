"""Does the sinus node fire without reaching the atria?

Its own beat is never seen. What tells exit block from arrest is arithmetic: a pause of twice or three times the usual
interval, with no P in it, is a beat that was lost (type II); intervals that shorten before a pause of less than two of
them are Wenckebach's (type I). Any other pause is 窦性停搏. 2018 ACC/AHA/HRS bradycardia guideline
(doi:10.1016/j.jacc.2018.10.044). Breathing moves the intervals of the young as far: where they scatter, it is not said.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.findings import Evidence, Statement
from worker.resting.leading import Rhythm
from worker.resting.reading import Reading
from worker.resting.say import ACC_2018_BRADYCARDIA, evidence, say
from worker.signal.filters import Floats
from worker.signal.order import median, quantile

Ints = NDArray[np.int_]

MULTIPLES: Final = (2, 3)
OFF: Final = 0.06
"""Of the multiple; sinus intervals at rest waver by as much."""
EVEN: Final = 0.05
"""Spread of the other intervals over their mean."""
LEAST_BEATS: Final = 4
PAUSE_TIMES: Final = 1.25
TYPE_1_BELOW: Final = 1.92
SHORTENS_S: Final = 0.03
GROUPS: Final = 2
"""A single group that shortens is breathing."""


def sinoatrial_block(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """Second-degree SA block of either type, where every beat has its P and none is early."""
    rr = reading.rr_s
    if rhythm.name != "sinus" or rhythm.av_block or reading.p is None or rr.size < LEAST_BEATS:
        return []
    if (rhythm.kinds != "N").any() or not reading.p.present.all():
        return []
    usual = float(median(rr[rr <= quantile(rr, 0.75)]))
    paused = np.flatnonzero(rr > PAUSE_TIMES * usual)
    if not paused.size or paused.size > rr.size / 2 or _p_within(reading, paused):
        return []
    return _type_2(reading, rr, paused) or _type_1(reading, rr, paused)


def _type_2(reading: Reading, rr: Floats, paused: Ints) -> list[Statement]:
    others = np.delete(rr, paused)
    if others.size < LEAST_BEATS - 1 or float(others.std() / others.mean()) > EVEN:
        return []
    ratio = rr[paused] / float(others.mean())
    if not all(any(abs(one / times - 1) < OFF for times in MULTIPLES) for one in ratio.tolist()):
        return []
    seen = _places(reading, paused, ratio)
    return [say("25", *seen, certainty="probable" if paused.size > 1 else "possible")]


def _type_1(reading: Reading, rr: Floats, paused: Ints) -> list[Statement]:
    """Groups between pauses; the one before the first pause has no beginning."""
    if paused.size < GROUPS:
        return []
    for first, last in zip(paused[:-1].tolist(), paused[1:].tolist(), strict=True):
        group = rr[first + 1 : last]
        if group.size < 2 or group[0] - group[-1] < SHORTENS_S or (np.diff(group) > SHORTENS_S / 3).any():
            return []
        if rr[last] >= TYPE_1_BELOW * group[-1]:
            return []
    ratio = rr[paused] / float(np.delete(rr, paused).mean())
    return [say("24", *_places(reading, paused, ratio), certainty="possible")]


def _places(reading: Reading, paused: Ints, ratio: Floats) -> list[Evidence]:
    at = reading.at_s
    return [
        evidence("rr_to_usual", times, 2.0, "", start_s=at[n], end_s=at[n + 1], source=ACC_2018_BRADYCARDIA)
        for n, times in zip(paused.tolist(), ratio.tolist(), strict=True)
    ]


def _p_within(reading: Reading, paused: Ints) -> bool:
    """Whether a P that is not the next beat's own stands in a pause: then the atria were reached."""
    if reading.free_p is None or reading.limits is None:
        return False
    hz, at, limits = reading.traces.hz, reading.at_s, reading.limits
    own_s = ((limits.r - limits.p_on) / hz if limits.p_on is not None else 0.2) + 0.06
    p_s = reading.free_p / hz
    return any(bool(np.any((p_s > at[n] + 0.35) & (p_s < at[n + 1] - own_s))) for n in paused.tolist())
