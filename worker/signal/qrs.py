"""Where are the heart's ventricular beats, in one lead or in all at once?

After Pan and Tompkins, doi:10.1109/TBME.1985.325532: band-pass, slope, energy. What differs: zero-phase filters; all
usable leads enter, each in units of its own usual QRS slope, so that one noisy lead cannot hide the beats of the
others; every energy maximum is a candidate, weighed by its size, its likeness to the other beats and what stands
beside it (:mod:`worker.signal.qrs_weights`); and the beats are the sequence of candidates that is the most plausible
as a whole, found by dynamic programming: a T wave or a P wave costs two short intervals, a lost beat a long one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.filters import Floats, Spectrum, moving_mean
from worker.signal.order import around, median, quantile
from worker.signal.qrs_agreement import LEADS, weigh_agreement
from worker.signal.qrs_noise import MAX_LEADS, shares_of_trees, weigh_in_noise
from worker.signal.qrs_weights import FLOOR_COLUMN, Candidates, measures, weigh

BAND_HZ: Final = (7.0, 26.0)
"""Where QRS energy stands out most from P, T and baseline (Thakor 1984, doi:10.1109/TBME.1984.325393)."""
BROAD_HZ: Final = (1.0, 30.0)
WINDOW_S: Final = 0.09
CANDIDATES_APART_S: Final = 0.17
CANDIDATE_ENERGY: Final = 0.012
THRESHOLD: Final = 0.30
T_WAVE_S: Final = 0.36
T_WAVE_SHARE: Final = 0.45
"""The first guess, which only serves to know what a beat of this recording looks like."""
LEVEL_WINDOW_S: Final = 1.5
CALM: Final = 0.003
"""Mean square between the beats in units of the usual peak: half the weight of a lead without any noise."""
THIN_S: Final = 0.03
CALM_WINDOW_S: Final = 2.0
EDGE_S: Final = 0.075
"""Nearer than this to the recording's end a QRS is cut, and where its peak would have been is not known."""
MIN_SLOPE_UV_S: Final = 1500.0
"""A QRS of 0.05 mV in every lead still slopes more than this in the band; less is noise on a flat line."""
PASSES: Final = 2
LEAST_SHARE: Final = 0.02
"""Of the trees for noise; below, they are not asked."""

BROAD_ENERGY: Final = -2.2
BROAD_SIZE: Final = -0.5
BROAD_CLEAR: Final = 1.8
BROAD_APART_S: Final = (0.40, 0.25)
"""A broad, smooth beat slopes little and looks like no other: what is nearly as large as a beat, stands far above its
floor and has no beat within 0.40 s before it (as a T wave has) or 0.25 s after it is one. Logs of the measures of size.
In 222 real 12-lead ECGs nothing is found so."""
BROAD_LEADS: Final = 3
"""In one or two leads a moved electrode draws the same: at 12 dB of NSTDB's motion +P would fall from 99.0 to 98.5 %,
and MIT-BIH DS1 would gain 3 beats for 2 that are none."""

REFRACTORY_S: Final = 0.18
"""The shortest RR that is believed, 330/min."""
SHORT_S: Final = 0.33
SHORT_COST: Final = 2.5
LONG_RR: Final = 1.35
LONG_COST: Final = 3.0
LONGEST_RR: Final = 3.0
REGULAR_WITHIN: Final = 0.15
REGULAR_GAIN: Final = 2.5
"""What a beat in time earns in an even rhythm: what breaks into it must look like a beat. Within 0.25 and a gain of 1.5
left six more errors in one lead of DS1 and five more in two, with the trees and the leads' agreement left out."""
WORTH: Final = 6.0
"""A candidate's log odds are held at ± this, so that no single one buys an impossible rhythm."""
LOCAL_BEATS: Final = 15
USUAL_RR_S: Final = (0.3, 1.6)
LOOK_BACK: Final = 12

CHUNK_S: Final = 60.0
OVERLAP_S: Final = 5.0
"""Long recordings are read minute by minute, so that what is usual follows the recording."""


