"""Torsades, polymorphic and bidirectional tachycardia are said by name, and nothing else of the same waves."""

from dataclasses import replace

import numpy as np
import pytest

from bench.accuracy.critical_cases import as_recording, in_turn, of_samples, racing, torsades, torsades_run
from bench.accuracy.data import headers, recording
from gateway.simulate.generator import generate
from worker.resting import analyse
from worker.resting.leading import Rhythm
from worker.resting.say import evidence, say
from worker.resting.ventricular import Run, _rate_of_one_shape
from worker.signal.ventricular_form import Form

VENTRICULAR = {"70", "71", "72", "73", "73a", "74", "74a", "76"}


def codes(found):
    return {statement.code for statement in found.statements}


def only(found, *leads):
    rows = [found.leads.index(lead) for lead in leads]
    scale, zero = found.uv_per_lsb[rows], found.baseline[rows]
    return replace(found, leads=leads, digital=found.digital[rows], uv_per_lsb=scale, baseline=zero)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("leads", [(), ("II", "V1"), ("II",)])
def test_torsades_has_its_name_in_any_leads(seed, leads):
    made = torsades(seed)
    found = analyse(only(made, *leads) if leads else made)
    assert codes(found) & VENTRICULAR == {"73"}
    assert [value.rule for value in found.critical] == ["polymorphic_ventricular_tachycardia"]


@pytest.mark.parametrize("seed", [100, 101])
def test_a_run_after_a_long_qt_is_probable_and_shows_the_qt(seed):
    found = analyse(torsades_run(seed, 4.5))
    (said,) = [statement for statement in found.statements if statement.code == "73"]
    assert said.certainty == "probable"
    shown = {item.quantity: item for item in said.evidence}
    assert shown["qtc_ms"].value >= shown["qtc_ms"].threshold == 460
    assert shown["run_rate_bpm"].value == pytest.approx(230, abs=15)
    assert 3 <= shown["run_s"].value <= 5.5
    assert codes(found) & {*VENTRICULAR, "51", "60", "60a", "60d", "60e"} == {"73"}


def test_without_beats_of_the_rhythm_no_qt_is_shown_and_it_is_possible():
    (said,) = [statement for statement in analyse(torsades(5)).statements if statement.code == "73"]
    assert said.certainty == "possible"
    assert "qtc_ms" not in {item.quantity for item in said.evidence}


@pytest.mark.parametrize("seed", [100, 101])
def test_two_forms_in_turn_are_bidirectional(seed):
    found = analyse(in_turn(seed))
    assert codes(found) & VENTRICULAR == {"73a"}
    assert [value.rule for value in found.critical] == ["polymorphic_ventricular_tachycardia"]


def test_shapes_that_change_without_turning_over_are_polymorphic():
    rng, hz, n = np.random.default_rng(3), 500, 5000
    t = np.arange(n) / hz
    share = 0.5 + 0.5 * np.cos(2 * np.pi * t / 5)
    one = np.sin(2 * np.pi * 3.5 * t) + 0.35 * np.sin(4 * np.pi * 3.5 * t + 0.5)
    other = 0.4 * np.sin(2 * np.pi * 3.5 * t + 1.1) - np.sin(4 * np.pi * 3.5 * t)
    mix = np.stack([np.cos(np.linspace(0, 1.6, 12)), np.sin(np.linspace(0, 1.6, 12))], axis=1)
    uv = 600 * (mix[:, :1] * one * share + mix[:, 1:] * other * (1 - share)) + rng.normal(0, 10, (12, n))
    found = analyse(of_samples(uv, float(hz)))
    assert codes(found) & VENTRICULAR == {"72"}
    assert "polymorphic_ventricular_tachycardia" in {value.rule for value in found.critical}


@pytest.mark.parametrize("seed", [11, 12])
@pytest.mark.parametrize(("pathology", "code"), [("ventricular-tachycardia", "70"), ("ventricular-fibrillation", "74")])
def test_one_shape_and_none_keep_their_names(pathology, code, seed):
    assert codes(analyse(as_recording(generate(pathology, seed=seed)))) & VENTRICULAR == {code}


@pytest.mark.parametrize("pathology", ["atrial-flutter", "ventricular-premature", "long-qt", "noise", "lead-off"])
def test_nothing_harmless_gets_such_a_name(pathology):
    assert not codes(analyse(as_recording(generate(pathology, seed=7)))) & {"72", "73", "73a"}


def test_no_real_record_without_ventricular_tachycardia_gets_such_a_name(ecg_data):
    named = [
        header.stem
        for folder in ("ludb", "cinc2017")
        for header in headers(ecg_data / folder)[::9]
        if codes(analyse(recording(header))) & {"72", "73", "73a"}
    ]
    assert named == []


@pytest.mark.parametrize(("said_bpm", "told_bpm"), [(117, 231), (205, 205)])
def test_the_rate_is_that_of_the_waves_where_every_other_beat_was_overlooked(said_bpm, told_bpm):
    runs = [Run(3.5, 58.5, Form(231.0, 0.99, 0.97, 0.0, 0.98, 0.0))]
    rhythm = Rhythm("vt", [say("70", evidence("run_rate_bpm", said_bpm), evidence("run_s", 55))])
    _rate_of_one_shape(rhythm, runs)
    assert [item.value for item in rhythm.statements[0].evidence] == [told_bpm, 55]


@pytest.mark.parametrize("leads", [(), ("II", "V1"), ("II",)])
@pytest.mark.parametrize(
    ("bpm", "code", "rule"),
    [
        (300.0, "74a", "ventricular_fibrillation"),
        (345.0, "74a", "ventricular_fibrillation"),
        (280.0, "74a", "ventricular_fibrillation"),
        (260.0, "70", "ventricular_tachycardia"),  # of which every second wave is taken for T
        (240.0, "70", "ventricular_tachycardia"),
    ],
)
def test_one_shape_without_a_line_is_flutter_by_its_rate(bpm, code, rule, leads):
    for seed in (1, 2):
        made = racing(seed, bpm)
        found = analyse(only(made, *leads) if leads else made)
        assert codes(found) == {code}
        assert [value.rule for value in found.critical] == [rule]
        rate = next(item.value for item in found.statements[0].evidence if item.quantity == "run_rate_bpm")
        assert rate == pytest.approx(bpm, rel=0.03)


def test_flutter_of_the_atria_and_a_fast_sinus_are_not_the_ventricles():
    for seed in range(4):
        for name, bpm in (("atrial-flutter", 150), ("atrial-flutter", 75), ("sinus-tachycardia", 150)):
            found = analyse(as_recording(generate(name, seed=seed, rate_bpm=bpm)))
            assert not codes(found) & VENTRICULAR, (name, bpm, seed)
