"""HTTP of the timeline."""

from uuid import UUID

from fastapi import APIRouter

from ecg_center.domain.authority import Act
from ecg_center.http import Db, SignedIn
from ecg_center.store.scopes import scope_of
from ecg_center.timeline import service
from ecg_center.timeline.schemas import TimelineLine

router = APIRouter()


@router.get("/api/studies/{study_id}/timeline")
async def timeline(study_id: UUID, principal: SignedIn, db: Db) -> list[TimelineLine]:
    """Every line of the study's story."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        return await service.timeline(session, study_id)
