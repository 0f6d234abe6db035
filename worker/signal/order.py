"""What is the middle of many values, without ``np.median``'s detour?

``np.median`` and ``np.quantile`` ask for several places of the order at once, which keeps numpy from its fast selection
(one place, many values a step): they take five times as long. The results are the same to the last bit; values must be
numbers (a NaN counts as the largest instead of spreading).
"""

from functools import cache
from typing import Final

import numpy as np

from worker.signal.filters import Floats

MOST_ROWS: Final = 20
LEAST_SAMPLES: Final = 1000
"""Up to so many beats of at least so many samples are put in order faster by comparing whole rows than by sorting each
sample's few values: 12 beats of 12 leads in 0.08 instead of 0.21 ms."""


def median(values: Floats, axis: int = -1) -> Floats:
    """The median along one axis, which disappears.

    >>> median(np.array([[3.0, 1.0, 2.0, 9.0], [5.0, 5.0, 0.0, 8.0]])).tolist()
    [2.5, 5.0]
    """
    n = values.shape[axis]
    if axis == 0:
        by_rows = n <= MOST_ROWS and values[0].size >= LEAST_SAMPLES
        ordered = _middle_rows(values) if by_rows else np.sort(values, axis=0)
        middle: Floats = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
        return middle
    high = np.partition(values, n // 2, axis=axis)
    upper = np.take(high, n // 2, axis=axis)
    if n % 2:
        return np.asarray(upper)
    lower = np.moveaxis(high, axis, -1)[..., : n // 2].max(axis=-1)
    return np.asarray((lower + upper) / 2)


def _middle_rows(values: Floats) -> list[Floats]:
    """The rows in order at each sample, those in the middle alone being right."""
    rows = list(values.copy())
    spare = np.empty_like(rows[0])
    for low, high in _exchanges(len(rows)):
        np.minimum(rows[low], rows[high], out=spare)
        np.maximum(rows[low], rows[high], out=rows[high])
        rows[low], spare = spare, rows[low]
    return rows


@cache
def _exchanges(n: int) -> tuple[tuple[int, int], ...]:
    """The pairs to be put in order so that the middle of n is.

    Batcher's odd-even merge sort (doi:10.1145/1468075.1468121) without the comparisons whose outcome nobody asks for.

    >>> _exchanges(3), len(_exchanges(12))
    (((0, 2), (0, 1), (1, 2)), 35)
    """
    pairs = []
    size = 1 << (n - 1).bit_length()
    part = size // 2
    while part:
        step, rest, apart = size // 2, 0, part
        while True:
            pairs += [(at, at + apart) for at in range(n - apart) if at & part == rest]
            if step == part:
                break
            step, rest, apart = step // 2, part, step - part
        part //= 2
    asked, kept = {(n - 1) // 2, n // 2}, []
    for low, high in reversed(pairs):
        if low in asked or high in asked:
            asked |= {low, high}
            kept.append((low, high))
    return tuple(reversed(kept))


def around(values: Floats, width: int) -> Floats:
    """(n, width) the values around each of (n,), the outermost repeated beyond the ends; ``width`` is odd.

    >>> around(np.array([1.0, 2.0, 5.0]), 3).tolist()
    [[1.0, 1.0, 2.0], [1.0, 2.0, 5.0], [2.0, 5.0, 5.0]]
    """
    places = np.arange(values.size)[:, None] + np.arange(-(width // 2), width // 2 + 1)
    near: Floats = values[np.clip(places, 0, values.size - 1)]
    return near


def quantile(values: Floats, share: float) -> Floats:
    """The quantile along the last axis, which disappears, between two values on the straight line.

    >>> quantile(np.array([[4.0, 1.0, 2.0, 3.0]]), 0.5).tolist()
    [2.5]
    """
    n = values.shape[-1]
    place = share * (n - 1)
    below = int(place)
    high = np.partition(values, below, axis=-1)
    lower = high[..., below]
    if below == n - 1:
        return np.asarray(lower)
    upper = high[..., below + 1 :].min(axis=-1)
    step, rest = upper - lower, place - below
    found: Floats = lower + step * rest if rest < 0.5 else upper - step * (1 - rest)
    return found
