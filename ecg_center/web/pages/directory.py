"""Who belongs to the community? Institutions, people and their authority, devices, gateways, working calendars."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from cryptography import x509
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from ecg_center.directory import queries, service
from ecg_center.directory.schemas import (
    DeviceChange,
    DeviceForm,
    GatewayForm,
    InstitutionForm,
    KindName,
    PersonForm,
    RoleName,
    RolesForm,
)
from ecg_center.domain.authority import GRANTS, Act, Principal
from ecg_center.domain.errors import Conflict, Invalid, Refused
from ecg_center.http import Db, SignedIn
from ecg_center.store.scopes import actor_of, scope_of
from ecg_center.store.session import Database
from ecg_center.store.tables import SigningCertificate
from ecg_center.web import forms
from ecg_center.web.errors import said
from ecg_center.web.i18n import CLINIC_TIME
from ecg_center.web.rendering import render, texts_of

router = APIRouter(include_in_schema=False)

Section = Literal["institutions", "people", "devices", "gateways", "calendars"]


async def lists(db: Database, principal: Principal) -> dict[str, Any]:
    """All that the directory's sections show."""
    principal.require(Act.ADMINISTER)
    now = datetime.now(UTC)
    today = now.astimezone(CLINIC_TIME).date()
    async with db.transaction(scope_of(principal)) as session:
        institutions = await queries.institutions(session)
        calendars = await queries.calendars(session)
        gateways = await queries.gateways(session)
        served = {gateway.id: names for gateway, names in await queries.gateways_in_sight(session)}
        return {
            "institutions": institutions,
            "people": await queries.people(session),
            "grants": await queries.all_grants(session),
            "certified": {person: valid_until(row) for person, row in (await queries.certificates(session)).items()},
            "signers": {role.value for act in (Act.WRITE, Act.REVIEW, Act.OPINE) for role in GRANTS[act]},
            "devices": await queries.devices(session),
            "gateways": gateways,
            "served": served,
            "standing": {
                gateway.id: service.gateway_alert(gateway, served.get(gateway.id, []), now) for gateway in gateways
            },
            "calendars": calendars,
            "days": {
                calendar.id: sorted(
                    await queries.calendar_days(session, calendar.id), key=lambda day: (day.day < today, day.day)
                )  # what is to come first
                for calendar in calendars
            },
            "centre_calendar": next((one.calendar_id for one in institutions if one.kind == "lead"), None),
            "years": (today.year, today.year + 1),
            "today": today,
            "token": "",
        }


def valid_until(row: SigningCertificate) -> datetime | None:
    """When a certificate ends; None where it cannot be read."""
    try:
        return x509.load_pem_x509_certificate(row.certificate_pem.encode()).not_valid_after_utc
    except ValueError:
        return None


async def show(
    request: Request,
    principal: Principal,
    db: Database,
    section: Section,
    *,
    values: dict[str, Any] | None = None,
    faults: dict[str, str] | None = None,
    **more: Any,
) -> Response:
    """One section, with what was typed and what is wrong with it."""
    context = await lists(db, principal) | more
    return render(
        request,
        "directory.html",
        status=422 if faults else 200,
        **context,
        section=section,
        values=forms.Blank(values or {}),
        faults=forms.Blank(faults or {}),
    )


def done(section: Section) -> Response:
    """Back to the section, saying that it is saved."""
    return RedirectResponse(f"/directory?section={section}&note=saved", status_code=303)


def fault_of(request: Request, error: Refused) -> dict[str, str]:
    """A refusal beside its field, or above the page."""
    return forms.refused(request, error) if isinstance(error, Invalid) else {forms.GENERAL: said(request, error)}


@router.get("/directory")
async def directory(request: Request, principal: SignedIn, db: Db, section: Section = "institutions") -> Response:
    """One section of the directory."""
    return await show(request, principal, db, section)


@router.post("/directory/institutions")
async def add_institution(request: Request, principal: SignedIn, db: Db) -> Response:
    """Add a hospital or clinic."""
    return await _add(request, principal, db, "institutions", InstitutionForm, "code", "name", "name_en", "phone")


@router.post("/directory/devices")
async def add_device(request: Request, principal: SignedIn, db: Db) -> Response:
    """Add a recorder."""
    names = ("institution_code", "name", "vendor", "model", "transport", "identity")
    return await _add(request, principal, db, "devices", DeviceForm, *names)


@router.post("/directory/people")
async def add_person(request: Request, principal: SignedIn, db: Db) -> Response:
    """Add a person with their roles."""
    names = ("institution_code", "login", "name", "title", "password")
    return await _add(request, principal, db, "people", PersonForm, *names)


