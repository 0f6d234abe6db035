"""Where is ST, how long is QT and does T alternate, every ten seconds of a day?

The dominant beats of ten seconds are averaged, each less a straight base line through its own PR level and the next;
beats that are unlike the average are left out of it. Before that each beat is moved to where it fits best on the shape
that its kind of beat has had so far, and ST is told with the number of that shape: a bundle branch block that comes and
goes moves ST without ischaemia. Where QRS begins and ends is found every ten minutes on all leads together by the
resting engine's rules (:mod:`worker.signal.delineate`) and steadied by the last hour.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.align import align
from worker.holter.beat_rows import average_rows, variants
from worker.holter.day import Block, Day
from worker.holter.measured import NOT_MEASURED, Beats, Label, Minutes, Stretch
from worker.holter.minute_values import Average, Bools, Columns, Float32s, Grid, Limits, alternans, qt_ms, st_columns
from worker.holter.readable import Spans
from worker.signal.beats import MedianBeat
from worker.signal.delineate import delineate
from worker.signal.order import quantile

STEP_S: Final = 10.0
BLOCK_S: Final = 600.0
MARGIN_S: Final = 5.0
LEVEL_S: Final = (-0.028, -0.008)
"""The PR level, from the onset of QRS."""
FIRST_ONSET_S: Final = -0.045
HISTORY: Final = 7
SUMMIT_MOVES_S: Final = 0.05
STAYS: Final = 3
"""T's summit does not jump: another wave was taken for it, unless it stays there for half an hour."""
LEAST_BEATS: Final = 3
LEAST_ROWS: Final = 3
OWN_QUANTILE: Final = 0.25
"""As of the intervals in the resting engine's median beat: most rows' beats are over there."""
APART_S: Final = 0.15
LONGEST_RR_S: Final = 2.0
SHAPE_S: Final = 0.07
"""What is compared of a QRS, to either side of R: not the ST segment."""
PARTS_S: Final = (-0.10, 0.20, 0.44)
"""From R: P to ST, and T; what a beat is like is told in the first."""
SEARCH_S: Final = 0.048
MAX_SHAPES: Final = 8
FORM_S: Final = (-0.10, 0.02)
"""What is compared of averaged QRS, from R: its beginning, where preexcitation shows, not its end, which ST moves."""
FORM_SMOOTH_S: Final = 0.016
MAX_FORMS: Final = 6
MOST_FORMS: Final = 32_767
NOISE_UV: Final = 35.0
"""An average with a greater standard error tells nothing of 100 µV."""
LEAD_NOISE_SHARE: Final = 0.3
AUDIBLE: Final = ("muscle", "baseline_wander")
"""Codes of ``ecg_center.contract.findings.LeadQuality`` under which the heart still shows; the average of a lead that
is off would be even and mean nothing."""
TWA_FASTEST_RR_MS: Final = 480.0
TWA_REGULAR: Final = 0.12


@dataclass(eq=False)
class _Known:
    """What is known of one shape: the latest limits, and what shows its T best."""

    onset: list[int] = field(default_factory=list)
    offset: list[int] = field(default_factory=list)
    weights: Float32s | None = None
    summit: int = 0
    summits: list[float] = field(default_factory=list)
    """Seconds after R at a rate of 60/min, of the last hour."""
    elsewhere: int = 0

    def see_t(self, weights: Float32s | None, summit: int, rr_s: float, grid: Grid) -> None:
        """Take a T as it was seen, unless its summit is suddenly elsewhere: then only where it stays there."""
        if weights is None:
            self.weights = None
            return
        at = (summit - grid.before) / grid.hz / np.sqrt(rr_s)
        usual = _middle(self.summits) if self.summits else at
        self.elsewhere = self.elsewhere + 1 if abs(at - usual) > SUMMIT_MOVES_S else 0
        if self.elsewhere >= STAYS:
            self.summits.clear()
            self.elsewhere = 0
        if self.elsewhere and self.weights is not None:
            return
        if not self.elsewhere:
            self.summits[:] = [*self.summits, at][-HISTORY:]
        self.weights, self.summit = weights, summit

    def limits(self, grid: Grid) -> Limits:
        """The usual ones of the last hour, or a guess."""
        half = round(FIRST_ONSET_S * grid.hz)
        if not self.onset:
            return Limits(grid.before + half, grid.before - half, None, 0)
        return Limits(int(_middle(self.onset)), int(_middle(self.offset)), self.weights, self.summit)


def _middle(values: Sequence[float]) -> float:
    """The median of a handful; ``np.median`` would take as long as all that is done with it."""
    ordered, n = sorted(values), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2


@dataclass(eq=False)
class _Forms:
    """The forms of one shape, see :func:`variants`."""

    kept: Float32s
    held: NDArray[np.int64]


