"""Is a shape, as a whole, ventricular?

Some beats of a shape come early and others, in bigeminy, at what has become the usual interval; some stand in noise.
Each alone leaves a forest in doubt, all of them together do not: early in most, without a P wave before, of one form
from QRS to T. So the beats of a shape, over some hours, are judged by what they have in common, the more the more there
are of them and the less their own odds differ.

The coefficients are fitted in single leads, on the odds of forests that had not seen the person
(:mod:`bench.accuracy.fit_shapes`); in left-out persons they take the counts of ventricular beats within 5 % of the
annotation from 49 to 58 of 100 leads of MIT-BIH DS1 and their mixtures, those within 10 % from 59 to 70. With several
leads, where half of their word counts, V is Se 97.4, +P 97.0 % instead of 97.1, 97.0, in electrode motion 95.4, 95.2
instead of 95.5, 92.4, and in records in eighths, as if beats were rare, 97.1, 96.7 instead of 95.9, 96.9 (from 5:00).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.classify_weights import SHAPES_IN_ONE_LEAD
from worker.holter.features import FEATURES, BeatFeatures
from worker.holter.lone_lead import ventricular_lean
from worker.holter.snippets import Float32s
from worker.signal.compiled import compiled

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MIDDLES: Final = ("size", "begin", "p_rel", "post", "own", "noise")
MEASURES: Final = ("v", "v_spread", "s", "beats", "early", "calm", "t_spread", *MIDDLES)
"""Of the beats of a shape: the mean and the spread of their log odds of V, the mean of those of S, the logarithm of
their number, the share that is early, how calm it is around them, how their T waves differ, and medians."""
COEFFICIENTS: Final = np.array(SHAPES_IN_ONE_LEAD)
"""Of 1 and of the measures."""
MOST_ODDS: Final = 4.0
MOST: Final = 8.0
EARLY: Final = -0.12
"""As :mod:`worker.holter.features` counts a shape's early beats."""
LEAST_BEATS: Final = 3
HALF_BEATS: Final = 5
DIFFERENT: Final = 0.3
"""A shape of n ≥ 3 beats is believed n / (n + 5), and less by 1 + 0.3 times the variance of its beats' odds: shapes
that look alike in this lead may hold beats of both kinds."""
ABERRANT_FROM: Final = -0.65
SAME_BEGIN, HALF_ALIKE, SAME_T = 0.65, 0.5, 0.4
"""A shape whose beats come after half the usual interval, begin as the usual beat does, are half alike and have its T
wave is a bundle branch that has not recovered (Ashman; see :mod:`worker.holter.classify`). In single leads of MIT-BIH
DS1 and their mixtures that is true of 33 shapes with 964 aberrant beats of one person (201) and of none of the 44,000
beats of other persons' ventricular shapes."""
HOPELESS: Final = -1.5
"""A shape whose beats are so unlikely on the average is no more likely together: 45 such shapes that the coefficients
call ventricular in left-out leads hold 117 ventricular beats and 779 others."""
MOST_CERTAIN: Final = 5.0
LEAN_IN_ONE_LEAD, LEAN_IN_SEVERAL = 0.5, -0.5
"""Added to a shape's log odds: the fit weighs all leads' shapes alike, and the count of most leads is right so."""


def by_shapes(
    v: Float32s, s: Float32s, features: BeatFeatures, group: Int64s, calm: Floats, coefficients: Floats = COEFFICIENTS
) -> Float32s:
    """(n,) log odds of V, those of a beat moved towards those of its shape.

    Args:
        v, s: (n,) log odds of both forests.
        group: (n,) 0 to k − 1, the number of each beat's shape.
        calm: (n,) of :func:`worker.holter.lone_lead.calmness`.
        coefficients: (1 + len(MEASURES),).
    """
    one_lead = len(features.rows) == 1
    count = np.bincount(group)
    clipped = np.clip(v.astype(np.float64), -MOST_ODDS, MOST_ODDS)
    odds, spread = _mean(clipped, group, count), _spread(clipped, group, count)
    hopeful = odds >= HOPELESS
    inside, among = _of_these(group, hopeful)
    measures = shape_measures(v[inside], s[inside], features, inside, among, calm[inside])
    found = np.clip(coefficients[0] + measures @ coefficients[1:], -MOST_CERTAIN, MOST_CERTAIN)
    odds[hopeful] = found + (LEAN_IN_ONE_LEAD if one_lead else LEAN_IN_SEVERAL)
    weight = belief(count, spread)
    alone = v + ventricular_lean(calm, group) if one_lead else v
    moved: Float32s = ((1 - weight[group]) * alone + (weight * odds)[group]).astype(np.float32)
    return moved


