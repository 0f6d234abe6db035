"""What does the machine say of a day, and how far is it with one that it still reads? Regions that renew themselves."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ecg_center.domain.authority import Act
from ecg_center.http import Db, SignedIn
from ecg_center.preread import queries as preread
from ecg_center.store.scopes import scope_of
from ecg_center.store.studies import get_study
from ecg_center.web.rendering import render
from ecg_center.web.studies import study_view

router = APIRouter(include_in_schema=False)


@router.get("/studies/{study_id}/day")
async def day_figures(request: Request, study_id: UUID, principal: SignedIn, db: Db, adds: bool = False) -> Response:
    """The figures of a study's day and what follows from them."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        view = await study_view(session, study_id, datetime.now(UTC))
    if view.findings is None or view.findings.holter is None:
        return Response(status_code=204)
    return render(request, "parts/holter_renewed.html", view=view, adds=adds)


@router.get("/studies/{study_id}/progress")
async def progress(request: Request, study_id: UUID, principal: SignedIn, db: Db, brief: bool = False) -> Response:
    """How far the pre-read of a long recording is; ``brief`` as the worklist's row says it."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        await get_study(session, study_id)
        row = await preread.progress(session, study_id)
    return render(request, "parts/progress.html", study_id=study_id, row=row, brief=brief)
