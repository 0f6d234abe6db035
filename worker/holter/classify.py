"""Normal, supraventricular, ventricular, fusion or unclassifiable: of which class is each beat of a day?

Two forests of small trees, fitted once on MIT-BIH DS1 (:mod:`bench.accuracy.fit_beats`; one lead has its own two),
make of the measures of :mod:`worker.holter.features` the odds of a ventricular and of a supraventricular beat; each
measure may only push in the direction that physiology allows (wider and less like the usual beat: more ventricular;
earlier: more supraventricular). Then the beats of one shape are judged together (:mod:`worker.holter.by_shape`), and
the sequence speaks: in fibrillation no beat is supraventricular, and none between dropped beats is early; a very early
beat that begins as usual is aberrant, not ventricular; one that is the sum of a usual and a ventricular one is a fusion
(:mod:`worker.holter.fusion`); of one in noise nothing is said.

How right that is of patients whom the fit has not seen (a sixth of DS1 left out in turn, own detection, from 5:00):
ventricular beats Se 97.4, +P 97.0 %, supraventricular Se 86.4, +P 82.6 % (the rule for aberrant beats was made on 201,
one of these patients; without it V +P 94.4, S Se 78 %); with one lead, noise and by record in docs/accuracy.md. A third
of the fusion beats is found, and nine of ten so called are fusions, nearly all of one patient. In one lead noise is
believed less (:mod:`worker.holter.lone_lead`). Paced beats are told from their pulses (:mod:`worker.holter.spikes`).
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from worker.holter import classify_weights as fitted
from worker.holter.by_shape import COEFFICIENTS, aberrant, by_shapes
from worker.holter.day import Day
from worker.holter.features import MAX_LEADS, BeatFeatures, around, features_of, over_hours
from worker.holter.fusion import fused
from worker.holter.lone_lead import calmness, shows_nothing, supraventricular_lean
from worker.holter.measured import Label
from worker.holter.snippets import Float32s
from worker.holter.templates import BlockShapes
from worker.signal.compiled import compiled
from worker.signal.forest import first_children, unpacked_nodes

Uint8s = NDArray[np.uint8]
Int16s = NDArray[np.int16]
Int64s = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

AGREE_BEATS: Final = 3
AGREE, AGREE_HALF = 0.9, 5
"""Of a shape of n ≥ 3 beats the mean log odds enter each beat's with the weight 0.9 · n / (n + 5)."""
ROWS_AT_ONCE: Final = 128
FIRST_TREES: Final = 25
HOPELESS: Final = -3.5
"""After each 25 trees of a forest a beat whose log odds lie below is left at them: of 180,000 beats of MIT-BIH none
would have come back to 0. Most beats are normal, and cost a third."""
IN_FIBRILLATION: Final = -2.0
AFTER_V: Final = -0.4
"""At most these log odds of S in fibrillation, and right after a ventricular beat, whose echo is mostly meant."""
S_LEAN: Final = 0.5
"""Added to the log odds of S in several leads: in left-out records, more is missed than called so in vain."""
NO_LONGER_EARLY, DUE = -0.15, -0.05
MUCH_FASTER: Final = -0.5
NOT_EARLY: Final = -1.0
"""Added where a beat comes when it is due (log ratio of its interval to the usual one; in between, in proportion) in a
rhythm that has not become much faster (log ratio to the interval before the last abrupt change) and has no two kinds of
intervals, as where most beats are atrial: in left-out records most such beats that are called S stand in sinus rhythm
that became a little faster (115, 208, 230)."""
UNLIKE_NEIGHBOUR: Final = 0.65
BESIDE_UNLIKE: Final = -1.0
"""Added where the beat before or after is so unlike the usual one: what comes early beside noise or a ventricular beat
is mostly no atrial beat (in one lead of left-out records one of ten, elsewhere six)."""
IN_BLOCK: Final = -1.0
EXACT: Final = 0.06
TIMELY: Final = 0.12
LEAST_SPLIT: Final = 0.4
ONE_P: Final = 0.15
MOSTLY: Final = 0.75
BLOCK_BEATS: Final = 60
BLOCK_PAUSES: Final = 3
"""Second-degree block, sinoatrial or atrioventricular: within so many beats at least three pauses, three quarters of
which are a multiple of the short intervals (log ratio); as many of these are steady; P waves before both are alike."""
WILD: Final = 0.2
"""Where not every fifth interval is like the one before it nothing is early, though it may not last as fibrillation."""
TWO_KINDS: Final = 0.85
"""But intervals of two kinds, between which so much of the variance lies, are not wild: in fibrillation 0.6 to 0.75."""
SAME_BEGIN: Final = 0.6
HALF_ALIKE: Final = 0.5
TOO_EARLY: Final = -0.6
EARLY: Final = -0.45
SMALL_AREA: Final = 1.5
NOT_V, RATHER_S = -0.5, 0.5
"""A beat that comes after half the usual interval finds one bundle branch still refractory (Ashman): it begins as the
usual beat does, is still half alike and no larger, and only its end is late. In two leads of MIT-BIH DS1 that is true
of 74 aberrant beats of one person (201) and of 3 of 3788 ventricular ones; one lead shows enough only in all beats of a
shape (:func:`worker.holter.by_shape.aberrant`). Three broad beats in a row are never made less of."""
LATE: Final = -0.12
SHAPE_ALIKE: Final = 0.9
"""A fusion comes about when the usual beat is due (log ratio of the interval), and looks unlike it."""
FUSION_CONFIDENCE: Final = 0.6
NOISY: Final = 0.8
UNSURE: Final = 0.8
RARE_BEATS: Final = 6
Q_CONFIDENCE: Final = 0.5
"""Unclassifiable is a beat in noise (the logarithm of how many times the usual one), of a shape that hardly any other
has in this half hour, whose class is unsure: in left-out records six of ten such ventricular beats are none, and of
all beats in electrode motion's noise that are so called every other one is no beat."""
P_MARCHES: Final = 0.7
P_MARCHES_ONE: Final = 0.86
"""What is as irregular as fibrillation but has P waves so alike is none: in fibrillation the likeness around a beat is
0.2 to 0.6 in two leads and up to 0.78 in one, in one as other electrodes see it mostly below 0.86, elsewhere mostly
above (MIT-BIH DS1, CPSC 2021)."""


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees as one table: where ``feature`` is negative ``value`` is a leaf's, else on to ``left`` or the row after."""

    roots: Int64s
    feature: Int16s
    value: Float32s
    left: Int64s

    @classmethod
    def of(
        cls, roots: NDArray[np.integer[Any]], feature: NDArray[np.integer[Any]], value: NDArray[np.floating[Any]]
    ) -> Self:
        """From nodes that stand level by level."""
        left = np.asarray(first_children(roots, feature), np.int64)
        return cls(roots.astype(np.int64), feature.astype(np.int16), value.astype(np.float32), left)

    def odds(self, values: Float32s) -> Float32s:
        """(n,) log odds."""
        return _walk(np.ascontiguousarray(values), self.roots, self.feature, self.value, self.left)


