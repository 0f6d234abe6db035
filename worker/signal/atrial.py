"""What do the atria do: P waves before each beat, P waves on their own, flutter waves, or nothing regular?"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.signal.beats import Beats, MedianBeat
from worker.signal.delineate import Limits
from worker.signal.filters import Floats, Spectrum, good_length, moving_mean, ramp, sums_of
from worker.signal.order import median

NDArrayBool = NDArray[np.bool_]
NDArrayInt = NDArray[np.int_]

P_BAND_HZ: Final = (1.0, 20.0)
P_LIKENESS: Final = 0.60
P_SIZE: Final = (0.35, 2.8)
BLANK_BEFORE_S: Final = 0.06
BLANK_AFTER_S: Final = 0.10
FLUTTER_HZ: Final = (2.5, 25.0)
FLUTTER_PERIOD_S: Final = (0.165, 0.29)
"""Atrial rates from 205 to 365/min (2019 ESC SVT guideline, doi:10.1093/eurheartj/ehz467: typically 240 to 340)."""
QRS_MARGIN_S: Final = 0.06
"""A slurred QRS begins before the limits say so; what is left of it would be taken for a P."""
BEFORE_QRS_S: Final = (0.02, 0.20, 0.12)
"""Where the window of 0.12 s before the QRS onset ends: PR intervals from 0.14 to 0.32 s are looked into."""
WHOLE_S: Final = 0.26
LEAST_HALVES: Final = 6
"""Beats, of which each half has three."""
LOOKS_HZ: Final = 125.0
FREE_P_BAND_HZ: Final = (3.0, 20.0)
FREE_P_PERIOD_S: Final = (0.40, 1.40)
FREE_P_REGULAR: Final = 0.12
FREE_P_SHARE: Final = 0.7
FREE_P_MIN_UV: Final = 35.0
FREE_P_APART_S: Final = 0.32


@dataclass(frozen=True, eq=False)
class PWaves:
    """P before the beats.

    Attributes:
        present: (n_beats,) whether a P like the usual one stands at its place before each beat.
        share: the share of the dominant beats that have it.
        clarity: power of the usual P over the power of what the single beats differ from it by. Fibrillatory waves that
            happen to leave something in the median reach 2, sinus P waves of LUDB and CPSC 2018 have 5 and more.
    """

    present: NDArrayBool
    share: float
    clarity: float = 0.0


@dataclass(frozen=True, slots=True)
class Flutter:
    """A regular atrial oscillation."""

    rate_bpm: float
    strength: float
    """Autocorrelation at its period, 0 to 1."""
    lead: str


def p_before_beats(spectrum: Spectrum, rows: list[int], beats: Beats, beat: MedianBeat, limits: Limits) -> PWaves:
    """Compare the stretch before each beat with the P of the median beat."""
    nothing = PWaves(np.zeros(beats.at.size, bool), 0.0)
    if limits.p_on is None or limits.p_off is None or not rows:
        return nothing
    margin = round(0.02 * spectrum.hz)
    first, last = limits.p_on - margin - limits.r, limits.p_off + margin - limits.r
    template = without_line(beat.signal[rows, max(0, limits.r + first) : limits.r + last])
    _, vectors = np.linalg.eigh(template @ template.T)
    weights = vectors[:, -1]
    usual = weights @ template
    size = float(np.linalg.norm(usual)) or 1.0
    view = spectrum.view(spectrum.passing(*P_BAND_HZ), rows, weights)
    start = beats.at + last - usual.size
    whole = (start >= margin) & (beats.at + last + margin <= view.size)
    present = beats.group == 0  # what is cut off: nothing speaks against it
    shifted = start[whole, None] + np.array([0, -margin, margin])
    found = without_line(view[shifted[:, :, None] + np.arange(usual.size)])
    present[whole] = _is_like(found, usual, size).any(axis=1)
    dominant = beats.group == 0
    share = float(present[dominant].mean()) if dominant.any() else 0.0
    return PWaves(present, share, _clarity(view, beats.at[dominant], first, last))


def _clarity(view: Floats, at: NDArrayInt, first: int, last: int) -> float:
    at = at[(at + first >= 0) & (at + last <= view.size)]
    if at.size < 3:
        return 0.0
    single = without_line(view[at[:, None] + np.arange(first, last)])
    usual = median(single, axis=0)
    return float(usual @ usual / max(float(median(((single - usual) ** 2).sum(axis=1))), 1e-6))


class BeforeQrs(NamedTuple):
    """What repeats before the dominant QRS, wherever a P may stand; zeros with too few beats.

    Attributes:
        repeats: power of the mean over the power of what single beats differ from it by, in the window of 0.12 s that
            repeats best.
        likeness: correlation of a usual beat with the mean, there.
        size_uv: root mean square of the mean, there.
        halves: correlation of the median of every second beat with that of the others, over the whole stretch of
            :data:`WHOLE_S`: a P is in both, fibrillatory waves are not.
        steady: like ``repeats``, of the median and the whole stretch.
    """

    repeats: float = 0.0
    likeness: float = 0.0
    size_uv: float = 0.0
    halves: float = 0.0
    steady: float = 0.0


def before_qrs(spectrum: Spectrum, rows: list[int], beats: Beats, limits: Limits) -> BeforeQrs:
    """Look at the stretch before each dominant QRS, even where no P was found in the median beat."""
    step = max(1, round(spectrum.hz / LOOKS_HZ))
    hz = spectrum.hz / step
    band = spectrum.between(*P_BAND_HZ, rows)[:, ::step]
    nearest, farthest, width = (round(seconds * hz) for seconds in BEFORE_QRS_S)
    reach = farthest + width
    ends = (beats.at[beats.group == 0] - (limits.r - limits.qrs_on)) // step - nearest
    ends = ends[ends >= reach]
    if ends.size < 4:
        return BeforeQrs()
    stretch = np.stack([band[:, end - reach : end] for end in ends.tolist()])
    windows = np.lib.stride_tricks.sliding_window_view(stretch, width, axis=2)
    level = without_line(windows)
    mean = level.mean(axis=0)
    power = (mean**2).sum(axis=(0, 2))
    scatter = np.median(((level - mean) ** 2).sum(axis=(1, 3)), axis=0)
    ratio = power / (scatter + 1e-9)
    best = int(np.argmax(ratio))
    usual, single = mean[:, best].ravel(), level[:, :, best].reshape(len(level), -1)
    likeness = single @ usual / (np.linalg.norm(single, axis=1) * np.linalg.norm(usual) + 1e-9)
    size_uv = float(np.sqrt(power[best] / width))
    whole = stretch[:, :, -round(WHOLE_S * hz) :]
    return BeforeQrs(float(ratio[best]), float(np.median(likeness)), size_uv, *_whole(whole))


def _whole(stretch: Floats) -> tuple[float, float]:
    """(halves, steady) of :class:`BeforeQrs`, of (n_beats, n_leads, n)."""
    if len(stretch) < LEAST_HALVES:
        return 0.0, 0.0
    one, other = (without_line(median(stretch[first::2], axis=0)) for first in (0, 1))
    halves = float((one * other).sum() / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-9))
    usual = without_line(median(stretch, axis=0))
    scatter = float(np.median(((without_line(stretch) - usual) ** 2).sum(axis=(1, 2))))
    return halves, float((usual**2).sum()) / (scatter + 1e-9)


def without_line(part: Floats) -> Floats:
    """The stretches, along the last axis, without the line through their ends."""
    width = max(1, part.shape[-1] // 8)
    left, right = part[..., :width].mean(axis=-1, keepdims=True), part[..., -width:].mean(axis=-1, keepdims=True)
    level: Floats = part - (left + (right - left) * ramp(part.shape[-1]))
    return level


def powers(band: Floats, width: int) -> Floats:
    """(n − width + 1,) squares, summed over all leads, of every stretch of (n_leads, n) ``without_line``: running sums.

    >>> powers(np.array([[0.0, 1, 2, 3, 4, 3, 2, 1]]), 4).round(6).tolist()
    [0.0, 0.0, 2.222222, 2.222222, 0.0]
    """
    places, share = np.arange(band.shape[1]), ramp(width)
    end = max(1, width // 8)
    whole, squares = sums_of(band, width), sums_of((band**2).sum(axis=0), width)
    along = (sums_of(band * places, width) - whole * places[: whole.shape[1]]) / (width - 1)
    ends = sums_of(band, end) / end
    left = ends[:, : whole.shape[1]]
    rise = ends[:, width - end :] - left
    line = width * left**2 + 2 * left * rise * share.sum() + rise**2 * float((share**2).sum())
    power: Floats = squares + (line - 2 * (left * whole + rise * along)).sum(axis=0)
    return power


def _is_like(found: Floats, usual: Floats, size: float) -> NDArrayBool:
    """(…) of (…, n): whether each stretch has the form of the usual one, and about its size."""
    own = np.sqrt((found**2).sum(axis=-1))
    fits = (own > P_SIZE[0] * size) & (own < P_SIZE[1] * size)
    like: NDArrayBool = fits & (found @ usual >= P_LIKENESS * own * size)
    return like


def without_qrs(signal: Floats, at: NDArrayInt, hz: float) -> Floats:
    """The signal with a straight line drawn over each QRS."""
    blanked, last_sample = signal.copy(), signal.shape[1] - 1
    before, after = round(BLANK_BEFORE_S * hz), round(BLANK_AFTER_S * hz)
    first, last = np.maximum(0, at - before), np.minimum(last_sample, at + after)
    along = np.minimum(np.arange(before + after + 1) / np.maximum(1, last - first)[:, None], 1.0)
    left = signal[:, first, None]
    places = np.minimum(first[:, None] + np.arange(before + after + 1), last[:, None])
    blanked[:, places] = left + (signal[:, last, None] - left) * along
    return blanked


def find_flutter(spectrum: Spectrum, rows: dict[str, int], beats: Beats) -> Flutter | None:
    """The strongest oscillation of flutter's period in the leads given; None where none is regular."""
    hz = spectrum.hz
    band = spectrum.band(spectrum.passing(*FLUTTER_HZ), list(rows.values()))
    best: Flutter | None = None
    low, high = round(FLUTTER_PERIOD_S[0] * hz), round(FLUTTER_PERIOD_S[1] * hz)
    if not rows or band.shape[1] // 2 <= 3 * high:
        return None
    every = _autocorrelation(without_qrs(band, beats.at, hz), 2 * high + 3)
    for lead, correlation in zip(rows, every, strict=True):
        lag = low + int(np.argmax(correlation[low:high]))
        if correlation[lag] < max(correlation[lag - 1], correlation[lag + 1]):
            continue  # a slope, not a peak: no period here
        strength = float(min(correlation[lag], correlation[2 * lag - 2 : 2 * lag + 3].max() * 1.15))
        if best is None or strength > best.strength:
            best = Flutter(60 * hz / lag, strength, lead)
    return best