@dataclass(eq=False)
class _State:
    """What one block hands to the next."""

    averages: Float32s
    shapes: Float32s
    held: NDArray[np.int64]
    last_shape: NDArray[np.int64]
    known: dict[int, _Known] = field(default_factory=dict)
    known_forms: dict[int, _Forms] = field(default_factory=dict)
    last_form: int = 0

    @classmethod
    def begin(cls, n_leads: int, grid: Grid) -> "_State":
        width = 2 * round(SHAPE_S * grid.hz)
        return cls(
            np.zeros((n_leads, 2, grid.before + grid.after), np.float32),
            np.zeros((MAX_SHAPES, n_leads, width), np.float32),
            np.zeros((MAX_SHAPES, 2), np.int64),
            np.full(1, -1, np.int64),
        )

    def of(self, shape: int) -> _Known:
        """What is known of this shape; what has been forgotten by :func:`align` is forgotten here, too."""
        if len(self.known) > 2 * MAX_SHAPES:
            kept = set(self.held[:, 0].tolist())
            self.known = {number: known for number, known in self.known.items() if number in kept}
            self.known_forms = {number: forms for number, forms in self.known_forms.items() if number in kept}
        return self.known.setdefault(shape, _Known())

    def forms(self, shape: int, average: Average, grid: Grid) -> NDArray[np.int16]:
        """(n_rows,) the number of the form that each averaged beat of a shape has."""
        begin, end = (grid.before + round(edge * grid.hz) for edge in FORM_S)
        if shape not in self.known_forms:
            size = (MAX_FORMS, average.means.shape[1], end - begin)
            self.known_forms[shape] = _Forms(np.zeros(size, np.float32), np.zeros((MAX_FORMS, 2), np.int64))
        forms = self.known_forms[shape]
        window = (begin, end, max(1, round(FORM_SMOOTH_S * grid.hz)))
        error = average.error[0].astype(np.float32)
        found, self.last_form = variants(
            average.means, error, average.sound, window, forms.kept, forms.held, self.last_form
        )
        numbers: NDArray[np.int16] = np.minimum(found, MOST_FORMS).astype(np.int16)
        return numbers


@dataclass(eq=False)
class _Walk:
    """What stays the same from block to block."""

    day: Day
    grid: Grid
    step: int
    beats: Beats
    normal: Bools
    alone: Bools
    noise: list[Spans]
    """Samples in which each lead cannot be read."""


