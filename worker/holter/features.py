"""What of a beat tells its class? Its shape beside the recording's usual one, its place in time, what precedes it.

All measures are relative to the recording itself, in blocks of half an hour: nothing depends on the leads' placement,
number or amplitude, so that one model serves a patch with one lead and a recorder with twelve.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.beat_rhythm import RHYTHM, rhythm_of
from worker.holter.day import Day
from worker.holter.nearby import Unusual, look_beside
from worker.holter.snippets import BEFORE, QRS_FROM, QRS_TO, Float32s, Snippets, cut
from worker.holter.templates import BlockShapes, Shapes, likeness, over_blocks, own_likeness, shapes_of
from worker.signal.compiled import compiled

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

BLOCK_S: Final = 1800.0
"""The records of MIT-BIH, on which the model is fitted, are so long."""
MARGIN_S: Final = 5.0
MAX_LEADS: Final = 4
PIECE_BLOCKS: Final = 8
REACH_BEATS: Final = 600
"""Measures are made for so many blocks at once; the rhythm is looked at in so many beats beyond: more than any of its
measures reaches, but for the state of fibrillation, which settles long before."""
OWN: Final = 0.80
"""A beat so alike the usual one has the usual shape."""
REGULAR: Final = 0.10
P_BEATS, P_LEAST, SPLIT_BEATS, SPLIT_HALF = 30, 8, 100, 5.0
"""Beats to either side over which P waves are compared; a difference seen in so few beats counts half."""
T_FROM, T_TO = QRS_TO, BEFORE + 52
P_FROM, P_TO, P_LAG = BEFORE - 34, BEFORE - 9, 6
"""P is looked for 270 to 70 ms before the centre of QRS, and its likeness up to 48 ms to either side."""
BEGIN, FIRST_P = 4, 30
"""What is before that."""
P_MEDIAN_OF: Final = 200
SHAPE: Final = (
    "like", "corr", "size", "min_like", "max_like", "min_corr", "max_size", "min_size", "area", "t_area", "t_corr",
    "width", "width_rel", "extent", "extent_rel", "steep", "begin", "p_like", "p_size", "p_energy", "p_shift",
    "p_before", "noise", "own", "near",
)  # fmt: skip
GROUP: Final = ("k_share", "k_pre", "k_post", "k_early", "k_like", "k_width", "k_p")
BESIDE: Final = ("like_before", "like_next", "p_usual", "p_rel", "p_local", "p_split")
FEATURES: Final = (*SHAPE, *GROUP, *BESIDE, *RHYTHM)


@dataclass(frozen=True, eq=False)
class BeatFeatures:
    """What is known of each beat.

    Attributes:
        values: (n, len(FEATURES)) float32.
        shape: (n,) number of the beat's shape in its block.
        block: (n,) which block it lies in.
        qrs_ms: (n,) float32.
        p_like: (n,) float32, -1 to 1.
        blocks: the shapes of each block, in order of time.
        unusual: the unusual beats of each block.
    """

    values: Float32s
    shape: Int64s
    block: Int64s
    qrs_ms: Float32s
    p_like: Float32s
    blocks: tuple[BlockShapes, ...]
    unusual: tuple[Unusual, ...]
    rows: tuple[int, ...]

    def column(self, name: str) -> Float32s:
        """(n,) one feature."""
        column: Float32s = self.values[:, FEATURES.index(name)]
        return column


def beat_features(day: Day, beats: Int64s, rows: tuple[int, ...] | None = None) -> BeatFeatures:
    """Measure all beats (samples, increasing) in the leads ``rows``, or in the first four independent ones."""
    parts = list(features_of(day, beats, rows))
    if not parts:
        rows = day.independent[:MAX_LEADS] if rows is None else rows
        none, zeros = np.zeros(0, np.int64), np.zeros(0, np.float32)
        return BeatFeatures(np.zeros((0, len(FEATURES)), np.float32), none, none, zeros, zeros, (), (), rows)
    values, shape, block, qrs_ms, p_like = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("values", "shape", "block", "qrs_ms", "p_like")
    )
    blocks = tuple(each for part in parts for each in part.blocks)
    unusual = tuple(each for part in parts for each in part.unusual)
    return BeatFeatures(values, shape, block, qrs_ms, p_like, blocks, unusual, parts[0].rows)


def features_of(day: Day, beats: Int64s, rows: tuple[int, ...] | None = None) -> Iterator[BeatFeatures]:
    """The same piece by piece, some hours each, so that a longer day needs no more memory.

    The intervals are those of the piece and of some minutes before and after it.
    """
    rows = day.independent[:MAX_LEADS] if rows is None else rows
    waiting: list[_Block] = []
    before = _nothing()
    for block in _blocks_of(day, beats, rows):
        waiting.append(block)
        if len(waiting) == PIECE_BLOCKS + 1:
            yield _piece(before, waiting[:-1], waiting[-1], rows)
            before, waiting = waiting[-2].end(), waiting[-1:]
    if waiting:
        yield _piece(before, waiting, None, rows)


@dataclass(frozen=True, eq=False)
class _Block:
    """What the signal of one block says: shape columns and the times of its beats."""

    number: int
    columns: Float32s
    seconds: Floats
    found: BlockShapes
    unusual: Unusual

    def end(self) -> tuple[Floats, Float32s]:
        """Times and likenesses of the last beats, for the piece that follows."""
        return self.seconds[-REACH_BEATS:], self.columns[-REACH_BEATS:, SHAPE.index("like")]


def _nothing() -> tuple[Floats, Float32s]:
    return np.zeros(0), np.zeros(0, np.float32)


def _blocks_of(day: Day, beats: Int64s, rows: tuple[int, ...]) -> Iterator[_Block]:
    for number, (first, last, start, stop) in enumerate(_spans(day, beats)):
        snippets = cut(day.block(start, stop, rows), day.hz, beats[first:last] - start)
        shapes = shapes_of(snippets)
        seconds = beats[first:last] / day.hz + snippets.shift_s
        rr = np.diff(seconds)
        width = _widths(snippets.z, BEFORE, 20)
        columns, unusual = _shape_columns(snippets, shapes, dominant_of(shapes, width[:, 0], rr), width, rr)
        yield _Block(number, columns, seconds, BlockShapes(first, shapes, snippets.scale), unusual)


def _piece(
    before: tuple[Floats, Float32s], blocks: Sequence[_Block], after: _Block | None, rows: tuple[int, ...]
) -> BeatFeatures:
    """Some blocks' beats with all their measures."""
    counts = [len(block.seconds) for block in blocks]
    n, block = sum(counts), np.repeat([each.number for each in blocks], counts)
    values = np.zeros((n, len(FEATURES)), np.float32)
    values[:, : len(SHAPE)] = np.concatenate([each.columns for each in blocks])
    values[:, FEATURES.index("p_usual")] = np.repeat([_usual(each.columns) for each in blocks], counts)
    values[:, FEATURES.index("p_rel")] = values[:, FEATURES.index("p_like")] - values[:, FEATURES.index("p_usual")]
    next_s, next_like = (after.seconds, after.columns[:, SHAPE.index("like")]) if after else _nothing()
    next_s, next_like = next_s[:REACH_BEATS], next_like[:REACH_BEATS]
    like = np.concatenate([before[1], values[:, FEATURES.index("like")], next_like])
    seconds = np.concatenate([before[0], *(each.seconds for each in blocks), next_s])
    own = np.arange(len(before[0]), len(before[0]) + n)
    values[:, len(FEATURES) - len(RHYTHM) :] = rhythm_of(seconds, like > OWN)[own]
    values[:, FEATURES.index("like_before")] = like[np.maximum(own - 1, 0)]
    values[:, FEATURES.index("like_next")] = like[np.minimum(own + 1, len(like) - 1)]
    shape = np.concatenate([each.found.shapes.of for each in blocks])
    _group_columns(values, together(shape, block))
    p_columns(values)
    qrs_ms = 1000 * values[:, FEATURES.index("extent")]
    p_like = values[:, FEATURES.index("p_like")].copy()
    found, unusual = tuple(each.found for each in blocks), tuple(each.unusual for each in blocks)
    return BeatFeatures(values, shape, block, qrs_ms, p_like, found, unusual, rows)


