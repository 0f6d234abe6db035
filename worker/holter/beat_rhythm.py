"""How does each beat stand in time among its neighbours?

Intervals as log ratios to what is usual there: to the median of 25 intervals between beats of the usual shape, to that
of five minutes, to the interval before. A run of early beats makes itself the usual: therefore the rhythm before an
abrupt change is held on to until it comes back. How irregular a rhythm is says whether earliness means anything.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.af import CHANGE_COST, LEAN, SURE, log_odds, most_plausible
from worker.signal.compiled import compiled

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
STILL_FAST: Final = 0.14
HELD_S: Final = 180.0
"""A change of rate of this log ratio from one beat to the next is abrupt; the rhythm before it is held so long."""
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
    log_pre, log_post, usual_rr = np.log(pre), np.log(post), np.log(near[:, 1])
    shifted = {step: _shift(log_pre, step) for step in (-1, 1, 2)}
    held, run, onset = _held(pre, good, near[:, 1])
    held_back, run_back, offset = (
        part[::-1] for part in _held(post[::-1].copy(), np.append(good[1:], False)[::-1].copy(), near[::-1, 1].copy())
    )
    irregular = near[:, 3]
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
        "q10": log_pre - np.log(wide[:, 0]),
        "q90": log_pre - np.log(wide[:, 2]),
        "spread": np.log(wide[:, 2] / wide[:, 0]),
        "irregular": irregular,
        "steady": wide[:, 4],
        "odd": (log_pre - usual_rr) / (0.02 + irregular),
        "odd_prev": (log_pre - shifted[-1]) / (0.02 + irregular),
        "hold": log_pre - np.log(held),
        "run": np.log1p(run),
        "onset": onset,
        "hold_back": log_post - np.log(held_back),
        "run_back": np.log1p(run_back),
        "offset": offset,
        "slowest": log_pre - np.log(wide[:, 5]),
        "af": fibrillation,
        "af_state": _widened(most_plausible(np.clip(fibrillation, -SURE, SURE) + LEAN, CHANGE_COST)),
        "split": wide[:, 7] - wide[:, 6],
        "split_share": wide[:, 8],
        "split_clean": wide[:, 9],
        "to_short": log_pre - wide[:, 6],
        "to_long": log_pre - wide[:, 7],
        "since_long": np.log1p(_beats_since(log_pre > (wide[:, 6] + wide[:, 7]) / 2)),
        "until_long": np.log1p(_beats_since((log_post > (wide[:, 6] + wide[:, 7]) / 2)[::-1])[::-1]),
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
            middle[bins[first]] = np.median(part)
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
def _spread(pre: Floats, good: Bools, near: int, wide: int) -> tuple[Floats, Floats]:
    """Of the good intervals around each beat: 10 %, 50 %, 90 %, median change, share of small changes, 97 %,
    and of the wide ones the two groups that differ most: log means of the short and the long, share of the long, and
    the share of the variance that lies between them."""
    n = pre.size
    place = np.cumsum(good.astype(np.int64)) - 1
    kept = pre[good]
    change = np.zeros(kept.size)
    for i in range(1, kept.size):
        change[i] = abs(np.log(kept[i] / kept[i - 1]))
    if kept.size > 1:
        change[0] = change[1]
    at_near, at_wide = np.zeros((kept.size, 10)), np.zeros((kept.size, 10))
    for c in range(kept.size):
        for which in range(2):
            half = near if which == 0 else wide
            first = max(0, min(c - half, kept.size - 2 * half - 1))
            last = min(kept.size, first + 2 * half + 1)
            values, m = np.sort(kept[first:last]), last - first
            out = at_near if which == 0 else at_wide
            out[c, 0], out[c, 1], out[c, 2] = values[m // 10], values[m // 2], values[m - 1 - m // 10]
            changes = np.sort(change[first:last])
            out[c, 3] = changes[m // 2]
            out[c, 4] = np.searchsorted(changes, 0.05) / m
            out[c, 5] = values[m - 1 - m // 33]
            if which == 1:
                logs = np.log(values)
                total = logs.sum()
                square = ((logs - total / m) ** 2).sum() + 1e-6
                best, part = -1.0, 0.0
                for cut in range(1, m):
                    part += logs[cut - 1]
                    low, high = part / cut, (total - part) / (m - cut)
                    between = cut * (m - cut) / m * (high - low) ** 2
                    if between > best:
                        best = between
                        out[c, 6], out[c, 7], out[c, 8] = low, high, (m - cut) / m
                out[c, 9] = best / square
    index = np.empty(n, np.int64)
    for i in range(n):
        index[i] = max(0, place[i])
    return at_near[index], at_wide[index]


@compiled
def _held(pre: Floats, good: Bools, usual: Floats) -> tuple[Floats, Floats, Floats]:
    """(the interval usual before the last abrupt change, beats since it while it lasts, how abrupt it was)."""
    n = pre.size
    held, run, onset = np.empty(n), np.zeros(n), np.zeros(n)
    ref, beats, seconds, fall, last = usual[0], 0, 0.0, 0.0, usual[0]
    recent = np.full(7, usual[0])
    for i in range(n):
        if good[i]:
            ratio = np.log(pre[i] / ref)
            step = np.log(pre[i] / last)
            if beats == 0 and ratio < -0.17 and step < -0.12:
                beats, seconds, fall = 1, pre[i], step
            elif beats > 0 and ratio < -0.14 and seconds < 180.0:
                beats += 1
                seconds += pre[i]
            else:
                beats, seconds, fall = 0, 0.0, 0.0
                recent[:6] = recent[1:].copy()
                recent[6] = pre[i]
                ref = np.sort(recent)[3]
            last = pre[i]
        held[i], run[i], onset[i] = ref, beats, fall
    return held, run, onset
