"""What becomes of a recording that has no order, or that cannot be read? A person decides here."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.errors import Conflict, Invalid
from ecg_center.http import Db, SignedIn
from ecg_center.intake import queries
from ecg_center.intake import unmatched as service
from ecg_center.registration import queries as registration_queries
from ecg_center.registration import service as registration
from ecg_center.registration.schemas import RegistrationForm
from ecg_center.store.scopes import actor_of, scope_of
from ecg_center.store.session import Database
from ecg_center.web import forms
from ecg_center.web.errors import said
from ecg_center.web.pages.clinic import nested
from ecg_center.web.rendering import device_name, render, texts_of
from ecg_center.web.studies import StudyView, study_view

router = APIRouter(include_in_schema=False)


@router.get("/unmatched")
async def unmatched(request: Request, principal: SignedIn, db: Db) -> Response:
    """Recordings without an order, and unreadable ones; a request of htmx gets the list alone."""
    principal.require(Act.RESOLVE)
    async with db.transaction(scope_of(principal)) as session:
        found = await queries.unmatched(session)
        unreadable = await queries.quarantined(session)
        clinics = {institution.id for _, _, institution in found}
        orders = {clinic: await queries.candidate_orders(session, clinic) for clinic in clinics}
    template = "parts/unmatched_list.html" if "hx-request" in request.headers else "unmatched.html"
    registers = {principal.institution_id} if principal.may(Act.REGISTER) else set()
    return render(request, template, found=found, unreadable=unreadable, orders=orders, registers=registers)


@router.post("/unmatched/{study_id}/assign")
async def assign(study_id: UUID, principal: SignedIn, db: Db, order: Annotated[UUID, Form()]) -> Response:
    """Say to which order a recording belongs."""
    async with db.transaction(scope_of(principal)) as session:
        await service.assign(session, principal, study_id, order, datetime.now(UTC))
    return RedirectResponse("/unmatched?note=matched", status_code=303)


@router.get("/unmatched/{study_id}/register")
async def registration_form(request: Request, study_id: UUID, principal: SignedIn, db: Db) -> Response:
    """The registration of a recording that came first, filled in as the recorder wrote it."""
    async with db.transaction(scope_of(principal)) as session:
        view = await study_view(session, study_id, datetime.now(UTC))
        service.require_own(principal, view.study)
    if view.study.patient_id is not None:
        return RedirectResponse(f"/studies/{study_id}", status_code=303)
    return await _form(request, db, principal, view, forms.Blank(prefilled(view)), forms.Blank())


@router.post("/unmatched/{study_id}/register")
async def register(request: Request, study_id: UUID, principal: SignedIn, db: Db) -> Response:
    """Register the exam and give it the recording, in one transaction: neither stands without the other."""
    values, now = await forms.posted(request), datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        view = await study_view(session, study_id, now)
        service.require_own(principal, view.study)
    form, faults = forms.read(RegistrationForm, nested(values, view.study.kind), texts_of(request))
    if form is not None:
        try:
            async with db.transaction(scope_of(principal)) as session:
                order, _ = await registration.register(
                    session, actor_of(principal), principal.institution_id, form, now
                )
                await service.assign(session, principal, study_id, order.id, now)
            return RedirectResponse(f"/studies/{study_id}?note=registered-matched", status_code=303)
        except Invalid as error:
            faults = forms.refused(request, error)
        except Conflict as error:
            is_number = "number" in error.values
            faults = {"patient.patient_no" if is_number else forms.GENERAL: said(request, error)}
    return await _form(request, db, principal, view, forms.Blank(values), forms.Blank(faults), status=422)


async def _form(
    request: Request,
    db: Database,
    principal: Principal,
    view: StudyView,
    values: forms.Blank,
    faults: forms.Blank,
    *,
    status: int = 200,
) -> Response:
    async with db.transaction(scope_of(principal)) as session:
        fees = [fee for fee in await registration_queries.fee_items(session) if fee.kind == view.study.kind]
    device = view.recordings[0].identity
    return render(
        request,
        "register_recording.html",
        status=status,
        view=view,
        device=device,
        fees=fees,
        values=values,
        faults=faults,
    )


def prefilled(view: StudyView) -> dict[str, str]:
    """The form's fields as the device wrote them."""
    device, study = view.recordings[0].identity, view.study
    age = device.get("age_years")
    values = {
        "name": device_name(device.get("patient_name"))[:64],
        "sex": device.get("sex") if device.get("sex") in ("M", "F") else "",
        "birth_date": device.get("birth_date"),
        "age_years": f"{age:.0f}" if age is not None and not device.get("birth_date") else "",
        "patient_no": device.get("patient_id"),
        "indication": study.indication,
        "source": study.source,
        "chest_pain": "true" if study.chest_pain else "",
        "urgent": "true" if study.urgent else "",
    }
    return {field: str(value) for field, value in values.items() if value}


@router.post("/recordings/{recording_id}/retry")
async def retry(recording_id: UUID, principal: SignedIn, db: Db) -> Response:
    """Have unreadable bytes read once more."""
    async with db.transaction(scope_of(principal)) as session:
        await service.retry_quarantined(session, principal, recording_id, datetime.now(UTC))
    return RedirectResponse("/unmatched?note=again", status_code=303)


@router.post("/recordings/{recording_id}/dismiss")
async def dismiss(
    recording_id: UUID, principal: SignedIn, db: Db, reason: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Set unreadable bytes aside, with the reason."""
    async with db.transaction(scope_of(principal)) as session:
        await service.dismiss_quarantined(session, principal, recording_id, reason, datetime.now(UTC))
    return RedirectResponse("/unmatched?note=dismissed", status_code=303)
