"""What does the header of a WFDB record say? (WFDB Applications Guide, header(5): record, signal and segment lines)

What the field writes and the wfdb package refuses is read here: dates as ``2014-05-08`` or ``12-May-2020``, before or
after the time; a record named after its ``.mat`` file; segment and signal lines with tabs; Windows line ends.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from worker.formats.errors import DamagedRecording, TooLargeRecording
from worker.formats.fields import clock

MAX_HEADER_BYTES: Final = 4 * 1024**2
MAX_SIGNALS: Final = 1024
MAX_SEGMENTS: Final = 20_000
MAX_COMMENTS: Final = 1000
DEFAULT_RATE: Final = 250.0
DEFAULT_GAIN: Final = 200.0

_RECORD: Final = re.compile(r"^(\S{1,200}?)(?:/(\d{1,6}))?[ \t]+(\d{1,5})(?:[ \t]+(\S.*))?$")
_RATE: Final = re.compile(r"^(\d{1,7}(?:\.\d{0,12})?(?:[eE][+-]?\d{1,2})?)(?:/\S*)?$")
_TIME: Final = re.compile(r"^(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,6})\d*)?)?$")
_DAY_FIRST: Final = re.compile(r"^(\d{1,2})[/.\-](\d{1,2}|[A-Za-z]{3})[/.\-](\d{4})$")
_YEAR_FIRST: Final = re.compile(r"^(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})$")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SIGNAL: Final = re.compile(
    r"^(\S{1,200})[ \t]+(\d{1,4})(?:x(\d{1,5}))?(?::(\d{1,7}))?(?:\+(\d{1,10}))?(?:[ \t]+(\S.*))?$"
)
_GAIN: Final = re.compile(
    r"^([+-]?(?:\d{1,12}\.?\d{0,20}|\.\d{1,20})(?:[eE][+-]?\d{1,3})?)(?:\((-?\d{1,10})\))?(?:/(\S{1,40}))?$"
)
_INTEGER: Final = re.compile(r"^-?\d{1,10}$")
_SEGMENT: Final = re.compile(r"^(\S{1,200})[ \t]+(\d{1,10})\s*$")


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal line.

    Attributes:
        per_frame: samples in a frame.
        calibrated: whether the line gives a gain.
    """

    file: str
    storage: int
    per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    unit: str
    calibrated: bool
    initial: int
    checksum: int | None
    description: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment line; ``~`` stands for nothing recorded."""

    name: str
    n_samples: int


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """A header; it has either signals or segments."""

    name: str
    sampling_hz: float
    n_samples: int | None
    started_at: datetime | None
    n_signals: int
    signals: tuple[Signal, ...]
    segments: tuple[Segment, ...]
    comments: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """The signal files, in order."""
        return tuple(dict.fromkeys(signal.file for signal in self.signals))


def looks_like_header(data: bytes) -> bool:
    """Whether these bytes are a header: a record line, and below it a signal or segment line of the right form."""
    if not 4 <= len(data) <= MAX_HEADER_BYTES or b"\0" in data[:4096]:
        return False
    lines = _lines(data[:8192])[0]
    record = _RECORD.match(lines[0]) if lines else None
    if record is None or lines[0][0] in "<{[\"'":
        return False
    rest = (record[4] or "").split()
    if rest and not _RATE.match(rest[0]):
        return False
    return _second_line_fits(record, lines, named=bool(rest))


def _second_line_fits(record: re.Match[str], lines: list[str], *, named: bool) -> bool:
    """Whether what follows the record line is what it announces; a record of annotations alone has one line."""
    if int(record[3]) == 0:
        return len(lines) == 1 and named
    if len(lines) < 2:
        return False
    if record[2]:
        return bool(_SEGMENT.match(lines[1]))
    signal = _SIGNAL.match(lines[1])
    return signal is not None and ("." in signal[1] or signal[1] == "~")


def read_header(data: bytes) -> RecordHeader:
    """The header in these bytes.

    Raises:
        DamagedRecording: it breaks the rules in a way that leaves its meaning open.
        TooLargeRecording: more signals or segments than any recorder has.
    """
    if len(data) > MAX_HEADER_BYTES:
        raise TooLargeRecording("the header is larger than 4 MB")
    lines, comments = _lines(data)
    record = _RECORD.match(lines[0]) if lines else None
    if record is None:
        raise DamagedRecording("the header has no record line (name, number of signals, rate, length)")
    n_signals, n_segments = int(record[3]), int(record[2] or 0)
    if n_signals > MAX_SIGNALS or n_segments > MAX_SEGMENTS:
        raise TooLargeRecording(f"the header announces {n_signals} signals and {n_segments} segments")
    sampling_hz, n_samples, started_at = _rest_of_record(record[4] or "")
    wanted = n_segments or n_signals
    if len(lines) - 1 < wanted:
        raise DamagedRecording(f"the header announces {wanted} signals or segments and describes {len(lines) - 1}")
    body = lines[1 : 1 + wanted]
    return RecordHeader(
        record[1],
        sampling_hz,
        n_samples,
        started_at,
        n_signals,
        () if record[2] else tuple(_signal(line) for line in body),
        tuple(_segment(line) for line in body) if record[2] else (),
        tuple(comments[:MAX_COMMENTS]),
    )


def _lines(data: bytes) -> tuple[list[str], list[str]]:
    """The lines that count, and the comments without their mark."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines, comments = [], []
    for raw in text.lstrip("\ufeff").splitlines():
        line = raw.strip()
        if line.startswith("#"):
            comments.append(line.lstrip("#").strip())
        elif line:
            lines.append(line)
    return lines, comments


