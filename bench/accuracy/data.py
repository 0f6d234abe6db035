"""Which records lie in a folder, and what did people write about them?"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.upload import RecordingIdentity
from worker.formats.wfdb_records import read_record
from worker.leads import TWELVE
from worker.recording import Recording

Floats = NDArray[np.float64]
BEAT_SYMBOLS: Final = frozenset("NLRBAaJSVrFejnE/fQ?")
"""WFDB annotation codes that are beats (isqrs in ecgmap.h)."""


@dataclass(frozen=True)
class Notes:
    """An annotation file: samples, symbols and their free texts."""

    at: NDArray[np.int_]
    symbol: list[str]
    text: list[str]

    @property
    def beats(self) -> NDArray[np.int_]:
        """Samples of the beats."""
        keep = [name in BEAT_SYMBOLS for name in self.symbol]
        return self.at[np.array(keep, bool)] if keep else self.at[:0]


def headers(folder: Path) -> list[Path]:
    """Every header below the folder, in order of name."""
    return sorted(folder.rglob("*.hea"), key=lambda path: (len(path.stem), path.stem))


def recording(header: Path) -> Recording:
    """The record, as a resting ECG whatever its length."""
    return replace(read_record(header), kind="resting")


def notes(header: Path, extension: str) -> Notes | None:
    """The annotations of this kind; None where there are none."""
    import wfdb

    if not header.with_suffix("." + extension).exists():
        return None
    found = wfdb.rdann(str(header.with_suffix("")), extension)
    return Notes(np.asarray(found.sample, int), list(found.symbol), [text.strip("\0 ") for text in found.aux_note])


def comments(header: Path) -> dict[str, str]:
    """The ``#Name: value`` lines of a header."""
    lines = [line.lstrip("# ").strip() for line in header.read_text("latin-1").splitlines() if line.startswith("#")]
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def person(header: Path) -> RecordingIdentity:
    """Sex and age as the header says them."""
    said = comments(header)
    sex = {"m": "M", "f": "F"}.get(said.get("Sex", "").strip()[:1].lower())
    try:
        age: float | None = float(said.get("Age", ""))
    except ValueError:
        age = None
    return RecordingIdentity(sex=sex, age_years=age if age is not None and 0 <= age <= 130 else None)


def twelve_leads(header: Path) -> Recording | None:
    """A 12-lead record with its person; None where it is not one."""
    found = recording(header)
    return replace(found, identity=person(header)) if set(TWELVE) <= set(found.leads) else None


def cut(whole: Recording, start: int, stop: int, rows: list[int] | None = None) -> Recording:
    """Part of a recording, of all leads or of these rows."""
    chosen = list(range(len(whole.leads))) if rows is None else rows
    return Recording(
        format=whole.format,
        kind="resting",
        leads=tuple(whole.leads[row] for row in chosen),
        digital=whole.digital[chosen, start:stop].copy(),
        uv_per_lsb=whole.uv_per_lsb[chosen].copy(),
        baseline=whole.baseline[chosen].copy(),
        sampling_hz=whole.sampling_hz,
        calibrated=whole.calibrated,
        identity=whole.identity,
    )


def rate_of(values: list[Any]) -> float:
    """The share of true values; 0 of an empty list."""
    return float(np.mean(values)) if values else 0.0
