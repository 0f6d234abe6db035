"""Where no beat was found for long: a pause, beats of another kind, or neither?"""

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.data import notes, recording
from gateway.simulate.holter import record_day
from worker.formats import read
from worker.holter.analysis import analyse
from worker.holter.day import Day
from worker.holter.measure import measure, search
from worker.holter.measured import Label, Template
from worker.holter.pauses import unconfirmed
from worker.recording import Recording

DATA = Path(os.environ.get("ECG_DATA", "../shared/ecg-data"))
CHINA = timezone(timedelta(hours=8))
HZ = 250.0
SECONDS = 120


def beat(t, at, size_uv=1000.0):
    """QRS, T and P of a narrow beat."""
    return size_uv * (
        np.exp(-(((t - at) / 0.012) ** 2))
        + 0.25 * np.exp(-(((t - at - 0.3) / 0.06) ** 2))
        + 0.12 * np.exp(-(((t - at + 0.16) / 0.03) ** 2))
    )


def sinus_but(first_s, last_s, seed=5):
    """(time, µV of two leads) of sinus rhythm that stops between two moments."""
    t = np.arange(round(SECONDS * HZ)) / HZ
    uv = sum(beat(t, at) for at in np.arange(0.5, SECONDS, 0.85) if not first_s < at < last_s)
    noise = np.random.default_rng(seed).normal(scale=8.0, size=(2, t.size))
    return t, np.stack([uv, 0.6 * uv]) + noise


def searched(uv):
    digital = np.clip(np.rint(uv / 2.5), -32768, 32767).astype(np.int16)
    return search(Day(Recording("", "holter", ("II", "V5"), digital, np.full(2, 2.5), np.zeros(2), HZ)))


def inside(found, first_s, last_s):
    return np.count_nonzero((found.at > first_s * HZ) & (found.at < last_s * HZ))


def unreadable_s(found, first_s, last_s):
    return sum(
        max(0.0, min(last_s, stretch.stop / HZ) - max(first_s, stretch.start / HZ))
        for stretch in found.noise.unreadable
    )


@pytest.mark.parametrize("number", [1, 4, 9, 12])
def test_a_short_tachycardia_is_no_pause(number):
    """Its beats are unlike the day's in every measure; seven of twelve such days had a pause of ten seconds."""
    day = record_day(number, datetime(2026, 11, 21, 14, 20, tzinfo=CHINA), hours=0.5)
    findings, measured = analyse(read(day.content))
    at_s = measured.beats.sample[measured.beats.label == Label.V] / measured.sampling_hz
    run = at_s[(at_s > 290) & (at_s < 312)]
    assert np.count_nonzero(np.diff(run) < 0.45) >= 24
    kinds = [event.kind for event in findings.holter.events]
    assert "pause" not in kinds
    assert "vt" in kinds
    assert "pauses" not in {value.rule for value in findings.critical}


@pytest.mark.parametrize("wave_uv", [60.0, 150.0, 250.0])
def test_p_waves_of_a_block_do_not_fill_its_pause(wave_uv):
    t, uv = sinus_but(60.0, 66.0)
    for at in np.arange(60.3, 66.0, 0.7):
        uv += wave_uv * np.exp(-(((t - at) / 0.035) ** 2)) * np.array([[1.0], [0.6]])
    found = searched(uv)
    assert inside(found, 60.5, 65.5) == 0
    assert unreadable_s(found, 60.5, 65.5) == 0


def test_fibrillating_atria_do_not_fill_a_pause():
    t, uv = sinus_but(60.0, 64.5)
    uv += 70 * np.sin(2 * np.pi * (6.2 * t + 0.4 * np.sin(0.9 * t)))
    found = searched(uv)
    assert inside(found, 60.3, 64.2) == 0
    assert unreadable_s(found, 60.3, 64.2) == 0


def test_a_broad_beat_alone_in_a_gap_is_found():
    t, uv = sinus_but(60.0, 64.5)
    uv += np.array([[-900.0], [700.0]]) * np.exp(-(((t - 62.2) / 0.05) ** 2))
    found = searched(uv)
    assert inside(found, 60.5, 64.2) == 1
    assert abs(found.at / HZ - 62.2).min() < 0.06


@pytest.mark.parametrize(("size_uv", "width_s"), [(-900.0, 0.055), (440.0, 0.04), (-500.0, 0.05)])
def test_a_small_gentle_beat_is_found_where_nothing_else_stands_at_its_distance(size_uv, width_s):
    """In V5 alone ventricular beats of 0.4 of the QRS and without a steep part were lost."""
    t, uv = sinus_but(60.2, 61.4)
    before = 0.5 + 0.85 * int((60.2 - 0.5) / 0.85)
    uv[0] += size_uv * np.exp(-(((t - before - 0.6) / width_s) ** 2))
    digital = np.clip(np.rint(uv[:1] / 2.5), -32768, 32767).astype(np.int16)
    found = search(Day(Recording("", "holter", ("V5",), digital, np.full(1, 2.5), np.zeros(1), HZ)))
    assert inside(found, before + 0.45, before + 0.75) == 1


