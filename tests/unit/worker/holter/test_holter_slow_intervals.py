"""The long series of intervals: its own spline is scipy's, and what varies slowly has the spectrum of the whole."""

import numpy as np
import pytest
from scipy.interpolate import make_interp_spline

from worker.holter.hrv import Intervals, frequency
from worker.holter.hrv.slow import splined


def intervals(n, seed, *, gaps=0):
    rng = np.random.default_rng(seed)
    nn_ms = 850 + 60 * np.sin(np.arange(n) / 4000) + 25 * np.sin(np.arange(n) / 4.1) + rng.normal(0, 30, n)
    end_s = np.cumsum(nn_ms / 1000)
    for at in rng.integers(1, n, gaps).tolist():
        end_s[at:] += rng.uniform(2, 4000)
    return Intervals(nn_ms, end_s, np.ones(n - 1, bool), n)


@pytest.mark.parametrize("seed", range(3))
def test_the_spline_is_scipys_however_uneven_the_points(seed):
    rng = np.random.default_rng(seed)
    x = np.cumsum(rng.uniform(0.25, 3.0, 400) * rng.choice([1.0, 1.6], 400))
    y = rng.normal(800, 80, 400)
    first, last = 7, int((x[-1] - x[0]) * 4) + 3
    at = x[0] + np.arange(first, last) / 4
    wanted = np.where(at > x[-1], y[-1], make_interp_spline(x, y, k=2)(at))
    np.testing.assert_allclose(splined(x, y, x[0], first, last), wanted, rtol=0, atol=1e-9)


@pytest.mark.parametrize("gaps", [0, 5])
def test_what_varies_slowly_has_the_powers_of_the_whole_series(monkeypatch, gaps):
    series = intervals(60_000, 4, gaps=gaps)
    found = frequency.frequency_metrics(series)
    monkeypatch.setattr(frequency, "LONG", 1 << 30)
    wanted = frequency.frequency_metrics(series)
    assert found.keys() == wanted.keys() >= {"ulf_ms2", "vlf_ms2", "lf_ms2", "hf_ms2"}
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-8), name
