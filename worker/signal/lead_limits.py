"""Where do P, QRS and T of the median beat begin and end in each lead, as people who read that lead would mark them?

A limit is where a slope dies away, and each reader has a share of the steepest slope in mind at which it has. So the
places where the slope falls below several shares are looked up, in the lead itself and over all leads together (a wave
that is flat in this lead shows there), and boosted trees (Friedman 2001, doi:10.1214/aos/1013203451), fitted on the
readers of LUDB (doi:10.1109/ACCESS.2020.3029211) and QTDB (doi:10.1109/CIC.1997.648140), weigh them.

What differs from detectors with one threshold a wave (Martínez 2004, doi:10.1109/TBME.2003.821031): no threshold is
right for a delta wave, a block and a paced beat alike; the trees see what kind it is by how far the places lie apart.
The global limits are the medians over the leads, which one lead that went astray does not move.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.beats import MedianBeat
from worker.signal.delineate import Limits
from worker.signal.filters import Floats, moving_mean
from worker.signal.lead_limits_weights import TREES
from worker.signal.order import median

Ints = NDArray[np.int_]

LIMITS: Final = ("p_on", "p_off", "qrs_on", "qrs_off", "t_off")
QRS_LEVELS: Final = np.array((0.03, 0.06, 0.10, 0.16, 0.25, 0.40))
WAVE_LEVELS: Final = np.array((0.08, 0.16, 0.28, 0.45, 0.65))
"""Shares of the steepest slope."""
QRS_SMOOTH_S, QRS_QUIET_S, QRS_REACH_S, QRS_CORE = 0.006, 0.010, 0.09, 0.5
P_SMOOTH_S, P_REACH_S = 0.020, 0.08
T_SMOOTH_S, T_REACH_S = 0.028, 0.12
WAVE_QUIET_S, WAVE_CORE = 0.012, 0.6
EDGE_S: Final = 0.012
P_EDGE_S: Final = 0.020
LEAST_SLOPE: Final = 1e-6
FARTHEST_MS: Final = 90.0
"""A limit is corrected by no more than this; only the largest errors of the first look were larger."""


NEAR_END_MS: Final = 60.0
"""The trees learned that a T which ends nearer than this to the end of the median beat was seen too late, for so it is
in LUDB's quick hearts; a long QT ends there as well, and lost 50 ms."""


@dataclass(frozen=True, eq=False)
class LeadLimits:
    """(n_leads,) samples of the median beat, with fractions; None where the heart as a whole shows no such wave."""

    qrs_on: Floats
    qrs_off: Floats
    p_on: Floats | None = None
    p_off: Floats | None = None
    t_off: Floats | None = None


def lead_limits(beat: MedianBeat, rows: list[int], limits: Limits, hz: float) -> LeadLimits:
    """The limits in every lead of the median beat. ``rows`` are the leads that may be believed."""
    found = {}
    for name, (first, measures) in describe(beat.signal, rows, limits, hz).items():
        moved = np.clip(TREES[name].log_odds(measures), -FARTHEST_MS, FARTHEST_MS)
        found[name] = np.clip(first + moved * hz / 1000, 0, beat.signal.shape[1] - 1)
    return _in_order(LeadLimits(**found))


def _in_order(found: LeadLimits) -> LeadLimits:
    """P before QRS before T, whatever the trees say of each by itself."""
    off = np.maximum(found.qrs_off, found.qrs_on + 1)
    p_on, p_off, t_off = found.p_on, found.p_off, found.t_off
    if p_on is not None and p_off is not None:
        p_off = np.minimum(p_off, found.qrs_on)
        p_on = np.minimum(p_on, p_off - 1)
    return replace(found, qrs_off=off, p_on=p_on, p_off=p_off, t_off=None if t_off is None else np.maximum(t_off, off))


def over_all_leads(found: LeadLimits, rows: list[int], limits: Limits) -> Limits:
    """The global limits: the median of the leads that may be believed."""
    names = [name for name in LIMITS if getattr(found, name) is not None]
    at = median(np.stack([getattr(found, name) for name in names])[:, rows]).tolist()
    middle = dict(zip(names, map(round, at), strict=True))
    return replace(
        limits,
        qrs_on=middle["qrs_on"],
        qrs_off=middle["qrs_off"],
        p_on=middle.get("p_on"),
        p_off=middle.get("p_off"),
        t_off=middle.get("t_off"),
    )


