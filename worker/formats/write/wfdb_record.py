"""WFDB record: header, signal file, annotations (WFDB Applications Guide, header(5), signal(5), annot(5)).

Samples in format 16, in 24 or 32 where they are wider; the sums of header(5) are written, so that a reader can check.
"""

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.wfdb_annotations import AUX, NOTE, SKIP, SYMBOLS
from worker.formats.write.common import file_name, held, in_china
from worker.recording import Annotation, Recording

NAME: Final = "wfdb"
MAX_STEP: Final = 1023
MAX_AUX: Final = 255
_CODES: Final = {symbol: code for code, symbol in SYMBOLS.items()}
_SEX: Final = {"M": "Male", "F": "Female", "O": "Other"}


def write(recording: Recording, name: str) -> dict[str, bytes]:
    """Header, signal file and, where there are annotations, their file, by name."""
    name = file_name(name)
    kept = held(recording)
    storage, raw = _stored(kept.digital)
    begun = in_china(recording.started_at)  # the header has no place for a zone
    start = f" {begun:%H:%M:%S.%f}"[:-3] + f" {begun:%d/%m/%Y}" if begun else ""
    lines = [f"{name} {len(kept.leads)} {_decimal(recording.sampling_hz)} {recording.n_samples}{start}"]
    for row, lead in enumerate(kept.leads):
        digital = kept.digital[row]
        gain = _gain(float(kept.uv_per_lsb[row]))
        baseline = f"({int(kept.baseline[row])})"
        gain_word = f"{gain!r}{baseline}/uV" if recording.calibrated else f"0{baseline}/uV"
        checksum = int(digital.sum(dtype=np.int64)) & 0xFFFF
        checksum -= 0x10000 if checksum & 0x8000 else 0
        lines.append(f"{name}.dat {storage} {gain_word} {storage} 0 {int(digital[0])} {checksum} 0 {lead}")
    who = recording.identity
    if who.age_years is not None:
        lines.append(f"#Age: {who.age_years:g}")
    if who.sex is not None:
        lines.append(f"#Sex: {_SEX[who.sex]}")
    lines += [f"#{' '.join(text.split())}" for text in recording.device_statements]
    files = {f"{name}.hea": ("\n".join(lines) + "\n").encode(), f"{name}.dat": raw}
    if recording.annotations:
        files[f"{name}.atr"] = annotation_file(recording.annotations, recording.sampling_hz)
    return files


def annotation_file(marks: tuple[Annotation, ...], sampling_hz: float) -> bytes:
    """The annotations in MIT format; a label that is no symbol becomes a note with the label as its text."""
    out: list[bytes] = []
    last = 0
    for mark in sorted(marks, key=lambda mark: mark.start_s):
        at = max(round(mark.start_s * sampling_hz), 0)
        symbol, _, text = mark.label.partition(" ")
        if symbol not in _CODES:
            symbol, text = SYMBOLS[NOTE], mark.label
        step = at - last
        if step > MAX_STEP:
            out.append(struct.pack("<HHH", SKIP << 10, step >> 16 & 0xFFFF, step & 0xFFFF))
            step = 0
        out.append(struct.pack("<H", _CODES[symbol] << 10 | step))
        if text:
            aux = _cut(text)
            out.append(struct.pack("<H", AUX << 10 | len(aux)) + aux + b"\0" * (len(aux) % 2))
        last = at
    return b"".join(out) + b"\0\0"


def _cut(text: str) -> bytes:
    """UTF-8 of the text, not longer than a byte can count, without half a character."""
    return text.encode()[:MAX_AUX].decode("utf-8", "ignore").encode()


def _stored(digital: NDArray[np.int16] | NDArray[np.int32]) -> tuple[int, bytes]:
    """(storage format, samples frame by frame)."""
    frames = digital.T
    low, high = int(digital.min()), int(digital.max())
    if digital.dtype == np.int16 or (low >= -(2**15) and high < 2**15):
        return 16, np.ascontiguousarray(frames, "<i2").tobytes()
    return 32, np.ascontiguousarray(frames, "<i4").tobytes()


def _gain(uv_per_lsb: float) -> float:
    """Steps in a microvolt, such that a reader's 1 / gain is the step again where doubles allow it."""
    gain = 1.0 / uv_per_lsb
    near = (gain, np.nextafter(gain, np.inf), np.nextafter(gain, -np.inf))
    return float(next((candidate for candidate in near if 1.0 / candidate == uv_per_lsb), gain))


def _decimal(value: float) -> str:
    return repr(int(value)) if value == int(value) else repr(value)
