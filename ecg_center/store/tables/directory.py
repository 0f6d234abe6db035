"""Who takes part: institutions, people, devices, gateways, calendars."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
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
        one_of("kind", "lead", "member"),
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
    __table_args__ = (one_of("locale", "zh", "en"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = institution_column()
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
        one_of("role", "technician", "reporting", "reviewing", "director", "qc", "admin"),
        one_of("kind", *KINDS),
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
        one_of("transport", "dicom", "mqtt", "ftp", "folder", "web"),
        UniqueConstraint("transport", "identity"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    institution_id: Mapped[UUID] = institution_column()
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
