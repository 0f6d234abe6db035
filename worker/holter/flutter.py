"""When in a day do the atria flutter? Told by an oscillation that keeps its beat between the QRS complexes.

Flutter goes on as a clock at 215 to 365 a minute, whatever the ventricles do. Of twelve seconds of a lead, the QRS
complexes and T waves are left out, and what remains is compared with itself: in flutter it is alike after one, two,
three … periods and unlike after a half, one and a half … of them, for two seconds (a comb over the autocorrelation).
P and U waves are alike after one period at the most, and the waves of coarse fibrillation lose their beat in half a
second: in the 22 records of MIT-BIH DS1 and in CPSC 2021 no stretch is called flutter, and 99 of 100 windows score less
than a third of what is asked for. Simulated flutter of 0.12 mV in noise of 15 µV scores 0.5 to 0.85.

Once a minute is looked at (0.3 s a day of two leads); around what is found, every six seconds. Flutter that conducts
two to one leaves nothing between its QRS and T: it is believed where it follows flutter that was seen, at twice its
period, and by its averaged cycle where its rate is fixed for minutes (:mod:`worker.holter.two_to_one`). In 203 of
MIT-BIH, whose flutter changes its period from wave to wave, none is found. The method is our own; ESC 2019
(doi:10.1093/eurheartj/ehz467) for the rates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.day import Day
from worker.holter.measured import Beats, Label, Stretch
from worker.holter.two_to_one import fixed_flutter
from worker.signal.compiled import compiled

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Int64s = NDArray[np.int64]

SEEN: Final = "flutter"
FIXED: Final = "two_to_one"
"""Why a stretch is flutter: its waves were seen, or only its averaged cycle speaks for it, which a re-entry with a P
behind the QRS may imitate."""
WINDOW_S: Final = 12.0
GRID_S: Final = 60.0
HOP_S: Final = 6.0
LOOK_HZ: Final = 62.5
SMOOTH_S: Final = (0.6, 0.05)
"""What is slower than the first is base line; what is faster than the second makes a sawtooth of a wave."""
BEFORE_S: Final = 0.08
ST_T: Final = (0.28, 0.42, 0.45)
"""Until where after R the T wave is left out: at least, times the root of RR in seconds, at most."""
BROAD_S: Final = 0.5
"""The same after a ventricular beat."""
RR_S: Final = (0.3, 1.2)
SEEN_SHARE: Final = 0.2
"""Of the window that must lie between T and QRS."""
PAIRS_SHARE: Final = 0.06
"""A lag that fewer pairs of samples reach says nothing."""
LAG_S: Final = 2.0
PERIOD_S: Final = (0.165, 0.28)
PERIOD_STEP_S: Final = 0.0025
ASKED_SHARE: Final = 0.75
"""Of the teeth of the comb that must lie on a lag that can be seen."""
PROMISING: Final = 0.3
"""Likeness after one period below which nothing more is asked."""
WORST: Final = 0.15
"""So many teeth may be less alike than what is taken for all."""
ALIKE: Final = 0.45
STILL_ALIKE: Final = 0.28
"""Half the difference between the likeness at the teeth and that between them, which begins flutter, and with which it
goes on at the same period. Of DS1 99 % of all windows stay below 0.15, 99.9 % below 0.43."""
LARGEST: Final = 3.0
"""Times the median size: what is larger is held there."""
LARGE_UV: Final = 20.0
"""The oscillation's root mean square; less is muscle or the recorder."""
SAME_PERIOD: Final = 0.06
STEADY: Final = 0.03
"""Median change of RR, of RR, of a fixed block."""
CONDUCTED: Final = 0.04
WHOLE: Final = 0.15
"""RR of a fixed block is a whole number of periods, so nearly; two to one alone, within 4 %."""
MOST_MISSED: Final = 0.5
"""Share of the beats of two to one that must have been found in a window."""
JOIN_S: Final = 60.0
LEAST_S: Final = 20.0
"""Three windows, each half beside the next."""


