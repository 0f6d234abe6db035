"""When in a day do the ventricles fibrillate, flutter or race in many shapes, and when do they stand still?

Both are asked in two steps, so that a calm day costs next to nothing. Every two seconds the four that follow are
looked at in each lead: a signal with QRS complexes stays near its base line, and flat, for most of the time; one that
quivers does not. What is restless in all leads is then judged as a resting strip is
(:mod:`worker.signal.fibrillation`), in windows of eight seconds; what repeats itself there, or twists, has its name by
its form (:mod:`worker.signal.ventricular_form`), as in a resting strip. Standstill is looked for where no beat was
found for six seconds.

In the 21 records of DS1 without ventricular flutter nothing is restless. By windows of eight seconds, of which the
half must lie in a stretch (``python -m bench.accuracy vf-day``): VFDB Se 95.5 %, Sp 99.5 %; CUDB Se 92.8 %, Sp 95.3 %;
the coefficients have seen both.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from worker.holter.day import Block, Day
from worker.holter.measured import Stretch
from worker.holter.readable import spans_of
from worker.holter.rows import runs_of
from worker.signal import fibrillation, ventricular_form
from worker.signal.beats import describe
from worker.signal.compiled import compiled_finite
from worker.signal.filters import Spectrum, highpass, lowpass
from worker.signal.qrs import detect

Float32s = NDArray[np.float32]
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]
Answer = Literal["calm", "quivers", "races"]
Named = tuple[int, int, str]
"""Start, stop, and which tachycardia it is."""
ONE_SHAPE: Final = ("v_flutter", "monomorphic")
NAMED: Final = ("torsades", "v_flutter", "polymorphic")
"""What a stretch that quivers may be instead of fibrillation."""
ALONE: Final = ("torsades", "v_flutter", "monomorphic")
"""What is believed where no window quivers: what only seems polymorphic is most often noise."""

STEP_S: Final = 2
LOOK_S: Final = 4
NEAR: Final = 0.15
"""Of the usual peak: less is near the base line, and a change of less than this share of the usual change is flat."""
RESTLESS: Final = (0.50, 0.65)
"""Shares of time near the base line and flat below which a lead may quiver: 98 % of VFDB's fibrillation lies below."""
FAINT_UV: Final = 50.0
"""A lead whose peaks stay below says nothing."""
WINDOW_S: Final = 8
HOP_S: Final = 2
MAJORITY: Final = 0.5
"""Of the windows that hold a moment, that must say so: a border then lies within two seconds of where it is."""
JOIN_S: Final = 6
"""Fibrillation does not stop for a few seconds: what parts it is an artefact."""
MARGIN_S: Final = 4
PART_S: Final = 60
TWIST_S: Final = 30
"""Torsades that lasts longer has become fibrillation."""
FORM_S: Final = 10.0
"""So much of a long stretch tells its form."""
POLYMORPHIC_BPM: Final = 150.0
"""As in a resting strip (:mod:`worker.resting.ventricular`)."""
SHAPE_HZ: Final = (1.0, 40.0)
ALIKE: Final = 0.6
REGULAR: Final = 0.15
"""Beats so alike and so regular are of a tachycardia, which the classes of the beats tell."""
EVEN: Final = 0.1
"""An interval differs from the one before by no more than this share in a steady run."""
STEADY_S: Final = 4.0
"""Half a window of such beats is a tachycardia beside whatever rhythm the other half is."""
RACING_S: Final = 0.45
"""More than 133 a minute."""
MIN_UV: Final = 150.0
NO_BEAT_S: Final = 6.0
"""A standstill of six seconds matters without symptoms too (ESC 2018 on syncope, doi:10.1093/eurheartj/ehy037)."""
STILL_UV: Final = fibrillation.STANDSTILL_UV
GONE_UV: Final = 4.0
"""A lead that moves less is not connected."""
EDGE_S: Final = 0.6


