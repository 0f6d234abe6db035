"""What does ``ecg-worker read`` say of a file? For a person as lines, for a program as JSON (docs/read-json.md)."""

import re
from dataclasses import asdict
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from ecg_center.domain.statements import TERMS

if TYPE_CHECKING:
    from ecg_center.contract.findings import Evidence, Findings, Measurements
    from ecg_center.contract.upload import RecordingIdentity
    from worker.pressure_readings import BloodPressureSeries
    from worker.recording import Device, Recording

_NOT_PATIENT: Final = frozenset({"started_at", "urgent", "chest_pain", "study_kind"})
_MEASURED: Final = (
    ("heart_rate_bpm", "/min"), ("p_ms", "ms"), ("pr_ms", "ms"), ("qrs_ms", "ms"), ("qt_ms", "ms"), ("qtc_ms", "ms"),
    ("p_axis_deg", "°"), ("qrs_axis_deg", "°"), ("t_axis_deg", "°"), ("rv5_mv", "mV"), ("sv1_mv", "mV"),
    ("rr_max_ms", "ms"), ("qt_dispersion_ms", "ms"), ("sokolow_lyon_mv", "mV"), ("rv5_sv1_mv", "mV"),
    ("cornell_mv", "mV"), ("cornell_product_mv_ms", "mV·ms"), ("peguero_mv", "mV"), ("lewis_mv", "mV"),
    ("romhilt_estes_points", ""), ("selvester_points", ""), ("v1_p_terminal_mv_ms", "mV·ms"),
)  # fmt: skip
_UNIT_OF_NAME: Final = re.compile(r"_(ms|s|mv|uv|mvms|bpm|deg|hz|mmhg)$")
DIGITS: Final = 4
"""More of a measurement mean nothing to a reader."""
MAX_LISTED: Final = 100
"""Readings printed for a person; the JSON has all."""


def recording_json(
    recording: "Recording", findings: "Findings | None", pressure: "BloodPressureSeries | None"
) -> dict[str, Any]:
    """What ``read --json`` prints of an ECG; its fields are documented in docs/read-json.md and only ever added to."""
    return {
        "format": recording.format,
        "kind": recording.kind,
        "sampling_hz": recording.sampling_hz,
        "leads": list(recording.leads),
        "derived": [lead for lead in recording.leads if lead in recording.derived],
        "n_samples": recording.n_samples,
        "duration_s": round(recording.duration_s, 6),
        "start": recording.started_at.isoformat() if recording.started_at else None,
        "uv_per_lsb": [float(scale) for scale in recording.uv_per_lsb],
        "calibrated": recording.calibrated,
        "signal_sha256": recording.signal_sha256,
        "patient": recording.identity.model_dump(mode="json", exclude=set(_NOT_PATIENT)),
        "device": asdict(recording.device),
        "filters": asdict(recording.filters),
        "gaps": [{"start": gap.start, "stop": gap.stop, "leads": list(gap.leads)} for gap in recording.gaps],
        "device_measurements": dict(recording.device_measurements),
        "device_statements": list(recording.device_statements),
        "pressure": None if pressure is None else _readings_json(pressure),
        "warnings": list(recording.warnings),
        "findings": None if findings is None else findings.model_dump(mode="json"),
    }


def pressure_json(series: "tuple[BloodPressureSeries, ...]", findings: "tuple[Findings, ...]" = ()) -> dict[str, Any]:
    """What ``read --json`` prints of blood pressure readings; documented beside :func:`recording_json`.

    Args:
        series: of each patient or visit.
        findings: of each of them, or none at all.
    """
    each = [_series_json(one, own) for one, own in zip_longest(series, findings)]
    if len(each) == 1:
        return each[0]
    return {"format": series[0].format, "kind": "abpm", "series": each, "warnings": [_several(series)]}


def _several(series: "tuple[BloodPressureSeries, ...]") -> str:
    return f"the file holds {len(series)} patients or visits; --patient picks one by its patient_id"


def _series_json(series: "BloodPressureSeries", findings: "Findings | None") -> dict[str, Any]:
    return {
        "format": series.format,
        "kind": "abpm",
        "patient": series.identity.model_dump(mode="json", exclude=set(_NOT_PATIENT)),
        "device": asdict(series.device),
        **_readings_json(series),
        "findings": None if findings is None else findings.model_dump(mode="json"),
    }


def _readings_json(series: "BloodPressureSeries") -> dict[str, Any]:
    return {
        "start": series.started_at.isoformat(),
        "duration_s": series.duration.total_seconds(),
        "n_readings": len(series.readings),
        "n_measured": len(series.measured),
        "planned": series.planned,
        "readings": [{**asdict(one), "at": one.at.isoformat()} for one in series.readings],
        "readings_sha256": series.readings_sha256,
        "diary": [
            {"at": entry.at.isoformat(), "until": entry.until.isoformat() if entry.until else None,
             "label": entry.label}
            for entry in series.diary
        ],
        "warnings": list(series.warnings),
    }  # fmt: skip


def recording_lines(
    recording: "Recording", findings: "Findings | None", pressure: "BloodPressureSeries | None"
) -> list[str]:
    """What ``read`` prints of an ECG for a person."""
    lines = [
        *_who(f"{recording.format}, {recording.kind}", recording.identity, recording.device),
        f"start      {recording.started_at.isoformat(' ') if recording.started_at else '–'}",
        f"signal     {recording.duration_s:g} s at {recording.sampling_hz:g} Hz, {recording.n_samples} samples",
        f"leads      {' '.join(lead + ('*' if lead in recording.derived else '') for lead in recording.leads)}"
        + ("   * derived" if recording.derived else ""),
    ]
    lines += [f"warning    {warning}" for warning in recording.warnings]
    if recording.device_statements:
        lines.append(f"device says  {' · '.join(recording.device_statements)}")
    if pressure is not None:
        lines += ["", *_readings_lines(pressure)]
    return lines if findings is None else [*lines, "", *_findings_lines(recording, findings)]


