"""Counts of early beats are exact for any sequence of beats and gaps."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.holter_days import day

from worker.holter.ectopy import groups_of
from worker.holter.events import ectopy, events_of, pauses
from worker.holter.measured import Label, Stretch
from worker.holter.readable import readable

HZ = 250

letters = st.text("NNNSVVFPQ", min_size=1, max_size=60)
intervals = st.lists(st.sampled_from((0.3, 0.5, 0.6, 0.8, 1.0, 1.6, 2.0, 2.1, 4.0)), min_size=60, max_size=60)
gaps = st.lists(st.tuples(st.floats(0, 60), st.floats(0.05, 3)), max_size=3)


def measured(beats, rr_s, left_out):
    at_s = np.cumsum(rr_s[: len(beats)])
    stretches = [Stretch(round(start * HZ), round((start + length) * HZ)) for start, length in left_out]
    return readable(day(beats, at_s=at_s, unreadable=stretches))


@settings(max_examples=60, deadline=None)
@given(letters, intervals, gaps)
def test_singles_couplets_and_runs_hold_every_beat_once(beats, rr_s, left_out):
    made = measured(beats, rr_s, left_out)
    for counted, label in zip(ectopy(made), (Label.V, Label.S), strict=True):
        groups = groups_of(made, made.is_label(label))
        in_runs = int(groups.beats[groups.beats >= 3].sum())
        total = int(np.count_nonzero(made.beats.label == label))
        assert counted.singles + 2 * counted.couplets + in_runs == counted.beats == total
        assert counted.runs == int(np.count_nonzero(groups.beats >= 3))


@settings(max_examples=60, deadline=None)
@given(letters, intervals, gaps)
def test_events_agree_with_the_counts(beats, rr_s, left_out):
    made = measured(beats, rr_s, left_out)
    events = events_of(made).told(made)
    kinds = [event.kind for event in events]
    ventricular, supraventricular = ectopy(made)
    assert kinds.count("v_couplet") == ventricular.couplets
    assert kinds.count("vt") + kinds.count("idioventricular") == ventricular.runs
    assert kinds.count("svt") + kinds.count("s_run") == supraventricular.runs
    assert kinds.count("v_bigeminy") == ventricular.bigeminy
    assert kinds.count("v_trigeminy") == ventricular.trigeminy
    assert kinds.count("r_on_t") == ventricular.r_on_t
    assert kinds.count("pause") == pauses(made).over_2_0_s
    assert [event.start_s for event in events] == sorted(event.start_s for event in events)


@settings(max_examples=40, deadline=None)
@given(letters, intervals, gaps)
def test_singles_are_listed_unless_a_pattern_holds_them(beats, rr_s, left_out):
    made = measured(beats, rr_s, left_out)
    events = [event for event in events_of(made).told(made) if event.kind.startswith("v_")]
    patterns = [event for event in events if event.kind in ("v_bigeminy", "v_trigeminy")]
    groups = groups_of(made, made.is_label(Label.V))
    singles = made.at_s[groups.first[groups.beats == 1]]
    held = sum(any(p.start_s - 1e-3 <= at <= p.end_s + 1e-3 for p in patterns) for at in singles)
    assert sum(event.kind == "v_single" for event in events) + held == len(singles)


@settings(max_examples=40, deadline=None)
@given(intervals, gaps)
def test_pauses_are_the_long_intervals_that_touch_nothing_unreadable(rr_s, left_out):
    made = measured("N" * 60, rr_s, left_out)
    expected = sum(
        rr > 2 * HZ and not any(start < made.at_s[n + 1] and end > made.at_s[n] for start, end in made.left_out.pairs())
        for n, rr in enumerate(np.diff(made.beats.sample))
    )
    assert pauses(made).over_2_0_s == expected
