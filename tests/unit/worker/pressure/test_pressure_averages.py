"""Averages and variability against figures worked out by hand."""

import math
from datetime import timedelta

import pytest
from support.pressures import START, at, day, series

from ecg_center.contract.pressure import printed
from worker.pressure.analysis import conclude
from worker.pressure.averages import weighted
from worker.pressure.guideline import FOLDER, parse
from worker.pressure.measured import Measured, mean_arterial
from worker.pressure_readings import PressureReading


def pressures(*systolic, every_minutes=30):
    return series(
        PressureReading(START + timedelta(minutes=every_minutes * n), value, value - 50, None, 60 + n)
        for n, value in enumerate(systolic)
    )


def test_mean_sd_cv_and_average_real_variability():
    whole = conclude(pressures(120, 130, 110, 140)).pressure.period("24h")
    assert whole.systolic.mean == 125
    assert whole.systolic.sd == pytest.approx(math.sqrt((25 + 25 + 225 + 225) / 3), abs=0.005)
    assert whole.systolic.cv_percent == pytest.approx(100 * math.sqrt(500 / 3) / 125, abs=0.005)
    assert whole.systolic.arv == 20  # (10 + 20 + 30) / 3
    assert (whole.systolic.minimum, whole.systolic.maximum) == (110, 140)
    assert (whole.systolic.minimum_at, whole.systolic.maximum_at) == (at(1), at(1.5))
    assert whole.pulse_pressure.mean == 50
    assert whole.pulse.mean == 61.5


def test_one_reading_has_an_average_and_no_variability():
    whole = conclude(pressures(120)).pressure.period("24h")
    assert (whole.systolic.mean, whole.systolic.weighted_mean) == (120, 120)
    assert whole.systolic.sd is whole.systolic.cv_percent is whole.systolic.arv is None


def test_the_mean_pressure_is_the_devices_own_where_it_has_one():
    measured = series([PressureReading(at(0), 120, 80, 99), PressureReading(at(1), 120, 80)])
    assert conclude(measured).pressure.period("24h").mean_pressure.mean == pytest.approx((99 + 280 / 3) / 2, abs=0.005)
    assert mean_arterial(150, 90) == 110


def test_weights_are_the_hours_for_which_a_reading_is_the_nearest():
    minutes = (0, 20, 60, 120)
    readings = [Measured(START + timedelta(minutes=m), 120, 80, 93, None, "day") for m in minutes]
    assert [round(one.weight * 60) for one in weighted(readings)] == [20, 30, 50, 60]


def test_a_gap_is_nobodys():
    readings = [Measured(START + timedelta(hours=h), 120, 80, 93, None, "day") for h in (0, 0.5, 10, 10.5)]
    assert [one.weight for one in weighted(readings)] == [0.5, 1.25, 1.25, 0.5]
    assert [one.weight for one in weighted(readings[:1])] == [0.5]
    assert weighted([]) == []


def test_the_weighted_average_is_not_pulled_by_a_denser_plan():
    recorded = series(
        [
            *(PressureReading(START + timedelta(minutes=15 * n), 140, 90) for n in range(64)),  # 16 h by day
            *(PressureReading(START + timedelta(minutes=960 + 60 * n), 110, 60) for n in range(8)),  # 8 h by night
        ]
    )
    whole = conclude(recorded).pressure.period("24h")
    assert whole.systolic.mean == pytest.approx((64 * 140 + 8 * 110) / 72, abs=0.005)
    assert whole.systolic.weighted_mean == pytest.approx((16 * 140 + 8 * 110) / 24, abs=0.5)


def test_a_guideline_says_which_average_is_judged():
    toml = parse((FOLDER / "china_2020.toml").read_text("utf-8").replace('average = "plain"', 'average = "weighted"'))
    recorded = series(
        [
            *(PressureReading(START + timedelta(minutes=15 * n), 136, 84) for n in range(56)),
            *(PressureReading(START + timedelta(minutes=840 + 60 * n), 105, 60) for n in range(10)),
        ]
    )
    plain, by_time = conclude(recorded), conclude(recorded, guideline=toml)
    assert plain.pressure.period("24h") == by_time.pressure.period("24h")
    assert "901" in [one.code for one in plain.statements]
    assert "901" not in [one.code for one in by_time.statements]


def test_the_weighted_sd_leaves_the_fall_at_night_out():
    recorded = day((140, 90), (110, 60))
    steady = conclude(recorded).pressure
    assert steady.weighted_systolic_sd == steady.weighted_diastolic_sd == 0
    assert steady.period("24h").systolic.sd > 10
    swung = [
        PressureReading(one.at, one.systolic_mmhg + (10, -10)[n % 2] * (1 if one.systolic_mmhg == 140 else 0.5), 70)
        for n, one in enumerate(recorded.readings)
    ]
    uneven = conclude(series(swung)).pressure
    day_sd, night_sd = uneven.period("day").systolic.sd, uneven.period("night").systolic.sd
    assert uneven.weighted_systolic_sd == pytest.approx((16 * day_sd + 8 * night_sd) / 24, abs=0.05)


def test_steps_of_the_day_do_not_cross_the_night():
    steady = conclude(day((140, 90), (110, 60))).pressure
    assert steady.period("day").systolic.arv == steady.period("night").systolic.arv == 0
    assert steady.period("24h").systolic.arv == pytest.approx(2 * 30 / 47, abs=0.005)


def test_hours_are_those_of_the_clock():
    hours = conclude(pressures(120, 130, 150, every_minutes=40)).pressure.hours
    assert [(one.start_at.hour, one.readings, one.systolic_mmhg) for one in hours] == [(8, 2, 125), (9, 1, 150)]


def test_the_load_counts_each_reading_by_the_limit_of_its_time():
    found = conclude(day((135, 84), (119, 70))).pressure
    assert found.period("day").systolic_load_percent == 100
    assert found.period("day").diastolic_load_percent == 0
    assert found.period("night").systolic_load_percent == 0
    assert found.period("night").diastolic_load_percent == 100
    assert found.period("24h").systolic_load_percent == pytest.approx(100 * 32 / 48, abs=0.005)
    assert found.period("24h").diastolic_load_percent == pytest.approx(100 * 16 / 48, abs=0.005)


@pytest.mark.parametrize(
    ("value", "whole"), [(129.49, 129), (129.5, 130), (130.5, 131), (0.5, 1), (-0.5, 0), (-0.51, -1)]
)
def test_a_figure_is_printed_rounded_half_up(value, whole):
    assert printed(value) == whole
