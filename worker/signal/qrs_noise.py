"""How likely is each candidate a beat where the trace is never calm?

In electrode motion and tremor every beat is surrounded by its likes, and the regression that reads calm traces
(:mod:`worker.signal.qrs_weights`) believes too much. There boosted trees take over, which also look at how short the
burst of energy is, at the largest one within a second and a half, at how restless that time is, at how many single
beats it is like, at its pitch and at its place between the beats. They are for a lead that stands alone: several leads
outvote the noise of one, and with both leads of MIT-BIH the trees missed more.

There are two kinds. The trees for heavy noise know electrode motion from 18 to −6 dB. Those for slight noise know it
from 18 to 6 dB and are asked where a trace is a little restless and its rhythm even: they believe no lone small burst,
and where beats of many forms come at any time, as in fibrillation, most of those are beats.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.filters import Floats, moving_mean
from worker.signal.order import median, quantile
from worker.signal.qrs_noise_weights import TREES
from worker.signal.qrs_slight_noise_weights import TREES as SLIGHT_TREES
from worker.signal.qrs_weights import LOOKS_HZ, Candidates, nearest

MAX_LEADS: Final = 1
NOISY_FLOOR: Final = -2.7
NOISY_WIDTH: Final = 0.2
"""The median log floor, in units of the usual beat, at which the trees have half the say, and how fast they gain it:
the calm records of MIT-BIH's DS1 lie at −4.8 to −3, with electrode motion of 9 dB at −2.9, of 0 dB at −2."""
SLIGHT_FLOOR: Final = -3.5
EVEN, EVEN_WIDTH = 0.03, 0.006
"""The same of the trees for slight noise, and how uneven a rhythm may be, by :func:`unevenness`: with the trees left
out by fifths of DS1 they cost one beat of it, from 0.05 on 18, all in 203 (fibrillation with beats of many forms,
0.11). By AFDB's annotations nine in ten minutes of fibrillation lie at 0.02 to 0.06, the others at 0 to 0.01; DS1 with
its extrasystoles at 0.01 to 0.04."""
LIKE_PAIRS: Final = 15
LEAST_PAIRS: Final = 3
LIKE_SHARE: Final = 0.3
"""The most alike third: false beats in noise do not make a rhythm uneven."""
SURE: Final = 0.5
"""Log odds more than the trees give: a lost beat costs more than a false one."""
SHORT_S, LONG_S = 0.05, 0.24
AROUND_S, OWN_S = 1.5, 0.15
BEAT_S: Final = (0.12, 0.20)
BEAT_SHIFT_S: Final = 0.04
SAME_FORM_S: Final = 15.0
STEEP_S, SLOW_S, MIDDLE_HZ = 0.10, 0.16, 15.0
APART_S, NO_BEAT_S, USUAL_RR_S = 0.12, 3.0, 0.8


def shares_of_trees(floor: Floats, beats_s: Floats) -> tuple[float, float]:
    """(of the trees for slight noise, of those for heavy noise): 0 in a calm trace, 1 in a restless one, of the (n,)
    log floors of its candidates and the seconds of the beats that are believed.

    >>> even, uneven = np.arange(20.0), np.cumsum(np.random.default_rng(0).uniform(0.4, 1.4, 60))
    >>> [round(share, 2) for share in shares_of_trees(np.array([-4.0, -3.2, -2.9]), even)]
    [0.81, 0.08]
    >>> [round(share, 2) for share in shares_of_trees(np.array([-2.0]), uneven)]
    [0.0, 0.97]
    """
    middle = float(np.median(floor))
    even = _rise(EVEN - unevenness(beats_s), EVEN_WIDTH)
    return even * _rise(middle - SLIGHT_FLOOR, NOISY_WIDTH), _rise(middle - NOISY_FLOOR, NOISY_WIDTH)


def _rise(value: float, width: float) -> float:
    return float(1 / (1 + np.exp(-value / width)))


