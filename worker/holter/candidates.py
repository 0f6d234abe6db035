"""Which maxima of the slope's energy are beats? The compiled loops behind :mod:`worker.holter.detect`.

The method is the resting detector's (:mod:`worker.signal.qrs`, :mod:`worker.signal.qrs_weights`): every maximum is a
candidate, nine measures of it give log odds, and the beats are the sequence of candidates that is the most plausible as
a whole. What differs is said in :mod:`worker.holter.detect`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled

Float32s = NDArray[np.float32]
Int64s = NDArray[np.int64]

MINUTE_S: Final = 60.0
AROUND_S: Final = 5.0
"""What is usual is taken minute by minute, with so much on both sides."""
LEVEL_WINDOW_S: Final = 1.5
LEVEL_SHARE: Final = 0.6
CALM: Final = 0.003
MIN_SLOPE_UV_S: Final = 1500.0
ENERGY_S: Final = 0.09
APART_S: Final = 0.17
LEAST_ENERGY: Final = 0.012
FIRST_GUESS: Final = 0.30
T_WAVE_S: Final = 0.36
T_WAVE_SHARE: Final = 0.45
PASSES: Final = 2

SLOPE_HALF_S: Final = 0.08
SLOPE_SHIFT_S: Final = 0.04
BEFORE_S: Final = 0.12
AFTER_S: Final = 0.30
BROAD_SHIFT_S: Final = 0.05
TEMPLATE_BEATS: Final = 25
SIZE_REACH_S: Final = 0.06
NEAR_S: Final = 0.27
FAR_S: Final = 0.45
NEIGHBOURS: Final = 9
FLOOR: Final = 0.004
FLOOR_STEP_S: Final = 0.064
FLOOR_GRID_S: Final = 0.5
MEASURES: Final = 9

REFRACTORY_S: Final = 0.18
SHORT_S: Final = 0.33
SHORT_COST: Final = 2.5
LONG_RR: Final = 1.35
LONG_COST: Final = 3.0
LONGEST_RR: Final = 3.0
REGULAR_WITHIN: Final = 0.25
REGULAR_GAIN: Final = 1.5
WORTH: Final = 6.0
LOCAL_BEATS: Final = 15
USUAL_RR_S: Final = (0.3, 1.6)
LOOK_BACK: Final = 12


@compiled
def beats_of(
    slope: Float32s, broad: Float32s, hz: float, begin: int, end: int, coefficients: Float32s
) -> tuple[Int64s, Float32s]:
    """Beats from ``begin`` up to but not including ``end``: (places in the curves, log odds of their looks).

    Args:
        slope, broad: (n_leads, n) the two bands of :mod:`worker.holter.bands`.
        hz: the curves' rate.
        coefficients: (23,) of the log odds.
    """
    minute, around, n = int(MINUTE_S * hz), int(AROUND_S * hz), slope.shape[1]
    at, worth = np.empty(int((end - begin) / (REFRACTORY_S * hz)) + 16, np.int64), np.empty(0, np.float32)
    worth = np.empty(at.size, np.float32)
    count = 0
    for start in range(begin, end, minute):
        stop = min(start + minute, end)
        a, b = max(0, min(start, n - 2 * around) - around), min(n, stop + around)
        beats, odds = _minute(slope[:, a:b], broad[:, a:b], hz, coefficients)
        for i in range(beats.size):
            if start <= beats[i] + a < stop:
                at[count], worth[count] = beats[i] + a, odds[i]
                count += 1
    return at[:count], worth[:count]


@compiled
def _minute(slope: Float32s, broad: Float32s, hz: float, coefficients: Float32s) -> tuple[Int64s, Float32s]:
    units, shapes = _in_units(slope, broad, hz)
    nothing = np.empty(0, np.int64), np.empty(0, np.float32)
    if units.shape[0] == 0:
        return nothing
    energy = _energy(units, hz)
    at = _peaks(energy, int(APART_S * hz + 0.5))
    if at.size == 0:
        return nothing
    beats = _first_guess(energy, at, hz)
    chosen = beats
    odds = np.zeros(at.size, np.float32)
    for _ in range(PASSES):
        if beats.size < 2:
            break
        odds = measures(units, shapes, energy, at, at[beats], hz) @ coefficients
        chosen = _sequence(at, odds, hz)
        same = chosen.size == beats.size and (chosen == beats).all()
        beats = chosen
        if same:
            break
    return at[beats], odds[beats]


@compiled
def _usual_peak(curve: Float32s, hz: float) -> float:
    """The level that the maxima of stretches of 1.5 s usually reach."""
    width = int(LEVEL_WINDOW_S * hz)
    whole = curve.size // width
    if whole < 2:
        top = np.float32(0.0)
        for value in curve:
            top = max(top, abs(value))
        return float(top)
    maxima = np.empty(whole, np.float32)
    for j in range(whole):
        top = np.float32(0.0)
        for i in range(j * width, (j + 1) * width):
            top = max(top, abs(curve[i]))
        maxima[j] = top
    maxima.sort()
    place = LEVEL_SHARE * (whole - 1)
    low = int(place)
    return float(maxima[low] + (maxima[min(low + 1, whole - 1)] - maxima[low]) * (place - low))


@compiled
def _in_units(slope: Float32s, broad: Float32s, hz: float) -> tuple[Float32s, Float32s]:
    """The leads that have a QRS, each in units of its usual peak and weighed by how calm it is between the beats."""
    n_leads, n = slope.shape
    units, shapes = np.empty((n_leads, n), np.float32), np.empty((n_leads, n), np.float32)
    weights = np.empty(n_leads, np.float32)
    kept = 0
    for lead in range(n_leads):
        level = _usual_peak(slope[lead], hz)
        if level < MIN_SLOPE_UV_S:
            continue
        units[kept] = slope[lead] / np.float32(level)
        shapes[kept] = broad[lead] / np.float32(max(_usual_peak(broad[lead], hz), 1e-3))
        weights[kept] = 1 / (_between(units[kept], hz) + CALM)
        kept += 1
    if kept > 1:
        weights /= np.float32(np.sqrt(np.mean(weights[:kept] ** 2)))
        for lead in range(kept):
            units[lead] *= weights[lead]
            shapes[lead] *= weights[lead]
    return units[:kept], shapes[:kept]


@compiled
def _between(units: Float32s, hz: float) -> float:
    """The median power: most of the time is between the beats."""
    width = int(ENERGY_S * hz)
    power = np.empty(units.size // width, np.float32)
    for j in range(power.size):
        total = np.float32(0.0)
        for i in range(j * width, (j + 1) * width):
            total += units[i] * units[i]
        power[j] = total / np.float32(width)
    power.sort()
    return float(power[power.size // 2]) if power.size else 0.0


@compiled
def _energy(units: Float32s, hz: float) -> Float32s:
    """The root of the mean square over leads and 90 ms, in units of its usual peak."""
    n_leads, n = units.shape
    width = int(ENERGY_S * hz + 0.5) | 1
    half = width // 2
    power = np.zeros(n + 2 * half, np.float32)
    for lead in range(n_leads):
        row = units[lead]
        for i in range(n):
            power[half + i] += row[i] * row[i]
    energy = np.zeros(n, np.float32)
    for k in range(width):
        for i in range(n):
            energy[i] += power[i + k]
    energy = np.sqrt(energy)
    energy /= np.float32(max(_usual_peak(energy, hz), 1e-6))
    return energy


@compiled
def _peaks(curve: Float32s, apart: int) -> Int64s:
    """Local maxima, the larger winning where two stand closer than ``apart``."""
    n = curve.size
    found = np.empty(n // 2 + 1, np.int64)
    count = 0
    for i in range(1, n - 1):
        if curve[i] > LEAST_ENERGY and curve[i] > curve[i - 1] and curve[i] >= curve[i + 1]:
            found[count] = i
            count += 1
    found = found[:count]
    kept = np.ones(count, np.bool_)
    done = np.zeros(count, np.bool_)
    for number in np.argsort(-curve[found]):
        if not kept[number]:
            continue
        done[number] = True
        for step in (-1, 1):
            other = number + step
            while 0 <= other < count and abs(found[other] - found[number]) <= apart:
                if not done[other]:
                    kept[other] = False
                other += step
    return found[kept]


@compiled
def _first_guess(energy: Float32s, at: Int64s, hz: float) -> Int64s:
    """Numbers of the candidates above a threshold that are not the T wave of the one before."""
    beats = np.empty(at.size, np.int64)
    count = 0
    for i in range(at.size):
        if energy[at[i]] < FIRST_GUESS:
            continue
        if count:
            last = at[beats[count - 1]]
            if at[i] - last < T_WAVE_S * hz and energy[at[i]] < T_WAVE_SHARE * energy[last]:
                continue
        beats[count] = i
        count += 1
    return beats[:count]


@compiled
def measures(units: Float32s, shapes: Float32s, energy: Float32s, at: Int64s, beats: Int64s, hz: float) -> Float32s:
    """(n, 23): nine measures of each candidate with their bends and products, as ``qrs_weights.design`` has them.

    Log energy and log size against the beats around, likeness of slope and of shape to the usual beat, the log energy
    of the largest neighbour before and after, close and a little farther, against one's own, and the log floor.
    """
    own, size = energy[at], _sizes(shapes, at, hz)
    usual, usual_size = _usual_near(at, beats, energy[beats], _sizes(shapes, beats, hz))
    half = int(SLOPE_HALF_S * hz + 0.5)
    like_slope = _likeness(units, at, beats, half, half + 1, int(SLOPE_SHIFT_S * hz + 0.5))
    before, after = int(BEFORE_S * hz + 0.5), int(AFTER_S * hz + 0.5)
    like_shape = _likeness(shapes, at, beats, before, after, int(BROAD_SHIFT_S * hz + 0.5))
    floor = _floor(energy, hz)
    beside = np.full((4, at.size), FLOOR, np.float32)
    _neighbours(at, own, hz, beside)
    grid = FLOOR_GRID_S * hz
    rows = np.empty((at.size, 23), np.float32)
    for i in range(at.size):
        e = min(max(_log(own[i] / usual[i]), -4.0), 1.0)
        z = min(max(_log(size[i] / usual_size[i]), -4.0), 1.5)
        s, b = max(like_slope[i], -0.2), max(like_shape[i], -0.3)
        f = min(max(_log(floor[min(int(at[i] / grid + 0.5), floor.size - 1)] / usual[i]), -5.0), 0.0)
        clear = min(max(e - f, 0.0), 4.0)
        row = rows[i]
        row[0], row[1], row[2], row[3] = b, b * b, b * s, e
        row[4], row[5], row[6] = e * e if e < 0 else 0.0, z, z * z if z < 0 else 0.0
        row[7], row[8] = s, s * s
        for k in range(4):
            value = min(max(_log(beside[k, i] / own[i]), -4.0), 2.0)
            row[9 + k], row[13 + k] = value, max(value, 0.0)
        row[17], row[18], row[19], row[20], row[21], row[22] = f, clear, clear * s, e * s, z * s, 1.0
    return rows


@compiled
def _log(value: float) -> float:
    return float(np.log(max(value, 1e-3)))


@compiled
def _sizes(shapes: Float32s, at: Int64s, hz: float) -> Float32s:
    """(n,) the largest root mean square over the leads within 60 ms."""
    n_leads, n = shapes.shape
    reach = int(SIZE_REACH_S * hz + 0.5)
    sizes = np.empty(at.size, np.float32)
    for i in range(at.size):
        top = np.float32(0.0)
        for j in range(max(0, at[i] - reach), min(n, at[i] + reach + 1)):
            total = np.float32(0.0)
            for lead in range(n_leads):
                total += shapes[lead, j] * shapes[lead, j]
            top = max(top, total)
        sizes[i] = np.sqrt(top / np.float32(n_leads))
    return sizes


@compiled
def _usual_near(at: Int64s, beats: Int64s, own: Float32s, size: Float32s) -> tuple[Float32s, Float32s]:
    """Median energy and size of the nine beats around each candidate."""
    count = min(NEIGHBOURS, beats.size)
    usual, usual_size = np.empty(at.size, np.float32), np.empty(at.size, np.float32)
    place, known = 0, -1
    for i in range(at.size):
        while place < beats.size and beats[place] < at[i]:
            place += 1
        first = min(max(place - count // 2, 0), beats.size - count)
        if first == known:
            usual[i], usual_size[i] = usual[i - 1], usual_size[i - 1]
            continue
        known = first
        usual[i] = np.median(own[first : first + count])
        usual_size[i] = np.median(size[first : first + count])
    return usual, usual_size


@compiled
def _template(signal: Float32s, beats: Int64s, before: int, after: int) -> Float32s:
    """(n_leads, before + after) the median of up to 25 beats, zero mean in each lead."""
    n_leads, n = signal.shape
    width = before + after
    step = max(1, (beats.size + TEMPLATE_BEATS - 1) // TEMPLATE_BEATS)
    template, column = np.zeros((n_leads, width), np.float32), np.empty(beats.size // step + 1, np.float32)
    for lead in range(n_leads):
        for j in range(width):
            count = 0
            for k in range(0, beats.size, step):
                place = beats[k] - before + j
                if 0 <= place < n:
                    value = signal[lead, place]
                    i = count
                    while i > 0 and column[i - 1] > value:
                        column[i] = column[i - 1]
                        i -= 1
                    column[i] = value
                    count += 1
            if count:
                template[lead, j] = (column[count // 2] + column[(count - 1) // 2]) / 2
        template[lead] -= np.mean(template[lead])
    return template


@compiled
def _likeness(signal: Float32s, at: Int64s, beats: Int64s, before: int, after: int, reach: int) -> Float32s:
    """(n,) the largest correlation with the usual beat over small shifts, all leads together."""
    template = _template(signal, beats, before, after)
    n_leads, n = signal.shape
    width = before + after
    norm = np.float32(max(np.sqrt(np.sum(template * template)), 1e-6))
    best = np.empty(at.size, np.float32)
    products, power = np.empty(2 * reach + 1, np.float32), np.empty(2 * reach + 1, np.float32)
    part = np.empty(width + 2 * reach, np.float32)
    for i in range(at.size):
        products[:], power[:] = 0.0, 1e-9
        first = at[i] - before - reach
        for lead in range(n_leads):
            if first >= 0 and first + part.size <= n:
                part[:] = signal[lead, first : first + part.size]
            else:
                for j in range(part.size):
                    part[j] = signal[lead, min(max(first + j, 0), n - 1)]
            _slide(part, template[lead], products, power)
        top = np.float32(-1.0)
        for shift in range(products.size):
            top = max(top, products[shift] / np.sqrt(power[shift]))
        best[i] = top / norm
    return best


@compiled
def _slide(part: Float32s, template: Float32s, products: Float32s, power: Float32s) -> None:
    """Add, at each shift, the product with the template and the power without its mean."""
    width = template.size
    total, square = np.float32(0.0), np.float32(0.0)
    for j in range(width):
        total += part[j]
        square += part[j] * part[j]
    for shift in range(products.size):
        product = np.float32(0.0)
        window = part[shift : shift + width]
        for j in range(width):
            product += window[j] * template[j]
        products[shift] += product
        power[shift] += max(square - total * total / np.float32(width), np.float32(0.0))
        if shift + width < part.size:
            gone, come = part[shift], part[shift + width]
            total += come - gone
            square += come * come - gone * gone


@compiled
def _floor(energy: Float32s, hz: float) -> Float32s:
    """A lower quartile of the energy in the two seconds around each half second."""
    step, grid = max(1, int(FLOOR_STEP_S * hz)), FLOOR_GRID_S * hz
    floor = np.empty(int(energy.size / grid) + 1, np.float32)
    values = np.empty(int(2 * hz / step) + 2, np.float32)
    for j in range(floor.size):
        centre, count = j * grid, 0
        for i in range(max(0, int(centre - hz)), min(energy.size, int(centre + hz)), step):
            value, k = energy[i], count
            while k > 0 and values[k - 1] > value:
                values[k] = values[k - 1]
                k -= 1
            values[k] = value
            count += 1
        floor[j] = values[count // 4] if count else 0.0
    return floor


@compiled
def _neighbours(at: Int64s, own: Float32s, hz: float, beside: Float32s) -> None:
    """Largest energy close before, close after, farther before, farther after each candidate."""
    for i in range(at.size):
        for offset in range(1, 4):
            j = i - offset
            if j >= 0:
                apart = at[i] - at[j]
                near, far = (0, 1) if apart <= NEAR_S * hz else (2, 3)
                if apart <= FAR_S * hz:
                    beside[near, i] = max(beside[near, i], own[j])
                    beside[far, j] = max(beside[far, j], own[i])


@compiled
def _sequence(at: Int64s, odds: Float32s, hz: float) -> Int64s:
    """Numbers of the candidates that together are the most plausible rhythm (Viterbi)."""
    n = at.size
    usual, gain = _local_rhythm(at, odds, hz)
    best, before = np.empty(n), np.empty(n, np.int64)
    for i in range(n):
        score, chosen = (0.0, -1) if i < LOOK_BACK else (-np.inf, -1)
        j = i - 1
        while j >= 0:
            rr = (at[i] - at[j]) / hz
            if rr > LONGEST_RR * usual[i] and j < i - LOOK_BACK:
                break
            if rr >= REFRACTORY_S:
                value = best[j] - _cost(rr, usual[i], gain[i])
                if value > score:
                    score, chosen = value, j
            j -= 1
        best[i] = score + min(max(odds[i], -WORTH), WORTH)
        before[i] = chosen
    last = max(0, n - LOOK_BACK)
    for i in range(last, n):
        if best[i] > best[last]:
            last = i
    kept, count = np.empty(n, np.int64), 0
    i = last
    while i >= 0:
        if odds[i] > 0 or count or before[i] >= 0:
            kept[count] = i
            count += 1
        i = before[i]
    return kept[:count][::-1].copy()


@compiled
def _cost(rr: float, usual: float, gain: float) -> float:
    """What an interval costs; a regular one in a regular rhythm pays."""
    cost = SHORT_COST * ((SHORT_S - rr) / 0.1) ** 2 if rr < SHORT_S else 0.0
    ratio = rr / usual
    if ratio > LONG_RR:
        cost += LONG_COST * (min(ratio, LONGEST_RR) - LONG_RR)
    if abs(ratio - 1) < REGULAR_WITHIN:
        cost -= gain * (1 - ((ratio - 1) / REGULAR_WITHIN) ** 2)
    return cost


@compiled
def _local_rhythm(at: Int64s, odds: Float32s, hz: float) -> tuple[Float32s, Float32s]:
    """(usual RR in s, what regularity pays) at each candidate, from those that look like beats."""
    usual, gain = np.full(at.size, 0.8, np.float32), np.zeros(at.size, np.float32)
    sure = at[odds > 0]
    if sure.size < 4:
        return usual, gain
    rr = np.diff(sure) / hz
    local, regular = np.empty(rr.size), np.empty(rr.size)
    half = LOCAL_BEATS // 2
    window = np.empty(LOCAL_BEATS)
    for i in range(rr.size):
        for k in range(LOCAL_BEATS):
            window[k] = rr[min(max(i + k - half, 0), rr.size - 1)]
        local[i] = np.median(window)
        alike = 0
        for value in window:
            alike += abs(value / local[i] - 1) < REGULAR_WITHIN / 2
        regular[i] = alike / LOCAL_BEATS
    rr_at = np.interp(at, sure[1:], local)
    share = np.interp(at, sure[1:], regular)
    for i in range(at.size):
        usual[i] = min(max(rr_at[i], USUAL_RR_S[0]), USUAL_RR_S[1])
        gain[i] = REGULAR_GAIN * share[i]
    return usual, gain
