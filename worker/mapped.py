"""How is a recording of days read without holding it in memory? Its file is mapped, and looked at block by block.

A mapped file costs address space, not memory: pages come when they are looked at and go when they are forgotten, to be
read again from the file if they are asked for again. So a fortnight's recording needs no more than an hour's, as long
as whoever goes through it does so with :func:`in_blocks`, or calls :func:`forget` after each part.

The file must stay as it is while the recording is in use, as the blobs of the centre do: what is cut off a mapped file
ends the process (SIGBUS). Small files are therefore read, not mapped.
"""

import ctypes
import io
import math
import mmap
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

Buffer = bytes | memoryview
"""The bytes of a file: read, or mapped."""

MAP_FROM_BYTES: Final = 32 * 1024**2
"""Six hours of three leads at 250 Hz; no resting ECG comes near it."""
SCRATCH_FROM_BYTES: Final = 256 * 1024**2
"""Beyond this (two days of three leads at 250 Hz) decoded samples lie in a file without a name instead of in memory."""
BLOCK_SAMPLES: Final = 1 << 18
"""Of each lead: 17 minutes at 250 Hz; some megabytes, within a processor's cache for few leads."""


AROUND_BYTES: Final = 1 << 16
"""The kernel brings the pages around one that is looked at, too (fault_around_bytes): they are given back with it."""


def map_file(path: Path) -> memoryview:
    """The bytes of this file, mapped; it is not empty.

    Raises:
        OSError: it cannot be opened or mapped.
    """
    with path.open("rb") as stream:
        return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def content_of(path: Path) -> Buffer:
    """The bytes of this file: mapped where it is large.

    Raises:
        OSError: it cannot be read.
    """
    return map_file(path) if path.stat().st_size >= MAP_FROM_BYTES else path.read_bytes()


def empty(shape: tuple[int, ...], kind: DTypeLike) -> NDArray[Any]:
    """An array to be filled: in memory, or, where it is large, in a temporary file that vanishes with it.

    Raises:
        OSError: the disk has no room for it.
    """
    n_bytes = math.prod(shape) * np.dtype(kind).itemsize
    if n_bytes < SCRATCH_FROM_BYTES:
        return np.empty(shape, kind)
    with tempfile.TemporaryFile(prefix="ecg-worker-") as stream:
        os.posix_fallocate(stream.fileno(), 0, n_bytes)  # a full disk is an error here, not a SIGBUS later
        room = mmap.mmap(stream.fileno(), n_bytes)
    return np.frombuffer(room, kind).reshape(shape)


def in_blocks(digital: NDArray[Any], n: int = BLOCK_SAMPLES) -> Iterator[tuple[int, NDArray[Any]]]:
    """(place of its first sample, block of all leads), one after the other; each is forgotten behind the next.

    >>> [(at, block.shape) for at, block in in_blocks(np.zeros((3, 25)), 10)]
    [(0, (3, 10)), (10, (3, 10)), (20, (3, 5))]
    """
    for start in range(0, digital.shape[1], n):
        block = digital[:, start : start + n]
        yield start, block
        forget(block)


def forget(array: NDArray[Any]) -> None:
    """Give back the memory of a mapped array; its values come again from the file. Of any other, nothing happens."""
    room = _mapping_of(array)
    if room is None or array.size == 0 or not hasattr(mmap, "MADV_DONTNEED"):
        return
    begin = np.frombuffer(room, np.uint8).ctypes.data
    low, high = np.lib.array_utils.byte_bounds(array)
    first = (low - begin) // AROUND_BYTES * AROUND_BYTES
    last = min(len(room), -(-(high - begin) // AROUND_BYTES) * AROUND_BYTES)
    room.madvise(mmap.MADV_DONTNEED, first, last - first)


def give_back() -> None:
    """Give what was freed back to the system.

    glibc keeps the holes between what lives: after the signal of two weeks 70 MB, a quarter of all. Elsewhere nothing
    happens.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _mapping_of(array: NDArray[Any]) -> mmap.mmap | None:
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    return base if isinstance(base, mmap.mmap) else None


class ViewFile(io.RawIOBase):
    """Bytes in memory as a file to read, without a copy of them."""

    def __init__(self, content: Buffer) -> None:
        super().__init__()
        self._content = memoryview(content)
        self._at = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to this place; before the first byte is none."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._content)}[whence]
        if origin + offset < 0:
            raise ValueError("a place before the first byte")
        self._at = origin + offset
        return self._at

    def readinto(self, room: Any) -> int:
        """As many of the next bytes as there is room for."""
        part = self._content[self._at : self._at + len(room)]
        room[: len(part)] = part
        self._at += len(part)
        return len(part)
