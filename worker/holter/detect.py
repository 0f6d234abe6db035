"""Where are the beats of a day?

The resting detector's method (:mod:`worker.signal.qrs`) in compiled loops over blocks of ten minutes. What differs:

- finite filters (:mod:`worker.holter.bands`) instead of a transform of each minute, and float32;
- what is usual in a lead follows the recording from window to window and remembers the last hour, and each lead is
  weighed by how calm it is just now (:mod:`worker.holter.units`), so that the leads may take turns;
- the usual beat is the median of 15 of a minute's beats, and what no likeness could make a beat is not compared with it
  (:mod:`worker.holter.candidates`).
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.bands import Float32s, Room, bands_for, curves
from worker.holter.candidates import about_of, beats_of
from worker.holter.day import Block, Day
from worker.holter.gaps import second_look
from worker.holter.units import WINDOW_S, candidates, in_units
from worker.signal.compiled import compiled_finite
from worker.signal.qrs_weights import COEFFICIENTS

Int64s = NDArray[np.int64]

PEAK_REACH_S: Final = 0.08
APART_S: Final = 0.18
REMEMBERED_BLOCKS: Final = 6
"""An hour: as long as a loose electrode may take to become what is usual."""
LARGE_BYTES: Final = 24 * 1024**2
"""glibc's malloc asks the system for large arrays and gives them back one by one, a page fault for every 4 kB, until it
has once seen an array of this size come back; from then on it keeps what is smaller. A fifth of the time."""
_COEFFICIENTS: Final = COEFFICIENTS.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Seen:
    """What the search saw in one block.

    Attributes:
        sample: (n,) int64 R peaks within the block proper, samples of the recording.
        odds: (n,) float32 log odds of each being a beat, by its looks.
        unrest: (k, 2) int64 first and one past the last sample of gaps without beats that do not rest either.
        tops, floors: (n_leads, n_windows) of windows of ``units.WINDOW_S``, the first at the block's ``first``: the
            steepest slope, and the median mean square of the slope, in units of the usual QRS.
        window: length of such a window, samples of the recording.
        broad: (n_leads, n) µV of the broad band at ``hz``, from the block's ``first`` on; it holds until the next block
            is searched.
    """

    sample: Int64s
    odds: Float32s
    unrest: Int64s
    tops: Float32s
    floors: Float32s
    window: int
    broad: Float32s
    hz: float


class Search:
    """Finds the beats of a day's blocks, which are given one after the other."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.bands = bands_for(day.hz)
        self._room = Room()
        np.empty(LARGE_BYTES, np.uint8)  # given back at once: see there
        self._levels: deque[Float32s] = deque(maxlen=REMEMBERED_BLOCKS)

    @property
    def window(self) -> int:
        """Length of a window of :class:`Seen`, samples of the recording."""
        return int(WINDOW_S * self.bands.hz) * self.bands.factor

    def beats_in(self, block: Block) -> Seen:
        """The beats of one block, of which ``uv`` holds the rows to look at."""
        hz, factor = self.bands.hz, self.bands.factor
        slope, broad = curves(block.uv, self.bands, self._room)
        units, shapes = (self._room.rows(name, *slope.shape) for name in ("units", "shapes"))
        memory = self._memory(len(slope))
        magnitude, power, tops, floors, levels = in_units(slope, broad, hz, memory, units, shapes)
        self._levels.append(levels)
        maxima, seen = candidates(power, hz), (units, shapes, magnitude, power)
        about = about_of(seen, maxima, hz)
        at, odds = beats_of(seen, maxima, about, hz, _COEFFICIENTS)
        at, odds, unrest = second_look(seen, maxima, about, at, odds, hz, _COEFFICIENTS)
        inside = (at * factor >= block.start - block.first) & (at * factor < block.stop - block.first)
        peaks = _peaks(magnitude, at[inside], factor, round(PEAK_REACH_S * hz))
        if len(unrest):
            unrest = np.clip(unrest * factor + block.first, block.start, block.stop)
            unrest = unrest[unrest[:, 1] > unrest[:, 0]]
        return Seen(peaks + block.first, odds[inside], unrest, tops, floors, self.window, broad, hz)

    def _memory(self, n_leads: int) -> Float32s:
        """The levels of the blocks before; 0 where there were none."""
        if not self._levels:
            return np.zeros(n_leads + 1, np.float32)
        ordered = np.sort(np.stack(self._levels), axis=0)  # np.median would take as long as the filters
        n = len(ordered)
        return np.asarray((ordered[(n - 1) // 2] + ordered[n // 2]) / 2, np.float32)


def find_beats(day: Day) -> Int64s:
    """(n,) samples of the R peaks of a day, increasing.

    >>> from worker.recording import Recording
    >>> seconds = np.arange(0, 60, 1 / 250)
    >>> uv = 900 * np.exp(-(((seconds % 0.8 - 0.4) / 0.012) ** 2))
    >>> recording = Recording("", "holter", ("II",), uv[None].astype(np.int16), np.ones(1), np.zeros(1), 250.0)
    >>> (find_beats(Day(recording))[:4] / 250).tolist()
    [0.4, 1.2, 2.0, 2.8]
    """
    search, found = Search(day), Found([], [])
    for block in day.blocks(rows=day.independent):
        found.add(search.beats_in(block))
    return found.in_order(day.hz)[0]


@dataclass(frozen=True, slots=True)
class Found:
    """The beats of the blocks so far; of what else was seen nothing is held."""

    sample: list[Int64s]
    odds: list[Float32s]

    def add(self, seen: Seen) -> None:
        """Those of one more block."""
        self.sample.append(seen.sample)
        self.odds.append(seen.odds)

    def in_order(self, hz: float) -> tuple[Int64s, Float32s]:
        """(samples, log odds) of all, without those that two blocks both found or two maxima of one QRS made."""
        at = np.concatenate([np.empty(0, np.int64), *self.sample])
        odds = np.concatenate([np.empty(0, np.float32), *self.odds])
        while True:  # a beat at the edge of two blocks may be found by both, and the later one first
            apart = np.diff(at, prepend=-(10**9))
            close = apart < APART_S * hz
            if not close.any():
                return at, odds
            at, odds = at[~close], odds[~close]


@compiled_finite
def _peaks(magnitude: Float32s, at: Int64s, factor: int, reach: int) -> Int64s:
    """The sample of the greatest deflection near each beat: the summit of the parabola through three values."""
    peaks = np.empty(at.size, np.int64)
    for i in range(at.size):
        first, top, place = max(0, at[i] - reach), np.float32(-1.0), at[i]
        part = magnitude[first : at[i] + reach + 1]
        for j in range(part.size):
            top = max(top, part[j])
        for j in range(part.size):
            if part[j] == top:
                place = first + j
                break
        peaks[i] = place * factor
        if 0 < place < magnitude.size - 1:
            left, right = magnitude[place - 1], magnitude[place + 1]
            bend = 2 * top - left - right
            if left < top and right < top:
                peaks[i] = int(np.floor((place + (right - left) / (2 * bend)) * factor + 0.5))
    return peaks
