"""GE CardioSoft and CASE XML: which of its blocks is the recording, and in what steps is it written?

There is no public standard; the layout is that of the XML export in GE's CardioSoft operator's manual (2062898-001) and
of files in public repositories: ``CardiologyXML / StripData / WaveformData[@lead]`` holds whole numbers between commas
in steps of ``Resolution`` (uVperLsb), one element a lead; stress tests have several ``StripData / Strip``.
``FullDisclosure`` holds all leads in ``LeadOrder``: sample by sample, as the manual says, or second by second, as
version 6.73 writes. ``RestingECGMeasurements / MedianSamples`` is the median beat. Times in ``ArrhythmiaResults`` are
milliseconds.
"""

from datetime import datetime
from typing import Any, Final

import numpy as np

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.formats import xml_reader
from worker.formats.binary import with_limb_leads
from worker.formats.errors import DamagedRecording, NoWaveform, UnreadableRecording
from worker.formats.rows import Row, assemble, checked_rate
from worker.formats.text_numbers import integers
from worker.formats.xml_reader import Element, as_number
from worker.leads import standard_name
from worker.recording import MAX_LEADS, Annotation, Device, Filters, MedianBeat, Recording

NAME: Final = "cardiosoft"

ROUGHER: Final = 2.0
"""How much rougher the leads must be sample by sample than second by second to be read so. An ECG at 100 Hz or more
changes from sample to sample by a small part of its size; leads that were mixed up change by all of it."""

LOOKED_AT_S: Final = 30

_NOTHING: Final = Element("", {})
_STEPS: Final = {"uvperlsb": 1.0, "": 1.0, "nvperlsb": 1e-3, "mvperlsb": 1e3}
_MEASUREMENTS: Final = {
    "VentricularRate": "heart_rate_bpm", "AtrialRate": "atrial_rate_bpm", "PQInterval": "pr_ms", "PRInterval": "pr_ms",
    "PDuration": "p_ms", "QRSDuration": "qrs_ms", "QTInterval": "qt_ms", "QTCInterval": "qtc_ms",
    "RRInterval": "rr_mean_ms", "PAxis": "p_axis_deg", "RAxis": "qrs_axis_deg", "TAxis": "t_axis_deg",
}  # fmt: skip


def recognises(data: bytes) -> bool:
    """Whether the root element is ``CardiologyXML``."""
    return xml_reader.root_name(data)[0] == "CardiologyXML"


