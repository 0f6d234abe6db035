"""How does the medical community come to be and change?"""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.printing import Heartbeat
from ecg_center.directory import queries
from ecg_center.directory.accounts import checked_hash
from ecg_center.directory.holidays import official_days
from ecg_center.directory.passwords import new_token, token_digest
from ecg_center.directory.schemas import (
    CalendarForm,
    DeviceChange,
    DeviceForm,
    GatewayAlert,
    GatewayForm,
    InstitutionForm,
    PersonForm,
    RolesForm,
)
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

GATEWAY_SILENT = timedelta(seconds=60)
"""A gateway speaks every 15 s (``gateway/service.py``): three beats in a row may be lost on a bad network."""
BACKLOG_AGE = timedelta(seconds=60)
"""A recording is in the spool for seconds on its way; one that lies there for a minute is delayed."""
DISK_LEAST_BYTES = 2 * 1024**3
"""Room for one longest recording: below it a gateway cannot take every upload any more."""
USUAL_WEEK: dict[str, Any] = {str(day): [["08:00", "12:00"], ["14:00", "17:30"]] for day in range(1, 6)} | {
    "6": [],
    "7": [],
}
"""``domain.calendars.OFFICE_HOURS`` from Monday to Friday, where a calendar begins."""


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
    if person_id == principal.person_id and "admin" not in form.roles:
        raise Conflict("You cannot take the administrator's role from yourself; another administrator can.")
    await queries.delete_grants(session, person_id)
    _grant(session, person_id, form)
    audit(session, actor_of(principal), "roles_set", at=now, object_kind="person", object_id=person_id)


async def set_active(session: AsyncSession, principal: Principal, person_id: UUID, active: bool, now: datetime) -> None:
    """Close or reopen an account; closing ends its sessions at once."""
    principal.require(Act.ADMINISTER)
    person = await _person(session, person_id)
    if person_id == principal.person_id and not active:
        raise Conflict("You cannot close your own account; another administrator can.")
    person.active = active
    if not active:
        await queries.delete_sessions_of(session, person_id)
    audit(session, actor_of(principal), "person_active", at=now, object_kind="person", object_id=person_id, on=active)


async def reset_password(
    session: AsyncSession, principal: Principal, person_id: UUID, password: str, now: datetime
) -> None:
    """Give a person a new password, lift their lock and end their sessions.

    Raises:
        Invalid: the password is too short or too long.
    """
    principal.require(Act.ADMINISTER)
    person = await _person(session, person_id)
    person.password_hash = await checked_hash(password)
    person.failed_logins, person.locked_until = 0, None
    await queries.delete_sessions_of(session, person_id)
    audit(session, actor_of(principal), "password_reset", at=now, object_kind="person", object_id=person_id)


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


async def change_device(
    session: AsyncSession, principal: Principal, device_id: UUID, form: DeviceChange, now: datetime
) -> None:
    """Change what a recorder is called and how it is known; what it recorded stays where it is.

    Raises:
        Conflict: the identity is taken on this transport.
    """
    principal.require(Act.ADMINISTER)
    device = await _device(session, device_id)
    device.institution_id = (await _institution(session, form.institution_code)).id
    for name, value in form.model_dump(exclude={"institution_code"}).items():
        setattr(device, name, value)
    await _flush(session, "A device of this identity exists already.")
    said = form.model_dump(mode="json")
    audit(session, actor_of(principal), "device_changed", at=now, object_kind="device", object_id=device_id, **said)


async def set_device_active(
    session: AsyncSession, principal: Principal, device_id: UUID, active: bool, now: datetime
) -> None:
    """Switch a recorder off or on; what a switched-off one sends waits as of an unknown device."""
    principal.require(Act.ADMINISTER)
    device = await _device(session, device_id)
    device.active = active
    audit(session, actor_of(principal), "device_active", at=now, object_kind="device", object_id=device_id, on=active)


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


async def add_gateway(session: AsyncSession, principal: Principal, form: GatewayForm, now: datetime) -> str:
    """A gateway that an administrator adds; returns its token, which is shown this once.

    Raises:
        Conflict: the name is taken.
    """
    principal.require(Act.ADMINISTER)
    return await create_gateway(session, actor_of(principal), form.name, list(form.institution_codes), now)


async def set_gateway_active(
    session: AsyncSession, principal: Principal, gateway_id: UUID, active: bool, now: datetime
) -> None:
    """Switch a gateway off or on; off, the centre refuses its token, and its spool keeps what it holds."""
    principal.require(Act.ADMINISTER)
    gateway = await session.get(GatewayAccount, gateway_id)
    if gateway is None:
        raise NotFound("There is no such gateway.")
    gateway.active = active
    audit(
        session, actor_of(principal), "gateway_active", at=now, object_kind="gateway", object_id=gateway_id, on=active
    )


async def gateway_alerts(session: AsyncSession, now: datetime) -> list[GatewayAlert]:
    """The gateways in sight that are silent, behind, or say that something is wrong; the worst first.

    One that was never heard of is being installed: the directory shows it, nobody is alarmed.
    """
    alerts = []
    for gateway, names in await queries.gateways_in_sight(session):
        if gateway.last_seen_at is None or not gateway.active:
            continue
        alert = gateway_alert(gateway, names, now)
        if alert.silent_since or alert.waiting or alert.problems or alert.disk_low:
            alerts.append(alert)
    return sorted(alerts, key=lambda alert: (alert.silent_since is None, not alert.waiting, alert.name))


