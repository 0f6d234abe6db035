"""``ecg-worker``: what can be asked of the worker from the command line?"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ecg_center.contract.findings import Findings
    from worker.recording import Recording

DESCRIPTION = """\
Reads recordings of any known format and says what they hold: as a job runner beside the centre, or one file by hand.
"""
EXAMPLES = """\
examples:
  ecg-worker read ecg.dcm               format, patient, leads, quality, measurements, statements
  ecg-worker read ecg.dcm --json        the same for a program; docs/read-json.md explains each field
  ecg-worker read ecg.dcm --plot ecg.svg    a page to look at: trace, beats, median beat with limits, statements
  ecg-worker read ecg.dcm --rules regional_strict
  ecg-worker convert ecg.xml --to dicom ecg.dcm     the same samples in another format
  ecg-worker run                        pre-read what the centre receives, until stopped (settings: [store], [worker])

exit codes: 0 done, 1 the file cannot be read, 2 wrong arguments or settings
"""
BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""The matrices are a dozen leads wide: threads cost more than they bring, and a worker is one process a core."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="ecg-worker",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="store_true", help="print the version and leave")
    top.add_argument("--config", type=Path, metavar="FILE", help="the TOML file with the settings")
    commands = top.add_subparsers(dest="command", metavar="command")
    read = commands.add_parser("read", help="say what one file holds")
    read.add_argument("file", type=Path, help="a recording as its device wrote it")
    read.add_argument("--json", action="store_true", help="print one JSON object")
    read.add_argument("--rules", default="national_2017", metavar="SET", help="list of critical values (national_2017)")
    read.add_argument("--plot", type=Path, metavar="SVG", help="write a page with trace, beats, statements")
    read.add_argument("--no-analysis", action="store_true", help="decode only")
    convert = commands.add_parser("convert", help="write a recording in another format")
    convert.add_argument("file", type=Path, help="a recording as its device wrote it")
    convert.add_argument("--to", required=True, metavar="FORMAT", help="aecg, csv, dicom, edf, fhir, scp or wfdb")
    convert.add_argument("out", type=Path, help="the file to write, or the record's name where a format has several")
    commands.add_parser("run", help="pre-read what the centre receives")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    top = parser()
    options = top.parse_args(arguments)
    if options.version:
        from ecg_center import __version__

        print(f"ecg-worker {__version__}")
        return 0
    if options.command == "read":
        return _read(options)
    if options.command == "convert":
        return _convert(options)
    if options.command == "run":
        return _run(options)
    top.print_help()
    return 2


def _run(options: argparse.Namespace) -> int:
    from ecg_center.contract.settings import SettingsError

    try:
        import asyncio

        from ecg_center.store.settings import StoreSettings
        from worker.critical import RuleSetError, load
        from worker.logs import configure_logs
        from worker.settings import WorkerSettings
        from worker.tasks import run

        store, settings = StoreSettings.load(options.config), WorkerSettings.load(options.config)
        try:
            load(settings.rule_set)
        except RuleSetError as error:
            raise SettingsError(f"[worker] rule_set (environment ECG_WORKER_RULE_SET): {error}") from None
        configure_logs()
        asyncio.run(run(store, settings))
    except SettingsError as error:
        print(f"ecg-worker: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _convert(options: argparse.Namespace) -> int:
    from worker.formats import UnreadableRecording, read
    from worker.formats.write import UnwritableRecording, write

    try:
        paths = write(read(options.file), options.to, options.out)
    except OSError as error:
        print(f"ecg-worker: {error.filename or options.file}: {error.strerror or error}", file=sys.stderr)
        return 1
    except UnreadableRecording as error:
        print(f"ecg-worker: {options.file} cannot be read: {error}", file=sys.stderr)
        return 1
    except UnwritableRecording as error:
        print(f"ecg-worker: {options.file} cannot be written as {options.to}: {error}", file=sys.stderr)
        return 1
    print("\n".join(str(path) for path in paths))
    return 0


def _read(options: argparse.Namespace) -> int:
    from worker.critical import RuleSetError
    from worker.formats import UnreadableRecording, read

    findings: Findings | None = None
    try:
        recording = read(options.file)
        if not options.no_analysis:
            from worker.resting import analyse

            findings = analyse(recording, rule_set=options.rules)
            if options.plot is not None:
                from worker.resting.plot import as_svg

                options.plot.write_text(as_svg(recording, findings), "utf-8")
    except OSError as error:
        print(f"ecg-worker: {options.file}: {error.strerror or error}", file=sys.stderr)
        return 1
    except UnreadableRecording as error:
        if options.json:
            print(json.dumps({"error": error.reason, "detail": str(error)}, ensure_ascii=False))
        print(f"ecg-worker: {options.file} cannot be read: {error}", file=sys.stderr)
        return 1
    except RuleSetError as error:
        print(f"ecg-worker: --rules: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(as_json(recording, findings), ensure_ascii=False, indent=2))
    else:
        print("\n".join(as_text(recording, findings)))
    return 0


def as_json(recording: "Recording", findings: "Findings | None") -> dict[str, Any]:
    """What ``read --json`` prints; its fields are documented in docs/read-json.md and only ever added to."""
    identity = recording.identity.model_dump(mode="json", exclude={"started_at", "urgent", "chest_pain", "study_kind"})
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
        "patient": identity,
        "device": {name: getattr(recording.device, name) for name in type(recording.device).__slots__},
        "filters": {name: getattr(recording.filters, name) for name in type(recording.filters).__slots__},
        "gaps": [{"start": gap.start, "stop": gap.stop, "leads": list(gap.leads)} for gap in recording.gaps],
        "device_measurements": dict(recording.device_measurements),
        "device_statements": list(recording.device_statements),
        "warnings": list(recording.warnings),
        "findings": None if findings is None else findings.model_dump(mode="json"),
    }


def as_text(recording: "Recording", findings: "Findings | None") -> list[str]:
    """What ``read`` prints for a person."""
    identity, device = recording.identity, recording.device
    born = identity.birth_date or (f"{identity.age_years:g} y" if identity.age_years is not None else None)
    person = " · ".join(str(word) for word in (identity.patient_name, identity.sex, born, identity.patient_id) if word)
    machine = " ".join(word for word in (device.manufacturer, device.model, device.serial) if word)
    lines = [
        f"format     {recording.format}, {recording.kind}",
        f"patient    {person or '–'}",
        f"order      {identity.accession_number or '–'}",
        f"device     {machine or '–'}",
        f"start      {recording.started_at.isoformat(' ') if recording.started_at else '–'}",
        f"signal     {recording.duration_s:g} s at {recording.sampling_hz:g} Hz, {recording.n_samples} samples",
        f"leads      {' '.join(lead + ('*' if lead in recording.derived else '') for lead in recording.leads)}"
        + ("   * derived" if recording.derived else ""),
    ]
    lines += [f"warning    {warning}" for warning in recording.warnings]
    if recording.device_statements:
        lines.append(f"device says  {' · '.join(recording.device_statements)}")
    return lines if findings is None else [*lines, "", *_findings_text(recording, findings)]


def _findings_text(recording: "Recording", findings: "Findings") -> list[str]:
    from ecg_center.domain.statements import TERMS

    measured, quality = findings.measurements, findings.quality
    theirs = recording.device_measurements
    lines = [f"quality    {quality.verdict}" + (f": {quality.advice_en}" if quality.advice_en else "")]
    bad = [
        f"{lead.lead} {lead.verdict} ({', '.join(lead.reasons)})" for lead in quality.leads if lead.verdict != "good"
    ]
    lines += [f"           {line}" for line in bad]
    for name, unit in (
        ("heart_rate_bpm", "/min"), ("p_ms", "ms"), ("pr_ms", "ms"), ("qrs_ms", "ms"), ("qt_ms", "ms"),
        ("qtc_ms", "ms"), ("p_axis_deg", "°"), ("qrs_axis_deg", "°"), ("t_axis_deg", "°"), ("rv5_mv", "mV"),
        ("sv1_mv", "mV"), ("rr_max_ms", "ms"),
    ):  # fmt: skip
        value = getattr(measured, name)
        if value is not None:
            beside = f"   (device: {theirs[name]:g})" if name in theirs else ""
            formula = f" {measured.qtc_formula}" if name == "qtc_ms" else ""
            lines.append(f"{name:16s} {value:g} {unit}{formula}{beside}")
    lines.append("")
    for statement in findings.statements:
        term = TERMS[statement.code]
        lines.append(f"{statement.code:8s} {term.zh}  {term.en}  [{statement.certainty}]")
        lines += [f"         {_evidence(item)}" for item in statement.evidence[:3]]
    lines += [
        "",
        f"grade      {findings.grade}   (unconfirmed pre-read by {findings.engine} {findings.engine_version})",
    ]
    lines += [f"CRITICAL   {value.title_zh}  {value.title_en}  [{value.rule_set}]" for value in findings.critical]
    return lines


def _evidence(item: Any) -> str:
    limit = f", limit {item.threshold:g}" if item.threshold is not None else ""
    value = f"{item.quantity} {item.value:g} {item.unit}{limit}" if item.value is not None else item.quantity
    where = f" at {item.start_s:.2f}-{item.end_s:.2f} s" if item.start_s is not None and item.end_s is not None else ""
    leads = f" in {' '.join(item.leads)}" if item.leads else ""
    return f"{value}{leads}{where}" + (f"  ({item.source})" if item.source else "")


if __name__ == "__main__":
    sys.exit(main())
