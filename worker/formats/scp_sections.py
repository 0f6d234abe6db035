"""How does an SCP-ECG record fall into sections, and are they whole? (EN 1064 / ISO 11073-91064 sections 5.1 to 5.3)

A record is a checksum, its length, and sections; section 0 says where the others lie. What devices get wrong and what
is therefore repaired with a warning: checksums, positions counted from 0 instead of 1, lengths that differ between
section 0 and the section itself, bytes after the end of the record.
"""

import binascii
import struct
from dataclasses import dataclass
from typing import Final

from worker.formats.errors import DamagedRecording, TruncatedRecording

PREAMBLE: Final = 6
HEADER: Final = 16
POINTER: Final = 10
MAX_POINTERS: Final = 1024
MIN_POINTERS: Final = 2
HIGHEST_SECTION: Final = 18
"""Sections 13 to 18 came with version 3.0; numbers from 128 (before: from 12) are the manufacturer's own."""
SIGNAL_SECTIONS: Final = frozenset({2, 3, 4, 5, 6, 12})
PROTOCOL_3: Final = 30
LARGE_BYTES: Final = 4 * 1024**2
MAX_OVERLAP: Final = 2
"""Sections whose lengths are wrong may overlap; all of them together have at most this many times the file's bytes."""

_POINTER: Final = struct.Struct("<HII")
_HEADER: Final = struct.Struct("<HHIBB6s")


@dataclass(frozen=True, slots=True)
class Section:
    """One section.

    Attributes:
        body: what follows its 16-byte header.
        protocol: the version of the standard, times ten.
    """

    number: int
    version: int
    protocol: int
    body: bytes

    def u8(self, at: int) -> int:
        """The byte at this place; 0 beyond the end."""
        return self.body[at] if at < len(self.body) else 0

    def u16(self, at: int) -> int:
        """The unsigned 16-bit number at this place; 0 beyond the end."""
        return int.from_bytes(self.body[at : at + 2], "little") if at + 2 <= len(self.body) else 0

    def i16(self, at: int) -> int:
        """The signed 16-bit number at this place; 0 beyond the end."""
        value = self.u16(at)
        return value - 0x10000 if value & 0x8000 else value

    def u32(self, at: int) -> int:
        """The unsigned 32-bit number at this place; 0 beyond the end."""
        return int.from_bytes(self.body[at : at + 4], "little") if at + 4 <= len(self.body) else 0


def crc(data: bytes | memoryview) -> int:
    """The checksum of section 5.2.2: CRC-CCITT, polynomial x^16 + x^12 + x^5 + 1, from all ones.

    >>> hex(crc(b"123456789"))
    '0x29b1'
    """
    return binascii.crc_hqx(data, 0xFFFF)


def looks_like_scp(data: bytes) -> bool:
    """Whether section 0 stands where it must, by its mark or, before version 1.3, by its own pointer."""
    if len(data) < PREAMBLE + HEADER + POINTER * MIN_POINTERS or data[8:10] != b"\0\0":
        return False
    if data[16:22] == b"SCPECG":
        return True
    length = int.from_bytes(data[10:14], "little")
    number, own_length, index = _POINTER.unpack_from(data, PREAMBLE + HEADER)
    plausible = HEADER + POINTER * MIN_POINTERS <= length <= HEADER + POINTER * MAX_POINTERS
    return plausible and (length - HEADER) % POINTER == 0 and number == 0 and index == 7 and own_length == length


def split(data: bytes, warnings: list[str]) -> dict[int, Section]:
    """The sections by number, those without content left out.

    Raises:
        TruncatedRecording: a section lies beyond the end of the file.
        DamagedRecording: there is no table of sections.
    """
    claimed = int.from_bytes(data[2:6], "little")
    if claimed > len(data):
        warnings.append(f"the record says it has {claimed} bytes, the file has {len(data)}")
    elif PREAMBLE + HEADER < claimed < len(data):
        warnings.append(f"{len(data) - claimed} bytes after the end of the record were ignored")
    end = claimed if PREAMBLE + HEADER < claimed <= len(data) else len(data)
    wrong: list[str] = []
    sections: dict[int, Section] = {}
    left = MAX_OVERLAP * len(data)
    for number, length, index in _pointers(data):
        start = _start(data, number, index)
        if start is None:
            if number <= HIGHEST_SECTION and number not in sections:
                _missing(number, warnings, cut=index - 1 + HEADER > len(data))
            continue
        left -= min(length, len(data) - start)
        if left < 0:
            raise DamagedRecording("the sections of the record lie over one another; send the recording again")
        section = _section(data, start, length, number, warnings, wrong)
        if section is not None and number not in sections:
            sections[number] = section
    if (end <= LARGE_BYTES or wrong) and crc(memoryview(data)[2:end]) != int.from_bytes(data[:2], "little"):
        wrong.insert(0, "the record")  # of a day's record, the sections' own sums say the same
    if wrong:
        warnings.append(
            f"the checksum of {', '.join(wrong[:20])} is wrong: the file was changed after it was written, "
            "or the device computes checksums differently"
        )
    return sections


def _pointers(data: bytes) -> list[tuple[int, int, int]]:
    length = int.from_bytes(data[10:14], "little")
    count = min((min(length, len(data) - PREAMBLE) - HEADER) // POINTER, MAX_POINTERS)
    if count < MIN_POINTERS:
        raise DamagedRecording("the table of sections is empty; send the recording again")
    found = [_POINTER.unpack_from(data, PREAMBLE + HEADER + POINTER * place) for place in range(count)]
    return [(number, length, index) for number, length, index in found if length > HEADER and number and index]


def _start(data: bytes, number: int, index: int) -> int | None:
    """Where the section's header is: positions count from 1, some devices count from 0."""
    for start in (index - 1, index):
        if start + HEADER <= len(data) and int.from_bytes(data[start + 2 : start + 4], "little") == number:
            return start
    return None


def _missing(number: int, warnings: list[str], *, cut: bool) -> None:
    """A section that is not where the table says: without it there may be no ECG, or only fewer words about it."""
    if number in SIGNAL_SECTIONS:
        if cut:
            raise TruncatedRecording(f"section {number} lies beyond the end of the file; send the recording again")
        raise DamagedRecording(f"section {number} is not where the record says; send the recording again")
    warnings.append(f"section {number} is not where the record says and was left out")


def _section(
    data: bytes, start: int, length: int, number: int, warnings: list[str], wrong: list[str]
) -> Section | None:
    stored, _, own_length, version, protocol, _ = _HEADER.unpack_from(data, start)
    if own_length != length:
        shorter = min(own_length, length) if own_length > HEADER else length
        warnings.append(f"section {number} has {length} bytes by the table and {own_length} by itself; read {shorter}")
        length = shorter
    if start + length > len(data):
        if number <= HIGHEST_SECTION:
            _missing(number, warnings, cut=True)
        return None
    if stored != crc(memoryview(data)[start + 2 : start + length]):
        wrong.append(f"section {number}")
    return Section(number, version, protocol, data[start + HEADER : start + length])
