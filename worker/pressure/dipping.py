"""How far does the pressure fall at night? (day - night) / day, in percent.

More than 20 % is an extreme dipper, 10 to 20 % a dipper, 0 to less than 10 % a non-dipper, below 0 a reverse dipper
(2020中国动态血压监测指南; ESH 2013, doi:10.1097/HJH.0b013e328363e964). The percentage is judged as it is printed, with
one decimal, so that no page shows 10.0 % and calls it below 10.
"""

import math
from typing import Final

from ecg_center.contract.pressure import Dipping, DippingType
from worker.pressure.measured import kept

DIPPER_PERCENT: Final = 10.0
EXTREME_ABOVE_PERCENT: Final = 20.0


def dipping(day: tuple[float, float], night: tuple[float, float]) -> Dipping:
    """The fall of both pressures.

    Args:
        day, night: the average systolic and diastolic pressure, mmHg.

    >>> found = dipping((130.0, 80.0), (117.0, 76.0))
    >>> found.systolic_percent, found.systolic, found.diastolic_percent, found.diastolic
    (10.0, 'dipper', 5.0, 'non_dipper')
    """
    systolic, diastolic = (fall(before, after) for before, after in zip(day, night, strict=True))
    return Dipping(
        systolic_percent=kept(systolic),
        diastolic_percent=kept(diastolic),
        systolic=kind(systolic),
        diastolic=kind(diastolic),
    )


def fall(day: float, night: float) -> float:
    """The fall in percent of the day's average.

    >>> fall(150.0, 120.0)
    20.0
    """
    return 100 * (day - night) / day


def kind(percent: float) -> DippingType:
    """The kind of dipper.

    >>> [kind(percent) for percent in (20.04, 20.05, 9.95, 9.94, -0.04, -0.06)]
    ['dipper', 'extreme', 'dipper', 'non_dipper', 'non_dipper', 'reverse']
    """
    shown = math.floor(kept(percent) * 10 + 0.5) / 10
    if shown > EXTREME_ABOVE_PERCENT:
        return "extreme"
    if shown >= DIPPER_PERCENT:
        return "dipper"
    return "non_dipper" if shown >= 0 else "reverse"
