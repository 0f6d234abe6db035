"""Whom does a DICOM recording say that it shows?

Reads the header alone and believes nothing: any tag may be missing, of the wrong kind, or in an undeclared character
set. What cannot be read is left out; the recording goes on its way all the same, and a person matches it.
"""

import re
import zlib
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone, tzinfo
from io import BytesIO
from typing import Any, Literal, TypeVar

import structlog
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from ecg_center.contract.upload import RecordingIdentity

log = structlog.get_logger(__name__)

HEADER_END = 0x00400555
"""Acquisition Context Sequence: all that identifies the patient and the moment comes before it, the waveforms
(5400,0100) after."""

MAX_HEADER_BYTES = 1024 * 1024
"""A header is some KiB; this much is inflated at most, so that a crafted deflated stream cannot fill the memory."""

SOP_CLASS_KIND: dict[str, Literal["resting", "holter"]] = {
    "1.2.840.10008.5.1.4.1.1.9.1.1": "resting",  # 12-Lead ECG, PS3.3 A.34.3
    "1.2.840.10008.5.1.4.1.1.9.1.2": "resting",  # General ECG, A.34.4
    "1.2.840.10008.5.1.4.1.1.9.1.4": "resting",  # General 32-bit ECG, A.34.15
    "1.2.840.10008.5.1.4.1.1.9.1.3": "holter",  # Ambulatory ECG, A.34.5
}

T = TypeVar("T")


def read_identity(
    encoded: bytes | memoryview, transfer_syntax: str, sop_class: str, zone: tzinfo, *, high_priority: bool = False
) -> RecordingIdentity:
    """The identity in an encoded dataset (without file meta information); empty where there is none to be had.

    Args:
        encoded: the dataset.
        transfer_syntax: how it is encoded.
        sop_class: tells resting from ambulatory.
        zone: where the recorder stands, for times without an offset.
        high_priority: the C-STORE request had priority HIGH (PS3.7 section 9.3.1.1), which recorders give an emergency.
    """
    header = _header(encoded, transfer_syntax)
    fields: dict[str, Any] = {
        "accession_number": _tried(lambda: _text(header, 0x00080050)[:64]),
        "patient_id": _tried(lambda: _text(header, 0x00100020)[:64]),
        "patient_name": _tried(lambda: _person(_text(header, 0x00100010))[:200]),
        "sex": _tried(lambda: {"M": "M", "F": "F", "O": "O"}.get(_text(header, 0x00100040).upper())),
        "birth_date": _tried(lambda: _day(_text(header, 0x00100030)).isoformat()),
        "age_years": _tried(lambda: _age(_text(header, 0x00101010))),
        "started_at": _tried(lambda: _started(header, zone)),
        "study_kind": SOP_CLASS_KIND.get(sop_class),
        "urgent": True if high_priority else None,
    }
    return RecordingIdentity.model_validate({name: value for name, value in fields.items() if value not in {None, ""}})


def _tried(read: Callable[[], T]) -> T | None:
    """The value, or None: no tag of a stranger's file may stop a recording."""
    try:
        return read()
    except Exception:  # pydicom raises whatever the garbage provokes
        return None


def _header(encoded: bytes | memoryview, transfer_syntax: str) -> Dataset:
    data = bytes(encoded[:MAX_HEADER_BYTES])
    try:
        if transfer_syntax == DeflatedExplicitVRLittleEndian:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, MAX_HEADER_BYTES)
        return read_dataset(
            BytesIO(data),
            transfer_syntax == ImplicitVRLittleEndian,
            transfer_syntax != ExplicitVRBigEndian,
            stop_when=lambda tag, vr, length: int(tag) >= HEADER_END,
        )
    except Exception as error:
        log.warning("DICOM header cannot be read; sent on without identity", error=repr(error)[:200])
        return Dataset()


def _text(header: Dataset, tag: int) -> str:
    """The text of an element; undeclared Chinese is taken for UTF-8 where it is valid UTF-8, else for GB 18030."""
    if tag not in header:
        return ""
    raw = header.get_item(tag)
    declared = _tried(lambda: str(header.get("SpecificCharacterSet") or "")) or ""
    if isinstance(raw, RawDataElement) and isinstance(raw.value, bytes) and not raw.value.isascii() and not declared:
        try:
            decoded = raw.value.decode("utf-8")
        except UnicodeDecodeError:
            decoded = raw.value.decode("gb18030")
        return decoded.strip(" \0")
    value = header[tag].value
    return "" if value is None else str(value).strip(" \0")


def _person(name: str) -> str:
    """``Wang^Wei=王^伟`` as a person reads it, the ideographic group first: 王伟."""
    groups = [group.strip("^ ") for group in name.split("=")]
    if len(groups) > 1 and groups[1]:
        return groups[1].replace("^", "")
    return " ".join(part for part in groups[0].split("^") if part)


def _day(text: str) -> date:
    return datetime.strptime(text.replace(".", "").replace("-", ""), "%Y%m%d").date()  # noqa: DTZ007


def _age(text: str) -> float | None:
    """PS3.5 AS: nnnD, nnnW, nnnM, nnnY; some recorders leave the unit away and mean years."""
    found = re.fullmatch(r"(\d{1,3})\s*([DWMY]?)", text.upper())
    if not found:
        return None
    years = int(found[1]) * {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1, "": 1}[found[2]]
    return round(years, 2) if years <= 150 else None


def _started(header: Dataset, zone: tzinfo) -> datetime | None:
    """Acquisition DateTime, else acquisition, content or study date with its time (PS3.3 C.7.6.16, C.10.8)."""
    zone = _offset(_tried(lambda: _text(header, 0x00080201)) or "") or zone
    candidates = [_text(header, 0x0008002A)]
    for day, time in ((0x00080022, 0x00080032), (0x00080023, 0x00080033), (0x00080020, 0x00080030)):
        if _text(header, day) and _text(header, time):
            candidates.append(_text(header, day).replace(".", "") + _text(header, time).replace(":", ""))
    return next((moment for said in candidates if (moment := _moment(said, zone))), None)


def _moment(said: str, zone: tzinfo) -> datetime | None:
    """PS3.5 DT, down to the second at least."""
    found = re.fullmatch(r"(\d{14})(?:\.(\d{1,6}))?([+-]\d{4})?", said)
    if not found:
        return None
    try:
        moment = datetime.strptime(found[1], "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError:
        return None
    own = _offset(found[3] or "")
    return moment.replace(microsecond=int((found[2] or "0").ljust(6, "0")), tzinfo=own or zone)


def _offset(text: str) -> tzinfo | None:
    found = re.fullmatch(r"([+-])(\d{2})(\d{2})", text)
    if not found:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    if minutes > 14 * 60:  # the largest offset in use is +14:00
        return None
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
