"""The form of a reading that counts: all that the figures are made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ecg_center.contract.pressure import Period

DECIMALS: Final = 4
"""What findings keep of a figure: more than any cuff measures, and enough to be rounded once more for a page."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One reading that is used.

    Attributes:
        at: on the centre's clock.
        mean: mean arterial pressure, mmHg.
        weight: hours for which this reading is the nearest one.
    """

    at: datetime
    systolic: float
    diastolic: float
    mean: float
    pulse: float | None
    period: Period
    weight: float = 1.0


def mean_arterial(systolic: float, diastolic: float) -> float:
    """Mean arterial pressure where the device did not measure it: diastolic and a third of the pulse pressure.

    >>> mean_arterial(120, 80)
    93.33333333333333
    """
    return diastolic + (systolic - diastolic) / 3


def kept(value: float) -> float:
    """A figure as findings keep it."""
    return round(value, DECIMALS)
