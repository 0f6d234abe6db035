"""How long does the whole pre-read take, on one core and decoding included?

``python -m bench.speed resting [--json] [--peers]``: 10 s, 12 leads, 500 Hz; simulated 12-lead DICOM files are made
once, then read and analysed again and again.

``python -m bench.speed holter [--json] [--quick] [--peers]``: a day (:mod:`bench.holter_day`), of one, three and
twelve leads, and what an hour costs and how much memory is held in a day, three days and two weeks. Every figure is of
a process of its own; seconds are of CPU, after the compiled code has been loaded, the least of some runs. Peers look at
the same day of one lead as ours; those that would take minutes at an hour of it, times 24.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

from bench.holter_day import make
from worker.cli import BLAS_THREADS

REPEATS = 60
REPEATS_DAY = 3
REPEATS_QRS = 5
DAY_H = 24
LONGER_DAYS = (3, 14)
SLOW_PEERS = ("wfdb xqrs", "wfdb gqrs (python)")
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
    parser.add_argument("what", nargs="?", default="resting", choices=("resting", "holter"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="holter: only the day of three leads and its QRS")
    parser.add_argument("--peers", action="store_true", help="other people's programs on the same signal too")
    options = parser.parse_args()
    figures = (
        resting(peers=options.peers) if options.what == "resting" else holter(quick=options.quick, peers=options.peers)
    )
    if options.json:
        print(json.dumps({"what": options.what, "figures": figures}, indent=1))
    else:
        unit = " ms" if options.what == "resting" else ""
        print("\n".join(f"{name:40s} {value:10.3f}{unit}" for name, value in figures.items()))
    return 0


def resting(*, peers: bool = False) -> dict[str, float]:
    """Milliseconds: decode, analysis, both; a cold start of ``ecg-worker read``; and neurokit2 on the same leads."""
    from worker.formats import read
    from worker.resting import analyse

    made = files()
    decode, analysis, processor = [], [], []
    for number in range(REPEATS):
        content = made[number % len(made)]
        cpu = time.process_time()
        start = time.perf_counter()
        recording = read(content)
        middle = time.perf_counter()
        analyse(recording)
        end = time.perf_counter()
        processor.append(1000 * (time.process_time() - cpu))
        decode.append(1000 * (middle - start))
        analysis.append(1000 * (end - middle))
    both = [a + b for a, b in zip(decode, analysis, strict=True)]
    figures = {
        "decode_median": statistics.median(decode),
        "analysis_median": statistics.median(analysis),
        "preread_median": statistics.median(both),
        "preread_fastest": min(both),
        "preread_processor_median": statistics.median(processor),
        "preread_processor_fastest": min(processor),
        "cold_start_read": _cold(made[0]),
    }
    if peers:
        figures["neurokit2_12_leads_fastest"] = _neurokit(made[0])
        figures["times_neurokit2"] = figures["neurokit2_12_leads_fastest"] / figures["preread_processor_fastest"]
    return figures


def _neurokit(content: bytes) -> float:
    """Milliseconds of the processor for ``ecg_process`` of every lead, the fastest of three."""
    import neurokit2

    from worker.formats import read

    warnings.simplefilter("ignore")
    recording = read(content)
    mv, hz = recording.microvolts() / 1000, recording.sampling_hz
    spent = []
    for _ in range(3):
        start = time.process_time()
        for lead in mv:
            neurokit2.ecg_process(lead, sampling_rate=round(hz))
        spent.append(1000 * (time.process_time() - start))
    return min(spent)


def holter(*, quick: bool = False, peers: bool = False) -> dict[str, float]:
    """CPU seconds and megabytes, by name."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        day = make(folder, 1, 250, DAY_H)
        figures["qrs_one_lead_24h_s"] = ours = min(_child(day, "--qrs")["cpu_s"] for _ in range(REPEATS_QRS))
        if peers:
            for peer, seconds in _peers(day).items():
                figures |= {f"{peer}_24h_s": seconds, f"{peer}_times_ours": seconds / ours}
        day = make(folder, 3, 250, DAY_H)
        figures |= _whole(day, "3x250_24h", DAY_H, REPEATS_DAY)
        if quick:
            return figures
        for days in LONGER_DAYS:
            day.with_suffix(".dat").unlink()
            day = make(folder, 3, 250, DAY_H * days)
            figures |= _whole(day, f"3x250_{days}_days", DAY_H * days)
        figures["memory_of_a_further_day_mb"] = (
            figures[f"whole_3x250_{LONGER_DAYS[-1]}_days_peak_mb"] - figures["whole_3x250_24h_peak_mb"]
        ) / (LONGER_DAYS[-1] - 1)
        day.with_suffix(".dat").unlink()
        figures |= _whole(make(folder, 12, 500, DAY_H), "12x500_24h", DAY_H)
    return figures


def _whole(day: Path, name: str, hours: float, repeats: int = 1) -> dict[str, float]:
    """The whole pre-read of one file, the file's decoding included."""
    runs = [_child(day) for _ in range(repeats)]
    seconds = min(run["cpu_s"] for run in runs)
    return {
        f"whole_{name}_s": seconds,
        f"whole_{name}_ms_an_hour": 1000 * seconds / hours,
        f"whole_{name}_decode_s": min(run["decode_s"] for run in runs),
        f"whole_{name}_load_compiled_s": min(run["load_s"] for run in runs),
        f"whole_{name}_beats": runs[0]["beats"],
        f"whole_{name}_peak_mb": max(run["peak_mb"] for run in runs),
    }


def _child(path: Path, *options: str) -> dict[str, float]:
    """What a process of its own measured of this file, on one core as the worker's own processes are."""
    alone = os.environ | dict.fromkeys(BLAS_THREADS, "1")
    done = subprocess.run(
        [sys.executable, "-m", "bench.holter_day", str(path), *options],
        check=True, capture_output=True, text=True, env=alone,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _peers(day: Path) -> dict[str, float]:
    """CPU seconds of other people's detectors for a day of one lead; of the slow ones of an hour, times 24."""
    from bench.accuracy.peers import detectors
    from worker.formats import read

    recording = read(day)
    mv = recording.microvolts()[0] / 1000
    named, missing = detectors()
    found = {}
    for name, detect in named.items():
        n = len(mv) // 24 if name in SLOW_PEERS else len(mv)
        detect(mv[: len(mv) // 1440], recording.sampling_hz)
        runs = []
        for _ in range(1 if name in SLOW_PEERS else REPEATS_DAY):
            started = time.process_time()
            detect(mv[:n], recording.sampling_hz)
            runs.append((time.process_time() - started) * len(mv) / n)
        told = f"{name} of an hour times 24" if name in SLOW_PEERS else name
        found["".join(letter if letter.isalnum() else "_" for letter in told)] = min(runs)
    print("".join(f"not loaded: {one} (pip install it beside ours)\n" for one in missing), end="", file=sys.stderr)
    return found


def _cold(content: bytes) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ecg.dcm"
        path.write_bytes(content)
        start = time.perf_counter()
        subprocess.run([sys.executable, "-m", "worker.cli", "read", str(path)], check=True, capture_output=True)
        return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
