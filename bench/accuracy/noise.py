"""QRS detection in electrode-motion noise, beside other people's detectors, as the noise stress test of MIT-BIH has it.

Moody, Muldrow and Mark 1984 (Computers in Cardiology 11:381): clean records get the noise ``em`` from 5:00 on, two
minutes with it and two without, at set signal-to-noise ratios. Only the noisy minutes count.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import Notes, headers, notes, recording
from bench.accuracy.peers import Detector, detectors
from bench.accuracy.score import Counts, Table, compare
from worker.signal.qrs import find_beats

NEEDS = "the noise record em, as in nstdb, and clean records with .atr beside it in ../mitdb"
SNR_DB: Final = (24, 18, 12, 6, 0, -6)
CLEAN_S, NOISY_S = 300, 120
CLEAN: Final = ("118", "119", "100", "103", "117", "121", "101", "112", "115", "122")
"""Records that are clean by themselves, in this order: 118 and 119 are those of the noise stress test."""
RECORDS: Final = 4

Floats = NDArray[np.float64]
Mixed = tuple[Floats, float, Notes, list[tuple[int, int]]]


def run(folder: Path, options: Any) -> list[Table]:
    """One table: Se and +P of each detector at each ratio."""
    named, missing = detectors() if options.peers else ({}, [])
    every: dict[str, Detector] = {"ours": lambda mv, hz: find_beats(1000 * np.atleast_2d(mv), hz), **named}
    records = clean_records(folder.parent / "mitdb", options.limit or RECORDS)
    table = Table("QRS in electrode-motion noise (first lead)", ["detector", *[f"{snr} dB Se/+P" for snr in SNR_DB]])
    names = ", ".join(header.stem for header, _ in records) or "none: no mitdb beside this folder"
    table.note = f"records {names}; 150 ms window, only the noisy minutes count"
    table.note += "".join(f"; not loaded: {name}" for name in missing)
    wave = recording(folder / "em.hea").microvolts()[0] / 1000
    mixes = {snr: [_mixed(header, found, wave, snr) for header, found in records] for snr in SNR_DB}
    for name, detect in every.items():
        row: list[Any] = [name]
        for snr in SNR_DB:
            total = Counts()
            for mv, hz, found, quiet in mixes[snr]:
                total.add(compare(found.beats, detect(mv, hz), hz, excluded=quiet)[0])
            row.append(f"{total.se:.2f}/{total.ppv:.2f}")
            key = f"{name}.noise_{snr}db".replace(" ", "_")
            table.figures |= {f"{key}.se": total.se, f"{key}.ppv": total.ppv, f"{key}.f1": 100 * total.f1}
        table.rows.append(row)
    return [table]


def clean_records(folder: Path, count: int) -> list[tuple[Path, Notes]]:
    """The first so many clean records that are there, with their beats."""
    there = {header.stem: header for header in headers(folder)} if folder.is_dir() else {}
    chosen = [there[name] for name in CLEAN if name in there][:count]
    return [(header, found) for header in chosen if (found := notes(header, "atr")) is not None]


def _mixed(header: Path, found: Notes, wave: Floats, snr_db: float) -> Mixed:
    whole = recording(header)
    mv, on = mix(whole.microvolts()[0] / 1000, wave, found.beats, whole.sampling_hz, snr_db)
    return mv, whole.sampling_hz, found, stretches(~on)


def stretches(inside: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """(first, last) sample of each stretch that is true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]]))).reshape(-1, 2)
    return [(int(first), int(last) - 1) for first, last in edges]


def mix(
    mv: Floats, noise: Floats, beats: NDArray[np.int_], hz: float, snr_db: float
) -> tuple[Floats, NDArray[np.bool_]]:
    """(the record with noise, where it is on), both (n,), as ``nst`` mixes.

    Signal power is that of a sine with the usual QRS peak to peak amplitude within 50 ms of the marks, noise power the
    mean square over one second; both are means without the outermost twentieths.
    """
    reach = round(0.05 * hz)
    spans = np.array([np.ptp(mv[max(0, at - reach) : at + reach]) for at in beats.tolist()])
    signal_power = float(_trimmed_mean(spans)) ** 2 / 8
    second = noise[: len(noise) // round(hz) * round(hz)].reshape(-1, round(hz))
    rms = np.sqrt(((second - second.mean(axis=1, keepdims=True)) ** 2).mean(axis=1))
    gain = np.sqrt(signal_power / _trimmed_mean(rms) ** 2 / 10 ** (snr_db / 10))
    mixed = mv.copy()
    seconds = np.arange(len(mv)) / hz
    on = (seconds >= CLEAN_S) & (((seconds - CLEAN_S) // NOISY_S) % 2 == 0)
    mixed[on] += gain * np.resize(noise, len(mv))[on]
    return mixed, on


def _trimmed_mean(values: Floats) -> float:
    cut = len(values) // 20
    return float(np.mean(np.sort(values)[cut : len(values) - max(1, cut)]))
