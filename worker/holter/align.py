"""At which sample does each beat fit the shape that its kind of beat has had so far? The compiled loops behind
:mod:`worker.holter.minutes`.

A beat is compared with a few shapes, all readable leads together, and moved by up to some hundredths of a second; what
fits none of them becomes a shape of its own.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

SEARCH_ABOVE: Final = 0.05
"""Of the power of the shape: a beat that differs more is looked at a little earlier and later, too."""
SAME_SHAPE: Final = 0.22
CLEARLY: Final = 1.001
FOLLOW: Final = 16.0
"""A shape follows its beats by a sixteenth: it breathes and drifts."""


@compiled
def align(
    uv: Float32s,
    at: Int64s,
    use: Bools,
    readable: Bools,
    window: tuple[int, int, int, int],
    shapes: Float32s,
    held: Int64s,
) -> tuple[Int64s, Int64s]:
    """Bring each beat to the place at which it fits its shape.

    Args:
        uv: (n_leads, n) µV of one block.
        at: (m,) R peaks; ``use`` which of them are looked at; ``readable`` (n_leads, m) in which leads.
        window: samples before and after R that are compared, samples of ``uv`` a step, steps to either side.
        shapes: (n_shapes, n_leads, width) QRS without its mean; moved on.
        held: (n_shapes, 2) the number by which each is known and how many beats it has; 0 beats is a free place. The
            rarest gives way to a new one.

    Returns:
        (m,) R peaks moved, (m,) the shape's number, -1 where a beat was not looked at.
    """  # fmt: skip
    n_leads, n = uv.shape
    before, after, factor, reach = window
    width, shifts = before + after, 2 * reach + 1
    kept, square = _kept(shapes)
    near = np.zeros((n_leads, kept.shape[2] + (shifts + 3) // 4 * 4 + 4), np.float32)
    cross, own = np.empty((len(held), (shifts + 3) // 4 * 4), np.float32), np.empty(shifts)
    moved, shape = at.copy(), np.full(at.size, -1, np.int64)
    margin = (reach + max(before, after) + 1) * factor
    for k in range(at.size):
        seen = readable[:, k].copy()
        if not use[k] or at[k] - margin < 0 or at[k] + margin >= n or not seen.any():
            continue
        for lead in range(n_leads):
            _cut(uv[lead], at[k] - (before + reach) * factor, factor, near[lead, : width + 2 * reach], reach)
        found, place = _nearest(near, kept, square, held, seen, own, cross, (width, reach))
        if found < 0:
            found = int(np.argmin(held[:, 1]))
            held[found, 0], held[found, 1] = held[:, 0].max() + 1, 0
            for lead in range(n_leads):
                square[found, lead] = _follow(kept[found, lead, :width], near[lead, place : place + width], 1.0)
        held[found, 1] += 1
        shape[k], moved[k] = held[found, 0], at[k] + (place - reach) * factor
        for lead in range(n_leads):
            if seen[lead]:
                square[found, lead] = _follow(kept[found, lead, :width], near[lead, place : place + width], FOLLOW)
    shapes[:] = kept[:, :, :width]
    return moved, shape


@compiled
def _kept(shapes: Float32s) -> tuple[Float32s, Float32s]:
    """(the shapes filled up with zeros to a multiple of four, (n_shapes, n_leads) the power of each)."""
    n_shapes, n_leads, width = shapes.shape
    kept = np.zeros((n_shapes, n_leads, (width + 3) // 4 * 4), np.float32)
    kept[:, :, :width] = shapes
    square = np.zeros((n_shapes, n_leads), np.float32)
    for slot in range(n_shapes):
        for lead in range(n_leads):
            square[slot, lead] = _dot(kept[slot, lead], kept[slot, lead])
    return kept, square


@compiled
def _dot(one: Float32s, other: Float32s) -> np.float32:
    total = np.float32(0.0)
    for j in range(one.size):
        total += one[j] * other[j]
    return total


@compiled
def _nearest(
    near: Float32s, kept: Float32s, square: Float32s, held: Int64s, seen: Bools, own: Floats, cross: Float32s,
    size: tuple[int, int],
) -> tuple[int, int]:  # fmt: skip
    """(the place of the nearest shape or -1, the shift at which it is); where none is near without a shift, a little
    earlier and later, too."""
    width, reach = size
    found, place, least = -1, reach, SAME_SHAPE
    its, mine = np.empty(len(held)), 1.0
    for lead in range(len(near)):
        mine += _power(near[lead, reach : reach + width]) if seen[lead] else 0.0
    for slot in range(len(held)):
        its[slot] = _all_of(square[slot], seen)
        if held[slot, 1] > 0:
            off = _off(mine, its[slot], _in_place(near, kept[slot], seen, size), least)
            if off < least:
                found, least = slot, off
    if found >= 0 and least <= SEARCH_ABOVE:
        return found, place
    own[:] = 1.0
    for lead in range(len(near)):
        if seen[lead]:
            _powers(near[lead], width, own)
    asked = _may_be_near(own, its, held, least)
    _all_products(near, kept, asked, seen, cross)
    for shift in range(own.size):
        for slot in range(len(held)):
            if asked[slot]:
                off = _off(own[shift], its[slot], cross[slot, shift], least)
                if off < least:
                    found, place, least = slot, shift, off
    return found, place


@compiled
def _all_of(square: Float32s, seen: Bools) -> float:
    """The power of a shape in the leads that are seen."""
    total = 1.0
    for lead in range(square.size):
        total += float(square[lead]) if seen[lead] else 0.0
    return total


@compiled
def _in_place(near: Float32s, kept: Float32s, seen: Bools, size: tuple[int, int]) -> float:
    """The product of the beat where it is with a shape."""
    width, reach = size
    both = 0.0
    for lead in range(len(near)):
        if seen[lead]:
            both += float(_dot(near[lead, reach : reach + width], kept[lead, :width]))
    return both


@compiled
def _off(own: float, its: float, both: float, least: float) -> float:
    """How far a beat is from a shape: the power of the difference over that of the larger of them, leads together.

    Where it is clearly more than ``least`` nobody asks how much: most beats are far from most shapes, and a division
    takes as long as all else.
    """
    left, larger = max(own + its - 2.0 - 2.0 * both, 0.0), max(own, its)
    return left / larger if left < CLEARLY * least * larger else np.inf


@compiled
def _may_be_near(own: Floats, its: Floats, held: Int64s, least: float) -> Bools:
    """(n_shapes,) which shapes can be nearer than ``least`` at any shift: of much smaller or larger power none is.

    By Cauchy and Schwarz's inequality the power of the difference is at least the square of that of the roots.
    """
    asked = np.zeros(len(held), np.bool_)
    low, high = own.min() - 1.0, own.max() - 1.0
    for slot in range(len(held)):
        if held[slot, 1] > 0:
            mine = its[slot] - 1.0
            nearest = min(max(mine, low), high)
            apart = (np.sqrt(nearest) - np.sqrt(mine)) ** 2
            asked[slot] = apart <= CLEARLY * least * (max(nearest, mine) + 1.0)
    return asked


@compiled
def _all_products(near: Float32s, kept: Float32s, asked: Bools, seen: Bools, cross: Float32s) -> None:
    """The product of the beat with each shape that is asked at each shift."""
    for slot in range(len(asked)):
        if not asked[slot]:
            continue
        cross[slot] = 0.0
        for lead in range(len(near)):
            if seen[lead]:
                _products(near[lead], kept[slot, lead], cross[slot])


@compiled
def _products(near: Float32s, shape: Float32s, cross: Float32s) -> None:
    """Add the product with the shape at each shift, four samples at a time."""
    for j in range(0, shape.size, 4):
        a, b, c, d = shape[j], shape[j + 1], shape[j + 2], shape[j + 3]
        source = near[j : j + cross.size + 3]
        for i in range(cross.size):
            cross[i] += a * source[i] + b * source[i + 1] + c * source[i + 2] + d * source[i + 3]


@compiled
def _cut(uv: Float32s, first: int, factor: int, out: Float32s, reach: int) -> None:
    """Samples around one QRS, less the mean of its middle part: no number is large beside what is compared."""
    mean, width = np.float32(0.0), out.size - 2 * reach
    if factor == 1:
        out[:] = uv[first : first + out.size]
    else:
        for j in range(out.size):
            out[j] = uv[first + j * factor]
    for j in range(reach, reach + width):
        mean += out[j]
    mean /= np.float32(width)
    for j in range(out.size):
        out[j] -= mean


@compiled
def _power(part: Float32s) -> float:
    """The power without its mean."""
    total, square = 0.0, 0.0
    for j in range(part.size):
        total += part[j]
        square += part[j] * part[j]
    return max(square - total * total / part.size, 0.0)


@compiled
def _powers(near: Float32s, width: int, own: Floats) -> None:
    """Add the power without its mean at each shift."""
    total, square = 0.0, 0.0
    for j in range(width):
        total += near[j]
        square += near[j] * near[j]
    for shift in range(own.size):
        own[shift] += max(square - total * total / width, 0.0)
        gone, come = float(near[shift]), float(near[shift + width])
        total += come - gone
        square += come * come - gone * gone


@compiled
def _follow(shape: Float32s, beat: Float32s, by: float) -> np.float32:
    """Move a shape by a part of the way to a beat without its mean; returns its power then."""
    mean, square, share = np.float32(0.0), np.float32(0.0), np.float32(1.0 / by)
    for j in range(beat.size):
        mean += beat[j]
    mean /= np.float32(beat.size)
    for j in range(beat.size):
        shape[j] += (beat[j] - mean - shape[j]) * share
        square += shape[j] * shape[j]
    return square
