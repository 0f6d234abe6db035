"""How much do normal intervals vary? Statistical and geometric measures of the Task Force 1996.

What differs from neurokit2: segments of five minutes hold all of their intervals (there, the last of each is left out),
and TINN is the triangle that is best over the whole histogram (there, its left corner is not moved).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.hrv.intervals import Intervals
from worker.holter.readable import Floats
from worker.signal.order import median, quantile

SEGMENT_S: Final = 300.0
MIN_SEGMENTS: Final = 3
SEGMENT_SHARE: Final = 0.5
"""Of a segment's time that its normal intervals must fill before its mean is believed."""
BIN_MS: Final = 1000 / 128
"""The usual width of the histogram's bins (Task Force 1996: 7.8125 ms, 1/128 s)."""
MAD_SCALE: Final = 1.4826
"""From the median absolute deviation to the standard deviation of a normal distribution."""


def time_metrics(intervals: Intervals) -> dict[str, float]:
    """Measures in the time domain; a value that the series is too short for is absent.

    >>> found = time_metrics(Intervals.following(np.array([800.0, 850.0, 780.0, 790.0])))
    >>> round(found["sdnn_ms"], 3), round(found["rmssd_ms"], 3), found["pnn50_percent"]
    (31.091, 50.0, 25.0)
    """
    nn, steps = intervals.nn_ms, intervals.steps_ms
    if nn.size < 2:
        return {}
    mean, middle = float(nn.mean()), float(median(nn))
    sdnn = float(nn.std(ddof=1))
    mad = MAD_SCALE * float(median(np.abs(nn - middle)))
    low, high, first, third = (float(quantile(nn, share)) for share in (0.2, 0.8, 0.25, 0.75))
    found = {
        "mean_nn_ms": mean,
        "median_nn_ms": middle,
        "min_nn_ms": float(nn.min()),
        "max_nn_ms": float(nn.max()),
        "sdnn_ms": sdnn,
        "cvnn": sdnn / mean,
        "mad_nn_ms": mad,
        "mcvnn": mad / middle,
        "iqr_nn_ms": third - first,
        "p20_nn_ms": low,
        "p80_nn_ms": high,
    }
    return found | _of_steps(steps, found) | _of_segments(intervals) | _of_histogram(nn)


def _of_steps(steps: Floats, found: dict[str, float]) -> dict[str, float]:
    """What the change from one interval to the next says."""
    if steps.size < 2:
        return {}
    rmssd = float(np.sqrt(np.mean(steps**2)))
    size = np.abs(steps)
    return {
        "rmssd_ms": rmssd,
        "sdsd_ms": float(steps.std(ddof=1)),
        "cvsd": rmssd / found["mean_nn_ms"],
        "pnn50_percent": 100 * float(np.count_nonzero(size > 50)) / (steps.size + 1),
        "pnn20_percent": 100 * float(np.count_nonzero(size > 20)) / (steps.size + 1),
    } | ({"sdnn_over_rmssd": found["sdnn_ms"] / rmssd} if rmssd else {})


def _of_segments(intervals: Intervals) -> dict[str, float]:
    """SDANN and SDNN index: between the means of five minutes, and the mean of the deviations within them."""
    begin_s = intervals.end_s - intervals.nn_ms / 1000
    row = ((begin_s - begin_s[0]) // SEGMENT_S).astype(np.int64)
    count = np.bincount(row)
    total = np.bincount(row, intervals.nn_ms)
    filled = (total >= 1000 * SEGMENT_S * SEGMENT_SHARE) & (count > 1)
    if np.count_nonzero(filled) < MIN_SEGMENTS:
        return {}
    mean = total / np.maximum(count, 1)
    square = np.bincount(row, (intervals.nn_ms - mean[row]) ** 2)
    within = np.sqrt(square[filled] / (count[filled] - 1))
    return {"sdann_ms": float(mean[filled].std(ddof=1)), "sdnn_index_ms": float(within.mean())}


def _of_histogram(nn: Floats) -> dict[str, float]:
    """Triangular index and TINN."""
    heights = np.bincount((nn // BIN_MS).astype(np.int64))
    found = {"triangular_index": float(nn.size / heights.max())}
    width = triangle_width(heights)
    return found | ({"tinn_ms": BIN_MS * width} if width else {})


def triangle_width(heights: NDArray[np.int64]) -> int:
    """Bins from corner to corner of the triangle over the highest bin that fits a histogram best (least squares).

    Its two sides do not touch one another's bins: each is fitted on its own.

    >>> triangle_width(np.array([0, 0, 1, 2, 3, 4, 2, 0, 0]))
    6
    """
    top = int(np.argmax(heights))
    left = _corner(heights[: top + 1][::-1].astype(float))
    right = _corner(heights[top:].astype(float))
    return left + right


def _corner(side: Floats) -> int:
    """How many bins after the highest, which comes first, the straight line to zero ends that fits best."""
    bins = np.arange(side.size + 1)
    lines = np.maximum(0.0, 1 - bins[None, : side.size] / np.maximum(bins[1:, None], 1)) * side[0]
    return int(np.argmin(((lines - side) ** 2).sum(axis=1))) + 1