# ---- what the trees look at


def describe(signal: Floats, rows: list[int], limits: Limits, hz: float) -> dict[str, tuple[int, Floats]]:
    """Limit by name: (where the first look has it, (n_leads, n_measures) ms from there and sizes)."""
    found = _describe_qrs(signal, rows, limits, hz)
    if limits.p_on is not None and limits.p_off is not None:
        found |= _describe_p(signal, rows, limits, hz)
    if limits.t_off is not None and limits.t_peak is not None:
        found["t_off"] = _describe_t(signal, rows, limits, hz)
    return found


def _describe_qrs(signal: Floats, rows: list[int], limits: Limits, hz: float) -> dict[str, tuple[int, Floats]]:
    slope = np.abs(_slope(signal, round(QRS_SMOOTH_S * hz)))
    slope[:, : limits.spike_off or 0] = 0.0
    slope = _and_joint(slope, rows)
    on, off, edge = limits.qrs_on, limits.qrs_off, round(EDGE_S * hz)
    inside = slice(max(0, on - edge), off + edge + 1)
    span = np.ptp(signal[:, inside], axis=1)
    size = np.stack([np.log(span + 1), span / max(1.0, float(np.linalg.norm(span[rows])))], axis=1)
    found = {}
    for name, step, first in (("qrs_on", -1, on), ("qrs_off", 1, off)):
        places = _places(slope, inside, step, QRS_LEVELS, QRS_CORE, round(QRS_REACH_S * hz), round(QRS_QUIET_S * hz))
        beyond = _span(first + step * round(0.02 * hz), first + step * round(0.05 * hz), signal.shape[1])
        rest = _mean(slope, beyond) / _top(slope, inside)
        found[name] = (first, _table(places, first, hz, [rest[:-1], rest[-1], (off - on) * 1000 / hz, *size.T]))
    return found


def _describe_p(signal: Floats, rows: list[int], limits: Limits, hz: float) -> dict[str, tuple[int, Floats]]:
    slope = _and_joint(np.abs(_slope(signal, round(P_SMOOTH_S * hz))), rows)
    on, off = limits.p_on or 0, limits.p_off or 0
    edge, middle, last = round(P_EDGE_S * hz), (on + off) // 2, limits.qrs_on - round(0.004 * hz)
    found = {}
    for name, step, first in (("p_on", -1, on), ("p_off", 1, off)):
        inside = (
            slice(max(0, on - edge), middle + edge + 1)
            if step < 0
            else slice(max(0, middle - edge), max(middle + 1, min(off + edge, last) + 1))
        )
        places = _places(slope, inside, step, WAVE_LEVELS, WAVE_CORE, round(P_REACH_S * hz), round(WAVE_QUIET_S * hz))
        beyond = _span(first + step * round(0.012 * hz), first + step * round(0.042 * hz), signal.shape[1])
        own = slope[:-1]
        top = _top(own, inside)
        ms = ((limits.qrs_on - first) * 1000 / hz, (off - on) * 1000 / hz)
        extra: list[Floats | float] = [_mean(own, beyond) / top, np.log(top + 0.1), *ms]
        found[name] = (first, _table(places, first, hz, extra))
    return found


def _describe_t(signal: Floats, rows: list[int], limits: Limits, hz: float) -> tuple[int, Floats]:
    smooth = moving_mean(signal, round(T_SMOOTH_S * hz))
    signed = _difference(smooth)
    slope = _and_joint(np.abs(signed), rows)
    peak, end = limits.t_peak or 0, limits.t_off or 0
    first = max(peak - round(0.02 * hz), limits.qrs_off + round(0.06 * hz))
    inside = slice(min(first, end), min(end + round(0.03 * hz) + 1, signal.shape[1]))
    places = _places(slope, inside, 1, WAVE_LEVELS, WAVE_CORE, round(T_REACH_S * hz), round(WAVE_QUIET_S * hz))
    slope = slope[:-1]
    steepest = inside.start + np.argmax(slope[:, inside], axis=1)
    lead = np.arange(len(signal))
    fall, level = signed[lead, steepest], smooth[lead, steepest]
    base = _mean(smooth, _span(end, end + round(0.06 * hz), signal.shape[1]))
    tangent = steepest + (base - level) / np.where(np.abs(fall) < 1e-3, 1e-3, fall)
    beyond = _span(end + round(0.02 * hz), end + round(0.08 * hz), signal.shape[1])
    extra = [
        np.clip((tangent - end) * 1000 / hz, -100, 150),
        (steepest - end) * 1000 / hz,
        np.log(np.ptp(smooth[:, inside], axis=1) + 1),
        _mean(slope, beyond) / _top(slope, inside),
        (end - limits.qrs_off) * 1000 / hz,
        (end - peak) * 1000 / hz,
        max(NEAR_END_MS, (signal.shape[1] - end) * 1000 / hz),
    ]
    return end, _table(places, end, hz, extra)