def restless(block: Block, broad: Float32s, hz: float, day_hz: float) -> Int64s:
    """Samples of the recording at which four seconds begin that no lead sees calm.

    Args:
        broad: (n_leads, n) µV, 1 to 30 Hz, at ``hz``, the first sample at the block's ``first``, as the search saw it.
        day_hz: the recording's own rate.
    """
    step = round(STEP_S * day_hz)
    starts = np.arange(-(-block.start // step) * step, block.stop, step, dtype=np.int64)
    first = np.rint((starts - block.first) * hz / day_hz).astype(np.int64)
    width = round(LOOK_S * hz)
    fits = (first >= 0) & (first + width <= broad.shape[1])
    shares = _shares(broad, first[fits], width, NEAR, FAINT_UV)
    seen = shares[:, 0] >= 0
    quiet = (shares[:, 0] >= RESTLESS[0]) | (shares[:, 1] >= RESTLESS[1])
    found: Int64s = starts[fits][seen & ~quiet]
    return found


@compiled_finite
def _shares(broad: Float32s, first: Int64s, width: int, near: float, faint: float) -> NDArray[np.float64]:
    """(n, 2) of the calmest lead: share of time near the base line, and flat; -1 where all leads are faint.

    The usual peak is the second largest of four seconds, so that one artefact does not make all else look calm.
    """
    found = np.full((first.size, 2), -1.0)
    quarter = width // 4
    for i in range(first.size):
        for lead in range(broad.shape[0]):
            x = broad[lead, first[i] : first[i] + width]
            top, second, steep, next_steep = np.float32(0), np.float32(0), np.float32(0), np.float32(0)
            for q in range(4):
                peak, change = np.float32(0), np.float32(0)
                for k in range(q * quarter + 1, (q + 1) * quarter):
                    peak = max(peak, abs(x[k]))
                    change = max(change, abs(x[k] - x[k - 1]))
                if peak > top:
                    top, second = peak, top
                else:
                    second = max(second, peak)
                if change > steep:
                    steep, next_steep = change, steep
                else:
                    next_steep = max(next_steep, change)
            if second < faint:
                continue
            low, flat = 0, 0
            for k in range(1, width):
                low += abs(x[k]) < near * second
                flat += abs(x[k] - x[k - 1]) < near * next_steep
            found[i, 0] = max(found[i, 0], low / (width - 1))
            found[i, 1] = max(found[i, 1], flat / (width - 1))
    return found


def rhythms_of(day: Day, suspects: Int64s, at: Int64s, unreadable: Sequence[Stretch] = ()) -> tuple[Stretch, ...]:
    """Fibrillation, flutter, torsades de pointes, other polymorphic tachycardia and standstill, in order of time.

    Their reasons are ``vf``, ``v_flutter``, ``torsades``, ``polymorphic`` and ``asystole``; ``monomorphic`` is what
    repeats as a tachycardia does, of which the search may have lost beats (:mod:`worker.holter.racing`).

    Args:
        suspects: what :func:`restless` found in all blocks, increasing.
        at: (n,) R peaks as found.
        unreadable: no standstill is believed in them; fibrillation is, for it looks like noise.
    """
    found = [*_fibrillating(day, suspects), *_standing(day, at, unreadable)]
    return tuple(sorted(found, key=lambda stretch: stretch.start))


def _fibrillating(day: Day, suspects: Int64s) -> list[Stretch]:
    """Fibrillation; and what repeats, twists or changes its shape, of which the first two are named alone, too."""
    step, margin, look = (round(seconds * day.hz) for seconds in (STEP_S, MARGIN_S, LOOK_S))
    quivering, named = [], []
    for group in _groups(suspects, look + margin):
        first, last = int(group[0]), int(group[-1])
        # one that is alone is too short for a window of eight seconds; half a minute is too long for torsades
        lasts, may_twist = last - first >= step, last - first <= TWIST_S * day.hz
        for start, stop in _parts(first, last + look, round(PART_S * day.hz)):
            begin, end = max(0, start - margin), min(day.n_samples, stop + margin)
            uv = day.block(begin, end, day.independent)
            if lasts:
                quivering += [(begin + a, begin + b) for a, b in _judged(uv, day.hz)]
            named += [
                (begin + a, begin + b, kind) for a, b, kind in _forms(uv, day.hz) if may_twist or kind in ONE_SHAPE
            ]
    spans = _joined(sorted(quivering), round(JOIN_S * day.hz))
    found = [Stretch(start, stop, (), _name(start, stop, named)) for start, stop in spans]
    for kind in ALONE:
        alone = _joined(sorted((a, b) for a, b, other in named if other == kind), margin)
        found += [Stretch(a, b, (), kind) for a, b in alone if not any(a < s.stop and s.start < b for s in found)]
    return found


def _name(start: int, stop: int, named: Sequence[Named]) -> str:
    """What fills most of a stretch that quivers; fibrillation where no form does."""
    for wanted in NAMED:
        within = sum(max(0, min(stop, b) - max(start, a)) for a, b, kind in named if kind == wanted)
        if within >= MAJORITY * (stop - start):
            return wanted
    return "vf"


def _forms(uv: Float32s, hz: float) -> list[Named]:
    """(start, stop, which) of what has a form in (n_leads, n) µV about a group of suspects."""
    part, thin_hz = heard(uv, hz)
    times, found = hz / thin_hz, list[Named]()
    for a, b in ventricular_form.restless(part, thin_hz) if part.size else ():
        middle, half = (a + b) // 2, round(FORM_S * thin_hz / 2)
        form = ventricular_form.form_of(part[:, max(a, middle - half) : min(b, middle + half)], thin_hz)
        kind: str = form.kind
        if form.one_shape:
            kind = "v_flutter" if form.rate_bpm > ventricular_form.FASTEST_BPM else "monomorphic"
        if kind in ("v_flutter", "monomorphic", "torsades") or (
            kind == "polymorphic" and form.rate_bpm >= POLYMORPHIC_BPM
        ):
            found.append((round(a * times), round(b * times), kind))
    return found


def heard(uv: Float32s, hz: float) -> tuple[NDArray[np.float64], float]:
    """Three leads far apart of those that show anything, 1 to 30 Hz, and their rate; empty where none does."""
    rows = np.flatnonzero(np.ptp(uv, axis=1) > MIN_UV)
    if not rows.size:
        return np.zeros((0, 0)), hz
    chosen = uv[rows[fibrillation.far_apart(rows.size)]].astype(np.float64)
    band = fibrillation.band_of(Spectrum(chosen, hz), list(range(len(chosen))))
    return fibrillation.thinned(band, hz, 0, band.shape[1])


def _groups(suspects: Int64s, apart: int) -> list[Int64s]:
    """Those that lie no further apart."""
    return np.split(suspects, np.flatnonzero(np.diff(suspects) > apart) + 1) if suspects.size else []


def _parts(start: int, stop: int, most: int) -> list[tuple[int, int]]:
    """Pieces of at most a minute, so that a long stretch needs no more memory."""
    return [(begin, min(stop, begin + most)) for begin in range(start, stop, most)]


def _joined(spans: list[tuple[int, int]], gap: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, stop in spans:
        if joined and start <= joined[-1][1] + gap:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return joined


def _judged(uv: Float32s, hz: float) -> list[tuple[int, int]]:
    """(start, stop) samples of a strip in which most of the windows around see fibrillation.

    Of the windows that hold the end of a tachycardia some hold little of anything else: what they say for no longer
    than a window lasts is not believed.
    """
    width, hop = round(WINDOW_S * hz), round(HOP_S * hz)
    hops = WINDOW_S // HOP_S
    starts = range(0, uv.shape[1] - width + 1, hop)
    said, asked = np.zeros(len(starts) + hops - 1), np.zeros(len(starts) + hops - 1)

    def answer(number: int) -> Answer:
        part = uv[:, starts[number] : starts[number] + width].astype(np.float64)
        rows = np.flatnonzero(np.ptp(part, axis=1) > GONE_UV).tolist()
        return said_of(part, rows, hz) if rows else "calm"

    races = np.zeros(said.size, bool)
    for number, found in enumerate(_answers(len(starts), answer)):
        asked[number : number + hops] += 1
        said[number : number + hops] += found == "quivers"
        races[number : number + hops] |= found == "races"
    spans = [(a, b) for a, b in runs_of(said >= MAJORITY * np.maximum(asked, 1)) if b - a >= 2]
    return [(a * hop, b * hop) for a, b in spans if b - a > hops or not races[a:b].any()]


def _answers(n: int, answer: Callable[[int], Answer]) -> list[Answer]:
    """What each of n windows says; one between two that agree is not asked, which halves the work.

    >>> asked = []
    >>> _answers(5, lambda number: asked.append(number) or ("quivers" if number > 2 else "calm")), asked
    (['calm', 'calm', 'calm', 'quivers', 'quivers'], [0, 2, 4, 3])
    """
    said = {number: answer(number) for number in range(0, n, 2)}
    for number in range(1, n, 2):
        before, after = said[number - 1], said.get(number + 1)
        said[number] = before if before == after else answer(number)
    return [said[number] for number in range(n)]


def said_of(uv: NDArray[np.float64], rows: list[int], hz: float) -> Answer:
    """Whether the ventricles fibrillate or flutter in this window of some seconds, or race regularly half of it.

    Args:
        uv: (n_leads, n) µV.
        rows: the leads that are connected.
    """
    spectrum = Spectrum(uv, hz)
    shape = spectrum.band(
        highpass(spectrum.frequencies, SHAPE_HZ[0]) * lowpass(spectrum.frequencies, SHAPE_HZ[1]), rows
    )
    beats = describe(shape, detect(spectrum, rows).beats, hz)
    looks = fibrillation.stretches(spectrum, rows, beats, forms=False)
    if max(look.span_uv for look in looks) < MIN_UV:
        return "calm"
    rr = np.diff(beats.at)
    steady = _steady(beats.group, rr) >= STEADY_S * hz
    if steady and np.median(rr) <= RACING_S * hz:
        return "races"
    odds = np.array([[look.quivers, look.races, 0.0] for look in looks])
    likely = (odds - np.log(np.exp(odds).sum(axis=1, keepdims=True))).mean(axis=0)
    if steady or likely[:2].max() <= likely[2]:
        return "calm"
    if rr.size < 2:
        return "quivers"
    alike = float(np.bincount(beats.group).max()) / beats.at.size
    unlike = alike < ALIKE
    formless = unlike or rr.std() / rr.mean() >= REGULAR
    return "quivers" if formless and (likely[0] >= likely[1] or unlike) else "calm"


def _steady(group: NDArray[np.int_], rr: NDArray[np.int_]) -> int:
    """Samples of the longest run of beats that are alike and even: of a tachycardia that begins or ends in the window.

    >>> _steady(np.array([1, 2, 0, 0, 0, 0, 0]), np.array([824, 816, 328, 320, 328, 320]))
    1296
    """
    longest = first = 0
    for n in range(1, rr.size + 1):
        # interval n - 1 ends at beat n
        goes_on = n - 1 > first and group[n] == group[n - 1] and abs(rr[n - 1] - rr[n - 2]) <= EVEN * rr[n - 2]
        if not goes_on:
            first = n - 1 if group[n] == group[n - 1] else n
        longest = max(longest, int(rr[first:n].sum()))
    return longest


def _standing(day: Day, at: Int64s, unreadable: Sequence[Stretch]) -> list[Stretch]:
    """Where no beat was found for long and every connected lead lies still."""
    hz = day.hz
    ends = np.concatenate([[0], at, [day.n_samples]])
    doubtful = spans_of(unreadable, hz)
    found = []
    for row in np.flatnonzero(np.diff(ends) >= NO_BEAT_S * hz).tolist():
        start, stop = int(ends[row]), int(ends[row + 1])
        if doubtful.touched(np.array([start / hz]), np.array([stop / hz]))[0]:
            continue
        inside = (start + round(EDGE_S * hz), stop - round(EDGE_S * hz))
        still = _still(day, *inside)
        found += [Stretch(inside[0] + a, inside[0] + b, (), "asystole") for a, b in still]
    return found


def _still(day: Day, start: int, stop: int) -> list[tuple[int, int]]:
    """Seconds in which all connected leads lie still, where they last long enough."""
    second = round(day.hz)
    calm = []
    for begin in range(start, stop - second + 1, second):
        span = np.ptp(day.block(begin, begin + second, day.independent), axis=1)
        connected = span > GONE_UV
        calm.append(bool(connected.any()) and bool((span[connected] < STILL_UV).all()))
    least = NO_BEAT_S - 2 * EDGE_S - 1
    return [(a * second, b * second) for a, b in runs_of(np.array(calm, bool)) if b - a >= least]
