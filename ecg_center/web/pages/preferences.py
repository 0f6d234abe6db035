"""In which language and brightness does this browser show the pages?"""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse

from ecg_center.web import i18n, rendering

router = APIRouter()
ONE_YEAR_S = 365 * 24 * 3600


def safe_path(path: str) -> str:
    """The path to go back to; ``/`` for anything that could lead to another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


@router.post("/preferences", include_in_schema=False)
async def keep_preferences(
    request: Request,
    back: Annotated[str, Form()] = "/",
    language: Annotated[str | None, Form()] = None,
    theme: Annotated[str | None, Form()] = None,
) -> RedirectResponse:
    """Keep the choice in a cookie and go back."""
    answer = RedirectResponse(safe_path(back), status_code=303)
    secure = request.url.scheme == "https"
    if language in i18n.LANGUAGES:
        answer.set_cookie(i18n.LANGUAGE_COOKIE, language, max_age=ONE_YEAR_S, secure=secure, samesite="lax")
    if theme in rendering.THEMES:
        answer.set_cookie(rendering.THEME_COOKIE, theme, max_age=ONE_YEAR_S, secure=secure, samesite="lax")
    return answer
