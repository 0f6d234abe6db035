"""Which beats stand in a stretch of a day? The file from which the reading desk marks them.

One row a beat in order of time, behind a header that says where every hour begins, so that the beats of a stretch are
one range of bytes. The worker writes one file for the machine's own result and one for the physician's.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.store.waveforms import WaveformError

VERSION: Final = 1
HEADER_BYTES: Final = 16_384
"""Room for the hours of six weeks."""
STEP_S: Final = 3600.0
LABELS: Final = "NSVFPQ"
"""A label's number in the file is its place here (``contract.holter.BeatClass``)."""
ROW: Final = np.dtype([("sample", "<i8"), ("template", "<i2"), ("label", "u1"), ("confidence", "u1")])
"""``confidence`` in percent; ``template`` -1 where the beat has none."""

ReadRange = Callable[[int, int], Awaitable[bytes]]


@dataclass(frozen=True)
class Header:
    """What the file holds; hour ``i`` begins with row ``rows[i]``."""

    sampling_hz: float
    n_beats: int
    rows: tuple[int, ...]

    @property
    def size_bytes(self) -> int:
        """Length of the whole file."""
        return HEADER_BYTES + self.n_beats * ROW.itemsize


def pack(
    sampling_hz: float,
    sample: NDArray[np.int64],
    label: NDArray[np.uint8],
    template: NDArray[np.int32],
    confidence: NDArray[np.float32],
) -> bytes:
    """The file of these beats.

    Raises:
        WaveformError: the recording is longer than six weeks.
    """
    rows = np.empty(len(sample), ROW)
    rows["sample"], rows["label"] = sample, label
    rows["template"] = np.where(template <= np.iinfo(np.int16).max, template, -1)
    rows["confidence"] = np.rint(np.clip(np.nan_to_num(confidence), 0, 1) * 100)
    last = int(sample[-1]) if len(sample) else 0
    hours = np.arange(0, last + 1, STEP_S * sampling_hz)
    header = json.dumps(
        {
            "version": VERSION,
            "sampling_hz": sampling_hz,
            "n_beats": len(sample),
            "rows": np.searchsorted(sample, hours).tolist(),
        }
    ).encode()
    if len(header) >= HEADER_BYTES:
        raise WaveformError("the beats of more than six weeks are not kept in one file; send it in parts")
    return header.ljust(HEADER_BYTES - 1) + b"\n" + rows.tobytes()


def unpack(content: bytes) -> Header:
    """The header at the beginning of a file of beats.

    Raises:
        WaveformError: it is damaged, or of another version.
    """
    try:
        fields = json.loads(content[:HEADER_BYTES])
        if fields["version"] != VERSION:
            raise WaveformError(f"the beats are of version {fields['version']}; have the recording read again")
        return Header(float(fields["sampling_hz"]), int(fields["n_beats"]), tuple(int(row) for row in fields["rows"]))
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, WaveformError):
            raise
        raise WaveformError("the header of the beats is damaged; have the recording read again") from None


async def window(read: ReadRange, header: Header, start: int, stop: int) -> NDArray[np.void]:
    """The rows (:data:`ROW`) of the beats from sample ``start`` up to but not including ``stop``.

    Raises:
        WaveformError: the file is shorter than its header says.
    """
    step = STEP_S * header.sampling_hz
    hours = len(header.rows)
    first_hour, end_hour = int(start // step), int(-(-stop // step))
    first = header.rows[first_hour] if first_hour < hours else header.n_beats
    last = header.rows[end_hour] if end_hour < hours else header.n_beats
    if last <= first:
        return np.empty(0, ROW)
    wanted = (last - first) * ROW.itemsize
    content = await read(HEADER_BYTES + first * ROW.itemsize, wanted)
    if len(content) != wanted:
        raise WaveformError("the beats are fewer than their header says; have the recording read again")
    rows = np.frombuffer(content, ROW)
    a, b = np.searchsorted(rows["sample"], [start, stop])
    inside: NDArray[np.void] = rows[a:b]
    return inside
