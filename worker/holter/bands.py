"""How is a block brought into the bands in which beats stand out, fast and without moving anything in time?

The rate is brought down to 83 Hz or a little more by a whole factor, then symmetric finite filters run over it, four
taps at a time over long stretches so that the compiler puts them in parallel lanes. Responses are those of the resting
detector (:mod:`worker.signal.filters`); what differs: they are cut off after a quarter of a second, the drift below
1 Hz is found on every eighth sample, and everything is float32.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled_finite
from worker.signal.filters import Floats, highpass, lowpass
from worker.signal.qrs import BAND_HZ, BROAD_HZ

Float32s = NDArray[np.float32]

LEAST_HZ: Final = 83.0
"""Twice what the bands hold, and some room."""
SLOPE_HALF_S: Final = 0.24
SMOOTH_HALF_S: Final = 0.08
DRIFT_STEP: Final = 8
DRIFT_HALF_S: Final = 1.3
THIRDS, THIRD_TAPS = 3, 9
"""At 250 Hz, the rate of most recorders, every third sample is kept, and each is made of nine."""
CHUNK: Final = 2048
"""Samples that are filtered at once: 8 kB each of input and output stay in the first cache."""


@dataclass(frozen=True, eq=False)
class Bands:
    """What takes the bands out of a signal of one rate.

    Attributes:
        factor: every how manyth sample of the recording there is one of the bands.
        hz: the bands' rate.
    """

    factor: int
    hz: float
    thin: Float32s
    slope: Float32s
    smooth: Float32s
    drift: Float32s


class Room:
    """Arrays that are used again for every block, so that the system need not make them anew each time."""

    def __init__(self) -> None:
        self._held: dict[str, Float32s] = {}

    def rows(self, name: str, n_rows: int, n: int) -> Float32s:
        """(n_rows, n) float32 of any content, the same memory for the same name."""
        held = self._held.get(name)
        if held is None or held.size < n_rows * n:
            held = self._held[name] = np.empty(n_rows * n, np.float32)
        rows: Float32s = held[: n_rows * n].reshape(n_rows, n)
        return rows


@cache
def bands_for(hz: float) -> Bands:
    """The filters for a recorder's rate.

    >>> bands_for(250.0).factor, bands_for(360.0).hz, bands_for(1000.0).hz
    (3, 90.0, 83.33333333333333)
    """
    factor = max(1, int(hz // LEAST_HZ))
    inner = hz / factor
    thin = np.hanning(((3 * factor - 1) | 1) + 2)[1:-1] if factor > 1 else np.ones(1)
    thin = thin / thin.sum()
    frequencies: Floats = np.asarray(np.fft.rfftfreq(8192, 1 / inner), np.float64)
    coarse: Floats = frequencies / DRIFT_STEP
    places = np.arange(thin.size) - thin.size // 2
    left = np.cos(2 * np.pi * frequencies[:, None] / hz * places) @ thin  # of each frequency
    steep = np.asarray(highpass(frequencies, BAND_HZ[0]) * lowpass(frequencies, BAND_HZ[1]) * 2j * np.pi * frequencies)
    return Bands(
        factor,
        inner,
        thin.astype(np.float32),
        _taps(steep / left, round(SLOPE_HALF_S * inner)),
        _taps(lowpass(frequencies, BROAD_HZ[1]) / left, round(SMOOTH_HALF_S * inner), total=1.0),
        _taps(1 - highpass(coarse, BROAD_HZ[0]), round(DRIFT_HALF_S * inner / DRIFT_STEP), total=1.0),
    )


def _taps(response: NDArray[Any], half: int, total: float = 0.0) -> Float32s:
    """(2·half + 1,) the impulse response, cut by a Hann window and with this sum, in the order of a correlation."""
    whole = np.fft.irfft(response)
    taps: Floats = np.concatenate([whole[-half:], whole[: half + 1]])[::-1] * np.hanning(2 * half + 3)[1:-1]
    taps = taps / taps.sum() if total else taps - taps.mean()
    return taps.astype(np.float32)


def curves(uv: Float32s, bands: Bands, room: Room | None = None) -> tuple[Float32s, Float32s]:
    """(slope µV/s of the QRS band, µV of the broad band), each (n_leads, n); row sample ``i`` is ``uv`` sample
    ``i × factor``. With a room they hold until the next call with it."""
    n_leads, n = uv.shape[0], -(-uv.shape[1] // bands.factor)
    room = room or Room()
    slope, broad = room.rows("slope", n_leads, n), room.rows("broad", n_leads, n)
    _curves(uv, bands.factor, bands.thin, bands.slope, bands.smooth, bands.drift, slope, broad)
    return slope, broad


@compiled_finite
def _correlate(x: Float32s, taps: Float32s, out: Float32s) -> None:
    """out[i] = Σ taps[k] · x[i + k − half]; beyond its ends x repeats its last value."""
    n, half = x.size, taps.size // 2
    padded = np.empty(n + 2 * half + 4, np.float32)
    padded[:half] = x[0]
    padded[half : half + n] = x
    padded[half + n :] = x[n - 1]
    four = np.zeros((taps.size + 3) // 4 * 4, np.float32)
    four[: taps.size] = taps
    for begin in range(0, n, CHUNK):
        end = min(n, begin + CHUNK)
        part = out[begin:end]
        part[:] = 0.0
        for k in range(0, four.size, 4):
            a, b, c, d = four[k], four[k + 1], four[k + 2], four[k + 3]
            source = padded[begin + k : end + k + 3]
            for i in range(end - begin):
                part[i] += a * source[i] + b * source[i + 1] + c * source[i + 2] + d * source[i + 3]


@compiled_finite
def _every_third(x: Float32s, taps: Float32s, out: Float32s) -> None:
    """Every third value of :func:`_correlate` with nine taps, at 250 Hz.

    Where it knows the step the compiler takes the samples apart in vectors, which costs a seventh of all values.
    """
    a, b, c, d, e = taps[0], taps[1], taps[2], taps[3], taps[4]
    f, g, h, i = taps[5], taps[6], taps[7], taps[8]
    inner, part = x[2:], out[2:]
    for j in range(out.size - 4):
        first = a * inner[3 * j] + b * inner[3 * j + 1] + c * inner[3 * j + 2] + d * inner[3 * j + 3]
        then = e * inner[3 * j + 4] + f * inner[3 * j + 5] + g * inner[3 * j + 6] + h * inner[3 * j + 7]
        part[j] = first + then + i * inner[3 * j + 8]
    for j in (0, 1, out.size - 2, out.size - 1):
        out[j] = 0.0
        for k in range(taps.size):
            out[j] += taps[k] * x[min(max(3 * j + k - 4, 0), x.size - 1)]


@compiled_finite
def _curves(
    uv: Float32s,
    factor: int,
    thin: Float32s,
    slope: Float32s,
    smooth: Float32s,
    drift: Float32s,
    steep: Float32s,
    broad: Float32s,
) -> None:
    n_leads, n = uv.shape
    m = steep.shape[1]
    even, low = np.empty(n, np.float32), np.empty(m, np.float32)
    coarse = np.empty((m + DRIFT_STEP - 1) // DRIFT_STEP + 1, np.float32)
    level = np.empty_like(coarse)
    for lead in range(n_leads):
        if factor == THIRDS and thin.size == THIRD_TAPS and m >= THIRD_TAPS:
            _every_third(uv[lead], thin, low)
        elif factor > 1:
            _correlate(uv[lead], thin, even)
            for i in range(m):
                low[i] = even[i * factor]
        else:
            low[:] = uv[lead]
        _correlate(low, slope, steep[lead])
        _correlate(low, smooth, broad[lead])
        for j in range(coarse.size):  # the mean of eight, centred between the fourth and the fifth
            total, first = np.float32(0.0), min(j * DRIFT_STEP, m - 1)
            if first + DRIFT_STEP <= m:
                part = low[first : first + DRIFT_STEP]
                for i in range(DRIFT_STEP):
                    total += part[i]
                coarse[j] = total / np.float32(DRIFT_STEP)
            else:
                coarse[j] = np.mean(low[first:])
        _correlate(coarse, drift, level)
        _subtract(broad[lead], level)


@compiled_finite
def _subtract(curve: Float32s, level: Float32s) -> None:
    """Take away the line through the points of ``level``, which stand in the middle of each eight samples."""
    m, half = curve.size, DRIFT_STEP // 2
    for j in range(-1, level.size - 1):
        left = level[max(j, 0)]
        step = (level[j + 1] - left) / np.float32(DRIFT_STEP)
        begin = j * DRIFT_STEP + half
        if begin >= 0 and begin + DRIFT_STEP <= m:
            part = curve[begin : begin + DRIFT_STEP]
            for i in range(DRIFT_STEP):
                part[i] -= left + step * (np.float32(i) + np.float32(0.5))
        else:
            for i in range(max(begin, 0), min(begin + DRIFT_STEP, m)):
                curve[i] -= left + step * (np.float32(i - begin) + np.float32(0.5))
