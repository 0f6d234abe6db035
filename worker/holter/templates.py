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
Floats = NDArray[np.float64]

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
MAX_KNOWN: Final = 1024
"""Shapes that are held over the days (a day of twelve records of MIT-BIH has 511); the rarest makes room."""
LANES: Final = 16
"""QRS are filled up with zeros to a multiple of this, so that none of a product is left over."""


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
    first, n_shapes = _leaders(snippets.z, snippets.gain, QRS_FROM, QRS_TO, LAG, SAME, MAX_SHAPES)
    mean = _means(snippets.z, first, n_shapes)
    count = np.bincount(first, minlength=n_shapes)
    joined = _join(mean, np.argsort(-count, kind="stable"), QRS_FROM, QRS_TO, LAG + 1, JOINED)
    of = joined[first]
    count = np.bincount(of)
    return Shapes(of, _means(snippets.z, of, len(count)), count)


@compiled
def _join(mean: Float32s, order: Int64s, first: int, last: int, lag: int, joined: float) -> Int64s:
    """Old shape → new shape, alike ones made one, the first in ``order`` first."""
    n_shapes, n_leads = mean.shape[0], mean.shape[1]
    even = np.ones(n_leads, np.float32)
    kept, known = np.empty((n_shapes, _room(n_leads, first, last)), np.float32), 0
    square, new = np.empty((n_shapes, n_leads), np.float32), np.zeros(n_shapes, np.int64)
    shifted, power = _shifts(kept.shape[1], lag)
    for k in order:
        _lay_out(mean[k], even, first, last, lag, shifted, power)
        best, chosen = -2.0, 0
        for other in range(known):
            alike = _best(shifted, power, kept[other], _weighed(square[other], even))[0]
            if alike > best:
                best, chosen = alike, other
        if best > joined:
            new[k] = chosen
        else:
            _keep(mean[k], first, last, kept[known], square[known])
            new[k] = known
            known += 1
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
def _room(n_leads: int, first: int, last: int) -> int:
    """Values of a QRS whose leads lie one behind the other, filled up to a multiple of :data:`LANES`."""
    return (n_leads * (last - first) + LANES - 1) // LANES * LANES


@compiled
def _shifts(room: int, lag: int) -> tuple[Float32s, Floats]:
    """Room for what :func:`_lay_out` writes: a QRS and its power at every shift."""
    return np.zeros((2 * lag + 1, room), np.float32), np.empty(2 * lag + 1)


@compiled
def _lay_out(z: Float32s, gain: Float32s, first: int, last: int, lag: int, shifted: Float32s, power: Floats) -> None:
    """One beat's QRS times its gain at every shift from −lag to lag, its leads one behind the other, and its power."""
    m = last - first
    for s in range(shifted.shape[0]):
        total = 1e-9
        for lead in range(z.shape[0]):
            source, target = z[lead, first + s - lag : last + s - lag], shifted[s, lead * m : (lead + 1) * m]
            by, own = gain[lead], np.float32(0.0)
            for i in range(target.size):
                target[i] = source[i] * by
                own += source[i] * source[i]
            total += own * by
        power[s] = total


@compiled
def _keep(z: Float32s, first: int, last: int, shape: Float32s, square: Float32s) -> None:
    """A QRS with its leads one behind the other, and the power of each."""
    m = last - first
    shape[:] = 0.0
    for lead in range(z.shape[0]):
        shape[lead * m : (lead + 1) * m] = z[lead, first:last]
        square[lead] = _dot(shape[lead * m : (lead + 1) * m], z[lead, first:last])


@compiled
def _dot(one: Float32s, other: Float32s) -> np.float32:
    total = np.float32(0.0)
    for i in range(one.size):
        total += one[i] * other[i]
    return total


@compiled
def _weighed(square: Float32s, gain: Float32s) -> float:
    """A shape's power, by what the beat's leads are worth."""
    total = 1e-9
    for lead in range(square.size):
        total += square[lead] * gain[lead]
    return total


@compiled
def _best(shifted: Float32s, power: Floats, shape: Float32s, yy: float) -> tuple[float, int, float]:
    """(how alike, place among the shifts, product) at the shift at which a beat and a shape are most alike."""
    best, place, product = -2.0, 0, 0.0
    for s in range(power.size):
        xy = float(_dot(shifted[s], shape))
        alike = 2 * xy / (power[s] + yy)
        if alike > best:
            best, place, product = alike, s, xy
    return best, place, product


