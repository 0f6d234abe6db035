"""How do the bytes of a DICOM object fall into elements? (PS3.5 section 7, PS3.10 section 7, PS3.5 annex A)

A reader for waveform objects alone: it notes where each element lies and interprets a value when asked. pydicom, the
oracle of the tests, needs 15 ms for the objects that this reads in 2 ms, and promises nothing about hostile input; here
every count is checked against the bytes that are there, nesting and the number of elements are limited, and no value is
ever copied unasked.
"""

import struct
import zlib
from typing import Final, NamedTuple

from worker.formats.errors import DamagedRecording, TooLargeRecording, TruncatedRecording, UnsupportedRecording
from worker.mapped import Buffer

UNDEFINED: Final = 0xFFFFFFFF
ITEM: Final = 0xFFFEE000
ITEM_END: Final = 0xFFFEE00D
SEQUENCE_END: Final = 0xFFFEE0DD

MAX_DEPTH: Final = 12
"""The deepest standard waveform object nests five sequences."""
MAX_ELEMENTS: Final = 300_000
"""200 times what a resting ECG with a full set of annotations has; about 150 MB of bookkeeping at the worst."""
MAX_INFLATED_BYTES: Final = 64 * 1024**2
"""Deflated objects are recordings of minutes; a file that inflates beyond this is a bomb."""
MAX_VALUES: Final = 4096

TRAILING_PADDING: Final = 0xFFFCFFFC

IMPLICIT_LE: Final = "1.2.840.10008.1.2"
EXPLICIT_LE: Final = "1.2.840.10008.1.2.1"
DEFLATED_LE: Final = "1.2.840.10008.1.2.1.99"
EXPLICIT_BE: Final = "1.2.840.10008.1.2.2"


class Syntax(NamedTuple):
    """How the elements of an object are written."""

    explicit: bool
    order: str
    head: struct.Struct
    """group, element, the two letters of the VR, 16-bit length (explicit only)."""
    long: struct.Struct
    item: struct.Struct
    long_vrs: frozenset[int]
    """VRs (two letters read as one number) whose length has 32 bits (PS3.5 table 7.1-1)."""
    sequence_vrs: frozenset[int]
    unknown_vr: int


def _syntax(explicit: bool, order: str) -> Syntax:
    def number(vr: bytes) -> int:
        return int(struct.unpack(f"{order}H", vr)[0])

    long_vrs = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
    return Syntax(
        explicit,
        order,
        struct.Struct(f"{order}HHHH"),
        struct.Struct(f"{order}I"),
        struct.Struct(f"{order}HHI"),
        frozenset(number(vr) for vr in long_vrs),
        frozenset({number(b"SQ"), number(b"UN")}),
        number(b"UN"),
    )


EXPLICIT: Final = _syntax(explicit=True, order="<")
EXPLICIT_BIG: Final = _syntax(explicit=True, order=">")
IMPLICIT: Final = _syntax(explicit=False, order="<")
"""Also the syntax inside an unknown (UN) sequence of undefined length, PS3.5 section 6.2.2 note."""


