"""HTTP of review: return, or sign and release."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from ecg_center.http import Db, SignedIn
from ecg_center.review import service
from ecg_center.store.scopes import scope_of

router = APIRouter()


class Return(BaseModel):
    """What has to change."""

    reason: str


class Release(BaseModel):
    """The edition that the reviewer saw."""

    edition: int


class Released(BaseModel):
    """A frozen report; its document follows within seconds."""

    report_id: UUID
    version: int
    released_at: datetime


@router.post("/api/studies/{study_id}/return", status_code=204)
async def send_back(study_id: UUID, body: Return, principal: SignedIn, db: Db) -> None:
    """Return the report to its writer."""
    async with db.transaction(scope_of(principal)) as session:
        await service.send_back(session, principal, study_id, body.reason, datetime.now(UTC))


@router.post("/api/studies/{study_id}/release")
async def release(study_id: UUID, body: Release, principal: SignedIn, db: Db) -> Released:
    """The second signature."""
    async with db.transaction(scope_of(principal)) as session:
        report = await service.release(session, principal, study_id, body.edition, datetime.now(UTC))
    assert report.released_at is not None
    return Released(report_id=report.id, version=report.version, released_at=report.released_at)
