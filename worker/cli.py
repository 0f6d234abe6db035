"""``ecg-worker``: what can be asked of the worker from the command line?"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ecg_center.contract.findings import Findings
    from worker.formats.anything import Series
    from worker.recording import Recording

DESCRIPTION = """\
Reads recordings of any known format and says what they hold: as a job runner beside the centre, or one file by hand.
"""
EXAMPLES = """\
examples:
  ecg-worker read ecg.dcm               format, patient, leads, quality, measurements, statements
  ecg-worker read ecg.dcm --json        the same for a program; docs/read-json.md explains each field
  ecg-worker read ecg.dcm --plot ecg.png    a page to look at: trace, beats, median beat with limits, statements
  ecg-worker read ecg.dcm --rules regional_strict
  ecg-worker read abpm.csv --patient 70417  blood pressure readings; of one patient where a table holds several
  ecg-worker read export.csv --map vendor.toml      a vendor's table, declared by a column map (docs/formats.md)
  ecg-worker convert ecg.xml --to dicom ecg.dcm     the same samples in another format
  ecg-worker run                        pre-read what the centre receives, until stopped (settings: [store], [worker])

exit codes: 0 done, 1 a file cannot be read or written, 2 wrong arguments or settings
"""
DEFAULT_RULES: Final = "national_2017"
FAILED: Final = 1
WRONG_USE: Final = 2
PIPE_CLOSED: Final = 141
"""As a shell says of a program that SIGPIPE ended."""
BLAS_THREADS: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
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
    _add_file(read)
    read.add_argument("--json", action="store_true", help="print one JSON object")
    read.add_argument(
        "--rules", default=DEFAULT_RULES, metavar="SET", help=f"list of critical values ({DEFAULT_RULES})"
    )
    read.add_argument("--plot", type=Path, metavar="PICTURE", help="write a page, .png or .svg")
    read.add_argument("--no-analysis", action="store_true", help="decode only")
    convert = commands.add_parser("convert", help="write a recording in another format")
    _add_file(convert)
    convert.add_argument("--to", required=True, metavar="FORMAT", help="aecg, csv, dicom, edf, fhir, scp or wfdb")
    convert.add_argument("--report", action="store_true", help="with dicom: our measurements too, as OUT-report.dcm")
    convert.add_argument("out", type=Path, help="the file to write, or the record's name where a format has several")
    commands.add_parser("run", help="pre-read what the centre receives")
    return top


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, help="a recording as its device wrote it")
    command.add_argument("--map", type=Path, metavar="TOML", help="column map of a vendor's table or XML")
    command.add_argument("--patient", default="", metavar="ID", help="whose readings, where a table holds several")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    try:
        code = _run_command(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    return code


def _run_command(arguments: list[str] | None) -> int:
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
    return WRONG_USE


def _run(options: argparse.Namespace) -> int:
    from ecg_center.contract.settings import SettingsError

    try:
        import asyncio

        from ecg_center.store.settings import StoreSettings
        from worker.critical import RuleSetError, load
        from worker.logs import configure_logs
        from worker.pressure.guideline import GuidelineError
        from worker.pressure.guideline import load as load_guideline
        from worker.settings import WorkerSettings
        from worker.tasks import run

        store, settings = StoreSettings.load(options.config), WorkerSettings.load(options.config)
        try:
            load(settings.rule_set)
            load_guideline(settings.pressure_guideline)
        except RuleSetError as error:
            raise SettingsError(f"[worker] rule_set (environment ECG_WORKER_RULE_SET): {error}") from None
        except GuidelineError as error:
            name = "[worker] pressure_guideline (environment ECG_WORKER_PRESSURE_GUIDELINE)"
            raise SettingsError(f"{name}: {error}") from None
        configure_logs()
        asyncio.run(run(store, settings))
    except SettingsError as error:
        print(f"ecg-worker: {error}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        return 130
    return 0


def _convert(options: argparse.Namespace) -> int:
    from worker.formats.write import UnwritableRecording, write

    try:
        recording = _opened(options)
        if isinstance(recording, tuple):
            raise UnwritableRecording("it holds blood pressure readings, and no ECG; 'read --json' gives the readings")
        findings = _analysed(recording, DEFAULT_RULES) if options.report else None
        paths = write(recording, options.to, options.out, findings)
    except UnwritableRecording as error:
        print(f"ecg-worker: {options.file} cannot be written as {options.to}: {error}", file=sys.stderr)
        return FAILED
    except _Refused as refused:
        return refused.said(as_json=False)
    except OSError as error:
        print(f"ecg-worker: {error.filename or options.out}: {error.strerror or error}", file=sys.stderr)
        return FAILED
    print("\n".join(str(path) for path in paths))
    return 0


class _Refused(Exception):  # noqa: N818 - reads as what it says
    """A file or an option was of no use.

    Attributes:
        reason: short and stable, for a program.
        code: the exit code.
    """

    def __init__(self, reason: str, detail: str, message: str, code: int) -> None:
        super().__init__(message)
        self.reason, self.detail, self.code = reason, detail, code

    def said(self, *, as_json: bool) -> int:
        """The exit code, after the error was printed."""
        if as_json:
            print(json.dumps({"error": self.reason, "detail": self.detail}, ensure_ascii=False))
        print(f"ecg-worker: {self}", file=sys.stderr)
        return self.code


def _opened(options: argparse.Namespace) -> "Recording | Series":
    """What the file holds.

    Raises:
        _Refused: it cannot be read.
    """
    from worker.formats.anything import read_anything, read_declared
    from worker.formats.column_maps import ColumnMapError
    from worker.formats.errors import UnreadableRecording

    try:
        if options.map is None:
            return read_anything(options.file, options.patient)
        return read_declared(options.file, options.map.read_text("utf-8"), options.patient)
    except OSError as error:
        detail = error.strerror or str(error)
        raise _Refused("no-file", detail, f"{error.filename or options.file}: {detail}", FAILED) from None
    except UnreadableRecording as error:
        message = f"{options.file} cannot be read: {error}"
        raise _Refused(error.reason, str(error), message, FAILED) from None
    except (ColumnMapError, UnicodeDecodeError) as error:
        raise _Refused("wrong-map", str(error), f"--map {options.map}: {error}", WRONG_USE) from None


def _read(options: argparse.Namespace) -> int:
    try:
        _check_plot(options)
        found = _opened(options)
        if isinstance(found, tuple):
            _read_pressure(options, found)
        else:
            _read_recording(options, found)
    except _Refused as refused:
        return refused.said(as_json=options.json)
    return 0


def _check_plot(options: argparse.Namespace) -> None:
    """Raises _Refused where no page can come of it, before a second is spent on the file."""
    if options.plot is None:
        return
    from worker.drawing import SUFFIXES

    wrong = ""
    if options.plot.suffix.lower() not in SUFFIXES:
        wrong = f"{options.plot.name} ends in none of {', '.join(SUFFIXES)}, the kinds of picture that are drawn"
    elif options.no_analysis:
        wrong = "the page shows the analysis, which --no-analysis leaves out; give one of the two"
    if wrong:
        raise _Refused("wrong-use", wrong, f"--plot: {wrong}", WRONG_USE)


def _read_recording(options: argparse.Namespace, recording: "Recording") -> None:
    from worker.describe import recording_json, recording_lines
    from worker.pressure_readings import from_annotations

    findings: Findings | None = None
    if not options.no_analysis:
        findings = _analysed(recording, options.rules)
    if options.plot is not None and findings is not None:
        from worker.resting.plot import as_svg

        _draw(options.plot, as_svg(recording, findings))
    pressure = from_annotations(recording)
    if options.json:
        print(json.dumps(recording_json(recording, findings, pressure), ensure_ascii=False, indent=2))
    else:
        print("\n".join(recording_lines(recording, findings, pressure)))


def _analysed(recording: "Recording", rule_set: str) -> "Findings":
    from worker.critical import RuleSetError
    from worker.pressure_readings import from_annotations
    from worker.resting import Patient, analyse

    try:
        if recording.kind == "holter":  # as in the worker: by the engine of the day, whose import takes its second
            from worker.holter.analysis import analyse as analyse_day

            findings = analyse_day(recording, rule_set=rule_set)[0]
        else:
            findings = analyse(recording, rule_set=rule_set)
        if from_annotations(recording) is not None:
            from worker.pressure.combined import with_pressures

            findings = with_pressures(findings, recording, Patient())
        return findings
    except RuleSetError as error:
        raise _Refused("wrong-rules", str(error), f"--rules: {error}", WRONG_USE) from None


def _read_pressure(options: argparse.Namespace, series: "Series") -> None:
    from worker.describe import pressure_json, pressure_lines

    findings: tuple[Findings, ...] = ()
    if not options.no_analysis:
        from worker.pressure.analysis import analyse

        findings = tuple(analyse(one) for one in series)
    if options.plot is not None:
        from worker.pressure.plot import as_svg

        if len(series) > 1:
            wrong = f"the file holds {len(series)} patients or visits and a page shows one; pick it by --patient"
            raise _Refused("wrong-use", wrong, f"--plot: {wrong}", WRONG_USE)
        _draw(options.plot, as_svg(series[0], findings[0]))
    if options.json:
        print(json.dumps(pressure_json(series, findings), ensure_ascii=False, indent=2))
    else:
        print("\n".join(pressure_lines(series, findings)))


def _draw(path: Path, svg: str) -> None:
    from worker.drawing import save

    try:
        save(svg, path)
    except OSError as error:
        detail = error.strerror or str(error)
        raise _Refused("no-plot", detail, f"--plot {path}: {detail}", FAILED) from None


if __name__ == "__main__":
    sys.exit(main())
