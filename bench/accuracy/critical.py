"""Are critical values missed, and how often are they called without cause?

Real records: those that their readers called normal, or of which nothing said is dangerous, count for false alarms.
``--data`` takes 12-lead folders with ``# Dx:``, LUDB's with ``ludb.csv``, single leads with ``REFERENCE.csv`` (CinC
2017) or without any word (CPSC 2019: counted apart). Generated ones: every pathology of the simulator, and the pairs of
:mod:`bench.accuracy.critical_cases` and :mod:`bench.accuracy.critical_shapes` on both sides of a limit.
"""

import csv
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

from bench.accuracy.classes import labels
from bench.accuracy.critical_cases import as_recording, cases
from bench.accuracy.critical_shapes import shapes
from bench.accuracy.data import comments, headers, person, recording
from bench.accuracy.score import Table
from gateway.simulate.generator import generate
from gateway.simulate.pathologies import Pathology
from worker.resting import analyse

NEEDS = "records with '# Dx:' in the header, ludb.csv, or REFERENCE.csv"
BENIGN: Final = frozenset(("Normal", "RBBB", "I-AVB", "PAC"))
SINUS: Final = frozenset(("Sinus rhythm", "Sinus bradycardia", "Sinus tachycardia", "Sinus arrhythmia"))
CALM_CONDUCTION: Final = frozenset(
    ("", "Incomplete right bundle branch block", "Complete right bundle branch block", "I degree av block")
)
SEEDS: Final = range(100, 108)
QUICK_SEEDS: Final = range(100, 102)


def run(folder: Path, options: Any) -> list[Table]:
    """False alarms on benign real records; both on generated ones."""
    seeds = QUICK_SEEDS if options.quick else SEEDS
    return [_real(folder), _generated(seeds), _both_sides(seeds)]


def _words(folder: Path) -> dict[str, tuple[str, bool]]:
    """(label, whether it is benign) by record, of the folders that keep their labels in a table."""
    found: dict[str, tuple[str, bool]] = {}
    for path in sorted(folder.rglob("REFERENCE.csv")):
        with path.open(encoding="utf-8") as lines:
            found |= {row[0]: (row[1], row[1] == "N") for row in csv.reader(lines) if len(row) > 1}
    if (folder / "ludb.csv").exists():
        with (folder / "ludb.csv").open(encoding="utf-8") as lines:
            found |= {row["ID"].strip(): _of_ludb(row) for row in csv.DictReader(lines)}
    return found


def _of_ludb(row: dict[str, str]) -> tuple[str, bool]:
    conduction = {word.strip() for word in row["Conduction abnormalities"].split("\n")}
    rhythm = {word.strip() for word in row["Rhythms"].split("\n") if word.strip()}
    calm = rhythm <= SINUS and conduction <= CALM_CONDUCTION
    calm = calm and not row["Ischemia"].strip() and not row["Cardiac pacing"].strip()
    return " ".join(sorted((*rhythm, *conduction - {""}))), calm


def _real(folder: Path) -> Table:
    table = Table("Critical values on real records", ["record", "label", "fired"])
    words, count, fired = _words(folder), Counter[str](), Counter[str]()
    for header in headers(folder):
        if header.stem in words:
            label, benign = words[header.stem]
        else:
            truth = labels(header) if "Dx" in comments(header) else set()
            label, benign = " ".join(sorted(truth)), bool(truth) and truth <= BENIGN
        kind = "benign" if benign else "other" if label else "without a word"
        rules = [value.rule for value in analyse(replace(recording(header), identity=person(header))).critical]
        count[kind] += 1
        fired[kind] += bool(rules)
        if rules:
            table.rows.append([header.stem, label or kind, " ".join(rules)])
    table.figures = {
        "false_alarms": float(fired["benign"]),
        "benign_records": float(count["benign"]),
        "false_alarm_rate": fired["benign"] / max(1, count["benign"]),
        "other_records_fired": float(fired["other"]),
        "unlabelled_records_fired": float(fired["without a word"]),
    }
    table.note = f"{fired['benign']} of {count['benign']} normal or benign records called; " + ", ".join(
        f"{fired[kind]} of {count[kind]} {kind}" for kind in ("other", "without a word")
    )
    return table


def _generated(seeds: range) -> Table:
    table = Table("Critical values on generated records", ["pathology", "records", "missed", "false"])
    totals = [0, 0]
    for item in Pathology:
        missed = false = 0
        for seed in seeds:
            ecg = generate(item.value, seed=seed, sex="F" if seed % 2 else "M", age_years=25 + 5 * (seed % 12))
            rules = {value.rule for value in analyse(as_recording(ecg)).critical}
            missed += bool(set(ecg.truth.critical) - rules)
            false += bool(rules) and not ecg.truth.critical
        totals = [totals[0] + missed, totals[1] + false]
        if missed or false:
            table.rows.append([item.value, len(seeds), missed, false])
    table.rows.append(["all", len(seeds) * len(Pathology), *totals])
    table.figures = {"generated.missed": float(totals[0]), "generated.false": float(totals[1])}
    return table


def _both_sides(seeds: range) -> Table:
    table = Table("Both sides of a limit", ["case", "rule", "must fire", "records", "wrong"])
    wrong: Counter[tuple[str, str, bool]] = Counter()
    for seed in seeds:
        for case in chain(cases(seed), shapes(seed)):
            rules = {value.rule for value in analyse(case.recording).critical}
            wrong[case.name, case.rule, case.fires] += bool(rules & set(case.rule.split("|"))) != case.fires
    for (name, rule, fires), count in wrong.items():
        table.rows.append([name, rule, "yes" if fires else "no", len(seeds), count])
    table.figures = {
        "both_sides.missed": float(sum(count for (_, _, fires), count in wrong.items() if fires)),
        "both_sides.false": float(sum(count for (_, _, fires), count in wrong.items() if not fires)),
    }
    return table
