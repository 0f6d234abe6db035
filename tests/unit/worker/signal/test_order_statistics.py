"""The fast median and quantile give what numpy's give, to the last bit."""

import numpy as np
import pytest

from worker.signal.order import median, quantile


@pytest.mark.parametrize("shape", [(1,), (2,), (3,), (8,), (1, 5), (4, 7), (5, 10), (3, 5, 6), (12, 2, 9)])
def test_median_is_numpys(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(5).normal(size=shape)
    for axis in range(-1, len(shape)):
        np.testing.assert_array_equal(median(values, axis), np.median(values, axis=axis))


@pytest.mark.parametrize("n", range(1, 24))
def test_median_of_whole_beats_is_numpys(n: int) -> None:
    values = np.random.default_rng(n).integers(-40, 40, size=(n, 4, 300)).astype(float)
    before = values.copy()
    np.testing.assert_array_equal(median(values, 0), np.median(values, axis=0))
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.25, 0.3, 0.5, 0.6, 0.95, 0.99, 1.0])
@pytest.mark.parametrize("shape", [(1,), (2,), (9,), (4, 10), (2, 3, 101)])
def test_quantile_is_numpys(share: float, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(6).normal(size=shape)
    np.testing.assert_array_equal(quantile(values, share), np.quantile(values, share, axis=-1))


def test_equal_values_and_the_argument_stay_as_they_were() -> None:
    values = np.array([[2.0, 2.0, 2.0, 7.0], [7.0, 1.0, 1.0, 1.0]])
    before = values.copy()
    assert median(values).tolist() == [2.0, 1.0]
    assert quantile(values, 1.0).tolist() == [7.0, 7.0]
    np.testing.assert_array_equal(values, before)
