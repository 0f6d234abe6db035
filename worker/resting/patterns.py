"""Which rare but dangerous patterns does the shape of the usual beat show, and which harmless ones look like them?

Each function is one pattern, its limits beside their source. They are looked for in a narrow QRS unless they say
otherwise; in bundle branch block only what was made for it (Sgarbossa's criteria) is.
"""

from typing import Final

import numpy as np

from ecg_center.contract.findings import Statement
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.say import AHA_2009_HYPERTROPHY, AHA_2009_ST_QT, UNIVERSAL_MI_4, evidence, say
from worker.resting.slow_waves import slow_waves
from worker.resting.waves import LeadWaves

BRUGADA_2013: Final = "HRS/EHRA/APHRS 2013, doi:10.1016/j.hrthm.2013.05.014; Bayés de Luna 2012"
DE_WINTER: Final = "de Winter 2008, doi:10.1056/NEJMc0804737"
WELLENS: Final = "de Zwaan, Bär, Wellens 1982, doi:10.1016/0002-8703(82)90480-x"
SGARBOSSA: Final = "Smith 2012, doi:10.1016/j.annemergmed.2012.07.119; Sgarbossa 1996"
ESC_2019_PE: Final = "ESC 2019 pulmonary embolism, doi:10.1093/eurheartj/ehz405"
POTASSIUM: Final = "Surawicz 1967, doi:10.1016/0002-8703(67)90234-7; AHA/ACCF/HRS 2009 part IV"
ASLANGER: Final = "Aslanger 2020, doi:10.1016/j.jelectrocard.2020.04.008"
PERICARDITIS: Final = "ESC 2015 pericardial diseases, doi:10.1093/eurheartj/ehv318; ST/T of V6: Ginzton and Laks 1982"
EARLY_REPOLARISATION_2015: Final = "Macfarlane 2015, doi:10.1016/j.jacc.2015.05.033"

COVED_UV: Final = 200.0
SADDLE_UV, SADDLE_DIP_UV = 75.0, 50.0
"""The trough of a saddle stands above the PR level, and below both of its ends."""
WINTER_J_UV: Final = -100.0
WINTER_T_UV: Final = 500.0
WELLENS_UV: Final = -100.0
WELLENS_ST_UV: Final = 100.0
POSTERIOR_UV: Final = -50.0
CONCORDANT_UV: Final = 100.0
DISCORDANT_SHARE: Final = 0.25
S1_UV, Q3_UV, T3_UV = -150.0, -150.0, -50.0
STRAIN_UV: Final = -100.0
FLUTTER_LEAST, FLUTTER_TWO_TO_ONE = 0.28, 0.06
HYPERKALAEMIC_T_UV: Final = 900.0
HYPERKALAEMIC_T_OVER_R: Final = 0.75
HYPERKALAEMIC_HALF_MS: Final = 125.0
"""Narrow-based and pointed: an ordinary tall T is broader at half its height (150 to 220 ms in LUDB and CPSC 2018)."""
HYPERKALAEMIC_ST_OVER_T: Final = 0.2
"""The pointed T stands on a flat ST; the tall T of health climbs out of one that has begun to rise."""
WIDE_MS: Final = 120.0
P_LOST_UV: Final = 50.0
POOR_R_UV: Final = 300.0
RVH_R1_UV: Final = 700.0
RVH_SUM_UV: Final = 1050.0
RIGHT_AXIS_DEG: Final = 90.0
NOTCH_J_UV: Final = 100.0
LONE_THIRD_UV: Final = 100.0
HYPERACUTE_T_UV, HYPERACUTE_ST_UV = 600.0, 100.0
HYPERACUTE_T_OVER_QRS: Final = 0.75
HYPERACUTE_HALF_MS: Final = 140.0
"""As tall as the QRS nearly, and broad: the pointed T of potassium is not."""
DIFFUSE_UV: Final = 80.0
DIFFUSE_LEADS: Final = 5
ST_OVER_T: Final = 0.25
PR_SUNK_UV: Final = -40.0


