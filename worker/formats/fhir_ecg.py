"""FHIR ECG: an Observation whose components are SampledData (FHIR R4 sections 2.24.0.9 and 10.1)

One component a lead, by MDC code (131328 + the lead's number, ISO/IEEE 11073-10101) or by its text. A value is
origin + datum × factor, ``period`` is in milliseconds; the data ``E``, ``L`` and ``U`` (error, below, above) are gaps.
An Observation may stand alone or in a Bundle; the first that holds an ECG is read.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.formats.dicom_tables import LEAD_NUMBERS
from worker.formats.errors import DamagedRecording, NoWaveform, TooLargeRecording, UnsupportedRecording
from worker.formats.pressure_json import load_json
from worker.formats.rows import Block, Row, assemble, rate_of_period
from worker.formats.text_numbers import decimals
from worker.leads import standard_name
from worker.recording import MAX_LEADS, Device, Filters, Gap, Recording

NAME: Final = "fhir"
MAX_JSON_BYTES: Final = 48 * 1024**2
HEAD_BYTES: Final = 4096
MDC_BASE: Final = 131_328
"""MDC_ECG_ELEC_POTL; + n is the potential of lead n."""
EXTENSION: Final = "urn:ecg-center:"
"""Own extensions: filters, what the format has no place for."""

_UNITS: Final = {"uV": 1.0, "µV": 1.0, "mV": 1e3, "V": 1e6, "nV": 1e-3}
_GAP: Final = re.compile(r"^(\d{1,12})-(\d{1,12})\t(.+)$")
_SPECIAL: Final = re.compile(r"[EULeul]")
_MEASUREMENTS: Final = {
    "8867-4": "heart_rate_bpm", "8625-6": "pr_ms", "8633-0": "qrs_ms", "8634-8": "qt_ms", "8636-3": "qtc_ms",
    "8632-2": "qrs_axis_deg", "8626-4": "p_axis_deg", "8638-9": "t_axis_deg",
}  # fmt: skip
"""LOINC codes of ECG measurements."""


def recognises(data: bytes) -> bool:
    """Whether this is JSON of a FHIR resource that holds SampledData."""
    head = data[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"{") and b'"resourceType"' in data[: 64 * HEAD_BYTES] and b'"valueSampledData"' in data


def read(data: bytes) -> Recording:
    """The recording of one resource.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    root = _object(load_json(data, MAX_JSON_BYTES))
    warnings: list[str] = []
    observation, leads = _ecg(root)
    rates: dict[float, list[tuple[Row, list[Gap]]]] = {}
    for component in leads:
        rate, row, gaps = _lead(component, warnings)
        rates.setdefault(rate, []).append((row, gaps))
    main = max(rates, key=lambda rate: sum(row.samples.size for row, _ in rates[rate]))
    if len(rates) > 1:
        warnings.append(f"{len(rates) - 1} other sampling rates were left out")
    block = assemble([row for row, _ in rates[main]], warnings)
    noted = [gap for _, gaps in rates[main] for gap in gaps if gap.leads[0] in block.leads]
    noted += _noted_gaps(observation, block)
    begins = _begins(observation)
    holter = block.digital.shape[1] / main > f.HOLTER_FROM_S
    recording = Recording(
        format=NAME,
        kind="holter" if holter else "resting",
        leads=block.leads,
        digital=block.digital,
        uv_per_lsb=block.uv_per_lsb,
        baseline=block.baseline,
        sampling_hz=main,
        started_at=begins,
        identity=_identity(root, observation, begins, "holter" if holter else "resting"),
        device=_device(root),
        filters=_filters(observation),
        gaps=(*block.gaps, *noted),
        device_measurements=_measurements(observation),
        device_statements=tuple(
            text for note in _objects(observation.get("note")) if (text := _text(note, "text", 500))
        ),
        warnings=tuple(warnings),
    )
    return recording.with_derived_leads()


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(holder: dict[str, Any], name: str, longest: int = f.MAX_WORD) -> str:
    value = holder.get(name)
    return value.strip()[:longest] if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        return None
    return float(value)


def _resources(root: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    entries = [_object(entry.get("resource")) for entry in _objects(root.get("entry"))]
    for resource in [root, *entries]:
        for one in [resource, *_objects(resource.get("contained"))]:
            if one.get("resourceType") == kind:
                yield one


def _ecg(root: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    for observation in _resources(root, "Observation"):
        leads = [
            one
            for one in [observation, *_objects(observation.get("component"))]
            if _object(one.get("valueSampledData"))
        ]
        if len(leads) > 2 * MAX_LEADS:
            raise TooLargeRecording(f"an observation of {len(leads)} leads is more than any recorder writes")
        if leads:
            return observation, leads
    raise NoWaveform("the FHIR resource holds no sampled data of an ECG")


def _lead(component: dict[str, Any], warnings: list[str]) -> tuple[float, Row, list[Gap]]:
    name = _name(_object(component.get("code")))
    sampled = _object(component.get("valueSampledData"))
    if sampled.get("dimensions") not in (1, None):
        raise UnsupportedRecording(f"lead {name} holds {sampled.get('dimensions')} values a sample; one is read here")
    period = _number(sampled.get("period"))
    if period is None or period <= 0:
        raise DamagedRecording(f"lead {name} does not say how often it was sampled")
    rate = rate_of_period(period / 1000)
    origin = _object(sampled.get("origin"))
    unit = _text(origin, "code") or _text(origin, "unit")
    if unit not in _UNITS:
        raise UnsupportedRecording(f"lead {name} is measured in {unit[:16]!r}, not in volts")
    data = sampled.get("data")
    if not isinstance(data, str):
        raise NoWaveform(f"lead {name} refers to data that are not in the file; they are not fetched")
    samples, places, missing = _samples(data, name)
    factor = _number(sampled.get("factor"))
    step = (1.0 if factor is None else factor) * _UNITS[unit]
    step = step / 10.0**places if places else step
    if step == 0:
        raise DamagedRecording(f"lead {name} has steps of no size")
    offset_uv = (_number(origin.get("value")) or 0.0) * _UNITS[unit]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], missing, [0]])))
    gaps = [Gap(int(a), int(b), (name,)) for a, b in edges.reshape(-1, 2)]
    return rate, Row(name, samples, step, 0.0 - offset_uv / step), gaps


