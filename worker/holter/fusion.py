"""Is a beat two beats at once? A ventricular beat that meets a sinus beat in the ventricles is a fusion of both.

Each impulse has depolarised a part of the heart, so that QRS is near to a sum: a part of the usual QRS and a part of
that of a ventricular shape of the same recording, each some milliseconds earlier or later. A beat is called a fusion
where such a sum explains it much better than either alone, about when the usual beat was due. How that was fitted:
the limits are those at which, on MIT-BIH DS1, the usual beats' own breathing is no longer taken for fusion; most of its
fusion beats are one person's (208), so that the rule was kept to what the mechanism says.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.nearby import SHIFT, Unusual
from worker.holter.snippets import QRS_FROM, Float32s
from worker.holter.templates import Shapes
from worker.signal.compiled import compiled

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]

V_BEATS: Final = 10
V_ODDS: Final = 2.0
V_SHAPES: Final = 4
"""A ventricular shape has so many beats, whose mean log odds are so high; of a block's the commonest are tried."""
V_SHIFT: Final = 6
"""Samples at 125 Hz by which the ventricular part may come earlier or later than its own centre."""
ODDS_LIMIT: Final = 4.0
SHARE: Final = (0.15, 0.65)
LEAST_USUAL: Final = 0.3
"""The ventricular part's share of the two amplitudes, and the least of the usual one's."""
PART: Final = 0.4
LEFT: Final = 0.075
LEFT_IN_ALL: Final = 0.15
"""The sum leaves less than two fifths of what the better one of the two leaves unexplained, and so little of the beat's
energy, beside what the usual beats leave and in all."""
SURE_ODDS: Final = 1.0
PART_IF_SURE, SHARE_IF_SURE = 0.2, 0.55
"""A fifth, and a share of half at the most, where it would otherwise be called ventricular for sure."""
LEAST_UNLIKE: Final = 0.05
BEYOND: Final = 2.0
"""It is unlike its neighbours by so much, and by twice what four fifths of the others are."""
USUAL_SHARE: Final = 0.8
MOST_TO_V: Final = 2.0
"""Fusion is a chance meeting: where it seems to be more than twice as frequent as the ventricular beats themselves,
what was found is something else."""


def fused(odds: Float32s, other: Bools, possible: Bools, near: Float32s, shapes: Shapes, unusual: Unusual) -> Bools:
    """(n,) which beats of a block are fusions.

    Args:
        odds: (n,) log odds of a ventricular beat.
        other: (n,) beats that are not called ventricular, of whose neighbours' likeness ``near`` the limits are taken.
        possible: (n,) beats that come at a time at which they may be fusions.
    """
    found = np.zeros(len(odds), bool)
    ventricular = ventricular_shapes(odds, shapes)
    if not ventricular.size or not other.any():
        return found
    unlike = 1 - near
    usual, most = np.quantile(unlike[other], (0.5, USUAL_SHARE))
    odd = possible & (unlike > max(LEAST_UNLIKE, BEYOND * float(most)))
    candidates = np.flatnonzero(odd[unusual.rows])
    if not candidates.size:
        return found
    rows = unusual.rows[candidates]
    sums = _sums(
        unusual.qrs[candidates], unusual.beside[candidates], unusual.gain[candidates], shapes.mean[ventricular],
        QRS_FROM, SHIFT, V_SHIFT,
    )  # fmt: skip
    left, alone, own = sums[:, 0] - usual, sums[:, 1] - usual, unlike[rows] - usual
    share = sums[:, 3] / (sums[:, 2] + sums[:, 3] + 1e-6)
    sure = odds[rows] > SURE_ODDS
    mixed = (share > SHARE[0]) & (share < np.where(sure, SHARE_IF_SURE, SHARE[1])) & (sums[:, 2] > LEAST_USUAL)
    explained = np.maximum(left, 0) < np.where(sure, PART_IF_SURE, PART) * np.minimum(alone, own)
    explained &= (left < LEFT) & (sums[:, 0] < LEFT_IN_ALL)
    found[rows] = mixed & explained
    common = np.count_nonzero(found) > MOST_TO_V * shapes.count[ventricular].sum()
    return np.zeros(len(odds), bool) if common else found


