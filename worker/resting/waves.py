"""How large and how long is each wave in each lead of the median beat?

Amplitudes stand against the PR level just before the QRS, ST at J as the Fourth Universal Definition takes it.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.beats import MedianBeat
from worker.signal.delineate import Limits
from worker.signal.filters import Floats, moving_mean, ramp
from worker.signal.order import median

LEVEL_S: Final = (0.020, 0.004)
MIN_WAVE_UV: Final = 20.0
"""IEC 60601-2-25: a deflection counts from 20 µV on."""
MIN_WAVE_S: Final = 0.006
FOOT: Final = 0.15
"""A small wave begins at this share of its size, a larger one at 20 µV."""
OWN_R: Final = 0.2
"""An r smaller than this share of the R behind it, with no S between them, is noise on the rise of that R."""
J_S: Final = 0.010
"""The level at J is the mean of this time behind it: one sample is noise."""
T_FROM_J_S: Final = 0.060
ST_LAST_S: Final = 0.080
ST_AT_S: Final = (0.020, 0.040, 0.060, ST_LAST_S)
TERMINAL_S: Final = 0.040


@dataclass(frozen=True, slots=True)
class LeadWaves:
    """One lead's waves; amplitudes in µV, signed, 0 where there is no such wave."""

    q_uv: float
    q_ms: float
    r_uv: float
    s_uv: float
    r2_uv: float
    """R' after S."""
    r_peak_ms: float
    """From QRS onset to the peak of R."""
    net_uv: float
    """Largest upward plus largest downward deflection of the QRS."""
    area_uvs: float
    start_uv: float
    """Mean of the first 30 ms of the QRS."""
    terminal_uv: float
    """Mean of the last 40 ms of the QRS."""
    st_j_uv: float
    st60_uv: float
    st80_uv: float
    t_uv: float
    t_high_uv: float
    t_low_uv: float
    """Highest and lowest level between J + 80 ms and the end of T."""
    t_falls_late: bool
    """The lowest comes after the highest: a T that first rises, then dips."""
    t_half_ms: float
    """Width of T at half its height."""
    p_uv: float
    span_uv: float
    """Peak to peak of the QRS."""
    r_ms: float = 0.0
    s_ms: float = 0.0
    """Durations from where the trace leaves the level to where it crosses it; a QS is a Q over the whole QRS."""
    st20_uv: float = 0.0
    st40_uv: float = 0.0
    p_low_uv: float = 0.0
    p_low_ms: float = 0.0
    """Depth and length of the part of P that lies below its level and comes last; 0 where none does."""


def level_of(beat: MedianBeat, limits: Limits, hz: float) -> Floats:
    """(n_leads, 1) the PR level."""
    first, last = limits.qrs_on - round(LEVEL_S[0] * hz), limits.qrs_on - round(LEVEL_S[1] * hz)
    return median(beat.signal[:, max(0, first) : max(1, last)])[:, None]


def measure_leads(leads: tuple[str, ...], beat: MedianBeat, limits: Limits, hz: float) -> dict[str, LeadWaves]:
    """The waves of every lead."""
    signal = beat.signal - level_of(beat, limits, hz)
    smooth = moving_mean(signal, max(1, round(0.02 * hz)))
    levels: dict[str, NDArray[Any]] = _qrs_levels(signal, limits, hz) | _st_levels(signal, smooth, limits, hz)
    levels |= _t_waves(smooth, limits, hz) | _p_waves(smooth, limits, hz)
    # a QRS has some fifty samples: plain lists are walked through faster than arrays are called for
    qrs = signal[:, limits.qrs_on : limits.qrs_off + 1].tolist()
    by_lead = zip(*(values.tolist() for values in levels.values()), strict=True)
    return {
        lead: LeadWaves(**_deflections(own, hz), **dict(zip(levels, values, strict=True)))
        for lead, own, values in zip(leads, qrs, by_lead, strict=True)
    }


