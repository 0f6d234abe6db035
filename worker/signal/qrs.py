"""Where are the heart's ventricular beats, over all leads at once?

After Pan and Tompkins, doi:10.1109/TBME.1985.325532: band-pass, slope, energy, moving window, adaptive threshold,
search back. What differs: zero-phase filters; all usable leads enter, each in units of its own usual QRS slope, so that
one noisy lead cannot hide the beats of the others; thresholds come from the whole recording instead of its past; a
candidate found by searching back must look like the other beats, because in a pause the next largest thing is a P wave.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from worker.signal.filters import Floats, Spectrum, highpass, lowpass, moving_mean

BAND_HZ: Final = (7.0, 26.0)
"""Where QRS energy stands out most from P, T and baseline (Thakor 1984, doi:10.1109/TBME.1984.325393)."""
WINDOW_S: Final = 0.09
REFRACTORY_S: Final = 0.20
"""The shortest RR that is believed, 300/min."""
T_WAVE_S: Final = 0.36
THRESHOLD: Final = 0.30
T_WAVE_SHARE: Final = 0.45
SEARCH_BACK_SHARE: Final = 0.12
SEARCH_BACK_RR: Final = 1.6
SEARCH_BACK_LIKENESS: Final = 0.75
BROAD_HZ: Final = (1.5, 20.0)
BROAD_ENERGY: Final = 0.14
BROAD_SIZE: Final = 0.65
BROAD_NEXT_S: Final = 0.25
LEVEL_WINDOW_S: Final = 1.5
MIN_SLOPE_UV_S: Final = 1500.0
"""A QRS of 0.05 mV in every lead still slopes more than this in the band; less is noise on a flat line."""


@dataclass(frozen=True, eq=False)
class Detection:
    """Beats and the curve that they were found on.

    Attributes:
        beats: sample numbers of the energy maxima, increasing.
        energy: (n_samples,) slope energy in units of the usual QRS; about 1 at a QRS.
    """

    beats: list[int]
    energy: Floats


def detect(spectrum: Spectrum, usable: list[int]) -> Detection:
    """Find the beats in the leads ``usable`` (row numbers)."""
    hz = spectrum.hz
    if not usable:
        return Detection([], np.zeros(spectrum.n_samples))
    frequencies = spectrum.frequencies
    response = highpass(frequencies, BAND_HZ[0]) * lowpass(frequencies, BAND_HZ[1])
    slope = spectrum.band(response * (2j * np.pi * frequencies))[usable]
    level = _usual_peak(np.abs(slope), hz)
    strong = level >= MIN_SLOPE_UV_S
    if not strong.any():
        return Detection([], np.zeros(spectrum.n_samples))
    units = slope[strong] / level[strong, None]
    energy = np.sqrt(moving_mean(np.mean(units**2, axis=0), round(WINDOW_S * hz)))
    reference = float(_usual_peak(energy[None], hz)[0])
    energy = energy / reference
    peaks = _peaks(energy, round(REFRACTORY_S * hz))
    beats = _select(energy, peaks, hz)
    beats = _add_broad(
        spectrum.band(highpass(frequencies, BROAD_HZ[0]) * lowpass(frequencies, BROAD_HZ[1]))[usable],
        energy,
        peaks,
        beats,
        hz,
    )
    return Detection(_search_back(energy, units, peaks, beats, hz), energy)


def _usual_peak(curve: Floats, hz: float) -> Floats:
    """(n_leads,) median of the maxima of stretches that each hold a beat at any but the slowest rate."""
    width = round(LEVEL_WINDOW_S * hz)
    n = curve.shape[1]
    if n < 2 * width:
        return np.asarray(curve.max(axis=1))
    whole = n // width
    maxima = curve[:, : whole * width].reshape(curve.shape[0], whole, width).max(axis=2)
    # the upper part: in bradycardia and pauses some stretches hold no beat
    return np.asarray(np.quantile(maxima, 0.6, axis=1))


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


def _select(energy: Floats, peaks: list[int], hz: float) -> list[int]:
    """Peaks above the threshold that are not the T wave of the beat before."""
    beats: list[int] = []
    for at in peaks:
        if energy[at] < THRESHOLD:
            continue
        if beats and at - beats[-1] < T_WAVE_S * hz and energy[at] < T_WAVE_SHARE * energy[beats[-1]]:
            continue
        beats.append(at)
    return beats


def _add_broad(broad: Floats, energy: Floats, peaks: list[int], beats: list[int], hz: float) -> list[int]:
    """Ectopic beats are broad: their slopes lie below the threshold while their size does not."""
    if len(beats) < 2:
        return beats
    magnitude = np.sqrt((broad**2).sum(axis=0))
    reach = round(0.06 * hz)
    size = {at: float(magnitude[max(0, at - reach) : at + reach].max()) for at in peaks}
    usual = float(np.median([size[at] for at in beats]))
    added = list(beats)
    for at in peaks:
        if at in size and BROAD_ENERGY <= energy[at] < THRESHOLD and size[at] >= BROAD_SIZE * usual:
            before = [beat for beat in added if beat < at]
            after = [beat for beat in added if beat > at]
            free = not before or at - max(before) >= T_WAVE_S * hz
            if free and (not after or min(after) - at >= BROAD_NEXT_S * hz):
                added = sorted([*added, at])
    return added


def _search_back(energy: Floats, units: Floats, peaks: list[int], beats: list[int], hz: float) -> list[int]:
    """Where an RR is far too long, the largest lower peak between that looks like a beat."""
    if len(beats) < 3:
        return beats
    usual = float(np.median(np.diff(beats)))
    template = _template(units, beats, hz)
    added: list[int] = []
    for first, second in pairwise(beats):
        if second - first < SEARCH_BACK_RR * usual:
            continue
        margin = int(REFRACTORY_S * hz)
        for at in peaks:
            inside = first + margin < at < second - margin
            if inside and energy[at] >= SEARCH_BACK_SHARE and _likeness(units, at, template, hz) > SEARCH_BACK_LIKENESS:
                added.append(at)
    return sorted({*beats, *added})


def _window(units: Floats, at: int, half: int) -> Floats | None:
    return units[:, at - half : at + half + 1] if half <= at < units.shape[1] - half else None


def _template(units: Floats, beats: list[int], hz: float) -> Floats:
    half = round(0.07 * hz)
    windows = [window for at in beats if (window := _window(units, at, half)) is not None]
    return np.asarray(np.median(windows, axis=0)) if windows else np.zeros((units.shape[0], 2 * half + 1))


def _likeness(units: Floats, at: int, template: Floats, hz: float) -> float:
    """Largest correlation of the leads around ``at`` with the template, over small shifts."""
    half = template.shape[1] // 2
    best = 0.0
    norm = float(np.linalg.norm(template)) or 1.0
    for shift in range(-round(0.04 * hz), round(0.04 * hz) + 1, 2):
        window = _window(units, at + shift, half)
        if window is not None:
            best = max(best, float((window * template).sum() / (norm * (np.linalg.norm(window) or 1.0))))
    return best
