"""Fits ``worker/holter/classify_weights.py``: ``python -m bench.accuracy.fit_beats MITDB_FOLDER [--folds] [--write]``.

Seen are the records of the folder (each with both leads, with either alone, and with electrode noise of ``../nstdb``),
the intervals of real atrial fibrillation (``../afdb_annotations_only``) and simulated rhythms that 22 records do not
hold: runs of atrial beats, sick sinus, blocks, sinus arrhythmia; their shapes are those of real beats of the folder.
For the ventricular forest beats are also mixed: the shape measures of a ventricular beat moved towards those of a
usual one of the same record and back, so that between clear shapes P wave and timing decide.

With ``--folds`` each record is left out in turn (201 together with 202, one person) and what is printed is of records
that the model has not seen.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.beats import COLUMNS, classes_of, count, day_of, matched, summary
from bench.accuracy.data import Notes, headers, notes, recording
from bench.accuracy.noise import mix
from bench.accuracy.qrs import unscored
from bench.accuracy.simulated_rhythms import simulated
from worker.holter.beat_rhythm import RHYTHM, rhythm_of
from worker.holter.classify import Forest, decided
from worker.holter.classify_weights import packed
from worker.holter.detect import find_beats
from worker.holter.features import FEATURES, BeatFeatures, beat_features
from worker.recording import Recording

Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

VARIANTS: Final = (((0, 1), False, 1.0), ((0,), False, 0.6), ((1,), False, 0.3), ((0, 1), True, 0.3), ((0,), True, 0.2))
"""Leads, whether with noise, and how much they weigh."""
NOISE_DB: Final = (3.0, 6.0, 9.0, 12.0, 18.0)
PAIRS: Final = {"201": {"201", "202"}, "202": {"201", "202"}}
TAKEN: Final = {"hard": 150, "easy": 80, 1: 120, 2: 120, 3: 60}
AF_BEATS: Final = 900
TREES, LEAVES, RATE = 100, 16, 0.08
SHARES: Final = {"v": (3.0, 1.0, 2.0, 0.0), "s": (6.0, 2.0, 1.0, 0.2)}
"""What N, S, V and F weigh in all, for each forest."""
MIXED: Final = (0.1, 0.6)
MIXED_WEIGHT: Final = (1.0, 0.3)
"""How far V is moved towards N, and what such a V and such an N weigh."""
NOT_S: Final = ("k_share", "width", "extent", "p_usual")
NOT_V: Final = (
    *NOT_S, "spread", "q10", "q90", "steady", "irregular", "split", "split_share", "split_clean", "to_short", "to_long",
    "since_long", "until_long", "af", "af_state", "slowest", "run", "run_back", "onset", "offset", "odd", "odd_prev",
    "hold", "hold_back", "pre_slow",
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
MORE_S: Final = ("steady", "like", "corr", "min_like", "k_like", "run", "begin", "p_energy")
LESS_S: Final = (
    "pre", "pre_prev", "pre_slow", "hold", "q90", "odd", "odd_prev", "irregular", "width_rel", "extent_rel", "p_like",
    "k_width", "onset", "hold_back", "noise", "slowest", "to_short", "to_long", "af", "af_state",
    "p_rel",
)  # fmt: skip
"""Measures that may push in one direction only, whatever 22 records seem to say."""


@dataclass(frozen=True, eq=False)
class Part:
    """Beats of one record in some of its leads: measures, true classes (6 false detection, 7 not scored)."""

    record: str
    leads: tuple[int, ...]
    noisy: bool
    weight: float
    features: BeatFeatures
    truth: Labels
    missed: Labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    parts = [part for header in headers(options.folder) for part in _parts(header)]
    rhythms = _fibrillation(options.folder.parent / "afdb_annotations_only") + _simulations()
    if options.write:
        path = Path(__file__).resolve().parents[2] / "worker" / "holter" / "classify_weights.py"
        text = path.read_text().split("\n# fitted\n")[0]
        for name, forest in zip(("VENTRICULAR", "SUPRAVENTRICULAR"), _fit(parts, rhythms), strict=True):
            lines = "\n".join(
                f'    "{line}"' for line in packed(forest.feature, forest.value, forest.left, forest.roots)
            )
            text += (
                f"\n# fitted\n{name}: Final = (\n{lines}\n)\n" if name[0] == "V" else f"{name}: Final = (\n{lines}\n)\n"
            )
        path.write_text(text)
    if options.folds:
        _folds(parts, rhythms)


def _folds(parts: list[Part], rhythms: list[tuple[Float32s, Labels, bool]]) -> None:
    totals: dict[Any, Any] = {}
    for record in sorted({part.record for part in parts}):
        left_out = PAIRS.get(record, {record})
        forests = _fit([part for part in parts if part.record not in left_out], rhythms)
        for part in parts:
            if part.record == record:
                odds = [forest.odds(part.features.values) for forest in forests]
                label, _ = decided(odds[0], odds[1], part.features)
                counts = count(part.truth, label, part.missed)
                kind = (part.leads, "noisy" if part.noisy else "clean")
                totals[kind] = totals.get(kind, 0) + counts
                if kind == ((0, 1), "clean"):
                    print(record, dict(zip(COLUMNS, counts.tolist(), strict=True)), flush=True)
    for kind, total in totals.items():
        print(kind, {name: round(value, 2) for name, value in summary(total).items()})


def _parts(header: Path) -> list[Part]:
    found = notes(header, "atr")
    if found is None:
        return []
    clean = recording(header)
    noisy = _with_noise(clean, found, header)
    parts = []
    for leads, with_noise, weight in VARIANTS:
        whole = noisy if with_noise else clean
        if whole is None:
            continue
        day = day_of(whole, leads)
        beats = find_beats(day)
        truth, missed = matched(found, beats, whole.sampling_hz, unscored(found, whole.n_samples))
        parts.append(Part(header.stem, leads, with_noise, weight, beat_features(day, beats), truth, missed))
    return parts


def _with_noise(clean: Recording, found: Notes, header: Path) -> Recording | None:
    """The record with electrode motion, two minutes with and two without; None where there is no noise record."""
    file = header.parent.parent / "nstdb" / "em.hea"
    if not file.exists():
        return None
    random = np.random.default_rng(int("".join(filter(str.isdigit, header.stem)) or 0))
    wave = recording(file).microvolts() / 1000
    mv = clean.microvolts() / 1000
    for lead in range(len(mv)):
        noise = np.roll(wave[int(random.integers(len(wave)))], int(random.integers(wave.shape[1])))
        mv[lead], _ = mix(mv[lead], noise, found.beats, clean.sampling_hz, float(random.choice(NOISE_DB)))
    digital = np.rint(1000 * mv / clean.uv_per_lsb[:, None] + clean.baseline[:, None])
    return replace(clean, digital=np.clip(digital, -32767, 32767).astype(np.int16))


def _fibrillation(folder: Path) -> list[tuple[Float32s, Labels, bool]]:
    """Rhythm measures of beats in atrial fibrillation, none of which is supraventricular."""
    import wfdb

    random = np.random.default_rng(1)
    found = []
    for header in headers(folder) if folder.is_dir() else []:
        hz = wfdb.rdheader(str(header.with_suffix(""))).fs
        seconds = np.asarray(wfdb.rdann(str(header.with_suffix("")), "qrs").sample) / hz
        seconds = seconds[np.diff(seconds, prepend=-1.0) > 0.15]
        rhythm = notes(header, "atr")
        assert rhythm is not None
        starts = [*(rhythm.at / hz).tolist(), float(seconds[-1])]
        inside = np.zeros(len(seconds), bool)
        for start, stop, text in zip(starts[:-1], starts[1:], rhythm.text, strict=True):
            inside |= (text == "(AFIB") & (seconds > start + 15) & (seconds < stop - 15)
        chosen = np.flatnonzero(inside)
        chosen = random.choice(chosen, min(AF_BEATS, len(chosen)), replace=False)
        measured = rhythm_of(seconds, np.ones(len(seconds), bool))[chosen]
        found.append((measured, np.zeros(len(chosen), np.int64), True))
    return found


def _simulations() -> list[tuple[Float32s, Labels, bool]]:
    random = np.random.default_rng(3)
    found = []
    for seconds, early in simulated():
        chosen = random.choice(np.arange(20, len(seconds) - 20), 90, replace=False)
        measured = rhythm_of(seconds, np.ones(len(seconds), bool))[chosen]
        found.append((measured, early[chosen], False))
    return found


def _fit(parts: list[Part], rhythms: list[tuple[Float32s, Labels, bool]]) -> tuple[Forest, Forest]:
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
    for number, (measured, label, fibrillating) in enumerate(rhythms):
        rows.append(_dressed(measured, label, fibrillating, parts, random))
        truth.append(label)
        weight.append(np.ones(len(label)))
        record += [f"rhythm{number}" if fibrillating else "simulated"] * len(label)
    x, y, w = np.concatenate(rows), np.concatenate(truth), np.concatenate(weight)
    w = _balanced(y, w, np.array(record))
    real = (np.arange(len(y)) < n_real) & (y != 3)
    names = np.array(record)[real]
    mixed, of, times = _mixed(x[real], y[real], names, random)
    xv, yv = np.concatenate([x[real], mixed]), np.concatenate([y[real], y[real][of]])
    wv = np.concatenate([w[real], w[real][of] * times])
    v = _forest(xv, yv, 2, _shares(yv, wv, SHARES["v"]), MORE_V, LESS_V, NOT_V)
    s = _forest(x, y, 1, _shares(y, w, SHARES["s"]), MORE_S, LESS_S, NOT_S)
    return v, s


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


def _dressed(
    rhythm: Float32s, label: Labels, fibrillating: bool, parts: list[Part], random: np.random.Generator
) -> Float32s:
    """Rows of features: these intervals, and the shapes of one record's normal and of real supraventricular beats."""
    both = [part for part in parts if len(part.leads) == 2 and not part.noisy]
    normal = both[int(random.integers(len(both)))]
    usual = normal.features.values[normal.truth == 0]
    early = np.concatenate(
        [part.features.values[(part.truth == 1) & (part.features.column("like") > 0.7)] for part in both]
    )
    rows = usual[random.integers(0, len(usual), len(label))].copy()
    other = early[random.integers(0, len(early), len(label))]
    if fibrillating:
        p = np.array([number for number, name in enumerate(FEATURES) if name.startswith("p_")])
        chosen = np.flatnonzero(random.random(len(label)) < 0.6)
        rows[np.ix_(chosen, p)] = other[np.ix_(chosen, p)]
    else:
        rows[label == 1] = other[label == 1]
    rows[:, len(FEATURES) - len(RHYTHM) :] = rhythm
    return rows


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
