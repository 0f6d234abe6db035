"""How does an MFER file fall into definitions, and which hold for a frame? (ISO 22077-1, ISO/TS 11073-92001 section 5)

A file is a chain of tag, length, value. Definitions hold from where they stand until they are given again; those
within a channel attribute (MWF_ATT) hold for that channel; a frame of samples (MWF_WAV) is read by what holds then.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from worker.formats.errors import DamagedRecording, TooLargeRecording, UnsupportedRecording
from worker.mapped import Buffer

MAX_HELD: Final = 4096
"""Bytes of a definition; what is longer is a note, and nobody reads on."""

ZERO: Final = 0x00
BYTE_ORDER: Final = 0x01
VERSION: Final = 0x02
CHARACTERS: Final = 0x03
BLOCK: Final = 0x04
CHANNELS: Final = 0x05
SEQUENCES: Final = 0x06
POINTER: Final = 0x07
WAVEFORM: Final = 0x08
LEAD: Final = 0x09
DATA_TYPE: Final = 0x0A
INTERVAL: Final = 0x0B
SENSITIVITY: Final = 0x0C
OFFSET: Final = 0x0D
COMPRESSION: Final = 0x0E
FILTER: Final = 0x11
NULL: Final = 0x12
NOTE: Final = 0x16
MANUFACTURER: Final = 0x17
SAMPLES: Final = 0x1E
ATTRIBUTES: Final = 0x3F
PREAMBLE: Final = 0x40
EVENT: Final = 0x41
VALUE: Final = 0x42
SET: Final = 0x67
END: Final = 0x80
PATIENT_NAME: Final = 0x81
PATIENT_ID: Final = 0x82
AGE: Final = 0x83
SEX: Final = 0x84
TIME: Final = 0x85

KNOWN: Final = frozenset({
    *range(0x01, 0x10), FILTER, NULL, 0x15, NOTE, MANUFACTURER, SAMPLES, ATTRIBUTES, PREAMBLE, EVENT, VALUE, 0x43, 0x44,
    0x45, 0x46, SET, *range(0x81, 0x89),
})  # fmt: skip
OF_CHANNEL: Final = frozenset(
    {BLOCK, SEQUENCES, WAVEFORM, LEAD, DATA_TYPE, INTERVAL, SENSITIVITY, OFFSET, NULL, FILTER}
)
"""Definitions that a channel may have for itself."""

MAX_TAGS: Final = 200_000
MAX_DEPTH: Final = 4
MAX_CHANNELS: Final = 512
MAX_TEXTS: Final = 20_000
MAX_LAID_OUT: Final = 400_000
"""A day of three channels that are defined again with each second's frame."""
_NOT_ZERO: Final = re.compile(rb"[^\0]")
_SNIFFED_TAGS: Final = 48
_CORE: Final = frozenset(
    {BYTE_ORDER, BLOCK, CHANNELS, SEQUENCES, WAVEFORM, DATA_TYPE, INTERVAL, SENSITIVITY, ATTRIBUTES, SAMPLES}
)


