"""HL7 annotated ECG: the recording as PORT_MT020001 (HL7 aECG Implementation Guide, final, 21 March 2005)

Chapters AnnotatedECG, Series, DerivedSeries, SequenceSet and AnnotationSet. The leads that were measured, as the
device's own integers: a value is origin + digit × scale, in µV, written so that both read back as the same numbers.
Derived leads are left out; a reader derives them from the same I and II. An annotation ``NOT_MEASURED`` of this
project's own code system names the time and the leads of a gap.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import NAMESPACE_OID, uuid5
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray

from worker.formats.aecg_annotations import NOT_MEASURED, OWN_MEASUREMENT
from worker.formats.fields import CHINA
from worker.formats.write.common import file_name, measured_rows
from worker.formats.write.errors import UnwritableRecording
from worker.leads import is_ecg
from worker.recording import Annotation, Gap, MedianBeat, Recording

NAME: Final = "aecg"
MDC: Final = 'codeSystem="2.16.840.1.113883.6.24" codeSystemName="MDC"'
ACT: Final = 'codeSystem="2.16.840.1.113883.5.4" codeSystemName="ActCode"'
OWN: Final = 'codeSystem="2.25.210553406170428302414210951424302161473" codeSystemName="ECG-CENTER"'
MAX_SAMPLES: Final = 8_000_000
"""Of all leads: about 40 MB of text, less than our own reader takes."""

_MEASUREMENTS: Final = {
    "heart_rate_bpm": ("MDC_ECG_HEART_RATE", "bpm"), "p_ms": ("MDC_ECG_TIME_PD_P", "ms"),
    "pr_ms": ("MDC_ECG_TIME_PD_PR", "ms"), "qrs_ms": ("MDC_ECG_TIME_PD_QRS", "ms"),
    "qt_ms": ("MDC_ECG_TIME_PD_QT", "ms"), "qtc_ms": ("MDC_ECG_TIME_PD_QTc", "ms"),
    "rr_mean_ms": ("MDC_ECG_TIME_PD_RR", "ms"), "atrial_rate_bpm": ("MDC_ECG_HEART_RATE_ATRIAL", "bpm"),
    "p_axis_deg": ("MDC_ECG_ANGLE_P_FRONT", "deg"), "qrs_axis_deg": ("MDC_ECG_ANGLE_QRS_FRONT", "deg"),
    "t_axis_deg": ("MDC_ECG_ANGLE_T_FRONT", "deg"),
}  # fmt: skip
_WAVES: Final = {
    "P wave": "MDC_ECG_WAVC_PWAVE", "QRS": "MDC_ECG_WAVC_QRSWAVE", "T wave": "MDC_ECG_WAVC_TWAVE",
    "U wave": "MDC_ECG_WAVC_UWAVE", "QRS-T": "MDC_ECG_WAVC_QRSTWAVE",
}  # fmt: skip


def write(recording: Recording, name: str) -> dict[str, bytes]:
    """The recording as one XML file, by file name.

    Raises:
        UnwritableRecording: there is no sample, or more than XML is for.
    """
    rows = measured_rows(recording)
    if len(rows) * recording.n_samples > MAX_SAMPLES:
        raise UnwritableRecording("the recording is too long for text; write EDF or DICOM instead")
    starts = recording.started_at
    ends = starts + timedelta(seconds=recording.duration_s) if starts is not None else None
    names = tuple(recording.leads[row] for row in rows)
    leads = _leads(names, recording.digital[rows], recording.uv_per_lsb[rows], recording.baseline[rows])
    clock = _absolute(starts, recording.sampling_hz) if starts else _relative(recording.sampling_hz)
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'type="Observation">',
        f'<id root="{_uuid(recording, "document")}"/>',
        '<code code="93000" codeSystem="2.16.840.1.113883.6.12" codeSystemName="CPT-4"/>',
        _effective(starts, ends),
        _subject(recording),
        f'<component><series><id root="{_uuid(recording, "rhythm")}"/><code code="RHYTHM" {ACT}/>',
        _effective(starts, ends),
        _author(recording),
        _filters(recording),
        f"<component><sequenceSet>{clock}{leads}</sequenceSet></component>",
        _annotations(recording),
        _median(recording, recording.median_beat) if recording.median_beat is not None else "",
        "</series></component></AnnotatedECG>\n",
    ]
    return {f"{file_name(name)}.xml": "".join(parts).encode()}


def _uuid(recording: Recording, part: str) -> str:
    start = recording.started_at.isoformat() if recording.started_at else ""
    return str(uuid5(NAMESPACE_OID, f"ecg-center/aecg/{part}/{recording.signal_sha256}/{start}"))


def _time(at: datetime) -> str:
    """A point in time (TS), to the microsecond where it has one."""
    local = at if at.tzinfo is not None else at.replace(tzinfo=CHINA)
    fraction = f".{local.microsecond:06d}".rstrip("0").rstrip(".")
    return f"{local:%Y%m%d%H%M%S}{fraction}{local:%z}"[:40]


def _effective(starts: datetime | None, ends: datetime | None) -> str:
    if starts is None or ends is None:
        return '<effectiveTime nullFlavor="UNK"/>'
    return f'<effectiveTime><low value="{_time(starts)}"/><high value="{_time(ends)}"/></effectiveTime>'


def _subject(recording: Recording) -> str:
    who = recording.identity
    number = f" extension={quoteattr(who.patient_id)}" if who.patient_id else ""
    name = f"<name>{escape(who.patient_name)}</name>" if who.patient_name else ""
    sex = {"M": "M", "F": "F"}.get(who.sex or "", "UN")
    born = f'<birthTime value="{who.birth_date.replace("-", "")}"/>' if who.birth_date else ""
    return (
        "<componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject>"
        f'<id root="2.25.210553406170428302414210951424302161473"{number}/>'
        f"<subjectDemographicPerson>{name}"
        f'<administrativeGenderCode code="{sex}" codeSystem="2.16.840.1.113883.5.1"/>{born}</subjectDemographicPerson>'
        "</trialSubject></subject><componentOf><clinicalTrial>"
        f'<id root="{_uuid(recording, "trial")}"/></clinicalTrial></componentOf>'
        "</subjectAssignment></componentOf></timepointEvent></componentOf>"
        + (
            f"<location><testingSite><location><name>{escape(recording.device.institution)}</name></location>"
            "</testingSite></location>"
            if recording.device.institution
            else ""
        )
        + (
            '<controlVariable><relatedObservation><code code="21612-7" codeSystem="2.16.840.1.113883.6.1" '
            f'codeSystemName="LOINC"/><value xsi:type="PQ" value="{who.age_years:.10g}" unit="a"/></relatedObservation>'
            "</controlVariable>"
            if who.age_years
            else ""
        )
    )


def _author(recording: Recording) -> str:
    device = recording.device
    serial = f"<id extension={quoteattr(device.serial)}/>" if device.serial else ""
    words = "".join(
        f"<{tag}>{escape(word)}</{tag}>"
        for tag, word in (("manufacturerModelName", device.model), ("softwareName", device.software))
        if word
    )
    maker = f"<manufacturerOrganization><name>{escape(device.manufacturer)}</name></manufacturerOrganization>"
    person = (
        "<secondaryPerformer><seriesPerformer><assignedPerson>"
        f"<name>{escape(device.technician)}</name></assignedPerson></seriesPerformer></secondaryPerformer>"
        if device.technician
        else ""
    )
    return (
        f"<author><seriesAuthor><manufacturedSeriesDevice>{serial}{words}</manufacturedSeriesDevice>"
        f"{maker if device.manufacturer else ''}</seriesAuthor></author>{person}"
    )


def _filters(recording: Recording) -> str:
    filters = recording.filters
    said = (
        ("LOW_PASS", "CUTOFF_FREQ", filters.lowpass_hz),
        ("HIGH_PASS", "CUTOFF_FREQ", filters.highpass_hz),
        ("NOTCH", "NOTCH_FREQ", filters.notch_hz),
    )
    prefix = "MDC_ECG_CTL_VBL_ATTR_FILTER"
    return "".join(
        f'<controlVariable><controlVariable><code code="{prefix}_{kind}" {MDC}/><component><controlVariable>'
        f'<code code="{prefix}_{what}" {MDC}/><value xsi:type="PQ" value="{value!r}" unit="Hz"/>'
        "</controlVariable></component></controlVariable></controlVariable>"
        for kind, what, value in said
        if value is not None
    )


def _sequence(code: str, value: str) -> str:
    return f"<component><sequence>{code}{value}</sequence></component>"


def _increment(sampling_hz: float) -> str:
    return f'<increment value="{1 / sampling_hz!r}" unit="s"/>'


def _absolute(starts: datetime, sampling_hz: float) -> str:
    value = f'<value xsi:type="GLIST_TS"><head value="{_time(starts)}"/>{_increment(sampling_hz)}</value>'
    return _sequence(f'<code code="TIME_ABSOLUTE" {ACT}/>', value)


def _relative(sampling_hz: float) -> str:
    value = f'<value xsi:type="GLIST_PQ"><head value="0" unit="s"/>{_increment(sampling_hz)}</value>'
    return _sequence(f'<code code="TIME_RELATIVE" {ACT}/>', value)


def _leads(
    leads: tuple[str, ...],
    digital: NDArray[np.int16] | NDArray[np.int32],
    uv_per_lsb: NDArray[np.float64],
    baseline: NDArray[np.float64],
) -> str:
    made = []
    for row, lead in enumerate(leads):
        step, zero = float(uv_per_lsb[row]), float(baseline[row])
        digits = " ".join(map(str, digital[row].tolist()))
        made.append(
            _sequence(
                _lead_code(lead),
                f'<value xsi:type="SLIST_PQ"><origin value="{0.0 - zero * step!r}" unit="uV"/>'
                f'<scale value="{step!r}" unit="uV"/><digits>{digits}</digits></value>',
            )
        )
    return "".join(made)


def _median(recording: Recording, beat: MedianBeat) -> str:
    leads = _leads(beat.leads, beat.digital, beat.uv_per_lsb, beat.baseline)
    return (
        f'<derivation><derivedSeries><id root="{_uuid(recording, "median")}"/><code code="REPRESENTATIVE_BEAT" {ACT}/>'
        f"<component><sequenceSet>{_relative(beat.sampling_hz)}{leads}</sequenceSet></component>"
        "</derivedSeries></derivation>"
    )


def _annotations(recording: Recording) -> str:
    """The device's measurements, statements and marks."""
    inside = [
        f'<component><annotation><code code="{code}" {MDC}/>'
        f'<value xsi:type="PQ" value="{recording.device_measurements[name]!r}" unit="{unit}"/></annotation></component>'
        for name, (code, unit) in _MEASUREMENTS.items()
        if name in recording.device_measurements
    ]
    inside += [
        f"<component><annotation><code code={quoteattr(OWN_MEASUREMENT + name)} {OWN}/>"
        f'<value xsi:type="PQ" value="{value!r}"/></annotation></component>'
        for name, value in recording.device_measurements.items()
        if name not in _MEASUREMENTS
    ]
    said = "".join(
        f'<component><annotation><code code="MDC_ECG_INTERPRETATION_STATEMENT" {MDC}/>'
        f'<value xsi:type="ST">{escape(_clean(statement))}</value></annotation></component>'
        for statement in recording.device_statements
    )
    if said:
        inside.append(
            f'<component><annotation><code code="MDC_ECG_INTERPRETATION" {MDC}/>{said}</annotation></component>'
        )
    inside += [_mark(mark) for mark in recording.annotations]
    inside += [_gap(gap, recording) for gap in recording.gaps]
    return f"<subjectOf><annotationSet>{''.join(inside)}</annotationSet></subjectOf>" if inside else ""


