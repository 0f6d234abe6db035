"""What integers does a text of samples hold? Written as numbers between blanks, commas or semicolons.

Exact and bounded: a piece of the text at a time, no number is rounded, anything that is no number is said. Samples
written with decimals become integers of a finer step, as many places as the longest has.
"""

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.errors import DamagedRecording
from worker.recording import Samples

PIECE_CHARACTERS: Final = 1 << 20
MAX_DECIMAL_PLACES: Final = 6
INT32: Final = np.iinfo(np.int32)
INT16: Final = np.iinfo(np.int16)
_EMPTY_PLACE: Final = re.compile(r"[,;]\s*[,;]")
"""A place between two commas without a number: taking it for nothing would move all samples behind it."""
_BLANKS: Final = str.maketrans({",": " ", ";": " "})


def integers(text: str, what: str) -> NDArray[np.int32]:
    """The whole numbers of this text.

    Args:
        text: numbers between blanks, commas or semicolons.
        what: whose samples these are, for the message of an error.

    Raises:
        DamagedRecording: something in it is no number, or beyond 32 bits.
    """
    values, places = decimals(text, what)
    if places:
        raise DamagedRecording(f"the samples of {what} are not whole numbers")
    return values


def decimals(text: str, what: str) -> tuple[NDArray[np.int32], int]:
    """The numbers of this text as integers, and how many decimal places they were multiplied by.

    >>> decimals("1.5 -2, 0.25", "lead I")[0].tolist(), decimals("1.5 -2, 0.25", "lead I")[1]
    ([150, -200, 25], 2)
    """
    if not text.isascii() or "_" in text:
        raise DamagedRecording(f"the samples of {what} hold something that is no number")
    if _EMPTY_PLACE.search(text):
        raise DamagedRecording(f"a sample of {what} is missing between two commas; export the recording again")
    if "." not in text and "e" not in text and "E" not in text:
        parts = [_whole(tokens, what) for tokens in _pieces(text)]
        return (np.concatenate(parts) if parts else np.empty(0, np.int32)), 0
    places = max((_places(token, what) for tokens in _pieces(text) for token in tokens), default=0)
    parts = [_scaled(tokens, places, what) for tokens in _pieces(text)]
    return (np.concatenate(parts) if parts else np.empty(0, np.int32)), places


def smallest(samples: NDArray[np.int32]) -> Samples:
    """The same samples in 16 bits where they fit."""
    if samples.size == 0 or (samples.min() >= INT16.min and samples.max() <= INT16.max):
        return samples.astype(np.int16)
    return samples


def _pieces(text: str) -> Iterator[list[str]]:
    start = 0
    while start < len(text):
        stop = start + PIECE_CHARACTERS
        while stop < len(text) and not (text[stop].isspace() or text[stop] in ",;"):
            stop += 1
            if stop - start > PIECE_CHARACTERS + 64:
                raise DamagedRecording("a number of more than 64 digits is no sample")
        yield text[start:stop].translate(_BLANKS).split()
        start = stop


def _whole(tokens: list[str], what: str) -> NDArray[np.int32]:
    try:
        values = np.fromiter(map(int, tokens), np.int64, len(tokens))
    except (ValueError, OverflowError):
        raise DamagedRecording(f"the samples of {what} hold something that is no sample") from None
    return _in_range(values, what)


def _places(token: str, what: str) -> int:
    mantissa, _, exponent = token.lower().partition("e")
    try:
        places = len(mantissa.partition(".")[2]) - int(exponent or 0)
    except ValueError:
        raise DamagedRecording(f"the samples of {what} hold something that is no number") from None
    return min(max(places, 0), MAX_DECIMAL_PLACES)


def _scaled(tokens: list[str], places: int, what: str) -> NDArray[np.int32]:
    try:
        values = np.fromiter(map(float, tokens), np.float64, len(tokens))
    except ValueError:
        raise DamagedRecording(f"the samples of {what} hold something that is no number") from None
    if not np.isfinite(values).all():
        raise DamagedRecording(f"the samples of {what} hold something that is no number")
    return _in_range(np.rint(values * 10.0**places), what)


def _in_range(values: NDArray[np.int64] | NDArray[np.float64], what: str) -> NDArray[np.int32]:
    if values.size and (values.min() < INT32.min or values.max() > INT32.max):
        raise DamagedRecording(f"the samples of {what} are beyond 32 bits, more than any recorder resolves")
    return values.astype(np.int32)
