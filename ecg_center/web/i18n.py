"""In which language does a person read the pages, and where does each text come from?

Message ids are the English texts in templates, Python and JavaScript; ``locale/zh.po`` holds the Chinese, read at start
without a compile step. Chinese is the default whatever the browser asks for: a clinic's Windows is often set up in
another language than its people. ``python -m ecg_center.web.i18n`` renews the catalogue after texts have changed.
"""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.support import NullTranslations, Translations

Language = Literal["zh", "en"]

LANGUAGES: dict[Language, str] = {"zh": "中文", "en": "English"}
DEFAULT_LANGUAGE: Language = "zh"
LANGUAGE_COOKIE = "lang"
CLINIC_TIME = ZoneInfo("Asia/Shanghai")
WHOLE_RATE_BPM = 20
"""From here on nobody tells a rate by its tenths."""
"""All of China keeps one civil time; every time on screen and paper is this one."""

WEB_FOLDER = Path(__file__).parent
PACKAGE_FOLDER = WEB_FOLDER.parent
CATALOGUE = WEB_FOLDER / "locale" / "zh.po"

_KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "N_": None,
    "t": None,
    "tn": (1, 2),
}
_METHODS = [
    ("static/vendor/**", "ignore"),
    ("templates/**.html", "jinja2"),
    ("static/js/**.js", "javascript"),
    ("**.py", "python"),
]
_REFUSALS: dict[str, tuple[int, ...] | None] = {
    **dict.fromkeys(("Refused", "NotFound", "NotAllowed", "Conflict", "Invalid"), None),
    "_flush": (2,),  # directory/service.py hands its sentence to a Conflict
}
"""What a rule refuses is said to the person by the page, so the errors of ``domain/errors.py`` are texts too."""


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for a text that is translated where it is shown
    """Mark a constant for the catalogue; it is translated where it is shown."""
    return text


def language_named(name: str | None) -> Language:
    """The language of this name, Chinese for anything unknown."""
    return "en" if name == "en" else DEFAULT_LANGUAGE


@cache
def read_catalogue() -> Catalog:
    """The Chinese catalogue as it stands in the repository."""
    with CATALOGUE.open("rb") as file:
        return pofile.read_po(file, locale="zh_CN")


@cache
def translations(language: Language) -> NullTranslations:
    """gettext for this language; English is the message ids themselves."""
    if language == "en":
        return NullTranslations()
    compiled = io.BytesIO()
    mofile.write_mo(compiled, read_catalogue())
    compiled.seek(0)
    return Translations(compiled)


@dataclass(frozen=True)
class Texts:
    """The texts of one language, for handlers: ``_ = texts.gettext``."""

    language: Language

    def gettext(self, message: str, **values: object) -> str:
        """The translation, with ``%(name)s`` filled in."""
        text = str(translations(self.language).gettext(message))
        return text % values if values else text

    def ngettext(self, singular: str, plural: str, num: int, **values: object) -> str:
        """The translation for a number, which is also ``%(num)d``."""
        text = str(translations(self.language).ngettext(singular, plural, num))
        return text % {"num": num, **values}


@cache
def script_texts(language: Language) -> str:
    """The JSON block from which JavaScript takes its texts: ``{msgid: text}``, plurals as ``{msgid: [one, other]}``.

    ``</`` is written ``<\\/`` so that no text can end the script element.
    """
    source = translations(language)
    texts: dict[str, str | list[str]] = {}
    for message in _messages(read_catalogue()):
        if not any(name.endswith(".js") for name, _ in message.locations):
            continue
        if isinstance(message.id, str):
            texts[message.id] = source.gettext(message.id)
        else:
            one, other = message.id[0], message.id[1]
            texts[one] = [source.ngettext(one, other, 1), source.ngettext(one, other, 2)]
    return json.dumps(texts, ensure_ascii=False).replace("</", "<\\/")


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def show_datetime(instant: datetime | None) -> str:
    """``2026-07-13 14:05`` in clinic time, a dash for none."""
    return instant.astimezone(CLINIC_TIME).strftime("%Y-%m-%d %H:%M") if instant else "–"


