"""All SQL of the worklist."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, and_, case, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from ecg_center.domain.workflow import OPEN_STATES, TO_REVIEW, TO_WRITE, State
from ecg_center.store.tables import (
    DeadlineRow,
    FindingsRow,
    Institution,
    Patient,
    Person,
    PrereadProgress,
    Recording,
    Review,
    Study,
)
from ecg_center.store.tables import Report as ReportRow

Holder = aliased(Person)
Writer = aliased(Person)


def _values(states: Collection[State]) -> list[str]:
    return [state.value for state in states]


def _next_deadline() -> Any:
    """The nearest unmet due time of the study's present step; the opinion counts until it is given."""
    step = or_(
        DeadlineRow.kind.in_(("opinion", "reviewed")),
        and_(DeadlineRow.kind == "written", Study.state.in_(_values(TO_WRITE))),
    )
    return (
        select(DeadlineRow.kind, DeadlineRow.due_at, DeadlineRow.warn_at)
        .where(DeadlineRow.study_id == Study.id, DeadlineRow.met_at.is_(None), step)
        .order_by(DeadlineRow.due_at)
        .limit(1)
        .lateral("next_deadline")
    )


def _last_return() -> Any:
    return (
        select(Review.reason)
        .join(ReportRow, ReportRow.id == Review.report_id)
        .where(ReportRow.study_id == Study.id, ReportRow.state == "draft", Review.decision == "return")
        .order_by(Review.at.desc())
        .limit(1)
        .lateral("last_return")
    )


def _device_name() -> Any:
    return (
        select(Recording.identity["patient_name"].astext.label("name"))
        .where(Recording.study_id == Study.id)
        .order_by(Recording.stored_at.desc())
        .limit(1)
        .lateral("device_name")
    )


def _reading() -> Any:
    return (
        select(PrereadProgress.share, PrereadProgress.stage, PrereadProgress.remaining_s)
        .where(PrereadProgress.study_id == Study.id)
        .order_by(PrereadProgress.at.desc())
        .limit(1)
        .lateral("reading")
    )


def _critical() -> Any:
    """What the newest pre-read calls critical; nothing is opened of a study that is not graded so."""
    return (
        select(FindingsRow.content["critical"].label("critical"))
        .where(FindingsRow.study_id == Study.id, Study.grade == "critical")
        .order_by(FindingsRow.created_at.desc())
        .limit(1)
        .lateral("critical_values")
    )


def _rows(page: Select[UUID]) -> tuple[Select[Any], Any]:
    """All that a list shows of the studies of one page, and the column of their nearest due time.

    The page is chosen first, by its keys alone: what is shown of a study is looked up for a hundred, not for thousands.
    """
    due, returned, device, reading = _next_deadline(), _last_return(), _device_name(), _reading()
    critical = _critical()
    chosen = page.subquery("page")
    statement = (
        select(
            Study,
            Institution.code.label("institution_code"),
            Institution.name.label("institution_name"),
            Patient.name.label("patient_name"),
            Patient.sex,
            Patient.birth_date,
            Holder.name.label("holder_name"),
            Writer.name.label("writer_name"),
            due.c.kind.label("due_kind"),
            due.c.due_at,
            due.c.warn_at,
            returned.c.reason.label("returned_reason"),
            device.c.name.label("device_patient_name"),
            reading.c.share.label("read_share"),
            reading.c.stage.label("read_stage"),
            reading.c.remaining_s.label("read_remaining_s"),
            critical.c.critical,
        )
        .join(chosen, chosen.c.id == Study.id)
        .join(Institution, Institution.id == Study.institution_id)
        .outerjoin(Patient, Patient.id == Study.patient_id)
        .outerjoin(Holder, Holder.id == Study.claimed_by)
        .outerjoin(Writer, Writer.id == Study.writer_id)
        .outerjoin(due, literal(True))
        .outerjoin(returned, literal(True))
        .outerjoin(device, literal(True))
        .outerjoin(reading, literal(True))
        .outerjoin(critical, literal(True))
    )
    return statement, due.c.due_at


def _desk(desk: str, person_id: UUID, kinds: Collection[str]) -> Any:
    states = TO_WRITE if desk == "write" else TO_REVIEW
    conditions: list[Any] = [Study.state.in_(_values(states)), Study.kind.in_(kinds)]
    if desk == "review":
        conditions.append(Study.writer_id.is_distinct_from(person_id))
    return and_(*conditions)


async def desk_rows(
    session: AsyncSession, desk: str, person_id: UUID, kinds: Collection[str], now: datetime, limit: int, offset: int
) -> list[Row[Any]]:
    """A desk's studies: urgent first, then by time left; what another holds stands last.

    A study without a due time is an amendment, which somebody waits for: it stands first among its equals.
    """
    held_by_other = and_(Study.claimed_by.is_not(None), Study.claimed_by != person_id, Study.lease_until > now)

    def order(due_at: Any) -> tuple[Any, ...]:
        free_first = case((held_by_other, 1), else_=0)
        return free_first, Study.urgency, due_at.asc().nulls_first(), Study.received_at, Study.id

    due = _next_deadline()
    page = select(Study.id).outerjoin(due, literal(True)).where(_desk(desk, person_id, kinds))
    page = page.order_by(*order(due.c.due_at)).limit(limit).offset(offset)
    statement, due_at = _rows(page)
    return list(await session.execute(statement.order_by(*order(due_at))))


