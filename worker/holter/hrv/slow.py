"""How does a series of intervals run on between its beats, and what of it varies slowly?

An interpolating quadratic spline at an even 4 Hz, as scipy's ``make_interp_spline(k=2)`` has it (knots half-way between
the points, the first and the last of these left out), and of a long series only what lies below 0.4 Hz, at 1 Hz: a
spectrum that ends there needs no more, and a quarter of the values is transformed in a quarter of the time.
"""

from functools import cache
from typing import Final

import numpy as np

from worker.holter.readable import Floats
from worker.signal.compiled import compiled

EVEN_HZ: Final = 4.0
SLOW_STEP: Final = 4
"""Values at 4 Hz to one of what varies slowly."""
HALF: Final = 125
BETA: Final = 19.5
"""Kaiser's window of 251 taps: to 0.4 Hz nothing changes, and what folds back from above 0.6 Hz is less than 1e-9 of
what it was (Oppenheim and Schafer, Discrete-Time Signal Processing, 7.6: 185 dB)."""
PIECE: Final = 1 << 16
BESIDE: Final = 60
"""Intervals on both sides of a piece by which its spline is made, too: what is farther away enters it with less than
0.18 to the power of 60, which no float holds."""


def slow(end_s: Floats, nn_ms: Floats, n: int) -> Floats:
    """(ceil(n / 4),) what varies slower than 0.4 Hz of the n values at 4 Hz, without their mean, at 1 Hz.

    Made in pieces, so that two weeks are never held at 4 Hz.

    >>> end_s = np.cumsum(np.full(5000, 0.8))
    >>> tide = 800 + 30 * np.sin(2 * np.pi * 0.05 * end_s)
    >>> found = slow(end_s, tide, 15_997)[40:-40]
    >>> bool(np.allclose(found, 30 * np.sin(2 * np.pi * 0.05 * (0.8 + np.arange(40, 3960))), atol=0.1))
    True
    """
    found, total, level = np.empty(-(-n // SLOW_STEP)), 0.0, float(nn_ms.mean())
    for first in range(0, n, PIECE):
        last = min(n, first + PIECE)
        begin, end = max(0, first - HALF), min(n, last + HALF)
        a, b = np.searchsorted(end_s, end_s[0] + np.array([begin, end - 1]) / EVEN_HZ).tolist()
        near = slice(max(0, a - BESIDE), b + BESIDE)
        values = splined(end_s[near], nn_ms[near] - level, end_s[0], begin, end)
        total += float(values[first - begin : last - begin].sum())
        own = slice(first // SLOW_STEP, -(-last // SLOW_STEP))
        _thinned(values, first - begin, _taps(), found[own])
    found -= total / n
    return found


@cache
def _taps() -> Floats:
    """(251,) of the low pass at 0.5 Hz, halves of what is passed on."""
    at = np.arange(-HALF, HALF + 1)
    taps: Floats = np.sinc(at / SLOW_STEP) * np.kaiser(at.size, BETA)
    taps /= taps.sum()
    return taps


@compiled
def _thinned(values: Floats, first: int, taps: Floats, found: Floats) -> None:
    """Every fourth of ``values`` from ``first`` on and its neighbours, by the taps; beyond the ends nothing is."""
    half = taps.size // 2
    for k in range(found.size):
        centre = first + SLOW_STEP * k
        begin, end = max(0, centre - half), min(values.size, centre + half + 1)
        part, weight, total = values[begin:end], taps[begin - centre + half : end - centre + half], 0.0
        for i in range(part.size):
            total += part[i] * weight[i]
        found[k] = total


def splined(end_s: Floats, nn_ms: Floats, origin_s: float, first: int, last: int) -> Floats:
    """(last − first,) the spline through the points at ``origin_s + first / 4`` seconds and on, at 4 Hz.

    Beyond the last point its value goes on.

    >>> splined(np.arange(6.0), np.arange(6.0) ** 2, 0.0, 18, 22).round(6).tolist()
    [20.25, 22.5625, 25.0, 25.0]
    """
    return _spline(end_s, nn_ms, origin_s, first, last)


@compiled
def _spline(x: Floats, y: Floats, origin: float, first: int, last: int) -> Floats:
    n, values = x.size, np.empty(last - first)
    knots = np.empty(n + 3)
    knots[:3], knots[n:] = x[0], x[n - 1]
    for j in range(1, n - 2):
        knots[j + 2] = 0.5 * (x[j] + x[j + 1])
    weights = _weights(x, y, knots)
    k = 2
    for i in range(values.size):
        at = origin + (first + i) / EVEN_HZ
        if at > x[n - 1]:
            values[i] = y[n - 1]
            continue
        while k < n - 1 and at >= knots[k + 1]:
            k += 1
        a, b, c = _three(knots, k, at)
        values[i] = a * weights[k - 2] + b * weights[k - 1] + c * weights[k]
    return values


@compiled
def _weights(x: Floats, y: Floats, knots: Floats) -> Floats:
    """(n,) of the basis splines, of which three enter each point: their system has three diagonals."""
    n = x.size
    weights, upper = y.copy(), np.zeros(n)
    for j in range(1, n - 1):
        below, here, above = _three(knots, j + 1, x[j])
        pivot = here - below * upper[j - 1]
        upper[j] = above / pivot
        weights[j] = (y[j] - below * weights[j - 1]) / pivot
    for j in range(n - 2, 0, -1):
        weights[j] -= upper[j] * weights[j + 1]
    return weights


@compiled
def _three(knots: Floats, k: int, at: float) -> tuple[float, float, float]:
    """The basis splines k − 2, k − 1 and k between knots k and k + 1 (de Boor)."""
    one = (at - knots[k]) / (knots[k + 1] - knots[k])
    left = (knots[k + 1] - at) / (knots[k + 1] - knots[k - 1])
    right = (at - knots[k]) / (knots[k + 2] - knots[k])
    return left * (1 - one), (1 - left) * (1 - one) + (1 - right) * one, right * one
