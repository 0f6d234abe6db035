"""What do P, PR and the QRS of the usual beat say: conduction, axis, hypertrophy, voltage, old infarction?"""

from typing import Final

from ecg_center.contract.findings import Evidence, Statement
from worker.resting import childhood
from worker.resting.measure import axis_deg
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.say import (
    ACC_2018_BRADYCARDIA,
    AHA_2009_CONDUCTION,
    AHA_2009_HYPERTROPHY,
    TEXTBOOK,
    UNIVERSAL_MI_4,
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
NEARLY_WIDE_MS, RIGHT_SURE_UV = 108.0, 300.0
"""The last, slow and flat part of a right block's QRS is often not counted; a tall end in V1 says that it was there."""
R_PRIME_UV, R_PRIME_S_UV, LATERAL_S_UV = 100.0, -80.0, -40.0
"""rSr' in V1 with an S in I or V6: the readers of LUDB and CPSC 2018 call it incomplete right block however narrow the
QRS is. Of the records of neither that carry no such label fewer than 2 in 100 reach these limits."""
LEFT_TERMINAL_UV: Final = 60.0
LEFT_SURE_MS: Final = 140.0
LAFB_AXIS_DEG: Final = (-90.0, -45.0)
AXIS_LEFT_DEG, AXIS_RIGHT_DEG = -30.0, 90.0
LOW_LIMB_UV: Final = 500.0
LOW_CHEST_UV: Final = 1000.0
SOKOLOW_UV: Final = {True: 3500.0, False: 4000.0, None: 4000.0}
"""RV5 + SV1 of women and men, 诊断学; the limit of men where the sex is unknown."""
CORNELL_UV: Final = {True: 2000.0, False: 2800.0, None: 2800.0}
Q_MS: Final = 30.0
Q_UV: Final = -100.0
Q_SHARE: Final = 0.25
QS_UV: Final = -100.0


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
        found += _voltage(reading)
        found += _old_infarction(reading)
    return found


def _p_and_pr(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    limits = reading.limits
    if limits is None or limits.p_on is None or limits.p_off is None or rhythm.name not in ("sinus", "atrial"):
        return []
    found, norms = [], reading.norms
    (pr_short_ms, pr_long_ms), tall_uv = norms.pr_ms, norms.p_ii_uv
    pr_ms, p_ms = reading.ms(limits.qrs_on - limits.p_on), reading.ms(limits.p_off - limits.p_on)
    if rhythm.av_block is None and pr_ms > pr_long_ms + 8:  # one sample and a half of every limit's scatter
        found.append(say("82", evidence("pr_ms", pr_ms, pr_long_ms, "ms", source=norms.source or ACC_2018_BRADYCARDIA)))
    elif pr_ms < pr_short_ms - 4 and rhythm.name == "sinus":
        seen = evidence("pr_ms", pr_ms, pr_short_ms, "ms", source=norms.source or TEXTBOOK)
        found.append(say("80", seen, certainty="probable"))
    two, v1 = reading.wave("II"), reading.wave("V1")
    if reading.calibrated and two is not None and two.p_uv >= tall_uv:
        found.append(
            say(
                "109",
                evidence("p_mv", two.p_uv / 1000, tall_uv / 1000, "mV", leads=["II"], source=AHA_2009_HYPERTROPHY),
            )
        )
    if p_ms >= norms.p_ms + 8 and v1 is not None and v1.p_uv < -60:
        found.append(
            say("110", evidence("p_ms", p_ms, norms.p_ms, "ms", source=AHA_2009_HYPERTROPHY), certainty="possible")
        )
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
    if _is_right_block(reading, v1, side):
        return _right_block(qrs_ms, v1, width)
    if qrs_ms < WIDE_MS:
        return _r_prime(reading, v1, width) + _fascicle(reading, width)
    if qrs_ms >= WIDE_MS + 4 and _is_left_block(reading, v1, side):
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
    if qrs_ms >= WIDE_MS - 4:
        return [say("106", width, shape)]
    if qrs_ms >= NEARLY_WIDE_MS and v1.terminal_uv >= RIGHT_SURE_UV:
        return [say("106", width, shape, certainty="probable")]
    return [say("105", width, shape, certainty="probable")] if qrs_ms >= INCOMPLETE_MS else []


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


def _fascicle(reading: Reading, width: Evidence) -> list[Statement]:
    axis = frontal_axis_deg(reading)
    avl, three, two = (reading.wave(lead) for lead in ("aVL", "III", "II"))
    if axis is None or avl is None or three is None or two is None:
        return []
    if LAFB_AXIS_DEG[0] <= axis <= LAFB_AXIS_DEG[1] and three.r_uv > 30 and three.s_uv < three.r_uv and avl.q_uv < 0:
        seen = evidence("qrs_axis_deg", axis, LAFB_AXIS_DEG[1], "°", source=AHA_2009_CONDUCTION)
        return [say("101", seen, width, certainty="probable")]
    return []


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


def _voltage(reading: Reading) -> list[Statement]:
    female = reading.person.female
    v1, v3, v5, v6, avl = (reading.wave(lead) for lead in ("V1", "V3", "V5", "V6", "aVL"))
    found: list[Statement] = []
    if reading.norms.of_a_child:
        found += childhood.voltage(reading)
    else:
        seen = []
        if v1 is not None and (v5 is not None or v6 is not None):
            sum_uv = max(waves.r_uv for waves in (v5, v6) if waves) + abs(min(v1.s_uv, v1.q_uv))
            if sum_uv > SOKOLOW_UV[female]:
                limit = SOKOLOW_UV[female] / 1000
                seen.append(
                    evidence("sokolow_lyon_mv", sum_uv / 1000, limit, "mV", leads=["V1", "V5"], source=TEXTBOOK)
                )
        if v3 is not None and avl is not None:
            sum_uv = avl.r_uv + abs(min(v3.s_uv, v3.q_uv))
            if sum_uv > CORNELL_UV[female]:
                limit = CORNELL_UV[female] / 1000
                seen.append(
                    evidence("cornell_mv", sum_uv / 1000, limit, "mV", leads=["aVL", "V3"], source=AHA_2009_HYPERTROPHY)
                )
        if seen:
            found.append(say("142a", *seen, certainty="probable"))
    limb = [reading.wave(lead) for lead in ("I", "II", "III", "aVR", "aVL", "aVF")]
    chest = [reading.wave(lead) for lead in ("V1", "V2", "V3", "V4", "V5", "V6")]
    low_limb = all(waves is not None and waves.span_uv < LOW_LIMB_UV for waves in limb)
    low_chest = all(waves is not None and waves.span_uv < LOW_CHEST_UV for waves in chest)
    if low_limb or low_chest:
        code = "125b" if low_limb and low_chest else "125" if low_limb else "125a"
        largest = max(waves.span_uv for waves in (limb if low_limb else chest) if waves) / 1000
        found.append(say(code, evidence("qrs_span_mv", largest, 0.5 if low_limb else 1.0, "mV", source=TEXTBOOK)))
    return found


TERRITORIES: Final[tuple[tuple[str, tuple[str, ...], int], ...]] = (
    ("161.333", ("II", "III", "aVF"), 2),
    ("165.333", ("V1", "V2", "V3"), 2),
    ("160.333", ("V3", "V4"), 2),
    ("163.333", ("I", "aVL", "V5", "V6"), 2),
)
"""Code, leads, how many of them must have the Q (Fourth Universal Definition, table of prior MI)."""


def _old_infarction(reading: Reading) -> list[Statement]:
    found: list[Statement] = []
    if reading.norms.of_a_child:
        return found  # their q waves are deep in health
    for code, leads, least in TERRITORIES:
        pathological = [lead for lead in leads if _has_infarct_q(reading, lead)]
        if code == "161.333" and "aVF" not in pathological:
            continue
        if code == "165.333" and not {"V2", "V3"} <= set(pathological):
            continue
        if len(pathological) >= least:
            deepest = min(waves.q_uv for lead in pathological if (waves := reading.wave(lead)))
            seen = evidence("q_mv", deepest / 1000, Q_UV / 1000, "mV", leads=pathological, source=UNIVERSAL_MI_4)
            found.append(say(code, seen, certainty="possible"))
    codes = {statement.code for statement in found}
    return [statement for statement in found if not (statement.code == "160.333" and "165.333" in codes)]


def _has_infarct_q(reading: Reading, lead: str) -> bool:
    waves = reading.wave(lead)
    if waves is None:
        return False
    whole = waves.r_uv < 60 and waves.q_uv < QS_UV and lead not in ("V1", "III", "aVR", "aVL")
    deep = waves.q_ms >= Q_MS and waves.q_uv <= Q_UV and -waves.q_uv >= Q_SHARE * waves.r_uv
    if lead in ("V1", "V2", "V3"):
        return waves.r_uv < 60 and waves.q_uv < QS_UV
    return whole or deep
