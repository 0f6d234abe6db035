"""How irregular are the intervals around each beat, and in which way? What :mod:`worker.holter.af` weighs.

Seventeen measures over 13 and over 61 beats. The loops that slide a window over the beats are compiled: a day costs
0.1 s.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.readable import Bools, Floats
from worker.signal.compiled import compiled

HALVES: Final = (6, 30)
"""Beats on either side that are looked at."""
RR_S: Final = (0.2, 3.0)
MOST_CHANGE: Final = 0.5
CHANGES: Final = (0.03, 0.06, 0.12, 0.25)
BINS: Final = 44
BIN: Final = 0.05
SHORTEST_S: Final = 0.25
"""The histogram: relative width of a bin, and where the first begins."""
TOP_BINS: Final = 5
ALIKE: Final = 0.02
MOST_LAG: Final = 40


def measures(rr_s: Floats, counts: Bools) -> Floats:
    """(n, 34): the 17 of each of :data:`HALVES`."""
    rr = np.clip(rr_s, *RR_S)
    x, ok = np.log(rr), counts.astype(float)
    changes = _Changes(x, ok)
    match = _matches(x, counts, MOST_LAG)
    bins = np.clip((x - np.log(SHORTEST_S)) // BIN, 0, BINS - 1).astype(np.int64)
    columns = []
    for half in HALVES:
        columns += changes.around(half, rr)
        heaps = _histogram(bins, counts, half)
        columns += [heaps[:, 0], heaps[:, 1], heaps[:, 2]]
        pairs = _pairs(match, half, min(2 * half, MOST_LAG))
        single, double = (pairs[:, 0] + 0.5) / (pairs[:, 1] + 1), (pairs[:, 2] + 0.25) / (pairs[:, 3] + 1)
        columns += [np.log(single), np.log(single / double)]
    return np.stack(columns, axis=1)


class _Changes:
    """From one interval to the next, relative (differences of logarithms), and their sums around each beat."""

    def __init__(self, x: Floats, ok: Floats) -> None:
        self.x, self.ok = x, ok
        self.calm = _median_of_three(x)
        change = np.diff(x, prepend=x[:1])
        pair = ok * np.concatenate([[0.0], ok[:-1]])
        after = np.append(pair[1:], 0.0)
        following = np.append(change[1:], 0.0)
        held = np.clip(change, -MOST_CHANGE, MOST_CHANGE)
        self.pair, self.triple = pair, pair * after
        size = np.abs(held)
        self.size = size * pair
        self.large = [(np.abs(change) > limit) * pair for limit in CHANGES]
        self.calm_size = np.minimum(np.abs(np.diff(self.calm, prepend=self.calm[:1])), MOST_CHANGE) * pair
        self.turns = (change * following < 0) * self.triple
        self.product = held * np.clip(following, -MOST_CHANGE, MOST_CHANGE) * self.triple
        self.square = held**2 * self.triple
        self.cube, self.cube_size = held**3 * pair, size**3 * pair

    def around(self, half: int, rr: Floats) -> list[Floats]:
        """Twelve measures of the ``half`` beats on either side."""
        n, pairs, triples = (_sums(each, half) + 1e-9 for each in (self.ok, self.pair, self.triple))
        return [
            np.log(_sums(self.size, half) / pairs + 0.005),
            *(_sums(large, half) / pairs for large in self.large),
            np.log(_sums(self.calm_size, half) / pairs + 0.005),
            _sums(self.turns, half) / triples,
            _sums(self.product, half) / (_sums(self.square, half) + 1e-3),
            _sums(self.cube, half) / (_sums(self.cube_size, half) + 1e-3),
            np.log(_sums(rr * self.ok, half) / n + 1e-3),
            self._spread(self.calm, n, half),
            self._spread(self.x, n, half),
        ]

    def _spread(self, values: Floats, n: Floats, half: int) -> Floats:
        mean = _sums(values * self.ok, half) / n
        variance = _sums(values**2 * self.ok, half) / n - mean**2
        spread: Floats = np.log(np.sqrt(np.maximum(variance, 0.0)) + 0.01)
        return spread


def _sums(values: Floats, half: int) -> Floats:
    """(n,) sum over each value and ``half`` on either side, as far as there are any."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    row = np.arange(len(values))
    around: Floats = total[np.minimum(row + half + 1, len(values))] - total[np.maximum(row - half, 0)]
    return around


def _median_of_three(x: Floats) -> Floats:
    calm = x.copy()
    if len(x) >= 3:
        a, b, c = x[:-2], x[1:-1], x[2:]
        calm[1:-1] = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    return calm


@compiled
def _histogram(bins: NDArray[np.int64], counts: Bools, half: int) -> Floats:
    """(n, 3) of the intervals around each: share of the two fullest neighbouring bins, entropy, share of the five
    fullest."""
    n = bins.size
    found = np.zeros((n, 3))
    heap = np.zeros(BINS, np.int64)
    total = 0
    for i in range(-half, n):
        if i + half < n and counts[i + half]:
            heap[bins[i + half]] += 1
            total += 1
        if i - half - 1 >= 0 and counts[i - half - 1]:
            heap[bins[i - half - 1]] -= 1
            total -= 1
        if i < 0:
            continue
        share = 1.0 / (total + 1e-9)
        most, entropy = 0, 0.0
        for k in range(BINS):
            if heap[k] > 0:
                entropy -= heap[k] * share * np.log(heap[k] * share)
            if k > 0:
                most = max(most, heap[k] + heap[k - 1])
        found[i, 0], found[i, 1] = most * share, entropy
        top = 0
        left = heap.copy()
        for _ in range(TOP_BINS):
            k = int(np.argmax(left))
            top += left[k]
            left[k] = 0
        found[i, 2] = top * share
    return found


@compiled
def _matches(x: Floats, counts: Bools, lags: int) -> NDArray[np.uint8]:
    """(n, lags + 1) of interval i and the one ``lag`` before it: 0 not to be compared, 1 unlike, 2 alike."""
    n = x.size
    found = np.zeros((n, lags + 1), np.uint8)
    for i in range(n):
        for lag in range(1, min(lags, i) + 1):
            if counts[i] and counts[i - lag]:
                found[i, lag] = 2 if abs(x[i] - x[i - lag]) < ALIKE else 1
    return found


@compiled
def _pairs(match: NDArray[np.uint8], half: int, lags: int) -> Floats:
    """(n, 4) pairs around each beat: alike, compared, alike and followed by alike, compared with what follows."""
    n = match.shape[0]
    found = np.zeros((n, 4))
    alike = compared = both = followed = 0
    for i in range(-half, n):
        new, first = i + half, max(0, i - half - 1)
        if new < n:
            for lag in range(1, min(lags, new - first) + 1):
                now = match[new, lag]
                compared += now > 0
                alike += now == 2
                if new - lag > first and now > 0 and match[new - 1, lag] > 0:
                    followed += 1
                    both += now == 2 and match[new - 1, lag] == 2
        old, last = i - half - 1, min(new, n - 1)
        if old >= 0:
            for lag in range(1, min(lags, last - old) + 1):
                now = match[old + lag, lag]
                compared -= now > 0
                alike -= now == 2
                if old + lag < last and now > 0 and match[old + lag + 1, lag] > 0:
                    followed -= 1
                    both -= now == 2 and match[old + lag + 1, lag] == 2
        if i >= 0:
            found[i, 0], found[i, 1], found[i, 2], found[i, 3] = alike, compared, both, followed
    return found