@compiled
def _walk(values: Float32s, roots: Int64s, feature: Int16s, value: Float32s, left: Int64s) -> Float32s:
    """Tree by tree over as many rows as stay close by; what the first trees find hopeless goes no further.

    The rows go down a tree side by side, one step each: the processor then waits for none of them. Who has come to a
    leaf stays there, since nothing is above infinity.
    """
    n, width = values.shape
    flat, out = values.reshape(n * width), np.zeros(n, np.float32)
    row, first = np.empty(ROWS_AT_ONCE, np.uint64), np.empty(ROWS_AT_ONCE, np.uint64)
    node = np.empty(ROWS_AT_ONCE, np.uint64)
    asked, above, below = feature.astype(np.uint64), value.copy(), left.astype(np.uint64)
    for k in range(feature.size):
        if feature[k] < 0:
            asked[k], above[k], below[k] = 0, np.inf, k
    steps = _steps(roots, feature, left)
    for begin in range(0, n, ROWS_AT_ONCE):
        left_over = min(n - begin, ROWS_AT_ONCE)
        for k in range(left_over):
            row[k], first[k] = begin + k, (begin + k) * width
        for tree in range(roots.size):
            if tree % FIRST_TREES == 0 and tree > 0:
                hopeful = 0
                for k in range(left_over):
                    row[hopeful], first[hopeful] = row[k], first[k]
                    hopeful += out[row[k]] > HOPELESS
                left_over = hopeful
            node[:left_over] = roots[tree]
            for _ in range(steps[tree]):
                for k in range(left_over):
                    at = node[k]
                    node[k] = below[at] + np.uint64(flat[first[k] + asked[at]] > above[at])
            for k in range(left_over):
                out[row[k]] += value[node[k]]
    return out


@compiled
def _steps(roots: Int64s, feature: Int16s, left: Int64s) -> Int64s:
    """(trees,) steps from each root to its deepest leaf; in the table a node stands before those below it."""
    deep = np.zeros(feature.size, np.int64)
    for k in range(feature.size - 1, -1, -1):
        if feature[k] >= 0:
            deep[k] = 1 + max(deep[left[k]], deep[left[k] + 1])
    return deep[roots]


