"""Do P waves march through a slow rhythm at a pace of their own?

In ten seconds of complete AV block a P is seen or not; in a minute its pace is. What comes with the QRS (QRS, T, a P
that is conducted, or every second one) is the same in each cycle and is taken out as the median of the cycles; what is
left is compared with itself some time later. P waves that march at their own pace come again after one interval of
theirs and after two, wherever they stand in the cycle. Fibrillation, noise and a sinus rhythm leave nothing that does.

Where it is noisy less counts: each place of the cycle by how much its cycles differ, and what stands out of all is cut.
"""

import warnings
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.holter.rows import known_median
from worker.signal.filters import Floats, Spectrum, good_length, highpass, lowpass

Int64s = NDArray[np.int64]

LOOKS_HZ: Final = 100.0
BAND_HZ: Final = (0.5, 18.0)
LEVEL_S: Final = 0.5
"""What is left is taken from its own level over so long: a steeper filter would ring on from each QRS for a second."""
SCALE: Final = (0.7, 1.3)
"""A cycle is so much of the usual one: with the breath QRS and T grow and shrink together."""
BEFORE: Final = (0.4, 0.5)
"""The cycle begins so much of it before R, and no more seconds: behind T, and before a P with a long PR."""
PARTS: Final = 6
"""Of the cycle, in each of which the P waves come again: what is left of T or of a conducted P does so in some."""
LEAST_WEIGHT: Final = 0.3
"""Parts that count for less than this share of the usual part say nothing."""
BLANK_S: Final = (0.08, 0.12)
"""What is left of a QRS is larger than any P."""
CUT: Final = 3.5
SIGMA: Final = 0.6745
"""In units of the usual size of what is left, as a standard deviation from a median."""
PERIOD_S: Final = (0.43, 1.33)
"""As the atria of a block may beat, 45 to 140/min (:mod:`worker.resting.av_block`)."""
OF_CYCLE: Final = 0.85
"""Of the ventricles' interval: slower atria than this do not march through (:mod:`worker.resting.rhythm`)."""
TWICE: Final = 0.06
"""By how much two intervals may differ from twice one."""
LEAST_UV: Final = 1.0
"""Less is left of rounding."""
P_S: Final = 0.16
BETWEEN: Final = 0.75
SHORTER: Final = 0.6
"""What comes again nearly as well in less time, but after a P is over, is no P: a recorder's tape hums."""
LEAST_BEATS: Final = 12


class March(NamedTuple):
    """What comes again.

    Attributes:
        period_s: the interval of the P waves.
        strength: how alike what is left is after one interval, or after two if that is less; 1 is the same.
    """

    period_s: float
    strength: float


NOTHING: Final = March(0.0, 0.0)


