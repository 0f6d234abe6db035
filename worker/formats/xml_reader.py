"""How is XML from a stranger read without harm? (XML 1.0 sections 2.8, 4.1, 4.4)

One entry for every XML format. expat reads the bytes; whatever could make a small file large or reach outside it is
refused before it acts: an internal document type subset (and with it every entity and default attribute of the file's
own), parameter entities, external entities. A ``DOCTYPE`` that merely names a DTD, which GE MUSE writes, is allowed and
never fetched. Size, depth and the number of elements are bounded.

What differs from a plain parser: devices in China declare UTF-8 or Latin-1 and write GB18030, databases turn UTF-16
into UTF-8 and keep the declaration, transfers pad with NULs, editors leave a blank line before the declaration. All are
read, the first with a warning.
"""

import re
from collections.abc import Iterator
from typing import Any, Final
from xml.parsers import expat

from worker.formats.errors import DamagedRecording, TooLargeRecording, TruncatedRecording, UnsupportedRecording

MAX_XML_BYTES: Final = 48 * 1024**2
"""A hundred times a resting aECG. Measured: 85 MB took 3.8 s and 800 MB; half of it stays within 512 MB."""
MAX_DEPTH: Final = 64
"""aECG, the deepest of the formats, nests 30 elements."""
MAX_ELEMENTS: Final = 300_000
"""A resting aECG with every beat annotated has 6 000; more than this is no recording, and 150 MB of tree."""
MAX_ATTRIBUTES: Final = 100
HEAD_BYTES: Final = 64 * 1024
"""How far the root element is looked for: devices put comments of a few kilobytes before it."""

_NATIVE: Final = {
    "utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "utf-8", "ascii": "utf-8", "": "utf-8",
    "iso-8859-1": "iso-8859-1", "latin1": "iso-8859-1", "latin-1": "iso-8859-1",
}  # fmt: skip
"""Declared encoding: what expat calls it. Everything else is decoded by Python and handed over as UTF-8."""
_CHINESE: Final = frozenset({"gb18030", "gbk", "gb2312", "x-gbk", "cp936", "ms936", "936", "windows-936", "hz-gb-2312"})
_DECLARATION: Final = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_HIGH: Final = re.compile(rb"[\x80-\xff]+")
_HAN_PAIRS: Final = re.compile(rb"(?:[\xb0-\xf7][\xa1-\xfe])+")
_TRUNCATED: Final = frozenset({
    expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
    expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
    expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
})  # fmt: skip
_NO_ATTRIBUTES: Final[dict[str, str]] = {}


