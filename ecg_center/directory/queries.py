"""All SQL of the directory."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.tables import (
    Calendar,
    CalendarDay,
    Device,
    FeeItem,
    GatewayAccount,
    GatewayInstitution,
    Institution,
    Person,
    PersonGrant,
    SigningCertificate,
    WebSession,
)


async def person_by_login(session: AsyncSession, login: str) -> Person | None:
    """The account of this login, locked for the count of failures."""
    return await session.scalar(select(Person).where(Person.login == login).with_for_update())


async def session_with_person(
    session: AsyncSession, token_sha256: str
) -> tuple[WebSession, Person, Institution] | None:
    """The log-in of this token, its person and their institution."""
    row = await session.execute(
        select(WebSession, Person, Institution)
        .join(Person, Person.id == WebSession.person_id)
        .join(Institution, Institution.id == Person.institution_id)
        .where(WebSession.token_sha256 == token_sha256)
    )
    found = row.one_or_none()
    return None if found is None else (found[0], found[1], found[2])


async def grants_of(session: AsyncSession, person_id: UUID) -> list[PersonGrant]:
    """All grants of a person."""
    return list(await session.scalars(select(PersonGrant).where(PersonGrant.person_id == person_id)))


async def delete_session(session: AsyncSession, token_sha256: str) -> None:
    """End one log-in."""
    await session.execute(delete(WebSession).where(WebSession.token_sha256 == token_sha256))


async def delete_sessions_of(session: AsyncSession, person_id: UUID) -> None:
    """End every log-in of a person."""
    await session.execute(delete(WebSession).where(WebSession.person_id == person_id))


async def delete_expired_sessions(session: AsyncSession, now: datetime) -> None:
    """Forget log-ins that have run out."""
    await session.execute(delete(WebSession).where(WebSession.expires_at < now))


async def gateway_by_token(session: AsyncSession, token_sha256: str) -> GatewayAccount | None:
    """The active gateway of this token."""
    return await session.scalar(
        select(GatewayAccount).where(GatewayAccount.token_sha256 == token_sha256, GatewayAccount.active)
    )


async def gateway_institutions(session: AsyncSession, gateway_id: UUID) -> dict[str, UUID]:
    """Institution ids by code that a gateway serves."""
    rows = await session.execute(
        select(Institution.code, Institution.id)
        .join(GatewayInstitution, GatewayInstitution.institution_id == Institution.id)
        .where(GatewayInstitution.gateway_id == gateway_id, Institution.active)
    )
    return {row.code: row.id for row in rows}


async def touch_gateway(session: AsyncSession, gateway_id: UUID, at: datetime, heartbeat: dict[str, Any]) -> None:
    """Note what a gateway said of itself."""
    await session.execute(
        update(GatewayAccount).where(GatewayAccount.id == gateway_id).values(last_seen_at=at, last_heartbeat=heartbeat)
    )


async def institutions(session: AsyncSession) -> list[Institution]:
    """All institutions, the lead first."""
    return list(await session.scalars(select(Institution).order_by(Institution.kind, Institution.code)))


async def institution_by_code(session: AsyncSession, code: str) -> Institution | None:
    """One institution."""
    return await session.scalar(select(Institution).where(Institution.code == code))


async def people(session: AsyncSession) -> list[tuple[Person, Institution]]:
    """All people in sight with their institutions."""
    rows = await session.execute(
        select(Person, Institution)
        .join(Institution, Institution.id == Person.institution_id)
        .order_by(Institution.kind, Institution.code, Person.login)
    )
    return [(person, institution) for person, institution in rows]


async def all_grants(session: AsyncSession) -> dict[UUID, list[PersonGrant]]:
    """Every grant by person."""
    by_person: dict[UUID, list[PersonGrant]] = {}
    for grant in await session.scalars(select(PersonGrant)):
        by_person.setdefault(grant.person_id, []).append(grant)
    return by_person


async def delete_grants(session: AsyncSession, person_id: UUID) -> None:
    """Take every role from a person."""
    await session.execute(delete(PersonGrant).where(PersonGrant.person_id == person_id))


async def devices(session: AsyncSession) -> list[tuple[Device, Institution]]:
    """All devices in sight with their institutions."""
    rows = await session.execute(
        select(Device, Institution)
        .join(Institution, Institution.id == Device.institution_id)
        .order_by(Institution.code, Device.identity)
    )
    return [(device, institution) for device, institution in rows]


async def gateways(session: AsyncSession) -> list[GatewayAccount]:
    """All gateways."""
    return list(await session.scalars(select(GatewayAccount).order_by(GatewayAccount.name)))


async def gateways_in_sight(session: AsyncSession) -> list[tuple[GatewayAccount, list[str]]]:
    """Gateways that serve institutions in sight, with the names of these institutions."""
    rows = await session.execute(
        select(GatewayAccount, Institution.name)
        .join(GatewayInstitution, GatewayInstitution.gateway_id == GatewayAccount.id)
        .join(Institution, Institution.id == GatewayInstitution.institution_id)
        .order_by(GatewayAccount.name, Institution.code)
    )
    served: dict[UUID, tuple[GatewayAccount, list[str]]] = {}
    for gateway, name in rows:
        served.setdefault(gateway.id, (gateway, []))[1].append(name)
    return list(served.values())


async def certificates(session: AsyncSession) -> dict[UUID, SigningCertificate]:
    """The newest certificate that is not revoked, by person."""
    rows = await session.scalars(
        select(SigningCertificate)
        .where(SigningCertificate.revoked_at.is_(None))
        .order_by(SigningCertificate.created_at)
    )
    return {row.person_id: row for row in rows}


async def delete_calendar_day(session: AsyncSession, calendar_id: UUID, day: date) -> None:
    """Forget a day that differs."""
    await session.execute(delete(CalendarDay).where(CalendarDay.calendar_id == calendar_id, CalendarDay.day == day))


async def calendars(session: AsyncSession) -> list[Calendar]:
    """All working calendars."""
    return list(await session.scalars(select(Calendar).order_by(Calendar.name)))


async def calendar_days(session: AsyncSession, calendar_id: UUID) -> list[CalendarDay]:
    """The days of a calendar that differ from its week."""
    return list(
        await session.scalars(
            select(CalendarDay).where(CalendarDay.calendar_id == calendar_id).order_by(CalendarDay.day)
        )
    )


async def fee_items(session: AsyncSession) -> list[FeeItem]:
    """All active fee items."""
    return list(await session.scalars(select(FeeItem).where(FeeItem.active).order_by(FeeItem.kind, FeeItem.code)))


async def is_empty(session: AsyncSession) -> bool:
    """Whether no institution has been created yet."""
    return (await session.scalar(select(func.count()).select_from(Institution))) == 0
