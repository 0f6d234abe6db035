"""How does each beat stand in time among its neighbours?

Intervals as log ratios to what is usual there: to the median of 25 intervals between beats of the usual shape, to that
of five minutes, to the interval before. A run of early beats makes itself the usual: therefore the rhythm before an
abrupt change is held on to until it comes back. How irregular a rhythm is says whether earliness means anything.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.af import af_beats, log_odds
from worker.signal.compiled import compiled
from worker.signal.ranks import exchange

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RR_S: Final = (0.2, 4.0)
"""Intervals are held within these, so that a lost beat or an unreadable minute does not count for more."""
NEAR: Final = 12
WIDE: Final = 30
"""Intervals on each side that make the usual one, and the spread."""
AROUND: Final = 60
SLOW_S: Final = 150.0
SMALL: Final = 0.05
ABRUPT: Final = 0.17
ABRUPT_STEP: Final = 0.12
STILL_FAST: Final = 0.14
HELD_S: Final = 90.0
"""Abrupt is a change to an interval shorter by so much than the usual and than the last one (log ratios); while it
stays so much shorter, the rhythm before it is held on to, so long at the most."""
RHYTHM: Final = (
    "pre", "post", "pre_prev", "post_pre", "comp", "next_post", "before_pre", "next_pre", "next_next",
    "pre_slow", "q10", "q90", "spread", "irregular", "steady", "odd", "odd_prev",
    "hold", "run", "onset", "hold_back", "run_back", "offset", "slowest",
    "split", "split_share", "split_clean", "to_short", "to_long", "since_long", "until_long", "af", "af_state",
)  # fmt: skip


def rhythm_of(t: Floats, usual: Bools) -> Float32s:
    """(n, len(RHYTHM)) float32 for beats at ``t`` seconds, of which ``usual`` have the usual shape."""
    n = len(t)
    out = np.zeros((n, len(RHYTHM)), np.float32)
    if n < 4:
        return out
    rr = np.clip(np.diff(t), *RR_S)
    pre = np.concatenate([rr[:1], rr])
    post = np.concatenate([rr, rr[-1:]])
    good = usual & np.concatenate([[False], usual[:-1]])
    if good.sum() < 5:
        good[:] = True
    fibrillation = np.clip(log_odds(pre, good), -10, 10)
    near, wide = _spread(pre, good, NEAR, WIDE)
    slow = _slow(t, pre, good)
    log_pre, log_post, usual_rr = np.log(pre), np.log(post), near[:, 0]
    shifted = {step: _shift(log_pre, step) for step in (-1, 1, 2)}
    held, run, onset = _held(log_pre, good, usual_rr)
    held_back, run_back, offset = (
        part[::-1]
        for part in _held(log_post[::-1].copy(), np.append(good[1:], False)[::-1].copy(), usual_rr[::-1].copy())
    )
    irregular, (short, long) = near[:, 1], (wide[:, 4], wide[:, 5])
    columns = {
        "pre": log_pre - usual_rr,
        "post": log_post - usual_rr,
        "pre_prev": log_pre - shifted[-1],
        "post_pre": log_post - log_pre,
        "comp": np.log((pre + post) / 2) - usual_rr,
        "next_post": shifted[2] - log_post,
        "before_pre": shifted[-1] - usual_rr,
        "next_pre": log_post - usual_rr,
        "next_next": shifted[2] - usual_rr,
        "pre_slow": log_pre - np.log(slow),
        "q10": log_pre - wide[:, 0],
        "q90": log_pre - wide[:, 1],
        "spread": wide[:, 1] - wide[:, 0],
        "irregular": irregular,
        "steady": wide[:, 3],
        "odd": (log_pre - usual_rr) / (0.02 + irregular),
        "odd_prev": (log_pre - shifted[-1]) / (0.02 + irregular),
        "hold": log_pre - held,
        "run": np.log1p(run),
        "onset": onset,
        "hold_back": log_post - held_back,
        "run_back": np.log1p(run_back),
        "offset": offset,
        "slowest": log_pre - wide[:, 2],
        "af": fibrillation,
        "af_state": _widened(af_beats(pre, good)),
        "split": long - short,
        "split_share": wide[:, 6],
        "split_clean": wide[:, 7],
        "to_short": log_pre - short,
        "to_long": log_pre - long,
        "since_long": np.log1p(_beats_since(log_pre > (short + long) / 2)),
        "until_long": np.log1p(_beats_since((log_post > (short + long) / 2)[::-1])[::-1]),
    }
    for place, name in enumerate(RHYTHM):
        out[:, place] = columns[name]
    return out


def _shift(values: Floats, step: int) -> Floats:
    """``values[i + step]``, the ends repeated."""
    return np.asarray(values[np.clip(np.arange(len(values)) + step, 0, len(values) - 1)])


def _slow(t: Floats, pre: Floats, good: Bools) -> Floats:
    """(n,) the usual interval of five minutes around."""
    bins = np.asarray(t // (SLOW_S / 5), np.int64)
    bins -= bins.min()
    count = int(bins.max()) + 1
    middle = np.full(count, np.nan)
    for first, last in zip(*_edges(bins), strict=True):
        part = pre[first:last][good[first:last]]
        if part.size:
            middle[bins[first]] = np.sort(part)[part.size // 2]
    known = np.flatnonzero(np.isfinite(middle))
    middle = np.interp(np.arange(count), known, middle[known])
    padded = np.pad(middle, 5, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 11), axis=1)[bins])


def _widened(state: Bools) -> Bools:
    """Also between two stretches of fibrillation, where most of the beats around are in it."""
    total = np.concatenate([[0], np.cumsum(state)])
    index = np.arange(len(state))
    first, last = np.maximum(index - AROUND, 0), np.minimum(index + AROUND + 1, len(state))
    widened: Bools = state | ((total[last] - total[first]) > (last - first) / 2)
    return widened


def _beats_since(event: Bools) -> Floats:
    """(n,) beats since the last event, 0 at it, at most 50."""
    index = np.arange(len(event))
    last = np.maximum.accumulate(np.where(event, index, -50))
    return np.minimum(index - last, 50).astype(np.float64)


def _edges(bins: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    cuts = (np.flatnonzero(np.diff(bins)) + 1).tolist()
    return [0, *cuts], [*cuts, len(bins)]


@compiled
def _split(logs: Floats, m: int, out: Floats) -> None:
    """The two groups of ordered values that differ most: means of both, share of the upper, share of the variance
    that lies between them."""
    total, square = 0.0, 1e-6
    for i in range(m):
        total += logs[i]
    for i in range(m):
        square += (logs[i] - total / m) ** 2
    best, part, at, lower = -1.0, 0.0, 1, 0.0
    for cut in range(1, m):
        part += logs[cut - 1]
        apart = part * m - total * cut
        between = apart * apart / (cut * (m - cut))
        if between > best:
            best, at, lower = between, cut, part
    if best >= 0:
        out[0], out[1], out[2] = lower / at, (total - lower) / (m - at), (m - at) / m
        out[3] = best / m / square


@compiled
def _spread(pre: Floats, good: Bools, near: int, wide: int) -> tuple[Floats, Floats]:
    """Of the good intervals around each beat, as logarithms: of the near ones the median and the median change; of the
    wide ones 10 %, 90 %, 97 %, share of small changes, and what :func:`_split` says."""
    n = pre.size
    place = np.cumsum(good.astype(np.int64)) - 1
    kept = np.log(pre[good])
    size = kept.size
    change = np.zeros(size)
    for i in range(1, size):
        change[i] = abs(kept[i] - kept[i - 1])
    if size > 1:
        change[0] = change[1]
    n_near, n_wide = min(size, 2 * near + 1), min(size, 2 * wide + 1)
    near_values, near_changes, wide_values = np.sort(kept[:n_near]), np.sort(change[:n_near]), np.sort(kept[:n_wide])
    small = 0
    for i in range(n_wide):
        small += change[i] < SMALL
    at_near, at_wide = np.zeros((size, 2)), np.zeros((size, 8))
    for c in range(size):
        first = max(0, min(c - near, size - n_near))
        if first > max(0, min(c - 1 - near, size - n_near)):
            exchange(near_values, kept[first - 1], kept[first + n_near - 1])
            exchange(near_changes, change[first - 1], change[first + n_near - 1])
        at_near[c, 0], at_near[c, 1] = near_values[n_near // 2], near_changes[n_near // 2]
        first = max(0, min(c - wide, size - n_wide))
        if first > max(0, min(c - 1 - wide, size - n_wide)):
            exchange(wide_values, kept[first - 1], kept[first + n_wide - 1])
            small += (change[first + n_wide - 1] < SMALL) - (change[first - 1] < SMALL)
        at_wide[c, 0], at_wide[c, 1] = wide_values[n_wide // 10], wide_values[n_wide - 1 - n_wide // 10]
        at_wide[c, 2], at_wide[c, 3] = wide_values[n_wide - 1 - n_wide // 33], small / n_wide
        _split(wide_values, n_wide, at_wide[c, 4:])
    index = np.empty(n, np.int64)
    for i in range(n):
        index[i] = max(0, place[i])
    return at_near[index], at_wide[index]


@compiled
def _held(pre: Floats, good: Bools, usual: Floats) -> tuple[Floats, Floats, Floats]:
    """(log of the interval usual before the last abrupt change, beats since it while it lasts, how abrupt it was).

    Args:
        pre: (n,) log of the interval before each beat; ``usual`` the usual one's.
    """
    n = pre.size
    held, run, onset = np.empty(n), np.zeros(n), np.zeros(n)
    ref, beats, seconds, fall, last = usual[0], 0, 0.0, 0.0, usual[0]
    recent, ordered, oldest = np.full(7, usual[0]), np.full(7, usual[0]), 0
    for i in range(n):
        seconds += np.exp(pre[i])
        if good[i]:
            ratio, step = pre[i] - ref, pre[i] - last
            if beats == 0 and ratio < -ABRUPT and step < -ABRUPT_STEP:
                beats, seconds, fall = 1, np.exp(pre[i]), step
            elif beats > 0 and ratio < -STILL_FAST and seconds < HELD_S:
                beats += 1
            else:
                beats, seconds, fall = 0, 0.0, 0.0
                exchange(ordered, recent[oldest], pre[i])
                recent[oldest] = pre[i]
                oldest = (oldest + 1) % 7
                ref = ordered[3]
            last = pre[i]
        held[i], run[i], onset[i] = ref, beats, fall
    return held, run, onset
