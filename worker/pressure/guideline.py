"""By which numbers is a day of pressures judged? Guideline sets as data, ``thresholds/*.toml``.

Whoever is younger than 18 is judged by the children's set, whichever set a centre has chosen for adults.
"""

import tomllib
from dataclasses import dataclass
from datetime import time
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from ecg_center.contract.pressure import printed

FOLDER: Final = Path(__file__).parent / "thresholds"
DEFAULT: Final = "china_2020"
CHILDREN: Final = "children_aha_2022"
ADULT_FROM_YEARS: Final = 18
"""The Chinese and American guidelines of hypertension in adults begin at 18."""

Name = Literal["24h", "day", "night"]
PERIODS: Final[tuple[Name, ...]] = ("24h", "day", "night")


class GuidelineError(Exception):
    """A guideline set is missing or written wrongly; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Systolic and diastolic, mmHg; at or above either is too high. No diastolic: the systolic alone counts."""

    systolic: float
    diastolic: float | None = None

    def reached(self, systolic: float, diastolic: float) -> bool:
        """Whether an average, or a reading, reaches it as printed."""
        return self.systolic_reached(systolic) or self.diastolic_reached(diastolic)

    def systolic_reached(self, systolic: float) -> bool:
        """Whether the systolic alone reaches it."""
        return printed(systolic) >= self.systolic

    def diastolic_reached(self, diastolic: float) -> bool:
        """Whether the diastolic alone reaches it."""
        return self.diastolic is not None and printed(diastolic) >= self.diastolic


@dataclass(frozen=True, slots=True)
class Tier:
    """One level of a guideline, with its limits of the three averages."""

    name: str
    is_hypertension: bool
    limits: dict[Name, Limit]


@dataclass(frozen=True, slots=True)
class Span:
    """Hours of the clock; a start after its end goes over midnight."""

    start: time
    end: time

    def holds(self, at: time) -> bool:
        """Whether it is these hours; the start is, the end is not."""
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


@dataclass(frozen=True, slots=True)
class Clock:
    """Fixed hours of day and night; a time in neither counts for neither."""

    day: Span
    night: Span


@dataclass(frozen=True, slots=True)
class Alert:
    """A level that is told at once."""

    name: str
    grade: Literal["critical", "major"]
    title_zh: str
    title_en: str
    limit: Limit
    readings: int
    """So many readings must reach it; 0: the 24-hour average."""
    source: str


@dataclass(frozen=True, slots=True)
class Guideline:
    """One set of numbers."""

    id: str
    version: str
    title_zh: str
    title_en: str
    source: str
    average: Literal["plain", "weighted"]
    share_percent: float
    least_day: int
    least_night: int
    clock: Clock
    clock_narrow: Clock
    tiers: tuple[Tier, ...]
    """The lowest first."""
    office: Limit
    trough: Literal["hour", "three_readings"]
    surge_mmhg: float | None
    morning: Limit | None
    alerts: tuple[Alert, ...]
    fixed_from_years: float = 0.0
    """Younger than this there are no limits here, and ``below_zh`` says why."""
    below_zh: str = ""
    below_en: str = ""

    @property
    def name(self) -> str:
        """Id and version, as findings carry it."""
        return f"{self.id}@{self.version}"

    @property
    def hypertension(self) -> Tier:
        """The lowest tier that is hypertension."""
        return next(tier for tier in self.tiers if tier.is_hypertension)


def guidelines() -> list[str]:
    """The ids of the sets that are there."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def for_age(chosen: Guideline, age_years: float | None) -> Guideline:
    """The set by which somebody of this age is judged; an unknown age is an adult's."""
    return chosen if age_years is None or age_years >= ADULT_FROM_YEARS else load(CHILDREN)


@cache
def load(name: str = DEFAULT) -> Guideline:
    """The set of this id, or in the TOML file at this path.

    Raises:
        GuidelineError: there is none, or it is written wrongly.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        return parse(path.read_text("utf-8"), str(path))
    except OSError:
        raise GuidelineError(
            f"no set of blood pressure limits {name!r}; known: {', '.join(guidelines())}, or the path of a .toml file"
        ) from None


def parse(text: str, where: str = "guideline") -> Guideline:
    """The set that this TOML says.

    Raises:
        GuidelineError: naming what is wrong.
    """
    try:
        made = _guideline(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise GuidelineError(f"{where}: {type(error).__name__}: {error}") from None
    if not any(tier.is_hypertension for tier in made.tiers):
        raise GuidelineError(f"{where}: no tier is hypertension (is_hypertension = true)")
    return made


def _guideline(said: dict[str, Any]) -> Guideline:
    validity, surge, average = said["validity"], said["surge"], said["average"]
    if average not in ("plain", "weighted") or surge["trough"] not in ("hour", "three_readings"):
        raise ValueError("average is plain or weighted, the surge's trough hour or three_readings")
    return Guideline(
        **{key: str(said[key]) for key in ("id", "version", "title_zh", "title_en", "source")},
        average=average,
        share_percent=float(validity["share_percent"]),
        least_day=int(validity["day"]),
        least_night=int(validity["night"]),
        clock=_clock(said["clock"]),
        clock_narrow=_clock(said["clock_narrow"]),
        tiers=tuple(_tier(one) for one in said["tier"]),
        office=_limit(said["office"]["hypertension"]),
        trough=surge["trough"],
        surge_mmhg=float(surge["limit"]) if "limit" in surge else None,
        morning=_limit(said["morning"]["limit"]) if "morning" in said else None,
        alerts=tuple(_alert(one) for one in said.get("alert", ())),
        fixed_from_years=float(said.get("fixed_from_years", 0)),
        below_zh=str(said.get("below_zh", "")),
        below_en=str(said.get("below_en", "")),
    )


def _tier(said: dict[str, Any]) -> Tier:
    limits = {period: _limit(said[period]) for period in PERIODS}
    return Tier(str(said["name"]), bool(said.get("is_hypertension", False)), limits)


def _limit(said: list[float]) -> Limit:
    if not 1 <= len(said) <= 2 or not all(value > 0 for value in said):
        raise ValueError(f"a limit is [systolic, diastolic] or [systolic], not {said}")
    return Limit(*(float(value) for value in said))


def _clock(said: dict[str, list[str]]) -> Clock:
    day, night = (Span(*(time.fromisoformat(word) for word in said[name])) for name in ("day", "night"))
    return Clock(day, night)


def _alert(said: dict[str, Any]) -> Alert:
    if said["grade"] not in ("critical", "major"):
        raise ValueError(f"an alert's grade is critical or major, not {said['grade']!r}")
    words = {key: str(said[key]) for key in ("name", "title_zh", "title_en", "source")}
    return Alert(grade=said["grade"], limit=_limit(said["limit"]), readings=int(said["readings"]), **words)
