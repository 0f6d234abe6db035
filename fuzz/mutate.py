"""How is a recording changed? Bits, numbers, pieces cut, doubled and exchanged between seeds; in texts also words."""

import random
import re
from typing import Final

NUMBERS: Final = (
    b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff", b"\xff\x7f", b"\0\x80", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f",
    b"\0\0\0\x80", b"\0\0\0\0", b"\1\0\0\0", b"99999999", b"-1      ", b"1e308   ", b"nan", b"\xe7\x8e\x8b",
)  # fmt: skip
WORDS: Final = (
    b"", b"0", b"-1", b"1", b"2", b"65536", b"2147483648", b"4294967296", b"9" * 30, b"1e308", b"1e-308", b"1e999",
    b"NaN", b"-0.0", b"0.00000001", b"1,5", b"true", b"null", b"00000000", b"29991231235959", b"99991231", b"I", b"II",
    b"V1", b"\xe7\x8e\x8b", b"\xff", b"\0", b"&lt;", b"]]>", b"<x>", b'"', b"'", b",", b";", b"|", b"-", b"[[",
    b"A" * 300, b"mV", b"s", b"ms", b"Base64", b"Hex", b"Plain", b"XLI",
)  # fmt: skip
_WORD: Final = re.compile(rb"[+-]?\d[\d.,:eE+-]*|[A-Za-z_][\w.-]*")
_PIECE: Final = re.compile(rb"<([A-Za-z:_]+)\b[^<>]*(?:/>|>[^<]*</\1>)|\{[^{}]*\}|[\r\n][^\r\n]+")
"""What can be taken out, doubled or moved and leaves the rest well-formed: an element, an object, a line."""
_MANY: Final = (2, 2, 3, 70)
HEAD_BYTES: Final = 1024
"""Headers are where the decisions are: half of the mutations go there."""


def mutate(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """The data with one to eight changes."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
        if not out:
            out += rng.randbytes(rng.randint(1, 64))
        at = rng.randrange(min(len(out), HEAD_BYTES) if rng.random() < 0.5 else len(out))
        kind = rng.randrange(8)
        if kind <= 1:
            out[at] ^= 1 << rng.randrange(8)
        elif kind == 2:
            out[at] = rng.randrange(256)
        elif kind == 3:
            number = rng.choice(NUMBERS)
            out[at : at + len(number)] = number
        elif kind == 4:
            del out[at : at + rng.choice((1, 2, 4, 16, 256, len(out)))]
        elif kind == 5:
            out[at:at] = out[at : at + rng.choice((1, 2, 8, 64))] * rng.choice((1, 2, 50))
        elif kind == 6:
            out[at:at] = rng.randbytes(rng.choice((1, 2, 4, 32)))
        else:
            other = rng.choice(others)
            start = rng.randrange(len(other) or 1)
            out[at : at + rng.choice((4, 64, 512))] = other[start : start + rng.choice((4, 64, 512))]
    return bytes(out)


def mutate_text(data: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """The text with one to four words or pieces changed, so that most of it stays well-formed."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        expression = _PIECE if rng.random() < 0.4 else _WORD
        spans = [found.span() for found in expression.finditer(data)]
        if not spans:
            return mutate(data, others, rng)
        start, stop = rng.choice(spans)
        if expression is _WORD:
            if rng.random() < 0.5:
                new = rng.choice(WORDS)
            else:
                first, last = rng.choice(spans)
                new = data[first:last]
        else:
            kind = rng.randrange(4)
            first, last = rng.choice(spans)
            new = (b"", data[start:stop] * rng.choice(_MANY), data[first:last], data[start:stop] + data[first:last])[
                kind
            ]
        data = data[:start] + new + data[stop:]
    return data
