"""Who, with what, and what did the device find? The words of a Philips Sierra XML file.

Elements as in the schemas 1.03 (``interpretationmeasurements``, ``globalmeasurements``) and 1.04
(``globalmeasurements`` of the interpretation, ``crossleadmeasurements``). Words such as Failed stand for no value.
"""

from datetime import datetime
from typing import Final

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.formats.xml_reader import Element, as_number
from worker.recording import Annotation, Device

_NOTHING: Final = Element("", {})
_MEASUREMENTS: Final = {
    "heartrate": "heart_rate_bpm", "atrialrate": "atrial_rate_bpm", "rrint": "rr_mean_ms", "pdur": "p_ms",
    "print": "pr_ms", "meanprint": "pr_ms", "qrsdur": "qrs_ms", "meanqrsdur": "qrs_ms", "qtint": "qt_ms",
    "meanqtint": "qt_ms", "qtcb": "qtc_ms", "meanqtc": "qtc_ms", "qtcf": "qtc_fridericia_ms",
    "pfrontaxis": "p_axis_deg", "qrsfrontaxis": "qrs_axis_deg", "tfrontaxis": "t_axis_deg",
    "meanventrate": "heart_rate_bpm",
}  # fmt: skip
_FIDUCIALS: Final = {
    "pon": "P onset", "poff": "P offset", "qrson": "QRS onset", "qrsoff": "QRS offset",
    "ton": "T onset", "toff": "T offset",
}  # fmt: skip


def started_at(root: Element) -> datetime | None:
    """When the recording began: date and time are attributes of ``dataacquisition``."""
    acquisition = root.find("dataacquisition") or _NOTHING
    return f.instant(f"{acquisition.get('date')} {acquisition.get('time')}") or f.instant(acquisition.get("date"))


def identity(root: Element, begins: datetime | None) -> RecordingIdentity:
    """The patient as the device has him."""
    patient = root.find("patient", "generalpatientdata") or _NOTHING
    age = patient.find("age") or _NOTHING
    years = next(
        (
            found
            for unit in ("years", "months", "weeks", "days", "hours")
            if (found := f.age_in_years(age.number(unit), unit))
        ),
        None,
    )
    given = f"{patient.word('name', 'firstname')} {patient.word('name', 'middlename')}"
    return f.identity(
        accession_number=root.word("orderinfo", "ordernumber") or root.word("orderinfo", "uniqueorderid"),
        patient_id=patient.word("patientid") or patient.word("uniquepatientid") or patient.word("MRN"),
        patient_name=f.full_name(patient.word("name", "lastname"), given),
        sex=f.sex(patient.word("sex")),
        birth_date=f.birth_date(age.word("dateofbirth")),
        age_years=years,
        started_at=begins,
        study_kind="resting",
    )


def device(root: Element) -> Device:
    """The cardiograph and who stood beside it."""
    machine = root.find("dataacquisition", "machine") or _NOTHING
    acquirer = root.find("dataacquisition", "acquirer") or _NOTHING
    operator = acquirer.find("operator") or _NOTHING
    return Device(
        manufacturer="Philips",
        model=" ".join(machine.text.split())[: f.MAX_WORD],
        serial=machine.get("machineid")[: f.MAX_WORD],
        software=machine.get("detaildescription")[: f.MAX_WORD],
        station=(acquirer.word("departmentname") or acquirer.word("departmentid"))[: f.MAX_WORD],
        institution=(acquirer.word("institutionname") or acquirer.word("facilityname"))[: f.MAX_WORD],
        technician=(operator.text.strip() or operator.get("id") or acquirer.word("operatorid"))[: f.MAX_WORD],
    )


def measurements(root: Element) -> dict[str, float]:
    """The interpretation's measurements first, those over all leads where it has none."""
    found: dict[str, float] = {}
    for interpretation in root.iter("interpretation"):
        for section in interpretation.iter("interpretationmeasurements", "globalmeasurements"):
            _gather(section, found)
    for section in root.iter("globalmeasurements", "crossleadmeasurements"):
        _gather(section, found)
    return found


def _gather(section: Element, found: dict[str, float]) -> None:
    for child in section.children:
        if name := _MEASUREMENTS.get(child.tag):
            f.note(found, name, as_number(child.text))


def statements(root: Element) -> tuple[str, ...]:
    """Each statement with its reason, then the overall judgement."""
    interpretation = root.find("interpretations", "interpretation") or _NOTHING
    lines = [
        ": ".join(filter(None, (statement.word("leftstatement"), statement.word("rightstatement"))))
        for statement in interpretation.all("statement")
    ]
    lines.append(interpretation.word("severity").strip("- "))
    return tuple(line[:500] for line in lines if line)[: f.MAX_STATEMENTS]


def marks(root: Element) -> tuple[Annotation, ...]:
    """Pacing pulses, the limits of the beat that was measured, and annotations; their times are milliseconds."""
    found: list[Annotation] = []
    for section in root.iter("globalmeasurements", "crossleadmeasurements"):
        for child in section.children:
            if child.tag in _FIDUCIALS:
                found += _mark(_FIDUCIALS[child.tag], child.text, "")
            elif child.tag == "pacepulses":
                for pulse in child.all("pacepulse"):
                    found += _mark("pacing pulse", pulse.get("starttime"), pulse.get("duration"))
    waveforms = root.find("waveforms") or _NOTHING
    for annotations in waveforms.all("annotations"):
        for annotation in annotations.all("annotation")[: f.MAX_ANNOTATIONS]:
            label = " ".join(filter(None, (annotation.word("label"), annotation.word("leadname"))))
            found += _mark(label[:100], annotation.word("time"), "")
    return tuple(found[: f.MAX_ANNOTATIONS])


def _mark(label: str, time_ms: str, lasts_ms: str) -> list[Annotation]:
    time, lasts = as_number(time_ms), as_number(lasts_ms)
    if time is None or not 0 <= time < 1e9:
        return []
    return [Annotation(label, time / 1000, (time + lasts) / 1000 if lasts and 0 < lasts < 1e6 else None)]
