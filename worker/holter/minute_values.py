"""What do the averaged beats of ten seconds say of ST, QT and T-wave alternans?

ST is taken at J + 80 ms, earlier at fast rates as in the long-term ST database (Jager and others,
doi:10.1007/BF02344885). QT ends by the tangent on the combination of leads that shows T best, on thirty seconds. T-wave
alternans is the modified moving average of Nearing and Verrier (doi:10.1152/japplphysiol.00592.2001); it counts only
where it stands out from what the scatter of the beats makes by itself.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.beat_rows import levels, running_means, sizes, t_ends
from worker.signal import delineate
from worker.signal.beats import NEXT_BEAT_S, QT_SHARE

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]

MAX_HZ: Final = 300.0
"""Above it neighbouring samples are averaged: ST and QT need no more."""
BEFORE_S: Final = 0.30
AFTER_S: Final = 0.66
LEAST_BEATS: Final = 3

ST_AFTER_J_MS: Final = ((100.0, 80.0), (110.0, 72.0), (120.0, 64.0), (np.inf, 60.0))
"""Up to this rate, this long after J (Jager 2003, 2.1)."""
ST_HALF_S: Final = 0.008
SLOPE_FROM_S: Final = 0.02
SIZE_AFTER_R_S: Final = 0.02
"""What is later may be ST already where the end of QRS is hard to see."""

T_FROM_S: Final = 0.06
T_REACH_S: Final = 0.09
T_SMOOTH_S: Final = 0.024
T_MIN_UV: Final = 40.0
T_NOISE_TIMES: Final = 6.0
OWN_TIMES: Final = 1.15
OWN_LEAST_S: Final = 0.25
VIEW_SHARE: Final = 0.5
"""Of the power of the combination of leads, that must be readable."""

TWA_NOISE_TIMES: Final = 4.0
TWA_SCATTER: Final = float(np.sqrt(2 / 15))
"""An exponential average with an eighth has the noise of 15 beats; the difference of two has twice its power."""
TWA_ECHO: Final = 0.5
"""So much of the alternation the next ten seconds must show anew: 1 is all of it, noise shows none."""
TWA_REST_S: Final = 0.04
TWA_REST: Final = 0.4
"""What alternates after T, too, is the base line: breathing at half the heart's rate."""
TWA_SMOOTH_S: Final = 0.02
TWA_AFTER_SUMMIT_S: Final = 0.14
TWA_MOST_SCATTER_UV: Final = 80.0