def _rest_of_record(rest: str) -> tuple[float, int | None, datetime | None]:
    words = rest.split()
    sampling_hz, n_samples = DEFAULT_RATE, None
    if words:
        rate = _RATE.match(words[0])
        if rate is None:
            raise DamagedRecording(f"the header gives {words[0][:40]!r} as the sampling rate")
        sampling_hz = float(rate[1])
    if len(words) > 1 and words[1].isdecimal():
        n_samples = int(words[1][:12]) or None
    time = next((found for word in words[1:] if (found := _TIME.match(word))), None)
    day = next((named for word in words[1:] if (named := _date(word))), None)
    if day is None:
        return sampling_hz, n_samples, None
    hour, minute, second = (int(part or 0) for part in time.groups()[:3]) if time else (0, 0, 0)
    return sampling_hz, n_samples, clock(*day, hour, minute, second, fraction=(time[4] or "") if time else "")


def _date(word: str) -> tuple[int, int, int] | None:
    if found := _YEAR_FIRST.match(word):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _DAY_FIRST.match(word):
        month = found[2]
        if not month.isdecimal():
            if month.lower() not in _MONTHS:
                return None
            month = str(_MONTHS.index(month.lower()) + 1)
        return int(found[3]), int(month), int(found[1])
    return None


def _signal(line: str) -> Signal:
    """A signal line; what is left out has the value that header(5) gives it."""
    found = _SIGNAL.match(line)
    if found is None:
        raise DamagedRecording(f"the header line {line[:80]!r} describes no signal")
    words = (found[6] or "").split(None, 6)
    gain, baseline, unit, given = DEFAULT_GAIN, None, "mV", False
    if words:
        parts = _GAIN.match(words[0])
        if parts is None:
            raise DamagedRecording(f"the header gives {words[0][:40]!r} as a gain")
        given = float(parts[1]) != 0
        gain = float(parts[1]) or DEFAULT_GAIN
        baseline = int(parts[2]) if parts[2] else None
        unit = parts[3] or "mV"
    numbers: list[int | None] = []
    for word in words[1:6]:
        if not _INTEGER.match(word):
            break
        numbers.append(int(word))
    description = " ".join(words[1 + len(numbers) :])
    numbers += [None] * (5 - len(numbers))
    _, zero, initial, checksum, _ = numbers
    return Signal(
        found[1],
        int(found[2]),
        max(int(found[3] or 1), 1),
        int(found[4] or 0),
        int(found[5] or 0),
        gain,
        baseline if baseline is not None else zero or 0,
        unit,
        given,
        initial if initial is not None else zero or 0,
        checksum,
        description[:100],
    )


def _segment(line: str) -> Segment:
    found = _SEGMENT.match(line)
    if found is None:
        raise DamagedRecording(f"the header line {line[:80]!r} names no segment")
    return Segment(found[1], int(found[2]))