@pytest.mark.parametrize("after_s", [0.42, 0.46])
def test_a_late_t_wave_in_a_pause_is_no_beat(after_s):
    """As large and as gentle, but it stands there after every beat."""
    t = np.arange(round(SECONDS * HZ)) / HZ
    at_s = [at for at in np.arange(0.5, SECONDS, 1.0) if not 60.2 < at < 61.8]
    uv = sum(beat(t, at) + 450 * np.exp(-(((t - at - after_s) / 0.05) ** 2)) for at in at_s)
    digital = np.rint((uv + np.random.default_rng(2).normal(0, 8, t.size))[None] / 2.5).astype(np.int16)
    found = search(Day(Recording("", "holter", ("V5",), digital, np.full(1, 2.5), np.zeros(1), HZ)))
    last = max(at for at in at_s if at < 60.2)
    assert inside(found, last + 0.3, last + 0.8) == 0


def test_where_the_signal_never_rests_no_pause_is_believed():
    t, uv = sinus_but(60.0, 64.5)
    rng = np.random.default_rng(8)
    moving = (t > 60.2) & (t < 64.2)
    for row in uv:
        phase = 2 * np.pi * np.cumsum(rng.uniform(2.0, 9.0, t.size)) / HZ
        row[moving] += (rng.uniform(300, 700, t.size) * np.sin(phase) + 150 * rng.normal(size=t.size))[moving]
    found = searched(uv)
    filled = inside(found, 60.3, 64.2)
    assert filled >= 3 or unreadable_s(found, 60.0, 64.5) > 2.5


def test_one_calm_lead_is_enough_to_believe_a_pause():
    t, uv = sinus_but(60.0, 65.0)
    rng = np.random.default_rng(9)
    uv[0] += 250 * rng.normal(size=t.size)
    found = searched(uv)
    assert inside(found, 60.4, 64.6) == 0
    assert unreadable_s(found, 60.4, 64.6) < 1.0


def test_fibrillation_of_the_ventricles_is_not_hidden_as_noise():
    """What lies in a stretch that quivers is no noise: such an event would be left out of the findings."""
    if not (DATA / "vfdb" / "422.hea").exists():
        pytest.skip("needs vfdb (ECG_DATA)")
    measured = measure(recording(DATA / "vfdb" / "422.hea"))
    quivers = [stretch for stretch in measured.rhythms if stretch.reason == "vf"]
    assert quivers
    for stretch in quivers:
        assert not any(other.start < stretch.stop and other.stop > stretch.start for other in measured.unreadable)


@pytest.mark.skipif(not (DATA / "mitdb" / "201.hea").exists(), reason="needs MIT-BIH records (ECG_DATA)")
def test_every_annotated_pause_of_a_record_is_found():
    whole = recording(DATA / "mitdb" / "201.hea")
    beats = notes(DATA / "mitdb" / "201.hea", "atr").beats
    findings, _ = analyse(whole)
    assert findings.holter.pauses.over_2_0_s == np.count_nonzero(np.diff(beats) > 2.0 * whole.sampling_hz) == 13


def of_two_leads(uv):
    digital = np.clip(np.rint(uv / 2.5), -32768, 32767).astype(np.int16)
    day = Day(Recording("", "holter", ("II", "V5"), digital, np.full(2, 2.5), np.zeros(2), HZ))
    t = np.arange(-50, 75) / HZ
    shape = Template(0, Label.N, 100, np.stack([beat(t, 0.0), 0.6 * beat(t, 0.0)]).astype(np.int16), HZ, 50)
    return day, (shape,)


def beats_but(first_s, last_s):
    at_s = np.arange(0.5, SECONDS, 0.85)
    return np.rint(at_s[(at_s <= first_s) | (at_s >= last_s)] * HZ).astype(np.int64)


def test_no_pause_where_one_electrode_is_off_and_the_other_lead_goes_on():
    t, uv = sinus_but(60.0, 65.0)
    uv[1] += 600 * sum(beat(t, at, 1.0) for at in np.arange(0.5, SECONDS, 0.85) if 60.0 < at < 65.0)
    uv[1] += np.random.default_rng(2).normal(scale=40.0, size=t.size)
    day, shapes = of_two_leads(uv)
    (span,) = (unconfirmed(day, beats_but(60.0, 65.0), shapes, ()) / HZ).tolist()
    assert span == pytest.approx([60.0, 65.1], abs=0.9)


@pytest.mark.parametrize("wave_uv", [0.0, 150.0, 250.0])
def test_a_pause_that_all_leads_show_stays_one(wave_uv):
    t, uv = sinus_but(60.0, 65.0)
    for at in np.arange(60.3, 65.0, 0.7):
        uv += wave_uv * np.exp(-(((t - at) / 0.035) ** 2)) * np.array([[1.0], [0.6]])
    day, shapes = of_two_leads(uv)
    assert unconfirmed(day, beats_but(60.0, 65.0), shapes, ()).size == 0


def test_an_artefact_alone_takes_no_pause_away():
    t, uv = sinus_but(60.0, 65.0)
    uv[1] += 900 * np.exp(-(((t - 62.0) / 0.2) ** 2)) + 800 * (np.abs(t - 63.5) < 0.15)
    day, shapes = of_two_leads(uv)
    assert unconfirmed(day, beats_but(60.0, 65.0), shapes, ()).size == 0
