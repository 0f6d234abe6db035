"""Fits ``worker/signal/fibrillation_weights.py``: ``python -m bench.accuracy.fit_vf ECG_DATA [--folds N]``.

Windows of 8 s whose annotated rhythm is one, every 4 s of VFDB and CUDB, every 16 s of MIT-BIH, the first of the short
records (12 leads and lead II alone), false alarms of CinC 2015. With ``--folds`` records are left out in turn and the
figures printed first are of windows that the coefficients have not seen; the source of those fitted to all follows.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.alarms import ALARM_S, alarm_of, ecg_before
from bench.accuracy.data import cut, headers, notes, recording
from bench.accuracy.vf import STEP_S, WINDOW_S, railed, rhythm_of
from worker.recording import Recording
from worker.resting.artefacts import without_artefacts
from worker.resting.quality import lead_qualities, usable_rows
from worker.resting.reading import heard_rows
from worker.resting.traces import prepare
from worker.signal import fibrillation
from worker.signal.beats import describe
from worker.signal.filters import Floats
from worker.signal.qrs import detect
from worker.signal.ventricular_form import form_of

ANNOTATED: Final = {"vfdb": STEP_S, "cudb": STEP_S, "mitdb": 16.0}
"""Seconds from window to window."""
SHORT: Final = {"ludb": "II", "cpsc2018_12lead": "II", "cinc2017": "", "cpsc2021": ""}
"""The lead that is read alone as well."""
TACHYCARDIA_NOT_SAID: Final = "cudb"
"""Its annotations bracket fibrillation only: the rest holds ventricular tachycardia, and is no example against it."""
EVEN: Final = (0.6, 0.15)
"""Share of alike beats and spread of RR over its mean of annotated tachycardia that is no example of quivering."""
RIDGE: Final = 0.003
"""scikit-learn's C, with squares of 33 scaled measures, chosen by the figures left out by record."""


class Window(NamedTuple):
    """One example; ``label`` as :func:`bench.accuracy.vf.rhythm_of` has it."""

    source: str
    record: str
    label: str
    recording: Recording


def windows(data: Path) -> Iterator[Window]:
    """Every example in the folder."""
    for folder, step_s in ANNOTATED.items():
        for header in headers(data / folder):
            yield from _annotated(folder, header, step_s)
    for folder, alone in SHORT.items():
        for header in headers(data / folder):
            whole = recording(header)
            n = round(WINDOW_S * whole.sampling_hz)
            if whole.n_samples >= n:
                yield Window(folder, header.stem, "N", cut(whole, 0, n))
                if alone in whole.leads:
                    yield Window(folder, header.stem, "N", cut(whole, 0, n, [whole.leads.index(alone)]))
    for header in headers(data / "cinc2015"):
        if not alarm_of(header)[1]:
            for end_s in (ALARM_S, ALARM_S - WINDOW_S):
                yield Window("cinc2015", header.stem, "N", ecg_before(header, WINDOW_S, end_s))


def _annotated(folder: str, header: Path, step_s: float) -> Iterator[Window]:
    found, whole = notes(header, "atr"), recording(header)
    if found is None:
        return
    letters = rhythm_of(found, whole.n_samples)
    width, step = round(WINDOW_S * whole.sampling_hz), round(step_s * whole.sampling_hz)
    for start in range(0, whole.n_samples - width + 1, step):
        part = letters[start : start + width]
        strip = cut(whole, start, start + width)
        if part[0] in "FTN" and (part == part[0]).all() and not railed(strip):
            yield Window(folder, header.stem.replace("202", "201"), str(part[0]), strip)


def measures_of(strip: Recording) -> tuple[Floats, float, bool, bool]:
    """(33 measures, peak to peak µV, whether the pre-read asks for them, whether one shape repeats) of a window; zeros
    where no lead is heard."""
    traces = prepare(strip)
    qualities = lead_qualities(traces)
    rows = usable_rows(qualities, traces.leads, derived=False) or heard_rows(qualities)
    if not rows:
        return np.zeros(len(fibrillation.NAMES)), 0.0, False, False
    shape = traces.shape[rows]
    beats = describe(shape, detect(traces.spectrum, rows).beats, traces.hz)
    beats = without_artefacts(shape, beats, traces.hz)
    band = fibrillation.band_of(traces.spectrum, rows)
    span, n = float(np.ptp(band, axis=1).max()), band.shape[1]
    part, hz = fibrillation.thinned(band, traces.hz, 0, n)
    values = fibrillation.window_measures(part, hz, span, fibrillation.of_beats(beats, 0, n, traces.hz))
    asked = not fibrillation.calm(part, hz)
    return values, span, asked, asked and form_of(part, hz).kind == "monomorphic"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    options = parser.parse_args()
    rows: list[Floats] = []
    spans: list[float] = []
    about: list[tuple[str, str, str]] = []
    asked: list[bool] = []
    repeats: list[bool] = []
    for window in windows(options.data):
        values, span, is_asked, is_one_shape = measures_of(window.recording)
        rows.append(values)
        spans.append(span)
        asked.append(is_asked)
        repeats.append(is_one_shape)
        about.append((window.source, f"{window.source} {window.record}", window.label))
    examples = Examples(
        np.array(rows), np.array(spans), np.array(asked), np.array(repeats), *map(np.array, zip(*about, strict=True))
    )
    if options.folds:
        _left_out(examples, options.folds)
    print(source_of(*fit(examples, examples.span > 0)))


