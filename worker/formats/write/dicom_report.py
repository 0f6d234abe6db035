"""The measurements of an analysis as a DICOM structured report: ECG Report (PS3.16 TID 3700, 3708, 3713 to 3719)

A Comprehensive SR (PS3.3 A.35.3) of the same study that refers to the waveform object. It is a pre-read: the completion
flag is PARTIAL, the verification flag UNVERIFIED, the observer a device, and the first finding says that nobody has
confirmed it.
"""

from typing import Final

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import UID

from ecg_center.contract.findings import Findings
from ecg_center.domain.statements import TERMS
from worker.formats.dicom_tables import OWN_CODES
from worker.formats.write.dicom_header import (
    IMPLEMENTATION_CLASS_UID,
    MEASUREMENTS,
    code,
    decimal,
    header,
    stable_uid,
    text,
)
from worker.leads import NUMBERS
from worker.recording import Recording

COMPREHENSIVE_SR: Final = UID("1.2.840.10008.5.1.4.1.1.88.33")
UNCONFIRMED: Final = "Suggestion of an automatic analysis, not confirmed by a physician"

_ORDER: Final = (
    "heart_rate_bpm", "qt_ms", "pr_ms", "qrs_ms", "rr_mean_ms", "atrial_rate_bpm", "qtc_ms", "p_ms", "p_axis_deg",
    "qrs_axis_deg", "t_axis_deg",
)  # fmt: skip
"""The order of TID 3713."""
_FORMULAS: Final = {
    "bazett": ("122730", "Bazett QT Correction Algorithm"), "hodges": ("122731", "Hodges QT Correction Algorithm"),
    "fridericia": ("122732", "Fridericia QTc Algorithm"), "framingham": ("122733", "Framingham QTc Algorithm"),
}  # fmt: skip
"""PS3.16 CID 3678."""
_GRADES: Final = {
    "normal": ("164854000", "SCT", "Normal"), "abnormal": ("102594003", "SCT", "Abnormal ECG"),
    "major": ("102594003", "SCT", "Abnormal ECG"), "critical": ("102594003", "SCT", "Abnormal ECG"),
}  # fmt: skip
"""PS3.16 CID 3677."""
_ECG_FINDING: Final = ("271921002", "SCT", "ECG Finding")


def report(recording: Recording, waveform: Dataset, findings: Findings) -> Dataset:
    """The report of one waveform object."""
    dataset = header(recording)
    dataset.SOPClassUID = COMPREHENSIVE_SR
    dataset.SOPInstanceUID = stable_uid(recording, f"report/{findings.engine}/{findings.engine_version}")
    dataset.SeriesInstanceUID = stable_uid(recording, "report-series")
    dataset.Modality = "SR"
    dataset.SeriesNumber = 2
    dataset.InstanceNumber = 1
    del dataset.AcquisitionDateTime  # of the waveform, as is its operator
    del dataset.OperatorsName
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = []
    dataset.CompletionFlag = "PARTIAL"
    dataset.VerificationFlag = "UNVERIFIED"
    dataset.CurrentRequestedProcedureEvidenceSequence = [_evidence(waveform)]
    root = container(*_of(codes.LN.ECGReport), template="3700", relationship="")
    for element in root:
        dataset[element.tag] = element
    contents = [*_observer(findings), _acquired(recording, waveform), _measured(findings), _found(findings)]
    dataset.ContentSequence = [*contents, _summary(findings)]
    return dataset


def _of(known: object) -> tuple[str, str, str]:
    """(value, scheme, meaning) of a code that pydicom knows."""
    return known.value, known.scheme_designator, known.meaning  # type: ignore[attr-defined]


def item(kind: str, concept: tuple[str, str, str], relationship: str = "CONTAINS") -> Dataset:
    """One content item (PS3.3 C.17.3)."""
    made = Dataset()
    if relationship:
        made.RelationshipType = relationship
    made.ValueType = kind
    made.ConceptNameCodeSequence = [code(*concept)]
    return made


def container(value: str, scheme: str, meaning: str, template: str = "", relationship: str = "CONTAINS") -> Dataset:
    """A container, of a template where one is named."""
    made = item("CONTAINER", (value, scheme, meaning), relationship)
    made.ContinuityOfContent = "SEPARATE"
    if template:
        named = Dataset()
        named.MappingResource = "DCMR"
        named.TemplateIdentifier = template
        made.ContentTemplateSequence = [named]
    return made


def number(concept: tuple[str, str, str], value: float, unit: str) -> Dataset:
    """A measured number."""
    made = item("NUM", concept)
    measured = Dataset()
    measured.MeasurementUnitsCodeSequence = [code(unit, "UCUM", unit)]
    measured.NumericValue = decimal(value)
    made.MeasuredValueSequence = [measured]
    return made


def words(concept: tuple[str, str, str], value: str, relationship: str = "CONTAINS") -> Dataset:
    """A text."""
    made = item("TEXT", concept, relationship)
    made.TextValue = value
    return made


def coded(concept: tuple[str, str, str], value: tuple[str, str, str], relationship: str = "CONTAINS") -> Dataset:
    """A coded value."""
    made = item("CODE", concept, relationship)
    made.ConceptCodeSequence = [code(*value)]
    return made


