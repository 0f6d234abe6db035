"""How does a physician change what the machine said of a day?

By adding to a list that is never shortened: the worker replays it over the machine's result (``reconclude``), so that
the machine's own can always be seen again and every undo is an edit itself. Only who holds the study may, while it is
written or reviewed: what is signed stands.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import PREREAD_QUEUE, RECONCLUDE_PRIORITY, RECONCLUDE_TASK
from ecg_center.contract.holter import MAX_EDITS, Edit
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed
from ecg_center.domain.workflow import State
from ecg_center.preread import queries, service
from ecg_center.preread.days import day_of
from ecg_center.preread.schemas import EditForm, EditMade
from ecg_center.store.edits import EditError, check_form, standing
from ecg_center.store.events import audit
from ecg_center.store.jobs import defer
from ecg_center.store.scopes import actor_of
from ecg_center.store.studies import lock_study
from ecg_center.store.tables import FindingsEdit, Recording

MAY: dict[State, Act] = {State.WRITING: Act.WRITE, State.REVIEWING: Act.REVIEW}


async def made(session: AsyncSession, recording: Recording) -> list[EditMade]:
    """The list of a recording's edits, each with whether it holds."""
    rows = await queries.edits_of(session, recording.id)
    edits = [Edit.model_validate(row.content) for row in rows]
    return [
        EditMade(position=row.position, edit=edit, why=row.why, person_name=row.person_name, at=row.at, holds=holds)
        for row, edit, holds in zip(rows, edits, standing(edits), strict=True)
    ]


async def add(session: AsyncSession, principal: Principal, recording_id: UUID, form: EditForm, now: datetime) -> int:
    """Add an edit to the list and have it taken in; returns its position. Sending the same one again changes nothing.

    Raises:
        NotAllowed: the person does not hold the study.
        Conflict: the study is not being written or reviewed, or the list has grown since the page read it.
        Invalid: the edit could never be applied.
    """
    recording, _ = await service.recording(session, recording_id)
    study = await lock_study(session, recording.study_id)
    require_held(principal, study.claimed_by, State(study.state), study.kind)
    day = day_of(recording)
    if "measured" not in day:
        raise Conflict("The analysis of this recording failed; there is nothing that could be changed.")
    rows = await queries.edits_of(session, recording_id)
    content = form.edit.model_dump(mode="json", exclude_defaults=True)
    if not is_repeated(rows, principal, form.position, content):
        edits = [Edit.model_validate(row.content) for row in rows]
        _check(edits, form.edit, day["n_samples"] / day["sampling_hz"])
        await keep(session, principal, recording, form.position, content, form.why, now)
    return form.position


def require_held(principal: Principal, claimed_by: UUID | None, state: State, kind: str) -> None:
    """Only who holds the study changes what is said of it, while it is written or reviewed.

    Raises:
        NotAllowed: the person does not hold it, or may not read this kind of study.
        Conflict: it is not being written or reviewed.
    """
    if claimed_by != principal.person_id:
        raise NotAllowed("You do not hold this study; take it from the worklist first.")
    if state not in MAY:
        raise Conflict("The study is {state}; reload the page to see where it stands.", state=state.value)
    principal.require(MAY[state], kind)


def is_repeated(rows: list[FindingsEdit], principal: Principal, position: int, content: dict[str, Any]) -> bool:
    """Whether this edit stands in the list already: the answer to the first request was lost on its way.

    Raises:
        Conflict: another edit stands there, or the list is shorter than that.
    """
    if position < len(rows):
        if rows[position].person_id == principal.person_id and rows[position].content == content:
            return True
        raise Conflict("Somebody changed this day meanwhile; look at it again before you go on.")
    if position > len(rows):
        raise Conflict("The list of changes is shorter than this page believes; reload the page.")
    return False


async def keep(
    session: AsyncSession,
    principal: Principal,
    recording: Recording,
    position: int,
    content: dict[str, Any],
    why: str,
    now: datetime,
) -> None:
    """Put an edit at the end of the list and have the worker take it in."""
    session.add(
        FindingsEdit(
            institution_id=recording.institution_id,
            recording_id=recording.id,
            study_id=recording.study_id,
            position=position,
            content=content,
            why=why,
            person_id=principal.person_id,
            person_name=principal.name,
            source=principal.source,
            at=now,
        )
    )
    audit(
        session,
        actor_of(principal),
        "findings_edited",
        at=now,
        object_kind="recording",
        object_id=recording.id,
        position=position,
        edit=content["action"],
    )
    await defer(
        session,
        RECONCLUDE_TASK,
        queue=PREREAD_QUEUE,
        priority=RECONCLUDE_PRIORITY,
        lock=f"reconclude-{recording.id}",
        recording_id=str(recording.id),
    )


def _check(edits: list[Edit], edit: Edit, duration_s: float) -> None:
    if len(edits) >= MAX_EDITS:
        raise Invalid("A day takes no more than {limit} changes.", field="edit", limit=MAX_EDITS)
    try:
        check_form(len(edits), edit, duration_s)
        standing([*edits, edit])
    except EditError as error:
        raise Invalid("This change cannot be made: {why}.", field="edit", why=error.reason) from error
