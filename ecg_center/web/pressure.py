"""How does a page show a day of blood pressures? What the chart draws, and the lines of the table of averages."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from ecg_center.contract.pressure import (
    Limits,
    PeriodSummary,
    PressureFindings,
    PressurePair,
    PressureRow,
    Spread,
    printed,
)
from ecg_center.domain.calendars import CHINA

PERIODS: Final[tuple[Literal["24h", "day", "night"], ...]] = ("24h", "day", "night")

MAX_SHOWN: Final = 1500
"""Rows of the list of readings: a week of a reading in ten minutes has a thousand."""


@dataclass(frozen=True)
class Average:
    """One pressure of one period, as it is printed."""

    value: int
    sd: float | None
    minimum: int
    maximum: int
    minimum_at: datetime
    maximum_at: datetime
    load_percent: float | None
    limit: float | None
    """At or above it is too high; None where no limit applies."""

    @property
    def is_high(self) -> bool:
        """Whether the average reaches its limit."""
        return self.limit is not None and self.value >= self.limit


@dataclass(frozen=True)
class Line:
    """One line of the table of averages."""

    period: Literal["24h", "day", "night"]
    summary: PeriodSummary
    systolic: Average
    diastolic: Average
    mean: int
    pulse_pressure: int
    pulse: int | None


def lines(found: PressureFindings) -> list[Line]:
    """The periods that have a reading, the whole first."""
    made = []
    for name in PERIODS:
        summary = found.period(name)
        if summary is None:
            continue
        limits = found.grading.limits.get(name)
        made.append(
            Line(
                period=name,
                summary=summary,
                systolic=_average(found, summary.systolic, summary.systolic_load_percent, limits, "systolic_mmhg"),
                diastolic=_average(found, summary.diastolic, summary.diastolic_load_percent, limits, "diastolic_mmhg"),
                mean=printed(found.average_of(summary.mean_pressure)),
                pulse_pressure=printed(found.average_of(summary.pulse_pressure)),
                pulse=None if summary.pulse is None else printed(found.average_of(summary.pulse)),
            )
        )
    return made


def _average(
    found: PressureFindings, spread: Spread, load_percent: float | None, limits: Limits | None, which: str
) -> Average:
    return Average(
        value=printed(found.average_of(spread)),
        sd=spread.sd,
        minimum=printed(spread.minimum),
        maximum=printed(spread.maximum),
        minimum_at=spread.minimum_at,
        maximum_at=spread.maximum_at,
        load_percent=load_percent,
        limit=getattr(limits, which) if limits is not None else None,
    )


def pair_is_high(found: PressureFindings, period: Literal["24h", "day", "night"], average: PressurePair) -> bool:
    """Whether an average of one day or one night reaches a limit."""
    limits = found.grading.limits.get(period)
    if limits is None:
        return False
    return printed(average.systolic_mmhg) >= limits.systolic_mmhg or (
        printed(average.diastolic_mmhg) >= limits.diastolic_mmhg
    )


def is_high(found: PressureFindings, row: PressureRow) -> tuple[bool, bool]:
    """Whether a reading's systolic and diastolic reach the limit of its time of day."""
    if row.period == "between" or row.systolic_mmhg is None or row.diastolic_mmhg is None:
        return False, False
    limits = found.grading.limits.get(row.period)
    if limits is None:
        return False, False
    return printed(row.systolic_mmhg) >= limits.systolic_mmhg, printed(row.diastolic_mmhg) >= limits.diastolic_mmhg


def drawn(found: PressureFindings) -> dict[str, Any]:
    """What ``static/js/pressure/chart.js`` draws; times are minutes from the first reading, on the clinic's clock."""
    start = found.started_at.astimezone(CHINA)
    whole_days = (found.ended_at.astimezone(CHINA).date() - start.date()).days + 1 if found.is_long else 0
    return {
        "dates": [f"{start + timedelta(days=number):%m-%d}" for number in range(whole_days)],
        "clock": start.hour * 60 + start.minute + start.second / 60,
        "minutes": _minutes(start, found.ended_at),
        "readings": [
            [_minutes(start, row.at), row.systolic_mmhg, row.diastolic_mmhg, row.mean_mmhg, row.pulse_bpm, row.state,
             row.period]
            for row in found.readings
        ],
        "nights": [[_minutes(start, one.start_at), _minutes(start, one.end_at)] for one in found.nights],
        "limits": {name: [one.systolic_mmhg, one.diastolic_mmhg] for name, one in found.grading.limits.items()},
    }  # fmt: skip


def _minutes(start: datetime, at: datetime) -> float:
    return round((at - start).total_seconds() / 60, 2)
