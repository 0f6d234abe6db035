"""A long QT whose T ends where the next P nearly begins is measured to its end, and is called critical."""

import pytest

from bench.accuracy.critical_cases import as_recording
from gateway.simulate.generator import generate
from worker.resting import analyse


@pytest.mark.parametrize("seed", [100, 101, 103, 107])
def test_the_end_of_t_near_the_next_p(seed: int) -> None:
    ecg = generate("long-qt", seed=seed, sex="F" if seed % 2 else "M", age_years=25 + 5 * (seed % 12))
    findings = analyse(as_recording(ecg))
    assert findings.measurements.qt_ms == pytest.approx(ecg.truth.qt_ms, abs=15.0)
    assert set(ecg.truth.critical) <= {value.rule for value in findings.critical}
