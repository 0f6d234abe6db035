"""How much of the left ventricle is scar, by the points of Selvester's QRS score?

Each point stands for about 3 % of the left ventricle (Selvester, Wagner and Hindman 1985,
doi:10.1001/archinte.1985.00360100147024). The table is the one for hearts without confounders of the update of 2009, as
Loring et al. print it (doi:10.1016/j.jelectrocard.2011.06.008); Strauss and Selvester's tables for bundle branch blocks
and large ventricles are not applied: there the score is not given. What differs from the 31 points of 1985: V3 may give
two points, the Q and S of the posterior criteria are smaller, and posterior points are not counted where the right
atrium is large. What differs from Loring: notches of the R are not looked for, of which this table has none.

The score sizes a known infarction; it does not find one: 95 % of healthy people have up to 3 points
(Hindman 1985, doi:10.1016/0002-9149(85)90958-0).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from worker.resting.waves import LeadWaves

Measure = Literal["q_ms", "r_ms", "r_mv", "r_over_q", "r_over_s", "r_over_qs", "q_or_s_mv"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of the table: ``measure`` at least ``least`` or at most ``most``."""

    measure: Measure
    points: int
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Criteria of one lead of which only the one with most points counts."""

    lead: str
    criteria: tuple[Criterion, ...]
    posterior: bool = False


ANY_Q: Final = Criterion("q_ms", 1, least=1.0)
"""What was measured as one, from 20 µV on."""

TABLE: Final[tuple[Group, ...]] = (
    Group("I", (Criterion("q_ms", 1, least=30),)),
    Group("I", (Criterion("r_over_q", 1, most=1), Criterion("r_mv", 1, most=0.2))),
    Group("II", (Criterion("q_ms", 2, least=40), Criterion("q_ms", 1, least=30))),
    Group("aVL", (Criterion("q_ms", 1, least=30),)),
    Group("aVL", (Criterion("r_over_q", 1, most=1),)),
    Group("aVF", (Criterion("q_ms", 3, least=50), Criterion("q_ms", 2, least=40), Criterion("q_ms", 1, least=30))),
    Group("aVF", (Criterion("r_over_q", 2, most=1), Criterion("r_over_q", 1, most=2))),
    Group("V1", (ANY_Q,)),
    Group("V1", (Criterion("r_over_s", 1, least=1),), posterior=True),
    Group(
        "V1",
        (
            Criterion("r_ms", 2, least=50), Criterion("r_mv", 2, least=1.0),
            Criterion("r_ms", 1, least=40), Criterion("r_mv", 1, least=0.7),
        ),
        posterior=True,
    ),
    Group("V1", (Criterion("q_or_s_mv", 1, most=0.2),), posterior=True),
    Group("V2", (ANY_Q, Criterion("r_ms", 1, most=10), Criterion("r_mv", 1, most=0.1))),
    Group("V2", (Criterion("r_over_s", 1, least=1.5),), posterior=True),
    Group(
        "V2",
        (
            Criterion("r_ms", 2, least=60), Criterion("r_mv", 2, least=2.0),
            Criterion("r_ms", 1, least=50), Criterion("r_mv", 1, least=1.5),
        ),
        posterior=True,
    ),
    Group("V2", (Criterion("q_or_s_mv", 1, most=0.3),), posterior=True),
    Group(
        "V3",
        (
            Criterion("q_ms", 2, least=30), Criterion("r_ms", 2, most=10),
            Criterion("q_ms", 1, least=20), Criterion("r_ms", 1, most=20),
        ),
    ),
    Group("V4", (Criterion("q_ms", 1, least=20),)),
    Group(
        "V4",
        (Criterion("r_over_qs", 2, most=0.5), Criterion("r_over_qs", 1, most=1), Criterion("r_mv", 1, most=0.5)),
    ),
    Group("V5", (Criterion("q_ms", 1, least=30),)),
    Group(
        "V5",
        (Criterion("r_over_qs", 2, most=1), Criterion("r_over_qs", 1, most=2), Criterion("r_mv", 1, most=0.6)),
    ),
    Group("V6", (Criterion("q_ms", 1, least=30),)),
    Group(
        "V6",
        (Criterion("r_over_qs", 2, most=1), Criterion("r_over_qs", 1, most=3), Criterion("r_mv", 1, most=0.6)),
    ),
)  # fmt: skip

MOST_POINTS: Final = sum(max(criterion.points for criterion in group.criteria) for group in TABLE)
LEADS: Final = frozenset(group.lead for group in TABLE)
P_V1_MV, P_AVF_MV = 0.1, 0.175
"""A P so tall in V1 or V2, or in aVF, speaks of the right atrium: its ventricle makes a tall R as well."""
BROAD_MS: Final = 120.0
CONFOUNDED: Final = frozenset(
    (
        "101", "102", "103a", "103b", "104", "104a", "106", "107", "108", "108a", "142", "142a", "142b", "143", "144",
        "125", "125b", "180", "181", "183", "184", "63", "64", "70", "76",
    )
)  # fmt: skip
"""Statements beside which the score has other tables, or none: blocks, pre-excitation, large ventricles, pacing, low
voltage, a beat of the ventricles' own."""


def selvester_points(waves: Mapping[str, LeadWaves], qrs_ms: float | None) -> int | None:
    """Points of the QRS score of a heart without confounders; None where a lead is missing or the QRS is broad.

    >>> from dataclasses import fields
    >>> calm = {field.name: 0.0 for field in fields(LeadWaves)}
    >>> usual = LeadWaves(**{**calm, "r_uv": 900.0, "r_ms": 45.0, "s_uv": -200.0})
    >>> chest = LeadWaves(**{**calm, "r_uv": 300.0, "r_ms": 30.0, "s_uv": -1000.0})
    >>> healthy = dict.fromkeys(LEADS, usual) | {"V1": chest, "V2": chest, "V3": usual}
    >>> old_inferior = LeadWaves(**{**calm, "q_uv": -400.0, "q_ms": 44.0, "r_uv": 300.0, "r_ms": 40.0})
    >>> selvester_points(healthy, 90), selvester_points(healthy | {"II": old_inferior, "aVF": old_inferior}, 90)
    (0, 6)
    """
    if qrs_ms is None or qrs_ms >= BROAD_MS or not waves.keys() >= LEADS:
        return None
    atrium = max(waves["V1"].p_uv, waves["V2"].p_uv) >= 1000 * P_V1_MV or waves["aVF"].p_uv >= 1000 * P_AVF_MV
    return sum(_of(group, waves[group.lead]) for group in TABLE if not (group.posterior and atrium))


def _of(group: Group, waves: LeadWaves) -> int:
    return max((one.points for one in group.criteria if _holds(one, waves)), default=0)


def _holds(one: Criterion, waves: LeadWaves) -> bool:
    value = _value(one.measure, waves)
    if value is None:
        return False
    return value >= one.least if one.least is not None else one.most is not None and value <= one.most


def _value(measure: Measure, waves: LeadWaves) -> float | None:
    """What the criterion asks for; None where a ratio has no denominator."""
    q_uv, r_uv, s_uv = -min(waves.q_uv, 0.0), waves.r_uv, -min(waves.s_uv, 0.0)
    match measure:
        case "q_ms" | "r_ms":
            return waves.q_ms if measure == "q_ms" else waves.r_ms
        case "r_mv":
            return r_uv / 1000
        case "q_or_s_mv":
            return max(q_uv, s_uv) / 1000
        case _:
            below = {"r_over_q": q_uv, "r_over_s": s_uv, "r_over_qs": max(q_uv, s_uv)}[measure]
            return r_uv / below if below else None
