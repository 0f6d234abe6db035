"""GE MUSE XML, versions 7 to 9: which of its waveforms is the recording, and what do its base64 words mean?

There is no public standard; the layout is that of GE's ``restecg.dtd`` (MUSE XML Developer's and Interface Guide):
``RestingECG / Waveform / LeadData / WaveFormData`` holds little-endian 16-bit samples, eight leads at 500 or 250 Hz,
once as ``Rhythm`` and once as ``Median``. Sampling rate is SampleBase × 10^SampleExponent, a step is
LeadAmplitudeUnitsPerBit. LeadDataCRC32 is the CRC-32 of the decoded bytes (found on real files) and is checked.
III, aVR, aVL and aVF are not stored and are derived.
"""

import base64
import binascii
import re
import zlib
from datetime import datetime
from typing import Final

import numpy as np

from ecg_center.contract.upload import RecordingIdentity
from worker.formats import fields as f
from worker.formats import xml_reader
from worker.formats.errors import DamagedRecording, NoWaveform, UnreadableRecording, UnsupportedRecording
from worker.formats.rows import Block, Row, assemble, checked_rate
from worker.formats.xml_reader import Element
from worker.leads import standard_name
from worker.recording import Annotation, Device, Filters, MedianBeat, Recording

NAME: Final = "muse"
MAX_LEAD_DATA: Final = 128

_UNITS: Final = {"MICROVOLTS": 1.0, "UV": 1.0, "": 1.0, "MILLIVOLTS": 1e3, "MV": 1e3, "NANOVOLTS": 1e-3}
_MEASUREMENTS: Final = {
    "VentricularRate": "heart_rate_bpm", "AtrialRate": "atrial_rate_bpm", "PRInterval": "pr_ms",
    "QRSDuration": "qrs_ms", "QTInterval": "qt_ms", "QTCorrected": "qtc_ms", "QTcFrederica": "qtc_fridericia_ms",
    "PAxis": "p_axis_deg", "RAxis": "qrs_axis_deg", "TAxis": "t_axis_deg",
}  # fmt: skip
_US_DATE: Final = re.compile(r"^(\d{1,2})[-/](\d{1,2})[-/](\d{4})$")
_CLOCK: Final = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?$")


def recognises(data: bytes) -> bool:
    """Whether the root element is MUSE's ``RestingECG``."""
    return xml_reader.root_name(data)[0] == "RestingECG"