def _spans(day: Day, beats: Int64s) -> Iterator[tuple[int, int, int, int]]:
    """(first beat, one past the last, first sample, one past the last) of each block that holds beats."""
    count = max(1, round(day.n_samples / day.hz / BLOCK_S))
    edges = np.linspace(0, day.n_samples, count + 1).astype(np.int64)
    margin = round(MARGIN_S * day.hz)
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        first, last = np.searchsorted(beats, (start, stop)).tolist()
        if last > first:
            yield first, last, start - margin, stop + margin


def dominant_of(shapes: Shapes, width: Float32s, rr: NDArray[np.float64]) -> int:
    """The shape of the basic rhythm: common, narrow, not early and without a pause; in bigeminy that decides."""
    rr = rr if rr.size else np.ones(1)
    pre = np.concatenate([[1.0], rr / np.median(rr)])[: len(shapes.of)]
    pause = np.log(np.append(rr, rr[-1]) / np.concatenate([rr[:1], rr]))[: len(shapes.of)]
    big = np.flatnonzero(shapes.count >= 0.2 * shapes.count.max())
    narrow, early, after = (
        np.array([np.median(each[shapes.of == k]) for k in big]) for each in (width, pre, np.clip(pause, -1, 1))
    )
    timely = np.clip((early - 0.6) / 0.35, 0.05, 1) * np.clip(1 - 3 * after, 0.1, 1)
    return int(big[np.argmax(shapes.count[big] * timely * (narrow.min() / np.maximum(narrow, 1e-3)) ** 2)])


