"""Every named pathology of the simulator is recognised, measured and graded, whoever the person is."""

import numpy as np
import pytest
from support.simulated import recording_of, simulated

from ecg_center.domain.statements import contradicts
from gateway.simulate.generator import generate
from gateway.simulate.pathologies import Pathology
from worker.resting import analyse

SEEDS = range(6)
GRADES = {
    "sinus": "normal",
    "sinus-bradycardia": "normal",
    "sinus-tachycardia": "normal",
    "av-block-mobitz-2": "major",
    "av-block-2-1": "major",
    "pause-3s": "major",
    "lead-off": "normal",
}


def said(code: str, codes: set[str]) -> bool:
    """The code, a narrower one of our own, or for sinus rhythm its fast and slow kind."""
    narrower = any(found[:-1] == code and found[-1].isalpha() for found in codes)
    return code in codes or narrower or (code == "20" and bool(codes & {"21", "22"})) or (code == "1" and "23" in codes)


@pytest.mark.parametrize("name", [item.value for item in Pathology])
def test_every_pathology_is_said_and_its_critical_values_fire(name):
    for seed in SEEDS:
        ecg, findings = simulated(name, seed)
        codes = {statement.code for statement in findings.statements}
        missing = [code for code in ecg.truth.statements if not said(code, codes)]
        assert not missing, (seed, codes)
        assert set(ecg.truth.critical) <= {value.rule for value in findings.critical}, seed
        assert bool(findings.critical) == bool(ecg.truth.critical), seed
        assert findings.quality.verdict == ecg.truth.quality, seed
        assert findings.quality.suspected_reversal == ecg.truth.suspected_reversal, seed
        assert not contradicts(codes), seed
        if findings.critical:
            assert findings.grade == "critical"
        else:
            assert findings.grade == GRADES.get(name, "abnormal"), (seed, codes)


@pytest.mark.parametrize(
    "name", ["sinus", "sinus-tachycardia", "av-block-first", "lbbb", "rbbb", "long-qt", "stemi-inferior"]
)
def test_intervals_are_those_that_were_made(name):
    for seed in SEEDS:
        ecg, findings = simulated(name, seed)
        measured, truth = findings.measurements, ecg.truth
        assert measured.heart_rate_bpm == pytest.approx(truth.rate_bpm, abs=1.5)
        assert measured.pr_ms == pytest.approx(truth.pr_ms, abs=20)
        assert measured.qrs_ms == pytest.approx(truth.qrs_ms, abs=12)
        assert measured.qt_ms == pytest.approx(truth.qt_ms, abs=18)
        for lead, level in truth.st_j_mv.items():
            assert measured.st_j_mv[lead] == pytest.approx(level, abs=0.08)


def test_beats_are_found_where_they_are():
    for seed in SEEDS:
        ecg, findings = simulated("atrial-fibrillation", seed)
        inside = [at for at in ecg.truth.beats_s if 0.2 < at < 9.8]
        found = np.array(findings.beats_s)
        assert all(np.abs(found - at).min() < 0.03 for at in inside)
        assert len(findings.beats_s) <= len(ecg.truth.beats_s) + 1


def test_every_statement_of_a_finding_has_evidence_that_says_where():
    for name in ("atrial-fibrillation", "ventricular-premature", "stemi-anterior", "pause-5s", "rbbb", "long-qt"):
        _, findings = simulated(name, 1)
        for statement in findings.statements:
            if statement.code in ("1", "20", "21", "22", "23"):
                continue
            assert statement.evidence, statement
            assert any(item.quantity or item.leads for item in statement.evidence)
        for value in findings.critical:
            assert value.evidence


def test_electrode_faults_name_the_lead_and_the_remedy():
    _, off = simulated("lead-off", 2)
    assert {lead.lead: lead.verdict for lead in off.quality.leads}["V3"] == "off"
    assert "V3" in off.quality.advice_zh
    assert "V3" in off.quality.advice_en
    _, swapped = simulated("reversal-ra-la", 2)
    assert "左、右手" in swapped.quality.advice_zh
    _, noisy = simulated("noise", 2)
    assert noisy.measurements.qrs_ms is None
    assert noisy.grade == "abnormal"


@pytest.mark.parametrize("hz", [250, 500, 1000, 2000])
def test_the_sampling_rate_makes_no_difference(hz):
    for name in ("sinus", "stemi-inferior", "rbbb"):
        ecg = generate(name, seed=3, sampling_hz=hz)
        findings = analyse(recording_of(ecg))
        codes = {statement.code for statement in findings.statements}
        assert all(said(code, codes) for code in ecg.truth.statements)
        assert findings.measurements.qrs_ms == pytest.approx(ecg.truth.qrs_ms, abs=14)


def test_standstill_and_disconnected_electrodes_are_not_the_same():
    rng = np.random.default_rng(0)
    ecg = generate("sinus", seed=0)
    silent = analyse(recording_of(ecg, digital=rng.normal(0, 4, (12, 5000)).astype(np.int16)))
    dead = analyse(recording_of(ecg, digital=np.zeros((12, 5000), np.int16)))
    assert dead.quality.verdict == "repeat"
    assert [statement.code for statement in dead.statements] == ["4"]
    assert silent.grade != "normal"
    assert dead.grade != "normal"


def test_uncalibrated_recordings_say_nothing_about_amplitudes():
    findings = analyse(recording_of(generate("stemi-anterior", seed=1), calibrated=False))
    assert findings.measurements.st_j_mv == {}
    assert findings.measurements.rv5_mv is None
    assert not any(statement.code.endswith(".330") for statement in findings.statements)
    assert findings.measurements.heart_rate_bpm is not None


def test_what_is_no_resting_ecg_is_never_called_normal():
    ecg = generate("sinus", seed=0)
    for changed in (
        recording_of(ecg, kind="holter"),
        recording_of(ecg, digital=recording_of(ecg).digital[:, :500].copy()),
    ):
        findings = analyse(changed)
        assert findings.grade == "abnormal"
        assert findings.statements == []
        assert findings.warnings
