"""What is normal at this age? The limits of rate, conduction, axis, QT and voltage of an adult, and of a child by age.

Children's limits are the 2nd and 98th percentiles of Rijnbeek et al. 2001, doi:10.1053/euhj.2000.2399
(``norms_rijnbeek_2001.toml``); where the sex is unknown, whatever is normal in either. The first days of life are not
in that table: until its eleventh day a child is given Davignon's limits of the first week, doi:10.1007/BF02083144. A
broad QRS of a child begins where the AHA/ACCF/HRS statement of 2009 puts it: above 90 ms below four years, above 100 ms
below sixteen (Surawicz et al., doi:10.1161/CIRCULATIONAHA.108.191095).
"""

import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from worker.resting.patient import DAYS_A_YEAR, Person

TABLE: Final = Path(__file__).with_name("norms_rijnbeek_2001.toml")
RIJNBEEK_2001: Final = "Rijnbeek 2001, doi:10.1053/euhj.2000.2399"
DAVIGNON_1979: Final = "Davignon 1979, doi:10.1007/BF02083144"
ADULT_FROM_YEARS: Final = 16.0
"""The table of children ends here."""
TABLE_FROM_DAYS: Final = 11
LITTLE_UNTIL_YEARS: Final = 4.0
CHILD_QTC_MS: Final = 450.0
"""A percentile below the limit of grown men is none: healthy children reach it at rates that Bazett over-corrects."""
SINUS_INFANT_BPM, SINUS_CHILD_BPM = 220.0, 180.0
"""From here on a regular tachycardia of a child below one year, or below sixteen, is hardly the sinus node's: AHA
pediatric advanced life support 2020, doi:10.1161/CIR.0000000000000901."""
SINUS_LEAST_BPM, SINUS_AGELESS_BPM = 150.0, 220.0
"""What an adult's sinus node reaches at the most: 220 less the years (Fox 1971); at rest it does so only in the ill,
who may be old, so that the limit does not sink below the first."""
SINUS_UNKNOWN_AGE_BPM: Final = 180.0
JUVENILE_T_LEADS: Final = ("V1", "V2", "V3")
"""T waves are negative here in healthy children from the first week, in some until sixteen (Dickinson 2005,
doi:10.1136/hrt.2004.057307)."""


@dataclass(frozen=True, slots=True)
class Voltage:
    """98th percentiles, µV; a depth without its sign."""

    r_v1_uv: float
    s_v1_uv: float
    r_v6_uv: float
    s_v6_uv: float


@dataclass(frozen=True, slots=True)
class Norms:
    """Limits; what is beyond is not normal at this age.

    Attributes:
        voltage: of a child; None where the sums of adults count.
        source: of the limits, where they are a child's; empty for an adult, whose rules name their own.
    """

    rate_bpm: tuple[float, float] = (60.0, 100.0)
    p_ms: float = 120.0
    p_ii_uv: float = 250.0
    pr_ms: tuple[float, float] = (120.0, 200.0)
    broad_qrs_ms: float = 120.0
    qrs_axis_deg: tuple[float, float] = (-30.0, 90.0)
    qtc_ms: float | None = None
    voltage: Voltage | None = None
    source: str = ""

    @property
    def of_a_child(self) -> bool:
        """Whether the limits follow the age."""
        return bool(self.source)


ADULT: Final = Norms()
FIRST_DAYS: Final = Norms(
    rate_bpm=(90.0, 166.0),
    p_ms=85.0,
    p_ii_uv=280.0,
    pr_ms=(80.0, 160.0),
    broad_qrs_ms=90.0,
    qrs_axis_deg=(59.0, 197.0),
    qtc_ms=460.0,
    source=DAVIGNON_1979,
)
"""QTc as the ESC's task force on the newborn's ECG acts on it: Schwartz et al. 2002, doi:10.1053/euhj.2002.3274."""


def norms_of(person: Person) -> Norms:
    """The limits for this person; an unknown age is an adult's.

    >>> norms_of(Person(female=False, age_years=6)).rate_bpm, norms_of(Person(female=None, age_years=0.5)).rate_bpm
    ((62.0, 113.0), (106.0, 194.0))
    """
    if person.age_years is None or person.age_years >= ADULT_FROM_YEARS:
        return ADULT
    if person.age_years * DAYS_A_YEAR < TABLE_FROM_DAYS:
        return FIRST_DAYS
    group = bisect_right(_table()["from_days"], person.age_years * DAYS_A_YEAR) - 1
    little = person.age_years < LITTLE_UNTIL_YEARS
    if person.female is None:
        return _of_either(_child("boys", group, little=little), _child("girls", group, little=little))
    return _child("girls" if person.female else "boys", group, little=little)


def sinus_at_most_bpm(person: Person) -> float:
    """The rate beyond which P waves before each beat do not make a tachycardia a sinus tachycardia.

    >>> [sinus_at_most_bpm(Person(age_years=years)) for years in (None, 0.5, 8, 30, 55, 80)]
    [180.0, 220.0, 180.0, 190.0, 165.0, 150.0]
    """
    if person.age_years is None:
        return SINUS_UNKNOWN_AGE_BPM
    if person.age_years < ADULT_FROM_YEARS:
        return SINUS_INFANT_BPM if person.age_years < 1 else SINUS_CHILD_BPM
    return max(SINUS_LEAST_BPM, SINUS_AGELESS_BPM - person.age_years)


@cache
def _child(sex: str, group: int, *, little: bool) -> Norms:
    table = {name: values[group] for name, values in _table()[sex].items()}
    return Norms(
        rate_bpm=_pair(table["rate_bpm"]),
        p_ms=float(table["p_ms"]),
        p_ii_uv=round(1000 * table["p_ii_mv"]),
        pr_ms=_pair(table["pr_ms"]),
        broad_qrs_ms=max(90.0 if little else 100.0, table["qrs_ms"][1]) + 1,
        qrs_axis_deg=_pair(table["qrs_axis_deg"]),
        qtc_ms=max(CHILD_QTC_MS, table["qtc_bazett_ms"][1]) + 1,
        voltage=Voltage(*(round(1000 * table[name]) for name in ("r_v1_mv", "s_v1_mv", "r_v6_mv", "s_v6_mv"))),
        source=RIJNBEEK_2001,
    )


def _of_either(boys: Norms, girls: Norms) -> Norms:
    """Beyond the limits of both."""
    first, second = boys.voltage, girls.voltage
    assert first is not None
    assert second is not None
    return Norms(
        rate_bpm=_wider(boys.rate_bpm, girls.rate_bpm),
        p_ms=max(boys.p_ms, girls.p_ms),
        p_ii_uv=max(boys.p_ii_uv, girls.p_ii_uv),
        pr_ms=_wider(boys.pr_ms, girls.pr_ms),
        broad_qrs_ms=max(boys.broad_qrs_ms, girls.broad_qrs_ms),
        qrs_axis_deg=_wider(boys.qrs_axis_deg, girls.qrs_axis_deg),
        qtc_ms=max(boys.qtc_ms or 0.0, girls.qtc_ms or 0.0),
        voltage=Voltage(
            max(first.r_v1_uv, second.r_v1_uv),
            max(first.s_v1_uv, second.s_v1_uv),
            max(first.r_v6_uv, second.r_v6_uv),
            max(first.s_v6_uv, second.s_v6_uv),
        ),
        source=boys.source,
    )


def _pair(values: list[float]) -> tuple[float, float]:
    low, high = values
    return float(low), float(high)


def _wider(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return min(one[0], other[0]), max(one[1], other[1])


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text("utf-8"))
