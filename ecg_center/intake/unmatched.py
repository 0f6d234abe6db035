"""What does a person do with a recording that has no order, or that could not be read?"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from ecg_center.domain.workflow import Move, State, allows
from ecg_center.intake import queries
from ecg_center.intake.service import adopt_order, enqueue_preread
from ecg_center.store.events import move, note
from ecg_center.store.scopes import actor_of
from ecg_center.store.studies import lock_study
from ecg_center.store.tables import Recording, Study


async def assign(session: AsyncSession, principal: Principal, study_id: UUID, order_id: UUID, now: datetime) -> None:
    """Say that an unmatched recording belongs to an open order of the same institution.

    Raises:
        Conflict: the study has its order already, or the order is no longer open.
    """
    principal.require(Act.RESOLVE)
    study = await lock_study(session, study_id)
    order = await lock_study(session, order_id)
    if study.patient_id is not None or State(study.state) is State.CANCELLED:
        raise Conflict("This recording has been matched already.")
    if State(order.state) is not State.REGISTERED or order.patient_id is None:
        raise Conflict("This order has its recording already; choose another.")
    if order.institution_id != study.institution_id:
        raise Conflict("The order belongs to another institution than the recording.")
    await adopt_order(session, study, order, actor_of(principal), now, why="matched by a person")


def require_own(principal: Principal, study: Study) -> None:
    """Refuse whoever is not a technician of the clinic that the recording came from: an exam is registered and billed
    where it was made.

    Raises:
        NotAllowed: another clinic's recording, or no technician.
    """
    principal.require(Act.REGISTER)
    principal.require(Act.RESOLVE)
    if study.institution_id != principal.institution_id:
        raise NotAllowed("A recording is registered by the technicians of the clinic that it came from.")


async def retry_quarantined(session: AsyncSession, principal: Principal, recording_id: UUID, now: datetime) -> None:
    """Have the worker read the bytes once more, after its software was renewed for instance."""
    study, recording = await _quarantined(session, principal, recording_id)
    recording.state, recording.reason = "stored", ""
    if allows(State(study.state), Move.RECEIVE):
        move(session, study, Move.RECEIVE, actor=actor_of(principal), at=now, why="read again")
    else:  # another recording of the study is past this step; its findings come beside that one's
        note(session, study, Move.RECEIVE.value, actor=actor_of(principal), at=now, why="read again")
    await enqueue_preread(session, study, recording.id)


async def dismiss_quarantined(
    session: AsyncSession, principal: Principal, recording_id: UUID, reason: str, now: datetime
) -> None:
    """Say why nothing will come of unreadable bytes; they stay stored.

    Raises:
        Invalid: no reason is given.
    """
    if not reason.strip():
        raise Invalid("Say why the recording is set aside.", field="reason")
    study, recording = await _quarantined(session, principal, recording_id)
    recording.state = "dismissed"
    note(session, study, "dismiss", actor=actor_of(principal), at=now, why=reason.strip())


async def _quarantined(session: AsyncSession, principal: Principal, recording_id: UUID) -> tuple[Study, Recording]:
    principal.require(Act.RESOLVE)
    study_id = await queries.study_of(session, recording_id)
    if study_id is None:
        raise NotFound("There is no such recording.")
    study = await lock_study(session, study_id)
    recording = await queries.lock_recording(session, recording_id)
    if recording is None or recording.state != "quarantined":
        raise Conflict("Someone has dealt with this recording already.")
    return study, recording
