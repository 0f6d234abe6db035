"""Whose recording is it, by which device, with which marks? (ISO 22077-1, MFER part I sections 5.4 and 5.5)

Names and texts are in the character set of MWF_TXC. A patient's name is family^phonetic^given^phonetic.
"""

import codecs
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import mfer_tags as t
from worker.formats.dicom_text import Texts
from worker.formats.fields import MAX_ANNOTATIONS, MAX_STATEMENTS, clock, full_name, identity, iso_date, note
from worker.recording import Annotation, Device, Filters

MAX_VALUES: Final = 200

_CODECS: Final = (
    ("ascii", "ascii"), ("ansi x3.4", "ascii"), ("iso 646", "ascii"), ("utf-8", "utf-8"), ("utf8", "utf-8"),
    ("unicode", "utf-8"), ("jis x 0201", "shift_jis"), ("jis x 0208", "iso2022_jp_2"), ("jis x 0212", "iso2022_jp_2"),
    ("rfc 1468", "iso2022_jp_2"), ("iso 2022", "iso2022_jp_2"), ("iso-2022-jp", "iso2022_jp_2"),
    ("iso-ir 100", "latin-1"), ("gb", "gb18030"),
)  # fmt: skip
"""How a character set's name begins (part I table 5-34): how Python calls it."""
_FILTER: Final = re.compile(r"^(HPF|LPF|BEF)\s*=\s*(\d{1,6}(?:\.\d{1,6})?)", re.I)


@dataclass(frozen=True, slots=True)
class About:
    """What stands in a file beside its samples."""

    identity: RecordingIdentity
    device: Device
    filters: Filters
    started_at: datetime | None
    annotations: tuple[Annotation, ...]
    measurements: dict[str, float]
    statements: tuple[str, ...]
    warnings: tuple[str, ...]


def read_about(contents: t.Contents, sampling_hz: float, warnings: list[str]) -> About:
    """What the file says beside its samples."""
    others = contents.others
    texts = _Texts(others)
    started_at = _started_at(others)
    name = texts.parts(t.PATIENT_NAME, 4)
    device = texts.parts(t.MANUFACTURER, 4)
    born, years = _age(others)
    sex: Any = {b"\1": "M", b"\2": "F"}.get(_first(others, t.SEX))
    statements = tuple(filter(None, (texts.of(held)[:500] for held in others.get(t.NOTE, [])[:MAX_STATEMENTS])))
    measurements: dict[str, float] = {}
    for held in others.get(t.VALUE, [])[:MAX_VALUES]:
        _value(held, texts, measurements)
    return About(
        identity(
            patient_id=texts.parts(t.PATIENT_ID, 1)[0],
            patient_name=full_name(name[0], name[2]),
            sex=sex,
            birth_date=born,
            age_years=years,
            started_at=started_at,
        ),
        Device(manufacturer=device[0], model=device[1], software=device[2], serial=device[3]),
        _filters([texts.of(held) for held in others.get(t.FILTER, [])]),
        started_at,
        tuple(_events(others.get(t.EVENT, []), texts, sampling_hz)),
        measurements,
        statements,
        tuple(texts.guess.warnings),
    )


class _Texts:
    """Decodes texts by the character set that the file names."""

    def __init__(self, others: dict[int, list[t.Held]]) -> None:
        self.others = others
        self.guess = Texts("")
        name = _first(others, t.CHARACTERS).decode("ascii", "ignore").strip(" \0").lower()
        self.codec = next((codec for start, codec in _CODECS if name.startswith(start)), None)
        if self.codec is None and name:
            try:
                self.codec = codecs.lookup(name).name
            except (LookupError, ValueError):
                self.codec = None

    def of(self, held: t.Held, at: int = 0) -> str:
        """The text from this byte on."""
        raw = held.raw[at:].split(b"\0", 1)[0]
        if self.codec is not None:
            try:
                return raw.decode(self.codec).strip()
            except (UnicodeError, LookupError, TypeError):
                pass
        return self.guess.decode(raw)

    def parts(self, tag: int, count: int) -> list[str]:
        """The first parts of a text whose parts are set apart by ``^``."""
        held = self.others.get(tag)
        parts = [part.strip()[:100] for part in self.of(held[0]).split("^")] if held else []
        return (parts + [""] * count)[:count]


def _first(others: dict[int, list[t.Held]], tag: int) -> bytes:
    held = others.get(tag)
    return held[0].raw if held else b""


def _number(held: t.Held, at: int, size: int) -> int:
    return t.Held(held.raw[at : at + size], held.big).unsigned()


def _started_at(others: dict[int, list[t.Held]]) -> datetime | None:
    """MWF_TIM: year, month, day, hour, minute, second, milliseconds, microseconds."""
    held = next(iter(others.get(t.TIME, [])), None)
    if held is None or len(held.raw) < 4:
        return None
    raw = held.raw.ljust(11, b"\0")
    padded = t.Held(raw, held.big)
    micro = _number(padded, 7, 2) * 1000 + _number(padded, 9, 2)
    return clock(_number(padded, 0, 2), raw[2], raw[3], raw[4], raw[5], raw[6], fraction=f"{min(micro, 999_999):06d}")


def _age(others: dict[int, list[t.Held]]) -> tuple[str | None, float | None]:
    """MWF_AGE: years, days, and the date of birth."""
    held = next(iter(others.get(t.AGE, [])), None)
    if held is None or not held.raw:
        return None, None
    years = held.raw[0] + (_number(held, 1, 2) / 365.25 if len(held.raw) >= 3 else 0.0)
    born = iso_date(_number(held, 3, 2), held.raw[5], held.raw[6]) if len(held.raw) >= 7 else None
    return born, years if 0 < years <= 150 else None


def _events(held: list[t.Held], texts: _Texts, sampling_hz: float) -> list[Annotation]:
    """MWF_EVT: code, start and duration in samples, text."""
    marks = []
    for event in held[:MAX_ANNOTATIONS]:
        if len(event.raw) < 6:
            continue
        start = _number(event, 2, 4) / sampling_hz
        length = _number(event, 6, 4) / sampling_hz if len(event.raw) >= 10 else 0.0
        label = texts.of(event, 10) or f"event {_number(event, 0, 2)}"
        marks.append(Annotation(label[:200], start, start + length if length else None))
    return marks


def _value(held: t.Held, texts: _Texts, measurements: dict[str, float]) -> None:
    """MWF_VAL: code, place, and a number with its unit (``72^/min``); kept under the code."""
    if len(held.raw) < 7:
        return
    number, _, _ = texts.of(held, 6).partition("^")
    try:
        value = float(number)
    except ValueError:
        return
    if abs(value) < 1e9:
        note(measurements, f"mfer_{_number(held, 0, 2)}", value)


def _filters(texts: list[str]) -> Filters:
    found: dict[str, float] = {}
    for text in texts:
        if (match := _FILTER.match(text)) and float(match[2]) > 0:
            found.setdefault(match[1].upper(), float(match[2]))
    return Filters(found.get("HPF"), found.get("LPF"), found.get("BEF"))
