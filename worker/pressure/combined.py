"""What does a recorder say that measured both an ECG and pressures? One set of findings, the words of both.

The readings stand in the recording's diary (:func:`worker.pressure_readings.from_annotations`). A few readings noted
beside an ECG are no day of pressures and are left to the diary.
"""

from collections.abc import Collection
from typing import Final

from ecg_center.contract.findings import Findings, Grade
from ecg_center.domain.statements import TERMS, Overall, in_report_order, overall_of
from worker.pressure.analysis import analyse
from worker.pressure.guideline import DEFAULT
from worker.pressure.indication import NOTHING, Noted
from worker.pressure.validity import ACCEPTED_DAY
from worker.pressure_readings import from_annotations
from worker.recording import Recording
from worker.resting.patient import Patient

GROUP: Final = "pressure"
SEVERE: Final = "913"
GRADES: Final[tuple[Grade, ...]] = ("critical", "major", "abnormal", "normal")
"""The gravest first."""


def with_pressures(
    findings: Findings,
    recording: Recording,
    patient: Patient,
    *,
    guideline: str = DEFAULT,
    noted: Noted = NOTHING,
) -> Findings:
    """The findings of the ECG with those of the pressures in its diary; as they are where it has none.

    Raises:
        GuidelineError: there is no such set.
    """
    series = from_annotations(recording)
    if series is None or len(series.measured) < ACCEPTED_DAY:
        return findings
    return joined(findings, analyse(series, patient, guideline=guideline, noted=noted))


def joined(findings: Findings, other: Findings) -> Findings:
    """The findings of an ECG with what another set of findings holds of pressures, and nothing else of that other."""
    pressure = other.pressure
    if pressure is None:
        return findings
    own = {one.code: one for one in findings.statements if TERMS[one.code].group != GROUP}
    theirs = {one.code: one for one in other.statements if TERMS[one.code].group == GROUP}
    critical = [one for one in other.critical if one.rule_set == pressure.grading.guideline]
    said = own | theirs
    return findings.model_copy(
        update={
            "pressure": pressure,
            "statements": [said[code] for code in in_report_order(said)],
            "critical": findings.critical + critical,
            "grade": min(findings.grade, _grade(theirs, critical=bool(critical)), key=GRADES.index),
        }
    )


def _grade(said: Collection[str], *, critical: bool) -> Grade:
    """How urgent the pressures alone are."""
    if critical:
        return "critical"
    if SEVERE in said:
        return "major"
    return "normal" if overall_of(said) in (Overall.NORMAL, Overall.BORDERLINE) else "abnormal"
