"""When did the ST segment leave its usual level, in which lead, by how much?

The rule of the long-term ST database (Jager and others, Med Biol Eng Comput 2003;41:172-82, doi:10.1007/BF02344885):
the level is judged against the patient's own, which drifts slowly; an episode begins where it has moved by 50 µV,
counts where it stays beyond 100 µV, and ends where it is back within 50 µV. The usual clinical rule 1 × 1 × 1 (1 mm,
1 min, 1 min apart) is the default of the lengths. A turn of the body moves the level in one step together with the QRS:
such a step moves the reference, too, and is no episode.

What differs: the reference is found from both sides in time, by running medians from which the episodes found so far
are left out; in a recording of less than two hours the level of its first minutes is where it starts from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.holter import Event, StTrend
from worker.holter.measured import NOT_MEASURED, Measured, Minutes
from worker.holter.readable import Floats
from worker.holter.rows import as_floats, binned_median, filled_short, running_median, runs_of, trend_width


@dataclass(frozen=True, slots=True)
class StRule:
    """What is called an episode; a centre may set its own."""

    level_uv: float = 100.0
    edge_uv: float = 50.0
    """Where an episode begins and ends."""
    beyond_s: float = 30.0
    """How long the level stays beyond ``level_uv`` without a break."""
    lasts_s: float = 60.0
    apart_s: float = 60.0
    """Episodes closer together than this are one."""


SMOOTH_S: Final = 30.0
SMOOTH_SHARE: Final = 0.6
"""Of the rows around one, that must be there."""
GAP_S: Final = 120.0
"""A noisy stretch of at most this length neither ends nor begins an episode."""
TREND_S: Final = 60.0
MAX_EPISODES: Final = 2000

SHORT_S: Final = 2 * 3600.0
"""Below this length the first minutes are the reference to start from."""
FIRST_S: Final = 120.0
REACH_S: Final = 2 * 3600.0
"""The reference is the median of this long before and after: twice the longest episode that is to be seen."""
NEAR_S: Final = 900.0
"""The same once episodes are left out."""
BIN_S: Final = 300.0
NEAR_BIN_S: Final = 60.0
LEAST_BINS: Final = 5
ROUNDS: Final = 3
DILATE_S: Final = 60.0

NEAREST_JUMPS: Final = 9
LEAST_JUMP_UV: Final = 100.0
JUMP_NOISE_TIMES: Final = 2.0
"""A smaller step is chance, or a turn; added up over many changes it would lead the level astray."""
FEW_JUMPS: Final = 3
FEW_JUMP_UV: Final = 200.0
"""What was seen less often than so must be larger: a single change may fall together with an episode by chance.
The three limits are those at which most is right on MIT-BIH DS1 (``python -m bench.accuracy st``)."""
LEAST_ROWS: Final = 6
EDGE_ROWS: Final = 3
"""So many rows on either side tell what a change of shape does to ST."""

STEP_LOOK_S: Final = (20.0, 110.0)
"""From where to where before and after a row its neighbours are compared."""
STEP_QRS_SHARE: Final = 0.25
STEP_QRS_UV: Final = 150.0
STEP_ST_UV: Final = 40.0
STEP_AT_ONCE: Final = 0.7
STEP_NOISE_TIMES: Final = 5.0
"""Jager's axis shifts: QRS and ST move together within seconds and then stay."""

UPPER_FROM: Final = 1 / 3
STANDS_OUT: Final = 0.7
STANDS_OUT_ERRORS: Final = 2.0
MEDIAN_ERROR: Final = 1.25
"""The upper two thirds of an episode stand out by this share of the level that is asked for, less twice the standard
error of a median of so many rows (1.25 of a mean's): a few noisy rows are none. Both limits are those at which, with
electrode motion in six draws of MIT-BIH DS1, as much is missed as is called in vain."""


def st_trends(measured: Measured) -> list[StTrend]:
    """The level and slope of each lead, a value a minute; fewer where the recording is long."""
    minutes = measured.minutes
    if not measured.calibrated:
        return []
    width = trend_width(len(minutes.start_s), minutes.step_s, TREND_S)
    levels = binned_median(as_floats(minutes.st_uv), width)
    slopes = binned_median(minutes.st_slope_uv_s.astype(float), width)
    times = minutes.start_s[::width]
    trends = []
    for lead, level, slope in zip(measured.leads, levels, slopes, strict=True):
        there = np.isfinite(level[: len(times)])
        if there.any():
            trends.append(
                StTrend(
                    lead=lead,
                    times_s=times[there].tolist(),
                    level_mv=np.round(level[: len(times)][there] / 1000, 3).tolist(),
                    slope_mv_s=np.round(np.nan_to_num(slope[: len(times)][there]) / 1000, 2).tolist(),
                )
            )
    return trends