def patterns(reading: Reading, rhythm: Rhythm, said: set[str], axis_deg: float | None) -> list[Statement]:
    """The patterns beside what was ``said`` (codes) of conduction, infarction, ST and T."""
    if not reading.calibrated or not reading.waves:
        return []
    found: list[Statement] = []
    if said & {"104"} or rhythm.name == "paced":
        return _concordant(reading)
    found += _brugada(reading)
    wide = bool(said & {"106", "107", "108"})
    found += _hyperkalaemia(reading, rhythm)
    if wide:
        return found
    acute = any(code.endswith(".330") for code in said)
    for pattern in (_de_winter, _aslanger, _posterior, _wellens, _hyperacute):
        if not acute and not found:
            found += pattern(reading)
    if not found:
        found += _saddle(reading)
    if not any(statement.code == "208" for statement in found):
        found += slow_waves(reading, rhythm, said)
    found += _pulmonary_embolism(reading, rhythm)
    found += _right_ventricle(reading, axis_deg)
    infarct = any(code.split(".")[0] in ("160", "165", "166") for code in said if "." in code)
    if not infarct:
        found += _poor_progression(reading, said)
    acute = acute or any(statement.code.endswith(".330") for statement in found)
    if "145a" in said and not acute:
        found += _pericarditis(reading) or _early_repolarisation(reading)
    return found


def _all(reading: Reading, *leads: str) -> list[tuple[str, LeadWaves]]:
    return [(lead, waves) for lead in leads if (waves := reading.wave(lead)) is not None]


def _brugada(reading: Reading) -> list[Statement]:
    """Type 1: coved, J at 0.2 mV and more, falling without a dip into an inverted T, in V1 or V2."""
    for lead, waves in _all(reading, "V1", "V2"):
        falls = waves.st_j_uv > waves.st60_uv > waves.st80_uv and waves.st60_uv > 0.3 * waves.st_j_uv
        if waves.st_j_uv >= COVED_UV and falls and waves.t_low_uv < STRAIN_UV and waves.r_uv < 1000:
            seen = evidence("st_j_mv", waves.st_j_uv / 1000, COVED_UV / 1000, "mV", leads=[lead], source=BRUGADA_2013)
            return [say("202", seen, certainty="probable")]
    return []


def _saddle(reading: Reading) -> list[Statement]:
    """Type 2: J at 0.2 mV and more, a trough that stays above the PR level, up again into T, in V1 or V2.

    An r' of its own in V1 is that of the right bundle.
    """
    for lead, waves in _all(reading, "V1", "V2"):
        trough = min(waves.st60_uv, waves.st80_uv)
        if lead == "V1" and waves.r2_uv > waves.st_j_uv:
            continue
        sinks = SADDLE_UV <= trough <= waves.st_j_uv - SADDLE_DIP_UV
        if waves.st_j_uv >= COVED_UV and sinks and waves.t_uv >= trough + SADDLE_DIP_UV:
            seen = evidence("st_j_mv", waves.st_j_uv / 1000, COVED_UV / 1000, "mV", leads=[lead], source=BRUGADA_2013)
            return [say("202a", seen, certainty="possible")]
    return []


def _aslanger(reading: Reading) -> list[Statement]:
    """ST raised in III alone of the inferior leads, lowered in V4 to V6 with an upright T, and higher in V1 than V2."""
    third, v1, v2 = (reading.wave(lead) for lead in ("III", "V1", "V2"))
    others = _all(reading, "II", "aVF")
    if third is None or v1 is None or v2 is None or len(others) < 2:
        return []
    sunk = [
        (lead, waves)
        for lead, waves in _all(reading, "V4", "V5", "V6")
        if max(waves.st_j_uv, waves.st60_uv) <= POSTERIOR_UV and waves.t_high_uv > 0
    ]
    alone = third.st_j_uv >= LONE_THIRD_UV and third.st60_uv >= 0.7 * LONE_THIRD_UV
    if not alone or not sunk or any(waves.st_j_uv >= LONE_THIRD_UV for _, waves in others):
        return []
    if v2.st_j_uv <= POSTERIOR_UV or v1.st_j_uv <= v2.st_j_uv:
        return []
    seen = evidence("st_j_mv", third.st_j_uv / 1000, LONE_THIRD_UV / 1000, "mV", leads=["III"], source=ASLANGER)
    lowest = min(waves.st_j_uv for _, waves in sunk) / 1000
    down = evidence("st_j_mv", lowest, POSTERIOR_UV / 1000, "mV", leads=[lead for lead, _ in sunk])
    return [say("220d", seen, down, certainty="probable")]


def _hyperacute(reading: Reading) -> list[Statement]:
    """T nearly as tall as the QRS and broad, out of an ST that rises straight into it, in two neighbouring leads."""
    for group in (("V2", "V3", "V4", "V5"), ("II", "III", "aVF")):
        here = [(lead, waves) for lead, waves in _all(reading, *group) if _is_hyperacute(waves)]
        if len(here) < 2:
            continue
        highest = max(waves.t_uv for _, waves in here) / 1000
        seen = evidence(
            "t_mv", highest, HYPERACUTE_T_UV / 1000, "mV", leads=[lead for lead, _ in here], source=AHA_2009_ST_QT
        )
        return [say("220e", seen, certainty="possible")]
    return []


