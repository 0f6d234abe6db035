"""Who reads which study next, and what happens when a deadline comes near?"""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import CriticalValue
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.claims import LEASE, holder, require_free, require_second_person
from ecg_center.domain.errors import Conflict, NotAllowed
from ecg_center.domain.workflow import TO_REVIEW, TO_WRITE, Move, State
from ecg_center.store.events import CENTRE, move, note
from ecg_center.store.scopes import actor_of
from ecg_center.store.studies import lock_study
from ecg_center.store.tables import Study
from ecg_center.worklist import queries
from ecg_center.worklist.schemas import Counts, Desk, WorklistRow

PAGE = 100
"""More rows than a physician looks through; the list shows how many there are in all."""
COUNT_MOST = 10_000
SWEEP_LIMIT = 500


async def rows(
    session: AsyncSession, principal: Principal, desk: Desk, now: datetime, *, offset: int = 0
) -> tuple[list[WorklistRow], int]:
    """What lies on the person's desk, in reading order, and how many in all."""
    kinds = principal.kinds(_act(desk))
    found = await queries.desk_rows(session, desk, principal.person_id, kinds, now, PAGE, offset)
    total = await queries.desk_count(session, desk, principal.person_id, kinds)
    return [_row(row, now) for row in found], total


async def recent(
    session: AsyncSession,
    now: datetime,
    *,
    states: Collection[State] | None = None,
    text: str = "",
    since: datetime | None = None,
    offset: int = 0,
) -> tuple[list[WorklistRow], int]:
    """Studies in sight, the newest first, and how many there are (counted up to 10 000)."""
    text = text.strip()[:64]
    found = await queries.recent_rows(session, states=states, text=text, since=since, limit=PAGE, offset=offset)
    if len(found) < PAGE and (found or offset == 0):
        total = offset + len(found)  # the last page says it itself
    else:
        total = await queries.recent_count(session, states=states, text=text, since=since, most=COUNT_MOST)
    return [_row(row, now) for row in found], total


async def counts(session: AsyncSession, principal: Principal, now: datetime) -> Counts:
    """How much is on each desk, and what is alarming."""
    alarms = await queries.alarm_counts(session, now)
    person = principal.person_id
    return Counts(
        to_write=await queries.desk_count(session, "write", person, principal.kinds(Act.WRITE)),
        to_review=await queries.desk_count(session, "review", person, principal.kinds(Act.REVIEW)),
        urgent=alarms.urgent,
        breached=alarms.breached,
        unmatched=alarms.unmatched,
        quarantined=alarms.quarantined,
    )


async def claim(session: AsyncSession, principal: Principal, study_id: UUID, now: datetime) -> Study:
    """Take a study to write or review it; claiming what one holds renews the lease.

    Raises:
        Conflict: another person holds it, or it is not waiting for anyone.
        NotAllowed: no authority for this, or one's own report would be reviewed.
    """
    study = await lock_study(session, study_id)
    desk = desk_of(study)
    principal.require(_act(desk), study.kind)
    holding = holder(study.claimed_by, study.lease_until, now)
    if holding is not None:
        require_free(holding, principal.person_id, await queries.holder_name(session, holding))
    if desk == "review":
        require_second_person(study.writer_id, principal.person_id)
    if holding is None:
        move(session, study, Move.CLAIM, actor=actor_of(principal), at=now)
    study.claimed_by, study.lease_until = principal.person_id, now + LEASE
    if desk == "write":
        study.writer_id = principal.person_id
    return study


async def renew(session: AsyncSession, principal: Principal, study_id: UUID, now: datetime) -> datetime:
    """Keep holding a study while its page is open; returns until when.

    Raises:
        Conflict: the claim was lost to another person or let go.
    """
    study = await lock_study(session, study_id)
    if study.claimed_by != principal.person_id:
        raise Conflict("Your claim on this study has ended; take it again to go on.")
    study.lease_until = now + LEASE
    return study.lease_until


async def let_go(session: AsyncSession, principal: Principal, study_id: UUID, now: datetime) -> None:
    """Give a claimed study back to everyone; its draft stays."""
    study = await lock_study(session, study_id)
    if study.claimed_by != principal.person_id:
        raise NotAllowed("You do not hold this study.")
    move(session, study, Move.LET_GO, actor=actor_of(principal), at=now)
    study.claimed_by = study.lease_until = None


async def take_next(
    session: AsyncSession, principal: Principal, desk: Desk, now: datetime, *, after: UUID | None = None
) -> Study | None:
    """Claim the study that the person should read next; None where the desk is empty."""
    found = await queries.next_free(session, desk, principal.person_id, principal.kinds(_act(desk)), now, after=after)
    return None if found is None else await claim(session, principal, found, now)


async def sweep_deadlines(session: AsyncSession, now: datetime) -> int:
    """Mark every due time that warns or is missed; safe to run at any moment and as often as one likes."""
    found = await queries.running_deadlines(session, now, SWEEP_LIMIT)
    for deadline, study in found:
        if deadline.warned_at is None:
            deadline.warned_at = now
            if deadline.due_at >= now:
                note(session, study, "deadline_warned", actor=CENTRE, at=now, kind=deadline.kind)
        if deadline.due_at < now:
            deadline.breached_at = now
            due = deadline.due_at.isoformat()
            note(session, study, "deadline_breached", actor=CENTRE, at=now, kind=deadline.kind, due_at=due)
    return len(found)


def desk_of(study: Study) -> Desk:
    """On which desk a study lies.

    Raises:
        Conflict: it waits for neither writing nor review.
    """
    state = State(study.state)
    if state in TO_WRITE:
        return "write"
    if state in TO_REVIEW:
        return "review"
    raise Conflict("The study is {state}; there is nothing to write or review.", state=study.state)


def _act(desk: Desk) -> Act:
    return Act.WRITE if desk == "write" else Act.REVIEW


def _row(row: Row[Any], now: datetime) -> WorklistRow:
    study: Study = row.Study
    holding = holder(study.claimed_by, study.lease_until, now)
    return WorklistRow(
        study_id=study.id,
        institution_code=row.institution_code,
        institution_name=row.institution_name,
        kind=study.kind,
        state=study.state,
        accession_number=study.accession_number,
        patient_name=row.patient_name,
        device_patient_name=row.device_patient_name,
        sex=row.sex,
        birth_date=row.birth_date,
        indication=study.indication,
        source=study.source,
        urgent=study.urgent,
        chest_pain=study.chest_pain,
        grade=study.grade,
        urgency=study.urgency,
        received_at=study.received_at,
        registered_at=study.registered_at,
        due_kind=row.due_kind,
        due_at=row.due_at,
        warn_at=row.warn_at,
        holder_id=holding,
        holder_name=row.holder_name if holding else None,
        lease_until=study.lease_until if holding else None,
        writer_id=study.writer_id,
        writer_name=row.writer_name,
        returned_reason=row.returned_reason,
        read_share=row.read_share,
        read_stage=row.read_stage,
        read_remaining_s=row.read_remaining_s,
        critical=tuple(CriticalValue.model_validate(value) for value in row.critical or ()),
    )
