"""HTTP of intake: the resumable upload of ``contract/upload.py``."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request

from ecg_center.contract.upload import UploadOffer, UploadStatus
from ecg_center.domain.errors import Invalid
from ecg_center.http import FromGateway
from ecg_center.intake.uploads import Uploads

router = APIRouter()

MAX_CHUNK_BYTES = 8 * 1024 * 1024
"""A gateway sends 256 KiB; more than this at once would only be held in memory."""


def uploads(request: Request) -> Uploads:
    """The application's uploads."""
    found: Uploads = request.app.state.uploads
    return found


UploadsInUse = Annotated[Uploads, Depends(uploads)]
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]


@router.post("/api/gateway/uploads")
async def offer(body: UploadOffer, gateway: FromGateway, service: UploadsInUse) -> UploadStatus:
    """Offer a recording; the answer says from where on to send, or carries the receipt."""
    return await service.offer(gateway, body, datetime.now(UTC))


@router.patch("/api/gateway/uploads/{sha256}")
async def append(
    sha256: Digest,
    request: Request,
    gateway: FromGateway,
    service: UploadsInUse,
    upload_offset: Annotated[int, Header(ge=0)],
) -> UploadStatus:
    """Send the bytes from ``Upload-Offset`` on."""
    chunk = bytearray()
    async for block in request.stream():
        chunk += block
        if len(chunk) > MAX_CHUNK_BYTES:
            raise Invalid("A chunk has at most {n} bytes.", n=MAX_CHUNK_BYTES)
    return await service.append(gateway, sha256, upload_offset, bytes(chunk), datetime.now(UTC))
