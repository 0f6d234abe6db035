"""How large is a deflection, measured by what is usual in its lead just now? Compiled loops.

Each lead is brought into units of its own usual QRS, which follows the recording (±30 s), and weighed by how calm it is
between the beats and whether it is there at all (±5 s), so that the beats are taken from whichever leads show them.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled_finite
from worker.signal.ranks import exchange, of_rank

Float32s = NDArray[np.float32]
Int64s = NDArray[np.int64]

WINDOW_S: Final = 1.5
"""Holds a beat at any but the slowest rate."""
LEVEL_WINDOWS: Final = 41
LEVEL_SHARE: Final = 0.6
"""The upper part of the maxima: in bradycardia and pauses some windows hold no beat."""
MIN_SLOPE_UV_S: Final = 1500.0
"""A QRS of 0.05 mV still slopes more than this in the band; less is noise on a flat line."""
REMEMBERED: Final = 0.5
"""A QRS is believed to shrink to this share of what it was in the last hour, within some minutes."""
REMEMBERED_ENERGY: Final = 0.9
"""And its energy, after that: the leads' units have made it one already."""
CALM: Final = 0.003
"""Mean square between the beats, in units of the usual peak: half the weight of a lead without any noise."""
CALM_WINDOWS: Final = 3
POWER_S: Final = 0.09
ABSENT: Final = 0.4
"""A lead of which no QRS reaches this in three windows is off, if others have theirs."""
LOUD: Final = 1.8
"""A lead that slopes so much steeper than its QRS is being moved."""
APART_S: Final = 0.17
CHUNK: Final = 2048
"""Samples that are worked on at once: they stay in the first cache."""
LEAST_POWER: Final = 0.035**2
"""Of the usual QRS; on DS1 less than one beat in 4000 is smaller, and those are not found anyway."""