def _mark(mark: Annotation) -> str:
    code = _WAVES.get(mark.label)
    value = (
        f'<code code="MDC_ECG_WAVC" {MDC}/><value xsi:type="CE" code="{code}" {MDC}/>'
        if code
        else f"<code code={quoteattr(_clean(mark.label) or 'mark')} {OWN}/>"
    )
    if mark.end_s is None:
        time = f'<value xsi:type="PQ" value="{mark.start_s * 1000!r}" unit="ms"/>'
    else:
        time = (
            f'<value xsi:type="IVL_PQ"><low value="{mark.start_s * 1000!r}" unit="ms"/>'
            f'<high value="{mark.end_s * 1000!r}" unit="ms"/></value>'
        )
    return (
        f'<component><annotation>{value}<support><supportingROI classCode="ROIBND"><code code="ROIPS" {ACT}/>'
        f'<component><boundary><code code="TIME_RELATIVE" {ACT}/>{time}</boundary></component>'
        "</supportingROI></support></annotation></component>"
    )


def _gap(gap: Gap, recording: Recording) -> str:
    low, high = (at * 1000 / recording.sampling_hz for at in (gap.start, gap.stop))
    leads = "".join(
        f"<component><boundary>{_lead_code(lead)}</boundary></component>"
        for lead in gap.leads
        if lead not in recording.derived
    )
    return (
        f'<component><annotation><code code="{NOT_MEASURED}" {OWN}/><support><supportingROI classCode="ROIBND">'
        f'<code code="ROIPS" {ACT}/><component><boundary><code code="TIME_RELATIVE" {ACT}/><value xsi:type="IVL_PQ">'
        f'<low value="{low!r}" unit="ms"/><high value="{high!r}" unit="ms"/></value></boundary></component>{leads}'
        "</supportingROI></support></annotation></component>"
    )


def _lead_code(lead: str) -> str:
    return (
        f'<code code="MDC_ECG_LEAD_{lead.upper()}" {MDC}/>' if is_ecg(lead) else f"<code code={quoteattr(lead)} {OWN}/>"
    )


def _clean(words: str) -> str:
    """Without what XML 1.0 cannot hold (section 2.2)."""
    return "".join(sign for sign in words if sign in "\t\n\r" or (sign >= " " and sign not in "\ufffe\uffff"))
