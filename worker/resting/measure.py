"""What are the numbers of the report's head: rate, P, PR, QRS, QT, QTc, axes, RV5, SV1, ST?"""

from typing import Any, Final, Literal

import numpy as np

from ecg_center.contract.findings import Fiducials, LeadMeasurements, Measurements
from worker.resting import indices
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.u_wave import UWave
from worker.resting.waves import LeadWaves
from worker.signal.order import median

Formula = Literal["bazett", "fridericia", "framingham", "hodges"]
FORMULAS: Final[tuple[Formula, ...]] = ("bazett", "fridericia", "framingham", "hodges")

BAZETT_RATES: Final = (60.0, 100.0)
"""Bazett over-corrects fast and under-corrects slow rates; outside this range Fridericia is the default
(AHA/ACCF/HRS 2009 part IV, doi:10.1016/j.jacc.2008.12.014)."""
AXIS_MIN_UV: Final = 60.0
QRS_SHARE_OF_RR: Final = 0.65


def qtc_ms(qt_ms: float, rr_s: float, formula: Formula) -> float:
    """QT corrected for rate.

    >>> [round(qtc_ms(400, 0.8, name)) for name in ("bazett", "fridericia", "framingham", "hodges")]
    [447, 431, 431, 426]
    """
    match formula:
        case "bazett":
            return qt_ms / float(np.sqrt(rr_s))
        case "fridericia":
            return qt_ms / float(np.cbrt(rr_s))
        case "framingham":
            return qt_ms + 154 * (1 - rr_s)
        case _:
            return qt_ms + 1.75 * (60 / rr_s - 60)


def formula_for(bpm: float) -> Formula:
    """The formula used unless a person chooses another."""
    return "bazett" if BAZETT_RATES[0] <= bpm <= BAZETT_RATES[1] else "fridericia"


def qt_rr_s(reading: Reading, rhythm: Rhythm) -> float:
    """The interval that QT is corrected by: the usual one, or in atrial fibrillation the mean."""
    if reading.rr_s.size == 0:
        return 1.0
    return float(reading.rr_s.mean() if rhythm.name in ("af", "multifocal") else median(reading.rr_s))


def axis_deg(one: float, avf: float, least: float = AXIS_MIN_UV) -> float | None:
    """Frontal axis from leads I and aVF, −180 to 180°; None where both are too small to point anywhere.

    aVF is drawn at 2/√3 because Goldberger's leads are shorter than Einthoven's.

    >>> axis_deg(1000, 0), round(axis_deg(0, 1000)), round(axis_deg(500, 500))
    (0.0, 90, 49)
    """
    up = avf * 2 / float(np.sqrt(3))
    if np.hypot(one, up) < least:
        return None
    return float(np.degrees(np.arctan2(up, one)))


def measure(reading: Reading, rhythm: Rhythm, u: UWave | None = None) -> Measurements:
    """All global measurements; None where the rhythm or the signal gives none. ``u``: the U wave, if there is one."""
    limits = reading.limits
    rates = {
        "heart_rate_bpm": _rounded(rhythm.ventricular_bpm, 1),
        "atrial_rate_bpm": _rounded(rhythm.atrial_bpm, 1),
        "rr_max_ms": _rounded(rhythm.rr_max_s, 0, 1000),
    }
    if reading.rr_s.size:
        rates["rr_mean_ms"] = _rounded(float(reading.rr_s.mean()), 0, 1000)
    if limits is None or rhythm.name in ("vf", "standstill", "none"):
        return Measurements(**rates)
    conducted = limits.p_on is not None and rhythm.name in ("sinus", "atrial")
    if rhythm.name in ("sinus", "atrial") and rhythm.av_block is None:
        rates["atrial_rate_bpm"] = rates["heart_rate_bpm"]
    steady = conducted and rhythm.av_block not in ("wenckebach", "second_degree")  # else there is no one PR
    intervals: dict[str, float | None] = {
        "p_ms": reading.ms(limits.p_off - limits.p_on)
        if conducted and limits.p_off and limits.p_on is not None
        else None,
        "pr_ms": reading.ms(limits.qrs_on - limits.p_on) if steady and limits.p_on is not None else None,
        "qrs_ms": _qrs_ms(reading),
    }
    qt: dict[str, float | None] = {}
    formula: Formula | None = None
    by_formula: dict[str, float] = {}
    if limits.t_off is not None and rhythm.name not in ("vt", "wide_tachycardia"):
        qt_value = reading.ms(limits.t_off - limits.qrs_on)
        rr_s = qt_rr_s(reading, rhythm)
        formula = formula_for(60 / rr_s)
        corrected = {name: float(round(qtc_ms(qt_value, rr_s, name))) for name in FORMULAS}
        # the straight lines of Framingham and Hodges fall below nothing at intervals that they were not made for
        by_formula = {name: value for name, value in corrected.items() if value > 0}
        qt = {"qt_ms": qt_value, "qtc_ms": by_formula[formula]}
    amplitudes = _amplitudes(reading, conducted=conducted) if reading.calibrated else {}
    return Measurements(
        **rates,
        **intervals,
        **qt,
        **amplitudes,
        qtc_formula=formula,
        qtc_by_formula=by_formula,
        st_j_mv=_st_j(reading) if reading.calibrated else {},
        leads=_leads(reading, u, conducted=conducted) if reading.calibrated else {},
        qt_dispersion_ms=_dispersion(reading) if qt else None,
        **(_indices(reading, intervals["qrs_ms"], amplitudes, conducted=conducted) if reading.calibrated else {}),
    )


