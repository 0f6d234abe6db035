"""QRS detection: sensitivity and positive predictivity beat by beat, one lead, two leads, and in noise."""

import time
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import Notes, headers, notes, recording
from bench.accuracy.peers import Detector, detectors
from bench.accuracy.score import LEARNING_S, Counts, Table, compare
from worker.recording import Recording
from worker.signal.qrs import find_beats

NEEDS = "records with .atr beat annotations, as in mitdb; noise records (em) in ../nstdb for the mixes"
SNR_DB: Final = (24, 18, 12, 6, 0, -6)
CLEAN_S, NOISY_S = 300, 120


def run(folder: Path, options: Any) -> list[Table]:
    """Tables for one lead, two leads, and the noise mixes."""
    named, missing = detectors() if options.peers else ({}, [])
    ours: dict[str, Detector] = {"ours": lambda mv, hz: find_beats(1000 * np.atleast_2d(mv), hz)}
    records = [(header, found) for header in headers(folder) if (found := notes(header, "atr")) is not None]
    if options.limit:
        records = records[: options.limit]
    tables = [_table("one lead (the first)", records, ours | named, [0])]
    tables.append(_table("two leads", records, ours, [0, 1]))
    noise = folder.parent / "nstdb" / "em.hea"
    if noise.exists() and not options.quick:
        tables.append(_noise(records, recording(noise), ours | named))
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


def mix(mv: NDArray[np.float64], noise: NDArray[np.float64], beats: NDArray[np.int_], hz: float, snr_db: float) -> Any:
    """The record with noise from 5:00 on, two minutes with and two without, as ``nst`` mixes (NSTDB's protocol).

    Signal power is a sine's of the usual QRS peak to peak amplitude, noise power the mean square over one second.
    """
    reach = round(0.05 * hz)
    spans = np.array([np.ptp(mv[max(0, at - reach) : at + reach]) for at in beats.tolist()])
    signal_power = float(np.mean(np.sort(spans)[len(spans) // 20 : -max(1, len(spans) // 20)])) ** 2 / 8
    second = noise[: len(noise) // round(hz) * round(hz)].reshape(-1, round(hz))
    rms = np.sort(np.sqrt(((second - second.mean(axis=1, keepdims=True)) ** 2).mean(axis=1)))
    noise_power = float(np.mean(rms[len(rms) // 20 : -max(1, len(rms) // 20)])) ** 2
    gain = np.sqrt(signal_power / noise_power / 10 ** (snr_db / 10))
    mixed = mv.copy()
    seconds = np.arange(len(mv)) / hz
    on = (seconds >= CLEAN_S) & (((seconds - CLEAN_S) // NOISY_S) % 2 == 0)
    mixed[on] += gain * np.resize(noise, len(mv))[on]
    return mixed, on


def _noise(records: list[tuple[Path, Notes]], noise: Recording, named: dict[str, Detector]) -> Table:
    table = Table("QRS in electrode-motion noise (first lead)", ["detector", *[f"{snr} dB Se/+P" for snr in SNR_DB]])
    table.note = "records 118 and 119 where they are there, else the first two; only the noisy minutes count"
    chosen = [pair for pair in records if pair[0].stem in ("118", "119")] or records[:2]
    wave = noise.microvolts()[0] / 1000
    for name, detect in named.items():
        row: list[Any] = [name]
        for snr in SNR_DB:
            total = Counts()
            for header, found in chosen:
                whole = recording(header)
                mixed, on = mix(whole.microvolts()[0] / 1000, wave, found.beats, whole.sampling_hz, snr)
                edges = np.flatnonzero(np.diff(np.concatenate([[0], (~on).astype(np.int8), [0]]))).reshape(-1, 2)
                quiet = [(int(first), int(last)) for first, last in edges]
                counts, _ = compare(found.beats, detect(mixed, whole.sampling_hz), whole.sampling_hz, excluded=quiet)
                total.add(counts)
            row.append(f"{total.se:.2f}/{total.ppv:.2f}")
            key = f"{name}.noise_{snr}db".replace(" ", "_")
            table.figures |= {f"{key}.se": total.se, f"{key}.ppv": total.ppv}
        table.rows.append(row)
    return table
