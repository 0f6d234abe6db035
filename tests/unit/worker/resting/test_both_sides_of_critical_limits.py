"""Recordings just beyond a critical limit and just short of it; standstill; fibrillation under noise."""

from dataclasses import replace

import numpy as np
import pytest

from bench.accuracy.critical_cases import cases, of_samples, standstill
from bench.accuracy.critical_shapes import shapes
from bench.accuracy.data import recording
from worker.resting import analyse
from worker.resting.artefacts import without_artefacts
from worker.resting.ectopics import _is_the_t_itself
from worker.resting.patient import Person
from worker.resting.reading import Reading
from worker.signal.beats import Beats

SEED = 101
MADE = {case.name: case for case in (*cases(SEED), *shapes(SEED))}


@pytest.mark.parametrize("name", MADE)
def test_the_rule_fires_on_its_side_only(name):
    case = MADE[name]
    rules = {value.rule for value in analyse(case.recording).critical}
    assert bool(rules & set(case.rule.split("|"))) == case.fires


@pytest.mark.parametrize("seed", [3, 4])
def test_a_standstill_is_not_filled_with_beats_of_its_noise(seed):
    found = analyse(standstill(seed, 5.5))
    assert found.measurements.rr_max_ms == pytest.approx(5500, abs=120)
    assert found.beats_s[-1] < found.duration_s - 5.3


def beats_of(size, group):
    n = len(size)
    return Beats(250 * (1 + np.arange(n)), np.array(group), np.full(n, 0.1), np.array(size, float))


def test_faint_beats_are_none_unless_others_are_like_them():
    found = without_artefacts(np.zeros((1, 4000)), beats_of([500, 500, 500, 40, 70, 80], [0, 0, 0, 1, 2, 3]), 250)
    assert found.size.tolist() == [500, 500, 500, 80]
    alike = without_artefacts(np.zeros((1, 4000)), beats_of([500, 500, 500, 45, 46, 30], [0, 0, 0, 1, 1, 1]), 250)
    assert alike.size.tolist() == [500, 500, 500, 45, 46]


def test_where_the_usual_beats_were_noise_the_others_become_the_usual_ones():
    found = without_artefacts(np.zeros((1, 4000)), beats_of([5, 6, 5, 700, 710], [0, 0, 0, 1, 1]), 250)
    assert found.group.tolist() == [0, 0]


def test_fibrillation_is_said_though_every_lead_is_too_noisy_to_measure():
    rng = np.random.default_rng(8)
    clean = MADE["ventricular-fibrillation"].recording
    drift = 4000 * np.sin(2 * np.pi * 0.12 * np.arange(clean.n_samples) / clean.sampling_hz)
    shaken = of_samples(clean.microvolts() + drift + rng.normal(0, 60, clean.digital.shape), clean.sampling_hz)
    found = analyse(shaken)
    assert {lead.verdict for lead in found.quality.leads} == {"unusable"}
    assert [value.rule for value in found.critical] == ["ventricular_fibrillation"]


def test_noise_alone_in_every_lead_is_repeated_and_not_called():
    rng = np.random.default_rng(9)
    noise = of_samples(rng.normal(0, 300, (12, 5000)), 500.0)
    found = analyse(noise)
    assert found.quality.verdict == "repeat"
    assert found.critical == []


@pytest.mark.parametrize(("at_s", "is_t"), [(2.29, True), (2.45, False)])
def test_a_beat_on_the_summit_after_which_the_next_comes_on_time_is_the_t(at_s, is_t):
    at = np.sort(np.append(np.arange(0.0, 6.0), at_s))
    traces = type("Traces", (), {"hz": 500.0})
    beats = Beats(np.rint(at * 500).astype(int), np.zeros(at.size, int), np.full(at.size, 0.1), np.ones(at.size))
    reading = Reading(traces, Person(female=None, age_years=None), True, [], [0], beats, [])
    assert _is_the_t_itself(reading, 3, 2.3) is is_t


def test_a_long_qt_of_one_lead_is_graded_major_and_of_twelve_critical():
    twelve = MADE["QTc 610 ms"].recording
    row = twelve.leads.index("II")
    one = replace(
        twelve, leads=("II",), digital=twelve.digital[[row]], uv_per_lsb=twelve.uv_per_lsb[[row]],
        baseline=twelve.baseline[[row]],
    )  # fmt: skip
    assert "qtc_long" in {value.rule for value in analyse(twelve).critical}
    found = analyse(one)
    assert found.measurements.qtc_ms >= 550
    assert (found.critical, found.grade) == ([], "major")


@pytest.mark.parametrize("record", ["51", "83"])
def test_an_irregular_broad_rhythm_without_p_is_fibrillation_and_no_escape(ecg_data, record):
    found = analyse(recording(next((ecg_data / "ludb").rglob(f"{record}.hea"))))
    codes = {statement.code for statement in found.statements}
    assert "104" in codes
    assert "50" in codes
    assert not codes & {"63", "64"}
