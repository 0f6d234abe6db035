"""How does an unusual beat differ from the usual ones right beside it?

A lead's amplitude breathes and wanders over half an hour, so that many a usual beat is unlike the usual one; it is like
its neighbours all the same. What is unlike them too is kept here as a small picture, so that
:mod:`worker.holter.fusion` can take it apart when the classes are known, and the block's signal need not stay.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.snippets import QRS_FROM, QRS_TO, Float32s, Snippets
from worker.signal.compiled import compiled

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNUSUAL: Final = 0.93
"""Beats so like the block's usual one need no second look: they are taken to be as like their neighbours."""
EACH_SIDE: Final = 4
"""Usual beats to either side that make the one that is compared with."""
SHIFT: Final = 2
"""Samples at 125 Hz by which the centres of two usual beats may differ."""


@dataclass(frozen=True, eq=False)
class Unusual:
    """The unusual beats of a block.

    Attributes:
        rows: (m,) their rows in the block.
        qrs: (m, n_leads, QRS_TO − QRS_FROM) float32 in units of the snippets.
        beside: (m, n_leads, the same + 2 · SHIFT) the mean of the usual beats beside each.
        gain: (m, n_leads) how far each lead is believed.
    """

    rows: Int64s
    qrs: Float32s
    beside: Float32s
    gain: Float32s


def look_beside(snippets: Snippets, like: Float32s, usual: Bools) -> tuple[Float32s, Unusual]:
    """((n,) likeness of each beat to the usual ones beside it, the unusual beats).

    Args:
        like: (n,) likeness to the block's usual beat; ``usual`` which beats are like it.
    """
    rows, known = np.flatnonzero(like < UNUSUAL), np.flatnonzero(usual)
    near = like.astype(np.float32)
    beside = _beside(snippets.z, known, rows, QRS_FROM - SHIFT, QRS_TO + SHIFT, EACH_SIDE)
    qrs = np.ascontiguousarray(snippets.z[rows, :, QRS_FROM:QRS_TO])
    gain = np.ascontiguousarray(snippets.gain[rows])
    if known.size:
        near[rows] = _alike(qrs, beside, gain)
    return near, Unusual(rows, qrs, beside, gain)


@compiled
def _beside(z: Float32s, known: Int64s, rows: Int64s, first: int, last: int, each_side: int) -> Float32s:
    """(m, n_leads, last − first) mean of the usual beats that are nearest in order to each of ``rows``."""
    n_leads = z.shape[1]
    out = np.zeros((rows.size, n_leads, last - first), np.float32)
    for k in range(rows.size):
        place = np.searchsorted(known, rows[k])
        own = place < known.size and known[place] == rows[k]
        begin, end = max(0, place - each_side), min(known.size, place + each_side + int(own))
        share = np.float32(1.0 / max(1, end - begin - int(own)))
        for at in range(begin, end):
            if known[at] != rows[k]:
                for lead in range(n_leads):
                    source, target = z[known[at], lead, first:last], out[k, lead]
                    for i in range(target.size):
                        target[i] += share * source[i]
    return out


@compiled
def _alike(qrs: Float32s, beside: Float32s, gain: Float32s) -> Float32s:
    """(m,) 2·x·y / (x² + y²) at the best shift."""
    m, n_leads, width = qrs.shape
    out = np.empty(m, np.float32)
    for k in range(m):
        best = np.float32(-1.0)
        for shift in range(beside.shape[2] - width + 1):
            xy, both = np.float32(0.0), np.float32(1e-6)
            for lead in range(n_leads):
                x, y, by = qrs[k, lead], beside[k, lead, shift : shift + width], gain[k, lead]
                product, power = np.float32(0.0), np.float32(0.0)
                for i in range(width):
                    product += x[i] * y[i]
                    power += x[i] * x[i] + y[i] * y[i]
                xy += by * product
                both += by * power
            best = max(best, np.float32(2.0) * xy / both)
        out[k] = best
    return out
