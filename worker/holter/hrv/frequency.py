"""In which frequencies do normal intervals vary? Power by Welch's method on intervals at an even 4 Hz.

The intervals are interpolated by quadratic splines (over more than five seconds without any, by a straight line), their
mean is taken away, and Hann windows of half the length, overlapping by half, are averaged. Bands are those of the Task
Force 1996; a band is given where the stretch holds ten cycles of its lower limit, as the Task Force asks. With
``psd_method="welch"``, ``interpolation_rate=4`` and ``normalize=False`` neurokit2 gives the same.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft, ifft, next_fast_len, rfft
from scipy.interpolate import make_interp_spline

from worker.holter.hrv.intervals import Intervals
from worker.holter.readable import Floats

EVEN_HZ: Final = 4.0
BANDS_HZ: Final = {"ulf": (0.0, 0.0033), "vlf": (0.0033, 0.04), "lf": (0.04, 0.15), "hf": (0.15, 0.4)}
HIGHEST_HZ: Final = 0.4
CHIRP_FROM: Final = 8192
LONG: Final = 1 << 19
"""Values at 4 Hz, of a day and a half: what is longer is made and transformed in pieces, and never held whole."""
PIECE: Final = 1 << 18
BESIDE: Final = 60
"""Intervals on both sides of a piece by which its spline is made, too: what is farther away enters it with less than
0.18 to the power of 60, which no float holds."""
CYCLES: Final = 10
ULF_S: Final = 12 * 3600.0
"""Ultra low frequencies are a matter of day and night."""
MIN_INTERVALS: Final = 60
LEAST_MS2: Final = 1e-6
"""Less is the rounding of a series that does not vary."""
BRIDGED_S: Final = 5.0
BRIDGE_STEP_S: Final = 1.0


def frequency_metrics(intervals: Intervals) -> dict[str, float]:
    """Power of the bands in ms², ``lf_hf``, and LF and HF in normalised units (of LF + HF, per cent).

    >>> seconds = np.cumsum(np.full(600, 0.8))
    >>> breath = Intervals.following(800 + 30 * np.sin(2 * np.pi * 0.25 * seconds))
    >>> found = frequency_metrics(breath)
    >>> round(found["hf_ms2"]), round(found["hf_nu"], 1), sorted(found)
    (440, 100.0, ['hf_ms2', 'hf_nu', 'lf_hf', 'lf_ms2', 'lf_nu'])
    """
    if len(intervals) < MIN_INTERVALS:
        return {}
    frequencies, density = spectrum(intervals)
    lasts_s, found = intervals.lasts_s, {}
    for name, (low, high) in BANDS_HZ.items():
        inside = (frequencies >= low) & (frequencies < high)
        if lasts_s >= (CYCLES / low if low else ULF_S) and np.count_nonzero(inside) > 1:
            found[f"{name}_ms2"] = float(np.trapezoid(density[inside], frequencies[inside]))
    if len(found) == len(BANDS_HZ):
        found["total_power_ms2"] = sum(found.values())
    lf, hf = found.get("lf_ms2"), found.get("hf_ms2")
    if lf is not None and hf is not None and hf > LEAST_MS2:
        found |= {"lf_hf": lf / hf, "lf_nu": 100 * lf / (lf + hf), "hf_nu": 100 * hf / (lf + hf)}
    return found


def spectrum(intervals: Intervals) -> tuple[Floats, Floats]:
    """(frequencies in Hz, density in ms²/Hz), from where a window holds two cycles on, up to the highest band's end."""
    end_s, nn_ms = _bridged(intervals)
    n = int(np.ceil((end_s[-1] + 1 / EVEN_HZ - end_s[0]) * EVEN_HZ))
    width = n // 2
    size = 2 * width
    starts = range(0, n - width + 1, width - width // 2)
    count = int(HIGHEST_HZ * size / EVEN_HZ) + 1
    if n <= LONG:
        even, window = _even(end_s, nn_ms), _hann(0, width, width)
        density = np.zeros(count)
        for start in starts:
            density += np.abs(_lowest(even[start : start + width] * window, size, count)) ** 2
    else:
        density = _in_pieces(end_s, nn_ms, n, starts, width, count)
    density /= len(starts) * EVEN_HZ * 0.375 * width
    density[1:] *= 2
    frequencies = np.arange(density.size) * EVEN_HZ / size
    held = frequencies >= 2 * EVEN_HZ / (n / 2)
    return frequencies[held], density[held]


def _hann(first: int, last: int, width: int) -> Floats:
    """Some values of the window of this width, as scipy.signal has it, whose import costs 66 MB."""
    window: Floats = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(first, last) / width)
    return window


