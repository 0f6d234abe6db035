"""How does a physician read, write and sign? The reading desk, and the ten-minute opinion."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from ecg_center.domain.authority import Act
from ecg_center.domain.claims import holder
from ecg_center.domain.workflow import State
from ecg_center.http import Db, SignedIn
from ecg_center.reporting import service
from ecg_center.reporting.schemas import OpinionForm, ReportContent
from ecg_center.signing.service import Signatures
from ecg_center.store.events import audit
from ecg_center.store.scopes import actor_of, scope_of
from ecg_center.store.studies import get_study
from ecg_center.web.pages.worklist import page_of, take_following
from ecg_center.web.rendering import render
from ecg_center.web.studies import study_view
from ecg_center.worklist import service as worklist

router = APIRouter(include_in_schema=False)


class DraftForm(BaseModel):
    """A draft as the desk saves it."""

    edition: int
    content: ReportContent


class SignForm(DraftForm):
    """A draft that is saved and signed in one transaction."""

    then: Literal["next", "list"] = "next"


@router.get("/studies/{study_id}/read")
async def reading_desk(request: Request, study_id: UUID, principal: SignedIn, db: Db) -> Response:
    """The reading desk of a study that this person holds; anyone else is led to the study's page."""
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        study = await get_study(session, study_id)
        if holder(study.claimed_by, study.lease_until, now) != principal.person_id or study.state != State.WRITING:
            return RedirectResponse(f"/studies/{study_id}", status_code=303)
        principal.require(Act.WRITE, study.kind)
        await service.open_draft(session, principal, study_id, now)
        view = await study_view(session, study_id, now)
        audit(session, actor_of(principal), "study_read", at=now, object_kind="study", object_id=study_id)
    return render(request, "reading.html", view=view)


@router.post("/studies/{study_id}/draft")
async def save_draft(study_id: UUID, form: DraftForm, principal: SignedIn, db: Db) -> dict[str, object]:
    """Save the draft."""
    async with db.transaction(scope_of(principal)) as session:
        report = await service.save(session, principal, study_id, form.edition, form.content, datetime.now(UTC))
    return {"edition": report.edition, "saved_at": report.saved_at.isoformat()}


@router.get("/studies/{study_id}/others")
async def other_recordings(
    request: Request, study_id: UUID, principal: SignedIn, db: Db, choose: bool = False
) -> Response:
    """What else was recorded for this exam, renewed when something moves; ``choose`` for the desk of its writer."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        view = await study_view(session, study_id, datetime.now(UTC))
    mine = view.holder_id == principal.person_id and view.study.state == State.WRITING
    return render(request, "parts/others_renewed.html", view=view, may_choose=choose and mine)


@router.post("/studies/{study_id}/recording")
async def choose_recording(
    study_id: UUID, principal: SignedIn, db: Db, recording_id: Annotated[UUID, Form()]
) -> Response:
    """Read and report another recording of the exam."""
    async with db.transaction(scope_of(principal)) as session:
        await service.choose_recording(session, principal, study_id, recording_id, datetime.now(UTC))
    return RedirectResponse(f"/studies/{study_id}/read", status_code=303)


@router.post("/studies/{study_id}/sign")
async def sign(study_id: UUID, form: SignForm, principal: SignedIn, db: Db) -> dict[str, str]:
    """Save and sign in one transaction, then say where to go on: the next study is taken already."""
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        saved = await service.save(session, principal, study_id, form.edition, form.content, now)
        await service.sign(session, principal, study_id, saved.edition, now)
    if form.then == "list":
        return {"go": "/worklist?desk=write&note=signed"}
    following = await take_following(db, principal, "write", study_id, now)
    if following is None:
        return {"go": "/worklist?desk=write&note=signed-last"}
    return {"go": f"{page_of(following, 'write')}?note=signed"}


@router.post("/studies/{study_id}/opinion")
async def give_opinion(
    request: Request,
    study_id: UUID,
    principal: SignedIn,
    db: Db,
    code: Annotated[list[str] | None, Form()] = None,
    text: Annotated[str, Form(max_length=2000)] = "",
    advice: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Sign the opinion on an emergency."""
    signatures: Signatures = request.app.state.signatures
    form = OpinionForm(statements=code or [], text=text, advice=advice)
    async with db.transaction(scope_of(principal)) as session:
        await service.give_opinion(session, principal, signatures, study_id, form, datetime.now(UTC))
        study = await get_study(session, study_id)
        is_writing = study.claimed_by == principal.person_id and study.state == State.WRITING
    return RedirectResponse(f"/studies/{study_id}{'/read' if is_writing else ''}?note=opinion", status_code=303)


@router.post("/studies/{study_id}/amend")
async def amend(
    study_id: UUID, principal: SignedIn, db: Db, reason: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Begin a new version of a released report and take it at once."""
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        await service.amend(session, principal, study_id, reason, now)
        study = await worklist.claim(session, principal, study_id, now)
    return RedirectResponse(f"{page_of(study, 'write')}?note=amending", status_code=303)