def st_episodes(measured: Measured, rule: StRule | None = None) -> list[Event]:
    """The episodes of every lead, in order of time.

    ``value`` is the greatest deviation from the reference in mV, with its sign.
    """
    rule = rule or StRule()
    minutes = measured.minutes
    if not measured.calibrated or not len(minutes.start_s):
        return []
    deviations = deviations_of(minutes, rule)
    found: list[Event] = []
    for lead, deviation, level in zip(measured.leads, deviations, as_floats(minutes.st_uv), strict=True):
        found += _episodes(lead, deviation, level, minutes, rule)
    gravest = sorted(found, key=lambda event: abs(event.value or 0.0), reverse=True)[:MAX_EPISODES]
    return sorted(gravest, key=lambda event: (event.start_s, measured.leads.index(event.leads[0])))


def deviations_of(minutes: Minutes, rule: StRule) -> Floats:
    """(n_leads, n) how far ST is from the patient's own level, µV, as if QRS had had one shape all day."""
    levels = as_floats(minutes.st_uv)
    width = max(1, round(SMOOTH_S / minutes.step_s))
    shape = minutes.shape if minutes.shape.size else np.zeros(levels.shape[1], np.int16)
    for lead, level in enumerate(levels):
        if np.isfinite(level).sum() < LEAST_ROWS:
            levels[lead] = np.nan
            continue
        for number, offset in offsets_of(level, np.where(np.isfinite(level), shape, -1)).items():
            level[shape == number] -= offset
        level[shape < 0] = np.nan
        smooth = running_median(level, width, max(1, round(SMOOTH_SHARE * width)))
        smooth -= axis_shifts(minutes, smooth, lead)
        levels[lead] = smooth - reference(smooth, minutes.step_s, rule) if np.isfinite(smooth).any() else np.nan
    return levels


def offsets_of(level: Floats, shape: NDArray[np.int16]) -> dict[int, float]:
    """Shape → how much higher ST stands in it than in the commonest shape.

    Where QRS changes from one row to the next, what ST does in that moment is QRS's doing; the more often two shapes
    followed one another, and the shorter the time between, the surer it is.

    >>> level = np.repeat([10.0, 290.0, 30.0], 6)
    >>> offsets_of(level, np.repeat([4, 7, 4], 6).astype(np.int16))
    {4: 0.0, 7: 270.0}
    """
    runs = [(int(shape[first]), first, last) for first, last in _equal_runs(shape) if shape[first] >= 0]
    rows: dict[int, int] = {}
    for number, first, last in runs:
        rows[number] = rows.get(number, 0) + last - first
    jumps: dict[tuple[int, int], list[tuple[int, float]]] = {}
    for ((one, _, end), (other, first, _)), jump in zip(pairwise(runs), _steps_between(level, runs), strict=True):
        if one != other:
            jumps.setdefault((min(one, other), max(one, other)), []).append(
                (first - end, jump if one < other else -jump)
            )
    noise = JUMP_NOISE_TIMES * _row_noise(level)
    found = {max(rows, key=lambda number: (rows[number], -number)): 0.0} if rows else {}
    for low, high in _surest_first(list(found), jumps):
        nearest = sorted(jumps[low, high])[:NEAREST_JUMPS]
        ordered = sorted(by for _, by in nearest)
        jump = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
        least = max(noise, FEW_JUMP_UV if len(nearest) < FEW_JUMPS else LEAST_JUMP_UV)
        jump = jump if abs(jump) >= least else 0.0
        if low in found:
            found[high] = found[low] + jump
        else:
            found[low] = found[high] - jump
    return found


def _surest_first(
    reached: list[int], jumps: dict[tuple[int, int], list[tuple[int, float]]]
) -> Iterator[tuple[int, int]]:
    """The pairs by which one shape after the other is reached from the first, always the surest that there is.

    Prim's tree with a queue: two weeks have thousands of shapes, and to look through all pairs each time took longer
    than all else.
    """
    beside: dict[int, list[tuple[float, int, int]]] = {}
    for (low, high), seen in jumps.items():
        sure = sum(1 / (1 + gap) for gap, _ in seen)
        for number in (low, high):
            beside.setdefault(number, []).append((-sure, -low, -high))  # of equally sure ones the last is first
    queue: list[tuple[float, int, int]] = []
    known: set[int] = set()
    new = reached
    while new:
        known.update(new)
        for entry in (each for number in new for each in beside.get(number, [])):
            heappush(queue, entry)
        new = []
        while queue and not new:
            _, low, high = heappop(queue)
            new = [number for number in (-low, -high) if number not in known]
            if new:
                yield -low, -high


