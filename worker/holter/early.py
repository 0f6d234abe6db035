"""Which of the beats that are called supraventricular are early at all, and which are fibrillation's first and last?

The classes know each beat by what is usual in the minutes around. Where fibrillation begins or ends that is two
rhythms at once: its first beats are called a tachycardia of three, its last ones a couplet, and the sinus rhythm
behind it, a little faster than the fibrillation was, a run of a minute. So runs that all but touch an episode belong to
it. And outside of it a beat is early only where its interval is shorter than that of the normal beats beside it
(ISHNE-HRS 2017, doi:10.1111/anec.12447): the second beat of a couplet at 70/min in a rhythm of 70/min is none.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from worker.holter.af import Episode
from worker.holter.measured import Label
from worker.holter.readable import Bools, Floats, Readable, Rows, Spans

NEAR_S: Final = 3.0
NEAR_BEATS: Final = 4
"""From a run to an episode; a sinus rhythm that has come back lasts longer."""
MOST_S: Final = 10.0
"""Longer runs are a tachycardia that became fibrillation."""
AROUND: Final = 15
AT_ONCE: Final = 4096
"""Beats that are looked at together, whatever their number in two weeks."""
LEAST_NORMAL: Final = 10
"""Intervals between normal beats, of the thirty around, from which the usual one is known."""
BESIDE_S: Final = 300.0
"""So near to fibrillation a stretch holds two rhythms (:mod:`worker.holter.beat_rhythm`): there the normal intervals of
ten minutes tell what is usual, where those around are too few."""
LATE: Final = 0.93
"""Of the usual interval: what comes after it is not early."""


def with_its_runs(day: Readable, episodes: Sequence[Episode]) -> list[Episode]:
    """The episodes of fibrillation with the early beats in a row that all but touch them, at either end."""
    s = day.is_label(Label.S) & (day.beats.confidence < 1)
    return [
        episode if episode.flutter else replace(episode, first=_edge(day, s, episode.first, -1),
                                                last=_edge(day, s, episode.last, 1))
        for episode in episodes
    ]  # fmt: skip


def _edge(day: Readable, s: Bools, row: int, step: int) -> int:
    """The last beat in this direction of the runs that all but touch the beat ``row``."""
    edge, at, gone = row, row + step, 0
    while 0 <= at < len(s) and gone <= NEAR_BEATS and abs(day.at_s[at] - day.at_s[row]) <= MOST_S:
        if not day.sound[min(at, at - step)] or abs(day.at_s[at] - day.at_s[edge]) > NEAR_S + MOST_S * bool(s[at]):
            break
        in_run = s[at] and (s[min(at + 1, len(s) - 1)] or s[max(at - 1, 0)])
        gone = 0 if in_run else gone + 1
        edge = at if in_run else edge
        at += step
    return edge


def only_early(day: Readable, af: Spans) -> Readable:
    """The same day, in which a supraventricular beat that comes no earlier than the normal ones beside it is normal.

    Beats in a row are asked, and those beside fibrillation; one that is alone may be told by its P wave. Where few
    beats around are normal, nothing tells what is early. What a physician named keeps its name.
    """
    s = day.is_label(Label.S)
    near = af.touched(day.at_s - BESIDE_S, day.at_s + BESIDE_S)
    padded = np.pad(s, 1)
    asked = s & (padded[:-2] | padded[2:] | near) & (day.beats.confidence < 1)
    rows = np.flatnonzero(asked[1:] & day.sound) + 1
    if not rows.size:
        return day
    outside = ~af.inside(day.at_s)
    normal = day.is_label(Label.N) & outside
    between = normal[1:] & normal[:-1] & day.sound
    parts = [_usual(day.rr_s, between, rows[k : k + AT_ONCE]) for k in range(0, rows.size, AT_ONCE)]
    usual = np.concatenate(parts)
    beside = rows[np.isinf(usual) & near[rows]]
    for row in beside.tolist():
        first, last = np.searchsorted(day.at_s, [day.at_s[row] - BESIDE_S, day.at_s[row] + BESIDE_S]).tolist()
        known = day.rr_s[first : last - 1][between[first : last - 1]]
        usual[rows == row] = np.median(known) if known.size >= LEAST_NORMAL else np.inf
    late = rows[(day.rr_s[rows - 1] >= LATE * usual) & outside[rows]]
    label = day.beats.label.copy()
    label[late] = Label.N
    return replace(day, beats=replace(day.beats, label=label))


def _usual(rr_s: Floats, between: Bools, rows: Rows) -> Floats:
    """(n,) the medians of the intervals between normal beats around each of these; infinite where they are too few.

    >>> _usual(np.arange(40.0), np.arange(40) % 3 > 0, np.array([20, 1])).tolist()
    [18.0, 7.5]
    """
    near = rows[:, None] - 1 + np.arange(-AROUND, AROUND)
    there = (near >= 0) & (near < rr_s.size)
    near = np.where(there, near, 0)
    known = np.sort(np.where(there & between[near], rr_s[near], np.inf), axis=1)
    n = np.isfinite(known).sum(axis=1)
    row = np.arange(rows.size)
    middle: Floats = (known[row, np.maximum(n - 1, 0) // 2] + known[row, n // 2]) / 2
    return np.where(n >= LEAST_NORMAL, middle, np.inf)