async def desk_count(session: AsyncSession, desk: str, person_id: UUID, kinds: Collection[str]) -> int:
    """How many studies lie on a desk."""
    counted = await session.scalar(select(func.count()).select_from(Study).where(_desk(desk, person_id, kinds)))
    return int(counted or 0)


async def next_free(
    session: AsyncSession, desk: str, person_id: UUID, kinds: Collection[str], now: datetime, *, after: UUID | None
) -> UUID | None:
    """The study to read next that nobody else holds; rows locked by a claim under way are skipped.

    One whose recording is not decoded yet has nothing to show, and one without an order cannot be released: each stands
    on the list, but is nobody's next.
    """
    due = _next_deadline()
    decoded = select(Recording.id).where(Recording.study_id == Study.id, Recording.state == "decoded").exists()
    ready = or_(Study.state != State.RECEIVED.value, decoded) if desk == "write" else Study.patient_id.is_not(None)
    free = or_(Study.claimed_by.is_(None), Study.claimed_by == person_id, Study.lease_until <= now)
    statement = (
        select(Study.id)
        .outerjoin(due, literal(True))
        .where(_desk(desk, person_id, kinds), free, ready)
        .order_by(Study.urgency, due.c.due_at.asc().nulls_first(), Study.received_at)
        .limit(1)
        .with_for_update(of=Study, skip_locked=True)
    )
    if after is not None:
        statement = statement.where(Study.id != after)
    return await session.scalar(statement)


async def recent_rows(
    session: AsyncSession,
    *,
    states: Collection[State] | None,
    text: str,
    since: datetime | None,
    limit: int,
    offset: int,
) -> list[Row[Any]]:
    """Studies in sight, the newest first, found by number or name."""
    newest = (Study.registered_at.desc(), Study.id)
    page = _filtered(select(Study.id), states, text, since).order_by(*newest).limit(limit).offset(offset)
    statement, _ = _rows(page)
    return list(await session.execute(statement.order_by(*newest)))


async def recent_count(
    session: AsyncSession, *, states: Collection[State] | None, text: str, since: datetime | None, most: int
) -> int:
    """How many there are, counted up to ``most``."""
    inner = _filtered(select(Study.id), states, text, since).limit(most)
    counted = await session.scalar(select(func.count()).select_from(inner.subquery()))
    return int(counted or 0)


def _filtered(
    statement: Select[UUID], states: Collection[State] | None, text: str, since: datetime | None
) -> Select[UUID]:
    statement = statement.where(Study.merged_into.is_(None))
    if states:
        statement = statement.where(Study.state.in_(_values(states)))
    if since is not None:
        statement = statement.where(Study.registered_at >= since)
    if text:
        statement = statement.where(_found(text))
    return statement


def _found(text: str) -> Any:
    """Whose accession or patient number begins with, or whose name contains, the text.

    Row-level security lets only leakproof operators into an index, so this reads every row in the span of time; it is
    kept cheap: patients once, not once a study, and numbers, which are capital ASCII, without folding case.
    """
    pattern = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    by_name = Patient.name.ilike(f"%{pattern}%")
    if not text.isascii():
        return Study.patient_id.in_(select(Patient.id).where(by_name))
    patients = select(Patient.id).where(or_(by_name, Patient.patient_no.ilike(f"{pattern}%")))
    return or_(Study.accession_number.like(f"{pattern.upper()}%"), Study.patient_id.in_(patients))


async def alarm_counts(session: AsyncSession, now: datetime) -> Row[Any]:
    """Open studies that are urgent, late, unmatched; recordings in quarantine."""
    late = (
        select(DeadlineRow.study_id)
        .where(DeadlineRow.study_id == Study.id, DeadlineRow.met_at.is_(None), DeadlineRow.due_at < now)
        .exists()
    )
    quarantined = select(func.count()).select_from(Recording).where(Recording.state == "quarantined").scalar_subquery()
    statement = select(
        func.count().filter(Study.urgency <= 2).label("urgent"),
        func.count().filter(late).label("breached"),
        func.count().filter(Study.patient_id.is_(None)).label("unmatched"),
        quarantined.label("quarantined"),
    ).where(Study.state.in_(_values(OPEN_STATES)))
    return (await session.execute(statement)).one()


async def holder_name(session: AsyncSession, person_id: UUID) -> str:
    """The name of whoever holds a study."""
    return await session.scalar(select(Person.name).where(Person.id == person_id)) or "?"


async def running_deadlines(session: AsyncSession, now: datetime, limit: int) -> list[tuple[DeadlineRow, Study]]:
    """Unmet due times whose warning or end has come and is not marked, of studies that still run."""
    rows = await session.execute(
        select(DeadlineRow, Study)
        .join(Study, Study.id == DeadlineRow.study_id)
        .where(
            DeadlineRow.met_at.is_(None),
            DeadlineRow.breached_at.is_(None),
            Study.state.in_(_values(OPEN_STATES)),
            or_(and_(DeadlineRow.warned_at.is_(None), DeadlineRow.warn_at <= now), DeadlineRow.due_at < now),
        )
        .order_by(DeadlineRow.due_at)
        .limit(limit)
        .with_for_update(of=DeadlineRow, skip_locked=True)
    )
    return [(row[0], row[1]) for row in rows]
