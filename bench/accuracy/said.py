"""What is said of hearts that their readers called healthy? Every statement, beside how often others get it.

A rule that is right of a tenth of its patients is worth little if it is said of a tenth of everybody. ``--data`` takes
12-lead folders with ``# Dx:`` and LUDB's with ``ludb.csv``; of LUDB a heart counts as healthy where the table names
nothing but a sinus rhythm, its axis aside. LUDB's chambers are compared with what is said of them; its leads are
stored each as 1 mV high, so that nothing that rests on a voltage can be judged there.
"""

import csv
from collections import Counter
from pathlib import Path
from typing import Any, Final

from bench.accuracy.classes import labels
from bench.accuracy.critical import SINUS
from bench.accuracy.data import comments, headers, twelve_leads
from bench.accuracy.score import Counts, Table, halves
from ecg_center.domain.statements import TERMS, Overall
from worker.resting import analyse

NEEDS = "12-lead records with '# Dx:' in the header, or ludb.csv"
HEALTHY_ASIDE: Final = ("ID", "Sex", "Age", "Rhythms", "Electric axis of the heart")
CHAMBERS: Final[dict[str, tuple[str, ...]]] = {
    "Left ventricular hypertrophy": ("142", "142a", "142b", "144"),
    "Right ventricular hypertrophy": ("143", "144"),
    "Left atrial hypertrophy": ("140", "110", "141a"),
    "Right atrial hypertrophy": ("141", "109", "141a"),
}
"""LUDB's word for a chamber: the codes that say it."""


def run(folder: Path, options: Any) -> list[Table]:
    """How often each statement is said of the healthy and of the others; chambers where the table names them."""
    table = {row["ID"].strip(): row for row in _rows(folder / "ludb.csv")}
    number, said = Counter[bool](), {True: Counter[str](), False: Counter[str]()}
    chambers = {name: Counts() for name in CHAMBERS}
    unwarranted: list[list[Any]] = []
    for header in headers(folder):
        if options.half and halves(header.stem) != options.half:
            continue
        healthy = _is_healthy(header, table.get(header.stem))
        whole = None if healthy is None else twelve_leads(header)
        if healthy is None or whole is None:
            continue
        codes = {statement.code for statement in analyse(whole).statements}
        number[healthy] += 1
        said[healthy].update(codes)
        if healthy and (wrong := [code for code in codes if TERMS[code].overall in (Overall.ABNORMAL,)]):
            unwarranted.append([header.stem, " ".join(f"{code} {TERMS[code].en}" for code in sorted(wrong))])
        for name, count in chambers.items():
            if header.stem in table:
                true, found = name in table[header.stem]["Hypertrophies"], bool(codes & set(CHAMBERS[name]))
                count.add(Counts(true and found, true and not found, found and not true))
    tables = [_statements(number, said), Table("Abnormal of a healthy heart", ["record", "said"], unwarranted)]
    tables[0].figures["healthy_called_abnormal"] = len(unwarranted) / max(1, number[True])
    return tables + ([_chambers(chambers)] if table else [])


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def _is_healthy(header: Path, row: dict[str, str] | None) -> bool | None:
    """None where nobody says what the heart has."""
    if row is not None:
        rhythms = {word.strip() for word in row["Rhythms"].split("\n") if word.strip()}
        rest = [value.strip() for name, value in row.items() if name not in HEALTHY_ASIDE]
        return rhythms <= SINUS and not any(rest)
    found = labels(header) if "Dx" in comments(header) else set()
    return found == {"Normal"} if found else None


def _statements(number: Counter[bool], said: dict[bool, Counter[str]]) -> Table:
    columns = ["code", "statement", "healthy", "%", "others", "%"]
    table = Table(f"Statements of {number[True]} healthy and {number[False]} other hearts", columns)
    for code, term in TERMS.items():
        if said[True][code] or said[False][code]:
            shares = [100 * said[kind][code] / max(1, number[kind]) for kind in (True, False)]
            table.rows.append([code, term.en, said[True][code], shares[0], said[False][code], shares[1]])
            table.figures[f"{code}.healthy"] = shares[0] / 100
    return table


def _chambers(counts: dict[str, Counts]) -> Table:
    table = Table("Chambers by LUDB's readers", ["chamber", "records", "Se %", "+P %"])
    for name, count in counts.items():
        table.rows.append([name, count.tp + count.fn, count.se, count.ppv])
        table.figures |= {f"{name}.se": count.se / 100, f"{name}.ppv": count.ppv / 100}
    return table
