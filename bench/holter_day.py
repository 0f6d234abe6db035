"""A day of ECG to measure speed with, and the measuring of one file in a process of its own.

``python -m bench.holter_day PATH [--qrs]`` prints JSON: seconds of CPU for reading and analysing the file, and the most
memory that the process held. The day is made of MIT-BIH records (``ECG_DATA``, default ``../shared/ecg-data``),
resampled and laid end to end, or of the simulator's recordings where they are absent.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.recording import Recording

RECORDS: Final = ("101", "106", "108", "112", "119", "201", "203", "207", "208", "215", "220", "223")
"""Calm ones and hard ones: sinus rhythm, bigeminy, bundle branch block, fibrillation, flutter, noise."""
SIMULATED: Final = ("sinus", "atrial-fibrillation", "rbbb", "ventricular-premature")
LEADS: Final = ("II", "V1", "V5", "I", "V2", "V3", "V4", "V6", "III", "aVR", "aVL", "aVF")
MIXES: Final = np.random.default_rng(5).uniform(-1, 1, (12, 2)) * [1.0, 0.6]
UV_PER_LSB: Final = 5.0
PIECE: Final = 1 << 20
SHORT_S: Final = 120


def make(folder: Path, n_leads: int, hz: int, hours: float) -> Path:
    """A WFDB record in format 16, as recorders write it: the leads' samples side by side."""
    source = _source(hz)
    n, name = round(hours * 3600 * hz), f"day{n_leads}x{hz}x{hours:g}"
    mixes = np.concatenate([np.eye(2), MIXES])[:n_leads]
    with (folder / f"{name}.dat").open("wb") as file:
        for start in range(0, n, PIECE):
            places = np.arange(start, min(n, start + PIECE)) % source.shape[1]
            file.write(np.rint(mixes @ source[:, places]).astype("<i2").T.tobytes())
    signal = [f"{name}.dat 16 {1000 / UV_PER_LSB:g}(0)/mV 16 0 0 0 0 {lead}" for lead in LEADS[:n_leads]]
    (folder / f"{name}.hea").write_text("\n".join([f"{name} {n_leads} {hz} {n}", *signal]) + "\n")
    return folder / f"{name}.hea"


@cache
def _source(hz: int) -> NDArray[np.float64]:
    """(2, n) in steps of the converter."""
    folder = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "mitdb"
    if (folder / f"{RECORDS[0]}.hea").exists():
        from scipy.signal import resample_poly

        from bench.accuracy.data import recording

        records = [recording(folder / f"{name}.hea").microvolts() for name in RECORDS]
        return np.concatenate([resample_poly(uv / UV_PER_LSB, hz, 360, axis=1) for uv in records], axis=1)
    from gateway.simulate.generator import generate

    parts = [
        np.stack([ecg.lead("II"), ecg.lead("V1")]).astype(float) / UV_PER_LSB
        for seed in range(6)
        for ecg in [generate(name, seed=seed, duration_s=60, sampling_hz=hz) for name in SIMULATED]
    ]
    return np.concatenate(parts, axis=1)


def measure(path: Path, *, qrs_only: bool) -> dict[str, Any]:
    """CPU seconds and memory of one file, compiled code loaded before."""
    from worker.formats import read

    recording = replace(read(path), kind="holter")
    loading = time.process_time()
    _run(_beginning(recording), qrs_only=qrs_only)
    loaded = time.process_time()
    recording = replace(read(path), kind="holter")
    decoded = time.process_time()
    beats = _run(recording, qrs_only=qrs_only)
    done = time.process_time()
    return {
        "load_s": loaded - loading,
        "decode_s": decoded - loaded,
        "analyse_s": done - decoded,
        "cpu_s": done - loaded,
        "beats": beats,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    """Of this program alone: ``ru_maxrss`` begins with what the process that started it held."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def _beginning(recording: Recording) -> Recording:
    n = round(SHORT_S * recording.sampling_hz)
    return replace(recording, digital=recording.digital[:, :n], gaps=())


def _run(recording: Recording, *, qrs_only: bool) -> int:
    from worker.holter.day import Day
    from worker.holter.detect import find_beats

    if qrs_only:
        return len(find_beats(Day(recording)))
    from worker.critical import DEFAULT
    from worker.holter.analysis import analyse
    from worker.resting import Patient

    _, measured = analyse(recording, Patient(), rule_set=DEFAULT)
    return len(measured.beats)


def main() -> int:
    """Measure one file."""
    parser = argparse.ArgumentParser(prog="bench.holter_day", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--qrs", action="store_true")
    options = parser.parse_args()
    print(json.dumps(measure(options.path, qrs_only=options.qrs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
