"""Is the usual beat of a day, or of a part of it, that of a ventricular tachycardia?

The classes call a beat ventricular because it is unlike the usual one. Where a recording begins and ends in a
tachycardia, or in one of two shapes that take turns, there is no other: all is called normal, and a tachycardia of
170/min sinus. So where broad beats come fast and evenly, strips are read as a resting ECG is
(:mod:`worker.resting.rhythm`, :mod:`worker.resting.ventricular`): without P waves before them they are a tachycardia
of broad QRS 宽QRS波心动过速, of two shapes in turn a bidirectional one. A shape that is usual at slow rates, too, is a
bundle branch block.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from worker.holter.blocks import STRIP_S, Looker
from worker.holter.day import Day
from worker.holter.measured import Beats, Label, Stretch
from worker.holter.readable import spans_of
from worker.holter.rows import runs_of
from worker.resting.rhythm import rhythm_of
from worker.resting.ventricular import name_ventricular

FAST_S: Final = 0.60
SLOW_S: Final = 60 / 90
"""At rates below 90/min a shape that conducts is at home."""
BROAD_MS: Final = 120
BEATS: Final = 8
"""So many in a row are asked; two shapes that take turns need as many (:mod:`worker.resting.ventricular`)."""
WIDE_S: Final = 15.0
"""Shorter runs are told by the classes: the day has other beats to compare with."""
AT_HOME: Final = 0.2
"""Of the beats of these shapes, at slow rates: a bundle branch block."""
VENTRICULAR: Final = 0.5
"""Of a run's beats are called so already."""
MOST: Final = 12
PLACES: Final = (0.5, 0.25, 0.75)
CODES: Final = {"73a": "bidirectional", "70": "wide", "76": "wide"}


@dataclass(frozen=True, slots=True)
class _Run:
    first: int
    last: int


def wide_of(day: Day, beats: Beats, unreadable: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The tachycardias that the classes do not tell, ``wide`` or ``bidirectional``, in order of time."""
    at_s = beats.sample / day.hz
    runs = _runs(beats, np.diff(at_s))
    chosen = sorted(runs, key=lambda run: at_s[run.first] - at_s[run.last])[:MOST]
    looker = Looker(day, beats, at_s, spans_of(unreadable, day.hz)) if chosen else None
    found = []
    for run in chosen:
        assert looker is not None
        if reason := _said(looker, run):
            found.append(Stretch(int(beats.sample[run.first]), int(beats.sample[run.last]) + 1, (), reason))
    return tuple(sorted(found, key=lambda stretch: stretch.start))


def _runs(beats: Beats, rr_s: np.ndarray) -> list[_Run]:
    """Where eight beats in a row are fast, broad on the whole, and not paced."""
    if len(beats) < BEATS:
        return []
    fast = sliding_window_view(rr_s, BEATS - 1).mean(axis=1) <= FAST_S
    if not fast.any():
        return []
    broad = np.zeros(fast.size, bool)
    broad[fast] = np.median(sliding_window_view(beats.qrs_ms, BEATS)[fast], axis=1) >= BROAD_MS
    inside = np.zeros(len(beats), bool)
    for first, stop in runs_of(broad):
        inside[first : stop + BEATS - 1] = True
    inside &= beats.label != Label.P
    return [_Run(first, stop - 1) for first, stop in runs_of(inside) if stop - first >= BEATS]


def _said(looker: Looker, run: _Run) -> str:
    """What the strips of this run say: one for shapes that take turns, all that can be read for broad ones."""
    start_s, end_s = float(looker.at_s[run.first]), float(looker.at_s[run.last])
    may_be_wide = end_s - start_s >= WIDE_S and not _known(looker.beats, looker.at_s, run)
    if not may_be_wide and not _may_take_turns(looker.beats, run):
        return ""
    answers = []
    for share in PLACES if end_s - start_s > 2 * STRIP_S else PLACES[:1]:
        reading = looker.reading(start_s + share * (end_s - start_s), atria=True)
        if reading is None:
            continue
        rhythm = rhythm_of(reading)
        name_ventricular(reading, rhythm)
        codes = {statement.code for statement in rhythm.statements}
        answers.append(next((word for code, word in CODES.items() if code in codes), ""))
    if "bidirectional" in answers:
        return "bidirectional"
    return "wide" if may_be_wide and answers and all(answer == "wide" for answer in answers) else ""


def _may_take_turns(beats: Beats, run: _Run) -> bool:
    """Whether two shapes do so for half of some eight beats: else a strip, which costs as much as ten minutes of all
    else, need not be read for it."""
    shape = beats.template[run.first : run.last + 1]
    turns = (shape[2:] == shape[:-2]) & (shape[2:] != shape[1:-1])
    return bool((sliding_window_view(turns, BEATS - 2).sum(axis=1) >= (BEATS - 2) / 2).any())


def _known(beats: Beats, at_s: np.ndarray, run: _Run) -> bool:
    """Whether the beats of a run are ventricular as they are, or of a shape that is at home at slow rates."""
    mine = slice(run.first, run.last + 1)
    if np.mean(beats.label[mine] == Label.V) >= VENTRICULAR:
        return True
    shapes = np.unique(beats.template[mine][beats.label[mine] != Label.V])
    alike = np.isin(beats.template, shapes)
    alike[mine] = False
    slow = np.diff(at_s, prepend=at_s[0]) >= SLOW_S
    home = np.count_nonzero(alike & slow & (beats.label != Label.V))
    return bool(home >= AT_HOME * (run.last + 1 - run.first))