class DataSet:
    """The elements of one object or item, by tag (group << 16 | element)."""

    __slots__ = ("_items", "budget", "buffer", "depth", "places", "syntax", "unknown")

    def __init__(self, buffer: Buffer, syntax: Syntax, depth: int, budget: list[int]) -> None:
        self.buffer = buffer
        self.syntax = syntax
        self.places: dict[int, slice] = {}  # where the values lie: the cheapest pair there is
        self.unknown: set[int] = set()
        self._items: dict[int, list[DataSet]] = {}
        self.depth = depth
        self.budget = budget

    def keep_items(self, tag: int, items: list["DataSet"]) -> None:
        """Remember the items of a sequence whose end had to be found by reading it."""
        self._items[tag] = items

    def __contains__(self, tag: int) -> bool:
        return tag in self.places

    def raw(self, tag: int) -> bytes:
        """The element's bytes; empty where it is absent."""
        place = self.places.get(tag)
        return b"" if place is None else bytes(self.buffer[place])

    def view(self, tag: int) -> memoryview:
        """The element's bytes without a copy of them; empty where it is absent."""
        return memoryview(self.buffer)[self.places.get(tag, slice(0, 0))]

    def ascii(self, tag: int) -> str:
        """The first value of an element of the default repertoire (CS, UI, DS, IS, DA, TM, DT, AS, SH codes)."""
        return self.raw(tag).split(b"\\", 1)[0].decode("latin-1").strip(" \0\t\r\n")

    def decimal(self, tag: int) -> float | None:
        """The first value of a decimal or integer string (DS, IS); None where it is absent or no finite number."""
        text = self.ascii(tag)
        if not text:  # most of what a channel may say is absent: an exception costs three times as much as the look
            return None
        try:
            value = float(text)
        except ValueError:
            return None
        return value if abs(value) < 1e300 else None

    def unsigned(self, tag: int) -> int | None:
        """The first value of a binary unsigned integer (US, UL), by its length."""
        raw = self.raw(tag)
        if len(raw) == 2:
            return int(struct.unpack_from(f"{self.syntax.order}H", raw)[0])
        if len(raw) >= 4:
            return int(struct.unpack_from(f"{self.syntax.order}I", raw)[0])
        return None

    def unsigned_all(self, tag: int, size: int) -> list[int]:
        """All values of a US (size 2) or UL (size 4) element, at most ``MAX_VALUES``."""
        raw = self.raw(tag)[: MAX_VALUES * size]
        count = len(raw) // size
        return list(struct.unpack_from(f"{self.syntax.order}{count}{'H' if size == 2 else 'I'}", raw))

    def items(self, tag: int) -> list["DataSet"]:
        """The items of a sequence; none where it is absent."""
        if tag in self._items:
            return self._items[tag]
        place = self.places.get(tag)
        if place is None:
            return []
        if self.depth >= MAX_DEPTH:
            raise DamagedRecording(f"the DICOM object nests sequences deeper than {MAX_DEPTH}; ask for a new export")
        syntax = self.syntax
        if tag in self.unknown:
            syntax = _inside_unknown(self.buffer, place.start, place.stop, syntax)
        found, _ = _read_items(self.buffer, place.start, place.stop, syntax, self.depth + 1, self.budget)
        self._items[tag] = found
        return found


def parse(data: Buffer) -> tuple[DataSet, str]:
    """The object's data set and its transfer syntax UID.

    Raises:
        DamagedRecording: the elements contradict the standard.
        TruncatedRecording: an element reaches beyond the end of the file.
        UnsupportedRecording: the transfer syntax is none of those for waveforms.
        TooLargeRecording: it inflates or falls into more elements than the limits allow.
    """
    start, uid = _file_meta(data)
    if uid == DEFLATED_LE:
        data, start = _inflate(data[start:]), 0
    elif uid not in (IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE):
        raise UnsupportedRecording(
            f"the DICOM transfer syntax {uid} carries no waveforms; set the device to Explicit Little Endian"
        )
    syntax = {IMPLICIT_LE: IMPLICIT, EXPLICIT_BE: EXPLICIT_BIG}.get(uid, EXPLICIT)
    data_set = DataSet(data, syntax, 0, [MAX_ELEMENTS])
    _read_elements(data_set, start, len(data), ends_with_item=False)
    return data_set, uid


def _file_meta(data: Buffer) -> tuple[int, str]:
    """(where the data set starts, transfer syntax UID); objects stored without the PS3.10 header are guessed."""
    start = 132 if data[128:132] == b"DICM" else 0
    meta = DataSet(data, EXPLICIT, 0, [MAX_ELEMENTS])
    at = start
    while data[at : at + 2] == b"\x02\x00":
        tag, begin, length, _ = _next(EXPLICIT, data, at, len(data))
        at = begin + length
        if at > len(data):
            raise DamagedRecording("the DICOM file header is damaged; ask for a new export")
        meta.places[tag] = slice(begin, at)
    if uid := meta.ascii(0x00020010):
        return at, uid
    if data[at : at + 2] == b"\x00\x08":
        return at, EXPLICIT_BE
    vr = bytes(data[at + 4 : at + 6])
    explicit = vr.isalpha() and vr.isupper()
    return at, EXPLICIT_LE if explicit else IMPLICIT_LE