def _is_hyperacute(waves: LeadWaves) -> bool:
    tall = waves.t_uv >= max(HYPERACUTE_T_UV, HYPERACUTE_T_OVER_QRS * waves.span_uv) and waves.t_uv > waves.r_uv
    return tall and waves.t_half_ms >= HYPERACUTE_HALF_MS and waves.st60_uv >= HYPERACUTE_ST_UV


def _pericarditis(reading: Reading) -> list[Statement]:
    """ST raised and hollow nearly everywhere, lowered in none but aVR and V1, high against T; PR lowered proves it."""
    raised = [
        lead
        for lead, waves in _all(reading, "I", "II", "III", "aVL", "aVF", "V2", "V3", "V4", "V5", "V6")
        if min(waves.st_j_uv, waves.st60_uv) >= DIFFUSE_UV
    ]
    sunk = any(
        waves.st_j_uv <= POSTERIOR_UV for lead, waves in _all(reading, *reading.waves) if lead not in ("aVR", "V1")
    )
    lateral, v6 = {"I", "V5", "V6"} & set(raised), reading.wave("V6")
    if sunk or len(raised) < DIFFUSE_LEADS or "II" not in raised or not lateral or v6 is None or v6.t_uv <= 0:
        return []
    if v6.st_j_uv < ST_OVER_T * v6.t_uv:
        return []
    highest = max(reading.waves[lead].st_j_uv for lead in raised) / 1000
    seen = [
        evidence("st_j_mv", highest, DIFFUSE_UV / 1000, "mV", leads=raised, source=PERICARDITIS),
        evidence("st_to_t", v6.st_j_uv / v6.t_uv, ST_OVER_T, "", leads=["V6"]),
    ]
    pr_uv = _pr_segment_uv(reading, "II")
    if pr_uv is not None and pr_uv <= PR_SUNK_UV:
        seen.append(evidence("pr_segment_mv", pr_uv / 1000, PR_SUNK_UV / 1000, "mV", leads=["II"]))
    return [say("200", *seen, certainty="probable" if len(seen) > 2 else "possible")]


def _pr_segment_uv(reading: Reading, lead: str) -> float | None:
    """The level before the QRS over that before P."""
    row, beat, limits, hz = reading.traces.row(lead), reading.median, reading.limits, reading.traces.hz
    if row is None or beat is None or limits is None or limits.p_on is None:
        return None
    before = beat.signal[row, max(0, limits.p_on - round(0.040 * hz)) : max(1, limits.p_on - round(0.008 * hz))]
    segment = beat.signal[row, limits.qrs_on - round(0.020 * hz) : limits.qrs_on - round(0.004 * hz)]
    return float(np.median(segment) - np.median(before)) if before.size and segment.size else None


def _de_winter(reading: Reading) -> list[Statement]:
    """J depressed by 0.1 mV and more, rising straight into a tall T, in two of V2 to V5, with aVR raised."""
    here = [
        (lead, waves)
        for lead, waves in _all(reading, "V2", "V3", "V4", "V5")
        if waves.st_j_uv <= WINTER_J_UV and waves.t_uv >= WINTER_T_UV and waves.st80_uv > waves.st_j_uv + 50
    ]
    avr = reading.wave("aVR")
    if len(here) < 2 or avr is None or avr.st_j_uv <= 0 or reading.qrs_ms is None or reading.qrs_ms >= WIDE_MS:
        return []
    fast = reading.rr_s.size > 0 and float(reading.rr_s.mean()) < 0.5
    if fast:  # upsloping depression belongs to any fast rate
        return []
    lowest = min(waves.st_j_uv for _, waves in here)
    seen = evidence(
        "st_j_mv", lowest / 1000, WINTER_J_UV / 1000, "mV", leads=[lead for lead, _ in here], source=DE_WINTER
    )
    highest = evidence("t_mv", max(waves.t_uv for _, waves in here) / 1000, WINTER_T_UV / 1000, "mV")
    return [say("220a", seen, highest, certainty="probable")]


