"""By when must a study be written, reviewed, and, for chest pain, answered?

The table of the operating guide for regional ECG diagnosis centres (县域医共体区域心电诊断中心建设与运行指南),
DESIGN.md section 1, counted from the moment the recording is stored at the centre. Outside working hours only the
review deadline of non-urgent studies may move, where the centre says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from ecg_center.domain.calendars import WorkingCalendar

StudyKind = Literal["resting", "holter", "abpm"]


class DeadlineKind(StrEnum):
    """What has to be done by then."""

    OPINION = "opinion"  # 初步诊断意见
    WRITTEN = "written"  # 报告
    REVIEWED = "reviewed"  # 审核


MINUTES: dict[tuple[str, DeadlineKind], int] = {
    ("resting", DeadlineKind.WRITTEN): 30,
    ("resting", DeadlineKind.REVIEWED): 45,
    ("holter", DeadlineKind.WRITTEN): 60,
    ("holter", DeadlineKind.REVIEWED): 90,
    ("abpm", DeadlineKind.WRITTEN): 60,
    ("abpm", DeadlineKind.REVIEWED): 90,
}

OPINION_MINUTES = 10
"""Chest pain and emergencies get a diagnostic opinion within 10 minutes at any hour (the guide; the chest-pain-centre
standard asks the same from first medical contact to the read ECG)."""

WARN_FRACTION = 1 / 3
"""A deadline warns when a third of its time is left: 10 of 30 minutes, a little over 3 of 10."""


@dataclass(frozen=True)
class Deadline:
    """One due time; ``warn_at`` lies before ``due_at``."""

    kind: DeadlineKind
    warn_at: datetime
    due_at: datetime


def deadlines(
    kind: StudyKind,
    *,
    stored_at: datetime,
    urgent: bool,
    chest_pain: bool,
    marked_at: datetime | None = None,
    calendar: WorkingCalendar,
    review_waits_for_working_hours: bool,
) -> list[Deadline]:
    """All due times of a study.

    ``marked_at`` is when the urgent or chest-pain mark was set, where that was after the recording was stored: the ten
    minutes of the opinion then run from the mark, for nobody could know before.
    """
    is_urgent = urgent or chest_pain
    due = [_fixed(DeadlineKind.WRITTEN, stored_at, MINUTES[kind, DeadlineKind.WRITTEN])]
    minutes = MINUTES[kind, DeadlineKind.REVIEWED]
    if review_waits_for_working_hours and not is_urgent:
        due.append(_working(DeadlineKind.REVIEWED, stored_at, minutes, calendar))
    else:
        due.append(_fixed(DeadlineKind.REVIEWED, stored_at, minutes))
    if is_urgent:
        start = max(stored_at, marked_at) if marked_at else stored_at
        due.insert(0, _fixed(DeadlineKind.OPINION, start, OPINION_MINUTES))
    return due


def _fixed(kind: DeadlineKind, start: datetime, minutes: int) -> Deadline:
    span = timedelta(minutes=minutes)
    return Deadline(kind, start + span * (1 - WARN_FRACTION), start + span)


def _working(kind: DeadlineKind, start: datetime, minutes: int, calendar: WorkingCalendar) -> Deadline:
    span = timedelta(minutes=minutes)
    try:
        due_at = calendar.add(start, span)
    except ValueError:  # a calendar without work: a mistake there must not keep a recording out
        return _fixed(kind, start, minutes)
    return Deadline(kind, due_at - span * WARN_FRACTION, due_at)


def phase(
    now: datetime, *, warn_at: datetime, due_at: datetime, met_at: datetime | None
) -> Literal["met", "met_late", "running", "warning", "breached"]:
    """How a deadline stands at ``now``."""
    if met_at is not None:
        return "met" if met_at <= due_at else "met_late"
    if now > due_at:
        return "breached"
    return "warning" if now >= warn_at else "running"
