"""Early beats: how many, alone or together, in which pattern, how fast?

Every beat of a class belongs to exactly one group of beats that follow one another: one is a single, two a couplet,
three or more a run. So ``singles + 2 × couplets + beats in runs`` is the number of beats, always. Bigeminy and
trigeminy are stretches of singles; their beats stay singles.

A run of three ventricular beats or more is a tachycardia from 100/min (2017 AHA/ACC/HRS guideline on ventricular
arrhythmias, doi:10.1161/CIR.0000000000000549) and idioventricular below; of three supraventricular beats or more
likewise a supraventricular tachycardia or a slow run (ISHNE-HRS 2017, doi:10.1111/anec.12447).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.holter import Ectopy
from worker.holter.measured import NOT_MEASURED, Label
from worker.holter.readable import Bools, Floats, Readable
from worker.holter.rows import runs_of
from worker.holter.summary import hour_edges

Rows = NDArray[np.int64]

RUN_BEATS: Final = 3
TACHYCARDIA_BPM: Final = 100.0
CYCLES: Final = 3
"""Bigeminy and trigeminy are said from three cycles on."""
R_ON_T_AFTER_SUMMIT_S: Final = 0.02
"""As in the resting pre-read: an early QRS that begins before this is on the summit of T, the vulnerable phase."""
SUMMIT_TO_END_S: Final = 0.085
"""From T's summit to its end: the limits of QT and of Q to T summit in 36,299 healthy women lie 85 ms apart
(Women's Health Initiative, PMC3825808)."""
Q_BEFORE_R_S: Final = 0.04
"""Where no width was measured: from the begin of a narrow QRS to its R peak (intrinsicoid deflection)."""
WIDE_QRS_S: Final = 0.14
QT_NEAR_S: Final = 600.0
QT_FROM_RR: Final = (0.400, 0.154)
"""QT at 60/min and its change per second of RR, where QT was not measured (doi:10.1016/0002-9149(92)90562-D)."""


@dataclass(frozen=True, eq=False)
class Groups:
    """Beats of one class that follow one another, in order of time.

    Attributes:
        first, last: (n,) rows of the first and one past the last beat of each.
        bpm: (n,) mean rate within the group; nan for a single.
    """

    first: Rows
    last: Rows
    bpm: Floats

    @property
    def beats(self) -> Rows:
        """(n,) how many each holds."""
        return self.last - self.first


def groups_of(day: Readable, chosen: Bools) -> Groups:
    """The groups of the beats ``chosen``; an interval that may not be believed parts two groups."""
    first = np.flatnonzero(chosen)
    if not first.size:
        return Groups(first, first, np.zeros(0))
    follows = np.zeros(chosen.size, bool)
    follows[1:] = chosen[1:] & chosen[:-1] & day.sound
    first = np.flatnonzero(chosen & ~follows)
    last = np.flatnonzero(chosen & ~np.append(follows[1:], False)) + 1
    bpm = np.full(first.size, np.nan)
    many = last - first > 1
    bpm[many] = rate_between(day, first[many], last[many] - 1)
    return Groups(first, last, bpm)


def rate_between(day: Readable, first: int | Rows, last: int | Rows) -> Floats:
    """Mean rate per minute from one beat to a later one; of whole samples, so that 100/min is exactly that."""
    sample = day.beats.sample
    rate: Floats = 60 * day.measured.sampling_hz * (last - first) / (sample[last] - sample[first])
    return rate


def geminy(day: Readable, groups: Groups, cycle: int) -> tuple[Rows, Rows]:
    """(rows of the first early beat, rows of the last) of stretches in which every second or third beat is a single.

    Args:
        groups: of the early beats.
        cycle: 2 for bigeminy, 3 for trigeminy.

    >>> from worker.holter.ectopy import _every
    >>> [rows.tolist() for rows in _every(np.array([1, 3, 5, 9, 12]), 2)]
    [[1], [5]]
    """
    single = groups.first[groups.beats == 1]
    first, last = _every(single, cycle)
    questionable = np.flatnonzero(day.is_label(Label.Q))
    sure = (day.unsure[first] == day.unsure[last]) & (
        np.searchsorted(questionable, first) == np.searchsorted(questionable, last)
    )
    return first[sure], last[sure]


def _every(rows: Rows, cycle: int) -> tuple[Rows, Rows]:
    """(first, last) of the stretches of at least three rows that lie ``cycle`` apart."""
    runs = np.array(runs_of(np.diff(rows) == cycle), np.int64).reshape(-1, 2)
    first, last = runs[runs[:, 1] - runs[:, 0] + 1 >= CYCLES].T
    return rows[first], rows[last]


def r_on_t(day: Readable, ventricular: Groups, left_out: Bools) -> tuple[Rows, Floats]:
    """Rows of the ventricular beats that begin before or on the summit of the T before them, and by how many ms before.

    Args:
        ventricular: only the first beat of each group can follow a T wave that is not itself ventricular.
        left_out: (n,) beats of which it is not said, as in atrial fibrillation, where T is not to be told from f waves.
    """
    rows = ventricular.first[ventricular.first > 0]
    rows = rows[day.sound[rows - 1] & ~left_out[rows] & ~day.is_label(Label.Q)[rows - 1]]
    begins_s = day.at_s[rows] - _half_qrs_s(day, rows, WIDE_QRS_S / 2)
    summit_s = day.at_s[rows - 1] - _half_qrs_s(day, rows - 1, Q_BEFORE_R_S) + qt_before_s(day, rows) - SUMMIT_TO_END_S
    on_t = begins_s <= summit_s + R_ON_T_AFTER_SUMMIT_S
    return rows[on_t], 1000 * (summit_s - begins_s)[on_t]


def _half_qrs_s(day: Readable, rows: Rows, otherwise: float) -> Floats:
    width = day.beats.qrs_ms[rows]
    return np.where(width == NOT_MEASURED, otherwise, width / 2000)


def qt_before_s(day: Readable, rows: Rows) -> Floats:
    """(n,) seconds of QT of the beat before each of these: as measured within ten minutes, else from the rate."""
    minutes = day.measured.minutes
    rr = day.rr_s[np.maximum(rows - 2, 0)]
    rr = np.clip(np.where((rows >= 2) & day.sound[np.maximum(rows - 2, 0)], rr, 1.0), 0.4, 1.5)
    usual: Floats = QT_FROM_RR[0] - QT_FROM_RR[1] * (1 - rr)
    there = minutes.qt_ms != NOT_MEASURED
    if not there.any():
        return usual
    at, qt = minutes.start_s[there] + minutes.step_s / 2, minutes.qt_ms[there] / 1000
    right = np.clip(np.searchsorted(at, day.at_s[rows]), 0, at.size - 1)
    left = np.maximum(right - 1, 0)
    near = np.where(np.abs(at[left] - day.at_s[rows]) <= np.abs(at[right] - day.at_s[rows]), left, right)
    return np.where(np.abs(at[near] - day.at_s[rows]) <= QT_NEAR_S, qt[near], usual)


def ectopy_of(day: Readable, label: Label, groups: Groups | None = None, r_on_t_beats: int = 0) -> Ectopy:
    """The counts of one class.

    Args:
        groups: of its beats, where they are known already.
        r_on_t_beats: how many of them fall on a T wave.
    """
    groups = groups if groups is not None else groups_of(day, day.is_label(label))
    beats = groups.beats
    total = int(beats.sum())
    if not total:
        return Ectopy()
    runs = np.flatnonzero(beats >= RUN_BEATS)
    longest = int(runs[np.argmax(beats[runs])]) if runs.size else -1
    fastest = int(runs[np.argmax(groups.bpm[runs])]) if runs.size else -1
    at_s = day.at_s[day.is_label(label)]
    return Ectopy(
        beats=total,
        share=total / max(1, len(day.beats)),
        singles=int(np.count_nonzero(beats == 1)),
        couplets=int(np.count_nonzero(beats == 2)),
        runs=runs.size,
        bigeminy=geminy(day, groups, 2)[0].size,
        trigeminy=geminy(day, groups, 3)[0].size,
        longest_run_beats=int(beats[longest]) if runs.size else 0,
        longest_run_at_s=round(float(day.at_s[groups.first[longest]]), 3) if runs.size else None,
        fastest_run_bpm=round(float(groups.bpm[fastest]), 1) if runs.size else None,
        fastest_run_at_s=round(float(day.at_s[groups.first[fastest]]), 3) if runs.size else None,
        r_on_t=r_on_t_beats,
        most_in_an_hour=int(np.histogram(at_s, hour_edges(day.measured))[0].max()),
    )
