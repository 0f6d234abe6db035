"""How does an exam get its number, and the device its order?"""

import uuid
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.orders import OpenOrder, OpenOrders
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.calendars import CHINA
from ecg_center.domain.errors import Conflict, Invalid, NotFound
from ecg_center.domain.numbering import accession_number, study_instance_uid
from ecg_center.domain.workflow import Move, State
from ecg_center.registration import queries
from ecg_center.registration.schemas import PatientForm, RegistrationForm
from ecg_center.store.base import new_id
from ecg_center.store.deadlines import set_deadlines
from ecg_center.store.events import Actor, move, note
from ecg_center.store.scopes import actor_of
from ecg_center.store.studies import lock_study, refresh_urgency
from ecg_center.store.tables import Patient, Study

UID_ROOT = "2.25"
"""UUID-derived UIDs (PS3.5 annex B.2), until an installation registers its own root."""


async def register(
    session: AsyncSession, actor: Actor, institution_id: UUID, form: RegistrationForm, now: datetime
) -> tuple[Study, Patient]:
    """Register an exam: the patient is taken by number or created, the study gets its accession number.

    Raises:
        Invalid: the fee item is unknown or of another kind, the birth date lies in the future.
        Conflict: the patient number belongs to someone of another name, sex or birth date.
    """
    institution = await queries.institution(session, institution_id)
    fee = await queries.fee_item(session, form.fee_item_code)
    if institution is None:
        raise NotFound("There is no such institution.")
    if fee is None or fee.kind != form.kind:
        raise Invalid("Choose a fee item of this kind of exam.", field="fee_item_code")
    today = now.astimezone(CHINA).date()
    number = await queries.next_number(session, institution_id, today)
    accession = accession_number(institution.code, today, number)
    patient = await _patient(session, institution_id, form.patient, accession, today)
    study_id = new_id()
    study = Study(
        id=study_id,
        institution_id=institution_id,
        patient_id=patient.id,
        accession_number=accession,
        study_instance_uid=study_instance_uid(UID_ROOT, uuid.uuid4().int),
        kind=form.kind,
        state=State.REGISTERED.value,
        urgent=form.urgent,
        chest_pain=form.chest_pain,
        marked_at=now if form.urgent or form.chest_pain else None,
        indication=form.indication,
        fee_item_code=fee.code,
        price_fen=fee.price_fen,
        source=form.source,
        department=form.department,
        bed=form.bed,
        visit_no=form.visit_no,
        registered_at=now,
        registered_by=actor.id if actor.kind == "person" else None,
    )
    refresh_urgency(study)
    session.add(study)
    await session.flush()
    note(session, study, "register", actor=actor, at=now, to_state=study.state, accession_number=accession)
    return study, patient


async def _patient(
    session: AsyncSession, institution_id: UUID, form: PatientForm, accession: str, today: date
) -> Patient:
    birth_date = form.birth_date
    if birth_date is None and form.age_years is not None:
        birth_date = date(today.year - form.age_years, 1, 1)
    if birth_date is not None and birth_date > today:
        raise Invalid("The birth date lies in the future.", field="patient.birth_date")
    patient_no = form.patient_no or f"P{accession.replace('-', '')}"
    known = await queries.patient_by_no(session, institution_id, patient_no)
    if known is not None:
        differs = (
            known.name != form.name
            or known.sex != form.sex
            or (birth_date is not None and known.birth_date not in (None, birth_date) and form.birth_date is not None)
        )
        if differs:
            raise Conflict(
                "Patient number {number} belongs to {name}; check the number or the name.",
                number=patient_no,
                name=known.name,
            )
        return known
    patient = Patient(
        institution_id=institution_id,
        patient_no=patient_no,
        name=form.name,
        sex=form.sex,
        birth_date=birth_date,
        phone=form.phone,
    )
    session.add(patient)
    await session.flush()
    return patient


async def mark(
    session: AsyncSession,
    principal: Principal,
    study_id: UUID,
    *,
    urgent: bool | None = None,
    chest_pain: bool | None = None,
    now: datetime,
) -> Study:
    """Set or take back the urgent and chest-pain marks, at any moment before release; due times follow.

    Raises:
        Conflict: the report is released, or the ten-minute opinion has been given on this mark.
    """
    if not (principal.may(Act.REGISTER) or principal.may(Act.OPINE)):
        principal.require(Act.REGISTER)
    if urgent is None and chest_pain is None:
        raise Invalid("Say which mark to set or take back.", field="chest_pain")
    study = await lock_study(session, study_id)
    if State(study.state) in (State.RELEASED, State.DELIVERED, State.CANCELLED):
        raise Conflict("The study is closed; its marks can no longer change.")
    before = study.urgent or study.chest_pain
    study.urgent = study.urgent if urgent is None else urgent
    study.chest_pain = study.chest_pain if chest_pain is None else chest_pain
    after = study.urgent or study.chest_pain
    if after and not before:
        study.marked_at = now
    refresh_urgency(study)
    await set_deadlines(session, study)
    for what, on in (("urgent", urgent), ("chest_pain", chest_pain)):
        if on is not None:
            note(session, study, what, actor=actor_of(principal), at=now, on=on)
    return study


async def cancel(session: AsyncSession, principal: Principal, study_id: UUID, reason: str, now: datetime) -> None:
    """Cancel an order that will not be recorded.

    Raises:
        Conflict: a recording has arrived; it can no longer be cancelled at the clinic.
        Invalid: no reason is given.
    """
    principal.require(Act.REGISTER)
    if not reason.strip():
        raise Invalid("Say why the exam is cancelled.", field="reason")
    study = await lock_study(session, study_id)
    if State(study.state) is not State.REGISTERED:
        raise Conflict("A recording has arrived for this order; it can no longer be cancelled.")
    move(session, study, Move.CANCEL, actor=actor_of(principal), at=now, why=reason.strip())


async def open_orders(session: AsyncSession, now: datetime) -> OpenOrders:
    """The open orders in sight, as a device asks for them."""
    return OpenOrders(
        as_of=now,
        orders=[
            OpenOrder(
                study_id=study.id,
                institution_code=institution.code,
                accession_number=study.accession_number or "",
                study_instance_uid=study.study_instance_uid,
                kind=study.kind,
                patient_id=patient.patient_no,
                patient_name=patient.name,
                sex=patient.sex,
                birth_date=patient.birth_date,
                procedure=fee.name if fee else study.kind,
                indication=study.indication,
                urgent=study.urgent,
                chest_pain=study.chest_pain,
                registered_at=study.registered_at,
            )
            for study, patient, institution, fee in await queries.open_orders(session)
        ],
    )
