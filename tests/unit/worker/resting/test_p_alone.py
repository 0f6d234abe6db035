"""P waves that nothing follows are standstill of the ventricles, however much they look like a slow rhythm."""

import numpy as np
import pytest

from bench.accuracy.critical_cases import of_samples
from gateway.simulate.generator import LEADS, generate
from worker.recording import Recording
from worker.resting import analyse

HZ = 500
P_OF_LEADS = (0.6, 1.0, 0.4, -0.8, 0.1, 0.7, 0.3, 0.5, 0.5, 0.45, 0.4, 0.4)


def atria_alone(bpm: float, largest_uv: float, width_s: float = 0.022) -> Recording:
    """P waves in ten seconds with 8 µV of noise, and no QRS."""
    seconds = np.arange(10 * HZ) / HZ
    wave = sum(np.exp(-0.5 * ((seconds - at) / width_s) ** 2) for at in np.arange(0.3, 10, 60 / bpm))
    noise = np.random.default_rng(1).normal(0, 8, (len(LEADS), seconds.size))
    return of_samples(largest_uv * np.outer(P_OF_LEADS, wave) + noise, HZ)


def said_of(recording: Recording) -> tuple[set[str], str]:
    findings = analyse(recording)
    return {statement.code for statement in findings.statements}, findings.grade


@pytest.mark.parametrize("bpm", [45, 64, 75, 110])
@pytest.mark.parametrize("largest_uv", [120, 200, 300])
def test_p_waves_alone_are_standstill(bpm: float, largest_uv: float) -> None:
    recording = atria_alone(bpm, largest_uv)
    assert said_of(recording) == ({"26a"}, "critical")
    measured = analyse(recording).measurements
    assert measured.heart_rate_bpm is None
    assert measured.rr_max_ms == 10_000


@pytest.mark.parametrize("share", [0.15, 0.25, 1.0])
def test_a_small_heart_beats(share: float) -> None:
    """QRS of 0.3 mV and less in every lead, as through an effusion, still rise as only ventricles do."""
    made = generate("sinus", seed=3, sex="M", age_years=60, rate_bpm=70)
    codes, _ = said_of(of_samples(np.array(made.samples_uv, float) * share, made.sampling_hz))
    assert "26a" not in codes


def test_gentle_waves_that_are_large_are_an_escape() -> None:
    codes, _ = said_of(atria_alone(40, 600, 0.04))
    assert "26a" not in codes


def test_few_leads_do_not_tell() -> None:
    whole = atria_alone(64, 200)
    one = Recording(
        "drawn", "resting", ("II",), whole.digital[1:2], whole.uv_per_lsb[:1], whole.baseline[:1], whole.sampling_hz
    )
    assert "26a" not in said_of(one)[0]


def test_a_formula_without_an_answer_gives_none() -> None:
    """At fifteen beats a minute Framingham's line falls below nothing."""
    made = generate("sinus", seed=3, sex="M", age_years=60, rate_bpm=70)
    samples, hz = np.array(made.samples_uv, float), made.sampling_hz
    middle = min(made.truth.beats_s, key=lambda beat: abs(beat - 5))
    cut = samples[:, round((middle - 0.3) * hz) : round((middle + 0.5) * hz)]
    beat = cut - np.linspace(cut[:, 0], cut[:, -1], cut.shape[1], axis=1)
    rare = np.zeros_like(samples)
    for at in (0.5, 4.5, 8.5):
        rare[:, round(at * hz) :][:, : beat.shape[1]] = beat
    by_formula = analyse(of_samples(rare, hz)).measurements.qtc_by_formula
    assert by_formula
    assert "framingham" not in by_formula
    assert min(by_formula.values()) > 0
