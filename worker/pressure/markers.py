"""What do load, variability, pulse pressure, stiffness and low averages say of an adult's day?

No guideline grades by them: each limit is that of the study named beside it. They stand beside the level, raise no
alert, and are never more than probable. A child's day has no such limits.
"""

from typing import Final

from ecg_center.contract.findings import Evidence, Statement
from ecg_center.contract.pressure import PressureFindings, printed
from worker.pressure.guideline import PERIODS, Name
from worker.pressure.validity import ACCEPTED_NIGHT
from worker.resting.say import evidence, say

MMHG: Final = "mmHg"

LOAD_SOURCE: Final = "White, Dey, Schulman 1989, Am Heart J 118:782-795, as textbooks cite it"
SYSTOLIC_LOAD_PERCENT: Final = 50.0
DIASTOLIC_LOAD_PERCENT: Final = 40.0
"""Above these shares the left ventricle was seen to change."""

VARIABILITY_SOURCE: Final = "Palatini et al. 2014 (ABP-International), doi:10.1161/HYPERTENSIONAHA.114.03694"
NIGHT_SD_MMHG: Final = 12.2
"""SD of the night's systolic readings from which on events were more frequent; by day no limit held."""

PULSE_PRESSURE_SOURCE: Final = "Verdecchia et al. 1998, doi:10.1161/01.HYP.32.6.983"
PULSE_PRESSURE_MMHG: Final = 53.0
"""The upper third of 24-hour pulse pressures began above it."""

STIFFNESS_SOURCE: Final = "Li et al. 2006, doi:10.1161/01.HYP.0000200695.34024.4c"

LOW_SOURCE: Final = "Divisón-Garrote et al. 2016 (Spanish ABPM registry), J Am Soc Hypertens 10:714-723"
LOW_SYSTOLIC_MMHG: Final[dict[Name, float]] = {"24h": 100.0, "day": 105.0, "night": 90.0}
"""Below these. Its diastolic limits (60, 65, 50) are left out: in stiff arteries a low diastolic stands beside a high
systolic pressure, and nobody would call that day low."""


def low(found: PressureFindings) -> list[Evidence]:
    """The systolic averages that are low; empty where none is."""
    return [
        evidence(f"systolic_{name}_mmhg", printed(mean), LOW_SYSTOLIC_MMHG[name], MMHG, source=LOW_SOURCE)
        for name in PERIODS
        if (one := found.period(name)) is not None and (name != "night" or one.readings >= ACCEPTED_NIGHT)
        if printed(mean := found.average_of(one.systolic)) < LOW_SYSTOLIC_MMHG[name]
    ]


def markers(found: PressureFindings) -> list[Statement]:
    """What is said of an adult's day beside its level; empty where every figure is within its limit."""
    said = [say("914", *items, certainty="probable")] if (items := low(found)) else []
    return said + _load(found) + _variability(found) + _pulse_pressure(found) + _stiffness(found)


def _load(found: PressureFindings) -> list[Statement]:
    whole = found.period("24h")
    if whole is None:
        return []
    items = [
        evidence(quantity, value, limit, "%", source=LOAD_SOURCE)
        for quantity, value, limit in (
            ("systolic_load_percent", whole.systolic_load_percent, SYSTOLIC_LOAD_PERCENT),
            ("diastolic_load_percent", whole.diastolic_load_percent, DIASTOLIC_LOAD_PERCENT),
        )
        if value is not None and value > limit
    ]
    return [say("930", *items, certainty="possible")] if items else []


def _variability(found: PressureFindings) -> list[Statement]:
    night = found.period("night")
    if night is None or night.readings < ACCEPTED_NIGHT or night.systolic.sd is None:
        return []
    if night.systolic.sd < NIGHT_SD_MMHG:
        return []
    seen = evidence("systolic_night_sd_mmhg", night.systolic.sd, NIGHT_SD_MMHG, MMHG, source=VARIABILITY_SOURCE)
    return [say("931", seen, certainty="possible")]


def _pulse_pressure(found: PressureFindings) -> list[Statement]:
    whole = found.period("24h")
    if whole is None:
        return []
    mean = printed(found.average_of(whole.pulse_pressure))
    if mean <= PULSE_PRESSURE_MMHG:
        return []
    seen = evidence("pulse_pressure_24h_mmhg", mean, PULSE_PRESSURE_MMHG, MMHG, source=PULSE_PRESSURE_SOURCE)
    return [say("932", seen, certainty="probable")]


def _stiffness(found: PressureFindings) -> list[Statement]:
    seen = found.stiffness
    if seen is None or seen.aasi_limit is None or seen.aasi <= seen.aasi_limit:
        return []
    return [say("933", evidence("aasi", seen.aasi, seen.aasi_limit, source=STIFFNESS_SOURCE), certainty="possible")]