def _qrs_levels(signal: Floats, limits: Limits, hz: float) -> dict[str, Floats]:
    """What is a mean or an extreme of the QRS, (n_leads,) each."""
    qrs = signal[:, limits.qrs_on : limits.qrs_off + 1]
    high, low = qrs.max(axis=1), qrs.min(axis=1)
    return {
        "net_uv": np.maximum(high, 0) + np.minimum(low, 0),
        "area_uvs": qrs.sum(axis=1) / hz,
        "start_uv": qrs[:, : max(2, round(0.03 * hz))].mean(axis=1),
        "terminal_uv": qrs[:, -max(2, round(TERMINAL_S * hz)) :].mean(axis=1),
        "span_uv": high - low,
    }


def _st_levels(signal: Floats, smooth: Floats, limits: Limits, hz: float) -> dict[str, Floats]:
    off, n = limits.qrs_off, signal.shape[1]
    names = ("st20_uv", "st40_uv", "st60_uv", "st80_uv")
    st = {name: smooth[:, min(n - 1, off + round(at * hz))] for name, at in zip(names, ST_AT_S, strict=True)}
    return st | {"st_j_uv": signal[:, off : off + max(1, round(J_S * hz))].mean(axis=1)}


def _deflections(qrs: list[float], hz: float) -> dict[str, Any]:
    """Q, R, S and R' of one lead."""
    q_uv, q_ms = _q_wave(qrs, hz)
    highest = max(qrs)
    r_at = qrs.index(highest)
    r_uv = highest if highest >= MIN_WAVE_UV else 0.0
    s_uv, r2_uv = _after_r(qrs, r_at)
    first_r_at, first_r = _first_r(qrs, hz)
    if first_r and first_r < r_uv and first_r_at < r_at:  # the larger one is R', the first one is R
        between = min(*qrs[first_r_at : r_at + 1], 0.0)
        if between <= -MIN_WAVE_UV or first_r >= OWN_R * r_uv:  # else noise on its rise
            r2_uv, r_uv, s_uv, r_at = r_uv, first_r, between, first_r_at
    return {
        "q_uv": q_uv,
        "q_ms": q_ms,
        "r_uv": r_uv,
        "r_ms": _duration_ms(qrs, r_at, hz) if r_uv else 0.0,
        "s_uv": s_uv,
        "s_ms": _duration_ms(qrs, qrs.index(min(qrs[r_at:]), r_at), hz) if s_uv else 0.0,
        "r2_uv": r2_uv,
        "r_peak_ms": 1000 * r_at / hz,
    }


def _q_wave(qrs: list[float], hz: float) -> tuple[float, float]:
    """(amplitude, duration in ms) of a first downward deflection; a QS is a Q over the whole QRS."""
    first_up = next((at for at, value in enumerate(qrs) if value > MIN_WAVE_UV), len(qrs))
    lowest = min(qrs[:first_up], default=0.0)
    if lowest >= -MIN_WAVE_UV:
        return 0.0, 0.0
    return lowest, _duration_ms(qrs, qrs.index(lowest), hz)


def _duration_ms(qrs: list[float], peak: int, hz: float) -> float:
    """How long the deflection around ``peak`` lasts.

    >>> _duration_ms([0.0, 0, -50, -100, -50, 0, 100, 0], 3, 500.0)
    7.4
    """
    return round(1000 * (_foot(qrs[peak::-1]) + _foot(qrs[peak:])) / hz, 3)


def _foot(outwards: list[float]) -> float:
    """Samples from the peak to where the other side of the level begins, else to where the trace is calm."""
    sign = 1.0 if outwards[0] > 0 else -1.0
    foot = min(MIN_WAVE_UV, FOOT * sign * outwards[0])
    at = 0
    for place, value in enumerate(outwards):  # fifty times a recording: a generator would take twice as long
        if sign * value < foot:
            at = place
            break
    if not at:
        return float(len(outwards) - 1)
    level = foot
    if any(sign * value < -foot for value in outwards[at : at + 2]):
        # another wave begins where this one ends: the level itself lies between them
        at, level = at if sign * outwards[at] < 0 else at + 1, 0.0
    here, before = sign * outwards[at], sign * outwards[at - 1]
    return at - (level - here) / max(before - here, 1e-9)


