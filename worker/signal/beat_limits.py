"""Where do P, QRS and T of every single beat begin, culminate and end, lead by lead?

What a beat looks like is taken from the median of the beats that look like it (:mod:`worker.signal.lead_limits`),
which has a third of their noise; where its waves stand is taken from the beat itself: the QRS by its own place, P and T
by how far they have moved, because PR and QT change from beat to beat while the shapes stay.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.beats import Beats, MedianBeat
from worker.signal.delineate import Limits, delineate
from worker.signal.filters import Floats, moving_mean
from worker.signal.lead_limits import P_SMOOTH_S, T_SMOOTH_S, LeadLimits, lead_limits

Ints = NDArray[np.int_]

BEFORE_S: Final = 0.50
AFTER_S: Final = 0.70
ALIGN_S: Final = (0.06, 0.08)
SHIFT_S: Final = 0.024
MOVES_S: Final = {"p": 0.036, "t": 0.048}
"""How far P or T of one beat may stand from where the median beat has it."""
RELUCTANCE: Final = 0.3
"""What a move of that length costs, as a share of a perfect likeness."""
BESIDE_S: Final = 0.02
WIDER_S: Final = 0.03
"""A QRS that is this much broader than the usual one comes from the ventricle, and no P leads to it."""
PEAK_SMOOTH_S: Final = 0.010
R_SHARE: Final = 0.3
"""From this share of a deeper S on, readers call the R the peak of the QRS."""
WAVE_POINTS: Final = ("p_on", "p_peak", "p_off", "qrs_on", "qrs_peak", "qrs_off", "t_peak", "t_off")


@dataclass(frozen=True, eq=False)
class BeatLimits:
    """(n_beats, n_leads) samples of the recording, with fractions; NaN where there is no such wave.

    The peak of P and T is the largest deflection from the line between their limits, whatever its sign; that of the QRS
    is R, or the deepest place where R is small.
    """

    p_on: Floats
    p_peak: Floats
    p_off: Floats
    qrs_on: Floats
    qrs_peak: Floats
    qrs_off: Floats
    t_peak: Floats
    t_off: Floats


@dataclass(frozen=True, eq=False)
class Kind:
    """Beats that look alike.

    Attributes:
        members: (n,) which beats.
        shift: (n,) by how many samples the QRS of each stands behind its R.
        own: (n, n_leads, n_samples) each beat, so that R of ``usual`` stands at the same sample.
        usual: their median.
        limits, leads: of ``usual``, over all leads and lead by lead; None where nothing can be held on to.
    """

    members: Ints
    shift: Ints
    own: Floats
    usual: MedianBeat
    limits: Limits | None
    leads: LeadLimits | None


def delineate_beats(
    signal: Floats, beats: Beats, rows: list[int], hz: float, median: MedianBeat | None, limits: Limits | None
) -> BeatLimits:
    """The limits of all waves.

    Args:
        signal: (n_leads, n_samples) µV, 0.5 Hz and up.
        beats: of this signal.
        rows: the leads that may be believed; the others are delineated with their help.
        hz: the sampling rate, 400 to 800.
        median: the median beat of the dominant kind, where there is one.
        limits: its limits before :func:`~worker.signal.lead_limits.lead_limits` was asked.
    """
    shape = (beats.at.size, signal.shape[0])
    found = {name: np.full(shape, np.nan) for name in WAVE_POINTS}
    usual_width = None if limits is None else limits.qrs_off - limits.qrs_on
    for kind in kinds(signal, beats, rows, hz, median, limits):
        if kind.limits is None or kind.leads is None:
            continue
        wide = usual_width is not None and kind.limits.qrs_off - kind.limits.qrs_on > usual_width + WIDER_S * hz
        for name, values in _placed(kind, rows, beats.at, hz, with_p=not wide).items():
            found[name][kind.members] = values
    return BeatLimits(**found)


def kinds(
    signal: Floats, beats: Beats, rows: list[int], hz: float, median: MedianBeat | None, limits: Limits | None
) -> list[Kind]:
    """The groups of beats that look alike, each with its median and the limits in it."""
    rr_s = float(np.median(np.diff(beats.at))) / hz if beats.at.size > 1 else 1.0
    found = []
    for group in np.unique(beats.group):
        members = np.flatnonzero(beats.group == group)
        if group == 0 and median is not None:
            usual, shift, its = median, _shifts(signal, beats.at[members], median, rows, hz), limits
        else:
            usual, shift = _median_of(signal, beats.at[members], rows, hz)
            its = delineate(usual, rows, hz, rr_s)
        own = _segments(signal, beats.at[members] + shift, usual.r, usual.signal.shape[1] - usual.r)
        leads = lead_limits(usual, rows, its, hz) if its is not None else None
        found.append(Kind(members, shift, own, usual, its, leads))
    return found


def _median_of(signal: Floats, at: Ints, rows: list[int], hz: float) -> tuple[MedianBeat, Ints]:
    """The median of these beats and how each stands to it."""
    before, after = round(BEFORE_S * hz), round(AFTER_S * hz)
    first = np.median(_segments(signal, at, before, after), axis=0)
    shift = _shifts(signal, at, MedianBeat(first, before, len(at), np.ones(len(first))), rows, hz)
    moved = _segments(signal, at + shift, before, after)
    moved = moved - np.median(moved, axis=2, keepdims=True)
    middle = np.median(moved, axis=0)
    noise = np.median(np.abs(moved - middle), axis=(0, 2)) * 1.4826 / np.sqrt(len(at))
    return MedianBeat(middle, before, len(at), noise), shift


def _segments(signal: Floats, at: Ints, before: int, after: int) -> Floats:
    """(n, n_leads, before + after); beyond the recording's ends its last value stands."""
    where = np.clip(at[:, None] + np.arange(-before, after), 0, signal.shape[1] - 1)
    return np.ascontiguousarray(signal[:, where].transpose(1, 0, 2))


