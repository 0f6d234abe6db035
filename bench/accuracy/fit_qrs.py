"""Fits ``worker/signal/qrs_weights.py``: ``python -m bench.accuracy.fit_qrs MITDB_FOLDER [--folds N] [--trees KIND]``.

With ``--trees heavy`` it is ``worker/signal/qrs_noise_weights.py``, with ``--trees slight``
``qrs_slight_noise_weights.py`` beside it, with scikit-learn, and the whole file is printed.

Only the records of the folder are seen. With ``--folds`` the records are left out in turn and the figures printed are
of records that the coefficients have not seen; without, the coefficients for the source file are printed.
"""

import argparse
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import headers, notes, recording
from bench.accuracy.noise import mix, stretches
from bench.accuracy.qrs import unscored
from bench.accuracy.score import Counts, compare
from worker.signal import qrs, qrs_noise, qrs_weights
from worker.signal.filters import Spectrum
from worker.signal.trees import Trees

Floats = NDArray[np.float64]
NOISE: Final = {12: 0.04, 6: 0.04, 0: 0.04}
"""Signal to noise in dB, and how much such a mix weighs."""
RIDGE: Final = 1e-3
VARIANTS: Final = (([0], 1.0), ([1], 0.1), ([0, 1], 0.3))
"""Leads, and how much they weigh: the first lead is what single-lead figures are about."""
TREE_VARIANTS: Final = (([0], 0.6), ([1], 0.2))
TREE_NOISE: Final = {"slight": {12: 0.6, 18: 0.2, 6: 0.6}, "heavy": {18: 0.2, 12: 0.6, 6: 0.6, 0: 0.6, -6: 0.6}}
N_TREES: Final = 250
Variants = tuple[tuple[list[int], float], ...]
Look = Callable[[qrs_weights.Candidates, NDArray[np.int_]], Floats]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    parser.add_argument("--trees", choices=sorted(TREE_NOISE), help="print the trees for such noise instead")
    options = parser.parse_args()
    records = [header for header in headers(options.folder) if notes(header, "atr") is not None]
    if options.trees:
        noise = TREE_NOISE[options.trees]
        every = [block for header in records for block in _examples(header, TREE_VARIANTS, noise, trees=True)]
        print(source_of(_fit_trees(every), options.trees))
        return
    rows = {header.stem: _examples(header) for header in records}
    if not options.folds:
        print(np.round(_fit([block for blocks in rows.values() for block in blocks]), 3).tolist())
        return
    total = Counts()
    for fold in range(options.folds):
        held = [header for number, header in enumerate(records) if number % options.folds == fold]
        names = {header.stem for header in held}
        seen = [block for name, blocks in rows.items() if name not in names for block in blocks]
        object.__setattr__(qrs_weights, "COEFFICIENTS", _fit(seen))
        for header in held:
            counts = _score(header)
            total.add(counts)
            print(header.stem, counts.fn, counts.fp, flush=True)
    print(f"Se {total.se:.3f} %, +P {total.ppv:.3f} %")


def _score(header: Path) -> Counts:
    whole, found = recording(header), notes(header, "atr")
    assert found is not None
    at = qrs.find_beats(whole.microvolts()[:1], whole.sampling_hz)
    return compare(found.beats, at, whole.sampling_hz, excluded=unscored(found, whole.n_samples))[0]


def _examples(
    header: Path, variants: Variants = VARIANTS, noise_weights: dict[int, float] = NOISE, *, trees: bool = False
) -> list[tuple[Floats, Floats, float]]:
    """(measures, whether a beat, weight of the block) of the record's leads, clean and with noise."""
    whole, found = recording(header), notes(header, "atr")
    assert found is not None
    uv, hz = whole.microvolts(), whole.sampling_hz
    look = _for_trees if trees else _for_regression
    left_out = unscored(found, whole.n_samples)
    blocks = [(*measured(uv[rows], hz, found.beats, left_out, look), weight) for rows, weight in variants]
    noise = header.parent.parent / "nstdb" / "em.hea"
    if noise.exists():
        wave = recording(noise).microvolts()[0] / 1000
        for snr, weight in noise_weights.items():
            mixed, on = mix(uv[0] / 1000, wave, found.beats, hz, snr)
            skip = [*left_out, *stretches(~on)]
            blocks.append((*measured(1000 * mixed[None], hz, found.beats, skip, look), weight))
    return blocks


def _for_trees(candidates: qrs_weights.Candidates, beats: NDArray[np.int_]) -> Floats:
    return qrs_noise.noise_measures(candidates, beats, qrs_weights.measures(candidates, beats))


def _for_regression(candidates: qrs_weights.Candidates, beats: NDArray[np.int_]) -> Floats:
    return qrs_weights.design(qrs_weights.measures(candidates, beats))


