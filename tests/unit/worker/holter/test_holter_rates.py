"""Any recorder: 125 to 1000 samples a second, one to twelve leads, the same day."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from bench.accuracy.data import notes, recording
from bench.accuracy.qrs import unscored
from bench.accuracy.score import compare
from gateway.simulate.generator import generate
from worker.holter.analysis import analyse
from worker.holter.day import Day
from worker.holter.detect import find_beats
from worker.holter.measured import NOT_MEASURED
from worker.recording import Recording

TWELVE = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
MITDB = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "mitdb"
MINUTE_S = 60.0
RATES = (125.0, 128.0, 250.0, 360.0, 1000.0)


def made(hz, n_leads, pathology="ventricular-premature"):
    """A recording resampled from one of 1000 Hz, so that every rate has the same beats."""
    ecg = generate(pathology, seed=6, duration_s=2 * MINUTE_S, sampling_hz=1000)
    ratio = {125.0: (1, 8), 128.0: (16, 125), 250.0: (1, 4), 360.0: (9, 25), 1000.0: (1, 1)}[hz]
    uv = np.rint(resample_poly(ecg.samples_uv[:n_leads].astype(float), *ratio, axis=1)).astype(np.int16)
    ones, zeros = np.ones(n_leads), np.zeros(n_leads)
    return Recording("", "holter", TWELVE[:n_leads], uv, ones, zeros, hz), np.array(ecg.truth.beats_s), ecg.truth


@pytest.mark.parametrize("hz", RATES)
def test_every_rate_tells_the_same_day(hz):
    whole, beats_s, truth = made(hz, 3)
    findings, measured = analyse(whole)
    counts, _ = compare(np.rint(beats_s * hz).astype(int), measured.beats.sample, hz)
    assert counts.fn + counts.fp <= 1
    ectopic = truth.beat_shapes.count("ectopic")
    assert ectopic >= 5
    assert findings.holter.ventricular.beats == pytest.approx(ectopic, abs=1)
    minutes = measured.minutes
    there = minutes.st_uv[1] != NOT_MEASURED
    assert there.mean() > 0.5
    assert np.abs(minutes.st_uv[1][there]).max() < 100
    qt_ms = minutes.qt_ms[minutes.qt_ms != NOT_MEASURED]
    assert qt_ms.size > 3
    assert 300 < np.median(qt_ms) < 460


def test_qt_and_st_differ_little_between_rates():
    told = {hz: analyse(made(hz, 3, "sinus")[0])[1].minutes for hz in RATES}
    usual = told[1000.0]
    for minutes in told.values():
        both = (minutes.qt_ms != NOT_MEASURED) & (usual.qt_ms != NOT_MEASURED)
        assert both.mean() > 0.5
        assert abs(np.median(minutes.qt_ms[both].astype(int) - usual.qt_ms[both])) <= 8  # one sample of 125 Hz
        assert np.abs(np.median(minutes.st_uv.astype(int) - usual.st_uv, axis=1)).max() <= 15


@pytest.mark.parametrize("n_leads", range(1, 13))
def test_one_to_twelve_leads(n_leads):
    hz = RATES[n_leads % len(RATES)]
    whole, beats_s, _ = made(hz, n_leads)
    _, measured = analyse(whole)
    counts, _ = compare(np.rint(beats_s * hz).astype(int), measured.beats.sample, hz)
    assert counts.fn + counts.fp <= 1
    assert measured.minutes.st_uv.shape[0] == n_leads
    assert all(template.median_uv.shape[0] == n_leads for template in measured.templates)
    assert measured.beats.template.min() >= 0


@pytest.mark.skipif(not (MITDB / "101.hea").exists(), reason="needs MIT-BIH records (ECG_DATA)")
@pytest.mark.parametrize("name", ["106", "119", "208"])
def test_real_records_at_other_rates_are_found_as_at_their_own(name):
    whole, marks = recording(MITDB / f"{name}.hea"), notes(MITDB / f"{name}.hea", "atr")
    excluded = unscored(marks, whole.n_samples)
    uv = whole.microvolts()
    missed = {}
    for hz, ratio in ((360.0, (1, 1)), (128.0, (16, 45)), (1000.0, (25, 9))):
        digital = np.clip(np.rint(resample_poly(uv, *ratio, axis=1)), -32767, 32767).astype(np.int16)
        found = find_beats(Day(Recording("", "holter", whole.leads, digital, np.ones(2), np.zeros(2), hz)))
        at = np.rint(found * whole.sampling_hz / hz).astype(int)
        counts, _ = compare(marks.beats, at, whole.sampling_hz, excluded=excluded)
        missed[hz] = counts.fn + counts.fp
        assert counts.fn + counts.fp <= 0.01 * counts.tp
    assert max(missed.values()) - missed[360.0] <= 5
