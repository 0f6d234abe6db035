"""Days of blood pressure readings, made to order for tests."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from ecg_center.domain.calendars import CHINA
from worker.pressure_readings import BloodPressureSeries, DiaryEntry, PressureReading

START = datetime(2026, 3, 2, 8, 0, tzinfo=CHINA)
"""A Monday morning."""
Pressures = tuple[float, float]


def at(hours: float) -> datetime:
    """So many hours after the recording began."""
    return START + timedelta(hours=hours)


def is_night(moment: datetime) -> bool:
    """Between 22:00 and 6:00, the usual fixed hours."""
    return moment.hour >= 22 or moment.hour < 6


def series(readings: Iterable[PressureReading], **more) -> BloodPressureSeries:
    """A series of these readings."""
    return BloodPressureSeries("test", tuple(readings), **more)


def day(
    awake: Pressures = (125, 75),
    asleep: Pressures = (110, 65),
    *,
    every_minutes: int = 30,
    hours: float = 24,
    change: Callable[[PressureReading], PressureReading] = lambda one: one,
    diary: tuple[DiaryEntry, ...] = (),
    planned: int | None = None,
) -> BloodPressureSeries:
    """A day of steady pressures, awake and asleep by the fixed hours; ``change`` alters single readings."""
    readings = []
    for number in range(int(hours * 60 / every_minutes)):
        moment = START + timedelta(minutes=every_minutes * number)
        systolic, diastolic = asleep if is_night(moment) else awake
        readings.append(change(PressureReading(moment, systolic, diastolic, pulse_bpm=70)))
    return series(readings, diary=diary, planned=planned)


def codes(findings) -> list[str]:
    """The codes of what was said."""
    return [statement.code for statement in findings.statements]
