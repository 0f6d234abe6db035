"""A premature P that nothing follows: found under T, told from a sinus pause and from AV block."""

import numpy as np
import pytest
from support.drawn_rhythms import drawn

from ecg_center.domain.statements import contradicts
from worker.resting import analyse

PR_S = 0.16
USUAL_S = 0.82
OTHER_FORM = (0.8, 0.5, 1.3)


def with_early_p(
    after_s: float | None, *, reset_s: float = 0.0, places: tuple[int, ...] = (6,), size=OTHER_FORM, seed=0
):
    """A sinus rhythm; after these P waves one comes so much later that nothing follows, and the next is set back."""
    p = np.arange(-0.6, 12, USUAL_S)
    early = (
        []
        if after_s is None
        else [float(p[place]) + place_shift for place, place_shift in _early(places, after_s, reset_s)]
    )
    for place in places:
        p[place + 1 :] += reset_s
    beats = p + PR_S
    times = np.concatenate([p, early])
    turned = {len(p) + n: size for n in range(len(early))}
    return drawn(times, beats, p_turned_at=turned, seed=seed)


def _early(places: tuple[int, ...], after_s: float, reset_s: float) -> list[tuple[int, float]]:
    return [(place, after_s + number * reset_s) for number, place in enumerate(places)]


def said(recording) -> set[str]:
    codes = {statement.code for statement in analyse(recording).statements}
    assert not contradicts(codes), codes
    return codes & {"20", "24", "25", "26", "26b", "30", "31", "83", "83a", "84", "85"}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("after_s", [0.42, 0.50, 0.58])
def test_a_p_on_t_before_a_pause_was_blocked(after_s: float, seed: int) -> None:
    assert said(with_early_p(after_s, reset_s=0.45, seed=seed)) == {"20", "31"}


@pytest.mark.parametrize("seed", range(4))
def test_without_the_p_or_without_the_pause_nothing_was(seed: int) -> None:
    assert "31" not in said(with_early_p(None, reset_s=0.45, seed=seed))
    assert "31" not in said(with_early_p(0.46, reset_s=0.06, seed=seed))  # the next beat comes nearly when it would
    assert "31" not in said(with_early_p(0.46, reset_s=0.45, size=(0.12, 0.08, 0.15), seed=seed))  # no more than noise


def test_a_p_on_time_without_qrs_is_av_blocks() -> None:
    p = np.arange(-0.6, 12, USUAL_S)
    assert "31" not in said(drawn(p, np.delete(p, (4, 9)) + PR_S))


def test_two_of_them_are_more_certain_and_say_where() -> None:
    findings = analyse(with_early_p(0.48, reset_s=0.4, places=(4, 8)))
    statement = next(one for one in findings.statements if one.code == "31")
    assert statement.certainty == "probable"
    places = [item for item in statement.evidence if item.quantity == "blocked_p"]
    assert len(places) == 2
    assert all(item.start_s is not None and item.end_s is not None for item in places)
    size = next(item for item in statement.evidence if item.quantity == "p_mv")
    assert size.value >= size.threshold == 0.05
