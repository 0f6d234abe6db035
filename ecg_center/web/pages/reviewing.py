"""How does the second physician decide? The report beside the trace and the pre-read; released or returned."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ecg_center.domain.authority import Act
from ecg_center.domain.workflow import State
from ecg_center.http import Db, SignedIn
from ecg_center.review import service
from ecg_center.store.events import audit
from ecg_center.store.scopes import actor_of, scope_of
from ecg_center.web.compare import compare
from ecg_center.web.pages.worklist import page_of, take_following
from ecg_center.web.rendering import render
from ecg_center.web.studies import study_view

router = APIRouter(include_in_schema=False)


@router.get("/studies/{study_id}/review")
async def review_desk(request: Request, study_id: UUID, principal: SignedIn, db: Db) -> Response:
    """The review of a study that this person holds; anyone else is led to the study's page."""
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        view = await study_view(session, study_id, now)
        if view.holder_id != principal.person_id or view.study.state != State.REVIEWING or view.report is None:
            return RedirectResponse(f"/studies/{study_id}", status_code=303)
        principal.require(Act.REVIEW, view.study.kind)
        audit(session, actor_of(principal), "study_read", at=now, object_kind="study", object_id=study_id)
    return render(request, "review.html", view=view, comparison=compare(view))


@router.post("/studies/{study_id}/release")
async def release(
    study_id: UUID,
    principal: SignedIn,
    db: Db,
    edition: Annotated[int, Form()],
    then: Annotated[Literal["next", "list"], Form()] = "next",
) -> Response:
    """The second signature; then the next study to review, taken already."""
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        await service.release(session, principal, study_id, edition, now)
    return await _go_on(principal, db, study_id, then, "released", now)


@router.post("/studies/{study_id}/return")
async def send_back(
    study_id: UUID,
    principal: SignedIn,
    db: Db,
    reason: Annotated[str, Form(max_length=500)] = "",
    then: Annotated[Literal["next", "list"], Form()] = "next",
) -> Response:
    """Back to the writer, with the reason."""
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        await service.send_back(session, principal, study_id, reason, now)
    return await _go_on(principal, db, study_id, then, "returned", now)


async def _go_on(principal: SignedIn, db: Db, study_id: UUID, then: str, note: str, now: datetime) -> RedirectResponse:
    if then == "list":
        return RedirectResponse(f"/worklist?desk=review&note={note}", status_code=303)
    following = await take_following(db, principal, "review", study_id, now)
    where = f"{page_of(following, 'review')}?note={note}" if following else f"/worklist?desk=review&note={note}-last"
    return RedirectResponse(where, status_code=303)
