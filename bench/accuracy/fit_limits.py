"""Fits ``worker/signal/lead_limits_weights.py``: ``python -m bench.accuracy.fit_limits ECG_DATA [--folds N]``.

LUDB and QTDB, every mark, and simulated and drawn beats, of which the limits are known: what readers of real hearts
agree on must not move the limits of a wave that begins and ends sharply.

With ``--folds`` records are left out in turn, and what is printed is of records that the
trees have not seen; without, the source of the file is printed.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor

from bench.accuracy import calibration_signals as signals
from bench.accuracy.critical_cases import as_recording
from bench.accuracy.global_limits import LEAST_LEADS
from bench.accuracy.limit_marks import Mark, Marked, beat_of, marked
from gateway.simulate.generator import generate
from worker.resting.patient import Person
from worker.resting.reading import read_signal
from worker.resting.traces import prepare
from worker.signal import beat_limits, lead_limits
from worker.signal.trees import Trees

Floats = NDArray[np.float64]
TREES: Final = 110
RATE: Final = 0.08
LEAST_IN_LEAF: Final = 80
RIDGE: Final = 5.0
WEIGHT: Final = {"ludb": 1.0, "qtdb": 2.0, "made": 0.35}
"""A mark of QTDB is of one of two leads, one of LUDB of the lead itself, and there are ten times as many."""
SIMULATED: Final = ("sinus", "sinus-tachycardia", "av-block-first", "lbbb", "rbbb", "long-qt", "stemi-inferior")
FIRST_SEED: Final = 1000
"""The tests take the first seeds."""
PEOPLE: Final = 4
LONG_QT_PEOPLE: Final = 30
"""For the end of T alone: where it comes near the end of the median beat, it mostly is the next P that readers did not
mark, and without them the trees take a quarter of the long QT for that, too (-9 ± 16 ms left out, now 0 ± 3)."""
DRAWN: Final = 30


class Rows:
    """What the trees see and what the readers said, row by row, of one limit."""

    def __init__(self) -> None:
        self.measures: list[Floats] = []
        self.error_ms: list[float] = []
        self.weight: list[float] = []
        self.of: list[tuple[str, str, int]] = []
        """(data set, record, mark)."""
        self.stands: list[tuple[int, float]] = []
        """(beat, ms of the recording from which the error is told)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    options = parser.parse_args()
    rows = {name: Rows() for name in lead_limits.LIMITS}
    for data in WEIGHT:
        for stretch in made() if data == "made" else marked(options.data / data):
            add(rows, data, stretch)
    for seed in range(FIRST_SEED + PEOPLE, FIRST_SEED + PEOPLE + LONG_QT_PEOPLE):
        add({"t_off": rows["t_off"]}, "made", _simulated("long-qt", seed))
    if not options.folds:
        print(source_of({name: fit(*arrays(found)) for name, found in rows.items()}))
        return
    for name, found in rows.items():
        left_out(name, found, options.folds)


def made() -> Iterator[Marked]:
    """Simulated people, and drawn signals of chance sizes."""
    for name in SIMULATED:
        for seed in range(FIRST_SEED, FIRST_SEED + PEOPLE):
            yield _simulated(name, seed)
    rng = np.random.default_rng(0)
    for number in range(DRAWN):
        rr_ms = float(rng.uniform(620, 1300))
        qt_ms = float(np.clip(410 * np.sqrt(rr_ms / 1000) + rng.normal(0, 15), 260, 0.75 * rr_ms))
        usual = signals.SIGNALS[int(rng.integers(5))]
        gain = float(rng.uniform(0.6, 1.4))
        yield _drawn(
            replace(
                usual,
                name=f"drawn{number}",
                leads={
                    lead: signals.Lead(*(gain * size for size in astuple(waves))) for lead, waves in usual.leads.items()
                },
                rr_ms=rr_ms,
                p_ms=float(rng.uniform(85, 125)),
                pr_ms=float(rng.uniform(130, 200)) if rr_ms > 700 else 130.0,
                q_ms=float(rng.uniform(12, 30)),
                r_ms=float(rng.uniform(36, 70)),
                s_ms=float(rng.uniform(20, 50)),
                qt_ms=qt_ms,
                t_ms=float(rng.uniform(0.35, 0.48)) * qt_ms,
                sharp=bool(number % 2),
            ),
            signals.NOISES[number % 2],
        )


