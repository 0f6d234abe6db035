"""Did the search find every beat of a tachycardia?

Broad waves with no line between them hide one another: of a tachycardia that comes suddenly the search may take every
second one for T, and a run at 170/min is said to be an idioventricular rhythm at 85. The signal tells: where all of it
is one shape again and again (:mod:`worker.signal.ventricular_form`), its period is that of the beats. So stretches that
the signal calls a tachycardia of one shape, and runs of ventricular beats that are slow, are compared with their own
period; where beats are missing, they are counted anew, one for each period.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.day import Day
from worker.holter.measured import Beats, Label, Stretch, Template
from worker.holter.rows import runs_of
from worker.holter.vf import heard
from worker.signal import ventricular_form

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

SLOW_S: Final = (0.45, 1.2)
"""Mean interval of the runs of ventricular beats that are asked: twice as fast they are a tachycardia to 270/min."""
RUN_BEATS: Final = 3
MOST: Final = 40
"""Runs that are asked, the longest ones: 3 ms each."""
MORE: Final = 1.15
"""The period's rate over that of the beats, above which some were lost (:mod:`worker.resting.ventricular`)."""
FORM_S: Final = 10.0
PART_S: Final = 30.0
CONFIDENCE: Final = 0.95
EDGE: Final = 0.5
"""Of an interval, by which a run goes on beyond its first and last beat."""
NEAR: Final = 0.25
"""Of a period, by which a wave may come early or late."""


def recounted(day: Day, beats: Beats, racing: Sequence[Stretch]) -> Beats:
    """The beats with those in place that the search lost in tachycardias.

    Args:
        racing: stretches that are of one shape, as the signal says.
    """
    for start, stop in [(stretch.start, stretch.stop) for stretch in racing] + _slow_runs(day, beats):
        beats = _in_step(day, beats, start, stop)
    return beats


def counted(templates: Sequence[Template], beats: Beats) -> tuple[Template, ...]:
    """The shapes with how many of these beats each has."""
    most = max((template.id for template in templates), default=0)
    count = np.bincount(beats.template[beats.template >= 0], minlength=most + 1)
    return tuple(replace(template, beats=int(count[template.id])) for template in templates)


def _slow_runs(day: Day, beats: Beats) -> list[tuple[int, int]]:
    """Samples of the runs of ventricular beats that would be a tachycardia if every second one had been lost."""
    first, stop = np.array(runs_of(beats.label == Label.V), np.int64).reshape(-1, 2).T
    begin, end, n = beats.sample[first], beats.sample[stop - 1], stop - first
    interval = (end - begin) / np.maximum(n - 1, 1)
    asked = (n >= RUN_BEATS) & (interval / day.hz >= SLOW_S[0]) & (interval / day.hz <= SLOW_S[1])
    beyond = np.rint(EDGE * interval[asked]).astype(np.int64)
    starts, stops = begin[asked] - beyond, end[asked] + beyond
    longest = np.argsort(starts - stops, kind="stable")[:MOST]
    return sorted(zip(starts[longest].tolist(), stops[longest].tolist(), strict=True))


def _in_step(day: Day, beats: Beats, start: int, stop: int) -> Beats:
    """The beats with one for each period of this stretch, where it is of one shape and has fewer."""
    inside = np.flatnonzero((beats.sample >= start) & (beats.sample < stop))
    middle, half = (start + stop) // 2, min((stop - start) // 2, round(FORM_S * day.hz / 2))
    part, hz = heard(day.block(middle - half, middle + half, day.independent), day.hz)
    form = ventricular_form.form_of(part, hz) if part.size else ventricular_form.NO_FORM
    expected = form.rate_bpm / 60 * (stop - start) / day.hz
    if not form.one_shape or form.rate_bpm > ventricular_form.FASTEST_BPM or expected < MORE * max(1, inside.size):
        return beats
    at = _waves(day, start, stop, 60 / form.rate_bpm)
    if at.size <= inside.size:
        return beats
    return _replaced(beats, inside, at)


def _waves(day: Day, start: int, stop: int, period_s: float) -> Int64s:
    """(n,) samples of one wave each period: where the signal is most like one period of itself."""
    part, hz = heard(day.block(start, stop, day.independent), day.hz)
    period, near = period_s * hz, max(1, round(NEAR * period_s * hz))
    width = round(period)
    middle = max(0, part.shape[1] // 2 - width)
    place = middle + int(np.argmax((part[:, middle : middle + width] ** 2).sum(axis=0)))
    first = min(max(0, place - width // 2), max(0, part.shape[1] - width))
    like = _likeness(part, part[:, first : first + width])
    found = [first]
    for step in (period, -period):
        at = first + step
        while 0 <= at < like.size:
            low = max(0, round(at) - near)
            at = low + int(np.argmax(like[low : round(at) + near + 1]))
            found.append(int(at))
            at += step
    places = np.unique(found) + (place - first)
    samples: Int64s = start + np.rint(places * day.hz / hz).astype(np.int64)
    return samples[(samples >= start) & (samples < stop)]


def _likeness(part: Floats, usual: Floats) -> Floats:
    """(n,) product of every window with one period, over the window's size."""
    width = usual.shape[1]
    level = usual - usual.mean(axis=1, keepdims=True)
    product = sum(np.correlate(lead, mine, "valid") for lead, mine in zip(part, level, strict=True))
    power = np.cumsum(np.pad((part**2).sum(axis=0), (1, 0)))
    like: Floats = product / np.sqrt(np.maximum(power[width:] - power[:-width], 1e-9))
    return like


def _replaced(beats: Beats, inside: Int64s, at: Int64s) -> Beats:
    """The beats with these ventricular ones instead of those."""
    own = beats.template[inside][beats.label[inside] == Label.V]
    template = int(np.bincount(own[own >= 0]).argmax()) if (own >= 0).any() else -1
    width = beats.qrs_ms[inside]
    qrs_ms = int(np.median(width[width > 0])) if (width > 0).any() else 0
    new = Beats(
        at, np.full(at.size, Label.V, np.uint8), np.full(at.size, CONFIDENCE, np.float32),
        np.full(at.size, template, np.int32), np.full(at.size, qrs_ms, np.int16), np.full(at.size, np.nan, np.float32),
    )  # fmt: skip
    kept = np.ones(len(beats), bool)
    kept[inside] = False
    columns = ("sample", "label", "confidence", "template", "qrs_ms", "p_wave")
    order = np.argsort(np.concatenate([beats.sample[kept], at]), kind="stable")
    return Beats(*(np.concatenate([getattr(beats, name)[kept], getattr(new, name)])[order] for name in columns))