def show_datetime_s(instant: datetime | None) -> str:
    """``2026-07-13 14:05:09`` in clinic time, a dash for none."""
    return instant.astimezone(CLINIC_TIME).strftime("%Y-%m-%d %H:%M:%S") if instant else "–"


def show_date(day: date | datetime | None) -> str:
    """``2026-07-13``; an instant is taken in clinic time."""
    if isinstance(day, datetime):
        day = day.astimezone(CLINIC_TIME).date()
    return day.isoformat() if day else "–"


def show_time(instant: datetime | None) -> str:
    """``14:05`` in clinic time, a dash for none."""
    return instant.astimezone(CLINIC_TIME).strftime("%H:%M") if instant else "–"


def show_fixed(value: float, digits: int) -> str:
    """A number with so many digits behind the point, and no minus before a nothing: ``0.00``, not ``-0.00``."""
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def show_change(value: float, digits: int) -> str:
    """A difference with its sign; none before a nothing: ``+0.11``, ``-5``, ``0``."""
    text = show_fixed(value, digits)
    return text if text.startswith("-") or float(text) == 0 else f"+{text}"


def show_figure(value: float, unit: str = "") -> str:
    """A measured number as a physician reads it: ``812``, ``72.8``, ``0.21``; no digits that nobody measured.

    Millivolts have two, as the page and a measured paper have them: one beside another reads ``0.34`` and ``0.10``.
    """
    if unit == "mV":
        return show_fixed(value, 2)
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2
    text = show_fixed(value, digits)
    return text.rstrip("0").rstrip(".") if digits else text


def show_unit(unit: str, language: Language) -> str:
    """A unit in the words of the report's page: a rate is 次/分 in Chinese."""
    return "次/分" if unit == "/min" and language == "zh" else unit


def show_evidence(quantity: str, value: float, unit: str, language: Language = "en") -> str:
    """A figure that a finding rests on, with its unit; a share, which has none, in percent; a ratio as 2:1."""
    if unit == ":1":
        return f"{value:g}:1"
    if unit == "/min" and abs(value) >= WHOLE_RATE_BPM:
        return f"{value:.0f} {show_unit(unit, language)}"
    if not unit and (quantity == "share" or quantity.endswith("_share")):
        percent = 100 * value
        return "< 0.1 %" if percent < 0.1 else f"{show_fixed(percent, 1).removesuffix('.0')} %"
    return f"{show_figure(value, unit)} {show_unit(unit, language)}".rstrip()


def show_when(instant: datetime | None) -> str:
    """``14:05`` for today, ``07-12 14:05`` for another day, in clinic time: a time alone would be taken for today's."""
    if instant is None:
        return "–"
    local = instant.astimezone(CLINIC_TIME)
    is_today = local.date() == datetime.now(CLINIC_TIME).date()
    return local.strftime("%H:%M" if is_today else "%m-%d %H:%M")


def show_when_after(instant: datetime | None, start: datetime) -> str:
    """``14:05`` on the day of ``start``, ``07-13 14:05`` on a later one, in clinic time."""
    if instant is None:
        return "–"
    local = instant.astimezone(CLINIC_TIME)
    is_same_day = local.date() == start.astimezone(CLINIC_TIME).date()
    return local.strftime("%H:%M" if is_same_day else "%m-%d %H:%M")


def show_clock(instant: datetime | None) -> str:
    """``14:05:09.123`` in clinic time, a dash for none: a timeline counts milliseconds."""
    return instant.astimezone(CLINIC_TIME).strftime("%H:%M:%S.%f")[:-3] if instant else "–"


def show_lapse(span: timedelta) -> str:
    """``420 ms``, ``12.3 s``, ``12:05``: how long a step took."""
    seconds = span.total_seconds()
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 60 else show_duration(span)


