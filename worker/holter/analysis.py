"""Recording → findings of a day: the one way through the Holter.

*Measure* looks at the signal, *conclude* at what was measured; an edit afterwards needs only the second half.
"""

from collections.abc import Callable, Sequence
from typing import Final

from ecg_center.contract.findings import Findings
from ecg_center.contract.holter import Edit
from worker.critical import DEFAULT, load
from worker.holter.conclude import conclude
from worker.holter.measure import measure
from worker.holter.measured import Measured
from worker.mapped import give_back
from worker.recording import Recording
from worker.resting.patient import Patient, filled

MEASURE_UNTIL: Final = 0.95
"""The share of the time that goes into the signal."""


def analyse(
    recording: Recording,
    patient: Patient | None = None,
    *,
    rule_set: str = DEFAULT,
    progress: Callable[[float, str], None] = lambda share, stage: None,
    edits: Sequence[Edit] = (),
) -> tuple[Findings, Measured]:
    """What a long recording says, and what it was concluded from, to be kept for the physician's edits.

    Args:
        patient: what the order knows of the patient; the file's own words fill what it does not.
        progress: told which share is done, 0 to 1, and what is being done.
        edits: what a physician has already changed, where a recording is read anew.

    Raises:
        RuleSetError: there is no rule set of this name.
        EditError: an edit cannot be applied.
    """
    load(rule_set, "holter")  # a wrong name is said before the work, not after it
    measured = measure(recording, lambda share, stage: progress(share * MEASURE_UNTIL, stage))
    give_back()
    progress(MEASURE_UNTIL, "conclude")
    whose = filled(patient or Patient(), recording.identity.sex, recording.identity.birth_date)
    findings = conclude(measured, whose, edits=edits, rule_set=rule_set)
    progress(1.0, "conclude")
    return findings, measured
