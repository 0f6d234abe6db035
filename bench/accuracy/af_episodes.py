"""Episodes of atrial fibrillation over minutes and hours: CPSC 2021 (two leads), AFDB (beats alone), MIT-BIH.

Where a record has its signal, the beats are our own; where it has none (``afdb_annotations_only``), they are those of
its ``.qrs`` file. Figures as ANSI/AAMI EC57 has them for episodes and duration (all of a record counts: EC57's five
minutes of learning are more than some last): an episode written down is found where a found one overlaps it, and the
other way round for the positive predictivity; duration is in seconds of overlap. The headline counts episodes of 30 s
and longer; what is shorter is in ``all_…``. Stretches of atrial flutter are counted as fibrillation in CPSC 2021,
whose readers made no difference, and left out elsewhere.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.af_data import Rhythm, rhythms
from bench.accuracy.data import recording
from bench.accuracy.score import Table, halves
from worker.holter.af import af_episodes
from worker.holter.measure import measure
from worker.holter.measured import NOT_MEASURED, Beats, Label, Measured, Minutes
from worker.holter.readable import Readable, readable

NEEDS = "records with (AFIB and (N in their .atr, with their signal or with beats in .qrs"
EPISODE_S: Final = 30.0

Spans = list[tuple[int, int]]


def run(folder: Path, options: Any) -> list[Table]:
    """Counts by record and in all."""
    return [table_of("Episodes of atrial fibrillation", _counted(folder, options))]


def _counted(folder: Path, options: Any) -> Iterator[tuple[str, NDArray[np.float64]]]:
    chosen = (rhythm for rhythm in rhythms(folder) if not options.half or halves(rhythm.name) == options.half)
    for rhythm in islice(chosen, options.limit or None):
        yield rhythm.name, compare(rhythm, found(folder, rhythm))


def table_of(title: str, counted: Iterable[tuple[str, NDArray[np.float64]]]) -> Table:
    """The table and figures of (record, what :func:`compare` counted in it)."""
    head = ["record", "AF s", "dur Se", "dur +P", "episodes", "ep Se", "ep +P", "all ep Se", "all ep +P"]
    table = Table(title, head)
    total = np.zeros(11)
    for name, counts in counted:
        total += counts
        if counts[1] or counts[2]:
            table.rows.append([name, *_row(counts)])
    table.rows.append(["all", *_row(total)])
    table.figures = {
        "episode_se": _share(total[3], total[4]),
        "episode_ppv": _share(total[5], total[6]),
        "duration_se": _share(total[0], total[1]),
        "duration_ppv": _share(total[0], total[2]),
        "all_episode_se": _share(total[7], total[8]),
        "all_episode_ppv": _share(total[9], total[10]),
    }
    table.note = ", ".join(f"{name} {value:.2f} %" for name, value in table.figures.items())
    return table


def found(folder: Path, rhythm: Rhythm) -> Spans:
    """(start, end) samples of the episodes that the Holter engine says, flutter among them."""
    if not rhythm.has_signal:
        return episodes_of_beats(rhythm)
    return _spans(readable(measure(replace(recording(next(folder.rglob(f"{rhythm.name}.hea"))), kind="holter"))))


def episodes_of_beats(rhythm: Rhythm) -> Spans:
    """(start, end) samples of the episodes, told from the annotated beats alone."""
    return _spans(readable(_measured(rhythm)))


def _spans(day: Readable) -> Spans:
    at = day.beats.sample
    return [(int(at[episode.first]), int(at[episode.last])) for episode in af_episodes(day)]


def _measured(rhythm: Rhythm) -> Measured:
    """Nothing but beats."""
    n = len(rhythm.at)
    beats = Beats(
        sample=np.asarray(rhythm.at, np.int64),
        label=np.where(rhythm.ventricular, Label.V, Label.N).astype(np.uint8),
        confidence=np.ones(n, np.float32),
        template=np.full(n, -1, np.int32),
        qrs_ms=np.full(n, NOT_MEASURED),
        p_wave=np.full(n, np.nan, np.float32),
    )
    nothing, none, times = np.zeros((0, 0), np.int16), np.zeros(0, np.float32), np.zeros(0)
    minutes = Minutes(10.0, times, nothing, nothing, nothing.astype(np.float32), none.astype(np.int16), none, none)
    return Measured((), rhythm.hz, rhythm.n, None, True, beats, (), minutes)


def compare(rhythm: Rhythm, said: Spans) -> NDArray[np.float64]:
    """(11,) seconds in common, true and said; episodes of 30 s found, true, right and said; the same of any length."""
    n, hz = rhythm.n + 1, rhythm.hz
    together = rhythm.name.startswith("data_")  # CPSC 2021 writes flutter as fibrillation or not at all
    true = rhythm.fibrillation + (rhythm.flutter if together else [])
    left_out = _marked([] if together else rhythm.flutter, n)
    is_true, is_said = _marked(true, n), _marked(said, n)
    counts = [float(np.count_nonzero(which & ~left_out)) / hz for which in (is_true & is_said, is_true, is_said)]
    for least_s in (EPISODE_S, 0.0):
        mine = [span for span in true if span[1] - span[0] >= least_s * hz]
        theirs = [span for span in said if span[1] - span[0] >= least_s * hz and left_out[slice(*span)].mean() < 0.5]
        for spans, other in ((mine, is_said), (theirs, is_true)):
            counts += [sum(bool(other[start:end].any()) for start, end in spans), len(spans)]
    return np.array(counts)


def _marked(spans: Spans, n: int) -> NDArray[np.bool_]:
    marked = np.zeros(n, bool)
    for start, end in spans:
        marked[start:end] = True
    return marked


def _row(counts: NDArray[np.float64]) -> list[Any]:
    both, true_s, said_s, *episodes = counts.tolist()
    row: list[Any] = [round(true_s), _share(both, true_s), _share(both, said_s), int(episodes[1])]
    return row + [_share(episodes[at], episodes[at + 1]) for at in (0, 2, 4, 6)]


def _share(part: float, whole: float) -> float:
    return 100 * part / whole if whole else float("nan")
