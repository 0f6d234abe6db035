"""FHIR R4: the recording as a Bundle of Observation (SampledData), Patient and Device (FHIR R4 sections 2.24.0.9, 10.1)

One component a lead that was measured, by its MDC code (131328 + the lead's number). The data are the device's own
integers: a value is origin + datum × factor, in µV, ``period`` in milliseconds; a sample that was not measured is
``E``. The device's own measurements are components by LOINC code, its statements notes.
"""

import json
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from worker.formats.fhir_ecg import EXTENSION, MDC_BASE
from worker.formats.write.common import file_name, measured_rows
from worker.formats.write.errors import UnwritableRecording
from worker.leads import NUMBERS
from worker.recording import Recording

NAME: Final = "fhir"
MAX_SAMPLES: Final = 8_000_000
"""Of all leads: about 40 MB of text, less than our own reader takes."""
MDC_SYSTEM: Final = "urn:iso:std:iso:11073:10101"
LOINC_SYSTEM: Final = "http://loinc.org"
UCUM_SYSTEM: Final = "http://unitsofmeasure.org"
CATEGORY_SYSTEM: Final = "http://terminology.hl7.org/CodeSystem/observation-category"

_MEASUREMENTS: Final = {
    "heart_rate_bpm": ("8867-4", "Heart rate", "/min"), "pr_ms": ("8625-6", "P-R Interval", "ms"),
    "qrs_ms": ("8633-0", "QRS duration", "ms"), "qt_ms": ("8634-8", "Q-T interval", "ms"),
    "qtc_ms": ("8636-3", "Q-T interval corrected", "ms"), "qrs_axis_deg": ("8632-2", "QRS axis", "deg"),
    "p_axis_deg": ("8626-4", "P wave axis", "deg"), "t_axis_deg": ("8638-9", "T wave axis", "deg"),
}  # fmt: skip
_UNITS: Final = {"_ms": "ms", "_mv": "mV", "_deg": "deg", "_bpm": "/min"}
_GENDER: Final = {"M": "male", "F": "female", "O": "other"}


def write(recording: Recording, name: str) -> dict[str, bytes]:
    """The recording as one JSON file, by file name.

    Raises:
        UnwritableRecording: there is no sample, or more than JSON is for.
    """
    observation = _observation(recording)
    patient = _patient(recording)
    machine = _device(recording)
    for resource in (patient, machine):
        resource["id"] = _id(recording, resource["resourceType"])
    observation["id"] = _id(recording, "Observation")
    observation["subject"] = {"reference": f"urn:uuid:{patient['id']}"}
    observation["device"] = {"reference": f"urn:uuid:{machine['id']}"}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource}
            for resource in (observation, patient, machine)
        ],
    }
    return {f"{file_name(name)}.json": json.dumps(bundle, ensure_ascii=False, allow_nan=False).encode()}


def _id(recording: Recording, kind: str) -> str:
    start = recording.started_at.isoformat() if recording.started_at else ""
    return str(uuid5(NAMESPACE_OID, f"ecg-center/fhir/{kind}/{recording.signal_sha256}/{start}"))


def _coded(system: str, value: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": value, "display": display}]}


def _observation(recording: Recording) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "category": [_coded(CATEGORY_SYSTEM, "procedure", "Procedure")],
        "code": _coded(MDC_SYSTEM, str(MDC_BASE), "MDC_ECG_ELEC_POTL"),
        "component": [*_leads(recording), *_measured(recording)],
    }
    if recording.started_at is not None:
        made["effectiveDateTime"] = recording.started_at.isoformat()
    if recording.identity.accession_number:
        made["basedOn"] = [{"type": "ServiceRequest", "identifier": {"value": recording.identity.accession_number}}]
    if recording.device_statements:
        made["note"] = [{"text": statement} for statement in recording.device_statements]
    filters = recording.filters
    said = {"highpass-hz": filters.highpass_hz, "lowpass-hz": filters.lowpass_hz, "notch-hz": filters.notch_hz}
    extensions: list[dict[str, Any]] = [
        {"url": f"{EXTENSION}{name}", "valueDecimal": hz} for name, hz in said.items() if hz is not None
    ]
    for gap in recording.gaps:
        leads = "\t".join(lead for lead in gap.leads if lead not in recording.derived)
        extensions += [{"url": f"{EXTENSION}gap", "valueString": f"{gap.start}-{gap.stop}\t{leads}"}] if leads else []
    return made | ({"extension": extensions} if extensions else {})


def _leads(recording: Recording) -> list[dict[str, Any]]:
    rows = measured_rows(recording)
    if len(rows) * recording.n_samples > MAX_SAMPLES:
        raise UnwritableRecording("the recording is too long for JSON; write EDF or DICOM instead")
    made = []
    for row in rows:
        lead, step, zero = recording.leads[row], float(recording.uv_per_lsb[row]), float(recording.baseline[row])
        number = next((number for number, name in NUMBERS.items() if name == lead), None)
        concept: dict[str, Any] = {"text": lead}
        if number is not None:
            concept |= _coded(MDC_SYSTEM, str(MDC_BASE + number), f"MDC_ECG_ELEC_POTL_{lead.upper()}")
        made.append(
            {
                "code": concept,
                "valueSampledData": {
                    "origin": {"value": 0.0 - zero * step, "unit": "uV", "system": UCUM_SYSTEM, "code": "uV"},
                    "period": 1000 / recording.sampling_hz,
                    "factor": step,
                    "dimensions": 1,
                    "data": _data(recording, lead, recording.digital[row]),
                },
            }
        )
    return made


def _data(recording: Recording, lead: str, digital: np.ndarray[Any, Any]) -> str:
    """The integers; ``E`` where the lead was not measured and the device put no number of its own."""
    words = [str(value) for value in digital.tolist()]
    for gap in recording.gaps:
        part = digital[gap.start : gap.stop]
        if lead in gap.leads and part.size and (part == part[0]).all():
            words[gap.start : gap.stop] = ["E"] * part.size
    return " ".join(words)


def _measured(recording: Recording) -> list[dict[str, Any]]:
    """By LOINC where it has a code, else by our own names, whose endings are the units."""
    made = []
    for name, value in recording.device_measurements.items():
        if name in _MEASUREMENTS:
            known, display, unit = _MEASUREMENTS[name]
            concept = _coded(LOINC_SYSTEM, known, display)
        else:
            concept = _coded(f"{EXTENSION}measurement", name, name.replace("_", " "))
            unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "1")
        quantity = {"value": value, "unit": unit, "system": UCUM_SYSTEM, "code": unit}
        made.append({"code": concept, "valueQuantity": quantity})
    return made


def _patient(recording: Recording) -> dict[str, Any]:
    who = recording.identity
    made: dict[str, Any] = {"resourceType": "Patient", "gender": _GENDER.get(who.sex or "", "unknown")}
    if who.patient_id:
        made["identifier"] = [{"value": who.patient_id}]
    if who.patient_name:
        made["name"] = [{"text": who.patient_name}]
    return made | ({"birthDate": who.birth_date} if who.birth_date else {})


def _device(recording: Recording) -> dict[str, Any]:
    device = recording.device
    words = {
        "manufacturer": device.manufacturer,
        "modelNumber": device.model,
        "serialNumber": device.serial,
        "version": [{"value": device.software}] if device.software else None,
    }
    return {"resourceType": "Device"} | {name: word for name, word in words.items() if word}
