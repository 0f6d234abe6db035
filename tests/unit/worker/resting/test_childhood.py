"""One ECG, different ages: what is normal in an infant is not in an adult, and the other way round."""

from dataclasses import replace

import pytest
from support.simulated import recording_of

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.generator import generate
from worker.recording import Recording
from worker.resting import analyse, childhood
from worker.resting.morphology import morphology
from worker.resting.patient import Person
from worker.resting.reading import Reading, read_signal
from worker.resting.repolarisation import repolarisation
from worker.resting.rhythm import Rhythm
from worker.resting.traces import prepare

INFANT, CHILD, ADULT = 0.5, 6.0, 40.0


def recording(name="sinus", seed=3, **changes) -> Recording:
    return recording_of(generate(name, seed=seed, sex="M", age_years=30, **changes))


def aged(one: Recording, years: float, sex="M") -> Recording:
    return replace(one, identity=RecordingIdentity(sex=sex, age_years=years))


def said(one: Recording) -> dict[str, object]:
    return {statement.code: statement for statement in analyse(one).statements}


@pytest.fixture(scope="module")
def fast() -> Recording:
    return recording("sinus-tachycardia")


@pytest.fixture(scope="module")
def usual() -> Recording:
    return recording()


def test_a_rate_is_fast_or_slow_for_its_age(fast, usual):
    bpm = analyse(fast).measurements.heart_rate_bpm
    assert 106 < bpm < 160
    assert "21" in said(aged(fast, ADULT))
    assert "20" in said(aged(fast, INFANT))
    assert 60 < analyse(usual).measurements.heart_rate_bpm < 97
    assert "20" in said(aged(usual, ADULT))
    slow = said(aged(usual, INFANT))
    assert "22" in slow
    assert slow["22"].evidence[0].threshold == 106
    assert "Rijnbeek" in slow["22"].evidence[0].source


def test_a_pr_of_an_adult_is_a_block_in_an_infant(usual):
    pr_ms = analyse(usual).measurements.pr_ms
    assert 120 + 8 < pr_ms < 200
    assert "82" not in said(aged(usual, ADULT))
    assert "82" in said(aged(usual, 0.1))


def reading(one: Recording, years: float, *, female: bool | None = False) -> Reading:
    return read_signal(prepare(one), Person(female=female, age_years=years), calibrated=True)


def with_waves(one: Reading, **leads: dict[str, float]) -> Reading:
    changed = {name: replace(waves, **leads.get(name, {})) for name, waves in one.waves.items()}
    return replace(one, waves=changed)


@pytest.mark.parametrize(
    ("years", "lead", "change", "code", "fires"),
    [
        (INFANT, "V1", {"r_uv": 2140.0, "r2_uv": 0.0}, "143", False),
        (INFANT, "V1", {"r_uv": 2141.0, "r2_uv": 0.0}, "143", True),
        (9.0, "V1", {"r_uv": 1200.0, "r2_uv": 0.0}, "143", True),
        (INFANT, "V6", {"s_uv": -1210.0}, "143", False),
        (INFANT, "V6", {"s_uv": -1220.0}, "143", True),
        (INFANT, "V6", {"r_uv": 2790.0}, "142a", False),
        (INFANT, "V6", {"r_uv": 2800.0}, "142a", True),
        (9.0, "V1", {"s_uv": -2460.0}, "142a", False),
        (9.0, "V1", {"s_uv": -2470.0}, "142a", True),
    ],
)
def test_both_sides_of_a_childs_voltage(usual, years, lead, change, code, fires):
    plain = with_waves(reading(usual, years), V1={"t_uv": -100.0, "r_uv": 300.0, "r2_uv": 0.0, "s_uv": -600.0})
    codes = {statement.code for statement in childhood.voltage(with_waves(plain, **{lead: change}))}
    assert (code in codes) is fires


def test_an_upright_t_in_v1_beside_a_dominant_r_is_a_loaded_right_ventricle(usual):
    dominant = {"r_uv": 900.0, "r2_uv": 0.0, "s_uv": -400.0}
    for years, t_uv, fires in ((2.0, 150.0, True), (2.0, 90.0, False), (7.0, 150.0, False), (5 / 365, 150.0, False)):
        found = childhood.voltage(with_waves(reading(usual, years), V1=dominant | {"t_uv": t_uv}, V6={"s_uv": -100.0}))
        assert ("143" in {statement.code for statement in found}) is fires, (years, t_uv)


@pytest.mark.parametrize(
    ("years", "axis_deg", "code"),
    [
        (0.05, 140, None),
        (0.05, 141, "120"),
        (0.05, 74, "121"),
        (CHILD, 112, None),
        (CHILD, 113, "120"),
        (CHILD, -11, "121"),
        (CHILD, -170, "120"),
        (3 / 365, 190 - 360, None),
    ],
)
def test_the_axis_turns_with_the_age(usual, years, axis_deg, code):
    found = childhood.axis(reading(usual, years), axis_deg)
    assert [statement.code for statement in found] == ([code] if code else [])


def test_negative_t_in_the_right_chest_leads_is_no_finding_of_a_child(usual):
    negative = {lead: {"t_uv": -250.0, "t_low_uv": -250.0, "t_high_uv": 0.0} for lead in ("V2", "V3")}
    rhythm = Rhythm("sinus", ventricular_bpm=80.0)
    for years, fires in ((ADULT, True), (CHILD, False)):
        changed = with_waves(reading(usual, years), **negative)
        codes = {statement.code for statement in repolarisation(changed, rhythm, [])}
        assert ("147b" in codes) is fires, years


def test_deep_q_waves_of_a_child_are_no_old_infarction(usual):
    deep = {lead: {"q_uv": -500.0, "q_ms": 35.0} for lead in ("II", "III", "aVF")}
    rhythm = Rhythm("sinus", ventricular_bpm=80.0)
    for years, fires in ((ADULT, True), (CHILD, False)):
        codes = {statement.code for statement in morphology(with_waves(reading(usual, years), **deep), rhythm)}
        assert ("161.332" in codes) is fires, years
