"""ST, QT and the right bundle branch: each statement on both sides of its limits."""

from dataclasses import replace

import numpy as np
import pytest
from support.readings import sinus_reading, waves

from ecg_center.domain.leads import STANDARD
from worker.resting.morphology import morphology
from worker.resting.patient import Person
from worker.resting.patterns import patterns
from worker.resting.reading import Reading
from worker.resting.repolarisation import repolarisation
from worker.resting.rhythm import Rhythm
from worker.resting.say import say
from worker.resting.together import settled
from worker.resting.waves import LeadWaves

SINUS = Rhythm("sinus", ventricular_bpm=65.0)
ADULT = Person(female=False, age_years=55.0)


@pytest.fixture(scope="module")
def normal() -> Reading:
    return sinus_reading()


def with_waves(reading: Reading, person: Person = ADULT, **leads: LeadWaves) -> Reading:
    return replace(reading, person=person, waves=dict.fromkeys(STANDARD, waves()) | leads)


def of_st(reading: Reading, rhythm: Rhythm = SINUS, **leads: LeadWaves) -> set[str]:
    found = repolarisation(with_waves(reading, **leads), rhythm, [])
    return {statement.code for statement in found} - {"148", "149"}


def of_qrs(reading: Reading, qrs_ms: float, person: Person = ADULT, **leads: LeadWaves) -> set[str]:
    assert reading.limits is not None
    off = reading.limits.qrs_on + round(qrs_ms * reading.traces.hz / 1000)
    changed = replace(with_waves(reading, person, **leads), limits=replace(reading.limits, qrs_off=off))
    return {statement.code for statement in morphology(changed, SINUS)} & {"104", "105", "106", "107"}


def test_nothing_is_said_of_an_ordinary_st(normal: Reading) -> None:
    assert of_st(normal) == set()


def test_the_left_main_stem_needs_six_leads_and_avr(normal: Reading) -> None:
    low = waves(st_j_uv=-110.0, st60_uv=-100.0)
    six = dict.fromkeys(("I", "II", "V3", "V4", "V5", "V6"), low)
    assert of_st(normal, **six, aVR=waves(st_j_uv=120.0)) == {"220c"}
    assert of_st(normal, **six, aVR=waves(st_j_uv=90.0)) == {"145b"}
    assert of_st(normal, **six | {"I": waves()}, aVR=waves(st_j_uv=120.0)) == {"145b"}


def test_depression_begins_at_half_a_millimetre_in_two_neighbours(normal: Reading) -> None:
    low = waves(st_j_uv=-60.0, st60_uv=-55.0)
    assert of_st(normal, V4=low, V5=low) == {"145b"}
    assert of_st(normal, V2=low, aVF=low) == set()
    assert of_st(normal, V4=replace(low, st60_uv=-30.0), V5=replace(low, st60_uv=-30.0)) == {"145c"}


def test_in_fibrillation_st_must_stay_low_behind_j(normal: Reading) -> None:
    fibrillating = Rhythm("af", ventricular_bpm=120.0)
    for later_uv, said in ((-55.0, set()), (-65.0, {"145b"})):
        low = waves(st_j_uv=-80.0, st60_uv=later_uv)
        assert of_st(normal, fibrillating, V5=low, V6=low) == said
        assert of_st(normal, V5=low, V6=low) == {"145b"}


def test_a_minor_st_change_is_not_said_beside_what_explains_it() -> None:
    for code in ("60", "30", "105", "142a"):
        assert "145c" not in {one.code for one in settled([say("145c"), say(code)])}
        assert "145b" in {one.code for one in settled([say("145b"), say(code)])}
    assert "145c" in {one.code for one in settled([say("20"), say("145c")])}


