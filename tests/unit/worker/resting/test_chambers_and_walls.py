"""Large chambers, slow fascicles, dead and dying walls: said where the limits are met, not where one is missed."""

from dataclasses import replace

import numpy as np
import pytest
from support.readings import sinus_reading, waves
from support.simulated import recording_of

from ecg_center.contract.findings import Statement
from ecg_center.domain.leads import STANDARD
from gateway.simulate.generator import generate
from worker.resting import analyse
from worker.resting.fascicles import fascicles, incomplete_left
from worker.resting.high_electrodes import high_electrodes
from worker.resting.hypertrophy import atria, ventricles
from worker.resting.infarction import beyond_the_twelve, old_infarction
from worker.resting.morphology import morphology
from worker.resting.patient import Person
from worker.resting.reading import Reading
from worker.resting.repolarisation import repolarisation
from worker.resting.rhythm import Rhythm
from worker.resting.say import evidence, say
from worker.resting.together import settled
from worker.resting.waves import LeadWaves

SINUS = Rhythm("sinus", ventricular_bpm=65.0)
MAN, WOMAN = Person(female=False, age_years=55.0), Person(female=True, age_years=55.0)
WIDTH = evidence("qrs_ms", 95, 120, "ms")


@pytest.fixture(scope="module")
def normal() -> Reading:
    return sinus_reading()


def of(reading: Reading, person: Person = MAN, qrs_ms: float = 90.0, **leads: LeadWaves) -> Reading:
    assert reading.limits is not None
    off = reading.limits.qrs_on + round(qrs_ms * reading.traces.hz / 1000)
    limits = replace(reading.limits, qrs_off=off)
    return replace(reading, person=person, limits=limits, waves=dict.fromkeys(STANDARD, waves()) | leads)


def codes(found: list[Statement]) -> set[str]:
    return {statement.code for statement in found}


def left(reading: Reading) -> set[str]:
    return codes(ventricles(reading, 20.0, with_p=True))


def test_voltage_alone_is_no_hypertrophy(normal: Reading) -> None:
    tall = {"V5": waves(r_uv=2600.0), "V1": waves(s_uv=-1450.0, r_uv=200.0)}
    assert left(of(normal, **tall)) == {"142a"}
    assert left(of(normal, **tall | {"V1": waves(s_uv=-1350.0, r_uv=200.0)})) == set()
    assert left(of(normal, WOMAN, **tall | {"V1": waves(s_uv=-1000.0, r_uv=200.0)})) == {"142a"}


def test_hypertrophy_is_voltage_that_others_agree_with(normal: Reading) -> None:
    cornell = {"aVL": waves(r_uv=1300.0), "V3": waves(s_uv=-1600.0, r_uv=300.0)}  # 2.9 mV, and 261 mV·ms at 90 ms
    assert left(of(normal, **cornell)) == {"142a"}
    assert left(of(normal, **cornell, V4=waves(s_uv=-1300.0))) == {"142"}  # and Peguero's 2.9 mV
    assert left(of(normal, qrs_ms=80, **cornell, V4=waves(s_uv=-1300.0))) == {"142a"}  # 232 mV·ms only
    # Peguero's and Lewis's sums never speak alone
    assert left(of(normal, V3=waves(s_uv=-1500.0), V4=waves(s_uv=-1500.0), I=waves(r_uv=2400.0))) == set()


def test_points_make_a_hypertrophy_of_a_voltage(normal: Reading) -> None:
    tall = {"V5": waves(r_uv=3100.0, r_peak_ms=52.0), "V1": waves(s_uv=-1000.0, r_uv=200.0)}
    assert left(of(normal, **tall)) == {"142"}  # 3 for voltage, 1 for the late R, 1 for 90 ms
    assert left(of(normal, **tall | {"V5": waves(r_uv=3100.0)})) == {"142a"}


def test_the_left_atrium_by_the_end_of_p(normal: Reading) -> None:
    deep = waves(p_uv=-90.0, p_low_uv=-90.0, p_low_ms=45.0)  # 4.05 mV·ms
    assert [(one.code, one.certainty) for one in atria(of(normal, V1=deep), 124)] == [("140", "probable")]
    assert codes(atria(of(normal, V1=deep), 118)) == {"140a"}
    turned = replace(normal.waves["V2"], p_uv=-60.0)  # both electrodes too high
    assert codes(atria(of(normal, V1=deep, V2=turned), 118)) == set()
    assert atria(of(normal, V1=replace(deep, p_low_ms=44.0)), 110) == []
    assert codes(atria(of(normal, V1=replace(deep, p_low_ms=44.0)), 130)) == {"110"}