@dataclass(frozen=True, slots=True)
class Definition:
    """One tag with its value's place."""

    tag: int
    channel: int | None
    start: int
    stop: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A value with the byte order that it was written in."""

    raw: bytes
    big: bool

    def unsigned(self) -> int:
        """The value as an unsigned integer."""
        return int.from_bytes(self.raw, "big" if self.big else "little")

    def signed(self, at: int = 0) -> int:
        """The value from this byte on as a signed integer."""
        return int.from_bytes(self.raw[at:], "big" if self.big else "little", signed=True)


@dataclass(frozen=True, slots=True)
class Frame:
    """One MWF_WAV with the definitions that hold for it, channel by channel."""

    start: int
    stop: int
    big: bool
    channels: tuple[dict[int, Held], ...]
    pointer: int | None
    cut: bool


@dataclass(slots=True)
class Contents:
    """What stands in a file beside its frames: texts and numbers by tag, each with its byte order."""

    frames: list[Frame] = field(default_factory=list)
    others: dict[int, list[Held]] = field(default_factory=dict)


def looks_like_mfer(data: Buffer) -> bool:
    """By the preamble, or by a chain of definitions of which several describe samples."""
    if data[:1] == b"\x40" and data[2:5] == b"MFR":
        return True
    if not data or data[0] not in KNOWN or data[0] in (SAMPLES, ATTRIBUTES):
        return False
    try:
        core = _sniffed(data)
    except DamagedRecording:
        return False
    return len(core) >= (4 if SAMPLES in core else 5)


def _sniffed(data: Buffer) -> set[int]:
    """The definitions of a file's beginning that describe samples; none where one is impossible."""
    core: set[int] = set()
    at = 0
    for _ in range(_SNIFFED_TAGS):
        if at >= len(data) or data[at] == END or SAMPLES in core:
            break
        definition, at = _one(data, at, len(data))
        if definition.tag not in KNOWN or not _plausible(definition, data):
            return set()
        core |= {definition.tag} & _CORE
    return core


def _plausible(definition: Definition, data: Buffer) -> bool:
    """Whether a definition has a size that the standard gives it."""
    size = definition.stop - definition.start
    first = data[definition.start] if size else 0
    match definition.tag:
        case 0x01:
            return size == 0 or (size == 1 and first <= 1)
        case 0x0A:
            return size == 0 or (size == 1 and first <= 9)
        case 0x04 | 0x05 | 0x06 | 0x07:
            return size <= 4
        case 0x0B | 0x0C:
            return size == 0 or 3 <= size <= 6
        case 0x1E:
            return size > 0
    return True


def walk(data: Buffer) -> Contents:
    """All frames and texts of a file.

    Raises:
        UnreadableRecording: one of its family.
    """
    contents = Contents()
    _Reader(data, contents).read(0, len(data), None, 0)
    return contents


@dataclass(slots=True)
class _Reader:
    data: Buffer
    contents: Contents
    big: bool = True
    channels: int = 1
    common: dict[int, Held] = field(default_factory=dict)
    own: dict[int, dict[int, Held]] = field(default_factory=dict)
    pointer: int | None = None
    tags: int = 0
    layout: tuple[dict[int, Held], ...] | None = None
    laid_out: int = 0

    def read(self, start: int, stop: int, channel: int | None, depth: int) -> None:
        """Take in every definition between these places."""
        if depth > MAX_DEPTH:
            raise DamagedRecording("definitions are nested deeper than MFER allows")
        for definition in _definitions(self.data, start, stop):
            self.tags += 1
            if self.tags > MAX_TAGS:
                raise TooLargeRecording(f"the file has more than {MAX_TAGS} definitions")
            if definition.tag == ATTRIBUTES and definition.channel is not None:
                if channel is not None:
                    raise DamagedRecording("a channel's attributes hold another channel's")
                self.read(definition.start, definition.stop, definition.channel, depth + 1)
            elif definition.tag == SET:
                self.read(definition.start, definition.stop, channel, depth + 1)
            else:
                self.layout = None if definition.tag in OF_CHANNEL or definition.tag == CHANNELS else self.layout
                self._take(definition, channel)

    def _take(self, definition: Definition, channel: int | None) -> None:
        tag = definition.tag
        if tag == SAMPLES:
            self._frame(definition)
            return
        held = Held(bytes(self.data[definition.start : min(definition.stop, definition.start + MAX_HELD)]), self.big)
        if tag == BYTE_ORDER:
            if held.raw not in (b"", b"\0", b"\1"):
                raise DamagedRecording("the byte order is neither big nor little")
            self.big = held.raw != b"\1"
        elif tag == CHANNELS and channel is None:
            self.channels = held.unsigned() if held.raw else 1
            if not 0 < self.channels <= MAX_CHANNELS:
                raise DamagedRecording(f"the file announces {self.channels} channels")
            self.own.clear()
        elif tag == POINTER:
            self.pointer = held.unsigned() if held.raw else None
        elif tag == COMPRESSION and held.raw[:2].strip(b"\0"):
            raise UnsupportedRecording("the samples are compressed (MWF_CMP); set the device to export them plain")
        elif tag in OF_CHANNEL:
            target = self.common if channel is None else self.own.setdefault(channel, {})
            if held.raw:
                target[tag] = held
            else:
                target.pop(tag, None)
        if tag not in OF_CHANNEL or tag in (FILTER, WAVEFORM):
            kept = self.contents.others.setdefault(tag, [])
            if len(kept) < MAX_TEXTS:
                kept.append(held)

    def _frame(self, definition: Definition) -> None:
        self.layout = self.layout or self._layout()
        self.contents.frames.append(
            Frame(definition.start, definition.stop, self.big, self.layout, self.pointer, definition.cut)
        )
        self.pointer = None

    def _layout(self) -> tuple[dict[int, Held], ...]:
        """What holds for each channel; made once for all frames until a definition changes it."""
        self.laid_out += self.channels
        if self.laid_out > MAX_LAID_OUT:
            raise TooLargeRecording(f"the definitions of channels change more than {MAX_LAID_OUT} times")
        common = {tag: held for tag, held in self.common.items() if tag != LEAD or self.channels == 1}
        return tuple(common | self.own.get(number, {}) for number in range(self.channels))


