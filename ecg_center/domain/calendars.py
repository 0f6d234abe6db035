"""When does a centre work?

Chinese public holidays move every year and weekends become workdays in exchange (调休, published each autumn by the
State Council), so exceptions are days by name, stored per calendar; the weekly hours are the rule behind them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")

Hours = tuple[tuple[time, time], ...]
"""Spans of one day, ascending, each begin before end."""

SEARCH_DAYS = 60
"""No holiday of any calendar is longer; a calendar without work within it is a mistake."""


@dataclass(frozen=True)
class WorkingCalendar:
    """Weekly hours and the days that differ.

    ``weekly`` maps ISO weekdays (1 Monday … 7 Sunday) to hours; ``exceptions`` maps a date to its hours
    (empty for a holiday, a workday's hours for a make-up workday).
    """

    weekly: Mapping[int, Hours]
    exceptions: Mapping[date, Hours] = field(default_factory=dict)
    zone: ZoneInfo = CHINA

    def hours(self, day: date) -> Hours:
        """The working hours of one day."""
        return self.exceptions.get(day, self.weekly.get(day.isoweekday(), ()))

    def is_working(self, instant: datetime) -> bool:
        """Whether the instant lies within working hours (begin inclusive, end exclusive)."""
        local = instant.astimezone(self.zone)
        return any(begin <= local.timetz().replace(tzinfo=None) < end for begin, end in self.hours(local.date()))

    def spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Working spans from ``start`` on, the first cut to begin no earlier than ``start``."""
        first = start.astimezone(self.zone).date()
        for offset in range(SEARCH_DAYS):
            day = first + timedelta(days=offset)
            for begin, end in self.hours(day):
                opens = datetime.combine(day, begin, self.zone)
                closes = datetime.combine(day, end, self.zone)
                if closes > start:
                    yield max(opens, start), closes

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """The instant at which ``duration`` of working time has passed since ``start``.

        Raises:
            ValueError: the calendar has too little work within 60 days.
        """
        left = duration
        for begin, end in self.spans(start):
            if begin + left <= end:
                return begin + left
            left -= end - begin
        raise ValueError(f"the calendar has less than {duration} of working time in {SEARCH_DAYS} days")


ALWAYS = WorkingCalendar(weekly={day: ((time(0), time.max),) for day in range(1, 8)})

OFFICE_HOURS: Hours = ((time(8), time(12)), (time(14), time(17, 30)))
"""The usual hours of a county hospital; each centre sets its own."""
