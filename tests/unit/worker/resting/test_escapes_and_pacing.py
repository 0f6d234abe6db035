"""Who drives the heart when the sinus node does not: escapes, exit block, the junction, low atria, pacemakers."""

import numpy as np
import pytest
from support.drawn_rhythms import drawn

from ecg_center.domain.statements import contradicts
from gateway.simulate import shapes
from worker.resting import analyse

PR_S = 0.16
STEADY = np.arange(-0.6, 11, 0.8)


def said(p_s, qrs_s, **changes) -> set[str]:
    findings = analyse(drawn(p_s, qrs_s, **changes))
    codes = {statement.code for statement in findings.statements}
    assert not contradicts(codes), codes
    return codes


def without(times, *dropped) -> np.ndarray:
    return np.delete(np.asarray(times), dropped)


def test_a_steady_rhythm_has_none_of_them() -> None:
    codes = said(STEADY, STEADY + PR_S)
    assert "20" in codes
    assert not codes & {"24", "25", "26", "34", "37", "38", "39", "62", "89", "180", "181", "183", "184", "186"}


@pytest.mark.parametrize(("lost", "code"), [((6,), "25"), ((4, 9), "25")])
def test_a_lost_sinus_beat_is_exit_block(lost: tuple[int, ...], code: str) -> None:
    p = without(STEADY, *lost)
    assert code in said(p, p + PR_S)


def test_a_pause_that_is_no_multiple_is_none() -> None:
    p = np.concatenate([STEADY[:6], STEADY[6:] + 1.4])
    codes = said(p, p + PR_S)
    assert "26" in codes
    assert not codes & {"24", "25"}


def test_intervals_that_shorten_before_pauses_are_wenckebachs() -> None:
    group = [1.25, 0.86, 0.82, 0.79]
    p = np.cumsum([-0.3, *group, *group, *group])
    assert "24" in said(p, p + PR_S)
    even = [1.25, 0.82, 0.82, 0.82]
    p = np.cumsum([-0.3, *even, *even, *even])
    assert "24" not in said(p, p + PR_S)


def test_p_that_runs_upwards_is_the_junctions_or_the_low_atriums() -> None:
    upwards = {"p_turned": (1, -1.3, 1)}
    assert "34" in said(STEADY, STEADY + 0.16, **upwards)
    close = said(STEADY, STEADY + 0.105, **upwards)
    assert close & {"38", "39"}
    assert "34" not in close
    fast = np.arange(-0.6, 11, 0.5)
    assert "52" in said(fast, fast + 0.16, **upwards)


def test_p_that_runs_to_the_right_is_the_left_atriums() -> None:
    assert "34" in said(STEADY, STEADY + PR_S, p_turned=(-1.6, 1, 1))


def test_late_beats_are_escapes_and_not_premature() -> None:
    p = without(STEADY, 5)
    late = STEADY[4] + PR_S + 1.35
    qrs = np.sort(np.append(without(STEADY, 5, 6) + PR_S, late))
    place = int(np.searchsorted(qrs, late))
    p = without(STEADY, 5, 6)
    codes = said(p, qrs, shape_at={place: shapes.escape_ventricular()})
    assert "62" in codes
    assert not codes & {"60", "60a", "60h"}
    assert "37" in said(p, qrs)
    early = STEADY[5] + PR_S - 0.35
    qrs = np.sort(np.append(without(STEADY, 5) + PR_S, early))
    codes = said(STEADY, qrs, shape_at={int(np.searchsorted(qrs, early)): shapes.ectopic_outflow()})
    assert codes & {"60", "60a"}
    assert "62" not in codes


def test_a_ventricular_beat_between_two_sinus_beats_is_interpolated() -> None:
    slow = np.arange(-0.6, 11, 1.1)
    between = slow[5] + PR_S + 0.5
    qrs = np.sort(np.append(slow + PR_S, between))
    ectopic = {int(np.searchsorted(qrs, between)): shapes.escape_ventricular()}
    assert "60f" in said(slow, qrs, shape_at=ectopic)
    qrs = np.sort(np.append(without(slow, 6) + PR_S, between))  # a full pause
    assert "60f" not in said(without(slow, 6), qrs, shape_at=ectopic)


