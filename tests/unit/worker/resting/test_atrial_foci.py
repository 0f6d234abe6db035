"""Atria that several places lead in turn: said by rate and by how P goes over, and only where the forms come again."""

import numpy as np
import pytest
from support.critical_examples import several_foci
from support.drawn_rhythms import drawn
from support.simulated import simulated

from ecg_center.domain.statements import contradicts
from worker.resting import analyse
from worker.signal.atrial import powers, without_line

SEVERAL = {"33", "35", "53"}


def wandering(bpm: float, lowest: float, seed: int = 0):
    """P whose downward part goes from its full size to ``lowest`` of it and back, PR with it."""
    n = int(12 * bpm / 60)
    share = lowest + (1 - lowest) * (0.5 + 0.5 * np.cos(np.linspace(0, 2 * np.pi, n)))
    rr = 60 / bpm * (1 + 0.06 * np.sin(np.linspace(0, 2 * np.pi, n)))
    p = 0.3 + np.concatenate([[0], np.cumsum(rr[:-1])])
    turned = {place: (0.4 + 0.6 * size, size, 1) for place, size in enumerate(share.tolist())}
    return drawn(p, p + 0.14 + 0.02 * share, p_turned_at=turned, seed=seed)


def said(recording) -> set[str]:
    codes = {statement.code for statement in analyse(recording).statements}
    assert not contradicts(codes), codes
    return codes & (SEVERAL | {"20", "21", "34", "50", "50a", "52"})


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("bpm", "forms", "code"), [(125, 3, "53"), (112, 4, "53"), (80, 3, "35"), (88, 4, "35")])
def test_three_forms_in_turn_are_multifocal_by_their_rate(bpm: float, forms: int, code: str, seed: int) -> None:
    assert said(several_foci(bpm, seed, forms)) == {code}


@pytest.mark.parametrize("seed", range(4))
def test_two_forms_or_even_intervals_are_not(seed: int) -> None:
    assert not said(several_foci(80, seed, 2)) & SEVERAL
    assert not said(several_foci(80, seed, 3, spread=0.0)) & SEVERAL


@pytest.mark.parametrize("bpm", [62, 75, 88])
def test_p_that_slowly_turns_over_wanders(bpm: float) -> None:
    assert said(wandering(bpm, -0.7)) == {"33"}
    assert not said(wandering(bpm, 0.35)) & SEVERAL  # smaller, but upright all the time


def test_neither_fibrillation_nor_premature_beats_are_several_places() -> None:
    for seed in range(6):
        for name in ("atrial-fibrillation", "ventricular-premature", "sinus"):
            _, findings = simulated(name, seed)
            assert not {statement.code for statement in findings.statements} & SEVERAL


def test_it_rests_on_the_form_and_on_a_quiet_line_and_has_no_one_pr() -> None:
    findings = analyse(several_foci(125, 0, 3))
    statement = next(one for one in findings.statements if one.code == "53")
    seen = {item.quantity: item for item in statement.evidence}
    assert seen["p_forms"].value >= seen["p_forms"].threshold == 3
    assert seen["heart_rate_bpm"].value > 100
    assert findings.measurements.pr_ms is None
    assert findings.measurements.atrial_rate_bpm == findings.measurements.heart_rate_bpm


def test_running_sums_are_what_each_stretch_alone_has() -> None:
    band = np.random.default_rng(1).normal(0, 30, (8, 3000)) + 500
    stretches = np.lib.stride_tricks.sliding_window_view(band, 60, axis=1)
    plain = (without_line(stretches) ** 2).sum(axis=(0, 2))
    assert powers(band, 60) == pytest.approx(plain, rel=1e-9)
