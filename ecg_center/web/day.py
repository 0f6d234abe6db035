"""How does a page say when something was in a day, and which figures of a Holter stand in its summary?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ecg_center.contract.holter import Ectopy, Event, HolterFindings, HrvWindow
from ecg_center.web.i18n import CLINIC_TIME, N_

DIARY_SHOWN: Final = 6
"""Marks of the patient that the summary names; the list of events has all."""

HRV: Final[tuple[tuple[str, str, str], ...]] = (
    ("sdnn_ms", "SDNN", "ms"),
    ("sdann_ms", "SDANN", "ms"),
    ("sdnn_index_ms", N_("SDNN index"), "ms"),
    ("rmssd_ms", "RMSSD", "ms"),
    ("pnn50_percent", "pNN50", "%"),
    ("triangular_index", N_("Triangular index"), ""),
    ("vlf_ms2", "VLF", "ms²"),
    ("lf_ms2", "LF", "ms²"),
    ("hf_ms2", "HF", "ms²"),
    ("lf_hf", "LF/HF", ""),
    ("sd1_ms", "SD1", "ms"),
    ("sd2_ms", "SD2", "ms"),
)
"""What stands in the table of variability (Task Force 1996): the metric's name, its name on the page, unit."""

WINDOWS: Final = {"whole": N_("Whole recording"), "day": N_("Daytime"), "night": N_("Night")}


def moment(at_s: float | None, started_at: datetime | None) -> str:
    """``03:12:05``, from the second day on ``D2 03:12:05``; the time since the start where the clock is not known.

    >>> from datetime import UTC, datetime
    >>> moment(3725, datetime(2026, 1, 1, 15, 30, tzinfo=UTC)), moment(3725, None)
    ('D2 00:32:05', '01:02:05')
    """
    if at_s is None:
        return "–"
    if started_at is None:
        whole = int(at_s)
        return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
    local = started_at.astimezone(CLINIC_TIME)
    then = local + timedelta(seconds=at_s)
    days = (then.date() - local.date()).days
    return f"{f'D{days + 1} ' if days else ''}{then:%H:%M:%S}"


def date_of_row(start_s: float, before_s: float | None, started_at: datetime | None) -> str:
    """``11-23`` where a row of the hourly table is the first of its date, else nothing: a long table shows its days.

    Args:
        before_s: when the row before began; None for the first.

    >>> from datetime import UTC, datetime
    >>> evening = datetime(2026, 12, 31, 12, tzinfo=UTC)
    >>> [date_of_row(hour * 3600, (hour - 1) * 3600 if hour else None, evening) for hour in (0, 3, 4, 5)]
    ['12-31', '', '01-01', '']
    """
    if started_at is None:
        return ""
    local = started_at.astimezone(CLINIC_TIME)
    date = (local + timedelta(seconds=start_s)).date()
    if before_s is not None and (local + timedelta(seconds=before_s)).date() == date:
        return ""
    return f"{date:%m-%d}"


def lasting(span_s: float | None) -> str:
    """``12 s``, ``3:05 min``, ``2:10 h``.

    >>> [lasting(span) for span in (4.26, 41, 185, 7800, None)]
    ['4.3 s', '41 s', '3:05 min', '2:10 h', '–']
    """
    if span_s is None:
        return "–"
    if span_s < 60:
        return f"{span_s:.1f} s" if span_s < 10 else f"{span_s:.0f} s"
    whole = round(span_s)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole // 60 % 60:02} h"


@dataclass(frozen=True)
class StExtreme:
    """The largest ST deviation of one lead, with its sign."""

    lead: str
    level_mv: float
    at_s: float


def st_extremes(holter: HolterFindings) -> list[StExtreme]:
    """Of each lead the largest deviation of its trend."""
    found = []
    for trend in holter.st:
        if trend.level_mv:
            at = max(range(len(trend.level_mv)), key=lambda i, levels=trend.level_mv: abs(levels[i]))  # type: ignore[misc]
            found.append(StExtreme(trend.lead, trend.level_mv[at], trend.times_s[at]))
    return found


def of_kind(holter: HolterFindings, *kinds: str) -> list[Event]:
    """The events of these kinds, in order of time."""
    return [event for event in holter.events if event.kind in kinds]


def worst(events: list[Event]) -> Event:
    """The event with the largest value; the longest where they have none."""
    return max(events, key=lambda event: (abs(event.value or 0.0), event.end_s - event.start_s))


def total_beats(holter: HolterFindings) -> int:
    """All beats that were counted."""
    return sum(holter.beats.values())


def ectopies(holter: HolterFindings) -> list[tuple[str, str, Ectopy]]:
    """The two kinds of early beats: letter, message id, counts."""
    return [("V", N_("Ventricular"), holter.ventricular), ("S", N_("Supraventricular"), holter.supraventricular)]


def hrv_windows(holter: HolterFindings) -> list[HrvWindow]:
    """The windows of the table: whole, day and night, those that there are."""
    return [window for name in WINDOWS for window in holter.hrv if window.name == name]


def hrv_rows(holter: HolterFindings) -> list[tuple[str, str, list[float | None]]]:
    """Lines of the table of variability: name, unit, a value each window; those that nothing measured are left out."""
    windows = hrv_windows(holter)
    rows = [(name, unit, [window.metrics.get(key) for window in windows]) for key, name, unit in HRV]
    return [row for row in rows if any(value is not None for value in row[2])]
