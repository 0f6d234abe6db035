"""Every table of the centre, in the order of a study's way.

Whoever reads or writes rows does it in a ``queries.py``. Rows that belong to a clinic carry ``institution_id`` and
stand under row-level security (``migrations/``): a clinic's session sees its own, the centre's sees all.
No relationships: a query says what it joins.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ecg_center.store.base import Base, new_id, now_column


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _institution() -> Any:
    return mapped_column(ForeignKey("institution.id"), index=True)


def _study() -> Any:
    return mapped_column(ForeignKey("study.id"), index=True)


KINDS = ("resting", "holter", "abpm")

# ------------------------------------------------------------------------------------------------- directory


class Calendar(Base):
    """A working calendar; ``weekly`` maps ISO weekdays to [["08:00", "12:00"], …]."""

    __tablename__ = "calendar"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    zone: Mapped[str] = mapped_column(server_default="Asia/Shanghai")
    weekly: Mapped[dict[str, Any]]
    review_waits: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether the review deadline of a non-urgent study waits for working hours."""


class CalendarDay(Base):
    """A day that differs from the week: a holiday (no hours) or a make-up workday."""

    __tablename__ = "calendar_day"
    calendar_id: Mapped[UUID] = mapped_column(ForeignKey("calendar.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    hours: Mapped[list[Any]]
    name: Mapped[str] = mapped_column(server_default="")


class Institution(Base):
    """A hospital or clinic of the community; exactly one is the lead that reads for all."""

    __tablename__ = "institution"
    __table_args__ = (
        _one_of("kind", "lead", "member"),
        Index("uq_institution_lead", "kind", unique=True, postgresql_where=text("kind = 'lead'")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(4), unique=True)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[str]
    calendar_id: Mapped[UUID | None] = mapped_column(ForeignKey("calendar.id"))
    phone: Mapped[str] = mapped_column(server_default="")
    is_demo: Mapped[bool] = mapped_column(server_default=text("false"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class Person(Base):
    """A person with an account of their own."""

    __tablename__ = "person"
    __table_args__ = (_one_of("locale", "zh", "en"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = _institution()
    login: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str]
    title: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str]
    locale: Mapped[str] = mapped_column(server_default="zh")
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    failed_logins: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    locked_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = now_column()


class PersonGrant(Base):
    """A role of a person, for one kind of study or (NULL) for all."""

    __tablename__ = "person_grant"
    __table_args__ = (
        _one_of("role", "technician", "reporting", "reviewing", "director", "qc", "admin"),
        _one_of("kind", *KINDS),
        UniqueConstraint("person_id", "role", "kind", postgresql_nulls_not_distinct=True),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    role: Mapped[str]
    kind: Mapped[str | None]


class SigningCertificate(Base):
    """A physician's certificate; the private key is stored encrypted (PKCS#8)."""

    __tablename__ = "signing_certificate"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    certificate_pem: Mapped[str]
    chain_pem: Mapped[str]
    encrypted_key_pem: Mapped[str]
    created_at: Mapped[datetime] = now_column()
    revoked_at: Mapped[datetime | None]


class Device(Base):
    """A recorder and the clinic that it stands in."""

    __tablename__ = "device"
    __table_args__ = (
        _one_of("transport", "dicom", "mqtt", "ftp", "folder", "web"),
        UniqueConstraint("transport", "identity"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = _institution()
    name: Mapped[str]
    vendor: Mapped[str] = mapped_column(server_default="")
    model: Mapped[str] = mapped_column(server_default="")
    transport: Mapped[str]
    identity: Mapped[str] = mapped_column(String(64))
    """The calling AE title or MQTT device id."""
    last_seen_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class GatewayAccount(Base):
    """A gateway's credential and what it last said of itself."""

    __tablename__ = "gateway_account"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    token_sha256: Mapped[str] = mapped_column(unique=True)
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    last_seen_at: Mapped[datetime | None]
    last_heartbeat: Mapped[dict[str, Any] | None]


class GatewayInstitution(Base):
    """Which institutions a gateway serves."""

    __tablename__ = "gateway_institution"
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateway_account.id", ondelete="CASCADE"), primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)


class WebSession(Base):
    """A log-in; the cookie's token is stored only as its hash."""

    __tablename__ = "web_session"
    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = now_column()
    last_seen_at: Mapped[datetime] = now_column()
    expires_at: Mapped[datetime]
    source: Mapped[str] = mapped_column(server_default="")
    user_agent: Mapped[str] = mapped_column(server_default="")


# ---------------------------------------------------------------------------------------------- registration


class FeeItem(Base):
    """What an exam costs."""

    __tablename__ = "fee_item"
    __table_args__ = (_one_of("kind", *KINDS),)
    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(server_default="")
    kind: Mapped[str]
    price_fen: Mapped[int]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class Patient(Base):
    """A person as one institution knows them."""

    __tablename__ = "patient"
    __table_args__ = (
        _one_of("sex", "M", "F", "O"),
        UniqueConstraint("institution_id", "patient_no"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = _institution()
    patient_no: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    sex: Mapped[str]
    birth_date: Mapped[date | None]
    phone: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = now_column()


class AccessionCounter(Base):
    """The last running number of an institution's day."""

    __tablename__ = "accession_counter"
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int]


class Study(Base):
    """One exam, from its order to its delivered report; a study without an order has no patient yet."""

    __tablename__ = "study"
    __table_args__ = (
        _one_of("kind", *KINDS),
        _one_of("grade", "critical", "major", "abnormal", "normal"),
        _one_of("source", "outpatient", "inpatient", "emergency", "checkup"),
        CheckConstraint("(patient_id IS NULL) = (accession_number IS NULL)", name="matched"),
        CheckConstraint("(claimed_by IS NULL) = (lease_until IS NULL)", name="claim"),
        Index(
            "ix_study_open",
            "urgency",
            "received_at",
            postgresql_where=text("state IN ('received', 'preread', 'writing', 'written', 'reviewing')"),
        ),
        Index("ix_study_ordered", "institution_id", "registered_at", postgresql_where=text("state = 'registered'")),
        Index("ix_study_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_study_institution_recent", "institution_id", "registered_at"),
        Index("ix_study_recent", "registered_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"))
    patient_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"), index=True)
    accession_number: Mapped[str | None] = mapped_column(String(16), unique=True)
    study_instance_uid: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str]
    state: Mapped[str]
    urgent: Mapped[bool] = mapped_column(server_default=text("false"))
    chest_pain: Mapped[bool] = mapped_column(server_default=text("false"))
    marked_at: Mapped[datetime | None]
    grade: Mapped[str | None]
    urgency: Mapped[int] = mapped_column(SmallInteger)
    """``domain.priority.urgency``: 0 is read first."""
    indication: Mapped[str] = mapped_column(server_default="")
    fee_item_code: Mapped[str | None] = mapped_column(ForeignKey("fee_item.code"))
    price_fen: Mapped[int | None]
    source: Mapped[str] = mapped_column(server_default="outpatient")
    department: Mapped[str] = mapped_column(server_default="")
    bed: Mapped[str] = mapped_column(server_default="")
    visit_no: Mapped[str] = mapped_column(server_default="")
    """住院号/门诊号."""
    registered_at: Mapped[datetime]
    registered_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    received_at: Mapped[datetime | None]
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"), index=True)
    lease_until: Mapped[datetime | None]
    writer_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Who writes or wrote the current report version: a returned report goes back to them."""
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("study.id"))
    """An order whose recording had arrived unmatched: the recording's study took it over."""


# ---------------------------------------------------------------------------------------------------- intake


class Upload(Base):
    """An upload under way; its bytes stand in the upload folder, the file's length is the offset."""

    __tablename__ = "upload"
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    gateway_id: Mapped[UUID] = mapped_column(ForeignKey("gateway_account.id"))
    offer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = now_column()
    touched_at: Mapped[datetime] = now_column()


class Recording(Base):
    """The bytes of one recording, once per institution, and what became of them."""

    __tablename__ = "recording"
    __table_args__ = (
        _one_of("state", "stored", "decoded", "quarantined", "dismissed"),
        UniqueConstraint("institution_id", "sha256"),
        Index("ix_recording_unsettled", "state", postgresql_where=text("state IN ('stored', 'quarantined')")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = _institution()
    study_id: Mapped[UUID] = _study()
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("device.id"))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str]
    file_name: Mapped[str | None]
    sop_instance_uid: Mapped[str | None] = mapped_column(index=True)
    transport: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    """For ``quarantined``: why, in words that say what to do."""
    identity: Mapped[dict[str, Any]]
    """``RecordingIdentity`` as the gateway or the worker read it from the file."""
    identity_conflict: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))
    safe_at: Mapped[datetime]
    stored_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    waveform: Mapped[dict[str, Any] | None]
    """Once decoded: sampling_hz, n_samples, leads, filters and the blob keys of its WFDB files; of a day also those of
    its ``pyramid`` (``store.pyramids``) and of what was ``measured``."""


class FindingsRow(Base):
    """What one engine said of one recording; a newer run adds a row.

    A Holter has two: the machine's own, and, once a physician has changed something, the one with the edits.
    """

    __tablename__ = "findings"
    __table_args__ = (UniqueConstraint("recording_id", "engine", "engine_version", "edited"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = _institution()
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"), index=True)
    study_id: Mapped[UUID] = _study()
    engine: Mapped[str]
    engine_version: Mapped[str]
    edited: Mapped[bool] = mapped_column(server_default=text("false"))
    """Whether it is the one that holds a physician's edits; then it is in force."""
    edits: Mapped[int] = mapped_column(server_default="0")
    """How many edits were replayed: it is of today where that is the list's length."""
    content: Mapped[dict[str, Any]]
    """``contract.findings.Findings``."""
    files: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
    """The blob keys of what belongs to it: ``beats`` (``store.beats``), ``atr`` (WFDB annotations)."""
    took_ms: Mapped[int]
    created_at: Mapped[datetime] = now_column()


class PrereadProgress(Base):
    """How far the pre-read of a long recording has come; gone when it is done."""

    __tablename__ = "preread_progress"
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"), primary_key=True)
    institution_id: Mapped[UUID] = _institution()
    study_id: Mapped[UUID] = _study()
    share: Mapped[float] = mapped_column(Float)
    """0 to 1."""
    stage: Mapped[str]
    """A key of ``web.words.STAGES``."""
    at: Mapped[datetime] = now_column()


class FindingsEdit(Base):
    """One thing that a physician changed over the machine's result; append-only, the list is replayed each time."""

    __tablename__ = "findings_edit"
    __table_args__ = (UniqueConstraint("recording_id", "position"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = _institution()
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    study_id: Mapped[UUID] = _study()
    position: Mapped[int]
    """0, 1, 2 … of the recording: an undo names it."""
    content: Mapped[dict[str, Any]]
    """``contract.holter.Edit`` of a day of ECG, ``contract.pressure.PressureEdit`` of a day of pressures."""
    why: Mapped[str] = mapped_column(server_default="")
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """None where the worker took back an edit that cannot be applied."""
    person_name: Mapped[str]
    source: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime]


class DeadlineRow(Base):
    """A due time of a study; met once, never moved back."""

    __tablename__ = "deadline"
    __table_args__ = (
        _one_of("kind", "opinion", "written", "reviewed"),
        Index("ix_deadline_running", "due_at", postgresql_where=text("met_at IS NULL AND breached_at IS NULL")),
    )
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = _institution()
    warn_at: Mapped[datetime]
    due_at: Mapped[datetime]
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]


# ------------------------------------------------------------------------------ reporting, review and release


class Opinion(Base):
    """初步诊断意见: the signed answer to an emergency, a record of its own."""

    __tablename__ = "opinion"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = _institution()
    study_id: Mapped[UUID] = _study()
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    person_name: Mapped[str]
    content: Mapped[dict[str, Any]]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    """The canonical JSON that was signed."""
    signature: Mapped[bytes] = mapped_column(LargeBinary)
    """CMS, detached, over ``payload``."""
    signed_at: Mapped[datetime]


class Report(Base):
    """One version of a study's report."""

    __tablename__ = "report"
    __table_args__ = (
        _one_of("state", "draft", "written", "released", "superseded"),
        UniqueConstraint("study_id", "version"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = _institution()
    study_id: Mapped[UUID] = _study()
    version: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str]
    edition: Mapped[int] = mapped_column(server_default="1")
    """Counts the saves: a save that was made on an older edition is refused."""
    content: Mapped[dict[str, Any]]
    """``reporting.schemas.ReportContent``."""
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    """The recording that the report describes and prints."""
    amend_reason: Mapped[str] = mapped_column(server_default="")
    writer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    writer_name: Mapped[str]
    reviewer_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    reviewer_name: Mapped[str | None]
    created_at: Mapped[datetime] = now_column()
    saved_at: Mapped[datetime] = now_column()
    written_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]
    verify_code: Mapped[str | None] = mapped_column(unique=True)
    """The unguessable end of the address in the report's QR code."""
    pdf_sha256: Mapped[str | None]
    pdf_size_bytes: Mapped[int | None]


class Review(Base):
    """A reviewer's decision; never changed."""

    __tablename__ = "review"
    __table_args__ = (_one_of("decision", "return", "release"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = _institution()
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), index=True)
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    decision: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime]


class Delivery(Base):
    """A released report on its way to one clinic's printer; printing it again is a delivery of its own."""

    __tablename__ = "delivery"
    __table_args__ = (
        _one_of("state", "waiting", "printing", "printed", "failed", "superseded"),
        Index(
            "ix_delivery_waiting",
            "institution_id",
            postgresql_where=text("state IN ('waiting', 'printing', 'failed')"),
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"))
    study_id: Mapped[UUID] = _study()
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), index=True)
    state: Mapped[str]
    created_at: Mapped[datetime] = now_column()
    printed_at: Mapped[datetime | None]
    printer: Mapped[str] = mapped_column(server_default="")
    job_id: Mapped[int | None]
    detail: Mapped[str] = mapped_column(server_default="")


# ------------------------------------------------------------------------------------------ timeline and audit


class StudyEvent(Base):
    """One line of a study's timeline; append-only by the database's own grants."""

    __tablename__ = "study_event"
    __table_args__ = (_one_of("actor_kind", "person", "device", "gateway", "worker", "centre"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    study_id: Mapped[UUID] = _study()
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"))
    at: Mapped[datetime]
    what: Mapped[str]
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    source: Mapped[str] = mapped_column(server_default="")
    why: Mapped[str] = mapped_column(server_default="")
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))


class AuditEntry(Base):
    """Who logged in, looked at what, changed which account; append-only."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = now_column()
    person_id: Mapped[UUID | None]
    actor_name: Mapped[str]
    source: Mapped[str] = mapped_column(server_default="")
    action: Mapped[str]
    object_kind: Mapped[str] = mapped_column(server_default="")
    object_id: Mapped[str] = mapped_column(server_default="")
    data: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'::jsonb"))
