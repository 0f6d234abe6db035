"""Which maxima of the slope's energy are beats? The compiled loops behind :mod:`worker.holter.detect`.

The method is the resting detector's (:mod:`worker.signal.qrs`, :mod:`worker.signal.qrs_weights`): every maximum is a
candidate, nine measures of it give log odds, and the beats are the sequence of candidates that is the most plausible as
a whole. What differs is said in :mod:`worker.holter.detect`; constants without a word of their own are the resting
detector's, repeated here because compiled code does not notice a change of another file.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled_finite
from worker.signal.ranks import exchange, insert, medians_at_end, of_rank, sort_to_middle

Float32s = NDArray[np.float32]
Int64s = NDArray[np.int64]
Curves = tuple[Float32s, Float32s, Float32s, Float32s]
About = tuple[Float32s, Float32s, Float32s]
"""Of each candidate: energy, size, and (n, 7) logs of energy, size, the four energies beside it, and the floor."""

MINUTE_S: Final = 60.0
AROUND_S: Final = 5.0
"""What is usual is taken minute by minute, with so much on both sides."""
LEAST_ODDS: Final = -6.5
"""What looks less like a beat cannot buy itself into the sequence, whatever gap it fills."""
FIRST_GUESS: Final = 0.30
SHRUNK: Final = 0.35
"""Where most of a minute is so small, against what is remembered, only what is twice as large is believed first."""
T_WAVE_S: Final = 0.36
T_WAVE_SHARE: Final = 0.45
PASSES: Final = 2
SETTLED: Final = 0.1
"""Where so few beats changed, what is usual has not changed."""

SLOPE_HALF_S: Final = 0.08
SLOPE_SHIFT_S: Final = 0.04
AROUND_R_S: Final = (0.12, 0.30)
BROAD_SHIFT_S: Final = 0.05
TEMPLATE_BEATS: Final = 15
SIZE_REACH_S: Final = 0.06
NEIGHBOURS_S: Final = (0.27, 0.45)
NEIGHBOURS: Final = 9
FLOOR: Final = 0.004
LOG_FLOOR: Final = -5.52
LEAST_RATIO: Final = np.float32(1e-3)
LEAST_LOG: Final = np.float32(-6.9078)
LEAST_SIZE: Final = np.float32(1e-12)
FLOOR_STEP_S, FLOOR_GRID_S = 0.128, 0.5
MEASURES: Final = 9
LANES: Final = 16
"""Templates are filled up with zeros to a multiple of this, so that none of a product is left over."""

REFRACTORY_S: Final = 0.18
SHORT_S, SHORT_COST = 0.33, 2.5
LONG_RR, LONG_COST, LONGEST_RR = 1.35, 3.0, 3.0
REGULAR_WITHIN: Final = 0.25
REGULAR_GAIN: Final = 1.5
WORTH: Final = 6.0
LOCAL_BEATS: Final = 15
USUAL_RR_S: Final = (0.3, 1.6)


@compiled_finite
def about_of(curves: Curves, at: Int64s, hz: float) -> About:
    """What is measured of each candidate by itself.

    Args:
        curves: units, shapes, magnitude and power of :mod:`worker.holter.units` at ``hz``.
        at: (n,) places of the candidates, increasing.
    """
    own, size = _roots(curves[3], at), _sizes(curves[2], at, hz)
    floor, beside = _floors(curves[3], at, hz), _neighbours(at, own, hz)
    logs = np.empty((at.size, 7), np.float32)
    for i in range(at.size):
        row = logs[i]
        row[0], row[1] = np.log(own[i]), np.log(max(size[i], LEAST_SIZE))
        for k in range(4):
            row[2 + k] = np.log(beside[i, k]) if beside[i, k] > FLOOR else LOG_FLOOR
        row[6] = np.log(max(floor[i], LEAST_RATIO))
    return own, size, logs


@compiled_finite
def beats_of(curves: Curves, at: Int64s, measured: About, hz: float, coefficients: Float32s) -> tuple[Int64s, Float32s]:
    """(places of the beats among the candidates ``at``, log odds of their looks), minute by minute.

    Args:
        curves, at: as in :func:`about_of`, and what it ``measured``.
        coefficients: (23,) of the log odds.
    """
    units, shapes, _, power = curves
    own, size, logs = measured
    minute, around = int(MINUTE_S * hz), int(AROUND_S * hz)
    places, worth, count = np.empty_like(at), np.empty(at.size, np.float32), 0
    a, b = 0, 0
    for start in range(0, power.size, minute):
        while a < at.size and at[a] < start - around:
            a += 1
        while b < at.size and at[b] < start + minute + around:
            b += 1
        about = (own[a:b], size[a:b], logs[a:b])
        beats, odds = _minute(units, shapes, at[a:b], about, hz, coefficients)
        for i in range(beats.size):
            if start <= beats[i] < start + minute:
                places[count], worth[count] = beats[i], odds[i]
                count += 1
    return places[:count], worth[:count]


@compiled_finite
def _minute(
    units: Float32s, shapes: Float32s, at: Int64s, about: About, hz: float, coefficients: Float32s
) -> tuple[Int64s, Float32s]:
    beats = _first_guess(about[0], at, hz)
    if beats.size and np.median(about[0][beats]) < SHRUNK:
        beats = beats[about[0][beats] > 2 * SHRUNK]
    places, odds = at[beats], np.empty(0, np.float32)
    for _ in range(PASSES):
        if beats.size < 2:
            break
        likely, odds = log_odds(units, shapes, at, about, beats, hz, coefficients)
        chosen = sequence(at[likely], odds, hz)
        odds = odds[chosen]
        change = _differences(likely[chosen], beats)
        beats = likely[chosen]
        places = at[beats]
        if change <= SETTLED * beats.size:
            break
    return places, odds


@compiled_finite
def _differences(one: Int64s, other: Int64s) -> int:
    """How many are only in one of two increasing lists."""
    j, alike = 0, 0
    for i in range(one.size):
        while j < other.size and other[j] < one[i]:
            j += 1
        alike += j < other.size and other[j] == one[i]
    return int(one.size + other.size - 2 * alike)


@compiled_finite
def _first_guess(own: Float32s, at: Int64s, hz: float) -> Int64s:
    """Numbers of the candidates above a threshold that are not the T wave of the one before."""
    beats = np.empty(at.size, np.int64)
    count = 0
    for i in range(at.size):
        if own[i] < FIRST_GUESS:
            continue
        if count:
            last = beats[count - 1]
            if at[i] - at[last] < T_WAVE_S * hz and own[i] < T_WAVE_SHARE * own[last]:
                continue
        beats[count] = i
        count += 1
    return beats[:count]


@compiled_finite
def log_odds(
    units: Float32s, shapes: Float32s, at: Int64s, about: About, beats: Int64s, hz: float, coefficients: Float32s
) -> tuple[Int64s, Float32s]:
    """(numbers of the candidates that may be beats, log odds of each being one), given numbers that are believed."""
    rows = _surroundings(about, beats)
    likely, count = np.empty(at.size, np.int64), 0
    for i in range(at.size):
        rows[i, 2], rows[i, 3] = 1.0, 1.0
        if _odds(rows[i], coefficients) > LEAST_ODDS:  # else not even the usual shape would make it one
            likely[count], rows[count] = i, rows[i]
            count += 1
    _likenesses(units, shapes, at[likely[:count]], at[beats], hz, rows)
    odds, kept = np.empty(count, np.float32), 0
    for i in range(count):
        value = _odds(rows[i], coefficients)
        if value > LEAST_ODDS:
            likely[kept], odds[kept] = likely[i], value
            kept += 1
    return likely[:kept], odds[:kept]


@compiled_finite
def _likenesses(units: Float32s, shapes: Float32s, at: Int64s, beats: Int64s, hz: float, rows: Float32s) -> None:
    """Columns 2 and 3 of the measures."""
    half = int(SLOPE_HALF_S * hz + 0.5)
    before, after = int(AROUND_R_S[0] * hz + 0.5), int(AROUND_R_S[1] * hz + 0.5)
    _likeness(units, at, beats, half, half + 1, int(SLOPE_SHIFT_S * hz + 0.5), rows[:, 2])
    _likeness(shapes, at, beats, before, after, int(BROAD_SHIFT_S * hz + 0.5), rows[:, 3])


@compiled_finite
def _surroundings(about: About, beats: Int64s) -> Float32s:
    """(n, 9) log energy and log size against the beats around, room for the likenesses of slope and of shape, the log
    energy of the largest neighbour before and after, close and a little farther, against one's own, the log floor."""
    logs = about[2]
    usual, usual_size = _usual_near(beats, logs)
    rows = np.empty((len(logs), MEASURES), np.float32)
    for i in range(len(logs)):
        row, mine = rows[i], logs[i]
        row[0], row[1] = mine[0] - usual[i], max(mine[1] - usual_size[i], LEAST_LOG)
        for k in range(4):
            row[4 + k] = mine[2 + k] - mine[0]
        row[8] = mine[6] - usual[i]
    return rows


