"""Many times in order are looked up the other way round than a few: both must say the same."""

import numpy as np
import pytest

from worker.holter.readable import MANY, Spans


@pytest.mark.parametrize("seed", range(4))
def test_times_in_order_and_out_of_order_lie_in_the_same_stretches(seed):
    random = np.random.default_rng(seed)
    edges = np.sort(random.choice(400, 24, replace=False)) / 4
    spans = Spans.of(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    at_s = np.sort(random.integers(0, 420, 3 * MANY)) / 4  # many of them exactly at a border
    mixed = random.permutation(at_s.size)
    assert (spans.inside(at_s)[mixed] == spans.inside(at_s[mixed])).all()
    inside = [any(a <= at < b for a, b in spans.pairs()) for at in at_s.tolist()]
    assert spans.inside(at_s).tolist() == inside
    before, after = at_s[:-1], at_s[1:] + 0.25
    touched = [any(a < later and at < b for a, b in spans.pairs()) for at, later in zip(before, after, strict=True)]
    assert spans.touched(before, after).tolist() == touched
    mixed = mixed[mixed < before.size]
    assert (spans.touched(before[mixed], after[mixed]) == spans.touched(before, after)[mixed]).all()


def test_no_stretch_holds_nothing():
    at_s = np.arange(2.0 * MANY)
    assert not Spans.of([]).inside(at_s).any()
    assert not Spans.of([]).touched(at_s[:-1], at_s[1:]).any()
