"""Where is ST, how long is QT and does T alternate, every ten seconds of a day?

The dominant beats of ten seconds are averaged, each less a straight base line through its own PR level and the next;
beats that are unlike the average are left out of it. Where QRS begins and ends is found every ten minutes on all leads
together by the resting engine's rules (:mod:`worker.signal.delineate`) and steadied by the last hour. ST is taken at
J + 80 ms, earlier at fast rates as in the long-term ST database (Jager and others, doi:10.1007/BF02344885). QT ends by
the tangent on the combination of leads that shows T best, on thirty seconds. T-wave alternans is the modified moving
average of Nearing and Verrier (doi:10.1152/japplphysiol.00592.2001); it counts only where it stands out from what the
scatter of the beats makes by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.beat_rows import average_rows, t_ends
from worker.holter.day import Block, Day
from worker.holter.measured import NOT_MEASURED, Beats, Label, Minutes, Stretch
from worker.signal.beats import MedianBeat
from worker.signal.delineate import T_BEYOND_TANGENT, Limits, delineate

Float32s = NDArray[np.float32]
Bools = NDArray[np.bool_]

STEP_S: Final = 10.0
BLOCK_S: Final = 600.0
MARGIN_S: Final = 5.0
MAX_HZ: Final = 300.0
"""Above it neighbouring samples are averaged: ST and QT need no more."""
BEFORE_S: Final = 0.30
AFTER_S: Final = 0.66
LEVEL_S: Final = (-0.028, -0.008)
"""The PR level, from the onset of QRS."""
FIRST_ONSET_S: Final = -0.045
HISTORY: Final = 7
LEAST_BEATS: Final = 3
APART_S: Final = 0.15

ST_AFTER_J_MS: Final = ((100.0, 80.0), (110.0, 72.0), (120.0, 64.0), (np.inf, 60.0))
"""Up to this rate, this long after J (Jager 2003, 2.1)."""
ST_HALF_S: Final = 0.008
SLOPE_FROM_S: Final = 0.02
NOISE_UV: Final = 35.0
"""An average with a greater standard error tells nothing of 100 µV."""
LEAD_NOISE_SHARE: Final = 0.3

T_FROM_S: Final = 0.06
T_REACH_S: Final = 0.09
T_SMOOTH_S: Final = 0.024
T_MIN_UV: Final = 40.0
T_NOISE_TIMES: Final = 6.0
VIEW_SHARE: Final = 0.5

TWA_FASTEST_RR_MS: Final = 480.0
TWA_REGULAR: Final = 0.12
TWA_NOISE_TIMES: Final = 4.0
TWA_SCATTER: Final = float(np.sqrt(2 / 15))
"""An exponential average with an eighth has the noise of 15 beats; the difference of two has twice its power."""
TWA_SMOOTH_S: Final = 0.02
TWA_MOST_SCATTER_UV: Final = 80.0


@dataclass(eq=False)
class _Grid:
    """Sizes in samples of the averaged beat."""

    hz: float
    factor: int
    before: int
    after: int

    @classmethod
    def of(cls, hz: float) -> "_Grid":
        factor = max(1, round(hz / MAX_HZ))
        return cls(hz / factor, factor, round(BEFORE_S * hz / factor), round(AFTER_S * hz / factor))


@dataclass(eq=False)
class _State:
    """What one block hands to the next."""

    averages: Float32s
    onset: list[int] = field(default_factory=list)
    offset: list[int] = field(default_factory=list)
    weights: Float32s | None = None
    """(n_leads,) the combination of leads that shows T best; None where none does."""
    summit: int = 0

    def limits(self, grid: _Grid) -> tuple[int, int]:
        """(onset, end) of QRS in the averaged beat."""
        if not self.onset:
            return grid.before + round(FIRST_ONSET_S * grid.hz), grid.before - round(FIRST_ONSET_S * grid.hz)
        return int(np.median(self.onset[-HISTORY:])), int(np.median(self.offset[-HISTORY:]))


@dataclass(eq=False)
class _Columns:
    """The rows of the day, filled block by block."""

    st_j: Float32s
    st: Float32s
    slope: Float32s
    size: Float32s
    qt_ms: Float32s
    rr_ms: Float32s
    twa: Float32s

    @classmethod
    def empty(cls, n_leads: int, n: int) -> "_Columns":
        def leads() -> Float32s:
            return np.full((n_leads, n), np.nan, np.float32)

        def one() -> Float32s:
            return np.full(n, np.nan, np.float32)

        return cls(leads(), leads(), leads(), leads(), one(), one(), one())


def minutes_of(
    day: Day, beats: Beats, unreadable: Iterable[Stretch] = (), lead_noise: Iterable[Stretch] = ()
) -> Minutes:
    """The rows of a day.

    Args:
        beats: with labels and shapes; the most frequent shape of the normal beats of ten minutes is averaged.
        unreadable, lead_noise: what is not to be measured.
    """
    grid = _Grid.of(day.hz)
    step = round(STEP_S * day.hz)
    n_rows = max(1, -(-day.n_samples // step))
    columns = _Columns.empty(len(day.leads), n_rows)
    usual, alone = _usable(beats, day.hz)
    state = _State(np.zeros((len(day.leads), 2, grid.before + grid.after), np.float32))
    for block in day.blocks(BLOCK_S, MARGIN_S):
        _block(day, block, beats, (usual, alone), grid, state, columns, step)
    _hide(columns, unreadable, lead_noise, day.leads, step)
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
    )


def _whole(column: Float32s) -> NDArray[np.int16]:
    there = np.isfinite(column)
    held = np.clip(np.where(there, column, 0.0), -32767, 32767)
    return np.where(there, np.rint(held), NOT_MEASURED).astype(np.int16)


def _usable(beats: Beats, hz: float) -> tuple[Bools, Bools]:
    """(normal beats, those of them with no early ventricular neighbour whose T or base line they share)."""
    normal = beats.label == Label.N
    odd = (beats.label == Label.V) | (beats.label == Label.F)
    rr = np.diff(beats.sample) > APART_S * hz
    normal[:-1] &= rr
    normal[1:] &= rr
    alone = normal.copy()
    alone[1:] &= ~odd[:-1]
    alone[:-1] &= ~odd[1:]
    return normal, alone


def _block(
    day: Day, block: Block, beats: Beats, usable: tuple[Bools, Bools], grid: _Grid, state: _State, columns: _Columns,
    step: int,
) -> None:  # fmt: skip
    """Measure the rows of one block."""
    first, last = np.searchsorted(beats.sample, [block.first, block.first + block.uv.shape[1]])
    sample = beats.sample[first:last]
    inside = (sample >= block.start) & (sample < block.stop)
    n_rows = -(-(block.stop - block.start) // step)
    rows = slice(block.start // step, block.start // step + n_rows)
    row = np.where(inside, (sample - block.start) // step, -1)
    use, clean = _dominant(beats.template[first:last], usable[0][first:last], usable[1][first:last], row, n_rows)
    if np.count_nonzero(use & inside) < LEAST_BEATS:
        return
    for _ in range(2 if not state.onset else 1):  # the very first limits are a guess
        onset, _ = state.limits(grid)
        level = tuple((onset - grid.before + round(edge * grid.hz)) * grid.factor for edge in LEVEL_S)
        kept = state.averages.copy()
        means, scatter, counts, alternating = average_rows(
            block.uv, sample - block.first, use, row, n_rows, (grid.before, grid.after, grid.factor),
            (int(level[0]), int(level[1])), day.hz, int(first % 2), kept,
        )  # fmt: skip
        rr_ms, spread = _intervals(sample, use, row, n_rows, day.hz)
        _limits(means, scatter, counts, rr_ms, grid, state)
    state.averages = kept
    error = scatter / np.sqrt(np.maximum(counts, 1))
    sound = (counts >= LEAST_BEATS) & (error <= NOISE_UV)
    columns.rr_ms[rows] = rr_ms
    _st(means, sound, rr_ms, grid, state, columns, rows)
    columns.qt_ms[rows] = np.where(clean, _qt(means, sound, error, rr_ms, grid, state), np.nan)
    regular = clean & (spread <= TWA_REGULAR * rr_ms) & (rr_ms >= TWA_FASTEST_RR_MS)
    columns.twa[rows] = np.where(regular, _alternans(alternating, sound, scatter, rr_ms, grid, state), np.nan)


def _dominant(
    template: NDArray[np.int32], normal: Bools, alone: Bools, row: NDArray[np.int64], n_rows: int
) -> tuple[Bools, Bools]:
    """(beats to average, rows in which all of them stand alone).

    In bigeminy no normal beat stands alone: there ST is measured all the same, QT is not.
    """
    shapes, counts = np.unique(template[normal], return_counts=True)
    if not shapes.size:
        return normal, np.zeros(n_rows, bool)
    usual = normal & (template == shapes[int(np.argmax(counts))])
    lonely = usual & alone
    clean = np.bincount(row[lonely & (row >= 0)], minlength=n_rows) >= LEAST_BEATS
    in_clean = (row >= 0) & clean[np.maximum(row, 0)]
    return np.where(in_clean, lonely, usual), clean


def _intervals(
    sample: NDArray[np.int64], use: Bools, row: NDArray[np.int64], n_rows: int, hz: float
) -> tuple[Float32s, Float32s]:
    """(n_rows,) mean and standard deviation of the intervals before the beats that are averaged, ms."""
    rr = np.diff(sample, prepend=sample[:1]) * (1000.0 / hz)
    good = use & (row >= 0) & (rr > 0) & (rr < 3000.0)
    count = np.maximum(np.bincount(row[good], minlength=n_rows), 1e-9)
    mean = np.bincount(row[good], rr[good], n_rows) / count
    power = np.bincount(row[good], rr[good] ** 2, n_rows) / count
    mean[count < 1] = np.nan
    return mean.astype(np.float32), np.sqrt(np.maximum(power - mean**2, 0.0)).astype(np.float32)


def _limits(
    means: Float32s, scatter: Float32s, counts: NDArray[np.int64], rr_ms: Float32s, grid: _Grid, state: _State
) -> None:
    """Find QRS and T on the average of the whole block, and remember them."""
    state.weights = None
    good = (counts >= LEAST_BEATS) & (scatter / np.sqrt(np.maximum(counts, 1)) <= NOISE_UV)
    leads = np.flatnonzero(good.sum(axis=0) >= max(1, good.any(axis=1).sum() // 2))
    if not leads.size:
        return
    weight = np.where(good, counts, 0)[:, :, None].astype(np.float32)
    total = np.maximum(weight.sum(axis=0), 1)
    usual = (means * weight).sum(axis=0) / total
    noise = np.array(
        [np.median(scatter[good[:, lead], lead]) if good[:, lead].any() else 1e3 for lead in range(len(usual))]
    )
    median = MedianBeat(usual.astype(float), grid.before, int(counts.max()), noise / np.sqrt(total[:, 0]))
    rr_s = float(np.nanmedian(rr_ms)) / 1000
    limits = delineate(median, leads.tolist(), grid.hz, rr_s)
    if limits is None:
        return
    state.onset.append(limits.qrs_on)
    state.offset.append(limits.qrs_off)
    del state.onset[:-HISTORY], state.offset[:-HISTORY]
    if limits.t_peak is not None:
        state.weights, state.summit = _t_weights(usual, leads, limits, grid), limits.t_peak


def _t_weights(usual: Float32s, leads: NDArray[np.intp], limits: Limits, grid: _Grid) -> Float32s:
    """(n_leads,) the combination with the most of T, upwards at its summit."""
    assert limits.t_peak is not None
    start = limits.qrs_off + round(T_FROM_S * grid.hz)
    stop = min(usual.shape[1], 2 * limits.t_peak - start)
    part = usual[leads, start : max(stop, start + 3)].astype(float)
    values, vectors = np.linalg.eigh(part @ part.T)
    chosen = vectors[:, int(np.argmax(values))]
    weights = np.zeros(len(usual), np.float32)
    weights[leads] = chosen if chosen @ usual[leads, limits.t_peak] >= 0 else -chosen
    return weights


def _st(
    means: Float32s, sound: Bools, rr_ms: Float32s, grid: _Grid, state: _State, columns: _Columns, rows: slice
) -> None:
    """ST at J and after it, its slope, and the size of QRS."""
    onset, j = state.limits(grid)
    sums = np.concatenate([np.zeros((*means.shape[:2], 1)), np.cumsum(means, axis=2, dtype=np.float64)], axis=2)
    half = max(1, round(ST_HALF_S * grid.hz))
    width = means.shape[2]

    def level(at: NDArray[np.int64]) -> NDArray[np.float64]:
        first, last = np.clip(at - half, 0, width - 1), np.clip(at + half + 1, 1, width)
        index = np.arange(len(means))
        mean: NDArray[np.float64] = (sums[index, :, last] - sums[index, :, first]) / (last - first)[:, None]
        return mean

    bpm = 60_000 / np.where(np.isfinite(rr_ms) & (rr_ms > 0), rr_ms, 1000.0)
    rates, delays = (np.array(column) for column in zip(*ST_AFTER_J_MS, strict=True))
    delay = delays[np.searchsorted(rates, bpm)] / 1000
    at = j + np.rint(delay * grid.hz).astype(np.int64)
    early = np.full(len(means), j + round(SLOPE_FROM_S * grid.hz))
    st, begin = level(at), level(early)
    slope = (st - begin) / np.maximum(delay - SLOPE_FROM_S, 0.01)[:, None]
    qrs = means[:, :, onset : max(j, onset + 1)]
    for column, values in (
        (columns.st_j, level(np.full(len(means), j))),
        (columns.st, st),
        (columns.slope, slope),
        (columns.size, qrs.max(axis=2) + qrs.min(axis=2)),
    ):
        column[:, rows] = np.where(sound, values, np.nan).T


def _smooth(views: Float32s, width: int) -> Float32s:
    """Running mean over ``width`` samples of the last axis, the ends repeated."""
    if width < 2:
        return views
    left = width // 2
    padded = np.pad(views, [(0, 0)] * (views.ndim - 1) + [(left + 1, width - 1 - left)], mode="edge")
    sums = np.cumsum(padded, axis=-1, dtype=np.float64)
    return ((sums[..., width:] - sums[..., :-width]) / width).astype(np.float32)


def _with_neighbours(rows: Float32s) -> Float32s:
    """Each row with the one before and the one after it, summed."""
    total = rows.copy()
    total[1:] += rows[:-1]
    total[:-1] += rows[1:]
    return total


def _qt(
    means: Float32s, sound: Bools, error: Float32s, rr_ms: Float32s, grid: _Grid, state: _State
) -> NDArray[np.float64]:
    """(n_rows,) QT, each on the average of three rows; nan where T does not stand out."""
    missing = np.full(len(means), np.nan)
    if state.weights is None:
        return missing
    onset, j = state.limits(grid)
    weights = np.where(sound, state.weights, 0.0).astype(np.float32)
    share = (weights**2).sum(axis=1)
    views = np.einsum("rl,rlw->rw", weights, means) / np.sqrt(np.maximum(share, 1e-6))[:, None]
    noise = np.sqrt((weights**2 * error**2).sum(axis=1) / np.maximum(share, 1e-6))
    good = share >= VIEW_SHARE
    count = np.maximum(_with_neighbours(good.astype(np.float32)[:, None]), 1)
    views = _with_neighbours(views * good[:, None]) / count
    reach, before_next = round(T_REACH_S * grid.hz), round(0.12 * grid.hz)
    rr = np.where(np.isfinite(rr_ms), rr_ms, 1000.0) / 1000 * grid.hz
    start = np.full(len(means), max(j + round(T_FROM_S * grid.hz), state.summit - reach))
    stop = np.minimum(state.summit + reach, grid.before + np.rint(rr).astype(np.int64) - before_next)
    stop = np.clip(stop, start + 1, views.shape[1] - 1)
    ends = t_ends(
        _smooth(views.astype(np.float32), round(T_SMOOTH_S * grid.hz)), start, stop, T_BEYOND_TANGENT, T_MIN_UV
    )
    summit = views[:, state.summit]
    clear = good & (summit >= T_NOISE_TIMES * noise / np.sqrt(count[:, 0]))
    return np.where(clear & np.isfinite(ends), (ends - onset) * 1000 / grid.hz, missing)


def _alternans(
    alternating: Float32s, sound: Bools, scatter: Float32s, rr_ms: Float32s, grid: _Grid, state: _State
) -> NDArray[np.float64]:
    """(n_rows,) the greatest difference of the two averages between J and the end of T, in the lead that shows most."""
    _, j = state.limits(grid)
    stop = min(alternating.shape[2], max(state.summit, j) + round(0.14 * grid.hz))
    part = _smooth(alternating[:, :, j + round(T_FROM_S * grid.hz) : stop], round(TWA_SMOOTH_S * grid.hz))
    if not part.shape[2]:
        return np.full(len(alternating), np.nan)
    greatest = np.abs(part).max(axis=2)
    quiet = sound & (scatter <= TWA_MOST_SCATTER_UV)
    believed = quiet & (greatest >= TWA_NOISE_TIMES * TWA_SCATTER * scatter)
    value = np.where(believed, greatest, 0.0).max(axis=1)
    return np.where(quiet.any(axis=1), value, np.nan)


def _hide(
    columns: _Columns, unreadable: Iterable[Stretch], lead_noise: Iterable[Stretch], leads: tuple[str, ...], step: int
) -> None:
    """Take out what lies in a stretch that cannot be read."""
    n = columns.st.shape[1]
    hidden = np.zeros((len(leads), n), np.float64)
    for stretch in (*unreadable, *lead_noise):
        rows = [row for row, lead in enumerate(leads) if not stretch.leads or lead in stretch.leads]
        first, last = stretch.start // step, min(n - 1, (stretch.stop - 1) // step)
        for place in (first, last) if last > first else (first,):
            if 0 <= place < n:
                part = min(stretch.stop, (place + 1) * step) - max(stretch.start, place * step)
                hidden[rows, place] += part / step
        hidden[rows, first + 1 : last] = 1.0
    gone = hidden > LEAD_NOISE_SHARE
    for column in (columns.st_j, columns.st, columns.slope, columns.size):
        column[gone] = np.nan
    every = gone.all(axis=0)
    for single in (columns.qt_ms, columns.rr_ms, columns.twa):
        single[every] = np.nan