def pressure_lines(series: "tuple[BloodPressureSeries, ...]", findings: "tuple[Findings, ...]" = ()) -> list[str]:
    """What ``read`` prints of blood pressure readings for a person; arguments as in :func:`pressure_json`."""
    lines = [f"warning    {_several(series)}", ""] if len(series) > 1 else []
    for one, own in zip_longest(series, findings):
        lines += [*_who(f"{one.format}, abpm", one.identity, one.device), *_readings_lines(one), ""]
        if own is not None:
            lines += [*_quality_lines(own), "", *_said_lines(own), ""]
    return lines[:-1]


def _who(form: str, identity: "RecordingIdentity", device: "Device") -> list[str]:
    born = identity.birth_date or (f"{identity.age_years:g} y" if identity.age_years is not None else None)
    person = " · ".join(str(word) for word in (identity.patient_name, identity.sex, born, identity.patient_id) if word)
    machine = " ".join(word for word in (device.manufacturer, device.model, device.serial) if word)
    return [
        f"format     {form}",
        f"patient    {person or '–'}",
        f"order      {identity.accession_number or '–'}",
        f"device     {machine or '–'}",
    ]


def _readings_lines(series: "BloodPressureSeries") -> list[str]:
    planned = f" of {series.planned} planned" if series.planned is not None else ""
    last = series.readings[-1].at
    lines = [
        f"readings   {len(series.readings)}{planned}, {len(series.measured)} measured",
        f"from       {series.started_at.isoformat(' ')} to {last.isoformat(' ')}"
        f" ({series.duration.total_seconds() / 3600:.1f} h)",
    ]
    lines += [f"warning    {warning}" for warning in series.warnings]
    lines += [
        f"diary      {entry.at:%m-%d %H:%M}{f' to {entry.until:%m-%d %H:%M}' if entry.until else ''}  {entry.label}"
        for entry in series.diary[:MAX_LISTED]
    ]
    for one in series.readings[:MAX_LISTED]:
        found = f"{one.systolic_mmhg:g}/{one.diastolic_mmhg:g} mmHg" if one.status != "failed" else "–"
        if one.pulse_bpm is not None:
            found += f"  pulse {one.pulse_bpm:g}/min"
        words = one.reason if one.status == "failed" else f"{one.status} {one.reason}".removeprefix("measured").strip()
        lines.append(f"           {one.at:%m-%d %H:%M}  {found}" + (f"  ({words})" if words else ""))
    more = len(series.readings) - MAX_LISTED
    return [*lines, f"           … and {more} more; --json has all"] if more > 0 else lines


def _findings_lines(recording: "Recording", findings: "Findings") -> list[str]:
    measured, theirs = findings.measurements, recording.device_measurements
    lines = _quality_lines(findings)
    for name, unit in _MEASURED:
        value = getattr(measured, name)
        if value is not None:
            beside = f"   (device: {theirs[name]:g})" if name in theirs else ""
            formula = _formulas(measured) if name == "qtc_ms" else ""
            lines.append(f"{name:22s} {value:g} {unit}{formula}{beside}".rstrip())
    return [*lines, "", *_said_lines(findings)]


def _formulas(measured: "Measurements") -> str:
    """The formula that was taken, and what the others give."""
    others = [f"{name} {value:g}" for name, value in measured.qtc_by_formula.items() if name != measured.qtc_formula]
    return f" {measured.qtc_formula or ''}" + (f" ({', '.join(others)})" if others else "")


def _quality_lines(findings: "Findings") -> list[str]:
    quality = findings.quality
    lines = [f"quality    {quality.verdict}" + (f": {quality.advice_en}" if quality.advice_en else "")]
    bad = [one for one in quality.leads if one.verdict != "good"]
    return [*lines, *(f"           {one.lead} {one.verdict} ({', '.join(one.reasons)})" for one in bad)]


def _said_lines(findings: "Findings") -> list[str]:
    """Statements with their evidence, grade and critical values."""
    lines: list[str] = []
    for statement in findings.statements:
        term = TERMS[statement.code]
        lines.append(f"{statement.code:8s} {term.zh}  {term.en}  [{statement.certainty}]")
        lines += [f"         {evidence_line(item)}" for item in statement.evidence[:3]]
    lines += [
        "",
        f"grade      {findings.grade}   (unconfirmed pre-read by {findings.engine} {findings.engine_version})",
    ]
    return lines + [f"CRITICAL   {value.title_zh}  {value.title_en}  [{value.rule_set}]" for value in findings.critical]


def evidence_line(item: "Evidence") -> str:
    """One piece of evidence in words.

    >>> from ecg_center.contract.findings import Evidence
    >>> evidence_line(Evidence(quantity="st_j_mv", value=0.25123, threshold=0.1, unit="mV", leads=["II"]))
    'st j 0.2512 mV (limit 0.1) in II'
    """
    words = _UNIT_OF_NAME.sub("", item.quantity).replace("_", " ")
    if item.value is not None:
        figure = f"{item.value:.{DIGITS}g}"
        words = " ".join([words, figure + item.unit if item.unit == ":1" else f"{figure} {item.unit}"]).strip()
    if item.threshold is not None:
        words += f" (limit {item.threshold:g})"
    if item.leads:
        words += f" in {' '.join(item.leads)}"
    if item.start_s is not None and item.end_s is not None:
        words += f"{', ' if words else ''}{item.start_s:.2f} to {item.end_s:.2f} s"
    return words + (f"  [{item.source}]" if item.source else "")
