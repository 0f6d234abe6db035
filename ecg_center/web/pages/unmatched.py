"""What becomes of a recording that has no order, or that cannot be read? A person decides here."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ecg_center.domain.authority import Act
from ecg_center.http import Db, SignedIn
from ecg_center.intake import queries
from ecg_center.intake import unmatched as service
from ecg_center.store.scopes import scope_of
from ecg_center.web.rendering import render

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
    return render(request, template, found=found, unreadable=unreadable, orders=orders)


@router.post("/unmatched/{study_id}/assign")
async def assign(study_id: UUID, principal: SignedIn, db: Db, order: Annotated[UUID, Form()]) -> Response:
    """Say to which order a recording belongs."""
    async with db.transaction(scope_of(principal)) as session:
        await service.assign(session, principal, study_id, order, datetime.now(UTC))
    return RedirectResponse("/unmatched?note=matched", status_code=303)


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
