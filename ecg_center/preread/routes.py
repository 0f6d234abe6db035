"""HTTP of the decoded waveform, as the viewer draws it."""

from typing import Any
from uuid import UUID

import numpy as np
from fastapi import APIRouter, Response

from ecg_center.domain.authority import Act
from ecg_center.http import BlobStore, Db, SignedIn
from ecg_center.preread import service
from ecg_center.preread.day_routes import IMMUTABLE
from ecg_center.preread.day_routes import router as of_a_day
from ecg_center.preread.pressure_routes import router as of_pressures
from ecg_center.store.scopes import scope_of

router = APIRouter()
router.include_router(of_a_day)
router.include_router(of_pressures)


@router.get("/api/recordings/{recording_id}/waveform.json")
async def waveform_header(
    recording_id: UUID, principal: SignedIn, db: Db, blobs: BlobStore, response: Response
) -> dict[str, Any]:
    """Leads, scale, rate and length of the recording."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        recording, institution = await service.recording(session, recording_id)
    waveform = service.for_display(await service.waveform(blobs, recording))
    described = recording.waveform or {}
    response.headers["Cache-Control"] = "private, no-cache"
    return {
        "recording_id": str(recording.id),
        "sampling_hz": waveform.sampling_hz,
        "n_samples": int(waveform.samples.shape[1]),
        "leads": [
            {
                "name": name,
                "uv_per_lsb": float(waveform.uv_per_lsb[index]),
                "baseline": float(waveform.baseline[index]),
                "derived": name in described.get("derived", []),
            }
            for index, name in enumerate(waveform.leads)
        ],
        "filters": described.get("filters", []),
        "started_at": recording.started_at.isoformat() if recording.started_at else None,
        "demo": institution.is_demo,
    }


@router.get("/api/recordings/{recording_id}/waveform.i16")
async def waveform_samples(recording_id: UUID, principal: SignedIn, db: Db, blobs: BlobStore) -> Response:
    """The samples: little-endian int16, lead after lead."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        recording, _ = await service.recording(session, recording_id)
    waveform = service.for_display(await service.waveform(blobs, recording))
    samples = np.clip(waveform.samples, -32768, 32767).astype("<i2")
    return Response(samples.tobytes(), media_type="application/octet-stream", headers={"Cache-Control": IMMUTABLE})
