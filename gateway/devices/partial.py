"""How does an upload in segments survive a restart of the gateway?

Each unfinished upload is a folder under ``partial/`` in the spool: ``upload.json`` (its address and ``init``) and
``recording``, to which segments are appended in order and fsynced before their offset is acknowledged. Complete and
with the right checksum the folder becomes a waiting item by the spool's one rename.
"""

import hashlib
import shutil
import time
from collections.abc import Iterable
from io import FileIO
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict

from gateway.devices.grammar import Ack, Address, Fin, Init, Part, Segment, error_ack
from gateway.devices.segments import SegmentBuffer
from gateway.files import append_all, free_bytes, hash_file, replace, sync_file, sync_folder
from gateway.items import RECORDING, Origin, RecordingSizeError, SpoolError, SpoolFullError, disk_error, is_urgent
from gateway.settings import MqttSettings
from gateway.spool import Spool

log = structlog.get_logger(__name__)

UPLOAD = "upload.json"

MAX_PARTIAL = 1000
"""Unfinished uploads of all devices together; a clinic has some dozens."""

GAP_ACK_S = 1.0
"""A device is told once a second that bytes are missing: one line takes that long to turn round, and more would
make it start over again and again."""

DISK_FULL_RETRY_S = 60
"""Somebody has to free space; a device asks again in a minute."""


class _Kept(BaseModel):
    """``upload.json``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    clinic: str
    device: str
    upload_id: str
    init: Init


class PartialStore:
    """All unfinished uploads. Different uploads may be worked on from different threads, one upload from one."""

    def __init__(self, spool: Spool, settings: MqttSettings) -> None:
        self.root = spool.root / "partial"
        self.spool = spool
        self.settings = settings
        self._owners: dict[str, str] = {}

    def open(self) -> int:
        """Count what the last process left; remove what is no upload. How many there are."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._owners.clear()
        for folder in self.root.iterdir():
            kept = read_kept(folder)
            if kept is None:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                self._owners[folder.name] = f"{kept.clinic}/{kept.device}"
        return len(self._owners)

    def folder(self, address: Address) -> Path:
        """The folder of an upload."""
        name = f"{address.clinic}/{address.device}/{address.upload_id}"
        return self.root / hashlib.sha256(name.encode()).hexdigest()[:40]

    def room_for(self, address: Address) -> bool:
        """Whether this device, and all together, may begin one more."""
        owner = f"{address.clinic}/{address.device}"
        others = [name for name in self._owners.values() if name == owner]
        return len(others) < self.settings.max_uploads_per_device and len(self._owners) < MAX_PARTIAL

    def begun(self, folder: Path, address: Address) -> None:
        """Count an upload."""
        self._owners[folder.name] = f"{address.clinic}/{address.device}"

    def ended(self, folder: Path) -> None:
        """An upload is finished or dropped: nothing of it stays."""
        self._owners.pop(folder.name, None)
        shutil.rmtree(folder, ignore_errors=True)

    def expire(self, now_s: float) -> int:
        """Drop what nobody continued for `idle_hours`; the device was never told that it is safe."""
        dropped = 0
        for folder in self.root.iterdir():
            try:
                last = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            except OSError:
                continue
            if now_s - last > self.settings.idle_hours * 3600:
                log.warning("unfinished upload dropped", folder=folder.name, owner=self._owners.get(folder.name))
                self.ended(folder)
                dropped += 1
        return dropped


