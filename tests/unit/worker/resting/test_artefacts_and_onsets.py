"""What noise must not be taken for: a P on the T before, R on T, ventricular tachycardia, a premature beat."""

from dataclasses import replace

import numpy as np
import pytest
from support.simulated import recording_of

from gateway.simulate.generator import LEADS, generate
from worker.formats import read
from worker.resting import analyse

VENTRICULAR = {"60", "60a", "60b", "60c", "60d", "60e", "60g", "71"}


@pytest.fixture
def formats(ecg_data):
    folder = ecg_data / "formats"
    if not folder.is_dir():
        pytest.skip(f"no recordings in {folder}")
    return folder


def test_the_onset_of_p_does_not_lie_on_the_t_before(formats):
    findings = analyse(read(formats / "muse_xml" / "egm_muse-sinus.xml"))
    assert findings.measurements.pr_ms == pytest.approx(144, abs=20)  # as the device measured
    assert findings.measurements.p_ms < 120
    assert not {"82", "110"} & {statement.code for statement in findings.statements}


def test_noise_in_a_single_lead_is_no_critical_value(formats):
    findings = analyse(read(formats / "csv" / "ecgxai_applewatch.csv"))
    assert findings.critical == []
    for statement in findings.statements:
        assert statement.code not in VENTRICULAR or statement.certainty == "possible"


def in_one_lead(seed: int, lead: str):
    """Sinus rhythm in which one electrode moves twice, early and broad."""
    ecg = generate("sinus", seed=seed)
    samples = np.asarray(ecg.samples_uv, float).copy()
    hz, row = ecg.sampling_hz, LEADS.index(lead)
    bump = 2500 * np.hanning(round(0.16 * hz))
    for beat in (ecg.truth.beats_s[3], ecg.truth.beats_s[6]):
        start = round((beat + 0.36) * hz)
        samples[row, start : start + bump.size] += bump
    return recording_of(ecg, digital=samples.astype(np.int16))


@pytest.mark.parametrize("lead", ["V1", "V4", "V6"])
def test_what_one_lead_of_twelve_shows_is_no_beat(lead):
    for seed in range(4):
        plain = analyse(recording_of(generate("sinus", seed=seed)))
        moved = analyse(in_one_lead(seed, lead))
        assert not VENTRICULAR & {statement.code for statement in moved.statements}
        assert len(moved.beats_s) == len(plain.beats_s)


def test_a_premature_beat_of_a_calm_single_lead_is_believed():
    for seed in range(4):
        whole = recording_of(generate("ventricular-premature", seed=seed))
        row = LEADS.index("V1")
        alone = replace(
            whole, leads=("V1",), digital=whole.digital[[row]].copy(), uv_per_lsb=np.ones(1), baseline=np.zeros(1)
        )
        found = [item for item in analyse(alone).statements if item.code in VENTRICULAR]
        assert found
        assert all(item.certainty == "probable" for item in found if item.code != "60e")