@cache
def forests(*, one_lead: bool) -> tuple[Forest, Forest]:
    """(ventricular, supraventricular): one lead has forests of its own, which know it from wherever it may be seen."""
    texts = (
        (fitted.VENTRICULAR_IN_ONE_LEAD, fitted.SUPRAVENTRICULAR_IN_ONE_LEAD)
        if one_lead
        else (fitted.VENTRICULAR, fitted.SUPRAVENTRICULAR)
    )
    v, s = (Forest.of(*unpacked_nodes(text)) for text in texts)
    return v, s


@dataclass(frozen=True, eq=False)
class Classified:
    """All beats of a day with their classes.

    Attributes:
        label: (n,) uint8 :class:`~worker.holter.measured.Label`.
        confidence: (n,) float32, 0 to 1, that it is right.
        qrs_ms: (n,) float32.
        p_like: (n,) float32, -1 to 1.
        blocks: the shapes of each block, in the leads ``rows``.
    """

    label: Uint8s
    confidence: Float32s
    qrs_ms: Float32s
    p_like: Float32s
    blocks: tuple[BlockShapes, ...]
    rows: tuple[int, ...]


def classified(day: Day, beats: Int64s, rows: tuple[int, ...] | None = None) -> Classified:
    """The classes of all beats (samples, increasing), some hours at once: of the measures only these columns are kept.

    Args:
        rows: the leads to look at; the first four independent ones unless said otherwise.
    """
    n, start, after_v = len(beats), 0, False
    label, confidence = np.zeros(n, np.uint8), np.zeros(n, np.float32)
    qrs_ms, p_like = np.zeros(n, np.float32), np.zeros(n, np.float32)
    blocks: list[BlockShapes] = []
    rows = day.independent[:MAX_LEADS] if rows is None else rows
    for piece in features_of(day, beats, rows):
        own = slice(start, start + len(piece.values))
        label[own], confidence[own] = classify(piece, after_v=after_v)
        qrs_ms[own], p_like[own] = piece.qrs_ms, piece.p_like
        blocks += piece.blocks
        start, after_v = own.stop, bool(label[own.stop - 1] == Label.V)
    return Classified(label, confidence, qrs_ms, p_like, tuple(blocks), rows)


def classify(features: BeatFeatures, *, after_v: bool = False) -> tuple[Uint8s, Float32s]:
    """((n,) :class:`~worker.holter.measured.Label`, (n,) confidence 0 to 1 that it is right).

    Args:
        after_v: whether the first beat follows a ventricular one.
    """
    v, s = (forest.odds(features.values) for forest in forests(one_lead=len(features.rows) == 1))
    return decided(v, s, features, after_v=after_v)


def decided(
    v: Float32s, s: Float32s, features: BeatFeatures, *, after_v: bool = False, of_shapes: Floats = COEFFICIENTS
) -> tuple[Uint8s, Float32s]:
    """What follows from the log odds of both classes, the beats' shapes and their sequence.

    Args:
        of_shapes: coefficients of :func:`worker.holter.by_shape.by_shapes`, for one lead.
    """
    if not len(v):
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    several = len(features.rows) > 1
    group = over_hours(features)
    own = features.column("own")
    two_kinds = features.column("split_clean") >= TWO_KINDS
    calm = np.ones(len(v)) if several else calmness(own)
    judged = by_shapes(v, s, features, group, calmness(own), of_shapes)
    v = ((_agreed(v, group) + judged) / 2).astype(np.float32) if several else judged
    neighbour = np.minimum(features.column("like_before"), features.column("like_next"))
    s = np.where(neighbour < UNLIKE_NEIGHBOUR, s + BESIDE_UNLIKE, s)
    if not several:
        s = (s + supraventricular_lean(own)).astype(np.float32)
    marches = features.column("p_local") >= (P_MARCHES if several else P_MARCHES_ONE)
    wild = (features.column("af_state") > 0.5) | (features.column("steady") < WILD)
    late = (_aberrant(features) if several else aberrant(features, group)) & ~_in_a_run(v > 0)
    v, s = np.where(late, np.minimum(v, NOT_V), v), np.where(late, np.maximum(s, RATHER_S), s)
    fibrillating = wild & ~marches & ~two_kinds
    s = s + np.where(two_kinds, 0, NOT_EARLY * _due(features)).astype(np.float32)
    s = s + S_LEAN if several else s
    s = np.where(fibrillating, np.minimum(s, IN_FIBRILLATION), s)
    s = np.where(_blocked(features), np.minimum(s, IN_BLOCK), s)
    echo = np.concatenate([[after_v], v[:-1] > 0])
    s = np.where(echo, np.minimum(s, AFTER_V), s).astype(np.float32)
    label = np.where(v > 0, Label.V, np.where(s > 0, Label.S, Label.N)).astype(np.uint8)
    sure = np.where(label == Label.V, np.abs(v), np.minimum(np.abs(v), np.abs(s)))
    confidence = (1 / (1 + np.exp(-sure))).astype(np.float32)
    fusion = _fusions(v, label, features, ~wild & (calm >= 1))
    label[fusion], confidence[fusion] = Label.F, FUSION_CONFIDENCE
    beats = np.bincount(group)[group]
    unclear = (features.column("noise") > NOISY) & (confidence < UNSURE) & (beats <= RARE_BEATS) & ~fusion
    if not several:
        unclear |= (label != Label.N) & shows_nothing(own, features.block)
    label[unclear], confidence[unclear] = Label.Q, Q_CONFIDENCE
    return label, confidence


