"""Who are you? The log-in, and what a person may change of their own account."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ecg_center.directory import accounts
from ecg_center.directory.routes import set_cookie
from ecg_center.directory.sessions import SESSION_COOKIE
from ecg_center.domain.errors import Invalid, NotAllowed
from ecg_center.http import Db, SignedIn
from ecg_center.store.session import EVERYTHING
from ecg_center.web import forms
from ecg_center.web.errors import said
from ecg_center.web.i18n import LANGUAGES
from ecg_center.web.navigation import first_page
from ecg_center.web.pages.preferences import keep_language, safe_path
from ecg_center.web.rendering import render, texts_of

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(principal: SignedIn) -> RedirectResponse:
    """The page where this person begins."""
    return RedirectResponse(first_page(principal), status_code=303)


@router.get("/login")
async def login_page(request: Request, back: str = "/", language: str = "") -> Response:
    """The log-in."""
    if getattr(request.state, "person", None) is not None:
        return RedirectResponse(safe_path(back), status_code=303)
    return render(request, "login.html", back=safe_path(back), login="", fault="", chosen=language)


@router.post("/login")
async def sign_in(
    request: Request,
    db: Db,
    login: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    back: Annotated[str, Form()] = "/",
    language: Annotated[str, Form()] = "",
) -> Response:
    """Check the password and begin a session, in the person's language or the one just chosen at the log-in."""
    source = request.client.host if request.client else ""
    agent = request.headers.get("user-agent", "")
    now = datetime.now(UTC)
    async with db.transaction(EVERYTHING) as session:
        token = await accounts.sign_in(session, login, password, now=now, source=source, user_agent=agent)
        person = await accounts.principal_of(session, token, now=now, source=source) if token else None
        if person is not None and language in LANGUAGES:
            await accounts.set_locale(session, person, language)
    if token is None or person is None:
        fault = texts_of(request).gettext(
            "Log-in name or password is wrong. After five failures the account rests for 15 minutes."
        )
        return render(
            request, "login.html", status=422, back=safe_path(back), login=login, fault=fault, chosen=language
        )
    answer = RedirectResponse(safe_path(back), status_code=303)
    set_cookie(request, answer, token)
    keep_language(request, answer, language if language in LANGUAGES else person.locale)
    return answer


@router.post("/logout")
async def sign_out(request: Request, principal: SignedIn, db: Db) -> Response:
    """End the session."""
    async with db.transaction(EVERYTHING) as session:
        await accounts.sign_out(session, request.cookies.get(SESSION_COOKIE, ""), principal, datetime.now(UTC))
    answer = RedirectResponse("/login?note=signed-out", status_code=303)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@router.get("/account")
async def account_page(request: Request, principal: SignedIn) -> Response:
    """One's own account."""
    return render(request, "account.html", faults=forms.Blank())


@router.post("/account/password")
async def change_password(
    request: Request,
    principal: SignedIn,
    db: Db,
    old: Annotated[str, Form(max_length=1024)] = "",
    new: Annotated[str, Form(max_length=1024)] = "",
    again: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Change one's own password."""
    if new != again:
        faults = forms.Blank(again=texts_of(request).gettext("The two new passwords differ."))
        return render(request, "account.html", status=422, faults=faults)
    try:
        async with db.transaction(EVERYTHING) as session:
            await accounts.change_password(session, principal, old, new, datetime.now(UTC))
    except NotAllowed as error:
        return render(request, "account.html", status=422, faults=forms.Blank(old=said(request, error)))
    except Invalid as error:
        return render(request, "account.html", status=422, faults=forms.Blank(new=said(request, error)))
    return RedirectResponse("/login?note=password", status_code=303)
