"""Who, when and with what does an SCP-ECG record say it was made? (EN 1064 / ISO 11073-91064 section 5.4)

Section 1 is a list of tags. Texts are written in the character set that tag 14 names; devices in China write GB18030
under any name. Devices get tag lengths wrong; then the sizes that the standard fixes are used.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Final

from ecg_center.contract.upload import RecordingIdentity
from worker.formats.dicom_text import Texts
from worker.formats.fields import CHINA, age_in_years, clock, full_name, identity, iso_date, positive
from worker.formats.scp_sections import Section
from worker.recording import Device, Filters

MAX_TAGS: Final = 1000
MAX_ZONE_MINUTES: Final = 14 * 60
NO_ZONE: Final = 0x7FFF
END: Final = 255
MACHINE_BYTES: Final = 36
"""Tags 14 and 15: this many bytes before the first of their texts."""

_SIZES: Final = {
    4: 3, 5: 4, 6: 3, 7: 3, 8: 1, 9: 1, 11: 2, 12: 2, 24: 1, 25: 4, 26: 3, 27: 2, 28: 2, 29: 1, 33: 2,
}  # fmt: skip
"""Sizes that the standard fixes, for walking a list whose lengths are wrong."""
_CODECS: Final = {
    0x03: "iso8859-2", 0x0B: "iso8859-4", 0x13: "iso8859-5", 0x1B: "iso8859-6", 0x23: "iso8859-7", 0x2B: "iso8859-8",
    0x33: "iso8859-11", 0x3B: "iso8859-15", 0x07: "utf-16-le", 0x0F: "shift_jis", 0x17: "euc_jp", 0x1F: "euc_jp",
    0x27: "gb18030", 0x2F: "cp949", 0x37: "utf-8",
}  # fmt: skip
"""Language support code (section 5.4.5, tag 14 byte 17): how Python calls it. Even codes are ASCII or Latin-1."""
_MANUFACTURERS: Final = (
    "", "Burdick", "Cambridge", "Compumed", "Datamed", "Fukuda", "Hewlett-Packard", "Marquette Electronics",
    "Mortara Instruments", "Nihon Kohden", "Okin", "Quinton", "Siemens", "Spacelabs", "Telemed", "Hellige", "ESA-OTE",
    "Schiller", "Picker-Schwarzer", "et medical devices", "Zwönitz",
)  # fmt: skip
_AGE_UNITS: Final = {1: "years", 2: "months", 3: "weeks", 4: "days", 5: "hours"}
_NOTCH: Final = ((0x01, 60.0), (0x02, 50.0))


@dataclass(slots=True)
class Header:
    """What section 1 says."""

    tags: dict[int, list[bytes]] = field(default_factory=dict)
    encoding: str | None = None
    protocol: int = 0
    identity: RecordingIdentity = field(default_factory=RecordingIdentity)
    device: Device = field(default_factory=Device)
    filters: Filters = field(default_factory=Filters)
    started_at: datetime | None = None

    def text(self, raw: bytes, guess: Texts) -> str:
        """The text of these bytes, up to its NUL."""
        if self.encoding == "utf-16-le":
            wide = raw[: len(raw) // 2 * 2].decode("utf-16-le", "replace")
            return wide.split("\0", 1)[0].lstrip("\ufeff").strip()
        raw = raw.split(b"\0", 1)[0]
        if self.encoding is not None:
            try:
                return raw.decode(self.encoding).strip()
            except UnicodeDecodeError:
                pass
        return guess.decode(raw)


def read_header(section: Section | None, guess: Texts, warnings: list[str]) -> Header:
    """What section 1 says; an empty header, and a warning, where there is none."""
    header = Header()
    if section is None:
        warnings.append("there is no section 1: nobody knows whose recording this is")
        return header
    header.tags = _tags(section.body, warnings)
    machine = header.tags.get(14, [b""])[0]
    if len(machine) > 16 and machine[16] & 1:
        header.encoding = _CODECS.get(machine[16])
    header.protocol = machine[14] if len(machine) > 14 else 0

    def word(tag: int) -> str:
        return header.text(header.tags.get(tag, [b""])[0], guess)[:200]

    header.started_at = _started_at(header)
    header.device = _device(header, machine, word(16), word(18) or word(23), word(22), guess)
    header.filters = _filters(header)
    family = " ".join(filter(None, (word(0), word(3))))
    header.identity = identity(
        patient_id=word(2),
        patient_name=full_name(family, word(1)),
        sex={1: "M", 2: "F"}.get(_first(header, 8, 1)),
        birth_date=_birth_date(header),
        age_years=_age(header),
        started_at=header.started_at,
        urgent=True if 1 <= _first(header, 24, 1) <= 10 else None,
    )
    return header


def _tags(body: bytes, warnings: list[str]) -> dict[int, list[bytes]]:
    tags, whole = _walk(body, {})
    if not whole:
        repaired, fits = _walk(body, _SIZES)
        warnings.append("the lengths in section 1 are wrong; who and when may be incomplete")
        tags = repaired if fits or sum(map(len, repaired.values())) > sum(map(len, tags.values())) else tags
    return tags


def _walk(body: bytes, sizes: dict[int, int]) -> tuple[dict[int, list[bytes]], bool]:
    """The values by tag, and whether the list ended as it should."""
    tags: dict[int, list[bytes]] = {}
    at = 0
    for _ in range(MAX_TAGS):
        if at + 3 > len(body) or body[at] == END:
            return tags, True
        tag = body[at]
        length = sizes.get(tag, int.from_bytes(body[at + 1 : at + 3], "little"))
        at += 3
        if at + length > len(body):
            return tags, False
        tags.setdefault(tag, []).append(body[at : at + length])
        at += length
    return tags, True


def _first(header: Header, tag: int, size: int, at: int = 0) -> int:
    """The first number of a tag; 0 where it is absent or too short."""
    raw = header.tags.get(tag, [b""])[0]
    return int.from_bytes(raw[at : at + size], "little") if len(raw) >= at + size else 0


def _started_at(header: Header) -> datetime | None:
    year, month, day = _first(header, 25, 2), _first(header, 25, 1, 2), _first(header, 25, 1, 3)
    hour, minute, second = (_first(header, 26, 1, place) for place in range(3))
    found = clock(year, month, day, hour, minute, second)
    if found is None:
        return None
    minutes = _first(header, 34, 2) if 34 in header.tags else NO_ZONE
    minutes -= 0x10000 if minutes & 0x8000 else 0
    zone = timezone(timedelta(minutes=minutes)) if abs(minutes) <= MAX_ZONE_MINUTES else CHINA
    return found.replace(tzinfo=zone)


def _birth_date(header: Header) -> str | None:
    return iso_date(_first(header, 5, 2), _first(header, 5, 1, 2), _first(header, 5, 1, 3))


def _age(header: Header) -> float | None:
    unit = _AGE_UNITS.get(_first(header, 4, 1, 2))
    return age_in_years(float(_first(header, 4, 2)), unit) if unit else None


def _device(header: Header, machine: bytes, institution: str, station: str, technician: str, guess: Texts) -> Device:
    words = [header.text(part, guess)[:100] for part in machine[MACHINE_BYTES:].split(b"\0")[:5]]
    words += [""] * (5 - len(words))
    code = machine[7] if len(machine) > 7 else 0
    known = _MANUFACTURERS[code] if code < len(_MANUFACTURERS) else ""
    return Device(
        manufacturer=words[4] or known,
        model=header.text(machine[8:14], guess),
        serial=words[1],
        software=words[2] or words[0],
        station=station,
        institution=institution,
        technician=technician,
    )


def _filters(header: Header) -> Filters:
    bits = _first(header, 29, 1)
    return Filters(
        positive(_first(header, 27, 2) / 100),
        positive(float(_first(header, 28, 2))),
        next((hz for bit, hz in _NOTCH if bits & bit), None),
    )
