"""What is an item of the spool, and why could a recording not become one?"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import quote

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ecg_center.contract.upload import Problem, RecordingIdentity, Transport, UploadOffer
from gateway.files import FULL_ERRORS

log = structlog.get_logger(__name__)

RECORDING, MANIFEST, RECEIPT, PROBLEM = "recording", "manifest.json", "receipt.json", "problem.json"
State = Literal["waiting", "delivered", "refused"]


class SpoolError(Exception):
    """The recording could not be made safe; the device must keep it and be told so."""


class SpoolFullError(SpoolError):
    """The disk has no room beside its reserve; it passes when space is freed."""


class RecordingSizeError(SpoolError):
    """The recording is empty or larger than `max_file_bytes`; sending it again cannot help."""


class SpoolBusyError(SpoolError):
    """Another gateway process works in this spool folder."""


class Limits(Protocol):
    """The settings that bound the spool."""

    @property
    def reserve_bytes(self) -> int: ...  # noqa: D102
    @property
    def max_file_bytes(self) -> int: ...  # noqa: D102
    @property
    def keep_delivered_days(self) -> float: ...  # noqa: D102
    @property
    def keep_delivered_bytes(self) -> int: ...  # noqa: D102


class Origin(BaseModel):
    """Where a recording came from, and what the device says of it."""

    model_config = ConfigDict(frozen=True)

    institution_code: str
    transport: Transport
    device: str
    device_address: str | None = None
    media_type: str = "application/octet-stream"
    file_name: str | None = None
    sop_instance_uid: str | None = None
    identity: RecordingIdentity = Field(default_factory=RecordingIdentity)

    def offer(self, sha256: str, size_bytes: int) -> UploadOffer:
        """The manifest. What the contract does not allow is left out: odd metadata never costs a recording."""
        must = {
            "sha256": sha256,
            "size_bytes": size_bytes,
            "institution_code": self.institution_code,
            "transport": self.transport,
            "device": self.device[:64] or "?",
            "safe_at": datetime.now(UTC),
        }
        may = self.model_dump(include={"device_address", "media_type", "file_name", "sop_instance_uid", "identity"})
        while True:
            try:
                return UploadOffer.model_validate(must | may)
            except ValidationError as error:
                bad = {str(item["loc"][0]) for item in error.errors()} & may.keys()
                if not bad:
                    raise
                log.warning("manifest field left out", fields=sorted(bad), sha256=sha256, device=self.device)
                may = {name: value for name, value in may.items() if name not in bad}


@dataclass(frozen=True, slots=True)
class Item:
    """One recording that is safe in the spool."""

    key: str
    offer: UploadOffer
    state: State
    folder: Path
    problem: Problem | None = None

    @property
    def recording(self) -> Path:
        """The file of the bytes."""
        return self.folder / RECORDING

    @property
    def urgent(self) -> bool:
        """Whether the device marked it urgent or as chest pain."""
        return is_urgent(self.offer.identity)


@dataclass(slots=True)
class Stats:
    """How much lies in the spool."""

    waiting: int = 0
    waiting_bytes: int = 0
    oldest_at: datetime | None = None
    delivered: int = 0
    delivered_bytes: int = 0
    refused: int = 0
    corrupt: int = 0
    disk_free_bytes: int = 0


@dataclass(slots=True)
class Recovery:
    """What a start found on the disk."""

    waiting: int = 0
    delivered: int = 0
    refused: int = 0
    unfinished_removed: int = 0
    corrupt: list[str] = field(default_factory=list)


def is_urgent(identity: RecordingIdentity) -> bool:
    """Whether the device marked it urgent or as chest pain."""
    return bool(identity.urgent or identity.chest_pain)


def item_key(institution_code: str, sha256: str) -> str:
    """The name of an item's folder."""
    return f"{sha256}~{quote(institution_code, safe='')}"


def disk_error(error: OSError, root: Path) -> SpoolError:
    """What a failed write means for the device."""
    if error.errno in FULL_ERRORS:
        return SpoolFullError(f"disk of {root} is full ({error.strerror}); free some space")
    return SpoolError(f"disk of {root} failed: {error}")
