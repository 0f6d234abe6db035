"""Normal, supraventricular, ventricular or fusion: of which class is each beat of a day?

Two forests of small trees, fitted once on MIT-BIH DS1 (:mod:`bench.accuracy.fit_beats`), make of the measures of
:mod:`worker.holter.features` the odds of a ventricular and of a supraventricular beat; each measure may only push in
the direction that physiology allows (wider and less like the usual beat: more ventricular; earlier: more
supraventricular). Then the sequence speaks: beats of one shape agree, in fibrillation no beat is supraventricular.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.holter.classify_weights import SUPRAVENTRICULAR, VENTRICULAR, unpacked
from worker.holter.features import BeatFeatures, together
from worker.holter.measured import Label
from worker.holter.snippets import Float32s
from worker.signal.compiled import compiled

Uint8s = NDArray[np.uint8]
Int16s = NDArray[np.int16]
Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

AGREE_BEATS: Final = 3
AGREE, AGREE_HALF = 0.9, 5
"""Of a shape of n ≥ 3 beats the mean log odds enter each beat's with the weight 0.9 · n / (n + 5)."""
IN_FIBRILLATION: Final = -2.0
AFTER_V: Final = -0.4
"""At most these log odds of S in fibrillation, and right after a ventricular beat, whose echo is mostly meant."""


@dataclass(frozen=True, eq=False)
class Forest:
    """Trees as one table: where ``feature`` is negative ``value`` is a leaf's, else on to ``left`` or the row after."""

    roots: Int64s
    feature: Int16s
    value: Float32s
    left: Int64s

    def odds(self, values: Float32s) -> Float32s:
        """(n,) log odds."""
        return _walk(values, self.roots, self.feature, self.value, self.left)


@compiled
def _walk(values: Float32s, roots: Int64s, feature: Int16s, value: Float32s, left: Int64s) -> Float32s:
    out = np.zeros(values.shape[0], np.float32)
    for i in range(values.shape[0]):
        total = np.float32(0.0)
        for root in roots:
            node = root
            while feature[node] >= 0:
                node = left[node] if values[i, feature[node]] <= value[node] else left[node] + 1
            total += value[node]
        out[i] = total
    return out


@cache
def forests() -> tuple[Forest, Forest]:
    """(ventricular, supraventricular)."""
    v, s = (Forest(*unpacked(text)) for text in (VENTRICULAR, SUPRAVENTRICULAR))
    return v, s


def classify(features: BeatFeatures) -> tuple[Uint8s, Float32s]:
    """((n,) :class:`~worker.holter.measured.Label`, (n,) confidence 0 to 1 that it is right)."""
    v, s = (forest.odds(features.values) for forest in forests())
    return decided(v, s, features)


def decided(v: Float32s, s: Float32s, features: BeatFeatures) -> tuple[Uint8s, Float32s]:
    """What follows from the log odds of both classes and the beats' sequence."""
    if not len(v):
        return np.zeros(0, np.uint8), np.zeros(0, np.float32)
    v = _agreed(v, together(features.shape, features.block))
    s = np.where(features.column("af_state") > 0.5, np.minimum(s, IN_FIBRILLATION), s)
    after_v = np.concatenate([[False], v[:-1] > 0])
    s = np.where(after_v, np.minimum(s, AFTER_V), s).astype(np.float32)
    label = np.where(v > 0, Label.V, np.where(s > 0, Label.S, Label.N)).astype(np.uint8)
    sure = np.where(label == Label.V, np.abs(v), np.minimum(np.abs(v), np.abs(s)))
    return label, (1 / (1 + np.exp(-sure))).astype(np.float32)


def _agreed(odds: Float32s, group: Int64s) -> Float32s:
    """Log odds, those of a beat moved towards those of all beats of its shape."""
    count = np.bincount(group)
    mean = np.bincount(group, np.clip(odds, -4, 4)) / np.maximum(count, 1)
    weight = np.where(count >= AGREE_BEATS, AGREE * count / (count + AGREE_HALF), 0.0)[group]
    moved: Float32s = ((1 - weight) * odds + weight * mean[group]).astype(np.float32)
    return moved
