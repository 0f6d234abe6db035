"""What integers does a text of samples hold? Written as numbers between blanks, commas or semicolons.

Exact and bounded: a piece of the text at a time, anything that is no number is said. Samples written with decimals
become integers of a finer step, as many places as the longest has; only beyond nine places, or what 32 bits hold of the
largest, are they rounded.

numpy reads the numbers, at a fifth of what Python's ``int`` and ``float`` take; but it stops in silence at what it does
not understand and takes ``5-3`` for two numbers. So what may stand where is looked at before, byte by byte.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from worker.formats.errors import DamagedRecording
from worker.recording import Samples

PIECE_CHARACTERS: Final = 1 << 18
"""At a time: it stays within a processor's cache."""
MAX_NUMBER_CHARACTERS: Final = 64
MAX_DECIMAL_PLACES: Final = 9
INT32: Final = np.iinfo(np.int32)
INT16: Final = np.iinfo(np.int16)

_DIGIT, _BLANK, _COMMA, _SIGN, _DOT, _LETTER, _OTHER = range(7)
_KINDS: Final = np.full(256, _OTHER, np.uint8)
_KINDS[list(b"0123456789")] = _DIGIT
_KINDS[list(b" \t\r\n\v\f")] = _BLANK
_KINDS[list(b",;")] = _COMMA
_KINDS[list(b"+-")] = _SIGN
_KINDS[list(b".")] = _DOT
_KINDS[list(b"eE")] = _LETTER
_BLANKS: Final = bytes.maketrans(b",;", b"  ")
_WITH_EXPONENTS: Final = re.compile(rb"\s*+(?:[+-]?+(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?+\d++)?+(?:\s++|\Z))*+")
_EXACT: Final = 1e-12
"""Relative: a decimal times its power of ten is this near to a whole number."""


@dataclass(frozen=True, eq=False, slots=True)
class _Piece:
    """The numbers of a piece of the text.

    Attributes:
        values: int32, or float64 where any is written with a point or an exponent.
        places: of the longest; None where exponents hide it.
        absent: which of them stands for a sample that was not measured; None where none does.
    """

    values: NDArray[Any]
    places: int | None
    absent: NDArray[np.bool_] | None


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
    values, places, _ = decimals_or_absent(text, what, "")
    return values, places


def decimals_or_absent(text: str, what: str, words: str) -> tuple[NDArray[np.int32], int, NDArray[np.bool_] | None]:
    """The same where some of these letters may stand alone for a sample that was not measured.

    Returns:
        the numbers, 0 where there is none; the decimal places; which are absent, or None where none is.
    """
    numbers = Numbers(what, words)
    numbers.add(text)
    return numbers.whole()


class Numbers:
    """Numbers of one lead, gathered from one text after another."""

    def __init__(self, what: str, words: str = "") -> None:
        self.what = what
        self._words = words.encode("ascii")
        self._pieces: list[_Piece] = []

    def add(self, text: str) -> int:
        """Take in the numbers of this text; returns how many.

        Raises:
            DamagedRecording: something in it is no number, or beyond 32 bits; then none was taken in.
        """
        if not text.isascii():
            raise DamagedRecording(f"the samples of {self.what} hold something that is no number")
        pieces = list(_pieces(text, self.what, self._words))
        self._pieces += pieces
        return sum(piece.values.size for piece in pieces)

    def whole(self) -> tuple[NDArray[np.int32], int, NDArray[np.bool_] | None]:
        """The numbers as integers, their decimal places, and which are absent, as :func:`decimals_or_absent` has it."""
        pieces = self._pieces
        places = _places(pieces) if any(piece.places != 0 for piece in pieces) else 0
        values = np.empty(sum(piece.values.size for piece in pieces), np.int32)
        absent = np.zeros(values.size, np.bool_) if any(piece.absent is not None for piece in pieces) else None
        at = 0
        for piece in pieces:
            place = slice(at, at + piece.values.size)
            whole = piece.values.dtype.kind == "i" and not places
            values[place] = piece.values if whole else np.rint(piece.values * 10.0**places)
            if absent is not None and piece.absent is not None:
                absent[place] = piece.absent
            at += piece.values.size
        return values, places, absent


def smallest(samples: NDArray[np.int32]) -> Samples:
    """The same samples in 16 bits where they fit."""
    if samples.size == 0 or (samples.min() >= INT16.min and samples.max() <= INT16.max):
        return samples.astype(np.int16)
    return samples


