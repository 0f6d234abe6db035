"""Fits ``worker/resting/reversal_weights.py``: ``python -m bench.accuracy.fit_reversal ECG_DATA [--folds N]``.

Sinus rhythms of LUDB, CPSC 2018 and CinC 2021, as they were recorded. With ``--folds`` records are left out in turn and
exchanged by arithmetic, and what is printed is of records that the model has not seen.
"""

import argparse
import re
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.classes import labels
from bench.accuracy.data import headers, twelve_leads
from bench.accuracy.reversal import chosen
from worker.resting import reversal
from worker.resting.patient import Patient, person_of
from worker.resting.reading import read_signal
from worker.resting.rhythm import rhythm_of
from worker.resting.traces import prepare

Floats = NDArray[np.float64]
COMPONENTS: Final = 12
FLOOR: Final = 0.05
CAUTION: Final = 2.0
"""What the components leave over is taken for this many times its size: the model has seen two hundred hearts."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    options = parser.parse_args()
    beats, plain = _beats(options.data)
    if not options.folds:
        print(source_of(fit(beats)))
        return
    fold = np.random.default_rng(0).permutation(np.arange(len(beats)) % options.folds)
    gains: dict[str, list[float]] = {pair: [] for pair in reversal.EXCHANGED}
    for number in range(options.folds):
        for name, value in fit(beats[fold != number]).items():
            setattr(reversal, name, value)
        for beat in beats[(fold == number) & plain]:
            for pair, exchange in reversal.EXCHANGED.items():
                gains[pair].append(reversal.usualness(exchange(beat)) - reversal.usualness(beat))
    for pair, found in gains.items():
        margin = reversal.LIMB_MARGIN if pair.startswith("RA") else reversal.CHEST_MARGIN
        at = np.array(found)
        # an exchange undoes itself: what an exchanged beat gains is what the plain one loses
        print(f"{pair} named {100 * np.mean(-at > margin):.1f} %, falsely {100 * np.mean(at > margin):.1f} %,", end=" ")
        print(f"largest gains as recorded {np.sort(at)[-3:].round(1).tolist()}")


def _beats(data: Path) -> tuple[Floats, NDArray[np.bool_]]:
    """(n, 8, 16) and whether the readers called the record ordinary."""
    listed = [(header, True) for header in chosen(data / "ludb", None)]
    for folder in ("cpsc2018_12lead", "cinc2021_12lead"):
        listed += [(header, labels(header) == {"Normal"}) for header in headers(data / folder)]
    beats, plain = [], []
    for header, is_plain in listed:
        whole = twelve_leads(header)
        if whole is None:
            continue
        reading = read_signal(prepare(whole), person_of(whole, Patient()), calibrated=True)
        if rhythm_of(reading).name != "sinus" or reading.limits is None or reading.median is None:
            continue
        if not all(reading.wave(lead) for lead in reversal.LEADS):
            continue
        rows = [reading.traces.leads.index(lead) for lead in reversal.LEADS]
        parts = reversal.parts_of(reading.median, rows, reading.limits, reading.traces.hz)
        if parts is not None:
            beats.append(parts)
            plain.append(is_plain)
    return np.array(beats), np.array(plain)


def fit(beats: Floats) -> dict[str, Any]:
    """The model's numbers, by the names that they have in the source."""
    rows = np.array([reversal.bent(beat) for beat in beats])
    centre, scale = rows.mean(axis=0), rows.std(axis=0) + FLOOR
    _, singular, vectors = np.linalg.svd((rows - centre) / scale, full_matrices=False)
    power = singular**2 / len(rows)
    left_over = CAUTION * float(power[COMPONENTS:].sum()) / (rows.shape[1] - COMPONENTS)
    return {
        "CENTRE": centre,
        "SCALE": scale,
        "VARIANCES": power[:COMPONENTS],
        "LEFT_OVER": left_over,
        "VECTORS": vectors[:COMPONENTS],
    }


def source_of(model: dict[str, Any]) -> str:
    """The numbers as Python source."""
    lines = []
    for name, value in model.items():
        if isinstance(value, float):
            lines.append(f"{name}: Final = {value:.4f}\n")
            continue
        rows = np.atleast_2d(value)
        numbers = ", ".join("[" + ", ".join(f"{x:.3f}" for x in row) + "]" for row in rows)
        body = numbers if value.ndim == 2 else numbers[1:-1]
        lines.append(
            f"{name}: Final = np.array([\n" + re.sub(r"(.{1,112})(?: |$)", r"    \1\n", body) + "])  # fmt: skip\n"
        )
    return "".join(lines)


if __name__ == "__main__":
    main()
