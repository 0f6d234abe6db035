"""Ventricular fibrillation and tachycardia in windows of 8 s, and runs of it: VFDB, CUDB and MIT-BIH as annotated.

A window counts where its annotated rhythm is one from end to end, as in the literature on shock advice (Jekova,
doi:10.1088/0967-3334/21/4/301): what holds the border of two rhythms, which the annotators set to within seconds, and
what is annotated as noise or asystole belongs to neither side. How many are left out stands below the table. A run
(:mod:`bench.accuracy.vt_runs`) counts wherever it lies, also in windows of two rhythms.
"""

from collections import Counter
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.data import Notes, cut, headers, notes, recording
from bench.accuracy.score import Table, halves
from bench.accuracy.vt_runs import Runs, Spans, overlaps, truth_of
from ecg_center.contract.findings import Findings
from worker.recording import Recording
from worker.resting import analyse

NEEDS = "records with rhythm annotations, (VF, (VFL, (VT, or [ and ]"
WINDOW_S: Final = 8.0
STEP_S: Final = 4.0
VF_CODES: Final = frozenset(("74", "74a"))
VT_CODES: Final = frozenset(("70", "71", "72", "73", "73a", "76"))
NOT_HEARD: Final = ("(NOISE", "(ASYS")
RAIL_UV: Final = 2000.0
RAIL_S: Final = 0.5
"""A window in which the amplifier's end hides the heart for so long in each lead is not counted, and said."""

Row = tuple[str, str, str]


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


class _Asked:
    """The windows of a folder by their annotated rhythm, (said, record, s), and what was left out."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {"F": [], "T": [], "N": []}
        self.left_out: Counter[str] = Counter()
        self.runs = Runs("Runs of ventricular tachycardia")

    def add(self, header: Path, found: Notes) -> None:
        """One record."""
        whole = recording(header)
        letters, hz = rhythm_of(found, whole.n_samples), whole.sampling_hz
        truth, told = truth_of(found, letters, hz), Spans()
        width, step = round(WINDOW_S * hz), round(STEP_S * hz)
        for start in range(0, whole.n_samples - width + 1, step):
            part = letters[start : start + width]
            label = str(part[0]) if (part == part[0]).all() else ""
            strip = cut(whole, start, start + width)
            why = "two rhythms" if not label else "noise, asystole" if label not in self.rows else ""
            why = why or ("not readable" if railed(strip) else "")
            self.left_out[why] += bool(why)
            if why and not overlaps((start / hz, start / hz + WINDOW_S), [*truth[0], *truth[1]]):
                continue
            findings = analyse(strip)
            told += ventricular_spans(findings, start / hz)
            if not why:
                self.rows[label].append((_said(findings), header.stem, f"{start / hz:.0f}"))
        self.runs.add(header.stem, truth, told, whole.n_samples / hz)


def run(folder: Path, options: Any) -> list[Table]:
    """Sensitivity and specificity by window, and how many runs of tachycardia are found."""
    asked = _Asked()
    for header in headers(folder):
        found = notes(header, "atr")
        if found is not None and (not options.half or halves(header.stem) == options.half):
            asked.add(header, found)
    tables = [_windows(asked), asked.runs.finished("vt_runs")]
    wrong = Table("Windows said wrongly", ["annotated", "said", "record", "s"])
    for name, letter, right in (("VF", "F", "F"), ("other", "N", "N"), ("VT", "T", "FT")):
        wrong.rows += [[name, *row] for row in asked.rows[letter] if row[0] not in right]
    return tables if options.quick else [*tables, wrong]


def _windows(asked: _Asked) -> Table:
    vf, vt, other = ([word for word, *_ in asked.rows[letter]] for letter in "FTN")
    table = Table("Windows of 8 s", ["annotated", "windows", "said VF", "said VT", "neither"])
    for name, words in (("VF or flutter", vf), ("VT", vt), ("neither", other)):
        table.rows.append([name, len(words), words.count("F"), words.count("T"), words.count("N")])
    table.figures = {
        "vf.se": _share([word == "F" for word in vf]),
        "vf_or_vt.se": _share([word in "FT" for word in vf]),
        "vf.sp": _share([word != "F" for word in other]),
        "vf.sp_with_vt": _share([word != "F" for word in [*other, *vt]]),
        "vt.se": _share([word in "FT" for word in vt]),
        "vt.named": _share([word == "T" for word in vt]),
        "vt.sp": _share([word != "T" for word in other]),
    }
    table.note = ", ".join(f"{name} {value:.1f} %" for name, value in table.figures.items())
    left_out = sorted((name, count) for name, count in asked.left_out.items() if name)
    table.note += "; left out: " + ", ".join(f"{name} {count}" for name, count in left_out)
    return table


def ventricular_spans(findings: Findings, since_s: float) -> Spans:
    """(start, stop) seconds in which tachycardia, fibrillation or flutter of the ventricles is said."""
    spans = Spans()
    for statement in findings.statements:
        if statement.code in VF_CODES | VT_CODES:
            shown = [item for item in statement.evidence if item.start_s is not None and item.end_s is not None]
            spans += [(since_s + (item.start_s or 0.0), since_s + (item.end_s or 0.0)) for item in shown] or [
                (since_s, since_s + findings.duration_s)
            ]
    return spans


def _said(findings: Findings) -> str:
    codes = {statement.code for statement in findings.statements}
    return "F" if codes & VF_CODES else "T" if codes & VT_CODES else "N"


def _share(values: list[bool]) -> float:
    return 100 * float(np.mean(values)) if values else float("nan")
