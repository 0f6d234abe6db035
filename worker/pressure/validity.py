"""Were there enough readings? By the guideline's share of the planned ones, and its numbers by day and by night.

Where the file does not say how many were planned, the attempts are counted: those within five minutes are one, because
a recorder repeats a failed reading by itself. Readings that the patient started are nobody's plan.

The numbers are of 24 hours: what they say of a longer recording is decided in :mod:`worker.pressure.days`.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from ecg_center.contract.pressure import PressureFindings, PressureRow, Validity
from worker.pressure.guideline import Guideline
from worker.pressure.measured import kept

VERDICTS: Final = ("insufficient", "limited", "valid")
"""The worst first."""
REPEATED_WITHIN: Final = timedelta(minutes=5)
"""Recorders repeat a failed reading after one to three minutes; the shortest plan in use is a reading in ten."""
ACCEPTED_DAY: Final = 10
ACCEPTED_NIGHT: Final = 5
"""What population studies accept (IDACO: Thijs et al., Blood Press Monit 2007;12:255-262); below it nothing is said."""


def validity(rows: Sequence[PressureRow], planned: int | None, guideline: Guideline) -> Validity:
    """The verdict on all readings, those that failed or were taken out included."""
    attempts = answered = 0
    slot: datetime | None = None
    slot_answered = False
    for row in rows:
        if row.manual:
            continue
        if slot is None or row.at - slot >= REPEATED_WITHIN:
            slot, slot_answered, attempts = row.at, False, attempts + 1
        if row.state == "used" and not slot_answered:
            slot_answered, answered = True, answered + 1
    asked = max(planned or attempts, answered)
    share = 100 * answered / asked if asked else 0.0
    day, night = (sum(row.state == "used" and row.period == name for row in rows) for name in ("day", "night"))
    missing: list[Literal["share", "day", "night"]] = []
    if share < guideline.share_percent:
        missing.append("share")
    if day < guideline.least_day:
        missing.append("day")
    if night < guideline.least_night:
        missing.append("night")
    accepted = day >= ACCEPTED_DAY and night >= ACCEPTED_NIGHT
    return Validity(
        verdict="limited" if missing and accepted else "insufficient" if missing else "valid",
        planned=asked,
        planned_by="attempts" if planned is None else "file",
        answered=answered,
        share_percent=kept(share),
        day=day,
        night=night,
        missing=missing,
    )


def best(days: Sequence[Validity]) -> Validity:
    """The day that lacks least; of equals the one with more readings."""
    return max(days, key=lambda one: (VERDICTS.index(one.verdict), -len(one.missing), one.day + one.night))


def over_all(everything: Validity, days: Sequence[Validity]) -> Validity:
    """The verdict on a recording, by its days where it has more than one.

    Args:
        everything: counted over the whole recording.
        days: each 24 hours, at least one.
    """
    if len(days) < 2:
        return everything
    top = best(days)
    if top.verdict == "valid":
        return everything.model_copy(update={"verdict": "valid", "missing": []})
    verdict = "insufficient" if everything.verdict == "insufficient" else "limited"
    return everything.model_copy(update={"verdict": verdict, "missing": top.missing})


def lacking(found: PressureFindings) -> Validity:
    """The numbers on which the verdict rests: of the best 24 hours, where there are several."""
    return best([one.validity for one in found.days]) if len(found.days) > 1 else found.validity
