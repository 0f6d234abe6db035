"""What does each day and each night of a recording say by itself, and what of it is said of the whole?

A recording of 48 or 72 hours, or of the 44 between two dialyses, is judged so:

- It is cut into 24 hours from its first reading; a rest at the end that is shorter than half a day belongs to the last.
- The guideline's numbers of readings (2020中国动态血压监测指南; ESH 2013, doi:10.1097/HJH.0b013e328363e964) are of 24
  hours: each has its own verdict. The whole is valid when one of them is, else limited when all readings together are
  as many as population studies accept (:mod:`worker.pressure.validity`). A second day that failed spoils no first one,
  and two poor days together make no good one.
- Averages, loads and the fall at night are those of all readings, against the limits of 24 hours: 44 hours are judged
  by 130 mmHg, too, and the two differ by 1 to 2 mmHg (doi:10.1038/s41440-024-01584-z). A conclusion rests on the same
  figures that the page prints.
- One night in four falls otherwise than the next one: of 611 people recorded for 48 hours 24 % changed between dipper
  and non-dipper from the first to the second day, 11 % from the first day to the average (Hernández-del Rey et al., J
  Hypertens 2007;25:2406-2412). So each night is shown, and all nights together are said.
- A morning's surge is repeated worse still (doi:10.1097/HJH.0b013e3283013b59): each is shown, their mean is said.

A night is held against the awake readings since the waking before, at most 24 hours; where they are too few, because
the recording began in the evening, against those until the next night.
"""

import statistics
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from ecg_center.contract.pressure import (
    DayFigures,
    Dipping,
    MorningSurge,
    NightFigures,
    PressurePair,
    PressureRow,
)
from worker.pressure.dipping import dipping
from worker.pressure.guideline import PERIODS, Guideline
from worker.pressure.measured import Measured, kept
from worker.pressure.periods import Nights, Sleep
from worker.pressure.validity import ACCEPTED_DAY, ACCEPTED_NIGHT, validity

DAY: Final = timedelta(hours=24)
LEAST_REST: Final = timedelta(hours=12)
"""A shorter rest holds no day and no night of its own: recorders are taken off an hour or two late."""


def starts_of(first: datetime, last: datetime) -> list[datetime]:
    """When each of the 24 hours begins.

    >>> from datetime import UTC
    >>> first = datetime(2026, 3, 2, 8, tzinfo=UTC)
    >>> [len(starts_of(first, first + timedelta(hours=hours))) for hours in (0, 24, 35.9, 36, 48, 59.9, 72)]
    [1, 1, 1, 2, 2, 2, 3]
    """
    count = max(1, (last - first + LEAST_REST) // DAY)
    return [first + DAY * number for number in range(count)]


def days_of(
    rows: Sequence[PressureRow], used: Sequence[Measured], planned: int | None, guideline: Guideline
) -> list[DayFigures]:
    """Each 24 hours: whether it is valid, and its averages.

    Args:
        rows: all readings, at least one.
        used: those that count, each with its weight.
        planned: how many the plan asked for; of more than one day the attempts of each are counted instead, because a
            file does not say on which day it wanted them.
        guideline: whose numbers and whose average.
    """
    starts = starts_of(rows[0].at, rows[-1].at)
    ends = [*starts[1:], rows[-1].at]
    of_day: list[tuple[list[PressureRow], list[Measured]]] = [([], []) for _ in starts]
    for row in rows:
        of_day[bisect_right(starts, row.at) - 1][0].append(row)
    for one in used:
        of_day[bisect_right(starts, one.at) - 1][1].append(one)
    asked = planned if len(starts) == 1 else None
    return [
        DayFigures(
            start_at=start,
            end_at=end,
            validity=validity(own_rows, asked, guideline),
            averages={
                name: average
                for name in PERIODS
                if (average := pair([one for one in own if name in ("24h", one.period)], guideline)) is not None
            },
        )
        for start, end, (own_rows, own) in zip(starts, ends, of_day, strict=True)
    ]


def nights_by_themselves(
    used: Sequence[Measured], nights: Nights, surges: Sequence[MorningSurge | None], guideline: Guideline
) -> list[NightFigures]:
    """Each night with its fall and the rise after it; ``surges`` has one of each stretch of ``nights``."""
    found = []
    for number, (night, surge) in enumerate(zip(nights.stretches, surges, strict=True)):
        asleep = [one for one in used if night.start <= one.at < night.end]
        fall, against = _fall(asleep, *_beside(number, used, nights.stretches), guideline)
        found.append(
            NightFigures(
                start_at=night.start,
                end_at=night.end,
                by=night.source,
                readings=len(asleep),
                average=pair(asleep, guideline),
                dipping=fall,
                against=against,
                surge=surge,
            )
        )
    return found


def _beside(number: int, used: Sequence[Measured], stretches: Sequence[Sleep]) -> tuple[list[Measured], list[Measured]]:
    """The awake readings of the day before a night, and of the day after it."""
    night = stretches[number]
    woken, asleep_again = night.start - DAY, night.end + DAY
    if number > 0:
        woken = max(woken, stretches[number - 1].end)
    if number + 1 < len(stretches):
        asleep_again = min(asleep_again, stretches[number + 1].start)
    awake = [one for one in used if one.period == "day"]
    before = [one for one in awake if woken <= one.at < night.start]
    return before, [one for one in awake if night.end <= one.at < asleep_again]


def _fall(
    asleep: Sequence[Measured], before: Sequence[Measured], after: Sequence[Measured], guideline: Guideline
) -> tuple[Dipping | None, Literal["before", "after"] | None]:
    against: Literal["before", "after"] = "before" if len(before) >= ACCEPTED_DAY else "after"
    awake = before if against == "before" else after
    if len(asleep) < ACCEPTED_NIGHT or len(awake) < ACCEPTED_DAY:
        return None, None
    return dipping(_averages(awake, guideline), _averages(asleep, guideline)), against


def pair(readings: Sequence[Measured], guideline: Guideline) -> PressurePair | None:
    """The guideline's average of both pressures; None of no reading."""
    if not readings:
        return None
    systolic, diastolic = _averages(readings, guideline)
    return PressurePair(systolic_mmhg=kept(systolic), diastolic_mmhg=kept(diastolic))


def _averages(readings: Sequence[Measured], guideline: Guideline) -> tuple[float, float]:
    weights = None if guideline.average == "plain" else [one.weight for one in readings]
    return (
        statistics.fmean((one.systolic for one in readings), weights),
        statistics.fmean((one.diastolic for one in readings), weights),
    )
