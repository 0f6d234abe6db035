"""A T wave that ends where the next beat may begin is measured to its end: QTc of 550 ms is a critical value."""

import pytest
from support.simulated import recording_of

from gateway.simulate.generator import generate
from worker.resting import analyse


@pytest.mark.parametrize("seed", [101, 103, 104])
def test_a_very_long_qt_is_not_cut_off(seed: int) -> None:
    ecg = generate("long-qt", seed=seed, sex="MF"[seed % 2], age_years=25 + 5 * (seed % 12))
    findings = analyse(recording_of(ecg))
    assert ecg.truth.qt_ms is not None
    assert findings.measurements.qt_ms == pytest.approx(ecg.truth.qt_ms, abs=20)
    assert "qtc_long" in {value.rule for value in findings.critical}
