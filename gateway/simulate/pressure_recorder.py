"""Which orders does a simulated recorder of blood pressures answer, and with what?"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

import numpy as np

from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.pressures import MEDIA_TYPE, PressureProfile, draw_profile, record_day
from gateway.simulate.studies import draw_number
from gateway.simulate.worklist_recorder import WorklistRecorder, Worn

WORN: Final = timedelta(hours=24)
WORDS: Final = ("动态血压", "blood pressure", "abpm")


def is_pressure(order: WorklistOrder) -> bool:
    """Whether the order asks for ambulatory blood pressure."""
    return any(word in order.procedure.lower() for word in WORDS)


@dataclass(slots=True)
class PressureRecorder(WorklistRecorder):
    """One recorder of ambulatory blood pressure."""

    MODALITY: ClassVar[str] = "HD"
    """Haemodynamic waveforms, under which the gateway lists ambulatory blood pressure (PS3.3 C.7.3.1.1.1)."""

    profile: PressureProfile | None = None
    """Always this one, else the mixture."""

    def wants(self, order: WorklistOrder) -> bool:
        """An order of ambulatory blood pressure."""
        return is_pressure(order)

    def record(self, rng: np.random.Generator, order: WorklistOrder) -> Worn:
        """The day that has passed, of the order's patient."""
        started_at = (datetime.now(UTC) - WORN).replace(second=0, microsecond=0)
        started_at -= timedelta(minutes=started_at.minute % 10)
        profile = self.profile or draw_profile(rng)
        day = record_day(profile, draw_number(rng), started_at, device=self.mqtt.device, order=order)
        return Worn(day.content, day.identity, MEDIA_TYPE, day.file_name, str(day.profile))
