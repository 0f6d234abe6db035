"""When is a recording safe at the clinic, and how does it stay so until the centre has it?

An item is one folder that holds ``recording`` (the bytes) and ``manifest.json`` (an ``UploadOffer``). It is written
under ``incoming/``, every file and folder fsynced, and becomes safe by one rename into ``waiting/``: whatever the
moment of a kill or a power cut, there is nothing or the whole item. Its state is the folder that it lies in:

    incoming/  being written; whatever a dead process left here was never called safe and is removed
    waiting/   safe, on its way to the centre
    delivered/ the centre gave its receipt (``receipt.json``); kept for some days, then pruned
    refused/   the centre will not have it (``problem.json``); waits for a person, ``ecg-gateway retry``
    corrupt/   the disk gave back other bytes than were written (``reason.txt``); never deleted

The key of an item is the content's SHA-256 with the institution, so the same bytes twice are one item.
Every method may be called from any thread.
"""

import fcntl
import os
import shutil
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import structlog
from pydantic import BaseModel

from ecg_center.contract.upload import Problem, Receipt, RecordingIdentity, UploadOffer
from gateway.files import Bytes, free_bytes, hash_file, replace, sync_folder, write_new
from gateway.items import (
    MANIFEST,
    PROBLEM,
    RECEIPT,
    RECORDING,
    Item,
    Limits,
    Origin,
    RecordingSizeError,
    Recovery,
    SpoolBusyError,
    SpoolFullError,
    State,
    Stats,
    disk_error,
    is_urgent,
    item_key,
)

log = structlog.get_logger(__name__)


MANIFEST_ALLOWANCE_BYTES = 64 * 1024
"""What an item takes beside its bytes: a manifest of at most a few KiB, and blocks of the file system."""


