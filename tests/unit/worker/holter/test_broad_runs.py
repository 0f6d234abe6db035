"""A broad regular run in a day of narrow beats is ventricular, whatever the single beats of it look like."""

import numpy as np
import pytest
from support.holter_examples import drawn, narrow, within

from gateway.simulate import shapes
from worker.critical import DEFAULT
from worker.holter.analysis import analyse
from worker.resting import Patient


def told(part):
    findings, measured = analyse(within(part), Patient(), rule_set=DEFAULT)
    return {said.code for said in findings.statements}, {value.rule for value in findings.critical}, measured.rhythms


def broad(shape, bpm, qt_share, seconds):
    at = np.arange(0.3, seconds - 0.3, 60 / bpm)
    return drawn([], at, seconds, shape=shape(), qt_ms=qt_share * 60_000 / bpm)


@pytest.mark.parametrize(
    ("shape", "bpm", "qt_share"),
    [
        (shapes.lbbb, 200, 0.35),  # all called normal, for they were compared with the narrow beats at both ends
        (shapes.lbbb, 215, 0.35),
        (shapes.lbbb, 230, 0.55),  # a few in between called normal: no run of thirty seconds was left
        (shapes.rbbb, 170, 0.9),  # in one shape with the narrow beats
        (shapes.ectopic_outflow, 155, 0.75),  # called supraventricular, and the rate taken with the sinus beats beside
    ],
)
def test_forty_seconds_of_it_are_critical(shape, bpm, qt_share):
    codes, critical, stretches = told(broad(shape, bpm, qt_share, 40))

    assert "ventricular_tachycardia" in critical
    assert "70" in codes
    assert not codes & {"55a", "55b", "76"}
    assert not stretches  # the beats tell it


@pytest.mark.parametrize("bpm", [205, 215])
def test_what_fills_a_strip_is_told(bpm):
    codes, _, _ = told(broad(shapes.lbbb, bpm, 0.35, 14))

    assert codes & {"71", "76"}


@pytest.mark.parametrize("bpm", [170, 205, 230])
def test_narrow_runs_are_not(bpm):
    codes, critical, _ = told(narrow(bpm, 40))

    assert "55a" in codes
    assert not codes & {"70", "71", "76"}
    assert "ventricular_tachycardia" not in critical
