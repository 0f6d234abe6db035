"""When can which lead be read, and when none?

A lead is off where it does not move or lies on a rail, and noisy where it slopes between the beats nearly as it does in
them. That alone does not make a beat doubtful: the leads may take turns, and a likeness may be seen through noise. So
whether a stretch is readable is asked in two steps (:mod:`worker.holter.noise_weights`). The beats found in it speak
first: how sure they look, how irregular they come, how calm the calmest lead is. Where they leave doubt, the shape of
the signal decides, by the measures of :mod:`worker.signal.fibrillation`: what quivers or races is not noise, and must
not be hidden. A flat line of a connected patient still moves by some microvolts and is no noise either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.day import Block, Day
from worker.holter.detect import Seen
from worker.holter.measured import Stretch
from worker.holter.noise_weights import BEATS, CENTRE, SCALE, SHAPE
from worker.holter.units import WINDOW_S
from worker.signal.compiled import compiled_finite
from worker.signal.fibrillation import measures
from worker.signal.ranks import insert

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Codes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

GOOD: Final = 0
OFF: Final = 1
RAIL: Final = 2
MUSCLE: Final = 3
MOTION: Final = 4
REASONS: Final = ("", "lead_off", "saturated", "muscle", "baseline_wander")
"""Codes of ``ecg_center.contract.findings.LeadQuality``."""

STILL_UV: Final = 4.0
STILL_STEPS: Final = 1.01
"""A lead that keeps within so much, or one step of its converter, for two windows is not on the skin."""
RAIL_UV: Final = 1500.0
RAIL_SHARE: Final = 0.2
SLOPE_NOISE: Final = 0.12
"""Root of the median mean square of the slope between the beats, in units of the QRS: on DS1 the median is 0.02, and
0.13 in electrode motion at 0 dB."""
LOUD: Final = 4.0
"""A slope so many times as steep as the QRS is no beat."""
AROUND: Final = 3
"""Windows on both sides that enter the judgement: ten seconds in all."""
IRREGULAR_MOST: Final = 0.6
BEGINS: Final = 1.0
GOES_ON: Final = 0.0
"""Log odds with which an unreadable stretch begins and goes on."""
SURE: Final = -9.0
"""Where nothing is doubted."""
ODDS_RANGE: Final = (-6.0, 12.0)
DOUBT_RANGE: Final = (-1.0, 4.0)
CALMEST: Final = 0.01
CALM_ENOUGH: Final = 0.05
"""Below this the shape is not looked at: no stretch is so calm and noise."""
SPREAD: Final = 3.0


@dataclass(frozen=True, eq=False)
class Windows:
    """What was seen of the noise in one block.

    Attributes:
        start: (n,) int64 first sample of each window.
        noise: (n_leads, n) float32 slope between the beats in units of the QRS.
        codes: (n_leads, n) what is wrong with a lead, one of the codes above.
        shape: (n,) float32 log odds for noise from the shape of the calmest lead; nan where it was not looked at.
    """

    start: Int64s
    noise: Float32s
    codes: Codes
    shape: Float32s


@dataclass(frozen=True, eq=False)
class Noise:
    """Stretches that cannot be read: of all leads, and of single ones."""

    unreadable: tuple[Stretch, ...]
    leads: tuple[Stretch, ...]

    def with_unrest(self, spans: Int64s) -> "Noise":
        """The same, and (k, 2) samples in which neither beats nor a base line can be seen: no pause is there."""
        more = [Stretch(start, stop, (), REASONS[MOTION]) for start, stop in spans.tolist()]
        return Noise(tuple(sorted((*self.unreadable, *without(more, self.unreadable)), key=_start)), self.leads)


def windows_of(day: Day, block: Block, seen: Seen, rows: Sequence[int]) -> Windows:
    """The windows whose middle lies in the block proper; ``block.uv`` holds the leads ``rows``."""
    count = seen.tops.shape[1]
    start = block.first + seen.window * np.arange(count, dtype=np.int64)
    steps = np.abs(day.recording.uv_per_lsb[list(rows)]).astype(np.float32)
    codes = np.zeros((len(rows), count), np.uint8)
    _absence(block.uv, seen.window, np.maximum(np.float32(STILL_STEPS) * steps, np.float32(STILL_UV)), codes)
    codes[(codes == GOOD) & (seen.tops > LOUD)] = MOTION
    for place, row in enumerate(rows):
        for first, last in day.gaps_of(row).tolist():
            codes[place, (start < last) & (start + seen.window > first)] = OFF
    noise = np.sqrt(seen.floors)
    middle = np.minimum(start + seen.window // 2, day.n_samples - 1)
    inside = (middle >= block.start) & (middle < block.stop)
    calm = _smooth(_calmest(noise, codes)[None])[0]
    doubts = _doubts(calm, start, seen.window, seen.sample, np.clip(seen.odds, *ODDS_RANGE), BEATS)
    reach = AROUND * seen.window  # so near the block's ends, beats of the next one would have a say
    at_end = (start < block.start + reach) | (start + seen.window > block.stop - reach)
    looked_at = np.flatnonzero(inside & (calm > CALM_ENOUGH) & (at_end | (doubts > 0)))
    shape = np.full(count, np.nan, np.float32)
    shape[looked_at] = _shape_odds(seen, noise, looked_at)
    return Windows(start[inside], noise[:, inside], codes[:, inside], shape[inside])


def _shape_odds(seen: Seen, noise: Float32s, windows: NDArray[np.intp]) -> Float32s:
    """(n,) what the shape of the calmest lead, from the window before to the window after, adds to the log odds."""
    if windows.size == 0:
        return np.zeros(0, np.float32)
    width = int(WINDOW_S * seen.hz)
    leads = noise[:, windows].argmin(axis=0)
    first = np.clip((windows - 1) * width, 0, max(0, seen.broad.shape[1] - 3 * width))
    parts = np.stack([seen.broad[lead, at : at + 3 * width] for lead, at in zip(leads, first, strict=True)])
    parts = parts.astype(np.float64)
    found = measures(parts - parts.mean(axis=1, keepdims=True), seen.hz)
    return _weighed(found, slice(0, found.shape[1])).astype(np.float32)


def _weighed(found: Floats, columns: slice) -> Floats:
    """(n,) the part of the second regression that these of its measures make."""
    scaled = np.clip((found - CENTRE[columns]) / SCALE[columns], -SPREAD, SPREAD)
    linear, square = SHAPE[: CENTRE.size][columns], SHAPE[CENTRE.size : 2 * CENTRE.size][columns]
    weighed: Floats = scaled @ linear + scaled**2 @ square
    return weighed


def _calmest(noise: Float32s, codes: Codes) -> Float32s:
    """(n,) the noise of the calmest lead that is there; 0 where none is."""
    absent = (codes == OFF) | (codes == RAIL)
    calmest: Float32s = np.where(absent, np.float32(np.inf), noise).min(axis=0)
    calmest[absent.all(axis=0)] = 0.0
    return calmest


def noise_of(day: Day, rows: Sequence[int], parts: Sequence[Windows], window: int, at: Int64s, odds: Float32s) -> Noise:
    """The stretches of the whole day.

    Args:
        rows: the leads that the parts speak of.
        parts: the windows of all blocks, in order.
        window: length of a window in samples.
        at, odds: the beats and the log odds of their looks.
    """
    if not parts:
        return Noise((), ())
    start = np.concatenate([part.start for part in parts])
    noise = np.concatenate([part.noise for part in parts], axis=1)
    codes = np.concatenate([part.codes for part in parts], axis=1)
    codes[(codes == OFF) & ~_lasting(codes == OFF)] = GOOD
    codes[(codes == GOOD) & (_smooth(noise) > SLOPE_NOISE)] = MUSCLE
    gone = ((codes == OFF) | (codes == RAIL)).all(axis=0)
    calm = _smooth(_calmest(noise, codes)[None])[0]
    doubts = _doubts(calm, start, window, at, np.clip(odds, *ODDS_RANGE), BEATS)
    doubtful = ~gone & _held(_judged(doubts, calm, np.concatenate([part.shape for part in parts])))
    edges = np.concatenate([[0], start[1:], [day.n_samples]])
    worst = codes.max(axis=0)
    worst[doubtful & (worst == GOOD)] = MUSCLE
    unreadable = _stretches(gone | doubtful, worst, edges, ())
    of_leads = [
        stretch
        for place, row in enumerate(rows)
        for stretch in _stretches((codes[place] != GOOD) & ~gone, codes[place], edges, (day.leads[row],))
    ]
    return Noise(tuple(unreadable), tuple(sorted(of_leads, key=lambda stretch: stretch.start)))


def _judged(doubts: Float32s, calm: Float32s, shape: Float32s) -> Floats:
    """(n,) log odds for noise: by the shape where the beats leave doubt."""
    others = np.stack([np.clip(doubts, *DOUBT_RANGE), np.log(np.maximum(calm, CALMEST))], axis=1).astype(np.float64)
    odds = shape + _weighed(others, slice(CENTRE.size - 2, CENTRE.size)) + SHAPE[-1]
    return np.where((doubts > 0) & np.isfinite(shape), odds, SURE)


def _start(stretch: Stretch) -> int:
    return stretch.start


def without(stretches: Iterable[Stretch], others: Iterable[Stretch]) -> tuple[Stretch, ...]:
    """The stretches less the time of others, which are no noise after all.

    >>> [(s.start, s.stop) for s in without([Stretch(0, 100)], [Stretch(20, 30), Stretch(90, 120)])]
    [(0, 20), (30, 90)]
    """
    left: list[Stretch] = []
    taken = sorted((other.start, other.stop) for other in others)
    for stretch in stretches:
        at = stretch.start
        for start, stop in taken:
            if start < stretch.stop and stop > at:
                if start > at:
                    left.append(replace(stretch, start=at, stop=start))
                at = stop
        if at < stretch.stop:
            left.append(replace(stretch, start=at))
    return tuple(left)


def _smooth(rows: Float32s) -> Float32s:
    """The mean of each window and those around it; the ends repeat. Row after row: of two weeks each takes 20 MB."""
    smooth = np.empty_like(rows)
    for row, out in zip(rows, smooth, strict=True):
        total = np.cumsum(np.pad(row.astype(np.float64), (AROUND + 1, AROUND), mode="edge"))
        out[:] = (total[2 * AROUND + 1 :] - total[: -2 * AROUND - 1]) / (2 * AROUND + 1)
    return smooth


def _lasting(wrong: Bools) -> Bools:
    """Those that have a neighbour."""
    padded = np.pad(wrong, ((0, 0), (1, 1)))
    lasting: Bools = wrong & (padded[:, :-2] | padded[:, 2:])
    return lasting


def _held(doubts: Floats) -> Bools:
    """Stretches of log odds that go on and somewhere begin."""
    on = np.pad(doubts > GOES_ON, 1)
    change = np.flatnonzero(np.diff(on.astype(np.int8)))
    held = np.zeros(doubts.size, np.bool_)
    for first, last in zip(change[::2].tolist(), change[1::2].tolist(), strict=True):
        held[first:last] = doubts[first:last].max() > BEGINS
    return held


def _stretches(wrong: Bools, codes: Codes, edges: Int64s, leads: tuple[str, ...]) -> list[Stretch]:
    """One stretch for each run, with the most frequent reason in it."""
    change = np.flatnonzero(np.diff(np.pad(wrong, 1).astype(np.int8)))
    return [
        Stretch(int(edges[first]), int(edges[last]), leads, REASONS[int(np.bincount(codes[first:last]).argmax())])
        for first, last in zip(change[::2].tolist(), change[1::2].tolist(), strict=True)
    ]


@compiled_finite
def _absence(uv: Float32s, window: int, still: Float32s, codes: Codes) -> None:
    """Windows in which a lead does not move or lies on a rail."""
    n_leads, n = uv.shape
    for lead in range(n_leads):
        for j in range(codes.shape[1]):
            part = uv[lead, j * window : min(n, (j + 1) * window)]
            low, high = part[0], part[0]
            for i in range(part.size):
                low = min(low, part[i])
                high = max(high, part[i])
            if high - low <= still[lead]:
                codes[lead, j] = OFF
                continue
            if high < RAIL_UV and low > -RAIL_UV:
                continue
            lows, highs = 0, 0
            for i in range(part.size):
                lows += part[i] == low
                highs += part[i] == high
            if (high > RAIL_UV and highs > RAIL_SHARE * part.size) or (
                low < -RAIL_UV and lows > RAIL_SHARE * part.size
            ):
                codes[lead, j] = RAIL


@compiled_finite
def _doubts(
    calm: Float32s, start: Int64s, window: int, at: Int64s, odds: Float32s, weights: tuple[float, ...]
) -> Float32s:
    """(n,) log odds that the beats around each window are not those of the heart."""
    doubts = np.empty(calm.size, np.float32)
    ordered, first, last = np.empty(256, np.float32), 0, 0
    for j in range(calm.size):
        while first < at.size and at[first] < start[j] - AROUND * window:
            first += 1
        while last < at.size and at[last] < start[j] + (AROUND + 1) * window:
            last += 1
        count = min(last - first, ordered.size)
        if count < 3:
            doubts[j] = 2 * BEGINS if calm[j] > SLOPE_NOISE else -2 * BEGINS  # standstill is quiet
            continue
        mean = np.float32(0.0)
        for k in range(count):
            mean += odds[first + k] / np.float32(count)
            insert(ordered, k, odds[first + k])
        lower = ordered[int(0.2 * (count - 1))]
        noise = np.log(max(float(calm[j]), CALMEST))
        irregular = min(_irregular(at[first : first + count]), IRREGULAR_MOST)
        doubts[j] = (
            weights[0] * noise + weights[1] * mean + weights[2] * lower + weights[3] * irregular
            + weights[4] * noise * mean + weights[5] * mean * mean + weights[6]
        )  # fmt: skip
    return doubts


@compiled_finite
def _irregular(at: Int64s) -> float:
    """The median change from one interval to the next, as a share of the median interval."""
    n = at.size - 1
    if n < 2:
        return 0.0
    intervals, changes = np.empty(n, np.float32), np.empty(n - 1, np.float32)
    for k in range(n):
        insert(intervals, k, float(at[k + 1] - at[k]))
        if k:
            insert(changes, k - 1, float(abs(at[k + 1] - 2 * at[k] + at[k - 1])))
    middle = intervals[n // 2] + intervals[(n - 1) // 2]
    m = n - 1
    return float((changes[m // 2] + changes[(m - 1) // 2]) / max(middle, np.float32(1.0)))
