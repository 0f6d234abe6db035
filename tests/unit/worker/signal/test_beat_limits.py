"""Limits of every beat lie where the waves were drawn."""

import numpy as np
import pytest
from support.simulated import recording_of

from bench.accuracy.calibration_signals import SIGNALS, drawn, onsets_s
from gateway.simulate.generator import generate
from worker.resting.patient import Person
from worker.resting.reading import read_signal
from worker.resting.traces import prepare
from worker.signal.beat_limits import WAVE_POINTS, delineate_beats
from worker.signal.beats import Beats
from worker.signal.delineate import pacing_spike


def limits_of(recording):
    traces = prepare(recording)
    reading = read_signal(traces, Person(), calibrated=True)
    found = delineate_beats(traces.clean, reading.beats, reading.rows, traces.hz, reading.median, reading.first_limits)
    return reading, found


def test_limits_of_drawn_beats():
    signal = next(item for item in SIGNALS if item.name == "CAL15000")
    reading, found = limits_of(drawn(signal, "high frequency"))
    onsets = onsets_s(signal) * reading.traces.hz
    for name, ms in (
        ("p_on", -signal.pr_ms),
        ("p_off", signal.p_ms - signal.pr_ms),
        ("qrs_on", 0.0),
        ("qrs_off", signal.qrs_ms),
        ("t_off", signal.qt_ms),
    ):
        places = np.nanmedian(getattr(found, name), axis=1)[1:-1]
        for place in places:
            error_ms = 1000 / reading.traces.hz * (place - onsets) - ms
            assert np.abs(error_ms).min() < 16, (name, place)


def test_waves_stand_in_order_and_none_is_left_out():
    ecg = generate("sinus", seed=3)
    reading, found = limits_of(recording_of(ecg))
    assert found.qrs_on.shape == (reading.beats.at.size, 12)
    order = np.stack([getattr(found, name) for name in WAVE_POINTS])
    assert not np.isnan(order).any()
    for first, second in (("p_on", "p_off"), ("p_off", "qrs_on"), ("qrs_on", "qrs_off"), ("qrs_off", "t_off")):
        assert (getattr(found, second) - getattr(found, first) > -10).all(), (first, second)


@pytest.mark.parametrize(
    ("leads_in", "expected"), [([40] * 6, 40), ([40, 40, 60, 41], 40), ([200] * 6, None), ([], None)]
)
def test_the_spike_that_paces(leads_in, expected):
    at = np.arange(500, 500 * 7, 500)
    beats = Beats(at, np.zeros(6, int), np.ones(6), np.ones(6))
    spikes_s = [(int(beat) - lead) / 500 for beat, lead in zip(at, leads_in, strict=False)]
    assert pacing_spike(spikes_s, beats, 500.0) == expected
