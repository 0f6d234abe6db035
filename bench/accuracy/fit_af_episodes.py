"""Fits the coefficients of ``worker/holter/af.py``: ``python -m bench.accuracy.fit_af_episodes ECG_DATA [--folds]``.

Seen are the RR series of AFDB, MIT-BIH, CPSC 2021 (beats as annotated and as detected) and CinC 2017 (as detected),
and series made from their sinus rhythm by putting in early beats, blocked ones, bigeminy, runs and errors of
detection: there is no end of ectopy, and the records hold only some kinds. With ``--folds`` each patient of AFDB,
MIT-BIH and CPSC 2021 is judged, on the annotated beats, by coefficients that have not seen him; without, the
coefficients for the source file are printed.
"""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.af_data import Rhythm, rhythms
from bench.accuracy.af_episodes import compare, episodes_of_beats, table_of
from bench.accuracy.data import headers, recording
from worker.holter import af
from worker.holter.af_measures import RR_S, measures
from worker.signal.qrs import find_beats

Floats = NDArray[np.float64]
LONG: Final = ("afdb_annotations_only", "mitdb", "cpsc2021")
WEIGHT: Final = {"afdb_annotations_only": 1.0, "mitdb": 0.25, "cpsc2021": 0.15, "cinc2017": 0.04, "made": 0.004}
"""Of one record of each kind."""
EVERY: Final = {"afdb_annotations_only": 13, "made": 11}
MADE: Final = 60
MADE_BEATS: Final = 500
RIDGE: Final = 1e-5
STEPS: Final = 12


@dataclass(frozen=True, eq=False)
class Series:
    """One RR series; ``fibrillates`` is -1 where it is not to be learned from."""

    kind: str
    name: str
    rr_s: Floats
    counts: NDArray[np.bool_]
    fibrillates: NDArray[np.int_]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", action="store_true")
    options = parser.parse_args()
    series = collected(options.folder)
    if not options.folds:
        print(f"COEFFICIENTS: Final = np.array({np.round(fit(series), 2).tolist()})")
        return
    for kind in LONG:
        print(table_of(f"{kind}, each patient left out", _left_out(options.folder / kind, series)).text())


def _left_out(folder: Path, series: list[Series]) -> Iterator[tuple[str, Any]]:
    """(record, counts of :func:`compare`)."""
    for rhythm in rhythms(folder):
        coefficients = fit([one for one in series if _patient(one.name) != _patient(rhythm.name)])
        with patch.object(af, "COEFFICIENTS", coefficients):
            yield rhythm.name, compare(rhythm, episodes_of_beats(rhythm))


def _patient(name: str) -> str:
    """CPSC 2021 has several records of one patient."""
    return name.rsplit("_", 1)[0]


def collected(folder: Path) -> list[Series]:
    """All series, those made from the others behind them."""
    found: list[Series] = []
    for kind in LONG:
        for rhythm in rhythms(folder / kind):
            found.append(_series(kind, rhythm, rhythm.at, rhythm.ventricular))
            if rhythm.has_signal:
                whole = recording(folder / kind / f"{rhythm.name}.hea")
                at = find_beats(whole.microvolts(), whole.sampling_hz)
                near = np.abs(at[:, None] - rhythm.at[rhythm.ventricular][None]).min(axis=1, initial=10**9)
                found.append(_series(kind, rhythm, at, near < 0.15 * rhythm.hz))
    words = dict(csv.reader((folder / "cinc2017" / "REFERENCE.csv").open(encoding="utf-8")))
    for header in headers(folder / "cinc2017"):
        if words.get(header.stem, "~") != "~":
            strip = recording(header)
            at = find_beats(strip.microvolts(), strip.sampling_hz)
            truth = np.full(len(at), int(words[header.stem] == "A"))
            if len(at) >= 8:
                found.append(Series("cinc2017", header.stem, *_intervals(at, strip.sampling_hz, at < 0), truth))
    return found + _made(found)


