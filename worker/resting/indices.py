"""Which numbers do cardiologists make of the waves of several leads: voltages of hypertrophy, P terminal force, points?

AHA/ACCF/HRS 2009 part V (doi:10.1161/CIRCULATIONAHA.108.191097) lists the criteria and who proposed them; Peguero and
Lo Presti came later (doi:10.1016/j.jacc.2017.01.037). S counts by its size. None where a lead is missing.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from ecg_center.domain.leads import LIMB
from worker.resting.waves import LeadWaves
from worker.signal.delineate import Limits
from worker.signal.lead_limits import LeadLimits

CORNELL_WOMEN_MV: Final = 0.6
"""Added in women before the product is taken, as the LIFE study did."""
T_SHOWS_UV: Final = 100.0
"""A flat T has no end that could be compared with those of other leads."""
LEAST_LEADS: Final = 6
ROMHILT_LIMB_MV, ROMHILT_CHEST_MV = 2.0, 3.0
ROMHILT_AXIS_DEG: Final = -30.0
ROMHILT_QRS_MS, ROMHILT_PEAK_MS = 90.0, 50.0
ROMHILT_P_MV, ROMHILT_P_MS = 0.1, 40.0
STRAIN_UV: Final = -50.0


def sokolow_lyon_mv(waves: Mapping[str, LeadWaves]) -> float | None:
    """S of V1 and the larger R of V5 and V6."""
    left = [_r(waves[lead]) for lead in ("V5", "V6") if lead in waves]
    return _s(waves["V1"]) + max(left) if "V1" in waves and left else None


def rv5_sv1_mv(waves: Mapping[str, LeadWaves]) -> float | None:
    """R of V5 and S of V1."""
    return _r(waves["V5"]) + _s(waves["V1"]) if {"V1", "V5"} <= waves.keys() else None


def cornell_mv(waves: Mapping[str, LeadWaves]) -> float | None:
    """R of aVL and S of V3."""
    return _r(waves["aVL"]) + _s(waves["V3"]) if {"aVL", "V3"} <= waves.keys() else None


def cornell_product_mv_ms(cornell: float | None, qrs_ms: float | None, *, female: bool | None) -> float | None:
    """Cornell voltage, raised in women, times the duration of the QRS; 244 mV·ms is the usual limit.

    >>> cornell_product_mv_ms(2.0, 100, female=True), cornell_product_mv_ms(2.0, 100, female=None)
    (260.0, 200.0)
    """
    if cornell is None or qrs_ms is None:
        return None
    return (cornell + (CORNELL_WOMEN_MV if female else 0.0)) * qrs_ms


def lewis_mv(waves: Mapping[str, LeadWaves]) -> float | None:
    """(R of I and S of III) less (R of III and S of I)."""
    if not {"I", "III"} <= waves.keys():
        return None
    one, three = waves["I"], waves["III"]
    return _r(one) + _s(three) - _r(three) - _s(one)


def peguero_mv(waves: Mapping[str, LeadWaves]) -> float | None:
    """The deepest S of all leads and S of V4."""
    return max(_s(lead) for lead in waves.values()) + _s(waves["V4"]) if "V4" in waves else None


def v1_p_terminal_mv_ms(waves: Mapping[str, LeadWaves]) -> float | None:
    """Depth times length of the last, negative part of P in V1; 4 mV·ms is the usual limit."""
    return -waves["V1"].p_low_uv * waves["V1"].p_low_ms / 1000 if "V1" in waves else None


def romhilt_estes_points(
    waves: Mapping[str, LeadWaves], qrs_ms: float | None, axis_deg: float | None, *, with_p: bool
) -> int | None:
    """Romhilt and Estes 1968: 5 points are a hypertrophy, 4 a probable one. Of digitalis nothing is known here."""
    if qrs_ms is None or not {*LIMB, "V1", "V2", "V5", "V6"} <= waves.keys():
        return None
    tall = max(max(_r(waves[lead]), _s(waves[lead])) for lead in LIMB) >= ROMHILT_LIMB_MV
    deep = max(_s(waves["V1"]), _s(waves["V2"]), _r(waves["V5"]), _r(waves["V6"])) >= ROMHILT_CHEST_MV
    strain = any(waves[lead].st_j_uv < STRAIN_UV and waves[lead].t_uv < STRAIN_UV for lead in ("V5", "V6"))
    v1 = waves["V1"]
    atrium = with_p and -v1.p_low_uv / 1000 >= ROMHILT_P_MV and v1.p_low_ms >= ROMHILT_P_MS
    left = axis_deg is not None and -90 <= axis_deg <= ROMHILT_AXIS_DEG
    late = max(waves[lead].r_peak_ms for lead in ("V5", "V6")) >= ROMHILT_PEAK_MS
    return int(3 * (tall or deep) + 3 * strain + 3 * atrium + 2 * left + (qrs_ms >= ROMHILT_QRS_MS) + late)


def qt_dispersion_ms(
    leads: tuple[str, ...], waves: Mapping[str, LeadWaves], limits: Limits, by_lead: LeadLimits | None, hz: float
) -> float | None:
    """Longest less shortest QT of the leads that show a T, each by its own end and the common onset."""
    if by_lead is None or by_lead.t_off is None:
        return None
    shown = [row for row, lead in enumerate(leads) if lead in waves and abs(waves[lead].t_uv) >= T_SHOWS_UV]
    if len(shown) < LEAST_LEADS:
        return None
    return float(np.ptp(by_lead.t_off[shown] - limits.qrs_on)) * 1000 / hz


def _r(waves: LeadWaves) -> float:
    return max(waves.r_uv, waves.r2_uv) / 1000


def _s(waves: LeadWaves) -> float:
    """The size of the deepest downward deflection: a QS counts as S."""
    return -min(waves.s_uv, waves.q_uv, 0.0) / 1000
