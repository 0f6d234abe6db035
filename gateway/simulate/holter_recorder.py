"""Which orders does a simulated Holter recorder answer, and with what?"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

import numpy as np

from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.holter import record_day
from gateway.simulate.studies import draw_number
from gateway.simulate.worklist_recorder import WorklistRecorder, Worn

WORDS: Final = ("动态心电", "holter")
MEDIA_TYPE: Final = "application/octet-stream"


def is_holter(order: WorklistOrder) -> bool:
    """Whether the order asks for a day of ECG."""
    return any(word in order.procedure.lower() for word in WORDS)


@dataclass(slots=True)
class HolterRecorder(WorklistRecorder):
    """One recorder of a day of ECG."""

    MODALITY: ClassVar[str] = "ECG"
    """A Holter has the same modality as a resting ECG; the procedure's name tells them apart."""

    hours: float = 24.0

    def wants(self, order: WorklistOrder) -> bool:
        """An order of a day of ECG."""
        return is_holter(order)

    def record(self, rng: np.random.Generator, order: WorklistOrder) -> Worn:
        """The day that has passed, of the order's patient."""
        started_at = datetime.now(UTC) - timedelta(hours=self.hours, minutes=10)
        day = record_day(draw_number(rng), started_at, hours=self.hours, order=order)
        return Worn(day.content, day.identity, MEDIA_TYPE, day.file_name, f"{self.hours:g} h")
