"""Global PR, QRS and QT of the pre-read against LUDB's cardiologists: medians over leads and beats."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.data import headers, notes, person, recording
from bench.accuracy.score import Table, halves
from worker.leads import TWELVE
from worker.resting import analyse

NEEDS = "12-lead records with one annotation file a lead, as LUDB has them"
TOLERANCE_MS: Final = {"pr_ms": 10.0, "qrs_ms": 8.0, "qt_ms": 15.0}
NEAR_S: Final = 0.06


def run(folder: Path, options: Any) -> list[Table]:
    """Mean and standard deviation of measured less marked, and how often it was measured."""
    errors: dict[str, list[float]] = {name: [] for name in TOLERANCE_MS}
    marked = dict.fromkeys(TOLERANCE_MS, 0)
    worst: list[list[Any]] = []
    for header in headers(folder):
        truth = experts(header)
        if not truth or (options.half and halves(header.stem) != options.half):
            continue
        measured = analyse(replace(recording(header), identity=person(header))).measurements
        for name, value in truth.items():
            marked[name] += 1
            found = getattr(measured, name)
            if found is not None:
                errors[name].append(found - value)
                if abs(found - value) > 30:
                    worst.append([header.stem, name, value, found])
    table = Table("Global intervals, ms", ["interval", "marked", "measured", "mean", "SD", "robust SD", "SD to reach"])
    for name, values in errors.items():
        if not values:
            continue
        at = np.array(values)
        robust = 1.4826 * float(np.median(np.abs(at - np.median(at))))
        table.rows.append([name, marked[name], len(at), float(at.mean()), float(at.std()), robust, TOLERANCE_MS[name]])
        table.figures |= {f"{name}.mean": float(at.mean()), f"{name}.sd": float(at.std()), f"{name}.robust_sd": robust}
        table.figures[f"{name}.measured"] = 100 * len(at) / max(1, marked[name])
    listed = Table("More than 30 ms apart", ["record", "interval", "marked", "measured"], worst)
    return [table] if options.quick else [table, listed]


def experts(header: Path) -> dict[str, float]:
    """PR, QRS and QT as the readers marked them, ms."""
    hz = recording(header).sampling_hz
    marks: list[tuple[str, int, int, int]] = []
    for lead in TWELVE:
        found = next((n for name in (lead, lead.lower()) if (n := notes(header, name)) is not None), None)
        if found is None:
            continue
        rows = list(zip(found.at.tolist(), found.symbol, strict=True))
        for (before, opens), (at, wave), (after, closes) in zip(rows, rows[1:], rows[2:], strict=False):
            if opens == "(" and closes == ")" and wave in "pNt":
                marks.append((wave, before, at, after))
    limits: dict[str, list[float]] = {}
    beats: list[int] = []
    for at in sorted(mark[2] for mark in marks if mark[0] == "N"):
        if not beats or at - beats[-1] > 0.2 * hz:
            beats.append(at)
    for at in beats:
        near = [mark for mark in marks if mark[0] == "N" and abs(mark[2] - at) < NEAR_S * hz]
        p = [mark for mark in marks if mark[0] == "p" and 0.03 * hz < at - mark[2] < 0.4 * hz]
        t = [mark for mark in marks if mark[0] == "t" and 0.05 * hz < mark[2] - at < 0.7 * hz]
        on = float(np.median([mark[1] for mark in near]))
        limits.setdefault("qrs_ms", []).append(float(np.median([mark[3] for mark in near])) - on)
        if len(p) > 3:
            limits.setdefault("pr_ms", []).append(on - float(np.median([mark[1] for mark in p])))
        if len(t) > 3:
            limits.setdefault("qt_ms", []).append(float(np.median([mark[3] for mark in t])) - on)
    return {name: 1000 / hz * float(np.median(values)) for name, values in limits.items()}
