"""Classes of beats: ventricular and supraventricular, beat by beat as ANSI/AAMI EC57 counts them."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.data import Notes, cut, headers, notes, recording
from bench.accuracy.qrs import unscored
from bench.accuracy.score import LEARNING_S, Table, compare
from worker.holter.classify import classify
from worker.holter.day import Day
from worker.holter.detect import find_beats
from worker.holter.features import beat_features
from worker.recording import Recording

NEEDS = "records with .atr beat annotations, as in mitdb"
Counts = NDArray[np.int64]
AAMI: Final = {
    **dict.fromkeys("NLRBej", 0), **dict.fromkeys("AaJSn", 1), **dict.fromkeys("VEr", 2), "F": 3,
    **dict.fromkeys("/fQ?", 5),
}  # fmt: skip
"""WFDB beat code → class (EC57:2012 table 3; escape beats e, j with N, as de Chazal 2004 and most since)."""
FALSE, NOT_SCORED = 6, 7
PACED: Final = frozenset({"102", "104", "107", "217"})
"""Left out of reports as EC57 says: most of their beats are paced."""
TALLY: Final = ("v", "v_found", "s", "s_found", "f", "f_found", "f_right", "q_found")
ENOUGH: Final = 50
"""Of so many beats a class's count is compared; of fewer one beat would be a large share."""
COLUMNS: Final = ("v_tp", "v_fn", "v_fp", "s_tp", "s_fn", "s_fp", "not_v", "not_s")


def run(folder: Path, options: Any) -> list[Table]:
    """Tables with own detection, with the marked beats, and of the first lead alone."""
    records = [
        (header, found)
        for header in headers(folder)
        if header.stem not in PACED and (found := notes(header, "atr")) is not None
    ]
    if options.limit:
        records = records[: options.limit]
    tables = _tables("own detection, all leads", "", records, None, marked=False)
    if not options.quick:
        tables += _tables("marked beats, all leads", "marked.", records, None, marked=True)
        tables += _tables("own detection, first lead", "one_lead.", records, (0,), marked=False)
    return tables


def day_of(whole: Recording, rows: tuple[int, ...] | None = None) -> Day:
    """The record, or these leads of it, as a day."""
    return Day(whole if rows is None else cut(whole, 0, whole.n_samples, list(rows)))


def classes_of(truth: Counts) -> Counts:
    """True classes, a false detection being no ectopic beat."""
    return np.where(truth == FALSE, 0, truth)


def matched(found: Notes, beats: Counts, hz: float, excluded: list[tuple[int, int]]) -> tuple[Counts, Counts]:
    """((n,) true class of each detection, :data:`FALSE` or :data:`NOT_SCORED`; classes of the beats not detected)."""
    isbeat = np.array([symbol in AAMI for symbol in found.symbol], bool)
    marks = found.at[isbeat]
    label = {
        int(at): AAMI[symbol] for at, symbol in zip(found.at.tolist(), found.symbol, strict=True) if symbol in AAMI
    }
    _, pairs = compare(marks, beats, hz)
    partner = {test: label[mark] for mark, test in pairs}
    truth = np.array([partner.get(int(at), FALSE) for at in beats.tolist()], np.int64)
    for first, last in excluded:
        truth[(beats >= first) & (beats <= last)] = NOT_SCORED
    hit = {mark for mark, _ in pairs}
    return truth, np.array([label[int(at)] for at in marks.tolist() if int(at) not in hit], np.int64)


def count(truth: Counts, label: NDArray[np.uint8], missed: Counts) -> Counts:
    """:data:`COLUMNS` as ``bxb`` tells them: F and Q called V, and Q called S, count neither way."""
    v, s = label == 2, label == 1
    other_v, other_s = np.isin(truth, (0, 1, FALSE)), np.isin(truth, (0, 2, 3, FALSE))
    return np.array(
        [
            (v & (truth == 2)).sum(), (~v & (truth == 2)).sum() + (missed == 2).sum(), (v & other_v).sum(),
            (s & (truth == 1)).sum(), (~s & (truth == 1)).sum() + (missed == 1).sum(), (s & other_s).sum(),
            other_v.sum(), other_s.sum(),
        ],
        np.int64,
    )  # fmt: skip


def summary(counts: Counts) -> dict[str, float]:
    """Per cent: sensitivity, positive predictivity and false positive rate of both."""
    v_tp, v_fn, v_fp, s_tp, s_fn, s_fp, not_v, not_s = counts.tolist()
    return {
        "veb_se": 100 * v_tp / max(1, v_tp + v_fn), "veb_ppv": 100 * v_tp / max(1, v_tp + v_fp),
        "veb_fpr": 100 * v_fp / max(1, not_v),
        "sveb_se": 100 * s_tp / max(1, s_tp + s_fn), "sveb_ppv": 100 * s_tp / max(1, s_tp + s_fp),
        "sveb_fpr": 100 * s_fp / max(1, not_s),
    }  # fmt: skip


