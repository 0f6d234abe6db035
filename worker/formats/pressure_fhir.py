"""Blood pressure readings as FHIR: Observation, or a Bundle of them (FHIR R4 section 10.1, vital signs profile ``bp``)

LOINC 85354-9 (or 55284-4, 35094-2) is the panel; its components are 8480-6 systolic, 8462-4 diastolic, 8478-0 mean and
8867-4 heart rate. Observations that hold one of these each are put together by their time. Units: UCUM mm[Hg] or kPa.
"""

from datetime import datetime
from typing import Final

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording, UnsupportedRecording
from worker.formats.fhir_resources import (
    Resource,
    as_object,
    as_objects,
    effective,
    machine,
    number,
    person,
    resources,
    word,
)
from worker.formats.pressure_json import HEAD_BYTES, load_json
from worker.pressure_readings import MAX_READINGS, MMHG_PER_KPA, BloodPressureSeries, PressureReading, in_order

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
    root = as_object(load_json(data))
    warnings: list[str] = []
    observations = list(resources(root, "Observation"))
    if len(observations) > 4 * MAX_READINGS:
        raise TooLargeRecording(f"{len(observations)} observations are more than any recorder takes")
    who = {word(as_object(one.get("subject")), "reference") for one in observations} - {""}
    if len(who) > 1:
        raise UnsupportedRecording(f"the bundle holds observations of {len(who)} patients; send one file for each")
    readings = _readings(observations, warnings)
    if not readings:
        raise NoWaveform("the FHIR resource holds no blood pressure (LOINC 85354-9 with 8480-6 and 8462-4)")
    ordered = in_order(readings, warnings)
    return BloodPressureSeries(
        NAME, ordered, _identity(root, observations, ordered[0].at), machine(root), warnings=tuple(warnings)
    )


def _codes(holder: Resource) -> set[str]:
    return {word(coding, "code") for coding in as_objects(as_object(holder.get("code")).get("coding"))}


def _readings(observations: list[Resource], warnings: list[str]) -> list[PressureReading]:
    """Panels as they are; single values put together by their time."""
    found: list[PressureReading] = []
    single: dict[datetime, Parts] = {}
    for observation in observations:
        if word(observation, "status") in _VOID:
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


def _parts(observation: Resource, warnings: list[str]) -> tuple[Parts, bool]:
    """(the values, whether they are the observation's own and not its components')."""
    parts: Parts = {}
    own = False
    for holder in [observation, *as_objects(observation.get("component"))]:
        name = next((PARTS[code] for code in _codes(holder) if code in PARTS), None)
        value = as_object(holder.get("valueQuantity"))
        amount = number(value.get("value"))
        if name is None or amount is None or abs(amount) > 1e6:
            continue
        unit = (word(value, "code") or word(value, "unit")).lower()
        scale = 1.0 if name == "pulse" else _UNITS.get(unit)
        if scale is None:
            warnings.append(f"a {name} pressure in {unit[:16]!r} was left out")
            continue
        parts.setdefault(name, amount if scale == 1.0 else round(amount * scale, 1))
        own = own or holder is observation
    return parts, own


def _time(observation: Resource) -> datetime:
    said = effective(observation) or word(observation, "issued")
    at = f.instant(said)
    if at is None:
        raise DamagedRecording(f"a blood pressure observation has {said[:40]!r} as its time")
    return at


def _reason(observation: Resource) -> str:
    absent = as_object(observation.get("dataAbsentReason"))
    return word(absent, "text") or next((word(one, "code") for one in as_objects(absent.get("coding"))), "")


def _identity(root: Resource, observations: list[Resource], started_at: datetime) -> RecordingIdentity:
    """Whose readings; a patient who is only referred to is known by the reference."""
    subject = next((as_object(one.get("subject")) for one in observations if one.get("subject")), {})
    who = person(next(resources(root, "Patient"), {}), subject, started_at, "abpm")
    return who if who.patient_id else who.model_copy(update={"patient_id": word(subject, "reference")[:64] or None})
