"""Fits ``worker/holter/classify_weights.py``: ``python -m bench.accuracy.fit_beats MITDB [--left-out] [--write]``.

Seen are the beats of :mod:`bench.accuracy.beats_data` and simulated rhythms that 22 records do not hold: runs of atrial
beats, sick sinus, blocks, sinus arrhythmia; their shapes are those of real beats of the folder. For the ventricular
forest beats are also mixed: the shape measures of a ventricular beat moved towards those of a usual one of the same
record and back, so that between clear shapes P wave and timing decide.

The shapes of one lead (:mod:`bench.accuracy.fit_shapes`) are learned from the odds that forests give to persons whom
they have not seen; ``--write shapes`` writes these coefficients only.

With ``--left-out`` each record is left out in turn (201 together with 202, one person), or with ``--left-out 6`` each
sixth of them, which is faster, and what is printed is of records that the model has not seen; the whole records, and
from 5:00 on as EC57 counts.
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.beats import COLUMNS, classes_of, count, summary, tallied, tally
from bench.accuracy.beats_data import (
    IN_ONE_LEAD,
    SEVERAL_FROM,
    Float32s,
    Labels,
    Part,
    fibrillation,
    parts_of,
)
from bench.accuracy.fit_shapes import Odds, fit_shapes, odds_left_out, shapes_of
from bench.accuracy.simulated_rhythms import simulated
from worker.holter.beat_rhythm import RHYTHM, rhythm_of
from worker.holter.classify import Forest, decided
from worker.holter.features import FEATURES, p_columns
from worker.signal.forest import packed_nodes

Floats = NDArray[np.float64]

TAKEN: Final = {"hard": 150, "easy": 80, 1: 120, 2: 120, 3: 60}
TREES, LEAVES, RATE = 100, 16, 0.08
SHARES: Final = {"v": (3.0, 1.0, 2.0, 0.0), "s": (6.0, 2.0, 1.0, 0.2)}
"""What N, S, V and F weigh in all, for each forest."""
MIXED: Final = (0.1, 0.6)
MIXED_WEIGHT: Final = (1.0, 0.3)
"""How far V is moved towards N, and what such a V and such an N weigh."""
NOT_S: Final = ("k_share", "width", "extent", "p_usual", "near")
NOT_V: Final = (
    "k_share", "width", "extent", "p_usual", "p_local", "p_split", "spread", "q10", "q90", "steady", "irregular",
    "split", "split_share", "split_clean", "to_short", "to_long", "since_long", "until_long", "af", "af_state",
    "slowest", "run", "run_back", "onset", "offset", "odd", "odd_prev", "hold", "hold_back", "pre_slow",
)  # fmt: skip
"""Measures that the forests do not see: with them they know records by heart, and left-out records suffer."""
SHAPELY: Final = (
    "like", "corr", "size", "min_like", "max_like", "min_corr", "max_size", "min_size", "area", "t_area", "t_corr",
    "width_rel", "extent_rel", "steep", "begin", "k_like", "k_width",
)  # fmt: skip
MORE_V: Final = ("area", "t_area", "width_rel", "extent_rel", "k_width", "k_early")
LESS_V: Final = (
    "like", "corr", "min_like", "max_like", "min_corr", "t_corr", "steep", "begin", "p_like", "p_size", "k_like",
    "k_pre", "k_p", "p_rel", "pre", "noise",
)  # fmt: skip
MORE_S: Final = ("p_local", "p_split", "steady", "like", "corr", "min_like", "k_like", "run", "begin", "p_energy")
LESS_S: Final = (
    "pre", "pre_prev", "pre_slow", "hold", "q90", "odd", "odd_prev", "irregular", "width_rel", "extent_rel", "p_like",
    "k_width", "onset", "hold_back", "noise", "slowest", "to_short", "to_long", "af", "af_state",
    "p_rel",
)  # fmt: skip
"""Measures that may push in one direction only, whatever 22 records seem to say."""
COUNTED: Final = ("clean, leads 0+1", "clean, leads 0")
"""Variants of which the counts of each record are shown."""
AGAIN: Final = re.compile(r"\d(?! Hz|\d)")
"""Draws of one kind are told together."""
ROWS_OF_RHYTHM: Final = 90
EARLY: Final = -0.12
"""As :mod:`worker.holter.features` counts a shape's early beats."""

WEIGHTS: Final = Path(__file__).resolve().parents[2] / "worker" / "holter" / "classify_weights.py"
SHAPES: Final = "SHAPES_IN_ONE_LEAD"
GROUPS: Final = 6
"""Of persons, each left out in turn for the odds that the shapes are learned from."""