def _autocorrelation(signal: Floats, lags: int) -> Floats:
    """(n_leads, lags) of (n_leads, n)."""
    n = signal.shape[1]
    length = good_length(n + lags)
    power = np.fft.rfft(signal - signal.mean(axis=1, keepdims=True), length, axis=1)
    correlation = np.fft.irfft(power.real**2 + power.imag**2, length, axis=1)[:, :lags]
    own = np.where(correlation[:, :1] == 0, 1.0, correlation[:, :1])
    normal: Floats = correlation / own * n / np.arange(n, n - lags, -1)
    return normal


def free_p_waves(clean: Floats, hz: float, beats: Beats, limits: Limits) -> NDArrayInt | None:
    """Samples of P waves wherever they stand, QRS and T taken away; None where they are not regular."""
    spectrum = Spectrum(clean - ventricles(clean, beats, limits, hz), hz)
    rest = spectrum.band(spectrum.passing(*FREE_P_BAND_HZ))
    inside = np.zeros(rest.shape[1], bool)
    margin = round(QRS_MARGIN_S * hz) // 2
    for at in beats.at.tolist():
        inside[max(0, at + limits.qrs_on - margin - limits.r) : at + limits.qrs_off + margin - limits.r] = True
    rest[:, inside] = 0
    _, vectors = np.linalg.eigh(rest @ rest.T)
    view = moving_mean(vectors[:, -1] @ rest, round(0.03 * hz))
    if -np.quantile(view, 0.005) > np.quantile(view, 0.995):
        view = -view
    usual = float(np.quantile(view, 0.98))
    if usual < FREE_P_MIN_UV:
        return None
    peaks = _tops(view, usual * 0.45, round(FREE_P_APART_S * hz))
    if len(peaks) < 4:
        return None
    pp = np.diff(peaks)
    period = float(np.median(pp))
    multiple = np.maximum(1, np.rint(pp / period))
    regular = np.abs(pp / multiple / period - 1) < FREE_P_REGULAR
    if not FREE_P_PERIOD_S[0] <= period / hz <= FREE_P_PERIOD_S[1] or regular.mean() < FREE_P_SHARE:
        return None
    return np.array(peaks, int)


