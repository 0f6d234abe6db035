"""Is a ventricle or an atrium too large? The table of voltages and points, and what they add up to.

Voltage alone is 高电压, said where one of the usual criteria is met; hypertrophy 肥大 is said where others agree:
AHA/ACCF/HRS 2009 part V (doi:10.1016/j.jacc.2008.12.015) lists them and asks that the one that was met be named, as
each statement's evidence does. Peguero's and Lewis's sums, Cornell's product and Romhilt's points never speak alone:
each of them is met by some one in ten healthy hearts.
"""

from dataclasses import dataclass
from typing import Final

from ecg_center.contract.findings import Certainty, Evidence, Statement
from ecg_center.domain.leads import CHEST, LIMB
from worker.resting import childhood, indices
from worker.resting.measure import axis_deg
from worker.resting.reading import Reading
from worker.resting.say import AHA_2009_HYPERTROPHY, TEXTBOOK, evidence, say

ROMHILT_SURE: Final = 5
"""Romhilt and Estes 1968, doi:10.1016/0002-8703(68)90179-8: 5 points are a hypertrophy."""
AGREE: Final = 2
"""So many criteria beside the one that was met make a hypertrophy of the voltage."""
LOW_LIMB_UV: Final = 500.0
LOW_CHEST_UV: Final = 1000.0
TERMINAL_MV_MS: Final = 4.0
"""Morris 1964, doi:10.1161/01.CIR.29.2.242: 0.04 mm·s below the line at the end of P in V1."""
WIDE_P_MS: Final = 120.0
TALL_P_V1_UV: Final = 150.0
P_AXIS_RIGHT_DEG: Final = 75.0
"""诊断学: P in V1 of 0.15 mV and more, or an axis of P beyond 75°, beside a P of 0.25 mV in II."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One sum of voltages; ``speaks`` whether it is a high voltage by itself."""

    quantity: str
    women: float
    men: float
    unit: str
    leads: tuple[str, ...]
    source: str
    speaks: bool = False

    def limit(self, female: bool | None) -> float:
        """Of this sex; of an unknown one the higher."""
        return self.women if female else self.men


LEFT: Final = (
    Criterion("sokolow_lyon_mv", 3.5, 4.0, "mV", ("V1", "V5"), TEXTBOOK, speaks=True),
    Criterion("cornell_mv", 2.0, 2.8, "mV", ("aVL", "V3"), AHA_2009_HYPERTROPHY, speaks=True),
    Criterion("cornell_product_mv_ms", 244.0, 244.0, "mV·ms", ("aVL", "V3"), AHA_2009_HYPERTROPHY),
    Criterion("peguero_mv", 2.3, 2.8, "mV", ("V4",), "Peguero 2017, doi:10.1016/j.jacc.2017.01.037"),
    Criterion("lewis_mv", 1.7, 1.7, "mV", ("I", "III"), AHA_2009_HYPERTROPHY),
)  # fmt: skip
"""At or above the limit; the sums of :mod:`worker.resting.indices`."""


def ventricles(reading: Reading, qrs_axis_deg: float | None, *, with_p: bool) -> list[Statement]:
    """High voltage or hypertrophy of the left ventricle, of a child's either one, and low voltage."""
    if reading.norms.of_a_child:
        return [*childhood.voltage(reading), *_low(reading)]
    return [*_left(reading, qrs_axis_deg, with_p=with_p), *_low(reading)]


def _left(reading: Reading, qrs_axis_deg: float | None, *, with_p: bool) -> list[Statement]:
    female, met = reading.person.female, []
    sums = _sums(reading)
    for criterion in LEFT:
        value, limit = sums[criterion.quantity], criterion.limit(female)
        if value is not None and value >= limit:
            seen = evidence(
                criterion.quantity, value, limit, criterion.unit, leads=criterion.leads, source=criterion.source
            )
            met.append((criterion, seen))
    if not any(criterion.speaks for criterion, _ in met):
        return []
    points = indices.romhilt_estes_points(reading.waves, reading.qrs_ms, qrs_axis_deg, with_p=with_p) or 0
    if points < ROMHILT_SURE and len(met) - 1 < AGREE:
        return [say("142a", *[seen for criterion, seen in met if criterion.speaks], certainty="probable")]
    scored = evidence("romhilt_estes_points", points, ROMHILT_SURE, source=AHA_2009_HYPERTROPHY)
    certainty: Certainty = "probable" if points >= ROMHILT_SURE else "possible"
    return [say("142", *[seen for _, seen in met], scored, certainty=certainty)]


