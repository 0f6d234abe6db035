"""A broad, smooth beat between narrow ones is found although it slopes little and looks like no other."""

import numpy as np
import pytest
from support.drawn_rhythms import drawn

from gateway.simulate import shapes
from worker.resting.traces import prepare
from worker.signal.qrs import detect

ROWS = [0, 1, 6, 7, 8, 9, 10, 11]
SLOW_S = np.arange(-0.6, 11, 1.1)


def beats_of(qrs_s, shape_at):
    traces = prepare(drawn(SLOW_S, qrs_s, shape_at=shape_at))
    return np.array(detect(traces.spectrum, ROWS).beats) / traces.hz


@pytest.mark.parametrize("coupling_s", [0.45, 0.5, 0.62])
@pytest.mark.parametrize("shape", [shapes.ectopic_outflow(), shapes.escape_ventricular(), shapes.tachycardia_left()])
def test_an_interpolated_ventricular_beat_is_found(coupling_s, shape):
    at = SLOW_S[5] + 0.16 + coupling_s
    qrs_s = np.sort(np.append(SLOW_S + 0.16, at))
    found = beats_of(qrs_s, {int(np.searchsorted(qrs_s, at)): shape})
    assert np.abs(found - at - 0.07).min() < 0.08
    assert len(found) == 10


def test_what_follows_a_beat_as_its_t_wave_does_is_none():
    assert len(beats_of(SLOW_S + 0.16, {})) == 9
    broad = dict.fromkeys(range(len(SLOW_S)), shapes.ectopic_outflow())  # tall T waves after each
    assert len(beats_of(SLOW_S + 0.16, broad)) == 9
