"""Who is it that asks? Log-in, sessions and gateway tokens."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.directory import queries
from ecg_center.directory.passwords import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    hash_password,
    new_token,
    token_digest,
    verify_password,
)
from ecg_center.domain.authority import Grant, Principal, Role
from ecg_center.domain.errors import Invalid, NotAllowed, NotFound
from ecg_center.http import Gateway
from ecg_center.store.events import Actor, audit
from ecg_center.store.scopes import actor_of
from ecg_center.store.tables import Institution, Person, WebSession

MAX_FAILED_LOGINS = 5
LOCK = timedelta(minutes=15)
"""GB/T 22239-2019 8.1.4.1 (MLPS level 3) asks for a limit of failed log-ins and a lock; five and a quarter of an hour
are what hospitals usually set."""

SESSION = timedelta(hours=12)
"""A shift; then the physician signs in again."""
IDLE = timedelta(minutes=60)
"""A session that nobody used for an hour ends; the reading page's own renewals count as use."""
TOUCH_EVERY = timedelta(seconds=60)


async def sign_in(
    session: AsyncSession, login: str, password: str, *, now: datetime, source: str, user_agent: str
) -> str | None:
    """Check the password and begin a session; returns the cookie's token, or None where it is refused.

    It does not raise, so that the caller commits the count of failures. The answer does not tell an unknown login, a
    wrong password and a locked account apart; the audit does.
    """
    person = await queries.person_by_login(session, login.strip().lower())
    who = Actor("person", person.name if person else login[:64], person.id if person else None, source)
    locked = person is not None and person.locked_until is not None and person.locked_until > now
    right = await asyncio.to_thread(verify_password, password, person.password_hash if person else None)
    if person is None or locked or not right or not person.active:
        if person is not None and not locked:
            _count_failure(person, now)
        audit(session, who, "login_refused", at=now, locked=locked)
        return None
    person.failed_logins, person.locked_until = 0, None
    token = new_token()
    session.add(
        WebSession(
            token_sha256=token_digest(token),
            person_id=person.id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + SESSION,
            source=source,
            user_agent=user_agent[:200],
        )
    )
    audit(session, who, "login", at=now)
    return token


def _count_failure(person: Person, now: datetime) -> None:
    person.failed_logins += 1
    if person.failed_logins >= MAX_FAILED_LOGINS:
        person.failed_logins, person.locked_until = 0, now + LOCK


async def sign_out(session: AsyncSession, token: str, principal: Principal, now: datetime) -> None:
    """End the session."""
    await queries.delete_session(session, token_digest(token))
    audit(session, actor_of(principal), "logout", at=now)


async def principal_of(session: AsyncSession, token: str, *, now: datetime, source: str) -> Principal | None:
    """The person behind a cookie's token; None where the session is unknown, idle too long or over."""
    found = await queries.session_with_person(session, token_digest(token))
    if found is None:
        return None
    web_session, person, institution = found
    if web_session.expires_at <= now or web_session.last_seen_at + IDLE <= now or not person.active:
        return None
    if now - web_session.last_seen_at > TOUCH_EVERY:
        web_session.last_seen_at = now
    return await describe(session, person, institution, source)


async def describe(session: AsyncSession, person: Person, institution: Institution, source: str) -> Principal:
    """The person with all that a rule needs to know."""
    grants = await queries.grants_of(session, person.id)
    return Principal(
        person_id=person.id,
        login=person.login,
        name=person.name,
        title=person.title,
        institution_id=institution.id,
        institution_code=institution.code,
        institution_name=institution.name,
        at_centre=institution.kind == "lead",
        grants=tuple(Grant(Role(grant.role), grant.kind) for grant in grants),
        locale=person.locale,
        source=source,
    )


async def gateway_of(session: AsyncSession, token: str, source: str) -> Gateway | None:
    """The gateway behind a bearer token."""
    account = await queries.gateway_by_token(session, token_digest(token))
    if account is None:
        return None
    return Gateway(account.id, account.name, await queries.gateway_institutions(session, account.id), source)


async def set_locale(session: AsyncSession, principal: Principal, locale: str) -> None:
    """Keep the language that a person chose."""
    person = await session.get(Person, principal.person_id)
    if person is None or locale not in ("zh", "en"):
        raise Invalid("The language is zh or en.", field="locale")
    person.locale = locale


async def change_password(session: AsyncSession, principal: Principal, old: str, new: str, now: datetime) -> None:
    """A person changes their own password; every other session of theirs ends.

    Raises:
        NotAllowed: the old password is wrong.
        Invalid: the new one is too short.
    """
    person = await session.get(Person, principal.person_id)
    if person is None:
        raise NotFound("There is no such person.")
    if not await asyncio.to_thread(verify_password, old, person.password_hash):
        raise NotAllowed("The old password is not right.")
    person.password_hash = await checked_hash(new)
    await queries.delete_sessions_of(session, person.id)
    audit(session, actor_of(principal), "password_changed", at=now, object_kind="person", object_id=person.id)


async def checked_hash(password: str) -> str:
    """The hash of a password that is long enough, and short enough to be typed at the log-in.

    Raises:
        Invalid: it is too short or too long.
    """
    if len(password) < MIN_PASSWORD:
        raise Invalid("A password has at least {n} characters.", field="password", n=MIN_PASSWORD)
    if len(password) > MAX_PASSWORD:
        raise Invalid("A password has at most {n} characters.", field="password", n=MAX_PASSWORD)
    return await asyncio.to_thread(hash_password, password)