def _shape_columns(
    snippets: Snippets, shapes: Shapes, dominant: int, width: Float32s, rr: NDArray[np.float64]
) -> tuple[Float32s, Unusual]:
    z, gain = snippets.z, snippets.gain
    usual = shapes.mean[dominant]
    against = likeness(snippets, usual)
    leads = _by_lead(z, usual, against[:, 3].astype(np.int64), QRS_FROM, QRS_TO)
    t_leads = _by_lead(z, usual, against[:, 3].astype(np.int64), T_FROM, T_TO)
    basic = shapes.of == dominant
    usual_width = np.maximum(np.median(width[basic], axis=0), 1e-6)
    alike = against[:, 0] > OWN
    p = _p_wave(snippets, alike, rr)
    near, unusual = look_beside(snippets, against[:, 0], alike)
    columns = {
        "like": against[:, 0], "corr": against[:, 1], "size": np.log(against[:, 2] + 1e-3),
        "min_like": _across(np.minimum, leads[:, :, 0]), "max_like": _across(np.maximum, leads[:, :, 0]),
        "min_corr": _across(np.minimum, leads[:, :, 1]), "max_size": _across(np.maximum, leads[:, :, 2]),
        "min_size": _across(np.minimum, leads[:, :, 2]),
        "area": _norm(leads[:, :, 3]) / (_norm(usual[:, QRS_FROM:QRS_TO].reshape(1, -1)) + 1e-6),
        "t_area": _norm(t_leads[:, :, 3]) / (6 * _norm(usual[:, T_FROM:T_TO].reshape(1, -1)) + 0.6),
        "t_corr": _across(np.add, t_leads[:, :, 1]) / np.float32(z.shape[1]),
        "width": width[:, 0], "width_rel": np.log((width[:, 0] + 1e-3) / usual_width[0]),
        "extent": width[:, 1], "extent_rel": width[:, 1] - usual_width[1],
        "steep": np.log((width[:, 2] + 1e-6) / usual_width[2]),
        "begin": _begin(z, gain, usual, width[:, 3].astype(np.int64), round(float(usual_width[3]))),
        "p_like": p[:, 0], "p_size": p[:, 1], "p_energy": np.log(p[:, 2] + 1e-3), "p_shift": np.abs(p[:, 3]),
        "p_before": np.log(p[:, 4] + 1e-3), "noise": np.log(snippets.noise + 1e-3),
        "own": own_likeness(snippets, shapes), "near": near,
    }  # fmt: skip
    return np.stack([np.asarray(columns[name], np.float32) for name in SHAPE], axis=1), unusual


