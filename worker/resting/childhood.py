"""What do axis and voltage of a child's QRS say? They follow the age, and the right ventricle leads at first.

A wave is too tall or too deep above the 98th percentile for age and sex (:mod:`worker.resting.norms`). From the second
week to six years T is negative in V1: upright beside a dominant R it tells of a loaded right ventricle (Dickinson 2005,
doi:10.1136/hrt.2004.057307). Voltage alone is never more than possible: one healthy child in fifty has it.
"""

from typing import Final

from ecg_center.contract.findings import Evidence, Statement
from worker.resting.norms import JUVENILE_T_LEADS, Voltage
from worker.resting.patient import DAYS_A_YEAR
from worker.resting.reading import Reading
from worker.resting.say import evidence, say

UPRIGHT_T_UV: Final = 100.0
UPRIGHT_T_FROM_YEARS: Final = 8 / DAYS_A_YEAR
UPRIGHT_T_UNTIL_YEARS: Final = 6.0
LEFT_FROM_DEG: Final = -90.0
LITTLE_LEADS: Final = ("V4",)
"""Negative here as well, in the small: their heart fills more of the chest."""
LITTLE_UNTIL_YEARS: Final = 5.0


def axis(reading: Reading, axis_deg: float) -> list[Statement]:
    """Left or right of what is normal at this age."""
    low, high = reading.norms.qrs_axis_deg
    # beyond 180 the scale begins again at -180
    turned = axis_deg + 360 if axis_deg < LEFT_FROM_DEG else axis_deg
    if low <= turned <= high:
        return []
    left = turned < low
    seen = evidence("qrs_axis_deg", axis_deg, low if left else high, "°", source=reading.norms.source)
    return [say("121" if left else "120", seen, certainty="probable")]


def voltage(reading: Reading) -> list[Statement]:
    """Either ventricle by the height of its waves."""
    limits = reading.norms.voltage
    if limits is None:
        return []
    found = []
    if right := _right(reading, limits):
        found.append(say("143", *right, certainty="possible"))
    if left := _left(reading, limits):
        found.append(say("142a", *left, certainty="possible"))
    return found


def t_may_be_negative(reading: Reading) -> tuple[str, ...]:
    """The chest leads in which a negative T is no finding at this age."""
    if not reading.norms.of_a_child:
        return ()
    age = reading.person.age_years or 0.0
    return JUVENILE_T_LEADS + (LITTLE_LEADS if age < LITTLE_UNTIL_YEARS else ())


def _right(reading: Reading, limits: Voltage) -> list[Evidence]:
    v1, v6 = reading.wave("V1"), reading.wave("V6")
    seen = []
    if v1 is not None:
        tallest = max(v1.r_uv, v1.r2_uv)
        if tallest > limits.r_v1_uv:
            seen.append(_evidence(reading, "r_mv", tallest, limits.r_v1_uv, "V1"))
        age = reading.person.age_years or 0.0
        dominant = tallest > abs(v1.s_uv)
        if UPRIGHT_T_FROM_YEARS <= age < UPRIGHT_T_UNTIL_YEARS and dominant and v1.t_uv >= UPRIGHT_T_UV:
            seen.append(_evidence(reading, "t_mv", v1.t_uv, UPRIGHT_T_UV, "V1"))
    if v6 is not None and -v6.s_uv > limits.s_v6_uv:
        seen.append(_evidence(reading, "s_mv", v6.s_uv, -limits.s_v6_uv, "V6"))
    return seen


def _left(reading: Reading, limits: Voltage) -> list[Evidence]:
    v1, v6 = reading.wave("V1"), reading.wave("V6")
    seen = []
    if v6 is not None and v6.r_uv > limits.r_v6_uv:
        seen.append(_evidence(reading, "r_mv", v6.r_uv, limits.r_v6_uv, "V6"))
    if v1 is not None and -v1.s_uv > limits.s_v1_uv:
        seen.append(_evidence(reading, "s_mv", v1.s_uv, -limits.s_v1_uv, "V1"))
    return seen


def _evidence(reading: Reading, quantity: str, value_uv: float, limit_uv: float, lead: str) -> Evidence:
    source = reading.norms.source
    return evidence(quantity, value_uv / 1000, limit_uv / 1000, "mV", leads=[lead], source=source)
