"""Electrode motion in the only lead: the trees are asked there, and not in a calm trace, nor of two leads."""

import numpy as np

from bench.accuracy.score import compare
from worker.signal.filters import Spectrum, lowpass
from worker.signal.qrs import candidates_of, detect, find_beats, likely
from worker.signal.qrs_agreement import weigh_agreement
from worker.signal.qrs_noise import noise_measures, share_of_trees
from worker.signal.qrs_noise_weights import TREES
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


def share(signal: np.ndarray) -> float:
    spectrum = Spectrum(signal[None], HZ)
    candidates, _ = candidates_of(spectrum, [0])
    assert candidates is not None
    found = measures(candidates, np.array(detect(spectrum, [0]).beats, int))
    return share_of_trees(found[:, FLOOR_COLUMN])


def test_only_a_restless_trace_asks_the_trees() -> None:
    assert share(trace(0.0)) < 0.02
    assert share(trace(260.0)) > 0.5


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
    assert 0 <= TREES.feature.min() <= TREES.feature.max() < every.shape[1]
