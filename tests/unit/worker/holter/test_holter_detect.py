import os
from pathlib import Path

import numpy as np
import pytest

from bench.accuracy.data import cut, notes, recording
from bench.accuracy.score import Counts, compare
from gateway.simulate.generator import generate
from worker.holter.day import Day
from worker.holter.detect import find_beats
from worker.recording import Recording

MITDB = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "mitdb"
needs_mitdb = pytest.mark.skipif(not (MITDB / "101.hea").exists(), reason="needs MIT-BIH records (ECG_DATA)")


def beats_of(uv, hz, leads=None):
    digital = np.clip(np.rint(np.atleast_2d(uv)), -32768, 32767).astype(np.int16)
    n = len(digital)
    names = leads or tuple(f"L{row}" for row in range(n))
    return find_beats(Day(Recording("", "holter", names, digital, np.ones(n), np.zeros(n), hz)))


def rhythm(at_s, seconds, hz, size_uv=1000.0, width_s=0.012):
    t = np.arange(round(seconds * hz)) / hz
    uv = np.zeros(t.size)
    for at in at_s:
        part = slice(max(0, round((at - 0.3) * hz)), round((at + 0.5) * hz))
        uv[part] += size_uv * np.exp(-(((t[part] - at) / width_s) ** 2))
        uv[part] += 0.25 * size_uv * np.exp(-(((t[part] - at - 0.3) / 0.06) ** 2))
        uv[part] += 0.12 * size_uv * np.exp(-(((t[part] - at + 0.16) / 0.03) ** 2))
    return uv + np.random.default_rng(3).normal(size=t.size) * 0.01 * size_uv


@pytest.mark.parametrize("hz", [125.0, 128.0, 200.0, 250.0, 256.0, 360.0, 500.0, 1000.0])
def test_every_beat_at_its_peak_at_any_rate(hz):
    at = np.arange(0.5, 899, 0.8)
    found = beats_of(rhythm(at, 900, hz), hz) / hz
    assert len(found) == len(at)
    assert np.abs(found - at).max() <= 1.01 / hz + 0.004


def test_a_block_s_edge_neither_loses_nor_doubles_a_beat():
    for phase in np.arange(0.0, 0.8, 0.1):
        at = np.arange(0.5 + phase, 1400, 0.8)
        assert len(beats_of(rhythm(at, 1401, 250.0), 250.0)) == len(at)


def test_a_pause_stays_empty_though_atria_go_on():
    hz = 250.0
    at = np.array([t for t in np.arange(0.5, 240, 0.9) if not 100 < t < 112])
    uv = rhythm(at, 240, hz)
    t = np.arange(uv.size) / hz
    for p in np.arange(100.2, 112, 0.7):
        uv += 150 * np.exp(-(((t - p) / 0.035) ** 2))
    found = beats_of(uv, hz) / hz
    assert len(found) == len(at)
    assert not ((found > 101) & (found < 111)).any()


def test_standstill_of_minutes_does_not_make_beats_of_p_waves():
    hz = 250.0
    at = np.array([t for t in np.arange(0.5, 1000, 0.9) if not 640 < t < 760])
    uv = rhythm(at, 1000, hz)
    t = np.arange(uv.size) / hz
    for p in np.arange(640.2, 760, 0.7):
        uv += 120 * np.exp(-(((t - p) / 0.035) ** 2))
    found = beats_of(uv, hz) / hz
    assert not ((found > 642) & (found < 758)).any()
    assert abs(len(found) - len(at)) <= 2


def test_leads_take_turns():
    hz, rng = 250.0, np.random.default_rng(4)
    at = np.arange(0.5, 300, 0.8)
    uv = np.stack([rhythm(at, 300, hz), rhythm(at, 300, hz)])
    uv[0, round(60 * hz) : round(140 * hz)] = 3.0  # the electrode falls off
    noisy = slice(round(160 * hz), round(240 * hz))
    uv[1, noisy] += 800 * rng.normal(size=round(80 * hz))
    found = beats_of(uv, hz) / hz
    counts, _ = compare((at * hz).astype(int), (found * hz).astype(int), hz)
    assert counts.fn + counts.fp <= 2


def test_flat_lines_and_noise_on_a_flat_line_have_no_beats():
    assert len(beats_of(np.zeros((2, 60_000)), 250.0)) == 0
    assert len(beats_of(np.random.default_rng(0).normal(size=(1, 60_000)), 250.0)) == 0


def test_short_recordings_are_read_too():
    assert len(beats_of(rhythm([0.5, 1.3], 2.0, 250.0), 250.0)) == 2
    assert len(beats_of(np.zeros((1, 3)), 250.0)) == 0


def test_wide_early_beats_and_twelve_leads():
    for seed in range(3):
        ecg = generate("ventricular-premature", seed=seed, duration_s=60)
        found = beats_of(
            ecg.samples_uv, 500.0, ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
        )
        counts, _ = compare((np.array(ecg.truth.beats_s) * 500).astype(int), found, 500.0)
        assert (counts.fn, counts.fp) == (0, 0)


@needs_mitdb
@pytest.mark.parametrize(("rows", "most_errors"), [([0], 70), ([0, 1], 50)])
def test_real_records_are_read_as_well_as_by_the_resting_detector(rows, most_errors):
    total = Counts()
    for name in ("106", "108", "201", "208", "223", "119"):
        whole, found = recording(MITDB / f"{name}.hea"), notes(MITDB / f"{name}.hea", "atr")
        part = cut(whole, 0, whole.n_samples, rows)
        counts, _ = compare(found.beats, find_beats(Day(part)), whole.sampling_hz)
        total.add(counts)
    assert total.tp > 12_000
    assert total.fn + total.fp <= most_errors
