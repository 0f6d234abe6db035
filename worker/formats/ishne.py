"""ISHNE Holter 1.0: what did the recorder store in a day? (Badilini, Ann Noninvasive Electrocardiol 1998;3:263, tables
1 and 2; the annotation file: ISHNE standard output annotation format)

A fixed header of 522 bytes, a free text, then 16-bit samples, all leads in turn. Where the data begin follows from the
length of the free text, as the standard says, since recorders write wrong offsets. A file that was cut is read as far
as it goes. The annotation file (``.ann``) that may lie beside it adds the beats.
"""

import binascii
import struct
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from worker.formats.binary import as_samples, read_companion, unique_names, value_gaps, with_limb_leads
from worker.formats.dicom_text import Texts
from worker.formats.errors import DamagedRecording, NoWaveform, TruncatedRecording
from worker.formats.fields import HOLTER_FROM_S, clock, full_name, identity, iso_date
from worker.formats.rows import checked_rate
from worker.mapped import Buffer
from worker.recording import Annotation, Device, Kind, Recording

NAME: Final = "ishne"
MAGIC: Final = b"ISHNE1.0"
ANNOTATION_MAGIC: Final = b"ANN  1.0"
HEADER_BYTES: Final = 522
CHECKED_FROM: Final = 10
MAX_LEADS: Final = 12
MAX_TEXT: Final = 4096
"""Bytes of the free text that are looked at."""
MAX_ANNOUNCED: Final = 16 * 1024**2
"""A header that is wrong may announce a gigabyte of text, and take the day for it."""
FAULT: Final = -32768
"""The sample that the standard proposes for a lead that is off."""
MAX_BEATS: Final = 2_000_000
"""A fortnight at 100/min."""

_LEADS: Final = (
    "", "", "X", "Y", "Z", "I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6", "ES", "AS", "AI",
)  # fmt: skip
"""Table 1: 0 is unknown, 1 a bipolar lead without a name."""
_BEATS: Final = {
    "N": "normal beat", "V": "ventricular ectopic beat", "S": "supraventricular ectopic beat", "C": "calibration pulse",
    "B": "bundle branch block beat", "P": "paced beat", "X": "artefact", "!": "timeout", "U": "unclassified beat",
}  # fmt: skip
_FIXED: Final = struct.Struct("<8sH4ih40s40s20sh h3h3h3h3h h12h12h12h h40sh80s80s88s")


def recognises(data: bytes) -> bool:
    """Whether these bytes are an ISHNE recording or the annotations of one."""
    return data[:8] in (MAGIC, ANNOTATION_MAGIC)


def read(data: Buffer) -> Recording:
    """The recording of one ISHNE file; its samples are a view of these bytes.

    Raises:
        UnreadableRecording: one of its family, saying what is wrong and what to do.
    """
    if data[:8] == ANNOTATION_MAGIC:
        raise NoWaveform("these are the beats of an ISHNE recording without its signal; send the .ecg file")
    if len(data) < HEADER_BYTES:
        raise TruncatedRecording("the file ends within its header; send the recording again")
    warnings: list[str] = []
    fields = _FIXED.unpack_from(data)
    (_, stored_crc, text_bytes, claimed, text_at, data_at, _, first, last, patient, sex, _) = fields[:12]
    born, recorded, _, begun = fields[12:15], fields[15:18], fields[18:21], fields[21:24]
    n_leads, codes, steps = fields[24], fields[25:37], fields[49:61]
    recorder, rate, proprietary = fields[62], fields[63], fields[64]
    if not 0 < n_leads <= MAX_LEADS:
        raise DamagedRecording(f"the header announces {n_leads} leads; ISHNE files have 1 to {MAX_LEADS}")
    sampling_hz = checked_rate(float(rate))
    start = _data_start(data, text_bytes, text_at, data_at, warnings)
    _check_crc(data[CHECKED_FROM:start], stored_crc, warnings)
    held = (len(data) - start) // 2 // n_leads
    if held <= 0:
        raise TruncatedRecording("the file ends before its first sample; send the recording again")
    _compare_length(claimed, held, n_leads, sampling_hz, warnings)
    _say_ragged_end(len(data) - start, n_leads, warnings)
    digital = as_samples(np.frombuffer(data, "<i2", held * n_leads, start).reshape(held, n_leads).T, np.int16)
    names = unique_names([_LEADS[code] if 0 <= code < len(_LEADS) else "" for code in codes[:n_leads]])
    calibrated = all(step > 0 for step in steps[:n_leads])
    if not calibrated:
        warnings.append("the header does not say how large a step is; amplitudes are not to be trusted")
    guess = Texts("")
    text = bytes(data[HEADER_BYTES : min(start, HEADER_BYTES + MAX_TEXT)])
    started_at = clock(recorded[2], recorded[1], recorded[0], max(begun[0], 0), max(begun[1], 0), max(begun[2], 0))
    kind: Kind = "holter" if max(held, claimed) / sampling_hz > HOLTER_FROM_S else "resting"
    recording = Recording(
        format=NAME,
        kind=kind,
        leads=names,
        digital=digital,
        uv_per_lsb=np.array([step / 1000 if step > 0 else 1.0 for step in steps[:n_leads]]),
        baseline=np.zeros(n_leads),
        sampling_hz=sampling_hz,
        started_at=started_at,
        calibrated=calibrated,
        identity=identity(
            patient_id=_word(patient, guess),
            patient_name=full_name(_word(last, guess), _word(first, guess)),
            sex={1: "M", 2: "F"}.get(sex),
            birth_date=iso_date(born[2], born[1], born[0]),
            started_at=started_at,
            study_kind=kind,
        ),
        device=_device(_word(recorder, guess), _word(proprietary, guess)),
        gaps=value_gaps(digital, names, (FAULT,) * n_leads),
        device_statements=tuple(filter(None, [_word(text, guess)[:500]])),
        warnings=(*warnings, *guess.warnings),
    )
    return with_limb_leads(recording)


