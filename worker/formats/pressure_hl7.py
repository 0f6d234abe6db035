r"""Blood pressure readings as HL7 v2: ORU^R01 (HL7 2.6 chapter 7; IHE PCD TF-2 section 3.1, transaction PCD-01)

An OBX whose code is a systolic, diastolic or mean pressure (MDC of ISO/IEEE 11073-10101, or LOINC) is a part of a
reading; parts of one time within one OBR belong together. The time is OBX-14, else OBR-7. Units are mm[Hg] (also MDC
266016) or kPa (MDC 265987). Several messages may follow one another, each in an MLLP frame or not. MSH-18 says the
character set.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording, UnsupportedRecording
from worker.formats.pressure_fhir import PARTS as LOINC_PARTS
from worker.formats.xml_reader import as_number
from worker.pressure_readings import MAX_READINGS, MMHG_PER_KPA, BloodPressureSeries, PressureReading, in_order
from worker.recording import Device

NAME: Final = "pressure-hl7"
MAX_HL7_BYTES: Final = 32 * 1024**2
MAX_SEGMENTS: Final = 400_000

_PARTS: Final = {
    "150021": "systolic", "150022": "diastolic", "150023": "mean",
    "MDC_PRESS_BLD_NONINV_SYS": "systolic", "MDC_PRESS_BLD_NONINV_DIA": "diastolic",
    "MDC_PRESS_BLD_NONINV_MEAN": "mean", "150301": "systolic", "150302": "diastolic", "150303": "mean",
    "MDC_PRESS_CUFF_SYS": "systolic", "MDC_PRESS_CUFF_DIA": "diastolic", "MDC_PRESS_CUFF_MEAN": "mean",
    "149546": "pulse", "MDC_PULS_RATE_NON_INV": "pulse", "149514": "pulse", "MDC_PULS_RATE": "pulse",
    "147842": "pulse", "MDC_ECG_HEART_RATE": "pulse", "MDC_ECG_CARD_BEAT_RATE": "pulse", **LOINC_PARTS,
}  # fmt: skip
"""Code or reference id: part of a reading (11073-10101 annex A, block SCADA, pressures and pulse rates)."""
_KPA: Final = frozenset({"265987", "MDC_DIM_KILO_PASCAL", "kPa", "kpa"})
_MMHG: Final = frozenset({"266016", "MDC_DIM_MMHG", "mm[Hg]", "mmHg", "mm(hg)", "mmhg", ""})
_ENCODINGS: Final = {
    "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "8859/1": "latin-1", "GB 18030-2000": "gb18030", "GB18030": "gb18030",
    "ASCII": "ascii",
}  # fmt: skip
_ESCAPE: Final = re.compile(r"\\([FSTRE])\\")
_NOT_DONE: Final = frozenset({"X", "N", "D", "W"})
"""OBX-11: cannot be obtained, not asked for, deleted, wrong (HL7 table 0085)."""


@dataclass
class _Message:
    """What has been read of one message so far."""

    signs: str = "|^~\\&"
    ordered_at: str = ""
    orders: int = 0
    parts: dict[tuple[int, str], dict[str, float]] = field(default_factory=dict)
    reasons: dict[tuple[int, str], str] = field(default_factory=dict)


def recognises(data: bytes) -> bool:
    """Whether this is an HL7 v2 message, or a batch of them, that holds a code of a non-invasive pressure."""
    head = data[:64].lstrip(b"\x0b\r\n \xef\xbb\xbf")
    if not head.startswith((b"MSH", b"FHS", b"BHS")):
        return False
    return any(code in data for code in (b"150021", b"MDC_PRESS_BLD_NONINV", b"MDC_PRESS_CUFF", b"150301", b"8480-6"))


def read(data: bytes) -> BloodPressureSeries:
    """The readings of one patient.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    if len(data) > MAX_HL7_BYTES:
        raise TooLargeRecording(f"the HL7 file is larger than {MAX_HL7_BYTES // 1024**2} MB, more than readings need")
    warnings: list[str] = []
    readings: list[PressureReading] = []
    patients: dict[str, RecordingIdentity] = {}
    device = Device()
    message = _Message()
    for segment in _segments(_text(data)):
        kind = segment[:3]
        if kind == "MSH":
            readings += _finished(message, warnings)
            message = _Message(signs=_signs(segment))
            device = _device(segment, message.signs) if not device.model else device
        elif kind == "PID":
            identity = _identity(segment.split(message.signs[0]), message.signs)
            patients[identity.patient_id or identity.patient_name or ""] = identity
        elif kind == "OBR":
            message.orders += 1
            message.ordered_at = _field(segment.split(message.signs[0]), 7)
        elif kind == "OBX":
            _observe(segment.split(message.signs[0]), message, warnings)
    readings += _finished(message, warnings)
    if len(patients) > 1:
        raise UnsupportedRecording(f"the file holds messages of {len(patients)} patients; send one file for each")
    if not readings:
        raise NoWaveform("the HL7 message holds no blood pressure reading")
    ordered = in_order(readings, warnings)
    who = next(iter(patients.values()), RecordingIdentity())
    who = who.model_copy(update={"started_at": ordered[0].at, "study_kind": "abpm"})
    return BloodPressureSeries(NAME, ordered, who, device, warnings=tuple(dict.fromkeys(warnings)))


