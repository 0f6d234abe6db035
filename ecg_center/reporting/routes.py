"""HTTP of reporting: the draft, the signature, the opinion, the amendment."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from ecg_center.http import Db, SignedIn
from ecg_center.reporting import service
from ecg_center.reporting.schemas import OpinionForm, ReportContent
from ecg_center.signing.service import Signatures
from ecg_center.store.scopes import scope_of
from ecg_center.store.tables import Report

router = APIRouter()


class Draft(BaseModel):
    """A report as its writer or reviewer sees it."""

    study_id: UUID
    version: int
    edition: int
    state: str
    recording_id: UUID
    writer_name: str
    saved_at: datetime
    content: ReportContent


class Save(BaseModel):
    """A draft to be saved over the edition that the page read."""

    edition: int
    content: ReportContent


class Edition(BaseModel):
    """The edition that the signer saw."""

    edition: int


class Reason(BaseModel):
    """Why."""

    reason: str


class OpinionGiven(BaseModel):
    """A signed opinion."""

    opinion_id: UUID
    signed_at: datetime


def draft_of(report: Report) -> Draft:
    """The report as the wire shows it."""
    return Draft(
        study_id=report.study_id,
        version=report.version,
        edition=report.edition,
        state=report.state,
        recording_id=report.recording_id,
        writer_name=report.writer_name,
        saved_at=report.saved_at,
        content=ReportContent.model_validate(report.content),
    )


def signatures(request: Request) -> Signatures:
    """The application's signatures."""
    found: Signatures = request.app.state.signatures
    return found


@router.get("/api/studies/{study_id}/draft")
async def draft(study_id: UUID, principal: SignedIn, db: Db) -> Draft:
    """The draft of a study that one holds, begun from the pre-read where there is none."""
    async with db.transaction(scope_of(principal)) as session:
        return draft_of(await service.open_draft(session, principal, study_id, datetime.now(UTC)))


@router.get("/api/studies/{study_id}/report")
async def report(study_id: UUID, principal: SignedIn, db: Db) -> Draft:
    """The newest version of a study's report, as it stands."""
    async with db.transaction(scope_of(principal)) as session:
        return draft_of(await service.current_report(session, principal, study_id))


@router.put("/api/studies/{study_id}/draft")
async def save(study_id: UUID, body: Save, principal: SignedIn, db: Db) -> Draft:
    """Save the draft."""
    async with db.transaction(scope_of(principal)) as session:
        return draft_of(await service.save(session, principal, study_id, body.edition, body.content, datetime.now(UTC)))


@router.post("/api/studies/{study_id}/sign")
async def sign(study_id: UUID, body: Edition, principal: SignedIn, db: Db) -> Draft:
    """Sign the report; it goes to review."""
    async with db.transaction(scope_of(principal)) as session:
        return draft_of(await service.sign(session, principal, study_id, body.edition, datetime.now(UTC)))


@router.post("/api/studies/{study_id}/opinion", status_code=201)
async def opinion(
    study_id: UUID,
    body: OpinionForm,
    principal: SignedIn,
    db: Db,
    signing: Annotated[Signatures, Depends(signatures)],
) -> OpinionGiven:
    """Sign the ten-minute opinion on an emergency."""
    async with db.transaction(scope_of(principal)) as session:
        given = await service.give_opinion(session, principal, signing, study_id, body, datetime.now(UTC))
        await session.flush()
        return OpinionGiven(opinion_id=given.id, signed_at=given.signed_at)


@router.post("/api/studies/{study_id}/amend")
async def amend(study_id: UUID, body: Reason, principal: SignedIn, db: Db) -> Draft:
    """Begin a new version of a released report."""
    async with db.transaction(scope_of(principal)) as session:
        return draft_of(await service.amend(session, principal, study_id, body.reason, datetime.now(UTC)))