def _qrs_ms(reading: Reading) -> float | None:
    """QRS duration; None where QRS and T of a fast rhythm have run into one another."""
    qrs_ms = reading.qrs_ms
    rr_ms = 1000 * float(median(reading.rr_s)) if reading.rr_s.size else 1000.0
    return None if qrs_ms is None or qrs_ms > QRS_SHARE_OF_RR * rr_ms else qrs_ms


def _amplitudes(reading: Reading, *, conducted: bool) -> dict[str, float | None]:
    one, avf, v5, v1 = (reading.wave(lead) for lead in ("I", "aVF", "V5", "V1"))
    result: dict[str, float | None] = {}
    if v5 is not None:
        result["rv5_mv"] = round(v5.r_uv / 1000, 2)
    if v1 is not None:
        result["sv1_mv"] = round(abs(min(v1.s_uv, v1.q_uv)) / 1000, 2)
    if one is not None and avf is not None:
        result["qrs_axis_deg"] = _axis(one, avf, "net_uv", AXIS_MIN_UV)
        result["t_axis_deg"] = _axis(one, avf, "t_uv", AXIS_MIN_UV)
        if conducted:
            result["p_axis_deg"] = _axis(one, avf, "p_uv", 30.0)
    return result


def _axis(one: LeadWaves, avf: LeadWaves, name: str, least: float) -> float | None:
    return _rounded(axis_deg(getattr(one, name), getattr(avf, name), least), 0)


def _dispersion(reading: Reading) -> float | None:
    if reading.limits is None:
        return None
    leads, hz = reading.traces.leads, reading.traces.hz
    return _rounded(indices.qt_dispersion_ms(leads, reading.waves, reading.limits, reading.lead_limits, hz), 0)


def _indices(
    reading: Reading, qrs_ms: float | None, amplitudes: dict[str, float | None], *, conducted: bool
) -> dict[str, Any]:
    """What is made of the waves of several leads."""
    waves, cornell = reading.waves, indices.cornell_mv(reading.waves)
    axis = amplitudes.get("qrs_axis_deg")
    product = indices.cornell_product_mv_ms(cornell, qrs_ms, female=reading.person.female)
    return {
        "sokolow_lyon_mv": _rounded(indices.sokolow_lyon_mv(waves), 2),
        "cornell_mv": _rounded(cornell, 2),
        "cornell_product_mv_ms": _rounded(product, 0),
        "lewis_mv": _rounded(indices.lewis_mv(waves), 2),
        "rv5_sv1_mv": _rounded(indices.rv5_sv1_mv(waves), 2),
        "peguero_mv": _rounded(indices.peguero_mv(waves), 2),
        "romhilt_estes_points": indices.romhilt_estes_points(waves, qrs_ms, axis, with_p=conducted),
        "v1_p_terminal_mv_ms": _rounded(indices.v1_p_terminal_mv_ms(waves), 1) if conducted else None,
    }


def _leads(reading: Reading, u: UWave | None, *, conducted: bool) -> dict[str, LeadMeasurements]:
    u_uv = {} if u is None else u.uv
    return {lead: _lead(waves, u_uv.get(lead, 0.0), conducted=conducted) for lead, waves in reading.waves.items()}


def _lead(waves: LeadWaves, u_uv: float, *, conducted: bool) -> LeadMeasurements:
    def mv(value: float) -> float:
        return round(value / 1000, 3)

    return LeadMeasurements(
        p_mv=mv(waves.p_uv) if conducted else 0.0,
        q_mv=mv(waves.q_uv),
        r_mv=mv(waves.r_uv),
        s_mv=mv(waves.s_uv),
        r2_mv=mv(waves.r2_uv),
        t_mv=mv(waves.t_uv),
        u_mv=mv(u_uv),
        q_ms=round(waves.q_ms),
        r_ms=round(waves.r_ms),
        s_ms=round(waves.s_ms),
        st_j_mv=mv(waves.st_j_uv),
        st20_mv=mv(waves.st20_uv),
        st40_mv=mv(waves.st40_uv),
        st60_mv=mv(waves.st60_uv),
        st80_mv=mv(waves.st80_uv),
        st_slope_mv_s=round((waves.st60_uv - waves.st_j_uv) / 60, 2),
    )


def _st_j(reading: Reading) -> dict[str, float]:
    return {lead: round(waves.st_j_uv / 1000, 3) for lead, waves in reading.waves.items()}


def _rounded(value: float | None, digits: int, scale: float = 1.0) -> float | None:
    return None if value is None else round(value * scale, digits)


def fiducials(reading: Reading, rhythm: Rhythm, u: UWave | None = None) -> Fiducials | None:
    """Limits of the median beat in seconds from its start."""
    limits = reading.limits
    if limits is None or rhythm.name in ("vf", "standstill", "none"):
        return None
    with_p = rhythm.name in ("sinus", "atrial")

    def seconds(sample: int | None) -> float | None:
        return None if sample is None else round(sample / reading.traces.hz, 4)

    return Fiducials(
        r_s=limits.r / reading.traces.hz,
        p_on_s=seconds(limits.p_on) if with_p else None,
        p_off_s=seconds(limits.p_off) if with_p else None,
        qrs_on_s=seconds(limits.qrs_on),
        qrs_off_s=seconds(limits.qrs_off),
        t_off_s=seconds(limits.t_off),
        u_on_s=seconds(u.on if u else None),
        u_peak_s=seconds(u.peak if u else None),
        u_off_s=seconds(u.off if u else None),
    )