@compiled_finite
def in_units(
    slope: Float32s, broad: Float32s, hz: float, memory: Float32s, units: Float32s, shapes: Float32s
) -> tuple[Float32s, Float32s, Float32s, Float32s, Float32s]:
    """(magnitude, power, tops, floors, levels) of the bands (n_leads, n) of :mod:`worker.holter.bands`, which are
    written into ``units`` and ``shapes`` in their new units.

    Those are each lead in units of its usual QRS times its weight; the magnitude (n,) is the mean square
    of the broad band over the leads; the power (n,) is the mean square of the slopes over leads and 90 ms, in units of
    its own usual peak; tops and floors (n_leads, windows of 1.5 s) are the steepest slope and the median mean square
    of the slope, in units of the lead's usual QRS; levels (n_leads + 1,) are the usual QRS slopes in
    µV/s and the usual power in the leads' units.

    Args:
        memory: (n_leads + 1,) levels before this block, 0 where there was none: what is much less is no QRS, or P
            waves would become beats when the ventricles stand still.
    """
    n_leads, n = slope.shape
    width = int(WINDOW_S * hz)
    count = max(1, n // width)
    gains, tops = np.empty((n_leads, count), np.float32), np.empty((n_leads, count), np.float32)
    floors = np.empty((n_leads, count), np.float32)
    levels = np.empty(n_leads + 1, np.float32)
    for lead in range(n_leads):
        _maxima_of_windows(slope[lead], width, tops[lead])
        level = _level(tops[lead])
        levels[lead] = np.median(level)
        least = REMEMBERED * (memory[lead] if memory[lead] > 0 else levels[lead])
        for j in range(count):
            gains[lead, j] = 1 / max(float(level[j]), least) if level[j] >= MIN_SLOPE_UV_S else 0.0
            tops[lead, j] *= gains[lead, j]
        _scale(slope[lead], gains[lead], width, units[lead])
        _floors_of_windows(units[lead], width, int(POWER_S * hz), floors[lead])
        top = np.empty(count, np.float32)
        _maxima_of_windows(broad[lead], width, top)
        level = _level(top)
        for j in range(count):
            gains[lead, j] = 1 / max(level[j], np.float32(1e-3)) if gains[lead, j] > 0 else 0.0
        _scale(broad[lead], gains[lead], width, shapes[lead])
    if n_leads > 1:
        weights = _weights(tops, floors)
        for lead in range(n_leads):
            _scale(units[lead], weights[lead], width, units[lead])
            _scale(shapes[lead], weights[lead], width, shapes[lead])
    power, levels[n_leads] = _power(units, hz, float(memory[n_leads]))
    return _mean_square(shapes), power, tops, floors, levels


@compiled_finite
def _maxima_of_windows(curve: Float32s, width: int, tops: Float32s) -> None:
    n = curve.size
    for j in range(tops.size):
        last = n if j == tops.size - 1 else (j + 1) * width
        part, top = curve[j * width : last], np.float32(0.0)
        for i in range(part.size):
            top = max(top, abs(part[i]))
        tops[j] = top


@compiled_finite
def _floors_of_windows(curve: Float32s, width: int, short: int, floors: Float32s) -> None:
    """The median mean square of the short stretches of each window: most of the time is between the beats."""
    powers = np.empty(width // short, np.float32)
    for j in range(floors.size):
        window = curve[j * width : (j + 1) * width]
        for k in range(powers.size):
            part, total = window[k * short : (k + 1) * short], np.float32(0.0)
            for i in range(part.size):
                total += part[i] * part[i]
            powers[k] = total / np.float32(short)
        floors[j] = of_rank(powers, powers.size // 2) if powers.size else np.float32(0.0)


@compiled_finite
def _level(tops: Float32s) -> Float32s:
    """What the maxima of the windows around each usually reach: their 0.6 quantile."""
    n = tops.size
    span = min(LEVEL_WINDOWS, n)
    ordered = np.sort(tops[:span])
    level = np.empty(n, np.float32)
    place = LEVEL_SHARE * (span - 1)
    low = int(place)
    share, high = np.float32(place - low), min(low + 1, span - 1)
    first = 0
    for j in range(n):
        wanted = min(max(j - span // 2, 0), n - span)
        if wanted > first:
            exchange(ordered, tops[first], tops[first + span])
            first = wanted
        level[j] = ordered[low] + (ordered[high] - ordered[low]) * share
    return level


@compiled_finite
def _weights(tops: Float32s, floors: Float32s) -> Float32s:
    """(n_leads, windows) weights with a mean square of 1: calm leads that are there count for more."""
    n_leads, count = tops.shape
    weights = np.empty((n_leads, count), np.float32)
    for j in range(count):
        a, b = max(0, j - CALM_WINDOWS), min(count, j + CALM_WINDOWS + 1)
        square = np.float32(0.0)
        for lead in range(n_leads):
            noise, top = np.float32(0.0), np.float32(0.0)
            for k in range(a, b):
                noise += floors[lead, k]
            for k in range(max(0, j - 1), min(count, j + 2)):
                top = max(top, tops[lead, k])
            weight = 1 / (noise / np.float32(b - a) + np.float32(CALM))
            if top < ABSENT:
                weight *= (top / np.float32(ABSENT)) ** 2
            elif top > LOUD:
                weight *= (np.float32(LOUD) / top) ** 2
            weights[lead, j] = weight + np.float32(1e-6)
            square += weights[lead, j] ** 2
        for lead in range(n_leads):
            weights[lead, j] *= np.sqrt(n_leads / square)
    return weights


@compiled_finite
def _scale(curve: Float32s, gains: Float32s, width: int, out: Float32s) -> None:
    """``curve`` times the line through ``gains``, which stand in the middle of each window."""
    n, half = curve.size, width // 2
    for j in range(-1, gains.size):
        begin, end = j * width + half, (j + 1) * width + half
        left = gains[max(j, 0)]
        step = (gains[min(j + 1, gains.size - 1)] - left) / np.float32(width)
        if j == gains.size - 1:
            end = n
        offset = np.float32(max(begin, 0) - begin)
        source, target = curve[max(begin, 0) : min(end, n)], out[max(begin, 0) : min(end, n)]
        for i in range(source.size):
            target[i] = source[i] * (left + step * (np.float32(i) + offset))


@compiled_finite
def _mean_square(rows: Float32s) -> Float32s:
    """(n,) over the leads."""
    n_leads, n = rows.shape
    mean, share = np.zeros(n, np.float32), np.float32(1 / n_leads)
    for lead in range(n_leads):
        row = rows[lead]
        for i in range(n):
            mean[i] += share * row[i] * row[i]
    return mean


@compiled_finite
def _power(units: Float32s, hz: float, memory: float) -> tuple[Float32s, float]:
    n = units.shape[1]
    width = int(POWER_S * hz + 0.5) | 1
    half = width // 2
    padded, power = np.zeros(n + 2 * half + 4, np.float32), np.empty(n, np.float32)
    padded[half : half + n] = _mean_square(units)
    _box(padded, width, power)
    window = int(WINDOW_S * hz)
    tops = np.empty(max(1, n // window), np.float32)
    _maxima_of_windows(power, window, tops)
    gains = _level(tops)
    usual = float(np.median(gains))
    least = max(REMEMBERED_ENERGY**2 * (memory if memory > 0 else usual), 1e-12)
    for j in range(gains.size):
        gains[j] = 1 / max(float(gains[j]), least)
    _scale(power, gains, window, power)
    return power, usual


@compiled_finite
def _box(x: Float32s, width: int, out: Float32s) -> None:
    """out[i] = x[i] + … + x[i + width − 1], four at a time and with zeros for what is beyond ``width``."""
    n = out.size
    out[:] = 0.0
    for begin in range(0, n, CHUNK):
        part = out[begin : begin + CHUNK]
        for k in range(0, width, 4):
            source = x[begin + k : begin + k + part.size + 3]
            second, third = np.float32(k + 1 < width), np.float32(k + 2 < width)
            fourth = np.float32(k + 3 < width)
            for i in range(part.size):
                part[i] += source[i] + second * source[i + 1] + third * source[i + 2] + fourth * source[i + 3]


@compiled_finite
def candidates(power: Float32s, hz: float) -> Int64s:
    """Places of the power's maxima, the larger winning where two stand closer than 170 ms."""
    apart = int(APART_S * hz + 0.5)
    found, count = _maxima(power)
    fate = np.zeros(count, np.int8)  # 1 kept, -1 dropped
    open_ones = count
    while open_ones:
        open_ones = 0
        for number in range(count):
            if fate[number]:
                continue
            if _is_top(power, found, fate, number, count, apart):
                fate[number] = 1
                for step in (-1, 1):
                    other = number + step
                    while 0 <= other < count and abs(found[other] - found[number]) <= apart:
                        fate[other] = -1
                        other += step
            else:
                open_ones += 1
    left = 0
    for number in range(count):
        if fate[number] == 1:
            found[left] = found[number]
            left += 1
    return found[:left]


@compiled_finite
def _maxima(curve: Float32s) -> tuple[Int64s, int]:
    """(places, how many): marked for all samples at once, then gathered eight by eight."""
    n, least = curve.size, np.float32(LEAST_POWER)
    marks = np.zeros((n + 7) // 8 * 8, np.bool_)
    for i in range(1, n - 1):
        marks[i] = (curve[i] > least) & (curve[i] > curve[i - 1]) & (curve[i] >= curve[i + 1])
    eights = marks.view(np.uint64)
    found, count = np.empty(n // 2 + 1, np.int64), 0
    for j in range(eights.size):
        if eights[j]:
            for i in range(8 * j, 8 * j + 8):
                if marks[i]:
                    found[count] = i
                    count += 1
    return found, count


@compiled_finite
def _is_top(curve: Float32s, found: Int64s, fate: NDArray[np.int8], number: int, count: int, apart: int) -> bool:
    """Whether none of those left within reach is larger; of equal ones the first wins."""
    own = curve[found[number]]
    other = number - 1
    while other >= 0 and found[number] - found[other] <= apart:
        if fate[other] == 0 and curve[found[other]] >= own:
            return False
        other -= 1
    other = number + 1
    while other < count and found[other] - found[number] <= apart:
        if fate[other] == 0 and curve[found[other]] > own:
            return False
        other += 1
    return True
