"""What is written in the annotation signals of EDF+ and BDF+? (EDF+ sections 2.2.1 to 2.2.4)

A signal named "EDF Annotations" holds time-stamped lists: onset, perhaps a duration, texts, each closed by byte 20, the
list by byte 0. The first list of each data record says when that record began.
"""

import re
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.dicom_text import Texts
from worker.recording import Annotation

MAX_MARKS: Final = 400_000
"""Every beat of two days, annotated."""
MAX_SPARSENESS: Final = 8
"""Interrupted recordings are laid out with their gaps up to this many times what was measured."""
MAX_TEXT: Final = 500

_LIST: Final = re.compile(rb"([+-]\d{1,9}(?:\.\d{0,12})?)(?:\x15(\d{1,9}(?:\.\d{0,12})?))?\x14([^\0]{1,4000})\0", re.S)
_ONSET: Final = re.compile(rb"([+-]\d{1,9}(?:\.\d{0,12})?)(?:\x15\d{0,9}(?:\.\d{0,12})?)?\x14\x14")


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
    for signal in raw:
        for found in _LIST.finditer(np.concatenate([signal, np.zeros((len(signal), 1), np.uint8)], axis=1).tobytes()):
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


def _decode(raw: bytes, guess: Texts) -> str:
    """EDF+ texts are UTF-8."""
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return guess.decode(raw)
