from dataclasses import replace

import pytest
from support.pressures import at, codes, day, series

from ecg_center.contract.pressure import MAX_EDITS, PressureEdit
from worker.pressure.analysis import conclude
from worker.pressure.editing import ADULT, CHILD, EditError, outlier, verdicts
from worker.pressure_readings import PressureReading
from worker.resting.patient import Person


def reading(systolic=120.0, diastolic=75.0, pulse=70.0, **more) -> PressureReading:
    return PressureReading(at(0), systolic, diastolic, None, pulse, **more)


@pytest.mark.parametrize(
    ("kept", "dropped", "reason"),
    [
        (reading(70, 45), reading(69, 45), "systolic"),
        (reading(260, 120), reading(261, 120), "systolic"),
        (reading(100, 40), reading(100, 39), "diastolic"),
        (reading(200, 150), reading(200, 151), "diastolic"),
        (reading(100, 80), reading(100, 81), "pulse_pressure"),
        (reading(210, 60), reading(211, 60), "pulse_pressure"),
        (reading(pulse=20), reading(pulse=19), "pulse"),
        (reading(pulse=200), reading(pulse=201), "pulse"),
    ],
)
def test_each_limit_of_an_adult_holds_its_own_value(kept, dropped, reason):
    assert outlier(kept) == ""
    assert outlier(dropped) == reason


@pytest.mark.parametrize(
    ("kept", "dropped", "reason"),
    [
        (reading(60, 36), reading(59, 36), "systolic"),
        (reading(220, 110), reading(221, 110), "systolic"),
        (reading(100, 35), reading(100, 34), "diastolic"),
        (reading(180, 120), reading(180, 121), "diastolic"),
        (reading(160, 40), reading(161, 40), "pulse_pressure"),
        (reading(pulse=40), reading(pulse=39), "pulse"),
        (reading(pulse=180), reading(pulse=181), "pulse"),
    ],
)
def test_each_limit_of_a_child_holds_its_own_value(kept, dropped, reason):
    assert outlier(kept, CHILD) == ""
    assert outlier(dropped, CHILD) == reason


def test_whose_limits_are_asked_depends_on_the_age():
    low = [reading(100, 38)]
    assert verdicts(low, 17.9)[0].state == "used"
    assert verdicts(low, 18.0)[0].state == "outlier"
    assert verdicts(low, None)[0].state == "outlier"
    assert {one.reason for one in ADULT} == {one.reason for one in CHILD}


def test_every_way_of_not_counting_has_its_own_name():
    readings = [
        reading(),
        PressureReading(at(0), status="failed", reason="cuff leak"),
        reading(status="excluded", reason="moved"),
        reading(60, 30),
    ]
    found = verdicts(readings, 50.0)
    assert [(one.state, one.reason) for one in found] == [
        ("used", ""), ("failed", "cuff leak"), ("device", "moved"), ("outlier", "systolic"),
    ]  # fmt: skip


def test_a_physician_has_the_last_word_in_both_directions():
    readings = [reading(), reading(60, 30), reading(status="excluded")]
    edits = [
        PressureEdit(action="exclude", readings=[0], reason="袖带移位"),
        PressureEdit(action="include", readings=[1, 2]),
    ]
    found = verdicts(readings, 50.0, edits)
    assert [(one.state, one.reason) for one in found] == [("physician", "袖带移位"), ("used", ""), ("used", "")]


def test_an_undone_edit_leaves_what_the_machine_said_and_an_undone_undo_brings_it_back():
    readings = [reading()]
    exclude = PressureEdit(action="exclude", readings=[0])
    undo = PressureEdit(action="undo", undoes=0)
    assert verdicts(readings, 50.0, [exclude])[0].state == "physician"
    assert verdicts(readings, 50.0, [exclude, undo])[0].state == "used"
    assert verdicts(readings, 50.0, [exclude, undo, PressureEdit(action="undo", undoes=1)])[0].state == "physician"


@pytest.mark.parametrize(
    ("edit", "word"),
    [
        (PressureEdit(action="exclude", readings=[3]), "there is no reading 3"),
        (PressureEdit(action="include", readings=[1]), "nothing was measured"),
        (PressureEdit(action="exclude"), "names no reading"),
        (PressureEdit(action="undo", undoes=0), "earlier edit"),
        (PressureEdit(action="undo"), "earlier edit"),
    ],
)
def test_an_edit_that_cannot_be_applied_is_refused_by_its_position(edit, word):
    readings = [reading(), PressureReading(at(1), status="failed"), reading()]
    with pytest.raises(EditError, match=word) as refused:
        verdicts(readings, 50.0, [edit])
    assert refused.value.position == 0


def test_there_is_an_end_to_edits():
    with pytest.raises(EditError, match="more than 1000 edits"):
        verdicts([reading()], 50.0, [PressureEdit(action="exclude", readings=[0])] * (MAX_EDITS + 1))


def test_the_figures_follow_an_edit_at_once():
    def high_in_the_evening(one):
        return replace(one, systolic_mmhg=230, diastolic_mmhg=130) if one.at.hour in (18, 19) else one

    recorded = day(change=high_in_the_evening)
    before = conclude(recorded, person=Person(age_years=50))
    assert "913" in codes(before)
    evening = [index for index, one in enumerate(recorded.readings) if one.at.hour in (18, 19)]
    after = conclude(recorded, [PressureEdit(action="exclude", readings=evening, reason="运动")])
    assert "913" not in codes(after)
    assert before.pressure.period("24h").readings - after.pressure.period("24h").readings == len(evening) == 4
    assert after.pressure.edits == 1
    assert after.pressure.readings[evening[0]].reason == "运动"
    assert after.pressure.period("day").systolic.mean == 125


def test_nothing_that_is_not_used_touches_a_figure():
    wild = series([*day().readings, PressureReading(at(24), 300, 30)])
    assert conclude(wild).pressure.periods == conclude(day()).pressure.periods