@dataclass(frozen=True, slots=True)
class Waves:
    """An oscillation: half the difference between comb and counter-comb, up to 1, and its period."""

    likeness: float
    period_s: float

    @property
    def is_flutter(self) -> bool:
        """Whether it is clear enough."""
        return self.likeness >= ALIKE


NONE: Final = Waves(0.0, 0.0)


def flutter_of(day: Day, beats: Beats) -> tuple[Stretch, ...]:
    """The stretches of a day in which the atria flutter, in order of time; ``reason`` is how that is known."""
    if len(beats) < 2:
        return ()
    seeker = _Seeker(day, beats)
    spans: list[tuple[float, float]] = []
    for at_s in np.arange(0.0, day.n_samples / day.hz - WINDOW_S, GRID_S).tolist():
        if spans and at_s + WINDOW_S <= spans[-1][1]:
            continue
        if (waves := seeker.waves(at_s)).is_flutter:
            spans += seeker.around(at_s, waves.period_s)
    found = _joined([*spans, *fixed_flutter(day, beats)])
    return tuple(
        Stretch(round(a * day.hz), round(b * day.hz), (), SEEN if any(x < b and a < y for x, y in spans) else FIXED)
        for a, b in found
    )


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    joined: list[tuple[float, float]] = []
    for start, stop in sorted(spans):
        if joined and start <= joined[-1][1] + JOIN_S:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return [(start, stop) for start, stop in joined if stop - start >= LEAST_S]


class _Seeker:
    """Looks at windows of a day."""

    def __init__(self, day: Day, beats: Beats) -> None:
        self.day, self.at = day, beats.sample
        self.broad = np.isin(beats.label, (Label.V, Label.F, Label.P))

    def waves(self, at_s: float) -> Waves:
        """The clearest oscillation of the leads in the window that begins here."""
        start, stop = self._samples(at_s)
        first, last = np.searchsorted(self.at, (start, stop)).tolist()
        if start < 0 or stop > self.day.n_samples or last - first < 2:
            return NONE
        at = self.at[first:last] - start
        uv = self.day.block(start, stop, self.day.independent)
        found = waves_between(uv, at, self.broad[first:last], self.day.hz)
        if found.likeness < STILL_ALIKE:
            return NONE
        ratio = _fixed_rr(at) / self.day.hz / found.period_s
        return found if np.isnan(ratio) or abs(ratio - round(ratio)) <= WHOLE else NONE

    def around(self, at_s: float, period_s: float) -> Iterator[tuple[float, float]]:
        """(start, stop) seconds of the flutter about here, half of a window at its ends being left out."""
        edges = []
        for step_s in (-HOP_S, HOP_S):
            reached_s, missed = at_s, 0
            while missed < 2 and 0 <= reached_s + (missed + 1) * step_s <= self.day.n_samples / self.day.hz - WINDOW_S:
                next_s = reached_s + (missed + 1) * step_s
                if self._goes_on(next_s, period_s):
                    reached_s, missed = next_s, 0
                else:
                    missed += 1
            edges.append(reached_s)
        if edges[1] > edges[0]:
            yield edges[0], edges[1] + WINDOW_S

    def _goes_on(self, at_s: float, period_s: float) -> bool:
        waves = self.waves(at_s)
        if waves.likeness >= STILL_ALIKE:
            return abs(waves.period_s / period_s - 1) <= SAME_PERIOD
        start, stop = self._samples(at_s)
        at = self.at[slice(*np.searchsorted(self.at, (start, stop)))]
        if at.size < MOST_MISSED * WINDOW_S / (2 * period_s):
            return False
        return abs(_fixed_rr(at) / self.day.hz / (2 * period_s) - 1) <= CONDUCTED

    def _samples(self, at_s: float) -> tuple[int, int]:
        start = round(at_s * self.day.hz)
        return start, start + round(WINDOW_S * self.day.hz)


def _fixed_rr(at: Int64s) -> float:
    """The usual RR in samples where it hardly changes, else nan."""
    rr = np.diff(at)
    middle = float(np.median(rr))
    return middle if float(np.median(np.abs(rr - middle))) <= STEADY * middle else float("nan")


