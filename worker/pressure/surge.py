"""How far does the systolic pressure rise at waking? By two definitions.

Sleep-trough surge: the mean of the two hours after waking minus the trough of the night; pre-waking surge: the same
minus the mean of the two hours before waking (Kario et al. 2003, doi:10.1161/01.CIR.0000056521.67546.AA). The trough is
the mean of the lowest reading and its two neighbours (Kario), or of the hour that holds the lowest (the Chinese
guideline: 夜间睡眠时的收缩压最低值，包括最低值在内1 h的平均值); the guideline set says which.
"""

import statistics
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from ecg_center.contract.pressure import MorningSurge
from worker.pressure.guideline import Guideline
from worker.pressure.measured import Measured, kept
from worker.pressure.periods import Nights, Sleep

MORNING: Final = timedelta(hours=2)
TROUGH_SIDE: Final = timedelta(minutes=30)
"""Half of the hour around the lowest reading."""
LEAST_MORNING: Final = 2
LEAST_NIGHT: Final = 3
"""One reading is no mean; the trough is made of three."""


def surges_of(readings: Sequence[Measured], nights: Nights, guideline: Guideline) -> list[MorningSurge | None]:
    """The surge after each night; None where there are too few readings on one side of waking."""
    return [_after(night, readings, guideline) for night in nights.stretches]


def mean_surge(surges: Sequence[MorningSurge | None]) -> MorningSurge | None:
    """What is said of all mornings: their mean, with the times of the highest; None where there is none.

    One morning repeats another badly (Wizner et al. 2008, doi:10.1097/HJH.0b013e3283013b59), so that neither the first
    nor the highest speaks for the others.
    """
    found = [one for one in surges if one is not None]
    if len(found) < 2:
        return found[0] if found else None
    highest = max(found, key=lambda one: one.sleep_trough_mmhg)
    prewaking = [one.prewaking_mmhg for one in found if one.prewaking_mmhg is not None]
    return highest.model_copy(
        update={
            "trough_mmhg": kept(statistics.fmean(one.trough_mmhg for one in found)),
            "morning_systolic_mmhg": kept(statistics.fmean(one.morning_systolic_mmhg for one in found)),
            "morning_diastolic_mmhg": kept(statistics.fmean(one.morning_diastolic_mmhg for one in found)),
            "sleep_trough_mmhg": kept(statistics.fmean(one.sleep_trough_mmhg for one in found)),
            "prewaking_mmhg": kept(statistics.fmean(prewaking)) if prewaking else None,
            "mornings": len(found),
        }
    )


def _after(night: Sleep, readings: Sequence[Measured], guideline: Guideline) -> MorningSurge | None:
    asleep = [one for one in readings if night.start <= one.at < night.end]
    morning = [one for one in readings if night.end <= one.at < night.end + MORNING]
    before = [one for one in asleep if one.at >= night.end - MORNING]
    if len(morning) < LEAST_MORNING or len(asleep) < LEAST_NIGHT:
        return None
    lowest = min(range(len(asleep)), key=lambda index: asleep[index].systolic)
    around = _around(asleep, lowest, guideline)
    trough = statistics.fmean(one.systolic for one in around)
    systolic = statistics.fmean(one.systolic for one in morning)
    return MorningSurge(
        waking_at=night.end,
        lowest_at=asleep[lowest].at,
        trough_mmhg=kept(trough),
        trough_by=guideline.trough,
        morning_systolic_mmhg=kept(systolic),
        morning_diastolic_mmhg=kept(statistics.fmean(one.diastolic for one in morning)),
        sleep_trough_mmhg=kept(systolic - trough),
        prewaking_mmhg=kept(systolic - statistics.fmean(one.systolic for one in before)) if before else None,
        limit_mmhg=guideline.surge_mmhg,
    )


def _around(asleep: Sequence[Measured], lowest: int, guideline: Guideline) -> Sequence[Measured]:
    if guideline.trough == "three_readings":
        return asleep[max(0, lowest - 1) : lowest + 2]
    at = asleep[lowest].at
    return [one for one in asleep if abs(one.at - at) <= TROUGH_SIDE]
