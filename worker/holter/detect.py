"""Where are the beats of a day?

The resting detector's method (:mod:`worker.signal.qrs`) in compiled loops over blocks of ten minutes. What differs:
finite filters instead of a transform of each minute, float32, the usual beat from 25 of a minute's beats.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.bands import Float32s, bands_for, curves
from worker.holter.candidates import beats_of
from worker.holter.day import Block, Day
from worker.holter.units import candidates, in_units
from worker.signal.compiled import compiled
from worker.signal.qrs_weights import COEFFICIENTS

Int64s = NDArray[np.int64]

PEAK_REACH_S: Final = 0.08
APART_S: Final = 0.18
_COEFFICIENTS: Final = COEFFICIENTS.astype(np.float32)


def find_beats(day: Day) -> Int64s:
    """(n,) samples of the R peaks of a day, increasing.

    >>> from worker.recording import Recording
    >>> seconds = np.arange(0, 60, 1 / 250)
    >>> uv = 900 * np.exp(-(((seconds % 0.8 - 0.4) / 0.012) ** 2))
    >>> recording = Recording("", "holter", ("II",), uv[None].astype(np.int16), np.ones(1), np.zeros(1), 250.0)
    >>> (find_beats(Day(recording))[:4] / 250).tolist()
    [0.4, 1.2, 2.0, 2.8]
    """
    found = [beats_in(day, block) for block in day.blocks(rows=day.independent)]
    return _in_order(np.concatenate([np.empty(0, np.int64), *found]), APART_S * day.hz)


def beats_in(day: Day, block: Block) -> Int64s:
    """Samples of the R peaks in one block."""
    bands = bands_for(day.hz)
    slope, broad = curves(block.uv, bands)
    units, shapes, energy = in_units(slope, broad, bands.hz)
    found, _ = beats_of(units, shapes, energy, candidates(energy, bands.hz), bands.hz, _COEFFICIENTS)
    inside = (found * bands.factor >= block.start - block.first) & (found * bands.factor < block.stop - block.first)
    at: Int64s = found[inside]
    peaks = _peaks(broad, block.uv, at, bands.factor, round(PEAK_REACH_S * bands.hz))
    return peaks + block.first


@compiled
def _peaks(broad: Float32s, uv: Float32s, at: Int64s, factor: int, reach: int) -> Int64s:
    """The sample of the greatest deflection near each beat: found in the broad band, then to the sample."""
    n_leads, n = broad.shape
    peaks = np.empty(at.size, np.int64)
    for i in range(at.size):
        top, place = np.float32(-1.0), at[i]
        for j in range(max(0, at[i] - reach), min(n, at[i] + reach + 1)):
            total = np.float32(0.0)
            for lead in range(n_leads):
                total += broad[lead, j] * broad[lead, j]
            if total > top:
                top, place = total, j
        top, peaks[i] = np.float32(-1.0), place * factor
        for k in range(max(0, (place - 1) * factor), min(uv.shape[1], (place + 1) * factor + 1)):
            total = np.float32(0.0)
            for lead in range(n_leads):
                # the drift at the band's sample is taken away, what the band smooths is not
                value = broad[lead, place] + uv[lead, k] - uv[lead, place * factor]
                total += value * value
            if total > top:
                top, peaks[i] = total, k
    return peaks


def _in_order(at: Int64s, apart: float) -> Int64s:
    """Without those that two blocks both found, or that two maxima of one QRS made."""
    if at.size < 2:
        return at
    at = np.sort(at)
    kept = np.concatenate([np.ones(1, np.bool_), np.diff(at) >= apart])
    ordered: Int64s = at[kept]
    return ordered
