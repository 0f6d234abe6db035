"""Of which format are these bytes, and what recording do they hold?

One file a format; each has ``NAME``, ``recognises(data)`` (by content, never by file name) and ``read(data)``.
:data:`FORMATS` is the register: a new format is one line there.
"""

import mmap
from pathlib import Path
from types import ModuleType
from typing import Final

from worker.formats import (
    aecg,
    cardiosoft,
    csv_text,
    dicom,
    edf,
    fhir_ecg,
    ishne,
    matlab5,
    mfer,
    muse,
    philips,
    scp,
    wfdb_records,
)
from worker.formats.errors import DamagedRecording, TooLargeRecording, UnknownFormat, UnreadableRecording, guarded
from worker.mapped import Buffer, content_of
from worker.recording import Recording

FORMATS: Final[tuple[ModuleType, ...]] = (
    dicom,
    ishne,
    scp,
    edf,
    mfer,
    wfdb_records,
    matlab5,
    muse,
    aecg,
    philips,
    cardiosoft,
    fhir_ecg,
    csv_text,
)
"""Asked in this order; the most certain signature first."""

VIEWED: Final = frozenset({dicom, ishne, edf, mfer, wfdb_records})
"""Those that read a mapped file without a copy of it: what records for days."""
HEAD_BYTES: Final = 64 * 1024

MAX_FILE_BYTES: Final = 2 * 1024**3
"""As much as a gateway may send (contract.upload.MAX_RECORDING_BYTES)."""

_HINTS: Final[tuple[tuple[bytes, str], ...]] = (
    (b"%PDF", "a PDF: the device exports pictures of ECGs; set it to export waveforms (DICOM)"),
    (b"\x89PNG", "a PNG picture; set the device to export waveforms (DICOM)"),
    (b"\xff\xd8\xff", "a JPEG picture; set the device to export waveforms (DICOM)"),
    (b"PK\x03\x04", "a ZIP archive; unpack it and send the recordings in it"),
    (b"\x1f\x8b", "a gzip archive; unpack it and send the recording in it"),
    (b"MATLAB 7.3", "a MATLAB file of a newer kind (HDF5); save it with '-v7', or export WFDB or CSV"),
    (b"<?xml", "XML of a kind that is not read here; set the device to export DICOM"),
)


def read(data: bytes | mmap.mmap | memoryview | Path) -> Recording:
    """The recording in these bytes, or in the file at this path.

    The samples of an ISHNE recording and of a WFDB record in format 16 are a view of the bytes, and a large file is
    mapped, not read (:mod:`worker.mapped`): it must stay as it is while the recording is in use.

    Raises:
        UnreadableRecording: one of its family (:mod:`worker.formats.errors`); no other error leaves this function,
            whatever the bytes are.
        OSError: the file at the path cannot be read.
    """
    path = data if isinstance(data, Path) else None
    if isinstance(data, Path):
        if data.stat().st_size > MAX_FILE_BYTES:
            raise TooLargeRecording(
                f"the file is larger than {MAX_FILE_BYTES // 1024**3} GB, more than any recorder writes"
            )
        content: Buffer = content_of(data)
    else:
        content = data if isinstance(data, bytes) else memoryview(data).cast("B")
    reader = _reader(content, path)
    if reader not in VIEWED:
        content = bytes(content)
    beside = getattr(reader, "read_path", None) if path is not None else None  # a format of several files
    recording: Recording = guarded(reader.NAME, lambda: beside(path, content) if beside else reader.read(content))
    if recording.n_samples == 0:
        raise DamagedRecording(f"the {reader.NAME} file holds not one sample; record the ECG again")
    return recording


def _reader(content: Buffer, path: Path | None) -> ModuleType:
    """The reader for these bytes; a file without a mark of its own is known by the WFDB header beside it."""
    if isinstance(content, memoryview):
        head = bytes(content[:HEAD_BYTES])
        by_head = next((one for one in FORMATS if one.recognises(content if one in VIEWED else head)), None)
        if by_head in VIEWED:
            return by_head
        if by_head is None and path is not None and wfdb_records.header_beside(path) is not None:
            return wfdb_records
    try:
        return recognise(bytes(content))
    except UnknownFormat:
        if path is None or wfdb_records.header_beside(path) is None:
            raise
        return wfdb_records


def recognise(data: bytes) -> ModuleType:
    """The reader for these bytes.

    Raises:
        UnknownFormat: saying what they look like.
    """
    for reader in FORMATS:
        if reader.recognises(data):
            return reader
    if not data:
        raise UnknownFormat("the file is empty; send the recording again")
    looks_like = next((hint for start, hint in _HINTS if data.lstrip()[: len(start)] == start), None)
    known = ", ".join(reader.NAME for reader in FORMATS)
    raise UnknownFormat(f"the file is {looks_like}" if looks_like else f"the file is of no format read here ({known})")


__all__ = ["FORMATS", "UnreadableRecording", "read", "recognise"]