def aberrant(features: BeatFeatures, group: Int64s) -> Bools:
    """(n,) beats of shapes that are as a whole aberrant, not ventricular.

    Args:
        group: (n,) 0 to k − 1, the number of each beat's shape.
    """
    count, pre = np.bincount(group), features.column("pre")
    candidates = (_mean(pre, group, count) < ABERRANT_FROM / 2) & (count >= LEAST_BEATS)
    inside, among = _of_these(group, candidates)
    middle = _middles(features, ("pre", "begin", "like", "t_corr"), inside, among)
    early = middle["pre"] < ABERRANT_FROM
    alike = (middle["begin"] > SAME_BEGIN) & (middle["like"] > HALF_ALIKE) & (middle["t_corr"] > SAME_T)
    found = np.zeros(len(group), bool)
    found[inside] = (early & alike)[among]
    return found


def belief(beats: Int64s, spread: Floats) -> Floats:
    """(k,) 0 to 1, how far shapes of so many beats, whose log odds differ so much, are believed beside each beat.

    >>> belief(np.array([2, 5, 95, 95]), np.array([0.0, 0, 0, 1])).round(2)
    array([0.  , 0.5 , 0.95, 0.73])
    """
    alike = np.where(beats >= LEAST_BEATS, beats / (beats + HALF_BEATS), 0.0)
    return np.asarray(alike / (1 + DIFFERENT * spread**2))


def shape_measures(
    v: Float32s, s: Float32s, features: BeatFeatures, inside: Int64s, group: Int64s, calm: Floats
) -> Floats:
    """(k, len(MEASURES)) of each shape.

    Args:
        v, s: (n,) log odds of both forests.
        inside: (n,) which of the beats of ``features`` they are.
        group: (n,) 0 to k − 1, the number of each beat's shape.
        calm: (n,) of :func:`worker.holter.lone_lead.calmness`.
    """
    count = np.bincount(group)
    odds_v, odds_s = (np.clip(odds.astype(np.float64), -MOST_ODDS, MOST_ODDS) for odds in (v, s))
    t_wave = features.column("t_corr")[inside].astype(np.float64)
    found = {
        "v": _mean(odds_v, group, count), "v_spread": _spread(odds_v, group, count), "s": _mean(odds_s, group, count),
        "beats": np.log(count), "early": _mean(features.column("pre")[inside] < EARLY, group, count),
        "calm": _mean(calm, group, count), "t_spread": _spread(t_wave, group, count),
    }  # fmt: skip
    found |= _middles(features, MIDDLES, inside, group)
    return np.asarray(np.clip(np.stack([found[name] for name in MEASURES], axis=1), -MOST, MOST))


def _mean(of: NDArray[np.generic], group: Int64s, count: Int64s) -> Floats:
    return np.asarray(np.bincount(group, of) / count)


def _spread(of: Floats, group: Int64s, count: Int64s) -> Floats:
    """(k,) standard deviation."""
    return np.asarray(np.sqrt(np.maximum(_mean(of**2, group, count) - _mean(of, group, count) ** 2, 0)))


def _of_these(group: Int64s, chosen: Bools) -> tuple[Int64s, Int64s]:
    """((m,) beats of the chosen shapes, (m,) 0 to k − 1 the number of each one's shape among them)."""
    inside = np.flatnonzero(chosen[group])
    return inside, (np.cumsum(chosen) - 1)[group[inside]]


def _middles(features: BeatFeatures, names: tuple[str, ...], inside: Int64s, group: Int64s) -> dict[str, Floats]:
    """(k,) the upper median of each of these measures of each shape."""
    places = np.array([FEATURES.index(name) for name in names])
    found = _upper_medians(features.values, places, inside[np.argsort(group, kind="stable")], np.bincount(group))
    return dict(zip(names, found, strict=True))


@compiled
def _upper_medians(values: Float32s, columns: Int64s, rows: Int64s, count: Int64s) -> Floats:
    """(columns, k) of each stretch of so many rows."""
    out = np.empty((columns.size, count.size))
    own = np.empty(count.max() if count.size else 0, np.float32)
    first = 0
    for k in range(count.size):
        for place in range(columns.size):
            for i in range(count[k]):
                own[i] = values[rows[first + i], columns[place]]
            out[place, k] = np.partition(own[: count[k]], count[k] // 2)[count[k] // 2]
        first += count[k]
    return out
