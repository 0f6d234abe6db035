from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.pressures import START, at, day, series

from ecg_center.domain.calendars import CHINA
from worker.pressure.guideline import load
from worker.pressure.periods import nights_of
from worker.pressure_readings import DiaryEntry

CLOCK, NARROW = load("china_2020").clock, load("china_2020").clock_narrow


def clock(hour, minute=0, day=2):
    return datetime(2026, 3, day, hour, minute, tzinfo=CHINA)


@pytest.mark.parametrize(
    ("moment", "period"),
    [
        (clock(21, 59), "day"),
        (clock(22), "night"),
        (clock(23, 59), "night"),
        (clock(0, day=3), "night"),
        (clock(5, 59, day=3), "night"),
        (clock(6, day=3), "day"),
    ],
)
def test_fixed_hours_of_the_chinese_guideline(moment, period):
    nights = nights_of(day(), CLOCK)
    assert nights.source == "clock"
    assert nights.period(moment) == period


@pytest.mark.parametrize(
    ("moment", "period"),
    [
        (clock(8), "day"),
        (clock(19, 59), "day"),
        (clock(20), "between"),
        (clock(22, 59), "between"),
        (clock(23), "night"),
        (clock(4, 59, day=3), "night"),
        (clock(5, day=3), "between"),
        (clock(7, 59, day=3), "between"),
    ],
)
def test_narrow_hours_leave_the_changes_out(moment, period):
    assert nights_of(day(), NARROW).period(moment) == period


def test_the_esh_hours_have_a_night_within_one_day():
    nights = nights_of(day(), load("esc_2024").clock)
    assert [(one.start, one.end) for one in nights.stretches] == [(clock(1, day=3), clock(6, day=3))]
    assert nights.period(clock(0, 59, day=3)) == "between"


def test_hours_are_those_of_the_centres_clock_whatever_zone_the_file_writes():
    written = series(replace(one, at=one.at.astimezone(UTC)) for one in day().readings)
    assert nights_of(written, CLOCK).period(clock(22).astimezone(UTC)) == "night"


def test_the_diary_outranks_the_device_and_the_device_the_clock():
    def flagged(one):
        return replace(one, awake=not (one.at.hour >= 23 or one.at.hour < 7))

    asleep = DiaryEntry(clock(23, 30), "asleep", clock(6, 45, day=3))
    by_diary = nights_of(day(change=flagged, diary=(asleep,)), CLOCK)
    assert (by_diary.source, by_diary.period(clock(23, 15))) == ("diary", "day")
    assert by_diary.stretches[0].end == clock(6, 45, day=3)
    by_device = nights_of(day(change=flagged), CLOCK)
    assert (by_device.source, by_device.period(clock(23, 15))) == ("device", "night")
    assert by_device.stretches[0].end == clock(7, day=3)


def test_a_diary_of_single_marks_is_a_night_from_one_to_the_next():
    diary = (DiaryEntry(clock(22, 10), "睡觉"), DiaryEntry(clock(23), "吃药"), DiaryEntry(clock(5, 50, day=3), "起床"))
    nights = nights_of(day(diary=diary), CLOCK)
    assert [(one.start, one.end) for one in nights.stretches] == [(clock(22, 10), clock(5, 50, day=3))]


@pytest.mark.parametrize(("hours", "source"), [(2.9, "clock"), (3, "diary"), (18, "diary"), (18.1, "clock")])
def test_a_nap_is_no_night_and_neither_is_a_forgotten_waking(hours, source):
    diary = (DiaryEntry(clock(13), "asleep", clock(13) + timedelta(hours=hours)),)
    assert nights_of(day(diary=diary), CLOCK).source == source


def test_a_device_that_flags_all_as_awake_says_nothing_of_the_night():
    assert nights_of(day(change=lambda one: replace(one, awake=True)), CLOCK).source == "clock"


def test_a_recording_that_ends_asleep_has_its_last_reading_in_the_night():
    recorded = day(hours=16, change=lambda one: replace(one, awake=one.at < clock(22)))
    nights = nights_of(recorded, CLOCK)
    assert nights.source == "clock"  # two hours asleep are not yet a night
    longer = day(hours=20, change=lambda one: replace(one, awake=one.at < clock(22)))
    assert nights_of(longer, CLOCK).period(longer.readings[-1].at) == "night"


def test_two_days_have_two_nights():
    assert len(nights_of(day(hours=48), CLOCK).stretches) == 2
    assert [one.start for one in nights_of(day(hours=48), CLOCK).stretches] == [clock(22), clock(22, day=3)]


SLEPT = DiaryEntry(clock(23, 30), "asleep", clock(6, 45, day=3))
SLEPT_AGAIN = DiaryEntry(clock(23, day=3), "asleep", clock(6, 30, day=4))


@pytest.mark.parametrize("noted", [(SLEPT,), (SLEPT_AGAIN,), (SLEPT, DiaryEntry(clock(23, day=3), "asleep"))])
def test_a_night_that_was_not_noted_is_one_by_the_clock(noted):
    nights = nights_of(day(hours=48, diary=noted), CLOCK)
    assert nights.source == "diary"
    first, second = (one.source for one in nights.stretches)
    assert (first, second) == (("clock", "diary") if noted == (SLEPT_AGAIN,) else ("diary", "clock"))
    assert nights.period(clock(1, day=3)) == nights.period(clock(1, day=4)) == "night"
    assert nights.period(clock(14, day=3)) == "day"


def test_flags_that_end_early_do_not_make_the_second_night_a_day():
    def flagged(one):
        known = one.at < clock(8, day=3)
        return replace(one, awake=not (clock(23) <= one.at < clock(7, day=3)) if known else None)

    nights = nights_of(day(hours=48, change=flagged), CLOCK)
    assert [one.source for one in nights.stretches] == ["device", "clock"]


def test_who_is_flagged_awake_did_not_forget_a_night():
    def flagged(one):
        return replace(one, awake=not (clock(23) <= one.at < clock(7, day=3)))

    assert len(nights_of(day(hours=48, change=flagged), CLOCK).stretches) == 1


def test_who_sleeps_by_day_has_no_night_to_be_forgotten():
    entry = DiaryEntry(clock(9, day=3), "asleep", clock(16, day=3))
    nights = nights_of(day(hours=48, diary=(entry,)), CLOCK)
    assert [(one.start, one.end) for one in nights.stretches] == [(clock(9, day=3), clock(16, day=3))]


def test_a_recording_that_ends_soon_after_ten_has_no_second_night():
    shorter = day(hours=48, diary=(SLEPT,))
    shorter = replace(shorter, readings=[one for one in shorter.readings if one.at < clock(22, 30, day=3)])
    assert len(nights_of(shorter, CLOCK).stretches) == 1


def test_narrow_hours_leave_the_changes_out_beside_a_night_of_the_clock_alone():
    nights = nights_of(day(hours=48, diary=(SLEPT,)), NARROW)
    assert nights.period(clock(7, 30, day=3)) == "day"
    [forgotten] = [one for one in nights.stretches if one.source == "clock"]
    assert nights.period(forgotten.end) == nights.period(forgotten.start - timedelta(minutes=1)) == "between"


def test_a_diary_of_another_day_is_not_this_ones():
    entry = DiaryEntry(START - timedelta(days=3), "asleep", START - timedelta(days=3) + timedelta(hours=7))
    assert nights_of(day(diary=(entry,)), CLOCK).source == "clock"
    assert at(0) == START
