"""P waves that march through: which of them were blocked, and what is no block although a beat is missing."""

import pytest
from support.simulated import recording_of, simulated

from gateway.simulate.generator import generate
from worker.resting import analyse

BLOCKS = {"82", "83", "83a", "84", "85", "87", "88"}
WANTED = {"av-block-wenckebach": "83", "av-block-mobitz-2": "84", "av-block-2-1": "85"}


@pytest.mark.parametrize("name", WANTED)
def test_each_type_is_told_from_the_others(name):
    for seed in range(20, 32):
        findings = analyse(recording_of(generate(name, seed=seed)))
        codes = {statement.code for statement in findings.statements}
        assert codes & BLOCKS == {WANTED[name]}, (seed, codes)
        assert not codes & {"1", "23", "26", "30", "30a"}, (seed, codes)


@pytest.mark.parametrize("name", WANTED)
def test_the_blocked_p_are_shown_and_the_atria_counted(name):
    ecg, findings = simulated(name, 3)
    block = next(statement for statement in findings.statements if statement.code == WANTED[name])
    places = [item for item in block.evidence if item.quantity == "blocked_p"]
    assert places
    beats = list(findings.beats_s)
    for place in places:
        later = [at - place.start_s for at in beats if at > place.start_s]
        assert not later or min(later) > 0.4
    measured = findings.measurements
    assert measured.atrial_rate_bpm > 1.15 * measured.heart_rate_bpm
    assert (measured.pr_ms is None) == (name == "av-block-wenckebach")
    if name != "av-block-wenckebach":
        assert measured.pr_ms == pytest.approx(ecg.truth.pr_ms, abs=20)


@pytest.mark.parametrize("name", ["pause-3s", "ventricular-premature", "atrial-fibrillation", "sinus-bradycardia"])
def test_a_missing_beat_without_its_p_is_no_block(name):
    for seed in range(40, 52):
        findings = analyse(recording_of(generate(name, seed=seed)))
        assert not BLOCKS & {statement.code for statement in findings.statements}, seed
