"""Recordings of 36, 48 and 72 hours: what each day and night says, and what is said of the whole."""

import statistics
from dataclasses import replace
from datetime import timedelta

import pytest
from support.pressures import START, at, codes, day, is_night, series

from ecg_center.contract.pressure import PressureEdit
from worker.pressure.analysis import conclude
from worker.pressure.guideline import load
from worker.pressure_readings import DiaryEntry, PressureReading

ESC = load("esc_2024")


def hours_after(one):
    """Hours since the recording began."""
    return (one.at - START).total_seconds() / 3600


def keep(recorded, day_number, *, awake, asleep):
    """The recording with only so many good readings in one of its 24 hours; the others failed."""
    left = {True: asleep, False: awake}
    readings = []
    for one in recorded.readings:
        night = is_night(one.at)
        if int(hours_after(one) // 24) == day_number:
            left[night] -= 1
            if left[night] < 0:
                readings.append(PressureReading(one.at, status="failed", reason="E03"))
                continue
        readings.append(one)
    return series(readings)


def test_an_ordinary_recording_is_one_day_however_late_it_was_taken_off():
    for hours in (20, 24, 30, 36):
        figures = conclude(day(hours=hours)).pressure
        assert len(figures.days) == 1
        assert figures.days[0].validity == figures.validity
        assert (figures.days[0].start_at, figures.days[0].end_at) == (figures.started_at, figures.ended_at)


@pytest.mark.parametrize(("minutes_more", "days"), [(0, 1), (29, 1), (30, 2)])
def test_from_twelve_hours_more_on_the_rest_is_a_day(minutes_more, days):
    recorded = day(hours=36).readings  # the last reading is that of 35.5 h
    last = PressureReading(at(35.5) + timedelta(minutes=minutes_more), 125, 75)
    assert len(conclude(series([*recorded[:-1], last])).pressure.days) == days


def test_each_day_has_its_own_readings_and_averages():
    recorded = day(hours=48, change=lambda one: replace(one, systolic_mmhg=one.systolic_mmhg + 10 * (one.at >= at(24))))
    first, second = conclude(recorded).pressure.days
    assert (first.start_at, first.end_at, second.start_at) == (START, at(24), at(24))
    assert (first.validity.day, first.validity.night) == (second.validity.day, second.validity.night) == (32, 16)
    assert (first.averages["day"].systolic_mmhg, second.averages["day"].systolic_mmhg) == (125, 135)
    assert (first.averages["night"].systolic_mmhg, second.averages["night"].systolic_mmhg) == (110, 120)
    assert second.averages["24h"].systolic_mmhg == pytest.approx((32 * 135 + 16 * 120) / 48, abs=0.001)


def test_what_is_judged_is_the_average_of_all_readings():
    found = conclude(day((125, 75), hours=48, change=lambda one: replace(one, diastolic_mmhg=60)))
    higher = conclude(
        day(hours=48, change=lambda one: one if one.at < at(24) else replace(one, systolic_mmhg=one.systolic_mmhg + 20))
    )
    assert higher.pressure.period("day").systolic.mean == 135
    assert "905" in codes(higher) or "902" in codes(higher)
    assert not {"901", "902", "905"} & set(codes(found))


@pytest.mark.parametrize(
    ("first", "second", "verdict", "code"),
    [
        ((20, 7), (0, 0), "valid", None),  # a second day that failed spoils nothing
        ((0, 0), (20, 7), "valid", None),
        ((19, 7), (32, 6), "limited", "940"),  # together far more than 20 and 7
        ((19, 6), (19, 6), "limited", "940"),
        ((10, 0), (0, 5), "limited", "940"),
        ((5, 3), (5, 2), "limited", "940"),
        ((5, 2), (5, 2), "insufficient", "942"),
        ((4, 3), (5, 3), "insufficient", "942"),
    ],
)
def test_the_whole_is_as_good_as_its_best_day(first, second, verdict, code):
    readings = [PressureReading(at(hours), status="failed") for hours in (0, 47.9)]  # how long it was worn
    for begins, (awake, asleep) in ((0, first), (24, second)):
        readings += [PressureReading(at(begins + 0.1 + n * 0.4), 125, 75) for n in range(awake)]
        readings += [PressureReading(at(begins + 14 + n / 2), 110, 65) for n in range(asleep)]
    recorded = series(sorted(readings, key=lambda one: one.at))
    found = conclude(recorded)
    assert found.pressure.validity.verdict == verdict
    assert {"940", "942"} & set(codes(found)) == ({code} if code else set())


def test_the_share_is_counted_by_the_day():
    """28 of 40 attempts are 70 %; one more failed attempt is too few, though the other day fails altogether."""

    def recorded(failed):
        readings = [PressureReading(at(n / 2), 125, 75) for n in range(28)]  # 8:00 to 22:00
        readings += [PressureReading(at(14 + n), 110, 65) for n in range(7)]
        readings += [PressureReading(at(21 + n / 5), status="failed") for n in range(failed)]
        return series([*readings, *(PressureReading(at(24.2 + n / 2), status="failed") for n in range(46))])

    assert conclude(recorded(15)).pressure.days[0].validity.share_percent == 70
    assert conclude(recorded(15)).pressure.validity.verdict == "valid"
    worse = conclude(series(one for one in recorded(15).readings if one.at != at(0)))
    assert worse.pressure.days[0].validity.share_percent < 70
    assert worse.pressure.validity.missing == ["share"]


def test_what_is_lacking_is_said_of_the_best_day():
    recorded = keep(keep(day(hours=48), 0, awake=12, asleep=5), 1, awake=32, asleep=6)
    found = conclude(recorded)
    assert found.pressure.validity.missing == ["night"]
    said = next(one for one in found.statements if one.code == "940")
    assert [(one.quantity, one.value) for one in said.evidence] == [("readings_night", 6)]
    assert found.quality.advice_zh.startswith("最好的24小时：")
    assert found.quality.advice_en.startswith("the best 24 hours: 79 % of the readings, 32 by day, 6 by night")


def test_a_plan_of_two_days_is_nobodys_day():
    figures = conclude(series(day(hours=48).readings, planned=200)).pressure
    assert (figures.validity.planned, figures.validity.planned_by) == (200, "file")
    assert [one.validity.planned for one in figures.days] == [48, 48]
    assert figures.validity.verdict == "valid"


def falls(figures):
    """The systolic fall of each night."""
    return [one.dipping and one.dipping.systolic for one in figures.by_night]


def test_each_night_is_held_against_the_day_before_it():
    recorded = day(
        (125, 75), (110, 65), hours=48, change=lambda one: replace(one, systolic_mmhg=120) if one.at >= at(36) else one
    )
    figures = conclude(recorded).pressure
    first, second = figures.by_night
    assert (first.average.systolic_mmhg, second.average.systolic_mmhg) == (110, 120)
    assert first.dipping.systolic_percent == 12
    before = [125.0] * 28 + [120.0] * 4  # from waking at 6:00 on; the last two hours are lower already
    assert second.dipping.systolic_percent == pytest.approx(100 * (1 - 120 / statistics.fmean(before)), abs=0.001)
    assert falls(figures) == ["dipper", "non_dipper"]
    assert [one.against for one in figures.by_night] == ["before", "before"]
    whole = 100 * (1 - figures.period("night").systolic.mean / figures.period("day").systolic.mean)
    assert figures.dipping.systolic_percent == pytest.approx(whole, abs=0.001)
    assert "921" in codes(conclude(recorded))  # 7.7 % of both nights


def test_who_begins_in_the_evening_is_held_against_the_next_day():
    recorded = series(one for one in day(hours=72).readings if one.at >= at(9.5))  # 17:30; nine readings until 22:00
    assert [one.against for one in conclude(recorded).pressure.by_night] == ["after", "before", "before"]
    earlier = series(one for one in day(hours=72).readings if one.at >= at(9))
    assert conclude(earlier).pressure.by_night[0].against == "before"


@pytest.mark.parametrize(("asleep", "judged"), [(4, False), (5, True)])
def test_a_night_of_few_readings_has_no_fall(asleep, judged):
    figures = conclude(keep(day(hours=48), 1, awake=32, asleep=asleep)).pressure
    assert figures.by_night[1].readings == asleep
    assert (figures.by_night[1].dipping is not None) is judged
    assert (figures.by_night[1].against is not None) is judged


@pytest.mark.parametrize(("awake", "judged"), [(9, False), (10, True)])
def test_a_day_of_few_readings_gives_no_fall(awake, judged):
    few = keep(day(hours=24), 0, awake=awake, asleep=16)
    figures = conclude(series(one for one in few.readings if one.at < at(22))).pressure
    assert (figures.by_night[0].dipping is not None) is judged


def test_a_night_without_a_reading_is_there_and_says_nothing():
    figures = conclude(keep(day(hours=48), 1, awake=32, asleep=0)).pressure
    second = figures.by_night[1]
    assert (second.readings, second.average, second.dipping, second.surge) == (0, None, None, None)


def mornings(*levels, hours=72):
    """Nights of 100, and after each of them two hours at its level."""

    def change(one):
        number = int((hours_after(one) + 2) // 24) - 1
        is_morning = one.at.hour in (6, 7) and 0 <= number < len(levels)
        return replace(one, systolic_mmhg=levels[number]) if is_morning else one

    return day((126, 70), (100, 60), hours=hours, change=change)


def test_the_surge_is_the_mean_of_the_mornings():
    figures = conclude(mornings(130, 140, 150), guideline=ESC).pressure
    assert [one.surge.sleep_trough_mmhg for one in figures.by_night] == [30, 40, 50]
    assert (figures.surge.sleep_trough_mmhg, figures.surge.mornings, figures.surge.prewaking_mmhg) == (40, 3, 40)
    assert (figures.surge.morning_systolic_mmhg, figures.surge.trough_mmhg) == (140, 100)
    assert figures.surge.waking_at == at(70)  # of the highest


@pytest.mark.parametrize(("levels", "said"), [((150, 120), True), ((150, 118), False), ((120, 150), True)])
def test_the_mean_surge_is_judged_and_not_the_first_or_the_highest(levels, said):
    found = conclude(mornings(*levels, hours=48))
    assert ("924" in codes(found)) is said
    if said:
        evidence = next(one for one in found.statements if one.code == "924").evidence[0]
        assert (evidence.value, evidence.threshold) == (35, 35)
        assert evidence.start_s == (22 if levels[0] > levels[1] else 46) * 3600


@pytest.mark.parametrize(("levels", "said"), [((160, 110), True), ((160, 108), False)])
def test_morning_hypertension_is_of_the_mean_morning(levels, said):
    assert ("909" in codes(conclude(mornings(*levels, hours=48)))) is said


def test_a_morning_that_was_not_measured_is_left_out_of_the_mean():
    figures = conclude(mornings(140, 150, hours=46.5)).pressure  # of the second morning one reading is there
    assert [one.surge is not None for one in figures.by_night] == [True, False]
    assert (figures.surge.sleep_trough_mmhg, figures.surge.mornings) == (40, 1)


def test_half_a_diary_tells_of_one_night_and_the_clock_of_the_other():
    diary = (DiaryEntry(at(15), "asleep"), DiaryEntry(at(23), "awake"))
    figures = conclude(series(day(hours=48).readings, diary=diary)).pressure
    assert [(one.by, one.start_at) for one in figures.by_night] == [("diary", at(15)), ("clock", at(38))]
    assert [one.readings for one in figures.by_night] == [16, 16]


def test_an_edit_moves_the_day_and_the_night_that_it_belongs_to_and_no_other():
    recorded = day(hours=48)
    taken = [n for n, one in enumerate(recorded.readings) if is_night(one.at) and one.at > at(24)][:12]
    before = conclude(recorded).pressure
    after = conclude(recorded, [PressureEdit(action="exclude", readings=taken, reason="x")]).pressure
    assert after.days[0] == before.days[0]
    assert after.by_night[0] == before.by_night[0]
    assert (after.by_night[1].readings, after.by_night[1].dipping) == (4, None)
    assert (after.days[1].validity.night, after.days[1].validity.verdict) == (4, "insufficient")
    assert after.validity.verdict == "valid"


@pytest.mark.parametrize(("average", "expected"), [("plain", 110.0), ("weighted", 111.25)])
def test_each_day_is_averaged_as_the_guideline_averages(average, expected):
    rules = replace(load(), average=average)
    recorded = series(  # 100 for 0.625 and 0.625 h, 130 for 0.75 h
        PressureReading(at(hours), systolic, 70)
        for begins in range(0, 48, 2)
        for hours, systolic in ((begins + 0.25, 100), (begins + 0.75, 100), (begins + 1.5, 130))
    )
    found = conclude(recorded, guideline=rules).pressure
    assert found.days[0].averages["24h"].systolic_mmhg == pytest.approx(expected, abs=0.1)
    weights = found.periods[0].systolic
    assert found.average_of(weights) == pytest.approx(expected, abs=0.1)
