"""Working calendars of Chinese holidays, and the table of due times, at the edges that matter."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ecg_center.directory.holidays import official_days
from ecg_center.domain.calendars import ALWAYS, CHINA, OFFICE_HOURS, WorkingCalendar
from ecg_center.domain.deadlines import Deadline, DeadlineKind, deadlines, phase

EXCEPTIONS = {day.day: OFFICE_HOURS if day.is_workday else () for day in official_days(2026)}
OFFICE = WorkingCalendar(dict.fromkeys(range(1, 6), OFFICE_HOURS), EXCEPTIONS)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def due(kind: str = "resting", stored: str = "2026-11-23 09:00", **changes) -> dict[str, Deadline]:
    options = {"urgent": False, "chest_pain": False, "calendar": OFFICE, "review_waits_for_working_hours": False}
    found = deadlines(kind, stored_at=at(stored), **(options | changes))
    return {deadline.kind.value: deadline for deadline in found}


class TestCalendar:
    @pytest.mark.parametrize(
        ("instant", "working"),
        [
            ("2026-11-23 07:59:59", False),
            ("2026-11-23 08:00", True),
            ("2026-11-23 12:00", False),
            ("2026-11-23 17:29:59", True),
            ("2026-11-23 17:30", False),
            ("2026-11-22 09:00", False),  # a Sunday
            ("2026-10-01 09:00", False),  # National Day
            ("2026-10-07 09:00", False),
            ("2026-10-08 09:00", True),
            ("2026-09-20 09:00", True),  # a Sunday worked for National Day
            ("2026-10-10 09:00", True),  # a Saturday worked for it
            ("2026-02-14 09:00", True),  # a Saturday worked for the Spring Festival
            ("2026-02-17 09:00", False),  # its first day
            ("2026-02-23 09:00", False),
            ("2026-02-28 09:00", True),  # a Saturday worked for it
        ],
    )
    def test_the_state_councils_days_of_2026(self, instant: str, working: bool) -> None:
        assert OFFICE.is_working(at(instant)) is working

    def test_the_same_instant_in_another_zone_is_the_same(self) -> None:
        assert OFFICE.is_working(at("2026-11-23 08:00").astimezone(ZoneInfo("UTC")))
        assert not OFFICE.is_working(datetime(2026, 11, 23, 10, 0, tzinfo=ZoneInfo("UTC")))

    @pytest.mark.parametrize(
        ("start", "minutes", "end"),
        [
            ("2026-11-23 09:00", 45, "2026-11-23 09:45"),
            ("2026-11-23 11:30", 30, "2026-11-23 12:00"),
            ("2026-11-23 11:30", 45, "2026-11-23 14:15"),
            ("2026-11-23 17:15", 45, "2026-11-24 08:30"),
            ("2026-11-27 17:15", 45, "2026-11-30 08:30"),
            ("2026-09-30 17:00", 45, "2026-10-08 08:15"),
            ("2026-10-09 17:00", 45, "2026-10-10 08:15"),  # the Saturday after it is worked
            ("2026-11-23 03:00", 0, "2026-11-23 08:00"),
        ],
    )
    def test_working_time_passes_only_in_working_hours(self, start: str, minutes: int, end: str) -> None:
        assert OFFICE.add(at(start), timedelta(minutes=minutes)) == at(end)

    def test_a_calendar_without_work_says_so(self) -> None:
        with pytest.raises(ValueError, match="60 days"):
            WorkingCalendar({}).add(at("2026-11-23 09:00"), timedelta(minutes=1))

    def test_a_year_that_is_not_published_has_no_days(self) -> None:
        assert official_days(2199) == []


class TestDeadlines:
    @pytest.mark.parametrize(
        ("kind", "written", "reviewed"), [("resting", 30, 45), ("holter", 60, 90), ("abpm", 60, 90)]
    )
    def test_the_guides_table(self, kind: str, written: int, reviewed: int) -> None:
        found = due(kind)
        assert {name: (deadline.due_at - at("2026-11-23 09:00")) for name, deadline in found.items()} == {
            "written": timedelta(minutes=written),
            "reviewed": timedelta(minutes=reviewed),
        }

    @pytest.mark.parametrize("mark", [{"urgent": True}, {"chest_pain": True}, {"urgent": True, "chest_pain": True}])
    @pytest.mark.parametrize("stored", ["2026-11-23 09:00", "2026-10-01 03:12", "2026-11-22 23:59"])
    def test_an_emergency_is_answered_in_ten_minutes_at_any_hour(self, mark: dict, stored: str) -> None:
        found = due(stored=stored, review_waits_for_working_hours=True, **mark)
        assert found["opinion"].due_at == at(stored) + timedelta(minutes=10)
        assert found["written"].due_at == at(stored) + timedelta(minutes=30)
        assert found["reviewed"].due_at == at(stored) + timedelta(minutes=45)

    def test_at_night_only_the_review_of_what_is_not_urgent_waits(self) -> None:
        found = due(stored="2026-09-30 22:00", review_waits_for_working_hours=True)
        assert found["written"].due_at == at("2026-09-30 22:30")
        assert found["reviewed"].due_at == at("2026-10-08 08:45")
        assert found["reviewed"].warn_at == at("2026-10-08 08:30")
        assert due(stored="2026-09-30 22:00")["reviewed"].due_at == at("2026-09-30 22:45")

    def test_a_mark_after_receipt_starts_the_ten_minutes_then(self) -> None:
        later, earlier = at("2026-11-23 09:20"), at("2026-11-23 08:50")
        assert due(chest_pain=True, marked_at=later)["opinion"].due_at == later + timedelta(minutes=10)
        assert due(chest_pain=True, marked_at=later)["written"].due_at == at("2026-11-23 09:30")
        assert due(chest_pain=True, marked_at=earlier)["opinion"].due_at == at("2026-11-23 09:10")

    def test_a_calendar_that_is_wrong_never_keeps_a_recording_out(self) -> None:
        """The review is then due as if it did not wait: stricter, and nothing stops."""
        found = due(calendar=WorkingCalendar({}), review_waits_for_working_hours=True)
        assert found["reviewed"].due_at == at("2026-11-23 09:45")

    def test_around_the_clock_means_no_waiting(self) -> None:
        found = due(stored="2026-11-23 23:50", calendar=ALWAYS, review_waits_for_working_hours=True)
        late = found["reviewed"].due_at - at("2026-11-24 00:35")
        assert timedelta(0) <= late <= timedelta(microseconds=1)

    @pytest.mark.parametrize(
        ("now", "met", "expected"),
        [
            ("09:19:59", None, "running"),
            ("09:20", None, "warning"),
            ("09:30", None, "warning"),
            ("09:30:01", None, "breached"),
            ("10:00", "09:30", "met"),
            ("10:00", "09:30:01", "met_late"),
        ],
    )
    def test_how_a_deadline_stands(self, now: str, met: str | None, expected: str) -> None:
        deadline = due()["written"]
        day = "2026-11-23 "
        assert deadline.kind is DeadlineKind.WRITTEN
        assert (
            phase(
                at(day + now),
                warn_at=deadline.warn_at,
                due_at=deadline.due_at,
                met_at=at(day + met) if met else None,
            )
            == expected
        )


def test_midnight_closing_belongs_to_the_day() -> None:
    night = WorkingCalendar({1: ((time(20), time.max),)})
    assert night.is_working(at("2026-11-23 23:59"))
    assert not night.is_working(at("2026-11-24 00:00"))
    assert night.hours(date(2026, 11, 24)) == ()