def test_the_right_atrium_needs_a_second_sign(normal: Reading) -> None:
    tall, limb = waves(p_uv=260.0), {"I": waves(p_uv=120.0), "aVF": waves(p_uv=200.0)}
    assert codes(atria(of(normal, II=tall, **limb), 100)) == {"109"}
    assert codes(atria(of(normal, II=tall, **limb, V1=waves(p_uv=160.0)), 100)) == {"141"}
    steep = limb | {"I": waves(p_uv=40.0)}
    assert codes(atria(of(normal, II=tall, **steep), 100)) == {"141"}
    assert atria(of(normal, II=waves(p_uv=240.0), **steep, V1=waves(p_uv=160.0)), 100) == []


POSTERIOR = {
    "I": waves(r_uv=150.0, s_uv=-500.0), "aVL": waves(r_uv=100.0, s_uv=-600.0),
    "III": waves(q_uv=-40.0, r_uv=900.0), "aVF": waves(q_uv=-30.0, r_uv=800.0), "V1": waves(r_uv=100.0, s_uv=-700.0),
}  # fmt: skip


def test_left_posterior_fascicle(normal: Reading) -> None:
    assert codes(fascicles(of(normal, **POSTERIOR), 115.0, WIDTH)) == {"102"}
    assert fascicles(of(normal, **POSTERIOR), 105.0, WIDTH) == []
    assert fascicles(of(normal, **POSTERIOR | {"III": waves(r_uv=900.0)}), 115.0, WIDTH) == []
    assert fascicles(of(normal, **POSTERIOR | {"V1": waves(r_uv=900.0)}), 115.0, WIDTH) == []  # a large right ventricle
    assert fascicles(of(normal, Person(female=False, age_years=17), **POSTERIOR), 115.0, WIDTH) == []


def test_left_anterior_fascicle(normal: Reading) -> None:
    anterior = {"aVL": waves(q_uv=-30.0), "III": waves(r_uv=80.0, s_uv=-900.0)}
    assert codes(fascicles(of(normal, **anterior), -50.0, WIDTH)) == {"101"}
    assert fascicles(of(normal, **anterior), -40.0, WIDTH) == []
    assert fascicles(of(normal, **anterior | {"III": waves(r_uv=20.0, s_uv=-900.0)}), -50.0, WIDTH) == []  # a Q wave


@pytest.mark.parametrize(("qrs_ms", "limit_ms"), [(130, 120), (117, 116), (110, 108)])
def test_a_right_block_is_shown_by_the_limit_that_it_reached(normal: Reading, qrs_ms: float, limit_ms: float) -> None:
    leads = {"V1": waves(r2_uv=800.0, terminal_uv=700.0), "V6": waves(terminal_uv=-300.0)}
    [block] = [one for one in morphology(of(normal, qrs_ms=qrs_ms, **leads), SINUS) if one.code == "106"]
    width = block.evidence[0]
    assert width.quantity == "qrs_ms"
    assert width.threshold == limit_ms
    assert width.value == pytest.approx(qrs_ms, abs=2)


def test_incomplete_left_block_has_no_q_and_a_late_r(normal: Reading) -> None:
    leads = {"V1": waves(area_uvs=-20.0, r_uv=80.0, s_uv=-900.0), "V6": waves(r_peak_ms=62.0)}
    assert codes(incomplete_left(of(normal, qrs_ms=112, **leads), WIDTH)) == {"104a"}
    assert incomplete_left(of(normal, qrs_ms=106, **leads), WIDTH) == []
    assert incomplete_left(of(normal, qrs_ms=112, **leads | {"V6": waves(r_peak_ms=50.0)}), WIDTH) == []
    assert incomplete_left(of(normal, qrs_ms=112, I=waves(q_uv=-60.0), **leads), WIDTH) == []


def test_blocks_that_stand_together_have_one_name() -> None:
    assert [one.code for one in settled([say("106"), say("101")])] == ["106", "101", "103a"]
    assert [one.code for one in settled([say("106"), say("101"), say("82")])] == ["82", "106", "101", "103b"]
    assert [one.code for one in settled([say("106"), say("82")])] == ["82", "106"]
    assert [one.code for one in settled([say("143"), say("142a")])] == ["144"]
    assert [one.code for one in settled([say("141"), say("140")])] == ["141a"]
    assert [one.code for one in settled([say("142a"), say("142b")])] == ["142b"]
    # an infarction that is happening now explains the Q of its own wall, not of another
    assert [one.code for one in settled([say("165.332"), say("160.330")])] == ["160.330"]
    assert [one.code for one in settled([say("161.332"), say("160.330")])] == ["160.330", "161.332"]


