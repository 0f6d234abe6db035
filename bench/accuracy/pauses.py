"""Pauses of more than two seconds: found where the annotated beats leave one, and nowhere else?

Where there are beat annotations, a true pause is an interval between two of them, and a pause that was said and holds
an annotated beat is false. Stretches of ventricular flutter, and of rhythms named as fibrillation or tachycardia of the
ventricles, have no pauses: one that is said there is false, too. Days of the simulator with ten seconds of tachycardia
are added; a run that was not found is a false pause there.
"""

from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.data import headers, notes, recording
from bench.accuracy.score import Table
from bench.accuracy.vf import rhythm_of
from gateway.simulate.holter import CHINA, record_day
from worker.formats import read
from worker.holter.analysis import analyse

NEEDS: Final = "beat or rhythm annotations (.atr)"
PAUSE_S: Final = 2.0
EDGE_S: Final = 0.15
DAYS: Final = 12


def run(folder: Path, options: Any) -> list[Table]:
    """Per record, and over the simulated days."""
    table = Table("Pauses over 2 s", ["record", "annotated", "found", "missed", "said", "false"])
    found = [(header, marks) for header in headers(folder) if (marks := notes(header, "atr")) is not None]
    for header, marks in found[: options.limit or None]:
        whole = recording(header)
        hz, beats = whole.sampling_hz, marks.beats
        said = [event for event in analyse(whole)[0].holter.events if event.kind == "pause"]  # type: ignore[union-attr]
        letters = rhythm_of(marks, whole.n_samples)
        wild = np.isin(letters, ("F", "T"))
        false = 0
        for event in said:
            first, last = round((event.start_s + EDGE_S) * hz), round((event.end_s - EDGE_S) * hz)
            false += bool(((beats > first) & (beats < last)).any() or wild[first:last].mean() > 0.5)
        true = [
            (a / hz, b / hz)
            for a, b in zip(beats[:-1].tolist(), beats[1:].tolist(), strict=True)
            if b - a > PAUSE_S * hz and not wild[a:b].any()
        ]
        hit = sum(any(e.start_s < b - EDGE_S and e.end_s > a + EDGE_S for e in said) for a, b in true)
        table.rows.append([header.stem, len(true), hit, len(true) - hit, len(said), false])
    made = 0 if options.quick else DAYS
    wrong = 0
    for number in range(1, made + 1):
        day = record_day(number, datetime(2026, 11, 21, 14, 15, tzinfo=CHINA), hours=0.5)
        events = analyse(read(day.content))[0].holter.events  # type: ignore[union-attr]
        wrong += any(event.kind == "pause" for event in events) or not any(event.kind == "vt" for event in events)
    sums = [sum(row[column] for row in table.rows) for column in range(1, 6)]
    table.rows.append(["sum", *sums])
    table.figures = {"pauses.missed": float(sums[2]), "pauses.false": float(sums[4]), "days.wrong": float(wrong)}
    table.note = f"{wrong} of {made} simulated days with ten seconds of tachycardia have a pause or no run"
    return [table]
