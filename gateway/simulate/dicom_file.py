"""How does a recorder write its 12 leads as a DICOM object?

12-lead ECG Waveform Storage (PS3.3 A.34.3) with one multiplex group of ten seconds: channel sources by CID 3001 (in
SCP-ECG codes, as most recorders in the field still write, or in MDC codes), sensitivities in µV (UCUM), filters, and
the recorder's own measurements as annotations. Recordings too long for that class (more than 16 384 samples) become
General ECG Waveform Storage (A.34.4).

It says in five places that nobody was recorded: manufacturer, Quality Control Subject (0010,0200), patient comments,
study description and an annotation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Final, Literal
from uuid import NAMESPACE_OID, UUID, uuid5

from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    GeneralECGWaveformStorage,
    TwelveLeadECGWaveformStorage,
)

from gateway.simulate.generator import SimulatedEcg, Truth
from gateway.simulate.leads import LEADS
from gateway.simulate.patients import MARK_EN, MARK_ZH, DemoPerson, age_years

MANUFACTURER: Final = "ECG-CENTER SIMULATOR"
MODEL: Final = "Simulated 12-lead recorder"
IMPLEMENTATION_CLASS_UID: Final = UID("2.25.156210742914790221683201931424302161473")
"""A UUID of our own under the 2.25 arc (PS3.5 B.2)."""

MAX_12_LEAD_SAMPLES: Final = 16_384
"""PS3.3 A.34.3.4.4."""
MAX_HZ: Final = 1000
"""PS3.3 A.34.3.4.5: 200 to 1000 Hz."""

Coding = Literal["SCPECG", "MDC"]

SCPECG_LEADS: Final = {
    "I": "5.6.3-9-1", "II": "5.6.3-9-2", "V1": "5.6.3-9-3", "V2": "5.6.3-9-4", "V3": "5.6.3-9-5", "V4": "5.6.3-9-6",
    "V5": "5.6.3-9-7", "V6": "5.6.3-9-8", "III": "5.6.3-9-61", "aVR": "5.6.3-9-62", "aVL": "5.6.3-9-63",
    "aVF": "5.6.3-9-64",
}  # fmt: skip
"""PS3.16 CID 3001 as in the 1999 to 2008 editions, from EN 1064 section 5.6.3."""

MDC_LEADS: Final = {
    "I": "2:1", "II": "2:2", "V1": "2:3", "V2": "2:4", "V3": "2:5", "V4": "2:6", "V5": "2:7", "V6": "2:8",
    "III": "2:61", "aVR": "2:62", "aVL": "2:63", "aVF": "2:64",
}  # fmt: skip
"""PS3.16 CID 3001 today, from ISO/IEEE 11073-10101."""

MEASUREMENTS: Final = (
    ("5.10.2.1-3", "RR Interval", "rr_mean_ms"),
    ("5.13.5-7", "PR Interval", "pr_ms"),
    ("5.13.5-9", "QRS Duration", "qrs_ms"),
    ("5.13.5-11", "QT Interval", "qt_ms"),
)
"""Code, meaning and the truth that the simulated recorder prints (PS3.16 CID 3687 in its SCP-ECG codes)."""


@dataclass(frozen=True, slots=True)
class WorklistOrder:
    """What a recorder keeps of one entry of the Modality Worklist."""

    accession_number: str
    study_instance_uid: str
    patient_id: str
    patient_name: str
    """As the worklist wrote it, all component groups (PS3.5 section 6.2.1.1)."""
    sex: Literal["M", "F", "O"] | None = None
    birth_date: date | None = None
    requested_procedure_id: str = ""
    scheduled_step_id: str = ""
    procedure: str = ""
    urgent: bool = False
    """Requested Procedure Priority (0040,1003) STAT or HIGH."""
    reason: str = ""
    """Reason for the Requested Procedure (0040,1002)."""


@dataclass(frozen=True, slots=True)
class DicomFile:
    """One object as a DICOM file (PS3.10), and its identity."""

    content: bytes
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str


def write_dicom(
    ecg: SimulatedEcg,
    person: DemoPerson,
    recorded_at: datetime,
    *,
    device: str = "SIMULATOR",
    institution: str = "DEMO CLINIC",
    order: WorklistOrder | None = None,
    coding: Coding = "SCPECG",
    study_instance_uid: str | None = None,
) -> DicomFile:
    """The recording as a DICOM file; the same arguments give the same bytes.

    Args:
        ecg: what was recorded.
        person: whose name it carries when there is no order.
        recorded_at: start of the recording with its time zone.
        device: station name (0008,1010) and part of the object's identity, at most 16 characters.
        institution: the clinic (0008,0080).
        order: the worklist entry that is answered; its patient, accession number and study win.
        coding: scheme of the channel codes.
        study_instance_uid: only where there is no order: for several objects of one study.

    Raises:
        ValueError: where the standard forbids it (sampling rate, time without zone).
    """
    if recorded_at.tzinfo is None:
        raise ValueError("recorded_at carries its time zone")
    if ecg.sampling_hz > MAX_HZ:
        raise ValueError(f"a DICOM ECG has at most {MAX_HZ} Hz (PS3.3 A.34.3.4.5), not {ecg.sampling_hz}")
    identity = f"{ecg.pathology}/{ecg.seed}/{ecg.sampling_hz}/{recorded_at.isoformat()}/{device}/{person.patient_id}"
    dataset = Dataset()
    long = ecg.samples_uv.shape[1] > MAX_12_LEAD_SAMPLES
    dataset.SOPClassUID = GeneralECGWaveformStorage if long else TwelveLeadECGWaveformStorage
    dataset.SOPInstanceUID = stable_uid(f"instance/{identity}")
    dataset.SeriesInstanceUID = stable_uid(f"series/{identity}")
    dataset.StudyInstanceUID = study_instance_uid or stable_uid(f"study/{identity}")
    dataset.SpecificCharacterSet = "ISO_IR 192"
    _write_patient(dataset, person, recorded_at.date(), ecg)
    _write_times(dataset, recorded_at)
    _write_equipment(dataset, device, institution)
    if order is not None:
        _write_order(dataset, order, recorded_at.date())
    dataset.AcquisitionContextSequence = [_electrode_placement()]
    dataset.WaveformSequence = [_rhythm_group(ecg, coding)]
    dataset.WaveformAnnotationSequence = _annotations(ecg.truth)
    return DicomFile(
        _encoded(dataset),
        str(dataset.SOPClassUID),
        str(dataset.SOPInstanceUID),
        str(dataset.StudyInstanceUID),
    )


def stable_uid(name: str) -> str:
    """A UID that is the same for the same name: a name-based UUID under 2.25 (PS3.5 B.2)."""
    namespace: UUID = uuid5(NAMESPACE_OID, IMPLEMENTATION_CLASS_UID)
    return f"2.25.{uuid5(namespace, name).int}"


def _write_patient(dataset: Dataset, person: DemoPerson, day: date, ecg: SimulatedEcg) -> None:
    dataset.PatientName = f"{person.name_latin}={person.name_zh}"
    dataset.PatientID = person.patient_id
    dataset.PatientBirthDate = person.birth_date.strftime("%Y%m%d")
    dataset.PatientSex = person.sex
    dataset.PatientAge = f"{person.age_on(day):03d}Y"
    dataset.QualityControlSubject = "YES"
    dataset.PatientComments = f"{MARK_EN} / {MARK_ZH}"
    dataset.StudyDescription = f"{MARK_EN}: {ecg.pathology}"


def _write_times(dataset: Dataset, recorded_at: datetime) -> None:
    day, time = recorded_at.strftime("%Y%m%d"), recorded_at.strftime("%H%M%S.%f")
    dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = day
    dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = time
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = day, time
    dataset.AcquisitionDateTime = recorded_at.strftime("%Y%m%d%H%M%S.%f%z")
    dataset.TimezoneOffsetFromUTC = recorded_at.strftime("%z")


def _write_equipment(dataset: Dataset, device: str, institution: str) -> None:
    dataset.Modality = "ECG"
    dataset.Manufacturer = MANUFACTURER
    dataset.ManufacturerModelName = MODEL
    dataset.DeviceSerialNumber = f"SIM-{device}"
    dataset.SoftwareVersions = "1"
    dataset.InstitutionName = institution
    dataset.StationName = device[:16]
    dataset.ReferringPhysicianName = ""
    dataset.AccessionNumber = ""
    dataset.StudyID = ""
    dataset.SeriesNumber = dataset.InstanceNumber = "1"


def _write_order(dataset: Dataset, order: WorklistOrder, day: date) -> None:
    """The patient and the request as the worklist named them (IHE Scheduled Workflow: copied, not typed)."""
    dataset.StudyInstanceUID = order.study_instance_uid
    dataset.AccessionNumber = order.accession_number
    dataset.StudyID = order.requested_procedure_id or order.accession_number
    dataset.PatientID = order.patient_id
    dataset.PatientName = order.patient_name
    dataset.PatientSex = order.sex or ""
    dataset.PatientBirthDate = order.birth_date.strftime("%Y%m%d") if order.birth_date else ""
    if order.birth_date:
        dataset.PatientAge = f"{age_years(order.birth_date, day):03d}Y"
    else:
        del dataset.PatientAge
    request = Dataset()
    request.RequestedProcedureID = order.requested_procedure_id
    request.RequestedProcedureDescription = order.procedure
    request.ScheduledProcedureStepID = order.scheduled_step_id
    request.ScheduledProcedureStepDescription = order.procedure
    dataset.RequestAttributesSequence = [request]


def _rhythm_group(ecg: SimulatedEcg, coding: Coding) -> Dataset:
    group = Dataset()
    group.MultiplexGroupTimeOffset = "0"
    group.WaveformOriginality = "ORIGINAL"
    group.NumberOfWaveformChannels = len(LEADS)
    group.NumberOfWaveformSamples = int(ecg.samples_uv.shape[1])
    group.SamplingFrequency = str(ecg.sampling_hz)
    group.MultiplexGroupLabel = "RHYTHM"
    group.ChannelDefinitionSequence = [_channel(name, coding) for name in LEADS]
    group.WaveformBitsAllocated = 16
    group.WaveformSampleInterpretation = "SS"
    # channels interleaved: all leads of one instant, then the next instant (PS3.3 C.10.9.1.6)
    group.WaveformData = ecg.samples_uv.T.astype("<i2").tobytes()
    return group


def _channel(name: str, coding: Coding) -> Dataset:
    channel = Dataset()
    channel.ChannelLabel = name
    scpecg = coding == "SCPECG"
    meaning = name if name.startswith("aV") else f"Lead {name}"
    source = _code(SCPECG_LEADS[name], "SCPECG", meaning, "1.3") if scpecg else _code(MDC_LEADS[name], "MDC", meaning)
    channel.ChannelSourceSequence = [source]
    channel.ChannelSensitivity = "1"
    channel.ChannelSensitivityUnitsSequence = [_code("uV", "UCUM", "microvolt", "1.4")]
    channel.ChannelSensitivityCorrectionFactor = "1"
    channel.ChannelBaseline = "0"
    channel.ChannelSampleSkew = "0"
    channel.WaveformBitsStored = 16
    channel.FilterLowFrequency = "0.05"
    channel.FilterHighFrequency = "150"
    return channel


def _electrode_placement() -> Dataset:
    item = Dataset()
    item.ValueType = "CODE"
    item.ConceptNameCodeSequence = [_code("5.4.5-33-1", "SCPECG", "Electrode Placement", "1.3")]
    meaning = "Standard 12-lead positions: limb leads placed at extremities"
    item.ConceptCodeSequence = [_code("5.4.5-33-1-1", "SCPECG", meaning, "1.3")]
    return item


def _annotations(truth: Truth) -> list[Dataset]:
    notes = [_annotation(0)]
    notes[0].UnformattedTextValue = f"{MARK_EN} / {MARK_ZH}"
    for code, meaning, quantity in MEASUREMENTS:
        value = getattr(truth, quantity)
        if value is not None:
            note = _annotation(1)
            note.ConceptNameCodeSequence = [_code(code, "SCPECG", meaning, "1.3")]
            note.MeasurementUnitsCodeSequence = [_code("ms", "UCUM", "milliseconds", "1.4")]
            note.NumericValue = str(round(value))
            notes.append(note)
    return notes


def _annotation(group: int) -> Dataset:
    note = Dataset()
    note.ReferencedWaveformChannels = [1, 0]
    note.AnnotationGroupNumber = group
    return note


def _code(value: str, scheme: str, meaning: str, version: str | None = None) -> Dataset:
    code = Dataset()
    code.CodeValue = value
    code.CodingSchemeDesignator = scheme
    if version is not None:
        code.CodingSchemeVersion = version
    code.CodeMeaning = meaning
    return code


def _encoded(dataset: Dataset) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    meta.ImplementationVersionName = "ECGCENTERSIM"
    dataset.file_meta = meta
    with BytesIO() as buffer:
        dcmwrite(buffer, dataset, enforce_file_format=True)
        return buffer.getvalue()


__all__: Sequence[str] = ["DicomFile", "WorklistOrder", "stable_uid", "write_dicom"]