@dataclass(frozen=True, slots=True)
class Grid:
    """Sizes of the averaged beat in its own samples, of which each is ``factor`` of the recording."""

    hz: float
    factor: int
    before: int
    after: int

    @classmethod
    def of(cls, hz: float) -> "Grid":
        """For this sampling rate.

        >>> Grid.of(500.0)
        Grid(hz=250.0, factor=2, before=75, after=165)
        """
        factor = max(1, round(hz / MAX_HZ))
        return cls(hz / factor, factor, round(BEFORE_S * hz / factor), round(AFTER_S * hz / factor))

    def own_end(self, rr_s: Floats, next_s: Floats) -> NDArray[np.int64]:
        """(n_rows,) the sample at which a beat's own part ends and the next beat's P may begin.

        The rule of the resting engine's median beat (:func:`worker.signal.beats.median_beat`).

        Args:
            rr_s: the mean interval.
            next_s: the shortest one to what follows, which in bigeminy is nearer than the rate says.
        """
        usual_s = np.maximum(QT_SHARE * OWN_TIMES * np.sqrt(rr_s), rr_s - 0.35)
        after_s = np.maximum(np.minimum(usual_s, next_s - NEXT_BEAT_S), OWN_LEAST_S)
        after = np.rint(after_s * self.hz).astype(np.int64)
        own_end: NDArray[np.int64] = self.before + np.minimum(after, self.after)
        return own_end

    def t_weights(self, usual: Float32s, leads: Rows, limits: delineate.Limits) -> Float32s:
        """(n_leads,) the combination with the most of T, upwards at its summit."""
        assert limits.t_peak is not None
        start = limits.qrs_off + round(T_FROM_S * self.hz)
        stop = min(usual.shape[1], 2 * limits.t_peak - start)
        part = usual[leads, start : max(stop, start + 3)].astype(float)
        values, vectors = np.linalg.eigh(part @ part.T)
        chosen = vectors[:, int(np.argmax(values))]
        weights = np.zeros(len(usual), np.float32)
        weights[leads] = chosen if chosen @ usual[leads, limits.t_peak] >= 0 else -chosen
        return weights


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one shape, in samples of the averaged beat."""

    onset: int
    j: int
    weights: Float32s | None
    """(n_leads,) the combination of leads that shows T best; None where none does."""
    summit: int


@dataclass(frozen=True, eq=False)
class Average:
    """Averaged beats, a row each.

    Attributes:
        means: (n_rows, n_leads, width) µV.
        scatter: (3, n_rows, n_leads) µV of one beat around its average from P to ST, and in T; and how much of the
            alternation of T the beats of the row repeat by themselves.
        counts: (n_rows, n_leads) beats.
        alternating: (n_rows, n_leads, width) odd less even moving average.
        own_end: (n_rows,) the sample of ``means`` at which the next beat may begin.
        noise_uv: the greatest standard error that is borne.
    """

    means: Float32s
    scatter: Float32s
    counts: NDArray[np.int64]
    alternating: Float32s
    own_end: NDArray[np.int64]
    noise_uv: float

    def rows(self, mine: Rows) -> "Average":
        """Some of the rows."""
        if len(mine) == len(self.means):
            return self
        return Average(
            self.means[mine],
            self.scatter[:, mine],
            self.counts[mine],
            self.alternating[mine],
            self.own_end[mine],
            self.noise_uv,
        )

    @cached_property
    def error(self) -> Floats:
        """(2, n_rows, n_leads) standard error, µV."""
        error: Floats = self.scatter[:2] / np.sqrt(np.maximum(self.counts, 1))
        return error

    @cached_property
    def sound(self) -> Bools:
        """(n_rows, n_leads) which can be believed."""
        sound: Bools = (self.counts >= LEAST_BEATS) & (self.error[0] <= self.noise_uv)
        return sound


@dataclass(eq=False)
class Columns:
    """The rows of the day, filled block by block; nan where nothing was measured."""

    st_j: Float32s
    st: Float32s
    slope: Float32s
    size: Float32s
    qt_ms: Float32s
    rr_ms: Float32s
    twa: Float32s
    shape: NDArray[np.int16]

    @classmethod
    def empty(cls, n_leads: int, n: int) -> "Columns":
        """For so many rows."""

        def blank(*shape: int) -> Float32s:
            return np.full(shape, np.nan, np.float32)

        leads = (n_leads, n)
        return cls(
            st_j=blank(*leads), st=blank(*leads), slope=blank(*leads), size=blank(*leads),
            qt_ms=blank(n), rr_ms=blank(n), twa=blank(n), shape=np.full(n, -1, np.int16),
        )  # fmt: skip


def st_columns(average: Average, rr_ms: Float32s, grid: Grid, limits: Limits, columns: Columns, rows: Rows) -> None:
    """ST at J and after it, its slope, and the size of QRS, into these rows."""
    means, j = average.means, limits.j
    bpm = 60_000 / np.where(np.isfinite(rr_ms) & (rr_ms > 0), rr_ms, 1000.0)
    rates, delays = (np.array(column) for column in zip(*ST_AFTER_J_MS, strict=True))
    delay = delays[np.searchsorted(rates, bpm)] / 1000
    half = max(1, round(ST_HALF_S * grid.hz))
    first = max(0, j - half)
    last = min(means.shape[2], j + round(delays.max() / 1000 * grid.hz) + half + 1)

    def level(at: NDArray[np.int64]) -> Floats:
        return levels(means, at - half, at + half + 1, first, last)

    st = level(j + np.rint(delay * grid.hz).astype(np.int64))
    early = level(np.full(len(means), j + round(SLOPE_FROM_S * grid.hz)))
    size = sizes(means, limits.onset, max(j, limits.onset + 1), max(1, round(SIZE_AFTER_R_S * grid.hz)))
    sound = average.sound
    for column, values in (
        (columns.st_j, level(np.full(len(means), j))),
        (columns.st, st),
        (columns.slope, (st - early) / (delay - SLOPE_FROM_S)[:, None]),
        (columns.size, size),
    ):
        column[:, rows] = np.where(sound, values, np.nan).T


def _smooth(views: Float32s, width: int) -> Float32s:
    """Running mean over ``width`` samples of the last axis, the ends repeated."""
    if width < 2:
        return views
    flat = np.ascontiguousarray(views).reshape(-1, views.shape[-1])
    return running_means(flat, width).reshape(views.shape)


def _with_neighbours(rows: Float32s) -> Float32s:
    """Each row with the one before and the one after it, summed."""
    total = rows.copy()
    total[1:] += rows[:-1]
    total[:-1] += rows[1:]
    return total


def qt_ms(average: Average, grid: Grid, limits: Limits) -> Floats:
    """(n_rows,) QT, each on the average of three rows; nan where T does not stand out."""
    missing = np.full(len(average.means), np.nan)
    if limits.weights is None:
        return missing
    weights = np.where(average.sound, limits.weights, 0.0).astype(np.float32)
    share = np.maximum((weights**2).sum(axis=1), 1e-6)
    views = np.einsum("rl,rlw->rw", weights, average.means) / np.sqrt(share)[:, None]
    noise = np.sqrt((weights**2 * average.error[1] ** 2).sum(axis=1) / share)
    good = share >= VIEW_SHARE
    count = np.maximum(_with_neighbours(good.astype(np.float32)[:, None]), 1)
    views = _with_neighbours(views * good[:, None]) / count
    reach = round(T_REACH_S * grid.hz)
    start = np.full(len(views), max(limits.j + round(T_FROM_S * grid.hz), limits.summit - reach))
    stop = np.maximum(np.minimum(limits.summit + reach, average.own_end), start + 1)
    smooth = _smooth(views.astype(np.float32), round(T_SMOOTH_S * grid.hz))
    ends = t_ends(smooth, start, stop, average.own_end, delineate.T_BEYOND_TANGENT, T_MIN_UV)
    clear = good & (views[:, limits.summit] >= T_NOISE_TIMES * noise / np.sqrt(count[:, 0]))
    return np.where(clear & np.isfinite(ends), (ends - limits.onset) * 1000 / grid.hz, missing)


def alternans(average: Average, grid: Grid, limits: Limits) -> Floats:
    """(n_rows,) the greatest difference of the two averages between J and the end of T, of the lead that shows most."""
    own_end = int(average.own_end.min(initial=average.means.shape[2]))
    first = limits.j + round(T_FROM_S * grid.hz)
    last = min(own_end, max(limits.summit, limits.j) + round(TWA_AFTER_SUMMIT_S * grid.hz))
    if last <= first:
        return np.full(len(average.means), np.nan)
    whole = _smooth(average.alternating[:, :, first:own_end], round(TWA_SMOOTH_S * grid.hz))
    greatest = np.abs(whole[:, :, : last - first]).max(axis=2)
    rest = np.abs(whole[:, :, -max(1, round(TWA_REST_S * grid.hz)) :].mean(axis=2))
    quiet = average.sound & (average.scatter[1] <= TWA_MOST_SCATTER_UV)
    echoed, ends = average.scatter[2] >= TWA_ECHO, rest <= TWA_REST * greatest
    believed = quiet & echoed & ends & (greatest >= TWA_NOISE_TIMES * TWA_SCATTER * average.scatter[1])
    value = np.where(believed, greatest, 0.0).max(axis=1)
    return np.where(quiet.any(axis=1), value, np.nan)
