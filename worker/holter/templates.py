"""Which beats of a day have one shape, so that a physician names thousands of them at once?

Leader clustering of the QRS over all leads at once, in blocks of half an hour, with a measure that asks for the same
shape and the same size; then the blocks' shapes are joined to those of the day. Two beats x and y are alike by
2·x·y / (x² + y²): 1 where they are equal, lower where the shape or the size differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.holter import MAX_TEMPLATES
from worker.holter.day import Day
from worker.holter.measured import Label, Template
from worker.holter.snippets import BEFORE, INNER_HZ, QRS_FROM, QRS_TO, Float32s, Snippets, picture
from worker.signal.compiled import compiled

Int64s = NDArray[np.int64]

LAG: Final = 3
"""Samples at 125 Hz by which the centres of two beats of one shape may differ."""
SAME: Final = 0.86
"""A beat joins a shape from here on."""
JOINED: Final = 0.92
"""Two shapes are one from here on."""
MAX_SHAPES: Final = 60
"""In a block; a beat that fits none after that joins the nearest."""
MEDIAN_OF, WELL_SHOWN, MEDIAN_OF_FEW = 15, 40, 3
"""Beats that make the median of each of the 40 commonest templates, and of the others."""
PICTURE_S: Final = 2.0


@dataclass(frozen=True, eq=False)
class Shapes:
    """The shapes of a block, the largest first.

    Attributes:
        of: (n_beats,) which shape each beat has.
        mean: (n_shapes, n_leads, WIDTH) float32 in the units of the snippets.
        count: (n_shapes,) beats.
    """

    of: Int64s
    mean: Float32s
    count: Int64s


def shapes_of(snippets: Snippets) -> Shapes:
    """The shapes of a block's beats."""
    first, leaders = _leaders(snippets.z, snippets.gain, QRS_FROM, QRS_TO, LAG, SAME, MAX_SHAPES)
    joined = _join(_means(snippets.z, first, len(leaders)), np.bincount(first, minlength=len(leaders)))
    of = joined[first]
    count = np.bincount(of)
    return Shapes(of, _means(snippets.z, of, len(count)), count)


def _join(mean: Float32s, count: Int64s) -> Int64s:
    """Old shape → new shape, alike ones made one, the largest first."""
    kept: list[int] = []
    new = np.zeros(len(count), np.int64)
    even = np.ones((1, mean.shape[1]), np.float32)
    for k in np.argsort(-count, kind="stable").tolist():
        alike = [_best(mean[k : k + 1], even, 0, mean[other], QRS_FROM, QRS_TO, LAG + 1)[0] for other in kept]
        if alike and max(alike) > JOINED:
            new[k] = int(np.argmax(alike))
        else:
            new[k] = len(kept)
            kept.append(k)
    return new


@compiled
def _means(z: Float32s, of: Int64s, n_shapes: int) -> Float32s:
    """(n_shapes, n_leads, WIDTH) mean of the beats of each shape."""
    n, n_leads, width = z.shape
    total = np.zeros((n_shapes, n_leads, width), np.float32)
    count = np.zeros(n_shapes, np.int64)
    for b in range(n):
        count[of[b]] += 1
        for lead in range(n_leads):
            for i in range(width):
                total[of[b], lead, i] += z[b, lead, i]
    for k in range(n_shapes):
        if count[k]:
            total[k] /= np.float32(count[k])
    return total


def likeness(snippets: Snippets, shape: Float32s, lag: int = LAG + 1) -> Float32s:
    """(n, 4): how alike each beat is to (n_leads, WIDTH), its correlation, its relative size, and the shift."""
    return _likeness(snippets.z, snippets.gain, shape, QRS_FROM, QRS_TO, lag)


@compiled
def _best(
    z: Float32s, gain: Float32s, b: int, shape: Float32s, first: int, last: int, lag: int
) -> tuple[float, float, float, int]:
    """(alike, correlation, relative size, shift) at the shift at which they are most alike."""
    n_leads = z.shape[1]
    yy = 1e-9
    for lead in range(n_leads):
        part = np.float32(0.0)
        for i in range(first, last):
            part += shape[lead, i] * shape[lead, i]
        yy += part * gain[b, lead]
    best, correlation, size, shift = -2.0, 0.0, 0.0, 0
    for g in range(-lag, lag + 1):
        xy, xx = 0.0, 1e-9
        for lead in range(n_leads):
            cross, own = np.float32(0.0), np.float32(0.0)
            for i in range(first, last):
                value = z[b, lead, i + g]
                cross += value * shape[lead, i]
                own += value * value
            xy += cross * gain[b, lead]
            xx += own * gain[b, lead]
        alike = 2 * xy / (xx + yy)
        if alike > best:
            best, correlation, size, shift = alike, xy / np.sqrt(xx * yy), np.sqrt(xx / yy), g
    return best, correlation, size, shift


@compiled
def _likeness(z: Float32s, gain: Float32s, shape: Float32s, first: int, last: int, lag: int) -> Float32s:
    out = np.empty((z.shape[0], 4), np.float32)
    for b in range(z.shape[0]):
        best, correlation, size, shift = _best(z, gain, b, shape, first, last, lag)
        out[b, 0], out[b, 1], out[b, 2], out[b, 3] = best, correlation, size, shift
    return out


@compiled
def _energy(z: Float32s, gain: Float32s, first: int, last: int) -> float:
    total = 1e-9
    for lead in range(z.shape[0]):
        part = np.float32(0.0)
        for i in range(first, last):
            part += z[lead, i] * z[lead, i]
        total += part * gain[lead]
    return total


