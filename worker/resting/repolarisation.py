"""What do ST, T and QT of the usual beat say: infarction, ischaemia, long QT?

ST elevation has many harmless causes. Acute infarction is said by the limits of the Fourth Universal Definition, made
firmer where the opposite leads are depressed, and not said where bundle branch block, pacing or early repolarisation
explain it; a missed infarction weighs more than a false alarm, so "possible" is said early.
"""

from collections.abc import Iterable
from typing import Final

from ecg_center.contract.findings import Certainty, Statement
from worker.resting.childhood import t_may_be_negative
from worker.resting.infarction import beyond_the_twelve, wall_of
from worker.resting.measure import formula_for, qt_rr_s, qtc_ms
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.say import AHA_2009_ST_QT, TEXTBOOK, UNIVERSAL_MI_4, evidence, say

ST_UV: Final = 100.0
V2_V3_UV: Final = {"woman": 150.0, "man_40": 200.0, "man": 250.0}
LATER_UV: Final = 200.0
DEPRESSED_UV: Final = -50.0
IN_FIBRILLATION_UV: Final = -60.0
"""At J + 60 ms: f waves stand in the PR level, and at high rates J alone is low."""
MINOR_UV: Final = -10.0
MINOR_COUNT: Final = 3
MINOR_LEADS: Final = ("I", "II", "aVF", "V3", "V4", "V5", "V6")
MINOR_FITTED: Final = "fitted on CPSC 2018"
"""The mean of the three lowest at J + 60 ms. Where readers find nothing of ST and T it is above."""
ISCHAEMIA_UV: Final = -100.0
"""At J and 60 ms later, in two neighbours: twice what the universal definition asks of a new depression, for without an
ECG before nobody knows that it is new. In none of 222 records of LUDB, CPSC 2018 and CinC 2021 at a calm rate."""
LEVEL_UV: Final = 40.0
"""So much may it rise in 80 ms and still be called horizontal."""
ISCHAEMIA_MOST_BPM: Final = 120.0
ISCHAEMIA_SURE_LEADS: Final = 3
EVEN_RHYTHMS: Final = ("sinus", "atrial", "junctional")
WIDESPREAD_UV: Final = -80.0
RECIPROCAL_UV: Final = -50.0
T_FLAT_SHARE: Final = 0.10
T_INVERTED_UV: Final = -100.0
T_TALL_UV: Final = 1000.0
QTC_LONG_MS: Final = {True: 460.0, False: 450.0, None: 460.0}
QTC_SHORT_MS: Final = 340.0
"""AHA/ACCF/HRS 2009 part IV: long from 460 (women), 450 (men). Short: 340, diagnostic by ESC 2015."""
QT_LEADS: Final = 3
"""In fewer leads the end of T is not sure enough: it is to be measured in several (doi:10.1016/j.jacc.2008.12.014)."""
NORMAL_QRS_MS: Final = 100.0
FRIDERICIA_MARGIN_MS: Final = 15.0

INFARCTS: Final[tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]] = (
    ("161.330", ("II", "III", "aVF"), ("I", "aVL", "V1", "V2", "V3")),
    ("160.330", ("V1", "V2", "V3", "V4"), ("II", "III", "aVF")),
    ("163.330", ("V5", "V6", "I", "aVL"), ("III", "aVF", "V1", "V2", "V3")),
)
"""Code, its leads, the leads that are opposite."""
NEIGHBOURS: Final = frozenset(
    frozenset(pair)
    for pair in (
        ("aVL", "I"), ("II", "aVF"), ("aVF", "III"), ("II", "III"), ("V1", "V2"), ("V2", "V3"), ("V3", "V4"),
        ("V4", "V5"), ("V5", "V6"), ("I", "V6"), ("aVL", "V6"), ("I", "V5"),
    )
)  # fmt: skip


