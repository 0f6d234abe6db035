"""What is mine to read now? The physicians' two desks, live, and taking a study from them."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ecg_center.directory import service as directory
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.errors import NotAllowed, Refused
from ecg_center.http import Db, SignedIn
from ecg_center.reporting import service as reporting
from ecg_center.store.scopes import scope_of
from ecg_center.store.session import Database
from ecg_center.store.tables import Study
from ecg_center.web.rendering import render
from ecg_center.worklist import service
from ecg_center.worklist.schemas import Desk

router = APIRouter(include_in_schema=False)


def desks_of(principal: Principal) -> list[Desk]:
    """The desks that this person works at."""
    desks: list[Desk] = []
    if principal.may(Act.WRITE):
        desks.append("write")
    if principal.may(Act.REVIEW):
        desks.append("review")
    return desks


async def _desk(db: Database, principal: Principal, desk: Desk) -> dict[str, Any]:
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        rows, total = await service.rows(session, principal, desk, now)
        counts = await service.counts(session, principal, now)
    emergencies = [row for row in rows if row.due_kind == "opinion" and row.holder_id in (None, principal.person_id)]
    return {
        "desk": desk,
        "rows": rows,
        "emergencies": emergencies,
        "total": total,
        "counts": counts,
        "desks": desks_of(principal),
    }


@router.get("/worklist")
async def worklist(request: Request, principal: SignedIn, db: Db, desk: Desk | None = None) -> Response:
    """One desk; a request of htmx gets the desk alone."""
    desks = desks_of(principal)
    if not desks:
        raise NotAllowed("This page belongs to reporting and reviewing physicians.")
    chosen = desk if desk in desks else desks[0]
    shown = await _desk(db, principal, chosen) | {"is_last": request.query_params.get("note", "").endswith("-last")}
    if "hx-request" in request.headers:
        return render(request, "parts/desk.html", **shown)
    async with db.transaction(scope_of(principal)) as session:
        alerts = await directory.gateway_alerts(session, datetime.now(UTC))
    return render(request, "worklist.html", **shown, alerts=alerts)


@router.post("/worklist/next")
async def take_next(
    request: Request,
    principal: SignedIn,
    db: Db,
    desk: Annotated[Desk, Form()] = "write",
    after: Annotated[UUID | None, Form()] = None,
) -> Response:
    """Take what should be read next and open it."""
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        study = await service.take_next(session, principal, desk, now, after=after)
        if study is not None and desk == "write":
            await reporting.open_draft(session, principal, study.id, now)
    if study is None:
        return RedirectResponse(f"/worklist?desk={desk}&note=none-left", status_code=303)
    return RedirectResponse(page_of(study, desk), status_code=303)


@router.post("/studies/{study_id}/claim")
async def claim(study_id: UUID, principal: SignedIn, db: Db) -> Response:
    """Take this study and open it."""
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        study = await service.claim(session, principal, study_id, now)
        desk = service.desk_of(study)
        if desk == "write":
            await reporting.open_draft(session, principal, study.id, now)
    return RedirectResponse(page_of(study, desk), status_code=303)


@router.post("/studies/{study_id}/let-go")
async def let_go(study_id: UUID, principal: SignedIn, db: Db, desk: Annotated[Desk, Form()] = "write") -> Response:
    """Give a study back to everyone."""
    async with db.transaction(scope_of(principal)) as session:
        await service.let_go(session, principal, study_id, datetime.now(UTC))
    return RedirectResponse(f"/worklist?desk={desk}&note=let-go", status_code=303)


@router.post("/studies/{study_id}/renew")
async def renew(study_id: UUID, principal: SignedIn, db: Db) -> dict[str, str]:
    """Keep holding the study while its page is open."""
    async with db.transaction(scope_of(principal)) as session:
        until = await service.renew(session, principal, study_id, datetime.now(UTC))
    return {"until": until.isoformat()}


async def take_following(db: Database, principal: Principal, desk: Desk, after: UUID, now: datetime) -> Study | None:
    """The next study, taken; None where there is none or it cannot be opened yet. What went before stays done."""
    try:
        async with db.transaction(scope_of(principal)) as session:
            study = await service.take_next(session, principal, desk, now, after=after)
            if study is not None and desk == "write":
                await reporting.open_draft(session, principal, study.id, now)
            return study
    except Refused:
        return None


def page_of(study: Study, desk: Desk) -> str:
    """Where a taken study is read or reviewed."""
    return f"/studies/{study.id}/{'read' if desk == 'write' else 'review'}"