@dataclass(frozen=True, eq=False)
class Detection:
    """Beats and the curve that they were found on.

    Attributes:
        beats: sample numbers of the energy maxima, increasing.
        energy: (n_samples,) slope energy in units of the usual QRS; about 1 at a QRS.
    """

    beats: list[int]
    energy: Floats


def find_beats(signal: Floats, hz: float) -> NDArray[np.int_]:
    """(n_beats,) samples of the QRS complexes of (n_leads, n_samples) µV of any length.

    >>> seconds = np.arange(0, 8, 1 / 250)
    >>> spikes = 900 * np.exp(-(((seconds % 0.8 - 0.4) / 0.012) ** 2))
    >>> np.round(find_beats(spikes[None], 250) / 250, 2)[:4].tolist()
    [0.4, 1.2, 2.0, 2.8]
    """
    n, step, margin = signal.shape[1], round(CHUNK_S * hz), round(OVERLAP_S * hz)
    found: list[int] = []
    for start in range(0, n, step):
        first, last = max(0, min(start, n - 2 * margin) - margin), min(n, start + step + margin)
        part = detect(Spectrum(signal[:, first:last], hz), list(range(signal.shape[0])))
        found += [first + at for at in part.beats if start <= first + at < start + step]
    return np.array(found, int)


def detect(spectrum: Spectrum, usable: list[int]) -> Detection:
    """Find the beats in the leads ``usable`` (row numbers)."""
    candidates, energy = candidates_of(spectrum, usable)
    if candidates is None:
        return Detection([], energy)
    beats, found = by_looks(candidates, energy)
    at = np.array(beats, int)
    if found is not None and at.size > 1 and _is_asked_again(candidates, at, found):
        # once, and last: the trees and the leads look at the beats around, and would agree with their own mistakes
        beats = best_sequence(candidates.at, likely(candidates, at, measures(candidates, at)), spectrum.hz)
    if found is not None and len(candidates.units) >= BROAD_LEADS:
        beats = sorted([*beats, *_broad_beats(candidates.at, found, beats, spectrum.hz)])
    return Detection(beats, energy)


def by_looks(candidates: Candidates, energy: Floats) -> tuple[list[int], Floats | None]:
    """(the beats by the regression alone, the measures of all candidates beside the last beats but one)."""
    beats, found = _first_guess(energy, candidates.at.tolist(), candidates.hz), None
    for _ in range(PASSES):
        if len(beats) < 2:
            break
        found = measures(candidates, np.array(beats, int))
        before, beats = beats, best_sequence(candidates.at, weigh(found), candidates.hz)
        if beats == before:
            break
    return beats, found


def likely(candidates: Candidates, beats: NDArray[np.int_], found: Floats) -> Floats:
    """(n,) log odds of each candidate being a beat, given beats that are believed and the measures beside them."""
    worth, shares = weigh(found), _shares_of_trees(candidates, beats, found)
    if max(shares) < LEAST_SHARE:
        return worth + weigh_agreement(candidates, beats)
    return weigh_in_noise(candidates, beats, found, worth, shares)


def _is_asked_again(candidates: Candidates, beats: NDArray[np.int_], found: Floats) -> bool:
    return len(candidates.units) == LEADS or max(_shares_of_trees(candidates, beats, found)) >= LEAST_SHARE


def _shares_of_trees(candidates: Candidates, beats: NDArray[np.int_], found: Floats) -> tuple[float, float]:
    if len(candidates.units) > MAX_LEADS:
        return 0.0, 0.0
    return shares_of_trees(found[:, FLOOR_COLUMN], beats / candidates.hz)