def gateway_alert(gateway: GatewayAccount, clinics: list[str], now: datetime) -> GatewayAlert:
    """How a gateway stands, by when it was last heard and what it said then."""
    beat = Heartbeat.model_validate(gateway.last_heartbeat) if gateway.last_heartbeat else None
    seen = gateway.last_seen_at
    waiting = beat.spool_waiting if beat else 0
    oldest = beat.spool_oldest_at if beat else None
    is_behind = beat is not None and waiting > 0 and (oldest is None or now - oldest > BACKLOG_AGE)
    return GatewayAlert(
        name=gateway.name,
        clinics=clinics,
        silent_since=seen if seen is not None and now - seen > GATEWAY_SILENT else None,
        waiting=waiting if is_behind else 0,
        oldest_at=oldest if is_behind else None,
        disk_low=beat is not None and beat.disk_free_bytes < DISK_LEAST_BYTES,
        problems=list(beat.problems) if beat else [],
    )


async def add_calendar(
    session: AsyncSession, principal: Principal, name: str, years: list[int], now: datetime
) -> Calendar:
    """A calendar of usual office hours with the official days of the years, for all institutions that have none.

    Raises:
        Conflict: the name is taken.
    """
    principal.require(Act.ADMINISTER)
    if name in {calendar.name for calendar in await queries.calendars(session)}:
        raise Conflict("A calendar of this name exists already.")
    calendar = await create_calendar(session, name, USUAL_WEEK, review_waits=False, years=years)
    for institution in await queries.institutions(session):
        institution.calendar_id = institution.calendar_id or calendar.id
    _audit_calendar(session, principal, "calendar_created", calendar.id, now)
    return calendar


async def change_calendar(
    session: AsyncSession, principal: Principal, calendar_id: UUID, form: CalendarForm, now: datetime
) -> None:
    """Set the weekly hours, and whether the review of non-urgent studies waits for them.

    Due times that have been set stay; they change for recordings that arrive from now on.

    Raises:
        Invalid: these are no hours of a day, or the week has none at all while reviews wait for them.
    """
    principal.require(Act.ADMINISTER)
    calendar = await _calendar(session, calendar_id)
    for day, hours in form.weekly.items():
        _check_hours(hours, f"weekly_{day}")
    if form.review_waits and not any(form.weekly.values()):
        raise Invalid("A week without working hours would let no review ever become due.", field="review_waits")
    said = form.model_dump(mode="json")
    calendar.weekly, calendar.review_waits = said["weekly"], form.review_waits
    _audit_calendar(session, principal, "calendar_changed", calendar_id, now, **said)


async def load_official_year(
    session: AsyncSession, principal: Principal, calendar_id: UUID, year: int, now: datetime
) -> int:
    """Set the State Council's holidays and make-up workdays of a year; returns how many days they are.

    Raises:
        Invalid: the year's notice is not known to this version.
    """
    principal.require(Act.ADMINISTER)
    calendar = await _calendar(session, calendar_id)
    days = official_days(year)
    if not days:
        raise Invalid("The holidays of {year} are not known here; add its days by hand.", field="year", year=year)
    for day in days:
        hours = calendar.weekly.get("1", []) if day.is_workday else []
        await session.merge(CalendarDay(calendar_id=calendar_id, day=day.day, hours=hours, name=day.name))
    _audit_calendar(session, principal, "calendar_year", calendar_id, now, year=year, days=len(days))
    return len(days)


async def remove_calendar_day(
    session: AsyncSession, principal: Principal, calendar_id: UUID, day: date, now: datetime
) -> None:
    """Let a day follow its week again."""
    principal.require(Act.ADMINISTER)
    await queries.delete_calendar_day(session, calendar_id, day)
    _audit_calendar(session, principal, "calendar_day_removed", calendar_id, now, day=day.isoformat())


def _audit_calendar(
    session: AsyncSession, principal: Principal, action: str, calendar_id: UUID, now: datetime, **said: Any
) -> None:
    audit(session, actor_of(principal), action, at=now, object_kind="calendar", object_id=calendar_id, **said)


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
    _check_hours(hours, "hours")
    calendar = await _calendar(session, calendar_id)
    await session.merge(CalendarDay(calendar_id=calendar.id, day=day, hours=hours, name=name))
    said = {"day": day.isoformat(), "hours": hours}
    _audit_calendar(session, principal, "calendar_day_set", calendar_id, datetime.now(UTC), **said)


def _check_hours(hours: list[Any], field: str) -> None:
    try:
        read_hours(hours)
    except ValueError:
        raise Invalid("Write the hours as 08:00-12:00, one after the other.", field=field) from None


async def note_heartbeat(session: AsyncSession, gateway: Gateway, heartbeat: Heartbeat, now: datetime) -> None:
    """Keep what a gateway says of itself."""
    await queries.touch_gateway(session, gateway.id, now, heartbeat.model_dump(mode="json"))


async def _person(session: AsyncSession, person_id: UUID) -> Person:
    person = await session.get(Person, person_id)
    if person is None:
        raise NotFound("There is no such person.")
    return person


async def _device(session: AsyncSession, device_id: UUID) -> Device:
    device = await session.get(Device, device_id)
    if device is None:
        raise NotFound("There is no such device.")
    return device


async def _calendar(session: AsyncSession, calendar_id: UUID) -> Calendar:
    calendar = await session.get(Calendar, calendar_id)
    if calendar is None:
        raise NotFound("There is no such calendar.")
    return calendar


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
