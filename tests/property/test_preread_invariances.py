"""What must not matter to the pre-read does not: offset, lead order, where the recording starts, mains."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.simulate.generator import LEADS, generate
from worker.recording import Recording
from worker.resting import analyse

NAMES = st.sampled_from(["sinus", "atrial-fibrillation", "lbbb", "rbbb", "stemi-anterior", "av-block-first", "long-qt"])
SLOW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def recording_of(samples: np.ndarray, hz: float = 500.0, leads: tuple[str, ...] = LEADS) -> Recording:
    digital = np.rint(samples).clip(-32768, 32767).astype(np.int16)
    return Recording("simulated", "resting", leads, digital, np.ones(len(digital)), np.zeros(len(digital)), hz)


def words(recording: Recording) -> list[str]:
    return [statement.code for statement in analyse(recording).statements if statement.code != "23"]


@SLOW
@given(NAMES, st.integers(0, 20), st.lists(st.floats(-2000, 2000), min_size=12, max_size=12))
def test_a_constant_offset(name, seed, offsets):
    samples = np.asarray(generate(name, seed=seed).samples_uv, float)
    moved = samples + np.rint(np.array(offsets))[:, None]
    first, second = analyse(recording_of(samples)).measurements, analyse(recording_of(moved)).measurements
    assert first.qrs_ms == second.qrs_ms
    assert first.heart_rate_bpm == second.heart_rate_bpm
    assert words(recording_of(samples)) == words(recording_of(moved))


@SLOW
@given(NAMES, st.integers(0, 20), st.permutations(range(12)))
def test_the_order_of_the_leads(name, seed, order):
    samples = np.asarray(generate(name, seed=seed).samples_uv, float)
    shuffled = recording_of(samples[list(order)], leads=tuple(LEADS[row] for row in order))
    first, second = analyse(recording_of(samples)), analyse(shuffled)
    assert [s.code for s in first.statements] == [s.code for s in second.statements]
    assert first.measurements.qt_ms == pytest.approx(second.measurements.qt_ms, abs=4)


@SLOW
@given(NAMES, st.integers(0, 20), st.floats(0.25, 4.0))
def test_the_scale_of_a_step(name, seed, scale):
    """The same heart, written with other steps: the words stay."""
    recording = recording_of(np.asarray(generate(name, seed=seed).samples_uv, float))
    finer = replace(
        recording, digital=np.rint(recording.digital / scale).astype(np.int16), uv_per_lsb=np.full(12, float(scale))
    )
    assert words(recording) == words(finer)


@SLOW
@given(
    st.sampled_from(["sinus", "lbbb", "stemi-anterior", "long-qt"]), st.integers(0, 20), st.sampled_from([50.0, 60.0])
)
def test_mains_of_forty_microvolts(name, seed, mains_hz):
    samples = np.asarray(generate(name, seed=seed).samples_uv, float)
    hum = 40 * np.sin(2 * np.pi * mains_hz * np.arange(samples.shape[1]) / 500)
    clean, noisy = analyse(recording_of(samples)), analyse(recording_of(samples + hum))
    assert noisy.measurements.qrs_ms == pytest.approx(clean.measurements.qrs_ms, abs=10)
    assert noisy.measurements.qt_ms == pytest.approx(clean.measurements.qt_ms, abs=10)
    assert bool(noisy.critical) == bool(clean.critical)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.sampled_from(["noise", "steps", "spikes", "constant", "ramp"]))
def test_no_signal_breaks_the_analysis(seed, n_leads, kind):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 6000))
    samples = {
        "noise": rng.normal(0, float(rng.uniform(1, 8000)), (n_leads, n)),
        "steps": np.repeat(rng.integers(-30000, 30000, (n_leads, n // 50 + 1)), 50, axis=1)[:, :n],
        "spikes": (rng.random((n_leads, n)) < 0.003) * 30000.0,
        "constant": np.full((n_leads, n), float(rng.integers(-32768, 32767))),
        "ramp": np.linspace(-32768, 32767, n)[None].repeat(n_leads, axis=0),
    }[kind]
    findings = analyse(recording_of(samples, float(rng.choice([125, 250, 360, 500, 1000])), LEADS[:n_leads]))
    assert findings.grade in ("critical", "major", "abnormal", "normal")
