"""QRS detection: sensitivity and positive predictivity beat by beat, one lead and two leads."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import Notes, headers, notes, recording
from bench.accuracy.peers import Detector, detectors
from bench.accuracy.score import LEARNING_S, Counts, Table, compare
from worker.recording import Recording
from worker.signal.qrs import find_beats

NEEDS = "records with .atr beat annotations, as in mitdb"


def run(folder: Path, options: Any) -> list[Table]:
    """Tables for one lead and two leads."""
    named, missing = detectors() if options.peers else ({}, [])
    ours: dict[str, Detector] = {"ours": lambda mv, hz: find_beats(1000 * np.atleast_2d(mv), hz)}
    records = [(header, found) for header in headers(folder) if (found := notes(header, "atr")) is not None]
    if options.limit:
        records = records[: options.limit]
    tables = [_table("one lead (the first)", records, ours | named, [0])]
    tables.append(_table("two leads", records, ours, [0, 1]))
    tables[0].note += "".join(f"; not loaded: {name}" for name in missing)
    return tables


def unscored(found: Notes, n: int) -> list[tuple[int, int]]:
    """Stretches of ventricular flutter and fibrillation, ``[`` to ``]``, which EC57 leaves out."""
    opened: int | None = None
    stretches: list[tuple[int, int]] = []
    for at, symbol in zip(found.at.tolist(), found.symbol, strict=True):
        if symbol == "[":
            opened = at
        elif symbol == "]" and opened is not None:
            stretches.append((opened, at))
            opened = None
    return [*stretches, (opened, n)] if opened is not None else stretches


def _table(title: str, records: list[tuple[Path, Notes]], named: dict[str, Detector], rows: list[int]) -> Table:
    table = Table(f"QRS, {title}", ["detector", "record", "beats", "missed", "false", "Se %", "+P %", "s"])
    table.note = "EC57: 150 ms window, from 5:00 on, ventricular flutter left out; 'whole' counts from 0:00"
    for name, detect in named.items():
        total, whole, started = Counts(), Counts(), time.perf_counter()
        for header, found in records:
            whole_record = recording(header)
            chosen = [row for row in rows if row < len(whole_record.leads)]
            mv = whole_record.microvolts()[chosen] / 1000
            at = detect(mv[0] if len(rows) == 1 else mv, whole_record.sampling_hz)
            counts, everything = _score(whole_record, found, at)
            total.add(counts)
            whole.add(everything)
            if name == "ours":
                table.rows.append(
                    [name, header.stem, counts.tp + counts.fn, counts.fn, counts.fp, counts.se, counts.ppv]
                )
        spent = time.perf_counter() - started
        table.rows.append([name, "all", total.tp + total.fn, total.fn, total.fp, total.se, total.ppv, spent])
        table.rows.append([name, "whole", whole.tp + whole.fn, whole.fn, whole.fp, whole.se, whole.ppv, ""])
        key = f"{name}.{len(rows)}_lead".replace(" ", "_")
        table.figures |= {f"{key}.se": total.se, f"{key}.ppv": total.ppv}
        table.figures |= {f"{key}.whole.se": whole.se, f"{key}.whole.ppv": whole.ppv}
    table.rows = [[*row, *[""] * (8 - len(row))] for row in table.rows]
    return table


def _score(whole: Recording, found: Notes, at: NDArray[np.int_]) -> tuple[Counts, Counts]:
    hz = whole.sampling_hz
    left_out = unscored(found, whole.n_samples)
    learning = round(LEARNING_S * hz) if whole.duration_s > 2 * LEARNING_S else 0
    first, _ = compare(found.beats, at, hz, excluded=left_out, start=learning)
    second, _ = compare(found.beats, at, hz, excluded=left_out)
    return first, second
