"""How fast, when, and what in each hour? The table of a day and its extremes.

A rate is a mean over at least eight intervals and at least ten seconds of beats that count, so that neither one early
beat nor one false one makes the fastest or slowest minute of a life (IEC 60601-2-47 leaves the width to the maker and
asks him to say it). Night is 22:00 to 06:00 unless the patient's diary says when sleep was.
"""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.holter import Event, HourRow
from worker.holter.happened import KINDS, NUMBER, Happened
from worker.holter.measured import Label, Measured
from worker.holter.readable import DAY_S, HOUR_S, Bools, Floats, Readable, Spans, clock_s
from worker.holter.rows import as_floats, binned_median
from worker.recording import Annotation
from worker.signal.compiled import compiled

WINDOW_BEATS: Final = 8
WINDOW_S: Final = 10.0
BEATS_AT_ONCE: Final = 65_536
"""So that two weeks need little more memory than a day."""
NIGHT_FROM_H: Final = 22
NIGHT_UNTIL_H: Final = 6
MIN_ROW_S: Final = 60.0
"""An hour with less to read than this has no rates of its own."""
ST_MEAN_S: Final = 60.0
MIN_SLEEP_S: Final = 2 * HOUR_S
ASLEEP_WORDS: Final = ("sleep", "asleep", "bed", "入睡", "睡", "就寝", "上床")
AWAKE_WORDS: Final = ("wake", "woke", "got up", "get up", "awake", "起床", "醒")
V_RUNS: Final = frozenset(("v_run", "vt", "idioventricular"))
S_RUNS: Final = frozenset(("s_run", "svt"))


def rate_mean(day: Readable, from_s: float = 0.0, to_s: float = np.inf) -> float | None:
    """Mean rate over all intervals that end in a stretch, per minute."""
    first, last = np.searchsorted(day.at_s[1:], [from_s, to_s])
    counted = day.rr_s[first:last][day.sound[first:last]]
    return 60.0 / float(counted.mean()) if counted.size else None


def moving_rates(day: Readable) -> tuple[Floats, NDArray[np.int32]]:
    """(rate per minute, last beat) of the window that begins at each beat; nan where it cannot be believed."""
    lasts, good = _windows(day.at_s, day.sound, day.is_label(Label.Q))
    n = len(lasts)
    rates = np.full(n, np.nan)
    for begin in range(0, n, BEATS_AT_ONCE):
        first = begin + np.flatnonzero(good[begin : begin + BEATS_AT_ONCE])
        last = lasts[first]
        rates[first] = 60.0 * (last - first) / (day.at_s[last] - day.at_s[first])
    return rates, lasts


@compiled
def _windows(at_s: Floats, sound: Bools, doubtful: Bools) -> tuple[NDArray[np.int32], Bools]:
    """((n,) last beat of the window from each one on, (n,) whether all in it may be believed)."""
    n, last = at_s.size, 0
    lasts, good = np.empty(n, np.int32), np.zeros(n, np.bool_)
    bad = np.zeros(n + 1, np.int32)  # intervals that are not sound and beats in doubt, up to each beat
    for i in range(n):
        bad[i + 1] = bad[i] + doubtful[i] + (i < n - 1 and not sound[i])
    for first in range(n):
        while last < n and at_s[last] < at_s[first] + WINDOW_S:
            last += 1
        end = max(first + WINDOW_BEATS, last)
        lasts[first] = min(end, n - 1)
        good[first] = end < n and bad[end] == bad[first]
    return lasts, good


def extreme_events(day: Readable) -> list[Event]:
    """The slowest and the fastest window and the longest interval, as strips to look at."""
    rates, last = moving_rates(day)
    found: list[Event] = []
    if np.isfinite(rates).any():
        kinds: tuple[tuple[Literal["slowest", "fastest"], int], ...] = (
            ("slowest", int(np.nanargmin(rates))),
            ("fastest", int(np.nanargmax(rates))),
        )
        found = [
            Event(
                kind=kind,
                start_s=round(float(day.at_s[row]), 3),
                end_s=round(float(day.at_s[last[row]]), 3),
                beats=int(last[row]) - row + 1,
                rate_bpm=round(float(rates[row]), 1),
            )
            for kind, row in kinds
        ]
    if day.sound.any():
        row = int(np.argmax(np.where(day.sound, day.rr_s, 0.0)))
        found.append(
            Event(
                kind="longest_rr",
                start_s=round(float(day.at_s[row]), 3),
                end_s=round(float(day.at_s[row + 1]), 3),
                beats=2,
                value=round(1000 * float(day.rr_s[row])),
                quantity="rr_ms",
            )
        )
    return found


def nights(measured: Measured) -> Spans:
    """When it was night; nothing where neither the diary nor a clock says so.

    >>> from worker.holter.summary import _nights_by_clock
    >>> _nights_by_clock(20 * 3600.0, 86400.0).pairs()
    [(7200.0, 36000.0)]
    """
    asleep = _nights_by_diary(measured.marks, measured.duration_s)
    if asleep.start_s.size:
        return asleep
    clock = clock_s(measured)
    return Spans.of([]) if clock is None else _nights_by_clock(clock, measured.duration_s)


