"""Fibrillation and standstill in a day."""

import time
from datetime import datetime

import numpy as np
import pytest

from ecg_center.domain.calendars import CHINA
from gateway.simulate.holter import record_day
from worker.critical import DEFAULT
from worker.formats import read
from worker.holter.analysis import analyse
from worker.holter.day import Day
from worker.holter.detect import Search
from worker.holter.measured import Stretch
from worker.holter.vf import restless, rhythms_of
from worker.recording import Recording
from worker.resting.patient import Patient

HZ = 250.0


def beating(seconds, bpm=70, seed=0):
    """µV of two leads with P, QRS and T."""
    rng = np.random.default_rng(seed)
    t = np.arange(round(seconds * HZ)) / HZ
    phase = t % (60 / bpm)
    wave = (
        100 * np.exp(-(((phase - 0.15) / 0.025) ** 2))
        + 1000 * np.exp(-(((phase - 0.32) / 0.012) ** 2))
        - 200 * np.exp(-(((phase - 0.345) / 0.012) ** 2))
        + 250 * np.exp(-(((phase - 0.58) / 0.05) ** 2))
    )
    return np.stack([wave, 0.6 * wave]) + rng.normal(0, 8, (2, t.size))


def quivering(seconds, seed=1, size=400):
    """µV of two leads: a sine of some 5 Hz whose rate and height wander."""
    rng = np.random.default_rng(seed)
    n = round(seconds * HZ)

    def wander(step_s):
        knots = rng.standard_normal(int(seconds / step_s) + 3)
        return np.interp(np.arange(n) / HZ / step_s, np.arange(knots.size), knots)

    wave = np.sin(2 * np.pi * np.cumsum(5.0 + 0.7 * wander(0.5)) / HZ) * (1 + 0.35 * wander(0.7))
    return size * np.stack([wave, 0.7 * wave + 0.15 * wander(0.3)]) + rng.normal(0, 8, (2, n))


def still(seconds, seed=2):
    return np.random.default_rng(seed).normal(0, 4, (2, round(seconds * HZ)))


def day_of(*parts):
    uv = np.concatenate(parts, axis=1)
    return Day(Recording("", "holter", ("II", "V5"), np.round(uv).astype(np.int32), np.ones(2), np.zeros(2), HZ))


def found(day, unreadable=()):
    search, suspects, beats = Search(day), [], []
    for block in day.blocks(rows=day.independent):
        seen = search.beats_in(block)
        suspects.append(restless(block, seen.broad, seen.hz, day.hz))
        beats.append(seen.sample)
    return rhythms_of(day, np.concatenate(suspects), np.sort(np.concatenate(beats)), unreadable)


def test_fibrillation_is_found_with_its_borders():
    (stretch,) = found(day_of(beating(120), quivering(60), beating(60, seed=3)))
    assert stretch.reason == "vf"
    assert stretch.start / HZ == pytest.approx(120, abs=4)
    assert stretch.stop / HZ == pytest.approx(180, abs=4)


def test_it_is_found_across_the_border_of_two_blocks_as_one():
    (stretch,) = found(day_of(beating(560), quivering(80), beating(60, seed=3)))
    assert (stretch.stop - stretch.start) / HZ == pytest.approx(80, abs=8)


@pytest.mark.parametrize("bpm", [40, 75, 130, 170])
def test_regular_beats_are_not_restless(bpm):
    day = day_of(beating(300, bpm))
    assert found(day) == ()


def test_a_short_artefact_does_not_part_fibrillation():
    uv = quivering(60)
    uv[:, round(30 * HZ) : round(30.2 * HZ)] += 4000
    stretches = found(day_of(beating(60), uv, beating(60, seed=3)))
    assert [stretch.reason for stretch in stretches] == ["vf"]


def test_standstill_is_a_still_line_of_six_seconds():
    (stretch,) = found(day_of(beating(60), still(10), beating(60, seed=3)))
    assert stretch.reason == "asystole"
    assert 5 <= (stretch.stop - stretch.start) / HZ <= 11
    assert found(day_of(beating(60), still(4), beating(60, seed=3))) == ()


def test_no_standstill_where_nothing_can_be_read_or_no_lead_is_on():
    day = day_of(beating(60), still(10), beating(60, seed=3))
    assert found(day, [Stretch(round(61 * HZ), round(69 * HZ), (), "lead_off")]) == ()
    assert found(day_of(beating(60), np.zeros((2, round(10 * HZ))), beating(60, seed=3))) == ()


