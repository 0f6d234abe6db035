"""Mutation without coverage: bits, numbers, pieces cut, doubled and exchanged between seeds."""

import random
from typing import Final

NUMBERS: Final = (
    b"\0", b"\xff", b"\x7f", b"\x80", b"\xff\xff", b"\xff\x7f", b"\0\x80", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f",
    b"\0\0\0\x80", b"\0\0\0\0", b"\1\0\0\0", b"99999999", b"-1      ", b"1e308   ", b"nan", b"\xe7\x8e\x8b",
)  # fmt: skip
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
