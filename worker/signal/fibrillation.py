"""Do the ventricles beat at all, or do they quiver, or race, or stand still?

Ventricular fibrillation has no steep QRS and is close to a sine of changing shape: shifted by half its mean period and
added to itself it cancels (Kuo and Dillman 1978, "Computer detection of ventricular fibrillation"; the leakage measure
as in Jekova, doi:10.1088/0967-3334/21/4/301). One such measure does not tell it from broad tachycardia or from motion;
here seventeen of them (leakage, spectral concentration, steepness, autocorrelation, time spent near the baseline, and
what the beat detector made of it) enter a logistic regression with three answers: it quivers, it races, or neither.
The coefficients are in :mod:`worker.signal.fibrillation_weights`, with what they were fitted on.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from worker.signal.beats import Beats
from worker.signal.fibrillation_weights import CENTRE, COEFFICIENTS, SCALE
from worker.signal.filters import Floats, Spectrum, highpass, lowpass
from worker.signal.order import median, quantile

BAND_HZ: Final = (1.0, 30.0)
LOOKS_HZ: Final = 125.0
STRETCH_S: Final = 4.0
STANDSTILL_UV: Final = 100.0
"""Peak to peak: less in every lead of a connected patient is no heart beat (AHA's fine VF begins at 0.1 to 0.2 mV)."""
NEAR_BASELINE: Final = 0.15
PEAK_HZ: Final = (1.0, 12.0)
LINE_HZ: Final = 0.6
STEEP_HZ: Final = 12.0
LAG_S: Final = (0.15, 1.2)
N_FFT: Final = 1024


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds of the recording."""

    start_s: float
    end_s: float
    leakage: float
    """Median over leads: below 0.45 nearly a sine, above 0.6 a signal with QRS complexes."""
    rate_hz: float
    span_uv: float
    """Largest peak to peak of any lead."""
    quivers: float
    races: float
    """Log odds of fibrillation and of ventricular tachycardia against everything else."""


def stretches(spectrum: Spectrum, rows: list[int], beats: Beats) -> list[Stretch]:
    """The measures of each stretch."""
    frequencies, hz = spectrum.frequencies, spectrum.hz
    band = spectrum.band(highpass(frequencies, BAND_HZ[0]) * lowpass(frequencies, BAND_HZ[1]), rows)
    n = band.shape[1]
    count = max(1, round(n / hz / STRETCH_S))
    edges = np.linspace(0, n, count + 1).astype(int)
    step = max(1, int(hz // LOOKS_HZ))
    found = []
    for first, last in pairwise(edges.tolist()):
        shape = measures(band[:, first:last:step], hz / step)
        values = np.concatenate([median(shape, axis=0), _of_beats(beats, first, last, hz)])
        odds = score(values)
        span = float(np.ptp(band[:, first:last], axis=1).max(initial=0.0))
        found.append(
            Stretch(first / hz, last / hz, float(values[0]), float(values[1]), span, float(odds[0]), float(odds[1]))
        )
    return found


def score(values: Floats) -> Floats:
    """(2,) log odds from the seventeen measures."""
    scaled = np.clip((values - CENTRE) / SCALE, -3, 3)
    odds: Floats = np.concatenate([scaled, scaled**2, [1.0]]) @ COEFFICIENTS
    return odds


def measures(part: Floats, hz: float) -> Floats:
    """(n_leads, 12) of (n_leads, n) µV, zero mean."""
    n = part.shape[1]
    size = np.abs(part)
    top = np.maximum(quantile(size, 0.99), 1e-6)
    steps = np.diff(part, axis=1)
    period = 2 * np.pi * size.sum(axis=1) / np.maximum(np.abs(steps).sum(axis=1), 1e-6)
    peak, concentration, harmonics, steep = _spectral(part, hz)
    correlation = _autocorrelation(part)
    low, high = round(LAG_S[0] * hz), min(round(LAG_S[1] * hz), n // 2)
    again = correlation[:, low:high]
    return np.stack(
        [
            _leakage(part, period),
            np.clip(hz / np.maximum(period, 1.0), 0, 12),
            (size < NEAR_BASELINE * top[:, None]).mean(axis=1),
            peak,
            concentration,
            harmonics,
            steep,
            np.log(_kurtosis(steps)),
            np.log(_kurtosis(part)),
            again.max(axis=1),
            (low + again.argmax(axis=1)) / hz,
            correlation[:, : round(0.6 * hz)].min(axis=1),
        ],
        axis=1,
    )


def _leakage(part: Floats, period: Floats) -> Floats:
    """(n_leads,) what is left when the signal is added to itself half a mean period later."""
    found = np.ones(len(part))
    for number, half in enumerate(np.rint(period / 2).astype(int).tolist()):
        if 1 <= half < part.shape[1] // 2:
            now, before = part[number, half:], part[number, :-half]
            found[number] = np.abs(now + before).sum() / max(float((np.abs(now) + np.abs(before)).sum()), 1e-6)
    return found


def _spectral(part: Floats, hz: float) -> tuple[Floats, Floats, Floats, Floats]:
    """(Hz of the largest line, its share of the power, that of its harmonics, that above 12 Hz)."""
    length = max(N_FFT, part.shape[1])
    power = np.abs(np.fft.rfft((part - part.mean(axis=1, keepdims=True)) * np.hanning(part.shape[1]), length)) ** 2
    frequencies = np.fft.rfftfreq(length, 1 / hz)
    inside = (frequencies >= PEAK_HZ[0]) & (frequencies <= PEAK_HZ[1])
    peak = frequencies[inside][power[:, inside].argmax(axis=1)]
    total = power[:, (frequencies >= 0.8) & (frequencies < BAND_HZ[1])].sum(axis=1) + 1e-9

    def line(times: int) -> Floats:
        near = np.abs(frequencies - times * peak[:, None]) < LINE_HZ
        return np.asarray((power * near).sum(axis=1) / total)

    steep = power[:, (frequencies >= STEEP_HZ) & (frequencies < BAND_HZ[1])].sum(axis=1) / total
    return peak, line(1), line(2) + line(3) + line(4), steep


def _autocorrelation(part: Floats) -> Floats:
    n = part.shape[1]
    power = np.abs(np.fft.rfft(part - part.mean(axis=1, keepdims=True), 2 * n)) ** 2
    found = np.fft.irfft(power, 2 * n)[:, :n]
    normal: Floats = found / np.maximum(found[:, :1], 1e-9) * n / np.arange(n, 0, -1)
    return normal


def _kurtosis(values: Floats) -> Floats:
    power = (values - values.mean(axis=1, keepdims=True)) ** 2  # ** 4 would take a hundred times as long
    return np.asarray((power**2).mean(axis=1) / np.maximum(power.mean(axis=1) ** 2, 1e-9) + 1e-6)


def _of_beats(beats: Beats, first: int, last: int, hz: float) -> Floats:
    """What the detector made of it: beats a second, share of alike ones, irregularity, width, size."""
    inside = (beats.at >= first) & (beats.at < last)
    count = int(inside.sum())
    if not count:
        return np.array([0.0, 0.0, 1.0, 0.0, 3.0])
    rr = np.diff(beats.at[inside])
    alike = np.bincount(beats.group[inside]).max() / count
    irregular = float(rr.std() / rr.mean()) if rr.size > 1 else 1.0
    size = float(np.log(max(np.median(beats.size[inside]), 1.0)))
    return np.array([
        min(count * hz / (last - first), 6.0), alike, min(irregular, 1.0), np.median(beats.width_s[inside]),
        min(max(size, 3.0), 8.0),
    ])  # fmt: skip