@compiled
def _likeness(z: Float32s, gain: Float32s, shape: Float32s, first: int, last: int, lag: int) -> Float32s:
    n, n_leads = z.shape[0], z.shape[1]
    out = np.empty((n, 4), np.float32)
    kept, square = np.empty(_room(n_leads, first, last), np.float32), np.empty(n_leads, np.float32)
    _keep(shape, first, last, kept, square)
    shifted, power = _shifts(kept.size, lag)
    for b in range(n):
        _lay_out(z[b], gain[b], first, last, lag, shifted, power)
        yy = _weighed(square, gain[b])
        best, place, product = _best(shifted, power, kept, yy)
        out[b, 0], out[b, 1] = best, product / np.sqrt(power[place] * yy)
        out[b, 2], out[b, 3] = np.sqrt(power[place] / yy), place - lag
    return out


def own_likeness(snippets: Snippets, shapes: Shapes, lag: int = LAG + 1) -> Float32s:
    """(n,) how alike each beat is to the shape that it has, as :func:`likeness` says."""
    return _own_likeness(snippets.z, snippets.gain, shapes.of, shapes.mean, QRS_FROM, QRS_TO, lag)


@compiled
def _own_likeness(
    z: Float32s, gain: Float32s, of: Int64s, mean: Float32s, first: int, last: int, lag: int
) -> Float32s:  # fmt: skip
    n_leads, room = z.shape[1], _room(z.shape[1], first, last)
    kept, square = np.empty((len(mean), room), np.float32), np.empty((len(mean), n_leads), np.float32)
    for k in range(len(mean)):
        _keep(mean[k], first, last, kept[k], square[k])
    out = np.empty(len(z), np.float32)
    shifted, power = _shifts(room, lag)
    for b in range(len(z)):
        _lay_out(z[b], gain[b], first, last, lag, shifted, power)
        out[b] = _best(shifted, power, kept[of[b]], _weighed(square[of[b]], gain[b]))[0]
    return out


@compiled
def _leaders(
    z: Float32s, gain: Float32s, first: int, last: int, lag: int, same: float, most: int
) -> tuple[Int64s, int]:
    """(shape of each beat, how many there are): each beat joins the shape that it is most like, or starts one.

    Shifts are tried only with the shapes that are the most alike without one. A shape is what :func:`_lay_out` makes of
    a beat, without its gain.
    """
    n, n_leads, m = z.shape[0], z.shape[1], last - first
    shapes = np.zeros((most, _room(n_leads, first, last)), np.float32)
    square, usual = np.zeros((most, n_leads), np.float32), np.empty(most)
    count, of, unshifted = np.zeros(most, np.int64), np.zeros(n, np.int64), np.zeros(most)
    shifted, power = _shifts(shapes.shape[1], lag)
    known = 0
    for b in range(n):
        _lay_out(z[b], gain[b], first, last, lag, shifted, power)
        top = -2.0
        for k in range(known):
            usual[k] = _weighed(square[k], gain[b])
            unshifted[k] = 2 * float(_dot(shifted[lag], shapes[k])) / (power[lag] + usual[k])
            top = max(top, unshifted[k])
        best, chosen, shift = -2.0, 0, 0
        for k in range(known):
            if unshifted[k] >= top - 0.25:
                alike, place, _ = _best(shifted, power, shapes[k], usual[k])
                if alike > best:
                    best, chosen, shift = alike, k, place - lag
        if best < same and known < most:
            _keep(z[b], first, last, shapes[known], square[known])
            count[known] = 1
            of[b] = known
            known += 1
            continue
        of[b] = chosen
        if best >= same:
            count[chosen] += 1
            share = np.float32(1.0 / min(count[chosen], 100))
            for lead in range(n_leads):
                square[chosen, lead] = _follow(
                    shapes[chosen, lead * m : (lead + 1) * m], z[b, lead, first + shift : last + shift], share
                )
    return of, known


@compiled
def _follow(shape: Float32s, beat: Float32s, share: np.float32) -> np.float32:
    """Move a shape towards a beat; returns its power then."""
    square = np.float32(0.0)
    for i in range(shape.size):
        shape[i] += share * (beat[i] - shape[i])
        square += shape[i] * shape[i]
    return square


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
    pair = (over_blocks(blocks, len(beats)) * len(Label) + label).astype(np.int32)
    many = np.bincount(pair)
    pairs = np.flatnonzero(many)
    count = many[pairs]
    order = np.argsort(-count, kind="stable")[:MAX_TEMPLATES]
    rank = np.full(len(many), -1, np.int32)
    rank[pairs[order]] = np.arange(len(order))
    ids = rank[pair]
    templates = []
    for number, place in enumerate(order.tolist()):
        of_it = np.flatnonzero(ids == number)
        most = MEDIAN_OF if number < WELL_SHOWN else MEDIAN_OF_FEW
        chosen = of_it[np.unique(np.linspace(0, len(of_it) - 1, most).astype(np.int64))]
        pictures = np.stack([_picture(day, int(at)) for at in beats[chosen]])
        median = np.clip(np.rint(np.median(pictures, axis=0)), -32767, 32767).astype(np.int16)
        templates.append(
            Template(number, Label(int(pairs[place]) % len(Label)), int(count[place]), median, INNER_HZ, BEFORE)
        )
    return ids, tuple(templates)


