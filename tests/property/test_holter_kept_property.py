"""What is kept between edits changes nothing: any list of them gives what a day seen for the first time gives."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.holter_days import day

from ecg_center.contract.holter import Edit
from worker.holter.conclude import conclude
from worker.holter.edits import EditError
from worker.holter.measured import Label

BEATS = 900
LAST_S = 700.0


def sinus_day(seed, beats=BEATS):
    """A quarter of an hour with early beats, so that variability has windows and counts have something to count."""
    rng = np.random.default_rng(seed)
    letters = "".join(rng.choice(list("NNNNNNNNNNNNSV"), beats))
    at_s = 1.0 + np.cumsum(rng.normal(0.85, 0.04, beats))
    return day(letters, at_s=at_s, template=[{"N": 0, "S": 0, "V": 1}[letter] for letter in letters])


@st.composite
def edits(draw):
    start = draw(st.floats(0, LAST_S, allow_nan=False))
    stretch = {"start_s": start, "end_s": start + draw(st.floats(0.5, 60))}
    return draw(
        st.sampled_from(
            [
                Edit(action="relabel_beats", label=draw(st.sampled_from("NSVQ")), **stretch),
                Edit(action="relabel_template", template=draw(st.integers(0, 1)), label=draw(st.sampled_from("NSV"))),
                Edit(action="delete_beats", **stretch),
                Edit(action="exclude", **stretch),
                Edit(action="include", **stretch),
                Edit(action="rhythm", rhythm=draw(st.sampled_from(["sinus", "af", "flutter"])), **stretch),
            ]
        )
    )


def fresh(measured):
    """The same day, of which nothing was kept."""
    return replace(measured, minutes=replace(measured.minutes))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 3), st.lists(edits(), min_size=1, max_size=5))
def test_step_by_step_is_as_all_at_once_and_an_undo_restores(seed, wanted):
    measured = sinus_day(seed)
    machine = conclude(measured)
    made, before = [], machine
    for edit in wanted:
        try:
            after = conclude(measured, edits=[*made, edit])
        except EditError:
            continue
        assert after == conclude(fresh(measured), edits=[*made, edit])
        undone = conclude(measured, edits=[*made, edit, Edit(action="undo", undoes=len(made))])
        assert undone.holter.model_dump(exclude={"edits"}) == before.holter.model_dump(exclude={"edits"})
        assert undone.critical == before.critical
        made, before = [*made, edit], after
    assert conclude(measured) == machine


@pytest.mark.parametrize("at", [0, 12_345, -1])
def test_an_edit_of_many_hours_is_as_if_all_were_concluded_anew(at):
    """So long that the spectrum is taken of what varies slowly only."""
    measured = sinus_day(7, 26_000)
    machine = conclude(measured)
    at_s = float(measured.beats.sample[at]) / measured.sampling_hz
    made = [Edit(action="relabel_beats", at_s=[at_s], label="Q"), Edit(action="exclude", start_s=9000, end_s=9200)]
    after = conclude(measured, edits=made)
    assert after == conclude(fresh(measured), edits=made)
    whole = {window.name: window.metrics for window in after.holter.hrv}["whole"]
    assert whole["lf_ms2"] != {window.name: window.metrics for window in machine.holter.hrv}["whole"]["lf_ms2"]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 3), st.lists(edits(), max_size=4))
def test_counts_agree_with_one_another_after_any_edits(seed, wanted):
    measured = sinus_day(seed)
    made = []
    for edit in wanted:
        try:
            conclude(measured, edits=[*made, edit])
        except EditError:
            continue
        made.append(edit)
    holter = conclude(measured, edits=made).holter
    ventricular = [
        event for event in holter.events if event.kind.startswith("v_") or event.kind in ("vt", "idioventricular")
    ]
    assert holter.beats.get(Label.V.name, 0) == holter.ventricular.beats == sum(row.v_beats for row in holter.hours)
    assert (
        holter.beats.get(Label.S.name, 0) == holter.supraventricular.beats == sum(row.s_beats for row in holter.hours)
    )
    assert sum(holter.beats.values()) == sum(row.beats for row in holter.hours)
    assert holter.pauses.over_2_0_s == sum(row.pauses for row in holter.hours)
    assert sum(event.kind == "v_couplet" for event in ventricular) == holter.ventricular.couplets
    assert holter.pauses.over_2_0_s >= holter.pauses.over_2_5_s >= holter.pauses.over_3_0_s >= holter.pauses.over_5_0_s