class Examples(NamedTuple):
    """Arrays of one value a window; ``asked`` where it is not calm, ``repeats`` where one shape does."""

    x: Floats
    span: Floats
    asked: NDArray[np.bool_]
    repeats: NDArray[np.bool_]
    source: NDArray[np.str_]
    record: NDArray[np.str_]
    label: NDArray[np.str_]


def fit(examples: Examples, seen: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """(centre, scale, (67, 2) coefficients): it quivers; it quivers or races."""
    x = examples.x[seen]
    centre, scale = x.mean(axis=0), x.std(axis=0) + 1e-9
    label = examples.label
    alike, irregular = (examples.x[:, fibrillation.NAMES.index(name)] for name in ("alike", "irregular"))
    even = (alike >= EVEN[0]) & (irregular < EVEN[1])
    racing = label == "T"
    quivers = (label == "F") | (racing & ~even)  # what is called tachycardia there and is not even is treated alike
    first = _logistic(examples, quivers, seen & ~(racing & even), centre, scale)
    unsaid = (examples.source == TACHYCARDIA_NOT_SAID) & (label == "N")
    second = _logistic(examples, (label == "F") | racing, seen & ~unsaid, centre, scale)
    return centre, scale, np.stack([first, second], axis=1)


def _logistic(
    examples: Examples, truth: NDArray[np.bool_], seen: NDArray[np.bool_], centre: Floats, scale: Floats
) -> Floats:
    from sklearn.linear_model import LogisticRegression

    scaled = np.clip((examples.x[seen] - centre) / scale, -3, 3)
    y, records = truth[seen], examples.record[seen]
    many = Counter(records.tolist())
    weight = np.array([1 / np.sqrt(many[record]) for record in records.tolist()])
    weight *= np.where(y, 0.5 / weight[y].sum(), 0.5 / weight[~y].sum()) * y.size
    model = LogisticRegression(C=RIDGE, solver="newton-cholesky")
    model.fit(np.hstack([scaled, scaled**2]), y, sample_weight=weight)
    return np.concatenate([model.coef_[0], model.intercept_])


def _left_out(examples: Examples, folds: int) -> None:
    of_record = Counter(examples.record[examples.label == "F"].tolist())
    order = sorted(set(examples.record.tolist()), key=lambda record: (-of_record[record], record))
    fold = np.array([order.index(record) % folds for record in examples.record.tolist()])
    odds = np.full((len(examples.x), 2), fibrillation.CALM_ODDS)
    for number in range(folds):
        centre, scale, coefficients = fit(examples, (fold != number) & (examples.span > 0))
        mine = (fold == number) & examples.asked
        scaled = np.clip((examples.x[mine] - centre) / scale, -3, 3)
        odds[mine] = np.hstack([scaled, scaled**2, np.ones((mine.sum(), 1))]) @ coefficients
    for more in (-0.6, -0.3, 0.0, 0.3, 0.6):
        limits = np.array(fibrillation.LIMITS) + more
        print(f"limits {limits[0]:.1f} and {limits[1]:.1f}")
        said = np.array([
            fibrillation.Stretch(
                0, WINDOW_S, 0, values[1], span, own[0] - limits[0], own[1] - limits[1],
                fibrillation.regular(values) or bool(repeats),
            ).says
            for own, span, values, repeats in zip(odds, examples.span, examples.x, examples.repeats, strict=True)
        ])  # fmt: skip
        for source in sorted(set(examples.source.tolist())):
            print("  " + _figures(source, examples.label[examples.source == source], said[examples.source == source]))


def _figures(source: str, label: NDArray[np.str_], said: NDArray[np.str_]) -> str:
    words = [f"{source:16s}"]
    for mine, name in (("F", "VF"), ("T", "VT"), ("N", "neither")):
        n = int((label == mine).sum())
        shares = [100 * float((said[label == mine] == answer).mean()) for answer in "FTN"] if n else []
        words += [f"{name} {n}:", *(f"{answer} {share:.2f}" for answer, share in zip("FTN", shares, strict=False))]
    return " ".join(words)


def source_of(centre: Floats, scale: Floats, coefficients: Floats) -> str:
    """The coefficients as Python source."""

    def table(name: str, values: Any, note: str) -> str:
        numbers = ", ".join(
            f"[{', '.join(f'{value:.3f}' for value in row)}]" if np.ndim(row) else f"{row:.4g}" for row in values
        )
        wrapped = re.sub(r"(.{1,110})(?: |$)", r"    \1\n", numbers + ",")
        return f'{name}: Final = np.array([\n{wrapped}])  # fmt: skip\n"""{note}"""\n'

    return "\n".join((
        table("CENTRE", centre, ""), table("SCALE", scale, "Mean and standard deviation of the measures."),
        table("COEFFICIENTS", coefficients, "(67, 2): the scaled measures, their squares and a constant."),
    ))  # fmt: skip


if __name__ == "__main__":
    main()
