"""Which part of the left bundle is slow?

AHA/ACCF/HRS 2009 part III (doi:10.1016/j.jacc.2008.12.013), sections on the fascicles and on incomplete block.
"""

from typing import Final

from ecg_center.contract.findings import Evidence, Statement
from worker.resting.reading import Reading
from worker.resting.say import AHA_2009_CONDUCTION, evidence, say
from worker.resting.waves import LeadWaves

ANTERIOR_AXIS_DEG: Final = (-90.0, -45.0)
POSTERIOR_AXIS_DEG: Final = (110.0, 180.0)
"""The statement says 90 to 180; up to 110 the healthy and slender have it as well."""
POSTERIOR_FROM_YEARS: Final = 20.0
R_UV: Final = 30.0
Q_UV: Final = -20.0
"""What counts as a wave at all, IEC 60601-2-25, and a little more for an r beside a deep S."""
INCOMPLETE_LEFT_MS: Final = (110.0, 120.0)
LATE_R_MS: Final = 60.0


def fascicles(reading: Reading, axis_deg: float | None, width: Evidence) -> list[Statement]:
    """Left anterior or left posterior fascicular block; nothing where a limb lead is missing."""
    one, two, three, avl, avf = (reading.wave(lead) for lead in ("I", "II", "III", "aVL", "aVF"))
    if axis_deg is None or one is None or two is None or three is None or avl is None or avf is None:
        return []
    low, high = ANTERIOR_AXIS_DEG
    if low <= axis_deg <= high and three.r_uv > R_UV and three.s_uv < three.r_uv and avl.q_uv < 0:
        seen = evidence("qrs_axis_deg", axis_deg, high, "°", source=AHA_2009_CONDUCTION)
        return [say("101", seen, width, certainty="probable")]
    low, high = POSTERIOR_AXIS_DEG
    if low <= axis_deg <= high and _r_then_s(one) and _r_then_s(avl) and _q_then_r(three) and _q_then_r(avf):
        return _posterior(reading, axis_deg, width)
    return []


def _posterior(reading: Reading, axis_deg: float, width: Evidence) -> list[Statement]:
    """What else turns the axis to the right is named instead: a child's heart, a large right ventricle."""
    v1, age = reading.wave("V1"), reading.person.age_years
    if v1 is None or max(v1.r_uv, v1.r2_uv) >= -min(v1.s_uv, v1.q_uv) or (age or 99.0) < POSTERIOR_FROM_YEARS:
        return []
    seen = evidence("qrs_axis_deg", axis_deg, POSTERIOR_AXIS_DEG[0], "°", source=AHA_2009_CONDUCTION)
    return [say("102", seen, width, certainty="possible")]


def _r_then_s(waves: LeadWaves) -> bool:
    return waves.r_uv > R_UV and -waves.s_uv > waves.r_uv


def _q_then_r(waves: LeadWaves) -> bool:
    return waves.q_uv <= Q_UV and waves.r_uv > -min(waves.s_uv, waves.q_uv)


def incomplete_left(reading: Reading, width: Evidence) -> list[Statement]:
    """Incomplete left bundle branch block: 110 to 119 ms, no q in I, V5 and V6, a late R there, V1 negative."""
    v1 = reading.wave("V1")
    lateral = [waves for lead in ("I", "V5", "V6") if (waves := reading.wave(lead)) is not None]
    low, high = INCOMPLETE_LEFT_MS
    if v1 is None or len(lateral) < 3 or not low <= (reading.qrs_ms or 0.0) < high or reading.norms.of_a_child:
        return []
    latest = max(waves.r_peak_ms for waves in lateral[1:])
    if v1.area_uvs >= 0 or latest < LATE_R_MS or any(waves.q_uv < Q_UV for waves in lateral):
        return []
    late = evidence("r_peak_ms", latest, LATE_R_MS, "ms", leads=["V5", "V6"], source=AHA_2009_CONDUCTION)
    return [say("104a", width, late, certainty="possible")]
