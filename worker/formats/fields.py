"""Whom and when do a device's own words mean? Words of dates, sex and names that several formats share."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final, Literal

from ecg_center.contract.upload import RecordingIdentity

CHINA: Final = timezone(timedelta(hours=8))
"""The zone of a device clock that names none: China has one zone and, since 1991, no daylight saving."""
MAX_WORD: Final = 200
MAX_STATEMENTS: Final = 100
MAX_ANNOTATIONS: Final = 20_000
HOLTER_FROM_S: Final = 600.0
"""A recording longer than ten minutes is no resting ECG."""

_HL7_TIME: Final = re.compile(
    r"^(\d{4})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:[.,](\d{1,9}))?)?)?)?([+-]\d{2}:?\d{2}|Z)?$"
)
_ISO_TIME: Final = re.compile(
    r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r" ?([+-]\d{2}:?\d{2}|Z)?$"
)
_MALE: Final = frozenset({"m", "male", "man", "männlich", "homme", "男", "男性", "1"})
_FEMALE: Final = frozenset({"f", "female", "woman", "w", "weiblich", "femme", "女", "女性", "2"})
_OTHER: Final = frozenset({"o", "other", "un", "undifferentiated", "ambiguous", "其他"})
_HAN: Final = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_YEARS_OF: Final = {"y": 1.0, "a": 1.0, "j": 1.0, "m": 1 / 12, "w": 7 / 365.25, "d": 1 / 365.25, "h": 1 / 8766}
"""First letter of a unit of age (YEARS, a, MONTHS, WEEKS, DAYS, HOURS): how many years it is."""


def instant(text: str) -> datetime | None:
    """The time that an HL7 (20021122091000.122+0800) or ISO 8601 (2010-01-19T15:19:22) text names, or None.

    >>> instant("20021122091000.122").isoformat(), instant("2010-01-19 15:19:22Z").isoformat()
    ('2002-11-22T09:10:00.122000+08:00', '2010-01-19T15:19:22+00:00')
    """
    match = _HL7_TIME.match(text.strip()) or _ISO_TIME.match(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(number or 0) for number in match.groups()[:6])
    return clock(year, month, day, hour, minute, second, fraction=match[7] or "", zone=match[8] or "")


def clock(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, fraction: str = "", zone: str = ""
) -> datetime | None:
    """The time of these numbers, or None where they are none (00/00/0000 is common) or before there were recorders."""
    try:
        micro = int(f"{fraction[:6]:0<6}") if fraction else 0
        found = datetime(year, month, day, hour, minute, second, micro, tzinfo=_zone(zone))
    except (ValueError, OverflowError):
        return None
    return found if found.year >= 1950 else None


def birth_date(text: str) -> str | None:
    """``YYYY-MM-DD`` of an HL7 or ISO date, or None."""
    match = re.match(r"^(\d{4})[-/.]?(\d{1,2})[-/.]?(\d{1,2})", text.strip())
    return iso_date(int(match[1]), int(match[2]), int(match[3])) if match else None


def iso_date(year: int, month: int, day: int) -> str | None:
    """``YYYY-MM-DD``, or None where there is no such day or nobody alive was born on it."""
    try:
        return date(year, month, day).isoformat() if year >= 1880 else None
    except (ValueError, OverflowError):
        return None


def sex(text: str) -> Literal["M", "F", "O"] | None:
    """The sex that a device wrote; None where it wrote none or one unknown here."""
    word = text.strip().lower()
    return "M" if word in _MALE else "F" if word in _FEMALE else "O" if word in _OTHER else None


def full_name(family: str, given: str) -> str:
    """Family name first; without a blank where it is Chinese.

    >>> full_name("DOE", "JOHN"), full_name("王", "小明")
    ('DOE JOHN', '王小明')
    """
    parts = [part for part in (family.strip(), given.strip()) if part]
    return ("" if any(_HAN.search(part) for part in parts) else " ").join(parts)


def age_in_years(value: float | None, unit: str) -> float | None:
    """The age in years, or None where it is none that a person has."""
    factor = _YEARS_OF.get(unit.strip().lower()[:1] or "y")
    if value is None or factor is None or not 0 < value * factor <= 150:
        return None
    return value * factor


def identity(**said: Any) -> RecordingIdentity:
    """A RecordingIdentity of what the device said: empty words become None, overlong ones are cut."""
    cut = {"accession_number": 64, "patient_id": 64, "patient_name": 200}
    known = {
        name: (value.strip()[: cut[name]] or None) if name in cut and isinstance(value, str) else value
        for name, value in said.items()
    }
    return RecordingIdentity(**known)


def positive(value: float | None) -> float | None:
    """The number if it is above zero; devices write 0 for "not set"."""
    return value if value is not None and value > 0 else None


def note(measurements: dict[str, float], name: str, value: float | None) -> None:
    """Keep a device's measurement under our name; 0 stands for "not measured" except for an angle."""
    if name and value is not None and (value != 0 or name.endswith(("_deg", "_mv", "_uv"))):
        measurements.setdefault(name, value)


def _zone(text: str) -> timezone:
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "")
    if len(digits) != 4 or int(digits[:2]) > 14 or int(digits[2:]) > 59:
        return CHINA
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if text[0] == "-" else offset)
