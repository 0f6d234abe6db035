"""Fits ``worker/resting/af_weights.py``: ``python -m bench.accuracy.fit_af ECG_DATA [--folds N]``, with scikit-learn.

Strips of CinC 2017, CPSC 2018 and CinC 2021 (all leads, and lead I alone), and of 30 and 10 s of CPSC 2021 and MIT-BIH
(all leads, and the first alone). With ``--folds`` patients are left out in turn and the figures printed are of strips
that the trees have not seen; without, the source of the weights is printed.
"""

import argparse
import csv
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.af import cut_by_rhythm
from bench.accuracy.classes import labels
from bench.accuracy.data import cut, headers, notes, recording
from worker.recording import Recording
from worker.resting.af import measures
from worker.resting.patient import Patient, person_of
from worker.resting.reading import read_signal
from worker.resting.traces import prepare

Floats = NDArray[np.float64]
TWELVE: Final = ("cpsc2018_12lead", "cinc2021_12lead")
LONG: Final = ("cpsc2021", "mitdb")
STRIPS_S: Final = {30.0: 12, 10.0: 6}
"""Length and how many of each kind a record gives."""
MANY: Final = 0.4
"""A record of n strips weighs n to the power of one minus this."""


class Strip(NamedTuple):
    """One example."""

    source: str
    patient: str
    is_af: bool
    recording: Recording


def strips(data: Path) -> Iterator[Strip]:
    """Every example in the folder."""
    reference = data / "cinc2017" / "REFERENCE.csv"
    words = dict(csv.reader(reference.open(encoding="utf-8")))
    for header in headers(data / "cinc2017"):
        if header.stem in words:
            yield Strip("cinc2017", header.stem, words[header.stem] == "A", recording(header))
    for folder in TWELVE:
        for header in headers(data / folder):
            if named := labels(header):
                whole = recording(header)
                row = whole.leads.index("I") if "I" in whole.leads else 0
                yield Strip(folder, header.stem, "AF" in named, whole)
                yield Strip(folder + " I", header.stem, "AF" in named, cut(whole, 0, whole.n_samples, [row]))
    chance = np.random.default_rng(1)
    for folder in LONG:
        for header in headers(data / folder):
            rhythm = notes(header, "atr")
            for seconds, most in STRIPS_S.items() if rhythm is not None else ():
                found = list(cut_by_rhythm(header, rhythm, seconds))
                for label in "AN":
                    mine = [strip for strip in found if strip[0] == label]
                    for chosen in chance.permutation(len(mine))[:most]:
                        part = mine[chosen][1]
                        name = f"{folder} {seconds:g} s"
                        yield Strip(name, header.stem, label == "A", part)
                        yield Strip(name + " one lead", header.stem, label == "A", cut(part, 0, part.n_samples, [0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    options = parser.parse_args()
    rows, truth, patients, sources = [], [], [], []
    for strip in strips(options.data):
        traces = prepare(strip.recording)
        person = person_of(strip.recording, Patient())
        found = measures(read_signal(traces, person, calibrated=strip.recording.calibrated))
        if found is not None:
            rows.append(found)
            truth.append(strip.is_af)
            sources.append(strip.source)
            # a folder's subsets are one family, and 201 and 202 of MIT-BIH one person
            patients.append(strip.source.split()[0] + strip.patient.replace("202", "201"))
    x, y, groups = np.array(rows), np.array(truth), np.array(patients)
    many = Counter(patients)
    weight = np.array([1 / many[patient] ** MANY for patient in patients])
    if options.folds:
        _left_out(x, y, groups, weight, np.array(sources), options.folds)
    else:
        print(source_of(_fit(x, y, weight)))


def _fit(x: Floats, y: NDArray[np.bool_], weight: Floats) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    model = GradientBoostingClassifier(
        n_estimators=200,
        max_depth=2,
        max_features=4,
        learning_rate=0.1,
        subsample=0.6,
        min_samples_leaf=10,
        random_state=0,
    )
    return model.fit(x, y, sample_weight=weight)


def _left_out(
    x: Floats, y: NDArray[np.bool_], groups: NDArray[np.str_], weight: Floats, sources: NDArray[np.str_], folds: int
) -> None:
    from sklearn.model_selection import GroupKFold

    chance = np.zeros(len(y))
    for seen, unseen in GroupKFold(folds, shuffle=True, random_state=0).split(x, y, groups):
        chance[unseen] = _fit(x[seen], y[seen], weight[seen]).predict_proba(x[unseen])[:, 1]
    for source in sorted(set(sources)):
        mine = sources == source
        said, is_af = chance[mine] > 0.5, y[mine]
        f1 = 2 * (said & is_af).sum() / max(1, said.sum() + is_af.sum())
        print(f"{source:28s} {mine.sum():4d} strips, {is_af.sum():3d} AF, F1 {f1:.3f}")


def source_of(model: Any) -> str:
    """The tables of the fitted trees as Python source."""
    feature, limit, leaf = [], [], []
    for (tree,) in model.estimators_:
        one = tree.tree_
        left, right = int(one.children_left[0]), int(one.children_right[0])
        asked, limits, answers = [int(one.feature[0])], [float(one.threshold[0])], []
        for child in (left, right):
            deeper = one.children_left[child] >= 0
            asked.append(int(one.feature[child]) if deeper else 0)
            limits.append(float(one.threshold[child]) if deeper else np.inf)
            ends = (one.children_left[child], one.children_right[child]) if deeper else (child, child)
            answers += [float(one.value[end, 0, 0]) * model.learning_rate for end in ends]
        feature.append(asked)
        limit.append(limits)
        leaf.append(answers)
    prior = float(model.init_.class_prior_[1])
    start = float(np.log(prior / (1 - prior)))
    tables: dict[str, list[Any]] = {"feature": feature, "limit": limit, "leaf": leaf}
    lines = [f"start={start:.4f},"]
    for name, table in tables.items():
        numbers = ", ".join("[" + ", ".join(f"{value:.4g}" for value in row) + "]" for row in table)
        lines.append(f"{name}=np.array([{numbers}]),".replace("inf", "np.inf"))
    return "TREES: Final = Trees(\n" + re.sub(r"(.{1,112})(?: |$)", r"    \1\n", "\n".join(lines)) + ")  # fmt: skip"


if __name__ == "__main__":
    main()
