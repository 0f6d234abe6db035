"""What do the writers share: which leads, which integers, which words?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.fields import CHINA
from worker.formats.write.errors import UnwritableRecording
from worker.recording import Recording

HALVES: Final = 2
"""Baselines half-way between two integers are common (EDF's range of -32768 to 32767); doubling keeps them exact."""


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """The leads that a file held, without those that were derived from them; baselines are whole numbers."""

    leads: tuple[str, ...]
    digital: NDArray[np.int16] | NDArray[np.int32]
    uv_per_lsb: NDArray[np.float64]
    baseline: NDArray[np.int64]


def held(recording: Recording) -> Held:
    """What was measured, in integers whose zero is an integer.

    Raises:
        UnwritableRecording: there is no sample.
    """
    rows = [row for row, lead in enumerate(recording.leads) if lead not in recording.derived]
    if not rows or recording.n_samples == 0:
        raise UnwritableRecording("the recording has no sample to write")
    digital = recording.digital[rows] if len(rows) < len(recording.leads) else recording.digital
    scales, zeros = recording.uv_per_lsb[rows], recording.baseline[rows]
    if (zeros != np.rint(zeros)).any():
        wide = digital.astype(np.int64) * HALVES
        if np.abs(wide).max(initial=0) > np.iinfo(np.int32).max:
            raise UnwritableRecording("the samples are too wide for their zero to be written exactly")
        digital, scales, zeros = wide.astype(np.int32), scales / HALVES, zeros * HALVES
    return Held(tuple(recording.leads[row] for row in rows), digital, scales, np.rint(zeros).astype(np.int64))


def measured_rows(recording: Recording) -> list[int]:
    """The rows of the leads that the file held, for formats whose zero may lie between two integers.

    Raises:
        UnwritableRecording: there is no sample.
    """
    rows = [row for row, lead in enumerate(recording.leads) if lead not in recording.derived]
    if not rows or recording.n_samples == 0:
        raise UnwritableRecording("the recording has no sample to write")
    return rows


def in_china(start: datetime | None) -> datetime | None:
    """The same instant by China's clock, as which our readers take a time without a zone."""
    return start.astimezone(CHINA) if start is not None else None


def ascii_word(text: str, longest: int) -> str:
    """The text if it is printable ASCII, cut; empty otherwise."""
    return text[:longest] if text.isascii() and text.isprintable() else ""


def file_name(name: str) -> str:
    """The name with nothing in it but what every format and file system allows."""
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "_" for sign in name)
    return kept[:60] or "recording"
