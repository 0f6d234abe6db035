"""Which readings count, and why do the others not?

In this order: a reading without pressures never counts; one that the device or its operator took out does not; one that
breaks a limit below is an artefact; then a physician's edits, replayed in order, say otherwise for any reading that has
pressures. The machine's own result is what remains with an empty list of edits.

Limits for adults: Casadei et al., J Hypertens 1988;6:797-803 (systolic, diastolic, pulse pressure); the pulse by the
range in which oscillometric recorders count it at all. Below 18 years: Flynn et al. 2014,
doi:10.1161/HYP.0000000000000007, but for its lower limit of the pulse pressure (40 mmHg), which true readings of small
children break; the adults' 20 stands instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ecg_center.contract.pressure import MAX_EDITS, PressureEdit, ReadingState
from worker.pressure.guideline import ADULT_FROM_YEARS
from worker.pressure_readings import PressureReading


@dataclass(frozen=True, slots=True)
class Range:
    """What may be real: from ``low`` to ``high``, both included."""

    reason: str
    """The code that a page translates: ``systolic``, ``diastolic``, ``pulse_pressure``, ``pulse``."""
    low: float
    high: float


ADULT: Final = (
    Range("systolic", 70, 260),
    Range("diastolic", 40, 150),
    Range("pulse_pressure", 20, 150),
    Range("pulse", 20, 200),
)
CHILD: Final = (
    Range("systolic", 60, 220),
    Range("diastolic", 35, 120),
    Range("pulse_pressure", 20, 120),
    Range("pulse", 40, 180),
)


class EditError(ValueError):
    """An edit cannot be applied; the message says which one and what to do instead."""

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"edit {position}: {reason}")
        self.position = position
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one reading, and why."""

    state: ReadingState
    reason: str = ""


def verdicts(
    readings: Sequence[PressureReading], age_years: float | None, edits: Sequence[PressureEdit] = ()
) -> list[Verdict]:
    """One verdict a reading, the physician's last word included.

    Raises:
        EditError: an edit names a reading that is not there or has no pressures, or an edit that it cannot undo.
    """
    ranges = CHILD if age_years is not None and age_years < ADULT_FROM_YEARS else ADULT
    found = [_own(reading, ranges) for reading in readings]
    for position, edit in in_force(edits):
        if not edit.readings:
            raise EditError(position, f"{edit.action} names no reading")
        for index in edit.readings:
            if index >= len(readings):
                raise EditError(position, f"there is no reading {index}; the last is {len(readings) - 1}")
            if readings[index].systolic_mmhg is None or readings[index].diastolic_mmhg is None:
                raise EditError(position, f"reading {index} has no pressures: nothing was measured")
            found[index] = Verdict("used" if edit.action == "include" else "physician", edit.reason)
    return found


def outlier(reading: PressureReading, ranges: Sequence[Range] = ADULT) -> str:
    """The code of the first limit that a reading with pressures breaks; empty where it breaks none.

    >>> from datetime import UTC, datetime
    >>> outlier(PressureReading(datetime(2024, 1, 1, tzinfo=UTC), 69, 45))
    'systolic'
    """
    systolic, diastolic = reading.systolic_mmhg, reading.diastolic_mmhg
    if systolic is None or diastolic is None:
        return ""
    values = {
        "systolic": systolic,
        "diastolic": diastolic,
        "pulse_pressure": systolic - diastolic,
        "pulse": reading.pulse_bpm,
    }
    for one in ranges:
        value = values[one.reason]
        if value is not None and not one.low <= value <= one.high:
            return one.reason
    return ""


def _own(reading: PressureReading, ranges: Sequence[Range]) -> Verdict:
    if reading.status == "failed" or reading.systolic_mmhg is None or reading.diastolic_mmhg is None:
        return Verdict("failed", reading.reason)
    if reading.status == "excluded":
        return Verdict("device", reading.reason)
    broken = outlier(reading, ranges)
    return Verdict("outlier", broken) if broken else Verdict("used")


def in_force(edits: Sequence[PressureEdit]) -> list[tuple[int, PressureEdit]]:
    """The edits that are not undone, each with its position; an undone undo lets its edit hold again.

    Raises:
        EditError: an undo names no earlier edit, or there are too many.
    """
    if len(edits) > MAX_EDITS:
        raise EditError(MAX_EDITS, f"there are more than {MAX_EDITS} edits; undo none of them, begin anew")
    holds = [True] * len(edits)
    for position in reversed(range(len(edits))):
        edit = edits[position]
        if edit.action != "undo" or not holds[position]:
            continue
        if edit.undoes is None or edit.undoes >= position:
            raise EditError(position, "undo names an earlier edit by its position")
        holds[edit.undoes] = False
    return [(at, edit) for at, edit in enumerate(edits) if holds[at] and edit.action != "undo"]
