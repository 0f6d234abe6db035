"""How irregular are the intervals around each beat? What :mod:`worker.holter.af` weighs.

Two measures of variety. Fibrillation never repeats itself; ectopy, however dense, repeats the same few patterns:

- *pairs*: two successive changes of the interval make a cell of the Lorenz plot (after Sarkar 2008,
  doi:10.1109/TBME.2007.903707); the entropy of the cells over 61 beats, of the greatest that so many beats allow;
- *words*: three successive heart rates make a word (after Zhou 2014, doi:10.1186/1475-925X-13-18); the share of words
  that are not said twice over 31 beats.

What differs from the papers: changes are relative, cells that touch a beat which the atria did not lead are left out
of the entropy but not quite of the greatest, so that a stretch full of ventricular beats tells less, and the counts
slide from beat to beat, so that the cost does not depend on the window: a day takes 10 ms.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.readable import Bools, Floats
from worker.signal.compiled import compiled

Int32s = NDArray[np.int32]

PAIRS_HALF: Final = 30
WORDS_HALF: Final = 15
"""Beats on either side that are looked at."""
RR_S: Final = (0.2, 3.0)
CELL: Final = 0.05
CELLS: Final = 25
"""Of the relative change: width, and how many side by side; what is larger lies in the outermost."""
RATE_BPM: Final = 5.0
RATES: Final = 64
TOLD: Final = 0.75
"""How much of the greatest entropy is that of the beats that count; the rest is that of all beats of the window."""
LEAST_BEATS: Final = 20
"""A shorter recording is measured by what so many beats could say."""


def measures(rr_s: Floats, counts: Bools) -> Floats:
    """(n, 2) variety of the pairs and of the words around each beat, 0 to 1.

    Args:
        rr_s: (n,) the interval that ends at each beat.
        counts: (n,) whether it begins and ends at a beat that the atria led.

    >>> regular, wild = np.full(200, 0.8), np.random.default_rng(1).uniform(0.5, 1.0, 200)
    >>> [measures(rr, np.ones(200, bool))[100].round(2).tolist() for rr in (regular, np.tile([0.6, 1.0], 100), wild)]
    [[0.0, 0.03], [0.17, 0.06], [0.98, 1.0]]
    """
    rr = np.clip(rr_s, *RR_S)
    found = np.zeros((len(rr), 2))
    if len(rr) < 3:
        return found
    atrial, whole = counts.copy(), np.ones(len(rr), bool)
    atrial[2:] &= counts[1:-1] & counts[:-2]
    atrial[:2] = whole[:2] = False
    _variety(_pairs(rr), atrial, PAIRS_HALF, CELLS**2, 0, found[:, 0])
    _variety(_words(rr), whole, WORDS_HALF, RATES**3, 1, found[:, 1])
    return found


def _pairs(rr: Floats) -> Int32s:
    """(n,) the cell of the Lorenz plot in which each change and the one before it lie."""
    change = np.diff(np.log(rr), prepend=np.log(rr[:1]))
    cell: Int32s = np.clip(np.rint(change / CELL) + CELLS // 2, 0, CELLS - 1).astype(np.int32)
    pairs: Int32s = np.zeros_like(cell)
    pairs[1:] = cell[1:] * CELLS + cell[:-1]
    return pairs


def _words(rr: Floats) -> Int32s:
    """(n,) the three rates up to each beat."""
    rate: Int32s = np.minimum(60 / rr / RATE_BPM, RATES - 1).astype(np.int32)
    words: Int32s = np.zeros_like(rate)
    words[2:] = (rate[2:] * RATES + rate[1:-1]) * RATES + rate[:-2]
    return words


@compiled
def _variety(kind: Int32s, counts: Bools, half: int, kinds: int, asked: int, found: Floats) -> None:
    """Into ``found`` (n,), around each beat: 0 is asked, entropy of the kinds of what counts, over the greatest that so
    many could have; 1 is asked, how many kinds there are of those that count."""
    n = kind.size
    often = np.zeros(kinds, np.int32)
    weight = np.zeros(2 * half + 3)
    for i in range(2, weight.size):
        weight[i] = i * np.log(i)
    total, different, heaped = 0, 0, 0.0
    for i in range(-half, n):
        new, old = i + half, i - half - 1
        if new < n and counts[new]:
            times = often[kind[new]]
            often[kind[new]] = times + 1
            total += 1
            different += times == 0
            heaped += weight[times + 1] - weight[times]
        if old >= 0 and counts[old]:
            times = often[kind[old]]
            often[kind[old]] = times - 1
            total -= 1
            different -= times == 1
            heaped -= weight[times] - weight[times - 1]
        if i >= 0 and total > 0:
            within = TOLD * total + (1 - TOLD) * (min(new, n - 1) - max(old, -1))
            most = np.log(max(LEAST_BEATS, within))
            found[i] = max(0.0, (np.log(total) - heaped / total) / most) if asked == 0 else different / total
