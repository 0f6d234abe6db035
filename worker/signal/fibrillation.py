"""Do the ventricles beat at all, or do they quiver, or stand still?

Ventricular fibrillation has no steep QRS and is close to a sine of changing shape: shifted by half its mean period and
added to itself it cancels (Kuo and Dillman 1978, "Computer detection of ventricular fibrillation"; the leakage measure
as in Jekova, doi:10.1088/0967-3334/21/4/301). What differs: the median over all usable leads, stretches of 4 s.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from worker.signal.filters import Floats, Spectrum, highpass, lowpass

BAND_HZ: Final = (1.0, 30.0)
STRETCH_S: Final = 4.0
STANDSTILL_UV: Final = 100.0
"""Peak to peak: less in every lead of a connected patient is no heart beat (AHA's fine VF begins at 0.1 to 0.2 mV)."""


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


def stretches(spectrum: Spectrum, rows: list[int]) -> list[Stretch]:
    """The measures of each stretch."""
    frequencies, hz = spectrum.frequencies, spectrum.hz
    band = spectrum.band(highpass(frequencies, BAND_HZ[0]) * lowpass(frequencies, BAND_HZ[1]))[rows]
    n = band.shape[1]
    count = max(1, round(n / hz / STRETCH_S))
    edges = np.linspace(0, n, count + 1).astype(int)
    return [_measure(band[:, first:last], first, last, hz) for first, last in pairwise(edges.tolist())]


def _measure(part: Floats, first: int, last: int, hz: float) -> Stretch:
    leakages, rates = [], []
    for lead in part:
        slope = np.abs(np.diff(lead)).sum()
        period = 2 * np.pi * np.abs(lead).sum() / slope if slope else 0.0
        half = round(period / 2)
        if not 1 <= half < len(lead) // 2:
            continue
        now, before = lead[half:], lead[:-half]
        leakages.append(float(np.abs(now + before).sum() / (np.abs(now) + np.abs(before)).sum()))
        rates.append(hz / period)
    return Stretch(
        start_s=first / hz,
        end_s=last / hz,
        leakage=float(np.median(leakages)) if leakages else 1.0,
        rate_hz=float(np.median(rates)) if rates else 0.0,
        span_uv=float(np.ptp(part, axis=1).max(initial=0.0)) if part.size else 0.0,
    )
