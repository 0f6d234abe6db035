"""HTTP of a day of ECG: its samples, overview and beats by the stretch, what is said of it, and the edits of that."""

import asyncio
import gzip
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from ecg_center.domain.authority import Act, Principal
from ecg_center.http import BlobStore, Db, SignedIn
from ecg_center.preread import days, edits, queries, service
from ecg_center.preread.schemas import DayBeats, DayFindings, DayHeader, DayTrend, EditForm, EditMade
from ecg_center.store.findings import FindingsFile
from ecg_center.store.scopes import scope_of
from ecg_center.store.session import Database
from ecg_center.store.tables import Recording

router = APIRouter()

IMMUTABLE = "private, max-age=86400, immutable"
"""A recording's samples never change; only this person's browser may keep them."""
FRESH = "private, no-cache"
GZIP_LEVEL = 4
"""A day says a megabyte of numbers: a tenth of it is sent, for 15 ms."""
Sample = Annotated[int, Query(ge=0)]


async def _recording(db: Database, principal: Principal, recording_id: UUID) -> Recording:
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        return (await service.recording(session, recording_id))[0]


async def _findings(db: Database, principal: Principal, recording_id: UUID, machine: bool) -> FindingsFile:
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        recording, _ = await service.recording(session, recording_id)
        return await days.findings(session, recording, machine=machine, with_content=False)


@router.get("/api/recordings/{recording_id}/day")
async def day_header(
    recording_id: UUID, principal: SignedIn, db: Db, blobs: BlobStore, response: Response
) -> DayHeader:
    """Leads, scale, rate and length of a day's recording."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        recording, institution = await service.recording(session, recording_id)
    response.headers["Cache-Control"] = FRESH
    return await days.header(blobs, recording, institution)


@router.get("/api/recordings/{recording_id}/stretch.i16")
async def stretch(
    recording_id: UUID, principal: SignedIn, db: Db, blobs: BlobStore, start: Sample, stop: Sample
) -> Response:
    """The samples of a stretch: little-endian int16, lead after lead."""
    recording = await _recording(db, principal, recording_id)
    samples = await days.stretch(blobs, recording, start, stop)
    return _numbers(samples.astype("<i2", copy=False).tobytes())


@router.get("/api/recordings/{recording_id}/overview.i16")
async def overview(
    recording_id: UUID,
    principal: SignedIn,
    db: Db,
    blobs: BlobStore,
    start: Sample,
    stop: Sample,
    columns: Annotated[int, Query(ge=1)],
    lead: Annotated[int | None, Query(ge=0)] = None,
) -> Response:
    """Lowest and highest of each column: little-endian int16, lead after lead; of one lead where it is named."""
    recording = await _recording(db, principal, recording_id)
    pairs = await days.overview(blobs, recording, start, stop, columns, lead)
    return _numbers(pairs.astype("<i2", copy=False).tobytes())


def _numbers(content: bytes) -> Response:
    return Response(content, media_type="application/octet-stream", headers={"Cache-Control": IMMUTABLE})


@router.get("/api/recordings/{recording_id}/findings", response_model=DayFindings)
async def findings(
    request: Request, recording_id: UUID, principal: SignedIn, db: Db, machine: bool = False
) -> Response:
    """What is said of the recording: with the physicians' edits, or the machine's own."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        recording, _ = await service.recording(session, recording_id)
        found = await days.findings(session, recording, machine=machine, with_content=True)
        count = await queries.count_edits(session, recording_id)
    headers = {"Cache-Control": FRESH, "Vary": "Accept-Encoding"}
    content = days.said(found, count)
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = await asyncio.to_thread(gzip.compress, content, GZIP_LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type="application/json", headers=headers)


@router.get("/api/recordings/{recording_id}/beats")
async def beats(
    recording_id: UUID,
    principal: SignedIn,
    db: Db,
    blobs: BlobStore,
    response: Response,
    start: Sample,
    stop: Sample,
    machine: bool = False,
) -> DayBeats:
    """The beats of a stretch."""
    found = await _findings(db, principal, recording_id, machine)
    response.headers["Cache-Control"] = FRESH
    return await days.beats(blobs, found, start, stop)


@router.get("/api/recordings/{recording_id}/trend")
async def trend(
    recording_id: UUID,
    principal: SignedIn,
    db: Db,
    blobs: BlobStore,
    response: Response,
    start: Sample,
    stop: Sample,
    columns: Annotated[int, Query(ge=1)],
    machine: bool = False,
) -> DayTrend:
    """Heart rate and early beats over a stretch."""
    found = await _findings(db, principal, recording_id, machine)
    response.headers["Cache-Control"] = FRESH
    return await days.trend(blobs, found, start, stop, columns)


@router.get("/api/recordings/{recording_id}/beats.atr")
async def annotations(
    recording_id: UUID, principal: SignedIn, db: Db, blobs: BlobStore, machine: bool = False
) -> Response:
    """The beats as a WFDB annotation file."""
    found = await _findings(db, principal, recording_id, machine)
    return Response(
        await days.annotations(blobs, found),
        media_type="application/octet-stream",
        headers={"Cache-Control": FRESH, "Content-Disposition": f'attachment; filename="{recording_id}.atr"'},
    )


@router.get("/api/recordings/{recording_id}/edits")
async def edits_made(recording_id: UUID, principal: SignedIn, db: Db) -> list[EditMade]:
    """The list of what physicians changed."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        recording, _ = await service.recording(session, recording_id)
        return await edits.made(session, recording)


@router.post("/api/recordings/{recording_id}/edits", status_code=201)
async def edit(recording_id: UUID, form: EditForm, principal: SignedIn, db: Db) -> dict[str, int]:
    """Change something: an edit at the end of the list."""
    principal.require(Act.READ)
    async with db.transaction(scope_of(principal)) as session:
        return {"position": await edits.add(session, principal, recording_id, form, datetime.now(UTC))}
