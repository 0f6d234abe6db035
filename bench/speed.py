"""How long does the whole pre-read take? ``python -m bench.speed resting [--json]``: 10 s, 12 leads, 500 Hz, one core.

Decoding included: simulated 12-lead DICOM files are made once, then read and analysed again and again.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

REPEATS = 60
NAMES = ("sinus", "atrial-fibrillation", "rbbb", "stemi-anterior", "ventricular-premature")


def files() -> list[bytes]:
    """A 12-lead DICOM file of each of a few rhythms."""
    from gateway.simulate.pathologies import Pathology
    from gateway.simulate.studies import record

    at = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    return [
        record(Pathology(name), number, at, device="BENCH").file.content for number, name in enumerate(NAMES, start=1)
    ]


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="bench.speed", description=__doc__)
    parser.add_argument("what", nargs="?", default="resting", choices=("resting",))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = resting()
    if options.json:
        print(json.dumps({"what": options.what, "figures": figures}, indent=1))
    else:
        print("\n".join(f"{name:24s} {value:8.2f} ms" for name, value in figures.items()))
    return 0


def resting() -> dict[str, float]:
    """Milliseconds: decode, analysis, both; and a cold start of ``ecg-worker read``."""
    from worker.formats import read
    from worker.resting import analyse

    made = files()
    decode, analysis = [], []
    for number in range(REPEATS):
        content = made[number % len(made)]
        start = time.perf_counter()
        recording = read(content)
        middle = time.perf_counter()
        analyse(recording)
        end = time.perf_counter()
        decode.append(1000 * (middle - start))
        analysis.append(1000 * (end - middle))
    both = [a + b for a, b in zip(decode, analysis, strict=True)]
    return {
        "decode_median": statistics.median(decode),
        "analysis_median": statistics.median(analysis),
        "preread_median": statistics.median(both),
        "preread_fastest": min(both),
        "cold_start_read": _cold(made[0]),
    }


def _cold(content: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ecg.dcm"
        path.write_bytes(content)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "worker.cli", "read", str(path)], check=True, capture_output=True)
        return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
