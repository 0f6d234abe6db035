"""What is written in the annotation signals of EDF+ and BDF+? (EDF+ sections 2.2.1 to 2.2.4)

A signal named "EDF Annotations" holds time-stamped lists: onset, perhaps a duration, texts, each closed by byte 20, the
list by byte 0. The first list of each data record says when that record began.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.upload import RecordingIdentity
from worker.formats.dicom_text import Texts
from worker.mapped import forget
from worker.recording import Annotation, Samples

MAX_MARKS: Final = 400_000
"""Every beat of two days, annotated."""
MAX_SPARSENESS: Final = 8
"""Interrupted recordings are laid out with their gaps up to this many times what was measured."""
MAX_TEXT: Final = 500
RECORDS_AT_ONCE: Final = 16_384
ENDS: Final = "Recording ends"
"""The standard text (EDF+ list of standard texts) that closes a recording before its last data record does."""
NAME_MARK: Final = "Patient name: "

_LIST: Final = re.compile(rb"([+-]\d{1,9}(?:\.\d{0,25})?)(?:\x15(\d{1,9}(?:\.\d{0,25})?))?\x14([^\0]{1,4000})\0", re.S)
_ONSET: Final = re.compile(rb"([+-]\d{1,9}(?:\.\d{0,25})?)(?:\x15\d{0,9}(?:\.\d{0,25})?)?\x14\x14")


def record_onsets(raw: NDArray[np.uint8]) -> list[float | None]:
    """When each data record began, in seconds from the header's start; None where it does not say."""
    onsets: list[float | None] = []
    for record in raw[:, :64]:
        found = _ONSET.match(record.tobytes())
        onsets.append(float(found[1]) if found else None)
    return onsets


def read_annotations(
    raw: list[NDArray[np.uint8]], first_s: float, guess: Texts, warnings: list[str]
) -> list[Annotation]:
    """All annotations with a text, timed from the first sample."""
    marks: list[Annotation] = []
    for part in _closed(raw):
        for found in _LIST.finditer(part):
            start = float(found[1]) - first_s
            duration = float(found[2]) if found[2] else None
            for text in found[3].split(b"\x14"):
                if not text:
                    continue
                if len(marks) == MAX_MARKS:
                    warnings.append(f"only the first {MAX_MARKS} annotations were read")
                    return marks
                label = _decode(text, guess)[:MAX_TEXT]
                marks.append(Annotation(label, start, None if duration is None else start + duration))
    return marks


def _closed(raw: list[NDArray[np.uint8]]) -> Iterator[bytes]:
    """The bytes of some thousand records after the other, each record closed by a zero, should its own be missing."""
    for signal in raw:
        for at in range(0, len(signal), RECORDS_AT_ONCE):
            block = signal[at : at + RECORDS_AT_ONCE]
            yield np.concatenate([block, np.zeros((len(block), 1), np.uint8)], axis=1).tobytes()
            forget(block)


def without_padding(digital: Samples, marks: list[Annotation], sampling_hz: float, per_record: int) -> Samples:
    """The samples up to the annotation "Recording ends" in the last data record, with which a writer marks padding."""
    for place, mark in enumerate(marks):
        end = round(mark.start_s * sampling_hz)
        if mark.label == ENDS and digital.shape[1] - per_record < end < digital.shape[1] and end > 0:
            del marks[place]
            shorter: Any = digital[:, :end]
            return shorter  # type: ignore[no-any-return]
    return digital


def with_name(who: RecordingIdentity, marks: list[Annotation]) -> RecordingIdentity:
    """The identity with the name that our writer puts into an annotation where the header's ASCII cannot hold it."""
    for place, mark in enumerate(marks):
        if who.patient_name is None and mark.label.startswith(NAME_MARK):
            del marks[place]
            return who.model_copy(update={"patient_name": mark.label.removeprefix(NAME_MARK)[:200] or None})
    return who


def _decode(raw: bytes, guess: Texts) -> str:
    """EDF+ texts are UTF-8."""
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return guess.decode(raw)