def _definitions(data: Buffer, at: int, stop: int) -> Iterator[Definition]:
    while at < stop:
        if data[at] == ZERO:
            found = _NOT_ZERO.search(data, at, stop)
            if found is None:
                return
            at = found.start()
        if data[at] == END:
            return
        definition, at = _one(data, at, stop)
        yield definition


def _one(data: Buffer, at: int, stop: int) -> tuple[Definition, int]:
    """(the definition at this place, where the next begins)."""
    tag = data[at]
    at += 1
    channel: int | None = None
    if tag == ATTRIBUTES:
        channel = 0
        while True:
            if at >= stop or channel > MAX_CHANNELS:
                raise DamagedRecording("a channel attribute names no channel")
            byte = data[at]
            at += 1
            channel = channel << 7 | byte & 0x7F
            if not byte & 0x80:
                break
    if at >= stop:
        raise DamagedRecording("the file ends within a definition; send the recording again")
    size = data[at]
    at += 1
    if size == 0x80:
        end = _end_of_contents(data, at, stop, 0)
        return Definition(tag, channel, at, end), end + 2
    if size > 0x80:
        count = size & 0x7F
        if count > 4 or at + count > stop:
            raise DamagedRecording("a definition has a length of more than four bytes")
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    if at + size > stop:
        if tag == SAMPLES:
            return Definition(tag, channel, at, stop, cut=True), stop
        raise DamagedRecording(f"definition {tag:02X} is longer than the file; send the recording again")
    return Definition(tag, channel, at, at + size), at + size


def _end_of_contents(data: Buffer, at: int, stop: int, depth: int) -> int:
    """Where the two zero bytes stand that close a definition of indefinite length."""
    if depth > MAX_DEPTH:
        raise DamagedRecording("definitions are nested deeper than MFER allows")
    while at + 1 < stop:
        if data[at] == ZERO:
            if data[at + 1] == ZERO:
                return at
            at += 1
            continue
        _, at = _one_sized(data, at, stop, depth)
    raise DamagedRecording("a definition of indefinite length has no end; send the recording again")


def _one_sized(data: Buffer, at: int, stop: int, depth: int) -> tuple[None, int]:
    head = at + 1
    if data[at] == ATTRIBUTES:
        while head < stop and data[head] & 0x80:
            head += 1
        head += 1
    if head < stop and data[head] == 0x80:
        return None, _end_of_contents(data, head + 1, stop, depth + 1) + 2
    return None, _one(data, at, stop)[1]