def unevenness(beats_s: Floats) -> float:
    """By how much, as a share, two intervals in a row differ from the two most like them among those around; a lower
    third of all. A rhythm with extrasystoles and their pauses repeats its pairs, fibrillation does not. 1 of too few.

    >>> round(unevenness(np.cumsum([0.8, 0.8, 0.5, 1.1] * 9)), 3)
    0.0
    >>> round(unevenness(np.cumsum(np.random.default_rng(0).uniform(0.4, 1.4, 60))), 2)
    0.07
    """
    log_rr = np.log(np.maximum(np.diff(beats_s), 1e-3))
    pairs = log_rr.size - 1
    if pairs < LEAST_PAIRS:
        return 1.0
    apart = np.abs(log_rr[:, None] - log_rr)
    apart = np.maximum(apart[:-1, :-1], apart[1:, 1:])
    away = np.abs(np.arange(pairs)[:, None] - np.arange(pairs))
    apart[(away == 0) | (away > LIKE_PAIRS)] = np.inf
    return float(quantile(apart.min(axis=1), LIKE_SHARE))


def weigh_in_noise(
    candidates: Candidates, beats: NDArray[np.int_], found: Floats, worth: Floats, shares: tuple[float, float]
) -> Floats:
    """(n,) log odds of each candidate being a beat.

    Args:
        candidates: of a lead that stands alone.
        beats: the samples of those that are believed.
        found: (n, 9) the measures of each candidate.
        worth: (n,) their log odds by the regression.
        shares: the say of the trees for slight and for heavy noise.
    """
    seen = noise_measures(candidates, beats, found)
    for trees, share in zip((SLIGHT_TREES, TREES), shares, strict=True):
        worth = worth + share * (trees.log_odds(seen) + SURE - worth)
    return worth


def noise_measures(candidates: Candidates, beats: NDArray[np.int_], found: Floats) -> Floats:
    """(n, 24): the nine measures; three of the burst, see :func:`_burst`; the likeness to single beats, see
    :func:`_likeness_to_beats`; four of its pitch and five of its place between the beats that are believed."""
    parts = [
        found,
        _burst(candidates, beats),
        _likeness_to_beats(candidates, beats),
        _pitch(candidates, beats),
        _place(candidates.at / candidates.hz, beats / candidates.hz),
    ]
    return np.concatenate(parts, axis=1)


def _burst(candidates: Candidates, beats: NDArray[np.int_]) -> Floats:
    """(n, 3) logs of how short the burst is, of its energy over the largest within 1.5 s, and of the mean energy of
    that time without its own, over that of the beats around."""
    at, energy, hz = candidates.at, candidates.energy, candidates.hz
    power = _power(candidates, candidates.units)
    short, long = (moving_mean(power, round(seconds * hz))[at] for seconds in (SHORT_S, LONG_S))
    around, apart, own = round(AROUND_S * hz), round(OWN_S * hz), energy[at]
    first, last = np.searchsorted(at, at - around), np.searchsorted(at, at + around, "right")
    largest = np.array([own[a:b].max() for a, b in zip(first.tolist(), last.tolist(), strict=True)])
    usual = median(energy[beats][nearest(at, beats)], axis=1)
    outer, outer_n = _sum_around(energy, at, around)
    inner, inner_n = _sum_around(energy, at, apart)
    rest = (outer - inner) / np.maximum(outer_n - inner_n, 1)
    shortness = np.log(np.maximum(short, 1e-9) / np.maximum(long, 1e-9))
    restless = np.log(np.maximum(rest, 1e-3) / np.maximum(usual, 1e-3))
    return np.stack([shortness, np.log(own / largest), restless], axis=1)


def _power(candidates: Candidates, signal: Floats) -> Floats:
    """(n_samples,) the mean over the leads, each by its weight."""
    return np.asarray(((signal * candidates.weights) ** 2).mean(axis=0))


