"""How is a day of samples looked at without ever holding it as numbers with a point?

A :class:`Day` gives stretches of it as float32 microvolts. Everything in ``worker/holter`` that reads the signal walks
over it block by block, so that two weeks need no more memory than an hour.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.mapped import forget
from worker.recording import Recording
from worker.signal.compiled import compiled_finite

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

BLOCK_S: Final = 600.0
"""Ten minutes of one lead at 250 Hz are 0.6 MB: they stay in the processor's cache while they are worked on."""
MARGIN_S: Final = 15.0
"""So much beyond its ends a block sees, to know what is usual there."""
TILE: Final = 4096
VECTORS: Final = (2, 3)
"""So many leads, side by side, the processor takes apart in its vectors, in a sixth of the time."""
REDUNDANT: Final = ("III", "aVR", "aVL", "aVF")
"""Leads that say nothing which I and II do not say."""


@dataclass(frozen=True, slots=True)
class Block:
    """Samples ``start`` up to but not including ``stop``, seen with a margin on both sides.

    Attributes:
        first: the sample of the recording at which ``uv`` begins; at most ``start``.
        uv: (n_leads, n) float32 microvolts.
    """

    start: int
    stop: int
    first: int
    uv: Float32s


@dataclass(frozen=True, eq=False)
class Day:
    """A long recording as the analysis sees it."""

    recording: Recording

    @property
    def leads(self) -> tuple[str, ...]:
        """Names of the leads."""
        return self.recording.leads

    @property
    def hz(self) -> float:
        """Samples a second."""
        return self.recording.sampling_hz

    @property
    def n_samples(self) -> int:
        """Samples of each lead."""
        return self.recording.n_samples

    @cached_property
    def independent(self) -> tuple[int, ...]:
        """Rows of the leads that do not follow from others: all but III, aVR, aVL and aVF where I and II are there."""
        both = {"I", "II"} <= set(self.leads)
        return tuple(row for row, lead in enumerate(self.leads) if not (both and lead in REDUNDANT))

    def block(self, start: int, stop: int, rows: tuple[int, ...] | None = None) -> Float32s:
        """(n_leads, stop − start) float32 µV, of all leads or of these rows; a gap is bridged by a straight line.

        Samples before the first and after the last one repeat the one at the end. The memory of a mapped file is given
        back behind it, so that nobody needs to think of that.

        >>> recording = Recording("", "holter", ("I",), np.array([[100, 102, 104]], np.int16), np.array([2.5]),
        ...                       np.array([100.0]), 250.0)
        >>> Day(recording).block(1, 5).tolist()
        [[5.0, 10.0, 10.0, 10.0]]
        """
        chosen = tuple(range(len(self.leads))) if rows is None else rows
        uv = np.empty((len(chosen), stop - start), np.float32)
        first, last = min(max(start, 0), self.n_samples), min(max(stop, 0), self.n_samples)
        if first == last:
            uv[:] = 0.0
            return uv
        scale, zero = self.recording.uv_per_lsb, self.recording.baseline
        inner = uv[:, first - start : last - start]
        digital = self.recording.digital[:, first:last]
        side_by_side = digital.T
        if len(self.leads) in VECTORS and chosen == tuple(range(len(self.leads))) and side_by_side.flags.c_contiguous:
            _side_by_side(side_by_side.reshape(-1), scale, zero, inner)
        else:
            _microvolts(digital, np.array(chosen, np.int64), scale, zero, inner)
        forget(digital)
        for place, row in enumerate(chosen):
            if row in self._gaps:
                self._bridge(inner[place], row, first, last)
        uv[:, : first - start] = inner[:, :1]
        uv[:, last - start :] = inner[:, -1:]
        return uv

    def blocks(
        self, block_s: float = BLOCK_S, margin_s: float = MARGIN_S, rows: tuple[int, ...] | None = None
    ) -> Iterator[Block]:
        """The whole day, block after block, each with ``margin_s`` beyond its ends, as far as it goes."""
        step, margin = max(1, round(block_s * self.hz)), round(margin_s * self.hz)
        for start in range(0, self.n_samples, step):
            stop = min(self.n_samples, start + step)
            first, last = max(0, start - margin), min(self.n_samples, stop + margin)
            yield Block(start, stop, first, self.block(first, last, rows))

    @cached_property
    def _gaps(self) -> dict[int, Int64s]:
        """Row → (n, 2) start and stop of what was not measured, in order."""
        found: dict[int, list[tuple[int, int]]] = {}
        for gap in self.recording.gaps:
            for lead in gap.leads:
                if lead in self.leads and gap.stop > gap.start:
                    found.setdefault(self.leads.index(lead), []).append((gap.start, gap.stop))
        return {row: np.array(sorted(gaps), np.int64) for row, gaps in found.items()}

    def gaps_of(self, row: int) -> Int64s:
        """(n, 2) start and stop of what was not measured of this lead, in order."""
        return self._gaps.get(row, np.zeros((0, 2), np.int64))

    def _bridge(self, part: Float32s, row: int, first: int, last: int) -> None:
        """A straight line over each gap, so that it makes no edge."""
        gaps = self._gaps[row]
        for start, stop in gaps[(gaps[:, 1] > first) & (gaps[:, 0] < last)].tolist():
            known = [self._value(row, at) for at in (start - 1, stop) if 0 <= at < self.n_samples] or [0.0]
            a, b = max(start, first), min(stop, last)
            share = (np.arange(a, b, dtype=np.float32) - (start - 1)) / (stop - start + 1)
            part[a - first : b - first] = known[0] + (known[-1] - known[0]) * share

    def _value(self, row: int, at: int) -> float:
        recording = self.recording
        return float((recording.digital[row, at] - recording.baseline[row]) * recording.uv_per_lsb[row])


@compiled_finite
def _microvolts(digital: NDArray[Any], rows: Int64s, scale: Floats, zero: Floats, uv: Float32s) -> None:
    """Tile by tile, since most files hold the leads' samples side by side."""
    n = digital.shape[1]
    for begin in range(0, n, TILE):
        end = min(n, begin + TILE)
        for place in range(rows.size):
            row = rows[place]
            by, offset = np.float32(scale[row]), np.float32(-zero[row] * scale[row])
            source, target = digital[row, begin:end], uv[place, begin:end]
            for i in range(end - begin):
                target[i] = np.float32(source[i]) * by + offset


@compiled_finite
def _side_by_side(digital: NDArray[Any], scale: Floats, zero: Floats, uv: Float32s) -> None:
    """The same of all samples of two or three leads: the step from one sample to the next is known to the compiler."""
    n_leads, n = uv.shape
    by, off = scale.astype(np.float32), (-zero * scale).astype(np.float32)
    a, b, by_a, by_b, off_a, off_b = uv[0], uv[1], by[0], by[1], off[0], off[1]
    if n_leads == 2:
        for i in range(n):
            a[i] = np.float32(digital[2 * i]) * by_a + off_a
            b[i] = np.float32(digital[2 * i + 1]) * by_b + off_b
        return
    c, by_c, off_c = uv[2], by[2], off[2]
    for i in range(n):
        a[i] = np.float32(digital[3 * i]) * by_a + off_a
        b[i] = np.float32(digital[3 * i + 1]) * by_b + off_b
        c[i] = np.float32(digital[3 * i + 2]) * by_c + off_c
