"""When is a recording the centre's, and whose is it?

The bytes are made durable first (``uploads.py``), then one transaction writes study, recording and job: the gateway is
told only after it is committed. The same bytes sent again find the first recording and are told its receipt.
"""

import uuid
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import PREREAD_QUEUE, PREREAD_TASK, ROUTINE_PRIORITY, URGENT_PRIORITY
from ecg_center.contract.upload import Receipt, RecordingIdentity, UploadOffer
from ecg_center.domain.clocks import believable
from ecg_center.domain.matching import Identity, Match, OrderIdentity, contradictions, match
from ecg_center.domain.numbering import study_instance_uid
from ecg_center.domain.workflow import OPEN_STATES, TAKES_RECORDINGS, Move, State
from ecg_center.intake import queries
from ecg_center.store.base import new_id
from ecg_center.store.deadlines import set_deadlines
from ecg_center.store.events import CENTRE, Actor, move, note
from ecg_center.store.jobs import defer
from ecg_center.store.studies import lock_study, refresh_urgency
from ecg_center.store.tables import Device, Patient, Recording, Study

log = structlog.get_logger(__name__)

STUCK_AFTER = timedelta(minutes=10)
"""A pre-read takes a second, its retries after a restarted database half a minute; beyond this its job was given up."""


async def receive(
    session: AsyncSession, actor: Actor, institution_id: UUID, offer: UploadOffer, now: datetime
) -> Receipt:
    """Take a recording whose bytes are durable into the flow: study, recording and pre-read job, or none of them."""
    offer = storable(offer)
    await queries.lock_content(session, institution_id, offer.sha256)
    known = await queries.recording_by_content(session, institution_id, offer.sha256)
    if known is not None:
        await _raise_marks(session, known, actor, offer.identity, now)
        return await _receipt(session, known, duplicate=True)
    device = await _device(session, institution_id, offer, now)
    source = Actor("device", device.name if device else offer.device, device.id if device else None, offer.device)
    study, found = await _study_of(session, institution_id, offer, now)
    identity = offer.identity
    recording = Recording(
        id=new_id(),
        institution_id=institution_id,
        study_id=study.id,
        device_id=device.id if device else None,
        sha256=offer.sha256,
        size_bytes=offer.size_bytes,
        media_type=offer.media_type,
        file_name=offer.file_name,
        sop_instance_uid=offer.sop_instance_uid,
        transport=offer.transport,
        state="stored",
        identity=identity.model_dump(mode="json", exclude_none=True),
        identity_conflict=list(found.against),
        safe_at=offer.safe_at,
        stored_at=now,
        started_at=believable(identity.started_at, now),
    )
    session.add(recording)
    await _take(session, study, recording, identity, source, actor, now)
    await queries.delete_upload(session, institution_id, offer.sha256)
    return await _receipt(session, recording, duplicate=False)


async def _raise_marks(
    session: AsyncSession, recording: Recording, actor: Actor, identity: RecordingIdentity, now: datetime
) -> None:
    """The chest-pain button was pressed after the upload: the same bytes come again, with the mark.

    A mark is only ever set this way, never taken back, and not on a study that is signed off.
    """
    study = await session.get(Study, recording.study_id, with_for_update=True)
    if study is None or State(study.state) not in OPEN_STATES:
        return
    urgent, chest_pain = study.urgent or bool(identity.urgent), study.chest_pain or bool(identity.chest_pain)
    if (urgent, chest_pain) == (study.urgent, study.chest_pain):
        return
    if not (study.urgent or study.chest_pain):
        study.marked_at = now
    what = "chest_pain" if chest_pain and not study.chest_pain else "urgent"
    study.urgent, study.chest_pain = urgent, chest_pain
    refresh_urgency(study)
    await set_deadlines(session, study)
    note(session, study, what, actor=actor, at=now, on=True)


