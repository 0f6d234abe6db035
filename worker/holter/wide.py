"""Is the usual beat of a day, or of a part of it, that of a ventricular tachycardia?

The classes call a beat ventricular because it is unlike the usual one. Where a recording begins and ends in a
tachycardia, or in one of two shapes that take turns, there is no other: all is called normal, and a tachycardia of
170/min sinus. So where broad beats come fast and evenly, strips are read as a resting ECG is
(:mod:`worker.resting.rhythm`, :mod:`worker.resting.ventricular`): without P waves before them they are a tachycardia
of broad QRS 宽QRS波心动过速, of two shapes in turn a bidirectional one. A shape that is usual at slow rates, too, is a
bundle branch block. Where the day has narrow beats beside, an even run whose strips say so is of ventricular beats:
single ones in it had been called normal or supraventricular, and the run was lost or broken into short ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

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
WIDE_S: Final = 10.0
"""Shorter runs fill no strip, and are told by the classes: the day has other beats to compare with."""
AT_HOME: Final = 0.2
"""Of the beats of these shapes, at slow rates: a bundle branch block."""
VENTRICULAR: Final = 0.5
"""Of a run's beats are called so already."""
EVEN, EVEN_WITHIN = 0.85, 0.12
"""Of the intervals so many lie so near to their median: else fibrillation over a bundle branch block looks like it."""
MOST: Final = 12
PLACES: Final = (0.5, 0.25, 0.75)
CODES: Final = {"73a": "bidirectional", "70": "ventricular", "76": "wide"}


CONFIDENCE: Final = 0.9
OTHERS: Final = 60
"""Narrow usual beats of a day that tell of another rhythm: what is unlike them is ventricular."""

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Run:
    first: int
    last: int


def wide_of(day: Day, beats: Beats, unreadable: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """In order of time the tachycardias that the classes do not tell: ``ventricular``, ``wide``, ``bidirectional``."""
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


def told_by_beats(beats: Beats, found: Sequence[Stretch]) -> tuple[Beats, tuple[Stretch, ...]]:
    """The beats of ventricular tachycardias called so where the day has others; and the stretches that this leaves.

    Where it has no others the tachycardia is told as one of broad QRS, and its beats are the usual ones.
    """
    rows = {
        stretch: slice(*np.searchsorted(beats.sample, [stretch.start, stretch.stop]).tolist())
        for stretch in found
        if stretch.reason == "ventricular"
    }
    others = (beats.label == Label.N) & (beats.qrs_ms < BROAD_MS)
    for own in rows.values():
        others[own] = False
    if np.count_nonzero(others) < OTHERS:
        return beats, tuple(replace(stretch, reason="wide") if stretch in rows else stretch for stretch in found)
    broad, mine = beats.qrs_ms >= BROAD_MS, np.zeros(len(beats), bool)
    for own in rows.values():
        mine[own] = True
    mine &= broad & (beats.label != Label.V)
    label = np.where(mine, Label.V, beats.label).astype(beats.label.dtype)
    confidence = np.where(mine, CONFIDENCE, beats.confidence).astype(beats.confidence.dtype)
    return replace(beats, label=label, confidence=confidence), tuple(one for one in found if one not in rows)


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
    inside &= _from_broad_to_broad(inside, beats.qrs_ms >= BROAD_MS)
    return [_Run(first, stop - 1) for first, stop in runs_of(inside) if stop - first >= BEATS]


def _from_broad_to_broad(inside: Bools, broad: Bools) -> Bools:
    """Of each run of beats what lies from its first broad beat to its last: windows reach over both ends."""
    kept = np.zeros(inside.size, bool)
    for first, stop in runs_of(inside):
        at = first + np.flatnonzero(broad[first:stop])
        if at.size:
            kept[at[0] : at[-1] + 1] = True
    return kept


def _said(looker: Looker, run: _Run) -> str:
    """What the strips of this run say: one for shapes that take turns, all that can be read for broad ones."""
    start_s, end_s = float(looker.at_s[run.first]), float(looker.at_s[run.last])
    lasts = end_s - start_s >= WIDE_S
    may_be_wide = lasts and not _known(looker.beats, looker.at_s, run)
    may_be_ventricular = lasts and _is_even(looker.at_s, run) and _may_be_ventricular(looker.beats, looker.at_s, run)
    if not (may_be_wide or may_be_ventricular or _may_take_turns(looker.beats, run)):
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
    if may_be_ventricular and answers and all(answers) and (set(answers) == {"ventricular"} or len(answers) > 1):
        return "ventricular"
    return "wide" if may_be_wide and answers and all(answers) else ""


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
    return _at_home(beats, at_s, run, beats.label != Label.V)


def _is_even(at_s: np.ndarray, run: _Run) -> bool:
    rr_s = np.diff(at_s[run.first : run.last + 1])
    return bool(np.mean(np.abs(rr_s / np.median(rr_s) - 1) < EVEN_WITHIN) >= EVEN)


def _may_be_ventricular(beats: Beats, at_s: np.ndarray, run: _Run) -> bool:
    """Whether a run has broad beats that are not called ventricular, and are nowhere as broad at slow rates.

    A broad beat and the usual one may share a shape, and one missed beat divides a long tachycardia into short ones.
    """
    broad = (beats.label != Label.V) & (beats.qrs_ms >= BROAD_MS)
    return bool(broad[run.first : run.last + 1].any()) and not _at_home(beats, at_s, run, broad)


def _at_home(beats: Beats, at_s: np.ndarray, run: _Run, chosen: Bools) -> bool:
    """Whether the shapes of these beats of a run have beats among them at slow rates, too."""
    mine = slice(run.first, run.last + 1)
    alike = np.isin(beats.template, np.unique(beats.template[mine][chosen[mine]])) & chosen
    alike[mine] = False
    slow = np.diff(at_s, prepend=at_s[0]) >= SLOW_S
    return bool(np.count_nonzero(alike & slow) >= AT_HOME * (run.last + 1 - run.first))
