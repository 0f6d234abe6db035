"""When was it night? From the diary, else from the device's own flags, else by fixed hours of the clock.

Sleep shorter than three hours is a nap and belongs to the day. All times are taken on the centre's clock. Each night is
asked for by itself: of two days the second is often not noted, and counted as day it would turn a dipper into none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from ecg_center.contract.pressure import Period
from ecg_center.domain.calendars import CHINA
from worker.pressure.guideline import Clock
from worker.pressure_readings import BloodPressureSeries, PressureReading

LEAST_NIGHT: Final = timedelta(hours=3)
"""Shorter sleep is a nap: those of several hours by day are told apart from a night by nothing but their length."""
LONGEST_NIGHT: Final = timedelta(hours=18)
"""A diary that forgot to note the waking says nothing of the night."""
BESIDE: Final = timedelta(hours=6)
"""Hours before and after a night of the clock in which its narrow hours leave the changes out."""
ASLEEP: Final = ("asleep", "sleep", "bed", "睡", "就寝", "卧床")
AWAKE: Final = ("awake", "wake", "got up", "get up", "起床", "醒")

Source = Literal["diary", "device", "clock"]


@dataclass(frozen=True, slots=True)
class Sleep:
    """A night: its start belongs to it, its end does not."""

    start: datetime
    end: datetime
    source: Source = "diary"

    def meets(self, other: "Sleep") -> bool:
        """Whether they have a moment in common."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Nights:
    """The nights of a recording in order of time, and who says so of most of them."""

    source: Source
    stretches: tuple[Sleep, ...]
    clock: Clock

    def period(self, at: datetime) -> Period:
        """Of which period a reading is."""
        if any(one.start <= at < one.end for one in self.stretches):
            return "night"
        near = (one for one in self.stretches if one.source == "clock" and one.start - BESIDE <= at < one.end + BESIDE)
        by_hours = self.source == "clock" or any(near)
        return "between" if by_hours and not self.clock.day.holds(at.astimezone(CHINA).time()) else "day"


def nights_of(series: BloodPressureSeries, clock: Clock) -> Nights:
    """The nights, each by the best source that there is."""
    first, last = series.readings[0].at, series.readings[-1].at
    hours = list(_by_clock(first, last, clock))
    found: list[Sleep] = []
    for nights in (_by_diary(series), _by_device(series.readings)):
        inside = (one for one in nights if one.start <= last and one.end > first)
        found += [one for one in inside if not any(one.meets(known) for known in found)]
    if not found:
        return Nights("clock", tuple(hours), clock)
    source = found[0].source
    if all(any(one.meets(night) for night in hours) for one in found):  # who sleeps by day has no night to be forgotten
        found += [one for one in hours if not any(one.meets(known) for known in found) and _forgotten(one, series)]
    return Nights(source, tuple(sorted(found, key=lambda one: one.start)), clock)


def _forgotten(night: Sleep, series: BloodPressureSeries) -> bool:
    """Whether enough of it was recorded to be one, and no reading is flagged awake."""
    first, last = series.readings[0].at, series.readings[-1].at
    recorded = min(night.end, last) - max(night.start, first)
    awake = any(one.awake and night.start <= one.at < night.end for one in series.readings)
    return recorded >= LEAST_NIGHT and not awake


def _by_diary(series: BloodPressureSeries) -> list[Sleep]:
    found: list[Sleep] = []
    entries = sorted(series.diary, key=lambda one: one.at)
    for position, entry in enumerate(entries):
        if not _says(entry.label, ASLEEP) or _says(entry.label, AWAKE):
            continue
        woken = next((one.at for one in entries[position + 1 :] if _says(one.label, AWAKE)), None)
        end = entry.until or woken
        if end is not None:
            found.append(Sleep(entry.at.astimezone(CHINA), end.astimezone(CHINA)))
    return _real(found)


def _says(label: str, words: Iterable[str]) -> bool:
    return any(word in label.lower() for word in words)


def _by_device(readings: Sequence[PressureReading]) -> list[Sleep]:
    """Runs of readings that are flagged asleep, up to the first one that is flagged awake."""
    found: list[Sleep] = []
    start: datetime | None = None
    for one in readings:
        if one.awake is False:
            start = start or one.at
        elif one.awake and start is not None:
            found.append(Sleep(start.astimezone(CHINA), one.at.astimezone(CHINA), "device"))
            start = None
    if start is not None:
        after_last = readings[-1].at + timedelta(minutes=1)
        found.append(Sleep(start.astimezone(CHINA), after_last.astimezone(CHINA), "device"))
    return _real(found)


def _real(found: Iterable[Sleep]) -> list[Sleep]:
    return [one for one in found if LEAST_NIGHT <= one.end - one.start <= LONGEST_NIGHT]


def _by_clock(first: datetime, last: datetime, clock: Clock) -> Iterable[Sleep]:
    day = (first.astimezone(CHINA) - timedelta(days=1)).date()
    while day <= last.astimezone(CHINA).date():
        start = datetime.combine(day, clock.night.start, CHINA)
        wakes = day if clock.night.start <= clock.night.end else day + timedelta(days=1)
        end = datetime.combine(wakes, clock.night.end, CHINA)
        if start <= last and end > first:
            yield Sleep(start, end, "clock")
        day += timedelta(days=1)
