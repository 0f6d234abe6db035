"""What does the header of an EDF or BDF file say? (EDF section 2.1; EDF+ sections 2.1.3.1 to 2.1.3.4; BDF)

256 characters about the recording, then 256 about each signal, field by field. EDF+ puts code, sex, birth date and name
into the patient field, and date, technician and equipment into the recording field.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from ecg_center.contract.upload import RecordingIdentity
from worker.formats.dicom_text import Texts
from worker.formats.errors import DamagedRecording, TooLargeRecording, TruncatedRecording
from worker.formats.fields import clock, identity, iso_date
from worker.recording import Device

FIXED: Final = 256
MAX_SIGNALS: Final = 2048
MAX_HEADER_BYTES: Final = FIXED * (MAX_SIGNALS + 1)
MAX_RECORD_SAMPLES: Final = 64_000_000
BDF_MAGIC: Final = b"\xffBIOSEMI"
ANNOTATION_LABELS: Final = ("EDF Annotations", "BDF Annotations")
CENTURY: Final = 85
"""Two-digit years from 85 on are of the 20th century (EDF+ section 2.1.3.2)."""
UNKNOWN_DATE: Final = (1, 1, 85)
"""What writers put where the date was taken out (EDF+ section 2.1.3.2)."""

_DATE: Final = re.compile(r"(\d{1,2})[.\-/: ](\d{1,2})[.\-/: ](\d{2})")
_TIME: Final = re.compile(r"(\d{1,2})[.\-/: ](\d{1,2})[.\-/: ](\d{1,2})")
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_PLUS_DATE: Final = re.compile(r"^(\d{1,2})-([A-Z]{3})-(\d{4})$", re.I)
_INTEGER: Final = re.compile(r"^[+-]?\d{1,8}$")


@dataclass(frozen=True, slots=True)
class Channel:
    """One signal.

    Attributes:
        samples: how many it has in a data record.
        at: the place of its first in the record, in samples.
    """

    label: str
    unit: str
    physical_range: tuple[float, float]
    digital_range: tuple[int, int]
    prefilter: str
    samples: int
    at: int

    @property
    def is_tal(self) -> bool:
        """Whether it holds annotations instead of samples."""
        return self.label in ANNOTATION_LABELS


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """The header; ``n_records`` is -1 where the recorder did not finish."""

    channels: list[Channel]
    width: int
    n_bytes: int
    n_records: int
    record_s: float
    record_samples: int
    is_plus: bool
    is_discontinuous: bool
    started_at: datetime | None
    identity: RecordingIdentity
    device: Device


def recognises_header(data: bytes) -> bool:
    """By the version, the form of the date, and a header length that fits the number of signals."""
    if len(data) < FIXED or (data[:8] != BDF_MAGIC and data[:8].rstrip(b" \0") != b"0"):
        return False
    length, count = _text(data, 184, 8), _text(data, 252, 4)
    fits = bool(_INTEGER.match(length) and _INTEGER.match(count)) and int(length) == FIXED * (int(count) + 1)
    return fits or data[:8] == BDF_MAGIC or bool(_DATE.match(_text(data, 168, 8)) and _INTEGER.match(count))


def read_header(data: bytes, guess: Texts, warnings: list[str]) -> EdfHeader:
    """The header.

    Raises:
        UnreadableRecording: one of its family.
    """
    width = 3 if data[:8] == BDF_MAGIC else 2
    count = _integer(data, 252, 4, "number of signals")
    if not 0 < count <= MAX_SIGNALS:
        raise DamagedRecording(f"the header announces {count} signals")
    n_bytes = FIXED * (count + 1)
    if len(data) < n_bytes:
        raise TruncatedRecording("the file ends within its header; send the recording again")
    if _text(data, 184, 8) != str(n_bytes):
        warnings.append(
            f"the header says that it has {_text(data, 184, 8)!r} bytes; for {count} signals it is {n_bytes}"
        )
    channels = _channels(data, count, guess)
    record_samples = sum(channel.samples for channel in channels)
    if record_samples <= 0:
        raise DamagedRecording("the data records have no samples")
    if record_samples > MAX_RECORD_SAMPLES:
        raise TooLargeRecording(f"a data record claims {record_samples} samples, more than any recorder writes")
    reserved = _text(data, 192, 44)
    is_plus = reserved[:4] in ("EDF+", "BDF+")
    record_s = _number(_text(data, 244, 8))
    who, device, started_at = _about(data, guess, is_plus=is_plus)
    return EdfHeader(
        channels,
        width,
        n_bytes,
        _integer(data, 236, 8, "number of data records"),
        record_s if record_s is not None and 0 <= record_s < 1e8 else 0.0,
        record_samples,
        is_plus,
        reserved[:5] in ("EDF+D", "BDF+D"),
        started_at,
        who,
        device,
    )


def _channels(data: bytes, count: int, guess: Texts) -> list[Channel]:
    def column(offset: int, size: int) -> list[bytes]:
        at = FIXED + offset * count
        return [data[at + size * place : at + size * (place + 1)] for place in range(count)]

    labels, units = column(0, 16), column(96, 8)
    lows, highs, digital_lows, digital_highs = (column(offset, 8) for offset in (104, 112, 120, 128))
    prefilters, lengths = column(136, 80), column(216, 8)
    channels: list[Channel] = []
    at = 0
    for place in range(count):
        samples = _whole(lengths[place], f"samples a record of signal {place + 1}")
        if samples < 0:
            raise DamagedRecording(f"signal {place + 1} has {samples} samples a record")
        low, high = _number(_plain(lows[place])), _number(_plain(highs[place]))
        digital = (_number(_plain(digital_lows[place])), _number(_plain(digital_highs[place])))
        known = None not in (low, high, *digital) and all(abs(end or 0.0) < 2**31 for end in digital)
        channels.append(
            Channel(
                guess.decode(labels[place]),
                guess.decode(units[place]).replace("?", "µ"),
                (low or 0.0, high or 0.0) if known else (0.0, 0.0),
                (int(digital[0] or 0), int(digital[1] or 0)) if known else (0, 0),
                guess.decode(prefilters[place]),
                samples,
                at,
            )
        )
        at += samples
    return channels


def _about(data: bytes, guess: Texts, *, is_plus: bool) -> tuple[RecordingIdentity, Device, datetime | None]:
    """Whose recording, by which device, begun when."""
    patient = guess.decode(data[8:88])
    recording = guess.decode(data[88:168])
    started_at = _started_at(data)
    words = [None if word == "X" else word.replace("_", " ") for word in recording.split(" ")]
    if recording.startswith("Startdate "):
        if date := _PLUS_DATE.match(words[1] or "" if len(words) > 1 else ""):
            month = _MONTHS.index(date[2].upper()) + 1 if date[2].upper() in _MONTHS else 0
            begun = _TIME.match(_text(data, 176, 8))
            started_at = _clock(int(date[3]), month, int(date[1]), begun) or started_at
        words += [None] * (5 - len(words))
        device = Device(technician=(words[3] or "")[:100], model=(words[4] or "")[:100], station=(words[2] or "")[:100])
    else:
        device = Device(model=recording[:100])
    if not is_plus:
        return identity(patient_name=patient, started_at=started_at), device, started_at
    parts = [None if part == "X" else part.replace("_", " ") for part in patient.split(" ")]
    parts += [None] * (4 - len(parts))
    born = _PLUS_DATE.match(parts[2] or "")
    month = _MONTHS.index(born[2].upper()) + 1 if born and born[2].upper() in _MONTHS else 0
    who = identity(
        patient_id=parts[0] or "",
        sex=parts[1] if parts[1] in ("M", "F") else None,
        birth_date=iso_date(int(born[3]), month, int(born[1])) if born else None,
        patient_name=parts[3] or "",
        started_at=started_at,
    )
    return who, device, started_at


def _started_at(data: bytes) -> datetime | None:
    date, time = _DATE.match(_text(data, 168, 8)), _TIME.match(_text(data, 176, 8))
    if date is None:
        return None
    day, month, year = (int(part) for part in date.groups())
    if (day, month, year) == UNKNOWN_DATE:
        return None
    return _clock(year + (1900 if year >= CENTURY else 2000), month, day, time)


def _clock(year: int, month: int, day: int, time: re.Match[str] | None) -> datetime | None:
    hour, minute, second = (int(part) for part in time.groups()) if time else (0, 0, 0)
    return clock(year, month, day, hour, minute, second)


def _plain(raw: bytes) -> str:
    return raw.decode("latin-1").strip(" \0\t\r\n")


def _text(data: bytes, at: int, size: int) -> str:
    return _plain(data[at : at + size])


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if abs(value) < 1e300 else None


def _integer(data: bytes, at: int, size: int, what: str) -> int:
    return _whole(data[at : at + size], what)


def _whole(raw: bytes, what: str) -> int:
    text = _plain(raw)
    if not _INTEGER.match(text):
        raise DamagedRecording(f"the header gives {text!r} as {what}")
    return int(text)
