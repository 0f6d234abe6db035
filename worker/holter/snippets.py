"""How are the beats of a day cut out so that they can be compared, whatever the recorder's rate and amplitude?

Every beat becomes the same small picture: 125 Hz, centred on the middle of its QRS energy, drift and mains taken out,
each lead in units of its own usual QRS. Leads that are noisy weigh less, in all the block and in the single beat.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.compiled import compiled

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]

INNER_HZ: Final = 125.0
BEFORE: Final = 46
AFTER: Final = 56
"""Samples at 125 Hz before and from the centre on: 0.37 s hold the P wave of a long PR, 0.45 s most of T."""
WIDTH: Final = BEFORE + AFTER
QRS_FROM: Final = BEFORE - 15
QRS_TO: Final = BEFORE + 19
"""The part that is compared: 0.12 s before to 0.15 s behind the centre."""
DRIFT_HZ: Final = 0.6
"""What is slower is drift; found on a track of :data:`TRACK_HZ`."""
TRACK_HZ: Final = 25.0
CENTRE_HALF: Final = 30
CENTRE_REACH: Final = 12
MIN_SCALE_UV: Final = 10.0
"""A lead whose usual QRS is smaller is worth as much as one of this size: it is noise that would be made large."""
NOISE_HALVES: Final = 0.08
"""The noise (root mean square second difference over that of the QRS) at which a lead counts half."""
BEAT_NOISE: Final = 3.0
"""A beat whose lead is so many times noisier than usual counts half there."""


@dataclass(frozen=True, eq=False)
class Snippets:
    """Beats as pictures.

    Attributes:
        z: (n, n_leads, WIDTH) float32, each lead in units of its usual QRS times the lead's worth.
        gain: (n, n_leads) float32, how far this beat's lead is believed, 1 where it is as usual.
        scale: (n_leads,) float32; ``z / scale`` is in µV.
        noise: (n,) float32 noise of the beat's leads in units of the usual one.
        shift_s: (n,) float32 seconds from the given sample to the centre.
    """

    z: Float32s
    gain: Float32s
    scale: Float32s
    noise: Float32s
    shift_s: Float32s


def cut(uv: Float32s, hz: float, at: NDArray[np.int64]) -> Snippets:
    """The beats at samples ``at`` of (n_leads, n_samples) µV, from which the drift is taken away."""
    _take_drift(uv, max(1, round(hz / TRACK_HZ)), hz, DRIFT_HZ)
    given = at.astype(np.float64)
    narrow = _snip(uv, hz, given, CENTRE_HALF, 2 * CENTRE_HALF + 1)
    usual = np.ptp(narrow[:, :, CENTRE_HALF - 15 : CENTRE_HALF + 16], axis=2)
    rough = np.maximum(np.median(usual, axis=0), 3 * MIN_SCALE_UV).astype(np.float32)
    shift = _centroids(narrow, rough, CENTRE_HALF, CENTRE_REACH)
    x = _snip(uv, hz, given + shift * (hz / INNER_HZ), BEFORE, WIDTH)
    return _in_units(x, (shift / INNER_HZ).astype(np.float32))


def picture(uv: Float32s, hz: float, at: int) -> Float32s:
    """(n_leads, WIDTH) µV around the sample ``at`` at 125 Hz; the drift is taken away from ``uv``."""
    _take_drift(uv, max(1, round(hz / TRACK_HZ)), hz, DRIFT_HZ)
    shown: Float32s = _snip(uv, hz, np.array([at], np.float64), BEFORE, WIDTH)[0]
    return shown


def _in_units(x: Float32s, shift_s: Float32s) -> Snippets:
    size, noise = _sizes(x, QRS_FROM, QRS_TO, QRS_FROM - 7, QRS_TO + 19)
    scale = np.maximum(np.median(size, axis=0), MIN_SCALE_UV)
    noise /= scale
    usual = np.median(noise, axis=0)
    worth = 1 / (1 + (usual / NOISE_HALVES) ** 2)
    worth = np.sqrt(worth / worth.sum())
    units = (worth / scale).astype(np.float32)
    x *= units[:, None]
    gain = 1 / (1 + (noise / (BEAT_NOISE * usual + 0.02)) ** 2)
    gain /= gain.max(axis=1, keepdims=True)
    relative = (noise / (usual + 0.01)).mean(axis=1)
    return Snippets(x, gain.astype(np.float32), units, relative.astype(np.float32), shift_s)


@compiled
def _sizes(x: Float32s, first: int, last: int, before: int, after: int) -> tuple[Float32s, Float32s]:
    """(n, n_leads) each: root mean square of the part from ``first`` to ``last``, and of the second differences that
    begin up to ``before`` and from ``after`` on."""
    n, n_leads, width = x.shape
    size, noise = np.empty((n, n_leads), np.float32), np.empty((n, n_leads), np.float32)
    for b in range(n):
        for lead in range(n_leads):
            row, total, bends = x[b, lead], np.float32(0.0), np.float32(0.0)
            part = row[first:last]
            for i in range(part.size):
                total += part[i] * part[i]
            for begin, end in ((0, before), (after, width - 2)):
                left, middle, right = row[begin:end], row[begin + 1 : end + 1], row[begin + 2 : end + 2]
                for i in range(left.size):
                    bend = left[i] - np.float32(2.0) * middle[i] + right[i]
                    bends += bend * bend
            size[b, lead] = np.sqrt(total / np.float32(last - first))
            noise[b, lead] = np.sqrt(bends / np.float32(before + width - 2 - after))
    return size, noise


@compiled
def _take_drift(uv: Float32s, step: int, hz: float, drift_hz: float) -> None:
    """Take away what is slower, found on the means of every ``step`` samples, with straight lines between them."""
    drift = _block_means(uv, step)
    _smooth(drift, 1 - np.exp(-2 * np.pi * drift_hz * step / hz))
    n_leads, n = uv.shape
    middle = np.float32((step - 1) / 2)
    for lead in range(n_leads):
        for k in range(-1, drift.shape[1]):
            left = drift[lead, max(k, 0)]
            slope = (drift[lead, min(k + 1, drift.shape[1] - 1)] - left) / np.float32(step)
            begin = int(np.ceil(middle)) + k * step
            offset = np.float32(max(begin, 0) - k * step) - middle
            part = uv[lead, max(begin, 0) : min(n, begin + step)]
            for i in range(part.size):
                part[i] -= left + slope * (offset + np.float32(i))


@compiled
def _block_means(x: Float32s, step: int) -> Float32s:
    """Every ``step`` samples' mean."""
    n_leads, n = x.shape
    m = (n + step - 1) // step
    out = np.zeros((n_leads, m), np.float32)
    for lead in range(n_leads):
        for i in range(m):
            total, part = np.float32(0.0), x[lead, i * step : min(n, (i + 1) * step)]
            for j in range(part.size):
                total += part[j]
            out[lead, i] = total / np.float32(part.size)
    return out


