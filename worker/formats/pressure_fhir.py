"""Blood pressure readings as FHIR: Observation, or a Bundle of them (FHIR R4 section 10.1, vital signs profile ``bp``)

LOINC 85354-9 (or 55284-4, 35094-2) is the panel; its components are 8480-6 systolic, 8462-4 diastolic, 8478-0 mean and
8867-4 heart rate. Observations that hold one of these each are put together by their time. Units: UCUM mm[Hg] or kPa.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording, UnsupportedRecording
from worker.formats.pressure_json import HEAD_BYTES, load_json
from worker.pressure_readings import MAX_READINGS, MMHG_PER_KPA, BloodPressureSeries, PressureReading, in_order
from worker.recording import Device

NAME: Final = "pressure-fhir"

PARTS: Final = {
    "8480-6": "systolic", "8462-4": "diastolic", "8478-0": "mean", "8867-4": "pulse",
    "8459-0": "systolic", "8453-3": "diastolic", "8460-8": "systolic", "8454-1": "diastolic",
    "8461-6": "systolic", "8455-8": "diastolic",
}  # fmt: skip
"""LOINC code: part of a reading; the last six are of sitting, standing and lying patients."""
_UNITS: Final = {"mm[hg]": 1.0, "mmhg": 1.0, "mm hg": 1.0, "": 1.0, "kpa": MMHG_PER_KPA}
_VOID: Final = frozenset({"entered-in-error", "cancelled"})
Parts = dict[str, float]


def recognises(data: bytes) -> bool:
    """Whether this is JSON of a FHIR Bundle or Observation that holds a code of a blood pressure."""
    head = data[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith(b"{") or b'"resourceType"' not in data[: 64 * HEAD_BYTES]:
        return False
    return any(f'"{code}"'.encode() in data for code in ("8480-6", "85354-9", "55284-4"))


def read(data: bytes) -> BloodPressureSeries:
    """The readings of one patient.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    root = _object(load_json(data))
    warnings: list[str] = []
    observations = list(_resources(root, "Observation"))
    if len(observations) > 4 * MAX_READINGS:
        raise TooLargeRecording(f"{len(observations)} observations are more than any recorder takes")
    who = {_text(_object(one.get("subject")), "reference") for one in observations} - {""}
    if len(who) > 1:
        raise UnsupportedRecording(f"the bundle holds observations of {len(who)} patients; send one file for each")
    readings = _readings(observations, warnings)
    if not readings:
        raise NoWaveform("the FHIR resource holds no blood pressure (LOINC 85354-9 with 8480-6 and 8462-4)")
    ordered = in_order(readings, warnings)
    patient = next(_resources(root, "Patient"), {})
    machine = next(_resources(root, "Device"), {})
    return BloodPressureSeries(
        NAME, ordered, _identity(patient, observations, ordered[0].at), _device(machine), warnings=tuple(warnings)
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    return value.strip()[: f.MAX_WORD] if isinstance(value, str) else ""


def _resources(root: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    """The resource itself, those of a bundle, and those contained in them."""
    entries = [_object(entry.get("resource")) for entry in _objects(root.get("entry"))]
    for resource in [root, *entries]:
        for one in [resource, *_objects(resource.get("contained"))]:
            if one.get("resourceType") == kind:
                yield one


def _codes(holder: dict[str, Any]) -> set[str]:
    return {_text(coding, "code") for coding in _objects(_object(holder.get("code")).get("coding"))}


def _readings(observations: list[dict[str, Any]], warnings: list[str]) -> list[PressureReading]:
    """Panels as they are; single values put together by their time."""
    found: list[PressureReading] = []
    single: dict[datetime, Parts] = {}
    for observation in observations:
        if _text(observation, "status") in _VOID:
            continue
        parts, own = _parts(observation, warnings)
        failed = not parts and bool({"85354-9", "55284-4", "35094-2"} & _codes(observation))
        if not parts and not failed:
            continue
        at = _time(observation)
        if own:
            single.setdefault(at, {}).update(parts)
        else:
            found.append(_reading(at, parts, _reason(observation)))
    if any(not {"systolic", "diastolic"} <= set(parts) for parts in single.values()):
        warnings.append("some single values have no partner of the same time and were left out")
    found += [_reading(at, parts, "") for at, parts in single.items() if {"systolic", "diastolic"} <= set(parts)]
    return found


def _reading(at: datetime, parts: Parts, reason: str) -> PressureReading:
    return PressureReading(
        at, parts.get("systolic"), parts.get("diastolic"), parts.get("mean"), parts.get("pulse"), reason=reason
    )


def _parts(observation: dict[str, Any], warnings: list[str]) -> tuple[Parts, bool]:
    """(the values, whether they are the observation's own and not its components')."""
    parts: Parts = {}
    own = False
    for holder in [observation, *_objects(observation.get("component"))]:
        name = next((PARTS[code] for code in _codes(holder) if code in PARTS), None)
        value = _object(holder.get("valueQuantity"))
        number = value.get("value")
        if name is None or isinstance(number, bool) or not isinstance(number, int | float) or abs(number) > 1e6:
            continue
        unit = (_text(value, "code") or _text(value, "unit")).lower()
        scale = 1.0 if name == "pulse" else _UNITS.get(unit)
        if scale is None:
            warnings.append(f"a {name} pressure in {unit[:16]!r} was left out")
            continue
        parts.setdefault(name, float(number) if scale == 1.0 else round(number * scale, 1))
        own = own or holder is observation
    return parts, own


def _time(observation: dict[str, Any]) -> datetime:
    said = (
        _text(observation, "effectiveDateTime")
        or _text(observation, "effectiveInstant")
        or _text(_object(observation.get("effectivePeriod")), "start")
        or _text(observation, "issued")
    )
    at = f.instant(said)
    if at is None:
        raise DamagedRecording(f"a blood pressure observation has {said[:40]!r} as its time")
    return at


def _reason(observation: dict[str, Any]) -> str:
    absent = _object(observation.get("dataAbsentReason"))
    return _text(absent, "text") or next((_text(one, "code") for one in _objects(absent.get("coding"))), "")


def _identity(patient: dict[str, Any], observations: list[dict[str, Any]], started_at: datetime) -> RecordingIdentity:
    name = next(iter(_objects(patient.get("name"))), {})
    given = name.get("given")
    words = " ".join(word for word in given if isinstance(word, str)) if isinstance(given, list) else ""
    subject = next((_object(one.get("subject")) for one in observations if one.get("subject")), {})
    number = next((_text(one, "value") for one in _objects(patient.get("identifier"))), "")
    return f.identity(
        patient_id=number or _text(_object(subject.get("identifier")), "value") or _text(subject, "reference"),
        patient_name=_text(name, "text") or f.full_name(_text(name, "family"), words) or _text(subject, "display"),
        sex=f.sex(_text(patient, "gender")),
        birth_date=f.birth_date(_text(patient, "birthDate")),
        started_at=started_at,
        study_kind="abpm",
    )


def _device(machine: dict[str, Any]) -> Device:
    name = next((_text(one, "name") for one in _objects(machine.get("deviceName"))), "")
    return Device(
        manufacturer=_text(machine, "manufacturer"),
        model=_text(machine, "modelNumber") or name,
        serial=_text(machine, "serialNumber"),
        software=next((_text(one, "value") for one in _objects(machine.get("version"))), ""),
    )
