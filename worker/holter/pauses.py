"""Did every lead pause, or did only the search lose the beats?

The search weighs the leads by how calm they are. Where an electrode comes off, its lead is the calmest of all and shows
no beat, while another lead, noisy but connected, goes on beating: seconds of pause are said that were none. So each
interval of more than two seconds is asked of every lead alone: two deflections in it that are like the QRS of the day's
own beats in this lead, and as large, are beats whatever the other leads show. Then no pause is believed there; whose
beats they are is not said.

P waves and those of fibrillation are neither like a QRS nor as large; a lead whose QRS is small says nothing, since
they might be. T waves are left out with the edges of the interval.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from worker.holter.day import Day
from worker.holter.measured import Stretch, Template
from worker.holter.readable import spans_of

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

LONG_S: Final = 2.0
"""The shortest pause that a report counts."""
LONGEST_S: Final = 60.0
"""What is longer is no pause but standstill, which looks at the signal itself (:mod:`worker.holter.vf`)."""
MOST: Final = 500
"""Intervals that are asked about, the longest ones: 0.5 ms each."""
EDGES_S: Final = (0.45, 0.25)
"""T behind the beat before and P of the beat behind are not asked."""
QRS_S: Final = (0.08, 0.10)
"""Before and behind R: what is compared."""
SHAPES: Final = 6
"""The most frequent shapes of the day that it is compared with."""
LEAST_BEATS: Final = 5
LEAST_UV: Final = 400.0
"""A smaller QRS is not told from P waves by its size."""
ALIKE: Final = 0.85
SIZE: Final = (0.6, 1.7)
BEATS: Final = 2
"""One may be an artefact, or an escape that the other leads do not show."""
APART_S: Final = 0.30


def unconfirmed(day: Day, at: Int64s, templates: Sequence[Template], unreadable: Sequence[Stretch]) -> Int64s:
    """(k, 2) first and one past the last sample of the intervals in which a lead goes on beating.

    Args:
        at: (n,) R peaks.
        templates: the shapes of the day's beats.
    """
    samples = np.diff(at)
    long = np.flatnonzero((samples > LONG_S * day.hz) & (samples < LONGEST_S * day.hz))
    if len(day.independent) < 2:  # the only lead is the one that the search has looked at
        return np.empty((0, 2), np.int64)
    left_out = spans_of(unreadable, day.hz)
    long = long[~left_out.touched(at[long] / day.hz, at[long + 1] / day.hz)]
    if not long.size:
        return np.empty((0, 2), np.int64)
    shapes = _shapes(templates, day)
    chosen = np.sort(long[np.argsort(-samples[long], kind="stable")[:MOST]])
    found = [
        (int(at[k]), int(at[k + 1])) for k in chosen.tolist() if _beats_on(day, int(at[k]), int(at[k + 1]), shapes)
    ]
    return np.array(found, np.int64).reshape(-1, 2)


def _shapes(templates: Sequence[Template], day: Day) -> list[list[Floats]]:
    """Of each lead that says something by itself, its usual QRS shapes at the day's rate, without their mean."""
    common = sorted(templates, key=lambda template: -template.beats)[:SHAPES]
    found: list[list[Floats]] = []
    for row in day.independent:
        mine = []
        for template in common:
            if template.beats < LEAST_BEATS:
                continue
            times = np.arange(-round(QRS_S[0] * day.hz), round(QRS_S[1] * day.hz) + 1) / day.hz
            own = (np.arange(template.median_uv.shape[1]) - template.r_index) / template.hz
            wave = np.interp(times, own, template.median_uv[row].astype(np.float64))
            if np.ptp(wave) >= LEAST_UV:
                mine.append(wave - wave.mean())
        found.append(mine)
    return found


def _beats_on(day: Day, start: int, stop: int, shapes: list[list[Floats]]) -> bool:
    first, last = start + round(EDGES_S[0] * day.hz), stop - round(EDGES_S[1] * day.hz)
    before, after = round(QRS_S[0] * day.hz), round(QRS_S[1] * day.hz)
    uv = day.block(first - before, last + after + 1, day.independent).astype(np.float64)
    return any(
        _count(like, day.hz) >= BEATS
        for signal, mine in zip(uv, shapes, strict=True)
        if mine
        for like in [_likeness(signal, mine)]
    )


def _likeness(signal: Floats, shapes: list[Floats]) -> Floats:
    """(n,) the best correlation with a shape at each place where the size is right, 0 elsewhere."""
    windows = sliding_window_view(signal, shapes[0].size)
    level = windows - windows.mean(axis=1, keepdims=True)
    size = np.sqrt((level**2).sum(axis=1)) + 1e-9
    best = np.zeros(size.size)
    for shape in shapes:
        own = float(np.linalg.norm(shape))
        like = (level @ shape) / (size * own)
        fits = (size >= SIZE[0] * own) & (size <= SIZE[1] * own)
        best = np.maximum(best, np.where(fits, like, 0.0))
    return best


def _count(like: Floats, hz: float) -> int:
    """How many places are alike, no two of them closer than beats can be."""
    count, last = 0, -round(APART_S * hz)
    for place in np.flatnonzero(like >= ALIKE).tolist():
        if place - last >= APART_S * hz:
            count, last = count + 1, place
    return count
