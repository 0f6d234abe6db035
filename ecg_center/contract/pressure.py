"""What does the worker say of a day of blood pressures? The part of ``findings.Findings`` that only an ABPM has.

Pressures are millimetres of mercury and keep four decimals. A limit is a whole number and is compared with the average
as a page prints it, rounded half up, so that no page ever shows 130 and calls it below 130 (:func:`printed`).
"""

import math
from typing import Annotated, Literal

from pydantic import Field

from ecg_center.contract.base import Instant, Message

MAX_READINGS = 20_000
MAX_EDITS = 1_000
MAX_REASON = 200

Period = Literal["day", "night", "between"]
"""``between``: near the change from one to the other, counted in neither (narrow fixed hours)."""
ReadingState = Literal["used", "failed", "device", "outlier", "physician"]
"""Used; or why not: nothing was measured, taken out by the device or its operator, by a rule, by a physician."""
DippingType = Literal["extreme", "dipper", "non_dipper", "reverse"]


def printed(value: float) -> int:
    """The whole number that is printed for a pressure or a percentage: rounded half up, as a person rounds.

    >>> printed(129.5), printed(130.5), printed(129.49)
    (130, 131, 129)
    """
    return math.floor(value + 0.5)


class PressureRow(Message):
    """One reading, whatever became of it."""

    at: Instant
    systolic_mmhg: float | None = None
    diastolic_mmhg: float | None = None
    mean_mmhg: float | None = None
    pulse_bpm: float | None = None
    state: ReadingState = "used"
    period: Period = "day"
    reason: str = ""
    """A code of ``worker/pressure/editing.py`` for an outlier, else the words of the device or the physician."""
    manual: bool = False


class Spread(Message):
    """How one quantity lies over a period; absent figures need more readings than there were."""

    mean: float
    weighted_mean: float
    """Each reading weighs as long as it is the nearest one."""
    minimum: float
    maximum: float
    minimum_at: Instant
    maximum_at: Instant
    sd: float | None = None
    cv_percent: float | None = None
    arv: float | None = None
    """Average real variability: the mean of the steps from one reading to the next."""


class PeriodSummary(Message):
    """The whole recording, its day or its night."""

    period: Literal["24h", "day", "night"]
    readings: int
    hours: float
    systolic: Spread
    diastolic: Spread
    mean_pressure: Spread
    """Mean arterial pressure: as the device measured it, else diastolic + a third of the pulse pressure."""
    pulse_pressure: Spread
    pulse: Spread | None = None
    systolic_load_percent: float | None = None
    """Share of the readings at or above the limit of the time of day; None where no limit applies."""
    diastolic_load_percent: float | None = None


class HourAverage(Message):
    """One hour of the clock."""

    start_at: Instant
    readings: int
    systolic_mmhg: float
    diastolic_mmhg: float
    mean_mmhg: float
    pulse_bpm: float | None = None


class Validity(Message):
    """Whether there are enough readings, by the guideline's own measure.

    Of a recording longer than a day the numbers are those of all readings, the verdict is that of its best 24 hours.
    """

    verdict: Literal["valid", "limited", "insufficient"]
    """``limited``: below the guideline's numbers, above what population studies accept."""
    planned: int
    """Readings that the plan asked for; counted from the attempts where the file does not say."""
    planned_by: Literal["file", "attempts"]
    answered: int
    """Planned readings that gave a pressure that is used."""
    share_percent: float
    day: int
    night: int
    missing: list[Literal["share", "day", "night"]] = []
    """The criteria that are not met."""


class Dipping(Message):
    """How far the pressure falls at night, in percent of the day's average."""

    systolic_percent: float
    diastolic_percent: float
    systolic: DippingType
    diastolic: DippingType


class MorningSurge(Message):
    """The rise of the systolic pressure at waking."""

    waking_at: Instant
    lowest_at: Instant
    trough_mmhg: float
    trough_by: Literal["hour", "three_readings"]
    morning_systolic_mmhg: float
    """Mean of the two hours after waking."""
    morning_diastolic_mmhg: float
    sleep_trough_mmhg: float
    """The morning minus the trough."""
    prewaking_mmhg: float | None = None
    """The morning minus the two hours before waking."""
    limit_mmhg: float | None = None
    """Of ``sleep_trough_mmhg``; None where the guideline gives none."""
    mornings: int = 1
    """Of more than one the figures are means, and the two times are those of the highest rise."""


class Stiffness(Message):
    """How far the diastolic follows the systolic pressure."""

    readings: int
    aasi: float
    symmetric_aasi: float | None = None
    correlation: float
    aasi_limit: float | None = None
    """Upper limit of normotensive people of this age."""


