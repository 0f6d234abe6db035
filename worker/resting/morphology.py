"""What do P, PR and the QRS of the usual beat say: conduction, axis, hypertrophy, voltage, old infarction?"""

from typing import Final

from ecg_center.contract.findings import Evidence, Statement
from worker.resting import childhood
from worker.resting.fascicles import fascicles, incomplete_left
from worker.resting.hypertrophy import atria, ventricles
from worker.resting.infarction import old_infarction
from worker.resting.measure import axis_deg
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.say import (
    ACC_2018_BRADYCARDIA,
    AHA_2009_CONDUCTION,
    TEXTBOOK,
    evidence,
    say,
)
from worker.resting.waves import LeadWaves

WIDE_MS: Final = 120.0
WIDE_LIMIT_MS: Final = 110.0
DELTA_MS: Final = 116.0
PJ_MS: Final = 260.0
"""Preexcitation takes its length from PR; in bundle branch block P to J is long (诊断学: PJ < 270 ms in WPW)."""
DELTA_START_SHARE: Final = 0.22
INCOMPLETE_MS: Final = 92.0
TOLERANCE_MS: Final = 4.0
"""Where the shape is plain, the width may miss its limit by two samples."""
NEARLY_WIDE_MS, RIGHT_SURE_UV = 108.0, 300.0
"""The last, slow and flat part of a right block's QRS is often not counted; a tall end in V1 says that it was there."""
R_PRIME_UV, R_PRIME_S_UV, LATERAL_S_UV = 100.0, -80.0, -40.0
"""rSr' in V1 with an S in I or V6: the readers of LUDB and CPSC 2018 call it incomplete right block however narrow the
QRS is. Of the records of neither that carry no such label fewer than 2 in 100 reach these limits."""
LEFT_TERMINAL_UV: Final = 60.0
LEFT_SURE_MS: Final = 140.0
AXIS_LEFT_DEG, AXIS_RIGHT_DEG = -30.0, 90.0


