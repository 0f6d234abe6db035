"""How does a recorder work that is worn for a day? As its software on the clinic's desk does.

It looks at the worklist for an order of its kind, as the DICOM recorders do, takes the first, and sends the day
that has passed over MQTT, to be kept until it is safe.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Final

import numpy as np
import structlog

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.dicom_device import DicomDevice, DicomDeviceError
from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.mqtt_device import MqttDevice, MqttDeviceError
from gateway.simulate.outbox import OutboxFullError

log = structlog.get_logger()

GIVE_UP_S: Final = 300.0
MAX_TAKEN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Worn:
    """What was recorded in a day, ready to be sent."""

    content: bytes
    identity: RecordingIdentity
    media_type: str
    file_name: str
    what: str
    """For the log of simulated devices."""


@dataclass(slots=True)
class WorklistRecorder(ABC):
    """One recorder of one clinic."""

    MODALITY: ClassVar[str]
    """Under which the gateway lists its orders."""

    mqtt: MqttDevice
    worklist: DicomDevice
    """The clinic's station, whose list it reads."""
    poll_s: float = 6.0
    sent: int = 0
    _taken: dict[str, None] = field(default_factory=dict)

    @abstractmethod
    def wants(self, order: WorklistOrder) -> bool:
        """Whether the order is for this kind of recorder."""

    @abstractmethod
    def record(self, rng: np.random.Generator, order: WorklistOrder) -> Worn:
        """The day that has passed, of the order's patient."""

    async def run(self, halt: asyncio.Event, rng: np.random.Generator) -> None:
        """Answer orders until told to halt."""
        await self._send_leftovers()
        while not halt.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.poll_s):
                    await halt.wait()
                    return
            order = await self._next_order()
            if order is not None and not await self._answer(order, rng, halt):
                self._taken.pop(order.accession_number, None)

    async def _next_order(self) -> WorklistOrder | None:
        try:
            orders = await asyncio.to_thread(self.worklist.worklist, modality=self.MODALITY)
        except DicomDeviceError as error:
            log.warning("worklist_failed", device=self.mqtt.device, error=str(error))
            return None
        order = next((one for one in orders if one.accession_number not in self._taken and self.wants(one)), None)
        if order is not None:
            self._taken[order.accession_number] = None
            if len(self._taken) > MAX_TAKEN:
                del self._taken[next(iter(self._taken))]
        return order

    async def _answer(self, order: WorklistOrder, rng: np.random.Generator, halt: asyncio.Event) -> bool:
        day = await asyncio.to_thread(self.record, rng, order)
        upload = asyncio.create_task(
            self.mqtt.upload(
                day.content, day.identity, media_type=day.media_type, name=day.file_name, give_up_after_s=GIVE_UP_S
            )
        )
        halted = asyncio.create_task(halt.wait())
        try:
            await asyncio.wait([upload, halted], return_when=asyncio.FIRST_COMPLETED)
            if not upload.done():
                return False  # its copy stays in the outbox for the next start
            milliseconds = upload.result().milliseconds
        except (MqttDeviceError, OutboxFullError, OSError) as error:
            log.warning("recording_not_sent", device=self.mqtt.device, error=str(error))
            return False
        finally:
            upload.cancel()
            halted.cancel()
        self.sent += 1
        log.info("recording_safe", device=self.mqtt.device, recorded=day.what, milliseconds=round(milliseconds))
        return True

    async def _send_leftovers(self) -> None:
        try:
            for times in await self.mqtt.upload_pending(GIVE_UP_S):
                log.info("leftover_sent", device=self.mqtt.device, file_id=times.file_id)
        except MqttDeviceError as error:
            log.warning("leftover_not_sent", device=self.mqtt.device, error=str(error))
