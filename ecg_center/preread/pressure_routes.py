"""HTTP of a day of blood pressures: what is said of it, and the edits of that."""

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Response

from ecg_center.contract.findings import Findings
from ecg_center.domain.authority import Act
from ecg_center.domain.errors import NotFound
from ecg_center.http import Db, SignedIn
from ecg_center.preread import pressures, service
from ecg_center.preread.schemas import PressureEditForm, PressureEditMade
from ecg_center.store.scopes import scope_of

router = APIRouter()


@router.get("/api/recordings/{recording_id}/pressure")
async def pressure(recording_id: UUID, principal: SignedIn, db: Db, response: Response) -> Findings:
    """What is said of the readings, with the physicians' edits."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        await service.recording(session, recording_id)
        findings = await service.findings_of(session, recording_id)
    if findings is None or findings.pressure is None:
        raise NotFound("There are no blood pressure readings in this recording.")
    response.headers["Cache-Control"] = "private, no-cache"
    return findings


@router.get("/api/recordings/{recording_id}/pressure-edits")
async def edits_made(recording_id: UUID, principal: SignedIn, db: Db) -> list[PressureEditMade]:
    """The list of what physicians changed."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        await service.recording(session, recording_id)
        return await pressures.made(session, recording_id)


@router.post("/api/recordings/{recording_id}/pressure-edits", status_code=201)
async def edit(recording_id: UUID, form: PressureEditForm, principal: SignedIn, db: Db) -> dict[str, int]:
    """Take readings out or put them back in: an edit at the end of the list."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        return {"position": await pressures.add(session, principal, recording_id, form, datetime.now(UTC))}