def test_an_empty_day_has_no_rhythms():
    assert rhythms_of(day_of(np.zeros((2, 10))), np.zeros(0, np.int64), np.zeros(0, np.int64)) == ()


def test_looking_costs_next_to_nothing_where_nothing_quivers():
    day = day_of(beating(600))
    search = Search(day)
    (block,) = day.blocks(rows=day.independent)
    seen = search.beats_in(block)
    restless(block, seen.broad, seen.hz, day.hz)
    began = time.process_time()
    for _ in range(10):
        restless(block, seen.broad, seen.hz, day.hz)
    # 144 such blocks are a day: 0.3 s for two leads
    assert (time.process_time() - began) / 10 < 0.01


@pytest.mark.parametrize("seed", [1, 2, 12])
def test_a_tachycardia_that_begins_and_ends_is_not_fibrillation(seed):
    """Ten seconds at some 185 a minute in a sinus rhythm with early beats; windows hold both."""
    started_at = datetime(2026, 11, 21, 14, 15, tzinfo=CHINA)
    recording = read(record_day(seed, started_at, hours=0.5).content)
    findings, measured = analyse(recording, Patient(), rule_set=DEFAULT)
    assert [stretch for stretch in measured.rhythms if stretch.reason == "vf"] == []
    assert "71" in {statement.code for statement in findings.statements}
    assert findings.critical == []


@pytest.mark.parametrize(
    ("folder", "name", "least"), [("vfdb", "422", 0.9), ("cudb", "cu01", 0.9), ("mitdb", "207", 0.8)]
)
def test_real_fibrillation(ecg_data, folder, name, least):
    from bench.accuracy.data import notes, recording
    from bench.accuracy.vf import rhythm_of

    header = ecg_data / folder / f"{name}.hea"
    whole = recording(header)
    truth = rhythm_of(notes(header, "atr"), whole.n_samples)
    said = np.zeros(whole.n_samples, bool)
    for stretch in found(Day(whole)):
        if stretch.reason == "vf":
            said[stretch.start : stretch.stop] = True
    assert said[truth == "F"].mean() >= least
    assert said[truth == "N"].mean() <= 0.025  # seconds at the borders


@pytest.mark.parametrize("name", ["101", "203", "208", "230"])
def test_none_in_real_records_without(ecg_data, name):
    from bench.accuracy.data import recording

    assert found(Day(recording(ecg_data / "mitdb" / f"{name}.hea"))) == ()


def twisting(seconds, seed=1, turn_s=4.2):
    """µV of two leads that stand across each other: 225 waves a minute about a turning axis."""
    t = np.arange(round(seconds * HZ)) / HZ
    wave = np.sin(2 * np.pi * 3.75 * t) + 0.3 * np.sin(4 * np.pi * 3.75 * t + 0.6)
    turn = 2 * np.pi * t / turn_s + seed
    rng = np.random.default_rng(seed)
    return 800 * np.stack([wave * np.cos(turn), wave * np.sin(turn)]) + rng.normal(0, 8, (2, t.size))


@pytest.mark.parametrize("seconds", [6, 8, 15])
def test_torsades_has_its_name_in_a_day(seconds):
    made = day_of(beating(90, 55), twisting(seconds), beating(60, 55, seed=3))
    stretches = found(made)
    assert {stretch.reason for stretch in stretches} == {"torsades"}
    assert min(stretch.start for stretch in stretches) / HZ == pytest.approx(90, abs=3)
    assert max(stretch.stop for stretch in stretches) / HZ == pytest.approx(90 + seconds, abs=3)


def test_it_is_said_and_is_critical():
    uv = np.concatenate([beating(120, 55), twisting(9), beating(60, 55, seed=3)], axis=1)
    made = Recording("", "holter", ("II", "V5"), np.round(uv).astype(np.int32), np.ones(2), np.zeros(2), HZ)
    findings, _ = analyse(made, Patient(), rule_set=DEFAULT)
    assert "73" in {statement.code for statement in findings.statements}
    assert "74b" not in {statement.code for statement in findings.statements}
    assert "polymorphic_ventricular_tachycardia" in {value.rule for value in findings.critical}