Rows = tuple[str, Float32s, Labels]
"""A name, rows of features, and their classes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--left-out", type=int, nargs="?", const=0, help="so many groups; each person where not said")
    parser.add_argument("--write", nargs="?", const="all", choices=("all", "shapes"))
    options = parser.parse_args()
    parts = parts_of(options.folder)
    rhythms = rhythms_of(options.folder.parent / "afdb_annotations_only")

    def made(chosen: list[Part], one_lead: bool) -> tuple[Forest, Forest]:
        return fit(chosen, rhythms, one_lead=one_lead)

    if options.write == "all":
        write(made(parts, False), made(parts, True))
    if options.write:
        write_shapes(fit_shapes(shapes_of(parts, odds_left_out(parts, made, GROUPS))))
    if options.left_out is not None:
        left_out(parts, odds_left_out(parts, made, options.left_out))


def write(several: tuple[Forest, Forest], one: tuple[Forest, Forest]) -> None:
    """Both forests of several leads and both of one into ``classify_weights.py``; the shapes' coefficients stay."""
    text = WEIGHTS.read_text()
    shapes = text[text.index(f"\n{SHAPES}: Final") :]
    text = text.split("\n# fitted\n")[0] + "\n# fitted\n"
    names = ("VENTRICULAR", "SUPRAVENTRICULAR", "VENTRICULAR_IN_ONE_LEAD", "SUPRAVENTRICULAR_IN_ONE_LEAD")
    for name, forest in zip(names, (*several, *one), strict=True):
        lines = "\n".join(f'    "{line}"' for line in packed_nodes(forest.roots, forest.feature, forest.value))
        text += f"{name}: Final = (\n{lines}\n)\n"
    WEIGHTS.write_text(text.rstrip("\n") + shapes)


def write_shapes(coefficients: Floats) -> None:
    """The last lines of ``classify_weights.py``."""
    text = WEIGHTS.read_text().split(f"\n{SHAPES}: Final")[0].rstrip("\n")
    numbers = [f"{value:.5g}" for value in coefficients.tolist()]
    lines = "\n".join(f"    {', '.join(numbers[at : at + 7])}," for at in range(0, len(numbers), 7))
    WEIGHTS.write_text(f"{text}\n{SHAPES}: Final = (\n{lines}\n)  # fmt: skip\n")


def left_out(parts: list[Part], odds: dict[int, Odds]) -> None:
    """Prints the counts of each record by forests and shapes that have not seen its person, and the totals."""
    totals: dict[str, Any] = {}
    tallies: dict[str, dict[str, Any]] = {}
    shapes = shapes_of(parts, odds)
    of_shapes = {record: fit_shapes(shapes, record) for record in dict.fromkeys(each.record for each in shapes)}
    print("record", *COLUMNS)
    for number, found in odds.items():
        part = parts[number]
        label, _ = decided(*found, part.features, of_shapes=of_shapes[part.record])
        _add(totals, tallies, part, label)
    for name, total in totals.items():
        print(name, {key: round(value, 2) for key, value in summary(total).items()})
    for name, counts in tallies.items():
        print(tallied(counts, name, "").text() if name in COUNTED else name, tallied(counts, name, "").figures)


def _add(totals: dict[str, Any], tallies: dict[str, dict[str, Any]], part: Part, label: NDArray[np.uint8]) -> None:
    name = f"{AGAIN.sub('again', part.changed)}, leads {'+'.join(map(str, part.leads))}"
    draw = " ".join([part.record, *AGAIN.findall(part.changed)])
    tallies.setdefault(name, {})[draw] = tally(part.truth, label, part.missed)
    counts = {name: count(part.truth, label, part.missed)}
    if name == "clean, leads 0+1":
        print(part.record, *counts[name].tolist(), flush=True)
        counts["the same from 5:00"] = count(part.truth[part.start :], label[part.start :], part.missed_late)
    for key, value in counts.items():
        totals[key] = totals.get(key, 0) + value


def rhythms_of(afdb: Path) -> list[Rows]:
    """Rhythm measures alone: fibrillation of real patients, and what is simulated."""
    found: list[Rows] = [("fibrillation", rows, np.zeros(len(rows), np.int64)) for rows in fibrillation(afdb)]
    for kind, seconds, label in simulated():
        found.append((kind, rhythm_of(seconds, label != 2), label))
    return found


def fit(parts: list[Part], rhythms: list[Rows], *, one_lead: bool = False) -> tuple[Forest, Forest]:
    """(ventricular, supraventricular), for recordings of several leads or of one."""
    chosen = [part for part in parts if part.changed in SEVERAL_FROM]
    if one_lead:
        single = [part for part in parts if len(part.leads) == 1]
        chosen = [replace(part, weight=IN_ONE_LEAD.get(part.changed, part.weight)) for part in single]
    x, y, w, record, real = rows_of(chosen, rhythms)
    real &= y != 3
    mixed, of, times = _mixed(x[real], y[real], record[real], np.random.default_rng(0))
    xv, yv = np.concatenate([x[real], mixed]), np.concatenate([y[real], y[real][of]])
    wv = np.concatenate([w[real], w[real][of] * times])
    v = _forest(xv, yv, 2, _shares(yv, wv, SHARES["v"]), MORE_V, LESS_V, NOT_V)
    s = _forest(x, y, 1, _shares(y, w, SHARES["s"]), MORE_S, LESS_S, NOT_S)
    return v, s