def _wellens(reading: Reading) -> list[Statement]:
    """T that rises and then dips, or is deeply inverted, in V2 and V3, with R kept and hardly any ST elevation."""
    here = _all(reading, "V2", "V3")
    if len(here) < 2 or any(waves.r_uv < 100 or abs(waves.st_j_uv) > WELLENS_ST_UV for _, waves in here):
        return []
    biphasic = all(w.t_falls_late and w.t_high_uv > 80 and w.t_low_uv <= WELLENS_UV for _, w in here)
    deep = all(w.t_low_uv <= 5 * WELLENS_UV and w.t_high_uv < 80 for _, w in here)
    if not (biphasic or deep):
        return []
    lowest = min(waves.t_low_uv for _, waves in here) / 1000
    seen = evidence("t_mv", lowest, WELLENS_UV / 1000, "mV", leads=["V2", "V3"], source=WELLENS)
    return [say("220b", seen, certainty="probable" if biphasic else "possible")]


def _posterior(reading: Reading) -> list[Statement]:
    """Horizontal ST depression in V1 to V3 with a dominant R and an upright T; V7 to V9 are in ``infarction``."""
    front = [
        (lead, waves)
        for lead, waves in _all(reading, "V1", "V2", "V3")
        if waves.st_j_uv <= 2 * POSTERIOR_UV
        and waves.st80_uv <= POSTERIOR_UV
        and waves.t_uv > 0
        and waves.r_uv >= abs(waves.s_uv)
    ]
    if len(front) < 2:
        return []
    lowest = min(waves.st_j_uv for _, waves in front)
    seen = evidence(
        "st_j_mv", lowest / 1000, POSTERIOR_UV / 1000, "mV", leads=[lead for lead, _ in front], source=UNIVERSAL_MI_4
    )
    return [say("162.330", seen, certainty="possible")]


def _concordant(reading: Reading) -> list[Statement]:
    """Sgarbossa's criteria as Smith modified them, in left bundle branch block and pacing."""
    raised = [(lead, w) for lead, w in _all(reading, *reading.waves) if _is_concordant(w) and lead != "aVR"]
    sunk = [
        (lead, waves)
        for lead, waves in _all(reading, "V1", "V2", "V3")
        if waves.st_j_uv <= -CONCORDANT_UV and waves.net_uv < 0
    ]
    excess = [(lead, w) for lead, w in _all(reading, "V1", "V2", "V3", "V4") if _is_excessive(w)]
    here = raised if len(raised) > 1 else sunk or (excess if len(excess) > 1 else [])
    if not here:
        return []
    largest = max((waves.st_j_uv for _, waves in here), key=abs)
    seen = evidence(
        "st_j_mv", largest / 1000, CONCORDANT_UV / 1000, "mV", leads=[lead for lead, _ in here], source=SGARBOSSA
    )
    return [say("160.330", seen, certainty="probable" if here is not excess else "possible")]


def _is_concordant(waves: LeadWaves) -> bool:
    return waves.net_uv > 300 and waves.st_j_uv >= CONCORDANT_UV and waves.st60_uv >= CONCORDANT_UV


def _is_excessive(waves: LeadWaves) -> bool:
    """ST against a deep S by more than a quarter of it."""
    depth = -min(waves.s_uv, waves.q_uv)
    raised = min(waves.st_j_uv, waves.st60_uv)
    return depth > 300 and waves.net_uv < 0 and raised >= CONCORDANT_UV and raised >= DISCORDANT_SHARE * depth


