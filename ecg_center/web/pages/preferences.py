"""In which language and brightness does a person see the pages?"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ecg_center.directory import accounts
from ecg_center.http import database
from ecg_center.store.scopes import scope_of
from ecg_center.web import i18n, rendering

router = APIRouter()
ONE_YEAR_S = 365 * 24 * 3600


def safe_path(path: str) -> str:
    """The path to go back to; ``/`` for anything that could lead to another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


def keep_language(request: Request, answer: Response, language: str) -> None:
    """The language of this browser's next log-in page."""
    secure = request.url.scheme == "https"
    answer.set_cookie(i18n.LANGUAGE_COOKIE, language, max_age=ONE_YEAR_S, secure=secure, samesite="lax")


@router.post("/preferences", include_in_schema=False)
async def keep_preferences(
    request: Request,
    back: Annotated[str, Form()] = "/",
    language: Annotated[str | None, Form()] = None,
    theme: Annotated[str | None, Form()] = None,
) -> RedirectResponse:
    """Keep the language with the person, else in this browser; the brightness is the screen's. Then go back."""
    person = getattr(request.state, "person", None)
    chosen = language if language in i18n.LANGUAGES and person is None else ""
    answer = RedirectResponse(safe_path(back) + (f"?language={chosen}" if chosen else ""), status_code=303)
    secure = request.url.scheme == "https"
    if language in i18n.LANGUAGES and person is not None:
        async with database(request).transaction(scope_of(person)) as session:
            await accounts.set_locale(session, person, language)
    if language in i18n.LANGUAGES:
        keep_language(request, answer, language)
    if theme in rendering.THEMES:
        answer.set_cookie(rendering.THEME_COOKIE, theme, max_age=ONE_YEAR_S, secure=secure, samesite="lax")
    return answer
