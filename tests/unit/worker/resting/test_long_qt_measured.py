"""A QT that fills the interval up to the next P wave is measured to its end, at whatever rate."""

import pytest

from bench.accuracy.critical_cases import as_recording
from gateway.simulate.generator import generate
from worker.resting import analyse

TOLERANCE_MS = 20


@pytest.mark.parametrize("seed", range(100, 120))
def test_a_long_qt_loses_nothing(seed: int) -> None:
    ecg = generate("long-qt", seed=seed, sex="F" if seed % 2 else "M", age_years=25 + 5 * (seed % 12))
    found = analyse(as_recording(ecg))
    assert found.measurements.qt_ms == pytest.approx(ecg.truth.qt_ms, abs=TOLERANCE_MS)
    assert {value.rule for value in found.critical} >= set(ecg.truth.critical)
