"""Where do the fuzzers begin? Small files of every format.

``tests/corpus/formats/FORMAT/*`` are kept in the repository, among them every file that once broke a reader; what the
writers make and the real files of ``ECG_DATA`` come on top.
"""

import datetime
import os
from pathlib import Path
from typing import Final

import numpy as np

from ecg_center.contract.upload import RecordingIdentity
from fuzz.target import PARTS
from worker.formats.fields import CHINA
from worker.formats.write import WRITERS, UnwritableRecording
from worker.recording import Annotation, Device, Filters, Recording

CORPUS: Final = Path(__file__).parent.parent / "tests" / "corpus" / "formats"
FINDINGS: Final = Path(__file__).parent / "findings"
MAX_SEED_BYTES: Final = 256 * 1024
_FOLDERS: Final = {"muse_xml": "muse", "philips_xml": "philips"}


def seeds(name: str) -> list[bytes]:
    """The seeds of one format, smallest first."""
    found = [path.read_bytes() for path in sorted((CORPUS / name).glob("*")) if path.is_file()]
    found += _written(name)
    data = Path(os.environ.get("ECG_DATA", "../shared/ecg-data")) / "formats"
    for folder in data.iterdir() if data.is_dir() else ():
        if _FOLDERS.get(folder.name, folder.name) == name:
            found += [path.read_bytes() for path in sorted(folder.iterdir())]
    return sorted({seed for seed in found if len(seed) <= MAX_SEED_BYTES}, key=len)


def _written(name: str) -> list[bytes]:
    """What our writer of this format makes of two small recordings."""
    writer = next((module for key, module in WRITERS.items() if key in (name, name.removesuffix("_ecg"))), None)
    made = []
    for recording in (small(("I", "II", "V1"), 200), small(("II",), 90)) if writer else ():
        try:
            files: dict[str, bytes] = writer.write(recording, "a")  # type: ignore[union-attr]
        except UnwritableRecording:
            continue
        made.append(PARTS.join(files.values()))
    return made


def small(leads: tuple[str, ...], n_samples: int) -> Recording:
    """A recording of a fraction of a second with every word set."""
    rng = np.random.default_rng(1)
    start = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=CHINA)
    return Recording(
        format="seed",
        kind="resting",
        leads=leads,
        digital=np.cumsum(rng.integers(-30, 31, (len(leads), n_samples)), axis=1).astype(np.int16),
        uv_per_lsb=np.full(len(leads), 2.5),
        baseline=np.zeros(len(leads)),
        sampling_hz=500.0,
        started_at=start,
        identity=RecordingIdentity(
            patient_id="P1", patient_name="王小明", sex="F", birth_date="1963-02-28", started_at=start
        ),
        device=Device("Acme", "E9", "S1", "2", "room", "clinic", "tech"),
        filters=Filters(0.05, 150.0, 50.0),
        annotations=(Annotation("N", 0.05), Annotation("+ (AFIB", 0.1, 0.15)),
        device_measurements={"heart_rate_bpm": 72.0, "qrs_ms": 96.0},
        device_statements=("Sinus rhythm",),
    )
