"""What does the clinic's gateway know of the clinic's open orders?

``GET /api/gateway/orders`` → :class:`OpenOrders`. The gateway caches the list on disk so that a device may
ask its Modality Worklist (DICOM PS3.4 annex K) while the clinic is cut off.
"""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ecg_center.contract.base import Instant, Message

StudyKind = Literal["resting", "holter", "abpm"]


class OpenOrder(Message):
    """One study that is registered and not yet recorded."""

    study_id: UUID
    institution_code: str
    accession_number: Annotated[str, Field(max_length=16)]
    """DICOM SH (0008,0050): at most 16 characters."""
    study_instance_uid: str
    kind: StudyKind
    patient_id: str
    patient_name: str
    patient_name_latin: str | None = None
    sex: Literal["M", "F", "O"]
    birth_date: date | None
    procedure: str
    indication: str
    urgent: bool
    chest_pain: bool
    registered_at: Instant


class OpenOrders(Message):
    """All open orders of the institutions that this gateway serves, at one moment."""

    as_of: Instant
    orders: list[OpenOrder]
