"""How are the samples of an SCP-ECG lead unpacked? (EN 1064 / ISO 11073-91064 sections 5.5, 5.8.4, annex C)

Section 2 names the default table or brings tables of the device's own, between which a code may switch. Decoding goes
by 16 bits at a time: what a window of 16 bits holds is worked out once and remembered, so that a sample costs about
0.1 µs. ecgdatakit 2.0, second opinion in the tests, goes bit by bit and needs 40 times as long.
"""

import struct
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.formats.errors import DamagedRecording

DEFAULT: Final = 19999
MAX_TABLES: Final = 16
MAX_WINDOWS: Final = 32_768
"""Windows remembered a table: 16 tables of a hostile file then stay under 150 MB."""
MAX_CODES: Final = 4096
MAX_SWITCHES: Final = 100_000
"""In one lead: ten times what a switch at every sample of ten seconds makes."""
MAX_PREFIX: Final = 32
MAX_EXTRA: Final = 32
WINDOW: Final = 16

_CODE: Final = struct.Struct("<BBBhI")


@dataclass(frozen=True, slots=True)
class Code:
    """One code: its prefix as a number, first bit highest, and what it stands for."""

    prefix: int
    prefix_bits: int
    extra_bits: int
    value: int
    switch: bool


class Window(NamedTuple):
    """What 16 bits hold.

    Attributes:
        used: bits of the codes in it, with the prefix of a last code whose ``extra_bits`` follow.
        table: number of the table to go on with, from 0.
    """

    values: tuple[int, ...]
    used: int
    extra_bits: int
    base: int
    table: int


@dataclass(slots=True)
class Table:
    """One Huffman table, with what its windows were found to hold."""

    codes: dict[tuple[int, int], Code]
    lengths: tuple[int, ...]
    windows: dict[int, Window] = field(default_factory=dict)


def _table(codes: list[Code]) -> Table:
    return Table(
        {(code.prefix_bits, code.prefix): code for code in codes}, tuple(sorted({code.prefix_bits for code in codes}))
    )


@cache
def default_tables() -> list[Table]:
    """The table of annex C: 0 is ``0``; ±n is n ones, a zero and the sign; then 8 or 16 bits as they are.

    Made once a process: the windows that one file filled serve the next (20 MB at the most).
    """
    codes = [Code(0, 1, 0, 0, switch=False)]
    for size in range(1, 9):
        ones = ((1 << size) - 1) << 2
        codes += [
            Code(ones, size + 2, 0, size, switch=False),
            Code(ones | 1, size + 2, 0, -size, switch=False),
        ]
    codes += [Code(0b1111111110, 10, 8, 0, switch=False), Code(0b1111111111, 10, 16, 0, switch=False)]
    return [_table(codes)]


def read_tables(body: bytes, warnings: list[str]) -> list[Table] | None:
    """The tables of section 2; None where it says that nothing is packed.

    Raises:
        DamagedRecording: the tables are incomplete or ambiguous.
    """
    count = int.from_bytes(body[:2], "little")
    if count == DEFAULT:
        return default_tables()
    if count == 0:
        return None
    if count > MAX_TABLES:
        raise DamagedRecording(f"section 2 announces {count} Huffman tables, more than any device has")
    tables = []
    at = 2
    for number in range(1, count + 1):
        n_codes = int.from_bytes(body[at : at + 2], "little")
        at += 2
        if not 0 < n_codes <= MAX_CODES or at + n_codes * _CODE.size > len(body):
            raise DamagedRecording(f"Huffman table {number} of section 2 is incomplete")
        entries = [_CODE.unpack_from(body, at + place * _CODE.size) for place in range(n_codes)]
        at += n_codes * _CODE.size
        tables.append(_own_table(entries, number, count, warnings))
    return tables


def _own_table(entries: list[tuple[int, ...]], number: int, count: int, warnings: list[str]) -> Table:
    """A table of the device's own; its codes stand last bit first, and in some files first bit first."""
    reverse = [_own_code(entry, number, count, reverse=True) for entry in entries]
    if _prefix_free(reverse):
        return _table(reverse)
    straight = [_own_code(entry, number, count, reverse=False) for entry in entries]
    if not _prefix_free(straight):
        raise DamagedRecording(f"the codes of Huffman table {number} contradict one another")
    warnings.append(f"the codes of Huffman table {number} stand first bit first, against the standard")
    return _table(straight)


def _own_code(entry: tuple[int, ...], number: int, count: int, *, reverse: bool) -> Code:
    prefix_bits, bits, mode, value, stored = entry
    prefix_bits, bits = min(prefix_bits, bits), max(prefix_bits, bits)  # some devices swap the two
    if not 1 <= prefix_bits <= MAX_PREFIX or bits - prefix_bits > MAX_EXTRA:
        raise DamagedRecording(f"Huffman table {number} has a code of {prefix_bits} of {bits} bits")
    if mode == 0 and not 1 <= value <= count:
        raise DamagedRecording(f"Huffman table {number} switches to table {value}, of {count}")
    prefix = stored & ((1 << prefix_bits) - 1)
    if reverse:
        prefix = int(f"{prefix:0{prefix_bits}b}"[::-1], 2)
    return Code(prefix, prefix_bits, bits - prefix_bits if mode else 0, value, switch=mode == 0)


