"""Limits of P, QRS and T against people: global PR, QRS and QT of LUDB, and every limit of every beat, lead by lead, of
LUDB and QTDB; with ``--peers`` beside neurokit2."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import headers, notes, person, recording
from bench.accuracy.global_limits import GlobalLimits
from bench.accuracy.limit_marks import Mark, Marked, beat_of, marked, twice_marked
from bench.accuracy.score import Table, halves
from worker.leads import TWELVE
from worker.resting import analyse
from worker.resting.patient import Person
from worker.resting.reading import read_signal
from worker.resting.rhythm import rhythm_of
from worker.resting.traces import prepare
from worker.signal.beat_limits import BeatLimits, delineate_beats

NEEDS = "12-lead records with one annotation file a lead, as LUDB has them, or records with .q1c, as QTDB has them"
TOLERANCE_MS: Final = {"pr_ms": 10.0, "qrs_ms": 8.0, "qt_ms": 15.0}
LIMIT_SD_MS: Final = {
    "p_on": 10.2, "p_peak": None, "p_off": 12.7, "qrs_on": 6.5, "qrs_peak": None, "qrs_off": 11.6,
    "t_peak": None, "t_off": 30.6,
}  # fmt: skip
"""CSE working party 1985, doi:10.1093/oxfordjournals.eurheartj.a061914: what the readers themselves differ by."""
NEAR_S: Final = 0.06
FAR_MS: Final = 150.0
"""What is farther from the mark is no limit of the same wave: the mark counts as not found."""

Ours = tuple[NDArray[np.int_], float, BeatLimits]


def run(folder: Path, options: Any) -> list[Table]:
    """The global intervals where each lead has its marks, and the limits."""
    tables = _global(folder, options)
    if options.quick:
        return tables[:1]
    together = GlobalLimits()
    tables.append(_limits("Limits lead by lead, ms", folder, options, ours, together))
    tables += together.tables()
    tables += _readers(folder)
    if options.peers:
        for method in ("dwt", "prominence"):
            tables.append(_limits(f"neurokit2 {method}", folder, options, _peer(method)))
    return tables


def _global(folder: Path, options: Any) -> list[Table]:
    """Mean and standard deviation of measured less marked, and how often it was measured."""
    errors: dict[str, list[float]] = {name: [] for name in TOLERANCE_MS}
    marked_times = dict.fromkeys(TOLERANCE_MS, 0)
    worst: list[list[Any]] = []
    for header in headers(folder):
        truth = experts(header)
        if not truth or (options.half and halves(header.stem) != options.half):
            continue
        measured = analyse(replace(recording(header), identity=person(header))).measurements
        for name, value in truth.items():
            marked_times[name] += 1
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
        shown = [float(at.mean()), float(at.std()), _robust(at)]
        table.rows.append([name, marked_times[name], len(at), *shown, TOLERANCE_MS[name]])
        for statistic, value in zip(("mean", "sd", "robust_sd"), shown, strict=True):
            table.figures[f"{name}.{statistic}"] = value
        table.figures[f"{name}.measured"] = 100 * len(at) / max(1, marked_times[name])
    if not table.rows:
        return []
    return [table, Table("More than 30 ms apart", ["record", "interval", "marked", "measured"], worst)]


def _robust(values: NDArray[np.float64]) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


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


# ---- every limit of every beat


def ours(stretch: Marked) -> Ours | None:
    """The beats and their limits, no P where the rhythm has none."""
    traces = prepare(stretch.record)
    reading = read_signal(traces, Person(), calibrated=stretch.record.calibrated)
    if not reading.rows:
        return None
    found = delineate_beats(traces.clean, reading.beats, reading.rows, traces.hz, reading.median, reading.first_limits)
    if rhythm_of(reading).name in ("af", "flutter", "vt", "vf", "ventricular"):
        nothing = np.full_like(found.p_on, np.nan)
        found = replace(found, p_on=nothing, p_peak=nothing, p_off=nothing)
    return reading.beats.at, traces.hz, found


def _limits(
    title: str,
    folder: Path,
    options: Any,
    measure: Callable[[Marked], Ours | None],
    together: GlobalLimits | None = None,
) -> Table:
    """How many limits were found, and how far they lie from the marks; ``together`` is shown the same beats."""
    errors: dict[str, list[float]] = {name: [] for name in LIMIT_SD_MS}
    wanted = dict.fromkeys(LIMIT_SD_MS, 0)
    false_p = marked_beats = 0
    taken: set[str] = set()
    for stretch in marked(folder):
        record = stretch.name.split(":")[0]
        if options.half and halves(record) != options.half:
            continue
        if options.limit and record not in taken and len(taken) >= options.limit:
            break
        taken.add(record)
        found = measure(stretch)
        more, beats = _compare(stretch, found, errors, wanted)
        if together is not None:
            together.add(stretch, found)
        false_p, marked_beats = false_p + more, marked_beats + beats
    table = Table(title, ["limit", "marked", "found %", "mean", "SD", "robust SD", "SD to reach"])
    for name, values in errors.items():
        if not wanted[name]:
            continue
        at = np.array(values)
        share = 100 * len(at) / wanted[name]
        shown = [float(at.mean()), float(at.std()), _robust(at)] if at.size else [np.nan] * 3
        table.rows.append([name, wanted[name], share, *shown, LIMIT_SD_MS[name] or "-"])
        key = f"{title.split(',', maxsplit=1)[0].lower().replace(' ', '_')}.{name}"
        table.figures |= {f"{key}.found": share, f"{key}.mean": shown[0], f"{key}.sd": shown[1]}
    table.note = (
        f"found within {FAR_MS:g} ms; of two leads with one mark the nearer one; "
        f"P where the readers marked none: {false_p} of {marked_beats} QRS marks"
    )
    return table


def _readers(folder: Path) -> list[Table]:
    """How far two readers of one recording lie apart; nothing where one alone read it."""
    apart: dict[str, list[float]] = {name: [] for name in LIMIT_SD_MS}
    records = 0
    for hz, ones, others in twice_marked(folder):
        records += 1
        for one in ones:
            same = [other for other in others if other.wave == one.wave and abs(other.peak - one.peak) < NEAR_S * hz]
            for other in same[:1]:
                for part in ("on", "peak", "off"):
                    name, mine, theirs = f"{one.wave}_{part}", getattr(one, part), getattr(other, part)
                    if name in apart and mine is not None and theirs is not None:
                        apart[name].append((theirs - mine) * 1000 / hz)
    table = Table(f"Second reader less the first, ms, {records} records", ["limit", "both", "mean", "SD", "robust SD"])
    for name, values in apart.items():
        if values:
            at = np.array(values)
            table.rows.append([name, len(at), float(at.mean()), float(at.std()), _robust(at)])
            table.figures |= {f"readers.{name}.mean": float(at.mean()), f"readers.{name}.sd": float(at.std())}
    return [table] if table.rows else []


def _compare(
    stretch: Marked, found: Ours | None, errors: dict[str, list[float]], wanted: dict[str, int]
) -> tuple[int, int]:
    """Add the errors of one stretch; (P waves that nobody marked, marked QRS)."""
    factor = 1.0 if found is None else found[1] / stretch.record.sampling_hz
    with_p: set[tuple[int, int]] = set()
    qrs: list[tuple[int, int]] = []
    for mark in stretch.marks:
        beat = None if found is None else beat_of(mark, found[0], found[1], factor)
        if beat is not None:
            for row in mark.rows:
                if mark.wave == "p":
                    with_p.add((beat, row))
                elif mark.wave == "qrs":
                    qrs.append((beat, row))
        for part, at in (("on", mark.on), ("peak", mark.peak), ("off", mark.off)):
            name = f"{mark.wave}_{part}"
            if name not in errors or at is None:
                continue
            wanted[name] += 1
            error = _nearest_ms(mark, found, beat, name, at * factor)
            if error is not None and abs(error) <= FAR_MS:
                errors[name].append(error)
    if found is None:
        return 0, 0
    return sum(place not in with_p and not np.isnan(found[2].p_on[place]) for place in qrs), len(qrs)


def _nearest_ms(mark: Mark, found: Ours | None, beat: int | None, name: str, at: float) -> float | None:
    """Measured less marked in the lead that comes nearest; None where no lead of the mark has this limit."""
    if found is None or beat is None:
        return None
    places = getattr(found[2], name)[beat, list(mark.rows)]
    there = (places[~np.isnan(places)] - at) * 1000 / found[1]
    return float(there[np.argmin(np.abs(there))]) if there.size else None


def _peer(method: str) -> Callable[[Marked], Ours | None]:
    """neurokit2's delineation of each lead by itself, told our beats."""
    import neurokit2 as nk

    names = {
        "p_on": "ECG_P_Onsets", "p_peak": "ECG_P_Peaks", "p_off": "ECG_P_Offsets", "qrs_on": "ECG_R_Onsets",
        "qrs_off": "ECG_R_Offsets", "t_peak": "ECG_T_Peaks", "t_off": "ECG_T_Offsets",
    }  # fmt: skip

    def measure(stretch: Marked) -> Ours | None:
        traces = prepare(stretch.record)
        reading = read_signal(traces, Person(), calibrated=stretch.record.calibrated)
        at = reading.beats.at
        shape = (at.size, traces.clean.shape[0])
        found = {name: np.full(shape, np.nan) for name in LIMIT_SD_MS}
        for row in range(shape[1]):
            try:
                said = nk.ecg_delineate(traces.clean[row] / 1000, at, sampling_rate=round(traces.hz), method=method)[1]
            except (ValueError, IndexError, ZeroDivisionError):  # it gives up on this lead
                continue
            for name, theirs in names.items():
                values = np.asarray(said.get(theirs, []), float)
                found[name][: min(at.size, values.size), row] = values[: at.size]
        found["qrs_peak"][:] = at[:, None]
        return at, traces.hz, BeatLimits(**found)

    return measure
