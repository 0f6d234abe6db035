"""Dipping, surge, stiffness and the office pressure, against figures worked out by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest
from support.pressures import START, at, codes, day, series

from worker.pressure.analysis import conclude
from worker.pressure.dipping import dipping, kind
from worker.pressure.guideline import load
from worker.pressure.indication import noted_in
from worker.pressure.stiffness import limit_at
from worker.pressure_readings import PressureReading
from worker.resting.patient import Person

ESC = load("esc_2024")


@pytest.mark.parametrize(
    ("day_mmhg", "night_mmhg", "named"),
    [
        (100, 79, "extreme"),  # 21 %
        (100, 80, "dipper"),  # 20 %
        (100, 90, "dipper"),  # 10 %
        (100, 91, "non_dipper"),  # 9 %
        (100, 100, "non_dipper"),  # 0 %
        (100, 101, "reverse"),  # -1 %
    ],
)
def test_each_kind_of_dipper_at_its_limits(day_mmhg, night_mmhg, named):
    found = dipping((day_mmhg, day_mmhg / 2), (night_mmhg, night_mmhg / 2))
    assert (found.systolic, found.diastolic) == (named, named)


@pytest.mark.parametrize(
    ("percent", "named"),
    [
        (20.05, "extreme"), (20.04, "dipper"), (9.95, "dipper"), (9.94, "non_dipper"),
        (-0.05, "non_dipper"), (-0.06, "reverse"),
    ],
)  # fmt: skip
def test_the_percentage_is_judged_as_it_is_printed(percent, named):
    assert kind(percent) == named


@pytest.mark.parametrize(
    ("asleep", "code"),
    [((95, 60), "923"), ((96, 60), "920"), ((108, 60), "920"), ((109, 60), "921"), ((121, 60), "922")],
)
def test_the_kind_that_is_said_is_the_systolic_ones(asleep, code):
    assert set(codes(conclude(day((120, 80), asleep)))) & {"920", "921", "922", "923"} == {code}


def night_of(*systolic, morning=(150, 150, 150, 150), every_minutes=30):
    """Awake at 120 from 18:00, then these readings from 22:00 on, then the morning from 6:00 on."""
    start = START.replace(hour=18)
    readings = [PressureReading(start + timedelta(minutes=30 * n), 120, 75) for n in range(8)]
    bed, wake = START.replace(hour=22), START.replace(hour=6) + timedelta(days=1)
    readings += [PressureReading(bed + timedelta(minutes=every_minutes * n), v, 65) for n, v in enumerate(systolic)]
    readings += [PressureReading(wake + timedelta(minutes=30 * n), value, 90) for n, value in enumerate(morning)]
    return series(readings)


NIGHT = (118, 116, 110, 108, 112, 114, 106, 104, 96, 104, 108, 112, 116, 118, 118, 122)


def test_the_surge_of_kario_by_both_definitions():
    found = conclude(night_of(*NIGHT), guideline=ESC).pressure.surge
    assert (found.trough_by, found.trough_mmhg) == ("three_readings", pytest.approx((104 + 96 + 104) / 3, abs=0.005))
    assert found.sleep_trough_mmhg == pytest.approx(150 - 304 / 3, abs=0.005)
    assert found.prewaking_mmhg == pytest.approx(150 - (116 + 118 + 118 + 122) / 4, abs=0.005)
    assert found.waking_at == START.replace(hour=6) + timedelta(days=1)
    assert found.lowest_at == START.replace(hour=22) + timedelta(hours=4)
    assert found.limit_mmhg is None


def test_the_chinese_trough_is_the_hour_that_holds_the_lowest():
    dense = tuple(value for value in NIGHT for _ in (0, 1))  # a reading in a quarter of an hour
    found = conclude(night_of(*dense, every_minutes=15)).pressure.surge
    assert found.trough_by == "hour"
    assert found.trough_mmhg == pytest.approx((104 + 104 + 96 + 96 + 104) / 5, abs=0.005)


def test_the_lowest_at_the_edge_of_the_night_has_one_neighbour():
    assert conclude(night_of(*[130] * 6, 90, 100, 110, 120), guideline=ESC).pressure.surge.trough_mmhg == 95


@pytest.mark.parametrize(("morning", "said"), [(134, False), (135, True)])
def test_a_surge_of_35_is_said_by_the_chinese_guideline(morning, said):
    found = conclude(night_of(*[100] * 16, morning=(morning,) * 4))
    assert found.pressure.surge.sleep_trough_mmhg == morning - 100
    found_in_day = conclude(
        day(
            (126, 70),
            (100, 60),
            change=lambda one: replace(one, systolic_mmhg=morning) if one.at.hour in (6, 7) else one,
        )
    )
    assert ("924" in codes(found_in_day)) is said
    assert "924" not in codes(
        conclude(
            day(
                (126, 70),
                (100, 60),
                change=lambda one: replace(one, systolic_mmhg=150) if one.at.hour in (6, 7) else one,
            ),
            guideline=ESC,
        )
    )


@pytest.mark.parametrize(
    ("systolic", "diastolic", "said"), [(134, 84, False), (135, 84, True), (120, 85, True), (134.5, 60, True)]
)
def test_morning_hypertension_is_of_the_two_hours_after_waking(systolic, diastolic, said):
    def change(one):
        is_morning = one.at.hour in (6, 7)
        return replace(one, systolic_mmhg=systolic, diastolic_mmhg=diastolic) if is_morning else one

    found = conclude(day((120, 75), (110, 65), change=change))
    assert ("909" in codes(found)) is said
    assert ("900" in codes(found)) is not said


@pytest.mark.parametrize(
    "readings", [night_of(100, 100), night_of(*NIGHT, morning=(150,)), series([PressureReading(at(0), 120, 80)])]
)
def test_too_few_readings_make_no_surge(readings):
    assert conclude(readings).pressure.surge is None


def line(slope, number=20, wobble=0.0):
    """Readings whose diastolic lies on a line over the systolic."""
    return series(
        PressureReading(at(n / 2), 100 + 2 * n, 60 + slope * 2 * n + (wobble if n % 2 else -wobble))
        for n in range(number)
    )


@pytest.mark.parametrize("slope", [0.2, 0.5, 0.8])
def test_stiffness_is_one_minus_the_slope(slope):
    found = conclude(line(slope)).pressure.stiffness
    assert found.aasi == found.symmetric_aasi == pytest.approx(1 - slope, abs=0.001)
    assert found.correlation == 1


def test_the_symmetric_index_does_not_grow_with_scatter():
    found = conclude(line(0.5, number=40, wobble=8)).pressure.stiffness
    assert found.symmetric_aasi == pytest.approx(1 - (1 - found.aasi) / found.correlation, abs=0.002)
    assert found.symmetric_aasi < found.aasi


def test_stiffness_needs_readings_that_move():
    assert conclude(line(0.5, number=19)).pressure.stiffness is None
    assert conclude(line(0.5, number=20)).pressure.stiffness is not None
    assert conclude(day()).pressure.stiffness is not None
    assert conclude(day((120, 75), (120, 75))).pressure.stiffness is None
    falling = conclude(line(-0.3)).pressure.stiffness
    assert falling.aasi == pytest.approx(1.3)
    assert falling.symmetric_aasi is None


@pytest.mark.parametrize(
    ("age_years", "limit"), [(None, None), (19.9, None), (20, 0.53), (50, 0.625), (80, 0.72), (95, 0.72)]
)
def test_the_limit_of_stiffness_grows_with_age(age_years, limit):
    assert limit_at(age_years) == limit
    assert conclude(line(0.5), person=Person(age_years=age_years)).pressure.stiffness.aasi_limit == limit


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("头晕1月，诊室血压152/94mmHg", (152, 94)),
        ("诊室血压：152 / 94", (152, 94)),
        ("门诊测血压 160/100 mmHg，查动态血压", (160, 100)),
        ("office BP 148/90", (148, 90)),
        ("高血压3年，血压 150/95", None),
        ("诊室血压 94/152", None),
        ("诊室血压 152/94/70", None),
        ("诊室血压 400/94", None),
        ("诊室心率 72", None),
        ("", None),
    ],
)
def test_the_office_pressure_is_read_only_where_it_is_called_so(words, found):
    pressure = noted_in(words).office
    assert (pressure and (pressure.systolic_mmhg, pressure.diastolic_mmhg)) == found
