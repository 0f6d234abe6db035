"""What does the averaged beat of each ten seconds look like? The compiled loops behind :mod:`worker.holter.minutes`."""

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled

Float32s = NDArray[np.float32]
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

OUTLIER_TIMES = np.float32(2.0)
"""A beat with this many times the usual distance from the average is left out of it."""
LEAST_BEATS = 3
LONGEST_RR_S = 2.0
"""Across a longer interval the base line is not taken to be straight."""
MMA_SHARE = np.float32(8.0)
MMA_MOST_UV = np.float32(32.0)
MMA_LEAST_UV = np.float32(1.0)
"""Nearing and Verrier 2002: an average moves by an eighth of the difference, by 1 to 32 µV."""


@compiled
def average_rows(
    uv: Float32s,
    at: Int64s,
    use: Bools,
    row: Int64s,
    n_rows: int,
    size: tuple[int, int, int],
    level: tuple[int, int],
    hz: float,
    parity: int,
    averages: Float32s,
) -> tuple[Float32s, Float32s, Int64s, Float32s]:
    """The average beat of each row and lead.

    Args:
        uv: (n_leads, n) µV of one block with its margins.
        at: (m,) R peaks in ``uv``, in order; ``use`` which of them are averaged, ``row`` into which row, or -1.
        size: samples before R, samples after R, and how many samples of ``uv`` make one of the average.
        level: the PR level is the mean from this to this sample of ``uv``, counted from R.
        parity: of the first beat, 0 or 1.
        averages: (n_leads, 2, width) the moving averages of even and odd beats; moved on.

    Returns:
        (n_rows, n_leads, width) averages less their PR level; (n_rows, n_leads) scatter of one beat around it, µV;
        (n_rows, n_leads) how many beats; (n_rows, n_leads, width) odd less even average at the end of the row.
    """  # fmt: skip
    n_leads = len(uv)
    before, after, factor = size
    width = before + after
    means = np.zeros((n_rows, n_leads, width), np.float32)
    odd_less_even = np.zeros((n_rows, n_leads, width), np.float32)
    scatter = np.zeros((n_rows, n_leads), np.float32)
    counts = np.zeros((n_rows, n_leads), np.int64)
    levels = _levels(uv, at, level)
    fits = use & (row >= 0) & (at >= before * factor) & (at + (after + 1) * factor <= uv.shape[1])
    chosen = np.flatnonzero(fits)
    beats = np.empty((max(1, chosen.size), width), np.float32)
    distance = np.empty(max(1, chosen.size), np.float32)
    first = 0
    while first < chosen.size:
        here, last = row[chosen[first]], first
        while last < chosen.size and row[chosen[last]] == here:
            last += 1
        count = last - first
        for lead in range(n_leads if count >= LEAST_BEATS else 0):
            for c in range(count):
                _take(uv[lead], at, use, levels[lead], chosen[first + c], before, factor, hz, beats[c])
            counts[here, lead] = _average(beats, count, distance, means[here, lead])
            usual = np.median(distance[:count])
            scatter[here, lead] = np.sqrt(usual)
            for c in range(count):
                if distance[c] <= OUTLIER_TIMES * OUTLIER_TIMES * usual:
                    _move(averages[lead, (parity + chosen[first + c]) % 2], beats[c])
            odd_less_even[here, lead] = averages[lead, 1] - averages[lead, 0]
        first = last
    return means, scatter, counts, odd_less_even


@compiled
def _levels(uv: Float32s, at: Int64s, level: tuple[int, int]) -> Float32s:
    """(n_leads, m) PR level of each beat."""
    n_leads, n = uv.shape
    levels = np.zeros((n_leads, at.size), np.float32)
    share = np.float32(1.0) / np.float32(max(1, level[1] - level[0]))
    for lead in range(n_leads):
        for k in range(at.size):
            total = np.float32(0.0)
            for j in range(max(0, at[k] + level[0]), min(n, at[k] + level[1])):
                total += uv[lead, j]
            levels[lead, k] = total * share
    return levels


@compiled
def _take(
    uv: Float32s, at: Int64s, use: Bools, levels: Float32s, k: int, before: int, factor: int, hz: float, out: Float32s
) -> None:
    """One beat of one lead, less the line through its PR level and the next or the last one."""
    longest = LONGEST_RR_S * hz
    slope = np.float32(0.0)
    if k + 1 < at.size and use[k + 1] and at[k + 1] - at[k] < longest:
        slope = (levels[k + 1] - levels[k]) / np.float32(at[k + 1] - at[k])
    elif k > 0 and use[k - 1] and at[k] - at[k - 1] < longest:
        slope = (levels[k] - levels[k - 1]) / np.float32(at[k] - at[k - 1])
    first = at[k] - before * factor - factor // 2
    level = levels[k] - slope * np.float32(before * factor)
    share = np.float32(1.0 / factor)
    for j in range(out.size):
        total = np.float32(0.0)
        for i in range(factor):
            total += uv[max(0, first + j * factor + i)]
        out[j] = total * share - (level + slope * np.float32(j * factor))


@compiled
def _average(beats: Float32s, count: int, distance: Float32s, mean: Float32s) -> int:
    """The mean of the beats that agree with it; twice, so that what is far off does not draw it."""
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
            total = np.float32(0.0)
            for j in range(width):
                off = beats[c, j] - mean[j]
                total += off * off
            distance[c] = total / np.float32(width)
        limit = OUTLIER_TIMES * OUTLIER_TIMES * np.median(distance[:count])
    return kept


@compiled
def _move(average: Float32s, beat: Float32s) -> None:
    """The modified moving average takes one beat in."""
    for j in range(average.size):
        off = (beat[j] - average[j]) / MMA_SHARE
        if off > 0:
            average[j] += min(max(off, MMA_LEAST_UV), MMA_MOST_UV)
        elif off < 0:
            average[j] -= min(max(-off, MMA_LEAST_UV), MMA_MOST_UV)


@compiled
def t_ends(views: Float32s, start: Int64s, stop: Int64s, beyond: float, least_uv: float) -> Float32s:
    """(n_rows,) where T ends in each view, samples; nan where it does not stand out or does not come down.

    The steepest tangent of the descent down to its foot (Lepeschkin and Surawicz), moved on by ``beyond`` of the way
    from there to where the descent comes to rest, as :mod:`worker.signal.delineate` does.

    Args:
        views: (n_rows, width) µV, T upwards.
        start, stop: (n_rows,) where the summit of T may lie.
    """
    n_rows, width = views.shape
    found = np.full(n_rows, np.float32(np.nan), np.float32)
    for r in range(n_rows):
        view = views[r]
        peak = start[r]
        for j in range(start[r], min(stop[r], width)):
            if view[j] > view[peak]:
                peak = j
        if view[peak] < least_uv or peak >= width - 3 or peak in (start[r], stop[r] - 1):
            continue
        steepest, slope = peak, np.float32(0.0)
        lowest = peak
        for j in range(peak + 1, width - 1):
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
        found[r] = end + np.float32(beyond) * max(np.float32(0.0), np.float32(lowest) - end)
    return found
