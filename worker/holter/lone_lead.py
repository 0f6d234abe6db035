"""How far is one lead believed, when no other lead tells noise from a beat?

A shape changed by noise looks ventricular, and a noise taken for a beat comes early. Where the beats of the last
seconds are all like their own shapes, a ventricular beat needs less evidence than the forests were balanced for, so
that its count is right over a day; where they are not, it needs more, and so does a shape that hardly any other beat
has, and the sum of two shapes is noise, not a fusion. An early beat that is unlike its own shape is mostly no atrial
one. And where half of a block's beats are unlike their own shapes, the lead shows no classes at all. What the beats of
a shape have in common is judged by :mod:`worker.holter.by_shape`.

The limits were chosen on records left out of the forests' fit (MIT-BIH DS1: each lead, seven mixtures of both as other
electrodes would see them, with and without electrode motion).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.features import around
from worker.holter.snippets import Float32s

Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

AROUND: Final = 10
"""Beats to either side by whose likeness to their own shapes (0 to 1) a lead is restless or calm."""
RESTLESS, CALM = 0.92, 0.96
"""Of a hundred beats called a fusion where it is less than calm, but for one person (208), one is a fusion."""
LEAN_RESTLESS, LEAN_CALM = -0.6, 0.5
LONE_BEATS: Final = 2
LEAN_LONE: Final = -0.5
"""Added to the log odds of V."""
UNLIKE_ITSELF: Final = 0.88
LEAN_UNLIKE: Final = -1.0
"""Added to the log odds of S for a beat so unlike its own shape."""
NO_LEAD: Final = 0.86
"""Median likeness to their own shapes of the beats of half an hour. Among 428 leads of DS1 and their mixtures it is
below in five only, all of them of one lead that shows noise (101's second), where half of what is found is no beat; the
next has 0.87, and a usual one 0.97."""


def calmness(own: Float32s) -> Floats:
    """(n,) 0 restless to 1 calm, from (n,) each beat's likeness to its own shape.

    >>> calmness(np.array([0.99, 0.92, 0.91], np.float32)).round(2)
    array([0.5, 0.5, 0.5])
    """
    local = around(own.astype(np.float64), AROUND) / around(np.ones(len(own)), AROUND)
    return np.asarray(np.clip((local - RESTLESS) / (CALM - RESTLESS), 0, 1))


def ventricular_lean(calm: Floats, group: Int64s) -> Floats:
    """(n,) what is added to the log odds of V.

    Args:
        calm: (n,) of :func:`calmness`; ``group`` the number of each beat's shape.

    >>> ventricular_lean(np.array([1.0, 1, 1]), np.zeros(3, np.int64)).round(2)
    array([0.5, 0.5, 0.5])
    >>> ventricular_lean(np.array([0.0, 0, 0]), np.arange(3)).round(2)
    array([-1.1, -1.1, -1.1])
    """
    lone = np.bincount(group)[group] <= LONE_BEATS
    return np.asarray(LEAN_RESTLESS + (LEAN_CALM - LEAN_RESTLESS) * calm + LEAN_LONE * lone)


def supraventricular_lean(own: Float32s) -> Floats:
    """(n,) what is added to the log odds of S of beats so like their own shapes.

    >>> supraventricular_lean(np.array([0.99, 0.8], np.float32))
    array([-0., -1.])
    """
    return np.asarray(LEAN_UNLIKE * (own < UNLIKE_ITSELF))


def shows_nothing(own: Float32s, block: Int64s) -> Bools:
    """(n,) beats of blocks in which the lead shows no classes.

    >>> shows_nothing(np.array([0.8, 0.8, 0.97, 0.7, 0.97]), np.array([0, 0, 1, 1, 1])).tolist()
    [True, True, False, False, False]
    """
    found = np.zeros(len(own), bool)
    for number in np.unique(block):
        inside = block == number
        found[inside] = np.median(own[inside]) < NO_LEAD
    return found
