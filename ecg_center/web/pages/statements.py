"""Which coded statements may the physician mean? Searched as they type: code, pinyin initials, Chinese, English."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ecg_center.domain.statements import TERMS, contradicts, in_report_order, overall_of, search
from ecg_center.http import SignedIn
from ecg_center.web import words
from ecg_center.web.i18n import Language
from ecg_center.web.rendering import language_of

router = APIRouter(include_in_schema=False)

FOUND = 12
SEARCHED = 60
"""Of these the first dozen of the desk's own kind are shown."""
PRESSURE = "pressure"
MAX_CODES = 40


@router.get("/statements")
async def find_statements(
    request: Request, _: SignedIn, q: Annotated[str, Query(max_length=64)] = "", kind: str = ""
) -> list[dict[str, str]]:
    """The likeliest statements, the best first; on the desk of blood pressures those of that before those of an ECG."""
    language = language_of(request)
    found = sorted(search(q, SEARCHED), key=lambda term: (term.group == PRESSURE) != (kind == "abpm"))
    return [described(term.code, language) for term in found[:FOUND]]


@router.get("/statements/together")
async def together(
    request: Request, _: SignedIn, code: Annotated[list[str] | None, Query(max_length=MAX_CODES)] = None
) -> dict[str, object]:
    """What chosen statements add up to: their order, the conclusion, and whether two contradict each other."""
    known = [one for one in code or [] if one in TERMS]
    overall = overall_of(known)
    return {
        "codes": in_report_order(known),
        "conclusion": overall.value if overall else None,
        "clashes": [why for _, _, why in contradicts(known)],
    }


def described(code: str, language: Language) -> dict[str, str]:
    """A statement as the picker shows it."""
    term = TERMS[code]
    other = term.zh if language == "en" else term.en
    return {"code": code, "text": words.term(code, language), "other": other, "initials": term.initials}