def read(data: bytes) -> Recording:
    """The recording of one CardioSoft XML file.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    document = xml_reader.parse(data)
    root, warnings = document.root, document.warnings
    rows, rate = _signal(root, warnings)
    block = assemble(rows, warnings)
    begins = _started_at(root)
    holter = block.digital.shape[1] / rate > f.HOLTER_FROM_S
    recording = Recording(
        format=NAME,
        kind="holter" if holter else "resting",
        leads=block.leads,
        digital=block.digital,
        uv_per_lsb=block.uv_per_lsb,
        baseline=block.baseline,
        sampling_hz=rate,
        started_at=begins,
        identity=_identity(root, begins, "holter" if holter else "resting"),
        device=_device(root),
        filters=_filters(root),
        gaps=block.gaps,
        annotations=_beats(root),
        median_beat=_median_beat(root),
        device_measurements=_measurements(root),
        device_statements=_statements(root),
        warnings=tuple(warnings),
    )
    return with_limb_leads(recording)


def _signal(root: Element, warnings: list[str]) -> tuple[list[Row], float]:
    strips = _strips(root)
    full = next((one for one in root.all("FullDisclosure") if one.word("FullDisclosureData")), None)
    if full is not None and len(strips) != 1:
        if strips:
            warnings.append(f"{len(strips)} strips were left out beside the full disclosure that they are taken from")
        rate = _rate(full)
        return _disclosed(full, rate, warnings), rate
    if strips:
        if len(strips) > 1:
            warnings.append(f"only the first of {len(strips)} strips was read")
        if full is not None:
            warnings.append("the full disclosure was left out beside the strip")
        strip, about = strips[0]
        return _rows(strip, about), _rate(strip if strip.find("SampleRate") else about)
    if root.first("WaveformData") is not None:
        raise NoWaveform("the CardioSoft file holds a median beat alone, without the recording it was made of")
    raise NoWaveform("the CardioSoft file holds no waveform; export it again with waveforms included")


def _strips(root: Element) -> list[tuple[Element, Element]]:
    """(what holds the leads, what holds it) of each strip: rate and resolution may stand in either."""
    found = [(strip, root) for strip in root.all("StripData")]
    found += [(inner, strip) for strip in root.all("StripData") for inner in strip.all("Strip")]
    found += [(inner, strip) for strip in root.all("Strip") for inner in strip.all("StripData")]
    return [(strip, about) for strip, about in found if strip.find("WaveformData")]


def _rate(block: Element) -> float:
    return checked_rate(block.number("SampleRate"))


def _step(block: Element) -> float:
    resolution = block.find("Resolution") or _NOTHING
    step = as_number(resolution.text)
    unit = _STEPS.get(resolution.get("units").lower())
    if step is None or unit is None:
        raise DamagedRecording("the CardioSoft file does not say how large a step of its samples is")
    return step * unit


def _rows(block: Element, about: Element) -> list[Row]:
    step = _step(block if block.find("Resolution") else about)
    rows = []
    for waveform in block.all("WaveformData")[: 2 * MAX_LEADS]:
        lead = standard_name(waveform.get("lead"))
        rows.append(Row(lead, integers(waveform.text, f"lead {lead[:40]}"), step))
    return rows


def _disclosed(full: Element, rate: float, warnings: list[str]) -> list[Row]:
    """The leads of a full disclosure."""
    names = [standard_name(name) for name in full.word("LeadOrder").split(",") if name.strip()]
    claimed = full.number("NumberOfChannels")
    n = int(claimed) if claimed is not None else len(names)
    if not 0 < n <= MAX_LEADS or (names and len(names) != n):
        raise DamagedRecording(
            f"a full disclosure of {n} channels names {len(names)} leads; the file contradicts itself"
        )
    names = names or [f"channel {place + 1}" for place in range(n)]
    data = full.find("FullDisclosureData") or _NOTHING
    samples = integers(data.text, "the full disclosure")
    whole, left_out = _in_turn(samples, n, round(rate))
    if whole.ndim == 3:
        warnings.append("the full disclosure is read second by second of each lead; the manual says sample by sample")
    if left_out:
        warnings.append("the full disclosure ends before all leads do; what is incomplete was left out")
    step = _step(full)
    return [Row(name, whole[place].reshape(-1), step) for place, name in enumerate(names)]


def _in_turn(samples: Any, n: int, second: int) -> tuple[Any, int]:
    """(samples of each of the ``n`` leads, how many at the end are left out), in the order that gives smooth leads.

    The first axis is the lead. By sample: the second axis is time. By second: seconds, then samples of each.
    """
    by_sample = samples[: samples.size // n * n].reshape(-1, n).T
    by_second = samples[: samples.size // (n * second) * n * second].reshape(-1, n, second).transpose(1, 0, 2)
    some = by_second[:, :LOOKED_AT_S], by_sample[:, : LOOKED_AT_S * second]
    if n > 1 and by_second.shape[1] > 1 and _roughness(some[1]) > ROUGHER * _roughness(some[0]):
        return by_second, samples.size % (n * second)
    return by_sample, samples.size % n


def _roughness(leads: Any) -> float:
    """The mean change from one sample to the next."""
    return float(np.abs(np.diff(leads.astype(np.float64), axis=-1)).mean())


def _median_beat(root: Element) -> MedianBeat | None:
    for median in root.iter("MedianSamples"):
        if median.all("WaveformData"):
            try:
                return assemble(_rows(median, median), []).median_beat(_rate(median))
            except UnreadableRecording:
                continue
    return None


def _started_at(root: Element) -> datetime | None:
    time = root.find("ObservationDateTime") or _NOTHING
    parts = [time.number(tag) for tag in ("Year", "Month", "Day", "Hour", "Minute", "Second")]
    if any(part is None for part in parts[:3]):
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    return f.clock(year, month, day, hour, minute, second)


def _person(element: Element | None) -> str:
    return f.full_name(element.word("FamilyName"), element.word("GivenName")) if element is not None else ""


def _identity(root: Element, begins: datetime | None, kind: str) -> RecordingIdentity:
    patient = root.find("PatientInfo") or _NOTHING
    age = patient.find("Age") or _NOTHING
    born = [patient.number("BirthDateTime", tag) for tag in ("Year", "Month", "Day")]
    return f.identity(
        accession_number=root.word("PatientVisit", "OrderNumber"),
        patient_id=patient.word("PID"),
        patient_name=_person(patient.find("Name")),
        sex=f.sex(patient.word("Gender")),
        birth_date=f.iso_date(*(int(part or 0) for part in born)) if None not in born else None,
        age_years=f.age_in_years(as_number(age.text), age.get("units")),
        started_at=begins,
        study_kind=kind,
    )


def _device(root: Element) -> Device:
    said = root.find("ClinicalInfo", "DeviceInfo") or _NOTHING
    visit = root.find("PatientVisit") or _NOTHING
    location = visit.find("AssignedPatientLocation") or _NOTHING
    return Device(
        manufacturer="GE Healthcare",
        model=said.word("Desc")[: f.MAX_WORD],
        software=said.word("SoftwareVer")[: f.MAX_WORD],
        station=location.word("LocationName")[: f.MAX_WORD],
        institution=(visit.word("ServicingFacility", "Name") or location.word("Facility"))[: f.MAX_WORD],
        technician=_person(root.find("ClinicalInfo", "Technician"))[: f.MAX_WORD],
    )


def _filters(root: Element) -> Filters:
    setting = root.find("FilterSetting") or _NOTHING
    mains = next((hz for hz in (50.0, 60.0) if setting.word(f"Filter{hz:.0f}Hz").lower() == "yes"), None)
    return Filters(f.positive(setting.number("HighPass")), f.positive(setting.number("LowPass")), mains)


def _beats(root: Element) -> tuple[Annotation, ...]:
    """The beats that the device found in the strip, each with its class."""
    results = root.find("StripData", "ArrhythmiaResults") or _NOTHING
    classes = [found.text.strip() for found in results.all("BeatClass")]
    marks = []
    for place, time in enumerate(results.all("Time")[: f.MAX_ANNOTATIONS]):
        at = as_number(time.text)
        if at is not None and 0 <= at < 1e9:
            label = classes[place] if place < len(classes) and classes[place] else "QRS"
            marks.append(Annotation(label[:100], at / 1000))
    return tuple(marks)


def _measurements(root: Element) -> dict[str, float]:
    found: dict[str, float] = {}
    for section in root.all("RestingECGMeasurements"):
        for tag, name in _MEASUREMENTS.items():
            f.note(found, name, section.number(tag))
    return found


def _statements(root: Element) -> tuple[str, ...]:
    interpretation = root.find("Interpretation") or _NOTHING
    texts = [" ".join(one.text.split()) for one in interpretation.iter("DiagnosisText", "ConclusionText", "Statement")]
    return tuple(dict.fromkeys(text[:500] for text in texts if text))[: f.MAX_STATEMENTS]
