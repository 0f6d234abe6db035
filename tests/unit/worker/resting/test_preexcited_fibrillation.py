"""Fast, broad and irregular: fibrillation that reaches the ventricles over a pathway, and what only looks like it."""

import pytest
from support.critical_examples import fibrillating

from ecg_center.domain.statements import contradicts
from gateway.simulate import shapes
from worker.resting import analyse


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
