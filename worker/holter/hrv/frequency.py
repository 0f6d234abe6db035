"""In which frequencies do normal intervals vary? Power by Welch's method on intervals at an even 4 Hz.

The intervals are interpolated by quadratic splines (over more than five seconds without any, by a straight line), their
mean is taken away, and Hann windows of half the length, overlapping by half, are averaged. Bands are those of the Task
Force 1996; a band is given where the stretch holds ten cycles of its lower limit, as the Task Force asks. With
``psd_method="welch"``, ``interpolation_rate=4`` and ``normalize=False`` neurokit2 gives the same.
"""

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
    even = _even(intervals)
    n = even.size
    width = n // 2
    size = 2 * width
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)  # scipy.signal's, whose import costs 66 MB
    step = width - width // 2
    starts = range(0, n - width + 1, step)
    parts = np.stack([even[start : start + width] for start in starts]) * window
    count = int(HIGHEST_HZ * size / EVEN_HZ) + 1
    density = (np.abs(_lowest(parts, size, count)) ** 2).mean(axis=0) / (EVEN_HZ * float((window**2).sum()))
    density[1:] *= 2
    frequencies = np.arange(density.size) * EVEN_HZ / size
    held = frequencies >= 2 * EVEN_HZ / (n / 2)
    return frequencies[held], density[held]


def _lowest(parts: Floats, size: int, count: int) -> NDArray[np.complex128]:
    """(rows, count) the first bins of the transform of each row, filled up with zeros to ``size``.

    Of a long series whose length has large factors the first tenth of the bins comes cheaper by the chirp transform
    (Rabiner, Schafer and Rader 1969, doi:10.1109/TAU.1969.1162034) than all of them.

    >>> rows = np.random.default_rng(1).normal(size=(2, 5003))
    >>> bool(np.allclose(_lowest(rows, 10_006, 900), np.fft.rfft(rows, 10_006)[:, :900], rtol=1e-9))
    True
    """
    width = parts.shape[1]
    if size <= CHIRP_FROM:
        return np.asarray(rfft(parts, size, axis=1)[:, :count])
    k = np.arange(max(width, count), dtype=np.int64)
    chirp = np.exp(-1j * np.pi / size * (k * k % (2 * size)))  # whole numbers: no phase is lost in a large one
    fast = next_fast_len(width + count - 1)
    kernel = np.zeros(fast, np.complex128)
    kernel[:count] = chirp[:count].conj()
    kernel[fast - width + 1 :] = chirp[width - 1 : 0 : -1].conj()
    around = fft(kernel)
    found = [ifft(fft(row * chirp[:width], fast) * around)[:count] * chirp[:count] for row in parts]
    return np.stack(found)


def _even(intervals: Intervals) -> Floats:
    """(n,) intervals at 4 Hz without their mean."""
    end_s, nn_ms = _bridged(intervals)
    at = np.arange(end_s[0], end_s[-1] + 1 / EVEN_HZ, 1 / EVEN_HZ)
    even = np.asarray(make_interp_spline(end_s, nn_ms, k=2, check_finite=False)(at))
    even[at > end_s[-1]] = nn_ms[-1]
    centred: Floats = even - even.mean()
    return centred


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
