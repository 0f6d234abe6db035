"""How does a recording get from the spool to the centre, soon, once and whatever the network does?

Uploads are resumable and idempotent (``ecg_center.contract.upload``): every failure is answered by asking the centre
how much it holds and going on from there. Urgent recordings go first, then the oldest; while an urgent one is on the
line, routine ones pause between two chunks, so that over a 2G link it has all of the bandwidth.

Two things can fail and are waited for apart: the link (nothing gets through, so one recording knocks for all) and one
recording (the others must not wait for it).
"""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import structlog

from ecg_center.contract.upload import CHUNK_BYTES, Receipt, UploadStatus
from gateway.centre import Centre, CentreRefusalError, CentreUnreachableError
from gateway.health import Health
from gateway.items import Item
from gateway.retry import ROUTINE, URGENT, delay_s
from gateway.spool import Spool

log = structlog.get_logger(__name__)

URGENT_EXTRA = 2
"""Urgent uploads that may run beside a full set of routine ones."""

MAX_OFFSET_FIXES = 20
"""How often one attempt follows the centre's word on the offset before it gives up for now: a centre that keeps
disagreeing with itself must not hold a line forever."""

RESCAN_S = 1.0
"""How soon a recording put by ``ecg-gateway put`` or freed by ``retry`` is seen; a ``stat`` a second is nothing."""


@dataclass(slots=True)
class _Wait:
    """Failures in a row, and the moment (monotonic seconds) of the next try."""

    failures: int = 0
    until: float = 0.0

    def fail(self, *, urgent: bool, retry_after_s: float | None = None) -> float:
        self.failures += 1
        wait = delay_s(URGENT if urgent else ROUTINE, self.failures, random.random(), retry_after_s)  # noqa: S311
        self.until = time.monotonic() + wait
        return wait

    def reset(self) -> None:
        self.failures, self.until = 0, 0.0


