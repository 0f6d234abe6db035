"""What does the averaged beat of each ten seconds look like? The compiled loops behind :mod:`worker.holter.minutes`."""

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

OUTLIER_TIMES = np.float32(2.0)
"""A beat with this many times the usual distance from the average is left out of it."""
LEAST_BEATS = 3
MMA_SHARE = np.float32(8.0)
MMA_MOST_UV = np.float32(32.0)
MMA_LEAST_UV = np.float32(1.0)
"""Nearing and Verrier 2002: an average moves by an eighth of the difference, by 1 to 32 µV."""


@compiled
def average_rows(
    uv: Float32s,
    at: Int64s,
    row: Int64s,
    normal: Bools,
    row_shape: Int64s,
    size: tuple[int, int, int],
    level: tuple[Int64s, Int64s],
    longest: float,
    parity: int,
    averages: Float32s,
    last_shape: Int64s,
    parts: tuple[int, int, int],
) -> tuple[Float32s, Float32s, Int64s, Float32s]:
    """The average beat of each row and lead.

    Args:
        uv: (n_leads, n) µV of one block with its margins.
        at: (m,) R peaks in ``uv``, in order; ``row`` the row into which each is averaged, or -1; ``normal`` those
            between which the base line is straight.
        row_shape: (n_rows,) the shape that is averaged in each row.
        size: samples before R, samples after R, and how many samples of ``uv`` make one of the average.
        level: (m,) each beat's PR level is the mean from the one to the other sample of ``uv``, counted from R.
        longest: samples; across a longer interval the base line is not taken to be straight.
        parity: of the first beat, 0 or 1.
        averages: (n_leads, 2, width) the moving averages of even and odd beats; moved on.
        last_shape: (1,) whose averages they are; moved on.
        parts: samples of the average at which what is compared begins and ends, and where T ends.

    Returns:
        (n_rows, n_leads, width) averages less their PR level; (3, n_rows, n_leads) scatter of one beat around it in the
        two parts, µV, and :func:`_echo`; (n_rows, n_leads) how many beats; (n_rows, n_leads, width) odd less even
        average at the end of the row.
    """  # fmt: skip
    n_leads, n_rows = len(uv), row_shape.size
    before, after, factor = size
    width = before + after
    means = np.zeros((n_rows, n_leads, width), np.float32)
    odd_less_even = np.zeros((n_rows, n_leads, width), np.float32)
    scatter = np.zeros((3, n_rows, n_leads), np.float32)
    counts = np.zeros((n_rows, n_leads), np.int64)
    levels, slopes = _levels(uv, at, normal, level, longest)
    fits = (row >= 0) & (at >= before * factor) & (at + (after + 1) * factor <= uv.shape[1])
    chosen = np.flatnonzero(fits)
    beats = np.empty((max(1, chosen.size), width), np.float32)
    distance = np.empty(max(1, chosen.size), np.float32)
    first = 0
    while first < chosen.size:
        here, last = row[chosen[first]], first
        while last < chosen.size and row[chosen[last]] == here:
            last += 1
        group = chosen[first:last]
        anew = group.size >= LEAST_BEATS and row_shape[here] != last_shape[0]
        for lead in range(n_leads if group.size >= LEAST_BEATS else 0):
            for c in range(group.size):
                k = group[c]
                _take(uv[lead], at[k], levels[lead, k], slopes[lead, k], at[k] + level[0][k], size, beats[c])
            counts[here, lead] = _row_of_lead(
                beats, group, distance, parity, anew, means[here, lead], averages[lead], scatter[:, here, lead], parts
            )
            odd_less_even[here, lead] = averages[lead, 1] - averages[lead, 0]
        if anew:
            last_shape[0] = row_shape[here]
        first = last
    return means, scatter, counts, odd_less_even


@compiled
def _row_of_lead(
    beats: Float32s,
    group: Int64s,
    distance: Float32s,
    parity: int,
    anew: bool,
    mean: Float32s,
    averages: Float32s,
    scatter: Float32s,
    parts: tuple[int, int, int],
) -> int:
    """Average, scatter and moving averages of one row's beats in one lead; how many beats the average is of.

    ``group`` are their numbers, ``anew`` whether the moving averages begin with them.
    """
    count = group.size
    kept = _average(beats, count, distance, mean, parts[0], parts[1])
    usual = np.median(distance[:count])
    limit = OUTLIER_TIMES * OUTLIER_TIMES * usual
    scatter[0] = np.sqrt(usual)
    scatter[2] = _echo(beats, count, distance, np.float32(limit), averages, parity, group, parts[1], parts[2])
    scatter[1] = _scatter(beats, count, distance, np.float32(limit), mean, parts[1], parts[2])
    if anew:
        averages[0] = mean
        averages[1] = mean
    for c in range(count):
        if distance[c] <= limit:
            _move(averages[(parity + group[c]) % 2], beats[c])
    return kept