def test_the_age_of_an_infarction_is_told_by_st_and_t(normal: Reading) -> None:
    dead = waves(q_uv=-300.0, q_ms=40.0, r_uv=500.0, t_uv=200.0)
    assert codes(old_infarction(of(normal, II=dead, aVF=dead))) == {"161.332"}
    assert codes(old_infarction(of(normal, II=dead, aVF=replace(dead, t_uv=-150.0)))) == {"161.333"}
    assert codes(old_infarction(of(normal, II=dead, aVF=replace(dead, st_j_uv=120.0)))) == {"161.333"}
    assert old_infarction(of(normal, II=dead, III=dead)) == []  # aVF decides
    assert old_infarction(of(normal, II=dead, aVF=replace(dead, q_ms=28.0))) == []


def acute(reading: Reading) -> set[str]:
    return {code for code in codes(repolarisation(reading, SINUS, [])) if code.endswith(".330")}


def test_the_wall_of_an_acute_infarction_by_its_leads(normal: Reading) -> None:
    raised = waves(st_j_uv=350.0, st60_uv=420.0, t_uv=500.0)
    opposite = {"III": waves(st_j_uv=-90.0), "aVF": waves(st_j_uv=-80.0)}
    septal = {"V1": raised, "V2": raised, "V3": raised}
    assert acute(of(normal, **septal, **opposite)) == {"165.330"}
    assert acute(of(normal, **septal, V4=raised, **opposite)) == {"160.330"}
    everywhere = dict.fromkeys(("V4", "V5", "V6", "I", "aVL"), raised)
    assert acute(of(normal, **septal, **everywhere, **opposite)) == {"166.330"}
    assert acute(of(normal, **septal, **everywhere | {"V6": waves()}, **opposite)) == {"160.330", "163.330"}
    assert acute(of(normal, I=raised, aVL=raised, **opposite)) == {"163a.330"}
    assert acute(of(normal, I=raised, aVL=raised, V6=raised, **opposite)) == {"163.330"}


def test_leads_behind_and_on_the_right(normal: Reading) -> None:
    assert codes(beyond_the_twelve(of(normal, V8=waves(st_j_uv=50.0)))) == {"162.330"}
    assert beyond_the_twelve(of(normal, V8=waves(st_j_uv=49.0))) == []
    young = Person(female=False, age_years=35)
    assert beyond_the_twelve(of(normal, young, V8=waves(st_j_uv=90.0))) == []
    assert codes(beyond_the_twelve(of(normal, young, V4R=waves(st_j_uv=60.0)))) == {"174.330"}
    assert beyond_the_twelve(of(normal, Person(female=False, age_years=29), V4R=waves(st_j_uv=60.0))) == []
    two = beyond_the_twelve(of(normal, V3R=waves(st_j_uv=70.0), V4R=waves(st_j_uv=70.0)))
    assert [(one.code, one.certainty) for one in two] == [("174.330", "probable")]


def test_high_electrodes_need_p_and_r_prime_and_t(normal: Reading) -> None:
    high = {
        "II": waves(p_uv=90.0), "V1": waves(p_uv=-60.0, r2_uv=80.0), "V2": waves(p_uv=-50.0, t_uv=-60.0, r2_uv=20.0),
    }  # fmt: skip
    assert codes(high_electrodes(of(normal, **high), SINUS)) == {"11a"}
    for lead, change in (
        ("V2", {"p_uv": -35.0}),
        ("V1", {"r2_uv": 40.0}),
        ("V2", {"t_uv": 100.0}),
        ("II", {"p_uv": 0.0}),
    ):
        assert high_electrodes(of(normal, **high | {lead: replace(high[lead], **change)}), SINUS) == [], (lead, change)
    assert high_electrodes(of(normal, qrs_ms=120, **high), SINUS) == []
    assert high_electrodes(of(normal, Person(female=False, age_years=9), **high), SINUS) == []


def test_qt_by_each_formula_is_handed_over() -> None:
    findings = analyse(recording_of(generate("sinus", seed=3)))
    measured = findings.measurements
    assert set(measured.qtc_by_formula) == {"bazett", "fridericia", "framingham", "hodges"}
    assert measured.qtc_formula is not None
    assert measured.qtc_by_formula[measured.qtc_formula] == measured.qtc_ms
    assert measured.qtc_by_formula["bazett"] >= measured.qtc_by_formula["fridericia"]  # above 60/min


def test_an_inverted_u_stands_behind_an_upright_t() -> None:
    ecg = generate("sinus-bradycardia", seed=1)
    samples = np.array(ecg.samples_uv, float)
    behind = round(0.46 * ecg.sampling_hz)
    for peak_s in ecg.truth.beats_s:
        at = round(peak_s * ecg.sampling_hz) + behind
        bump = -90 * np.hanning(round(0.16 * ecg.sampling_hz))
        for row in (9, 10, 11):
            part = samples[row, at : at + bump.size]
            part += bump[: part.size]
    changed = analyse(recording_of(ecg, digital=np.rint(samples).astype(np.int16)))
    assert "151" in codes(changed.statements)
    assert "151" not in codes(analyse(recording_of(ecg)).statements)
