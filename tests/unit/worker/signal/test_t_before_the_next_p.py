"""Where T ends in a quick heart, whose next P rises at the end of the median beat."""

import numpy as np
import pytest

from worker.signal.beats import MedianBeat
from worker.signal.delineate import delineate

HZ = 500
MS = np.arange(0, 708, 2.0)
"""The median beat ends on the rise of the next P."""
R_MS = 300.0
RR_S = 0.63


def wave(size, at_ms, sd_ms):
    return size * np.exp(-0.5 * ((MS - at_ms) / sd_ms) ** 2)


def limits_of(t_uv, next_p_uv, t_at=R_MS + 230, p_at=R_MS + 440):
    lead = wave(900, R_MS, 9) + wave(t_uv, t_at, 28) + wave(next_p_uv, p_at, 24)
    other = wave(-300, R_MS, 9) + wave(-0.3 * t_uv, t_at, 28) + wave(-0.5 * next_p_uv, p_at, 24)
    beat = MedianBeat(np.stack([lead, other]), round(R_MS / 2), 9, np.full(2, 2.0))
    return delineate(beat, [0, 1], HZ, RR_S, with_p=False)


@pytest.mark.parametrize("t_uv", [-100.0, 100.0])
@pytest.mark.parametrize("next_p_uv", [0.0, 60.0, -60.0, 150.0, -150.0, 190.0, -190.0, 300.0, -300.0])
def test_the_next_p_is_not_taken_for_t(t_uv, next_p_uv):
    found = limits_of(t_uv, next_p_uv)
    assert found.t_off is not None
    assert found.t_peak * 2 == pytest.approx(R_MS + 230, abs=12)
    assert found.t_off * 2 == pytest.approx(R_MS + 230 + 2.2 * 28, abs=24)


def test_a_second_lobe_of_t_still_belongs_to_it():
    lead = wave(900, R_MS, 9) + wave(150, R_MS + 180, 25) - wave(120, R_MS + 270, 25)
    beat = MedianBeat(np.stack([lead, -0.4 * lead]), round(R_MS / 2), 9, np.full(2, 2.0))
    found = delineate(beat, [0, 1], HZ, RR_S, with_p=False)
    assert found.t_peak * 2 == pytest.approx(R_MS + 270, abs=14)


def test_no_t_where_only_the_next_p_rises():
    assert limits_of(0.0, 190.0).t_off is None
