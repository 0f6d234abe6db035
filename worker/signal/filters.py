"""How is a band taken out of the signal without moving anything in time?

Filters are products in the frequency domain: zero phase by construction, one forward transform for any number of bands,
and no import of scipy.signal (1.1 s at a cold start). Ends are continued by their point reflection for one second, so
that a drifting baseline does not ring.
"""

import functools
import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

PAD_S: Final = 1.0
KEPT: Final = 64
KEPT_SAMPLES: Final = 1 << 14
"""Recorders send the same few lengths again and again: what is made of a length alone, 4 MB of all of them at the usual
ten seconds, is made once in a process; for longer ones it is made each time, where it is a smaller part of the work."""
WORKING_HZ: Final = (400.0, 800.0)
"""Analysis runs at a whole multiple or fraction of the recorder's rate in this range: 250 → 500, 1000 → 500."""
TARGET_HZ: Final = 500.0


class Spectrum:
    """The transform of a block of leads, from which bands are taken.

    Args:
        signal: (n_leads, n_samples) at ``hz``.
        hz: the sampling rate.
    """

    def __init__(self, signal: Floats, hz: float) -> None:
        self.hz = hz
        self.n_samples = signal.shape[1]
        self.pad = pad = min(round(PAD_S * hz), self.n_samples - 1)
        padded = np.empty((len(signal), self.n_samples + 2 * pad))
        before, body, after = np.split(padded, (pad, pad + self.n_samples), axis=1)
        np.subtract(signal, signal.mean(axis=1, keepdims=True), out=body)
        np.subtract(2 * body[:, :1], body[:, pad:0:-1], out=before)
        np.subtract(2 * body[:, -1:], body[:, -2 : -pad - 2 : -1], out=after)
        self.length = good_length(padded.shape[1])
        self.values = np.fft.rfft(padded, self.length, axis=1)
        self._kept: dict[tuple[float, ...], Floats] = {}
        self.frequencies = _kept(_frequencies, self.length)(self.length, hz)

    def band(self, response: Floats | Complexes, rows: list[int] | None = None) -> Floats:
        """(n_leads, n_samples): the leads, or these rows, with each frequency multiplied by ``response``."""
        values = self.values * response if rows is None else self.values[rows]
        if rows is not None:
            values *= response  # a copy already
        filtered = np.fft.irfft(values, self.length, axis=1)
        band: Floats = filtered[:, self.pad : self.pad + self.n_samples]
        return band

    def between(self, low_hz: float, high_hz: float, rows: list[int]) -> Floats:
        """(n_rows, n_samples) between the usual high-pass and low-pass; kept, so not to be written to."""
        asked = (low_hz, high_hz, *rows)
        if asked not in self._kept:
            self._kept[asked] = self.band(self.passing(low_hz, high_hz), rows)
        return self._kept[asked]

    def passing(self, low_hz: float, high_hz: float) -> Floats:
        """The response of the usual high-pass and low-pass together; kept, so not to be written to."""
        return _kept(_passing, self.length)(self.length, self.hz, low_hz, high_hz)

    def view(self, response: Floats | Complexes, rows: list[int], weights: Floats) -> Floats:
        """(n_samples,) the sum of these rows, each times its weight, filtered likewise."""
        of_every = np.zeros(len(self.values))
        of_every[rows] = weights  # a product with nothing costs less than a copy of the rows
        # real and imaginary parts side by side: numpy would make the weights complex, too
        together = (of_every @ self.values.view(np.float64)).view(np.complex128)
        filtered = np.fft.irfft(together * response, self.length)
        view: Floats = filtered[self.pad : self.pad + self.n_samples]
        return view


@functools.lru_cache(KEPT)
def _frequencies(length: int, hz: float) -> Floats:
    return _locked(np.asarray(np.fft.rfftfreq(length, 1 / hz), np.float64))


@functools.lru_cache(KEPT)
def _passing(length: int, hz: float, low_hz: float, high_hz: float) -> Floats:
    frequencies = _kept(_frequencies, length)(length, hz)
    return _locked(highpass(frequencies, low_hz) * lowpass(frequencies, high_hz))


def _kept(made: "functools._lru_cache_wrapper[Floats]", n: int) -> Callable[..., Floats]:
    """The function that remembers its answers, or where they are long the one that does not."""
    return made if n <= KEPT_SAMPLES else made.__wrapped__


def _locked(values: Floats) -> Floats:
    """Given out again and again, it is not written to."""
    values.setflags(write=False)
    return values


def highpass(frequencies: Floats, cut_hz: float, order: int = 2) -> Floats:
    """Power response of a Butterworth high-pass run forwards and backwards: half the amplitude at ``cut_hz``."""
    ratio = np.divide(frequencies, cut_hz) ** (2 * order)
    result: Floats = ratio / (1 + ratio)
    return result