def early_by(times, *places, share=0.35, pause=True) -> np.ndarray:
    """Beats that come early, each run followed by a pause."""
    rr = np.diff(times)
    for n in places:
        rr[n - 1] *= 1 - share
        if pause and n not in [other - 1 for other in places]:
            rr[n] *= 1.15
    return times[0] + np.concatenate([[0], np.cumsum(rr)])


def test_early_atrial_beats_in_pairs_and_runs_and_patterns() -> None:
    pair = early_by(STEADY, 6, 7)
    codes = said(pair, pair + PR_S)
    assert "41b" in codes
    assert "30b" not in codes
    run = early_by(STEADY, 6, 7, 8, 9)
    assert "30b" in said(run, run + PR_S)
    two = early_by(np.arange(-0.6, 12, 0.9), 2, 4, 6, 8, 10, share=0.3)
    assert "41c" in said(two, two + PR_S)
    single = early_by(STEADY, 6)
    codes = said(single, single + PR_S)
    assert "30" in codes
    assert not codes & {"41b", "41c", "41d", "30b"}


def test_atria_and_junction_of_the_same_rate_are_dissociated() -> None:
    p, qrs = np.arange(-0.6, 11, 0.93), np.arange(-0.5, 11, 0.86)
    codes = said(p, qrs)
    assert "89" in codes
    assert codes & {"38", "39"}
    assert "88" not in codes


PACED = np.arange(0.3, 9.8, 0.86)


def test_the_mode_of_a_pacemaker() -> None:
    beat = shapes.escape_ventricular()
    assert "181" in said([], PACED + 0.02, spikes_s=PACED, shape=beat)
    assert "183" in said(PACED - 0.16, PACED + 0.02, spikes_s=PACED, shape=beat)
    both = np.sort(np.concatenate([PACED - 0.17, PACED]))
    assert "184" in said(PACED - 0.15, PACED + 0.02, spikes_s=both, shape=beat)
    assert "180" in said(PACED + 0.02, PACED + 0.2, spikes_s=PACED)


def test_a_pulse_that_nothing_answers_has_not_captured() -> None:
    beat = shapes.escape_ventricular()
    answered = without(PACED, 3, 7)
    codes = said([], answered + 0.02, spikes_s=PACED, shape=beat)
    assert {"181", "186"} <= codes
    assert "186" not in said([], PACED + 0.02, spikes_s=PACED, shape=beat)
    # pulses into the T wave have not sensed the beat before
    blind = np.sort(np.append(PACED, [PACED[2] + 0.24, PACED[5] + 0.24]))
    assert "188" in said([], PACED + 0.02, spikes_s=blind, shape=beat)


def test_a_bipolar_pulse_shows_in_the_mean_of_the_beats_only() -> None:
    beat = shapes.escape_ventricular()
    faint = analyse(drawn([], PACED + 0.02, spikes_s=PACED, spike_share=0.07, shape=beat))
    assert [(one.code, one.certainty) for one in faint.statements][:1] == [("181", "possible")]
    none = {one.code for one in analyse(drawn([], PACED + 0.02, shape=beat)).statements}
    assert none & {"63", "64"}
    assert "181" not in none


def test_the_beat_behind_an_early_one_makes_no_pair() -> None:
    rr = np.full(13, 1.0)
    rr[5:7] = 0.55, 0.84
    p = np.cumsum([-0.6, *rr])
    codes = said(p, p + PR_S)
    assert "41b" not in codes


def test_the_junction_beats_evenly_and_what_does_not_is_uncertain() -> None:
    even = np.arange(-0.3, 11, 0.9)
    assert "39" in said([], even)
    uneven = np.cumsum(np.tile([0.62, 1.05, 0.85, 1.1, 0.7], 4)) - 0.6
    codes = said([], uneven)
    assert not codes & {"38", "39"}
    assert codes & {"27", "50", "50a"}