def repolarisation(reading: Reading, rhythm: Rhythm, shape: list[Statement]) -> list[Statement]:
    """The statements about ST, T and QT."""
    codes = {statement.code for statement in shape}
    secondary = bool(codes & {"104", "106", "107", "108"}) or rhythm.name == "paced"
    found = _qt(reading, rhythm)
    if not reading.calibrated or not reading.waves or rhythm.name in ("paced", "flutter"):
        return found
    if codes & {"104", "108"}:
        return found
    high_voltage = bool(codes & {"142a", "142"})
    infarct = _infarction(reading, secondary=secondary, high_voltage=high_voltage)
    found += infarct
    if not infarct and not secondary:
        found += _elevated_later(reading) or _depression(reading, rhythm, high_voltage)
        found += _t_waves(reading, high_voltage)
    return found


def _limit_uv(lead: str, reading: Reading) -> float:
    """The elevation from which an acute infarction is considered, table of the Fourth Universal Definition."""
    if lead not in ("V2", "V3"):
        return ST_UV
    if reading.person.female:
        return V2_V3_UV["woman"]
    age = reading.person.age_years
    return V2_V3_UV["man"] if age is not None and age < 40 else V2_V3_UV["man_40"]


def _infarction(reading: Reading, *, secondary: bool, high_voltage: bool) -> list[Statement]:
    elevated = {
        lead: waves.st_j_uv
        for lead, waves in reading.waves.items()
        if lead != "aVR"
        and waves.st_j_uv >= _limit_uv(lead, reading)
        and waves.st60_uv >= 0.7 * _limit_uv(lead, reading)
    }
    found: list[Statement] = []
    for code, leads, opposite in INFARCTS:
        here = [lead for lead in leads if lead in elevated]
        if not _contiguous(here) or (code == "160.330" and secondary):
            continue
        extensive = any(statement.code == "166.330" for statement in found)
        if code == "163.330" and found and (extensive or not {"I", "aVL"} & set(here)):
            continue  # V5 and V6 belong to the anterior infarction that was said
        reciprocal = [lead for lead in opposite if (waves := reading.wave(lead)) and waves.st_j_uv <= RECIPROCAL_UV]
        certainty = _certainty(reading, code, here, reciprocal, high_voltage=high_voltage)
        highest = max(elevated[lead] for lead in here)
        seen = [
            evidence(
                "st_j_mv", highest / 1000, min(_limit_uv(lead, reading) for lead in here) / 1000, "mV", leads=here,
                source=UNIVERSAL_MI_4,
            )
        ]  # fmt: skip
        if certainty is None:
            if not any(statement.code == "145a" for statement in found):
                found.append(say("145a", *seen, certainty="possible"))
            continue
        if reciprocal:
            lowest = min(reading.waves[lead].st_j_uv for lead in reciprocal)
            seen.append(evidence("st_j_mv", lowest / 1000, RECIPROCAL_UV / 1000, "mV", leads=reciprocal))
        found.append(say(wall_of(code, here, set(elevated)), *seen, certainty=certainty))
    return found + beyond_the_twelve(reading)


def _elevated_later(reading: Reading) -> list[Statement]:
    """ST that rises after J, in the leads in front: seen and said, though no infarction by the definition's J point."""
    raised = {lead: reading.waves[lead].st60_uv for lead in ("V2", "V3", "V4") if lead in reading.waves}
    here = [lead for lead, level in raised.items() if level >= LATER_UV]
    if not _contiguous(here):
        return []
    highest = max(raised[lead] for lead in here)
    seen = evidence("st60_mv", highest / 1000, LATER_UV / 1000, "mV", leads=here, source=TEXTBOOK)
    return [say("145a", seen, certainty="possible")]


def _certainty(
    reading: Reading, code: str, here: list[str], reciprocal: list[str], *, high_voltage: bool
) -> Certainty | None:
    """How sure an infarction is; None where the elevation is better explained otherwise."""
    waves = [reading.waves[lead] for lead in here]
    lost_r = any(wave.q_uv < -100 and -wave.q_uv > 0.25 * wave.r_uv for wave in waves)
    large = max(wave.st_j_uv for wave in waves) >= (300 if code == "160.330" else 200)
    dome = any(wave.st60_uv > 0.6 * abs(wave.t_uv) and wave.st60_uv >= wave.st_j_uv for wave in waves)
    if code == "160.330" and high_voltage and not dome:
        return None  # deep S waves draw ST up in V1 to V3
    # early repolarisation: tall R, concave ST that climbs into a T much taller than itself, nothing opposite
    concave = all(wave.t_uv > 3 * wave.st_j_uv and wave.r_uv > 500 for wave in waves)
    if reciprocal and (large or lost_r or dome):
        return "definite" if len(reciprocal) > 1 else "probable"  # V1 alone is low in early repolarisation as well
    if reciprocal and not concave:
        return "probable"
    if large and (dome or lost_r):
        return "probable"
    if dome and not concave:
        return "possible"
    return "possible" if lost_r and not concave else None


