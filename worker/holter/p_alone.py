"""Do the atria go on where the ventricles stand still?

P waves that nothing follows are standstill, and the search misses it in both ways: it takes them for beats where
nothing larger is near, or finds nothing, and behind the last beat of a recording nothing tells how long that lasts.
So where the beats are as small and as gentle as P (:mod:`worker.resting.p_alone`), and where none was found for
long, some seconds are looked at: waves that are as small in every lead, far smaller than the day's QRS, and come
again at an even distance are P waves alone.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.day import Day
from worker.holter.measured import Beats, Stretch, Template
from worker.holter.readable import Spans, spans_of
from worker.holter.rows import runs_of
from worker.resting.p_alone import LARGEST_UV, STEEPEST_UV_PER_MS
from worker.signal.filters import Spectrum, highpass, lowpass

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

LEAST_S: Final = 6.0
"""As any standstill of a day (:mod:`worker.holter.vf`)."""
LEAST_UV: Final = 40.0
"""Smaller waves are not told from noise."""
OF_QRS: Final = 0.4
"""A P of 0.31 mV beside a QRS of 0.8 mV; what is larger beside its QRS may be a beat of another shape."""
LEAST_QRS_UV: Final = 500.0
"""Beside a smaller one a P is not told by its size, nor by its absence."""
USUAL_BEATS: Final = 20
AROUND_S: Final = 0.06
RISE_S: Final = 0.008
BAND_HZ: Final = (1.0, 15.0)
PERIOD_S: Final = (0.4, 1.6)
AGAIN: Final = 0.5
"""Autocorrelation at the period, in the lead that shows it best."""
SHARP: Final = 0.25
"""Half a period later it is so much less: a sine is respiration or mains, P stands alone."""
LOOK_S: Final = 6.0
MOST_LOOKS: Final = 60
MOST_GAPS: Final = 30
MOST_OF_IT: Final = 0.5
"""Of the looks into a gap, which speak for all of it: noise may hide P, nothing else makes it."""
LEAST_LEADS: Final = 2
"""Without any QRS in the recording one lead is not enough."""
EDGE_S: Final = 0.5


def p_alone(
    day: Day, beats: Beats, templates: Sequence[Template], unreadable: Sequence[Stretch]
) -> tuple[Beats, tuple[Stretch, ...]]:
    """(the beats without P waves that were taken for some, the stretches in which nothing but P waves stands)."""
    if not day.recording.calibrated:
        return beats, ()
    largest = {template.id: _size(day, template) for template in templates}
    usual = [size for template, (size, gentle) in _sized(templates, largest) if not gentle and template >= USUAL_BEATS]
    limit_uv = min(LARGEST_UV, OF_QRS * max(usual)) if usual else LARGEST_UV
    if (usual and max(usual) < LEAST_QRS_UV) or (not usual and len(day.independent) < LEAST_LEADS):
        return beats, ()
    small = np.array([key for key, (size, gentle) in largest.items() if gentle and size <= limit_uv], np.int64)
    is_small: Bools = np.isin(beats.template, small)
    ends = np.concatenate([[0], beats.sample[~is_small], [day.n_samples]])
    found, left_out = [], spans_of(unreadable, day.hz)
    gaps = np.flatnonzero(np.diff(ends) >= LEAST_S * day.hz)
    for row in np.sort(gaps[np.argsort(-np.diff(ends)[gaps], kind="stable")[:MOST_GAPS]]).tolist():
        found += _marching(day, int(ends[row]), int(ends[row + 1]), limit_uv, left_out)
    inside = spans_of(found, day.hz).inside(beats.sample / day.hz) & is_small
    kept = ~inside
    return (beats if kept.all() else _kept(beats, kept)), tuple(found)


def _sized(
    templates: Sequence[Template], largest: dict[int, tuple[float, bool]]
) -> list[tuple[int, tuple[float, bool]]]:
    return [(template.beats, largest[template.id]) for template in templates]


def _kept(beats: Beats, kept: Bools) -> Beats:
    columns = ("sample", "label", "confidence", "template", "qrs_ms", "p_wave")
    return Beats(*(getattr(beats, name)[kept] for name in columns))


def _size(day: Day, template: Template) -> tuple[float, bool]:
    """(µV from top to bottom in the lead that shows it best, whether no lead rises faster than a P may)."""
    around = round(AROUND_S * template.hz)
    first = max(0, template.r_index - around)
    wave = template.median_uv[list(day.independent), first : template.r_index + around + 1].astype(np.float64)
    if wave.shape[1] < 2:
        return 0.0, False
    steepest = float(np.abs(np.diff(wave, axis=1)).max()) * template.hz / 1000
    return float(np.ptp(wave, axis=1).max()), steepest <= STEEPEST_UV_PER_MS


def _marching(day: Day, start: int, stop: int, limit_uv: float, left_out: Spans) -> list[Stretch]:
    """The stretches of a gap in which waves as small as P come again and again."""
    edge, look = round(EDGE_S * day.hz), round(LOOK_S * day.hz)
    first, last = (start + edge if start else 0), (stop - edge if stop < day.n_samples else stop)
    if last - first < look:
        first, last = max(0, min(first, last - look)), min(day.n_samples, max(last, first + look))
    step = max(look, (last - first) // MOST_LOOKS)
    begins = np.arange(first, max(first + 1, last - look + 1), step)
    shows = np.array(
        [
            left_out.seconds(begin / day.hz, (begin + look) / day.hz) == 0
            and shows_p(day.block(begin, begin + look, day.independent), day.hz, limit_uv)
            for begin in begins.tolist()
        ],
        bool,
    )
    if shows.mean() >= MOST_OF_IT:
        shows[:] = True
    return [
        Stretch(int(begins[a]), min(stop, int(begins[b - 1]) + step if b < begins.size else last), (), "p_alone")
        for a, b in runs_of(shows)
    ]


def shows_p(uv: NDArray[np.float32], hz: float, limit_uv: float = LARGEST_UV) -> bool:
    """Whether (n_leads, n) µV of some seconds hold nothing but small gentle waves at an even distance.

    >>> seconds = np.arange(0, 6, 1 / 250)
    >>> p = 120 * np.exp(-(((seconds % 0.8 - 0.4) / 0.03) ** 2))
    >>> qrs = 900 * np.exp(-(((seconds % 0.8 - 0.4) / 0.012) ** 2))
    >>> shows_p(np.float32(p[None]), 250), shows_p(np.float32(qrs[None]), 250), shows_p(np.float32(0 * p[None]), 250)
    (True, False, False)
    """
    spectrum = Spectrum(uv.astype(np.float64), hz)
    shape = highpass(spectrum.frequencies, BAND_HZ[0]) * lowpass(spectrum.frequencies, BAND_HZ[1])
    band = spectrum.band(shape, list(range(len(uv))))
    sizes = np.ptp(band, axis=1)
    rise = max(1, round(RISE_S * hz))
    steepest = float(np.abs(uv[:, rise:] - uv[:, :-rise]).max()) / (1000 * rise / hz)
    if sizes.max() > limit_uv or sizes.max() < LEAST_UV or steepest > STEEPEST_UV_PER_MS:
        return False
    return any(_again(lead, hz) for lead in band[sizes >= LEAST_UV])


def _again(lead: Floats, hz: float) -> bool:
    """Whether a lead repeats itself at the distance of P waves, and stands still between them."""
    length = 1 << int(np.ceil(np.log2(2 * lead.size)))
    power = np.abs(np.fft.rfft(lead - lead.mean(), length)) ** 2
    high = round(PERIOD_S[1] * hz) + 1
    again = np.fft.irfft(power, length)[: high + 1]
    again = again / max(float(again[0]), 1e-9) * lead.size / np.arange(lead.size, lead.size - high - 1, -1)
    low = round(PERIOD_S[0] * hz)
    at = low + int(np.argmax(again[low:high]))
    if at // 2 >= low and again[at // 2 - 1 : at // 2 + 2].max() >= AGAIN:
        at //= 2  # two periods later all is alike as well
    return bool(again[at] >= AGAIN and again[at // 2] >= -AGAIN and again[at] - again[at // 2] >= SHARP)