async def _take(
    session: AsyncSession,
    study: Study,
    recording: Recording,
    identity: RecordingIdentity,
    source: Actor,
    gateway: Actor,
    now: datetime,
) -> None:
    """Move the study, set its marks and due times, enqueue the pre-read."""
    if not (study.urgent or study.chest_pain) and (identity.urgent or identity.chest_pain):
        study.marked_at = now
    study.urgent = study.urgent or bool(identity.urgent)
    study.chest_pain = study.chest_pain or bool(identity.chest_pain)
    refresh_urgency(study)
    was_open = State(study.state) in OPEN_STATES
    note(session, study, "safe", actor=source, at=recording.safe_at, transport=recording.transport)
    move(
        session,
        study,
        Move.RECEIVE,
        actor=gateway,
        at=now,
        recording_id=str(recording.id),
        sha256=recording.sha256,
        size_bytes=recording.size_bytes,
        matched=study.patient_id is not None,
        against=recording.identity_conflict,
    )
    if study.received_at is None or not was_open:  # what came before could not be read: the time begins anew
        study.received_at = now
    await session.flush()
    await set_deadlines(session, study)
    await enqueue_preread(session, study, recording.id)


async def enqueue_preread(session: AsyncSession, study: Study, recording_id: UUID) -> None:
    """Ask the worker for a pre-read, urgent studies first."""
    urgent = study.urgent or study.chest_pain
    await defer(
        session,
        PREREAD_TASK,
        queue=PREREAD_QUEUE,
        priority=URGENT_PRIORITY if urgent else ROUTINE_PRIORITY,
        recording_id=str(recording_id),
    )


async def _device(session: AsyncSession, institution_id: UUID, offer: UploadOffer, now: datetime) -> Device | None:
    device = await queries.device(session, offer.transport, offer.device)
    if device is None or device.institution_id != institution_id:
        log.warning("device_not_registered", transport=offer.transport, device=offer.device)
        return None
    await queries.touch_device(session, device.id, now)
    return device


async def _study_of(
    session: AsyncSession, institution_id: UUID, offer: UploadOffer, now: datetime
) -> tuple[Study, Match]:
    """The order that the recording names, else the study of the same DICOM instance, else a new unmatched study."""
    identity = offer.identity
    found = Match(False, [])
    if identity.accession_number:
        order = await queries.order_by_accession(session, institution_id, identity.accession_number)
        if order is not None:
            found = match(_identity(identity), order_identity(*order))
            if found.matched and State(order[0].state) in TAKES_RECORDINGS:
                return order[0], found
    if offer.sop_instance_uid:
        study = await queries.study_by_instance(session, institution_id, offer.sop_instance_uid)
        if study is not None and State(study.state) in TAKES_RECORDINGS:
            return study, found
    return await _new_unmatched(session, institution_id, identity, now), found


async def _new_unmatched(
    session: AsyncSession, institution_id: UUID, identity: RecordingIdentity, now: datetime
) -> Study:
    study = Study(
        id=new_id(),
        institution_id=institution_id,
        study_instance_uid=study_instance_uid("2.25", uuid.uuid4().int),
        kind=identity.study_kind or "resting",
        state=State.REGISTERED.value,
        urgent=False,
        chest_pain=False,
        registered_at=now,
        source="outpatient",
    )
    refresh_urgency(study)
    session.add(study)
    await session.flush()
    return study


async def ask_again(session: AsyncSession, now: datetime) -> int:
    """Enqueue a pre-read for every recording whose job has been given up, and say so in its timeline."""
    stuck = await queries.stuck_recordings(session, now - STUCK_AFTER)
    for recording in stuck:
        study = await session.get(Study, recording.study_id)
        if study is not None:
            log.error("preread_given_up", recording=str(recording.id), next="asked again")
            note(session, study, "preread_again", actor=CENTRE, at=now, recording_id=str(recording.id))
            await enqueue_preread(session, study, recording.id)
    return len(stuck)