def _table(places: Floats, first: int, hz: float, extra: list[Floats | float]) -> Floats:
    """(n_leads, n_measures): the places in ms from ``first``, those of all leads together repeated, and the rest."""
    n_leads, n_levels = len(places) - 1, places.shape[1]
    table = np.empty((n_leads, 2 * n_levels + len(extra)))
    ms = (places - first) * 1000 / hz
    table[:, :n_levels], table[:, n_levels : 2 * n_levels] = ms[:-1], ms[-1]
    for column, values in enumerate(extra, 2 * n_levels):
        table[:, column] = values
    return table


def _slope(signal: Floats, width: int) -> Floats:
    return _difference(moving_mean(signal, max(1, width)))


def _difference(smooth: Floats) -> Floats:
    slope = np.zeros_like(smooth)
    slope[:, 1:-1] = 0.5 * (smooth[:, 2:] - smooth[:, :-2])
    return slope


def _and_joint(slope: Floats, rows: list[int]) -> Floats:
    """(n_leads + 1, n): last the root of the squared slopes of the leads that may be believed."""
    every = np.sqrt((slope[rows] ** 2).sum(axis=0, keepdims=True))
    return np.concatenate([slope, every])


def _top(slope: Floats, inside: slice) -> Floats:
    top: Floats = np.maximum(slope[:, inside].max(axis=1), LEAST_SLOPE)
    return top


def _span(one: int, other: int, n: int) -> slice:
    """From the smaller to the larger, inside the beat, at least one sample."""
    first = min(max(min(one, other), 0), n - 1)
    return slice(first, max(first + 1, min(max(one, other), n)))


def _mean(values: Floats, part: slice) -> Floats:
    mean: Floats = values[:, part].mean(axis=1)
    return mean


def _places(slope: Floats, inside: slice, step: int, levels: Floats, core: float, reach: int, quiet: int) -> Floats:
    """(n_leads, n_levels) samples where the slope has come to rest below each share of its greatest inside."""
    top = _top(slope, inside)
    high = slope[:, inside] >= core * top[:, None]
    n_inside = high.shape[1]
    outermost = np.argmax(high, axis=1) if step < 0 else n_inside - 1 - np.argmax(high[:, ::-1], axis=1)
    start = inside.start + outermost
    where = np.clip(start[:, None] + step * np.arange(reach + quiet - 1), 0, slope.shape[1] - 1)
    calm = calm_from(np.take_along_axis(slope, where, axis=1), levels * top[:, None], quiet)
    places: Floats = (start[:, None] + step * calm).astype(float)
    return places


def calm_from(path: Floats, thresholds: Floats, quiet: int) -> Ints:
    """(n, n_levels) samples until the first ``quiet`` ones in a row of (n, n_path) lie below each threshold; the
    number of places that can be looked at where that never comes.

    >>> calm_from(np.array([[9.0, 3, 1, 4, 1, 1, 1]]), np.array([[2.0, 5.0, 0.5]]), 2).tolist()
    [[4, 1, 6]]
    """
    n_places = path.shape[1] - quiet + 1
    highest = path[:, :n_places]
    for later in range(1, quiet):
        highest = np.maximum(highest, path[:, later : later + n_places])
    calm = highest[:, None, :] < thresholds[:, :, None]
    return np.asarray(np.where(calm.any(axis=2), np.argmax(calm, axis=2), n_places), int)