def _series(kind: str, rhythm: Rhythm, at: NDArray[np.int_], ventricular: NDArray[np.bool_]) -> Series:
    moved = Rhythm(rhythm.name, rhythm.hz, at, ventricular, [], [], rhythm.n, rhythm.has_signal)
    truth = np.where(moved.inside(rhythm.flutter), -1, moved.inside(rhythm.fibrillation).astype(int))
    return Series(kind, rhythm.name, *_intervals(at, rhythm.hz, ventricular), truth)


def _intervals(at: NDArray[np.int_], hz: float, left_out: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    rr = np.diff(at, prepend=at[:1]) / hz
    rr[:1] = rr[1:2]
    return np.clip(rr, *RR_S), af.counted(left_out)


def fit(series: list[Series]) -> Floats:
    """Coefficients of the measures and a constant: logistic regression (Newton)."""
    rows, truth, weight = [], [], []
    for one in series:
        chosen = np.flatnonzero(one.fibrillates >= 0)[:: EVERY.get(one.kind, 4)]
        if not chosen.size:
            continue
        rows.append(measures(one.rr_s, one.counts)[chosen])
        truth.append(one.fibrillates[chosen])
        each = np.full(chosen.size, WEIGHT[one.kind] / chosen.size)
        if one.kind == "afdb_annotations_only":
            for state in (0, 1):
                share = float(np.mean(truth[-1] == state))
                each[truth[-1] == state] *= 0.5 / np.sqrt(max(share, 1e-9))
        weight.append(each)
    x, y, w = np.concatenate(rows), np.concatenate(truth).astype(float), np.concatenate(weight)
    w /= w.sum()
    design = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    found = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        slope = design.T @ (w * (chance - y)) + RIDGE * found
        curvature = (design * (w * chance * (1 - chance))[:, None]).T @ design + RIDGE * np.eye(len(found))
        found = found - np.linalg.solve(curvature, slope)
    return found


def _made(series: list[Series]) -> list[Series]:
    """Sinus rhythm with ectopy put in, and fibrillation at other rates; a third of them fibrillates."""
    made = []
    for number, one in enumerate(
        s for s in series if s.kind in ("afdb_annotations_only", "mitdb") and len(s.rr_s) > 300
    ):
        rng = np.random.default_rng(number)
        calm, wild = (_pieces(one, state) for state in (0, 1))
        for copy in range(MADE if one.kind != "mitdb" else MADE // 4):
            fibrillates = copy % 3 == 0
            if fibrillates and not wild:
                continue
            if fibrillates:
                rr = wild[rng.integers(len(wild))] * rng.uniform(0.8, 1.25)
                rr = _early(rr, rng) if rng.random() < 0.5 else rr
            else:
                base = calm[rng.integers(len(calm))] if calm and rng.random() < 0.65 else _sinus(rng, MADE_BEATS)
                rr = _ectopy(base * rng.uniform(0.8, 1.25), rng) if rng.random() < 0.85 else base
            rr = np.clip(_errors(rr, rng), *RR_S)
            truth = np.full(len(rr), int(fibrillates))
            made.append(Series("made", one.name, rr, np.arange(len(rr)) > 0, truth))
    return made


def _pieces(one: Series, state: int) -> list[Floats]:
    """Stretches of this state; those of sinus rhythm only where it is nearly free of ectopy."""
    found = []
    for start in range(0, len(one.rr_s) - MADE_BEATS, MADE_BEATS):
        part = slice(start, start + MADE_BEATS)
        steady = np.mean(np.abs(np.diff(np.log(one.rr_s[part]))) > 0.12) < 0.04
        if (one.fibrillates[part] == state).all() and (state == 1 or steady):
            found.append(one.rr_s[part])
    return found


def _smooth(rng: np.random.Generator, n: int, width: int) -> Floats:
    knots = rng.standard_normal(n // width + 3)
    return np.asarray(np.interp(np.arange(n) / width, np.arange(len(knots)), knots))


def _sinus(rng: np.random.Generator, n: int) -> Floats:
    rr = rng.uniform(0.5, 1.2) * (1 + rng.uniform(0.01, 0.1) * _smooth(rng, n, int(rng.integers(30, 200))))
    breath = np.sin(2 * np.pi * np.arange(n) / rng.uniform(2.5, 6) + 2 * _smooth(rng, n, 40))
    rr = rr * (1 + rng.uniform(0, 0.12) * breath)
    return np.asarray(np.clip(rr * (1 + rng.choice([0.005, 0.01, 0.02]) * rng.standard_normal(n)), 0.3, 2.2))


def _ectopy(rr: Floats, rng: np.random.Generator) -> Floats:
    """Early atrial or ventricular beats, blocked ones, bi- to quadrigeminy, runs; often or seldom, alike or not."""
    kind = str(rng.choice(["atrial", "ventricular", "both", "geminy", "blocked", "runs"]))
    often = rng.uniform(0.02, 0.4)
    chance = 1 / (1 + np.exp(-(np.log(often / (1 - often)) + 1.2 * _smooth(rng, len(rr), 60))))
    coupling, loose = rng.uniform(0.45, 0.88), rng.choice([0.01, 0.03, 0.08])
    pause, varies = rng.uniform(-0.05, 0.3), rng.choice([0.01, 0.03, 0.06])
    again = rng.uniform(0.1, 0.7) if kind == "runs" else rng.choice([0.0, 0.15, 0.3])
    period = int(rng.integers(2, 5))
    out: list[float] = []
    i = 0
    while i < len(rr) - 1:
        regular = i % period == 0 and rng.random() < 0.3 + 0.69 * (np.sin(i / 90) > 0)
        if not (regular if kind == "geminy" else rng.random() < chance[i]):
            out.append(rr[i])
            i += 1
            continue
        one = kind
        if kind in ("both", "geminy", "runs"):
            one = str(rng.choice(["atrial", "ventricular", "blocked"], p=[0.47, 0.47, 0.06]))
        if one == "blocked":
            out.append(rr[i] * np.clip(rng.normal(1.35 + pause, varies + 0.03), 1.1, 2))
            i += 1
            continue
        early = np.clip(coupling + loose * rng.standard_normal(), 0.35, 0.95)
        out.append(rr[i] * early)
        while rng.random() < again and len(out) < len(rr):
            out.append(rr[i] * np.clip(early + rng.normal(0, loose * 1.5), 0.3, 1))
        full = 2 - early + rng.normal(0, 0.01) if rng.random() > 0.07 else 1.15 - early
        out.append(rr[i] * (full if one == "ventricular" else 1 + pause + rng.normal(0, varies)))
        i += 2
    return np.array(out)


def _early(rr: Floats, rng: np.random.Generator) -> Floats:
    """Ventricular beats within fibrillation."""
    often, coupling = rng.choice([0.05, 0.15]), rng.uniform(0.35, 0.55)
    out: list[float] = []
    for value in rr.tolist():
        out += (
            [coupling + 0.02 * rng.standard_normal(), value * rng.uniform(1, 1.3)] if rng.random() < often else [value]
        )
    return np.array(out)


def _errors(rr: Floats, rng: np.random.Generator) -> Floats:
    """Beats that the detector missed or made up."""
    missed, false = rng.choice([0.0, 0.0, 0.005, 0.02], 2)
    out: list[float] = []
    carried = 0.0
    for value in rr.tolist():
        whole, carried = value + carried, 0.0
        if rng.random() < missed:
            carried = whole
        elif rng.random() < false:
            share = rng.uniform(0.3, 0.7)
            out += [whole * share, whole * (1 - share)]
        else:
            out.append(whole)
    return np.array(out)


if __name__ == "__main__":
    main()