class _Chirp:
    """The first bins of the transform of rows filled up with zeros to ``size``, by convolution with a chirp.

    Of a long series whose length has large factors the first tenth of the bins comes cheaper so than all of them
    (Rabiner, Schafer and Rader 1969, doi:10.1109/TAU.1969.1162034).
    """

    def __init__(self, width: int, size: int, count: int) -> None:
        self.size, self.count, self.fast = size, count, next_fast_len(width + count - 1)
        self.chirp = _turns(np.arange(max(width, count), dtype=np.int64) ** 2, 2 * size)
        kernel = np.zeros(self.fast, np.complex128)
        kernel[:count] = self.chirp[:count].conj()
        kernel[self.fast - width + 1 :] = self.chirp[width - 1 : 0 : -1].conj()
        self.around = fft(kernel, overwrite_x=True)

    def bins(self, row: Floats, first: int = 0) -> NDArray[np.complex128]:
        """(count,) of a row of at most ``width`` that begins at ``first``."""
        spectrum = fft(row * self.chirp[: row.size], self.fast, overwrite_x=True)
        spectrum *= self.around
        found = np.asarray(ifft(spectrum, overwrite_x=True)[: self.count] * self.chirp[: self.count])
        if first:
            found *= _turns(np.arange(self.count, dtype=np.int64) * first, self.size)
        return found


def _turns(parts: NDArray[np.int64], of: int) -> NDArray[np.complex128]:
    """exp(−2πi · parts / of); of whole numbers, so that no phase is lost in a large one."""
    return np.asarray(np.exp((-2j * np.pi / of) * (parts % of)))


def _lowest(row: Floats, size: int, count: int) -> NDArray[np.complex128]:
    """(count,) the first bins of the transform of a row, filled up with zeros to ``size``.

    >>> row = np.random.default_rng(1).normal(size=5003)
    >>> bool(np.allclose(_lowest(row, 10_006, 900), np.fft.rfft(row, 10_006)[:900], rtol=1e-9))
    True
    """
    if size <= CHIRP_FROM:
        return np.asarray(rfft(row, size)[:count])
    return _Chirp(row.size, size, count).bins(row)


def _in_pieces(end_s: Floats, nn_ms: Floats, n: int, starts: range, width: int, count: int) -> Floats:
    """(count,) the sum of the power of all windows: each piece of the series goes into those that hold it."""
    mean = sum(float(piece.sum()) for _, piece in _pieces(end_s, nn_ms, n)) / n
    chirp = _Chirp(PIECE, 2 * width, count)
    found = np.zeros((len(starts), count), np.complex128)
    for first, piece in _pieces(end_s, nn_ms, n):
        for number, start in enumerate(starts):
            a, b = max(first, start), min(first + piece.size, start + width)
            if a < b:
                windowed = (piece[a - first : b - first] - mean) * _hann(a - start, b - start, width)
                found[number] += chirp.bins(windowed, a - start)
    power = np.zeros(count)
    for total in found:
        power += np.abs(total) ** 2
    return power


def _pieces(end_s: Floats, nn_ms: Floats, n: int) -> Iterator[tuple[int, Floats]]:
    """(place of the first, values) of the intervals at 4 Hz, most of a day at a time."""
    for first in range(0, n, PIECE):
        last = min(n, first + PIECE)
        at = end_s[0] + np.arange(first, last) / EVEN_HZ
        a, b = np.searchsorted(end_s, at[[0, -1]]).tolist()
        near = slice(max(0, a - BESIDE), b + BESIDE)
        yield first, _splined(end_s[near], nn_ms[near], at)


def _even(end_s: Floats, nn_ms: Floats) -> Floats:
    """(n,) intervals at 4 Hz without their mean."""
    even = _splined(end_s, nn_ms, np.arange(end_s[0], end_s[-1] + 1 / EVEN_HZ, 1 / EVEN_HZ))
    even -= even.mean()
    return even


def _splined(end_s: Floats, nn_ms: Floats, at: Floats) -> Floats:
    even: Floats = np.asarray(make_interp_spline(end_s, nn_ms, k=2, check_finite=False)(at))
    even[at > end_s[-1]] = nn_ms[-1]
    return even


def _bridged(intervals: Intervals) -> tuple[Floats, Floats]:
    """(when, how long), with points on a straight line where seconds are empty: there a spline would swing."""
    end_s, nn_ms = intervals.end_s, intervals.nn_ms
    long = np.flatnonzero(np.diff(end_s) > BRIDGED_S)
    if not long.size:
        return end_s, nn_ms
    new = [np.arange(end_s[row] + BRIDGE_STEP_S, end_s[row + 1] - BRIDGE_STEP_S / 2, BRIDGE_STEP_S) for row in long]
    at = np.concatenate([end_s, *new])
    order = np.argsort(at, kind="stable")
    return at[order], np.interp(at[order], end_s, nn_ms)
