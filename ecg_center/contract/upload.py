"""How does a recording reach the centre, whole and once, over a bad network?

1. ``POST /api/gateway/uploads`` with an :class:`UploadOffer` → :class:`UploadStatus`.
2. ``PATCH /api/gateway/uploads/{sha256}`` with header ``Upload-Offset: N`` and the bytes from N on
   (``application/octet-stream``) → :class:`UploadStatus`. A wrong offset answers 409 with the right one.
3. The request that completes the file answers with ``receipt`` set. Only then may the gateway let go of its copy.

Every step may be repeated any number of times: the content's SHA-256 is the identity of the upload within
an institution. A repeated offer for bytes that the centre holds answers at once with the first receipt.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ecg_center.contract.base import Instant, Message, Sha256

MAX_RECORDING_BYTES = 2 * 1024**3
"""A 14-day, 3-lead, 1000 Hz patch in 16 bits is 7.3 GB raw but every recorder in the field compresses or
splits; the largest single file seen is about 1 GB. More is refused at the offer, not after the upload."""

CHUNK_BYTES = 256 * 1024
"""A chunk is re-sent after a cut: at 64 kB/s (2G/EDGE uplink) 256 KiB costs four seconds at the most."""

Transport = Literal["dicom", "mqtt", "ftp", "folder", "web"]

Text64 = Annotated[str, Field(max_length=64)]


class RecordingIdentity(Message):
    """Whom and when the device says it recorded, as written on the device; nothing here is believed blindly."""

    accession_number: Text64 | None = None
    patient_id: Text64 | None = None
    patient_name: Annotated[str, Field(max_length=200)] | None = None
    sex: Literal["M", "F", "O"] | None = None
    birth_date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    age_years: Annotated[float, Field(ge=0, le=150)] | None = None
    started_at: Instant | None = None
    """Start of the recording by the device's clock."""
    study_kind: Literal["resting", "holter", "abpm"] | None = None
    urgent: bool | None = None
    chest_pain: bool | None = None
    """The chest-pain button of a device that has one."""


class UploadOffer(Message):
    """What the gateway holds and would like the centre to take over."""

    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0, le=MAX_RECORDING_BYTES)]
    institution_code: Annotated[str, Field(min_length=1, max_length=16)]
    transport: Transport
    device: Text64
    """The device's own name on its transport: calling AE title, MQTT device id, folder name."""
    device_address: Text64 | None = None
    """Peer address as the gateway saw it."""
    media_type: Text64 = "application/octet-stream"
    """``application/dicom`` where the transport says so; the centre recognises the format by content."""
    file_name: Annotated[str, Field(max_length=255)] | None = None
    sop_instance_uid: Annotated[str, Field(pattern=r"^[0-9.]{1,64}$")] | None = None
    safe_at: Instant
    """When the gateway told the device that the recording is safe (after its fsync)."""
    identity: RecordingIdentity = RecordingIdentity()


class Receipt(Message):
    """The centre's word that the bytes are durable and in the flow."""

    recording_id: UUID
    study_id: UUID
    stored_at: Instant
    duplicate: bool
    """True where the centre already held these bytes."""
    matched: bool
    """False where the recording waits in the list of unmatched recordings."""


class UploadStatus(Message):
    """How far an upload has come."""

    sha256: Sha256
    offset_bytes: Annotated[int, Field(ge=0)]
    receipt: Receipt | None = None


class Problem(Message):
    """An error as the API says it (RFC 9457, the members we use)."""

    type: str
    """A short stable name, e.g. ``upload-offset``, ``device-unknown``."""
    title: str
    detail: str
    """What is wrong and what to do about it, in a sentence for a person."""
    retry: bool
    """Whether the same request can succeed later without a person doing something."""
