"""Which limits of P, QRS and T did people mark, in which lead of which beat?

LUDB has one annotation file a lead; QTDB one for both of its leads (``.q1c``), so that, as Martínez 2004 does
(doi:10.1109/TBME.2003.821031), each mark is compared with the lead that comes nearer to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from bench.accuracy.data import BEAT_SYMBOLS, Notes, cut, headers, notes, recording
from worker.leads import TWELVE
from worker.recording import Recording

PART_S: Final = 45.0
MARGIN_S: Final = 5.0
BEAT_S: Final = 0.15
P_BEFORE_S: Final = 0.45
T_BEHIND_S: Final = 0.75


@dataclass(frozen=True, slots=True)
class Mark:
    """One wave of one beat: samples; None where the reader set no such limit."""

    wave: str
    """``p``, ``qrs`` or ``t``."""
    on: int | None
    peak: int
    off: int | None
    rows: tuple[int, ...]
    """The leads that it is of; it belongs to one of them where there are several."""


@dataclass(frozen=True, eq=False)
class Marked:
    """A stretch of a record with its marks."""

    name: str
    record: Recording
    marks: list[Mark]


def marked(folder: Path) -> Iterator[Marked]:
    """Every marked stretch below a folder with the layout of LUDB or QTDB."""
    for header in headers(folder):
        if (both := notes(header, "q1c")) is not None:
            yield from _parts(header, both)
        elif any(notes(header, lead.lower()) is not None for lead in TWELVE):
            yield _by_lead(header)


def twice_marked(folder: Path) -> Iterator[tuple[float, list[Mark], list[Mark]]]:
    """(sampling rate, marks of one reader, marks of another) of each record that has a ``.q2c`` beside its ``.q1c``."""
    for header in headers(folder):
        one, other = notes(header, "q1c"), notes(header, "q2c")
        if one is not None and other is not None:
            yield recording(header).sampling_hz, _waves(one, ()), _waves(other, ())


def _by_lead(header: Path) -> Marked:
    record = recording(header)
    marks: list[Mark] = []
    for row, lead in enumerate(record.leads):
        found = next((n for name in (lead, lead.lower()) if (n := notes(header, name)) is not None), None)
        if found is not None:
            marks += _waves(found, (row,))
    return Marked(header.stem, record, marks)


def _parts(header: Path, found: Notes) -> Iterator[Marked]:
    """The stretches of a long record that were marked, none longer than a resting ECG may be."""
    record = recording(header)
    waiting = _waves(found, tuple(range(len(record.leads))))
    part = 0
    while waiting:
        within = [mark for mark in waiting if mark.peak - waiting[0].peak < PART_S * record.sampling_hz]
        margin = round(MARGIN_S * record.sampling_hz)
        start, stop = max(0, within[0].peak - margin), min(record.n_samples, within[-1].peak + margin)
        moved = [_earlier(mark, start) for mark in within]
        yield Marked(f"{header.stem}:{part}", cut(record, start, stop), moved)
        waiting, part = waiting[len(within) :], part + 1


def _earlier(mark: Mark, by: int) -> Mark:
    on, off = (None if at is None else at - by for at in (mark.on, mark.off))
    return Mark(mark.wave, on, mark.peak - by, off, mark.rows)


def _waves(found: Notes, rows: tuple[int, ...]) -> list[Mark]:
    notes_in_order: list[tuple[int, str]] = list(zip(found.at.tolist(), found.symbol, strict=True))
    marks = []
    for number, (at, symbol) in enumerate(notes_in_order):
        wave = symbol if symbol in ("p", "t") else "qrs" if symbol in BEAT_SYMBOLS else None
        if wave is None:
            continue
        on = next((place for place, sign in notes_in_order[max(0, number - 1) : number] if sign == "("), None)
        off = next((place for place, sign in notes_in_order[number + 1 : number + 2] if sign == ")"), None)
        marks.append(Mark(wave, on, at, off, rows))
    return marks


def beat_of(mark: Mark, at: np.ndarray[Any, np.dtype[np.int_]], hz: float, factor: float) -> int | None:
    """The detected beat that a mark belongs to; ``factor`` detected samples lie in one marked one."""
    peak = mark.peak * factor
    if not at.size:
        return None
    if mark.wave == "qrs":
        beat = int(np.argmin(np.abs(at - peak)))
        return beat if abs(at[beat] - peak) < BEAT_S * hz else None
    beat = int(np.searchsorted(at, peak)) - (mark.wave == "t")
    if not 0 <= beat < at.size:
        return None
    apart = abs(at[beat] - peak) / hz
    return beat if apart < (P_BEFORE_S if mark.wave == "p" else T_BEHIND_S) else None