def _pulmonary_embolism(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """S1Q3T3 with a sign of strain or haste beside it; alone it is too common to be said."""
    one, three = reading.wave("I"), reading.wave("III")
    if one is None or three is None:
        return []
    if one.s_uv > S1_UV or three.q_uv > Q3_UV or three.t_uv > T3_UV or three.r_uv < 100:
        return []
    front = [lead for lead, waves in _all(reading, "V1", "V2", "V3") if waves.t_uv <= STRAIN_UV]
    fast = (rhythm.ventricular_bpm or 0.0) >= 100 and not _may_flutter(reading)
    v1 = reading.wave("V1")
    delayed = v1 is not None and v1.r2_uv > max(60.0, 0.5 * v1.r_uv)
    signs = (len(front) >= 2) + fast + delayed
    if signs < 1 or not (fast or len(front) >= 2):
        return []
    seen = [
        evidence("s_mv", one.s_uv / 1000, S1_UV / 1000, "mV", leads=["I"], source=ESC_2019_PE),
        evidence("q_mv", three.q_uv / 1000, Q3_UV / 1000, "mV", leads=["III"]),
        evidence("t_mv", three.t_uv / 1000, T3_UV / 1000, "mV", leads=["III"]),
    ]
    return [say("201", *seen, certainty="probable" if signs > 1 else "possible")]


def _may_flutter(reading: Reading) -> bool:
    """Every second of an atrial oscillation's waves conducted: its rate is no haste of the heart's own."""
    flutter, rr = reading.flutter, reading.rr_s
    if flutter is None or flutter.strength < FLUTTER_LEAST or rr.size == 0:
        return False
    usual_bpm = 60 / float(np.median(rr))  # what is conducted otherwise now and then does not count
    return abs(flutter.rate_bpm / (2 * usual_bpm) - 1) < FLUTTER_TWO_TO_ONE


def _hyperkalaemia(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """Tall, narrow, pointed T; surer with a broad QRS or a P that is lost."""
    pointed = [
        (lead, waves)
        for lead, waves in _all(reading, "II", "V2", "V3", "V4", "V5")
        if waves.t_uv >= HYPERKALAEMIC_T_UV
        and waves.t_uv >= HYPERKALAEMIC_T_OVER_R * max(waves.r_uv, 1.0)
        and 0 < waves.t_half_ms <= HYPERKALAEMIC_HALF_MS
        and max(waves.st_j_uv, waves.st80_uv) < HYPERKALAEMIC_ST_OVER_T * waves.t_uv
    ]
    if len(pointed) < 2:
        return []
    largest_p = max((abs(waves.p_uv) for waves in reading.waves.values()), default=0.0)
    lost = rhythm.name not in ("af", "flutter") and largest_p < P_LOST_UV
    wide = (reading.qrs_ms or 0.0) >= WIDE_MS
    seen = evidence(
        "t_mv",
        max(waves.t_uv for _, waves in pointed) / 1000,
        HYPERKALAEMIC_T_UV / 1000,
        "mV",
        leads=[lead for lead, _ in pointed],
        source=POTASSIUM,
    )
    return [say("208", seen, certainty="probable" if lost or wide or len(pointed) >= 4 else "possible")]


def _right_ventricle(reading: Reading, axis_deg: float | None) -> list[Statement]:
    """Voltage of the right ventricle with its axis (AHA/ACCF/HRS 2009 part V, table 7)."""
    v1, v5, v6 = (reading.wave(lead) for lead in ("V1", "V5", "V6"))
    if v1 is None or axis_deg is None or not RIGHT_AXIS_DEG < axis_deg <= 180 or v1.r2_uv > v1.r_uv:
        return []
    deepest = max((-waves.s_uv for waves in (v5, v6) if waves is not None), default=0.0)
    if v1.r_uv < RVH_R1_UV and v1.r_uv + deepest < RVH_SUM_UV:
        return []
    if v1.r_uv < abs(min(v1.s_uv, v1.q_uv)):
        return []
    seen = evidence("r_mv", v1.r_uv / 1000, RVH_R1_UV / 1000, "mV", leads=["V1"], source=AHA_2009_HYPERTROPHY)
    return [say("143", seen, evidence("qrs_axis_deg", axis_deg, RIGHT_AXIS_DEG, "°"), certainty="probable")]


def _poor_progression(reading: Reading, said: set[str]) -> list[Statement]:
    """R of 0.3 mV or less still in V3, and no more in it than in V2; left axis and hypertrophy explain it otherwise."""
    v2, v3, v4 = (reading.wave(lead) for lead in ("V2", "V3", "V4"))
    if v2 is None or v3 is None or v4 is None or said & {"101", "104", "106", "108", "125a", "125b", "143"}:
        return []
    if v3.r_uv > POOR_R_UV or v3.r_uv > v2.r_uv + 100 or v4.r_uv > 1000:
        return []
    seen = evidence("r_mv", v3.r_uv / 1000, POOR_R_UV / 1000, "mV", leads=["V3"], source=AHA_2009_HYPERTROPHY)
    return [say("128", seen, certainty="possible")]


def _early_repolarisation(reading: Reading) -> list[Statement]:
    """J raised by 0.1 mV and more in two inferior or lateral leads, concave, with a tall T and nothing opposite."""
    here = [
        lead
        for lead, waves in _all(reading, "II", "III", "aVF", "I", "aVL", "V4", "V5", "V6")
        if waves.st_j_uv >= NOTCH_J_UV and waves.t_uv > 3 * waves.st_j_uv and waves.r_uv > 500
    ]
    if len(here) < 2:
        return []
    highest = max(reading.waves[lead].st_j_uv for lead in here) / 1000
    seen = evidence("st_j_mv", highest, NOTCH_J_UV / 1000, "mV", leads=here, source=EARLY_REPOLARISATION_2015)
    return [say("155", seen, certainty="possible")]
