"""How do due times get into the database, and who wakes when they come?

A deadline is a row. The jobs at ``warn_at`` and ``due_at`` only wake a handler that reads the row again; a one-minute
sweep catches whatever a lost job would have missed (``worklist.service.sweep_deadlines``).
"""

from datetime import date, datetime, time
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.domain.calendars import ALWAYS, Hours, WorkingCalendar
from ecg_center.domain.deadlines import Deadline, DeadlineKind, StudyKind, deadlines
from ecg_center.store.jobs import CENTRE_QUEUE, defer
from ecg_center.store.tables import Calendar, CalendarDay, DeadlineRow, Institution, Study

WAKE_TASK = "deadline_wake"


async def set_deadlines(session: AsyncSession, study: Study) -> None:
    """Write the study's due times, counted from ``received_at``; a mark that came later adds the opinion's.

    A met deadline stays met. Repeating the call changes nothing.
    """
    if study.received_at is None:
        return
    calendar, waits = await centre_calendar(session)
    due = deadlines(
        cast("StudyKind", study.kind),
        stored_at=study.received_at,
        urgent=study.urgent,
        chest_pain=study.chest_pain,
        marked_at=study.marked_at,
        calendar=calendar,
        review_waits_for_working_hours=waits,
    )
    rows = await session.scalars(select(DeadlineRow).where(DeadlineRow.study_id == study.id))
    existing = {row.kind: row for row in rows}
    for deadline in due:
        await _write(session, study, existing.get(deadline.kind.value), deadline)
    kinds = {deadline.kind.value for deadline in due}
    for kind, row in existing.items():
        if kind not in kinds and row.met_at is None:
            await session.delete(row)


async def _write(session: AsyncSession, study: Study, row: DeadlineRow | None, deadline: Deadline) -> None:
    if row is not None and (row.met_at is not None or row.due_at == deadline.due_at):
        return
    if row is None:
        row = DeadlineRow(study_id=study.id, institution_id=study.institution_id, kind=deadline.kind.value)
        session.add(row)
    row.warn_at, row.due_at = deadline.warn_at, deadline.due_at
    row.warned_at = row.breached_at = None  # they spoke of the old due time; the timeline keeps their lines
    for at in (deadline.warn_at, deadline.due_at):
        await defer(session, WAKE_TASK, queue=CENTRE_QUEUE, at=at, study_id=str(study.id))


async def meet(session: AsyncSession, study_id: UUID, kind: DeadlineKind, at: datetime) -> None:
    """Mark a deadline as met, the first time only."""
    row = await session.get(DeadlineRow, (study_id, kind.value))
    if row is not None and row.met_at is None:
        row.met_at = at


async def centre_calendar(session: AsyncSession) -> tuple[WorkingCalendar, bool]:
    """The lead hospital's working calendar, and whether non-urgent reviews wait for it."""
    row = await session.scalar(
        select(Calendar).join(Institution, Institution.calendar_id == Calendar.id).where(Institution.kind == "lead")
    )
    if row is None:
        return ALWAYS, False
    days = await session.scalars(
        select(CalendarDay).where(
            CalendarDay.calendar_id == row.id,
            CalendarDay.day.between(text("current_date - 7"), text("current_date + 90")),
        )
    )
    exceptions: dict[date, Hours] = {day.day: read_hours(day.hours) for day in days}
    weekly = {int(day): read_hours(hours) for day, hours in row.weekly.items()}
    return WorkingCalendar(weekly, exceptions, ZoneInfo(row.zone)), row.review_waits


def read_hours(hours: list[Any]) -> Hours:
    """[["08:00", "12:00"], …] as times.

    Raises:
        ValueError: these are no hours of a day in ascending order.
    """
    try:
        read = tuple((time.fromisoformat(begin), time.fromisoformat(end)) for begin, end in hours)
    except TypeError as error:
        raise ValueError("a day's hours are pairs of times") from error
    edges = [edge for span in read for edge in span]
    if edges != sorted(set(edges)):
        raise ValueError("a day's hours ascend and do not touch")
    return read


async def deadlines_of(session: AsyncSession, study_id: UUID) -> list[DeadlineRow]:
    """A study's due times, the nearest first."""
    return list(
        await session.scalars(
            select(DeadlineRow).where(DeadlineRow.study_id == study_id).order_by(DeadlineRow.due_at, DeadlineRow.kind)
        )
    )