def minutes_of(
    day: Day, beats: Beats, unreadable: Iterable[Stretch] = (), lead_noise: Iterable[Stretch] = ()
) -> Minutes:
    """The rows of a day.

    Args:
        beats: with labels; normal ones are measured.
        unreadable: what is not to be measured.
        lead_noise: the leads that are off or on a rail are not measured either. Where a lead is only noisy, the scatter
            of its own averaged beats tells whether they can be believed: a beat that cannot be found in one lead can be
            averaged in it where another lead has found it.
    """
    grid = Grid.of(day.hz)
    step = round(STEP_S * day.hz)
    n_rows = max(1, -(-day.n_samples // step))
    columns = Columns.empty(len(day.leads), n_rows)
    noise: dict[int, list[Stretch]] = {row: [] for row in range(len(day.leads))}
    for stretch in (*unreadable, *lead_noise):
        for row, lead in enumerate(day.leads):
            if not stretch.leads or lead in stretch.leads:
                noise[row].append(stretch)
    spans = [Spans.of((stretch.start, stretch.stop) for stretch in noise[row]) for row in noise]
    walk = _Walk(day, grid, step, beats, *_usable(beats, day.hz), spans)
    state = _State.begin(len(day.leads), grid)
    for block in day.blocks(BLOCK_S, MARGIN_S):
        _block(walk, block, state, columns)
    _hide(columns, _silent(noise), step)
    return Minutes(
        step_s=step / day.hz,
        start_s=np.arange(n_rows, dtype=np.float64) * (step / day.hz),
        st_j_uv=_whole(columns.st_j),
        st_uv=_whole(columns.st),
        st_slope_uv_s=columns.slope,
        qt_ms=_whole(columns.qt_ms),
        rr_ms=columns.rr_ms,
        t_alternans_uv=columns.twa,
        qrs_uv=_whole(columns.size),
        shape=columns.shape,
    )


def _whole(column: Float32s) -> NDArray[np.int16]:
    there = np.isfinite(column)
    held = np.clip(np.where(there, column, 0.0), -32767, 32767)
    return np.where(there, np.rint(held), NOT_MEASURED).astype(np.int16)


def _usable(beats: Beats, hz: float) -> tuple[Bools, Bools]:
    """(normal beats, those of them with no early ventricular neighbour whose T or base line they share)."""
    normal = beats.label == Label.N
    odd = (beats.label == Label.V) | (beats.label == Label.F)
    apart = np.diff(beats.sample) > APART_S * hz
    normal[:-1] &= apart
    normal[1:] &= apart
    alone = normal.copy()
    alone[1:] &= ~odd[:-1]
    alone[:-1] &= ~odd[1:]
    return normal, alone


def _block(walk: _Walk, block: Block, state: _State, columns: Columns) -> None:
    """Measure the rows of one block."""
    grid, step = walk.grid, walk.step
    first, last = np.searchsorted(walk.beats.sample, [block.first, block.first + block.uv.shape[1]])
    sample, normal, alone = walk.beats.sample[first:last], walk.normal[first:last], walk.alone[first:last]
    inside = (sample >= block.start) & (sample < block.stop)
    if np.count_nonzero(normal & inside) < LEAST_BEATS:
        return
    n_rows = -(-(block.stop - block.start) // step)
    rows = slice(block.start // step, block.start // step + n_rows)
    half = state.shapes.shape[2] // 2
    window = (half, half, grid.factor, round(SEARCH_S * grid.hz))
    readable = _readable(walk, sample)
    at, shape = align(block.uv, sample - block.first, normal & inside, readable, window, state.shapes, state.held)
    row = np.where(shape >= 0, (sample - block.start) // step, -1)
    row, row_shape, clean = _chosen(row, shape, alone, n_rows)
    average = _average(walk, block, state, (at, row, row_shape, shape, normal, int(first % 2)))
    rr_ms, spread, _ = _intervals(sample, row, n_rows, walk.day.hz)
    columns.rr_ms[rows] = rr_ms
    regular = clean & (spread <= TWA_REGULAR * rr_ms) & (rr_ms >= TWA_FASTEST_RR_MS)
    for number in np.unique(row_shape[row_shape >= 0]).tolist():
        limits = state.of(number).limits(grid)
        mine = np.flatnonzero(row_shape == number)
        part = average.rows(mine)
        columns.shape[rows.start + mine] = state.forms(number, part, grid)
        st_columns(part, rr_ms[mine], grid, limits, columns, rows.start + mine)
        columns.qt_ms[rows.start + mine] = np.where(clean[mine], qt_ms(part, grid, limits), np.nan)
        columns.twa[rows.start + mine] = np.where(regular[mine], alternans(part, grid, limits), np.nan)


def _readable(walk: _Walk, sample: NDArray[np.int64]) -> Bools:
    """(n_leads, m) in which leads each beat is compared with its shape: all of them where none can be read."""
    at = sample.astype(np.float64)
    readable: Bools = ~np.stack([spans.inside(at) for spans in walk.noise])
    return readable | ~readable.any(axis=0)


def _chosen(
    row: NDArray[np.int64], shape: NDArray[np.int64], alone: Bools, n_rows: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], Bools]:
    """(row into which each beat is averaged or -1, the commonest shape of each row or -1, rows of lone beats only).

    In bigeminy no normal beat stands alone: there ST is measured all the same, QT is not.
    """
    row_shape = np.full(n_rows, -1)
    most = np.full(n_rows, LEAST_BEATS - 1)
    clean = np.zeros(n_rows, bool)
    looked = row >= 0
    for number in np.unique(shape[looked]).tolist():
        mine = looked & (shape == number)
        counts = np.bincount(row[mine], minlength=n_rows)
        more = counts > most
        row_shape[more], most[more] = number, counts[more]
        clean[more] = np.bincount(row[mine & alone], minlength=n_rows)[more] >= LEAST_BEATS
    place = np.maximum(row, 0)
    use = looked & (shape == row_shape[place]) & (alone | ~clean[place])
    return np.where(use, row, -1), row_shape, clean


def _average(
    walk: _Walk, block: Block, state: _State,
    beats: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Bools, int],
) -> Average:  # fmt: skip
    """The averages of the rows of a block; limits of the shapes in it are found on the way."""
    at, row, row_shape, shape, normal, parity = beats
    grid = walk.grid
    numbers = np.unique(row_shape[row_shape >= 0]).tolist()
    rr_ms, _, next_ms = _intervals(at, row, len(row_shape), walk.day.hz)
    own_end = grid.own_end(np.nan_to_num(rr_ms, nan=1000.0) / 1000, next_ms / 1000)
    begin, middle, end = (grid.before + round(edge * grid.hz) for edge in PARTS_S)
    guessed = any(not state.of(number).onset for number in numbers)
    for again in (True, False) if guessed else (False,):  # the very first limits are a guess
        onset = np.full(len(at), round(FIRST_ONSET_S * grid.hz))
        for number in numbers:
            onset[shape == number] = state.of(number).limits(grid).onset - grid.before
        level = tuple((onset + round(edge * grid.hz)) * grid.factor for edge in LEVEL_S)
        averages, last_shape = state.averages.copy(), state.last_shape.copy()
        found = average_rows(
            block.uv, at, row, normal, row_shape, (grid.before, grid.after, grid.factor), (level[0], level[1]),
            LONGEST_RR_S * walk.day.hz, parity, averages, last_shape,
            (begin, middle, end),
        )  # fmt: skip
        average = Average(*found, own_end, NOISE_UV)
        for number in numbers:
            mine = row_shape == number
            _learn(average.rows(np.flatnonzero(mine)), rr_ms[mine], grid, state.of(number), anew=again)
    state.averages, state.last_shape = averages, last_shape
    return average


def _learn(average: Average, rr_ms: Float32s, grid: Grid, known: _Known, *, anew: bool) -> None:
    """Find QRS and T on the average of all rows of one shape, and remember them."""
    good = average.sound
    leads = np.flatnonzero(good.sum(axis=0) >= max(1, good.any(axis=1).sum() // 2))
    if not leads.size or (known.onset and good.any(axis=1).sum() < LEAST_ROWS):
        return
    weight = np.where(good, average.counts, 0)[:, :, None].astype(np.float32)
    total = np.maximum(weight.sum(axis=0), 1)
    usual = (average.means * weight).sum(axis=0) / total
    noise = np.sqrt((np.where(good, average.scatter[0], 0) ** 2).sum(axis=0) / np.maximum(good.sum(axis=0), 1))
    rr_s = float(np.median(rr_ms[np.isfinite(rr_ms)])) / 1000
    usual = usual[:, : int(quantile(average.own_end.astype(np.float64), OWN_QUANTILE))]
    beat = MedianBeat(usual.astype(float), grid.before, int(total.max()), noise / np.sqrt(total[:, 0]))
    limits = delineate(beat, leads.tolist(), grid.hz, rr_s, with_p=False)
    if limits is None:
        return
    if not anew:
        known.onset[:] = [*known.onset, limits.qrs_on][-HISTORY:]
        known.offset[:] = [*known.offset, limits.qrs_off][-HISTORY:]
    else:
        known.onset[:], known.offset[:] = [limits.qrs_on], [limits.qrs_off]
    known.see_t(None if limits.t_peak is None else grid.t_weights(usual, leads, limits), limits.t_peak or 0, rr_s, grid)


def _intervals(
    sample: NDArray[np.int64], row: NDArray[np.int64], n_rows: int, hz: float
) -> tuple[Float32s, Float32s, Float32s]:
    """(n_rows,) mean and standard deviation of the intervals before, and the shortest after, the averaged beats, ms."""
    rr = np.diff(sample, prepend=sample[:1]) * (1000.0 / hz)
    good = (row >= 0) & (rr > 0) & (rr < 3000.0)
    count = np.bincount(row[good], minlength=n_rows)
    several = np.maximum(count, 1)
    mean = np.bincount(row[good], rr[good], n_rows) / several
    power = np.bincount(row[good], rr[good] ** 2, n_rows) / several
    spread = np.sqrt(np.maximum(power - mean**2, 0.0))
    mean[count == 0] = np.nan
    shortest = np.full(n_rows, 3000.0)
    before_next = np.flatnonzero(row[:-1] >= 0)
    np.minimum.at(shortest, row[before_next], rr[before_next + 1])
    return mean.astype(np.float32), spread.astype(np.float32), shortest.astype(np.float32)


def _silent(noise: dict[int, list[Stretch]]) -> dict[int, list[Stretch]]:
    """The stretches in which an average says nothing even if its beats agree."""
    return {
        lead: [stretch for stretch in stretches if not (stretch.leads and stretch.reason in AUDIBLE)]
        for lead, stretches in noise.items()
    }


def _hide(columns: Columns, noise: dict[int, list[Stretch]], step: int) -> None:
    """Take out what lies in a stretch that cannot be read."""
    n = columns.st.shape[1]
    hidden = np.zeros((len(noise), n))
    for lead, stretches in noise.items():
        for stretch in stretches:
            first, last = stretch.start // step, min(n - 1, max(0, stretch.stop - 1) // step)
            for place in {first, last}:
                part = min(stretch.stop, (place + 1) * step) - max(stretch.start, place * step)
                hidden[lead, min(place, n - 1)] += part / step
            hidden[lead, first + 1 : last] = 1.0
    gone = hidden > LEAD_NOISE_SHARE
    for column in (columns.st_j, columns.st, columns.slope, columns.size):
        column[gone] = np.nan
    every = gone.all(axis=0)
    for single in (columns.qt_ms, columns.rr_ms, columns.twa):
        single[every] = np.nan
