"""What do the beats of a shape have in common, where it is ventricular? The fit of :mod:`worker.holter.by_shape`.

Learned from single leads, on the odds of forests that had not seen the person: odds of beats that a forest has learned
would be believed too much.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.beats_data import SAME_PERSON, Float32s, Labels, Part
from worker.holter.by_shape import LEAST_BEATS, shape_measures
from worker.holter.classify import Forest
from worker.holter.features import over_hours
from worker.holter.lone_lead import calmness

Floats = NDArray[np.float64]
Odds = tuple[Float32s, Float32s]
Fit = Callable[[list[Part], bool], tuple[Forest, Forest]]
"""(ventricular, supraventricular) forest of these parts, for one lead or for several."""

V: Final = 2
TOLD: Final = (0, 1, 2, 6)
"""A fusion or a beat that nobody could name makes a shape neither ventricular nor not."""
LEAST_TOLD: Final = 2
STRENGTH: Final = 0.05
"""The inverse of the penalty on measures divided by their spread."""
ROOT_FROM: Final = 10.0
"""Each class of each record weighs as the root of its beats, as in :mod:`bench.accuracy.fit_beats`."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """The shapes of one part.

    Attributes:
        measures: (k, len(MEASURES)).
        v, told: (k,) beats that are ventricular, and that count.
    """

    record: str
    measures: Floats
    v: Labels
    told: Labels

    @classmethod
    def of(cls, part: Part, odds: Odds) -> "Shapes":
        """Those with enough beats."""
        group = over_hours(part.features)
        calm = calmness(part.features.column("own"))
        measures = shape_measures(*odds, part.features, np.arange(len(group)), group, calm)
        v, told = (
            np.bincount(group[np.isin(part.truth, classes)], minlength=len(measures)) for classes in ((V,), TOLD)
        )
        enough = (np.bincount(group) >= LEAST_BEATS) & (told >= LEAST_TOLD)
        return cls(part.record, measures[enough], v[enough], told[enough])


def odds_left_out(parts: Sequence[Part], fit: Fit, groups: int) -> dict[int, Odds]:
    """Number of a part of MIT-BIH → the log odds of both classes by forests that have not seen its person."""
    records = list(dict.fromkeys(part.record for part in parts if not part.changed.startswith("other")))
    groups = groups or len(records)
    found: dict[int, Odds] = {}
    for group in (records[start::groups] for start in range(groups)):
        others = _without(parts, group)
        several, one = fit(others, False), fit(others, True)
        for number, part in enumerate(parts):
            if part.record in group and not part.changed.startswith("other"):
                v, s = several if len(part.leads) > 1 else one
                found[number] = v.odds(part.features.values), s.odds(part.features.values)
    return found


def _without(parts: Sequence[Part], records: Sequence[str]) -> list[Part]:
    persons = set().union(*(SAME_PERSON.get(record, {record}) for record in records))
    return [part for part in parts if part.record not in persons]


def shapes_of(parts: Sequence[Part], odds: dict[int, Odds]) -> list[Shapes]:
    """Of the parts of one lead."""
    return [Shapes.of(parts[number], found) for number, found in odds.items() if len(parts[number].leads) == 1]


def fit_shapes(shapes: Sequence[Shapes], without: str = "") -> Floats:
    """(1 + len(MEASURES),) coefficients, from all persons but that of the record ``without``."""
    from sklearn.linear_model import LogisticRegression

    person = SAME_PERSON.get(without, {without})
    chosen = [each for each in shapes if each.record not in person]
    x = np.concatenate([each.measures for each in chosen])
    beats = np.concatenate([np.stack([each.told - each.v, each.v], axis=1) for each in chosen]).astype(np.float64)
    record = np.repeat([each.record for each in chosen], [len(each.v) for each in chosen])
    for name in np.unique(record):
        beats[record == name] /= np.sqrt(beats[record == name].sum(axis=0) + ROOT_FROM)
    middle, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    y: Labels = np.repeat((0, 1), len(x))
    weight = beats.T.ravel()
    model = LogisticRegression(C=STRENGTH, max_iter=3000)
    model.fit(np.tile((x - middle) / scale, (2, 1)), y, np.asarray(weight * (weight > 0).sum() / weight.sum()))
    found = model.coef_[0] / scale
    return np.concatenate([model.intercept_ - (found * middle).sum(), found])