def _likeness_to_beats(candidates: Candidates, beats: NDArray[np.int_]) -> Floats:
    """(n, 3) the largest, second and fourth largest correlation with a single believed beat within 15 s but itself:
    noise is like the median beat by chance, it is not like many beats. −1 where there are not so many."""
    at, hz = candidates.at, candidates.hz
    step = max(1, int(hz // LOOKS_HZ))
    signal, low_hz = candidates.broad[:, ::step], hz / step
    own = np.arange(-round(BEAT_S[0] * low_hz), round(BEAT_S[1] * low_hz))
    reach = round(BEAT_SHIFT_S * low_hz)

    def windows(places: NDArray[np.int_], shift: int) -> Floats:
        """(n, n_leads · width), each lead without its mean and by its weight, of length 1 together."""
        low = np.clip(places[:, None] // step + shift + own, 0, signal.shape[1] - 1)
        part = signal[:, low]
        part = (part - part.mean(axis=2, keepdims=True)) * candidates.weights[:, places][:, :, None]
        flat = part.transpose(1, 0, 2).reshape(len(places), -1)
        return np.asarray(flat / (np.sqrt((flat**2).sum(axis=1)) + 1e-9)[:, None])

    known = windows(beats, 0).T
    best = np.max([windows(at, shift) @ known for shift in range(-reach, reach + 1)], axis=0)
    apart = np.abs(beats - at[:, None])
    best[(apart < OWN_S * hz) | (apart > SAME_FORM_S * hz)] = -1.0
    ranked = np.pad(np.sort(best, axis=1), ((0, 0), (4, 0)), constant_values=-1.0)
    return np.asarray(ranked[:, [-1, -2, -4]])


def _pitch(candidates: Candidates, beats: NDArray[np.int_]) -> Floats:
    """(n, 4) logs of the power of its slope's slope, and of the trace itself, over that of its slope: steeper or slower
    than a QRS; each as it is and over that of the beats around."""
    at, hz = candidates.at, candidates.hz
    steeper = np.diff(candidates.units, axis=1, prepend=candidates.units[:, :1]) * hz / (2 * np.pi * MIDDLE_HZ)
    slope, near = _power(candidates, candidates.units), nearest(at, beats)
    columns = []
    for signal, seconds in ((steeper, STEEP_S), (candidates.broad, SLOW_S)):
        width = round(seconds * hz)
        below = np.maximum(moving_mean(slope, width), 1e-9)
        share = np.maximum(moving_mean(_power(candidates, signal), width), 1e-9) / below
        columns += [np.log(share[at]), np.log(share[at] / median(share[beats][near], axis=1))]
    return np.stack(columns, axis=1)


def _place(at_s: Floats, beats_s: Floats) -> Floats:
    """(n, 5) logs of the time to the believed beat before and to the one after, in seconds and in usual intervals, and
    of the shorter one's share."""
    before = np.searchsorted(beats_s, at_s - APART_S) - 1
    after = np.searchsorted(beats_s, at_s + APART_S, "right")
    padded = np.concatenate([[-np.inf], beats_s, [np.inf]])
    gaps = [at_s - padded[before + 1], padded[after + 1] - at_s]
    gaps = [np.where(np.isfinite(gap), gap, NO_BEAT_S) for gap in gaps]
    usual = float(median(np.diff(beats_s))) if len(beats_s) > 3 else USUAL_RR_S
    shorter = np.minimum(*gaps) / np.clip(gaps[0] + gaps[1], 0.1, 2 * NO_BEAT_S)
    columns = [np.minimum(gap, NO_BEAT_S) for gap in gaps] + [np.clip(gap / usual, 0.05, 4.0) for gap in gaps]
    return np.asarray(np.log(np.stack([*columns, shorter], axis=1)))


def _sum_around(curve: Floats, at: NDArray[np.int_], reach: int) -> tuple[Floats, NDArray[np.int_]]:
    """((n,) sums of the curve from ``reach`` before to ``reach`` after each place, how many samples they hold)."""
    total = np.concatenate([[0.0], np.cumsum(curve)])
    first, last = np.maximum(at - reach, 0), np.minimum(at + reach, curve.size)
    return total[last] - total[first], last - first
