"""Did the heart really pause, or were its beats of another kind than all the others?

The search asks how like the usual beat a deflection is. A run of broad, slow beats in a narrow rhythm is unlike it in
every beat, and would be left out whole: a tachycardia would become a pause. So where no beat was found for long, the
gap is looked at by its own measure. Deflections as large as a QRS that are alike among themselves are beats. Where the
signal neither rests nor shows beats, no pause is believed; where it rests in the calmest leads, it is one.

A smaller and gentler deflection is a beat where nothing of its size stands so long after the beats around, as a T or U
wave would (MIT-BIH DS1 and CPSC 2021: not one beat more or less).

P waves of a block and the fibrillation of the atria are no beats: they are small, and the signal rests between them.
In the 22 true pauses over 2 s of MIT-BIH 201 and 207 and CPSC 2021 the median deflection is at most 0.09 of a QRS and
no deflection after the T wave reaches 0.25 of it; in simulated tachycardias of 165 to 180/min the median is 0.33.
"""

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.candidates import About, Curves, log_odds, sequence
from worker.signal.compiled import compiled_finite

Float32s = NDArray[np.float32]
Int64s = NDArray[np.int64]

GAP_S: Final = 1.0
GAP_TIMES: Final = 1.6
"""A gap is longer than this and than so many usual intervals: an early beat's pause is not looked at."""
AROUND: Final = 8
"""Beats on both sides that tell what is usual."""
APART_S: Final = 0.18
T_ENDS_S: Final = 0.40
"""No single deflection is believed before the T wave of the last beat is over."""
EDGES_S: Final = (0.50, 0.30)
"""So near the beats on both sides stand their own T and P waves: whether the signal rests is asked between them."""
LARGE: Final = 0.45
STEEP: Final = 0.14
"""A deflection of this size and this slope, in units of the usual QRS, is none of the atria's."""
LARGE_IF_NEW: Final = 0.38
STEEP_IF_NEW: Final = 0.08
"""The same for a deflection that stands nowhere else at this distance from a beat, as a T or U wave would."""
NEW_SHARE: Final = 0.4
"""What usually stands there is at most this share of it."""
LEAST_SEEN: Final = 4
"""Beats around that must show what usually stands there."""
CLEAR_S: Final = 0.25
"""So long before the next beat, which has its own P and QRS."""
REACH_S: Final = 0.06
MOST_S: Final = 10.0
"""In a longer standstill the P waves are what is usual, and nothing is large beside them."""
LARGE_IN_UNREST: Final = 0.30
STEEP_IN_UNREST: Final = 0.10
"""Where nothing rests, there are no P waves to be taken for it."""
UNREST_SLOPE: Final = 0.09
UNREST_SIZE: Final = 0.15
"""Medians in the gap of slope and size above which the signal does not rest."""
DOUBT_S: Final = 2.0
"""The shortest pause that a report counts."""
T_WAVE_S: Final = 0.36
T_WAVE_SHARE: Final = 0.45
SERIES: Final = 3
"""From so many on, they are compared with one another."""
SINGLE_ODDS: Final = np.float32(0.0)


def second_look(
    curves: Curves, at: Int64s, about: About, beats: Int64s, odds: Float32s, hz: float, coefficients: Float32s
) -> tuple[Int64s, Float32s, Int64s]:
    """(places of the beats, log odds of their looks, (k, 2) stretches in which no pause is believed).

    Args:
        curves: units, shapes, magnitude and power of :mod:`worker.holter.units` at ``hz``.
        at: (n,) places of all candidates, increasing.
        about: what was measured of each of them.
        beats, odds: (m,) places that the search believes, and how surely.
        coefficients: of :func:`worker.holter.candidates.log_odds`.
    """
    gaps = _gaps(curves[2], curves[3], at, about[0], about[1], beats, hz)
    if not len(gaps):
        return beats, odds, np.empty((0, 2), np.int64)
    more, sure = [beats], [odds]
    unrest: list[tuple[int, int]] = []
    for start, stop, restless, first, last in gaps.tolist():
        part = slice(first, last)
        mine, measured = at[part], (about[0][part], about[1][part], about[2][part])
        number = _guess(mine, measured[0], measured[1], start, bool(restless), hz, curves[2], beats)
        found, looks = mine[:0], odds[:0]
        if number.size >= SERIES:
            likely, looks = log_odds(curves[0], curves[1], mine, measured, number, hz, coefficients)
            chosen = sequence(mine[likely], looks, hz)
            chosen = chosen[looks[chosen] > 0]
            found, looks = mine[likely[chosen]], looks[chosen]
        elif number.size and not restless:
            found, looks = mine[number], np.full(number.size, SINGLE_ODDS, np.float32)
        more.append(found)
        sure.append(looks)
        edges = [start, *found.tolist(), stop]
        unrest += [pair for pair in pairwise(edges) if restless and pair[1] - pair[0] > DOUBT_S * hz]
    places, worth = np.concatenate(more), np.concatenate(sure)
    order = np.argsort(places, kind="stable")
    return places[order], worth[order], np.array(unrest, np.int64).reshape(-1, 2)


