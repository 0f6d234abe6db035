"""Which part of a measured day counts?

Nothing in an unreadable or left-out stretch counts, and no interval is believed that reaches across one, or across
ventricular fibrillation or standstill, which have no beats to measure between.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.measured import Beats, Label, Measured, Stretch

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]
HOUR_S: Final = 3600.0
MANY: Final = 1000
BEATING: Final = frozenset(("wide", "bidirectional"))
"""Tachycardias with beats of their own (:mod:`worker.holter.wide`), whose intervals count."""
DAY_S: Final = 86_400.0


@dataclass(frozen=True, eq=False)
class Spans:
    """Disjoint stretches of time in order: (n,) first and (n,) last seconds."""

    start_s: Floats
    end_s: Floats

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> "Spans":
        """These stretches, joined where they touch.

        >>> Spans.of([(5, 9), (1, 3), (2, 4)]).pairs()
        [(1.0, 4.0), (5.0, 9.0)]
        """
        joined: list[tuple[float, float]] = []
        for start, end in sorted(pair for pair in pairs if pair[1] > pair[0]):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        array = np.array(joined, float).reshape(-1, 2)
        return cls(array[:, 0], array[:, 1])

    def pairs(self) -> list[tuple[float, float]]:
        """(first, last) of each."""
        return list(zip(self.start_s.tolist(), self.end_s.tolist(), strict=True))

    def inside(self, at_s: Floats) -> Bools:
        """Which of these times lie in a stretch."""
        if _in_order(at_s):  # then the stretches are few beside the times, and are looked up among them
            return _between(at_s.size, np.searchsorted(at_s, self.start_s), np.searchsorted(at_s, self.end_s))
        before = np.searchsorted(self.start_s, at_s, "right")
        return (before > 0) & (at_s < np.concatenate([[-np.inf], self.end_s])[before])

    def touched(self, from_s: Floats, to_s: Floats) -> Bools:
        """Which of these intervals have a part in a stretch."""
        if _in_order(from_s) and _in_order(to_s):
            first, stop = np.searchsorted(to_s, self.start_s, "right"), np.searchsorted(from_s, self.end_s)
            return _between(from_s.size, first, stop)
        touched: Bools = np.searchsorted(self.end_s, from_s, "right") < np.searchsorted(self.start_s, to_s)
        return touched

    def seconds(self, from_s: float, to_s: float) -> float:
        """How much of ``from_s`` to ``to_s`` lies in the stretches."""
        parts = np.minimum(self.end_s, to_s) - np.maximum(self.start_s, from_s)
        return float(parts[parts > 0].sum())


def _in_order(at_s: Floats) -> bool:
    """Whether these are many times, and in order, as those of beats are."""
    return at_s.size >= MANY and bool((at_s[1:] >= at_s[:-1]).all())


def _between(n: int, first: Rows, stop: Rows) -> Bools:
    """(n,) which rows lie from one of the first up to its stop."""
    found = np.zeros(n, bool)
    for a, b in zip(first.tolist(), stop.tolist(), strict=True):
        found[a:b] = True
    return found


def spans_of(stretches: Iterable[Stretch], hz: float) -> Spans:
    """Stretches of samples as seconds."""
    return Spans.of((stretch.start / hz, stretch.stop / hz) for stretch in stretches)


@dataclass(frozen=True, eq=False)
class Readable:
    """A measured day without what does not count.

    Attributes:
        beats: those that count.
        at_s: (n,) their R peaks.
        rr_s: (n − 1,) intervals; interval i ends at beat i + 1.
        sound: (n − 1,) which intervals may be believed.
        left_out: what cannot be read.
        halted: ventricular fibrillation and standstill.
    """

    measured: Measured
    beats: Beats
    at_s: Floats
    rr_s: Floats
    sound: Bools
    left_out: Spans
    halted: Spans

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return self.measured.duration_s

    @cached_property
    def analysed_s(self) -> float:
        """Seconds that can be read."""
        return self.analysed(0.0, self.duration_s)

    def analysed(self, from_s: float, to_s: float) -> float:
        """How much of a stretch can be read."""
        return max(0.0, to_s - from_s - self.left_out.seconds(from_s, to_s))

    def is_label(self, *labels: Label) -> Bools:
        """(n,) which beats are of one of these classes."""
        found: Bools = self.beats.label == labels[0]
        for label in labels[1:]:
            found |= self.beats.label == label
        return found

    @cached_property
    def unsure(self) -> NDArray[np.int32]:
        """(n,) how many of the intervals that end at or before each beat are not to be believed."""
        return np.concatenate([np.zeros(1, np.int32), np.cumsum(~self.sound, dtype=np.int32)])


def readable(measured: Measured) -> Readable:
    """What counts of a day."""
    hz = measured.sampling_hz
    left_out = spans_of(measured.unreadable, hz)
    halted = spans_of((stretch for stretch in measured.rhythms if stretch.reason not in BEATING), hz)
    beats = measured.beats
    keep = ~(left_out.inside(beats.sample / hz) | halted.inside(beats.sample / hz))
    if not keep.all():
        beats = Beats(
            beats.sample[keep],
            beats.label[keep],
            beats.confidence[keep],
            beats.template[keep],
            beats.qrs_ms[keep],
            beats.p_wave[keep],
        )
    at_s = beats.sample / hz
    before, after = at_s[:-1], at_s[1:]
    sound = ~(left_out.touched(before, after) | halted.touched(before, after))
    return Readable(measured, beats, at_s, np.diff(at_s), sound, left_out, halted)


def clock_s(measured: Measured) -> float | None:
    """Seconds since midnight at which the recording began, by its own clock; None where it has none."""
    start = measured.started_at
    if start is None:
        return None
    return timedelta(hours=start.hour, minutes=start.minute, seconds=start.second).total_seconds() + (
        start.microsecond / 1e6
    )