def rows_of(
    parts: list[Part], rhythms: list[Rows]
) -> tuple[Float32s, Labels, Floats, NDArray[np.str_], NDArray[np.bool_]]:
    """(features, classes, weights, records, whether real) of what is learned from."""
    random = np.random.default_rng(0)
    rows, truth, weight, record = [], [], [], []
    for part in parts:
        taken = _taken(part, random)
        chosen = taken > 0
        rows.append(part.features.values[chosen])
        truth.append(classes_of(part.truth)[chosen])
        weight.append(taken[chosen] * part.weight)
        record += [part.record] * int(chosen.sum())
    n_real = len(record)
    wardrobe = Wardrobe(parts)
    for name, measured, label in rhythms:
        dressed, which = wardrobe.dressed(name, measured, label, random)
        rows.append(dressed)
        truth.append(label[which])
        weight.append(np.ones(len(which)))
        record += [f"simulated {name}"] * len(which)
    y = np.concatenate(truth)
    names = np.array(record)
    w = _balanced(y, np.concatenate(weight), names)
    return np.concatenate(rows), y, w, names, np.arange(len(y)) < n_real


class Wardrobe:
    """Shapes and P waves of real beats, for rhythms of which only the intervals are known."""

    def __init__(self, parts: Sequence[Part]) -> None:
        clean = [part for part in parts if part.changed == "clean"]
        fibrillating = [part.features.column("af_state") > 0.5 for part in parts]
        self.usual = [
            part.features.values[(part.truth == 0) & (part.features.column("af_state") < 0.5)] for part in clean
        ]
        self.usual = [rows for rows in self.usual if len(rows) > 100]
        self.early = np.concatenate(
            [part.features.values[(part.truth == 1) & (part.features.column("like") > 0.7)] for part in clean]
        )
        self.without_p = [
            part.features.values[(part.truth == 0) & inside]
            for part, inside in zip(parts, fibrillating, strict=True)
            if inside.sum() > 40 and part.changed in ("clean", "other")
        ]

    def dressed(
        self, name: str, rhythm: Float32s, label: Labels, random: np.random.Generator
    ) -> tuple[Float32s, NDArray[np.int64]]:
        """(rows of features with these intervals, which of the intervals they have)."""
        n = len(label)
        usual = self.usual[int(random.integers(len(self.usual)))]
        rows = usual[random.integers(0, len(usual), n)].copy()
        p = np.array([number for number, feature in enumerate(FEATURES) if feature.startswith("p_")])
        if name == "fibrillation":
            other = self.without_p[int(random.integers(len(self.without_p)))]
            other = other[random.integers(0, len(other), n)]
            if random.random() < 0.5:
                rows = other.copy()
            else:
                rows[:, p] = other[:, p]
        else:
            other = self.early[random.integers(0, len(self.early), n)]
            self._tell(rows, other, label, p, random)
        rows[:, len(FEATURES) - len(RHYTHM) :] = rhythm
        if name == "fibrillation":
            return rows, np.arange(n)
        rows[label == 2, FEATURES.index("like")] = 0.0
        p_columns(rows)
        self._as_one_shape(rows, label != 2)
        known = np.flatnonzero(label[20 : n - 20] != 2) + 20
        chosen = np.sort(random.choice(known, ROWS_OF_RHYTHM, replace=False))
        return rows[chosen], chosen

    @staticmethod
    def _as_one_shape(rows: Float32s, atrial: NDArray[np.bool_]) -> None:
        """What beats of one shape have in common, where all that the atria lead have one."""
        column = {name: rows[atrial, FEATURES.index(name)] for name in ("pre", "post", "p_rel")}
        rows[:, FEATURES.index("k_pre")] = column["pre"].mean()
        rows[:, FEATURES.index("k_post")] = column["post"].mean()
        rows[:, FEATURES.index("k_early")] = (column["pre"] < EARLY).mean()
        rows[:, FEATURES.index("k_p")] = column["p_rel"].mean()

    @staticmethod
    def _tell(
        rows: Float32s, other: Float32s, label: Labels, p: NDArray[np.int64], random: np.random.Generator
    ) -> None:
        """Whose P wave is another one: the early beats', nobody's, or where most are early the timely ones'."""
        chance = random.random()
        if (label == 1).mean() > 0.5:
            if chance < 0.1:
                rows[label == 1] = other[label == 1]
            elif chance < 0.45:
                timely = np.flatnonzero(label == 0)
                rows[np.ix_(timely, p)] = other[np.ix_(timely, p)]
        elif chance < 0.85:
            rows[label == 1] = other[label == 1]


