"""AV block of a day: none where there is none, and found where real P waves have lost their QRS.

No open record at hand holds AV block. So QRS and T are taken out of records' own sinus rhythm, as the median of the
beats around has them, and P waves and noise stay what they were: single beats (one in 12 to 60), every second one
(2:1), and all, with an escape of 38/min put in (third degree). What is said of the untouched record is false.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import headers, recording
from bench.accuracy.score import Table
from worker.holter.analysis import analyse
from worker.holter.measured import Beats, Label
from worker.holter.rows import runs_of
from worker.recording import Recording

Floats = NDArray[np.float64]

KINDS: Final = ("untouched", "single", "2:1", "third degree")
SAID: Final = {"single": "av_block_2", "2:1": "av_block_2", "third degree": "av_block_3"}
BEFORE_S: Final = 0.07
QRS_S: Final = (0.06, 0.08)
T_ENDS_S: Final = 0.50
T_SHARE: Final = 0.62
STRETCH: Final = (30, 240)
MOST_STRETCHES: Final = 12
ESCAPE_S: Final = (1.55, 0.01)


def run(folder: Path, options: Any) -> list[Table]:
    """Records in which block was said, and how much of what was made was found."""
    names = ["record", "said", *(f"{kind} {word}" for kind in KINDS[1:] for word in ("made", "found"))]
    table = Table("AV block of a day (gaps for single beats, else seconds)", names)
    for header in headers(folder)[: options.limit or None]:
        whole = replace(recording(header), kind="holter")
        findings, measured = analyse(whole)
        assert findings.holter is not None
        row: list[Any] = [header.stem, sum(event.kind.startswith("av_block") for event in findings.holter.events)]
        for kind in KINDS[1:]:
            made, spans = without_qrs(whole, measured.beats, kind)
            if not spans:
                row += [0, 0]
                continue
            said = analyse(made)[0].holter
            assert said is not None
            told = [(event.start_s, event.end_s) for event in said.events if event.kind == SAID[kind]]
            row += _found(kind, spans, told)
        table.rows.append(row)
    sums = [sum(row[column] for row in table.rows) for column in range(1, len(names))]
    table.rows.append(["sum", *sums])
    table.figures = {"blocks.false": float(sums[0])}
    for place, kind in enumerate(KINDS[1:]):
        table.figures[f"blocks.{kind}_share"] = sums[2 * place + 2] / max(1, sums[2 * place + 1])
    return [table]


def _found(kind: str, spans: list[tuple[float, float]], told: list[tuple[float, float]]) -> list[int]:
    if kind == "single":
        hit = sum(any(a < (start + end) / 2 < b for a, b in told) for start, end in spans)
        return [len(spans), hit]
    hit_s = sum(max(0.0, min(end, b) - max(start, a)) for start, end in spans for a, b in told)
    return [round(sum(end - start for start, end in spans)), round(hit_s)]


def without_qrs(whole: Recording, beats: Beats, kind: str) -> tuple[Recording, list[tuple[float, float]]]:
    """(the record without these QRS and T, (start, end) seconds of each gap or of each stretch)."""
    hz, chance = whole.sampling_hz, np.random.default_rng(1)
    signal = whole.digital.astype(np.float64)
    spans: list[tuple[float, float]] = []
    for first, last in list(_stretches(beats))[:MOST_STRETCHES]:
        at = beats.sample[first:last]
        before, after = int(BEFORE_S * hz), int(min(T_ENDS_S * hz, T_SHARE * np.median(np.diff(at))))
        inside = at[(at > before + 3) & (at + after < whole.n_samples)]
        usual = np.median([_level(whole.digital[:, p - before : p + after]) for p in inside[:60].tolist()], axis=0)
        places = np.arange(3, at.size - 3, 2 if kind == "2:1" else 1)
        if kind == "single":
            places = np.cumsum(chance.integers(12, 60, at.size))
            places = places[places < at.size - 3]
        for place in places.tolist():
            _take_out(signal, int(at[place]), usual, before, hz)
        if kind == "single":
            spans += [(float(at[place - 1]) / hz, float(at[place + 1]) / hz) for place in places.tolist()]
            continue
        spans.append((float(at[3]) / hz, float(at[-4]) / hz))
        beat = int(at[3])
        while kind == "third degree" and beat < at[-4]:
            signal[:, beat - before : beat + after] += usual
            beat += int(chance.normal(*ESCAPE_S) * hz)
    return replace(whole, digital=np.rint(signal).astype(np.int32)), spans


def _stretches(beats: Beats) -> Iterator[tuple[int, int]]:
    for first, last in runs_of(beats.label == Label.N):
        if last - first >= STRETCH[0]:
            yield first, min(last, first + STRETCH[1])


def _level(part: Any) -> Floats:
    """Without the line through its ends."""
    along = np.linspace(0, 1, part.shape[1])
    level: Floats = part - part[:, :1] - (part[:, -1:] - part[:, :1]) * along
    return level


def _take_out(signal: Floats, at: int, usual: Floats, before: int, hz: float) -> None:
    """T as the others have it, and over what the QRS leaves a straight line."""
    signal[:, at - before : at - before + usual.shape[1]] -= usual
    first, last = at - int(QRS_S[0] * hz), at + int(QRS_S[1] * hz)
    left, right = signal[:, first - 3 : first].mean(axis=1), signal[:, last : last + 3].mean(axis=1)
    signal[:, first:last] = left[:, None] + np.outer(right - left, np.linspace(0, 1, last - first))


__all__ = ["run", "without_qrs"]
