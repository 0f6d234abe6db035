"""Atrial fibrillation on strips of 9 to 60 s: CinC 2017 (one lead), CPSC 2021 (two leads), CPSC 2018 (twelve)."""

import csv
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.classes import labels
from bench.accuracy.data import cut, headers, notes, recording
from bench.accuracy.score import Counts, Table, halves
from worker.recording import Recording
from worker.resting import analyse

NEEDS = "REFERENCE.csv beside single-lead strips, or rhythm annotations (.atr), or '# Dx:'"
AF_CODES: Final = frozenset(("50", "50a", "50b", "50c", "50d"))
STRIP_S: Final = 30.0


def says_af(strip: Recording) -> bool:
    """Whether the pre-read says atrial fibrillation."""
    return any(statement.code in AF_CODES for statement in analyse(strip).statements)


def run(folder: Path, options: Any) -> list[Table]:
    """Counts by what the readers said."""
    truth, said, names = [], [], []
    for label, strip, name in _strips(folder, options):
        truth.append(label)
        said.append(says_af(strip))
        names.append(name)
    counts = Counts(
        tp=sum(s for t, s in zip(truth, said, strict=True) if t == "A"),
        fn=sum(not s for t, s in zip(truth, said, strict=True) if t == "A"),
        fp=sum(s for t, s in zip(truth, said, strict=True) if t != "A"),
    )
    table = Table(f"Atrial fibrillation, {len(truth)} strips", ["label", "strips", "said AF"])
    for label in sorted(set(truth)):
        mine = [s for t, s in zip(truth, said, strict=True) if t == label]
        table.rows.append([label, len(mine), sum(mine)])
    clean = [(t, s) for t, s in zip(truth, said, strict=True) if t != "~"]
    fp_clean = sum(s for t, s in clean if t != "A")
    without_noise = Counts(counts.tp, counts.fn, fp_clean)
    table.figures = {"f1": counts.f1, "f1_readable": without_noise.f1, "se": counts.se, "ppv": counts.ppv}
    wrong = [f"{n}{'' if t == 'A' else '+' + t}" for n, t, s in zip(names, truth, said, strict=True) if (t == "A") != s]
    table.note = (
        f"Se {counts.se:.1f} %, +P {counts.ppv:.1f} %, F1 {counts.f1:.3f} (readable strips {without_noise.f1:.3f})"
    )
    table.note += "" if options.quick else f"; wrong: {' '.join(wrong)}"
    return [table]


def _strips(folder: Path, options: Any) -> Any:
    reference = folder / "REFERENCE.csv"
    words = dict(csv.reader(reference.open(encoding="utf-8"))) if reference.exists() else None
    for header in headers(folder):
        if options.half and halves(header.stem) != options.half:
            continue
        if words is not None:
            if header.stem in words:
                yield words[header.stem], recording(header), header.stem
        elif (rhythm := notes(header, "atr")) is not None:
            yield from cut_by_rhythm(header, rhythm, STRIP_S)
        elif named := labels(header):
            yield "A" if "AF" in named else "other", recording(header), header.stem


def cut_by_rhythm(header: Path, rhythm: Any, seconds: float) -> Any:
    """(label, strip, name) of each stretch that is AF, or free of it, from end to end."""
    whole = recording(header)
    inside = np.zeros(whole.n_samples, bool)
    state, since = False, 0
    for at, text in zip(rhythm.at.tolist(), rhythm.text, strict=True):
        if text.startswith("("):
            inside[since:at] = state
            state, since = text.startswith(("(AF", "(AFIB")), at
    inside[since:] = state
    width = round(seconds * whole.sampling_hz)
    for start in range(0, whole.n_samples - width + 1, width):
        share = float(inside[start : start + width].mean())
        if share in (0.0, 1.0):
            yield "A" if share else "N", cut(whole, start, start + width), f"{header.stem}@{start // width}"