def _due(features: BeatFeatures) -> Float32s:
    """(n,) 0 to 1, how far a beat is not early, in a rhythm that is not much faster than before."""
    due = np.clip((features.column("pre") - NO_LONGER_EARLY) / (DUE - NO_LONGER_EARLY), 0, 1)
    return np.asarray(due * (features.column("hold") > MUCH_FASTER), np.float32)


def _aberrant(features: BeatFeatures) -> Bools:
    """(n,) very early beats that begin as the usual one does."""
    early, small = features.column("pre"), features.column("area") < SMALL_AREA
    alike = (features.column("begin") > SAME_BEGIN) & (features.column("like") > HALF_ALIKE)
    return np.asarray(alike & ((early < TOO_EARLY) | (small & (early < EARLY))), np.bool_)


def _in_a_run(broad: Bools) -> Bools:
    """(n,) beats that belong to three or more in a row."""
    padded = np.pad(broad, 2)
    three = padded[:-2] & padded[1:-1] & padded[2:]
    return np.asarray(broad & (three[:-2] | three[1:-1] | three[2:]), np.bool_)


def _fusions(v: Float32s, label: Uint8s, features: BeatFeatures, orderly: Bools) -> Bools:
    """(n,) beats that are a usual and a ventricular one at once; where nothing is ``orderly`` none is seen."""
    found = np.zeros(len(v), bool)
    possible = orderly & (features.column("pre") > LATE) & (features.column("like") < SHAPE_ALIKE)
    near = features.column("near")
    for block, unusual in zip(features.blocks, features.unusual, strict=True):
        first = block.first - features.blocks[0].first
        own = slice(first, first + len(block.shapes.of))
        found[own] = fused(v[own], label[own] != Label.V, possible[own], near[own], block.shapes, unusual)
    return found


def _blocked(features: BeatFeatures) -> Bools:
    """(n,) timely beats where the long intervals are twice or three times the short ones, and P waves are all alike.

    There beats are dropped, by the node or on the way from it, and those between are not early.
    """
    to_short, to_long = features.column("to_short"), features.column("to_long")
    long = (to_short + to_long > 0) & (features.column("split") > LEAST_SPLIT)
    times = np.minimum(np.abs(to_short - np.log(2)), np.abs(to_short - np.log(3))) < EXACT
    steady = ~long & (np.abs(to_short) < EXACT)

    def share(of: Bools, among: Bools) -> NDArray[np.float64]:
        total = around(among.astype(np.float64), BLOCK_BEATS)
        return np.where(total >= BLOCK_PAUSES, around((of & among).astype(np.float64), BLOCK_BEATS), 0.0) / (
            total + 1e-9
        )

    found: Bools = (share(times, long) > MOSTLY) & (share(steady, ~long) > MOSTLY)
    found &= (features.column("p_split") < ONE_P) & (to_short > -TIMELY)
    return found


def _agreed(odds: Float32s, group: Int64s) -> Float32s:
    """Log odds, those of a beat moved towards those of all beats of its shape, which have the number ``group``."""
    count = np.bincount(group)
    mean = np.bincount(group, np.clip(odds, -4, 4)) / np.maximum(count, 1)
    weight = np.where(count >= AGREE_BEATS, AGREE * count / (count + AGREE_HALF), 0.0)[group]
    moved: Float32s = ((1 - weight) * odds + weight * mean[group]).astype(np.float32)
    return moved