def _text(data: bytes) -> str:
    head = data.lstrip(b"\x0b\r\n \xef\xbb\xbf")[:1024].split(b"\r")[0].split(b"\n")[0]
    fields = head.split(head[3:4]) if len(head) > 4 else []
    declared = fields[17].decode("latin-1").split("~")[0].strip() if len(fields) > 17 else ""
    for encoding in filter(None, (_ENCODINGS.get(declared), "utf-8", "gb18030")):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _segments(text: str) -> Iterator[str]:
    for count, line in enumerate(re.split(r"[\r\n\x0b\x1c]+", text.lstrip("\ufeff"))):
        if count > MAX_SEGMENTS:
            raise TooLargeRecording(f"the HL7 file has more than {MAX_SEGMENTS} segments")
        if len(line) > 3:
            yield line.strip(" ")


def _signs(msh: str) -> str:
    signs = (msh[3:4] + msh[4:].split(msh[3:4], 1)[0])[:5]
    if len(signs) < 3 or len(set(signs)) < len(signs) or any(sign.isalnum() for sign in signs):
        raise DamagedRecording("the HL7 header does not say what separates its fields")
    return signs.ljust(5, "\0")


def _field(fields: list[str], number: int) -> str:
    return fields[number].strip()[:1000] if number < len(fields) else ""


def _component(text: str, signs: str, number: int) -> str:
    parts = text.split(signs[2], maxsplit=1)[0].split(signs[1])
    return parts[number - 1].strip() if number <= len(parts) else ""


def _plain(text: str, signs: str) -> str:
    """Text without its escape sequences (HL7 2.6 section 2.7)."""
    return _ESCAPE.sub(lambda found: dict(zip("FSRET", signs, strict=True))[found[1]], text)


def _observe(fields: list[str], message: _Message, warnings: list[str]) -> None:
    signs = message.signs
    code = _field(fields, 3)
    name = next((_PARTS[word] for at in (1, 2, 4, 5) if (word := _component(code, signs, at)) in _PARTS), None)
    if name is None:
        return
    key = (message.orders, _component(_field(fields, 14), signs, 1) or _component(message.ordered_at, signs, 1))
    if len(message.parts) > MAX_READINGS:
        raise TooLargeRecording(f"more than {MAX_READINGS} readings are more than any recorder takes")
    parts = message.parts.setdefault(key, {})
    value = as_number(_component(_field(fields, 5), signs, 1))
    if _field(fields, 11) in _NOT_DONE or value is None:
        message.reasons.setdefault(key, _field(fields, 8) or f"result status {_field(fields, 11)}")
        return
    unit = {_component(_field(fields, 6), signs, at) for at in (1, 2, 4)}
    if name != "pulse" and unit & _KPA:
        value = round(value * MMHG_PER_KPA, 1)
    elif name != "pulse" and not unit & _MMHG:
        warnings.append(f"a {name} pressure in {_field(fields, 6)[:32]!r} was left out")
        return
    parts.setdefault(name, value)


def _finished(message: _Message, warnings: list[str]) -> list[PressureReading]:
    """The readings of one message; a time that holds no pressure and no failure of one holds a pulse alone."""
    readings = []
    for key, parts in message.parts.items():
        reason = message.reasons.get(key, "")
        if not {"systolic", "diastolic", "mean"} & set(parts) and not reason:
            continue
        at = f.instant(key[1])
        if at is None:
            raise DamagedRecording(f"a blood pressure has {key[1][:40]!r} as its time (OBX-14, OBR-7)")
        readings.append(
            PressureReading(
                at, parts.get("systolic"), parts.get("diastolic"), parts.get("mean"), parts.get("pulse"), reason=reason
            )
        )
    return readings


def _identity(fields: list[str], signs: str) -> RecordingIdentity:
    name = _field(fields, 5)
    return f.identity(
        patient_id=_plain(_component(_field(fields, 3), signs, 1), signs),
        patient_name=_plain(f.full_name(_component(name, signs, 1), _component(name, signs, 2)), signs),
        sex=f.sex(_component(_field(fields, 8), signs, 1)),
        birth_date=f.birth_date(_component(_field(fields, 7), signs, 1)),
    )


def _device(msh: str, signs: str) -> Device:
    """MSH-3 is the sending device, as PCD-01 has it: name, then its EUI-64."""
    fields = msh.split(signs[0])
    return Device(
        model=_plain(_component(_field(fields, 2), signs, 1), signs)[: f.MAX_WORD],
        serial=_plain(_component(_field(fields, 2), signs, 2), signs)[: f.MAX_WORD],
        institution=_plain(_component(_field(fields, 3), signs, 1), signs)[: f.MAX_WORD],
    )
