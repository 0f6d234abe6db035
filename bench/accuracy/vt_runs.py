"""Which runs of ventricular tachycardia of six beats and more are found, and what is found where there is none?

A run is, where beats are annotated (MIT-BIH), six or more ventricular beats in a row at 100/min or faster; where only
the rhythm is (VFDB), a stretch called ``(VT`` of at least three seconds, which six beats at 100/min take. It is found
where any statement of ventricular tachycardia, fibrillation or flutter, or any run of ventricular beats that the day's
engine tells, overlaps it. Stretches of fibrillation and flutter are counted likewise, apart. A stretch that is said and
overlaps nothing ventricular, and no noise, is false; what is annotated as three ventricular beats in a row is a run too
for that.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import BEAT_SYMBOLS, Notes
from bench.accuracy.score import Table

RUN_BEATS: Final = 6
RUN_BPM: Final = 100.0
RUN_S: Final = (RUN_BEATS - 1) * 60 / RUN_BPM
SHORT_RUN_BEATS: Final = 3
JOIN_S: Final = 2.0
"""What is said of overlapping windows is one stretch."""
Spans = list[tuple[float, float]]


def stretches(letters: NDArray[np.str_], letter: str, hz: float, least_s: float = 0.0) -> Spans:
    """(start, stop) seconds of each stretch of one rhythm that lasts so long.

    >>> stretches(np.array(list("NNTTTTN")), "T", 1.0, 3.0), stretches(np.array(list("NTN")), "T", 1.0, 3.0)
    ([(2.0, 6.0)], [])
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], letters == letter, [False]]).astype(np.int8)))
    pairs = edges.reshape(-1, 2) / hz
    return [(float(a), float(b)) for a, b in pairs if b - a >= least_s]


def beat_runs(found: Notes, hz: float, least: int = RUN_BEATS) -> Spans:
    """(first beat, last beat) seconds of so many ventricular beats in a row, at 100/min or faster.

    >>> written = Notes(np.arange(8) * 100, list("NVVVVVVN"), [""] * 8)
    >>> beat_runs(written, 250.0), beat_runs(written, 150.0)
    ([(0.4, 2.4)], [])
    """
    keep = np.array([name in BEAT_SYMBOLS for name in found.symbol], bool)
    at = found.at[keep] / hz
    ventricular = np.array([name == "V" for name in np.array(found.symbol)[keep]], bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ventricular, [False]]).astype(np.int8)))
    spans = []
    for first, stop in edges.reshape(-1, 2).tolist():
        beats = stop - first
        if beats >= least and at[stop - 1] - at[first] <= (beats - 1) * 60 / RUN_BPM:
            spans.append((float(at[first]), float(at[stop - 1])))
    return spans


def truth_of(found: Notes, letters: NDArray[np.str_], hz: float) -> tuple[Spans, Spans, Spans]:
    """(runs of tachycardia, fibrillation and flutter, all in which what is said is not false), seconds."""
    of_rhythm = stretches(letters, "T", hz)
    with_beats = "V" in found.symbol
    runs = beat_runs(found, hz) if with_beats else [span for span in of_rhythm if span[1] - span[0] >= RUN_S]
    quivering = stretches(letters, "F", hz)
    any_run = beat_runs(found, hz, SHORT_RUN_BEATS) if with_beats else []
    return runs, quivering, [*of_rhythm, *quivering, *any_run, *stretches(letters, "~", hz)]


def joined(spans: Spans, gap_s: float = JOIN_S) -> Spans:
    """Those that overlap, or nearly, as one.

    >>> joined([(8.0, 12.0), (0.0, 5.0), (4.0, 7.0)], 0.5)
    [(0.0, 7.0), (8.0, 12.0)]
    """
    found: Spans = []
    for start, stop in sorted(spans):
        if found and start <= found[-1][1] + gap_s:
            found[-1] = (found[-1][0], max(found[-1][1], stop))
        else:
            found.append((start, stop))
    return found


def overlaps(span: tuple[float, float], others: Spans) -> bool:
    """Whether it has a moment in common with any of these."""
    return any(span[0] <= stop and start <= span[1] for start, stop in others)


class Runs:
    """The counts of a folder, record by record."""

    def __init__(self, title: str) -> None:
        self.table = Table(title, ["record", "VT runs", "found", "VF", "found", "said", "false", "hours"])
        self.total = np.zeros(6, int)
        self.seconds = 0.0
        self.missed: list[str] = []

    def add(self, record: str, truth: tuple[Spans, Spans, Spans], said: Spans, seconds: float) -> None:
        """What is said of one record, seconds."""
        runs, quivering, ventricular = truth
        stretches_said = joined(said)
        false = [span for span in stretches_said if not overlaps(span, ventricular)]
        counted = [
            len(runs), sum(overlaps(run, said) for run in runs),
            len(quivering), sum(overlaps(one, said) for one in quivering),
            len(stretches_said), len(false),
        ]  # fmt: skip
        self.missed += [f"{record} at {run[0]:.0f} s" for run in runs if not overlaps(run, said)]
        self.total += counted
        self.seconds += seconds
        if any(counted):
            self.table.rows.append([record, *counted, f"{seconds / 3600:.2f}"])

    def finished(self, name: str) -> Table:
        """The table with its figures, ``name`` before each."""
        runs, found, quivering, seen, said, false = self.total.tolist()
        hours = self.seconds / 3600
        self.table.rows.append(["all", *self.total.tolist(), f"{hours:.2f}"])
        self.table.figures = {
            f"{name}.runs": float(runs),
            f"{name}.se": 100 * found / runs if runs else float("nan"),
            f"{name}.vf_se": 100 * seen / quivering if quivering else float("nan"),
            f"{name}.false_an_hour": false / hours if hours else float("nan"),
        }
        self.table.note = (
            f"{found} of {runs} runs of {RUN_BEATS} beats and more found; {false} of {said} said where there is none"
        )
        if self.missed:
            self.table.note += "; missed: " + ", ".join(self.missed[:12])
        return self.table