@compiled_finite
def _gaps(
    magnitude: Float32s, power: Float32s, at: Int64s, own: Float32s, size: Float32s, beats: Int64s, hz: float
) -> Int64s:
    """(k, 5) first and last sample of each gap, 1 where the signal does not rest in it, and the first and one past the
    last candidate in it; of gaps in which the signal rests only those that hold what may be a beat."""
    found, count = np.empty((beats.size + 1, 5), np.int64), 0
    for k in range(beats.size + 1):
        start = beats[k - 1] if k else 0
        stop = beats[k] if k < beats.size else power.size
        if stop - start <= GAP_S * hz or stop - start <= GAP_TIMES * _usual(beats, k):
            continue
        restless = _restless(magnitude, power, start, stop, hz)
        first, last = np.searchsorted(at, start + int(APART_S * hz)), np.searchsorted(at, stop)
        if not restless and (
            stop - start > MOST_S * hz
            or not _guess(at[first:last], own[first:last], size[first:last], start, restless, hz, magnitude, beats).size
        ):
            continue
        row = found[count]
        row[0], row[1], row[2], row[3], row[4] = start, stop, restless, first, last
        count += 1
    return found[:count]


@compiled_finite
def _usual(beats: Int64s, k: int) -> float:
    """The median interval around the one that ends at beat ``k``, which is not among them; 0 where there are none."""
    first, last = max(1, k - AROUND), min(beats.size, k + AROUND + 1)
    intervals, count = np.empty(max(0, last - first), np.float32), 0
    for i in range(first, last):
        if i != k:
            intervals[count] = beats[i] - beats[i - 1]
            count += 1
    return float(np.median(intervals[:count])) if count else 0.0


@compiled_finite
def _restless(magnitude: Float32s, power: Float32s, start: int, stop: int, hz: float) -> bool:
    """Whether the signal between two beats neither lies on its base line nor is flat for half of the time."""
    first, last = start + int(EDGES_S[0] * hz), stop - int(EDGES_S[1] * hz)
    if last - first < 2:
        return False
    size, slope = np.median(magnitude[first:last]), np.median(power[first:last])
    return bool(size > UNREST_SIZE**2 and slope > UNREST_SLOPE**2)


@compiled_finite
def _guess(
    at: Int64s, own: Float32s, size: Float32s, start: int, restless: bool, hz: float, magnitude: Float32s, beats: Int64s
) -> Int64s:
    """Numbers of the candidates in the gap after a beat at ``start`` that are as large and steep as a QRS, or large and
    of a kind that stands after no other beat around."""
    found, count = np.empty(at.size, np.int64), 0
    least_size, least_slope = (LARGE_IN_UNREST, STEEP_IN_UNREST) if restless else (LARGE, STEEP)
    for i in range(at.size):
        if not restless and at[i] - start < T_ENDS_S * hz:
            continue
        if own[i] < least_slope or size[i] < least_size:
            large = not restless and own[i] >= STEEP_IF_NEW and size[i] >= LARGE_IF_NEW
            if not large or _usually(magnitude, beats, start, at[i] - start, hz) > NEW_SHARE * size[i]:
                continue
        if count:
            last = found[count - 1]
            if at[i] - at[last] < T_WAVE_S * hz and own[i] < T_WAVE_SHARE * own[last]:
                continue
        found[count] = i
        count += 1
    return found[:count]


@compiled_finite
def _usually(magnitude: Float32s, beats: Int64s, start: int, delay: int, hz: float) -> float:
    """The median size of what stands so long after the beats around the one at ``start``, where no beat follows soon;
    infinite where too few of them show it."""
    place = int(np.searchsorted(beats, start))
    first, last = max(0, place - AROUND), min(beats.size - 1, place + AROUND + 1)
    sizes, count, reach = np.empty(max(0, last - first), np.float32), 0, int(REACH_S * hz)
    for i in range(first, last):
        if beats[i] != start and beats[i + 1] - beats[i] > delay + int(CLEAR_S * hz):
            top = np.float32(0.0)
            for j in range(beats[i] + delay - reach, beats[i] + delay + reach + 1):
                top = max(top, magnitude[j])
            sizes[count] = np.sqrt(top)
            count += 1
    return float(np.median(sizes[:count])) if count >= LEAST_SEEN else np.inf
