"""Fast, broad and irregular: fibrillation that reaches the ventricles over a pathway, and what only looks like it."""

from dataclasses import replace

import numpy as np
import pytest
from support.drawn_rhythms import drawn

from ecg_center.domain.statements import contradicts
from gateway.simulate import shapes
from gateway.simulate.waves import Beat, Lobe
from worker.resting import analyse


def preexcited(share: float) -> Beat:
    """A beat that begins with a delta wave; its T points the other way."""
    usual = shapes.normal(86)
    delta = Lobe(0.28, 0.16, (0.55 * share, 0.35 * share, -0.45 * share))
    t_peak = tuple(size * (1 - 1.6 * share) for size in usual.t_peak)
    return replace(usual, qrs_ms=86 + 54 * share, qrs=(delta, *usual.qrs), t_peak=t_peak)


def fibrillating(bpm: float, shortest_s: float, seed: int, beat=None, qt_ms: float = 270.0):
    """Irregular beats without P; ``beat`` of every QRS, else preexcited to a changing degree."""
    rng, n = np.random.default_rng(seed), int(13 * bpm / 60)
    rr = np.clip(60 / bpm * np.exp(0.22 * rng.standard_normal(n)), shortest_s, 0.9)
    shortest = np.sort(rng.choice(np.arange(4, n - 4), 3, replace=False))
    rr[shortest] = shortest_s
    shares = rng.choice([0.35, 0.7, 1.0, 1.0, 1.0], n).tolist()
    each = None if beat else {place: preexcited(share) for place, share in enumerate(shares)}
    return drawn([], np.cumsum(rr) - 0.3, shape=beat or preexcited(1.0), shape_at=each, qt_ms=qt_ms, seed=seed)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bpm", [165, 185])
def test_fast_broad_and_irregular_is_over_a_pathway(bpm: float, seed: int) -> None:
    findings = analyse(fibrillating(bpm, 0.235, seed))
    codes = {statement.code for statement in findings.statements}
    assert "50d" in codes
    assert not codes & {"50", "50a", "70", "71", "76", "104", "106", "107", "60a"}
    assert not contradicts(codes)
    assert "preexcited_atrial_fibrillation" in {value.rule for value in findings.critical}


@pytest.mark.parametrize("seed", range(4))
def test_above_250_ms_it_is_said_and_not_critical(seed: int) -> None:
    findings = analyse(fibrillating(160, 0.275, seed))
    assert "50d" in {statement.code for statement in findings.statements}
    assert "preexcited_atrial_fibrillation" not in {value.rule for value in findings.critical}
    assert findings.grade in ("major", "critical")


@pytest.mark.parametrize("seed", range(4))
def test_the_nodes_own_intervals_are_not(seed: int) -> None:
    for beat, bpm, shortest_s in (
        (shapes.lbbb(), 130, 0.34),  # broad, but by a block
        (shapes.normal(88), 165, 0.25),  # fast, but narrow
        (shapes.rbbb(), 95, 0.40),
    ):
        codes = {one.code for one in analyse(fibrillating(bpm, shortest_s, seed, beat=beat, qt_ms=300.0)).statements}
        assert codes & {"50", "50a"}, (bpm, codes)
        assert "50d" not in codes, bpm
