"""Shapes of QRS are joined to the commonest by the surest change of all, whatever the queue's order."""

import numpy as np
import pytest

from worker.holter.st import _surest_first


def by_looking_through_all(first, jumps):
    sure = {pair: sum(1 / (1 + gap) for gap, _ in seen) for pair, seen in jumps.items()}
    reached, found = set(first), []
    while out := [pair for pair in jumps if (pair[0] in reached) != (pair[1] in reached)]:
        found.append(max(out, key=lambda pair: (sure[pair], pair)))
        reached.update(found[-1])
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_queue_takes_the_pairs_that_looking_through_all_takes(seed):
    rng = np.random.default_rng(seed)
    jumps = {}
    for _ in range(int(rng.integers(1, 120))):
        low, high = sorted(rng.choice(40, 2, replace=False).tolist())
        jumps.setdefault((low, high), []).append((int(rng.integers(0, 3)), 0.0))
    first = [next(iter(jumps))[0]]
    assert list(_surest_first(first, jumps)) == by_looking_through_all(first, jumps)


def test_nothing_is_reached_from_nothing():
    assert list(_surest_first([], {(1, 2): [(0, 5.0)]})) == []
