"""Fits ``worker/resting/af_weights.py``: ``python -m bench.accuracy.fit_af ECG_DATA [--folds N]``, with scikit-learn.

Strips of CinC 2017 and their halves, of CPSC 2018, CinC 2021 and LUDB without its paced hearts (all leads, and I, II
and V1 alone), and of 30 and 10 s of CPSC 2021 and MIT-BIH (all leads, and the first alone). With ``--folds`` patients
are left out in turn, in three ways of dealing them out, and the figures printed are of strips that the trees have not
seen; without, the source of the weights is printed.
"""

import argparse
import csv
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
from worker.signal.forest import LEAF, Forest, packed

Floats = NDArray[np.float64]
TWELVE: Final = ("cpsc2018_12lead", "cinc2021_12lead")
LONG: Final = ("cpsc2021", "mitdb")
STRIPS_S: Final = {30.0: 12, 10.0: 6}
"""Length and how many of each kind a record gives."""
HALVED_FROM_S: Final = 20.0
"""Strips of CinC 2017: the halves of one are two more looks at its rhythm."""
MANY: Final = 0.4
"""A record of n strips weighs n to the power of one minus this."""
SINGLE: Final = ("I", "II", "V1")
TREES: Final = 150
LEAVES: Final = 48
LEAST_IN_LEAF: Final = 2
ASKED: Final = 0.3
"""Share of the measures among which a question is chosen."""
DEALS: Final = 3


class Strip(NamedTuple):
    """One example."""

    source: str
    patient: str
    is_af: bool
    recording: Recording


def strips(data: Path) -> Iterator[Strip]:
    """Every example in the folder."""
    yield from _short_strips(data / "cinc2017")
    for folder in TWELVE:
        for header in headers(data / folder):
            if named := labels(header):
                yield from _with_single_leads(folder, header.stem, "AF" in named, recording(header))
    diagnoses = csv.DictReader((data / "ludb" / "ludb.csv").open(encoding="utf-8"))
    unpaced = {row["ID"].strip(): row["Rhythms"].lower() for row in diagnoses if not row["Cardiac pacing"].strip()}
    for header in headers(data / "ludb"):
        if header.stem in unpaced:
            is_af = "fibrillation" in unpaced[header.stem]
            yield from _with_single_leads("ludb", header.stem, is_af, recording(header))
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


def _short_strips(folder: Path) -> Iterator[Strip]:
    words = dict(csv.reader((folder / "REFERENCE.csv").open(encoding="utf-8")))
    for header in headers(folder):
        if header.stem not in words:
            continue
        whole, is_af = recording(header), words[header.stem] == "A"
        yield Strip("cinc2017", header.stem, is_af, whole)
        if whole.duration_s >= HALVED_FROM_S:
            middle = whole.n_samples // 2
            for first in (0, middle):
                yield Strip("cinc2017 half", header.stem, is_af, cut(whole, first, first + middle))


def _with_single_leads(source: str, patient: str, is_af: bool, whole: Recording) -> Iterator[Strip]:
    yield Strip(source, patient, is_af, whole)
    names = [lead.upper() for lead in whole.leads]
    for lead in SINGLE:
        if lead in names:
            yield Strip(f"{source} {lead}", patient, is_af, cut(whole, 0, whole.n_samples, [names.index(lead)]))


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


def _fit(x: Floats, y: NDArray[np.bool_], weight: Floats) -> Forest:
    from sklearn.ensemble import ExtraTreesClassifier

    model = ExtraTreesClassifier(
        n_estimators=TREES,
        max_leaf_nodes=LEAVES,
        min_samples_leaf=LEAST_IN_LEAF,
        max_features=ASKED,
        random_state=0,
    )
    return forest_of(model.fit(x, y, sample_weight=weight))


def forest_of(model: Any) -> Forest:
    """The same trees, each level by level."""
    roots: list[int] = []
    feature: list[int] = []
    value: list[float] = []
    for tree in (one.tree_ for one in model.estimators_):
        roots.append(len(feature))
        waiting = [0]
        for node in waiting:
            left = int(tree.children_left[node])
            if left < 0:
                no, yes = tree.value[node, 0].tolist()
                feature.append(LEAF)
                value.append(yes / (no + yes))
            else:
                feature.append(int(tree.feature[node]))
                value.append(float(tree.threshold[node]))
                waiting += [left, int(tree.children_right[node])]
    return Forest.of(np.array(roots), np.array(feature), np.array(value))


def _left_out(
    x: Floats, y: NDArray[np.bool_], groups: NDArray[np.str_], weight: Floats, sources: NDArray[np.str_], folds: int
) -> None:
    from sklearn.model_selection import GroupKFold

    odds = np.zeros((DEALS, len(y)))
    for deal in range(DEALS):
        for seen, unseen in GroupKFold(folds, shuffle=True, random_state=deal).split(x, y, groups):
            forest = _fit(x[seen], y[seen], weight[seen])
            odds[deal, unseen] = [forest.log_odds(row) for row in x[unseen]]
    for source in sorted(set(sources)):
        mine = sources == source
        is_af = y[mine]
        every = [2 * (said & is_af).sum() / max(1, said.sum() + is_af.sum()) for said in odds[:, mine] > 0]
        scores = " ".join(f"{f1:.3f}" for f1 in every)
        print(f"{source:28s} {mine.sum():4d} strips, {is_af.sum():3d} AF, F1 {scores}")


def source_of(forest: Forest) -> str:
    """The forest as Python source."""
    return "\n".join(["FOREST: Final = unpacked(", *(f'    "{line}"' for line in packed(forest)), ")"])


if __name__ == "__main__":
    main()