async def rematch(session: AsyncSession, recording_id: UUID, actor: Actor, now: datetime) -> bool:
    """After decoding: take the order that the file itself names, where the study has none yet.

    Where it has one, what the file says of the patient is held against it.
    """
    study_id = await queries.study_of(session, recording_id)
    if study_id is None:
        return False
    study = await lock_study(session, study_id)
    recording = await queries.lock_recording(session, recording_id)
    assert recording is not None
    identity = RecordingIdentity.model_validate(recording.identity)
    if study.patient_id is not None:
        await _compare(session, study, recording, identity, actor, now)
        return False
    if not identity.accession_number:
        return False
    order = await queries.order_by_accession(session, recording.institution_id, identity.accession_number)
    if order is None or State(order[0].state) is not State.REGISTERED:
        return False
    found = match(_identity(identity), order_identity(*order))
    recording.identity_conflict = list(found.against)
    if not found.matched:
        return False
    await adopt_order(session, study, order[0], actor, now, why="accession number in the file")
    return True


async def _compare(
    session: AsyncSession, study: Study, recording: Recording, identity: RecordingIdentity, actor: Actor, now: datetime
) -> None:
    """Mark a recording whose file speaks against the order that it was matched to, by a typed number for instance."""
    patient = None if study.patient_id is None else await queries.patient(session, study.patient_id)
    against = [] if patient is None else list(contradictions(_identity(identity), order_identity(study, patient)))
    if not against or against == recording.identity_conflict:
        return
    recording.identity_conflict = list[Any](against)
    note(session, study, "contradiction", actor=actor, at=now, recording_id=str(recording.id), against=against)


async def adopt_order(
    session: AsyncSession, study: Study, order: Study, actor: Actor, now: datetime, *, why: str
) -> None:
    """Give an unmatched study the patient, number and request of an order, which ends as merged into it."""
    taken = {
        name: getattr(order, name)
        for name in (
            "patient_id",
            "accession_number",
            "indication",
            "fee_item_code",
            "price_fen",
            "source",
            "department",
            "bed",
            "visit_no",
            "registered_at",
            "registered_by",
        )
    }
    order.patient_id, order.accession_number, order.merged_into = None, None, study.id
    move(session, order, Move.CANCEL, actor=actor, at=now, why="merged", merged_into=str(study.id))
    await session.flush()
    for name, value in taken.items():
        setattr(study, name, value)
    if (order.urgent or order.chest_pain) and not (study.urgent or study.chest_pain):
        study.marked_at = order.marked_at
    study.urgent = study.urgent or order.urgent
    study.chest_pain = study.chest_pain or order.chest_pain
    refresh_urgency(study)
    await set_deadlines(session, study)
    note(session, study, "match", actor=actor, at=now, why=why, accession_number=study.accession_number)


async def _receipt(session: AsyncSession, recording: Recording, *, duplicate: bool) -> Receipt:
    study = await session.get(Study, recording.study_id)
    return Receipt(
        recording_id=recording.id,
        study_id=recording.study_id,
        stored_at=recording.stored_at,
        duplicate=duplicate,
        matched=study is not None and study.patient_id is not None,
    )


def _identity(identity: RecordingIdentity) -> Identity:
    return Identity(
        accession_number=identity.accession_number,
        patient_id=identity.patient_id,
        patient_name=identity.patient_name,
        sex=identity.sex,
        birth_date=_day(identity.birth_date),
    )


def order_identity(study: Study, patient: Patient) -> OrderIdentity:
    """Whom an order is for, as the matching rule takes it."""
    return OrderIdentity(
        accession_number=study.accession_number or "",
        patient_id=patient.patient_no,
        patient_name=patient.name,
        sex=patient.sex,
        birth_date=patient.birth_date,
    )


def _day(text: str | None) -> date | None:
    """A date that the calendar has; a device may write the 31st of February."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def storable(offer: UploadOffer) -> UploadOffer:
    """The offer without NUL characters, which a device may pad its texts with and PostgreSQL does not store."""
    return UploadOffer.model_validate(_without_nul(offer.model_dump()))


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {key: _without_nul(item) for key, item in value.items()}
    return value