@compiled_finite
def _odds(row: Float32s, c: Float32s) -> float:
    """The bends and products of ``qrs_weights.design``, weighed."""
    e, z = min(max(row[0], -4.0), 1.0), min(max(row[1], -4.0), 1.5)
    s, b = max(row[2], -0.2), max(row[3], -0.3)
    f = min(max(row[8], -5.0), 0.0)
    clear = min(max(e - f, 0.0), 4.0)
    odds = c[0] * b + c[1] * b * b + c[2] * b * s + c[3] * e + c[4] * min(e, 0.0) ** 2
    odds += c[5] * z + c[6] * min(z, 0.0) ** 2 + c[7] * s + c[8] * s * s
    for k in range(4):
        value = min(max(row[4 + k], -4.0), 2.0)
        odds += c[9 + k] * value + c[13 + k] * max(value, 0.0)
    odds += c[17] * f + c[18] * clear + c[19] * clear * s + c[20] * e * s + c[21] * z * s + c[22]
    return float(odds)


@compiled_finite
def _roots(power: Float32s, at: Int64s) -> Float32s:
    values = np.empty(at.size, np.float32)
    for i in range(at.size):
        values[i] = np.sqrt(power[at[i]])
    return values


@compiled_finite
def _sizes(magnitude: Float32s, at: Int64s, hz: float) -> Float32s:
    """(n,) the largest root mean square over the leads within 60 ms."""
    reach = int(SIZE_REACH_S * hz + 0.5)
    sizes = np.empty(at.size, np.float32)
    for i in range(at.size):
        part, top = magnitude[max(0, at[i] - reach) : at[i] + reach + 1], np.float32(0.0)
        for j in range(part.size):
            top = max(top, part[j])
        sizes[i] = np.sqrt(top)
    return sizes