def _picture(day: Day, at: int) -> Float32s:
    """(n_leads, WIDTH) µV of all leads at 125 Hz, the R peak at BEFORE."""
    reach = round(PICTURE_S * day.hz)
    return picture(day.block(at - reach, at + reach), day.hz, reach)


def over_blocks(blocks: Sequence[BlockShapes], n: int) -> Int64s:
    """(n,) shape of each beat of these blocks, alike shapes of different blocks being one."""
    out = np.zeros(n, np.int64)
    if not blocks:
        return out
    n_leads = len(blocks[0].units)
    known = np.zeros((MAX_KNOWN, n_leads, QRS_TO - QRS_FROM), np.float32)
    weight, number = np.zeros(MAX_KNOWN, np.int64), np.zeros(MAX_KNOWN, np.int64)
    given = 0
    for block in blocks:
        shapes = block.shapes
        numbers, given = _joined_to(
            shapes.mean, shapes.count, block.units, QRS_FROM, QRS_TO, LAG + 1, JOINED, known, weight, number, given
        )
        first = block.first - blocks[0].first
        out[first : first + len(shapes.of)] = numbers[shapes.of]
    return out


@compiled
def _joined_to(
    mean: Float32s, count: Int64s, units: Float32s, first: int, last: int, lag: int, joined: float,
    known: Float32s, weight: Int64s, number: Int64s, given: int,
) -> tuple[Int64s, int]:  # fmt: skip
    """The number of each shape of a block, and how many were given in all.

    Args:
        mean, count, units: of the block.
        known: (n_known, n_leads, last − first) µV of the day's shapes so far; moved on.
        weight: (n_known,) beats of each, 0 where the place is free; moved on. The rarest gives way to a new one.
        number: (n_known,) by which each is known; moved on.
    """
    n_leads, m = mean.shape[1], last - first
    kept = np.zeros((known.shape[0], _room(n_leads, first, last)), np.float32)
    own, even = np.zeros(known.shape[0]), np.ones(n_leads, np.float32)
    for k in range(known.shape[0] if given else 0):
        if weight[k]:
            own[k] = 1e-9
            for lead in range(n_leads):
                source, target = known[k, lead], kept[k, lead * m : (lead + 1) * m]
                for i in range(m):
                    target[i] = source[i] * units[lead]
                own[k] += _dot(target, target)
    shifted, power = _shifts(kept.shape[1], lag)
    numbers = np.empty(mean.shape[0], np.int64)
    for j in range(mean.shape[0]):
        _lay_out(mean[j], even, first, last, lag, shifted, power)
        best, chosen = _nearest(shifted, power, kept, own, joined)
        if best > joined:
            share = np.float32(count[j] / (count[j] + weight[chosen]))
            weight[chosen] += count[j]
        else:
            chosen, share = int(np.argmin(weight)), np.float32(1.0)
            own[chosen] = 0.0  # compared from the next block on
            weight[chosen], number[chosen] = count[j], given
            known[chosen] = 0.0
            given += 1
        numbers[j] = number[chosen]
        for lead in range(n_leads):
            for i in range(m):
                known[chosen, lead, i] += share * (mean[j, lead, first + i] / units[lead] - known[chosen, lead, i])
    return numbers, given


@compiled
def _nearest(shifted: Float32s, power: Floats, shapes: Float32s, own: Floats, joined: float) -> tuple[float, int]:
    """(how alike, which) the most alike shape is; those whose size alone makes them unlike are passed over."""
    least, most = power.min(), power.max()
    best, chosen = -2.0, 0
    for k in range(own.size):
        middle = min(max(own[k], least), most)
        if own[k] > 0 and 2 * np.sqrt(middle * own[k]) >= joined * (middle + own[k]):
            alike = _best(shifted, power, shapes[k], own[k])[0]
            if alike > best:
                best, chosen = alike, k
    return best, chosen
