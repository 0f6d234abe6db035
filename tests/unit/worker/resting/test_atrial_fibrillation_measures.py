"""What tells atrial fibrillation from other irregular rhythms; the trees themselves are judged by bench.accuracy."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from gateway.simulate.pathologies import Pathology
from gateway.simulate.studies import record
from worker.formats import read
from worker.resting import af
from worker.resting.patient import Patient, person_of
from worker.resting.reading import Reading, read_signal
from worker.resting.traces import prepare
from worker.signal.beats import Beats


def reading_of(pathology: str, number: int = 1) -> Reading:
    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    recording = read(record(Pathology(pathology), number, at, device="TEST").file.content)
    return read_signal(prepare(recording), person_of(recording, Patient()), calibrated=True)


def named(pathology: str) -> dict[str, float]:
    found = af.measures(reading_of(pathology))
    assert found is not None
    return dict(zip(af.NAMES, found.tolist(), strict=True))


def test_sinus_rhythm_repeats_its_p_and_its_intervals() -> None:
    sinus, fibrillation = named("sinus"), named("atrial-fibrillation")
    assert sinus["p_repeats"] > fibrillation["p_repeats"] + 1
    assert sinus["p_likeness"] > 0.9
    assert sinus["rmssd"] < 0.05 < fibrillation["rmssd"]
    assert sinus["entropy"] < fibrillation["entropy"]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_sign_of_the_log_odds(number: int) -> None:
    assert af.log_odds(reading_of("atrial-fibrillation", number)) > 0
    assert af.log_odds(reading_of("sinus", number)) < 0
    assert af.log_odds(reading_of("ventricular-premature", number)) < 0


def test_early_beats_are_taken_out_of_the_change() -> None:
    steady = np.full(30, 0.8)
    bigeminal = steady.copy()
    bigeminal[10::6], bigeminal[11::6] = 0.5, 1.1
    assert af._change_without_early(bigeminal) == pytest.approx(0.0)
    assert af._change_without_early(0.8 + 0.2 * np.random.default_rng(0).standard_normal(30)) > 0.05


def test_too_few_beats_say_nothing() -> None:
    whole = reading_of("sinus")
    some = whole.beats
    few = replace(whole, beats=Beats(some.at[:4], some.group[:4], some.width_s[:4], some.size[:4]))
    assert af.measures(few) is None
    assert af.log_odds(few) == -np.inf


def test_both_halves_of_the_beats_have_the_p_of_a_sinus_rhythm() -> None:
    sinus, fibrillation = named("sinus"), named("atrial-fibrillation")
    assert sinus["p_halves"] > 0.95 > fibrillation["p_halves"]
    assert sinus["p_steady"] > fibrillation["p_steady"] + 1


def test_neighbouring_intervals_tell_early_beats_and_breathing_apart() -> None:
    believed = np.ones(61, bool)
    bigeminal = np.tile([0.6, 1.0], 30)
    breathing = 0.8 + 0.1 * np.sin(2 * np.pi * np.arange(60) / 6)
    *_, turns_back, goes_on = af._beside(bigeminal, believed)
    assert turns_back == pytest.approx(-1.0, abs=0.05)
    assert goes_on == pytest.approx(-1.0, abs=0.05)
    *_, turns_back, goes_on = af._beside(breathing, believed)
    assert turns_back > 0.4
    assert goes_on > 0.4


def test_a_beat_that_is_not_believed_changes_nothing() -> None:
    rr_s = np.full(30, 0.8)
    rr_s[14:16] = 0.4, 1.2  # a movement of the electrode, taken for a beat
    believed = np.ones(31, bool)
    believed[15] = False
    change_s, large, *_ = af._beside(rr_s, believed)
    assert change_s == pytest.approx(0.0)
    assert large == 0.0
    assert af._beside(rr_s, np.ones(31, bool))[1] > 0.0