def _evidence(waveform: Dataset) -> Dataset:
    instance = Dataset()
    instance.ReferencedSOPClassUID = waveform.SOPClassUID
    instance.ReferencedSOPInstanceUID = waveform.SOPInstanceUID
    series = Dataset()
    series.SeriesInstanceUID = waveform.SeriesInstanceUID
    series.ReferencedSOPSequence = [instance]
    study = Dataset()
    study.StudyInstanceUID = waveform.StudyInstanceUID
    study.ReferencedSeriesSequence = [series]
    return study


def _observer(findings: Findings) -> list[Dataset]:
    """Language, and that a device has observed (TID 1204, 1002, 1004)."""
    language = coded(
        _of(codes.DCM.LanguageOfContentItemAndDescendants), ("en", "RFC5646", "English"), "HAS CONCEPT MOD"
    )
    kind = coded(_of(codes.DCM.ObserverType), _of(codes.DCM.Device), "HAS OBS CONTEXT")
    uid = item("UIDREF", _of(codes.DCM.DeviceObserverUID), "HAS OBS CONTEXT")
    uid.UID = IMPLEMENTATION_CLASS_UID
    name = words(_of(codes.DCM.DeviceObserverName), text(findings.engine, 64), "HAS OBS CONTEXT")
    return [language, kind, uid, name]


def _acquired(recording: Recording, waveform: Dataset) -> Dataset:
    """When and with what the waveform was acquired (TID 3708)."""
    made = container(*_of(codes.LN.CurrentProcedureDescriptions), template="3708")
    inside = []
    if recording.started_at is not None:
        when = item("DATETIME", _of(codes.DCM.ProcedureDatetime))
        when.DateTime = waveform.AcquisitionDateTime
        inside.append(when)
    source = item("WAVEFORM", _of(codes.DCM.SourceOfMeasurement))
    instance = Dataset()
    instance.ReferencedSOPClassUID = waveform.SOPClassUID
    instance.ReferencedSOPInstanceUID = waveform.SOPInstanceUID
    source.ReferencedSOPSequence = [instance]
    inside.append(source)
    if model := f"{recording.device.manufacturer} {recording.device.model}".strip():
        inside.append(words(_of(codes.DCM.AcquisitionDeviceType), model))
    if recording.device.serial:
        inside.append(words(("122143", "DCM", "Acquisition Device ID"), recording.device.serial))
    made.ContentSequence = inside
    return made


def _measured(findings: Findings) -> Dataset:
    """Global and lead measurements (TID 3713, 3714)."""
    measured = findings.measurements
    overall = container("122158", "DCM", "ECG Global Measurements", template="3713")
    inside = []
    for name in _ORDER:
        value = getattr(measured, name)
        if value is None:
            continue
        mdc, meaning, unit = MEASUREMENTS[name]
        made = number((mdc, "MDC", meaning), value, "{H.B.}/min" if unit == "/min" else unit)
        if name == "qtc_ms" and measured.qtc_formula is not None:
            value_code, algorithm = _FORMULAS[measured.qtc_formula]
            concept = _of(codes.DCM.AlgorithmName)
            made.ContentSequence = [coded(concept, (value_code, "DCM", algorithm), "HAS PROPERTIES")]
        inside.append(made)
    for name, meaning in (("rv5_mv", "R amplitude in V5"), ("sv1_mv", "S amplitude in V1")):
        if (value := getattr(measured, name)) is not None:
            inside.append(number((name.upper()[:16], OWN_CODES, meaning), value, "mV"))
    overall.ContentSequence = inside
    made = container(*_of(codes.DCM.QuantitativeAnalysis))
    made.ContentSequence = [overall, *(_lead(lead, level) for lead, level in measured.st_j_mv.items())]
    return made


def _lead(lead: str, st_j_mv: float) -> Dataset:
    made = container("122159", "DCM", "ECG Lead Measurements", template="3714")
    known = next((n for n, name in NUMBERS.items() if name == lead), None)
    value = (f"2:{known}", "MDC", f"Lead {lead}") if known is not None else (lead[:16], OWN_CODES, lead)
    made.ContentSequence = [
        coded(("122148", "DCM", "Lead ID"), value, "HAS CONCEPT MOD"),
        number(("2:1024", "MDC", "J point Amplitude, per lead"), st_j_mv, "mV"),
    ]
    return made


def _found(findings: Findings) -> Dataset:
    """What was found, in words (TID 3717); first that nobody has confirmed it."""
    made = container(*_of(codes.DCM.QualitativeAnalysis), template="3717")
    inside = [words(_ECG_FINDING, UNCONFIRMED)]
    for statement in findings.statements:
        term = TERMS.get(statement.code)
        said = term.en if term is not None else statement.code
        sure = "" if statement.certainty == "definite" else f" ({statement.certainty})"
        inside.append(words(_ECG_FINDING, f"{said}{sure}"))
    inside += [words(_ECG_FINDING, f"Critical value: {value.title_en}") for value in findings.critical]
    made.ContentSequence = inside
    return made


def _summary(findings: Findings) -> Dataset:
    made = container(*_of(codes.LN.Summary), template="3719")
    made.ContentSequence = [
        words(_of(codes.LN.Summary), UNCONFIRMED),
        coded(("18810-2", "LN", "ECG overall finding"), _GRADES[findings.grade]),
    ]
    return made
