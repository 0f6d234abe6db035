"""What the worklist shows of a study."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from ecg_center.contract.findings import CriticalValue

Desk = Literal["write", "review"]
"""Which of the two desks: reports to write, or reports to review."""


@dataclass(frozen=True)
class WorklistRow:
    """One study as the worklist shows it."""

    study_id: UUID
    institution_code: str
    institution_name: str
    kind: str
    state: str
    accession_number: str | None
    patient_name: str | None
    """None where the recording has no order yet; then ``device_patient_name`` is what the device wrote."""
    device_patient_name: str | None
    sex: str | None
    birth_date: date | None
    indication: str
    source: str
    urgent: bool
    chest_pain: bool
    grade: str | None
    urgency: int
    received_at: datetime | None
    registered_at: datetime
    due_kind: str | None
    due_at: datetime | None
    warn_at: datetime | None
    holder_id: UUID | None
    holder_name: str | None
    lease_until: datetime | None
    writer_id: UUID | None
    writer_name: str | None
    returned_reason: str | None
    """Why the reviewer sent it back, for its writer."""
    read_share: float | None = None
    """How far the pre-read of a long recording has come, 0 to 1; None where none is under way."""
    read_stage: str | None = None
    """What it is at: a key of ``web.words.STAGES``."""
    read_remaining_s: float | None = None
    critical: tuple[CriticalValue, ...] = ()
    """What the pre-read calls critical, unconfirmed."""


@dataclass(frozen=True)
class Counts:
    """How much is on each desk."""

    to_write: int
    to_review: int
    urgent: int
    breached: int
    unmatched: int
    quarantined: int
