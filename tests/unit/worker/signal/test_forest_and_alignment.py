"""A forest says what its trees say, and beats are laid over each other whatever peak the detector took."""

import numpy as np
import pytest

from worker.resting.af import NAMES
from worker.resting.af_weights import FOREST
from worker.signal.alignment import aligned
from worker.signal.beats import Beats
from worker.signal.forest import LEAF, Forest, packed, unpacked

HZ = 500.0


def walked(forest: Forest, root: int, measures: np.ndarray) -> float:
    """One tree, question by question, its children counted level by level."""
    nodes = [root]
    last = root
    while forest.feature[nodes[-1]] != LEAF:
        node = nodes[-1]
        asked = int((forest.feature[root:node] != LEAF).sum())
        right = measures[forest.feature[node]] > forest.value[node]
        last = root + 2 * asked + 1 + int(right)
        nodes.append(last)
    return float(forest.value[last])


def test_the_forest_of_fibrillation_is_the_mean_of_its_trees() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        measures = rng.normal(0.5, 1.0, len(NAMES))
        own = np.mean([walked(FOREST, root, measures) for root in FOREST.roots.tolist()])
        assert FOREST.share(measures) == pytest.approx(own)
        assert 0 <= own <= 1


def test_every_tree_is_whole_and_asks_of_what_is_measured() -> None:
    ends = np.append(FOREST.roots[1:], len(FOREST.feature))
    for first, end in zip(FOREST.roots.tolist(), ends.tolist(), strict=True):
        asks = int((FOREST.feature[first:end] != LEAF).sum())
        assert end - first == 2 * asks + 1
    assert FOREST.feature.max() < len(NAMES)


def test_what_is_packed_comes_back() -> None:
    same = unpacked(packed(FOREST))
    assert np.array_equal(same.value, FOREST.value)
    assert np.array_equal(same.child, FOREST.child)


def qrs(at: np.ndarray, n: int = 6000) -> np.ndarray:
    seconds = (np.arange(n)[None] - at[:, None]) / HZ
    wave: np.ndarray = 900 * np.exp(-((seconds / 0.012) ** 2)) - 880 * np.exp(-(((seconds - 0.04) / 0.012) ** 2))
    return wave.sum(axis=0)[None]


def beats(at: np.ndarray) -> Beats:
    return Beats(at, np.zeros(at.size, int), np.full(at.size, 0.09), np.full(at.size, 900.0))


def test_r_and_s_in_turn_make_no_irregular_rhythm() -> None:
    at = np.arange(300, 5800, 400)
    found = aligned(qrs(at), beats(at + np.resize([0, 20, 20], at.size)), HZ)
    assert np.ptp(np.diff(found.at_s)) < 0.009  # one sample of 125 Hz
    assert np.nanmin(found.likeness) > 0.97


def test_a_movement_is_unlike_the_beats() -> None:
    at = np.arange(300, 5800, 400)
    signal = qrs(at)
    signal[0, 2900:3200] += 2000 * np.sin(np.linspace(0, np.pi, 300))
    found = aligned(signal, beats(np.sort(np.append(at, 3000))), HZ)
    number = int(np.searchsorted(at, 3000))
    assert found.likeness[number] < 0.5 < np.nanmedian(found.likeness)


def test_few_beats_and_those_at_the_edge_stay_as_they_are() -> None:
    at = np.array([20, 2000, 4000])
    found = aligned(qrs(at), beats(at), HZ)
    assert np.isnan(found.likeness).all()
    assert found.at_s == pytest.approx(at / HZ, abs=0.005)
