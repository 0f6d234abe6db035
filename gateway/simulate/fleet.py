"""What keeps the demo's centre busy?

Several simulated recorders of several clinics. DICOM recorders look at their worklist every few seconds and record an
order soon after it appears; between, at a gentle pace, one recorder or another sends a recording without an order.
Whatever fails is tried again and told; the fleet ends at SIGTERM or Ctrl-C within seconds.
"""

import asyncio
import contextlib
import itertools
import signal
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import numpy as np
import structlog

from gateway.simulate.dicom_device import DicomDevice, DicomDeviceError
from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.mqtt_device import MqttDevice, MqttDeviceError
from gateway.simulate.outbox import OutboxFullError
from gateway.simulate.pathologies import Pathology
from gateway.simulate.studies import Recorded, draw_number, draw_pathology, is_resting, record
from gateway.simulate.worklist_recorder import WorklistRecorder

log = structlog.get_logger()

EVERY_S: Final = (20.0, 40.0)
ORDER_POLL_S: Final = 6.0
"""The technician looks at the recorder's list while the patient undresses."""
RECORDING_S: Final = 10.0
FIRST_AFTER_S: Final = 3.0
GIVE_UP_S: Final = 300.0
MAX_TAKEN: Final = 10_000


class _StoppingError(Exception):
    """The fleet was asked to end while a recorder waited."""