class Uplink:
    """Carries waiting items to the centre."""

    def __init__(self, spool: Spool, centre: Centre, health: Health, parallel: int) -> None:
        self._spool = spool
        self._centre = centre
        self._health = health
        self._parallel = parallel
        self._link = _Wait()
        self._waits: dict[str, _Wait] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._urgent_running: set[str] = set()
        self._wake = asyncio.Event()
        self._no_urgent = asyncio.Event()
        self._no_urgent.set()

    async def run(self) -> None:
        """Carry until cancelled."""
        loop = asyncio.get_running_loop()

        def wake(item: Item) -> None:
            with contextlib.suppress(RuntimeError):  # the loop closed while a device thread stored: found at restart
                loop.call_soon_threadsafe(self._new_item, item.key, item.urgent)

        self._spool.on_waiting = wake
        rescan = asyncio.create_task(self._rescan())
        try:
            while True:
                self._wake.clear()
                pause = self._start_due()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        finally:
            rescan.cancel()
            for task in self._running.values():
                task.cancel()
            await asyncio.gather(rescan, *self._running.values(), return_exceptions=True)

    def link_is_up(self) -> None:
        """Something else just heard from the centre: knock again at once."""
        if self._link.failures:
            self._link.until = 0.0
            self._wake.set()

    def _new_item(self, key: str, urgent: bool) -> None:
        self._waits.pop(key, None)
        if urgent:
            self._link.until = 0.0  # one more knock on a dead line costs nothing, ten minutes cost a heart
        self._wake.set()

    async def _rescan(self) -> None:
        while True:
            await asyncio.sleep(RESCAN_S)
            try:
                self._spool.refresh()
            except OSError as error:
                self._health.report("spool", f"folder cannot be read: {error}")

    # -- which item is next -----------------------------------------------------------------------------------

    def _start_due(self) -> float | None:
        """Start what is due; how long until something else may be (None: not before something happens)."""
        now = time.monotonic()
        waiting = self._spool.items("waiting")
        for key in self._waits.keys() - {item.key for item in waiting}:
            del self._waits[key]
        nexts: list[float] = []
        for item in sorted(waiting, key=lambda item: not item.urgent):  # stable: the oldest first within each
            if item.key in self._running:
                continue
            due = max(self._link.until, self._waits[item.key].until if item.key in self._waits else 0.0)
            if due > now:
                nexts.append(due - now)
            elif self._has_line(item):
                self._start(item)
        return min(nexts) if nexts else None

    def _has_line(self, item: Item) -> bool:
        if self._link.failures and self._running:  # one knocks for all, but an urgent one waits for no routine one
            return item.urgent and not self._urgent_running
        routine = len(self._running) - len(self._urgent_running)
        if item.urgent:
            return len(self._running) < self._parallel + URGENT_EXTRA
        return routine < self._parallel

    def _start(self, item: Item) -> None:
        if item.urgent:
            self._urgent_running.add(item.key)
            self._no_urgent.clear()
        task = asyncio.create_task(self._carry(item), name=f"upload-{item.key[:12]}")
        self._running[item.key] = task
        task.add_done_callback(lambda _: self._ended(item.key))

    def _ended(self, key: str) -> None:
        self._running.pop(key, None)
        self._urgent_running.discard(key)
        if not self._urgent_running:
            self._no_urgent.set()
        self._wake.set()

    # -- one item ---------------------------------------------------------------------------------------------

    async def _carry(self, item: Item) -> None:
        """One attempt, with every outcome written down."""
        wait = self._waits.setdefault(item.key, _Wait())
        started = time.monotonic()
        try:
            receipt = await self._upload(item)
            if receipt is not None:
                await asyncio.to_thread(self._spool.deliver, item, receipt)
                log.info(
                    "recording delivered",
                    sha256=item.offer.sha256,
                    ms=round((time.monotonic() - started) * 1000),
                    duplicate=receipt.duplicate,
                    matched=receipt.matched,
                )
        except CentreUnreachableError as error:
            seconds = self._link.fail(urgent=item.urgent)
            self._health.report("uplink", "the centre cannot be reached; recordings wait in the spool")
            log.info("centre unreachable", error=str(error), failures=self._link.failures, retry_in_s=round(seconds, 1))
            return
        except CentreRefusalError as error:
            await self._refused(item, wait, error)
        except (OSError, ValueError) as error:
            wait.fail(urgent=item.urgent)
            self._health.report("uplink", f"a recording cannot be sent: {error}")
            log.exception("upload failed", sha256=item.offer.sha256)
            return
        self._link.reset()

    async def _refused(self, item: Item, wait: _Wait, error: CentreRefusalError) -> None:
        if error.final and error.problem is not None:
            await asyncio.to_thread(self._spool.refuse, item, error.problem)
            return
        if error.problem is not None and error.problem.type == "upload-checksum":
            self._spool.doubt(item)
        seconds = wait.fail(urgent=item.urgent, retry_after_s=error.retry_after_s)
        log.warning("upload put off", sha256=item.offer.sha256, error=str(error), retry_in_s=round(seconds, 1))
        if error.status == httpx.codes.UNAUTHORIZED:
            self._health.report("uplink", "the centre does not know this gateway's token; set a valid `token`")
        else:
            self._health.report("uplink", f"the centre puts uploads off: {error}")

    async def _upload(self, item: Item) -> Receipt | None:
        """The receipt; None where the item turned out to be corrupt and was set aside."""
        if not await asyncio.to_thread(self._spool.verify, item):
            self._health.report("disk", f"recording {item.offer.sha256[:12]} was damaged on disk and set aside")
            return None
        status = await self._offer(item)
        fixes = 0
        while status.receipt is None:
            if status.offset_bytes > item.offer.size_bytes:
                raise ValueError(f"the centre claims {status.offset_bytes} of {item.offer.size_bytes} bytes")
            if status.offset_bytes == item.offer.size_bytes:  # all is there, yet no receipt: ask for it
                fixes += 1
                status = await self._offer(item)
                continue
            await self._let_urgent_pass(item)
            data = await asyncio.to_thread(_read, item.recording, status.offset_bytes)
            try:
                status = await self._send(item, status.offset_bytes, data)
            except CentreRefusalError as error:
                if not _offset_differs(error):
                    raise
                fixes += 1
                status = await self._offer(item)
            if fixes > MAX_OFFSET_FIXES:
                raise ValueError("the centre keeps changing its mind about the offset")
        self._health.clear("uplink")
        return status.receipt

    async def _let_urgent_pass(self, item: Item) -> None:
        if not item.urgent and not self._no_urgent.is_set():
            await self._no_urgent.wait()

    async def _offer(self, item: Item) -> UploadStatus:
        response = await self._centre.request("POST", "/api/gateway/uploads", body=item.offer)
        return _status(response, item)

    async def _send(self, item: Item, offset: int, data: bytes) -> UploadStatus:
        response = await self._centre.request(
            "PATCH",
            f"/api/gateway/uploads/{item.offer.sha256}",
            content=data,
            headers={"Upload-Offset": str(offset), "Content-Type": "application/octet-stream"},
        )
        return _status(response, item)


def _read(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(CHUNK_BYTES)


def _offset_differs(error: CentreRefusalError) -> bool:
    """Whether a new offer puts it right: the centre stands elsewhere (409), or has forgotten the upload (404)."""
    if error.status == httpx.codes.NOT_FOUND:
        return True
    return error.status == httpx.codes.CONFLICT and (error.problem is None or error.problem.type == "upload-offset")


def _status(response: httpx.Response, item: Item) -> UploadStatus:
    """The centre's answer; another program that answers 200 (a captive portal) is as good as no centre."""
    try:
        status = UploadStatus.model_validate_json(response.content)
    except ValueError:
        raise CentreUnreachableError(f"{response.request.url} answered something that is not the centre's") from None
    if status.sha256 != item.offer.sha256:
        raise CentreUnreachableError(f"{response.request.url} answered for another recording")
    return status
