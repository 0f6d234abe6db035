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
    """The beats at samples ``at`` of (n_leads, n_samples) µV."""
    step = max(1, round(hz / TRACK_HZ))
    drift = _block_means(uv, step)
    _smooth(drift, 1 - float(np.exp(-2 * np.pi * DRIFT_HZ * step / hz)))
    given = at.astype(np.float64)
    narrow = _snip(uv, hz, drift, step, given, CENTRE_HALF, 2 * CENTRE_HALF + 1)
    usual = np.ptp(narrow[:, :, CENTRE_HALF - 15 : CENTRE_HALF + 16], axis=2)
    rough = np.maximum(np.median(usual, axis=0), 3 * MIN_SCALE_UV).astype(np.float32)
    shift = _centroids(narrow, rough, CENTRE_HALF, CENTRE_REACH)
    x = _snip(uv, hz, drift, step, given + shift * (hz / INNER_HZ), BEFORE, WIDTH)
    return _in_units(x, (shift / INNER_HZ).astype(np.float32))


def picture(uv: Float32s, hz: float, at: int) -> Float32s:
    """(n_leads, WIDTH) µV around the sample ``at``, drift taken out, at 125 Hz."""
    step = max(1, round(hz / TRACK_HZ))
    drift = _block_means(uv, step)
    _smooth(drift, 1 - float(np.exp(-2 * np.pi * DRIFT_HZ * step / hz)))
    shown: Float32s = _snip(uv, hz, drift, step, np.array([at], np.float64), BEFORE, WIDTH)[0]
    return shown


def _in_units(x: Float32s, shift_s: Float32s) -> Snippets:
    size = np.sqrt((x[:, :, QRS_FROM:QRS_TO] ** 2).mean(axis=2))
    scale = np.maximum(np.median(size, axis=0), MIN_SCALE_UV)
    bend = np.diff(x, n=2, axis=2)
    outside = np.concatenate([bend[:, :, : QRS_FROM - 7], bend[:, :, QRS_TO + 19 :]], axis=2)
    noise = np.sqrt((outside**2).mean(axis=2)) / scale
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
def _block_means(x: Float32s, step: int) -> Float32s:
    """Every ``step`` samples' mean."""
    n_leads, n = x.shape
    m = (n + step - 1) // step
    out = np.zeros((n_leads, m), np.float32)
    for lead in range(n_leads):
        for i in range(m):
            total, first, last = np.float32(0.0), i * step, min(n, (i + 1) * step)
            for j in range(first, last):
                total += x[lead, j]
            out[lead, i] = total / (last - first)
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
def _snip(x: Float32s, hz: float, drift: Float32s, step: int, at: Floats, before: int, width: int) -> Float32s:
    """(n_beats, n_leads, width) at 125 Hz: means of 8 ms, less drift, then (1, 2, 1) / 4, which holds back mains."""
    n_leads, n = x.shape
    m = drift.shape[1]
    ratio = hz / 125.0
    taps = max(1, int(np.ceil(ratio - 0.1)))
    out = np.empty((at.size, n_leads, width), np.float32)
    raw = np.empty(width + 2, np.float32)
    for b in range(at.size):
        for lead in range(n_leads):
            for w in range(width + 2):
                t = at[b] + (w - 1 - before) * ratio
                total = 0.0
                for tap in range(taps):
                    u = min(max(t + (tap - (taps - 1) / 2) * ratio / taps, 0.0), n - 1.001)
                    i = int(u)
                    f = u - i
                    total += x[lead, i] * (1 - f) + x[lead, i + 1] * f
                u = min(max((t - (step - 1) / 2) / step, 0.0), m - 1.001)
                i = int(u)
                f = u - i
                raw[w] = total / taps - (drift[lead, i] * (1 - f) + drift[lead, i + 1] * f)
            for w in range(width):
                out[b, lead, w] = 0.25 * (raw[w] + 2 * raw[w + 1] + raw[w + 2])
    return out


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
