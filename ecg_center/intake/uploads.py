"""How do bytes become durable, chunk by chunk, whatever is cut in between? (``contract/upload.py``)"""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from ecg_center.contract.upload import UploadOffer, UploadStatus
from ecg_center.domain.errors import Conflict, NotFound
from ecg_center.http import Gateway
from ecg_center.intake import queries, service
from ecg_center.intake.parts import NoRoomError, OffsetError, Parts
from ecg_center.store.blobs import Blobs, BlobStoreError, original_key
from ecg_center.store.session import EVERYTHING, Database

log = structlog.get_logger(__name__)

FORGET_AFTER = timedelta(days=7)
"""A part that nobody continued for a week; the gateway still has the whole and would offer it anew."""


class ChecksumError(Conflict):
    """The bytes that arrived are not those that were offered."""

    code = "upload-checksum"
    retry = True


class Uploads:
    """Uploads under way, on this database, folder and store."""

    def __init__(self, database: Database, parts: Parts, blobs: Blobs) -> None:
        self._database = database
        self._parts = parts
        self._blobs = blobs

    async def offer(self, gateway: Gateway, offer: UploadOffer, now: datetime) -> UploadStatus:
        """Answer an offer: the receipt of bytes that are here, else from where on to send.

        Raises:
            NotAllowed: the gateway does not serve this institution.
        """
        institution_id = gateway.institution(offer.institution_code)
        offer = service.storable(offer)
        async with self._database.transaction(gateway.scope) as session:
            known = await queries.recording_by_content(session, institution_id, offer.sha256)
            if known is None:
                await queries.save_upload(
                    session, institution_id, offer.sha256, gateway.id, offer.model_dump(mode="json"), now
                )
        offset = await asyncio.to_thread(self._parts.offset_bytes, institution_id, offer.sha256)
        if known is not None or offset == offer.size_bytes:
            return await self._complete(gateway, institution_id, offer, now)
        return UploadStatus(sha256=offer.sha256, offset_bytes=offset)

    async def append(
        self, gateway: Gateway, sha256: str, offset_bytes: int, chunk: bytes, now: datetime
    ) -> UploadStatus:
        """Take a chunk; the one that completes the file is answered with the receipt.

        Raises:
            NotFound: nothing of this digest was offered.
            OffsetError, NoRoomError, ChecksumError: see there; none of them loses what the gateway has.
        """
        async with self._database.transaction(gateway.scope) as session:
            uploads = await queries.uploads_by_content(session, sha256)
        if not uploads:
            raise NotFound("Nothing of this digest is on offer; offer it first.")
        first = uploads[0]
        offer = UploadOffer.model_validate(first.offer)
        offset = await asyncio.to_thread(
            self._parts.append, first.institution_id, sha256, offset_bytes, chunk, offer.size_bytes
        )
        if offset < offer.size_bytes:
            return UploadStatus(sha256=sha256, offset_bytes=offset)
        status = await self._complete(gateway, first.institution_id, offer, now)
        for other in uploads[1:]:  # offered for a second clinic meanwhile: its receipt must not be left out
            await self._receive(gateway, other.institution_id, UploadOffer.model_validate(other.offer), now)
        return status

    async def _complete(
        self, gateway: Gateway, institution_id: UUID, offer: UploadOffer, now: datetime
    ) -> UploadStatus:
        """Verify, store durably, and only then write the transaction; every step may be repeated, or done at once.

        Raises:
            ChecksumError: the bytes are not those that were offered.
            OffsetError: they are gone, because another request found that they were not.
            NoRoomError: the store does not take them now.
        """
        try:
            digest = await asyncio.to_thread(self._parts.sha256, institution_id, offer.sha256)
            if digest != offer.sha256:
                await asyncio.to_thread(self._parts.drop, institution_id, offer.sha256)
                raise ChecksumError("The bytes do not have the digest that was offered; send the file again from 0.")
            await self._blobs.put(original_key(offer.sha256), self._parts.path(institution_id, offer.sha256))
        except BlobStoreError as error:
            log.error("original_not_stored", sha256=offer.sha256, error=str(error))
            raise NoRoomError("The centre cannot store the recording now; it is sent again later.") from error
        except FileNotFoundError:
            # Only a recording of this very clinic proves that the bytes were here: without one there is no receipt.
            if not await self._is_known(gateway, institution_id, offer.sha256):
                raise OffsetError(0) from None
        return await self._receive(gateway, institution_id, offer, now)

    async def _is_known(self, gateway: Gateway, institution_id: UUID, sha256: str) -> bool:
        async with self._database.transaction(gateway.scope) as session:
            return await queries.recording_by_content(session, institution_id, sha256) is not None

    async def _receive(self, gateway: Gateway, institution_id: UUID, offer: UploadOffer, now: datetime) -> UploadStatus:
        async with self._database.transaction(gateway.scope) as session:
            receipt = await service.receive(session, gateway.actor, institution_id, offer, now)
        await asyncio.to_thread(self._parts.drop, institution_id, offer.sha256)
        return UploadStatus(sha256=offer.sha256, offset_bytes=offer.size_bytes, receipt=receipt)

    async def forget_stale(self, now: datetime) -> int:
        """Drop the parts of uploads that nobody continues."""
        async with self._database.transaction(EVERYTHING) as session:
            stale = await queries.stale_uploads(session, now - FORGET_AFTER)
            for upload in stale:
                self._parts.drop(upload.institution_id, upload.sha256)
                await queries.delete_upload(session, upload.institution_id, upload.sha256)
        return len(stale)
