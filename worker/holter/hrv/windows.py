"""Variability of the whole recording, of day and night, and of each hour."""

from itertools import pairwise
from typing import Final

import numpy as np

from ecg_center.contract.holter import HrvWindow
from worker.holter.hrv.frequency import frequency_metrics
from worker.holter.hrv.intervals import Intervals, normal_intervals
from worker.holter.hrv.nonlinear import nonlinear_metrics
from worker.holter.hrv.time import time_metrics
from worker.holter.kept import kept
from worker.holter.readable import Readable, Spans
from worker.holter.summary import hour_edges, nights

MIN_INTERVALS: Final = 250
"""Fewer than about five minutes of sinus rhythm are no window."""
DIGITS: Final = 6


def metrics_of(intervals: Intervals) -> dict[str, float]:
    """All measures of a series by name, e.g. ``sdnn_ms``, ``lf_ms2``, ``sd1_ms``, ``sample_entropy``."""
    return time_metrics(intervals) | frequency_metrics(intervals) | nonlinear_metrics(intervals)


def variability(day: Readable, night: Spans | None = None) -> list[HrvWindow]:
    """The windows of a day, the whole first; ``day`` and ``night`` where it is known when it was night.

    Args:
        night: where it is known already (:func:`worker.holter.summary.nights`).
    """
    intervals = normal_intervals(day)
    dark = nights(day.measured) if night is None else night
    end_s = day.duration_s
    pairs = dark.pairs()
    windows = [("whole", [(0.0, end_s)])]
    if pairs:
        windows += [("day", _others(pairs, end_s)), ("night", pairs)]
    edges = hour_edges(day.measured).tolist()
    windows += [("hour", [pair]) for pair in pairwise(edges)]
    return [window for name, parts in windows if parts and (window := _window(day, intervals, name, parts)) is not None]


def _others(pairs: list[tuple[float, float]], end_s: float) -> list[tuple[float, float]]:
    """The rest of the recording."""
    starts, ends = [0.0, *(end for _, end in pairs)], [*(start for start, _ in pairs), end_s]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if end > start]


def _window(day: Readable, intervals: Intervals, name: str, parts: list[tuple[float, float]]) -> HrvWindow | None:
    begins, ends = day.at_s[:-1], day.at_s[1:]
    of_all = 0
    for start, end in parts:
        first, last = np.searchsorted(begins, start), np.searchsorted(ends, end, "right")
        of_all += int(np.count_nonzero(day.sound[first:last]))
    mine = intervals.between(parts, of_all)
    if len(mine) < MIN_INTERVALS:
        return None
    return HrvWindow(
        name=name,
        start_s=round(parts[0][0], 3),
        end_s=round(parts[-1][1], 3),
        nn_share=round(min(1.0, mine.share), 4),
        metrics=kept(day.measured.minutes, ("variability", mine.digest), lambda: _finite(metrics_of(mine))),
    )


def _finite(metrics: dict[str, float]) -> dict[str, float]:
    return {metric: round(value, DIGITS) for metric, value in metrics.items() if np.isfinite(value)}