async def _add(
    request: Request, principal: Principal, db: Database, section: Section, model: type[BaseModel], *names: str
) -> Response:
    principal.require(Act.ADMINISTER)
    sent = await request.form()
    values = {name: value for name, value in sent.items() if isinstance(value, str)}
    given: dict[str, Any] = forms.without_empty(values, *names)
    if model is PersonForm:
        given["roles"], given["kinds"] = sent.getlist("roles"), sent.getlist("kinds")
        given["password"] = values.get("password", "")
    form, faults = forms.read(model, given, texts_of(request))
    if form is not None:
        try:
            await _create(principal, db, form)
            return done(section)
        except Refused as error:
            faults = fault_of(request, error)
    return await show(request, principal, db, section, values=values, faults=faults)


async def _create(principal: Principal, db: Database, form: BaseModel) -> None:
    now, actor = datetime.now(UTC), actor_of(principal)
    async with db.transaction(scope_of(principal)) as session:
        if isinstance(form, InstitutionForm):
            await service.create_institution(session, actor, form, now)
        elif isinstance(form, DeviceForm):
            await service.create_device(session, actor, form, now)
        elif isinstance(form, PersonForm):
            await service.create_person(session, actor, form, now)


@router.post("/directory/people/{person_id}/active")
async def set_active(
    request: Request, person_id: UUID, principal: SignedIn, db: Db, active: Annotated[bool, Form()]
) -> Response:
    """Close or reopen an account."""
    try:
        async with db.transaction(scope_of(principal)) as session:
            await service.set_active(session, principal, person_id, active, datetime.now(UTC))
    except Conflict as error:
        return await show(request, principal, db, "people", faults=fault_of(request, error))
    return done("people")


@router.post("/directory/people/{person_id}/roles")
async def set_roles(
    request: Request,
    person_id: UUID,
    principal: SignedIn,
    db: Db,
    roles: Annotated[list[RoleName] | None, Form()] = None,
    kinds: Annotated[list[KindName] | None, Form()] = None,
) -> Response:
    """Replace a person's roles and the kinds of study that they hold for; no kind means all."""
    form = RolesForm(roles=roles or [], kinds=kinds or [])
    try:
        async with db.transaction(scope_of(principal)) as session:
            await service.set_roles(session, principal, person_id, form, datetime.now(UTC))
    except Conflict as error:
        return await show(request, principal, db, "people", faults=fault_of(request, error))
    return done("people")


@router.post("/directory/people/{person_id}/password")
async def reset_password(
    request: Request,
    person_id: UUID,
    principal: SignedIn,
    db: Db,
    password: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Give a person a new password."""
    try:
        async with db.transaction(scope_of(principal)) as session:
            await service.reset_password(session, principal, person_id, password, datetime.now(UTC))
    except Invalid as error:
        return await show(request, principal, db, "people", faults={forms.GENERAL: said(request, error)})
    return RedirectResponse("/directory?section=people&note=password-set", status_code=303)


@router.post("/directory/devices/{device_id}")
async def change_device(request: Request, device_id: UUID, principal: SignedIn, db: Db) -> Response:
    """Change a recorder's name, clinic or identity."""
    principal.require(Act.ADMINISTER)
    values = await forms.posted(request)
    given = forms.without_empty(values, "institution_code", "name", "vendor", "model", "identity")
    form, faults = forms.read(DeviceChange, given, texts_of(request))
    if form is not None:
        try:
            async with db.transaction(scope_of(principal)) as session:
                await service.change_device(session, principal, device_id, form, datetime.now(UTC))
            return done("devices")
        except Refused as error:
            faults = fault_of(request, error)
    return await show(request, principal, db, "devices", faults={forms.GENERAL: " ".join(faults.values())})


@router.post("/directory/devices/{device_id}/active")
async def set_device_active(device_id: UUID, principal: SignedIn, db: Db, active: Annotated[bool, Form()]) -> Response:
    """Switch a recorder off or on."""
    async with db.transaction(scope_of(principal)) as session:
        await service.set_device_active(session, principal, device_id, active, datetime.now(UTC))
    return done("devices")


@router.post("/directory/gateways")
async def add_gateway(request: Request, principal: SignedIn, db: Db) -> Response:
    """Add a gateway; the answer is the one page that ever shows its token."""
    principal.require(Act.ADMINISTER)
    sent = await request.form()
    values = {"name": str(sent.get("name", "")), "institution_codes": sent.getlist("institution_codes")}
    form, faults = forms.read(GatewayForm, values, texts_of(request))
    if form is not None:
        try:
            async with db.transaction(scope_of(principal)) as session:
                token = await service.add_gateway(session, principal, form, datetime.now(UTC))
            return await show(request, principal, db, "gateways", values={"name": form.name}, token=token)
        except Refused as error:
            faults = fault_of(request, error)
    return await show(request, principal, db, "gateways", values=values, faults=faults)


@router.post("/directory/gateways/{gateway_id}/active")
async def set_gateway_active(
    gateway_id: UUID, principal: SignedIn, db: Db, active: Annotated[bool, Form()]
) -> Response:
    """Switch a gateway off or on."""
    async with db.transaction(scope_of(principal)) as session:
        await service.set_gateway_active(session, principal, gateway_id, active, datetime.now(UTC))
    return done("gateways")
