"""Rare patterns of ST and T: said where the limits are met, not where one of them is missed."""

from dataclasses import fields, replace

import numpy as np
import pytest
from support.readings import sinus_reading

from worker.resting.patterns import patterns
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.waves import LeadWaves
from worker.signal.atrial import Flutter

SINUS = Rhythm("sinus", ventricular_bpm=75.0)
FAST = Rhythm("sinus", ventricular_bpm=118.0)
PLAIN = {field.name: 0.0 for field in fields(LeadWaves)} | {
    "r_uv": 800.0, "s_uv": -300.0, "net_uv": 500.0, "t_uv": 250.0, "t_high_uv": 250.0, "p_uv": 120.0,
    "t_falls_late": False, "t_half_ms": 180.0,
}  # fmt: skip


@pytest.fixture(scope="module")
def normal() -> Reading:
    return sinus_reading()


def waves(**changed: object) -> LeadWaves:
    return LeadWaves(**(PLAIN | changed))  # type: ignore[arg-type]


def codes(reading: Reading, rhythm: Rhythm, said: set[str], **leads: LeadWaves) -> set[str]:
    every = dict.fromkeys(("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"), waves())
    changed = replace(reading, waves=every | leads)
    return {statement.code for statement in patterns(changed, rhythm, said, 40.0)}


def test_nothing_is_said_of_an_ordinary_beat(normal: Reading) -> None:
    assert codes(normal, SINUS, set()) == set()


def test_brugada_needs_the_coved_fall_and_the_inverted_t(normal: Reading) -> None:
    coved = waves(st_j_uv=260.0, st60_uv=180.0, st80_uv=120.0, t_low_uv=-180.0, t_uv=-180.0)
    assert codes(normal, SINUS, set(), V1=coved) == {"202"}
    assert codes(normal, SINUS, set(), V1=replace(coved, st_j_uv=190.0)) == set()
    assert codes(normal, SINUS, set(), V1=replace(coved, t_low_uv=20.0)) == set()


def test_a_saddle_has_a_trough_above_the_line(normal: Reading) -> None:
    saddle = waves(st_j_uv=260.0, st60_uv=150.0, st80_uv=140.0, t_uv=320.0)
    assert codes(normal, SINUS, set(), V2=saddle) == {"202a"}
    assert codes(normal, SINUS, set(), V2=replace(saddle, st60_uv=240.0, st80_uv=230.0)) == set()  # no trough
    assert codes(normal, SINUS, set(), V2=replace(saddle, st60_uv=60.0, st80_uv=40.0)) == set()  # down to the line
    assert codes(normal, SINUS, set(), V2=replace(saddle, st_j_uv=190.0)) == set()
    assert codes(normal, SINUS, set(), V1=replace(saddle, r2_uv=400.0)) == set()  # the r' of a right block


def test_aslanger_is_the_third_lead_alone(normal: Reading) -> None:
    leads = {
        "III": waves(st_j_uv=120.0, st60_uv=110.0), "V1": waves(st_j_uv=30.0), "V2": waves(st_j_uv=-20.0),
        "V5": waves(st_j_uv=-90.0, st60_uv=-80.0, t_high_uv=150.0),
    }  # fmt: skip
    assert codes(normal, SINUS, set(), **leads) == {"220d"}
    for name, other in (
        ("III", waves(st_j_uv=80.0, st60_uv=80.0)),
        ("aVF", waves(st_j_uv=110.0)),
        ("V5", waves(st_j_uv=-20.0)),
        ("V2", waves(st_j_uv=-60.0)),
        ("V2", waves(st_j_uv=40.0)),
    ):
        assert codes(normal, SINUS, set(), **leads | {name: other}) == set(), (name, other)


def test_hyperacute_t_is_broad_and_as_tall_as_the_qrs(normal: Reading) -> None:
    towering = waves(t_uv=1100.0, t_high_uv=1100.0, t_half_ms=170.0, st_j_uv=90.0, st60_uv=150.0, span_uv=1200.0)
    assert codes(normal, SINUS, set(), V2=towering, V3=towering) == {"220e"}
    assert codes(normal, SINUS, set(), V3=towering) == set()
    for change in ({"span_uv": 1600.0}, {"st60_uv": 60.0}, {"t_half_ms": 130.0}, {"r_uv": 1150.0}):
        assert codes(normal, SINUS, set(), V2=replace(towering, **change), V3=towering) == set(), change


def test_pericarditis_is_everywhere_and_high_against_t(normal: Reading) -> None:
    hollow = waves(st_j_uv=120.0, st60_uv=130.0, t_uv=380.0)
    everywhere = dict.fromkeys(("I", "II", "aVF", "V3", "V4", "V5", "V6"), hollow)
    assert codes(normal, SINUS, {"145a"}, **everywhere) == {"200"}
    assert codes(normal, SINUS, set(), **everywhere) == set()
    tall = replace(hollow, t_uv=700.0)  # ST less than a quarter of T: early repolarisation
    assert "200" not in codes(normal, SINUS, {"145a"}, **everywhere | {"V6": tall})
    assert codes(normal, SINUS, {"145a"}, **dict.fromkeys(everywhere, tall)) == {"155"}
    assert "200" not in codes(normal, SINUS, {"145a"}, **everywhere | {"aVL": waves(st_j_uv=-60.0)})
    assert codes(normal, SINUS, {"145a", "161.330"}, **everywhere) == set()