def march(uv: NDArray[np.float32], hz: float, at: Int64s) -> March:
    """The P waves that march through.

    Args:
        uv: (n_leads, n) µV of about a minute at ``hz``.
        at: (k,) samples of its beats.

    >>> hz, seconds = 250.0, np.arange(0, 60, 1 / 250)
    >>> at = np.arange(200, 14_800, 400)
    >>> qrs = sum(900 * np.exp(-(((seconds - beat / hz) / 0.012) ** 2)) for beat in at)
    >>> p = 100 * np.exp(-(((seconds % 0.71 - 0.3) / 0.03) ** 2))
    >>> conducted = sum(100 * np.exp(-(((seconds - beat / hz + 0.16) / 0.03) ** 2)) for beat in at)
    >>> noise = np.random.default_rng(1).normal(0, 8, seconds.size)
    >>> found = [march(np.float32((qrs + wave + noise)[None]), hz, at) for wave in (p, conducted)]
    >>> round(found[0].period_s, 2), found[0].strength > 0.3, found[1].strength < 0.1
    (0.71, True, True)
    """
    if at.size < LEAST_BEATS:
        return NOTHING
    spectrum = Spectrum(uv.astype(np.float64), hz)
    shape = highpass(spectrum.frequencies, BAND_HZ[0]) * lowpass(spectrum.frequencies, BAND_HZ[1])
    step = max(1, int(hz // LOOKS_HZ))
    band = spectrum.band(shape, list(range(len(uv))))[:, ::step]
    thin_hz, at = hz / step, at // step
    cycle_s = float(np.median(np.diff(at))) / thin_hz
    before = round(min(BEFORE[0] * cycle_s, BEFORE[1]) * thin_hz)
    rest, weight = _without_cycles(band, at, thin_hz, before)
    again = _again(rest, weight, round(2.2 * PERIOD_S[1] * thin_hz))
    found = _period(again, thin_hz, min(PERIOD_S[1], OF_CYCLE * cycle_s))
    if found.strength <= 0:
        return NOTHING
    return found._replace(strength=min(found.strength, _everywhere(rest, weight, at, round(found.period_s * thin_hz))))


def _without_cycles(band: Floats, at: Int64s, hz: float, before: int) -> tuple[Floats, Floats]:
    """(what differs from the median cycle, in its usual size; how much each sample counts), both (n_leads, n)."""
    n, offsets = band.shape[1], np.arange(int(np.diff(at).max()))
    places = (at - before)[:, None] + offsets
    inside = (places >= 0) & (places < n) & (offsets < np.append(np.diff(at), offsets.size)[:, None])
    inside[0] &= places[0] >= 0
    cycles = np.where(inside, band[:, np.clip(places, 0, n - 1)], np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the end of the longest cycle is nobody else's
        usual = known_median(cycles.swapaxes(1, 2))[:, None]
        left = cycles - _scale(cycles, usual) * usual
        qrs = (offsets >= before - round(BLANK_S[0] * hz)) & (offsets < before + round(BLANK_S[1] * hz))
        rest, there = np.zeros_like(band), np.zeros_like(band)
        rest[:, places[inside]] = np.nan_to_num(left[:, inside])
        there[:, places[inside & ~qrs]] = 1.0
        rest -= _level(rest, there, round(LEVEL_S * hz))
        around = np.abs(np.where(inside, rest[:, np.clip(places, 0, n - 1)], np.nan))
        spread = known_median(around.swapaxes(1, 2))
    floor = np.maximum(known_median(spread[:, ~qrs]), LEAST_UV)[:, None]
    share = np.nan_to_num(np.minimum(1.0, floor / np.maximum(spread, 1e-9)) ** 2)
    weight = np.zeros_like(band)
    weight[:, places[inside]] = np.broadcast_to(share[:, None], cycles.shape)[:, inside]
    size = CUT * floor / SIGMA
    return np.clip(rest, -size, size) / floor, weight * there


def _scale(cycles: Floats, usual: Floats) -> Floats:
    """(n_leads, n_beats, 1) how large each cycle is beside the usual one."""
    product, power = np.nansum(cycles * usual, axis=2), np.nansum(usual**2 + 0 * cycles, axis=2)
    scale: Floats = np.clip(product / np.maximum(power, 1e-9), *SCALE)[:, :, None]
    return scale


def _level(rest: Floats, there: Floats, width: int) -> Floats:
    """(n_leads, n) mean of what counts around each sample."""
    counts = np.apply_along_axis(np.convolve, 1, there, np.ones(width), "same")
    sums = np.apply_along_axis(np.convolve, 1, rest * there, np.ones(width), "same")
    level: Floats = sums / np.maximum(counts, 1.0)
    return level


def _again(rest: Floats, weight: Floats, lags: int) -> Floats:
    """(lags,) correlation of what is left with itself so much later, of all leads together."""
    length = good_length(rest.shape[1] + lags)
    x = np.fft.rfft(rest * weight, length, axis=1)
    power = np.fft.rfft(rest**2 * weight, length, axis=1)
    there = np.fft.rfft(weight, length, axis=1)
    product = np.fft.irfft(np.abs(x) ** 2, length, axis=1)[:, :lags].sum(axis=0)
    early = np.fft.irfft(power.conj() * there, length, axis=1)[:, :lags].sum(axis=0)
    late = np.fft.irfft(there.conj() * power, length, axis=1)[:, :lags].sum(axis=0)
    again: Floats = product / np.sqrt(np.maximum(early * late, 1e-9))
    return again


def _period(again: Floats, hz: float, longest_s: float) -> March:
    low, high = round(PERIOD_S[0] * hz), round(longest_s * hz)
    best = NOTHING
    for lag in range(low, high):
        if again[lag] < max(again[lag - 1], again[lag + 1]) or again[lag] <= best.strength:
            continue
        near = max(1, round(TWICE * 2 * lag))
        if again[round(P_S * hz) : round(BETWEEN * lag)].max(initial=0.0) > SHORTER * again[lag]:
            continue
        twice = float(again[2 * lag - near : min(again.size, 2 * lag + near + 1)].max(initial=0.0))
        strength = min(float(again[lag]), 1.3 * twice)
        if strength > best.strength:
            best = March(lag / hz, strength)
    return best


def _everywhere(rest: Floats, weight: Floats, at: Int64s, lag: int) -> float:
    """How alike what is left is after this lag, in the part of the cycle where it is least but one."""
    n = rest.shape[1]
    place = np.clip(np.searchsorted(at, np.arange(n), "right") - 1, 0, at.size - 2)
    phase = (np.arange(n) - at[place]) / np.maximum(1, at[place + 1] - at[place])
    part = np.clip((phase[: n - lag] % 1.0 * PARTS).astype(int), 0, PARTS - 1)
    both = weight[:, : n - lag] * weight[:, lag:]
    product = (both * rest[:, : n - lag] * rest[:, lag:]).sum(axis=0)
    early, late = (both * rest[:, : n - lag] ** 2).sum(axis=0), (both * rest[:, lag:] ** 2).sum(axis=0)
    counts, products, earlies, lates = (
        np.bincount(part, weights=values, minlength=PARTS) for values in (both.sum(axis=0), product, early, late)
    )
    alike = products / np.sqrt(np.maximum(earlies * lates, 1e-9))
    known = np.sort(alike[counts >= LEAST_WEIGHT * np.median(counts)])
    return float(known[1]) if known.size > 2 else 0.0
