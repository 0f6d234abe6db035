"""What are the averages of a day, and how do the readings vary around them?

SD is that of a sample (n - 1); the coefficient of variation is SD / mean; average real variability is the mean absolute
step from one reading to the next (Mena et al., J Hypertens 2005;23:505-511). The weighted SD is that of day and night
weighted by their hours (Bilo et al., J Hypertens 2007;25:2058-2066), so that the fall at night is not counted.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Final

from ecg_center.contract.pressure import HourAverage, PeriodSummary, Spread
from worker.pressure.guideline import Name
from worker.pressure.measured import Measured, kept

LONGEST_SIDE_H: Final = 1.0
"""A reading stands for at most an hour before and after itself: a longer gap is nobody's."""
LEAST_SIDE_H: Final = 1 / 120
"""Two readings of one minute by the clock share that minute; none weighs nothing."""
ALONE_H: Final = 0.5

Value = Callable[[Measured], float]


def weighted(readings: Sequence[Measured]) -> list[Measured]:
    """The readings with the hours for which each is the nearest; the first and last reach as far out as in."""
    times = [one.at.timestamp() / 3600 for one in readings]
    sides = [min(max((later - earlier) / 2, LEAST_SIDE_H), LONGEST_SIDE_H) for earlier, later in pairwise(times)]
    if not sides:
        return [replace(one, weight=ALONE_H) for one in readings]
    before, after = [sides[0], *sides], [*sides, sides[-1]]
    return [replace(one, weight=left + right) for one, left, right in zip(readings, before, after, strict=True)]


def summary(name: Name, readings: Sequence[Measured]) -> PeriodSummary | None:
    """The figures of one period; None where it has no reading.

    Args:
        name: which period.
        readings: all that are used, in order of time, each with its weight.
    """
    mine = [one for one in readings if name in ("24h", one.period)]
    if not mine:
        return None
    steps = [
        (earlier, later)
        for earlier, later in pairwise(readings)
        if name == "24h" or (earlier.period == later.period == name)
    ]
    pulses = [one for one in mine if one.pulse is not None]
    pulse_steps = [pair for pair in steps if pair[0].pulse is not None and pair[1].pulse is not None]
    return PeriodSummary(
        period=name,
        readings=len(mine),
        hours=kept(sum(one.weight for one in mine)),
        systolic=spread(mine, steps, lambda one: one.systolic),
        diastolic=spread(mine, steps, lambda one: one.diastolic),
        mean_pressure=spread(mine, steps, lambda one: one.mean),
        pulse_pressure=spread(mine, steps, lambda one: one.systolic - one.diastolic),
        pulse=spread(pulses, pulse_steps, lambda one: one.pulse or 0.0) if pulses else None,
    )


def spread(readings: Sequence[Measured], steps: Sequence[tuple[Measured, Measured]], value: Value) -> Spread:
    """Average, extremes and variability of one quantity.

    Args:
        readings: at least one.
        steps: neighbours in time between which the quantity is said to have moved.
        value: the quantity.
    """
    values = [value(one) for one in readings]
    mean = statistics.fmean(values)
    sd = statistics.stdev(values) if len(values) > 1 else None
    lowest, highest = min(readings, key=value), max(readings, key=value)
    return Spread(
        mean=kept(mean),
        weighted_mean=kept(statistics.fmean(values, [one.weight for one in readings])),
        minimum=kept(value(lowest)),
        maximum=kept(value(highest)),
        minimum_at=lowest.at,
        maximum_at=highest.at,
        sd=None if sd is None else kept(sd),
        cv_percent=None if sd is None or mean == 0 else kept(100 * sd / mean),
        arv=kept(statistics.fmean(abs(value(later) - value(earlier)) for earlier, later in steps)) if steps else None,
    )


def weighted_sd(day: PeriodSummary | None, night: PeriodSummary | None, quantity: str) -> float | None:
    """The SD of day and night, weighted by their hours; None where one of them has none.

    Args:
        day, night: the two summaries.
        quantity: ``systolic`` or ``diastolic``.
    """
    if day is None or night is None:
        return None
    day_sd, night_sd = getattr(day, quantity).sd, getattr(night, quantity).sd
    if day_sd is None or night_sd is None:
        return None
    return kept((day_sd * day.hours + night_sd * night.hours) / (day.hours + night.hours))


def by_hour(readings: Sequence[Measured]) -> list[HourAverage]:
    """The averages of each hour of the clock that has a reading, in order of time."""
    rows = []
    for start, group in groupby(readings, lambda one: _hour(one.at)):
        mine = list(group)
        pulses = [one.pulse for one in mine if one.pulse is not None]
        rows.append(
            HourAverage(
                start_at=start,
                readings=len(mine),
                systolic_mmhg=kept(statistics.fmean(one.systolic for one in mine)),
                diastolic_mmhg=kept(statistics.fmean(one.diastolic for one in mine)),
                mean_mmhg=kept(statistics.fmean(one.mean for one in mine)),
                pulse_bpm=kept(statistics.fmean(pulses)) if pulses else None,
            )
        )
    return rows


def _hour(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute, seconds=at.second, microseconds=at.microsecond)