def measured(uv: Floats, hz: float, truth: Any, left_out: list[tuple[int, int]], look: Look) -> tuple[Floats, Floats]:
    """((n, n_measures) what is looked at, (n,) whether it is a beat) of each candidate that counts."""
    places, rows = [], []
    n, step, margin = uv.shape[1], round(qrs.CHUNK_S * hz), round(qrs.OVERLAP_S * hz)
    for start in range(0, n, step):
        first, last = max(0, min(start, n - 2 * margin) - margin), min(n, start + step + margin)
        spectrum = Spectrum(uv[:, first:last], hz)
        candidates, energy = qrs.candidates_of(spectrum, list(range(len(uv))))
        if candidates is None:
            continue
        # the trees are asked beside the beats by looks, so they must not be shown better ones here
        beats = np.array(qrs.by_looks(candidates, energy)[0], int)
        if len(beats) < 2:
            continue
        inside = (candidates.at + first >= start) & (candidates.at + first < start + step)
        places.append(candidates.at[inside] + first)
        rows.append(look(candidates, beats)[inside])
    at, design = np.concatenate(places), np.concatenate(rows)
    _, pairs = compare(truth, at, hz)
    hits = {test for _, test in pairs}
    counted = np.array([not any(a <= place <= b for a, b in left_out) for place in at.tolist()])
    return design[counted], np.array([place in hits for place in at.tolist()], float)[counted]


def _fit_trees(blocks: list[tuple[Floats, Floats, float]]) -> Trees:
    """Boosted trees of two levels, by scikit-learn's histograms."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    blocks = [block for block in blocks if len(block[1])]
    weight = np.concatenate([np.full(len(block[1]), block[2] / len(block[1])) for block in blocks])
    model = HistGradientBoostingClassifier(
        max_depth=2, max_leaf_nodes=None, max_iter=N_TREES, learning_rate=0.1, min_samples_leaf=50,
        l2_regularization=1.0, early_stopping=False, random_state=0,
    )  # fmt: skip
    truth = np.concatenate([block[1] for block in blocks])
    model.fit(np.concatenate([block[0] for block in blocks]), truth, sample_weight=weight / weight.mean())
    return _tables_of(model)


def _tables_of(model: Any) -> Trees:
    """The trees that scikit-learn has made."""
    feature, limit, leaf = [], [], []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        root = nodes[0]
        pair = [nodes[root["left"]], nodes[root["right"]]]
        feature.append([int(root["feature_idx"]), *[int(node["feature_idx"]) for node in pair]])
        limit.append([float(root["num_threshold"]), *[float(node["num_threshold"]) for node in pair]])
        leaf.append([
            float(node["value"] if node["is_leaf"] else nodes[node[side]]["value"])
            for node in pair for side in ("left", "right")
        ])  # fmt: skip
    return Trees(float(model._baseline_prediction.ravel()[0]), np.array(feature), np.array(limit), np.array(leaf))


HEAD: Final = '''"""The trees for {kind} noise of :mod:`worker.signal.qrs_noise`.

By ``python -m bench.accuracy.fit_qrs DS1 --trees {kind}``, on de Chazal's DS1 of MIT-BIH: the first lead (weight 0.6),
the second (0.2), and the first with NSTDB's electrode motion at {levels} dB,
each record the same; docs/accuracy.md has what such trees do on records that were left out.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.trees import Trees

# fmt: off'''
TAIL: Final = """# fmt: on


def _table(text: str, columns: int, kind: type) -> NDArray[Any]:
    return np.array(text.split(), kind).reshape(-1, columns)


TREES: Final = Trees({start:.4g}, _table(_FEATURE, 3, int), _table(_LIMIT, 3, float), _table(_LEAF, 4, float))"""


def source_of(trees: Trees, kind: str) -> str:
    """The text of the file."""
    levels = ", ".join(f"{snr} ({weight})".replace("-", "−") for snr, weight in TREE_NOISE[kind].items())
    tables = {"_FEATURE": ("d", trees.feature), "_LIMIT": (".4g", trees.limit), "_LEAF": (".3g", trees.leaf)}
    lines = [HEAD.format(kind=kind, levels=levels)]
    for name, (digits, values) in tables.items():
        text = " ".join(format(value, digits) for value in values.ravel().tolist())
        lines += [f"{name} = (", *(f'    "{line} "' for line in textwrap.wrap(text, 110)), ")"]
    return "\n".join([*lines, TAIL.format(start=trees.start)])


def _fit(blocks: list[tuple[Floats, Floats, float]]) -> Floats:
    """Logistic regression with a little ridge, by Newton's method."""
    design = np.concatenate([block[0] for block in blocks])
    truth = np.concatenate([block[1] for block in blocks])
    weight = np.concatenate([np.full(len(block[1]), block[2] / max(1, len(block[1]))) for block in blocks])
    weight /= weight.sum()
    found = np.zeros(design.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        slope = design.T @ (weight * (chance - truth)) + RIDGE * found
        curvature = (design * (weight * chance * (1 - chance))[:, None]).T @ design + RIDGE * np.eye(len(found))
        found = found - np.linalg.solve(curvature, slope)
    return np.asarray(found)


if __name__ == "__main__":
    main()
