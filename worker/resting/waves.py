"""How large and how long is each wave in each lead of the median beat?

Amplitudes stand against the PR level just before the QRS, ST at J as the Fourth Universal Definition takes it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from worker.signal.beats import MedianBeat
from worker.signal.delineate import Limits
from worker.signal.filters import Floats, moving_mean

LEVEL_S: Final = (0.020, 0.004)
MIN_WAVE_UV: Final = 20.0
"""IEC 60601-2-25: a deflection counts from 20 µV on."""
MIN_WAVE_S: Final = 0.006
FOOT: Final = 0.15
"""A small wave begins at this share of its size, a larger one at 20 µV."""
J_S: Final = 0.010
"""The level at J is the mean of this time behind it: one sample is noise."""
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
    level: Floats = np.median(beat.signal[:, max(0, first) : max(1, last)], axis=1, keepdims=True)
    return level


def measure_leads(leads: tuple[str, ...], beat: MedianBeat, limits: Limits, hz: float) -> dict[str, LeadWaves]:
    """The waves of every lead."""
    signal = beat.signal - level_of(beat, limits, hz)
    smooth = moving_mean(signal, max(1, round(0.02 * hz)))
    return {lead: _lead(signal[row], smooth[row], limits, hz) for row, lead in enumerate(leads)}


def _lead(signal: Floats, smooth: Floats, limits: Limits, hz: float) -> LeadWaves:
    on, off = limits.qrs_on, limits.qrs_off
    qrs = signal[on : off + 1]
    q_uv, q_ms = _q_wave(qrs, hz)
    r_at = int(np.argmax(qrs))
    r_uv = float(qrs[r_at]) if qrs[r_at] >= MIN_WAVE_UV else 0.0
    s_uv, r2_uv = _after_r(qrs, r_at)
    first_r_at, first_r = _first_r(qrs, hz)
    if first_r and first_r < r_uv and first_r_at < r_at:  # the larger one is R', the first one is R
        r2_uv, r_uv, s_uv = r_uv, first_r, float(min(qrs[first_r_at : r_at + 1].min(), 0.0))
        r_at = first_r_at
    st20, st40, later, last = (float(smooth[min(len(signal) - 1, off + round(at * hz))]) for at in ST_AT_S)
    p_low, p_low_ms = _p_terminal(smooth, limits, hz)
    t_high, t_low, falls_late, half_ms = _t_shape(smooth, limits, hz)
    terminal = qrs[-max(2, round(TERMINAL_S * hz)) :]
    start = qrs[: max(2, round(0.03 * hz))]
    return LeadWaves(
        q_uv=q_uv,
        q_ms=q_ms,
        r_uv=r_uv,
        r_ms=_duration_ms(qrs, r_at, hz) if r_uv else 0.0,
        s_uv=s_uv,
        s_ms=_duration_ms(qrs, r_at + int(np.argmin(qrs[r_at:])), hz) if s_uv else 0.0,
        r2_uv=r2_uv,
        r_peak_ms=1000 * r_at / hz,
        net_uv=float(max(qrs.max(), 0) + min(qrs.min(), 0)),
        area_uvs=float(qrs.sum() / hz),
        start_uv=float(start.mean()),
        terminal_uv=float(terminal.mean()),
        st_j_uv=_j_level(signal, off, hz),
        st20_uv=st20,
        st40_uv=st40,
        st60_uv=later,
        st80_uv=last,
        t_uv=_t_amplitude(smooth, limits, hz),
        t_high_uv=t_high,
        t_low_uv=t_low,
        t_falls_late=falls_late,
        t_half_ms=half_ms,
        p_uv=_p_amplitude(smooth, limits),
        p_low_uv=p_low,
        p_low_ms=p_low_ms,
        span_uv=float(np.ptp(qrs)),
    )


def _j_level(signal: Floats, off: int, hz: float) -> float:
    return float(np.mean(signal[off : off + max(1, round(J_S * hz))]))


def _q_wave(qrs: Floats, hz: float) -> tuple[float, float]:
    """(amplitude, duration in ms) of a first downward deflection; a QS is a Q over the whole QRS."""
    down = qrs < -MIN_WAVE_UV
    up = np.flatnonzero(qrs > MIN_WAVE_UV)
    first_up = int(up[0]) if up.size else len(qrs)
    if not down[:first_up].any():
        return 0.0, 0.0
    lowest = int(np.argmin(qrs[:first_up]))
    return float(qrs[lowest]), _duration_ms(qrs, lowest, hz)


def _duration_ms(qrs: Floats, peak: int, hz: float) -> float:
    """How long the deflection around ``peak`` lasts.

    >>> _duration_ms(np.array([0.0, 0, -50, -100, -50, 0, 100, 0]), 3, 500.0)
    7.4
    """
    sign = 1.0 if qrs[peak] > 0 else -1.0
    return round(1000 * float(_foot(sign * qrs[peak::-1]) + _foot(sign * qrs[peak:])) / hz, 3)


def _foot(outwards: Floats) -> float:
    """Samples from the peak to where the other side of the level begins, else to where the trace is calm."""
    foot = min(MIN_WAVE_UV, FOOT * float(outwards[0]))
    calm = np.flatnonzero(outwards < foot)
    if not calm.size:
        return float(len(outwards) - 1)
    at = int(calm[0])
    level = foot
    crossed = np.flatnonzero(outwards[at : at + 2] < -foot)
    if crossed.size:  # another wave begins where this one ends: the level itself lies between them
        at, level = at + int(np.argmax(outwards[at : at + 2] < 0)), 0.0
    return float(at - (level - outwards[at]) / max(float(outwards[at - 1] - outwards[at]), 1e-9))


def _first_r(qrs: Floats, hz: float) -> tuple[int, float]:
    """(place, size) of the first upward deflection of its own; what is shorter than 6 ms is noise."""
    edges = np.diff(np.concatenate([[0], (qrs > MIN_WAVE_UV).astype(np.int8), [0]]))
    for begin, end in zip(np.flatnonzero(edges > 0).tolist(), np.flatnonzero(edges < 0).tolist(), strict=True):
        if end - begin >= MIN_WAVE_S * hz:
            at = begin + int(np.argmax(qrs[begin:end]))
            return at, float(qrs[at])
    return 0, 0.0


def _after_r(qrs: Floats, r_at: int) -> tuple[float, float]:
    """(S, R') behind R."""
    behind = qrs[r_at:]
    low = int(np.argmin(behind))
    s_uv = float(behind[low])
    if s_uv > -MIN_WAVE_UV:
        return 0.0, 0.0
    r2 = float(behind[low:].max())
    return s_uv, r2 if r2 > MIN_WAVE_UV else 0.0


def _t_amplitude(smooth: Floats, limits: Limits, hz: float) -> float:
    if limits.t_off is None:
        return 0.0
    part = smooth[limits.qrs_off + round(0.06 * hz) : limits.t_off + 1]
    return float(part[int(np.argmax(np.abs(part)))]) if part.size else 0.0


def _t_shape(smooth: Floats, limits: Limits, hz: float) -> tuple[float, float, bool, float]:
    """(highest, lowest, whether the lowest comes last, width at half the height in ms) of the T wave."""
    if limits.t_off is None:
        return 0.0, 0.0, False, 0.0
    part = smooth[limits.qrs_off + round(ST_LAST_S * hz) : limits.t_off + 1]
    if part.size < 3:
        return 0.0, 0.0, False, 0.0
    high, low = int(np.argmax(part)), int(np.argmin(part))
    top = high if abs(part[high]) >= abs(part[low]) else low
    above = np.abs(part) >= 0.5 * abs(part[top])
    left = top - int(np.argmin(above[top::-1])) if not above[: top + 1].all() else 0
    right = top + int(np.argmin(above[top:])) if not above[top:].all() else len(part)
    return float(part[high]), float(part[low]), low > high, 1000 * (right - left) / hz


def _p_amplitude(smooth: Floats, limits: Limits) -> float:
    if limits.p_on is None or limits.p_off is None:
        return 0.0
    part = smooth[limits.p_on : limits.p_off + 1]
    part = part - (part[0] + (part[-1] - part[0]) * np.linspace(0, 1, len(part)))
    return float(part[int(np.argmax(np.abs(part)))]) if part.size else 0.0


def _p_terminal(smooth: Floats, limits: Limits, hz: float) -> tuple[float, float]:
    """(depth in µV, length in ms) of the last part of P, if that lies below the line from its onset to its end."""
    if limits.p_on is None or limits.p_off is None or limits.p_off - limits.p_on < 3:
        return 0.0, 0.0
    part = smooth[limits.p_on : limits.p_off + 1]
    part = part - (part[0] + (part[-1] - part[0]) * np.linspace(0, 1, len(part)))
    lowest = int(np.argmin(part))
    if part[lowest] > -MIN_WAVE_UV or lowest < int(np.argmax(part)):
        return 0.0, 0.0
    above = np.flatnonzero(part[:lowest] >= 0)
    begin = int(above[-1]) if above.size else 0
    return float(part[lowest]), 1000 * (len(part) - 1 - begin) / hz
