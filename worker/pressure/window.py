"""How high was it while the clinic was still near? The white-coat window: the first hour of the recording.

Owens, Atkins, O'Brien 1999, doi:10.1161/01.HYP.34.2.267.
"""

import statistics
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from ecg_center.contract.pressure import WhiteCoatWindow
from worker.pressure.measured import Measured, kept

WINDOW: Final = timedelta(hours=1)
FIRST: Final = 2


def white_coat_window(readings: Sequence[Measured]) -> WhiteCoatWindow | None:
    """The first hour against the rest of the day; None where the recording did not begin by day."""
    if not readings or readings[0].period != "day":
        return None
    end = readings[0].at + WINDOW
    first_hour = [one for one in readings if one.at < end]
    rest = [one for one in readings if one.at >= end and one.period == "day"]
    first = first_hour[:FIRST]
    return WhiteCoatWindow(
        readings=len(first_hour),
        first_hour_systolic_mmhg=kept(statistics.fmean(one.systolic for one in first_hour)),
        first_hour_diastolic_mmhg=kept(statistics.fmean(one.diastolic for one in first_hour)),
        first_hour_max_systolic_mmhg=kept(max(one.systolic for one in first_hour)),
        first_hour_max_diastolic_mmhg=kept(max(one.diastolic for one in first_hour)),
        first_two_systolic_mmhg=kept(statistics.fmean(one.systolic for one in first)),
        first_two_diastolic_mmhg=kept(statistics.fmean(one.diastolic for one in first)),
        rest_of_day_systolic_mmhg=kept(statistics.fmean(one.systolic for one in rest)) if rest else None,
        rest_of_day_diastolic_mmhg=kept(statistics.fmean(one.diastolic for one in rest)) if rest else None,
    )