@compiled
def _smooth(x: Float32s, alpha: float) -> None:
    """A first-order low-pass forwards and backwards, in place."""
    n_leads, n = x.shape
    for lead in range(n_leads):
        y = x[lead, 0]
        for i in range(n):
            y += alpha * (x[lead, i] - y)
            x[lead, i] = y
        for i in range(n - 1, -1, -1):
            y += alpha * (x[lead, i] - y)
            x[lead, i] = y


@compiled
def _snip(x: Float32s, hz: float, at: Floats, before: int, width: int) -> Float32s:
    """(n_beats, n_leads, width) at 125 Hz: means of 8 ms, then (1, 2, 1) / 4, which holds back mains."""
    n_leads, n = x.shape
    ratio = hz / 125.0
    taps = max(1, int(np.ceil(ratio - 0.1)))
    whole, share = abs(ratio - round(ratio)) < 1e-9, np.float32(1 / taps)
    reach = round(ratio) * (width + 2) + 2
    out, raw = np.empty((at.size, n_leads, width), np.float32), np.empty(width + 2, np.float32)
    for b in range(at.size):
        for lead in range(n_leads):
            raw[:] = 0.0
            for tap in range(taps):
                first = at[b] + (tap - (taps - 1) / 2) * ratio / taps - (before + 1) * ratio
                if whole and first >= 0 and first + reach < n:
                    _add_regular(x[lead, int(first) :], round(ratio), np.float32(first - int(first)), raw)
                else:
                    _add(x[lead], first, ratio, raw)
            target = out[b, lead]
            for w in range(width):
                target[w] = np.float32(0.25) * share * (raw[w] + np.float32(2.0) * raw[w + 1] + raw[w + 2])
    return out


@compiled
def _add_regular(x: Float32s, step: int, f: np.float32, raw: Float32s) -> None:
    """Add the values a part ``f`` of a sample behind every ``step`` samples."""
    left, right = np.float32(1.0) - f, f
    if step == 2:  # a step that the compiler knows is faster
        for w in range(raw.size):
            raw[w] += x[2 * w] * left + x[2 * w + 1] * right
    else:
        for w in range(raw.size):
            raw[w] += x[step * w] * left + x[step * w + 1] * right


@compiled
def _add(x: Float32s, first: float, step: float, raw: Float32s) -> None:
    """Add the values at ``first`` and every ``step`` samples behind it; beyond the ends x repeats its last value."""
    for w in range(raw.size):
        u = min(max(first + w * step, 0.0), x.size - 1.001)
        i = int(u)
        f = np.float32(u - i)
        raw[w] += x[i] * (np.float32(1.0) - f) + x[i + 1] * f


@compiled
def _centroids(x: Float32s, scale: Float32s, centre: int, reach: int) -> Floats:
    """(n,) samples at 125 Hz from ``centre`` to the middle of the slope's energy."""
    n, n_leads, width = x.shape
    out = np.zeros(n)
    energy = np.zeros(width)
    for b in range(n):
        energy[:] = 0
        for lead in range(n_leads):
            for i in range(1, width - 1):
                slope = (x[b, lead, i + 1] - x[b, lead, i - 1]) / scale[lead]
                energy[i] += slope * slope
        middle = float(centre)
        for _ in range(3):
            total, moment = 1e-12, 1e-12 * middle
            for i in range(1, width - 1):
                if abs(i - middle) <= reach:
                    total += energy[i]
                    moment += energy[i] * i
            middle = moment / total
        out[b] = middle - centre
    return out