def show_span(span: timedelta, language: Language) -> str:
    """``3 min``, ``2 h 5 min``, ``4 days`` in words, for a silence or a wait; whole minutes, at least one."""
    texts, minutes = Texts(language), max(1, int(span.total_seconds() // 60))
    if minutes < 60:
        return texts.ngettext("%(num)d minute", "%(num)d minutes", minutes)
    if minutes < 48 * 60:
        return texts.gettext("%(hours)d h %(minutes)d min", hours=minutes // 60, minutes=minutes % 60)
    return texts.ngettext("%(num)d day", "%(num)d days", minutes // (24 * 60))


def show_duration(span: timedelta | float | None) -> str:
    """``12:05`` minutes and seconds, ``1:12:05`` from an hour on; a number is in seconds."""
    if span is None:
        return "–"
    total = round(abs(span.total_seconds() if isinstance(span, timedelta) else span))
    hours, minutes, seconds = total // 3600, total // 60 % 60, total % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def extract() -> Catalog:
    """Every text that the templates, Python files and scripts of the web use, with its files."""
    catalogue = Catalog(charset="utf-8")
    templates = {"templates/**.html": {"newstyle_gettext": "true", "silent": "false", "trimmed": "true"}}
    found = [
        *extract_from_dir(WEB_FOLDER, _METHODS, options_map=templates, keywords=_KEYWORDS | _REFUSALS),
        *extract_from_dir(
            PACKAGE_FOLDER,
            [("web/**", "ignore"), ("**.py", "python")],
            keywords=_REFUSALS,
        ),
    ]
    for file, _line, message, comments, context in sorted(found, key=_by_file):
        catalogue.add(message, None, [(file, None)], auto_comments=comments, context=context)  # type: ignore[list-item]
    return catalogue


def _by_file(found: tuple[Any, ...]) -> tuple[str, int]:
    return found[0], found[1]


def shortcomings() -> list[str]:
    """What keeps the catalogue from being whole: missing, stale, doubtful or ill-formed translations."""
    used = {_key(message): message for message in _messages(extract())}
    known = {_key(message): message for message in _messages(read_catalogue())}
    faults = [f"not in the catalogue: {key!r}" for key in sorted(used.keys() - known.keys())]
    faults += [f"no longer used: {key!r}" for key in sorted(known.keys() - used.keys())]
    for key, message in known.items():
        parts = [message.string] if isinstance(message.string, str) else list(message.string or [""])
        if not all(parts):
            faults.append(f"not translated: {key!r}")
        if message.fuzzy:
            faults.append(f"marked fuzzy, look at it again: {key!r}")
        faults += [f"{key!r}: {error}" for error in message.check(read_catalogue())]
        if key in used and {name for name, _ in used[key].locations} != {name for name, _ in message.locations}:
            faults.append(f"its files have changed, run python -m ecg_center.web.i18n: {key!r}")
    return faults


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else str(message.id[0])


def renew() -> int:
    """Write the catalogue anew: new texts empty, used ones kept, unused ones dropped."""
    catalogue = pofile.read_po(CATALOGUE.open("rb"), locale="zh_CN") if CATALOGUE.exists() else Catalog("zh_CN")
    catalogue.update(extract(), no_fuzzy_matching=True)
    catalogue.fuzzy = False
    catalogue.header_comment = "# The Chinese of the pages. Renew with: python -m ecg_center.web.i18n"
    buffer = io.BytesIO()
    pofile.write_po(buffer, catalogue, width=110, include_lineno=False, ignore_obsolete=True, omit_header=False)
    CATALOGUE.parent.mkdir(exist_ok=True)
    lines = buffer.getvalue().decode().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(('"POT-Creation-Date', '"PO-Revision-Date', '"Generated-By'))]
    CATALOGUE.write_text("".join(kept), "utf-8")
    read_catalogue.cache_clear()
    translations.cache_clear()
    script_texts.cache_clear()
    faults = shortcomings()
    sys.stdout.write("".join(f"{fault}\n" for fault in faults) or "the catalogue is whole\n")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(renew())
