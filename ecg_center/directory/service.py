"""How does the medical community come to be and change?"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.printing import Heartbeat
from ecg_center.directory import queries
from ecg_center.directory.accounts import checked_hash
from ecg_center.directory.holidays import official_days
from ecg_center.directory.passwords import new_token, token_digest
from ecg_center.directory.schemas import DeviceForm, InstitutionForm, PersonForm, RolesForm
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.errors import Conflict, Invalid, NotFound
from ecg_center.http import Gateway
from ecg_center.store.deadlines import read_hours
from ecg_center.store.events import Actor, audit
from ecg_center.store.scopes import actor_of
from ecg_center.store.tables import (
    Calendar,
    CalendarDay,
    Device,
    GatewayAccount,
    GatewayInstitution,
    Institution,
    Person,
    PersonGrant,
)


async def create_institution(session: AsyncSession, actor: Actor, form: InstitutionForm, now: datetime) -> Institution:
    """Add a hospital or clinic.

    Raises:
        Conflict: the code is taken, or there is a lead hospital already.
    """
    institution = Institution(**form.model_dump())
    session.add(institution)
    await _flush(session, "An institution of this code exists already, or the community has its lead hospital.")
    audit(session, actor, "institution_created", at=now, object_kind="institution", object_id=institution.id)
    return institution


async def create_person(session: AsyncSession, actor: Actor, form: PersonForm, now: datetime) -> Person:
    """Add a person with their roles.

    Raises:
        Conflict: the login is taken.
        Invalid: the password is too short.
    """
    institution = await _institution(session, form.institution_code)
    person = Person(
        institution_id=institution.id,
        login=form.login,
        name=form.name,
        title=form.title,
        locale=form.locale,
        password_hash=await checked_hash(form.password),
    )
    session.add(person)
    await _flush(session, "This login is taken.")
    _grant(session, person.id, form)
    audit(session, actor, "person_created", at=now, object_kind="person", object_id=person.id, login=person.login)
    return person


def _grant(session: AsyncSession, person_id: UUID, form: RolesForm) -> None:
    for role in form.roles:
        for kind in form.kinds or (None,):
            session.add(PersonGrant(person_id=person_id, role=role, kind=kind))


async def set_roles(
    session: AsyncSession, principal: Principal, person_id: UUID, form: RolesForm, now: datetime
) -> None:
    """Replace a person's roles and authority."""
    principal.require(Act.ADMINISTER)
    await _person(session, person_id)
    await queries.delete_grants(session, person_id)
    _grant(session, person_id, form)
    audit(session, actor_of(principal), "roles_set", at=now, object_kind="person", object_id=person_id)


async def set_active(session: AsyncSession, principal: Principal, person_id: UUID, active: bool, now: datetime) -> None:
    """Close or reopen an account; closing ends its sessions at once."""
    principal.require(Act.ADMINISTER)
    person = await _person(session, person_id)
    person.active = active
    if not active:
        await queries.delete_sessions_of(session, person_id)
    audit(session, actor_of(principal), "person_active", at=now, object_kind="person", object_id=person_id, on=active)


async def create_device(session: AsyncSession, actor: Actor, form: DeviceForm, now: datetime) -> Device:
    """Add a recorder: its AE title or MQTT identity says which clinic it stands in.

    Raises:
        Conflict: the identity is taken on this transport.
    """
    institution = await _institution(session, form.institution_code)
    device = Device(institution_id=institution.id, **form.model_dump(exclude={"institution_code"}))
    session.add(device)
    await _flush(session, "A device of this identity exists already.")
    audit(session, actor, "device_created", at=now, object_kind="device", object_id=device.id)
    return device


async def create_gateway(
    session: AsyncSession, actor: Actor, name: str, institution_codes: list[str], now: datetime
) -> str:
    """Add a gateway and return its token, which is shown this once."""
    token = new_token()
    account = GatewayAccount(name=name, token_sha256=token_digest(token))
    session.add(account)
    await _flush(session, "A gateway of this name exists already.")
    for code in institution_codes:
        institution = await _institution(session, code)
        session.add(GatewayInstitution(gateway_id=account.id, institution_id=institution.id))
    audit(session, actor, "gateway_created", at=now, object_kind="gateway", object_id=account.id)
    return token


async def create_calendar(
    session: AsyncSession, name: str, weekly: dict[str, Any], *, review_waits: bool, years: list[int]
) -> Calendar:
    """A working calendar with the State Council's holidays and make-up workdays of the years."""
    calendar = Calendar(name=name, weekly=weekly, review_waits=review_waits)
    session.add(calendar)
    await session.flush()
    workday_hours = weekly.get("1", [])
    for year in years:
        for day in official_days(year):
            session.add(
                CalendarDay(
                    calendar_id=calendar.id,
                    day=day.day,
                    name=day.name,
                    hours=workday_hours if day.is_workday else [],
                )
            )
    await session.flush()
    return calendar


async def set_calendar_day(
    session: AsyncSession, principal: Principal, calendar_id: UUID, day: date, hours: list[Any], name: str
) -> None:
    """Set one day that differs, over whatever stood there.

    Raises:
        Invalid: these are no hours of a day; every due time of the centre would stumble over them.
    """
    principal.require(Act.ADMINISTER)
    try:
        read_hours(hours)
    except ValueError:
        raise Invalid("Write the hours as 08:00-12:00, one after the other.", field="hours") from None
    await session.merge(CalendarDay(calendar_id=calendar_id, day=day, hours=hours, name=name))


async def note_heartbeat(session: AsyncSession, gateway: Gateway, heartbeat: Heartbeat, now: datetime) -> None:
    """Keep what a gateway says of itself."""
    await queries.touch_gateway(session, gateway.id, now, heartbeat.model_dump(mode="json"))


async def _person(session: AsyncSession, person_id: UUID) -> Person:
    person = await session.get(Person, person_id)
    if person is None:
        raise NotFound("There is no such person.")
    return person


async def _institution(session: AsyncSession, code: str) -> Institution:
    institution = await queries.institution_by_code(session, code)
    if institution is None:
        raise NotFound("There is no institution of code {code}.", code=code)
    return institution


async def _flush(session: AsyncSession, conflict: str) -> None:
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError:
        raise Conflict(conflict) from None