def _contiguous(leads: Iterable[str]) -> bool:
    names = list(leads)
    return any(frozenset((a, b)) in NEIGHBOURS for a in names for b in names if a != b)


def _depression(reading: Reading, rhythm: Rhythm, high_voltage: bool) -> list[Statement]:
    even = rhythm.name != "af"
    later_uv = DEPRESSED_UV if even else IN_FIBRILLATION_UV
    depressed = {
        lead: min(waves.st_j_uv, waves.st60_uv)
        for lead, waves in reading.waves.items()
        if lead != "aVR"
        and waves.st60_uv <= (later_uv * 0.8 if even and waves.st_j_uv <= DEPRESSED_UV else later_uv)
        and waves.st_j_uv <= 0
    }
    if not _contiguous(depressed):
        return _minor_depression(reading, rhythm)
    avr, v1 = reading.wave("aVR"), reading.wave("V1")
    seen = evidence(
        "st_j_mv", min(depressed.values()) / 1000, DEPRESSED_UV / 1000, "mV", leads=depressed, source=UNIVERSAL_MI_4
    )
    wide = [lead for lead, value in depressed.items() if value <= WIDESPREAD_UV]
    raised = max((waves.st_j_uv for waves in (avr, v1) if waves is not None), default=0.0)
    if len(wide) >= 6 and avr is not None and avr.st_j_uv >= ST_UV:
        up = evidence("st_j_mv", raised / 1000, ST_UV / 1000, "mV", leads=["aVR"], source=UNIVERSAL_MI_4)
        return [say("220c", seen, up, certainty="probable")]
    lateral = {"I", "aVL", "V5", "V6"} & set(depressed)
    if high_voltage and lateral and not set(depressed) - {"I", "aVL", "V4", "V5", "V6", "II", "aVF", "III"}:
        return [say("142b", seen, certainty="probable")]
    sunk = say("145b", seen, certainty="probable" if min(depressed.values()) <= -100 else "possible")
    return [sunk, *([] if high_voltage else _ischaemia(reading, rhythm))]


