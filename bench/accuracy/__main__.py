"""``python -m bench.accuracy TASK --data FOLDER [--json] [--peers]``: accuracy on annotated recordings."""

import argparse
import importlib
import json
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
    """Run one task; 0 also where there is no data, which is said."""
    parser = argparse.ArgumentParser(prog="bench.accuracy", description=__doc__)
    parser.add_argument("task", choices=sorted(TASKS), nargs="?")
    parser.add_argument("--data", type=Path, help="folder with the layout of the like-named one in ECG_DATA")
    parser.add_argument("--json", action="store_true", help="print the figures as one JSON object")
    parser.add_argument("--peers", action="store_true", help="measure other detectors in the same run")
    parser.add_argument("--quick", action="store_true", help="leave the slow parts out")
    parser.add_argument("--limit", type=int, default=0, help="only the first so many records")
    parser.add_argument("--half", choices=("dev", "check"), help="only this half of the records")
    options = parser.parse_args()
    if options.task is None:
        print(f"bench.accuracy TASK --data FOLDER; TASK is one of {', '.join(sorted(TASKS))}")
        return 0
    module, usual = TASKS[options.task]
    given = os.environ.get("ECG_DATA", Path(__file__).resolve().parents[3] / "shared" / "ecg-data")
    folder = options.data or Path(given) / usual
    if usual and not folder.is_dir():
        print(f"no recordings in {folder}: give their folder with --data; nothing measured")
        return 0
    task = importlib.import_module(f"bench.accuracy.{module}")
    tables = task.run(folder, options)
    if options.json:
        figures = {name: round(value, 5) for table in tables for name, value in table.figures.items()}
        print(json.dumps({"task": options.task, "data": str(folder), "figures": figures}, indent=1))
    else:
        print("\n\n".join(table.text() for table in tables))
    return 0


if __name__ == "__main__":
    sys.exit(main())
