"""FHIR ECG: an Observation whose components are SampledData (FHIR R4 sections 2.24.0.9 and 10.1)

One component a lead, by MDC code (131328 + the lead's number, ISO/IEEE 11073-10101) or by its text. A value is
origin + datum × factor, ``period`` is in milliseconds; the data ``E``, ``L`` and ``U`` (error, below, above) are gaps.
An Observation may stand alone or in a Bundle; the first that holds an ECG is read.
"""

import re
from datetime import datetime
from typing import Final

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.formats.binary import with_limb_leads
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
from worker.formats.pressure_json import load_json
from worker.formats.rows import Block, Row, assemble, gaps_where, rate_of_period
from worker.formats.text_numbers import decimals_or_absent
from worker.leads import NUMBERS, standard_name
from worker.recording import MAX_LEADS, Filters, Gap, Recording

NAME: Final = "fhir"
MAX_JSON_BYTES: Final = 48 * 1024**2
HEAD_BYTES: Final = 4096
MDC_BASE: Final = 131_328
"""MDC_ECG_ELEC_POTL; + n is the potential of lead n."""
EXTENSION: Final = "urn:ecg-center:"
"""Own extensions: filters, what the format has no place for."""

_UNITS: Final = {"uV": 1.0, "µV": 1.0, "mV": 1e3, "V": 1e6, "nV": 1e-3}
_GAP: Final = re.compile(r"^(\d{1,12})-(\d{1,12})\t(.+)$")
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
    root = as_object(load_json(data, MAX_JSON_BYTES))
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
    begins = f.instant(effective(observation))
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
        device=machine(root),
        filters=_filters(observation),
        gaps=(*block.gaps, *noted),
        device_measurements=_measurements(observation),
        device_statements=tuple(
            text for note in as_objects(observation.get("note")) if (text := word(note, "text", 500))
        ),
        warnings=tuple(warnings),
    )
    return with_limb_leads(recording)


def _ecg(root: Resource) -> tuple[Resource, list[Resource]]:
    for observation in resources(root, "Observation"):
        leads = [
            one
            for one in [observation, *as_objects(observation.get("component"))]
            if as_object(one.get("valueSampledData"))
        ]
        if len(leads) > 2 * MAX_LEADS:
            raise TooLargeRecording(f"an observation of {len(leads)} leads is more than any recorder writes")
        if leads:
            return observation, leads
    raise NoWaveform("the FHIR resource holds no sampled data of an ECG")


def _lead(component: Resource, warnings: list[str]) -> tuple[float, Row, list[Gap]]:
    name = _name(as_object(component.get("code")))
    sampled = as_object(component.get("valueSampledData"))
    if sampled.get("dimensions") not in (1, None):
        raise UnsupportedRecording(f"lead {name} holds {sampled.get('dimensions')} values a sample; one is read here")
    period = number(sampled.get("period"))
    if period is None or period <= 0:
        raise DamagedRecording(f"lead {name} does not say how often it was sampled")
    rate = rate_of_period(period / 1000)
    origin = as_object(sampled.get("origin"))
    unit = word(origin, "code") or word(origin, "unit")
    if unit not in _UNITS:
        raise UnsupportedRecording(f"lead {name} is measured in {unit[:16]!r}, not in volts")
    data = sampled.get("data")
    if not isinstance(data, str):
        raise NoWaveform(f"lead {name} refers to data that are not in the file; they are not fetched")
    samples, places, absent = decimals_or_absent(data, f"lead {name}", "EUL")
    factor = number(sampled.get("factor"))
    step = (1.0 if factor is None else factor) * _UNITS[unit]
    step = step / 10.0**places if places else step
    if step == 0:
        raise DamagedRecording(f"lead {name} has steps of no size")
    offset_uv = (number(origin.get("value")) or 0.0) * _UNITS[unit]
    gaps = gaps_where(absent, name) if absent is not None else []
    return rate, Row(name, samples, step, 0.0 - offset_uv / step), gaps


def _name(concept: Resource) -> str:
    for coding in as_objects(concept.get("coding")):
        value = word(coding, "code")
        if value.isdecimal() and len(value) == 6 and (lead := NUMBERS.get(int(value) - MDC_BASE)):
            return lead
        if (said := word(coding, "display") or value).startswith("MDC_ECG"):
            return standard_name(said).removeprefix("MDC_ECG_ELEC_POTL_").removeprefix("MDC_ECG_LEAD_")
    said = word(concept, "text") or next((word(one, "display") for one in as_objects(concept.get("coding"))), "")
    return standard_name(said)[:64]


def _identity(root: Resource, observation: Resource, begins: datetime | None, kind: str) -> RecordingIdentity:
    orders = as_objects(observation.get("basedOn"))
    accession_number = next((word(as_object(one.get("identifier")), "value") for one in orders), "")
    patient = next(resources(root, "Patient"), {})
    return person(patient, as_object(observation.get("subject")), begins, kind, accession_number)


def _filters(observation: Resource) -> Filters:
    said = {
        word(one, "url").removeprefix(EXTENSION): number(one.get("valueDecimal"))
        for one in as_objects(observation.get("extension"))
    }
    return Filters(said.get("highpass-hz"), said.get("lowpass-hz"), said.get("notch-hz"))


def _noted_gaps(observation: Resource, block: Block) -> list[Gap]:
    """The gaps that our own writer has noted, as their samples hold what the device put there."""
    gaps = []
    for one in as_objects(observation.get("extension")):
        match = _GAP.match(word(one, "valueString", 4000)) if word(one, "url") == f"{EXTENSION}gap" else None
        if match and int(match[1]) < int(match[2]) <= block.digital.shape[1]:
            leads = tuple(lead for lead in match[3].split("\t") if lead in block.leads)
            gaps += [Gap(int(match[1]), int(match[2]), leads)] if leads else []
    return gaps


def _measurements(observation: Resource) -> dict[str, float]:
    found: dict[str, float] = {}
    for component in as_objects(observation.get("component")):
        value = as_object(component.get("valueQuantity"))
        codings = as_objects(as_object(component.get("code")).get("coding"))
        name = next((_MEASUREMENTS[code] for one in codings if (code := word(one, "code")) in _MEASUREMENTS), "")
        own = next((word(one, "code") for one in codings if word(one, "system") == f"{EXTENSION}measurement"), "")
        name = name or own
        scale = 1000.0 if word(value, "code") == "s" and name.endswith("_ms") else 1.0
        amount = number(value.get("value"))
        f.note(found, name, amount * scale if amount is not None else None)
    return found