def _steps_between(level: Floats, runs: list[tuple[int, int, int]]) -> list[float]:
    """The median of the first rows of each run less that of the last rows of the run before it.

    >>> _steps_between(np.array([1.0, 2, 4, 5, 9, 8, 30]), [(0, 0, 2), (1, 2, 6), (0, 6, 7)])
    [3.5, 22.0]
    """
    _, first, last = np.array(runs, np.int64).reshape(-1, 3).T
    there = np.minimum(last - first, EDGE_ROWS)
    begins, ends = (
        np.sort(
            np.where(np.arange(EDGE_ROWS)[:, None] < there, level[np.clip(rows, 0, len(level) - 1)], np.inf), axis=0
        )
        for rows in (first + np.arange(EDGE_ROWS)[:, None], last - 1 - np.arange(EDGE_ROWS)[:, None])
    )
    every = np.arange(len(runs))
    low, high = (there - 1) // 2, there // 2
    begin, end = ((edge[low, every] + edge[high, every]) / 2 for edge in (begins, ends))
    steps: list[float] = (begin[1:] - end[:-1]).tolist()
    return steps


def _row_noise(level: Floats) -> float:
    """How much a row differs from its neighbours by chance, µV (1.48 × the median deviation of a difference, / √2)."""
    steps = np.diff(level[np.isfinite(level)])
    return 1.48 / np.sqrt(2) * float(np.median(np.abs(steps))) if steps.size else 0.0


def _equal_runs(values: NDArray[np.int16]) -> list[tuple[int, int]]:
    """(first, one past the last) of each stretch of equal rows."""
    edges = np.flatnonzero(np.diff(values)) + 1
    return list(zip([0, *edges.tolist()], [*edges.tolist(), len(values)], strict=True)) if len(values) else []


def axis_shifts(minutes: Minutes, level: Floats, lead: int) -> Floats:
    """(n,) by how much turns of the body have moved the ST level of a lead up to each row, µV."""
    shifts = np.zeros(len(level))
    if minutes.qrs_uv.shape != minutes.st_uv.shape:
        return shifts
    size = as_floats(minutes.qrs_uv[lead])
    if not np.isfinite(size).any():
        return shifts
    least = max(STEP_QRS_UV, STEP_QRS_SHARE * float(np.nanmedian(size)))
    qrs_step, st_step = sharp_steps(size, minutes.step_s), sharp_steps(level, minutes.step_s)
    for first, last in runs_of((np.abs(qrs_step) >= least) & (np.abs(st_step) >= STEP_ST_UV)):
        at = first + int(np.argmax(np.abs(st_step[first:last])))
        shifts[at:] += st_step[at]
    return shifts


