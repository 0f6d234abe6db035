"""The wave that the cold sets on J: its height, its leads, what must stand beside it."""

import numpy as np
import pytest
from support.simulated import recording_of

from bench.accuracy.critical_shapes import bump
from ecg_center.domain.statements import contradicts
from gateway.simulate.generator import LEADS, generate
from worker.resting import analyse

WHERE = ("II", "V3", "V4", "V5", "V6")


def said(height_uv: float, *, leads=WHERE, name: str = "sinus-bradycardia", bpm: float = 48, seed: int = 1, late=0.066):
    """Findings of a heart with a hump of this height on J in these leads."""
    ecg = generate(name, seed=seed, rate_bpm=bpm, sex="M", age_years=50)
    samples, seconds = np.array(ecg.samples_uv, float), np.arange(ecg.samples_uv.shape[1]) / ecg.sampling_hz
    form = bump(late, 0.009)
    for beat in ecg.truth.beats_s:
        for lead in leads:
            samples[LEADS.index(lead)] += height_uv * form(seconds - beat)
    findings = analyse(recording_of(ecg, digital=np.round(samples).astype(np.int16)))
    codes = {one.code: one.certainty for one in findings.statements}
    assert not contradicts(codes)
    return codes


@pytest.mark.parametrize("seed", range(4))
def test_a_high_wave_on_j_beside_a_slow_rate_is_osborns(seed: int) -> None:
    assert said(420.0, seed=seed).get("154") == "possible"
    assert "154" not in said(130.0, seed=seed)
    assert "154" not in said(420.0, leads=("V4", "V5"), seed=seed)
    assert "154" not in said(0.0, seed=seed)


def test_a_long_qt_beside_it_makes_it_surer_and_neither_takes_it_away() -> None:
    assert said(420.0, name="long-qt", bpm=56).get("154") == "probable"
    assert "154" not in said(420.0, name="sinus", bpm=75)


def test_block_and_a_wave_that_is_t_are_none() -> None:
    assert "154" not in said(420.0, name="rbbb", bpm=58)
    assert "154" not in said(420.0, late=0.15)
