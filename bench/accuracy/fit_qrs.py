"""Fits ``worker/signal/qrs_weights.py``: ``python -m bench.accuracy.fit_qrs MITDB_FOLDER [--folds N]``.

Only the records of the folder are seen. With ``--folds`` the records are left out in turn and the figures printed are
of records that the coefficients have not seen; without, the coefficients for the source file are printed.
"""

import argparse
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import headers, notes, recording
from bench.accuracy.noise import mix
from bench.accuracy.qrs import unscored
from bench.accuracy.score import Counts, compare
from worker.signal import qrs, qrs_weights
from worker.signal.filters import Spectrum

Floats = NDArray[np.float64]
NOISE_DB: Final = (12, 6, 0)
NOISE_WEIGHT: Final = 0.04
RIDGE: Final = 1e-3
VARIANTS: Final = (([0], 1.0), ([1], 0.1), ([0, 1], 0.3))
"""Leads, and how much they weigh: the first lead is what single-lead figures are about."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    options = parser.parse_args()
    records = [header for header in headers(options.folder) if notes(header, "atr") is not None]
    rows = {header.stem: _examples(header) for header in records}
    if not options.folds:
        print(np.round(_fit([block for blocks in rows.values() for block in blocks]), 3).tolist())
        return
    total = Counts()
    for fold in range(options.folds):
        held = [header for number, header in enumerate(records) if number % options.folds == fold]
        names = {header.stem for header in held}
        seen = [block for name, blocks in rows.items() if name not in names for block in blocks]
        object.__setattr__(qrs_weights, "COEFFICIENTS", _fit(seen))
        for header in held:
            counts = _score(header)
            total.add(counts)
            print(header.stem, counts.fn, counts.fp, flush=True)
    print(f"Se {total.se:.3f} %, +P {total.ppv:.3f} %")


def _score(header: Path) -> Counts:
    whole, found = recording(header), notes(header, "atr")
    assert found is not None
    at = qrs.find_beats(whole.microvolts()[:1], whole.sampling_hz)
    return compare(found.beats, at, whole.sampling_hz, excluded=unscored(found, whole.n_samples))[0]


def _examples(header: Path) -> list[tuple[Floats, Floats, float]]:
    """(measures, whether a beat, weight of the block) of the record's leads, clean and with noise."""
    whole, found = recording(header), notes(header, "atr")
    assert found is not None
    uv, hz = whole.microvolts(), whole.sampling_hz
    left_out = unscored(found, whole.n_samples)
    blocks = [(*_measured(uv[rows], hz, found.beats, left_out), weight) for rows, weight in VARIANTS]
    noise = header.parent.parent / "nstdb" / "em.hea"
    if noise.exists():
        wave = recording(noise).microvolts()[0] / 1000
        for snr in NOISE_DB:
            mixed, on = mix(uv[0] / 1000, wave, found.beats, hz, snr)
            quiet = np.flatnonzero(np.diff(np.concatenate([[0], (~on).astype(np.int8), [0]]))).reshape(-1, 2)
            skip = [*left_out, *[(int(a), int(b)) for a, b in quiet]]
            blocks.append((*_measured(1000 * mixed[None], hz, found.beats, skip), NOISE_WEIGHT))
    return blocks


def _measured(uv: Floats, hz: float, truth: Any, left_out: list[tuple[int, int]]) -> tuple[Floats, Floats]:
    places, rows = [], []
    n, step, margin = uv.shape[1], round(qrs.CHUNK_S * hz), round(qrs.OVERLAP_S * hz)
    for start in range(0, n, step):
        first, last = max(0, min(start, n - 2 * margin) - margin), min(n, start + step + margin)
        spectrum = Spectrum(uv[:, first:last], hz)
        beats = qrs.detect(spectrum, list(range(len(uv)))).beats
        candidates, _ = qrs.candidates_of(spectrum, list(range(len(uv))))
        if candidates is None or len(beats) < 2:
            continue
        inside = (candidates.at + first >= start) & (candidates.at + first < start + step)
        places.append(candidates.at[inside] + first)
        rows.append(qrs_weights.design(qrs_weights.measures(candidates, np.array(beats, int)))[inside])
    at, design = np.concatenate(places), np.concatenate(rows)
    _, pairs = compare(truth, at, hz)
    hits = {test for _, test in pairs}
    counted = np.array([not any(a <= place <= b for a, b in left_out) for place in at.tolist()])
    return design[counted], np.array([place in hits for place in at.tolist()], float)[counted]


def _fit(blocks: list[tuple[Floats, Floats, float]]) -> Floats:
    """Logistic regression with a little ridge, by Newton's method."""
    design = np.concatenate([block[0] for block in blocks])
    truth = np.concatenate([block[1] for block in blocks])
    weight = np.concatenate([np.full(len(block[1]), block[2] / max(1, len(block[1]))) for block in blocks])
    weight /= weight.sum()
    found = np.zeros(design.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        slope = design.T @ (weight * (chance - truth)) + RIDGE * found
        curvature = (design * (weight * chance * (1 - chance))[:, None]).T @ design + RIDGE * np.eye(len(found))
        found = found - np.linalg.solve(curvature, slope)
    return np.asarray(found)


if __name__ == "__main__":
    main()