def waves_between(uv: Float32s, at: Int64s, broad: Bools, hz: float) -> Waves:
    """The clearest oscillation of flutter's period between the QRS complexes of a window.

    Args:
        uv: (n_leads, n) µV.
        at: (n_beats,) samples of the R peaks within it.
        broad: (n_beats,) whether the beat's QRS and T are broad.

    >>> seconds = np.arange(3000) / 250
    >>> waves = (100 * np.sin(2 * np.pi * seconds / 0.25)).astype(np.float32)
    >>> found = waves_between(waves[None], np.arange(100, 3000, 250), np.zeros(12, bool), 250.0)
    >>> found.is_flutter, round(found.period_s, 2)
    (True, 0.25)
    """
    step = max(1, round(hz / LOOK_HZ))
    coarse_hz = hz / step
    seen = _between(uv.shape[1] // step, at / hz, broad, coarse_hz, ST_T)
    halves = (round(SMOOTH_S[0] * coarse_hz) // 2, round(SMOOTH_S[1] * coarse_hz) // 2)
    lags = (round(PERIOD_S[0] * coarse_hz), round(PERIOD_S[1] * coarse_hz), round(LAG_S * coarse_hz) + 2)
    periods = np.arange(PERIOD_S[0], PERIOD_S[1] + PERIOD_STEP_S / 2, PERIOD_STEP_S) * coarse_hz
    likeness, period = _clearest(uv, seen, step, halves, lags, periods, LAG_S * coarse_hz)
    return Waves(likeness, period / coarse_hz)


@compiled
def _between(width: int, at_s: Floats, broad: Bools, hz: float, st_t: tuple[float, float, float]) -> Floats:
    """(width,) 1 where a sample lies neither in a QRS nor in a T wave, else 0."""
    seen = np.ones(width)
    for i in range(at_s.size):
        rr_s = at_s[i] - at_s[i - 1] if i else at_s[1] - at_s[0]
        after_s = st_t[1] * np.sqrt(min(max(rr_s, RR_S[0]), RR_S[1]))
        after_s = BROAD_S if broad[i] else min(max(after_s, st_t[0]), st_t[2])
        seen[max(0, int((at_s[i] - BEFORE_S) * hz)) : int((at_s[i] + after_s) * hz)] = 0.0
    return seen


@compiled
def _clearest(
    uv: Float32s, seen: Floats, step: int, halves: tuple[int, int], lags: tuple[int, int, int], periods: Floats,
    reach: float,
) -> tuple[float, float]:  # fmt: skip
    """(likeness, period in coarse samples) of the lead whose comb fits best; zeros where none is promising.

    Args:
        uv: (n_leads, n) µV, of which ``step`` samples make a coarse one; ``seen`` which of those count.
        halves: coarse samples to either side of a mean that is base line, and of one that smooths.
        lags: the shortest and the longest period, and one past the longest lag that is looked at.
    """  # fmt: skip
    best, found = 0.0, 0.0
    total = seen.sum()
    if total < SEEN_SHARE * seen.size:
        return best, found
    least = PAIRS_SHARE * seen.size
    coarse, every = np.empty(seen.size), np.ones(seen.size)
    near, far = _weights(seen, halves[1]), _weights(every, halves[0])
    share = _around(_around(seen, every, far, halves[0]), every, far, halves[0])
    for lead in range(len(uv)):
        for i in range(seen.size):
            mean = np.float32(0.0)
            for j in range(step):
                mean += uv[lead, i * step + j]
            coarse[i] = mean / np.float32(step)
        level, moves = _level(coarse, seen, int(total), halves, (near, far), share)
        if not moves or not _promises(_likeness(level, seen, lags[0], lags[1] + 1, least)):
            continue
        likeness, period = _best(_likeness(level, seen, 0, lags[2], least), periods, reach)
        if likeness > best:
            best, found = likeness, period
    return best, found


@compiled
def _promises(likeness: Floats) -> bool:
    """Whether any period is alike enough; nan says nothing."""
    promises = False
    for value in likeness:
        promises |= value >= PROMISING
    return promises


@compiled
def _level(
    coarse: Floats, seen: Floats, count: int, halves: tuple[int, int], weights: tuple[Floats, Floats], share: Floats
) -> tuple[Floats, bool]:
    """(what oscillates: without base line, without the largest of it, and nothing where it is not seen; whether it is
    large enough).

    Args:
        count: how many samples are seen.
        weights: how many of them lie about each, as far as is smoothed, and how many there are for the base line.
        share: of what is seen, smoothed as the base line is.
    """
    wide, narrow = halves
    near, far = weights
    every = np.ones(coarse.size)
    smooth = _around(_around(coarse, seen, near, narrow), seen, near, narrow)
    base = _around(_around(smooth * seen, every, far, wide), every, far, wide)
    level, size, filled, power = np.empty(coarse.size), np.empty(count), 0, 0.0
    for i in range(coarse.size):
        level[i] = smooth[i] - base[i] / max(share[i], 1e-3)
        if seen[i] > 0:
            size[filled] = abs(level[i])
            power += size[filled] * size[filled]
            filled += 1
    if np.sqrt(power / count) < LARGE_UV:
        return level, False
    most = LARGEST * np.median(size)
    for i in range(coarse.size):
        level[i] = min(max(level[i], -most), most) * seen[i]
    return level, True


@compiled
def _weights(weight: Floats, half: int) -> Floats:
    """(n,) sum of each weight and ``half`` on either side, whole numbers."""
    n, total = weight.size, 0.0
    found = np.empty(n)
    for i in range(-half, n):
        if i + half < n:
            total += weight[i + half]
        if i - half - 1 >= 0:
            total -= weight[i - half - 1]
        if i >= 0:
            found[i] = total
    return found


@compiled
def _around(values: Floats, weight: Floats, weights: Floats, half: int) -> Floats:
    """(n,) weighted mean of each value and ``half`` on either side, whose weights make ``weights``; 0 where nothing
    weighs."""
    n = values.size
    found, total = np.empty(n), 0.0
    for i in range(min(half, n)):
        total += values[i] * weight[i]
    for i in range(n):
        come, gone = 0.0, 0.0
        if i + half < n:
            come = values[i + half] * weight[i + half]
        if i - half - 1 >= 0:
            gone = values[i - half - 1] * weight[i - half - 1]
        total += come - gone
        found[i] = total
    for i in range(n):
        found[i] = found[i] / weights[i] if weights[i] > 0.5 else 0.0
    return found


@compiled
def _best(lags: Floats, periods: Floats, reach: float) -> tuple[float, float]:
    """(likeness, period in samples) of the comb that fits best; nan in ``lags`` is not asked."""
    best, found = 0.0, 0.0
    sides = np.zeros(2)
    for period in periods:
        teeth = int(reach / period)
        for side in range(2):
            values = np.zeros(teeth)
            asked = 0
            for tooth in range(teeth):
                place = (tooth + 1 - 0.5 * side) * period
                low = int(place)
                value = lags[low] + (place - low) * (lags[low + 1] - lags[low])
                if not np.isnan(value):
                    values[asked] = value
                    asked += 1
            if asked < ASKED_SHARE * teeth:
                sides[side] = np.nan
                continue
            ordered = np.sort(values[:asked])
            row = int(WORST * (asked - 1) + 0.5)
            sides[side] = ordered[row] if side == 0 else ordered[asked - 1 - row]
        likeness = (sides[0] - sides[1]) / 2
        if likeness > best:
            best, found = likeness, period
    return best, found


@compiled
def _likeness(x: Floats, seen: Floats, first: int, stop: int, least: float) -> Floats:
    """(stop − first,) correlation of what is seen with what is seen so many samples later; nan of too few pairs."""
    n = x.size
    found = np.full(stop - first, np.nan)
    for lag in range(first, stop):
        product, left, right, pairs = 0.0, 0.0, 0.0, 0.0
        for i in range(n - lag):
            a, b = x[i], x[i + lag]
            product += a * b
            left += a * a * seen[i + lag]
            right += b * b * seen[i]
            pairs += seen[i] * seen[i + lag]
        if pairs >= least:
            found[lag - first] = product / np.sqrt(left * right + 1e-9)
    return found
