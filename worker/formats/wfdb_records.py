"""WFDB records: what do a header and its signal files hold together? (WFDB Applications Guide, header(5) and signal(5))

A record is a header (``.hea``), signal files, perhaps segments with headers of their own, perhaps annotations
(``.atr``). :func:`read_record` reads it from a folder, given any of its files; :func:`read` from one archive.

What differs from the wfdb package, oracle of the tests: headers that it refuses are read (see wfdb_header); signals of
several rates are not averaged or repeated but the ECG's own rate is kept and others are left out; files beside the
header only, never in another folder or on the network.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from worker.formats import wfdb_archive as archive
from worker.formats.binary import read_companion
from worker.formats.errors import DamagedRecording, UnsupportedRecording
from worker.formats.wfdb_assembly import Piece, assemble, recording_of
from worker.formats.wfdb_header import MAX_HEADER_BYTES, RecordHeader, Signal, looks_like_header, read_header
from worker.formats.wfdb_samples import FLAC, MISSING, Integers, flac, samples
from worker.mapped import Buffer
from worker.recording import Recording

NAME: Final = "wfdb"
MAX_HEADERS_BESIDE: Final = 2000
DIFFERENCES: Final = 8
"""The storage format whose numbers are to be summed."""
MAT4_HEAD: Final = b"val\0"
"""Name of the one matrix in the MATLAB 4 files of the PhysioNet challenges."""

Files = Callable[[str], Buffer | None]


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the files of a record come from."""

    files: Files
    warnings: list[str]

    def need(self, name: str) -> Buffer:
        """The bytes of this file of the record."""
        if "/" in name or "\\" in name or name in (".", ".."):
            raise UnsupportedRecording(f"the header names {name[:80]!r}, a file in another folder; put all in one")
        found = self.files(name)
        if found is None:
            raise UnsupportedRecording(
                f"the header names {name[:80]!r}, which is not there; send header and signal files together, "
                "in one folder or as one ZIP or TAR archive"
            )
        return found


def recognises(data: Buffer) -> bool:
    """Whether these bytes are a header, one of its MATLAB signal files, or an archive with a header in it."""
    return looks_like_header(_text(data)) or is_challenge_matrix(data) or archive.looks_like_archive(data)


def _text(data: Buffer) -> bytes:
    """The bytes, if they can be a header at all."""
    return bytes(data) if len(data) <= MAX_HEADER_BYTES else b""


def is_challenge_matrix(data: Buffer) -> bool:
    """Whether these bytes are a MATLAB 4 matrix of integers named ``val``."""
    return len(data) > 24 and data[20:24] == MAT4_HEAD and data[:4] in (b"\x1e\0\0\0", b"\x14\0\0\0", b"\x32\0\0\0")


def read(data: Buffer) -> Recording:
    """The record in this archive.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    if looks_like_header(_text(data)):
        header = read_header(_text(data))
        missing = ", ".join(header.files or tuple(f"{segment.name}.hea" for segment in header.segments))[:200]
        raise UnsupportedRecording(
            f"a WFDB header alone holds no samples; send it together with {missing or 'its signal files'}, "
            "as one ZIP or TAR archive"
        )
    if is_challenge_matrix(data):
        raise UnsupportedRecording(
            "a MATLAB matrix of samples does not say what was measured and how often; send it together with its "
            ".hea header, as one ZIP or TAR archive"
        )
    return read_members(archive.unpack(data))


def read_members(members: Mapping[str, Buffer]) -> Recording:
    """The one record in these files by name.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    headers = {
        name: _try(bytes(content[: MAX_HEADER_BYTES + 1]))
        for name, content in members.items()
        if name.lower().endswith(".hea")
    }
    sound = {name: header for name, header in headers.items() if header is not None}
    if not headers:
        raise UnsupportedRecording(
            "the archive holds no WFDB header (.hea); recordings of other formats are sent one by one, unpacked"
        )
    if not sound:
        raise DamagedRecording(f"no header in the archive can be read: {', '.join(headers)[:200]}")
    parts = {f"{segment.name}.hea" for header in sound.values() for segment in header.segments}
    records = [name for name in sound if name not in parts]
    if len(records) != 1:
        raise UnsupportedRecording(
            f"the archive holds {len(records)} records ({', '.join(records)[:200]}); send them one by one"
        )
    return _record(Path(records[0]).stem, sound[records[0]], members.get)


def read_path(path: Path, data: Buffer) -> Recording:
    """The record to which the file at this path belongs."""
    return read(data) if archive.looks_like_archive(data) else read_record(path)


def read_record(path: Path) -> Recording:
    """The record in this folder to which this file (header or signal file) belongs.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
        OSError: a file cannot be read.
    """
    header_path = header_beside(path)
    if header_path is None:
        raise UnsupportedRecording(f"there is no WFDB header beside {path.name} that names it; send them together")
    folder = header_path.parent

    def beside(name: str) -> Buffer | None:
        return read_companion(folder / name)

    return _record(header_path.stem, read_header(header_path.read_bytes()), beside)


def header_beside(path: Path) -> Path | None:
    """The header that this file is or that names it; None where there is none."""
    if path.suffix.lower() == ".hea":
        return path if path.is_file() else None
    same = path.with_suffix(".hea")
    for candidate in (same, path.with_name(f"{path.name}.hea")):
        if candidate.is_file() and _names(candidate, path.name):
            return candidate
    others = sorted(path.parent.glob("*.hea"))[:MAX_HEADERS_BESIDE]
    return next((candidate for candidate in others if candidate != same and _names(candidate, path.name)), None)


