"""Where do the bytes of an upload stand until it is whole?

One file per upload; its length is the offset, so nothing else has to be kept in step with it. A chunk is on the disk
(fsync) before its offset is told.
"""

import hashlib
import os
from pathlib import Path
from uuid import UUID

from ecg_center.domain.errors import Conflict, Refused

READ_BYTES = 1024 * 1024


class NoRoomError(Refused):
    """The centre's disk is full: nothing was taken, the gateway keeps its copy and tries again."""

    code = "no-room"
    http_status = 507
    retry = True


class OffsetError(Conflict):
    """The chunk does not begin where the upload stands."""

    code = "upload-offset"
    retry = True

    def __init__(self, offset_bytes: int) -> None:
        super().__init__("The upload stands at byte {offset}; send from there.", offset=offset_bytes)
        self.offset_bytes = offset_bytes


class Parts:
    """The folder of uploads under way."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, institution_id: UUID, sha256: str) -> Path:
        """The file of one upload."""
        return self._folder / f"{institution_id}-{sha256}.part"

    def offset_bytes(self, institution_id: UUID, sha256: str) -> int:
        """How much of it is on the disk."""
        try:
            return self.path(institution_id, sha256).stat().st_size
        except FileNotFoundError:
            return 0

    def append(self, institution_id: UUID, sha256: str, offset_bytes: int, chunk: bytes, size_bytes: int) -> int:
        """Put the chunk on the disk and return the new offset.

        Raises:
            OffsetError: it does not begin where the upload stands, or runs past the offered size.
            NoRoomError: the disk is full; what stood before still stands.
        """
        path = self.path(institution_id, sha256)
        new = not path.exists()
        if new and offset_bytes:
            raise OffsetError(0)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            stands_at = os.fstat(descriptor).st_size
            if offset_bytes != stands_at or stands_at + len(chunk) > size_bytes:
                raise OffsetError(stands_at)
            try:
                _write_all(descriptor, chunk, stands_at)
                os.fsync(descriptor)
            except OSError as error:
                os.ftruncate(descriptor, stands_at)
                raise NoRoomError("The centre cannot store the upload now: {error}.", error=error.strerror) from error
            if new:
                _fsync_folder(self._folder)
            return stands_at + len(chunk)
        finally:
            os.close(descriptor)

    def sha256(self, institution_id: UUID, sha256: str) -> str:
        """The digest of what is on the disk."""
        digest = hashlib.sha256()
        with self.path(institution_id, sha256).open("rb") as part:
            while block := part.read(READ_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def drop(self, institution_id: UUID, sha256: str) -> None:
        """Forget the upload's bytes."""
        self.path(institution_id, sha256).unlink(missing_ok=True)


def _write_all(descriptor: int, chunk: bytes, at: int) -> None:
    view = memoryview(chunk)
    while view:
        written = os.pwrite(descriptor, view, at)
        view, at = view[written:], at + written


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
