"""What do a DICOM waveform and the report on it share? Patient, study, equipment and the forms of their values.

Patient, General Study and General Equipment modules (PS3.3 C.7.1.1, C.7.2.1, C.7.5.1), values as in PS3.5 6.2.
"""

import re
from datetime import datetime
from io import BytesIO
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from worker.recording import Recording

IMPLEMENTATION_CLASS_UID: Final = UID("2.25.210553406170428302414210951424302161473")
"""A UUID of our own under the 2.25 arc (PS3.5 B.2)."""

MEASUREMENTS: Final = {
    "rr_mean_ms": ("2:16168", "RR interval global", "ms"), "p_ms": ("2:16184", "P duration global", "ms"),
    "pr_ms": ("2:15872", "PR interval global", "ms"), "qrs_ms": ("2:16156", "QRS duration global", "ms"),
    "qt_ms": ("2:16160", "QT interval global", "ms"), "qtc_ms": ("2:15876", "QTc interval global", "ms"),
    "p_axis_deg": ("2:16128", "P axis", "deg"), "qrs_axis_deg": ("2:16132", "QRS axis", "deg"),
    "t_axis_deg": ("2:16136", "T axis", "deg"), "heart_rate_bpm": ("2:16016", "Ventricular heart rate", "/min"),
    "atrial_rate_bpm": ("2:16020", "Atrial rate", "/min"),
}  # fmt: skip
"""Our name: MDC code, its meaning and UCUM unit (PS3.16 CID 3228, 3229, TID 3713)."""
_HAN: Final = re.compile("[\u3400-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\\]")


def header(recording: Recording) -> Dataset:
    """Patient, study, times and equipment, for the waveform and the report alike."""
    who, device = recording.identity, recording.device
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName = person_name(who.patient_name or "")
    dataset.PatientID = text(who.patient_id or "", 64)
    dataset.PatientBirthDate = (who.birth_date or "").replace("-", "")
    dataset.PatientSex = who.sex or ""
    if who.age_years is not None and who.age_years >= 1:
        dataset.PatientAge = f"{int(who.age_years):03d}Y"
    dataset.StudyInstanceUID = stable_uid(recording, "study")
    dataset.StudyID = ""
    dataset.AccessionNumber = text(who.accession_number or "", 16)
    dataset.ReferringPhysicianName = ""
    _times(dataset, recording.started_at)
    dataset.Manufacturer = text(device.manufacturer, 64)
    dataset.ManufacturerModelName = text(device.model, 64)
    dataset.DeviceSerialNumber = text(device.serial, 64)
    dataset.SoftwareVersions = text(device.software, 64)
    dataset.StationName = text(device.station, 16)
    dataset.InstitutionName = text(device.institution, 64)
    dataset.OperatorsName = person_name(device.technician)
    return dataset


def _times(dataset: Dataset, started_at: datetime | None) -> None:
    """Where the device's file has no time, the times are empty: none is made up."""
    day = started_at.strftime("%Y%m%d") if started_at else ""
    time = started_at.strftime("%H%M%S.%f") if started_at else ""
    dataset.StudyDate = dataset.ContentDate = day
    dataset.StudyTime = dataset.ContentTime = time
    dataset.AcquisitionDateTime = day + time + (started_at.strftime("%z")[:5] if started_at else "")
    if started_at:
        dataset.TimezoneOffsetFromUTC = started_at.strftime("%z")[:5]


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """A code sequence item (PS3.3 section 8)."""
    item = Dataset()
    item.CodeValue = value[:16]
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = text(meaning, 64) or "?"
    return item


def text(words: str, longest: int) -> str:
    """Words that a short or long string can hold: no control character, no backslash, cut."""
    return _CONTROL.sub(" ", words).strip()[:longest]


def person_name(name: str) -> str:
    """A person name (PS3.5 6.2.1): Chinese in the ideographic group, all of it as the family name."""
    plain = re.sub(r"[\^=\\\x00-\x1f\x7f]", " ", name).strip()[:64]
    return f"={plain}" if _HAN.search(plain) else plain


def decimal(number: float) -> str:
    """A decimal string of at most 16 characters."""
    return str(format_number_as_ds(float(number) + 0.0))  # no negative zero


def stable_uid(recording: Recording, part: str) -> UID:
    """The same for the same recording: a repeated conversion is no second object."""
    start = recording.started_at.isoformat() if recording.started_at else ""
    name = f"ecg-center/{part}/{recording.signal_sha256}/{start}/{recording.identity.patient_id}"
    return UID(f"2.25.{uuid5(NAMESPACE_OID, name).int}")


def encoded(dataset: Dataset) -> bytes:
    """The object as a file (PS3.10)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = "ECG-CENTER"
    dataset.file_meta = meta
    out = BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()