def _ischaemia(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """ST that is low and stays low or falls: what climbs again belongs to the rate, what is less to many things."""
    if rhythm.name not in EVEN_RHYTHMS or (rhythm.ventricular_bpm or 0.0) > ISCHAEMIA_MOST_BPM:
        return []
    here = {
        lead: max(waves.st_j_uv, waves.st60_uv)
        for lead, waves in reading.waves.items()
        if lead != "aVR"
        and max(waves.st_j_uv, waves.st60_uv) <= ISCHAEMIA_UV
        and waves.st80_uv <= waves.st_j_uv + LEVEL_UV
    }
    if not _contiguous(here):
        return []
    seen = evidence(
        "st_j_mv", max(sorted(here.values())[:2]) / 1000, ISCHAEMIA_UV / 1000, "mV", leads=here, source=UNIVERSAL_MI_4
    )
    sure = len(here) >= ISCHAEMIA_SURE_LEADS and min(here.values()) <= 2 * ISCHAEMIA_UV
    return [say("220", seen, certainty="probable" if sure else "possible")]


def _minor_depression(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """An ST that stays at or below the PR level where the ST of health has begun to climb into T."""
    if rhythm.name not in EVEN_RHYTHMS:
        return []  # f waves stand in the PR level
    later = sorted((reading.waves[lead].st60_uv, lead) for lead in MINOR_LEADS if lead in reading.waves)[:MINOR_COUNT]
    mean_uv = sum(level for level, _ in later) / MINOR_COUNT
    if len(later) < MINOR_COUNT or mean_uv > MINOR_UV:
        return []
    leads = [lead for lead in MINOR_LEADS if lead in {name for _, name in later}]
    seen = evidence("st60_mv", mean_uv / 1000, MINOR_UV / 1000, "mV", leads=leads, source=MINOR_FITTED)
    return [say("145c", seen, certainty="possible")]


def _t_waves(reading: Reading, high_voltage: bool) -> list[Statement]:
    # III, aVL, aVR and V1 may have inverted T waves in health
    judged = {
        lead: waves for lead, waves in reading.waves.items() if lead in ("I", "II", "aVF", "V2", "V3", "V4", "V5", "V6")
    }
    juvenile = t_may_be_negative(reading)
    inverted = [
        lead
        for lead, waves in judged.items()
        if lead not in juvenile and waves.t_uv <= T_INVERTED_UV and waves.r_uv > 200
    ]
    flat = [
        lead
        for lead, waves in judged.items()
        if lead in ("I", "II", "V4", "V5", "V6") and waves.r_uv > 500 and abs(waves.t_uv) < T_FLAT_SHARE * waves.r_uv
    ]
    tall = [lead for lead, waves in judged.items() if lead in ("V2", "V3", "V4", "V5") and waves.t_uv >= T_TALL_UV]
    found: list[Statement] = []
    if _contiguous(inverted):
        lowest = min(judged[lead].t_uv for lead in inverted) / 1000
        found.append(
            say("147b", evidence("t_mv", lowest, T_INVERTED_UV / 1000, "mV", leads=inverted, source=AHA_2009_ST_QT))
        )
    elif _contiguous(flat):
        found.append(
            say("147a", evidence("t_to_r", None, T_FLAT_SHARE, "", leads=flat, source=TEXTBOOK), certainty="probable")
        )
    if _contiguous(tall) and not high_voltage:
        highest = max(judged[lead].t_uv for lead in tall) / 1000
        found.append(
            say(
                "147c",
                evidence("t_mv", highest, T_TALL_UV / 1000, "mV", leads=tall, source=TEXTBOOK),
                certainty="possible",
            )
        )
    return found


def _childs_qt(reading: Reading, qt_ms: float, rr_s: float) -> list[Statement]:
    """By Bazett, as the percentiles of children are, which hold what it over-corrects at their rates."""
    corrected, limit = qtc_ms(qt_ms, rr_s, "bazett"), reading.norms.qtc_ms
    if limit is None or corrected < limit:
        return []
    certainty: Certainty = "definite" if corrected >= limit + 40 else "probable"
    return [say("148", evidence("qtc_ms", corrected, limit, "ms", source=reading.norms.source), certainty=certainty)]


def _qt(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    limits = reading.limits
    if limits is None or limits.t_off is None or rhythm.ventricular_bpm is None or rhythm.name in ("flutter", "paced"):
        return []
    rr_s = qt_rr_s(reading, rhythm)
    qt_ms = reading.ms(limits.t_off - limits.qrs_on)
    # a broad QRS lengthens QT without any change of repolarisation: what it is too broad is taken off
    qt_ms -= max(0.0, (reading.qrs_ms or 0.0) - NORMAL_QRS_MS - 20)
    formula = formula_for(60 / rr_s)
    if reading.norms.of_a_child:
        return _childs_qt(reading, qt_ms, rr_s)
    corrected = qtc_ms(qt_ms, rr_s, formula)
    limit = QTC_LONG_MS[reading.person.female]
    # above 70/min Bazett alone calls healthy people long; Fridericia has to come near as well
    if corrected >= limit and qtc_ms(qt_ms, rr_s, "fridericia") >= limit - FRIDERICIA_MARGIN_MS:
        certainty: Certainty = "definite" if corrected >= limit + 40 else "probable"
        if len(reading.rows) < QT_LEADS:
            certainty = "possible"
        return [say("148", evidence("qtc_ms", corrected, limit, "ms", source=AHA_2009_ST_QT), certainty=certainty)]
    if corrected <= QTC_SHORT_MS and rhythm.name == "sinus":
        return [say("149", evidence("qtc_ms", corrected, QTC_SHORT_MS, "ms", source="ESC 2015"), certainty="possible")]
    return []
