"""How do the gateway's parts run together, and what happens when one of them fails?

Each part runs under a supervisor of its own: what crashes is logged, told in the heartbeat and started again, while the
others go on. SIGTERM and SIGINT end all of them in order: devices first, so that nobody is told "safe" by a gateway
that is going; what was told is in the spool and goes on at the next start.
"""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import structlog

from ecg_center.contract.printing import Heartbeat
from gateway.centre import Centre, CentreError, gateway_version
from gateway.devices.dicom import DicomServer
from gateway.devices.mqtt import MqttReceiver
from gateway.health import MAX_PROBLEMS, Health
from gateway.orders import OrderCache, keep_fresh
from gateway.print_journal import PrintJournal
from gateway.printing import PrintAgent
from gateway.retry import BROKER, delay_s
from gateway.settings import GatewaySettings
from gateway.spool import Spool
from gateway.uplink import Uplink

log = structlog.get_logger(__name__)

HEARTBEAT_S = 15.0
"""The centre calls a gateway silent after some missed beats; a cut clinic is seen within a minute."""

PRUNE_S = 600.0
STEADY_S = 10.0
"""A part that has run for so long after a crash is well again."""

THREADS = 16
"""For fsync and checksums: waiting threads, not computing ones."""

Part = Callable[[], Awaitable[None]]


class Service:
    """One gateway."""

    def __init__(self, settings: GatewaySettings) -> None:
        self.settings = settings
        self.health = Health()
        self.spool = Spool(settings.spool, settings)
        self.orders = OrderCache(settings.spool / "orders.json")
        self.centre = Centre(settings)
        self.uplink = Uplink(self.spool, self.centre, self.health, settings.parallel_uploads)

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT.

        Raises:
            SpoolBusyError: another gateway works in the same spool folder.
        """
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="gateway"))
        stop = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, stop.set)
        await asyncio.to_thread(self.spool.open)
        self.orders.load()
        inner = {name: self._start(name, part) for name, part in self._inner_parts().items()}
        devices = {name: self._start(name, part) for name, part in self._device_parts().items()}
        log.info("gateway running", version=gateway_version(), centre=self.settings.centre_url)
        await stop.wait()
        log.info("gateway stopping")
        await _end(devices)
        await _end(inner)
        await self.centre.close()
        self.spool.close()

    def _inner_parts(self) -> dict[str, Part]:
        journal = PrintJournal(self.settings.spool / "prints")
        parts: dict[str, Part] = {
            "uplink": self.uplink.run,
            "orders": lambda: keep_fresh(self.orders, self.centre, self.health),
            "heartbeat": self._beat,
            "housekeeping": self._keep_house,
        }
        if self.settings.printers:
            parts["printing"] = PrintAgent(self.settings, self.centre, journal, self.health).run
        return parts

    def _device_parts(self) -> dict[str, Part]:
        parts: dict[str, Part] = {}
        if self.settings.dicom.enabled:
            parts["dicom"] = self._serve_dicom
        if self.settings.mqtt.enabled:
            parts["mqtt"] = lambda: MqttReceiver(self.settings, self.spool, self.health).run()
        return parts

    def _start(self, name: str, part: Part) -> asyncio.Task[None]:
        return asyncio.create_task(supervise(name, part, self.health), name=name)

    async def _serve_dicom(self) -> None:
        server = DicomServer(self.settings, self.spool, self.orders, self.health)
        await asyncio.to_thread(server.start)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(server.stop)

    async def _beat(self) -> None:
        while True:
            try:
                await self.centre.request("POST", "/api/gateway/heartbeat", body=self.heartbeat())
                self.uplink.link_is_up()
                self.health.clear("heartbeat")
            except CentreError as error:
                log.debug("heartbeat not heard", error=str(error))
            await asyncio.sleep(HEARTBEAT_S)

    def heartbeat(self) -> Heartbeat:
        """What the gateway says of itself now."""
        stats = self.spool.stats()
        problems = self.health.problems()
        if stats.refused:
            problems.append(f"spool: the centre refused {stats.refused} recordings; see `ecg-gateway status`")
        if stats.corrupt:
            problems.append(f"spool: {stats.corrupt} damaged recordings were set aside in {self.spool.root}/corrupt")
        return Heartbeat(
            version=gateway_version(),
            sent_at=datetime.now(UTC),
            spool_waiting=stats.waiting,
            spool_oldest_at=stats.oldest_at,
            disk_free_bytes=stats.disk_free_bytes,
            problems=problems[:MAX_PROBLEMS],
        )

    async def _keep_house(self) -> None:
        """Check what an earlier process wrote, then prune delivered copies from time to time."""
        for item in self.spool.items("waiting"):
            if not await asyncio.to_thread(self.spool.verify, item):
                self.health.report("disk", f"recording {item.offer.sha256[:12]} was damaged on disk and set aside")
        while True:
            removed = await asyncio.to_thread(self.spool.prune)
            if removed:
                log.info("delivered copies pruned", removed=removed)
            await asyncio.sleep(PRUNE_S)


async def supervise(name: str, part: Part, health: Health) -> None:
    """Run a part, and run it again when it fails."""
    failures = 0
    loop = asyncio.get_running_loop()
    while True:
        started = time.monotonic()
        well = loop.call_later(STEADY_S, health.clear, name) if failures else None
        try:
            await part()
        except Exception as error:
            if time.monotonic() - started > STEADY_S:
                failures = 0
            failures += 1
            health.report(name, f"stopped and is started again: {error}")
            log.exception("part failed", part=name, failures=failures)
        else:
            return
        finally:
            if well is not None:
                well.cancel()
        await asyncio.sleep(delay_s(BROKER, failures, random.random()))  # noqa: S311


async def _end(tasks: dict[str, asyncio.Task[None]]) -> None:
    for task in tasks.values():
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks.values(), return_exceptions=True)