def ventricular_shapes(odds: Float32s, shapes: Shapes) -> Int64s:
    """The block's commonest ventricular shapes."""
    mean = np.bincount(shapes.of, np.clip(odds, -ODDS_LIMIT, ODDS_LIMIT), len(shapes.count)) / np.maximum(
        shapes.count, 1
    )
    sure = np.flatnonzero((shapes.count >= V_BEATS) & (mean > V_ODDS))
    return np.asarray(sure[np.argsort(-shapes.count[sure], kind="stable")[:V_SHAPES]], np.int64)


@compiled
def _sums(
    qrs: Float32s, beside: Float32s, gain: Float32s, shapes: Float32s, first: int, shift: int, v_shift: int
) -> Float32s:
    """(m, 4): what the best sum leaves, what the best shape alone leaves, how much of the usual and of the shape.

    >>> t, one = np.arange(102), np.ones((1, 1), np.float32)
    >>> usual, wide = (np.exp(-(((t - at) / half) ** 2)).astype(np.float32) for at, half in ((48, 3), (52, 9)))
    >>> both = (0.6 * usual + 0.3 * wide)[None, None, 31:65]
    >>> left, alone, of_usual, of_wide = _sums(both, usual[None, None, 29:67], one, wide[None, None], 31, 2, 6)[0]
    >>> print(f"{left:.2f} {alone:.2f} {of_usual:.2f} {of_wide:.2f}")
    0.00 0.18 0.60 0.30
    """
    m, width = qrs.shape[0], qrs.shape[2]
    out = np.empty((m, 4), np.float32)
    xd, dd = np.empty(2 * shift + 1), np.empty(2 * shift + 1)
    for k in range(m):
        xx = 1e-6 + _product(qrs[k], 0, qrs[k], 0, gain[k], width)
        for s in range(2 * shift + 1):
            xd[s] = _product(qrs[k], 0, beside[k], s, gain[k], width)
            dd[s] = 1e-6 + _product(beside[k], s, beside[k], s, gain[k], width)
        out[k, 0], out[k, 1], out[k, 2], out[k, 3] = 1.0, 1.0, 0.0, 0.0
        for shape in range(shapes.shape[0]):
            for at in range(first - v_shift, first + v_shift + 1, 2):
                xv = _product(qrs[k], 0, shapes[shape], at, gain[k], width)
                vv = 1e-6 + _product(shapes[shape], at, shapes[shape], at, gain[k], width)
                out[k, 1] = min(out[k, 1], 1 - 2 * xv / (xx + vv))
                for s in range(2 * shift + 1):
                    dv = _product(beside[k], s, shapes[shape], at, gain[k], width)
                    under = dd[s] * vv - dv * dv + 1e-6
                    a = min(max((xd[s] * vv - xv * dv) / under, 0.0), 1.0)
                    b = min(max((xv * dd[s] - xd[s] * dv) / under, 0.0), 1.0)
                    power = a * a * dd[s] + b * b * vv + 2 * a * b * dv
                    left = (xx - 2 * a * xd[s] - 2 * b * xv + power) / (xx + power)
                    if left < out[k, 0]:
                        out[k, 0], out[k, 2], out[k, 3] = left, a, b
    return out


@compiled
def _product(one: Float32s, at: int, other: Float32s, other_at: int, gain: Float32s, width: int) -> float:
    """Sum over the leads of two pictures' product, each from its own sample on."""
    total = np.float32(0.0)
    for lead in range(one.shape[0]):
        x, y, part = one[lead, at : at + width], other[lead, other_at : other_at + width], np.float32(0.0)
        for i in range(width):
            part += x[i] * y[i]
        total += gain[lead] * part
    return float(total)