def ventricles(clean: Floats, beats: Beats, limits: Limits, hz: float) -> Floats:
    """QRS and T of every beat, as the median of its group has them."""
    template = np.zeros_like(clean)
    before = limits.r - limits.qrs_on + round(QRS_MARGIN_S * hz)
    end = limits.t_off if limits.t_off is not None else limits.qrs_off + round(0.3 * hz)
    after = end - limits.r + round(0.04 * hz)
    for group in range(int(beats.group.max()) + 1):
        at = [
            beat
            for beat in beats.at[beats.group == group].tolist()
            if beat >= before and beat + after <= clean.shape[1]
        ]
        if len(at) < 2:
            continue
        usual = median(np.array([clean[:, beat - before : beat + after] for beat in at]), axis=0)
        usual = without_line(usual)  # what is left of the baseline must not become an edge that looks like a P
        for beat in beats.at[beats.group == group].tolist():
            first, last = max(0, beat - before), min(clean.shape[1], beat + after)
            template[:, first:last] = usual[:, first - beat + before : last - beat + before]
    return template


def _tops(view: Floats, threshold: float, apart: int) -> list[int]:
    inner = view[1:-1]
    found = 1 + np.flatnonzero((inner > view[:-2]) & (inner >= view[2:]) & (inner > threshold))
    kept: list[int] = []
    for at in found[np.argsort(view[found])[::-1]].tolist():
        if all(abs(at - other) >= apart for other in kept):
            kept.append(at)
    return sorted(kept)
