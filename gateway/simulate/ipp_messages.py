"""How do IPP requests and answers look in bytes (RFC 8010 section 3)?

pyipp's serializer writes requests only and drops attributes that it does not know, and its parser turns an unknown
enum into an exception: right for a client, not for a printer, which has to answer whatever it is asked. So this printer
has its own short grammar; tags, operations and status codes are pyipp's.
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pyipp.enums import IppTag

Value = int | bool | str | bytes | tuple[int, int]
Attribute = tuple[str, IppTag, tuple[Value, ...]]

MAX_ATTRIBUTE_BYTES: Final = 256 * 1024
"""Attributes of a request; CUPS sends a few kilobytes."""

_GROUPS: Final = range(0x01, 0x10)
_TEXTS: Final = range(0x40, 0x60)


class IppSyntaxError(ValueError):
    """The bytes are no IPP request."""


@dataclass(slots=True)
class Request:
    """One IPP request; values keep their first tag's reading."""

    version: tuple[int, int]
    operation: int
    request_id: int
    groups: list[tuple[int, dict[str, list[Value]]]]
    first_names: list[str]
    """Names of the operation group in their order: RFC 8011 section 4.1.4 fixes the first two."""
    document: bytes = b""

    @property
    def attributes(self) -> Mapping[str, list[Value]]:
        """The operation attributes."""
        return self.groups[0][1] if self.groups and self.groups[0][0] == IppTag.OPERATION else {}

    def text(self, name: str) -> str | None:
        """The first value of an operation attribute, where it is a text of any kind."""
        values = self.attributes.get(name)
        return values[0] if values and isinstance(values[0], str) else None

    def number(self, name: str) -> int | None:
        """The first value of an operation attribute, where it is an integer."""
        values = self.attributes.get(name)
        return values[0] if values and isinstance(values[0], int) else None


@dataclass(slots=True)
class Answer:
    """One IPP answer."""

    version: tuple[int, int]
    status: int
    request_id: int
    operation: list[Attribute] = field(default_factory=list)
    groups: list[tuple[IppTag, list[Attribute]]] = field(default_factory=list)

    def encode(self) -> bytes:
        """The answer in bytes."""
        first: list[Attribute] = [
            ("attributes-charset", IppTag.CHARSET, ("utf-8",)),
            ("attributes-natural-language", IppTag.LANGUAGE, ("en",)),
            *self.operation,
        ]
        parts = [struct.pack(">BBHi", *self.version, self.status, self.request_id)]
        for tag, attributes in [(IppTag.OPERATION, first), *self.groups]:
            parts.append(bytes([tag]))
            parts += [_encode(attribute) for attribute in attributes]
        return b"".join([*parts, bytes([IppTag.END])])


def decode(raw: bytes) -> Request:
    """One request from its bytes.

    Raises:
        IppSyntaxError: the grammar of RFC 8010 is broken.
    """
    try:
        major, minor, operation, request_id = struct.unpack_from(">BBHi", raw)
        groups, first_names, end = _decode_groups(raw)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise IppSyntaxError(f"not an IPP request: {error}") from None
    return Request((major, minor), operation, request_id, groups, first_names, raw[end:])


def _decode_groups(raw: bytes) -> tuple[list[tuple[int, dict[str, list[Value]]]], list[str], int]:
    groups: list[tuple[int, dict[str, list[Value]]]] = []
    names: list[str] = []
    name, offset = "", 8
    while (tag := raw[offset]) != IppTag.END:
        if offset > MAX_ATTRIBUTE_BYTES:
            raise IppSyntaxError("the attributes do not end")
        offset += 1
        if tag in _GROUPS:
            groups.append((tag, {}))
            continue
        if not groups:
            raise IppSyntaxError("an attribute stands before the first group")
        written, offset = _counted(raw, offset)
        data, offset = _counted(raw, offset)
        if written:
            name = written.decode("utf-8")
            if name in groups[-1][1]:
                raise IppSyntaxError(f"attribute {name} stands twice in one group")
            if len(groups) == 1:
                names.append(name)
        elif not name:
            raise IppSyntaxError("a further value stands before the first attribute")
        # members of a collection come as further values of its attribute: this printer reads none of them
        groups[-1][1].setdefault(name, []).append(_value(tag, data))
    return groups, names, offset + 1


def _counted(raw: bytes, offset: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from(">H", raw, offset)
    end = offset + 2 + length
    if end > len(raw):
        raise IppSyntaxError("a value is longer than the request")
    return raw[offset + 2 : end], end


def _value(tag: int, data: bytes) -> Value:
    if tag in {IppTag.INTEGER, IppTag.ENUM} and len(data) == 4:
        return int.from_bytes(data, "big", signed=True)
    if tag == IppTag.BOOLEAN and len(data) == 1:
        return data != b"\0"
    if tag in {IppTag.TEXT_LANG, IppTag.NAME_LANG}:
        _, after = _counted(data, 0)
        return _counted(data, after)[0].decode("utf-8")
    return data.decode("utf-8") if tag in _TEXTS else data


def _encode(attribute: Attribute) -> bytes:
    name, tag, values = attribute
    assert values, f"{name} has no value"
    parts = []
    for index, value in enumerate(values):
        label = name.encode() if index == 0 else b""
        data = _bytes(tag, value)
        parts.append(struct.pack(">BH", tag, len(label)) + label + struct.pack(">H", len(data)) + data)
    return b"".join(parts)


def _bytes(tag: IppTag, value: Value) -> bytes:
    if tag is IppTag.BOOLEAN:
        return b"\1" if value else b"\0"
    if isinstance(value, tuple):
        return struct.pack(">ii", *value)
    if isinstance(value, int):
        return struct.pack(">i", value)
    return value.encode() if isinstance(value, str) else value


def keywords(name: str, values: Iterable[str]) -> Attribute:
    """An attribute of keywords."""
    return name, IppTag.KEYWORD, tuple(values)


__all__ = ["Answer", "Attribute", "IppSyntaxError", "Request", "decode", "keywords"]