def _shifts(signal: Floats, at: Ints, usual: MedianBeat, rows: list[int], hz: float) -> Ints:
    """(n,) by how many samples each beat's QRS comes later than its R says, by its likeness to the usual one."""
    before, after, reach = (round(seconds * hz) for seconds in (*ALIGN_S, SHIFT_S))
    known = usual.signal[rows, usual.r - before : usual.r + after]
    own = _segments(signal[rows], at, before + reach, after + reach)
    return _best_shift(own, known, reach, 0.0)


def _best_shift(own: Floats, known: Floats, reach: int, reluctance: float) -> Ints:
    """(n,) where (n_leads, m) lies best in (n, n_leads, m + 2 reach), from the middle."""
    known = known - known.mean(axis=1, keepdims=True)
    size = float(np.linalg.norm(known)) + 1e-9
    scores = []
    for shift in range(2 * reach + 1):
        part = own[:, :, shift : shift + known.shape[1]]
        part = part - part.mean(axis=2, keepdims=True)
        likeness = (part * known).sum(axis=(1, 2)) / (size * np.sqrt((part**2).sum(axis=(1, 2)) + 1e-9))
        scores.append(likeness - reluctance * ((shift - reach) / max(1, reach)) ** 2)
    return np.asarray(np.argmax(np.array(scores), axis=0) - reach, int)


def _placed(kind: Kind, rows: list[int], at: Ints, hz: float, *, with_p: bool) -> dict[str, Floats]:
    """Limit by name: (n_members, n_leads) samples of the recording."""
    leads, limits = kind.leads, kind.limits
    if leads is None or limits is None:
        return {}
    start = (at[kind.members] + kind.shift - kind.usual.r)[:, None].astype(float)
    peak = _peaks(kind.usual.signal, leads.qrs_on, leads.qrs_off, hz, upwards=True)
    found = {"qrs_on": start + leads.qrs_on, "qrs_off": start + leads.qrs_off, "qrs_peak": start + peak}
    if with_p and leads.p_on is not None and leads.p_off is not None and limits.p_on is not None:
        stands = start + moved(kind, rows, (limits.p_on, limits.p_off or limits.qrs_on), "p", P_SMOOTH_S, hz)
        peak = _peaks(kind.usual.signal, leads.p_on, leads.p_off, hz)
        found |= {"p_on": stands + leads.p_on, "p_off": stands + leads.p_off, "p_peak": stands + peak}
    if leads.t_off is not None and limits.t_peak is not None and limits.t_off is not None:
        stands = start + moved(kind, rows, (limits.t_peak, limits.t_off), "t", T_SMOOTH_S, hz)
        begin = np.minimum(leads.qrs_off + 0.06 * hz, leads.t_off)
        peak = _peaks(kind.usual.signal, begin, leads.t_off, hz)
        found |= {"t_off": stands + leads.t_off, "t_peak": stands + peak}
    return found


def moved(kind: Kind, rows: list[int], where: tuple[int, int], wave: str, smooth_s: float, hz: float) -> Floats:
    """(n_members, 1) samples by which this wave stands later than in the median beat."""
    beside, reach = round(BESIDE_S * hz), round(MOVES_S[wave] * hz)
    n = kind.usual.signal.shape[1]
    first, last = max(reach, where[0] - beside), min(n - reach, where[1] + beside)
    if last - first < 2 * beside:
        return np.zeros((len(kind.members), 1))
    width = max(1, round(smooth_s * hz))
    known = np.diff(moving_mean(kind.usual.signal[rows], width), axis=1)[:, first:last]
    own = np.diff(moving_mean(kind.own[:, rows], width), axis=2)[:, :, first - reach : last + reach]
    if own.shape[2] < known.shape[1] + 2 * reach:
        return np.zeros((len(kind.members), 1))
    return _best_shift(own, known, reach, RELUCTANCE)[:, None].astype(float)


def _peaks(signal: Floats, on: Floats, off: Floats, hz: float, *, upwards: bool = False) -> Floats:
    """(n_leads,) the sample of the largest deflection from the line between both limits; with ``upwards`` that of R,
    if there is one worth the name.
    """
    smooth = moving_mean(signal, max(1, round(PEAK_SMOOTH_S * hz)))
    n, lead = signal.shape[1], np.arange(len(signal))
    first, last = (np.clip(np.round(limit).astype(int), 0, n - 1) for limit in (on, off))
    left, right = smooth[lead, first], smooth[lead, last]
    sample = np.arange(n)
    share = (sample - first[:, None]) / np.maximum(last - first, 1)[:, None]
    level = left[:, None] + (right - left)[:, None] * share
    inside = (sample >= first[:, None]) & (sample <= last[:, None])
    size = np.where(inside, smooth - level, 0.0)
    both: Floats = np.asarray(np.argmax(np.abs(size), axis=1), float)
    if not upwards:
        return both
    tall = size.max(axis=1) >= R_SHARE * np.abs(size).max(axis=1)
    return np.where(tall, np.argmax(size, axis=1), both).astype(float)