def _pieces(text: str, what: str, words: bytes) -> Iterator[_Piece]:
    """The text in pieces that end between two numbers, each looked through."""
    start = 0
    after_comma = False
    while start < len(text):
        stop = start + PIECE_CHARACTERS
        while stop < len(text) and not (text[stop].isspace() or text[stop] in ",;"):
            stop += 1
            if stop - start > PIECE_CHARACTERS + MAX_NUMBER_CHARACTERS:
                raise DamagedRecording(f"a number of more than {MAX_NUMBER_CHARACTERS} digits is no sample")
        raw = text[start:stop].encode("ascii")
        kinds = _KINDS[np.frombuffer(raw, np.uint8)]
        after_comma = _check_commas(kinds, what, after_comma=after_comma)
        kinds[kinds == _COMMA] = _BLANK
        yield _piece(raw.translate(_BLANKS), kinds, what, words)
        start = stop


def _check_commas(kinds: NDArray[np.uint8], what: str, *, after_comma: bool) -> bool:
    """Whether the last sign but blanks is a comma; two with no number between them would move all samples behind."""
    signs = kinds[kinds != _BLANK] == _COMMA
    if signs.size == 0:
        return after_comma
    if (after_comma and signs[0]) or (signs[1:] & signs[:-1]).any():
        raise DamagedRecording(f"a sample of {what} is missing between two commas; export the recording again")
    return bool(signs[-1])


def _piece(data: bytes, kinds: NDArray[np.uint8], what: str, words: bytes) -> _Piece:
    blank = kinds == _BLANK
    before = np.concatenate([[True], blank[:-1]])
    behind = np.concatenate([blank[1:], [True]])
    starts = before & ~blank
    count = int(np.count_nonzero(starts))
    absent = None
    if words and (alone := starts & behind & _is_one_of(words)[np.frombuffer(data, np.uint8)]).any():
        absent = alone[starts]
        changed = np.frombuffer(data, np.uint8).copy()
        changed[alone] = ord("0")
        data = changed.tobytes()
        kinds = np.where(alone, _DIGIT, kinds)
    if (kinds == _OTHER).any():
        raise DamagedRecording(f"the samples of {what} hold something that is no number")
    if (kinds == _LETTER).any():
        if not _WITH_EXPONENTS.fullmatch(data):
            raise DamagedRecording(f"the samples of {what} hold something that is no number")
        return _Piece(_numbers(data, count, np.float64, what), None, absent)
    signs = kinds == _SIGN
    number = (kinds == _DIGIT) | (kinds == _DOT)
    followed = np.concatenate([number[1:], [False]])
    dots = np.flatnonzero(kinds == _DOT)
    places = _behind_points(dots, kinds, starts, np.flatnonzero(behind & ~blank)) if dots.size else 0
    if (signs & ~(before & followed)).any() or places is None:
        raise DamagedRecording(f"the samples of {what} hold something that is no number")
    return _Piece(_numbers(data, count, np.float64 if dots.size else np.int64, what), places, absent)


@cache
def _is_one_of(words: bytes) -> NDArray[np.bool_]:
    """Of every byte, whether it is one of these."""
    flags = np.zeros(256, np.bool_)
    flags[list(words)] = True
    return flags


def _behind_points(
    dots: NDArray[np.intp], kinds: NDArray[np.uint8], starts: NDArray[np.bool_], lasts: NDArray[np.intp]
) -> int | None:
    """The most digits behind a point; None where one stands beside no digit, or a number has two.

    Args:
        dots: where the points are.
        starts: whether a number starts at each sign.
        lasts: where the last sign of each number is.
    """
    digits = np.pad(kinds == _DIGIT, 1)
    of_number = np.cumsum(starts, dtype=np.int32)[dots] - 1
    if not (digits[dots] | digits[dots + 2]).all() or (of_number[1:] == of_number[:-1]).any():
        return None
    return int((lasts[of_number] - dots).max())


def _numbers(data: bytes, count: int, kind: Any, what: str) -> NDArray[Any]:
    """The numbers between blanks, all within 32 bits."""
    values: NDArray[Any] = np.fromstring(data, kind, sep=" ") if count else np.empty(0, kind)
    if values.size != count:
        raise DamagedRecording(f"the samples of {what} hold something that is no number")
    if count and not (values.min() >= INT32.min and values.max() <= INT32.max):
        raise DamagedRecording(f"the samples of {what} are beyond 32 bits, more than any recorder resolves")
    return values if kind is np.float64 else values.astype(np.int32)


def _places(pieces: list[_Piece]) -> int:
    """As many decimal places as the numbers have and 32 bits hold."""
    needed = max(_by_value(piece.values) if piece.places is None else piece.places for piece in pieces)
    most = max(abs(float(end)) for one in pieces if one.values.size for end in (one.values.min(), one.values.max()))
    places = min(needed, MAX_DECIMAL_PLACES)
    while places and most * 10.0**places > INT32.max:
        places -= 1
    return places


def _by_value(values: NDArray[np.float64]) -> int:
    """How many decimal places numbers have that were written with exponents."""
    for places in range(MAX_DECIMAL_PLACES):
        scaled = values * 10.0**places
        if (np.abs(scaled - np.rint(scaled)) <= _EXACT * np.abs(scaled)).all():
            return places
    return MAX_DECIMAL_PLACES
