from dataclasses import replace
from datetime import timedelta

import pytest
from support.pressures import at, codes, day, is_night, series

from ecg_center.contract.pressure import PressureRow
from worker.pressure.analysis import conclude
from worker.pressure.guideline import load
from worker.pressure.validity import validity
from worker.pressure_readings import PressureReading

CHINA_2020 = load("china_2020")


def rows(day_used, night_used, failed=0):
    """So many used readings by day and by night, half an hour apart, and failed ones behind them."""
    states = [("used", "day")] * day_used + [("used", "night")] * night_used + [("failed", "day")] * failed
    return [PressureRow(at=at(n / 2), state=state, period=period) for n, (state, period) in enumerate(states)]


@pytest.mark.parametrize(
    ("day_used", "night_used", "verdict", "missing"),
    [
        (20, 7, "valid", []),
        (19, 7, "limited", ["day"]),
        (20, 6, "limited", ["night"]),
        (10, 5, "limited", ["day", "night"]),
        (9, 5, "insufficient", ["day", "night"]),
        (10, 4, "insufficient", ["day", "night"]),
        (0, 0, "insufficient", ["share", "day", "night"]),
    ],
)
def test_counts_by_day_and_by_night(day_used, night_used, verdict, missing):
    found = validity(rows(day_used, night_used, failed=0 if day_used else 3), None, CHINA_2020)
    assert (found.verdict, found.missing) == (verdict, missing)
    assert (found.day, found.night) == (day_used, night_used)


@pytest.mark.parametrize(("planned", "verdict"), [(40, "valid"), (41, "limited"), (100, "limited")])
def test_seventy_percent_of_the_planned_readings(planned, verdict):
    found = validity(rows(21, 7), planned, CHINA_2020)  # 28 of 40 are 70 %
    assert found.verdict == verdict
    assert found.planned_by == "file"
    assert found.share_percent == pytest.approx(100 * 28 / planned, abs=0.01)


@pytest.mark.parametrize(("failed", "missing"), [(12, []), (13, ["share"])])
def test_without_a_plan_the_attempts_are_counted(failed, missing):
    found = validity(rows(21, 7, failed), None, CHINA_2020)
    assert (found.planned, found.planned_by, found.missing) == (28 + failed, "attempts", missing)


def test_a_failed_reading_that_is_repeated_at_once_is_one_attempt():
    used = rows(20, 7)
    repeated = [PressureRow(at=one.at - timedelta(minutes=2), state="failed", period=one.period) for one in used]
    both = sorted([*used, *repeated], key=lambda one: one.at)
    assert validity(both, None, CHINA_2020).share_percent == 100
    apart = [one.model_copy(update={"at": one.at - timedelta(minutes=3)}) for one in repeated]  # five minutes earlier
    both = sorted([*used, *apart], key=lambda one: one.at)
    assert validity(both, None, CHINA_2020).share_percent == 50


def test_what_the_patient_started_is_nobodys_plan():
    manual = [one.model_copy(update={"manual": True, "state": "failed"}) for one in rows(30, 0)]
    assert validity([*rows(20, 7), *manual], None, CHINA_2020).share_percent == 100


def test_more_answers_than_were_planned_are_no_more_than_all():
    assert validity(rows(40, 20), 48, CHINA_2020).share_percent == 100


def test_an_insufficient_recording_says_so_and_nothing_of_the_level():
    found = conclude(day((160, 100), (150, 90), every_minutes=150))
    assert codes(found) == ["941", "942"]
    assert (found.quality.verdict, found.grade) == ("repeat", "abnormal")
    assert "重新监测" in found.quality.advice_zh


def test_a_limited_recording_says_what_it_says_as_probable():
    found = conclude(day((160, 100), (150, 90), every_minutes=60))
    assert found.pressure.validity.verdict == "limited"
    assert found.quality.verdict == "limited"
    assert {one.certainty for one in found.statements if one.code in ("901", "902", "903", "921")} == {"probable"}
    assert "940" in codes(found)


def test_normal_is_never_said_of_a_limited_recording():
    assert "900" in codes(conclude(day()))
    assert "900" not in codes(conclude(day(every_minutes=60)))


def test_without_a_night_nothing_is_said_of_it():
    recorded = series(one for one in day((160, 100), every_minutes=20).readings if not is_night(one.at))
    found = conclude(recorded)
    assert found.pressure.period("night") is None
    assert found.pressure.dipping is None
    assert "941" in codes(found)
    assert not {"903", "904", "905", "920", "921", "922", "923"} & set(codes(found))


def test_a_recording_without_one_pressure_is_still_findings():
    found = conclude(series([PressureReading(at(0), status="failed", reason="E03")]))
    assert found.pressure.periods == []
    assert codes(found) == ["941", "942"]
    assert found.grade == "abnormal"


def test_readings_that_were_taken_out_do_not_answer_the_plan():
    half = conclude(
        day(change=lambda one: replace(one, status="excluded") if one.at.minute else one, planned=48)
    ).pressure
    assert half.validity.share_percent == 50
