"""Ventricular fibrillation and tachycardia in windows of 8 s: VFDB and CUDB as annotated."""

from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.data import Notes, cut, headers, notes, recording
from bench.accuracy.score import Table, halves
from worker.recording import Recording
from worker.resting import analyse

NEEDS = "records with rhythm annotations, (VF, (VFL, (VT, or [ and ]"
WINDOW_S: Final = 8.0
STEP_S: Final = 4.0
VF_CODES: Final = frozenset(("74", "74a"))
VT_CODES: Final = frozenset(("70", "71", "72", "73", "73a", "76"))
MIN_VT_S: Final = 3.0
NOT_HEARD: Final = ("(NOISE", "(ASYS")
FLAT_UV: Final = 150.0
RAIL_UV: Final = 2000.0
RAIL_S: Final = 0.5
"""A window in which the amplifier's end hides the heart for so long in each lead is not counted, and said."""


def rhythm_of(found: Notes, n: int) -> np.ndarray[Any, Any]:
    """(n,) letter of each sample: F fibrillation or flutter, T tachycardia, ~ noise, asystole, N the rest."""
    letters = np.full(n, "N")
    since, now = 0, "N"
    for at, symbol, text in zip(found.at.tolist(), found.symbol, found.text, strict=True):
        new = now
        if text.startswith("("):
            word = text[1:].split("\0")[0]
            new = "F" if word in ("VF", "VFL", "VFIB") else "T" if word.startswith("VT") else "N"
            new = "~" if text.startswith(NOT_HEARD) else new
        elif symbol in "[]":
            new = "F" if symbol == "[" else "N"
        elif symbol == "~" and text == "":
            continue
        letters[since:at] = now
        since, now = at, new
    letters[since:] = now
    return letters


def railed(strip: Recording) -> bool:
    """Whether every lead of the strip lies on the amplifier's end for longer than :data:`RAIL_S`."""
    uv = strip.microvolts()
    ends = np.stack([uv.max(axis=1), uv.min(axis=1)])[:, :, None]
    on = ((np.abs(uv - ends) < 1.0) & (np.abs(ends) > RAIL_UV)).sum(axis=2).max(axis=0)
    return bool((on > RAIL_S * strip.sampling_hz).all())


def run(folder: Path, options: Any) -> list[Table]:
    """Sensitivity and specificity by window."""
    rows: dict[str, list[tuple[str, str, float, bool]]] = {"F": [], "T": [], "N": []}
    left_out: Counter[str] = Counter()
    for header in headers(folder):
        found = notes(header, "atr")
        if found is None or (options.half and halves(header.stem) != options.half):
            continue
        whole = recording(header)
        letters = rhythm_of(found, whole.n_samples)
        width, step = round(WINDOW_S * whole.sampling_hz), round(STEP_S * whole.sampling_hz)
        for start in range(0, whole.n_samples - width + 1, step):
            part = letters[start : start + width]
            label = str(part[0]) if (part == part[0]).all() else ""
            strip = cut(whole, start, start + width)
            if label not in rows or railed(strip):
                left_out["not readable" if label in rows else "two rhythms" if not label else "noise, asystole"] += 1
            else:
                said, loud = _said(strip), bool(np.ptp(strip.microvolts(), axis=1).max() > FLAT_UV)
                rows[label].append((said, header.stem, start / whole.sampling_hz, loud))
    vf, vt, other = rows["F"], rows["T"], rows["N"]
    table = Table("Windows of 8 s", ["annotated", "windows", "said VF", "said VT", "neither"])
    for name, mine in (("VF or flutter", vf), ("VT", vt), ("neither", other)):
        words = [word for word, *_ in mine]
        table.rows.append([name, len(mine), words.count("F"), words.count("T"), words.count("N")])
    table.figures = {
        "vf.se": _share([w == "F" for w, *_ in vf if w]),
        "vf_or_vt.se": _share([w in "FT" for w, *_ in vf]),
        "vf.sp": _share([w != "F" for w, *_ in other]),
        "vf.sp_with_vt": _share([w != "F" for w, *_ in [*other, *vt]]),
        "vt.se": _share([w in "FT" for w, *_ in vt]),
        "vt.named": _share([w == "T" for w, *_ in vt]),
        "vt.sp": _share([w != "T" for w, *_ in other]),
    }
    table.note = ", ".join(f"{name} {value:.1f} %" for name, value in table.figures.items())
    table.note += "; left out: " + ", ".join(f"{name} {count}" for name, count in sorted(left_out.items()))
    wrong = [["VF", *_place(row)] for row in vf if row[0] != "F"] + [
        ["other", *_place(row)] for row in other if row[0] != "N"
    ]
    wrong += [["VT", *_place(row)] for row in vt if row[0] == "N"]
    return (
        [table]
        if options.quick
        else [table, Table("Windows said wrongly", ["annotated", "said", "record", "s"], wrong)]
    )


def _place(row: tuple[str, str, float, bool]) -> list[Any]:
    return [row[0], row[1], f"{row[2]:.0f}"]


def _said(strip: Recording) -> str:
    codes = {statement.code for statement in analyse(strip).statements}
    return "F" if codes & VF_CODES else "T" if codes & VT_CODES else "N"


def _share(values: list[bool]) -> float:
    return 100 * float(np.mean(values)) if values else float("nan")