def _nights_by_clock(clock: float, duration_s: float) -> Spans:
    days = range(-1, int((clock + duration_s) // DAY_S) + 1)
    pairs = (
        (day * DAY_S + NIGHT_FROM_H * HOUR_S - clock, (day + 1) * DAY_S + NIGHT_UNTIL_H * HOUR_S - clock)
        for day in days
    )
    return Spans.of((max(0.0, start), min(duration_s, end)) for start, end in pairs)


def _nights_by_diary(marks: Sequence[Annotation], duration_s: float) -> Spans:
    """From each word of falling asleep to the next word of waking up, where it lasts as long as a sleep."""
    found: list[tuple[float, float]] = []
    since: float | None = None
    for mark in sorted(marks, key=lambda mark: mark.start_s):
        said = mark.label.lower()
        if any(word in said for word in AWAKE_WORDS):
            if since is not None:
                found.append((since, mark.start_s))
            since = None
        elif any(word in said for word in ASLEEP_WORDS):
            if mark.end_s is not None and mark.end_s - mark.start_s >= MIN_SLEEP_S:
                found.append((mark.start_s, mark.end_s))
            elif since is None:
                since = mark.start_s
    return Spans.of((start, min(end, duration_s)) for start, end in found if end - start >= MIN_SLEEP_S)


def rate_in(day: Readable, spans: Spans, *, outside: bool = False) -> float | None:
    """Mean rate over the intervals that end inside of the spans, or outside of them."""
    if not spans.start_s.size:
        return None
    chosen = day.sound & (spans.inside(day.at_s[1:]) ^ outside)
    return 60.0 / float(day.rr_s[chosen].mean()) if chosen.any() else None


def hour_edges(measured: Measured) -> Floats:
    """(n + 1,) seconds at which the rows of the hourly table begin, and the end of the last.

    Rows are hours of the clock where the start is known, so that the first and the last are shorter.
    """
    clock = clock_s(measured)
    first = HOUR_S - clock % HOUR_S if clock is not None else HOUR_S
    inner = np.arange(first, measured.duration_s, HOUR_S)
    return np.concatenate([[0.0], inner[measured.duration_s - inner > 1.0], [measured.duration_s]])


def hours(day: Readable, happened: Happened, qtc_ms: Floats) -> list[HourRow]:
    """The table.

    Args:
        happened: all events, for the counts.
        qtc_ms: (rows of ``minutes``,) nan where not measured.
    """
    edges = hour_edges(day.measured)
    count = _Counter(edges, day, happened)
    rates, _ = moving_rates(day)
    beats_of = [0, *np.searchsorted(day.at_s, edges[1:-1]).tolist(), len(day.at_s)]
    af = Spans.of((event.start_s, event.end_s) for event in happened.before if event.kind in ("af", "flutter"))
    minutes_of = np.searchsorted(day.measured.minutes.start_s, edges)
    found = []
    for row, (start, end) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        analysed = day.analysed(start, end)
        beats = slice(beats_of[row], beats_of[row + 1])
        mine, minutes = rates[beats], slice(*minutes_of[row : row + 2])
        mean = rate_mean(day, start, end) if analysed >= MIN_ROW_S else None
        believed = mean is not None and bool(np.isfinite(mine).any())
        found.append(
            HourRow(
                start_s=round(start, 3),
                end_s=round(end, 3),
                analysed_s=round(analysed, 1),
                beats=beats.stop - beats.start,
                rate_mean_bpm=None if mean is None else round(mean, 1),
                rate_min_bpm=round(float(np.nanmin(mine)), 1) if believed else None,
                rate_max_bpm=round(float(np.nanmax(mine)), 1) if believed else None,
                v_beats=count.labels(beats, Label.V),
                v_couplets=count.of(row, frozenset(("v_couplet",))),
                v_runs=count.of(row, V_RUNS),
                s_beats=count.labels(beats, Label.S),
                s_couplets=count.of(row, frozenset(("s_couplet",))),
                s_runs=count.of(row, S_RUNS),
                pauses=count.of(row, frozenset(("pause",))),
                af_s=round(af.seconds(start, end), 1),
                qtc_ms=_median(qtc_ms[minutes]),
                st_max_mv=_largest_st(day.measured, minutes),
            )
        )
    return found


class _Counter:
    """How many beats and events fall in each row."""

    def __init__(self, edges: Floats, day: Readable, happened: Happened) -> None:
        self._label = day.beats.label
        rows = np.clip(np.searchsorted(edges, happened.starts(day), "right") - 1, 0, len(edges) - 2)
        self._counts = np.zeros((len(KINDS), len(edges) - 1), np.int64)
        np.add.at(self._counts, (happened.kinds(), rows), 1)

    def labels(self, beats: slice, label: Label) -> int:
        return int(np.count_nonzero(self._label[beats] == label))

    def of(self, row: int, kinds: frozenset[str]) -> int:
        return sum(int(self._counts[NUMBER[kind], row]) for kind in kinds)


def _median(values: Floats) -> float | None:
    return round(float(np.nanmedian(values)), 1) if np.isfinite(values).any() else None


def _largest_st(measured: Measured, rows: slice) -> float | None:
    """The ST level of any lead, minute by minute, that lies farthest from the base line, mV."""
    minutes = measured.minutes
    if not measured.calibrated or rows.stop <= rows.start:
        return None
    levels = binned_median(as_floats(minutes.st_uv[:, rows]), max(1, round(ST_MEAN_S / minutes.step_s)))
    if not np.isfinite(levels).any():
        return None
    place = np.unravel_index(int(np.nanargmax(np.abs(levels))), levels.shape)
    return round(float(levels[place]) / 1000, 3)
