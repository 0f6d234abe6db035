"""Electrode motion in the only lead: the trees are asked there, and not in a calm trace, nor of two leads."""

import numpy as np

from bench.accuracy.score import compare
from worker.signal.filters import Spectrum, lowpass
from worker.signal.qrs import candidates_of, detect, find_beats, likely
from worker.signal.qrs_agreement import weigh_agreement
from worker.signal.qrs_noise import noise_measures, shares_of_trees, unevenness
from worker.signal.qrs_noise_weights import TREES
from worker.signal.qrs_slight_noise_weights import TREES as SLIGHT_TREES
from worker.signal.qrs_weights import FLOOR_COLUMN, measures, weigh

HZ = 250.0
BEATS_S = np.cumsum(0.8 + 0.06 * np.sin(np.arange(70)))


def trace(motion_uv: float) -> np.ndarray:
    at = np.arange(round(58 * HZ)) / HZ
    beats = sum(900 * np.exp(-(((at - beat) / 0.012) ** 2)) for beat in BEATS_S)
    white = np.random.default_rng(7).normal(size=(1, at.size))
    spectrum = Spectrum(white, HZ)
    slow = spectrum.band(lowpass(spectrum.frequencies, 9.0))[0]
    return np.asarray(beats + motion_uv * slow / slow.std() + np.random.default_rng(8).normal(scale=5, size=at.size))


def shares(signal: np.ndarray) -> tuple[float, float]:
    spectrum = Spectrum(signal[None], HZ)
    candidates, _ = candidates_of(spectrum, [0])
    assert candidates is not None
    beats = np.array(detect(spectrum, [0]).beats, int)
    return shares_of_trees(measures(candidates, beats)[:, FLOOR_COLUMN], beats / HZ)


def test_only_a_restless_trace_asks_the_trees() -> None:
    assert max(shares(trace(0.0))) < 0.02
    assert shares(trace(260.0))[1] > 0.5


def test_the_trees_for_slight_noise_are_asked_in_even_rhythms_alone() -> None:
    floor = np.full(40, -3.2)
    even = np.cumsum(np.tile([0.8, 0.8, 0.5, 1.1], 15))
    uneven = np.cumsum(np.random.default_rng(3).uniform(0.4, 1.4, 60))
    assert unevenness(even) < 0.01 < 0.05 < unevenness(uneven)
    assert shares_of_trees(floor, even)[0] > 0.7
    assert shares_of_trees(floor, uneven)[0] < 0.02
    assert shares_of_trees(np.full(40, -4.5), even)[0] < 0.02


def test_of_three_beats_nothing_is_said_of_their_rhythm() -> None:
    assert unevenness(np.array([0.0, 0.8, 1.6])) == 1.0
    assert unevenness(np.zeros(0)) == 1.0


def test_two_leads_are_weighed_by_the_regression_and_their_agreement() -> None:
    spectrum = Spectrum(np.stack([trace(260.0), trace(250.0)]), HZ)
    candidates, _ = candidates_of(spectrum, [0, 1])
    assert candidates is not None
    beats = np.array(detect(spectrum, [0, 1]).beats, int)
    found = measures(candidates, beats)
    agreement = weigh_agreement(candidates, beats)
    np.testing.assert_array_equal(likely(candidates, beats, found), weigh(found) + agreement)
    assert np.min(agreement) < 0.0


def test_beats_are_found_in_motion_as_large_as_a_third_of_the_qrs() -> None:
    truth = np.rint(BEATS_S[BEATS_S < 57.9] * HZ).astype(int)
    counts, _ = compare(truth, find_beats(trace(260.0)[None], HZ), HZ)
    assert counts.se > 97
    assert counts.ppv > 90


def test_every_tree_asks_for_a_measure_that_there_is() -> None:
    spectrum = Spectrum(trace(260.0)[None], HZ)
    candidates, _ = candidates_of(spectrum, [0])
    assert candidates is not None
    beats = np.array(detect(spectrum, [0]).beats, int)
    every = noise_measures(candidates, beats, measures(candidates, beats))
    assert every.shape == (candidates.at.size, 24)
    assert np.isfinite(every).all()
    for trees in (TREES, SLIGHT_TREES):
        assert 0 <= trees.feature.min() <= trees.feature.max() < every.shape[1]
