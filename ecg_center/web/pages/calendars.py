"""When does the centre work? The administrator's calendars: weekly hours, holidays, make-up workdays."""

from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from ecg_center.directory import service
from ecg_center.directory.schemas import CalendarForm
from ecg_center.domain.authority import Act
from ecg_center.domain.errors import Refused
from ecg_center.http import Db, SignedIn
from ecg_center.store.scopes import scope_of
from ecg_center.web import forms
from ecg_center.web.hours import read_hours
from ecg_center.web.i18n import CLINIC_TIME, N_
from ecg_center.web.pages.directory import done, fault_of, show
from ecg_center.web.rendering import texts_of
from ecg_center.web.words import WEEKDAYS

router = APIRouter(include_in_schema=False)

NO_HOURS = N_("Write the hours as 08:00-12:00, one after the other.")


@router.post("/directory/calendars")
async def add_calendar(
    request: Request, principal: SignedIn, db: Db, name: Annotated[str, Form(max_length=100)] = ""
) -> Response:
    """Add a calendar of usual office hours, with the official days of this year and the next."""
    principal.require(Act.ADMINISTER)
    now, values = datetime.now(UTC), {"name": name}
    if not name.strip():
        faults = {"name": texts_of(request).gettext("Fill this in.")}
        return await show(request, principal, db, "calendars", values=values, faults=faults)
    year = now.astimezone(CLINIC_TIME).year
    try:
        async with db.transaction(scope_of(principal)) as session:
            await service.add_calendar(session, principal, name.strip(), [year, year + 1], now)
    except Refused as error:
        return await show(request, principal, db, "calendars", values=values, faults=fault_of(request, error))
    return done("calendars")


@router.post("/directory/calendars/{calendar_id}")
async def change_calendar(request: Request, calendar_id: UUID, principal: SignedIn, db: Db) -> Response:
    """Set the weekly hours and whether reviews wait for them."""
    principal.require(Act.ADMINISTER)
    values = await forms.posted(request)
    weekly = {day: read_hours(values.get(f"weekly_{day}", "")) for day in WEEKDAYS}
    faults = {f"weekly_{day}": texts_of(request).gettext(NO_HOURS) for day, hours in weekly.items() if hours is None}
    if not faults:
        form = CalendarForm.model_validate({"weekly": weekly, "review_waits": "review_waits" in values})
        try:
            async with db.transaction(scope_of(principal)) as session:
                await service.change_calendar(session, principal, calendar_id, form, datetime.now(UTC))
            return done("calendars")
        except Refused as error:
            faults = fault_of(request, error)
    return await show(request, principal, db, "calendars", values=values, faults=faults)


@router.post("/directory/calendars/{calendar_id}/year")
async def load_year(
    request: Request, calendar_id: UUID, principal: SignedIn, db: Db, year: Annotated[int, Form(ge=2000, le=2200)]
) -> Response:
    """Set the State Council's holidays and make-up workdays of a year."""
    try:
        async with db.transaction(scope_of(principal)) as session:
            await service.load_official_year(session, principal, calendar_id, year, datetime.now(UTC))
    except Refused as error:
        return await show(request, principal, db, "calendars", faults=fault_of(request, error))
    return done("calendars")


@router.post("/directory/calendars/{calendar_id}/days")
async def set_day(
    request: Request,
    calendar_id: UUID,
    principal: SignedIn,
    db: Db,
    day: Annotated[str, Form()] = "",
    hours: Annotated[str, Form(max_length=200)] = "",
    name: Annotated[str, Form(max_length=50)] = "",
) -> Response:
    """Set one day that differs from its week."""
    principal.require(Act.ADMINISTER)
    texts, faults = texts_of(request), {}
    read, on = read_hours(hours), _date(day)
    if read is None:
        faults["hours"] = texts.gettext(NO_HOURS)
    if on is None:
        faults["day"] = texts.gettext("Write the date as 1964-05-30.")
    if read is not None and on is not None:
        try:
            async with db.transaction(scope_of(principal)) as session:
                await service.set_calendar_day(session, principal, calendar_id, on, read, name.strip())
            return done("calendars")
        except Refused as error:
            faults = fault_of(request, error)
    values = {"day": day, "hours": hours, "name": name}
    return await show(request, principal, db, "calendars", values=values, faults=faults)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@router.post("/directory/calendars/{calendar_id}/days/{day}/remove")
async def remove_day(calendar_id: UUID, day: date, principal: SignedIn, db: Db) -> Response:
    """Let a day follow its week again."""
    async with db.transaction(scope_of(principal)) as session:
        await service.remove_calendar_day(session, principal, calendar_id, day, datetime.now(UTC))
    return done("calendars")
