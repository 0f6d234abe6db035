"""Every table of the centre, in the order of a study's way.

Whoever reads or writes rows does it in a ``queries.py``. Rows that belong to a clinic carry ``institution_id`` and
stand under row-level security (``migrations/``): a clinic's session sees its own, the centre's sees all.
No relationships: a query says what it joins.
"""

from ecg_center.store.tables.directory import (
    Calendar,
    CalendarDay,
    Device,
    GatewayAccount,
    GatewayInstitution,
    Institution,
    Person,
    PersonGrant,
    SigningCertificate,
    WebSession,
)
from ecg_center.store.tables.intake import DeadlineRow, FindingsEdit, FindingsRow, PrereadProgress, Recording, Upload
from ecg_center.store.tables.registration import AccessionCounter, FeeItem, Patient, Study
from ecg_center.store.tables.reporting import Delivery, Opinion, Report, Review
from ecg_center.store.tables.timeline import AuditEntry, StudyEvent

__all__ = [
    "AccessionCounter",
    "AuditEntry",
    "Calendar",
    "CalendarDay",
    "DeadlineRow",
    "Delivery",
    "Device",
    "FeeItem",
    "FindingsEdit",
    "FindingsRow",
    "GatewayAccount",
    "GatewayInstitution",
    "Institution",
    "Opinion",
    "Patient",
    "Person",
    "PersonGrant",
    "PrereadProgress",
    "Recording",
    "Report",
    "Review",
    "SigningCertificate",
    "Study",
    "StudyEvent",
    "Upload",
    "WebSession",
]