def morphology(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """The statements, in no particular order."""
    if reading.limits is None or rhythm.name == "paced":
        return []
    found = [*_p_and_pr(reading, rhythm)]
    block = _conduction(reading, rhythm)
    found += block
    if not reading.calibrated:
        return found
    codes = {statement.code for statement in block}
    found += _axis(reading, codes)
    if not codes & {"104", "106", "107", "108"}:
        found += ventricles(reading, frontal_axis_deg(reading), with_p=rhythm.name in ("sinus", "atrial"))
        found += old_infarction(reading)
    return found


def _p_and_pr(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    limits = reading.limits
    if limits is None or limits.p_on is None or limits.p_off is None or rhythm.name not in ("sinus", "atrial"):
        return []
    found, norms = [], reading.norms
    pr_short_ms, pr_long_ms = norms.pr_ms
    pr_ms, p_ms = reading.ms(limits.qrs_on - limits.p_on), reading.ms(limits.p_off - limits.p_on)
    if rhythm.av_block is None and pr_ms > pr_long_ms + 8:  # one sample and a half of every limit's scatter
        found.append(say("82", evidence("pr_ms", pr_ms, pr_long_ms, "ms", source=norms.source or ACC_2018_BRADYCARDIA)))
    elif pr_ms < pr_short_ms - 4 and rhythm.name == "sinus":
        seen = evidence("pr_ms", pr_ms, pr_short_ms, "ms", source=norms.source or TEXTBOOK)
        found.append(say("80", seen, certainty="probable"))
    if reading.calibrated:
        found += atria(reading, p_ms)
    return found


def _conduction(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    qrs_ms = reading.qrs_ms or 0.0
    v1 = reading.wave("V1")
    side = [waves for lead in ("I", "V5", "V6") if (waves := reading.wave(lead)) is not None]
    if v1 is None or not side:
        return []
    broad_ms = reading.norms.broad_qrs_ms
    width = evidence("qrs_ms", qrs_ms, broad_ms, "ms", source=AHA_2009_CONDUCTION)
    if found := _preexcitation(reading, rhythm, qrs_ms):
        return found
    qrs_ms += WIDE_MS - broad_ms  # a child's counts as what it would be in an adult
    axis = frontal_axis_deg(reading)
    if _is_right_block(reading, v1, side):
        block = _right_block(qrs_ms, v1, width)
        return block + fascicles(reading, axis, width) if block else block
    if qrs_ms < WIDE_MS:
        slow = _r_prime(reading, v1, width) or incomplete_left(reading, width)
        return slow + fascicles(reading, axis, width)
    if qrs_ms >= WIDE_MS + TOLERANCE_MS and _is_left_block(reading, v1, side):
        shape = evidence("area_mvms", v1.area_uvs, 0, "mV·ms", leads=["V1"], source=AHA_2009_CONDUCTION)
        return [say("104", width, shape, certainty="definite" if qrs_ms >= LEFT_SURE_MS else "probable")]
    return [say("107", width, certainty="probable")]


def _preexcitation(reading: Reading, rhythm: Rhythm, qrs_ms: float) -> list[Statement]:
    limits, norms = reading.limits, reading.norms
    short_ms = norms.pr_ms[0]
    if (
        limits is None
        or limits.p_on is None
        or rhythm.name != "sinus"
        or qrs_ms < DELTA_MS - (WIDE_MS - norms.broad_qrs_ms)
    ):
        return []
    pr_ms = reading.ms(limits.qrs_on - limits.p_on)
    if pr_ms > short_ms or pr_ms + qrs_ms > PJ_MS or not _slow_start(reading):
        return []
    seen = evidence("pr_ms", pr_ms, short_ms, "ms", source=norms.source or AHA_2009_CONDUCTION)
    return [
        say("108", seen, evidence("qrs_ms", qrs_ms, min(WIDE_LIMIT_MS, norms.broad_qrs_ms), "ms"), certainty="possible")
    ]


def _is_right_block(reading: Reading, v1: LeadWaves, side: list[LeadWaves]) -> bool:
    """The last forces go to the right and forward: R' in V1, S in the lateral leads."""
    v2 = reading.wave("V2")
    forward = v1.terminal_uv > 60 or (v2 is not None and v2.terminal_uv > 100 and v1.r2_uv > 100)
    r_prime = v1.r2_uv > max(60.0, 0.5 * v1.r_uv) or (v1.r_uv > 300 and v1.s_uv > -100)
    return forward and r_prime and any(waves.terminal_uv < -40 for waves in side)


def _right_block(qrs_ms: float, v1: LeadWaves, width: Evidence) -> list[Statement]:
    shape = evidence("terminal_mv", v1.terminal_uv / 1000, 0.06, "mV", leads=["V1"], source=AHA_2009_CONDUCTION)
    if qrs_ms >= WIDE_MS - TOLERANCE_MS:
        return [say("106", _reached(width, WIDE_MS - TOLERANCE_MS), shape)]
    if qrs_ms >= NEARLY_WIDE_MS and v1.terminal_uv >= RIGHT_SURE_UV:
        tall = evidence("terminal_mv", v1.terminal_uv / 1000, RIGHT_SURE_UV / 1000, "mV", leads=["V1"])
        return [say("106", _reached(width, NEARLY_WIDE_MS), tall, certainty="probable")]
    return [say("105", width, shape, certainty="probable")] if qrs_ms >= INCOMPLETE_MS else []


def _reached(width: Evidence, limit_ms: float) -> Evidence:
    """By the limit that it was judged by: "108 ms (limit 120)" under a complete block reads as a mistake."""
    if width.threshold is None or width.value is None or width.value >= width.threshold:
        return width
    return width.model_copy(update={"threshold": width.threshold - (WIDE_MS - limit_ms)})


def _r_prime(reading: Reading, v1: LeadWaves, width: Evidence) -> list[Statement]:
    """Incomplete right block by its shape alone."""
    if v1.r2_uv < R_PRIME_UV or v1.s_uv > R_PRIME_S_UV or reading.norms.of_a_child:
        return []  # in children a narrow rSr' is usual
    if min((waves.s_uv for lead in ("I", "V6") if (waves := reading.wave(lead))), default=0.0) > LATERAL_S_UV:
        return []
    shape = evidence("r_mv", v1.r2_uv / 1000, R_PRIME_UV / 1000, "mV", leads=["V1"], source=AHA_2009_CONDUCTION)
    return [say("105", width, shape, certainty="possible")]


def _is_left_block(reading: Reading, v1: LeadWaves, side: list[LeadWaves]) -> bool:
    """All forces go to the left and back, the septum from right to left: no q in I and V6.

    Where the transition is displaced beyond V6, it shows the front of the heart, and I alone is judged.
    """
    lateral = [waves for lead in ("V6", "I") if (waves := reading.wave(lead)) is not None and waves.area_uvs > 0]
    upright = bool(lateral) and any(waves.r_peak_ms >= 40 for waves in side)
    return (
        v1.area_uvs < 0 and v1.terminal_uv < LEFT_TERMINAL_UV and upright and all(waves.q_uv > -80 for waves in lateral)
    )


def _slow_start(reading: Reading) -> bool:
    """A delta wave: the first 30 ms hold little of the QRS in the leads where it is tall."""
    tall = [waves for waves in reading.waves.values() if waves.r_uv > 600 and waves.q_uv > -60]
    return len(tall) >= 3 and sum(waves.start_uv < DELTA_START_SHARE * waves.r_uv for waves in tall) >= 0.7 * len(tall)


def frontal_axis_deg(reading: Reading) -> float | None:
    """The QRS axis; None without I and aVF."""
    one, avf = reading.wave("I"), reading.wave("aVF")
    return None if one is None or avf is None else axis_deg(one.net_uv, avf.net_uv)


def _axis(reading: Reading, codes: set[str]) -> list[Statement]:
    axis = frontal_axis_deg(reading)
    if axis is None or codes & {"101", "102"}:
        return []
    if reading.norms.of_a_child:
        return childhood.axis(reading, axis)
    seen = evidence("qrs_axis_deg", axis, None, "°", source=AHA_2009_CONDUCTION)
    if -90 <= axis < AXIS_LEFT_DEG:
        return [say("121", seen)]
    if AXIS_RIGHT_DEG < axis <= 110:
        return [say("120a", seen)]
    if 110 < axis <= 180:
        return [say("120", seen)]
    return [say("122", seen)] if axis < -90 else []
