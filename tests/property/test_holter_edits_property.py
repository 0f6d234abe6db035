"""Whatever a physician edits: it is repeatable, an undo restores exactly, and nothing else moves."""

from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from support.holter_days import day

from ecg_center.contract.holter import Edit
from worker.holter.edits import EditError, apply, standing

LABELS = st.sampled_from("NSVFPQ")
TIMES = st.floats(0, 60, allow_nan=False)


@st.composite
def days(draw):
    labels = draw(st.text("NSVFQ", min_size=5, max_size=40))
    template = draw(st.lists(st.integers(-1, 3), min_size=len(labels), max_size=len(labels)))
    return day(labels, template=template, duration_s=70.0)


@st.composite
def plain_edits(draw):
    """An edit that is no undo; it may or may not fit the day."""
    action = draw(
        st.sampled_from(["relabel_beats", "relabel_template", "delete_beats", "insert_beats", "exclude", "include"])
    )
    start = draw(TIMES)
    stretch = {"start_s": start, "end_s": start + draw(st.floats(0.5, 30))}
    at = {"at_s": draw(st.lists(st.integers(1, 60).map(float), min_size=1, max_size=3, unique=True))}
    if action in ("exclude", "include"):
        return Edit(action=action, **stretch)
    if action == "relabel_template":
        return Edit(action=action, template=draw(st.integers(0, 3)), label=draw(LABELS))
    if action == "insert_beats":
        return Edit(action=action, at_s=[at["at_s"][0] + 0.5], label=draw(LABELS))
    where = at if draw(st.booleans()) else stretch
    return Edit(action=action, **where, **({"label": draw(LABELS)} if action == "relabel_beats" else {}))


def fitting(measured, edits):
    """Those of the edits, in order, that can be applied one after the other."""
    kept = []
    for edit in edits:
        try:
            apply(measured, [*kept, edit])
        except EditError:
            continue
        kept.append(edit)
    return kept


def same(left, right):
    columns = all(
        np.array_equal(getattr(left.beats, f.name), getattr(right.beats, f.name), equal_nan=f.name in ("p_wave",))
        for f in fields(left.beats)
    )
    shapes = [(t.id, t.label, t.beats) for t in left.templates] == [(t.id, t.label, t.beats) for t in right.templates]
    return columns and shapes and left.unreadable == right.unreadable


@settings(max_examples=60, deadline=None)
@given(days(), st.lists(plain_edits(), max_size=6))
def test_replay_gives_the_same_day_and_leaves_the_machines_alone(measured, edits):
    before = apply(measured, [])
    edits = fitting(measured, edits)
    assert same(apply(measured, edits), apply(measured, edits))
    assert same(before, measured)


@settings(max_examples=60, deadline=None)
@given(days(), st.lists(plain_edits(), min_size=1, max_size=5))
def test_undoing_the_last_edit_restores_exactly_and_undoing_that_brings_it_back(measured, edits):
    edits = fitting(measured, edits)
    if not edits:
        return
    last = len(edits) - 1
    undone = [*edits, Edit(action="undo", undoes=last)]
    assert same(apply(measured, undone), apply(measured, edits[:-1]))
    back = [*undone, Edit(action="undo", undoes=last + 1)]
    assert same(apply(measured, back), apply(measured, edits))


@settings(max_examples=60, deadline=None)
@given(days(), st.lists(plain_edits(), max_size=6))
def test_beats_stay_in_order_and_inside(measured, edits):
    after = apply(measured, fitting(measured, edits))
    assert (np.diff(after.beats.sample) > 0).all()
    assert not len(after.beats) or 0 <= after.beats.sample[0] <= after.beats.sample[-1] < measured.n_samples
    ends = [edge for stretch in after.unreadable for edge in (stretch.start, stretch.stop)]
    assert ends == sorted(ends)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 8), max_size=12))
def test_an_edit_holds_unless_an_undo_that_holds_speaks_against_it(targets):
    edits = [Edit(action="exclude", start_s=float(n), end_s=n + 1.0) for n in range(3)]
    for target in targets:
        try:
            standing([*edits, Edit(action="undo", undoes=target)])
        except EditError:
            continue
        edits.append(Edit(action="undo", undoes=target))
    holds = standing(edits)
    for position, edit in enumerate(edits):
        against = [n for n, other in enumerate(edits) if other.undoes == position and holds[n]]
        assert holds[position] == (not against), (position, edit)