class PartialUpload:
    """One upload; ``apply`` does the disk's work and gives the answer for the device."""

    def __init__(self, store: PartialStore, address: Address, institution_code: str) -> None:
        self._store = store
        self._address = address
        self._institution = institution_code
        self._folder = store.folder(address)
        self._init: Init | None = None
        self._buffer: SegmentBuffer | None = None
        self._digest = hashlib.sha256()
        self._file: FileIO | None = None
        self._fin = False
        self._gap_told_at = float("-inf")
        self._told_offset = -1

    def apply(self, parts: Iterable[Part]) -> Ack | None:
        """Work on messages in the order of their arrival, fsync once, and say how it stands.

        None: nothing needs saying.
        """
        ack: Ack | None = None
        asked = False
        try:
            for part in parts:
                if isinstance(part, Init):
                    ack, asked = self._begin(part), True
                elif isinstance(part, Fin):
                    ack = self._end(part)
                else:
                    ack = self._take(part)
                if ack is not None and ack.state != "receiving":
                    return ack
            return self._progress(asked=asked)
        except SpoolFullError as error:
            self._forget_memory()
            return error_ack("disk-full", str(error), DISK_FULL_RETRY_S)
        except SpoolError as error:
            self._forget_memory()
            return error_ack("disk-failed", str(error), DISK_FULL_RETRY_S)
        except OSError as error:
            self._forget_memory()
            full = isinstance(disk_error(error, self._folder), SpoolFullError)
            return error_ack("disk-full" if full else "disk-failed", str(error), DISK_FULL_RETRY_S)

    def close(self) -> None:
        """Let go of the file; the upload stays on disk."""
        self._forget_memory()

    # -- messages -------------------------------------------------------------------------------------------------

    def _begin(self, init: Init) -> Ack | None:
        if (safe := self._held(init.sha256, init)) is not None:
            return safe
        self._resume()
        if self._init is not None and (self._init.size, self._init.sha256) != (init.size, init.sha256):
            self._drop()  # the device uses its id for another file
        if self._init is None:
            if not self._store.room_for(self._address):
                return error_ack("too-many", "finish the uploads that are under way first", DISK_FULL_RETRY_S)
            try:
                self._store.spool.check_room(init.size)
            except RecordingSizeError as error:
                return error_ack("too-large", str(error))
            self._create(init)
        elif self._init != init:
            self._write_upload(init)  # more is known of the same file, such as a late chest-pain button
            self._init = init
        return Ack(state="receiving", offset=0)

    def _take(self, segment: Segment) -> Ack | None:
        if not self._resume():
            return error_ack("no-upload", "send init first")
        assert self._buffer is not None
        try:
            ready = self._buffer.add(segment.offset, segment.data)
        except ValueError as error:
            return error_ack("bad-message", str(error))
        if ready:
            self._append(ready)
        return None

    def _end(self, fin: Fin) -> Ack | None:
        if (safe := self._held(fin.sha256, None)) is not None:
            return safe
        if not self._resume():
            return error_ack("no-upload", "send init first")
        assert self._init is not None
        if (fin.size, fin.sha256) != (self._init.size, self._init.sha256):
            return error_ack("bad-message", "size or sha256 of fin differ from those of init")
        self._fin = True
        return None

    def _held(self, sha256: str, init: Init | None) -> Ack | None:
        """``safe`` where the spool has these bytes already: the device has only missed the answer."""
        item = self._store.spool.find(self._institution, sha256)
        if item is None:
            return None
        if init is not None and is_urgent(init.identity) and not item.urgent:
            item = self._store.spool.urge(item, init.identity)
        sync_folder(item.folder.parent)  # the fsync of its own commit may have failed
        if self._folder.exists():
            self._drop()
        return Ack(state="safe", offset=item.offer.size_bytes)

    def _progress(self, *, asked: bool) -> Ack | None:
        """Make durable what was written; then say so, or finish."""
        if self._buffer is None or self._init is None:
            return None
        self._sync()
        if self._buffer.complete and self._fin:
            return self._finish()
        offset = self._buffer.next_offset
        missing = self._buffer.gap or (self._fin and not self._buffer.complete)
        told_lately = time.monotonic() - self._gap_told_at < GAP_ACK_S
        if offset == self._told_offset and not asked and (not missing or told_lately):
            return None
        self._told_offset = offset
        resend = missing and not told_lately
        if resend:
            self._gap_told_at = time.monotonic()
        settings = self._store.settings
        return Ack(
            state="receiving",
            offset=offset,
            resend=True if resend else None,
            segment_bytes=settings.segment_bytes if asked else None,
            window_bytes=settings.window_bytes if asked else None,
        )

    def _finish(self) -> Ack:
        assert self._init is not None
        init = self._init
        if self._digest.hexdigest() != init.sha256:
            log.warning("upload has a wrong checksum", device=self._address.device, upload=self._address.upload_id)
            self._drop()
            return error_ack("checksum", "the bytes do not have the checksum of init; start over with init")
        origin = Origin(
            institution_code=self._institution,
            transport="mqtt",
            device=self._address.device,
            media_type=init.media_type,
            file_name=init.name,
            identity=init.identity,
        )
        self._forget_memory()
        self._store.spool.commit(self._folder, origin, init.sha256, init.size)
        self._store.ended(self._folder)
        return Ack(state="safe", offset=init.size)

    # -- disk -----------------------------------------------------------------------------------------------------

    def _resume(self) -> bool:
        """Take the upload up, from memory or from disk; whether there is one."""
        if self._init is not None:
            return True
        kept = read_kept(self._folder)
        if kept is None:
            return False
        path = self._folder / RECORDING
        file = path.open("ab", buffering=0)
        offset = file.tell()
        if offset > kept.init.size:
            file.truncate(kept.init.size)
            offset = kept.init.size
        sync_file(file.fileno())  # what is counted as durable is durable, whatever the last process had time for
        self._digest = hash_file(path)
        self._file = file
        self._init = kept.init
        self._buffer = SegmentBuffer(kept.init.size, self._store.settings.window_bytes, offset)
        self._store.begun(self._folder, self._address)
        return True

    def _create(self, init: Init) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / RECORDING).touch()
        self._write_upload(init)
        sync_folder(self._store.root)
        self._store.begun(self._folder, self._address)
        self._resume()

    def _write_upload(self, init: Init) -> None:
        kept = _Kept(
            clinic=self._address.clinic, device=self._address.device, upload_id=self._address.upload_id, init=init
        )
        replace(self._folder / UPLOAD, kept.model_dump_json().encode())

    def _append(self, data: bytes) -> None:
        assert self._file is not None
        if free_bytes(self._store.root) < len(data) + self._store.spool.reserve_bytes:
            raise SpoolFullError(f"disk of {self._store.root} is full but for its reserve; free some space")
        append_all(self._file, data)
        self._digest.update(data)

    def _sync(self) -> None:
        assert self._file is not None
        sync_file(self._file.fileno())

    def _forget_memory(self) -> None:
        """After an error the file is the only truth: its length says how much came through."""
        if self._file is not None:
            self._file.close()
        self._file = None
        self._init = None
        self._buffer = None
        self._fin = False

    def _drop(self) -> None:
        self._forget_memory()
        self._store.ended(self._folder)


def read_kept(folder: Path) -> _Kept | None:
    """What ``upload.json`` says; None where there is no upload."""
    try:
        return _Kept.model_validate_json((folder / UPLOAD).read_bytes())
    except (OSError, ValueError):
        return None