def read_path(path: Path, data: Buffer) -> Recording:
    """The recording of this file, with the beats of the ``.ann`` beside it where there is one."""
    recording = read(data)
    for suffix in (".ann", ".ANN"):
        beside = path.with_suffix(suffix)
        content = read_companion(beside) if beside != path else None
        if content is not None and content[:8] == ANNOTATION_MAGIC:
            marks, notes = read_annotations(content, recording.sampling_hz)
            return replace(recording, annotations=marks, warnings=(*recording.warnings, *notes))
    return recording


def read_annotations(data: Buffer, sampling_hz: float) -> tuple[tuple[Annotation, ...], tuple[str, ...]]:
    """The beats of an annotation file, and what had to be said about it.

    Raises:
        TruncatedRecording: it ends before its first beat.
    """
    text_bytes = struct.unpack_from("<i", data, 10)[0] if len(data) >= HEADER_BYTES else -1
    start = HEADER_BYTES + max(text_bytes, 0)
    if text_bytes < 0 or start + 4 > len(data):
        raise TruncatedRecording("the annotation file ends before its first beat")
    first = struct.unpack_from("<I", data, start)[0]
    count = min((len(data) - start - 4) // 4, MAX_BEATS)
    records = np.frombuffer(data, np.dtype([("label", "S1"), ("own", "S1"), ("step", "<u2")]), count, start + 4)
    times = ((first + np.cumsum(records["step"].astype(np.int64))) / sampling_hz).tolist()
    labels = [raw.decode("latin-1") for raw in records["label"].tolist()]
    marks = tuple(
        Annotation(_BEATS.get(label, label), time) for label, time in zip(labels, times, strict=True) if label
    )
    notes = () if (len(data) - start) % 4 == 0 else ("the annotation file ends within a beat: it was cut",)
    return marks, notes


def _data_start(data: Buffer, text_bytes: int, text_at: int, data_at: int, warnings: list[str]) -> int:
    start = HEADER_BYTES + text_bytes
    if not 0 <= text_bytes <= MAX_ANNOUNCED or start > len(data):
        if not HEADER_BYTES <= data_at < len(data):
            raise DamagedRecording(f"the header announces a text of {text_bytes} bytes, which the file does not hold")
        warnings.append(f"the header announces a text of {text_bytes} bytes; its offset of the data was used instead")
        return data_at
    if data_at != start or text_at not in (HEADER_BYTES, 0):
        warnings.append(f"the header says that the data begin at byte {data_at}; by its own lengths it is {start}")
    return start


def _check_crc(checked: Buffer, stored: int, warnings: list[str]) -> None:
    """The standard leaves the order of the two bytes open; 0 stands for "not computed"."""
    computed = binascii.crc_hqx(checked, 0xFFFF)
    if stored not in (0, computed, (computed & 0xFF) << 8 | computed >> 8):
        warnings.append(
            "the checksum of the header is wrong: the file was changed after it was written, "
            "or the recorder computes checksums differently"
        )


def _compare_length(claimed: int, held: int, n_leads: int, sampling_hz: float, warnings: list[str]) -> None:
    """The length in the header counts samples of one lead, with some recorders those of all."""
    if claimed <= 0 or claimed in (held, held * n_leads):
        return
    if claimed > held:
        warnings.append(
            f"the header announces {claimed / sampling_hz / 3600:.2f} h, the file holds "
            f"{held / sampling_hz / 3600:.2f} h: it was cut, or the recording ended early"
        )
    else:
        warnings.append(f"the header announces {claimed} samples a lead, the file holds {held}; all were read")


def _say_ragged_end(n_bytes: int, n_leads: int, warnings: list[str]) -> None:
    if n_bytes % (2 * n_leads):
        warnings.append("the file ends within a sample: it was cut, or the transfer was")


def _word(raw: bytes, guess: Texts) -> str:
    return guess.decode(raw.split(b"\0", 1)[0])


def _device(recorder: str, proprietary: str) -> Device:
    """The field for the kind of recorder ("analog", "digital") is where most write their model."""
    return Device(
        model="" if recorder.lower() in ("analog", "digital") else recorder[:100], manufacturer=proprietary[:100]
    )
