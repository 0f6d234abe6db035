"""``python -m bench.accuracy TASK --data FOLDER [--json] [--peers]``: accuracy on annotated recordings."""

import argparse
import contextlib
import importlib
import json
import math
import os
import sys
from pathlib import Path

TASKS = {
    "qrs": ("qrs", "mitdb"),
    "pauses": ("pauses", "mitdb"),
    "noise": ("noise", "nstdb"),
    "blocks": ("blocks", "mitdb"),
    "beats": ("beats", "mitdb"),
    "delineation": ("delineation", "ludb"),
    "calibration": ("calibration", ""),
    "af": ("af", "cinc2017"),
    "af-episodes": ("af_episodes", "cpsc2021"),
    "vf": ("vf", "vfdb"),
    "vf-day": ("vf_day", "vfdb"),
    "alarms": ("alarms", "cinc2015"),
    "classes": ("classes", "cpsc2018_12lead"),
    "reversal": ("reversal", "ludb"),
    "exchanged": ("exchanged", "ludb"),
    "critical": ("critical", "cpsc2018_12lead"),
    "said": ("said", "ludb"),
    "st": ("st", "mitdb"),
}
"""Task: (module, the folder of ECG_DATA that it takes where --data is not given; none where it draws its signals)."""


def main() -> int:
    """Run one task; 0 also where the usual folder is not there, 2 where the one named holds no recording."""
    options = _options()
    if options.task is None:
        print(f"bench.accuracy TASK --data FOLDER; TASK is one of {', '.join(sorted(TASKS))}")
        return 0
    module, usual = TASKS[options.task]
    given = os.environ.get("ECG_DATA", Path(__file__).resolve().parents[3] / "shared" / "ecg-data")
    folder = options.data or Path(given) / usual
    if usual and not any(folder.rglob("*.hea")):
        said = f"no recordings (*.hea) in {folder}: give a folder laid out like {usual} with --data; nothing measured"
        print(said, file=sys.stderr)
        return 2 if options.data else 0
    with contextlib.redirect_stdout(sys.stderr):  # what a peer's library prints is no figure
        tables = importlib.import_module(f"bench.accuracy.{module}").run(folder, options)
    if options.json:
        figures = {name: _figure(value) for table in tables for name, value in table.figures.items()}
        print(json.dumps({"task": options.task, "data": str(folder), "figures": figures}, indent=1, allow_nan=False))
    else:
        print("\n\n".join(table.text() for table in tables))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.accuracy", description=__doc__)
    parser.add_argument("task", choices=sorted(TASKS), nargs="?")
    parser.add_argument("--data", type=Path, help="folder with the layout of the like-named one in ECG_DATA")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.add_argument("--peers", action="store_true", help="measure other detectors in the same run")
    parser.add_argument("--quick", action="store_true", help="leave the slow parts out")
    parser.add_argument("--limit", type=int, default=0, help="only the first so many records")
    parser.add_argument("--half", choices=("dev", "check"), help="only this half of the records")
    return parser.parse_args()


def _figure(value: float) -> float | None:
    """The figure as JSON has it: what nothing was there to measure for (0 of 0) is null, not NaN, which JSON lacks."""
    return round(value, 5) if math.isfinite(value) else None


if __name__ == "__main__":
    sys.exit(main())
