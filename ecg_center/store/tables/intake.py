"""What devices sent, what the worker found in it, and until when it is to be read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Float,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ecg_center.store.base import Base, new_id, now_column
from ecg_center.store.tables.columns import institution_column, one_of, study_column


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
        one_of("state", "stored", "decoded", "quarantined", "dismissed"),
        UniqueConstraint("institution_id", "sha256"),
        Index("ix_recording_unsettled", "state", postgresql_where=text("state IN ('stored', 'quarantined')")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = institution_column()
    study_id: Mapped[UUID] = study_column()
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
    institution_id: Mapped[UUID] = institution_column()
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"), index=True)
    study_id: Mapped[UUID] = study_column()
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
    institution_id: Mapped[UUID] = institution_column()
    study_id: Mapped[UUID] = study_column()
    share: Mapped[float] = mapped_column(Float)
    """0 to 1."""
    stage: Mapped[str]
    """A key of ``web.words.STAGES``."""
    remaining_s: Mapped[float | None] = mapped_column(Float)
    """What it will still take, by what it took so far; None until that can be said."""
    at: Mapped[datetime] = now_column()


class FindingsEdit(Base):
    """One thing that a physician changed over the machine's result; append-only, the list is replayed each time."""

    __tablename__ = "findings_edit"
    __table_args__ = (UniqueConstraint("recording_id", "position"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = institution_column()
    recording_id: Mapped[UUID] = mapped_column(ForeignKey("recording.id"))
    study_id: Mapped[UUID] = study_column()
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
        one_of("kind", "opinion", "written", "reviewed"),
        Index("ix_deadline_running", "due_at", postgresql_where=text("met_at IS NULL AND breached_at IS NULL")),
    )
    study_id: Mapped[UUID] = mapped_column(ForeignKey("study.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = institution_column()
    warn_at: Mapped[datetime]
    due_at: Mapped[datetime]
    warned_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    met_at: Mapped[datetime | None]
