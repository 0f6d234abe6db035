"""How is a refusal said to a person at a page?

A refusal's ``detail`` is an English message id with ``{placeholders}``; it is translated first and filled in then. A
script (htmx, ``fetch``) gets the sentence as plain text and shows it where the person is; the page stays as it is.
"""

from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from ecg_center.domain.errors import Refused
from ecg_center.web import words
from ecg_center.web.i18n import N_, Texts
from ecg_center.web.rendering import language_of, render, texts_of

MOVES: dict[str, str] = {
    "claim": N_("take"),
    "let_go": N_("give back"),
    "sign": N_("sign"),
    "return": N_("return"),
    "release": N_("release"),
    "amend": N_("amend"),
    "cancel": N_("cancel"),
}

SENTENCES: dict[int, str] = {
    403: N_("You may not do this. Ask the centre's administrator for the authority."),
    404: N_("There is no such page. Check the address, or go back to the start."),
    405: N_("This address cannot be opened directly. Go back to the start."),
    422: N_("The form could not be read. Go back, check the fields and send it again."),
    503: N_("The centre's database does not answer just now. Try again in a few seconds; nothing was lost."),
}


def said(request: Request, error: Refused) -> str:
    """The refusal's sentence in the language of this request."""
    texts = texts_of(request)
    sentence = texts.gettext(error.detail)
    if not error.values:
        return sentence
    return sentence.format(**{name: _in_words(request, texts, name, value) for name, value in error.values.items()})


def _in_words(request: Request, texts: Texts, name: str, value: Any) -> Any:
    """A state, role, move or statement code as the person knows it."""
    text = str(value)
    if name == "state" and text in words.STATES:
        return texts.gettext(words.STATES[text].text)
    if name == "move" and text in MOVES:
        return texts.gettext(MOVES[text])
    if name == "roles":
        return " / ".join(texts.gettext(words.ROLES.get(role, role)) for role in text.split(" / "))
    if name in ("first", "second"):
        return words.term(text, language_of(request))
    return value


def is_script(request: Request) -> bool:
    """Whether a script asks, which shows the sentence itself."""
    return "hx-request" in request.headers or request.headers.get("x-requested-with") == "fetch"


def error_page(request: Request, error: Refused) -> Response:
    """The page, the sentence or the way to the log-in that answers a refusal."""
    if error.http_status == 401:
        return _to_login(request)
    return sentence_page(request, error.http_status, said(request, error))


def status_page(request: Request, status: int) -> Response:
    """The page for a bare HTTP status, e.g. an address that does not exist."""
    sentence = SENTENCES.get(status, N_("Something went wrong at the centre. Try again; tell the support if it stays."))
    return sentence_page(request, status, texts_of(request).gettext(sentence))


def sentence_page(request: Request, status: int, sentence: str) -> Response:
    """One sentence, as text for a script and as a page for a person."""
    if is_script(request):
        return PlainTextResponse(sentence, status_code=status)
    return render(request, "error.html", status=status, code=status, sentence=sentence)


def _to_login(request: Request) -> Response:
    where = request.url.path if request.method == "GET" and not is_script(request) else "/"
    address = f"/login?back={quote(where)}"
    if is_script(request):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    return RedirectResponse(address, status_code=303)
