"""How does a handler turn a template into a page, and what does every page know without being told?

``render(request, "worklist.html", rows=rows)``. Autoescape is on everywhere; an unknown name in a template is an error.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ecg_center.contract.findings import Evidence
from ecg_center.contract.pressure import printed
from ecg_center.domain.leads import in_standard_order
from ecg_center.reporting.schemas import ReportContent
from ecg_center.store.tables import FeeItem
from ecg_center.web import day, i18n, pressure, words
from ecg_center.web.file_notes import note_in
from ecg_center.web.hours import show_hours
from ecg_center.web.i18n import Language, Texts
from ecg_center.web.navigation import navigation_of
from ecg_center.web.notes import NOTES
from ecg_center.web.static_files import modules_of, static_url

TEMPLATES = Path(__file__).parent / "templates"
THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")


@cache
def environment(language: Language) -> Environment:
    """The templates of one language; macros see its texts without being handed them."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(i18n.translations(language), newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(
        datetime=i18n.show_datetime,
        datetime_s=i18n.show_datetime_s,
        date=i18n.show_date,
        time=i18n.show_time,
        duration=i18n.show_duration,
        when=i18n.show_when,
        when_after=i18n.show_when_after,
        after=lambda instant, seconds: instant + timedelta(seconds=seconds),
        device_name=device_name,
        clock=i18n.show_clock,
        file_note=lambda note: note_in(note, language),
        lapse=i18n.show_lapse,
        figure=i18n.show_figure,
        in_standard_order=in_standard_order,
        fixed=i18n.show_fixed,
        change=i18n.show_change,
        unit=lambda unit: i18n.show_unit(unit, language),
        evidence=lambda value, item: _evidence_figure(value, item, language),
        hours=show_hours,
        bytes=_bytes,
        ago=lambda instant: i18n.show_span(datetime.now(UTC) - instant, language),
        frames=_frames,
        report_content=ReportContent.model_validate,
        printed=printed,
        instant=lambda moment: moment.astimezone(UTC).isoformat(timespec="milliseconds"),
    )
    made.globals.update(
        static_url=static_url,
        modules_of=modules_of,
        words=words,
        day=day,
        pressure=pressure,
        language=language,
        languages=i18n.LANGUAGES,
        fee_options=lambda fees: [(fee.code, _fee(fee, language)) for fee in fees],
        institution_options=lambda all_of_them: [(one.code, f"{one.code} · {one.name}") for one in all_of_them],
        conclusion_options=lambda kind: [
            (str(key), Texts(language).gettext(text)) for key, text in words.conclusions_of(kind).items()
        ],
        term=lambda code: words.term(code, language),
        age=lambda birth_date: words.age_of(birth_date, language),
        script_texts=Markup(i18n.script_texts(language)),  # noqa: S704 - JSON of our own catalogue, "</" escaped
    )
    return made


def _fee(fee: FeeItem, language: Language) -> str:
    name = fee.name_en if language == "en" and fee.name_en else fee.name
    return f"{name}  ¥{fee.price_fen / 100:.2f}"


def device_name(name: str | None) -> str:
    """A name as a device wrote it; DICOM's ``^`` between its parts becomes a space (PS3.5 section 6.2.1)."""
    return " ".join(str(name or "").replace("^", " ").split())


def _bytes(number: int) -> str:
    """``12.3 GB``."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"


def _evidence_figure(value: float, item: Evidence, language: Language) -> str:
    """A figure that a finding rests on; a span of minutes or hours as such."""
    if item.unit == "s" and value >= 60:
        return day.lasting(value)
    return i18n.show_evidence(item.quantity, value, item.unit, language)


def _frames(evidence: list[Evidence]) -> list[dict[str, Any]]:
    """Evidence as the viewer frames it."""
    return [{"leads": item.leads, "start_s": item.start_s, "end_s": item.end_s} for item in evidence]


def language_of(request: Request) -> Language:
    """The person's own language; before the log-in the one that this browser was last used in, else Chinese."""
    person = getattr(request.state, "person", None)
    return i18n.language_named(person.locale if person else request.cookies.get(i18n.LANGUAGE_COOKIE))


def texts_of(request: Request) -> Texts:
    """The texts in the language of this request."""
    return Texts(language_of(request))


def theme_of(request: Request) -> str:
    """``auto``, ``light`` or ``dark``."""
    theme = request.cookies.get(THEME_COOKIE, "auto")
    return theme if theme in THEMES else "auto"


def page_context(request: Request) -> dict[str, Any]:
    """What every page knows: who is here, which theme, what time it is at the centre, whether this is a demo."""
    person = getattr(request.state, "person", None)
    return {
        "request": request,
        "path": request.url.path,
        "section_path": "/worklist" if request.url.path.endswith(("/read", "/review")) else request.url.path,
        "person": person,
        "navigation": navigation_of(person),
        "note": NOTES.get(request.query_params.get("note", "")),
        "theme": theme_of(request),
        "server_now": datetime.now(UTC),
        "as_of": getattr(request.state, "as_of", ""),
        "demo": bool(getattr(request.app.state, "demo", False)),
    }


def render_text(request: Request, template: str, **context: Any) -> str:
    """The filled template as text, e.g. one region of a page."""
    return environment(language_of(request)).get_template(template).render(page_context(request) | context)


def render(
    request: Request,
    template: str,
    *,
    status: int = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """The filled template as a page."""
    return HTMLResponse(render_text(request, template, **context), status_code=status, headers=dict(headers or {}))
