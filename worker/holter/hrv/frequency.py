"""In which frequencies do normal intervals vary? Power by Welch's method on intervals at an even 4 Hz.

The intervals are interpolated by quadratic splines (over more than five seconds without any, by a straight line), their
mean is taken away, and Hann windows of half the length, overlapping by half, are averaged. Bands are those of the Task
Force 1996; a band is given where the stretch holds ten cycles of its lower limit, as the Task Force asks. With
``psd_method="welch"``, ``interpolation_rate=4`` and ``normalize=False`` neurokit2 gives the same.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.hrv.intervals import Intervals
from worker.holter.hrv.slow import EVEN_HZ, SLOW_STEP, slow, splined
from worker.holter.readable import Floats
from worker.signal.filters import good_length

BANDS_HZ: Final = {"ulf": (0.0, 0.0033), "vlf": (0.0033, 0.04), "lf": (0.04, 0.15), "hf": (0.15, 0.4)}
HIGHEST_HZ: Final = 0.4
CHIRP_FROM: Final = 8192
LONG: Final = 1 << 16
"""Values at 4 Hz, of 4.5 hours: of a longer series only what varies slowly enough is held and transformed."""
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
    starts = range(0, n - width + 1, width - width // 2)
    size, step = 2 * width, 1 if n <= LONG else SLOW_STEP
    count = int(HIGHEST_HZ * size / EVEN_HZ) + 1
    series = _even(end_s, nn_ms, n) if step == 1 else slow(end_s, nn_ms, n)
    del end_s, nn_ms  # of two weeks 20 MB
    lowest = _Lowest(-(-width // step), size, count, step)
    density = np.zeros(count)
    for start in starts:
        at = np.arange(-(-start // step) * step - start, width, step)
        first = (start + int(at[0])) // step
        density += np.abs(lowest.bins(series[first : first + at.size] * _hann(at, width))) ** 2
    density *= step**2 / (len(starts) * EVEN_HZ * 0.375 * width)
    density[1:] *= 2
    frequencies = np.arange(density.size) * EVEN_HZ / size
    held = frequencies >= 2 * EVEN_HZ / (n / 2)
    return frequencies[held], density[held]


def _hann(at: NDArray[np.int64], width: int) -> Floats:
    """Values of the window of this width, as scipy.signal has it, whose import costs 66 MB."""
    window: Floats = 0.5 - 0.5 * np.cos(2 * np.pi * at / width)
    return window


class _Lowest:
    """The first bins of the transform of rows filled up with zeros, by convolution with a chirp.

    Of a long series whose length has large factors the first tenth of the bins comes cheaper so than all of them
    (Rabiner, Schafer and Rader 1969, doi:10.1109/TAU.1969.1162034).

    Args:
        width: of the rows.
        size: of the transform, in samples of which the row holds every ``step``-th one.

    >>> row = np.random.default_rng(1).normal(size=5003)
    >>> wanted = np.abs(np.fft.rfft(row, 10_006)[:900])
    >>> bool(np.allclose(np.abs(_Lowest(5003, 10_006, 900).bins(row)), wanted, rtol=1e-9))
    True
    """

    def __init__(self, width: int, size: int, count: int, step: int = 1) -> None:
        self.size, self.count = size, count
        self.short = size <= CHIRP_FROM and step == 1
        if self.short:
            return
        self.fast = good_length(width + count - 1)
        # of whole numbers, so that no phase is lost in a large one
        turns = step * np.arange(max(width, count), dtype=np.int64) ** 2 % (2 * size)
        self.chirp = np.exp((-2j * np.pi / (2 * size)) * turns)
        del turns
        kernel = np.zeros(self.fast, np.complex128)
        kernel[:count] = self.chirp[:count].conj()
        kernel[self.fast - width + 1 :] = self.chirp[width - 1 : 0 : -1].conj()
        self.around = np.fft.fft(kernel, out=kernel)

    def bins(self, row: Floats) -> NDArray[np.complex128]:
        """(count,) of a row of at most ``width``."""
        if self.short:
            return np.asarray(np.fft.rfft(row, self.size)[: self.count])
        spectrum = np.zeros(self.fast, np.complex128)  # in one place: of two weeks each copy would be 17 MB
        np.multiply(row, self.chirp[: row.size], out=spectrum[: row.size])
        np.fft.fft(spectrum, out=spectrum)
        spectrum *= self.around
        found: NDArray[np.complex128] = np.fft.ifft(spectrum, out=spectrum)[: self.count]
        found *= self.chirp[: self.count]
        return found


def _even(end_s: Floats, nn_ms: Floats, n: int) -> Floats:
    """(n,) intervals at 4 Hz without their mean."""
    even = splined(end_s, nn_ms, end_s[0], 0, n)
    even -= even.mean()
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
