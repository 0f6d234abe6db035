"""How does a Recording leave in another format?

One file a format; each has ``NAME`` and ``write(recording, name)``, which gives the files by name. What a reference
reader of the format reads, and our own reader, are the same samples; where a format cannot hold a lead's step, the
module says to what resolution it writes. :data:`WRITERS` is the register.
"""

from pathlib import Path
from types import ModuleType
from typing import Final

from ecg_center.contract.findings import Findings
from worker.formats.write import aecg, csv_text, dicom, edf, fhir, scp, wfdb_record
from worker.formats.write.errors import UnwritableRecording
from worker.recording import Recording

WRITERS: Final[dict[str, ModuleType]] = {
    module.NAME: module
    for module in (
        aecg,
        csv_text,
        dicom,
        fhir,
        edf,
        scp,
        wfdb_record,
    )
}


def write(recording: Recording, to: str, out: Path, findings: Findings | None = None) -> list[Path]:
    """Write the recording in the format ``to``; ``out`` names the file, or the record of a format of several files.

    Args:
        recording: what is written.
        to: a name in :data:`WRITERS`.
        out: the file.
        findings: with ``dicom``, written as an ECG report beside the waveform.

    Raises:
        UnwritableRecording: the format cannot hold this recording (or findings), or is not known.
        OSError: a file cannot be written.
    """
    writer = WRITERS.get(to)
    if writer is None:
        raise UnwritableRecording(f"{to!r} is not a format that is written here ({', '.join(sorted(WRITERS))})")
    if findings is None:
        files: dict[str, bytes] = writer.write(recording, out.stem)
    elif writer is dicom:
        files = dicom.write(recording, out.stem, findings)
    else:
        raise UnwritableRecording(f"{to} has no place for a report of our measurements; only dicom has")
    paths = []
    for name, content in files.items():
        path = out if len(files) == 1 and out.suffix else out.with_name(name)
        path.write_bytes(content)
        paths.append(path)
    return paths


__all__ = ["WRITERS", "UnwritableRecording", "write"]