@compiled_finite
def _usual_near(beats: Int64s, logs: Float32s) -> tuple[Float32s, Float32s]:
    """Logs of the median energy and size of the nine beats around each candidate; ``beats`` are their numbers."""
    count = min(NEIGHBOURS, beats.size)
    usual, usual_size = np.empty(len(logs), np.float32), np.empty(len(logs), np.float32)
    energies, sizes = np.empty(count, np.float32), np.empty(count, np.float32)
    for k in range(count):
        insert(energies, k, logs[beats[k], 0])
        insert(sizes, k, logs[beats[k], 1])
    place, first = 0, 0
    for i in range(len(logs)):
        while place < beats.size and beats[place] < i:
            place += 1
        wanted = min(max(place - count // 2, 0), beats.size - count)
        while first < wanted:
            gone, come = beats[first], beats[first + count]
            exchange(energies, logs[gone, 0], logs[come, 0])
            exchange(sizes, logs[gone, 1], logs[come, 1])
            first += 1
        usual[i], usual_size[i] = energies[count // 2], sizes[count // 2]
    return usual, usual_size


@compiled_finite
def _template(signal: Float32s, beats: Int64s, before: int, after: int) -> Float32s:
    """(n_leads, at least before + after) the median of up to 15 beats, zero mean in each lead, zeros behind."""
    n_leads, n = signal.shape
    width = before + after
    step = max(1, (beats.size + TEMPLATE_BEATS - 1) // TEMPLATE_BEATS)
    rows = np.zeros((TEMPLATE_BEATS, (width + LANES - 1) // LANES * LANES), np.float32)
    template = np.zeros((n_leads, rows.shape[1]), np.float32)
    for lead in range(n_leads):
        count, whole = 0, True
        for k in range(0, beats.size, step):
            first = beats[k] - before
            whole &= first >= 0 and first + width <= n
            if whole:
                rows[count, :width] = signal[lead, first : first + width]
                count += 1
        if whole:
            sort_to_middle(rows, count)
            template[lead, :width] = rows[count // 2, :width]
        else:
            medians_at_end(signal[lead], beats[::step] - before, template[lead, :width])
        mean = np.float32(0.0)
        for j in range(width):
            mean += template[lead, j] / np.float32(width)
        for j in range(width):
            template[lead, j] -= mean
    return template


@compiled_finite
def _likeness(signal: Float32s, at: Int64s, beats: Int64s, before: int, after: int, reach: int, best: Float32s) -> None:
    """Into ``best`` (n,): the largest correlation with the usual beat over small shifts, all leads together."""
    template = _template(signal, beats, before, after)
    n_leads = signal.shape[0]
    width, shifts = before + after, 2 * reach + 1
    norm = np.float32(max(np.sqrt(np.sum(template * template)), 1e-6))
    products, power = np.empty((shifts + 3) // 4 * 4, np.float32), np.empty(shifts, np.float32)
    part = np.zeros(template.shape[1] + products.size, np.float32)
    for i in range(at.size):
        products[:], power[:] = 0.0, 1e-9
        begin = at[i] - before - reach
        inside = begin >= 0 and begin + part.size <= signal.shape[1]
        for lead in range(n_leads):
            if inside:
                seen = signal[lead, begin : begin + part.size]
                _products(seen, template[lead], products)
                _powers(seen, width, power)
            else:
                _at_end(signal[lead], begin, width + shifts - 1, part)
                _products(part, template[lead], products)
                _powers(part, width, power)
        for shift in range(shifts):
            products[shift] /= np.sqrt(power[shift])
        best[i] = _summit(products[:shifts]) / norm


@compiled_finite
def _at_end(row: Float32s, begin: int, count: int, part: Float32s) -> None:
    """The values from ``begin`` on, of which some lie before the first or behind the last: those are repeated."""
    for j in range(part.size):
        part[j] = row[min(max(begin + min(j, count - 1), 0), row.size - 1)]


@compiled_finite
def _summit(curve: Float32s) -> float:
    """The height of the parabola through the largest value and its neighbours: the true one lies between samples."""
    place = int(np.argmax(curve))
    top = float(curve[place])
    if 0 < place < curve.size - 1:
        left, right = curve[place - 1], curve[place + 1]
        top += (right - left) ** 2 / max(8 * (2 * top - left - right), 1e-6)
    return top


@compiled_finite
def _products(part: Float32s, template: Float32s, products: Float32s) -> None:
    """Add the product with the template at each shift, four shifts at a time."""
    n = template.size
    for shift in range(0, products.size, 4):
        one, two, three, four = part[shift:], part[shift + 1 :], part[shift + 2 :], part[shift + 3 :]
        a, b, c, d = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
        for j in range(n):
            a += one[j] * template[j]
            b += two[j] * template[j]
            c += three[j] * template[j]
            d += four[j] * template[j]
        for place, value in enumerate((a, b, c, d)):
            products[shift + place] += value


@compiled_finite
def _powers(part: Float32s, width: int, power: Float32s) -> None:
    """Add the power at each shift, without its mean."""
    total, square = np.float32(0.0), np.float32(0.0)
    for j in range(width):
        total += part[j]
        square += part[j] * part[j]
    for shift in range(power.size):
        power[shift] += max(square - total * total / np.float32(width), np.float32(0.0))
        gone, come = part[shift], part[shift + width]
        total += come - gone
        square += come * come - gone * gone


@compiled_finite
def _floors(power: Float32s, at: Int64s, hz: float) -> Float32s:
    """(n,) a lower quartile of the energy in the two seconds around each candidate, to the half second."""
    step, grid = max(1, int(FLOOR_STEP_S * hz)), FLOOR_GRID_S * hz
    values, floors, known = np.empty(int(2 * hz / step) + 2, np.float32), np.empty(at.size, np.float32), -1
    for number in range(at.size):
        place = int(at[number] / grid + 0.5)
        if place == known:
            floors[number] = floors[number - 1]
            continue
        known, begin, end = place, max(0, int(place * grid - hz)), min(power.size, int(place * grid + hz))
        count = (end - begin + step - 1) // step
        for k in range(count):
            values[k] = power[begin + k * step]
        floors[number] = np.sqrt(of_rank(values[:count], count // 4))
    return floors


@compiled_finite
def _neighbours(at: Int64s, own: Float32s, hz: float) -> Float32s:
    """(n, 4) largest energy close before, close after, farther before, farther after each candidate."""
    beside = np.full((at.size, 4), FLOOR, np.float32)
    for i in range(at.size):
        for offset in range(1, 4):
            j = i - offset
            if j >= 0:
                apart = at[i] - at[j]
                near, far = (0, 1) if apart <= NEIGHBOURS_S[0] * hz else (2, 3)
                if apart <= NEIGHBOURS_S[1] * hz:
                    beside[i, near] = max(beside[i, near], own[j])
                    beside[j, far] = max(beside[j, far], own[i])
    return beside


@compiled_finite
def sequence(at: Int64s, odds: Float32s, hz: float) -> Int64s:
    """Numbers of the candidates that together are the most plausible rhythm (Viterbi)."""
    n = at.size
    usual, gain = _local_rhythm(at, odds, hz)
    best, before, top = np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        score, chosen = 0.0, -1
        for j in range(i - 1, -1, -1):
            rr = (at[i] - at[j]) / hz
            if rr > LONGEST_RR * usual[i]:  # from here on all cost the same
                value = best[top[j]] - LONG_COST * (LONGEST_RR - LONG_RR)
                if value > score:
                    score, chosen = value, top[j]
                break
            if rr >= REFRACTORY_S:
                value = best[j] - _cost(rr, usual[i], gain[i])
                if value > score:
                    score, chosen = value, j
        best[i] = score + min(max(odds[i], -WORTH), WORTH)
        before[i] = chosen
        top[i] = i if i == 0 or best[i] > best[top[i - 1]] else top[i - 1]
    last = top[n - 1] if n else -1
    kept, count = np.empty(n, np.int64), 0
    i = last
    while i >= 0:
        if odds[i] > 0 or count or before[i] >= 0:
            kept[count] = i
            count += 1
        i = before[i]
    return kept[:count][::-1].copy()


@compiled_finite
def _cost(rr: float, usual: float, gain: float) -> float:
    """What an interval costs; a regular one in a regular rhythm pays."""
    cost = SHORT_COST * ((SHORT_S - rr) / 0.1) ** 2 if rr < SHORT_S else 0.0
    ratio = rr / usual
    if ratio > LONG_RR:
        cost += LONG_COST * (min(ratio, LONGEST_RR) - LONG_RR)
    if abs(ratio - 1) < REGULAR_WITHIN:
        cost -= gain * (1 - ((ratio - 1) / REGULAR_WITHIN) ** 2)
    return cost


@compiled_finite
def _local_rhythm(at: Int64s, odds: Float32s, hz: float) -> tuple[Float32s, Float32s]:
    """(usual RR in s, what regularity pays) at each candidate, from those that look like beats."""
    usual, gain = np.full(at.size, 0.8, np.float32), np.zeros(at.size, np.float32)
    sure, count = np.empty(at.size, np.int64), 0
    for i in range(at.size):
        if odds[i] > 0:
            sure[count] = at[i]
            count += 1
    if count < 4:
        return usual, gain
    rr = np.empty(count - 1, np.float32)
    for i in range(count - 1):
        rr[i] = (sure[i + 1] - sure[i]) / hz
    local, regular = _local_median(rr)
    k = 0
    for i in range(at.size):
        while k < rr.size - 1 and sure[k + 1] < at[i]:
            k += 1
        before = max(k - 1, 0)  # the interval that ends at sure[k]; the one that ends at sure[k + 1] is k
        share = min(max((at[i] - sure[k]) / (sure[k + 1] - sure[k]), 0.0), 1.0)
        usual[i] = min(max(local[before] + (local[k] - local[before]) * share, USUAL_RR_S[0]), USUAL_RR_S[1])
        gain[i] = REGULAR_GAIN * (regular[before] + (regular[k] - regular[before]) * share)
    return usual, gain


@compiled_finite
def _local_median(rr: Float32s) -> tuple[Float32s, Float32s]:
    """(median of the fifteen intervals around each, the share of them that is close to it)."""
    local, regular = np.empty_like(rr), np.empty_like(rr)
    half = LOCAL_BEATS // 2
    ordered = np.empty(LOCAL_BEATS, np.float32)
    for k in range(LOCAL_BEATS):
        insert(ordered, k, rr[min(max(k - half, 0), rr.size - 1)])
    for i in range(rr.size):
        if i:
            exchange(ordered, rr[max(i - 1 - half, 0)], rr[min(i + half, rr.size - 1)])
        local[i] = ordered[half]
        alike = 0
        for k in range(LOCAL_BEATS):
            alike += abs(ordered[k] - local[i]) < REGULAR_WITHIN / 2 * local[i]
        regular[i] = alike / LOCAL_BEATS
    return local, regular