def test_sgarbossa_holds_for_a_paced_heart(normal: Reading) -> None:
    concordant = waves(r_uv=900.0, net_uv=900.0, st_j_uv=130.0, st60_uv=120.0)
    paced = Rhythm("paced", ventricular_bpm=70.0)
    assert codes(normal, paced, {"181"}, V5=concordant, V6=concordant) == {"160.330"}
    assert codes(normal, paced, {"181"}, V5=replace(concordant, st_j_uv=90.0), V6=concordant) == set()


def test_de_winter_needs_two_leads_and_avr(normal: Reading) -> None:
    upsloping = waves(st_j_uv=-150.0, st60_uv=-60.0, st80_uv=20.0, t_uv=800.0)
    raised = waves(st_j_uv=60.0)
    assert codes(normal, SINUS, set(), V2=upsloping, V3=upsloping, aVR=raised) == {"220a"}
    assert codes(normal, SINUS, set(), V3=upsloping, aVR=raised) == set()
    assert codes(normal, SINUS, set(), V2=upsloping, V3=upsloping) == set()


def test_wellens_is_biphasic_with_r_kept(normal: Reading) -> None:
    biphasic = waves(t_high_uv=150.0, t_low_uv=-200.0, t_uv=-200.0, t_falls_late=True)
    assert codes(normal, SINUS, set(), V2=biphasic, V3=biphasic) == {"220b"}
    assert codes(normal, SINUS, set(), V2=biphasic, V3=replace(biphasic, t_falls_late=False)) == set()
    assert codes(normal, SINUS, set(), V2=replace(biphasic, r_uv=40.0), V3=biphasic) & {"220b"} == set()


def test_posterior_infarction_by_the_front(normal: Reading) -> None:
    mirror = waves(st_j_uv=-120.0, st60_uv=-110.0, st80_uv=-100.0, t_uv=300.0, r_uv=700.0, s_uv=-300.0)
    assert codes(normal, SINUS, set(), V2=mirror, V3=mirror) == {"162.330"}
    assert codes(normal, SINUS, set(), V2=mirror, V3=replace(mirror, t_uv=-300.0)) == set()
    assert codes(normal, SINUS, set(), V2=mirror) == set()


def test_sgarbossa_in_left_bundle_branch_block_only(normal: Reading) -> None:
    concordant = waves(r_uv=900.0, net_uv=900.0, st_j_uv=130.0, st60_uv=120.0)
    assert codes(normal, SINUS, {"104"}, V5=concordant, V6=concordant) == {"160.330"}
    assert codes(normal, SINUS, {"104"}, V5=concordant) == set()
    usual = waves(r_uv=100.0, s_uv=-2000.0, net_uv=-1900.0, st_j_uv=300.0, st60_uv=300.0)
    assert codes(normal, SINUS, {"104"}, V2=usual, V3=usual) == set()
    excessive = replace(usual, st_j_uv=560.0, st60_uv=540.0)
    assert codes(normal, SINUS, {"104"}, V2=excessive, V3=excessive) == {"160.330"}


def test_s1q3t3_is_said_only_with_haste_or_strain(normal: Reading) -> None:
    one = waves(s_uv=-250.0)
    three = waves(q_uv=-200.0, t_uv=-120.0, r_uv=400.0)
    assert codes(normal, SINUS, set(), I=one, III=three) == set()
    assert codes(normal, FAST, set(), I=one, III=three) == {"201"}
    two_to_one = 2 * 60 / float(np.median(normal.rr_s))
    waving = replace(normal, flutter=Flutter(two_to_one, 0.4, "V1"))  # the haste is the flutter's
    assert codes(waving, FAST, set(), I=one, III=three) == set()
    assert codes(replace(waving, flutter=Flutter(1.2 * two_to_one, 0.4, "V1")), FAST, set(), I=one, III=three) == {
        "201"
    }
    strained = waves(t_uv=-150.0, t_low_uv=-150.0)
    assert codes(normal, SINUS, set(), I=one, III=three, V1=strained, V2=strained) == {"201"}


def test_potassium_by_pointed_t_waves(normal: Reading) -> None:
    pointed = waves(t_uv=1300.0, t_high_uv=1300.0, t_half_ms=100.0)
    assert codes(normal, SINUS, set(), V2=pointed, V3=pointed) == {"208"}
    assert codes(normal, SINUS, set(), V2=replace(pointed, t_half_ms=190.0), V3=pointed) == set()
    assert codes(normal, SINUS, set(), V2=pointed) == set()


def test_a_tall_t_that_climbs_out_of_its_st_is_healths(normal: Reading) -> None:
    pointed = {"t_uv": 1100, "t_high_uv": 1100, "t_half_ms": 110, "r_uv": 900}
    for level, said in ((100, True), (300, False)):
        leads = dict.fromkeys(("V2", "V3", "V4"), waves(**pointed, st_j_uv=40, st60_uv=level, st80_uv=level))
        assert ("208" in codes(normal, SINUS, set(), **leads)) == said


def test_uncalibrated_amplitudes_are_not_judged(normal: Reading) -> None:
    coved = waves(st_j_uv=260.0, st60_uv=180.0, st80_uv=120.0, t_low_uv=-180.0)
    unknown = replace(normal, calibrated=False, waves={"V1": coved})
    assert patterns(unknown, SINUS, set(), None) == []
