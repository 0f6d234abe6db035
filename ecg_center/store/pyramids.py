"""How is any stretch of a day drawn from a few thousand numbers?

Beside the samples lies a pyramid: of every 64, 256, 1024 … samples the lowest and the highest, lead by lead, as int16.
Whoever draws asks for as many columns as the screen has; they are made of the coarsest level that is fine enough, or of
the samples themselves. No peak is ever lost: the minimum of minima is the minimum. One file: a line of JSON, then the
levels, each (pairs, leads, 2) little-endian, so that a stretch is one range of bytes. ``worker/holter/pyramid.py``
writes it.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.store.waveforms import Integers, WaveformError

VERSION: Final = 1
HEADER_BYTES: Final = 8192
"""The header is padded to this, so that it is one read; 64 leads of long names take half of it."""
BASE: Final = 64
"""Samples of one pair in the finest level: below it a window of some minutes is made of the samples themselves."""
RATIO: Final = 4
"""From level to level: a window is made of at most four times the pairs that the screen has columns."""
COARSEST_PAIRS: Final = 4096
"""No further level is needed above one that is as short as a wide screen."""
MAX_COLUMNS: Final = 32_768
"""A page of full disclosure: thirty rows, each as wide as a screen."""
NO_SAMPLE: Final = -32768
"""What a sample that was not recorded holds (WFDB format 16, ISHNE): it is neither low nor high."""
LOW_OF_NONE: Final = 32767
HIGH_OF_NONE: Final = -32768
"""The pair of a stretch without a sample: lowest above highest, which is also what min and max begin with."""

Pairs = NDArray[np.int16]
ReadRange = Callable[[int, int], Awaitable[bytes]]
"""Bytes of the file, from an offset on and of a length."""


@dataclass(frozen=True)
class Lead:
    """One lead and the scale of its pairs: microvolts are ``(value - baseline) * uv_per_lsb``."""

    name: str
    uv_per_lsb: float
    baseline: float


@dataclass(frozen=True)
class Level:
    """One level: the lowest and highest of every ``factor`` samples, ``pairs`` of them from byte ``offset`` on."""

    factor: int
    pairs: int
    offset: int


@dataclass(frozen=True)
class Header:
    """What the file holds.

    Attributes:
        shift: by how many bits each lead's samples were coarsened to fit 16 bits.
    """

    n_samples: int
    sampling_hz: float
    leads: tuple[Lead, ...]
    shift: tuple[int, ...]
    levels: tuple[Level, ...]

    @property
    def size_bytes(self) -> int:
        """Length of the whole file."""
        last = self.levels[-1]
        return last.offset + last.pairs * len(self.leads) * 4

    def packed(self) -> bytes:
        """The header as the file begins with it."""
        text = json.dumps(
            {
                "version": VERSION,
                "n_samples": self.n_samples,
                "sampling_hz": self.sampling_hz,
                "leads": [[lead.name, lead.uv_per_lsb, lead.baseline] for lead in self.leads],
                "shift": self.shift,
                "levels": [[level.factor, level.pairs, level.offset] for level in self.levels],
            }
        ).encode()
        if len(text) >= HEADER_BYTES:
            raise WaveformError(f"the names of {len(self.leads)} leads are too long for a pyramid's header")
        return text.ljust(HEADER_BYTES - 1) + b"\n"


def plan(n_samples: int, sampling_hz: float, leads: tuple[Lead, ...], shift: tuple[int, ...]) -> Header:
    """Which levels a recording of this length has, and where they lie.

    >>> [level.factor for level in plan(24 * 3600 * 250, 250.0, (Lead("I", 1.0, 0.0),), (0,)).levels]
    [64, 256, 1024, 4096, 16384]
    """
    levels, offset, factor = [], HEADER_BYTES, BASE
    while True:
        pairs = -(-n_samples // factor)
        levels.append(Level(factor, pairs, offset))
        if pairs <= COARSEST_PAIRS:
            return Header(n_samples, sampling_hz, leads, shift, tuple(levels))
        offset += pairs * len(leads) * 4
        factor *= RATIO


def unpack(content: bytes) -> Header:
    """The header at the beginning of a pyramid's file.

    Raises:
        WaveformError: it is damaged, or of another version.
    """
    try:
        fields = json.loads(content[:HEADER_BYTES])
        if fields["version"] != VERSION:
            raise WaveformError(f"the pyramid is of version {fields['version']}; have the recording read again")
        return Header(
            int(fields["n_samples"]),
            float(fields["sampling_hz"]),
            tuple(Lead(str(name), float(scale), float(zero)) for name, scale, zero in fields["leads"]),
            tuple(int(bits) for bits in fields["shift"]),
            tuple(Level(int(factor), int(pairs), int(offset)) for factor, pairs, offset in fields["levels"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, WaveformError):
            raise
        raise WaveformError("the pyramid's header is damaged; have the recording read again") from None


def level_for(header: Header, start: int, stop: int, columns: int) -> Level | None:
    """The coarsest level that gives every column a pair of its own; None where only the samples are fine enough."""
    fine = [level for level in header.levels if (stop - start) / level.factor >= columns]
    return fine[-1] if fine else None


async def window(read: ReadRange, header: Header, level: Level, start: int, stop: int, columns: int) -> Pairs:
    """(n_leads, columns, 2): the lowest and highest of each column of the samples ``start`` to ``stop``.

    A pair reaches into the next column by less than its ``factor`` samples.

    Raises:
        WaveformError: the file is shorter than its header says.
    """
    n_leads = len(header.leads)
    first, last = start // level.factor, min(level.pairs, -(-stop // level.factor))
    wanted = (last - first) * n_leads * 4
    content = await read(level.offset + first * n_leads * 4, wanted)
    if len(content) != wanted:
        raise WaveformError("the pyramid is shorter than its header says; have the recording read again")
    pairs = np.frombuffer(content, "<i2").reshape(last - first, n_leads, 2)
    edges = np.linspace(start, stop, columns, endpoint=False) / level.factor
    at = np.minimum(edges.astype(np.int64) - first, last - first - 1)
    return _pairs(np.minimum.reduceat(pairs[:, :, 0], at), np.maximum.reduceat(pairs[:, :, 1], at))


def of_samples(samples: Pairs, columns: int) -> Pairs:
    """(n_leads, columns, 2) of a stretch's own samples, (n_leads, n) int16 with ``n`` at least ``columns``.

    >>> of_samples(np.array([[3, 1, 2, 9, -32768, -32768]], np.int16), 3).tolist()
    [[[1, 3], [2, 9], [32767, -32768]]]
    """
    at = np.linspace(0, samples.shape[1], columns, endpoint=False).astype(np.int64)
    low = np.where(samples == NO_SAMPLE, np.int16(LOW_OF_NONE), samples)
    return _pairs(np.minimum.reduceat(low.T, at), np.maximum.reduceat(samples.T, at))


def _pairs(low: Pairs, high: Pairs) -> Pairs:
    return np.ascontiguousarray(np.stack([low, high], axis=2).transpose(1, 0, 2), np.int16)


def coarsened(samples: Integers, shift: tuple[int, ...]) -> Pairs:
    """The samples in the pyramid's 16 bits: never clipped, coarsened where a lead needs more."""
    narrow: Pairs = (samples >> np.array(shift, np.int32)[:, None]).astype(np.int16)
    return narrow
