"""Does a fast, even rhythm conduct every second wave of a flutter, all the time?

Flutter that conducts two to one from end to end leaves no stretch without QRS or T. What remains to be seen: its rate
is fixed, for minutes, as no sinus node's is; and its averaged cycle comes back after half of it
(:mod:`worker.signal.half_cycle`). A re-entry whose P stands 0.10 to 0.14 s behind the QRS may be taken for it (one
strip in nine): so what rests on this alone is called possible. With two leads half is found, with one seldom any. The
method is our own; rates are those of ESC 2019 (doi:10.1093/eurheartj/ehz467).
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from worker.holter.day import Day
from worker.holter.measured import Beats, Label
from worker.holter.rows import runs_of
from worker.signal.half_cycle import ALIKE, COMES_BACK, comes_back

Floats = NDArray[np.float64]

RR_S: Final = (0.36, 0.53)
"""113 to 167/min: half of 226 to 333; in faster ones too little is left between the QRS complexes."""
STEADY_BEATS: Final = 16
STEADY: Final = 0.025
"""Spread over the mean of so many intervals."""
SAME_RATE: Final = 0.03
"""A fixed rate stays so near to where it was."""
HELD_S: Final = 120.0
LOOK_S: Final = 12.0
LOOKS: Final = (4, 8)
"""Least and most strips that are looked at in a stretch of one rate."""
AGREE: Final = 0.75
LEADS: Final = ("II", "MLII", "V1", "V5", "III", "aVF")
MOST_LEADS: Final = 3
"""More could cancel anything."""


def fixed_flutter(day: Day, beats: Beats) -> Iterator[tuple[float, float]]:
    """(start, stop) seconds of the stretches of fixed 2:1 conduction, in order of time."""
    rows = _rows(day)
    for first, last in fixed_rates(beats.sample / day.hz, beats.label):
        start_s, stop_s = float(beats.sample[first]) / day.hz, float(beats.sample[last]) / day.hz
        count = min(LOOKS[1], int((stop_s - start_s) // LOOK_S))
        if count < LOOKS[0]:
            continue
        places = np.linspace(start_s, stop_s - LOOK_S, count)
        if sum(_shows(day, beats, at_s, rows) for at_s in places.tolist()) >= AGREE * count:
            yield start_s, stop_s


def fixed_rates(at_s: Floats, label: NDArray[np.uint8]) -> list[tuple[int, int]]:
    """(first, last) beat of each stretch of narrow beats at one fast rate.

    >>> fixed_rates(np.arange(600) * 0.4, np.zeros(600, np.uint8))
    [(0, 599)]
    >>> fixed_rates(np.cumsum(np.linspace(0.5, 0.4, 600)), np.zeros(600, np.uint8))
    []
    """
    rr_s = np.diff(at_s)
    if rr_s.size < STEADY_BEATS:
        return []
    windows = sliding_window_view(rr_s, STEADY_BEATS)
    mean = windows.mean(axis=1)
    fast = np.flatnonzero((mean >= RR_S[0]) & (mean <= RR_S[1]))
    steady = np.zeros(mean.size, bool)
    steady[fast] = windows[fast].std(axis=1) <= STEADY * mean[fast]
    usual = np.isin(label, (Label.N, Label.S))
    found = []
    for begin, stop in runs_of(steady):
        edges, level = [begin], float(mean[begin])
        for place in range(begin, stop):
            if abs(mean[place] / level - 1) > SAME_RATE:
                edges.append(place)
                level = float(mean[place])
        for a, b in pairwise([*edges, stop]):
            last = min(b - 1 + STEADY_BEATS, at_s.size - 1)
            if at_s[last] - at_s[a] >= HELD_S and usual[a : last + 1].mean() >= AGREE:
                found.append((a, last))
    return found


def _rows(day: Day) -> tuple[int, ...]:
    known = [day.leads.index(lead) for lead in LEADS if lead in day.leads]
    others = [row for row in day.independent if row not in known]
    return tuple([*known, *others][:MOST_LEADS])


def _shows(day: Day, beats: Beats, at_s: float, rows: tuple[int, ...]) -> bool:
    start = round(at_s * day.hz)
    stop = min(day.n_samples, start + round(LOOK_S * day.hz))
    first, last = np.searchsorted(beats.sample, (start, stop)).tolist()
    if last - first < STEADY_BEATS:
        return False
    back, alike = comes_back(day.block(start, stop, rows), beats.sample[first:last] - start, day.hz)
    return back >= COMES_BACK and alike >= ALIKE
