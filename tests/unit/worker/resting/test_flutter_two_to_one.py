"""A flutter that conducts every second wave is no sinus tachycardia, and a sinus tachycardia no flutter."""

from pathlib import Path

import numpy as np
import pytest
from support.drawn_rhythms import drawn
from support.simulated import recording_of, simulated

from bench.accuracy.data import recording
from gateway.simulate.generator import generate
from worker.resting import analyse


def flutter_in(findings):
    return [one for one in findings.statements if one.code == "51"]


def test_what_looks_like_p_is_every_second_wave():
    findings = analyse(recording_of(generate("atrial-flutter", seed=3, rate_bpm=160, age_years=50)))
    (said,) = flutter_in(findings)
    values = {one.quantity: one.value for one in said.evidence}
    assert values["ratio"] == 2
    assert values["atrial_rate_bpm"] == pytest.approx(320, rel=0.02)
    assert not {"20", "21", "52", "80", "82"} & {one.code for one in findings.statements}


@pytest.mark.parametrize("bpm", [115, 130, 145, 160])
@pytest.mark.parametrize("seed", range(3))
def test_a_sinus_tachycardia_is_none(bpm, seed):
    _, findings = simulated("sinus-tachycardia", seed, rate_bpm=bpm)
    assert flutter_in(findings) == []


@pytest.mark.parametrize("p_before_s", [None, 0.11, 0.15])
@pytest.mark.parametrize("bpm", [118, 139, 151, 163])
def test_a_rate_without_p_or_with_one_before_the_qrs_is_none(bpm, p_before_s):
    qrs_s = 0.3 + np.arange(int(9.6 * bpm / 60)) * 60 / bpm
    p_s = [] if p_before_s is None else [at - p_before_s for at in qrs_s if at - p_before_s > 0.1]
    assert flutter_in(analyse(drawn(p_s, qrs_s, duration_s=10, seed=1))) == []


@pytest.mark.parametrize("name", ["cinc2021_12lead/JS09740.hea", "ludb/data/35.hea"])
def test_real_ones(ecg_data: Path, name: str):
    path = ecg_data / name
    if not path.exists():
        pytest.skip(f"no {path}")
    assert [one.certainty for one in flutter_in(analyse(recording(path)))] == ["probable"]