def _names(header_path: Path, name: str) -> bool:
    header = _try(header_path.read_bytes())
    return header is not None and name in header.files


def _try(content: bytes) -> RecordHeader | None:
    try:
        return read_header(content)
    except DamagedRecording:
        return None


def _record(name: str, header: RecordHeader, files: Files) -> Recording:
    source = _Source(files, [])
    pieces = _segments(header, source) if header.segments else [_piece(header, source, 0, header.n_samples)]
    block = assemble(header, pieces, source.warnings)
    annotations = files(f"{name}.atr")
    return recording_of(NAME, header, block, bytes(annotations) if annotations else None, source.warnings)


def _segments(header: RecordHeader, source: _Source) -> list[Piece]:
    """The segments in order; a first one without samples says which signals there are (variable layout)."""
    pieces: list[Piece] = []
    at = 0
    for place, segment in enumerate(header.segments):
        if segment.name == "~" or segment.n_samples == 0:
            if place == 0 and segment.n_samples == 0 and segment.name != "~":
                layout = read_header(bytes(source.need(f"{segment.name}.hea")))
                pieces.append(Piece(0, 0, layout.signals, []))
        else:
            part = read_header(bytes(source.need(f"{segment.name}.hea")))
            if part.segments:
                raise UnsupportedRecording("a segment of the record has segments of its own, which is not defined")
            if part.sampling_hz != header.sampling_hz:
                raise DamagedRecording(f"segment {segment.name} has another sampling rate than the record")
            pieces.append(_piece(part, source, at, segment.n_samples))
        at += segment.n_samples
    if not any(len(piece.rows) for piece in pieces):
        raise DamagedRecording("none of the record's segments holds a sample")
    return pieces


def _piece(header: RecordHeader, source: _Source, start: int, n_frames: int | None) -> Piece:
    """The signals of one header with signal files."""
    if len(header.files) == 1 and all(signal.skew == 0 for signal in header.signals):
        rows = _rows(header, header.files[0], source, n_frames)
        kept = list(header.signals) if len(rows) else []
    else:
        rows, kept = _rows_of_several(header, source, n_frames)
    if not kept:
        return Piece(start, n_frames or 0, (), [])
    length = min(len(row) // signal.per_frame for signal, row in zip(kept, rows, strict=True))
    if n_frames is not None and length < n_frames:
        source.warnings.append(f"the header announces {n_frames} samples, the signal files hold {length}: one was cut")
    length = length if n_frames is None else min(length, n_frames)
    return Piece(start, length, tuple(kept), rows)


def _rows_of_several(
    header: RecordHeader, source: _Source, n_frames: int | None
) -> tuple[list[Integers], list[Signal]]:
    """The signals of several files, each moved by its skew, but those that have no file (``~``)."""
    rows: list[Integers | None] = [None] * len(header.signals)
    for name in header.files:
        places = [place for place, signal in enumerate(header.signals) if signal.file == name]
        found = _rows(header, name, source, n_frames)
        for place, row in zip(places, found, strict=False):
            rows[place] = row
    kept = [(signal, row) for signal, row in zip(header.signals, rows, strict=True) if row is not None]
    return [_aligned(signal, row, source.warnings) for signal, row in kept], [signal for signal, _ in kept]


def _rows(header: RecordHeader, name: str, source: _Source, n_frames: int | None) -> "list[Integers] | Integers":
    """The samples of each signal of this file; none where it stands for nothing."""
    signals = [signal for signal in header.signals if signal.file == name]
    if signals[0].storage == 0 or name == "~":
        return []
    if any(signal.storage != signals[0].storage for signal in signals):
        raise DamagedRecording(f"the signals of {name} differ in storage format")
    return _file(source.need(name), signals, n_frames)


def _file(raw: Buffer, signals: list[Signal], n_frames: int | None) -> "list[Integers] | Integers":
    """The samples of each signal of one file: as one view of its frames where all signals have one rate."""
    storage, offset = signals[0].storage, signals[0].offset
    more = max(signal.skew for signal in signals)
    per_frame = sum(signal.per_frame for signal in signals)
    limit = None if n_frames is None else (n_frames + more) * per_frame
    if storage in FLAC:
        if len({signal.per_frame for signal in signals}) > 1:
            raise DamagedRecording("signals of a compressed file have one rate, these have several")
        end = None if n_frames is None else (n_frames + more) * signals[0].per_frame
        return flac(raw, storage, len(signals))[offset:][:end].T
    flat = samples(raw, storage, offset, limit)
    frames = flat[: len(flat) // per_frame * per_frame].reshape(-1, per_frame)
    if storage != DIFFERENCES and per_frame == len(signals):
        return frames.T
    out: list[Integers] = []
    at = 0
    for signal in signals:
        row: Any = np.ascontiguousarray(frames[:, at : at + signal.per_frame]).reshape(-1)
        if storage == DIFFERENCES:
            row = np.cumsum(row, dtype=np.int32)
            row += np.int32(np.clip(signal.initial, -(2**31), 2**31 - 1))
        out.append(row)
        at += signal.per_frame
    return out


def _aligned(signal: Signal, row: Integers, warnings: list[str]) -> Integers:
    """The signal moved earlier by its skew; what is then missing at its end is "not measured"."""
    shift = signal.skew * signal.per_frame
    if shift == 0:
        return row
    if shift >= len(row):
        warnings.append(f"signal {signal.description or signal.file} is skewed beyond its end; it was not aligned")
        return row
    moved: Any = np.full(len(row), MISSING.get(signal.storage, 0), row.dtype)
    moved[:-shift] = row[shift:]
    return moved  # type: ignore[no-any-return]
