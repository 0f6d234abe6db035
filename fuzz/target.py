"""What must hold for any bytes: a recording, blood pressures or a named error, within two seconds and 512 MB.

``check`` is the one oracle of both fuzzers. The catch-all of :func:`worker.formats.read`, which turns anything else
into DamagedRecording, is passed by: what it would have to catch is a finding. So is a file that is opened, a process
that is started or a connection that is made while bytes are read.
"""

import resource
import signal
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, Final

from worker.formats import (
    FORMATS,
    VIEWED,
    UnreadableRecording,
    csv_text,
    matlab5,
    pressure,
    pressure_csv,
    pressure_xml,
    wfdb_records,
)
from worker.formats.column_maps import ColumnMapError
from worker.formats.csv_columns import ColumnMap
from worker.formats.pressure_columns import PressureMap
from worker.pressure_readings import BloodPressureSeries
from worker.recording import MAX_WARNINGS, Recording

Said = Recording | BloodPressureSeries | tuple[BloodPressureSeries, ...]
Reader = Callable[[bytes], Said | None]

MAX_SECONDS: Final = 2.0
"""Of the processor's time: the machine may be busy with something else."""
MAX_BYTES: Final = 512 * 1024**2
MAX_MESSAGE: Final = 1000
PARTS: Final = b"\n#=====\n"
"""Sets apart in a seed: header, signal file and annotations of one WFDB record; a column map and its table."""
_OWN_FILES: Final = (
    *{str(Path(folder).resolve()) for folder in (*sysconfig.get_paths().values(), sys.prefix, *filter(None, sys.path))},
    str(Path(__file__).resolve().parent.parent),
    "/usr/share/zoneinfo",
)
"""Where Python finds its own modules and the project's: a codec may be imported when it is first needed."""
_FORBIDDEN: Final = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "urllib.", "ctypes.dlopen")


class Finding(Exception):  # noqa: N818 - what a fuzzer finds
    """Bytes that break the promise; the message says how."""


def readers() -> dict[str, Reader]:
    """Every registered format by name; WFDB twice, as files side by side and as an archive; maps with their tables."""
    found: dict[str, Reader] = {module.NAME: _reader(module) for module in (*FORMATS, *pressure.FORMATS)}
    found["wfdb-archive"] = found[wfdb_records.NAME]
    found[wfdb_records.NAME] = _record
    found["csv-map"] = _mapped_table
    found["pressure-map"] = _mapped_pressure
    return found


def _reader(module: ModuleType) -> Reader:
    def read(data: bytes) -> Said | None:
        if module in VIEWED and len(data) % 2:  # as a large file is handed over: mapped, not read
            view = memoryview(data)
            return module.read(view) if module.recognises(view) else None
        return module.read(data) if module.recognises(data) else None

    return read


def _record(data: bytes) -> Recording:
    header, _, rest = data.partition(PARTS)
    signal_file, _, annotations = rest.partition(PARTS)
    members = {"a.hea": header, "a.dat": signal_file}
    if annotations:
        members["a.atr"] = annotations
    return wfdb_records.read_members(members)


def _mapped_table(data: bytes) -> Recording | None:
    declared, _, table = data.partition(PARTS)
    try:
        shape = ColumnMap.parse(declared.decode("utf-8", "replace"))
        return (matlab5.read_mapped if matlab5.recognises(table) else csv_text.read_mapped)(table, shape)
    except ColumnMapError:
        return None


def _mapped_pressure(data: bytes) -> Said | None:
    declared, _, table = data.partition(PARTS)
    try:
        shape = PressureMap.parse(declared.decode("utf-8", "replace"))
        if table.lstrip()[:1] == b"<":
            return pressure_xml.read_mapped(table, shape)
        return pressure_csv.read_all(table, shape)
    except ColumnMapError:
        return None


def check(read: Reader, data: bytes) -> str:
    """``read``, ``passed by`` (not recognised) or the reason of a named error.

    Raises:
        Finding: the promise is broken.
    """
    try:
        with _limited_time(), _nothing_outside():
            said = read(data)
    except UnreadableRecording as error:
        if len(str(error)) < 20 or type(error) is UnreadableRecording:
            raise Finding(f"an error that says nothing: {error!r}") from error
        if len(str(error)) > MAX_MESSAGE:
            raise Finding(f"an error of {len(str(error))} characters") from error
        return error.reason
    except MemoryError:
        raise Finding("more than 512 MB of memory") from None
    except Finding:
        raise
    except Exception as error:
        raise Finding(f"an error without a name: {type(error).__name__}: {error}") from error
    if said is None:
        return "passed by"
    for one in said if isinstance(said, tuple) else (said,):
        if len(one.warnings) > MAX_WARNINGS or any(len(warning) > MAX_MESSAGE for warning in one.warnings):
            raise Finding(
                f"{len(one.warnings)} warnings of {max(map(len, one.warnings))} characters, which nobody reads"
            )
        if isinstance(one, Recording):
            _check_recording(one)
    return "read"


def _check_recording(recording: Recording) -> None:
    if recording.n_samples == 0 or not recording.leads:
        raise Finding("a recording without samples")
    if any(gap.start < 0 or gap.stop > recording.n_samples or gap.start >= gap.stop for gap in recording.gaps):
        raise Finding("a gap outside the recording")


_watched = [False]


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook, which cannot be taken away again: it looks while bytes are being read only."""
    if not _watched[0]:
        return
    if event == "open":
        path = arguments[0]
        writes = isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
        if isinstance(path, str) and not writes and str(Path(path).resolve()).startswith(_OWN_FILES):
            return
        _watched[0] = False
        raise Finding(f"opened {path!r}")
    if event.startswith(_FORBIDDEN):
        _watched[0] = False
        raise Finding(f"reached outside: {event}")


sys.addaudithook(_watch)


@contextmanager
def _nothing_outside() -> Iterator[None]:
    _watched[0] = True
    try:
        yield
    finally:
        _watched[0] = False


@contextmanager
def _limited_time() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Finding(f"more than {MAX_SECONDS} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def limit_memory() -> None:
    """From now on this process may take 512 MB more than it has."""
    with Path("/proc/self/status").open() as status:
        now = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (now + MAX_BYTES, now + MAX_BYTES))
