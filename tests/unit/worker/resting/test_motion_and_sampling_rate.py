"""An electrode that moved, and a file that names another sampling rate than it was recorded at."""

from dataclasses import replace

import numpy as np
import pytest
from support.simulated import recording_of

from gateway.simulate.generator import generate
from worker.resting import analyse


def shifted(lead: str, by_uv: float, at_s: float = 4.0):
    """A sinus rhythm whose electrode shifts at this second and stays there."""
    ecg = generate("sinus", seed=4)
    samples = np.array(ecg.samples_uv, float)
    n = samples.shape[1]
    seconds = np.arange(n) / ecg.sampling_hz
    recording = recording_of(ecg)
    samples[recording.row(lead)] += by_uv / (1 + np.exp(-(seconds - at_s) / 0.05))
    return replace(recording, digital=np.rint(samples).astype(np.int16))


def test_a_moved_electrode_is_named_with_its_seconds() -> None:
    quality = {one.lead: one for one in analyse(shifted("V4", 1800.0)).quality.leads}
    assert "motion" in quality["V4"].reasons
    ((begin, end),) = quality["V4"].moved_s
    assert 3.0 < begin < 4.0 < end < 5.2
    assert all("motion" not in one.reasons and not one.moved_s for lead, one in quality.items() if lead != "V4")


def test_a_slow_or_small_shift_is_no_motion() -> None:
    assert all("motion" not in one.reasons for one in analyse(shifted("V4", 500.0)).quality.leads)


@pytest.mark.parametrize(("times", "doubted"), [(2.0, True), (0.5, True), (1.0, False), (1.25, False), (0.8, False)])
def test_a_wrong_sampling_rate_is_doubted(times: float, doubted: bool) -> None:
    for seed in range(5):
        recording = recording_of(generate("sinus", seed=seed, rate_bpm=72, duration_s=20))
        findings = analyse(replace(recording, sampling_hz=recording.sampling_hz * times))
        quality = findings.quality
        if times < 1 and findings.measurements.p_ms is None:
            continue  # without P it may be a complete block
        assert (quality.verdict == "repeat") is doubted, (seed, times)
        assert ("采样率" in quality.advice_zh) is doubted


def test_disease_does_not_look_like_it() -> None:
    for name in ("lbbb", "long-qt", "sinus-bradycardia", "sinus-tachycardia", "av-block-first", "rbbb"):
        assert "采样率" not in analyse(recording_of(generate(name, seed=1))).quality.advice_zh, name