@compiled
def _leaders(
    z: Float32s, gain: Float32s, first: int, last: int, lag: int, same: float, most: int
) -> tuple[Int64s, Float32s]:
    """(shape of each beat, the shapes): each beat joins the shape that it is most like, or starts one.

    Shifts are tried only with the shapes that are the most alike without one.
    """
    n, n_leads, width = z.shape
    shapes = np.zeros((most, n_leads, width), np.float32)
    count, of, unshifted = np.zeros(most, np.int64), np.zeros(n, np.int64), np.zeros(most)
    known = 0
    for b in range(n):
        own = _energy(z[b], gain[b], first, last)
        top = -2.0
        for k in range(known):
            xy, yy = 0.0, 1e-9
            for lead in range(n_leads):
                cross, square = np.float32(0.0), np.float32(0.0)
                for i in range(first, last):
                    cross += z[b, lead, i] * shapes[k, lead, i]
                    square += shapes[k, lead, i] * shapes[k, lead, i]
                xy += cross * gain[b, lead]
                yy += square * gain[b, lead]
            unshifted[k] = 2 * xy / (own + yy)
            top = max(top, unshifted[k])
        best, chosen, shift = -2.0, 0, 0
        for k in range(known):
            if unshifted[k] >= top - 0.25:
                alike, _, _, g = _best(z, gain, b, shapes[k], first, last, lag)
                if alike > best:
                    best, chosen, shift = alike, k, g
        if best < same and known < most:
            shapes[known] = z[b]
            count[known] = 1
            of[b] = known
            known += 1
            continue
        of[b] = chosen
        if best >= same:
            count[chosen] += 1
            share = np.float32(1.0 / min(count[chosen], 100))
            for lead in range(n_leads):
                for i in range(max(0, -shift), min(width, width - shift)):
                    shapes[chosen, lead, i] += share * (z[b, lead, i + shift] - shapes[chosen, lead, i])
    return of, shapes[:known]


@dataclass(frozen=True, eq=False)
class BlockShapes:
    """The shapes of one block, in the leads that were compared.

    Attributes:
        units: (n_leads,) by which µV became the units of ``shapes.mean``.
    """

    first: int
    shapes: Shapes
    units: Float32s


def cluster(
    day: Day, beats: Int64s, blocks: Sequence[BlockShapes], label: NDArray[np.uint8], rows: tuple[int, ...]
) -> tuple[NDArray[np.int32], tuple[Template, ...]]:
    """((n,) template of each beat, −1 where it has none; the templates, the commonest first, at most 200).

    Beats of one template have one shape and one label, so that an early beat of normal shape is not renamed with
    the thousands that it looks like.
    """
    shape = _over_the_day(blocks, len(beats))
    pairs, of, count = np.unique(np.stack([shape, label]), axis=1, return_inverse=True, return_counts=True)
    order = np.argsort(-count, kind="stable")[:MAX_TEMPLATES]
    rank = np.full(len(count), -1, np.int32)
    rank[order] = np.arange(len(order))
    ids = rank[of.ravel()]
    members = np.split(np.argsort(ids, kind="stable"), np.searchsorted(np.sort(ids), np.arange(len(order))))[1:]
    templates = []
    for number, (pair, of_it) in enumerate(zip(order.tolist(), members, strict=True)):
        most = MEDIAN_OF if number < WELL_SHOWN else MEDIAN_OF_FEW
        chosen = of_it[np.unique(np.linspace(0, len(of_it) - 1, most).astype(np.int64))]
        pictures = np.stack([_picture(day, int(at)) for at in beats[chosen]])
        median = np.clip(np.rint(np.median(pictures, axis=0)), -32767, 32767).astype(np.int16)
        templates.append(Template(number, Label(int(pairs[1, pair])), int(count[pair]), median, INNER_HZ, BEFORE))
    return ids, tuple(templates)


def _picture(day: Day, at: int) -> Float32s:
    """(n_leads, WIDTH) µV of all leads at 125 Hz, the R peak at BEFORE."""
    reach = round(PICTURE_S * day.hz)
    return picture(day.block(at - reach, at + reach), day.hz, reach)


def _over_the_day(blocks: Sequence[BlockShapes], n: int) -> Int64s:
    """(n,) shape of each beat, alike shapes of different blocks being one."""
    out = np.zeros(n, np.int64)
    known: list[Float32s] = []
    weight: list[int] = []
    for block in blocks:
        even = np.ones((1, len(block.units)), np.float32)
        number = np.zeros(len(block.shapes.count), np.int64)
        own = np.stack([shape * block.units[:, None] for shape in known]) if known else None
        for k, mean in enumerate(block.shapes.mean):
            alike = -2.0
            if own is not None:
                alike, number[k] = _nearest(mean[None], even, own, QRS_FROM, QRS_TO, LAG + 1)
            uv = mean / block.units[:, None]
            if alike > JOINED:
                place = int(number[k])
                share = block.shapes.count[k] / (block.shapes.count[k] + weight[place])
                known[place] = known[place] + np.float32(share) * (uv - known[place])
                weight[place] += int(block.shapes.count[k])
            else:
                number[k] = len(known)
                known.append(uv)
                weight.append(int(block.shapes.count[k]))
        out[block.first : block.first + len(block.shapes.of)] = number[block.shapes.of]
    return out


@compiled
def _nearest(z: Float32s, gain: Float32s, shapes: Float32s, first: int, last: int, lag: int) -> tuple[float, int]:
    """(how alike, which) the most alike of (k, n_leads, WIDTH) shapes is."""
    best, chosen = -2.0, 0
    for k in range(shapes.shape[0]):
        alike = _best(z, gain, 0, shapes[k], first, last, lag)[0]
        if alike > best:
            best, chosen = alike, k
    return best, chosen