def _sums(reading: Reading) -> dict[str, float | None]:
    waves, qrs_ms = reading.waves, reading.qrs_ms
    cornell = indices.cornell_mv(waves)
    return {
        "sokolow_lyon_mv": indices.sokolow_lyon_mv(waves),
        "cornell_mv": cornell,
        "cornell_product_mv_ms": indices.cornell_product_mv_ms(cornell, qrs_ms, female=reading.person.female),
        "peguero_mv": indices.peguero_mv(waves),
        "lewis_mv": indices.lewis_mv(waves),
    }


def _low(reading: Reading) -> list[Statement]:
    limb = [reading.wave(lead) for lead in LIMB]
    chest = [reading.wave(lead) for lead in CHEST]
    low_limb = all(waves is not None and waves.span_uv < LOW_LIMB_UV for waves in limb)
    low_chest = all(waves is not None and waves.span_uv < LOW_CHEST_UV for waves in chest)
    if not (low_limb or low_chest):
        return []
    code = "125b" if low_limb and low_chest else "125" if low_limb else "125a"
    largest = max(waves.span_uv for waves in (limb if low_limb else chest) if waves) / 1000
    limit = (LOW_LIMB_UV if low_limb else LOW_CHEST_UV) / 1000
    return [say(code, evidence("qrs_span_mv", largest, limit, "mV", source=TEXTBOOK))]


def atria(reading: Reading, p_ms: float) -> list[Statement]:
    """Enlargement or slow conduction of either atrium, of a P that conducts."""
    two, v1 = reading.wave("II"), reading.wave("V1")
    found = []
    if two is not None and two.p_uv >= reading.norms.p_ii_uv:
        found.append(_right_atrium(reading, two.p_uv))
    terminal = indices.v1_p_terminal_mv_ms(reading.waves)
    v2 = reading.wave("V2")
    too_high = v2 is not None and v2.p_uv < 0  # P turns over in V2 as well where both electrodes sit too high
    if terminal is not None and terminal >= TERMINAL_MV_MS and not reading.norms.of_a_child:
        deep = evidence(
            "v1_p_terminal_mv_ms", terminal, TERMINAL_MV_MS, "mV·ms", leads=["V1"], source=AHA_2009_HYPERTROPHY
        )
        if p_ms >= WIDE_P_MS:
            found.append(say("140", deep, evidence("p_ms", p_ms, WIDE_P_MS, "ms"), certainty="probable"))
        elif not too_high:
            found.append(say("140a", deep))
    elif p_ms >= reading.norms.p_ms + 8 and v1 is not None and v1.p_uv < -60:
        seen = evidence("p_ms", p_ms, reading.norms.p_ms, "ms", source=AHA_2009_HYPERTROPHY)
        found.append(say("110", seen, certainty="possible"))
    return found


def _right_atrium(reading: Reading, p_uv: float) -> Statement:
    """An enlargement where V1 or the axis of P speaks for it, else what its height says."""
    limit = reading.norms.p_ii_uv / 1000
    tall: Evidence = evidence("p_mv", p_uv / 1000, limit, "mV", leads=["II"], source=AHA_2009_HYPERTROPHY)
    v1, one, avf = (reading.wave(lead) for lead in ("V1", "I", "aVF"))
    if v1 is not None and v1.p_uv >= TALL_P_V1_UV:
        seen = evidence("p_mv", v1.p_uv / 1000, TALL_P_V1_UV / 1000, "mV", leads=["V1"], source=TEXTBOOK)
        return say("141", tall, seen, certainty="probable")
    turned = None if one is None or avf is None else axis_deg(one.p_uv, avf.p_uv)
    if turned is not None and turned > P_AXIS_RIGHT_DEG:
        seen = evidence("p_axis_deg", turned, P_AXIS_RIGHT_DEG, "°", source=TEXTBOOK)
        return say("141", tall, seen, certainty="probable")
    return say("109", tall)
