"""Amplitudes and durations of drawn signals lie inside the tolerances of IEC 60601-2-25."""

from dataclasses import replace

import numpy as np
import pytest

from bench.accuracy.calibration import TOLERANCE_MS, amplitudes, durations, tolerance_uv
from bench.accuracy.calibration_signals import SIGNALS, drawn
from worker.resting.measure import measure
from worker.resting.patient import Person
from worker.resting.reading import read_signal
from worker.resting.rhythm import rhythm_of
from worker.resting.traces import prepare
from worker.resting.waves import _deflections

BY_NAME = {signal.name: signal for signal in SIGNALS}


def measured(name, noise="none", hz=500.0):
    signal = BY_NAME[name]
    reading = read_signal(prepare(drawn(signal, noise, hz=hz)), Person(), calibrated=True)
    return signal, reading, measure(reading, rhythm_of(reading))


@pytest.mark.parametrize("name", ["CAL05000", "CAL30000", "CAL inverted", "CAL ST +200", "CAL wide", "sharp 3"])
def test_amplitudes_without_noise(name):
    signal, reading, _ = measured(name)
    for lead, wave, known, found in amplitudes(signal, reading):
        assert abs(found - known) <= tolerance_uv(known), (lead, wave, known, found)


@pytest.mark.parametrize("noise", ["none", "high frequency", "mains 50 Hz", "baseline"])
def test_durations_with_each_noise(noise):
    errors: dict[str, list[float]] = {}
    for name in ("CAL10000", "CAL20000", "CAL narrow", "CAL fast", "sharp 2"):
        for lead, what, known, found in durations(*measured(name, noise)):
            assert found is not None, (name, lead, what)
            errors.setdefault(what, []).append(found - known)
    for what, values in errors.items():
        mean, spread = TOLERANCE_MS[what]
        assert abs(np.mean(values)) <= mean, (what, values)
        assert np.std(values) <= spread, (what, values)


@pytest.mark.parametrize(("hz", "noise"), [(250.0, "high frequency"), (250.0, "none"), (1000.0, "mains 50 Hz")])
def test_durations_at_other_rates(hz, noise):
    errors: dict[str, list[float]] = {}
    for name in ("CAL10000", "CAL15000", "CAL slow", "CAL fast"):
        for lead, what, known, found in durations(*measured(name, noise, hz)):
            assert found is not None, (name, lead, what)
            errors.setdefault(what, []).append(found - known)
    for what, values in errors.items():
        mean, spread = TOLERANCE_MS[what]
        assert abs(np.mean(values)) <= mean, (what, values)
        assert np.std(values) <= spread, (what, values)


def qrs_of(*corners):
    """(size, ms) corners joined by straight lines, sampled at 500 Hz."""
    ms, sizes = np.array([at for _, at in corners]), np.array([size for size, _ in corners])
    return np.interp(np.arange(0, ms[-1] + 1, 2), ms, sizes).tolist()


def test_noise_on_the_rise_of_an_r_is_no_r_of_its_own():
    rising = _deflections(qrs_of((0, 0), (45, 8), (5, 14), (600, 40), (-1500, 70), (0, 90)), 500.0)
    assert (rising["r_uv"], rising["r2_uv"]) == (600.0, 0.0)
    assert rising["s_uv"] == -1500.0
    notched = _deflections(qrs_of((0, 0), (200, 12), (5, 20), (600, 40), (0, 60)), 500.0)
    assert (notched["r_uv"], notched["r2_uv"]) == (200.0, 600.0)
    with_s = _deflections(qrs_of((0, 0), (45, 8), (-200, 20), (600, 44), (0, 60)), 500.0)
    assert (with_s["r_uv"], with_s["s_uv"], with_s["r2_uv"]) == (45.0, -200.0, 600.0)


@pytest.mark.parametrize("mains_hz", [49.8, 50.0, 50.2, 60.1])
def test_mains_are_removed_where_they_are_and_leave_no_q(mains_hz):
    signal = BY_NAME["CAL narrow"]
    plain = drawn(signal)
    seconds = np.arange(plain.n_samples) / plain.sampling_hz
    mains = 40 * np.sin(2 * np.pi * mains_hz * seconds)
    traces = prepare(replace(plain, digital=np.rint(plain.digital + mains).astype(np.int16)))
    assert traces.mains_hz == round(mains_hz, -1)
    left = (traces.clean - prepare(plain).clean)[:, 500:-500]
    assert np.abs(left).max() < 25.0
    reading = read_signal(traces, Person(), calibrated=True)
    upright = {lead: known.q for lead, known in signal.leads.items() if known.r > 0}
    assert {lead: reading.waves[lead].q_uv for lead in upright} == pytest.approx(upright, abs=25)


def test_the_rate_of_sampling_does_not_matter():
    at_500, at_1000 = (measured("CAL15000", hz=hz)[2] for hz in (500.0, 1000.0))
    for name in ("p_ms", "pr_ms", "qrs_ms", "qt_ms"):
        assert getattr(at_500, name) == pytest.approx(getattr(at_1000, name), abs=6)


def test_each_lead_is_reported_in_millivolts():
    _, _, values = measured("CAL10000")
    two, v1 = values.leads["II"], values.leads["V1"]
    assert two.r_mv == pytest.approx(1.0, abs=0.05)
    assert two.q_mv == pytest.approx(-0.1, abs=0.025)
    assert v1.s_mv == pytest.approx(-1.0, abs=0.05)
    assert two.t_mv == pytest.approx(0.3, abs=0.025)
    assert abs(two.st60_mv) < 0.025
    assert values.leads.keys() == values.st_j_mv.keys()