def _norm(values: Float32s) -> Float32s:
    norm: Float32s = np.sqrt(
        _across(np.add, values * values) if values.shape[1] <= MAX_LEADS else (values**2).sum(axis=1)
    )
    return norm


def _across(take: np.ufunc, values: Float32s) -> Float32s:
    """(n,) of the few leads together, lead after lead: numpy's own loop takes ten times as long on so short an axis."""
    found: Float32s = values[:, 0].copy()
    for lead in range(1, values.shape[1]):
        take(found, values[:, lead], out=found)
    return found


def _usual(columns: Float32s) -> float:
    """How like each other the P waves of this block's usual beats are: what the single one's likeness is worth."""
    alike = columns[:, SHAPE.index("like")] > OWN
    likes = columns[alike, SHAPE.index("p_like")]
    return float(np.median(likes)) if likes.size else 0.0


def _p_wave(snippets: Snippets, alike: Bools, rr: NDArray[np.float64]) -> Float32s:
    """(n, 5) likeness, size, energy, shift of what precedes QRS beside the usual P; activity before that."""
    z = snippets.z
    regular = alike.copy()
    if rr.size > 2:
        steady = np.abs(np.diff(np.log(np.maximum(rr, 0.05)))) < REGULAR
        regular[1:-1] &= steady
    chosen = regular if regular.sum() >= 20 else alike if alike.any() else np.ones(len(z), bool)
    picked = np.flatnonzero(chosen)
    ordered = np.sort(z[picked[:: max(1, len(picked) // P_MEDIAN_OF)]], axis=0)  # np.median takes longer
    usual = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / np.float32(2)
    return _p_likeness(z, snippets.gain, usual, P_FROM, P_TO, P_LAG)


def together(shape: Int64s, block: Int64s) -> Int64s:
    """(n,) 0 to k − 1, one number for each shape of each block."""
    return _ranked(block * 1000 + shape)


def over_hours(features: BeatFeatures) -> Int64s:
    """(n,) 0 to k − 1, the number of each beat's shape, alike shapes of different blocks being one.

    Rare ventricular beats are enough to be judged only where they are taken together: with DS1's records in eighths, as
    if each were a block, V is Se 93.4, +P 96.7 % by block and 96.0, 97.1 % over all of them in two leads (left out); in
    one lead the counts within 5 % are 34 and 41 of 80.
    """
    return _ranked(over_blocks(features.blocks, len(features.values)))


def _ranked(numbers: Int64s) -> Int64s:
    """(n,) the rank of each number among those that occur; numpy's unique would sort them."""
    if not len(numbers):
        return numbers
    from_least = numbers - numbers.min()
    seen = np.zeros(from_least.max() + 1, np.int64)
    seen[from_least] = 1
    return np.asarray((np.cumsum(seen) - 1)[from_least])


def _group_columns(values: Float32s, group: Int64s) -> None:
    """What the beats of one shape have in common, in each of them."""
    count = np.bincount(group).astype(np.float64)

    def mean(of: NDArray[Any]) -> Float32s:
        total: NDArray[np.float64] = np.bincount(group, of) / count
        return total[group].astype(np.float32)

    def column(name: str) -> Float32s:
        found: Float32s = values[:, FEATURES.index(name)]
        return found

    found = {
        "k_share": np.log(count / len(group))[group],
        "k_pre": mean(column("pre")), "k_post": mean(column("post")), "k_early": mean(column("pre") < -0.12),
        "k_like": mean(column("like")), "k_width": mean(column("width_rel")),
        "k_p": mean(column("p_like")) - column("p_usual"),
    }  # fmt: skip
    for name in GROUP:
        values[:, FEATURES.index(name)] = found[name]


def p_columns(values: Float32s) -> None:
    """Whether P waves march here, and whether they differ before short and before long intervals; in place.

    In fibrillation nothing marches. Where atrial beats lead most of the time, theirs are the usual P waves, and those
    after the pauses the unusual ones: a single P wave says nothing then, but that there are two kinds does.
    """
    p, alike = values[:, FEATURES.index("p_like")], values[:, FEATURES.index("like")] > OWN
    short = values[:, FEATURES.index("to_short")] + values[:, FEATURES.index("to_long")] < 0

    def mean(chosen: Bools, reach: int) -> tuple[Floats, Floats]:
        count, total = around(chosen.astype(np.float64), reach), around(np.where(chosen, p, 0.0), reach)
        return total / np.maximum(count, 1), count

    march, seen = mean(alike, P_BEATS)
    values[:, FEATURES.index("p_local")] = np.where(seen >= P_LEAST, march, values[:, FEATURES.index("p_usual")])
    (at_short, n_short), (at_long, n_long) = (mean(alike & part, SPLIT_BEATS) for part in (short, ~short))
    seen = n_short * n_long / np.maximum(n_short + n_long, 1)
    values[:, FEATURES.index("p_split")] = np.abs(at_short - at_long) * seen / (seen + SPLIT_HALF)


def around(of: Floats, reach: int) -> Floats:
    """(n,) sum over so many beats to either side, as far as there are any."""
    total = np.concatenate([[0.0], np.cumsum(of)])
    index = np.arange(len(of))
    return np.asarray(total[np.minimum(index + reach + 1, len(of))] - total[np.maximum(index - reach, 0)])


@compiled
def _by_lead(z: Float32s, shape: Float32s, shift: Int64s, first: int, last: int) -> Float32s:
    """(n, n_leads, 4): alike, correlation, log relative size and difference of area of each lead."""
    n, n_leads, width = z.shape
    out = np.empty((n, n_leads, 4), np.float32)
    for b in range(n):
        for lead in range(n_leads):
            xy, xx, yy, area = np.float32(0.0), np.float32(1e-6), np.float32(1e-6), np.float32(0.0)
            for i in range(first, last):
                x, y = z[b, lead, min(i + shift[b], width - 1)], shape[lead, i]
                xy += x * y
                xx += x * x
                yy += y * y
                area += x - y
            out[b, lead, 0] = 2 * xy / (xx + yy)
            out[b, lead, 1] = xy / np.sqrt(xx * yy)
            out[b, lead, 2] = 0.5 * np.log(xx / yy)
            out[b, lead, 3] = area
    return out


@compiled
def _widths(z: Float32s, centre: int, reach: int) -> Float32s:
    """(n, 4): standard deviation of the slope's energy in time (s), its extent (s), its maximum, its first sample."""
    n, n_leads, width = z.shape
    out = np.zeros((n, 4), np.float32)
    energy = np.zeros(width)
    for b in range(n):
        energy[:] = 0
        for lead in range(n_leads):
            for i in range(centre - reach, centre + reach + 1):
                slope = z[b, lead, i + 1] - z[b, lead, i - 1]
                energy[i] += slope * slope
        total, moment, top = 1e-9, 0.0, 1e-9
        for i in range(centre - reach, centre + reach + 1):
            total += energy[i]
            moment += energy[i] * i
            top = max(top, energy[i])
        middle, spread = moment / total, 0.0
        for i in range(centre - reach, centre + reach + 1):
            spread += energy[i] * (i - middle) ** 2
        first = last = min(max(int(middle + 0.5), centre - reach), centre + reach)
        quiet, i = 0, first
        while i >= centre - reach and quiet < 3:
            if energy[i] > 0.02 * top:
                first, quiet = i, 0
            else:
                quiet += 1
            i -= 1
        quiet, i = 0, last
        while i <= centre + reach and quiet < 3:
            if energy[i] > 0.02 * top:
                last, quiet = i, 0
            else:
                quiet += 1
            i += 1
        out[b, 0] = np.sqrt(spread / total) / 125.0
        out[b, 1] = (last - first + 1) / 125.0
        out[b, 2] = np.sqrt(top / total)
        out[b, 3] = first
    return out


@compiled
def _begin(z: Float32s, gain: Float32s, shape: Float32s, first: Float32s, usual_first: int) -> Float32s:
    """How alike the first 40 ms of QRS are: an aberrant beat begins as the usual one does, a ventricular one not."""
    n, n_leads, _ = z.shape
    out = np.empty(n, np.float32)
    for b in range(n):
        best = -1.0
        for shift in range(-1, 2):
            xy, xx, yy = 0.0, 1e-6, 1e-6
            for lead in range(n_leads):
                for i in range(6):
                    p, q = int(first[b]) + shift + i - 1, usual_first + i - 1
                    x = z[b, lead, p + 1] - z[b, lead, p - 1]
                    y = shape[lead, q + 1] - shape[lead, q - 1]
                    xy += x * y * gain[b, lead]
                    xx += x * x * gain[b, lead]
                    yy += y * y * gain[b, lead]
            best = max(best, 2 * xy / (xx + yy))
        out[b] = best
    return out


@compiled
def _p_likeness(z: Float32s, gain: Float32s, usual: Float32s, first: int, last: int, lag: int) -> Float32s:
    """(n, 5): correlation with the usual P, size along it, energy beside it, shift; straight lines taken away; and the
    span of what lies before, beside the usual one's.

    With ``usual`` free of its straight line, that of the beat drops out of their product.
    """
    n, n_leads, _ = z.shape
    m = last - first
    shape, own = np.zeros((n_leads, m), np.float32), np.zeros(n_leads, np.float32)
    ramp = (np.arange(m) - (m - 1) / 2).astype(np.float32)
    square, share = (ramp * ramp).sum(), np.float32(1.0 / m)
    span = np.float32(1e-6)
    for lead in range(n_leads):
        part = usual[lead, first:last]
        shape[lead] = part - part.sum() * share - (part * ramp).sum() / square * ramp
        own[lead] = (shape[lead] * shape[lead]).sum()
        span += (usual[lead, BEGIN:FIRST_P].max() - usual[lead, BEGIN:FIRST_P].min()) / np.float32(n_leads)
    out = np.empty((n, 5), np.float32)
    for b in range(n):
        out[b, 0] = -2.0
        wide, yy = np.float32(0.0), np.float32(1e-9)
        for lead in range(n_leads):
            low, high = z[b, lead, BEGIN], z[b, lead, BEGIN]
            for i in range(BEGIN, FIRST_P):
                low, high = min(low, z[b, lead, i]), max(high, z[b, lead, i])
            wide += high - low
            yy += own[lead] * gain[b, lead]
        out[b, 4] = wide / np.float32(n_leads) / span
        for g in range(-lag, lag + 1):
            xy, xx = np.float32(0.0), np.float32(1e-9)
            for lead in range(n_leads):
                total, slope, power, both = np.float32(0.0), np.float32(0.0), np.float32(0.0), np.float32(0.0)
                for i in range(m):
                    value = z[b, lead, first + g + i]
                    total += value
                    slope += value * ramp[i]
                    power += value * value
                    both += value * shape[lead, i]
                xy += both * gain[b, lead]
                rest = power - total * total * share - slope * slope / square
                xx += max(rest, np.float32(0.0)) * gain[b, lead]
            found = xy / np.sqrt(xx * yy)
            if found > out[b, 0]:
                out[b, 0], out[b, 1], out[b, 2], out[b, 3] = found, xy / yy, np.sqrt(xx / yy), g
    return out