def lowpass(frequencies: Floats, cut_hz: float, order: int = 4) -> Floats:
    """Power response of a Butterworth low-pass run forwards and backwards: half the amplitude at ``cut_hz``."""
    result: Floats = 1 / (1 + np.divide(frequencies, cut_hz) ** (2 * order))
    return result


def notch(frequencies: Floats, mains_hz: float, width_hz: float = 1.0) -> Floats:
    """A gap around the mains frequency and its second and third harmonics."""
    response = np.ones_like(frequencies)
    for harmonic in (1, 2, 3):
        response *= 1 - np.exp(-0.5 * ((frequencies - harmonic * mains_hz) / width_hz) ** 2)
    return response


def good_length(n: int) -> int:
    """The smallest 2^a·3^b·5^c that is at least ``n``: lengths that transform fast.

    >>> good_length(7001)
    7200
    """
    best = 1 << (n - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            rest = -(-n // three)
            best = min(best, three << max(0, (rest - 1).bit_length()))
            three *= 3
        five *= 5
    return best


def to_working_rate(signal: Floats, hz: float) -> tuple[Floats, float]:
    """The signal and its rate, brought into :data:`WORKING_HZ` by a whole factor; times stay the same seconds."""
    low, high = WORKING_HZ
    if low <= hz < high:
        return signal, hz
    if hz < low:
        factor = int(-(-low // hz))
        spectrum = Spectrum(signal, hz)
        n_long = spectrum.length * factor
        values = np.zeros((signal.shape[0], n_long // 2 + 1), complex)
        values[:, : spectrum.values.shape[1]] = spectrum.values * factor
        long = np.fft.irfft(values, n_long, axis=1)
        start = spectrum.pad * factor
        return long[:, start : start + spectrum.n_samples * factor] + signal.mean(axis=1, keepdims=True), hz * factor
    factor = max(2, round(hz / TARGET_HZ))
    spectrum = Spectrum(signal, hz)
    smooth = spectrum.band(lowpass(spectrum.frequencies, 0.4 * hz / factor, 8))
    return smooth[:, ::factor] + signal.mean(axis=1, keepdims=True), hz / factor


def slope(signal: Floats) -> Floats:
    """``np.gradient`` along the last axis, in a third of its time: per sample, half the difference of the neighbours.

    >>> slope(np.array([1.0, 2.0, 4.0, 7.0])).tolist()
    [1.0, 1.5, 2.5, 3.0]
    """
    found = np.empty_like(signal)
    np.subtract(signal[..., 2:], signal[..., :-2], out=found[..., 1:-1])
    found[..., 1:-1] *= 0.5
    found[..., 0], found[..., -1] = signal[..., 1] - signal[..., 0], signal[..., -1] - signal[..., -2]
    return found


def moving_mean(signal: Floats, width: int, step: int = 1) -> Floats:
    """Means over ``width`` samples centred on every ``step``-th one, along the last axis; the ends use what there is.

    Sums of 1, 2, 4, … samples are put together: numpy's running sum takes as long as forty such additions.

    >>> some = np.array([3.0, 6.0, 9.0, 0.0])
    >>> moving_mean(some, 3).tolist(), moving_mean(some, 2, 2).tolist()
    ([4.5, 6.0, 5.0, 4.5], [3.0, 7.5])
    """
    n = signal.shape[-1]
    width = max(1, min(width, n))
    half, unit = width // 2, math.gcd(width, step)
    part = np.zeros((*signal.shape[:-1], -(-(n + width - 1) // unit) * unit))
    part[..., half : half + n] = signal
    if unit > 1:  # both are so many blocks of this length
        part = functools.reduce(np.add, (part[..., first::unit] for first in range(unit)))
    sums = sums_of(part, width // unit)[..., :: step // unit][..., : -(-n // step)]
    sums /= _kept(_counts, n)(n, width, step)
    return sums


@functools.lru_cache(KEPT)
def _counts(n: int, width: int, step: int) -> Floats:
    """How many samples each mean of :func:`moving_mean` is of; a third of its time on the few samples of a beat."""
    at = np.arange(0, n, step)
    first = at - width // 2
    return _locked((np.minimum(first + width, n) - np.maximum(first, 0)).astype(float))


@functools.lru_cache(KEPT)
def ramp(n: int) -> Floats:
    """(n,) from 0 to 1, as ``np.linspace``, which takes as long as all else that is done with a short stretch."""
    return _locked(np.linspace(0, 1, n))


def sums_of(part: Floats, width: int) -> Floats:
    """The sums of ``width`` samples from each one on, along the last axis.

    >>> sums_of(np.array([1.0, 2.0, 4.0, 8.0]), 3).tolist()
    [7.0, 14.0]
    """
    n = part.shape[-1] - width + 1
    total: Floats | None = None
    done, size = 0, 1
    while True:
        if width & size:
            total = part[..., :n].copy() if total is None else np.add(total, part[..., done : done + n], out=total)
            done += size
        if 2 * size > width:
            break
        part = part[..., :-size] + part[..., size:]
        size *= 2
    assert total is not None
    return total
