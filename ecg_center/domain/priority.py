"""What does a physician read next?

Urgent first, then by time left (DESIGN.md, worklist). Within the urgent, chest pain and machine-found critical values
come before the rest, because their ten minutes are the shortest. SQL sorts by the same number: ``study.urgency``.
"""

from typing import Literal

Grade = Literal["critical", "major", "abnormal", "normal"]

CHEST_PAIN, CRITICAL, URGENT, MAJOR, ROUTINE = 0, 1, 2, 3, 4


def urgency(*, chest_pain: bool, urgent: bool, grade: Grade | None) -> int:
    """0 is read first. The pre-read's grade may raise a study, never lower it: it is unconfirmed."""
    if chest_pain:
        return CHEST_PAIN
    if grade == "critical":
        return CRITICAL
    if urgent:
        return URGENT
    if grade == "major":
        return MAJOR
    return ROUTINE
