"""What do intervals say that no mean and no spectrum does? Poincaré plot, sample entropy, detrended fluctuation.

* Poincaré: SD1, SD2 and what is made of them (Brennan 2001, doi:10.1109/10.959330; CSI and CVI: Toichi 1997,
  doi:10.1016/S0165-1838(96)00112-9).
* Sample entropy of two intervals within 0.2 standard deviations (Richman and Moorman 2000,
  doi:10.1152/ajpheart.2000.278.6.H2039). Its cost grows with the square: it is given up to 10 000 intervals, which is
  every hour, but neither the whole day nor the night.
* Detrended fluctuation over 4 to 16 and over 16 to 64 intervals (Peng 1995, doi:10.1063/1.166141), in segments that
  overlap by half; neurokit2's with ``dfa_windows=[(4, 16), (16, 64)]``.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.hrv.intervals import Intervals
from worker.holter.readable import Floats
from worker.signal.compiled import compiled

ENTROPY_TOLERANCE: Final = 0.2
ENTROPY_MIN: Final = 100
ENTROPY_MOST: Final = 10_000
SHORT: Final = (4, 16)
LONG: Final = (16, 64)
DFA_TIMES: Final = 4
"""A series of at least four of the longest segments."""
FLAT_MS2: Final = 1e-8


def nonlinear_metrics(intervals: Intervals) -> dict[str, float]:
    """Non-linear measures; those that the series is too short or too long for are absent.

    >>> found = nonlinear_metrics(Intervals.following(np.random.default_rng(0).normal(800, 40, 1000)))
    >>> [round(found[name], 2) for name in ("sd1_ms", "sd2_ms", "dfa_alpha1")]
    [38.99, 39.22, 0.6]
    """
    return _poincare(intervals) | _entropy(intervals.nn_ms) | _fluctuation(intervals.nn_ms)


def _poincare(intervals: Intervals) -> dict[str, float]:
    before, after = intervals.nn_ms[:-1][intervals.joined], intervals.nn_ms[1:][intervals.joined]
    if before.size < 2:
        return {}
    sd1 = float(((before - after) / np.sqrt(2)).std(ddof=1))
    sd2 = float(((before + after) / np.sqrt(2)).std(ddof=1))
    found = {"sd1_ms": sd1, "sd2_ms": sd2, "poincare_area_ms2": float(np.pi * sd1 * sd2)}
    if sd1 > 0 and sd2 > 0:
        found |= {
            "sd1_sd2": sd1 / sd2,
            "csi": sd2 / sd1,
            "cvi": float(np.log10(16 * sd1 * sd2)),
            "csi_modified_ms": 4 * sd2**2 / sd1,
        }
    return found


def _entropy(nn_ms: Floats) -> dict[str, float]:
    if not ENTROPY_MIN <= nn_ms.size <= ENTROPY_MOST:
        return {}
    tolerance = ENTROPY_TOLERANCE * float(nn_ms.std(ddof=1))
    order = np.argsort(nn_ms[:-2], kind="stable")
    pairs, triples = _alike(nn_ms, order, tolerance)
    # there are two templates fewer of two intervals than intervals, and as many of three
    return {"sample_entropy": float(np.log(pairs / triples))} if triples else {}


@compiled
def _alike(x: Floats, order: NDArray[np.int64], tolerance: float) -> tuple[int, int]:
    """How many pairs of two intervals are within the tolerance, and how many of those also in the third.

    In order of their first interval only neighbours have to be looked at.
    """
    first, second, third = x[order], x[order + 1], x[order + 2]
    pairs, triples = 0, 0
    n, stop = order.size, 0
    for i in range(n):
        while stop < n and first[stop] - first[i] <= tolerance:
            stop += 1
        for j in range(i + 1, stop):
            near = abs(second[j] - second[i]) <= tolerance
            pairs += near
            triples += near & (abs(third[j] - third[i]) <= tolerance)
    return pairs, triples


def _fluctuation(nn_ms: Floats) -> dict[str, float]:
    profile = np.cumsum(nn_ms - nn_ms.mean())
    found = {}
    for name, (least, most) in (("dfa_alpha1", SHORT), ("dfa_alpha2", LONG)):
        if nn_ms.size < DFA_TIMES * most:
            continue
        sizes = np.arange(least, most + 1)
        spread = np.array([_detrended(profile, int(size), FLAT_MS2) for size in sizes])
        if (spread > 0).all():
            found[name] = float(np.polyfit(np.log2(sizes), np.log2(spread) / 2, 1)[0])
    return found


@compiled
def _detrended(profile: Floats, size: int, flat: float) -> float:
    """Mean variance around a straight line of segments that overlap by half; those without any are left out."""
    middle = (size - 1) / 2
    across = size * (size * size - 1) / 12.0
    total, count = 0.0, 0
    for start in range(0, profile.size - size, size // 2):
        base = profile[start]
        mean, slope, square = 0.0, 0.0, 0.0
        for k in range(size):
            value = profile[start + k] - base
            mean += value
            slope += (k - middle) * value
            square += value * value
        variance = (square - mean * mean / size - slope * slope / across) / size
        if variance > flat:
            total += variance
            count += 1
    return total / count if count else 0.0