@dataclass(slots=True)
class Fleet:
    """Recorders and their pace."""

    dicom: list[DicomDevice] = field(default_factory=list)
    mqtt: list[MqttDevice] = field(default_factory=list)
    worn: list[WorklistRecorder] = field(default_factory=list)
    """Recorders that are worn for a day, of the ECG or of blood pressures; they answer orders only."""
    every_s: tuple[float, float] = EVERY_S
    """Between two recordings without order, over the whole fleet: drawn evenly from this range."""
    order_poll_s: float = ORDER_POLL_S
    recording_s: float = RECORDING_S
    """How long the patient has to lie still after an order was taken."""
    first_after_s: float = FIRST_AFTER_S
    count: int | None = None
    """Recordings without order, then no more; None for ever."""
    pathology: Pathology | None = None
    """Always this one, else the mixture."""
    seed: int | None = None
    on_sent: Callable[[str, Recorded, float], None] | None = None
    """Told of each recording that is safe: device, recording, milliseconds."""
    sent: int = 0
    _taken: dict[str, None] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    """For the threads that wait for a gateway."""
    _halt: asyncio.Event = field(default_factory=asyncio.Event)
    """The same for the event loop."""
    _loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Send until stopped, or until ``count`` recordings were sent.

        Raises:
            ValueError: without any device.
        """
        if not self.dicom and not self.mqtt:
            raise ValueError("a fleet needs at least one DICOM or MQTT recorder")
        self._loop = asyncio.get_running_loop()
        rng = np.random.default_rng(self.seed)
        watchers = [asyncio.create_task(self._answer_orders(device, rng)) for device in self.dicom]
        watchers += [asyncio.create_task(recorder.run(self._halt, rng)) for recorder in self.worn]
        leftovers = [asyncio.create_task(self._send_leftovers(device)) for device in self.mqtt]
        try:
            await self._send_unordered(rng)
            await asyncio.gather(*leftovers)
            if self.count is None:
                await asyncio.gather(*watchers)
        finally:
            self.stop()
            for task in (*watchers, *leftovers):
                task.cancel()
            await asyncio.gather(*watchers, *leftovers, return_exceptions=True)

    def stop(self) -> None:
        """End soon; may be called from a signal handler or another thread."""
        self._stop.set()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._halt.set)

    async def _send_unordered(self, rng: np.random.Generator) -> None:
        senders: list[tuple[str, Callable[[Recorded], Awaitable[float]]]] = [
            *((d.ae_title, partial(self._store, d)) for d in self.dicom),
            *((d.device, partial(self._upload, d)) for d in self.mqtt),
        ]
        await self._pause(self.first_after_s)
        for turn in itertools.count():
            if self._stop.is_set() or (self.count is not None and turn >= self.count):
                return
            # every recorder has its turn before one has its second
            name, send = senders[turn % len(senders)]
            recorded = await asyncio.to_thread(self._record, rng, name, None)
            await self._send(name, recorded, send)
            if self.count is None or turn + 1 < self.count:
                await self._pause(float(rng.uniform(*self.every_s)))

    async def _answer_orders(self, device: DicomDevice, rng: np.random.Generator) -> None:
        while not self._stop.is_set():
            await self._pause(self.order_poll_s)
            try:
                orders = await asyncio.to_thread(device.worklist)
            except DicomDeviceError as error:
                log.warning("worklist_failed", device=device.ae_title, error=str(error))
                continue
            order = next((o for o in orders if o.accession_number not in self._taken and is_resting(o)), None)
            if order is not None and not self._stop.is_set():
                self._take(order)
                log.info("order_taken", device=device.ae_title, accession_number=order.accession_number)
                await self._pause(self.recording_s)
                recorded = await asyncio.to_thread(self._record, rng, device.ae_title, order)
                if not await self._send(device.ae_title, recorded, partial(self._store, device)):
                    self._taken.pop(order.accession_number, None)

    async def _send_leftovers(self, device: MqttDevice) -> None:
        try:
            for times in await device.upload_pending(GIVE_UP_S):
                log.info("leftover_sent", device=device.device, file_id=times.file_id)
        except MqttDeviceError as error:
            log.warning("leftover_not_sent", device=device.device, error=str(error))

    def _take(self, order: WorklistOrder) -> None:
        self._taken[order.accession_number] = None
        if len(self._taken) > MAX_TAKEN:
            del self._taken[next(iter(self._taken))]

    def _record(self, rng: np.random.Generator, device: str, order: WorklistOrder | None) -> Recorded:
        pathology = self.pathology or draw_pathology(rng, order)
        started_at = datetime.now(UTC).astimezone() - timedelta(seconds=RECORDING_S)
        return record(pathology, draw_number(rng), started_at, device=device, order=order)

    async def _send(self, name: str, recorded: Recorded, send: Callable[[Recorded], Awaitable[float]]) -> bool:
        try:
            milliseconds = await send(recorded)
        except _StoppingError:
            return False
        except (DicomDeviceError, MqttDeviceError, OutboxFullError, OSError) as error:
            log.warning("recording_not_sent", device=name, error=str(error))
            return False
        self.sent += 1
        log.info(
            "recording_safe",
            device=name,
            pathology=str(recorded.ecg.pathology),
            urgent=recorded.urgent,
            milliseconds=round(milliseconds),
        )
        if self.on_sent is not None:
            self.on_sent(name, recorded, milliseconds)
        return True

    async def _store(self, device: DicomDevice, recorded: Recorded) -> float:
        def deliver() -> float:
            times = device.deliver(recorded.file, urgent=recorded.urgent, give_up_after_s=GIVE_UP_S, sleep=self._sleep)
            return times.milliseconds

        return await asyncio.to_thread(deliver)

    async def _upload(self, device: MqttDevice, recorded: Recorded) -> float:
        name = f"{recorded.file.sop_instance_uid}.dcm"
        upload = asyncio.create_task(
            device.upload(recorded.file.content, recorded.identity, name=name, give_up_after_s=GIVE_UP_S)
        )
        halted = asyncio.create_task(self._halt.wait())
        try:
            await asyncio.wait([upload, halted], return_when=asyncio.FIRST_COMPLETED)
            if not upload.done():
                raise _StoppingError  # its copy stays in the outbox for the next start
        finally:
            upload.cancel()
            halted.cancel()
        milliseconds = upload.result().milliseconds
        await self._send_leftovers(device)
        return milliseconds

    def _sleep(self, seconds: float) -> None:
        """A recorder's pause between two tries, in its thread."""
        if self._stop.wait(seconds):
            raise _StoppingError

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._halt.wait()


async def run_until_signal(fleet: Fleet) -> None:
    """Run a fleet that ends by itself at SIGTERM and SIGINT."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, fleet.stop)
    await fleet.run()
