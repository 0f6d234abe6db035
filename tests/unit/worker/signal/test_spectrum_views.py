"""The quick ways to a band, a slope and a moving mean say what the plain ones say."""

import numpy as np
import pytest

from worker.signal.filters import Spectrum, highpass, lowpass, moving_mean, slope
from worker.signal.qrs_noise import noise_measures
from worker.signal.qrs_weights import Candidates, measures
from worker.signal.trees import Trees

HZ = 250.0
SIGNAL = np.cumsum(np.random.default_rng(3).normal(size=(3, 1500)), axis=1)


def test_a_kept_band_is_the_band_of_these_rows() -> None:
    spectrum = Spectrum(SIGNAL, HZ)
    response = highpass(spectrum.frequencies, 1.0) * lowpass(spectrum.frequencies, 30.0)
    np.testing.assert_array_equal(spectrum.between(1.0, 30.0, [0, 2]), spectrum.band(response, [0, 2]))
    assert spectrum.between(1.0, 30.0, [0, 2]) is spectrum.between(1.0, 30.0, [0, 2])
    np.testing.assert_array_equal(spectrum.between(1.0, 30.0, [1]), spectrum.band(response, [1]))


def test_a_view_is_the_weighted_sum_of_its_rows() -> None:
    spectrum, weights = Spectrum(SIGNAL, HZ), np.array([0.5, -2.0])
    response = lowpass(spectrum.frequencies, 20.0)
    expected = weights @ spectrum.band(response, [1, 2])
    np.testing.assert_allclose(spectrum.view(response, [1, 2], weights), expected, atol=1e-9)


def test_the_slope_is_the_gradient() -> None:
    np.testing.assert_allclose(slope(SIGNAL), np.gradient(SIGNAL, axis=1), rtol=1e-12)


@pytest.mark.parametrize(("width", "step"), [(600, 16), (45, 15), (50, 8), (7, 4), (1, 3), (5000, 10)])
def test_a_thinned_moving_mean_is_every_nth_of_the_whole(width: int, step: int) -> None:
    np.testing.assert_allclose(moving_mean(SIGNAL, width, step), moving_mean(SIGNAL, width)[:, ::step], rtol=1e-9)


def test_trees_answer_row_by_row_as_asked_one_by_one() -> None:
    rng = np.random.default_rng(5)
    trees = Trees(0.3, rng.integers(0, 4, (20, 3)), rng.normal(size=(20, 3)), rng.normal(size=(20, 4)))
    rows = rng.normal(size=(9, 4))

    def one(row: np.ndarray) -> float:
        total = trees.start
        for feature, limit, leaf in zip(trees.feature, trees.limit, trees.leaf, strict=True):
            right = int(row[feature[0]] > limit[0])
            deep = int(row[feature[1 + right]] > limit[1 + right])
            total += leaf[2 * right + deep]
        return float(total)

    np.testing.assert_allclose(trees.log_odds(rows), [one(row) for row in rows])


def test_a_burst_that_is_like_the_beats_and_where_one_is_due_is_told_from_one_that_is_not() -> None:
    seconds = np.arange(0, 12, 1 / HZ)
    beats = np.rint((0.5 + 0.8 * np.arange(14)) * HZ).astype(int)
    trace = sum(np.exp(-(((seconds - at / HZ) / 0.012) ** 2)) for at in beats) - 0.8 * np.exp(
        -(((seconds - 4.9) / 0.05) ** 2)
    )
    trace = np.asarray(trace)[None]
    units = np.gradient(trace, axis=1) / np.abs(np.gradient(trace, axis=1)).max()
    energy = np.sqrt(moving_mean(units[0] ** 2, 22)) + 1e-3
    candidates = Candidates(np.sort([*beats, 1225]), energy / energy.max(), units, trace, np.ones_like(trace), HZ)
    found = noise_measures(candidates, beats, measures(candidates, beats))
    noise = int(np.flatnonzero(candidates.at == 1225)[0])
    beat = found[np.arange(len(found)) != noise]
    assert (beat[2:-2, 12:15] > 0.95).all()
    assert (found[noise, 12:15] < 0.6).all()
    assert found[noise, 19:21].max() < np.log(0.5)  # nearer to both neighbours than a beat would be