def _inflate(data: Buffer) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(data, MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise DamagedRecording(f"the deflated DICOM object is damaged ({error}); ask for a new export") from None
    if inflater.unconsumed_tail:
        raise TooLargeRecording(
            f"the deflated DICOM object grows beyond {MAX_INFLATED_BYTES // 1024**2} MB and was not opened"
        )
    return inflated


def _next(syntax: Syntax, buffer: Buffer, at: int, stop: int) -> tuple[int, int, int, bool]:
    """(tag, start of the value, its length, whether its items are implicit) of the element at ``at``."""
    explicit, head, long = syntax.explicit, syntax.head, syntax.long
    if at + 8 > stop:
        raise TruncatedRecording(
            "the DICOM file ends inside an element: the transfer was cut; send the recording again"
        )
    group, element, vr, length = head.unpack_from(buffer, at)
    tag = group << 16 | element
    if not explicit or group == 0xFFFE:
        length = long.unpack_from(buffer, at + 4)[0]
        return tag, at + 8, length, not explicit
    if vr not in syntax.long_vrs:
        return tag, at + 8, length, False
    if at + 12 > stop:
        raise TruncatedRecording(
            "the DICOM file ends inside an element: the transfer was cut; send the recording again"
        )
    length = long.unpack_from(buffer, at + 8)[0]
    if length == UNDEFINED and vr not in syntax.sequence_vrs:
        raise UnsupportedRecording(
            f"the DICOM element ({group:04X},{element:04X}) is compressed; set the device to uncompressed"
        )
    return tag, at + 12, length, vr == syntax.unknown_vr


def _read_elements(data_set: DataSet, at: int, stop: int, *, ends_with_item: bool) -> int:
    """Fill ``data_set`` from ``at`` on; returns where it ended."""
    budget, places, buffer, syntax = data_set.budget, data_set.places, data_set.buffer, data_set.syntax
    while at < stop:
        tag, start, length, implicit = _next(syntax, buffer, at, stop)
        if tag == ITEM_END and ends_with_item:
            return start
        if tag == TRAILING_PADDING or tag >> 16 in (0, 0xFFFE):
            if not ends_with_item and tag != ITEM:
                return stop  # padding after the last element (PS3.10 section 7.2)
            raise DamagedRecording("the DICOM items are out of order; ask for a new export")
        budget[0] -= 1
        if budget[0] < 0:
            raise TooLargeRecording(f"the DICOM object has more than {MAX_ELEMENTS} elements and was not read")
        if length == UNDEFINED:
            inside = _inside_unknown(buffer, start, stop, syntax) if implicit and syntax.explicit else syntax
            found, at = _read_items(buffer, start, stop, inside, data_set.depth + 1, budget, until_end_mark=True)
            data_set.keep_items(tag, found)
            places[tag] = slice(start, at)
        elif start + length > stop:
            raise TruncatedRecording(
                f"the DICOM element {tag:08X} claims {length} bytes, more than the file holds: "
                "the transfer was cut; send the recording again"
            )
        else:
            at = start + length
            places[tag] = slice(start, at)
            if implicit and syntax.explicit:
                data_set.unknown.add(tag)
    if ends_with_item:
        raise TruncatedRecording(
            "the DICOM file ends inside a sequence: the transfer was cut; send the recording again"
        )
    return at


def _inside_unknown(buffer: Buffer, start: int, stop: int, syntax: Syntax) -> Syntax:
    """How the items of an unknown (UN) element are written: implicitly (PS3.5 section 6.2.2), or as all the rest is."""
    vr = bytes(buffer[start + 12 : min(start + 14, stop)])
    return syntax if vr.isalpha() and vr.isupper() else IMPLICIT


def _read_items(
    buffer: Buffer, at: int, stop: int, syntax: Syntax, depth: int, budget: list[int], *, until_end_mark: bool = False
) -> tuple[list[DataSet], int]:
    """The items from ``at`` on and where the sequence ended."""
    found: list[DataSet] = []
    head = syntax.item
    while at < stop:
        if at + 8 > stop:
            raise TruncatedRecording(
                "the DICOM file ends inside a sequence: the transfer was cut; send the recording again"
            )
        group, element, length = head.unpack_from(buffer, at)
        tag = group << 16 | element
        at += 8
        if tag == SEQUENCE_END:
            return found, at
        if tag != ITEM:
            raise DamagedRecording(
                f"({group:04X},{element:04X}) stands where an item of a DICOM sequence should; ask for a new export"
            )
        budget[0] -= 1
        if budget[0] < 0:
            raise TooLargeRecording(f"the DICOM object has more than {MAX_ELEMENTS} elements and was not read")
        item = DataSet(buffer, syntax, depth, budget)
        if length == UNDEFINED:
            at = _read_elements(item, at, stop, ends_with_item=True)
        else:
            if at + length > stop:
                raise TruncatedRecording(
                    "a DICOM item claims more bytes than the file holds: the transfer was cut; send it again"
                )
            _read_elements(item, at, at + length, ends_with_item=False)
            at += length
        found.append(item)
    if until_end_mark:
        raise TruncatedRecording(
            "the DICOM file ends inside a sequence: the transfer was cut; send the recording again"
        )
    return found, at