def candidates_of(spectrum: Spectrum, usable: list[int]) -> tuple[Candidates | None, Floats]:
    """(what may be beats, the energy curve); None where the leads are flat."""
    hz, frequencies = spectrum.hz, spectrum.frequencies
    nothing = np.zeros(spectrum.n_samples)
    if not usable:
        return None, nothing
    slope = spectrum.band(spectrum.passing(*BAND_HZ) * (2j * np.pi * frequencies), usable)
    level = usual_peak(np.abs(slope), hz)
    strong = level >= MIN_SLOPE_UV_S
    if not strong.any():
        return None, nothing
    units = slope[strong] / level[strong, None]
    weights = _clear_leads(units, hz)
    energy = np.sqrt(moving_mean(np.mean((units * weights) ** 2, axis=0), round(WINDOW_S * hz)))
    energy = energy / float(usual_peak(energy[None], hz)[0])
    at = np.array(_peaks(energy, round(CANDIDATES_APART_S * hz)), int)
    edge = round(EDGE_S * hz)
    at = at[(energy[at] > CANDIDATE_ENERGY) & (at >= edge) & (at < spectrum.n_samples - edge)]
    if at.size == 0:
        return None, energy
    rows = [row for row, kept in zip(usable, strong.tolist(), strict=True) if kept]
    broad = spectrum.between(*BROAD_HZ, rows)
    broad = broad / np.maximum(usual_peak(np.abs(broad), hz), 1e-3)[:, None]
    return Candidates(at, energy, units, broad, weights, hz), energy


def usual_peak(curve: Floats, hz: float) -> Floats:
    """(n_leads,) median of the maxima of stretches that each hold a beat at any but the slowest rate."""
    width = round(LEVEL_WINDOW_S * hz)
    n = curve.shape[1]
    if n < 2 * width:
        return np.asarray(curve.max(axis=1))
    whole = n // width
    maxima = curve[:, : whole * width].reshape(curve.shape[0], whole, width).max(axis=2)
    # the upper part: in bradycardia and pauses some stretches hold no beat
    return quantile(maxima, 0.6)


