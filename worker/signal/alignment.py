"""Where exactly does each beat stand, and how far is it to be believed that it is one?

In a single lead the largest deflection of a QRS may be its R at one beat and its S at the next, which makes a steady
rhythm look irregular by as much as the QRS is broad. So every beat is laid over the median of them all where it fits
best; how well it then fits tells a beat from a movement of the electrode.
"""

from typing import Final, NamedTuple

import numpy as np

from worker.signal.beats import Beats
from worker.signal.filters import Floats, moving_mean
from worker.signal.order import median

LOOKS_HZ: Final = 125.0
BEFORE_S, AFTER_S = 0.10, 0.12
REACH_S: Final = 0.06
PASSES: Final = 3
RELUCTANCE: Final = 0.001
"""What each sample of a move costs in correlation: a flat top decides nothing."""
LEAST_BEATS: Final = 4


class Aligned(NamedTuple):
    """(n_beats,) seconds, and correlation with the usual beat: NaN of beats that the recording's edge cuts."""

    at_s: Floats
    likeness: Floats


def aligned(signal: Floats, beats: Beats, hz: float) -> Aligned:
    """Beats of (n_leads, n_samples) µV; as they are where fewer than :data:`LEAST_BEATS` lie whole inside.

    >>> wave = lambda at: np.exp(-(((np.arange(5000) - at) / 8) ** 2))
    >>> at = np.arange(400, 4800, 400)
    >>> signal = sum(wave(beat) - wave(beat + 20) for beat in at)[None]
    >>> peaks = at + np.resize([0, 20], at.size)  # now R, now S
    >>> found = aligned(signal, Beats(peaks, at * 0, at * 0.1, at * 1.0), 500)
    >>> float(np.ptp(np.diff(peaks)) / 500), round(float(np.ptp(np.diff(found.at_s))), 3)
    (0.08, 0.0)
    """
    step = max(1, round(hz / LOOKS_HZ))
    rate = hz / step
    looked = moving_mean(signal, step, step)
    before, after, reach = (round(seconds * rate) for seconds in (BEFORE_S, AFTER_S, REACH_S))
    at = np.round(beats.at / step).astype(int)
    first = at - before - reach
    width = before + after
    inside = np.flatnonzero((first >= 0) & (at + after + reach <= looked.shape[1]))
    likeness = np.full(at.size, np.nan)
    if inside.size < LEAST_BEATS:
        return Aligned(at / rate, likeness)
    every = np.lib.stride_tricks.sliding_window_view(looked, width, axis=1)  # (n_leads, n, width)
    windows = every[:, first[inside, None] + np.arange(2 * reach + 1)]  # (n_leads, n_inside, n_moves, width)
    windows = windows - windows.mean(axis=3, keepdims=True)
    size = np.sqrt(np.einsum("lbmw,lbmw->bm", windows, windows)) + 1e-6
    cost = RELUCTANCE * np.abs(np.arange(2 * reach + 1) - reach)
    move, number = np.full(inside.size, reach), np.arange(inside.size)
    for _ in range(PASSES):
        usual = median(np.ascontiguousarray(windows[:, number, move]), axis=1)
        alike = np.einsum("lbmw,lw->bm", windows, usual) / (size * (np.linalg.norm(usual) + 1e-6))
        move = np.argmax(alike - cost, axis=1)
    likeness[inside] = alike[number, move]
    at[inside] += move - reach
    return Aligned(at / rate, likeness)
