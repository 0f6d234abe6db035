"""Which days do China's public holidays and make-up workdays fall on?

From the ``chinesecalendar`` package, which carries the State Council's yearly notices; a year that is not published
yet has none, and the administrator adds them when it is.
"""

from dataclasses import dataclass
from datetime import date

import chinese_calendar


@dataclass(frozen=True)
class OfficialDay:
    """A weekday that is free, or a weekend day that is worked."""

    day: date
    name: str
    is_workday: bool


def official_days(year: int) -> list[OfficialDay]:
    """All days of the year that differ from the plain week, ascending; empty for a year not published."""
    days = [
        OfficialDay(day, chinese_calendar.Holiday(holiday).chinese, is_workday=False)
        for day, holiday in chinese_calendar.holidays.items()
        if day.year == year
    ]
    days += [
        OfficialDay(day, chinese_calendar.Holiday(holiday).chinese, is_workday=True)
        for day, holiday in chinese_calendar.workdays.items()
        if day.year == year
    ]
    return sorted(days, key=lambda day: day.day)