@compiled
def _levels(
    uv: Float32s, at: Int64s, normal: Bools, level: tuple[Int64s, Int64s], longest: float
) -> tuple[Float32s, Float32s]:
    """(n_leads, m) PR level of each beat, and the slope from it to the next one's, or from the last one's."""
    n_leads, n = uv.shape
    levels, slopes = np.zeros((n_leads, at.size), np.float32), np.zeros((n_leads, at.size), np.float32)
    for lead in range(n_leads):
        for k in range(at.size):
            total, count = np.float32(0.0), np.float32(0.0)
            for j in range(max(0, at[k] + level[0][k]), min(n, at[k] + level[1][k])):
                total += uv[lead, j]
                count += np.float32(1.0)
            levels[lead, k] = total / max(count, np.float32(1.0))
        for k in range(at.size):
            if k + 1 < at.size and normal[k] and normal[k + 1] and at[k + 1] - at[k] < longest:
                slopes[lead, k] = (levels[lead, k + 1] - levels[lead, k]) / np.float32(at[k + 1] - at[k])
            elif k > 0 and normal[k] and normal[k - 1] and at[k] - at[k - 1] < longest:
                slopes[lead, k] = (levels[lead, k] - levels[lead, k - 1]) / np.float32(at[k] - at[k - 1])
    return levels, slopes


@compiled
def _take(
    uv: Float32s, at: int, level: float, slope: float, level_at: int, size: tuple[int, int, int], out: Float32s
) -> None:
    """One beat of one lead, less its base line, which has this level at ``level_at``."""
    before, _, factor = size
    first = at - before * factor - factor // 2
    base = np.float32(level + slope * np.float32(first - level_at))
    rise = np.float32(slope * np.float32(factor))
    if first < 0:
        _take_at_begin(uv, first, factor, out)
    elif factor == 1:
        out[:] = uv[first : first + out.size]
    else:
        source, share = uv[first : first + out.size * factor], np.float32(1.0) / np.float32(factor)
        for j in range(out.size):
            total = np.float32(0.0)
            for i in range(factor):
                total += source[j * factor + i]
            out[j] = total * share
    for j in range(out.size):
        out[j] -= base + rise * np.float32(j)


@compiled
def _take_at_begin(uv: Float32s, first: int, factor: int, out: Float32s) -> None:
    """Means of samples; before the first one it repeats."""
    for j in range(out.size):
        total = np.float32(0.0)
        for i in range(factor):
            total += uv[max(0, first + j * factor + i)]
        out[j] = total / np.float32(factor)


@compiled
def _average(beats: Float32s, count: int, distance: Float32s, mean: Float32s, begin: int, end: int) -> int:
    """The mean of the beats that agree with it between two samples; twice, so that what is far off does not draw it."""
    width = mean.size
    kept = 0
    limit = np.float32(np.inf)
    distance[:count] = 0.0
    for _ in range(2):
        kept = 0
        mean[:] = 0.0
        for c in range(count):
            if distance[c] <= limit:
                kept += 1
                for j in range(width):
                    mean[j] += beats[c, j]
        share = np.float32(1.0) / np.float32(max(1, kept))
        for j in range(width):
            mean[j] *= share
        for c in range(count):
            distance[c] = _distance(beats[c], mean, begin, end)
        limit = OUTLIER_TIMES * OUTLIER_TIMES * np.median(distance[:count])
    return kept


@compiled
def _distance(beat: Float32s, mean: Float32s, begin: int, end: int) -> np.float32:
    """Mean square of the difference between two samples."""
    total = np.float32(0.0)
    for j in range(begin, end):
        off = beat[j] - mean[j]
        total += off * off
    return total / np.float32(max(1, end - begin))


@compiled
def _scatter(
    beats: Float32s, count: int, distance: Float32s, limit: np.float32, mean: Float32s, begin: int, end: int
) -> np.float32:
    """Root mean square difference of the beats that are nearer than the limit."""
    total, kept = np.float32(0.0), 0
    for c in range(count):
        if distance[c] <= limit:
            total += _distance(beats[c], mean, begin, end)
            kept += 1
    return np.float32(np.sqrt(total / np.float32(max(1, kept))))


