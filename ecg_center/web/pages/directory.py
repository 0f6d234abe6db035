"""Who belongs to the community? Institutions, people and their authority, devices, gateways."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel

from ecg_center.directory import queries, service
from ecg_center.directory.schemas import DeviceForm, InstitutionForm, KindName, PersonForm, RoleName, RolesForm
from ecg_center.domain.authority import Act, Principal
from ecg_center.domain.errors import Invalid, Refused
from ecg_center.http import Db, SignedIn
from ecg_center.store.scopes import actor_of, scope_of
from ecg_center.store.session import Database
from ecg_center.web import forms
from ecg_center.web.errors import said
from ecg_center.web.rendering import render, texts_of

router = APIRouter(include_in_schema=False)

Section = Literal["institutions", "people", "devices"]


async def _lists(db: Database, principal: Principal) -> dict[str, Any]:
    principal.require(Act.ADMINISTER)
    async with db.transaction(scope_of(principal)) as session:
        return {
            "institutions": await queries.institutions(session),
            "people": await queries.people(session),
            "grants": await queries.all_grants(session),
            "devices": await queries.devices(session),
            "gateways": await queries.gateways(session),
        }


@router.get("/directory")
async def directory(request: Request, principal: SignedIn, db: Db, section: Section = "institutions") -> Response:
    """One section of the directory."""
    lists = await _lists(db, principal)
    return render(request, "directory.html", **lists, section=section, values=forms.Blank(), faults=forms.Blank())


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
            return RedirectResponse(f"/directory?section={section}&note=saved", status_code=303)
        except Invalid as error:
            faults = forms.refused(request, error)
        except Refused as error:
            faults = {forms.GENERAL: said(request, error)}
    lists = await _lists(db, principal)
    return render(
        request,
        "directory.html",
        status=422,
        **lists,
        section=section,
        values=forms.Blank(values),
        faults=forms.Blank(faults),
    )


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
async def set_active(person_id: UUID, principal: SignedIn, db: Db, active: Annotated[bool, Form()]) -> Response:
    """Close or reopen an account."""
    async with db.transaction(scope_of(principal)) as session:
        await service.set_active(session, principal, person_id, active, datetime.now(UTC))
    return RedirectResponse("/directory?section=people&note=saved", status_code=303)


@router.post("/directory/people/{person_id}/roles")
async def set_roles(
    person_id: UUID,
    principal: SignedIn,
    db: Db,
    roles: Annotated[list[RoleName] | None, Form()] = None,
    kinds: Annotated[list[KindName] | None, Form()] = None,
) -> Response:
    """Replace a person's roles and the kinds of study that they hold for; no kind means all."""
    form = RolesForm(roles=roles or [], kinds=kinds or [])
    async with db.transaction(scope_of(principal)) as session:
        await service.set_roles(session, principal, person_id, form, datetime.now(UTC))
    return RedirectResponse("/directory?section=people&note=saved", status_code=303)
