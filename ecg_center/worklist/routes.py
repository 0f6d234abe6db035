"""HTTP of the worklist: what is mine to read, and who holds what."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from ecg_center.http import Db, SignedIn
from ecg_center.store.scopes import scope_of
from ecg_center.worklist import service
from ecg_center.worklist.schemas import Counts, Desk, WorklistRow

router = APIRouter()


class WorklistPage(BaseModel):
    """One page of a desk's list."""

    total: int
    counts: Counts
    rows: list[WorklistRow]


class Claimed(BaseModel):
    """A study that one holds now; ``study_id`` None where the desk is empty."""

    study_id: UUID | None
    state: str | None = None
    lease_until: datetime | None = None


@router.get("/api/worklist")
async def worklist(
    principal: SignedIn, db: Db, desk: Desk = "write", offset: Annotated[int, Query(ge=0)] = 0
) -> WorklistPage:
    """The studies on one's desk, in reading order."""
    now = datetime.now(UTC)
    async with db.transaction(scope_of(principal)) as session:
        rows, total = await service.rows(session, principal, desk, now, offset=offset)
        return WorklistPage(total=total, counts=await service.counts(session, principal, now), rows=rows)


@router.post("/api/worklist/next")
async def take_next(principal: SignedIn, db: Db, desk: Desk = "write", after: UUID | None = None) -> Claimed:
    """Claim what one should read next."""
    async with db.transaction(scope_of(principal)) as session:
        study = await service.take_next(session, principal, desk, datetime.now(UTC), after=after)
    if study is None:
        return Claimed(study_id=None)
    return Claimed(study_id=study.id, state=study.state, lease_until=study.lease_until)


@router.post("/api/studies/{study_id}/claim")
async def claim(study_id: UUID, principal: SignedIn, db: Db) -> Claimed:
    """Claim one study."""
    async with db.transaction(scope_of(principal)) as session:
        study = await service.claim(session, principal, study_id, datetime.now(UTC))
    return Claimed(study_id=study.id, state=study.state, lease_until=study.lease_until)


@router.post("/api/studies/{study_id}/renew")
async def renew(study_id: UUID, principal: SignedIn, db: Db) -> Claimed:
    """Keep holding a study while its page is open."""
    async with db.transaction(scope_of(principal)) as session:
        until = await service.renew(session, principal, study_id, datetime.now(UTC))
    return Claimed(study_id=study_id, lease_until=until)


@router.post("/api/studies/{study_id}/let-go", status_code=204)
async def let_go(study_id: UUID, principal: SignedIn, db: Db) -> None:
    """Give a study back to everyone."""
    async with db.transaction(scope_of(principal)) as session:
        await service.let_go(session, principal, study_id, datetime.now(UTC))