@compiled
def _echo(
    beats: Float32s,
    count: int,
    distance: Float32s,
    limit: np.float32,
    averages: Float32s,
    parity: int,
    chosen: Int64s,
    begin: int,
    end: int,
) -> np.float32:
    """How much of the alternation until now these beats repeat: 1 where T alternates, about 0 in noise."""
    kept = np.zeros(2, np.float32)
    for c in range(count):
        if distance[c] <= limit:
            kept[(parity + chosen[c]) % 2] += np.float32(1.0)
    if kept[0] == 0 or kept[1] == 0:
        return np.float32(0.0)
    now = np.zeros(end - begin, np.float32)
    for c in range(count):
        if distance[c] <= limit:
            side = (parity + chosen[c]) % 2
            share = (np.float32(1.0) if side == 1 else np.float32(-1.0)) / kept[side]
            part = beats[c, begin:end]
            for j in range(part.size):
                now[j] += part[j] * share
    both, own = np.float32(0.0), np.float32(1.0)
    even, odd = averages[0, begin:end], averages[1, begin:end]
    for j in range(now.size):
        until_now = odd[j] - even[j]
        both += now[j] * until_now
        own += until_now * until_now
    return both / own


@compiled
def _move(average: Float32s, beat: Float32s) -> None:
    """The modified moving average takes one beat in."""
    for j in range(average.size):
        off = (beat[j] - average[j]) / MMA_SHARE
        step = min(max(abs(off), MMA_LEAST_UV), MMA_MOST_UV)
        average[j] += step * (np.float32(off > 0) - np.float32(off < 0))


VARIANT = np.float32(0.10)
VARIANT_GAIN = np.float32(1.6)
VARIANT_FOLLOW = np.float32(8.0)
VARIANT_NOISE = np.float32(6.0)
"""An averaged QRS is another one where it differs by a tenth of its size and six standard errors: an electrode that
moves does not scatter as chance does."""


@compiled
def variants(
    means: Float32s,
    error: Float32s,
    sound: Bools,
    window: tuple[int, int, int],
    kept: Float32s,
    held: Int64s,
    last: int,
) -> tuple[Int64s, int]:
    """Which form of its shape each averaged QRS has: preexcitation comes and goes within what else looks alike.

    Args:
        means: (n_rows, n_leads, width) averages of one shape; ``error`` and ``sound`` (n_rows, n_leads).
        window: the first and one past the last sample that are compared, and over how many a difference is averaged.
        kept: (n_forms, n_leads, w) the forms; moved on.
        held: (n_forms, 2) the number of each and how many rows it has; moved on.
        last: the number given last.

    Returns:
        (n_rows,) the number of each row's form, -1 where no lead is sound; the number given last.
    """  # fmt: skip
    found = np.full(len(means), -1, np.int64)
    begin, end, smooth = window
    for r in range(len(means)):
        if not sound[r].any():
            continue
        slot, least = -1, np.float32(1.0)
        for k in range(len(held)):
            if held[k, 1] > 0:
                off = _unlike(means[r, :, begin:end], kept[k], error[r], sound[r], smooth)
                if off < least:
                    slot, least = k, off
        if slot < 0:
            slot, last = int(np.argmin(held[:, 1])), last + 1
            held[slot, 0], held[slot, 1] = last, 0
            kept[slot] = means[r, :, begin:end]
        held[slot, 1] += 1
        found[r] = held[slot, 0]
        for lead in range(len(sound[r])):
            for j in range(end - begin if sound[r, lead] else 0):
                kept[slot, lead, j] += (means[r, lead, begin + j] - kept[slot, lead, j]) / VARIANT_FOLLOW
    return found, last


