"""Which intervals does variability speak of?

Those between two normal beats (NN) that may be believed. A beat that was lost makes an interval of two, and one that
was made up makes two short ones: what is more than half longer or shorter than the eleven around it is such an error,
for no sinus node does that from one beat to the next.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Final

import numpy as np

from worker.holter.measured import Label
from worker.holter.readable import Bools, Floats, Readable
from worker.signal.compiled import compiled_finite
from worker.signal.ranks import exchange

NN_S: Final = (0.25, 3.0)
AROUND: Final = 11
FAR: Final = 0.5


@dataclass(frozen=True, eq=False)
class Intervals:
    """Normal intervals in order of time.

    Attributes:
        nn_ms: (n,) their lengths.
        end_s: (n,) when each ends.
        joined: (n − 1,) whether an interval begins where the one before it ends.
        of_all: how many intervals there are in the same time, normal or not.
    """

    nn_ms: Floats
    end_s: Floats
    joined: Bools
    of_all: int

    def __len__(self) -> int:
        return len(self.nn_ms)

    @classmethod
    def following(cls, nn_ms: Floats) -> "Intervals":
        """A series without gaps, as from an unbroken sinus rhythm."""
        nn_ms = np.asarray(nn_ms, float)
        return cls(nn_ms, np.cumsum(nn_ms / 1000), np.ones(max(0, len(nn_ms) - 1), bool), len(nn_ms))

    @cached_property
    def steps_ms(self) -> Floats:
        """(m,) differences of intervals that follow one another."""
        steps: Floats = np.diff(self.nn_ms)[self.joined]
        return steps

    @cached_property
    def begin_s(self) -> Floats:
        """(n,) when each begins."""
        begin_s: Floats = self.end_s - self.nn_ms / 1000
        return begin_s

    @property
    def lasts_s(self) -> float:
        """From the begin of the first to the end of the last."""
        return float(self.end_s[-1] - self.end_s[0] + self.nn_ms[0] / 1000) if len(self) else 0.0

    @property
    def share(self) -> float:
        """Of all intervals, 0 to 1."""
        return len(self) / max(1, self.of_all)

    @property
    def digest(self) -> bytes:
        """The same for the same intervals at the same times, and for no others."""
        held = blake2b(digest_size=16)
        for column in (self.nn_ms, self.end_s, self.joined):
            held.update(np.ascontiguousarray(column).data)
        return held.digest()

    def between(self, pairs: list[tuple[float, float]], of_all: int) -> "Intervals":
        """Those that begin and end within one of these disjoint stretches of time, in seconds and in order."""
        firsts = [np.searchsorted(self.begin_s, start - 1e-9) for start, _ in pairs]
        lasts = [np.searchsorted(self.end_s, end, "right") for _, end in pairs]
        if len(pairs) == 1 and firsts[0] == 0 and lasts[0] == len(self):
            return replace(self, of_all=of_all)
        rows = np.concatenate([np.arange(first, last) for first, last in zip(firsts, lasts, strict=True)])
        joined = (np.diff(rows) == 1) & self.joined[rows[:-1]]
        return Intervals(self.nn_ms[rows], self.end_s[rows], joined, of_all)


def normal_intervals(day: Readable) -> Intervals:
    """The intervals between two normal beats of a day."""
    normal = day.is_label(Label.N)
    good = day.sound & normal[:-1] & normal[1:] & (day.rr_s >= NN_S[0]) & (day.rr_s <= NN_S[1])
    rows = np.flatnonzero(good)
    rows = rows[_plausible(day.rr_s[rows])]
    return Intervals(1000 * day.rr_s[rows], day.at_s[rows + 1], np.diff(rows) == 1, int(np.count_nonzero(day.sound)))


def _plausible(rr_s: Floats) -> Bools:
    """(n,) which are not so far from the median of those around them that a beat was lost or made up."""
    if rr_s.size <= AROUND:
        return np.ones(rr_s.size, bool)
    plausible: Bools = np.abs(rr_s / _usual(rr_s, AROUND // 2) - 1) <= FAR
    return plausible


@compiled_finite
def _usual(rr_s: Floats, half: int) -> Floats:
    """(n,) median of each and so many on both sides; beyond the ends the first and the last go on.

    >>> _usual(np.array([1.0, 5.0, 2.0, 9.0]), 1).tolist()
    [1.0, 2.0, 5.0, 9.0]
    """
    n, usual = rr_s.size, np.empty(rr_s.size)
    ordered = np.empty(2 * half + 1)
    for k in range(ordered.size):
        ordered[k] = rr_s[min(max(k - half, 0), n - 1)]
    ordered.sort()
    usual[0] = ordered[half]
    for i in range(1, n):
        exchange(ordered, rr_s[max(i - half - 1, 0)], rr_s[min(i + half, n - 1)])
        usual[i] = ordered[half]
    return usual
