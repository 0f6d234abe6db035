"""What must hold of any day of readings, however wild."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from support.pressures import START, series

from ecg_center.contract.findings import Findings
from ecg_center.contract.pressure import PressureEdit
from ecg_center.domain.statements import TERMS, contradicts
from worker.pressure.analysis import conclude
from worker.pressure.guideline import guidelines, load
from worker.pressure_readings import PressureReading, checked
from worker.resting.patient import Person

STATES = st.sampled_from(["measured", "measured", "measured", "failed", "excluded"])


@st.composite
def readings(draw):
    """Up to four days of anything a cuff may write."""
    minutes, found = 0, []
    for _ in range(draw(st.integers(1, 40))):
        minutes += draw(st.sampled_from([0, 1, 2, 15, 20, 30, 60, 145]))
        diastolic = draw(st.integers(5, 160))
        one = PressureReading(
            START + timedelta(minutes=minutes),
            diastolic + draw(st.integers(-5, 170)),
            diastolic,
            draw(st.none() | st.integers(20, 200)),
            draw(st.none() | st.integers(1, 300)),
            draw(STATES),
            awake=draw(st.none() | st.booleans()),
            manual=draw(st.booleans()),
        )
        found.append(checked(one))
    return series(found, planned=draw(st.none() | st.integers(1, 100)))


PEOPLE = st.none() | st.floats(0, 110).map(lambda age: Person(age_years=age))
SETS = st.sampled_from(guidelines()).map(load)


@settings(deadline=None, max_examples=80)
@given(readings(), PEOPLE, SETS, st.booleans())
def test_any_day_is_concluded_and_its_figures_agree_with_one_another(recorded, person, guideline, narrow):
    found = conclude(recorded, person=person, guideline=guideline, narrow_hours=narrow)
    assert Findings.model_validate_json(found.model_dump_json()) == found
    figures = found.pressure
    said = [one.code for one in found.statements]
    assert set(said) <= set(TERMS)
    assert contradicts(said) == []
    used = [row for row in figures.readings if row.state == "used"]
    by_name = {one.period: one for one in figures.periods}
    assert sum(hour.readings for hour in figures.hours) == len(used)
    assert (by_name["24h"].readings if used else 0) == len(used)
    for summary in figures.periods:
        for spread in (summary.systolic, summary.diastolic, summary.mean_pressure, summary.pulse_pressure):
            assert spread.minimum - 1e-3 <= spread.mean <= spread.maximum + 1e-3
            assert spread.minimum - 1e-3 <= spread.weighted_mean <= spread.maximum + 1e-3
        for load_percent in (summary.systolic_load_percent, summary.diastolic_load_percent):
            assert load_percent is None or 0 <= load_percent <= 100
    assert 0 <= figures.validity.share_percent <= 100
    if figures.validity.verdict != "valid":
        assert "900" not in said
        assert found.quality.verdict != "usable"


@settings(deadline=None, max_examples=50)
@given(readings(), st.integers(-20, 20))
def test_a_pressure_moved_as_a_whole_moves_the_averages_with_it_and_leaves_the_variability(recorded, shift):
    calm = series(PressureReading(one.at, 120 + n % 7, 70 + n % 5, None, 70) for n, one in enumerate(recorded.readings))
    moved = series(
        PressureReading(one.at, one.systolic_mmhg + shift, one.diastolic_mmhg + shift, None, 70)
        for one in calm.readings
    )
    before, after = conclude(calm).pressure, conclude(moved).pressure
    for old, new in zip(before.periods, after.periods, strict=True):
        assert abs(new.systolic.mean - old.systolic.mean - shift) < 1e-3
        assert abs(new.diastolic.weighted_mean - old.diastolic.weighted_mean - shift) < 1e-3
        assert (new.systolic.sd, new.systolic.arv, new.pulse_pressure) == (
            old.systolic.sd,
            old.systolic.arv,
            old.pulse_pressure,
        )
    assert before.stiffness == after.stiffness


@settings(deadline=None, max_examples=40)
@given(readings(), st.data())
def test_an_edit_and_its_undoing_leave_nothing_behind(recorded, data):
    measured = [n for n, one in enumerate(recorded.readings) if one.systolic_mmhg is not None]
    if not measured:
        return
    chosen = data.draw(st.lists(st.sampled_from(measured), min_size=1, unique=True))
    action = data.draw(st.sampled_from(["exclude", "include"]))
    edit = PressureEdit(action=action, readings=chosen, reason="x")
    undone = [edit, PressureEdit(action="undo", undoes=0)]
    assert conclude(recorded, undone) == conclude(recorded)
    wanted = "used" if action == "include" else "physician"
    assert {conclude(recorded, [edit]).pressure.readings[n].state for n in chosen} == {wanted}
