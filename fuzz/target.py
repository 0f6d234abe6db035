"""What must hold for any bytes: a Recording or a named error, within two seconds and 512 MB.

``check`` is the one oracle of both fuzzers. The catch-all of :func:`worker.formats.read`, which turns anything else
into DamagedRecording, is passed by: what it would have to catch is a finding.
"""

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, ModuleType
from typing import Final

from worker.formats import FORMATS, UnreadableRecording, wfdb_records
from worker.recording import Recording

MAX_SECONDS: Final = 2.0
MAX_BYTES: Final = 512 * 1024**2
PARTS: Final = b"\n#=====\n"
"""Sets the files of one WFDB record apart in a seed: header, signal file, annotations."""


class Finding(Exception):  # noqa: N818 - what a fuzzer finds
    """Bytes that break the promise; the message says how."""


def readers() -> dict[str, Callable[[bytes], Recording | None]]:
    """Every registered format by name; WFDB twice, as files side by side and as an archive."""
    found = {module.NAME: _reader(module) for module in FORMATS}
    found["wfdb-archive"] = found[wfdb_records.NAME]
    found[wfdb_records.NAME] = _record
    return found


def _reader(module: ModuleType) -> Callable[[bytes], Recording | None]:
    def read(data: bytes) -> Recording | None:
        return module.read(data) if module.recognises(data) else None

    return read


def _record(data: bytes) -> Recording:
    header, _, rest = data.partition(PARTS)
    signal_file, _, annotations = rest.partition(PARTS)
    members = {"a.hea": header, "a.dat": signal_file}
    if annotations:
        members["a.atr"] = annotations
    return wfdb_records.read_members(members)


def check(read: Callable[[bytes], Recording | None], data: bytes) -> str:
    """``read``, ``passed by`` (not recognised) or the reason of a named error.

    Raises:
        Finding: the promise is broken.
    """
    try:
        with _limited_time():
            recording = read(data)
    except UnreadableRecording as error:
        if len(str(error)) < 20 or type(error) is UnreadableRecording:
            raise Finding(f"an error that says nothing: {error!r}") from error
        return error.reason
    except MemoryError:
        raise Finding("more than 512 MB of memory") from None
    except Finding:
        raise
    except Exception as error:
        raise Finding(f"an error without a name: {type(error).__name__}: {error}") from error
    if recording is None:
        return "passed by"
    if recording.n_samples == 0 or not recording.leads:
        raise Finding("a recording without samples")
    if any(gap.start < 0 or gap.stop > recording.n_samples or gap.start >= gap.stop for gap in recording.gaps):
        raise Finding("a gap outside the recording")
    return "read"


@contextmanager
def _limited_time() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Finding(f"more than {MAX_SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def limit_memory() -> None:
    """From now on this process may take 512 MB more than it has."""
    with Path("/proc/self/status").open() as status:
        now = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmData"))
    resource.setrlimit(resource.RLIMIT_DATA, (now + MAX_BYTES, now + MAX_BYTES))