class Element:
    """One element: local name, attributes by local name, children in order, its own text."""

    __slots__ = ("attributes", "children", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        self.tag = tag
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""

    def get(self, name: str) -> str:
        """The attribute's value, trimmed; empty where it is absent."""
        return self.attributes.get(name, "").strip()

    def all(self, tag: str) -> list["Element"]:
        """The children of this name."""
        return [child for child in self.children if child.tag == tag]

    def find(self, *path: str) -> "Element | None":
        """The first element down this path, following every branch; None where there is none."""
        if not path:
            return self
        for child in self.children:
            if child.tag == path[0] and (found := child.find(*path[1:])) is not None:
                return found
        return None

    def word(self, *path: str) -> str:
        """The trimmed text of the first element down this path; empty where there is none."""
        found = self.find(*path)
        return " ".join(found.text.split()) if found is not None else ""

    def number(self, *path: str) -> float | None:
        """The text of the first element down this path as a finite number; None where it is absent or none."""
        return as_number(self.word(*path))

    def iter(self, *tags: str) -> Iterator["Element"]:
        """This element and all below it of these names (all where none is given), in document order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            if not tags or element.tag in tags:
                yield element
            waiting.extend(reversed(element.children))

    def first(self, *tags: str) -> "Element | None":
        """The first element of one of these names at any depth."""
        return next(self.iter(*tags), None)


class Document:
    """A parsed file: its root, and what had to be said about its characters."""

    __slots__ = ("root", "warnings")

    def __init__(self, root: Element, warnings: list[str]) -> None:
        self.root = root
        self.warnings = warnings


def as_number(text: str) -> float | None:
    """A finite decimal number, or None; a comma may stand for the point.

    >>> as_number("4.88"), as_number("1,5"), as_number("Failed"), as_number("1e999")
    (4.88, 1.5, None, None)
    """
    try:
        value = float(text.strip().replace(",", ".", 1))
    except ValueError:
        return None
    return value if abs(value) < 1e300 and "_" not in text else None


def root_name(data: bytes) -> tuple[str, str]:
    """(local name, namespace) of the root element; two empty strings where the bytes are no XML.

    Looks at the first 64 KB only, and never raises. A file that :func:`parse` will refuse for its document type is
    known by the name in its DOCTYPE, so that the refusal can be said by the right reader.
    """
    head = _from_first_sign(data[:HEAD_BYTES])
    if not head[:256].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0").startswith(b"<"):
        return "", ""
    encoding = _encoding(head)
    parser = expat.ParserCreate(encoding if encoding in _EXPAT else "iso-8859-1", " ")
    doctype: list[str] = []

    def remember(name: str, *_: Any) -> None:
        doctype.append(name.rpartition(":")[2])

    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = remember
    parser.EntityDeclHandler = _refuse
    parser.AttlistDeclHandler = _refuse
    parser.StartElementHandler = _found
    try:
        parser.Parse(head, False)
    except _FoundRoot as found:
        namespace, _, local = found.name.rpartition(" ")
        return local, namespace
    except (expat.ExpatError, UnsupportedRecording):
        pass
    return (doctype[0], "") if doctype else ("", "")


class _FoundRoot(Exception):  # noqa: N818 - no error: it ends the look at the head
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _found(name: str, _: object) -> None:
    raise _FoundRoot(name)


def parse(data: bytes) -> Document:
    """The tree of one XML file.

    Raises:
        TooLargeRecording: larger, deeper or more finely divided than any recorder writes.
        UnsupportedRecording: the file defines entities or a document type of its own.
        TruncatedRecording, DamagedRecording: the bytes are not well-formed.
    """
    if len(data) > MAX_XML_BYTES:
        raise TooLargeRecording(f"the XML is larger than {MAX_XML_BYTES // 1024**2} MB, more than any recorder writes")
    warnings: list[str] = []
    data = _from_first_sign(data)
    encoding = _encoding(data)
    if encoding == "iso-8859-1" and _is_han(data):
        warnings.append("the XML declares Latin-1 but its texts are Chinese; read as GB18030")
        encoding = "gb18030"
    if encoding in _EXPAT:
        whole = data if encoding.startswith("utf-16") else data.rstrip(b"\0\x1a \r\n\t")
    else:
        whole, encoding = _transcode(data, encoding, warnings), "utf-8"
    try:
        root = _Builder().build(whole, encoding)
    except expat.ExpatError as error:
        if encoding != "utf-8" or data.isascii() or not _is_chinese(data):
            raise _explain(error, len(whole)) from None
        warnings.append("the XML declares UTF-8 but is not; read as GB18030")
        try:
            root = _Builder().build(data.decode("gb18030", "replace").encode().rstrip(b"\0\x1a \r\n\t"), "utf-8")
        except expat.ExpatError as second:
            raise _explain(second, len(data)) from None
    return Document(root, warnings)


_EXPAT: Final = frozenset({"utf-8", "utf-16", "utf-16le", "utf-16be", "iso-8859-1"})


def _from_first_sign(data: bytes) -> bytes:
    """Without blank lines before the declaration, which XML does not allow."""
    return data.lstrip(b" \t\r\n") if data[:1] in (b" ", b"\t", b"\r", b"\n") and data[1:2] != b"\0" else data


def _is_han(data: bytes) -> bool:
    """Whether all bytes above ASCII are pairs of GB 2312's Han rows (B0 to F7), and two of them follow one another.

    No text of a language that Latin-1 is for has four such letters in a row.
    """
    head = data[: 4 * HEAD_BYTES]
    runs = _HIGH.findall(head)
    if runs and len(head) < len(data) and head[-1] >= 0x80:
        runs.pop()  # the cut may lie within a character
    return any(len(run) >= 4 for run in runs) and all(_HAN_PAIRS.fullmatch(run) for run in runs)


def _encoding(data: bytes) -> str:
    """The encoding by byte order mark, by the pattern of the first two characters, then by declaration."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if data[:2] in (b"<\0", b"\0<"):
        return "utf-16le" if data[0] else "utf-16be"
    if data[:3] == b"\xef\xbb\xbf":
        return "utf-8"
    match = _DECLARATION.match(data[:300])
    declared = match[1].decode("ascii").lower() if match else ""
    if declared.startswith(("utf-16", "ucs-2", "iso-10646-ucs-2", "unicode")):
        return "utf-8"  # every other byte would be zero: the text was re-encoded and the declaration kept
    return _NATIVE.get(declared, "gb18030" if declared in _CHINESE else declared)


def _transcode(data: bytes, encoding: str, warnings: list[str]) -> bytes:
    try:
        text = data.decode(encoding, "replace")
    except (LookupError, ValueError):
        raise UnsupportedRecording(f"the XML is in {encoding[:40]!r}, characters that are not read here") from None
    if "\ufffd" in text:
        warnings.append(f"some characters are not of the declared encoding {encoding!r}")
    return text.encode("utf-8", "replace").rstrip(b"\0\x1a \r\n\t")


def _is_chinese(data: bytes) -> bool:
    """Whether the bytes are no UTF-8 but could be GB18030."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            data.decode("gb18030")
        except UnicodeDecodeError:
            return False
        return True
    return False


def _explain(error: expat.ExpatError, length: int) -> DamagedRecording:
    place = f"line {error.lineno}, column {error.offset}"
    if error.code in _TRUNCATED:
        return TruncatedRecording(f"the XML ends in the middle ({place}, {length} bytes); send the recording again")
    return DamagedRecording(f"the XML is not well-formed ({expat.ErrorString(error.code)} at {place})")


def _refuse_all(parser: Any) -> None:
    """Let nothing grow or reach outside: no entity, no internal subset, no external reference."""

    def refuse_doctype(name: str, system_id: str, public_id: str, has_internal_subset: int) -> None:
        if has_internal_subset:
            _refuse()

    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.UseForeignDTD(False)
    parser.StartDoctypeDeclHandler = refuse_doctype
    parser.EntityDeclHandler = _refuse
    parser.UnparsedEntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.AttlistDeclHandler = _refuse
    parser.SkippedEntityHandler = _refuse


def _refuse(*_: Any) -> None:
    raise UnsupportedRecording(
        "the XML defines or uses entities or a document type of its own, which no recorder does; it was not read"
    )


class _Builder:
    """Builds the tree, counting as it goes."""

    def __init__(self) -> None:
        self._stack: list[Element] = []
        self._texts: list[list[str]] = []
        self._root: Element | None = None
        self._count = 0

    def build(self, data: bytes, encoding: str) -> Element:
        """The root of the tree.

        The bytes are handed over at once: expat before 2.6 reads a long token again for every piece of it.
        """
        parser = expat.ParserCreate(encoding, " ")
        _refuse_all(parser)
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.ordered_attributes = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.Parse(data, True)
        if self._root is None:
            raise DamagedRecording("the XML holds no element")
        return self._root

    def _start(self, name: str, pairs: list[str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS or len(self._stack) >= MAX_DEPTH or len(pairs) > 2 * MAX_ATTRIBUTES:
            raise TooLargeRecording(
                f"the XML has more than {MAX_ELEMENTS} elements, {MAX_DEPTH} levels or {MAX_ATTRIBUTES} attributes"
            )
        attributes = (
            {pairs[at].rpartition(" ")[2]: pairs[at + 1] for at in range(0, len(pairs), 2)} if pairs else _NO_ATTRIBUTES
        )
        element = Element(name.rpartition(" ")[2], attributes)
        if self._stack:
            self._stack[-1].children.append(element)
        else:
            self._root = element
        self._stack.append(element)
        self._texts.append([])

    def _end(self, _: str) -> None:
        self._stack.pop().text = "".join(self._texts.pop())

    def _characters(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)
