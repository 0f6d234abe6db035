"""Which of a few values has how many below it? Sorted lists of some dozen values, kept sorted while one changes.

The one file of compiled functions that others take from: what they keep on disk is made anew when this file changes
(:data:`worker.signal.compiled.SHARED`).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled_finite

Float32s = NDArray[np.float32]
Reals = NDArray[np.floating[Any]]


@compiled_finite
def of_rank(values: Float32s, rank: int) -> float:
    """The value that has this many below it; counting all of a few is faster than sorting them.

    >>> of_rank(np.array([3, 1, 2, 2], np.float32), 3)
    3.0
    """
    best, most = np.float32(3e38), np.float32(rank)
    for i in range(values.size):
        upto, own = np.float32(0.0), values[i]
        for j in range(values.size):
            upto += np.float32(1.0) if values[j] <= own else np.float32(0.0)
        if upto > most:
            best = min(best, own)
    return float(best)


@compiled_finite
def insert(ordered: Float32s, count: int, value: float) -> None:
    """Put one more value into a sorted list of ``count``.

    >>> few = np.array([1, 4, 9, 0], np.float32)
    >>> insert(few, 3, 5.0)
    >>> few.tolist()
    [1.0, 4.0, 5.0, 9.0]
    """
    i = count
    while i > 0 and ordered[i - 1] > value:
        ordered[i] = ordered[i - 1]
        i -= 1
    ordered[i] = value


@compiled_finite
def exchange(ordered: Reals, gone: float, come: float) -> None:
    """Take one value out of a sorted list and put another in.

    >>> few = np.array([1, 4, 5, 9], np.float32)
    >>> exchange(few, 4.0, 7.0)
    >>> few.tolist()
    [1.0, 5.0, 7.0, 9.0]
    """
    i = 0
    while ordered[i] != gone and i < ordered.size - 1:
        i += 1
    while i < ordered.size - 1 and ordered[i + 1] < come:
        ordered[i] = ordered[i + 1]
        i += 1
    while i > 0 and ordered[i - 1] > come:
        ordered[i] = ordered[i - 1]
        i -= 1
    ordered[i] = come


@compiled_finite
def sort_to_middle(rows: Float32s, count: int) -> None:
    """Sort each column of the first ``count`` rows as far as its median, all columns side by side.

    >>> rows = np.array([[5, 1], [3, 2], [4, 9]], np.float32)
    >>> sort_to_middle(rows, 3)
    >>> rows[1].tolist()
    [4.0, 2.0]
    """
    for done in range(count // 2 + 1):
        for k in range(count - 1, done, -1):
            upper, lower = rows[k - 1], rows[k]
            for j in range(upper.size):
                one, other = upper[j], lower[j]
                upper[j], lower[j] = min(one, other), max(one, other)


@compiled_finite
def medians_at_end(row: Float32s, first: NDArray[np.int64], median: Float32s) -> None:
    """Into ``median`` of each place that of the stretches of ``row`` that begin at ``first``, as far as they lie in it.

    >>> median = np.zeros(2, np.float32)
    >>> medians_at_end(np.array([5, 1, 7], np.float32), np.array([-1, 1, 2]), median)
    >>> median.tolist()
    [7.0, 7.0]
    """
    column = np.empty(first.size, np.float32)
    for j in range(median.size):
        count = 0
        for k in range(first.size):
            if 0 <= first[k] + j < row.size:
                column[count] = row[first[k] + j]
                count += 1
        if count:
            median[j] = of_rank(column[:count], count // 2)
