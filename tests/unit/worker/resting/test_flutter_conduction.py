"""How many flutter waves come to one QRS, on both sides of what counts as steady."""

import numpy as np
import pytest

from bench.accuracy.critical_cases import as_recording
from gateway.simulate.generator import generate
from worker.describe import evidence_line
from worker.resting import analyse
from worker.resting.conduction import conduction_of, words_of_conduction


@pytest.mark.parametrize("ratio", [2, 3, 4, 5])
def test_a_fixed_ratio_counts_the_atria(ratio):
    rr_s = np.full(9, ratio * 60 / 290)
    found = conduction_of(rr_s, 290 * 1.02)
    assert (found.usual, found.fixed) == (ratio, True)
    assert found.atrial_bpm == pytest.approx(290, abs=0.1)


def test_one_interval_in_five_may_differ():
    steady, other = 0.4, 0.6
    assert conduction_of(np.array([steady] * 4 + [other]), 300).fixed
    changing = conduction_of(np.array([steady] * 3 + [other]), 300)
    assert not changing.fixed
    assert (changing.least, changing.most) == (2, 3)


def test_uneven_ventricles_do_not_correct_the_atrial_rate():
    uneven = np.array([0.40, 0.44, 0.37, 0.42, 0.43])
    assert conduction_of(uneven, 296).atrial_bpm == 296
    assert conduction_of(np.full(5, 0.46), 300).atrial_bpm == 300  # 2.3 cycles: not in step


def test_too_few_intervals_say_nothing():
    assert conduction_of(np.array([0.4, 0.4]), 300) is None
    assert conduction_of(np.array([0.4, 0.4, 0.4]), 300) is not None


def test_the_words():
    fixed, changing = (conduction_of(np.array(rr), 300) for rr in ([0.4] * 5, [0.4, 0.8, 0.6, 0.8, 0.4]))
    assert [(one.quantity, one.value, one.unit) for one in words_of_conduction(fixed)] == [("ratio", 2, ":1")]
    said = {one.quantity: one.value for one in words_of_conduction(changing)}
    assert said == {"ratio_least": 2, "ratio_most": 4}
    assert evidence_line(words_of_conduction(fixed)[0]).startswith("ratio 2:1  [")


@pytest.mark.parametrize(("seed", "bpm", "ratio"), [(0, 75, 4), (1, 100, 3), (4, 100, 3), (3, 58, 5)])
def test_simulated_flutter_says_its_ratio_and_its_rate(seed, bpm, ratio):
    ecg = generate("atrial-flutter", seed=seed, rate_bpm=bpm)
    findings = analyse(as_recording(ecg))
    (flutter,) = [one for one in findings.statements if one.code == "51"]
    figures = {one.quantity: one.value for one in flutter.evidence}
    assert figures["ratio"] == ratio
    assert findings.measurements.atrial_rate_bpm == pytest.approx(ecg.truth.atrial_rate_bpm, rel=0.01)
