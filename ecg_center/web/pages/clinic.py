"""What does a technician do? Registers exams, marks chest pain, and sees what became of today's recordings."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.delivery import queries as delivery
from ecg_center.directory import service as directory
from ecg_center.domain.authority import Act
from ecg_center.domain.errors import Conflict, Invalid
from ecg_center.domain.workflow import State
from ecg_center.http import Db, SignedIn
from ecg_center.registration import queries as registration_queries
from ecg_center.registration import service as registration
from ecg_center.registration.schemas import RegistrationForm
from ecg_center.store.scopes import actor_of, scope_of
from ecg_center.web import forms
from ecg_center.web.errors import said
from ecg_center.web.i18n import CLINIC_TIME
from ecg_center.web.rendering import render, texts_of
from ecg_center.worklist import service as worklist

router = APIRouter(include_in_schema=False)

PATIENT_FIELDS = ("patient_no", "name", "sex", "birth_date", "age_years", "phone")
EXAM_FIELDS = ("fee_item_code", "indication", "source", "department", "bed", "visit_no")


async def _lists(session: AsyncSession, now: datetime) -> dict[str, Any]:
    midnight = datetime.combine(now.astimezone(CLINIC_TIME).date(), time(), CLINIC_TIME)
    recorded = set(State) - {State.REGISTERED}
    rows, total = await worklist.recent(session, now, states=recorded, since=midnight)
    waiting = await delivery.waiting(session)
    return {
        "alerts": await directory.gateway_alerts(session, now),
        "orders": (await registration.open_orders(session, now)).orders,
        "rows": rows,
        "total": total,
        "unprinted": [(study, item) for item, _, study, _ in waiting if item.state == "failed"],
    }


@router.get("/clinic")
async def clinic(request: Request, principal: SignedIn, db: Db, order: UUID | None = None) -> Response:
    """The technician's page; a request of htmx gets the lists alone."""
    principal.require(Act.REGISTER)
    async with db.transaction(scope_of(principal)) as session:
        lists = await _lists(session, datetime.now(UTC))
        fees = await registration_queries.fee_items(session)
    template = "parts/clinic_lists.html" if "hx-request" in request.headers else "clinic.html"
    return render(request, template, **lists, fees=fees, values=forms.Blank(), faults=forms.Blank(), new=order)


@router.post("/clinic")
async def register(request: Request, principal: SignedIn, db: Db) -> Response:
    """Register an exam."""
    principal.require(Act.REGISTER)
    values = await forms.posted(request)
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        fees = await registration_queries.fee_items(session)
    kind = next((fee.kind for fee in fees if fee.code == values.get("fee_item_code")), "resting")
    form, faults = forms.read(RegistrationForm, nested(values, kind), texts_of(request))
    if form is not None:
        try:
            async with db.transaction(scope_of(principal)) as session:
                study, _ = await registration.register(
                    session, actor_of(principal), principal.institution_id, form, now
                )
            return RedirectResponse(f"/clinic?note=registered&order={study.id}", status_code=303)
        except Invalid as error:
            faults = forms.refused(request, error)
        except Conflict as error:
            faults = {"patient.patient_no": said(request, error)}
    async with db.transaction(scope_of(principal)) as session:
        lists = await _lists(session, now)
    return render(
        request,
        "clinic.html",
        status=422,
        **lists,
        fees=fees,
        values=forms.Blank(values),
        faults=forms.Blank(faults),
        new=None,
    )


def nested(values: Mapping[str, str], kind: str) -> dict[str, Any]:
    """The flat form as registration takes it; empty fields are left out."""
    return {
        "patient": forms.without_empty(values, *PATIENT_FIELDS),
        **forms.without_empty(values, *EXAM_FIELDS),
        "kind": kind,
        "urgent": "urgent" in values,
        "chest_pain": "chest_pain" in values,
    }