def _drawn(signal: signals.Signal, noise: str) -> Marked:
    recording = signals.drawn(signal, noise)
    marks = []
    for row, lead in enumerate(recording.leads):
        waves = signal.leads[lead]
        begins_ms = 0.0 if waves.q else signal.q_ms
        ends_ms = signal.qrs_ms if waves.s else signal.qrs_ms - signal.s_ms
        for onset_s in signals.onsets_s(signal)[1:-2]:
            for wave, on_ms, off_ms in (
                ("p", -signal.pr_ms, signal.p_ms - signal.pr_ms),
                ("qrs", begins_ms, ends_ms),
                ("t", signal.qt_ms - signal.t_ms, signal.qt_ms),
            ):
                on, off = (round((onset_s + ms / 1000) * recording.sampling_hz) for ms in (on_ms, off_ms))
                marks.append(Mark(wave, on, (on + off) // 2, off, (row,)))
    return Marked(signal.name, recording, marks)


def _simulated(name: str, seed: int) -> Marked:
    ecg = generate(name, seed=seed, sex="M" if seed % 2 else "F", age_years=30 + seed % 50)
    truth, hz = ecg.truth, ecg.sampling_hz
    recording = as_recording(ecg)
    p_ms, pr_ms, qrs_ms, qt_ms = (float(value or 0) for value in (truth.p_ms, truth.pr_ms, truth.qrs_ms, truth.qt_ms))
    marks = []
    for p_s in truth.p_onsets_s:
        for wave, on_ms, off_ms in (
            ("p", 0.0, p_ms),
            ("qrs", pr_ms, pr_ms + qrs_ms),
            ("t", pr_ms + 250, pr_ms + qt_ms),
        ):
            on, off = (round((p_s + ms / 1000) * hz) for ms in (on_ms, off_ms))
            if on > 0 and off < recording.n_samples:
                marks += [Mark(wave, on, (on + off) // 2, off, (row,)) for row in range(12)]
    return Marked(f"{name}{seed}", recording, marks)


def add(rows: dict[str, Rows], data: str, stretch: Marked) -> None:
    """The rows of one stretch, of the limits that are asked for."""
    traces = prepare(stretch.record)
    reading = read_signal(traces, Person(), calibrated=True)
    if reading.first_limits is None:
        return
    beats, hz, factor = reading.beats, traces.hz, traces.hz / stretch.record.sampling_hz
    place: dict[int, tuple[beat_limits.Kind, int, dict[str, Any], dict[str, Floats]]] = {}
    for kind in beat_limits.kinds(traces.clean, beats, reading.rows, hz, reading.median, reading.first_limits):
        if kind.limits is None:
            continue
        described = lead_limits.describe(kind.usual.signal, reading.rows, kind.limits, hz)
        for number, beat in enumerate(kind.members.tolist()):
            start = float(beats.at[beat] + kind.shift[number] - kind.usual.r)
            place[beat] = (kind, number, described, {"start": np.array([start])} | moves(kind, reading.rows, hz))
    for number, mark in enumerate(stretch.marks):
        beat_number = beat_of(mark, beats.at, hz, factor)
        if beat_number is None or beat_number not in place:
            continue
        _, member, described, moved = place[beat_number]
        for side, at in (("on", mark.on), ("off", mark.off)):
            name = f"{mark.wave}_{side}"
            if at is None or name not in described or name not in rows:
                continue
            first, measures = described[name]
            stands = float(moved["start"][0]) + first + float(moved.get(mark.wave, np.zeros(member + 1))[member])
            for row in mark.rows:
                rows[name].measures.append(measures[row])
                rows[name].error_ms.append((at * factor - stands) * 1000 / hz)
                rows[name].weight.append(WEIGHT[data])
                rows[name].of.append((data, stretch.name.split(":")[0], number))
                rows[name].stands.append((beat_number, stands * 1000 / hz))


def moves(kind: beat_limits.Kind, rows: list[int], hz: float) -> dict[str, Floats]:
    """Samples by which P and T of each member stand later than the median's."""
    limits, found = kind.limits, {}
    if limits is not None and limits.p_on is not None and limits.p_off is not None:
        found["p"] = beat_limits.moved(kind, rows, (limits.p_on, limits.p_off), "p", lead_limits.P_SMOOTH_S, hz)[:, 0]
    if limits is not None and limits.t_peak is not None and limits.t_off is not None:
        found["t"] = beat_limits.moved(kind, rows, (limits.t_peak, limits.t_off), "t", lead_limits.T_SMOOTH_S, hz)[:, 0]
    return found


def arrays(found: Rows) -> tuple[Floats, Floats, Floats]:
    return np.array(found.measures), np.array(found.error_ms), np.array(found.weight)


def fit(measures: Floats, error_ms: Floats, weight: Floats) -> Trees:
    """Trees of two levels for the least absolute error: the readers' slips do not pull."""
    model = HistGradientBoostingRegressor(
        loss="absolute_error", max_iter=TREES, max_depth=2, max_leaf_nodes=4, learning_rate=RATE,
        min_samples_leaf=LEAST_IN_LEAF, l2_regularization=RIDGE, random_state=0,
    ).fit(measures, error_ms, sample_weight=weight)  # fmt: skip
    return as_tables(model)


def as_tables(model: HistGradientBoostingRegressor) -> Trees:
    """The same trees as three tables; a branch that was not split answers the same on both sides."""
    feature, limit, leaf = [], [], []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        root = nodes[0]
        if root["is_leaf"]:
            feature.append([0, 0, 0])
            limit.append([0.0, 0.0, 0.0])
            leaf.append([float(root["value"])] * 4)
            continue
        questions, limits, leaves = [int(root["feature_idx"])], [float(root["num_threshold"])], []
        for side in (nodes[root["left"]], nodes[root["right"]]):
            questions.append(0 if side["is_leaf"] else int(side["feature_idx"]))
            limits.append(0.0 if side["is_leaf"] else float(side["num_threshold"]))
            ends = [side, side] if side["is_leaf"] else [nodes[side["left"]], nodes[side["right"]]]
            leaves += [float(end["value"]) for end in ends]
        feature.append(questions)
        limit.append(limits)
        leaf.append(leaves)
    start = float(np.ravel(model._baseline_prediction)[0])
    return Trees(start, np.array(feature), np.array(limit), np.array(leaf))


def left_out(name: str, found: Rows, folds: int) -> None:
    """Print mean and SD of what was left out."""
    measures, error_ms, weight = arrays(found)
    records = sorted({(data, record) for data, record, _ in found.of})
    order = np.random.default_rng(0).permutation(np.arange(len(records)) % folds)
    fold = np.array([order[records.index((data, record))] for data, record, _ in found.of])
    said = np.zeros(len(error_ms))
    for number in range(folds):
        seen = fold != number
        said[~seen] = fit(measures[seen], error_ms[seen], weight[seen]).log_odds(measures[~seen])
    for data in WEIGHT:
        best: dict[tuple[str, int], float] = {}
        for (of, record, mark), error in zip(found.of, said - error_ms, strict=True):
            if of == data and abs(error) < abs(best.get((record, mark), np.inf)):
                best[record, mark] = float(error)
        at = np.array(list(best.values()))
        robust = 1.4826 * float(np.median(np.abs(at - np.median(at))))
        print(f"{data} {name:8} {len(at):6} marks, {at.mean():6.1f} ± {at.std():5.1f} ms, robust {robust:5.1f}")
    together_left_out(name, found, said, error_ms)


def together_left_out(name: str, found: Rows, said: Floats, marked_ms: Floats) -> None:
    """Print the same of LUDB's global limits: the medians of the leads, by beats and by records."""
    beats: dict[tuple[str, int], list[tuple[float, float]]] = defaultdict(list)
    for (data, record, _), (beat, at_ms), ours, theirs in zip(found.of, found.stands, said, marked_ms, strict=True):
        if data == "ludb":
            beats[record, beat].append((at_ms + ours, at_ms + theirs))
    records: dict[str, list[float]] = defaultdict(list)
    for (record, _), pairs in beats.items():
        if len(pairs) >= LEAST_LEADS:
            ours_ms, theirs_ms = np.median(np.array(pairs), axis=0)
            records[record].append(float(ours_ms - theirs_ms))
    every = np.concatenate([np.array(errors) for errors in records.values()])
    one = np.array([np.median(errors) for errors in records.values()])
    print(
        f"ludb {name:8} all leads: {every.size} beats, {every.mean():6.1f} ± {every.std():5.1f} ms; "
        f"{one.size} records, {one.mean():6.1f} ± {one.std():5.1f} ms"
    )


def source_of(found: dict[str, Trees]) -> str:
    """The file's text."""
    lines = [
        '"""Coefficients of :mod:`worker.signal.lead_limits`, fitted by ``bench/accuracy/fit_limits.py``."""',
        "",
        "from typing import Any, Final",
        "",
        "import numpy as np",
        "from numpy.typing import NDArray",
        "",
        "from worker.signal.trees import Trees",
        "",
        "# fmt: off",
    ]
    for name, trees in found.items():
        for part, text in (
            ("FEATURE", " ".join(str(value) for value in trees.feature.ravel())),
            ("LIMIT", " ".join(f"{value:.4g}" for value in trees.limit.ravel())),
            ("LEAF", " ".join(f"{value:.3f}".rstrip("0").rstrip(".") for value in trees.leaf.ravel())),
        ):
            lines += [f"_{name.upper()}_{part} = (", *_wrapped(text), ")"]
    lines += ["# fmt: on", "", "", "def _table(text: str, columns: int, kind: type) -> NDArray[Any]:"]
    lines += ["    return np.array(text.split(), kind).reshape(-1, columns)", "", ""]
    lines += ["TREES: Final[dict[str, Trees]] = {"]
    for name, trees in found.items():
        upper = f"_{name.upper()}"
        lines.append(f'    "{name}": Trees(')
        lines.append(f"        {trees.start:.4g}, _table({upper}_FEATURE, 3, int), _table({upper}_LIMIT, 3, float),")
        lines.append(f"        _table({upper}_LEAF, 4, float),")
        lines.append("    ),")
    return "\n".join([*lines, "}"])


def _wrapped(text: str) -> list[str]:
    import textwrap

    return [f'    "{line} "' for line in textwrap.wrap(text, 110)]


if __name__ == "__main__":
    main()