def _clear_leads(units: Floats, hz: float) -> Floats:
    """(n_leads, n_samples) weights, their mean square 1 at each sample: a lead counts for more while it is calm between
    the beats, so that a second of tremor in one lead is read in the others."""
    n_leads, n = units.shape
    if n_leads == 1:
        return np.ones((1, n))
    step = max(1, round(THIN_S * hz))
    thin = moving_mean(units**2, round(WINDOW_S * hz), step)
    width = min(round(CALM_WINDOW_S * hz / step), thin.shape[1])
    hop = max(1, width // 8)
    windows = np.lib.stride_tricks.sliding_window_view(thin, width, axis=1)[:, ::hop]
    between = median(windows, axis=2)  # most of the time is between the beats
    weights = 1 / (between + CALM)
    weights = weights / np.sqrt(np.mean(weights**2, axis=0))
    return _between(weights, round(width * step / 2), hop * step, n)


def _between(values: Floats, first: int, apart: int, n: int) -> Floats:
    """(n_leads, n) on straight lines through the values at ``first``, ``first + apart``, …; the ends go on level.

    >>> _between(np.array([[1.0, 3.0]]), 1, 2, 5).tolist()
    [[1.0, 1.0, 2.0, 3.0, 3.0]]
    """
    found = np.empty((len(values), n))
    last = first + (values.shape[1] - 1) * apart
    found[:, :first], found[:, last:] = values[:, :1], values[:, -1:]
    lines = values[:, :-1, None] + np.diff(values, axis=1)[:, :, None] * (np.arange(apart) / apart)
    found[:, first:last] = lines.reshape(len(values), -1)
    return found


def _peaks(curve: Floats, apart: int) -> list[int]:
    """Local maxima, the larger winning where two stand closer than ``apart``."""
    inner = curve[1:-1]
    found = 1 + np.flatnonzero((inner > curve[:-2]) & (inner >= curve[2:]))
    order = found[np.argsort(curve[found])[::-1]]
    taken = np.zeros(len(curve), bool)
    kept: list[int] = []
    for at in order.tolist():
        if not taken[at]:
            kept.append(at)
            taken[max(0, at - apart) : at + apart + 1] = True
    return sorted(kept)


def _first_guess(energy: Floats, candidates: list[int], hz: float) -> list[int]:
    """Candidates above a threshold that are not the T wave of the one before."""
    beats: list[int] = []
    for at in candidates:
        if energy[at] < THRESHOLD:
            continue
        if beats and at - beats[-1] < T_WAVE_S * hz and energy[at] < T_WAVE_SHARE * energy[beats[-1]]:
            continue
        beats.append(at)
    return beats


def best_sequence(at: NDArray[np.int_], worth: Floats, hz: float) -> list[int]:
    """The candidates that together are the most plausible rhythm (Viterbi).

    Args:
        at: (n,) samples of the candidates, increasing.
        worth: (n,) log odds of each being a beat, from its looks alone.
        hz: the rate of ``at``.
    """
    seconds = at / hz
    usual, gain = _local_rhythm(seconds, seconds[worth > 0])
    own = np.clip(worth, -WORTH, WORTH).tolist()
    t = seconds.tolist()
    best: list[float] = []
    before: list[int] = []
    for i, now in enumerate(t):
        score, chosen = (0.0, -1) if i < LOOK_BACK else (-np.inf, -1)
        rhythm, pays, longest = usual[i], gain[i], LONGEST_RR * usual[i]
        for j in range(i - 1, -1, -1):
            rr = now - t[j]
            if rr > longest and j < i - LOOK_BACK:
                break
            # no interval pays more than a regular one: most need not be asked what they cost
            if best[j] + pays > score and rr >= REFRACTORY_S:
                # what the interval costs, here and not in a function of its own: it is asked fifty times a second
                cost = SHORT_COST * ((SHORT_S - rr) / 0.1) ** 2 if rr < SHORT_S else 0.0
                ratio = rr / rhythm
                if ratio > LONG_RR:
                    cost += LONG_COST * (min(ratio, LONGEST_RR) - LONG_RR)
                if abs(ratio - 1) < REGULAR_WITHIN:  # a regular one in a regular rhythm pays
                    cost -= pays * (1 - ((ratio - 1) / REGULAR_WITHIN) ** 2)
                value = best[j] - cost
                if value > score:
                    score, chosen = value, j
        best.append(score + own[i])
        before.append(chosen)
    tail = range(max(0, len(t) - LOOK_BACK), len(t))
    i = max(tail, key=best.__getitem__)
    kept: list[int] = []
    while i >= 0:
        if own[i] > 0 or kept or before[i] >= 0:
            kept.append(int(at[i]))
        i = before[i]
    return kept[::-1]


def _broad_beats(at: NDArray[np.int_], found: Floats, beats: list[int], hz: float) -> list[int]:
    """The candidates that are beats by size and place although they look like none; the stronger before the weaker."""
    energy, size, floor = found[:, 0], found[:, 1], found[:, FLOOR_COLUMN]
    large = np.flatnonzero((energy > BROAD_ENERGY) & (size > BROAD_SIZE) & (energy - floor > BROAD_CLEAR))
    after, before = (round(seconds * hz) for seconds in BROAD_APART_S)
    taken = list(beats)
    for number in large[np.argsort(-energy[large])].tolist():
        place = int(at[number])
        if not any(-before < place - beat < after for beat in taken):
            taken.append(place)
    return taken[len(beats) :]


def _local_rhythm(seconds: Floats, sure: Floats) -> tuple[list[float], list[float]]:
    """(usual RR, what regularity pays) at each candidate."""
    if sure.size < 4:
        return [0.8] * seconds.size, [0.0] * seconds.size
    rr = np.diff(sure)
    windows = around(rr, LOCAL_BEATS)
    local = median(windows, axis=1)
    regular = np.mean(np.abs(windows / local[:, None] - 1) < REGULAR_WITHIN / 2, axis=1)
    usual = np.clip(np.interp(seconds, sure[1:], local), *USUAL_RR_S)
    return usual.tolist(), (REGULAR_GAIN * np.interp(seconds, sure[1:], regular)).tolist()