def sharp_steps(values: Floats, step_s: float) -> Floats:
    """(n,) median of the rows behind each row less that of the rows before it, where it is one sharp step; else 0.

    Both sides must be level themselves, and most of the step happen at once: a ramp of minutes is no step.
    """
    near, far = (max(1, round(edge / step_s)) for edge in STEP_LOOK_S)
    width = far - near
    level = running_median(values, width, width // 2)
    spread = running_median(np.abs(values - level), width, width // 2)
    close = running_median(values, max(1, near), 1)
    centre, beside = near + width // 2, 1 + near // 2
    before, after = _shifted(level, centre), _shifted(level, -centre)
    step = np.nan_to_num(after - before)
    at_once = np.nan_to_num(_shifted(close, -beside) - _shifted(close, beside))
    noise = np.fmax(_shifted(spread, centre), _shifted(spread, -centre))
    sharp = (np.abs(at_once) >= STEP_AT_ONCE * np.abs(step)) & (np.sign(at_once) == np.sign(step))
    return np.where(sharp & (np.abs(step) >= STEP_NOISE_TIMES * np.nan_to_num(noise, nan=np.inf)), step, 0.0)


def _shifted(values: Floats, by: int) -> Floats:
    """(n,) the value ``by`` rows earlier; nan where there is none."""
    moved = np.full(len(values), np.nan)
    if 0 < by < len(values):
        moved[by:] = values[:-by]
    elif -len(values) < by < 0:
        moved[:by] = values[-by:]
    return moved


def reference(level: Floats, step_s: float, rule: StRule) -> Floats:
    """(n,) the patient's own level at each row, episodes left out."""
    n = len(level)
    if n * step_s < SHORT_S:
        first = level[np.isfinite(level)][: max(1, round(FIRST_S / step_s))]
        usual = np.full(n, float(np.median(first)))
    else:
        usual = _smooth(level, step_s, BIN_S, REACH_S)
    reach = round(DILATE_S / step_s)
    for _ in range(ROUNDS):
        away = np.abs(level - usual) >= rule.level_uv
        if away.any():
            away = np.convolve(away, np.ones(2 * reach + 1), "same") > 0
        kept = np.where(away, np.nan, level)
        if np.isfinite(kept).sum() < 2:
            break
        usual = _smooth(kept, step_s, NEAR_BIN_S, NEAR_S)
    return usual


def _smooth(level: Floats, step_s: float, bin_s: float, reach_s: float) -> Floats:
    """(n,) running median over ``reach_s`` before and after, by bins; straight across what is missing."""
    width = max(1, round(bin_s / step_s))
    bins = running_median(binned_median(level, width), 2 * round(reach_s / bin_s) + 1, LEAST_BINS)
    if not np.isfinite(bins).any():
        return np.full(len(level), float(np.nanmedian(level)))
    centres = np.arange(len(bins)) * width + (width - 1) / 2
    there = np.isfinite(bins)
    return np.interp(np.arange(len(level)), centres[there], bins[there])


def _episodes(lead: str, deviation: Floats, level: Floats, minutes: Minutes, rule: StRule) -> list[Event]:
    """The episodes of one lead, both directions; ``level`` is what was measured, row by row."""
    step, noise = minutes.step_s, _row_noise(level)
    whole = filled_short(deviation, round(GAP_S / step))
    found: list[Event] = []
    for sign in (1.0, -1.0):
        away = sign * np.nan_to_num(whole)
        for first, last in _joined(_grave(away, step, rule), round(rule.apart_s / step)):
            if (last - first) * step < rule.lasts_s:
                continue
            rows = int(np.isfinite(level[first:last]).sum())
            if not _stands_out(sign * deviation[first:last], noise, rows, rule):
                continue
            peak = first + int(np.argmax(away[first:last]))
            found.append(
                Event(
                    kind="st_elevation" if sign > 0 else "st_depression",
                    start_s=float(minutes.start_s[first]),
                    end_s=float(minutes.start_s[last - 1] + step),
                    rate_bpm=_rate(minutes, peak),
                    leads=[lead],
                    value=round(float(whole[peak]) / 1000, 3),
                    quantity="st_deviation_mv",
                )
            )
    return found


def _stands_out(away: Floats, noise_uv: float, rows: int, rule: StRule) -> bool:
    """Whether an episode is more than the noise of its rows.

    >>> [_stands_out(np.full(9, 120.0), noise_uv, 9, StRule()) for noise_uv in (30.0, 60.0)]
    [True, False]
    """
    ordered = np.sort(away[np.isfinite(away)])
    upper = ordered[int(UPPER_FROM * len(ordered)) :]
    error = MEDIAN_ERROR * noise_uv / np.sqrt(max(1.0, (1 - UPPER_FROM) * rows))
    return bool(upper.size and upper.mean() - STANDS_OUT_ERRORS * error >= STANDS_OUT * rule.level_uv)


def _grave(away: NDArray[np.float64], step_s: float, rule: StRule) -> list[tuple[int, int]]:
    """The stretches beyond the edge that stay beyond the level for long enough."""
    least = max(1, round(rule.beyond_s / step_s))
    return [
        (first, last)
        for first, last in runs_of(away >= rule.edge_uv)
        if any(b - a >= least for a, b in runs_of(away[first:last] >= rule.level_uv))
    ]


def _joined(stretches: list[tuple[int, int]], apart: int) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in stretches:
        if joined and first - joined[-1][1] < apart:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined


def _rate(minutes: Minutes, row: int) -> float | None:
    rr = float(minutes.rr_ms[row])
    return round(60_000 / rr, 1) if np.isfinite(rr) and rr > 0 else None


def slope_at(measured: Measured, lead: str, at_s: float) -> float | None:
    """mV/s of ST in this lead at this time; None where it was not measured."""
    minutes, row = measured.minutes, measured.leads.index(lead)
    place = min(int(at_s // minutes.step_s), len(minutes.start_s) - 1)
    if minutes.st_uv[row, place] == NOT_MEASURED:
        return None
    return float(minutes.st_slope_uv_s[row, place]) / 1000