@compiled
def _unlike(mean: Float32s, form: Float32s, error: Float32s, sound: Bools, smooth: int) -> np.float32:
    """The greatest difference from a form of the same height, as a part of what makes it another one."""
    n_leads, width = mean.shape
    power = np.zeros(width, np.float32)
    size, noise = np.float32(1.0), np.float32(0.0)
    for lead in range(n_leads):
        if not sound[lead]:
            continue
        both, own = np.float32(1.0), np.float32(1.0)
        low, high = mean[lead, 0], mean[lead, 0]
        for j in range(width):
            both += mean[lead, j] * form[lead, j]
            own += form[lead, j] * form[lead, j]
            low, high = min(low, mean[lead, j]), max(high, mean[lead, j])
        gain = min(max(both / own, np.float32(1.0) / VARIANT_GAIN), VARIANT_GAIN)
        size += (high - low) * (high - low)
        noise += error[lead] * error[lead]
        for j in range(width - smooth + 1):
            total = np.float32(0.0)
            for i in range(smooth):
                total += mean[lead, j + i] - gain * form[lead, j + i]
            power[j] += total * total
    greatest = np.sqrt(power.max()) / np.float32(smooth)
    return min(greatest / (VARIANT * np.sqrt(size)), greatest / (VARIANT_NOISE * np.sqrt(noise) + np.float32(1.0)))


@compiled
def t_ends(views: Float32s, start: Int64s, stop: Int64s, own_end: Int64s, beyond: float, least_uv: float) -> Float32s:
    """(n_rows,) where T ends in each view, samples; nan where it does not stand out or does not come down.

    The steepest tangent of the descent down to its foot (Lepeschkin and Surawicz), moved on by ``beyond`` of the way
    from there to where the descent comes to rest, as :mod:`worker.signal.delineate` does.

    Args:
        views: (n_rows, width) µV, T upwards.
        start, stop: (n_rows,) where the summit of T may lie; ``own_end`` where the next beat may begin.
    """
    n_rows, width = views.shape
    found = np.full(n_rows, np.float32(np.nan), np.float32)
    for r in range(n_rows):
        view = views[r]
        peak = start[r]
        last = min(own_end[r], width) - 1
        for j in range(start[r], min(stop[r], last)):
            if view[j] > view[peak]:
                peak = j
        if view[peak] < least_uv or peak >= last - 3 or peak in (start[r], stop[r] - 1):
            continue
        steepest, slope = peak, np.float32(0.0)
        lowest = peak
        for j in range(peak + 1, last):
            fall = (view[j + 1] - view[j - 1]) * np.float32(0.5)
            if fall < slope:
                slope, steepest = fall, j
            lowest = j
            # at rest: past the steepest place the descent has become flat, or it rises again
            if slope < 0 and j > steepest and fall > np.float32(0.02) * slope:
                break
        if slope >= 0:
            continue
        base = min(view[lowest], np.float32(0.25) * view[peak])
        end = np.float32(steepest) + (view[steepest] - base) / -slope
        end += np.float32(beyond) * max(np.float32(0.0), np.float32(lowest) - end)
        if end <= last:
            found[r] = end
    return found


@compiled
def levels(means: Float32s, begin: Int64s, end: Int64s, first: int, last: int) -> Floats:
    """(n_rows, n_leads) mean of each averaged beat from one sample to another, within ``first`` and ``last``."""
    n_leads = means.shape[1]
    found = np.empty((len(means), n_leads))
    for r in range(len(means)):
        a = min(max(begin[r], first), last - 1)
        b = min(max(end[r], a + 1), last)
        for lead in range(n_leads):
            total = 0.0
            for j in range(a, b):
                total += means[r, lead, j]
            found[r, lead] = total / (b - a)
    return found


@compiled
def sizes(means: Float32s, first: int, last: int, after_r: int) -> Float32s:
    """(n_rows, n_leads) from lowest to highest from ``first`` to so many samples after R, which is where all rows and
    leads together are largest before ``last``."""
    together = np.zeros(last - first, np.float32)
    for r in range(len(means)):
        for lead in range(means.shape[1]):
            for j in range(last - first):
                together[j] += abs(means[r, lead, first + j])
    stop = min(last, first + int(np.argmax(together)) + after_r)
    found = np.empty(means.shape[:2], np.float32)
    for r in range(len(means)):
        for lead in range(means.shape[1]):
            part = means[r, lead, first:stop]
            found[r, lead] = part.max() - part.min()
    return found


@compiled
def running_means(rows: Float32s, width: int) -> Float32s:
    """(n_rows, n) the mean over ``width`` samples about each, the ends repeated."""
    found, n, left = np.empty_like(rows), rows.shape[1], width // 2
    for r in range(len(rows)):
        row, total = rows[r], 0.0
        for k in range(-left, width - left):
            total += row[min(max(k, 0), n - 1)]
        for j in range(n):
            found[r, j] = total / width
            total += float(row[min(j + width - left, n - 1)]) - float(row[max(j - left, 0)])
    return found
