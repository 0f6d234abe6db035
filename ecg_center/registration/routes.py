"""HTTP of registration: a clinic's system registers an exam; a gateway asks for the open orders."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from ecg_center.contract.orders import OpenOrders
from ecg_center.domain.authority import Act
from ecg_center.domain.errors import Invalid, NotAllowed
from ecg_center.http import Db, FromGateway, SignedIn, signed_in
from ecg_center.registration import service
from ecg_center.registration.schemas import Registered, RegistrationForm
from ecg_center.store.scopes import actor_of, scope_of

router = APIRouter()


@router.post("/api/registrations", status_code=201)
async def register(form: RegistrationForm, request: Request, db: Db) -> Registered:
    """Register an exam, as a signed-in technician or with a clinic's token.

    A token that serves one institution need not name it.
    """
    gateway = getattr(request.state, "gateway", None)
    if gateway is not None:
        code = form.institution_code or (next(iter(gateway.institutions)) if len(gateway.institutions) == 1 else None)
        if code is None:
            raise Invalid("Name the institution: this token serves several.", field="institution_code")
        actor, institution_id, scope = gateway.actor, gateway.institution(code), gateway.scope
    else:
        principal = signed_in(request)
        principal.require(Act.REGISTER)
        if form.institution_code not in (None, principal.institution_code):
            raise NotAllowed("You register for {code} only.", code=principal.institution_code)
        actor, institution_id, scope = actor_of(principal), principal.institution_id, scope_of(principal)
    async with db.transaction(scope) as session:
        study, patient = await service.register(session, actor, institution_id, form, datetime.now(UTC))
    return Registered(
        study_id=study.id,
        accession_number=study.accession_number or "",
        study_instance_uid=study.study_instance_uid,
        patient_no=patient.patient_no,
        registered_at=study.registered_at,
    )


@router.get("/api/gateway/orders")
async def orders(gateway: FromGateway, request: Request, response: Response, db: Db) -> OpenOrders:
    """The open orders of the institutions that the gateway serves; 304 where nothing changed."""
    async with db.transaction(gateway.scope) as session:
        found = await service.open_orders(session, datetime.now(UTC))
    body = found.model_dump_json(exclude={"as_of"})
    etag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})  # type: ignore[return-value]
    response.headers["ETag"] = etag
    return found


class Marks(BaseModel):
    """The marks to set or take back; what is left out stays."""

    urgent: bool | None = None
    chest_pain: bool | None = None


class Cancellation(BaseModel):
    """Why the exam will not be recorded."""

    reason: str


@router.post("/api/studies/{study_id}/marks", status_code=204)
async def marks(study_id: UUID, body: Marks, principal: SignedIn, db: Db) -> None:
    """The urgent and the chest-pain button."""
    async with db.transaction(scope_of(principal)) as session:
        await service.mark(
            session, principal, study_id, urgent=body.urgent, chest_pain=body.chest_pain, now=datetime.now(UTC)
        )


@router.post("/api/studies/{study_id}/cancel", status_code=204)
async def cancel(study_id: UUID, body: Cancellation, principal: SignedIn, db: Db) -> None:
    """Cancel an order."""
    async with db.transaction(scope_of(principal)) as session:
        await service.cancel(session, principal, study_id, body.reason, datetime.now(UTC))
