"""What happened to a study and in the centre: rows that are only added."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ecg_center.store.base import Base, now_column
from ecg_center.store.tables.columns import one_of, study_column


class StudyEvent(Base):
    """One line of a study's timeline; append-only by the database's own grants."""

    __tablename__ = "study_event"
    __table_args__ = (one_of("actor_kind", "person", "device", "gateway", "worker", "centre"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    study_id: Mapped[UUID] = study_column()
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