def _first_r(qrs: list[float], hz: float) -> tuple[int, float]:
    """(place, size) of the first upward deflection of its own; what is shorter than 6 ms is noise."""
    length = 0
    for at, value in enumerate([*qrs, 0.0]):
        if value > MIN_WAVE_UV:
            length += 1
            continue
        if length and length >= MIN_WAVE_S * hz:
            size = max(qrs[at - length : at])
            return qrs.index(size, at - length), size
        length = 0
    return 0, 0.0


def _after_r(qrs: list[float], r_at: int) -> tuple[float, float]:
    """(S, R') behind R."""
    s_uv = min(qrs[r_at:])
    if s_uv > -MIN_WAVE_UV:
        return 0.0, 0.0
    r2 = max(qrs[qrs.index(s_uv, r_at) :])
    return s_uv, r2 if r2 > MIN_WAVE_UV else 0.0


def _farthest(part: Floats) -> Floats:
    """(n_leads,) the value farthest from the level."""
    found: Floats = part[np.arange(len(part)), np.argmax(np.abs(part), axis=1)]
    return found


def _t_waves(smooth: Floats, limits: Limits, hz: float) -> dict[str, NDArray[Any]]:
    """Size, highest, lowest, whether the lowest comes last, and width at half the height in ms of the T wave."""
    nothing = np.zeros(len(smooth))
    found: dict[str, NDArray[Any]] = dict.fromkeys(("t_uv", "t_high_uv", "t_low_uv", "t_half_ms"), nothing)
    if limits.t_off is None:
        return found | {"t_falls_late": nothing > 0}
    part = smooth[:, limits.qrs_off + round(T_FROM_J_S * hz) : limits.t_off + 1]
    if part.shape[1]:
        found["t_uv"] = _farthest(part)
    part = smooth[:, limits.qrs_off + round(ST_LAST_S * hz) : limits.t_off + 1]
    n = part.shape[1]
    if n < 3:
        return found | {"t_falls_late": nothing > 0}
    lead, high, low = np.arange(len(part)), np.argmax(part, axis=1), np.argmin(part, axis=1)
    found["t_high_uv"], found["t_low_uv"] = part[lead, high], part[lead, low]
    size = np.abs(part)
    top = np.where(size[lead, high] >= size[lead, low], high, low)
    below = size < 0.5 * size[lead, top][:, None]
    at = np.arange(n)
    left = np.where(below & (at < top[:, None]), at, 0).max(axis=1)
    right = np.where(below & (at > top[:, None]), at, n).min(axis=1)
    found["t_half_ms"] = 1000 * (right - left) / hz
    return found | {"t_falls_late": low > high}


def _p_waves(smooth: Floats, limits: Limits, hz: float) -> dict[str, Floats]:
    """Size of P, and (depth in µV, length in ms) of its last part, if that lies below the line through its ends."""
    size, depth, length = np.zeros((3, len(smooth)))
    if limits.p_on is not None and limits.p_off is not None:
        part = smooth[:, limits.p_on : limits.p_off + 1]
        part = part - (part[:, :1] + (part[:, -1:] - part[:, :1]) * ramp(part.shape[1]))
        size = _farthest(part)
        lowest = np.argmin(part, axis=1)
        deep = (part.min(axis=1) <= -MIN_WAVE_UV) & (lowest >= np.argmax(part, axis=1))
        for lead in np.flatnonzero(deep).tolist() if limits.p_off - limits.p_on >= 3 else ():
            above = np.flatnonzero(part[lead, : lowest[lead]] >= 0)
            depth[lead] = part[lead, lowest[lead]]
            length[lead] = 1000 * (part.shape[1] - 1 - (above[-1] if above.size else 0)) / hz
    return {"p_uv": size, "p_low_uv": depth, "p_low_ms": length}