def test_an_st_that_does_not_climb_is_a_minor_change(normal: Reading) -> None:
    three = ("V4", "V5", "V6")
    assert of_st(normal, **dict.fromkeys(three, waves(st60_uv=-11.0))) == {"145c"}
    assert of_st(normal, **dict.fromkeys(three, waves(st60_uv=-9.0))) == set()
    assert of_st(normal, Rhythm("af", ventricular_bpm=80.0), **dict.fromkeys(three, waves(st60_uv=-30.0))) == set()


@pytest.mark.parametrize(("qtc_ms", "female", "code"), [
    (330, False, "149"), (350, False, None), (448, False, None), (456, False, "148"), (456, True, None),
    (468, True, "148"),
])  # fmt: skip
def test_qt_by_sex(normal: Reading, qtc_ms: float, female: bool, code: str | None) -> None:
    assert normal.limits is not None
    at = round(normal.traces.hz) * np.arange(1, 10)  # one beat a second: QT is QTc
    t_off = normal.limits.qrs_on + round(qtc_ms * normal.traces.hz / 1000)
    changed = replace(
        with_waves(normal, Person(female=female, age_years=55.0)),
        limits=replace(normal.limits, t_off=t_off, qrs_off=normal.limits.qrs_on + round(0.09 * normal.traces.hz)),
        beats=replace(normal.beats, at=at),
    )
    found = {statement.code for statement in repolarisation(changed, SINUS, [])} & {"148", "149"}
    assert found == ({code} if code else set())


def test_early_repolarisation_is_hollow_and_of_two_leads(normal: Reading) -> None:
    hollow = waves(st_j_uv=120.0, st60_uv=130.0, t_uv=700.0, r_uv=1500.0)

    def said(**leads: LeadWaves) -> bool:
        return "155" in {s.code for s in patterns(with_waves(normal, **leads), SINUS, {"145a"}, 40.0)}

    assert said(V5=hollow, V6=hollow)
    assert not said(V5=hollow)
    assert not said(V5=hollow, V6=replace(hollow, st_j_uv=90.0))
    assert not said(V5=hollow, V6=replace(hollow, t_uv=350.0))


def test_the_right_bundle_by_its_width_or_by_its_r_prime(normal: Reading) -> None:
    v1 = waves(r_uv=120.0, s_uv=-300.0, r2_uv=450.0, terminal_uv=200.0, area_uvs=5.0)
    s = waves(s_uv=-300.0, terminal_uv=-120.0)
    assert of_qrs(normal, 130, V1=v1, I=s, V6=s) == {"106"}
    assert of_qrs(normal, 100, V1=v1, I=s, V6=s) == {"105"}
    small = replace(v1, r2_uv=110.0, terminal_uv=-40.0)  # narrow: only the r' is left of it
    assert of_qrs(normal, 84, V1=small, I=s, V6=s) == {"105"}
    assert of_qrs(normal, 84, V1=replace(small, r2_uv=90.0), I=s, V6=s) == set()
    no_s = waves(s_uv=-20.0)
    assert of_qrs(normal, 84, V1=small, I=no_s, V6=no_s) == set()
    assert of_qrs(normal, 84, Person(female=False, age_years=8.0), V1=small, I=s, V6=s) == set()


def test_the_left_bundle_with_the_transition_beyond_v6(normal: Reading) -> None:
    v1 = waves(r_uv=40.0, q_uv=0.0, s_uv=-1500.0, area_uvs=-80.0, terminal_uv=-200.0)
    one = waves(s_uv=0.0, area_uvs=16.0, r_peak_ms=90.0)
    negative = waves(r_uv=30.0, q_uv=-900.0, area_uvs=-50.0, terminal_uv=-300.0)
    assert of_qrs(normal, 140, V1=v1, I=one, V6=one, V5=one) == {"104"}
    assert of_qrs(normal, 140, V1=v1, I=one, V6=negative, V5=negative) == {"104"}
    assert of_qrs(normal, 140, V1=v1, I=replace(one, q_uv=-150.0), V6=negative, V5=negative) == {"107"}
    assert of_qrs(normal, 140, V1=v1, I=negative, V6=negative, V5=negative) == {"107"}
