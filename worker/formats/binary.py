"""What do the readers of long binary recordings share: names, bit widths, gaps, companions?"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.errors import TooLargeRecording
from worker.leads import DERIVED_LIMB
from worker.recording import MAX_LEADS, Gap, Recording, Samples

MICROVOLTS: Final = {
    "nv": 1e-3, "uv": 1.0, "µv": 1.0, "μv": 1.0, "microv": 1.0, "microvolt": 1.0, "microvolts": 1.0, "mv": 1e3,
    "millivolt": 1e3, "millivolts": 1e3, "v": 1e6, "volt": 1e6, "volts": 1e6,
}  # fmt: skip
"""A unit of voltage, in small letters: how many microvolts it is."""
MIN_GAP_SAMPLES: Final = 2
MAX_GAPS_A_LEAD: Final = 1000
MAX_COMPANION_BYTES: Final = 2 * 1024**3
MAX_UV_PER_LSB: Final = 1e5


def microvolts_of(unit: str) -> float | None:
    """How many microvolts one of this unit is; None where it is no voltage.

    >>> [microvolts_of(unit) for unit in ("uV", "mV", "mmHg")]
    [1.0, 1000.0, None]
    """
    return MICROVOLTS.get(unit.strip().lower())


def unique_names(names: list[str]) -> tuple[str, ...]:
    """The names, each with a number behind it where it would come again; empty ones are numbered.

    >>> unique_names(["ECG", "", "ECG"])
    ('ECG', 'channel 2', 'ECG #2')
    """
    out: list[str] = []
    for place, name in enumerate(names):
        wanted = name or f"channel {place + 1}"
        out.append(
            wanted if wanted not in out else next(c for n in range(2, 10_000) if (c := f"{wanted} #{n}") not in out)
        )
    return tuple(out)


def int24(raw: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The signed 24-bit little-endian numbers in bytes whose last axis has length 3."""
    out: NDArray[np.int32] = raw[..., 2].astype(np.int8).astype(np.int32)
    out <<= 8
    out |= raw[..., 1]
    out <<= 8
    out |= raw[..., 0]
    return out


def value_gaps(digital: Samples, leads: tuple[str, ...], missing: int) -> tuple[Gap, ...]:
    """Gaps where a lead holds, twice or more in a row, the value that stands for "not measured"."""
    gaps: list[Gap] = []
    for row, lead in enumerate(leads):
        is_missing = digital[row] == missing
        if is_missing.any():
            gaps += runs(is_missing, lead)
    return tuple(gaps)


def runs(flags: NDArray[np.bool_], lead: str, shortest: int = MIN_GAP_SAMPLES) -> list[Gap]:
    """A gap for every run of true flags of this length or longer."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))).reshape(-1, 2)
    edges = edges[edges[:, 1] - edges[:, 0] >= shortest][:MAX_GAPS_A_LEAD]
    return [Gap(int(start), int(stop), (lead,)) for start, stop in edges]


def narrow(digital: NDArray[Any]) -> Samples:
    """The same integers as int16 where they fit, else as int32."""
    if digital.dtype == np.int16:
        return digital
    limits = np.iinfo(np.int16)
    if digital.size == 0 or (digital.min() >= limits.min and digital.max() <= limits.max):
        return digital.astype(np.int16)
    return digital.astype(np.int32, copy=False)


def read_companion(path: Path) -> bytes | None:
    """The bytes of a file that belongs to another; None where it is not there.

    Raises:
        TooLargeRecording: larger than anything a gateway would have sent.
    """
    if not path.is_file():
        return None
    if path.stat().st_size > MAX_COMPANION_BYTES:
        raise TooLargeRecording(f"{path.name} is larger than {MAX_COMPANION_BYTES // 1024**3} GB")
    return path.read_bytes()


def with_limb_leads(recording: Recording) -> Recording:
    """The recording with its missing limb leads derived, if it is a resting ECG.

    In a day's recording they would quadruple the memory for what anyone can compute when it is looked at.
    """
    has_room = len(recording.leads) + len(DERIVED_LIMB) <= MAX_LEADS
    return recording.with_derived_leads() if recording.kind == "resting" and has_room else recording