class Spool:
    """The durable journal in one folder."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self.root = root
        self._limits = limits
        self._mutex = threading.RLock()
        self._items: dict[str, Item] = {}
        self._unverified: set[str] = set()
        self._scanned_at_ns = -1
        self._lock_file: int | None = None
        self.on_waiting: Callable[[Item], None] = lambda item: None
        """Called, from any thread, when an item has begun to wait for the centre."""

    @property
    def reserve_bytes(self) -> int:
        """Free space that new recordings may not use."""
        return self._limits.reserve_bytes

    # -- start ------------------------------------------------------------------------------------------------

    def open(self) -> Recovery:
        """Take the spool for this process alone, remove what was never safe, index the rest.

        Raises:
            SpoolBusyError: another process holds it.
        """
        for name in ("incoming", "waiting", "delivered", "refused", "corrupt"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self._take_lock()
        found = Recovery(unfinished_removed=self._clear_incoming())
        self._index(found)
        for folder in ("waiting", "delivered", "refused"):
            sync_folder(self.root / folder)
        log.info("spool recovered", folder=str(self.root), waiting=found.waiting, refused=found.refused)
        return found

    def attach(self) -> Recovery:
        """Index the spool beside a gateway that may be running (for the command line)."""
        for name in ("incoming", "waiting", "delivered", "refused", "corrupt"):
            (self.root / name).mkdir(parents=True, exist_ok=True)
        found = Recovery()
        self._index(found, repair=False)
        return found

    def close(self) -> None:
        """Let another process have the spool."""
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _take_lock(self) -> None:
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise SpoolBusyError(
                f"another gateway works in {self.root}; stop it first, or give this one its own `spool`"
            ) from None
        self._lock_file = descriptor

    def _clear_incoming(self) -> int:
        """Remove what a dead process left half written; a living ``ecg-gateway put`` keeps its own."""
        removed = 0
        for folder in (self.root / "incoming").iterdir():
            owner = folder.name.partition("-")[0]
            if owner.isdigit() and int(owner) != os.getpid() and _alive(int(owner)):
                continue
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
        return removed

    def _index(self, found: Recovery, *, repair: bool = True) -> None:
        self._scanned_at_ns = (self.root / "waiting").stat().st_mtime_ns
        for state in ("delivered", "refused", "waiting"):
            for folder in sorted((self.root / state).iterdir()):
                item = self._load(folder, state)
                if isinstance(item, str):
                    found.corrupt.append(f"{folder.name}: {item}")
                    if repair:
                        self._set_aside(folder, item)
                    continue
                if state == "waiting" and repair:
                    item = self._finish_move(item)
                self._items[item.key] = item
                setattr(found, item.state, getattr(found, item.state) + 1)
                if item.state == "waiting":
                    self._unverified.add(item.key)

    def _load(self, folder: Path, state: State) -> Item | str:
        """The item in a folder, or in words why it is none."""
        try:
            offer = UploadOffer.model_validate_json((folder / MANIFEST).read_bytes())
            size = (folder / RECORDING).stat().st_size
        except (OSError, ValueError) as error:
            return f"manifest or recording cannot be read: {str(error).splitlines()[0]}"
        if folder.name != item_key(offer.institution_code, offer.sha256):
            return "the manifest belongs to another recording"
        if size != offer.size_bytes:
            return f"the recording has {size} bytes, {offer.size_bytes} were written"
        problem = _read_problem(folder) if state == "refused" else None
        return Item(folder.name, offer, state, folder, problem)

    def _finish_move(self, item: Item) -> Item:
        """A receipt or a refusal that was written before the kill, but not acted upon."""
        if _valid(Receipt, item.folder / RECEIPT):
            return self._move(item, "delivered")
        if _valid(Problem, item.folder / PROBLEM):
            return self._move(item, "refused", _read_problem(item.folder))
        return item

    # -- devices' side ----------------------------------------------------------------------------------------

    def store(self, origin: Origin, parts: Iterable[Bytes]) -> Item:
        """Make a recording safe; when this returns the device may be told so.

        Raises:
            SpoolFullError: no room; RecordingSizeError: empty or too large; SpoolError: the disk failed.
        """
        pieces = [memoryview(part) for part in parts]
        self.check_room(sum(piece.nbytes for piece in pieces))
        folder = self.new_folder()
        try:
            folder.mkdir()
            sha256, size = write_new(folder / RECORDING, pieces)
            return self.commit(folder, origin, sha256, size)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise disk_error(error, self.root) from error

    def new_folder(self) -> Path:
        """A name under ``incoming/`` that nobody else uses."""
        return self.root / "incoming" / f"{os.getpid()}-{uuid4().hex}"

    def check_room(self, size: int) -> None:
        """Raise unless a recording of that size is within the limits; old delivered copies give way to it."""
        if size <= 0:
            raise RecordingSizeError("the recording is empty")
        if size > self._limits.max_file_bytes:
            raise RecordingSizeError(f"the recording has {size} bytes, allowed are {self._limits.max_file_bytes}")
        need = size + MANIFEST_ALLOWANCE_BYTES + self._limits.reserve_bytes
        if free_bytes(self.root) >= need:
            return
        self.prune(need_bytes=need)
        if free_bytes(self.root) < need:
            raise SpoolFullError(
                f"disk of {self.root} is full: {free_bytes(self.root)} bytes free, "
                f"{self._limits.reserve_bytes} of them reserved; free some space"
            )

    def commit(self, folder: Path, origin: Origin, sha256: str, size: int) -> Item:
        """Turn a folder that holds the fsynced ``recording`` into a waiting item, by one rename.

        The folder must lie in the spool. Bytes that are held already give the item that is there.

        Raises:
            OSError: the disk failed; the folder is as it was, but for a manifest.
        """
        offer = origin.offer(sha256, size)
        assert (folder / RECORDING).stat().st_size == size
        replace(folder / MANIFEST, offer.model_dump_json(indent=1).encode())
        key = item_key(origin.institution_code, sha256)
        with self._mutex:
            held = self._held(key, offer)
            if held is None:
                item = Item(key, offer, "waiting", self.root / "waiting" / key)
                if item.folder.exists():  # `ecg-gateway put` or `retry` brought it meanwhile
                    held = item
            if held is None:
                folder.rename(item.folder)
                self._items[key] = item
        if held is not None:
            sync_folder(held.folder.parent)  # another thread may have renamed it and not come to its fsync yet
            shutil.rmtree(folder, ignore_errors=True)
            log.info("recording already held", sha256=sha256, state=held.state, device=origin.device)
            return held
        sync_folder(item.folder.parent)
        log.info("recording safe", sha256=sha256, bytes=size, institution=origin.institution_code, device=origin.device)
        self.on_waiting(item)
        return item

    def _held(self, key: str, offer: UploadOffer) -> Item | None:
        """The item that already holds these bytes; a refused one gets another try."""
        item = self._items.get(key)
        if item is None or not item.folder.is_dir():
            return None
        if is_urgent(offer.identity) and not item.urgent:
            return self.urge(item, offer.identity)
        return self._release(item) if item.state == "refused" else item

    def urge(self, item: Item, identity: RecordingIdentity) -> Item:
        """The chest-pain button came late: the centre has to hear of it, also where it holds the recording already.

        Raises:
            OSError: the disk failed; the device has to say it again.
        """
        offer = item.offer.model_copy(update={"identity": identity})
        with self._mutex:
            replace(item.folder / MANIFEST, offer.model_dump_json(indent=1).encode())
            for left in (RECEIPT, PROBLEM):
                (item.folder / left).unlink(missing_ok=True)
            urgent = Item(item.key, offer, item.state, item.folder)
            if item.state != "waiting":
                urgent = self._move(urgent, "waiting")
                self._unverified.add(item.key)
            self._items[item.key] = urgent
        self.on_waiting(urgent)
        return urgent

    def find(self, institution_code: str, sha256: str) -> Item | None:
        """The item with these bytes, in whatever state."""
        with self._mutex:
            return self._items.get(item_key(institution_code, sha256))

    # -- the centre's side ------------------------------------------------------------------------------------

    def items(self, state: State) -> list[Item]:
        """All items of a state, oldest first."""
        with self._mutex:
            chosen = [item for item in self._items.values() if item.state == state]
        return sorted(chosen, key=lambda item: item.offer.safe_at)

    def verify(self, item: Item) -> bool:
        """Whether the disk still gives the bytes that were written; where not, the item is set aside.

        Bytes written by this process count as verified: they were hashed on their way to the disk.
        """
        with self._mutex:
            if item.key not in self._unverified:
                return True
        try:
            reason = None if hash_file(item.recording).hexdigest() == item.offer.sha256 else "checksum differs"
        except OSError as error:
            reason = f"cannot be read: {error}"
        with self._mutex:
            self._unverified.discard(item.key)
            if reason:
                self._items.pop(item.key, None)
                self._set_aside(item.folder, reason)
        return reason is None

    def doubt(self, item: Item) -> None:
        """Have the item verified again before its next upload: the centre got other bytes."""
        with self._mutex:
            self._unverified.add(item.key)

    def deliver(self, item: Item, receipt: Receipt) -> None:
        """The centre holds it: keep the copy among the delivered.

        One that became urgent while it was on its way stays, and is offered once more as what it is now.
        """
        with self._mutex:
            now = self._items.get(item.key, item)
            if now.urgent and not item.urgent:
                return
            replace(item.folder / RECEIPT, receipt.model_dump_json(indent=1).encode())
            self._items[item.key] = self._move(item, "delivered")

    def refuse(self, item: Item, problem: Problem) -> None:
        """The centre will not have it: put it where a person sees it, nothing is lost."""
        replace(item.folder / PROBLEM, problem.model_dump_json(indent=1).encode())
        with self._mutex:
            self._items[item.key] = self._move(item, "refused", problem)
        log.error("recording refused by the centre", sha256=item.offer.sha256, problem=problem.detail)

    def retry(self) -> int:
        """Let every refused item try again; how many there were."""
        with self._mutex:
            refused = [self._release(item) for item in self.items("refused")]
        return len(refused)

    def _release(self, item: Item) -> Item:
        (item.folder / PROBLEM).unlink(missing_ok=True)
        moved = self._move(item, "waiting")
        self._items[item.key] = moved
        self._unverified.add(item.key)
        self.on_waiting(moved)
        return moved

    def _move(self, item: Item, state: State, problem: Problem | None = None) -> Item:
        target = self.root / state / item.key
        with self._mutex:
            if target.exists():  # two states of one item: a kill fell between the two halves of an earlier release
                self._discard(target)
            item.folder.rename(target)
        sync_folder(target.parent)
        sync_folder(item.folder.parent)
        return Item(item.key, item.offer, state, target, problem)

    def _set_aside(self, folder: Path, reason: str) -> None:
        target = self.root / "corrupt" / f"{folder.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        folder.rename(target)
        (target / "reason.txt").write_text(reason + "\n", "utf-8")
        sync_folder(target.parent)
        log.error("recording set aside", folder=str(target), reason=reason)

    # -- keeping house ----------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """See what another process (``ecg-gateway put`` or ``retry``) changed; cheap when nothing did."""
        waiting = self.root / "waiting"
        changed_at = waiting.stat().st_mtime_ns
        if changed_at == self._scanned_at_ns:
            return
        self._scanned_at_ns = changed_at
        for folder in sorted(waiting.iterdir()):
            with self._mutex:
                known = self._items.get(folder.name)
                if known is not None and known.state == "waiting":
                    continue
                item = self._load(folder, "waiting")
                if isinstance(item, str):
                    continue
                self._items[item.key] = item
                self._unverified.add(item.key)
            self.on_waiting(item)

    def prune(self, now: datetime | None = None, need_bytes: int = 0) -> int:
        """Remove delivered copies that are past their time or their room, oldest receipt first; how many.

        With ``need_bytes`` also those that stand in the way of that much free space.
        """
        keep_since = (now or datetime.now(UTC)) - timedelta(days=self._limits.keep_delivered_days)
        removed = 0
        with self._mutex:
            delivered = self.items("delivered")
            total = sum(item.offer.size_bytes for item in delivered)
            for received_at, item in sorted(
                ((_received_at(item), item) for item in delivered), key=lambda pair: pair[0]
            ):
                too_many = total > self._limits.keep_delivered_bytes
                needed = need_bytes > 0 and free_bytes(self.root) < need_bytes
                if not (received_at < keep_since or too_many or needed):
                    break
                if not _valid(Receipt, item.folder / RECEIPT):  # no receipt, no deletion
                    continue
                self._discard(item.folder)
                del self._items[item.key]
                total -= item.offer.size_bytes
                removed += 1
        return removed

    def _discard(self, folder: Path) -> None:
        """Remove a folder so that a kill leaves it whole or among the unfinished."""
        doomed = self.new_folder()
        folder.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)

    def stats(self) -> Stats:
        """Counts and sizes, for the heartbeat and ``ecg-gateway status``."""
        stats = Stats(disk_free_bytes=free_bytes(self.root), corrupt=len(list((self.root / "corrupt").iterdir())))
        with self._mutex:
            for item in self._items.values():
                setattr(stats, item.state, getattr(stats, item.state) + 1)
                if item.state == "waiting":
                    stats.waiting_bytes += item.offer.size_bytes
                    stats.oldest_at = min(stats.oldest_at or item.offer.safe_at, item.offer.safe_at)
                elif item.state == "delivered":
                    stats.delivered_bytes += item.offer.size_bytes
        return stats


def _valid(model: type[BaseModel], path: Path) -> bool:
    try:
        model.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return False
    return True


def _received_at(item: Item) -> datetime:
    try:
        return datetime.fromtimestamp((item.folder / RECEIPT).stat().st_mtime, UTC)
    except OSError:
        return datetime.now(UTC)


def _read_problem(folder: Path) -> Problem:
    try:
        return Problem.model_validate_json((folder / PROBLEM).read_bytes())
    except (OSError, ValueError):
        return Problem(type="unknown", title="refused", detail="the reason was not kept; retry", retry=False)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