def _prefix_free(codes: list[Code]) -> bool:
    words = sorted(f"{code.prefix:0{code.prefix_bits}b}" for code in codes)
    return not any(after.startswith(before) for before, after in pairwise(words))


def unpack(data: bytes, count: int, tables: list[Table]) -> NDArray[np.int64]:
    """The first ``count`` values of a lead; fewer where the bits end before.

    Raises:
        DamagedRecording: bits that are no code.
    """
    n_bits = len(data) * 8
    words = _words(data)
    out: list[int] = []
    table, at, switches = 0, 0, 0
    windows = tables[0].windows
    while len(out) < count and at < n_bits:
        word, shift = words[at >> 3], at & 7
        key = (word >> (24 - shift)) & 0xFFFF
        found = windows.get(key)
        if found is None:
            found = _window(key, table, tables)
            if len(windows) < MAX_WINDOWS:
                windows[key] = found
        used = found.used + found.extra_bits
        if used == 0 or at + used > n_bits:
            step = _one(data, at, tables[table])
            if step is None:
                break
            code, value, used = step
            if not code.switch:
                out.append(value)
            after = code.value - 1 if code.switch else table
        else:
            out += found.values
            if found.extra_bits:
                extra = (word >> (40 - shift - used)) & ((1 << found.extra_bits) - 1)
                out.append(found.base + _signed(extra, found.extra_bits))
            after = found.table
        at += used
        if after != table:
            switches += 1
            if switches > MAX_SWITCHES:
                raise DamagedRecording("a lead changes its Huffman table too often; send the recording again")
            table = after
            windows = tables[table].windows
    return np.array(out[:count], np.int64)


def _words(data: bytes) -> list[int]:
    """The 40 bits from each byte on."""
    padded = np.frombuffer(data + bytes(4), np.uint8).astype(np.int64)
    n = len(data)
    words: list[int] = (
        (padded[:n] << 32) | (padded[1 : n + 1] << 24) | (padded[2 : n + 2] << 16) | (padded[3 : n + 3] << 8)
        | padded[4 : n + 4]
    ).tolist()  # fmt: skip
    return words


def _window(window: int, number: int, tables: list[Table]) -> Window:
    """What these 16 bits hold: whole codes, then perhaps a prefix whose further bits lie beyond."""
    table = tables[number]
    values: list[int] = []
    used = 0
    while used < WINDOW:
        for length in table.lengths:
            if used + length > WINDOW:
                return Window(tuple(values), used, 0, 0, number)
            code = table.codes.get((length, (window >> (WINDOW - used - length)) & ((1 << length) - 1)))
            if code is not None:
                break
        else:
            break
        if code.switch:
            return Window(tuple(values), used + length, 0, 0, code.value - 1)
        if code.extra_bits:
            if code.extra_bits > WINDOW:
                break  # beyond the 40 bits at hand: decoded one by one
            return Window(tuple(values), used + length, code.extra_bits, code.value, number)
        used += length
        values.append(code.value)
    return Window(tuple(values), used, 0, 0, number)


def _one(data: bytes, at: int, table: Table) -> tuple[Code, int, int] | None:
    """(code, value, bits) of the one code at this bit; None where the bits end before it does."""
    piece = int.from_bytes(data[at >> 3 : (at >> 3) + 9].ljust(9, b"\0"), "big")
    left = len(data) * 8 - at
    top = 72 - (at & 7)
    for length in table.lengths:
        if length > left:
            return None
        code = table.codes.get((length, (piece >> (top - length)) & ((1 << length) - 1)))
        if code is not None:
            bits = length + code.extra_bits
            if bits > left:
                return None
            extra = (piece >> (top - bits)) & ((1 << code.extra_bits) - 1)
            return code, code.value + _signed(extra, code.extra_bits), bits
    raise DamagedRecording("a lead holds bits that are no code of its Huffman table; send the recording again")


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if bits and value >> (bits - 1) else value


def undo_differences(values: NDArray[np.int64], order: int) -> NDArray[np.int64]:
    """The samples of which these are the first or second differences (section 5.8.4 and annex C).

    The sums wrap at 16 bits, as they do in the devices that made the differences in 16 bits.
    """
    if order == 1:
        values = np.cumsum(values)
    elif order == 2 and values.size > 1:
        slopes = values.copy()
        slopes[1] -= values[0]
        slopes[0] = 0
        values = values[0] + np.cumsum(np.cumsum(slopes))
    return values.astype(np.int16).astype(np.int64)
