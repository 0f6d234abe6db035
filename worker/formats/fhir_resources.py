"""What do ECGs and blood pressures share as FHIR? Patient, Device and time of an Observation, alone or in a Bundle
(FHIR R4 sections 8.1 Patient, 8.15 Device, 10.1 Observation, 2.36 Bundle)

A field that holds something else than the standard says is as one that is absent: what has no meaning harms no reading.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.recording import Device

Resource = dict[str, Any]


def as_object(value: Any) -> Resource:
    """The object; an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def as_objects(value: Any) -> list[Resource]:
    """The objects in this list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def word(holder: Resource, name: str, longest: int = f.MAX_WORD) -> str:
    """The text of this field; empty where it is none."""
    value = holder.get(name)
    return value.strip()[:longest] if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """The number; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        return None
    return float(value)


def resources(root: Resource, kind: str) -> Iterator[Resource]:
    """The resources of this kind: the root itself, those of a bundle, and those contained in them."""
    entries = [as_object(entry.get("resource")) for entry in as_objects(root.get("entry"))]
    for resource in [root, *entries]:
        for one in [resource, *as_objects(resource.get("contained"))]:
            if one.get("resourceType") == kind:
                yield one


def effective(observation: Resource) -> str:
    """When it was observed, as written: at an instant, or from the start of a period."""
    period = as_object(observation.get("effectivePeriod"))
    return word(observation, "effectiveDateTime") or word(observation, "effectiveInstant") or word(period, "start")


def person(
    patient: Resource, subject: Resource, started_at: datetime | None, study_kind: str, accession_number: str = ""
) -> RecordingIdentity:
    """Whose observation: by the Patient, else by what the observation's ``subject`` says itself."""
    name = next(iter(as_objects(patient.get("name"))), {})
    given = name.get("given")
    words = " ".join(one for one in given if isinstance(one, str)) if isinstance(given, list) else ""
    return f.identity(
        accession_number=accession_number,
        patient_id=next((word(one, "value") for one in as_objects(patient.get("identifier"))), "")
        or word(as_object(subject.get("identifier")), "value"),
        patient_name=word(name, "text") or f.full_name(word(name, "family"), words) or word(subject, "display"),
        sex=f.sex(word(patient, "gender")),
        birth_date=f.birth_date(word(patient, "birthDate")),
        started_at=started_at,
        study_kind=study_kind,
    )


def machine(root: Resource) -> Device:
    """The first Device."""
    device = next(resources(root, "Device"), {})
    return Device(
        manufacturer=word(device, "manufacturer"),
        model=word(device, "modelNumber")
        or next((word(one, "name") for one in as_objects(device.get("deviceName"))), ""),
        serial=word(device, "serialNumber"),
        software=next((word(one, "value") for one in as_objects(device.get("version"))), ""),
    )
