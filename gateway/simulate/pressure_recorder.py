"""How does a simulated recorder of blood pressures work? As its software on the clinic's desk does.

It looks at the clinic's worklist for an order of ambulatory blood pressure, as the DICOM recorders do, takes the first,
and sends the readings of the day that has passed over MQTT, to be kept until they are safe.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import structlog

from gateway.simulate.dicom_device import DicomDevice, DicomDeviceError
from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.mqtt_device import MqttDevice, MqttDeviceError
from gateway.simulate.outbox import OutboxFullError
from gateway.simulate.pressures import MEDIA_TYPE, PressureProfile, RecordedDay, draw_profile, record_day
from gateway.simulate.studies import draw_number

log = structlog.get_logger()

WORN: Final = timedelta(hours=24)
MODALITY: Final = "HD"
"""Haemodynamic waveforms, under which the gateway lists ambulatory blood pressure (PS3.3 C.7.3.1.1.1)."""
WORDS: Final = ("动态血压", "blood pressure", "abpm")
GIVE_UP_S: Final = 300.0
MAX_TAKEN: Final = 10_000


def is_pressure(order: WorklistOrder) -> bool:
    """Whether the order asks for ambulatory blood pressure."""
    return any(word in order.procedure.lower() for word in WORDS)


@dataclass(slots=True)
class PressureRecorder:
    """One recorder of one clinic."""

    mqtt: MqttDevice
    worklist: DicomDevice
    """The clinic's station, whose list it reads."""
    profile: PressureProfile | None = None
    """Always this one, else the mixture."""
    poll_s: float = 6.0
    sent: int = 0
    _taken: dict[str, None] = field(default_factory=dict)

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
            orders = await asyncio.to_thread(self.worklist.worklist, modality=MODALITY)
        except DicomDeviceError as error:
            log.warning("worklist_failed", device=self.mqtt.device, error=str(error))
            return None
        order = next((one for one in orders if one.accession_number not in self._taken and is_pressure(one)), None)
        if order is not None:
            self._taken[order.accession_number] = None
            if len(self._taken) > MAX_TAKEN:
                del self._taken[next(iter(self._taken))]
        return order

    async def _answer(self, order: WorklistOrder, rng: np.random.Generator, halt: asyncio.Event) -> bool:
        day = self.record(rng, order)
        upload = asyncio.create_task(
            self.mqtt.upload(
                day.content, day.identity, media_type=MEDIA_TYPE, name=day.file_name, give_up_after_s=GIVE_UP_S
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
        log.info("recording_safe", device=self.mqtt.device, profile=str(day.profile), milliseconds=round(milliseconds))
        return True

    def record(self, rng: np.random.Generator, order: WorklistOrder | None = None) -> RecordedDay:
        """The day that has passed, of the order's patient or of a demo person."""
        started_at = (datetime.now(UTC) - WORN).replace(second=0, microsecond=0)
        started_at -= timedelta(minutes=started_at.minute % 10)
        return record_day(
            self.profile or draw_profile(rng), draw_number(rng), started_at, device=self.mqtt.device, order=order
        )

    async def _send_leftovers(self) -> None:
        try:
            for times in await self.mqtt.upload_pending(GIVE_UP_S):
                log.info("leftover_sent", device=self.mqtt.device, file_id=times.file_id)
        except MqttDeviceError as error:
            log.warning("leftover_not_sent", device=self.mqtt.device, error=str(error))