def read(data: bytes) -> Recording:
    """The recording of one MUSE XML file.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    document = xml_reader.parse(data)
    root, warnings = document.root, document.warnings
    rhythm, median = _waveforms(root, warnings)
    rate = _rate(rhythm)
    block = _block(rhythm, warnings)
    beat = _median_beat(median, warnings)
    recording = Recording(
        format=NAME,
        kind="resting",
        leads=block.leads,
        digital=block.digital,
        uv_per_lsb=block.uv_per_lsb,
        baseline=block.baseline,
        sampling_hz=rate,
        started_at=_started_at(root),
        identity=_identity(root),
        device=_device(root),
        filters=_filters(rhythm),
        gaps=block.gaps,
        annotations=_beats(root),
        median_beat=beat,
        device_measurements=_measurements(root),
        device_statements=_statements(root),
        warnings=tuple(warnings),
    )
    return recording.with_derived_leads()


def _waveforms(root: Element, warnings: list[str]) -> tuple[Element, Element | None]:
    """The rhythm and the median waveform."""
    waveforms = [waveform for waveform in root.all("Waveform") if waveform.all("LeadData")]
    if not waveforms:
        raise NoWaveform("the MUSE file holds no waveform; export it again with waveforms included")
    medians = [waveform for waveform in waveforms if waveform.word("WaveformType").upper().startswith("MEDIAN")]
    rhythms = [waveform for waveform in waveforms if waveform not in medians]
    if not rhythms:
        raise NoWaveform("the MUSE file holds a median beat alone, without the recording it was made of")
    if len(rhythms) > 1:
        warnings.append(f"only the first of {len(rhythms)} rhythm waveforms was read")
    return rhythms[0], medians[0] if medians else None


def _rate(waveform: Element) -> float:
    base, exponent = waveform.number("SampleBase"), waveform.number("SampleExponent") or 0.0
    return checked_rate(base * 10.0 ** max(-9.0, min(exponent, 9.0)) if base is not None else None)


def _block(waveform: Element, warnings: list[str]) -> Block:
    rows = [_row(lead, warnings) for lead in waveform.all("LeadData")[:MAX_LEAD_DATA]]
    return assemble(rows, warnings)


def _median_beat(median: Element | None, warnings: list[str]) -> MedianBeat | None:
    """The median beat; a damaged one is left out, as the recording beside it is sound."""
    if median is None:
        return None
    try:
        return _block(median, []).median_beat(_rate(median))
    except UnreadableRecording as error:
        warnings.append(f"the median beat was left out: {error}")
        return None


def _row(lead: Element, warnings: list[str]) -> Row:
    name = standard_name(lead.word("LeadID"))
    size = lead.number("LeadSampleSize")
    if size not in (None, 2.0):
        raise UnsupportedRecording(f"lead {name} has samples of {size:g} bytes; MUSE files in the field have 2")
    unit = lead.word("LeadAmplitudeUnits").upper()
    if unit not in _UNITS:
        raise UnsupportedRecording(f"lead {name} is measured in {unit[:32]!r}, not in volts")
    step = lead.number("LeadAmplitudeUnitsPerBit")
    if step is None:
        raise DamagedRecording(f"lead {name} does not say how large a step is")
    text = lead.find("WaveFormData")
    try:
        packed = "".join(text.text.split()) if text is not None else ""
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise DamagedRecording(f"the base64 text of lead {name} is damaged; export the recording again") from None
    samples = np.frombuffer(raw, "<i2", len(raw) // 2)
    claimed = lead.number("LeadSampleCountTotal")
    if claimed is not None and claimed != samples.size:
        warnings.append(f"lead {name} claims {claimed:g} samples and holds {samples.size}")
    checksum = lead.word("LeadDataCRC32")
    if checksum.isdecimal() and len(checksum) <= 10 and int(checksum) not in (0, zlib.crc32(raw)):
        warnings.append(f"the checksum of lead {name} does not fit its samples; they may have been changed")
    if lead.word("LeadOff").upper() == "TRUE":
        warnings.append(f"the device reports that the electrode of lead {name} was off")
    offset = lead.number("LeadOffsetFirstSample") or 0.0
    return Row(name, samples, step * _UNITS[unit], start=int(offset) if 0 < offset < 1e6 else 0)


def _started_at(root: Element) -> datetime | None:
    test = root.find("TestDemographics")
    if test is None:
        return None
    date, time = _US_DATE.match(test.word("AcquisitionDate")), _CLOCK.match(test.word("AcquisitionTime"))
    if date is None:
        return f.instant(f"{test.word('AcquisitionDate')} {test.word('AcquisitionTime')}")
    month, day = _month_and_day(date)
    hour, minute, second = (int(number or 0) for number in time.groups()) if time else (0, 0, 0)
    return f.clock(int(date[3]), month, day, hour, minute, second)


def _month_and_day(date: re.Match[str]) -> tuple[int, int]:
    """MUSE writes month-day-year; a month above twelve shows a site that writes the day first."""
    month, day = int(date[1]), int(date[2])
    return (day, month) if month > 12 else (month, day)


def _identity(root: Element) -> RecordingIdentity:
    patient = root.find("PatientDemographics") or Element("", {})
    born = _US_DATE.match(patient.word("DateofBirth"))
    birth = f.iso_date(int(born[3]), *_month_and_day(born)) if born else f.birth_date(patient.word("DateofBirth"))
    return f.identity(
        accession_number=root.word("Order", "OrderNumber") or root.word("TestDemographics", "OrderNumber"),
        patient_id=patient.word("PatientID"),
        patient_name=f.full_name(patient.word("PatientLastName"), patient.word("PatientFirstName")),
        sex=f.sex(patient.word("Gender")),
        birth_date=birth,
        age_years=f.age_in_years(patient.number("PatientAge"), patient.word("AgeUnits")),
        started_at=_started_at(root),
        study_kind="resting",
    )


def _device(root: Element) -> Device:
    test = root.find("TestDemographics") or Element("", {})
    return Device(
        manufacturer="GE Healthcare",
        model=test.word("AcquisitionDevice")[: f.MAX_WORD],
        serial=root.word("PharmaData", "PharmaCartID")[: f.MAX_WORD],
        software=test.word("AcquisitionSoftwareVersion")[: f.MAX_WORD],
        station=test.word("CartNumber")[: f.MAX_WORD],
        institution=test.word("SiteName")[: f.MAX_WORD],
        technician=f.full_name(test.word("AcquisitionTechLastName"), test.word("AcquisitionTechFirstName"))[
            : f.MAX_WORD
        ],
    )


def _filters(waveform: Element) -> Filters:
    """HighPassFilter is written in hundredths of a hertz (16 is 0.16 Hz), LowPassFilter in hertz."""
    highpass = f.positive(waveform.number("HighPassFilter"))
    return Filters(
        highpass / 100 if highpass is not None else None,
        f.positive(waveform.number("LowPassFilter")),
        f.positive(waveform.number("ACFilter")),
    )


def _beats(root: Element) -> tuple[Annotation, ...]:
    """The QRS complexes that the device found; their times are milliseconds from the start."""
    marks = []
    for beat in (root.find("QRSTimesTypes") or Element("", {})).all("QRS")[: f.MAX_ANNOTATIONS]:
        time = beat.number("Time")
        if time is not None and 0 <= time < 1e9:
            marks.append(Annotation(f"QRS type {beat.word('Type')}".strip(), time / 1000))
    return tuple(marks)


def _measurements(root: Element) -> dict[str, float]:
    found: dict[str, float] = {}
    for section in ("RestingECGMeasurements", "OriginalRestingECGMeasurements"):
        for tag, name in _MEASUREMENTS.items():
            f.note(found, name, root.number(section, tag))
    f.note(found, "rr_mean_ms", root.number("QRSTimesTypes", "GlobalRR"))
    return found


def _statements(root: Element) -> tuple[str, ...]:
    """The statements as the report prints them: one runs on until a part is flagged as ending its line."""
    for section in root.all("Diagnosis") + root.all("OriginalDiagnosis"):
        lines: list[str] = []
        running = ""
        for part in section.all("DiagnosisStatement"):
            running = f"{running} {part.word('StmtText')}".strip().replace(" ,", ",")
            if any(flag.text.strip().upper() == "ENDSLINE" for flag in part.all("StmtFlag")):
                lines.append(running)
                running = ""
        lines = [line[:500] for line in [*lines, running] if line]
        if lines:
            return tuple(lines[: f.MAX_STATEMENTS])
    return ()
