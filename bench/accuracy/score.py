"""How are detections compared with what people marked, and how is it printed?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MATCH_S: Final = 0.150
"""ANSI/AAMI EC57 4.3.2: a detection within 150 ms of the mark is the same beat."""
LEARNING_S: Final = 300.0
"""EC57 leaves the first five minutes of each half-hour record out."""


@dataclass
class Counts:
    """True positives, missed and false ones."""

    tp: int = 0
    fn: int = 0
    fp: int = 0

    def add(self, other: "Counts") -> None:
        self.tp, self.fn, self.fp = self.tp + other.tp, self.fn + other.fn, self.fp + other.fp

    @property
    def se(self) -> float:
        """Sensitivity, per cent."""
        return 100 * self.tp / max(1, self.tp + self.fn)

    @property
    def ppv(self) -> float:
        """Positive predictivity, per cent."""
        return 100 * self.tp / max(1, self.tp + self.fp)

    @property
    def f1(self) -> float:
        """Harmonic mean of the two, 0 to 1."""
        return 2 * self.tp / max(1, 2 * self.tp + self.fn + self.fp)


@dataclass
class Table:
    """One table of a report, and its figures by name."""

    title: str
    head: list[str]
    rows: list[list[Any]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    note: str = ""

    def text(self) -> str:
        """The table as a person reads it."""
        cells = [self.head, *[[_cell(value) for value in row] for row in self.rows]]
        width = [max(len(row[column]) for row in cells) for column in range(len(self.head))]
        lines = [self.title]
        for row in cells:
            first, rest = row[0].ljust(width[0]), [cell.rjust(width[n + 1]) for n, cell in enumerate(row[1:])]
            lines.append("  " + "  ".join([first, *rest]).rstrip())
        return "\n".join([*lines, *([f"  {self.note}"] if self.note else [])])


def _cell(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def compare(
    truth: Sequence[int] | NDArray[np.int_],
    found: Sequence[int] | NDArray[np.int_],
    hz: float,
    *,
    window_s: float = MATCH_S,
    excluded: Sequence[tuple[int, int]] = (),
    start: int = 0,
) -> tuple[Counts, list[tuple[int, int]]]:
    """Counts and the (mark, detection) pairs, each mark taking its nearest detection as ``bxb`` does.

    What lies before ``start`` or inside an ``excluded`` stretch (ventricular fibrillation, unreadable) does not count.
    """
    reach = window_s * hz
    marks, tests = np.sort(np.asarray(truth, int)), np.sort(np.asarray(found, int))
    near = [
        (abs(int(mark) - int(test)), a, b)
        for a, mark in enumerate(marks)
        for b in range(int(np.searchsorted(tests, mark - reach)), int(np.searchsorted(tests, mark + reach, "right")))
        for test in (tests[b],)
    ]
    used_a: set[int] = set()
    used_b: set[int] = set()
    pairs = []
    for _, a, b in sorted(near):
        if a not in used_a and b not in used_b:
            used_a.add(a)
            used_b.add(b)
            pairs.append((int(marks[a]), int(tests[b])))

    def counts(at: int) -> bool:
        return at >= start and not any(first <= at <= last for first, last in excluded)

    return (
        Counts(
            tp=sum(counts(mark) for mark, _ in pairs),
            fn=sum(counts(int(mark)) for a, mark in enumerate(marks) if a not in used_a),
            fp=sum(counts(int(test)) for b, test in enumerate(tests) if b not in used_b),
        ),
        pairs,
    )


def halves(name: str) -> str:
    """``dev`` or ``check``: the half of the data a record belongs to, by the sum of its name's letters."""
    return "dev" if sum(name.encode()) % 2 == 0 else "check"
