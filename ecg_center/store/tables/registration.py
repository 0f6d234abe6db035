"""Patients, orders and their studies."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ecg_center.store.base import Base, new_id, now_column
from ecg_center.store.tables.columns import KINDS, institution_column, one_of


class FeeItem(Base):
    """What an exam costs."""

    __tablename__ = "fee_item"
    __table_args__ = (one_of("kind", *KINDS),)
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
        one_of("sex", "M", "F", "O"),
        UniqueConstraint("institution_id", "patient_no"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = institution_column()
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
        one_of("kind", *KINDS),
        one_of("grade", "critical", "major", "abnormal", "normal"),
        one_of("source", "outpatient", "inpatient", "emergency", "checkup"),
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
