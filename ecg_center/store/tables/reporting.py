"""Opinions, reports, reviews and the report's way to the clinic."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ecg_center.store.base import Base, new_id, now_column
from ecg_center.store.tables.columns import institution_column, one_of, study_column


class Opinion(Base):
    """初步诊断意见: the signed answer to an emergency, a record of its own."""

    __tablename__ = "opinion"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = institution_column()
    study_id: Mapped[UUID] = study_column()
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
        one_of("state", "draft", "written", "released", "superseded"),
        UniqueConstraint("study_id", "version"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = institution_column()
    study_id: Mapped[UUID] = study_column()
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
    __table_args__ = (one_of("decision", "return", "release"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = institution_column()
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), index=True)
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    decision: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime]


class Delivery(Base):
    """A released report on its way to one clinic's printer; printing it again is a delivery of its own."""

    __tablename__ = "delivery"
    __table_args__ = (
        one_of("state", "waiting", "printing", "printed", "failed", "superseded"),
        Index(
            "ix_delivery_waiting",
            "institution_id",
            postgresql_where=text("state IN ('waiting', 'printing', 'failed')"),
        ),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institution.id"))
    study_id: Mapped[UUID] = study_column()
    report_id: Mapped[UUID] = mapped_column(ForeignKey("report.id"), index=True)
    state: Mapped[str]
    created_at: Mapped[datetime] = now_column()
    printed_at: Mapped[datetime | None]
    printer: Mapped[str] = mapped_column(server_default="")
    job_id: Mapped[int | None]
    detail: Mapped[str] = mapped_column(server_default="")
