"""What did the physician change against the pre-read?"""

from dataclasses import dataclass
from typing import Literal

from ecg_center.contract.findings import Measurements
from ecg_center.web import words
from ecg_center.web.studies import StudyView

Change = Literal["kept", "added", "dropped"]


@dataclass(frozen=True)
class Comparison:
    """The report's statements with where they come from, and the measurements that were changed."""

    statements: list[tuple[str, Change]]
    """Codes in report order; those that the physician dropped stand last."""
    measurements: dict[str, tuple[float | None, float | None]]
    """Field to (pre-read, report) where they differ."""

    @property
    def is_same(self) -> bool:
        """Whether the pre-read was taken over as it was."""
        return not self.measurements and all(change == "kept" for _, change in self.statements)


def compare(view: StudyView) -> Comparison:
    """The report against the newest pre-read of its recording."""
    suggested = view.suggested
    written = view.content.statements
    statements: list[tuple[str, Change]] = [(code, "kept" if code in suggested else "added") for code in written]
    statements += [(code, "dropped") for code in suggested if code not in written]
    before = view.findings.measurements if view.findings else Measurements()
    after = view.content.measurements
    changed = {
        field: (getattr(before, field), getattr(after, field))
        for field, _, _ in words.MEASUREMENTS
        if getattr(before, field) != getattr(after, field)
    }
    return Comparison(statements, changed)
