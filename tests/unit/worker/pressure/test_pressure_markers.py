"""What stands beside the level of an adult's day, on both sides of each limit."""

from dataclasses import replace

import pytest
from support.pressures import codes, day

from worker.pressure.analysis import conclude
from worker.resting.patient import Person

ADULT, CHILD = Person(female=True, age_years=60), Person(female=True, age_years=15)


def every(*systolic: float, diastolic: float = 70):
    """One reading after the other takes the next of these systolic pressures."""
    given = iter(list(systolic) * 48)
    return lambda one: replace(one, systolic_mmhg=next(given), diastolic_mmhg=diastolic)


@pytest.mark.parametrize(
    ("awake", "asleep", "said"),
    [
        ((105, 70), (95, 60), False),
        ((104, 70), (95, 60), True),  # the day
        ((110, 70), (90, 60), False),
        ((110, 70), (89, 60), True),  # the night
        ((105, 70), (90, 45), False),  # a low diastolic alone
    ],
)
def test_low_averages_are_said_and_are_not_normal(awake, asleep, said):
    found = codes(conclude(day(awake, asleep), person=ADULT))
    assert ("914" in found) is said
    assert ("900" in found) is not said


@pytest.mark.parametrize(("awake", "asleep", "said"), [(135, 120, True), (134, 119, False)])
def test_the_load_counts_by_the_limits_of_day_and_night(awake, asleep, said):
    found = conclude(day((awake, 70), (asleep, 60)), person=ADULT)
    assert ("930" in codes(found)) is said


def test_the_load_at_its_limit_is_not_raised():
    half = conclude(day(change=every(150, 100)), person=ADULT)
    assert half.pressure.period("24h").systolic_load_percent == 50.0
    assert "930" not in codes(half)
    more = conclude(day(change=every(150, 100, 150)), person=ADULT)
    assert "930" in codes(more)
    diastolic = conclude(day((120, 85), (110, 60)), person=ADULT)  # every reading by day
    assert "930" in codes(diastolic)


@pytest.mark.parametrize(("swing", "said"), [(11, False), (13, True)])
def test_the_nights_variability(swing, said):
    found = conclude(day(change=every(110 - swing, 110 + swing)), person=ADULT)
    night = found.pressure.period("night").systolic.sd
    assert (night >= 12.2) is said
    assert ("931" in codes(found)) is said


@pytest.mark.parametrize(("diastolic", "said"), [(67, False), (66, True)])
def test_the_pulse_pressure(diastolic, said):
    found = conclude(day((120, diastolic), (120, diastolic)), person=ADULT)
    assert ("932" in codes(found)) is said


def test_stiffness_by_age():
    stiff = day(change=every(100, 110, 120, 130, 140))  # the diastolic never moves, so a little is given to it
    moved = [replace(one, diastolic_mmhg=70 + (one.systolic_mmhg - 100) * 0.3) for one in stiff.readings]
    found = conclude(replace(stiff, readings=tuple(moved)), person=ADULT)
    assert found.pressure.stiffness.aasi == pytest.approx(0.7)
    assert found.pressure.stiffness.aasi_limit == pytest.approx(0.657, abs=1e-3)
    assert "933" in codes(found)
    older = conclude(replace(stiff, readings=tuple(moved)), person=Person(female=True, age_years=80))
    assert "933" not in codes(older)


def test_a_child_has_none_of_these_limits():
    found = codes(conclude(day((100, 40), (85, 30)), person=CHILD))
    assert not {"914", "930", "931", "932", "933"} & set(found)


def test_what_is_said_has_its_figure_limit_and_source():
    found = conclude(day((160, 95), (150, 90)), person=ADULT)
    load = next(one for one in found.statements if one.code == "930")
    assert [(item.quantity, item.value, item.threshold) for item in load.evidence] == [
        ("systolic_load_percent", 100.0, 50.0), ("diastolic_load_percent", 100.0, 40.0),
    ]  # fmt: skip
    assert all(item.source for item in load.evidence)
