"""How is a refusal said to a person at a page?

A refusal's ``detail`` is an English message id with ``{placeholders}``; it is translated first and filled in then. A
request of htmx gets the sentence as a toast and the page stays as it is.
"""

from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from ecg_center.domain.errors import Refused
from ecg_center.web.rendering import render, texts_of


def said(request: Request, error: Refused) -> str:
    """The refusal's sentence in the language of this request."""
    sentence = texts_of(request).gettext(error.detail)
    return sentence.format(**error.values) if error.values else sentence


def error_page(request: Request, error: Refused) -> Response:
    """The page, the toast or the way to the log-in that answers a refusal."""
    if error.http_status == 401 and request.method == "GET":
        return RedirectResponse(f"/login?back={quote(request.url.path)}", status_code=303)
    return render(request, "error.html", status=error.http_status, sentence=said(request, error), code=error.code)