def _samples(data: str, name: str) -> tuple[NDArray[np.int32], int, NDArray[np.int8]]:
    """(samples, decimal places, 1 where the datum says that there is none)."""
    if not _SPECIAL.search(data):
        values, places = decimals(data, f"lead {name}")
        return values, places, np.zeros(values.size, np.int8)
    tokens = data.split()
    missing = np.fromiter((token in ("E", "U", "L") for token in tokens), np.int8, len(tokens))
    kept = " ".join("0" if lost else token for token, lost in zip(tokens, missing.tolist(), strict=True))
    values, places = decimals(kept, f"lead {name}")
    return values, places, missing


def _name(concept: dict[str, Any]) -> str:
    for coding in _objects(concept.get("coding")):
        value = _text(coding, "code")
        if value.isdecimal() and len(value) == 6 and (lead := LEAD_NUMBERS.get(int(value) - MDC_BASE)):
            return lead
        if (said := _text(coding, "display") or value).startswith("MDC_ECG"):
            return standard_name(said).removeprefix("MDC_ECG_ELEC_POTL_").removeprefix("MDC_ECG_LEAD_")
    said = _text(concept, "text") or next((_text(one, "display") for one in _objects(concept.get("coding"))), "")
    return standard_name(said)[:64]


def _begins(observation: dict[str, Any]) -> datetime | None:
    said = (
        _text(observation, "effectiveDateTime")
        or _text(observation, "effectiveInstant")
        or _text(_object(observation.get("effectivePeriod")), "start")
    )
    return f.instant(said)


def _identity(
    root: dict[str, Any], observation: dict[str, Any], begins: datetime | None, kind: str
) -> RecordingIdentity:
    patient = next(_resources(root, "Patient"), {})
    name = next(iter(_objects(patient.get("name"))), {})
    given = name.get("given")
    words = " ".join(word for word in given if isinstance(word, str)) if isinstance(given, list) else ""
    subject = _object(observation.get("subject"))
    orders = _objects(observation.get("basedOn"))
    return f.identity(
        accession_number=next((_text(_object(one.get("identifier")), "value") for one in orders), ""),
        patient_id=next((_text(one, "value") for one in _objects(patient.get("identifier"))), "")
        or _text(_object(subject.get("identifier")), "value"),
        patient_name=_text(name, "text") or f.full_name(_text(name, "family"), words) or _text(subject, "display"),
        sex=f.sex(_text(patient, "gender")),
        birth_date=f.birth_date(_text(patient, "birthDate")),
        started_at=begins,
        study_kind=kind,
    )


def _device(root: dict[str, Any]) -> Device:
    machine = next(_resources(root, "Device"), {})
    return Device(
        manufacturer=_text(machine, "manufacturer"),
        model=_text(machine, "modelNumber")
        or next((_text(one, "name") for one in _objects(machine.get("deviceName"))), ""),
        serial=_text(machine, "serialNumber"),
        software=next((_text(one, "value") for one in _objects(machine.get("version"))), ""),
    )


def _filters(observation: dict[str, Any]) -> Filters:
    said = {
        _text(one, "url").removeprefix(EXTENSION): _number(one.get("valueDecimal"))
        for one in _objects(observation.get("extension"))
    }
    return Filters(said.get("highpass-hz"), said.get("lowpass-hz"), said.get("notch-hz"))


def _noted_gaps(observation: dict[str, Any], block: Block) -> list[Gap]:
    """The gaps that our own writer has noted, as their samples hold what the device put there."""
    gaps = []
    for one in _objects(observation.get("extension")):
        match = _GAP.match(_text(one, "valueString", 4000)) if _text(one, "url") == f"{EXTENSION}gap" else None
        if match and int(match[1]) < int(match[2]) <= block.digital.shape[1]:
            leads = tuple(lead for lead in match[3].split("\t") if lead in block.leads)
            gaps += [Gap(int(match[1]), int(match[2]), leads)] if leads else []
    return gaps


def _measurements(observation: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for component in _objects(observation.get("component")):
        value = _object(component.get("valueQuantity"))
        codings = _objects(_object(component.get("code")).get("coding"))
        name = next((_MEASUREMENTS[code] for one in codings if (code := _text(one, "code")) in _MEASUREMENTS), "")
        own = next((_text(one, "code") for one in codings if _text(one, "system") == f"{EXTENSION}measurement"), "")
        name = name or own
        scale = 1000.0 if _text(value, "code") == "s" and name.endswith("_ms") else 1.0
        number = _number(value.get("value"))
        f.note(found, name, number * scale if number is not None else None)
    return found
