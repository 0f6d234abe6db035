"""What do the readers of long binary recordings share: names, bit widths, gaps, companions?"""

import math
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.errors import TooLargeRecording
from worker.leads import DERIVED_LIMB
from worker.mapped import Buffer, content_of, empty, forget, in_blocks
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


def value_gaps(digital: Samples, leads: tuple[str, ...], missing: Sequence[int | None]) -> tuple[Gap, ...]:
    """Gaps where a lead holds, twice or more in a row, the value that stands for "not measured" in it.

    Args:
        digital: (n_leads, n_samples), looked at block by block.
        leads: their names.
        missing: that value of each lead; None where it has none.
    """
    found: list[list[list[int]]] = [[] for _ in leads]
    values = {value for value in missing if value is not None}
    for start, block in in_blocks(digital):
        # most files have none: asked of all leads as they lie in memory, that costs a tenth
        if not any((block == value).any() for value in values):
            continue
        for row, value in enumerate(missing):
            if value is None:
                continue
            flags = block[row] == value
            if flags.any():
                _extend(found[row], _lasting(_edges(flags), len(flags)) + start)
    return tuple(gap for lead, edges in zip(leads, found, strict=True) for gap in _gaps_of(edges, lead))


def runs(flags: NDArray[np.bool_], lead: str) -> list[Gap]:
    """A gap for every run of two true flags or more."""
    return _gaps_of(_edges(flags).tolist(), lead)


def _edges(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n_runs, 2) start and stop of every run of true flags."""
    return np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))).reshape(-1, 2)


def _lasting(edges: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """The runs that are long enough, or that may go on beyond the borders of the block."""
    starts, stops = edges.T
    kept: NDArray[np.int64] = edges[(stops - starts >= MIN_GAP_SAMPLES) | (starts == 0) | (stops == length)]
    return kept


def _extend(edges: list[list[int]], more: NDArray[np.int64]) -> None:
    """Put the runs of the next block behind those before; one that goes on over the border stays one.

    More than will be told are not kept.
    """
    for start, stop in more[: MAX_GAPS_A_LEAD + 2].tolist():
        if edges and edges[-1][1] == start:
            edges[-1][1] = stop
            continue
        if edges and edges[-1][1] - edges[-1][0] < MIN_GAP_SAMPLES:
            edges.pop()
        if len(edges) == MAX_GAPS_A_LEAD:
            return
        edges.append([start, stop])


def _gaps_of(edges: Sequence[Sequence[int]], lead: str) -> list[Gap]:
    long = (edge for edge in edges if edge[1] - edge[0] >= MIN_GAP_SAMPLES)
    return [Gap(start, stop, (lead,)) for start, stop in islice(long, MAX_GAPS_A_LEAD)]


def narrow(digital: NDArray[Any]) -> Samples:
    """The same integers as int16 where they fit, else as int32."""
    if digital.dtype == np.int16:
        return digital
    limits = np.iinfo(np.int16)
    if digital.size == 0 or (digital.min() >= limits.min and digital.max() <= limits.max):
        return digital.astype(np.int16)
    return digital.astype(np.int32, copy=False)


def room(shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
    """An array to be filled, in memory or, where it is large, in a temporary file.

    Raises:
        TooLargeRecording: the disk has no room for it.
    """
    try:
        return empty(shape, kind)
    except OSError as error:
        raise TooLargeRecording(
            f"decoding needs {math.prod(shape) * np.dtype(kind).itemsize // 1024**2} MB in the folder for temporary "
            f"files: {error.strerror}; make room there, or set TMPDIR to another folder"
        ) from None


def as_samples(view: NDArray[Any], kind: Any) -> Samples:
    """(n_leads, n_samples) of this type: the view itself where it has it, else laid out anew block by block."""
    if view.dtype == kind:
        return view
    out = room(view.shape, kind)
    for start, block in in_blocks(view):
        part = out[:, start : start + block.shape[1]]
        part[:] = block
        forget(part)
    return out


def read_companion(path: Path) -> Buffer | None:
    """The bytes of a file that belongs to another, mapped where it is large; None where it is not there.

    Raises:
        TooLargeRecording: larger than anything a gateway would have sent.
    """
    if not path.is_file():
        return None
    if path.stat().st_size > MAX_COMPANION_BYTES:
        raise TooLargeRecording(f"{path.name} is larger than {MAX_COMPANION_BYTES // 1024**3} GB")
    return content_of(path)


def with_limb_leads(recording: Recording) -> Recording:
    """The recording with its missing limb leads derived, if it is a resting ECG.

    In a day's recording they would quadruple the memory for what anyone can compute when it is looked at.
    """
    has_room = len(recording.leads) + len(DERIVED_LIMB) <= MAX_LEADS
    return recording.with_derived_leads() if recording.kind == "resting" and has_room else recording
