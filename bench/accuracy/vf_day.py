"""Ventricular fibrillation in windows of 8 s as the day's engine says it: VFDB and CUDB as annotated, MIT-BIH for none.

A window counts as said where half of it lies in a stretch called ``vf``. On recordings without fibrillation (a folder
such as ``mitdb``, whose ventricular flutter is left out) the stretches said wrongly are counted by day. Runs of
tachycardia (:mod:`bench.accuracy.vt_runs`) are found where such a stretch or an event of ventricular beats in a row
overlaps them; the whole day's engine is asked for those.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.data import headers, notes, recording
from bench.accuracy.score import Table, halves
from bench.accuracy.vf import rhythm_of
from bench.accuracy.vt_runs import Runs, Spans, truth_of
from worker.holter.analysis import analyse
from worker.recording import Recording

NEEDS = "records with rhythm annotations, (VF, (VFL, (VT, or [ and ]"
WINDOW_S: Final = 8.0
STEP_S: Final = 4.0
DAY_S: Final = 86_400.0
CALLED: Final = frozenset(("vf", "v_flutter"))
SAID: Final = frozenset(("vt", "vf"))


def run(folder: Path, options: Any) -> list[Table]:
    """Sensitivity and specificity by window, and false stretches a day."""
    table = Table(
        "Windows of 8 s of the day's engine", ["record", "VF", "said", "VT", "said VF", "other", "said VF", "false"]
    )
    total = np.zeros(7)
    seconds = 0.0
    runs = Runs("Runs of ventricular tachycardia of the day's engine")
    for header in headers(folder):
        found = notes(header, "atr")
        if found is None or (options.half and halves(header.stem) != options.half):
            continue
        whole = replace(recording(header), kind="holter")
        letters = rhythm_of(found, whole.n_samples)
        hz = whole.sampling_hz
        spans, told = _said(whole)
        counted = _counted(letters, spans, hz)
        runs.add(header.stem, truth_of(found, letters, hz), told, whole.n_samples / hz)
        seconds += whole.n_samples / hz
        total += counted
        table.rows.append([header.stem, *counted.astype(int).tolist()])
        if options.limit and len(table.rows) >= options.limit:
            break
    table.rows.append(["all", *total.astype(int).tolist()])
    table.figures = {
        "vf.se": 100 * total[1] / total[0] if total[0] else float("nan"),
        "vf.sp": 100 * (1 - total[5] / total[4]) if total[4] else float("nan"),
        "vt_as_vf": 100 * total[3] / total[2] if total[2] else float("nan"),
        "false_a_day": total[6] / max(seconds, 1.0) * DAY_S,
    }
    table.note = f"Se {table.figures['vf.se']:.1f} %, Sp {table.figures['vf.sp']:.1f} % beside tachycardia, "
    table.note += f"of which {table.figures['vt_as_vf']:.1f} % is called fibrillation; "
    table.note += f"{table.figures['false_a_day']:.1f} false stretches in a day of such recordings"
    return [table, runs.finished("vt_runs")]


def _said(whole: Recording) -> tuple[list[tuple[int, int]], Spans]:
    """(first, last) samples of the stretches called fibrillation; seconds of them and of the runs of ventricular
    beats."""
    findings, measured = analyse(whole)
    spans = [(stretch.start, stretch.stop) for stretch in measured.rhythms if stretch.reason in CALLED]
    events = findings.holter.events if findings.holter else []
    return spans, [(event.start_s, event.end_s) for event in events if event.kind in SAID]


def _counted(letters: Any, spans: list[tuple[int, int]], hz: float) -> np.ndarray[Any, Any]:
    """(7,) windows of fibrillation and of them said, the same of tachycardia and of the rest; stretches that touch
    neither."""
    counted = np.zeros(7)
    said = np.zeros(len(letters), bool)
    for start, stop in spans:
        said[start:stop] = True
    width, step = round(WINDOW_S * hz), round(STEP_S * hz)
    for start in range(0, len(letters) - width + 1, step):
        part = letters[start : start + width]
        if (part == part[0]).all() and part[0] in "FTN":
            place = 2 * "FTN".index(part[0])
            counted[place] += 1
            counted[place + 1] += said[start : start + width].mean() >= 0.5
    counted[6] = sum(not np.isin(letters[start:stop], ("F", "T")).any() for start, stop in spans)
    return counted
