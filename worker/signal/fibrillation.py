"""Do the ventricles beat at all, or do they quiver, or race, or stand still?

Ventricular fibrillation has no steep QRS and is close to a sine of changing shape: shifted by half its mean period and
added to itself it cancels (Kuo and Dillman 1978, "Computer detection of ventricular fibrillation"; the leakage measure
as in Jekova, doi:10.1088/0967-3334/21/4/301); its spectrum is one narrow hill (moments M, A1 to A3 of Barro 1989,
doi:10.1016/0141-5425(89)90025-2). One such measure does not tell it from broad tachycardia or from motion; here 33 of
them (those, steepness, autocorrelation, crossings of zero, the height of each second, and what the beat detector made
of it) enter two logistic regressions over eight seconds: it quivers, or not; it quivers or races, or neither. What
differs from the published detectors: heights count by the second, so that one shock or blow does not make all else look
calm; and where most seconds are near the base line nothing is asked at all, which is nineteen of twenty 12-lead
records. The coefficients are in :mod:`worker.signal.fibrillation_weights`, with what they were fitted on.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from worker.signal.beats import Beats
from worker.signal.fibrillation_weights import CENTRE, COEFFICIENTS, SCALE
from worker.signal.filters import Floats, Spectrum
from worker.signal.order import median, quantile
from worker.signal.ventricular_form import NO_FORM, Form, form_of

BAND_HZ: Final = (1.0, 30.0)
LOOKS_HZ: Final = 125.0
WINDOW_S: Final = 8.0
HOP_S: Final = 4.0
LEADS: Final = 3
"""So many, far apart, say what all say."""
STANDSTILL_UV: Final = 100.0
"""Peak to peak: less in every lead of a connected patient is no heart beat (AHA's fine VF begins at 0.1 to 0.2 mV)."""
MIN_UV: Final = 150.0
FASTEST_HZ: Final = 9.5
"""A signal whose mean rate is higher is tremor or mains; of VFDB's and CUDB's fibrillation that is found none is."""
CALM: Final = 0.65
"""Share of time near the base line above which the ventricles beat: no window of VFDB and CUDB that the regressions
call fibrillation or tachycardia has more, 94 % of the windows with twelve leads have."""
CALM_ODDS: Final = -9.0
LIMITS: Final = (0.7, 1.1)
"""Log odds from which it is said, by the figures left out by record (``bench.accuracy.fit_vf``)."""
REGULAR: Final = (0.9, 0.06)
"""(share of alike beats, spread of RR over its mean): a monomorphic tachycardia, not fibrillation, like a signal that
repeats itself (:mod:`worker.signal.ventricular_form`). What is less even is flutter or fibrillation for who has to act
(AHA 1997, doi:10.1161/01.CIR.95.6.1677: the two are shocked alike)."""
NEAR_BASELINE: Final = 0.15
PEAK_HZ: Final = (1.0, 12.0)
LINE_HZ: Final = 0.6
STEEP_HZ: Final = 12.0
LAG_S: Final = (0.15, 1.2)
N_FFT: Final = 1024
MAIN_HZ: Final = (0.5, 9.0)
MOMENT_UP_TO: Final = 20
MOMENT_LEAST: Final = 0.05
HARMONIC_HZ: Final = 0.3
FEW_BEATS: Final = (0.0, 0.0, 1.0, 0.0, 3.0, 0.0, 3.0, 1.0)
NAMES: Final = (
    "leakage", "rate_hz", "near", "peak_hz", "concentration", "harmonics", "steep", "slope_kurtosis", "kurtosis",
    "again", "again_s", "opposite", "height", "height_spread", "height_least", "m", "a1", "a2", "a3", "flat", "slope",
    "crossing_spread", "crossings_hz", "cycle_spread", "span", "beats_hz", "alike", "irregular", "width_s", "size",
    "forms", "rr_s", "rr_change",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some seconds of the recording."""

    start_s: float
    end_s: float
    leakage: float
    """Mean over leads: below 0.45 nearly a sine, above 0.6 a signal with QRS complexes."""
    rate_hz: float
    span_uv: float
    """Largest peak to peak of any lead."""
    quivers: float
    """Log odds of fibrillation against all else, less the limit: above 0 it is."""
    races: float
    """Log odds of fibrillation or ventricular tachycardia against neither, less the limit."""
    regular: bool
    """Beats so alike and even, or a signal that so repeats itself, that what races is a tachycardia."""
    form: Form = NO_FORM
    """Where it quivers or races; else not asked."""

    @property
    def says(self) -> Literal["F", "T", "N"]:
        """``F`` the ventricles quiver or flutter, ``T`` they race, ``N`` neither, or too small or too quick to tell."""
        if self.span_uv < MIN_UV or self.rate_hz > FASTEST_HZ or max(self.quivers, self.races) <= 0:
            return "N"
        return "F" if self.quivers > 0 and not self.regular else "T"


def stretches(spectrum: Spectrum, rows: list[int], beats: Beats, *, forms: bool = True) -> list[Stretch]:
    """Windows of eight seconds, the last one ending with the recording; one window of what is shorter.

    Args:
        forms: whether the form is wanted where it quivers or races; it costs as much as all else, and without it a
            tachycardia is ``regular`` by its beats alone.
    """
    hz, band = spectrum.hz, band_of(spectrum, rows)
    n, width = band.shape[1], round(WINDOW_S * hz)
    hops = int(np.ceil(max(0, n - width) / (HOP_S * hz)))
    found = []
    for first in np.linspace(0, max(0, n - width), hops + 1).astype(int).tolist():
        last = min(n, first + width)
        span = float(np.ptp(band[:, first:last], axis=1).max(initial=0.0))
        part, thin_hz = thinned(band, hz, first, last)
        if calm(part, thin_hz):
            found.append(Stretch(first / hz, last / hz, 1.0, 0.0, span, CALM_ODDS, CALM_ODDS, regular=False))
            continue
        values = window_measures(part, thin_hz, span, of_beats(beats, first, last, hz))
        quivers, races = (score(values) - LIMITS).tolist()
        leakage, rate = float(values[0]), float(values[1])
        form = form_of(part, thin_hz) if forms and max(quivers, races) > 0 else NO_FORM
        even = regular(values) or form.kind == "monomorphic"
        found.append(Stretch(first / hz, last / hz, leakage, rate, span, quivers, races, regular=even, form=form))
    return found


def band_of(spectrum: Spectrum, rows: list[int]) -> Floats:
    """(n_leads, n) µV, 1 to 30 Hz."""
    return spectrum.between(*BAND_HZ, rows)


def thinned(band: Floats, hz: float, first: int, last: int) -> tuple[Floats, float]:
    """These samples of at most three leads far apart, and their rate of about 125 Hz."""
    step = max(1, int(hz // LOOKS_HZ))
    return band[far_apart(len(band)), first:last:step], hz / step


def far_apart(count: int) -> list[int]:
    """Rows, at most :data:`LEADS`, of so many."""
    return np.linspace(0, count - 1, LEADS).astype(int).tolist() if count > LEADS else list(range(count))


def calm(part: Floats, hz: float) -> bool:
    """Whether (n_leads, n) µV lies near its base line for most of the time, in units of the usual second's peak.

    >>> seconds = np.arange(0, 8, 1 / 125)
    >>> spikes = 900 * np.exp(-(((seconds % 0.8 - 0.4) / 0.02) ** 2))
    >>> calm(spikes[None], 125), calm(900 * np.sin(2 * np.pi * 4 * seconds)[None], 125)
    (True, False)
    """
    size, second = np.abs(part), int(hz)
    whole = size.shape[1] // second
    peaks = np.sort(size[:, : whole * second].reshape(len(size), whole, second).max(axis=2), axis=1)
    near = size < NEAR_BASELINE * peaks[:, whole // 2, None]
    return bool(near.mean() > CALM)


def window_measures(part: Floats, hz: float, span_uv: float, about_beats: Floats) -> Floats:
    """(33,) in the order of :data:`NAMES`, of (n_leads, n) µV at about 125 Hz and of what :func:`of_beats` says."""
    part = part - part.mean(axis=1, keepdims=True)
    by_lead = np.concatenate([measures(part, hz), _heights(part, hz), _moments(part, hz), _cycles(part, hz)], axis=1)
    return np.concatenate([np.nan_to_num(by_lead).mean(axis=0), [np.log(span_uv + 1)], about_beats])


def score(values: Floats) -> Floats:
    """(2,) log odds from the 33 measures: it quivers; it quivers or races."""
    scaled = np.clip((values - CENTRE) / SCALE, -3, 3)
    odds: Floats = np.concatenate([scaled, scaled**2, [1.0]]) @ COEFFICIENTS
    return odds


def regular(values: Floats) -> bool:
    """Whether the beats are so alike and even that what races is a tachycardia."""
    alike, irregular = (values[NAMES.index(name)] for name in ("alike", "irregular"))
    return bool(alike >= REGULAR[0] and irregular < REGULAR[1])


def measures(part: Floats, hz: float) -> Floats:
    """(n_leads, 12) of (n_leads, n) µV, zero mean."""
    n = part.shape[1]
    size = np.abs(part)
    top = np.maximum(quantile(size, 0.99), 1e-6)
    steps = np.diff(part, axis=1)
    period = 2 * np.pi * size.sum(axis=1) / np.maximum(np.abs(steps).sum(axis=1), 1e-6)
    peak, concentration, harmonics, steep = _spectral(part, hz)
    correlation = _autocorrelation(part)
    low, high = round(LAG_S[0] * hz), min(round(LAG_S[1] * hz), n // 2)
    again = correlation[:, low:high]
    return np.stack(
        [
            _leakage(part, period),
            np.clip(hz / np.maximum(period, 1.0), 0, 12),
            (size < NEAR_BASELINE * top[:, None]).mean(axis=1),
            peak,
            concentration,
            harmonics,
            steep,
            np.log(_kurtosis(steps)),
            np.log(_kurtosis(part)),
            again.max(axis=1),
            (low + again.argmax(axis=1)) / hz,
            correlation[:, : round(0.6 * hz)].min(axis=1),
        ],
        axis=1,
    )


def _leakage(part: Floats, period: Floats) -> Floats:
    """(n_leads,) what is left when the signal is added to itself half a mean period later."""
    found = np.ones(len(part))
    for number, half in enumerate(np.rint(period / 2).astype(int).tolist()):
        if 1 <= half < part.shape[1] // 2:
            now, before = part[number, half:], part[number, :-half]
            found[number] = np.abs(now + before).sum() / max(float((np.abs(now) + np.abs(before)).sum()), 1e-6)
    return found


def _spectral(part: Floats, hz: float) -> tuple[Floats, Floats, Floats, Floats]:
    """(Hz of the largest line, its share of the power, that of its harmonics, that above 12 Hz)."""
    length = max(N_FFT, part.shape[1])
    power = np.abs(np.fft.rfft((part - part.mean(axis=1, keepdims=True)) * np.hanning(part.shape[1]), length)) ** 2
    frequencies = np.fft.rfftfreq(length, 1 / hz)
    inside = (frequencies >= PEAK_HZ[0]) & (frequencies <= PEAK_HZ[1])
    peak = frequencies[inside][power[:, inside].argmax(axis=1)]
    total = power[:, (frequencies >= 0.8) & (frequencies < BAND_HZ[1])].sum(axis=1) + 1e-9

    def line(times: int) -> Floats:
        near = np.abs(frequencies - times * peak[:, None]) < LINE_HZ
        return np.asarray((power * near).sum(axis=1) / total)

    steep = power[:, (frequencies >= STEEP_HZ) & (frequencies < BAND_HZ[1])].sum(axis=1) / total
    return peak, line(1), line(2) + line(3) + line(4), steep


def _autocorrelation(part: Floats) -> Floats:
    n = part.shape[1]
    power = np.abs(np.fft.rfft(part - part.mean(axis=1, keepdims=True), 2 * n)) ** 2
    found = np.fft.irfft(power, 2 * n)[:, :n]
    normal: Floats = found / np.maximum(found[:, :1], 1e-9) * n / np.arange(n, 0, -1)
    return normal


def _kurtosis(values: Floats) -> Floats:
    power = (values - values.mean(axis=1, keepdims=True)) ** 2  # ** 4 would take a hundred times as long
    return np.asarray((power**2).mean(axis=1) / np.maximum(power.mean(axis=1) ** 2, 1e-9) + 1e-6)


def _heights(part: Floats, hz: float) -> Floats:
    """(n_leads, 3): log µV of the usual second, spread of the seconds' heights, the least over the largest."""
    second = int(hz)
    whole = max(1, part.shape[1] // second)
    height = np.ptp(part[:, : whole * second].reshape(len(part), whole, -1), axis=2)
    least = height.min(axis=1) / (height.max(axis=1) + 1e-6)
    spread = height.std(axis=1) / (height.mean(axis=1) + 1e-6)
    return np.stack([np.log(median(height, axis=1) + 1), spread, least], axis=1)


def _moments(part: Floats, hz: float) -> Floats:
    """(n_leads, 4): M, A1, A2, A3 of the amplitude spectrum around its largest line, what is small left out."""
    size = np.abs(np.fft.rfft(part * np.hanning(part.shape[1]), axis=1))
    frequencies = np.fft.rfftfreq(part.shape[1], 1 / hz)
    inside = (frequencies > MAIN_HZ[0]) & (frequencies < MAIN_HZ[1])
    main = frequencies[inside][size[:, inside].argmax(axis=1)][:, None]
    size[size < MOMENT_LEAST * size[:, inside].max(axis=1, keepdims=True)] = 0
    heard = (frequencies > MAIN_HZ[0]) & (frequencies <= np.minimum(MOMENT_UP_TO * main, BAND_HZ[1]))
    total = (size * heard).sum(axis=1) + 1e-9
    moment = (size * heard * frequencies).sum(axis=1) / main[:, 0]
    below = (size * ((frequencies > MAIN_HZ[0]) & (frequencies < main / 2))).sum(axis=1)
    around = (size * ((frequencies >= 0.7 * main) & (frequencies <= 1.4 * main))).sum(axis=1)
    times = frequencies / main
    nearest = np.clip(np.rint(times), 2, 8)
    multiples = (size * (np.abs(times - nearest) * main <= HARMONIC_HZ)).sum(axis=1)
    shares: Floats = np.stack([moment, below, around, multiples], axis=1) / total[:, None]
    return shares


def _cycles(part: Floats, hz: float) -> Floats:
    """(n_leads, 5): share of flat time, log of the steepest slope, and of the cycles between upward crossings of zero
    the spread of their lengths, how many a second, the spread of their heights."""
    steps = np.abs(np.diff(part, axis=1))
    steepest = quantile(steps, 0.995)
    flat = (steps < NEAR_BASELINE * steepest[:, None]).mean(axis=1)
    slope = np.log(steepest / (quantile(np.abs(part), 0.98) + 1e-6) * hz + 1e-6)
    rows = []
    for lead in part:
        at = np.flatnonzero((lead[:-1] < 0) & (lead[1:] >= 0))
        lengths = np.diff(at)
        lengths_spread = _spread(lengths) if lengths.size > 2 else 1.0
        heights_spread = 2.0
        if at.size > 3:
            inside = lead[: at[-1]]
            heights = np.maximum.reduceat(inside, at[:-1]) - np.minimum.reduceat(inside, at[:-1])
            heights_spread = _spread(heights)
        rows.append((lengths_spread, at.size * hz / lead.size, heights_spread))
    return np.concatenate([np.stack([flat, slope], axis=1), np.array(rows).reshape(-1, 3)], axis=1)


def _spread(values: NDArray[Any]) -> float:
    """Standard deviation over mean of a few values, in half of numpy's time."""
    mean = values.sum() / values.size
    off = values - mean
    return float(np.sqrt((off * off).sum() / values.size) / mean)


def of_beats(beats: Beats, first: int, last: int, hz: float) -> Floats:
    """(8,) what the detector made of it: beats a second, share of alike ones, irregularity, width, size, how many
    forms for each beat, the median interval and how far the intervals lie from it."""
    inside = (beats.at >= first) & (beats.at < last)
    count = int(inside.sum())
    if not count:
        return np.array(FEW_BEATS)
    rr, group = np.diff(beats.at[inside]) / hz, beats.group[inside]
    irregular = _spread(rr) if rr.size > 1 else 1.0
    usual = float(median(rr)) if rr.size else 3.0
    change = float(median(np.abs(rr / usual - 1))) if rr.size > 2 else 1.0
    size = float(np.log(max(float(median(beats.size[inside])), 1.0)))
    return np.array([
        min(count * hz / (last - first), 6.0), np.bincount(group).max() / count, min(irregular, 1.0),
        median(beats.width_s[inside]), min(max(size, 3.0), 8.0), len(set(group.tolist())) / count, min(usual, 3.0),
        change,
    ])  # fmt: skip