class WhiteCoatWindow(Message):
    """The first hour, when the clinic is still near."""

    readings: int
    first_hour_systolic_mmhg: float
    first_hour_diastolic_mmhg: float
    first_hour_max_systolic_mmhg: float
    first_hour_max_diastolic_mmhg: float
    first_two_systolic_mmhg: float
    first_two_diastolic_mmhg: float
    rest_of_day_systolic_mmhg: float | None = None
    rest_of_day_diastolic_mmhg: float | None = None


class Limits(Message):
    """At or above which an average is too high."""

    systolic_mmhg: float
    diastolic_mmhg: float


class Grading(Message):
    """By which guideline the averages were judged."""

    guideline: str
    """Id and version, e.g. ``china_2020@1``."""
    title_zh: str
    title_en: str
    source: str
    limits: dict[Literal["24h", "day", "night"], Limits] = {}
    """Empty where the guideline has none for this person."""
    category: str = ""
    """The guideline's own name of the highest tier that was reached, e.g. ``hypertension``; empty where none was."""
    not_graded_zh: str = ""
    not_graded_en: str = ""
    """Why no limit applies."""


class Night(Message):
    """A stretch that counts as night."""

    start_at: Instant
    end_at: Instant
    by: Literal["diary", "device", "clock"] | None = None
    """Who says so of this one; None in findings of before 2026-11-23."""


class PressurePair(Message):
    """An average of both pressures."""

    systolic_mmhg: float
    diastolic_mmhg: float


class DayFigures(Message):
    """One of the 24 hours of which a recording is made."""

    start_at: Instant
    end_at: Instant
    validity: Validity
    averages: dict[Literal["24h", "day", "night"], PressurePair] = {}
    """Those that have a reading."""


class NightFigures(Message):
    """One night, and the morning after it."""

    start_at: Instant
    end_at: Instant
    by: Literal["diary", "device", "clock"]
    readings: int
    average: PressurePair | None = None
    """None without a reading."""
    dipping: Dipping | None = None
    """Against the day named by ``against``; None where one of the two has too few readings."""
    against: Literal["before", "after"] | None = None
    surge: MorningSurge | None = None


class OfficePressure(Message):
    """What was measured in the consulting room, as the order says it."""

    systolic_mmhg: Annotated[float, Field(gt=0, le=350)]
    diastolic_mmhg: Annotated[float, Field(gt=0, le=350)]


class PressureFindings(Message):
    """All that a day of pressures says beside the statements."""

    started_at: Instant
    ended_at: Instant
    readings: Annotated[list[PressureRow], Field(max_length=MAX_READINGS)]
    nights: list[Night] = []
    night_by: Literal["diary", "device", "clock"]
    average: Literal["plain", "weighted"]
    """Which of the two averages is the one that is printed and judged."""
    validity: Validity
    grading: Grading
    periods: list[PeriodSummary] = []
    """``24h``, ``day`` and ``night``, those that have a reading."""
    weighted_systolic_sd: float | None = None
    weighted_diastolic_sd: float | None = None
    """Of day and night, weighted by their hours: the fall at night is not counted as variability."""
    hours: list[HourAverage] = []
    dipping: Dipping | None = None
    surge: MorningSurge | None = None
    stiffness: Stiffness | None = None
    white_coat: WhiteCoatWindow | None = None
    office: OfficePressure | None = None
    days: list[DayFigures] = []
    """Each 24 hours by itself; empty in findings of before 2026-11-23."""
    by_night: list[NightFigures] = []
    """Each night by itself; empty in findings of before 2026-11-23."""
    edits: int = 0
    """How many of the physician's edits these figures hold."""

    def period(self, name: Literal["24h", "day", "night"]) -> PeriodSummary | None:
        """The summary of one period; None where it had no reading."""
        return next((one for one in self.periods if one.period == name), None)

    @property
    def is_long(self) -> bool:
        """Whether it holds more than one 24 hours: what stands under ``24h`` is then of all of them."""
        return len(self.days) > 1

    @property
    def several_nights(self) -> list[NightFigures]:
        """The nights with a reading, where a page shows them one by one; empty where one night is all that there is."""
        nights = [one for one in self.by_night if one.readings]
        judged = sum(one.dipping is not None for one in nights)
        return nights if self.is_long or judged > 1 else []

    def average_of(self, spread: Spread) -> float:
        """The average that is printed and judged."""
        return spread.mean if self.average == "plain" else spread.weighted_mean


class PressureEdit(Message):
    """One thing that a physician changed: append-only, replayed over the machine's own result."""

    action: Literal["exclude", "include", "undo"]
    readings: Annotated[list[Annotated[int, Field(ge=0, lt=MAX_READINGS)]], Field(max_length=MAX_READINGS)] = []
    """Positions in ``PressureFindings.readings``."""
    reason: Annotated[str, Field(max_length=MAX_REASON)] = ""
    """Why, for ``exclude`` and ``include``; it is printed beside the reading."""
    undoes: Annotated[int, Field(ge=0, lt=MAX_EDITS)] | None = None
    """For ``undo``: the position of the edit in the list that no longer holds."""
