"""How are the rows of ``Minutes`` smoothed, where some of them are missing?"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from worker.holter.measured import NOT_MEASURED
from worker.holter.readable import Bools, Floats

MAX_POINTS: Final = 2880
"""A trend on a page has no more values than this: a value a minute for two days, and ever fewer for longer."""


def as_floats(column: NDArray[np.int16]) -> Floats:
    """An int16 column with nan where nothing was measured."""
    return np.where(column == NOT_MEASURED, np.nan, column.astype(float))


def running_median(values: Floats, width: int, least: int = 1) -> Floats:
    """(…, n) median over ``width`` rows around each; nan where fewer than ``least`` of them are there.

    >>> running_median(np.array([1.0, np.nan, 3.0, 8.0, 5.0]), 3).tolist()
    [1.0, 2.0, 5.5, 5.0, 6.5]
    """
    half = width // 2
    pad = [(0, 0)] * (values.ndim - 1) + [(half, width - 1 - half)]
    windows = np.sort(sliding_window_view(np.pad(values, pad, constant_values=np.nan), width, axis=-1), axis=-1)
    return _middle(windows, least)


def _middle(ordered: Floats, least: int) -> Floats:
    """The median of the last axis, which is sorted with nan behind."""
    there = np.isfinite(ordered).sum(axis=-1)
    low, high = np.maximum(there - 1, 0) // 2, there // 2
    high = np.minimum(high, np.maximum(there - 1, 0))
    pair = np.take_along_axis(ordered, low[..., None], -1) + np.take_along_axis(ordered, high[..., None], -1)
    return np.where(there >= max(1, least), pair[..., 0] / 2, np.nan)


def known_median(values: Floats) -> Floats:
    """(…,) median of what is there of the last axis; numpy's own takes three times as long.

    >>> known_median(np.array([[3.0, np.nan, 1.0, 2.0], [np.nan] * 4])).tolist()
    [2.0, nan]
    """
    return _middle(np.sort(values, axis=-1), 1)


def binned_median(values: Floats, width: int, least: int = 1) -> Floats:
    """(…, ceil(n / width)) median of each ``width`` rows one after the other."""
    n = values.shape[-1]
    bins = max(1, -(-n // width))
    padded = np.full((*values.shape[:-1], bins * width), np.nan)
    padded[..., :n] = values
    return _middle(np.sort(padded.reshape(*values.shape[:-1], bins, width), axis=-1), least)


def trend_width(n_rows: int, step_s: float, wanted_s: float) -> int:
    """How many rows make one value of a trend of ``wanted_s`` a value, within :data:`MAX_POINTS`."""
    return max(1, round(wanted_s / step_s), -(-n_rows // MAX_POINTS))


def filled_short(values: Floats, longest: int) -> Floats:
    """(n,) the last value carried on over gaps of at most ``longest`` rows."""
    there = np.isfinite(values)
    if not there.any():
        return values
    rows = np.arange(len(values))
    last = np.maximum.accumulate(np.where(there, rows, -1))
    following = np.minimum.accumulate(np.where(there, rows, len(values))[::-1])[::-1]
    short = ~there & (last >= 0) & (following < len(values)) & (following - last - 1 <= longest)
    return np.where(short, values[np.maximum(last, 0)], values)


def runs_of(flags: Bools) -> list[tuple[int, int]]:
    """(first, one past the last) of each stretch of true rows.

    >>> runs_of(np.array([0, 1, 1, 0, 1], bool))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