def tally(truth: Counts, label: NDArray[np.uint8], missed: Counts) -> Counts:
    """:data:`TALLY`: how many beats of each class are marked and found, wherever they are, and how many F are right."""
    scored = truth != NOT_SCORED
    pairs = [(int((truth == k).sum() + (missed == k).sum()), int((scored & (label == k)).sum())) for k in (2, 1, 3)]
    right, unclear = int(((truth == 3) & (label == 3)).sum()), int((scored & (label == 5)).sum())
    return np.array([number for pair in pairs for number in pair] + [right, unclear], np.int64)


def tallied(tallies: dict[str, Counts], title: str, key: str) -> Table:
    """What a day's summary would say beside what is marked; figures count the records that have enough of a class."""
    head = ["record", "V", "found", "%", "S", "found", "%", "F", "found", "right", "Q found"]
    table = Table(f"Counts of beats, {title}", head)
    table.note = f"from 0:00; figures of records with {ENOUGH} beats or more of the class"
    off: dict[str, list[float]] = {"v": [], "s": []}
    for name, (v, v_found, s, s_found, f, f_found, f_right, q_found) in tallies.items():
        table.rows.append(
            [
                name,
                v,
                v_found,
                _percent_off(v, v_found),
                s,
                s_found,
                _percent_off(s, s_found),
                f,
                f_found,
                f_right,
                q_found,
            ]
        )
        for letter, marked, found in (("v", v, v_found), ("s", s, s_found)):
            if marked >= ENOUGH:
                off[letter].append(abs(found / marked - 1))
    for letter, errors in off.items():
        table.figures[f"{key}counts.{letter}.records"] = len(errors)
        for limit in (5, 10):
            table.figures[f"{key}counts.{letter}.within_{limit}"] = sum(bool(error <= limit / 100) for error in errors)
    total = sum(tallies.values(), np.zeros(len(TALLY), np.int64))
    table.rows.append(["all", *(int(total[at]) for at in (0, 1)), _percent_off(total[0], total[1]),
                       *(int(total[at]) for at in (2, 3)), _percent_off(total[2], total[3]),
                       *(int(at) for at in total[4:])])  # fmt: skip
    table.figures |= {f"{key}counts.{name}": int(value) for name, value in zip(TALLY, total, strict=True)}
    return table


def _percent_off(marked: int, found: int) -> float | str:
    return 100 * (float(found) / float(marked) - 1) if marked >= ENOUGH else "-"


def _tables(
    title: str, key: str, records: list[tuple[Path, Notes]], rows: tuple[int, ...] | None, *, marked: bool
) -> list[Table]:
    head = ["record", "V", "V missed", "V false", "Se %", "+P %", "S", "S missed", "S false", "Se %", "+P %"]
    table = Table(f"Classes of beats, {title}", head)
    table.note = "EC57: 150 ms window, from 5:00 on, ventricular flutter left out; 'whole' counts from 0:00"
    gross, whole_gross = np.zeros(len(COLUMNS), np.int64), np.zeros(len(COLUMNS), np.int64)
    tallies: dict[str, Counts] = {}
    for header, found in records:
        whole = recording(header)
        day = day_of(whole, rows)
        beats = found.beats.astype(np.int64) if marked else find_beats(day)
        label, _ = classify(beat_features(day, beats))
        learning = round(LEARNING_S * whole.sampling_hz) if whole.duration_s > 2 * LEARNING_S else 0
        left_out = unscored(found, whole.n_samples)
        counts = count_from(found, beats, label, whole.sampling_hz, left_out, learning)
        gross += counts
        whole_gross += count_from(found, beats, label, whole.sampling_hz, left_out, 0)
        table.rows.append(_row(header.stem, counts))
        truth, missed = matched(found, beats, whole.sampling_hz, left_out)
        tallies[header.stem] = tally(truth, label, missed)
    table.rows += [_row("gross", gross), _row("whole", whole_gross)]
    table.figures |= {f"{key}{name}": value for name, value in summary(gross).items()}
    table.figures |= {f"{key}whole.{name}": value for name, value in summary(whole_gross).items()}
    return [table, tallied(tallies, title, key)]


def count_from(
    found: Notes, beats: Counts, label: NDArray[np.uint8], hz: float, left_out: list[tuple[int, int]], start: int
) -> Counts:
    """Counts of what lies from ``start`` on."""
    later = Notes(
        found.at[found.at >= start],
        [s for at, s in zip(found.at.tolist(), found.symbol, strict=True) if at >= start],
        [],
    )
    inside = beats >= start
    truth, missed = matched(later, beats[inside], hz, left_out)
    return count(truth, label[inside], missed)


def _row(name: str, counts: Counts) -> list[Any]:
    v_tp, v_fn, v_fp, s_tp, s_fn, s_fp = counts[:6].tolist()
    figures = summary(counts)
    v = [
        v_tp + v_fn,
        v_fn,
        v_fp,
        *(figures[k] if n else "-" for k, n in (("veb_se", v_tp + v_fn), ("veb_ppv", v_tp + v_fp))),
    ]
    s = [
        s_tp + s_fn,
        s_fn,
        s_fp,
        *(figures[k] if n else "-" for k, n in (("sveb_se", s_tp + s_fn), ("sveb_ppv", s_tp + s_fp))),
    ]
    return [name, *v, *s]
