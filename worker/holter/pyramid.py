"""How is the pyramid of a day made: of every lead, at every zoom, the lowest and the highest?

One pass over the samples in blocks, so that memory is flat whatever the length; the coarser levels of a block are made
of its finer ones. What the file looks like and how it is read again is ``ecg_center/store/pyramids.py``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.store.pyramids import (
    BASE,
    HIGH_OF_NONE,
    LOW_OF_NONE,
    NO_SAMPLE,
    RATIO,
    Header,
    Lead,
    plan,
)
from worker.mapped import in_blocks
from worker.recording import Recording
from worker.signal.compiled import compiled

BLOCK: Final = 1 << 20
"""Samples at a time: a multiple of every level's factor up to the one of 2**20, which a fortnight at 1 kHz needs."""
WIDEST: Final = 15
"""Bits of a positive int16."""
NONE: Final = (NO_SAMPLE, LOW_OF_NONE, HIGH_OF_NONE)
"""Handed to the compiled loops, whose cache would not notice a change of another file."""


def write(path: Path, recording: Recording, progress: Callable[[float], None] = lambda share: None) -> Header:
    """Write the pyramid of a recording; returns its header.

    Args:
        progress: told after each block which share is done.
    """
    header = describe(recording)
    with path.open("wb") as file:
        file.write(header.packed())
        file.truncate(header.size_bytes)
    n_leads, n_samples = recording.digital.shape
    made = np.memmap(path, np.dtype("<i2"), "r+")
    try:
        levels = [
            made[level.offset // 2 :][: level.pairs * n_leads * 2].reshape(level.pairs, n_leads, 2)
            for level in header.levels
        ]
        shift = np.array(header.shift, np.int64)
        for start, block in in_blocks(recording.digital, BLOCK):
            _finest(block, shift, BASE, NONE, levels[0][start // BASE :][: -(-block.shape[1] // BASE)])
            for level, finer, coarser in zip(header.levels[1:], levels, levels[1:], strict=False):
                first = start // level.factor
                count = -(-block.shape[1] // level.factor)
                below = finer[first * RATIO :][: -(-block.shape[1] // (level.factor // RATIO))]
                _coarser(below, RATIO, NONE, coarser[first : first + count])
            progress(min(1.0, (start + BLOCK) / n_samples))
        made.flush()
    finally:
        del made
    return header


def describe(recording: Recording) -> Header:
    """The header of a recording's pyramid: its levels, and the scale of each lead in 16 bits."""
    shift = tuple(_shift(row) for row in recording.digital)
    leads = tuple(
        Lead(name, float(recording.uv_per_lsb[row]) * 2 ** shift[row], float(recording.baseline[row]) / 2 ** shift[row])
        for row, name in enumerate(recording.leads)
    )
    return plan(recording.n_samples, recording.sampling_hz, leads, shift)


def _shift(row: NDArray[Any]) -> int:
    """By how many bits a lead is too wide for 16."""
    if row.dtype == np.int16 or not row.size:
        return 0
    return max(0, max(abs(int(row.min())), abs(int(row.max()))).bit_length() - WIDEST)


@compiled
def _finest(
    samples: NDArray[Any], shift: NDArray[np.int64], base: int, none: tuple[int, int, int], pairs: NDArray[np.int16]
) -> None:
    """Of (leads, n) samples the lowest and highest of every ``base``, into (pairs, leads, 2)."""
    n_leads, n = samples.shape
    for lead in range(n_leads):
        bits = shift[lead]
        for pair in range(pairs.shape[0]):
            low, high = none[1], none[2]
            for at in range(pair * base, min(n, (pair + 1) * base)):
                value = samples[lead, at] >> bits
                if value != none[0]:
                    low = min(low, value)
                    high = max(high, value)
            pairs[pair, lead, 0] = low
            pairs[pair, lead, 1] = high


@compiled
def _coarser(finer: NDArray[np.int16], ratio: int, none: tuple[int, int, int], pairs: NDArray[np.int16]) -> None:
    """Of the pairs of one level those of the next."""
    n = finer.shape[0]
    for lead in range(finer.shape[1]):
        for pair in range(pairs.shape[0]):
            low, high = none[1], none[2]
            for at in range(pair * ratio, min(n, (pair + 1) * ratio)):
                low = min(low, finer[at, lead, 0])
                high = max(high, finer[at, lead, 1])
            pairs[pair, lead, 0] = low
            pairs[pair, lead, 1] = high