def _mixed(
    x: Float32s, y: Labels, record: NDArray[np.str_], random: np.random.Generator
) -> tuple[Float32s, Labels, Floats]:
    """(beats whose shape lies between two classes, the beat whose class each has, what it weighs beside that)."""
    columns = np.array([FEATURES.index(name) for name in SHAPELY])
    v, other = np.flatnonzero(y == 2), np.flatnonzero(y <= 1)
    partners = np.array([random.choice(other[record[other] == record[at]]) for at in v])
    some = random.choice(other, min(len(other), len(v)), replace=False)
    of = np.concatenate([v, some])
    partners = np.concatenate([partners, random.choice(v, len(some))])
    share = random.uniform(*MIXED, (len(of), 1))
    rows = x[of].copy()
    rows[:, columns] = (1 - share) * rows[:, columns] + share * x[partners][:, columns]
    return rows, of, np.repeat(MIXED_WEIGHT, (len(v), len(some)))


def _taken(part: Part, random: np.random.Generator) -> Floats:
    """(n,) how many beats of the record each chosen one stands for; 0 for those not chosen."""
    label, features = classes_of(part.truth), part.features
    normal = np.flatnonzero(label == 0)
    hard = (features.column("pre") < -0.1) | (features.column("like") < 0.8) | (features.column("pre_slow") < -0.15)
    hard |= part.truth == 6
    taken = np.zeros(len(label))
    pools = {"hard": normal[hard[normal]], "easy": normal[~hard[normal]]}
    for name, most in TAKEN.items():
        pool = pools[name] if isinstance(name, str) else np.flatnonzero(label == name)
        chosen = random.choice(pool, min(most, len(pool)), replace=False) if len(pool) else pool
        taken[chosen] = len(pool) / max(1, len(chosen))
    return taken


def _balanced(y: Labels, w: Floats, record: NDArray[np.str_]) -> Floats:
    """Each class of each record weighs as the root of its beats: no record speaks for all."""
    w = w.copy()
    for name in np.unique(record):
        for label in range(4):
            chosen = (record == name) & (y == label)
            w[chosen] /= np.sqrt(w[chosen].sum() + 10)
    return w


def _shares(y: Labels, w: Floats, shares: tuple[float, ...]) -> Floats:
    w = w.copy()
    for label, share in enumerate(shares):
        w[y == label] *= share / max(float(w[y == label].sum()), 1e-9)
    return np.asarray(w * len(w) / w.sum())


def _forest(
    x: Float32s, y: Labels, label: int, w: Floats, more: tuple[str, ...], less: tuple[str, ...], unseen: tuple[str, ...]
) -> Forest:
    from sklearn.ensemble import HistGradientBoostingClassifier

    seen = np.array([number for number, name in enumerate(FEATURES) if name not in unseen])
    model = HistGradientBoostingClassifier(
        max_iter=TREES, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=40, l2_regularization=5.0,
        max_bins=63, max_features=0.3, early_stopping=False, random_state=0,
        monotonic_cst=[int(FEATURES[at] in more) - int(FEATURES[at] in less) for at in seen],
    )  # fmt: skip
    model.fit(x[:, seen], y == label, sample_weight=w)
    found = _as_table(model)
    return replace(found, feature=np.where(found.feature >= 0, seen[found.feature], -1).astype(np.int16))


def _as_table(model: Any) -> Forest:
    """The trees of a fitted model, the children of each node beside each other."""
    feature: list[int] = []
    value: list[float] = []
    left: list[int] = []
    roots: list[int] = []
    base = float(np.ravel(model._baseline_prediction)[0])
    for number, predictors in enumerate(model._predictors):
        nodes = predictors[0].nodes
        queue = [(0, len(feature))]
        roots.append(len(feature))
        feature, value, left = [*feature, -1], [*value, 0.0], [*left, 0]
        while queue:
            node, row = queue.pop(0)
            if nodes[node]["is_leaf"]:
                value[row] = float(nodes[node]["value"]) + (base if number == 0 else 0.0)
                continue
            feature[row], value[row] = int(nodes[node]["feature_idx"]), float(nodes[node]["num_threshold"])
            left[row] = len(feature)
            queue += [(int(nodes[node]["left"]), len(feature)), (int(nodes[node]["right"]), len(feature) + 1)]
            feature, value, left = [*feature, -1, -1], [*value, 0.0, 0.0], [*left, 0, 0]
    return Forest(np.array(roots), np.array(feature, np.int16), np.array(value, np.float32), np.array(left))


if __name__ == "__main__":
    main()
