"""What is done in vectors where the step is known says the same as the general way."""

import numpy as np
import pytest

from worker.holter import align
from worker.holter.bands import _correlate, _every_third, bands_for
from worker.holter.day import Day
from worker.recording import Recording


@pytest.mark.parametrize("n_leads", [1, 2, 3, 4])
def test_leads_side_by_side_are_read_as_leads_one_after_the_other(n_leads):
    random = np.random.default_rng(n_leads)
    digital = random.integers(-2000, 2000, (n_leads, 5001)).astype(np.int16)
    scale, zero = random.uniform(0.5, 5, n_leads), random.uniform(-90, 90, n_leads)
    blocks = [
        Day(Recording("", "holter", ("II", "V1", "V5", "V2")[:n_leads], held, scale, zero, 250.0)).block(-3, 5010)
        for held in (digital, np.ascontiguousarray(digital.T).T)
    ]
    assert (blocks[0] == blocks[1]).all()
    wanted = (digital.astype(float) - zero[:, None]) * scale[:, None]
    np.testing.assert_allclose(blocks[1][:, 3:5004], wanted, rtol=1e-5, atol=1e-2)


@pytest.mark.parametrize("n", [40, 41, 42, 3000])
def test_every_third_value_is_that_of_the_whole_filter(n):
    x = np.random.default_rng(n).normal(0, 300, n).astype(np.float32)
    thin = bands_for(250.0).thin
    whole, thirds = np.empty_like(x), np.empty(-(-n // 3), np.float32)
    _correlate(x, thin, whole)
    _every_third(x, thin, thirds)
    np.testing.assert_allclose(thirds, whole[::3], rtol=1e-5, atol=1e-3)


def test_a_shape_that_is_not_asked_is_nowhere_near():
    random = np.random.default_rng(7)
    held = np.tile(np.array([1, 5]), (6, 1))
    for _ in range(200):
        beat, shapes = random.normal(0, 100, 60), random.normal(0, 100, (6, 36)) * random.uniform(0.2, 5, (6, 1))
        windows = np.lib.stride_tricks.sliding_window_view(beat, 36)
        own, its = 1.0 + (windows**2).sum(axis=1), 1.0 + (shapes**2).sum(axis=1)
        off = (own + its[:, None] - 2.0 - 2.0 * (shapes @ windows.T)) / np.maximum(own, its[:, None])
        asked = align._may_be_near(own, its, held, 0.22)
        assert (off[~asked] >= 0.22).all()
        assert not align._may_be_near(own, np.full(6, 1.0 + 1e9), held, 0.22).any()
