"""What do the annotations of a WFDB record say? (WFDB Applications Guide, annot(5): MIT format)

Words of 16 bits: a type in the upper six, the samples since the last annotation in the lower ten. Types above 58 change
the time, the fields or the text of the annotation beside them.
"""

from typing import Final

from worker.recording import Annotation

MAX_ANNOTATIONS: Final = 2_000_000
"""A fortnight at 100/min."""
MAX_BYTES: Final = 12 * 1024**2
"""The same with a text at every tenth."""
SKIP: Final = 59
NUM: Final = 60
SUB: Final = 61
CHN: Final = 62
AUX: Final = 63
NOTE: Final = 22
RHYTHM: Final = 28

SYMBOLS: Final = {
    1: "N", 2: "L", 3: "R", 4: "a", 5: "V", 6: "F", 7: "J", 8: "A", 9: "S", 10: "E", 11: "j", 12: "/", 13: "Q",
    14: "~", 16: "|", 18: "s", 19: "T", 20: "*", 21: "D", 22: '"', 23: "=", 24: "p", 25: "B", 26: "^", 27: "t",
    28: "+", 29: "u", 30: "?", 31: "!", 32: "[", 33: "]", 34: "e", 35: "n", 36: "@", 37: "x", 38: "f", 39: "(",
    40: ")", 41: "r",
}  # fmt: skip
"""The one-letter name of each type (ecgcodes.h)."""
_RESOLUTION: Final = "## time resolution: "


def read_annotations(data: bytes, sampling_hz: float) -> tuple[tuple[Annotation, ...], tuple[str, ...]]:
    """The annotations of a file in MIT format, and what had to be said about it.

    A label is the symbol, or the symbol and its text (``+ (AFIB``); a note is its text alone.
    """
    marks: list[Annotation] = []
    data, whole = data[:MAX_BYTES], len(data) <= MAX_BYTES
    words = memoryview(data[: len(data) // 2 * 2]).cast("H")
    rate, time, at = sampling_hz, 0, 0
    last: tuple[str, float] | None = None
    while at < len(words) and len(marks) < MAX_ANNOTATIONS:
        kind, value = words[at] >> 10, words[at] & 0x3FF
        at += 1
        if kind == AUX:
            text = data[2 * at : 2 * at + value].split(b"\0", 1)[0].decode("utf-8", "replace").strip()
            at += (value + 1) // 2
            if last is not None and last[0] == SYMBOLS[NOTE] and text.startswith(_RESOLUTION) and not marks:
                rate, last = _rate(text, rate), None
            elif last is not None and text:
                last = (text if last[0] == SYMBOLS[NOTE] else f"{last[0]} {text}", last[1])
            continue
        if kind in (NUM, SUB, CHN):
            continue
        if kind == SKIP:
            if at + 2 > len(words):
                break
            step = words[at] << 16 | words[at + 1]
            time += step - (1 << 32 if step >> 31 else 0)
            at += 2
            continue
        if last is not None:
            marks.append(Annotation(*last))
            last = None
        if kind == 0 and value == 0:
            return tuple(marks), ()
        time += value
        if kind in SYMBOLS:
            last = (SYMBOLS[kind], time / rate)
    if not whole or len(marks) == MAX_ANNOTATIONS:
        return tuple(marks), (f"only the first {len(marks)} annotations were read",)
    if last is not None:
        marks.append(Annotation(*last))
    return tuple(marks), ("the annotations end without their end mark: the file was cut",)


def _rate(text: str, default: float) -> float:
    try:
        rate = float(text.removeprefix(_RESOLUTION))
    except ValueError:
        return default
    return rate if 0 < rate < 1e6 else default
