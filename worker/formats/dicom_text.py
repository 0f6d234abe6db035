"""In which characters is a DICOM text written? (PS3.5 section 6.1, PS3.3 section C.12.1.1.2)

Every defined character set, code extensions (ISO 2022) included. pydicom 3.0, oracle of the tests, leaves the escape
sequence of ISO-IR 58 in a Chinese name and takes 0.3 s to import, hence the decoder here. Devices that write Chinese
without declaring a set are common: UTF-8 and then GB18030 are tried, and it is said.
"""

import re
from typing import Final

SPECIFIC_CHARACTER_SET: Final = 0x00080005
MAX_TEXT_BYTES: Final = 10_240
"""The longest text kept; an LT may have 10 240 characters, a UT any number."""

_PLAIN: Final = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})
_WHOLE: Final = {"ISO_IR 192": "utf-8", "GB18030": "gb18030", "GBK": "gbk"}
"""Sets that fill the whole code space and know no extensions (PS3.3 table C.12-5)."""
_G1_OF_TERM: Final = {
    "13": "shift_jis", "100": "latin-1", "101": "iso8859-2", "109": "iso8859-3", "110": "iso8859-4", "126": "iso8859-7",
    "127": "iso8859-6", "138": "iso8859-8", "144": "iso8859-5", "148": "iso8859-9", "149": "euc_kr", "58": "gb2312",
    "166": "tis-620", "203": "iso8859-15", "GBK": "gbk",
}  # fmt: skip
_ESCAPES: Final[dict[bytes, tuple[int, str]]] = {
    b"(B": (0, "ascii"), b"(J": (0, "ascii"), b"$B": (0, "jis-x-0208"), b"$(D": (0, "jis-x-0212"),
    b")I": (1, "shift_jis"), b"-A": (1, "latin-1"), b"-B": (1, "iso8859-2"), b"-C": (1, "iso8859-3"),
    b"-D": (1, "iso8859-4"), b"-F": (1, "iso8859-7"), b"-G": (1, "iso8859-6"), b"-H": (1, "iso8859-8"),
    b"-L": (1, "iso8859-5"), b"-M": (1, "iso8859-9"), b"-T": (1, "tis-620"), b"-b": (1, "iso8859-15"),
    b"$)C": (1, "euc_kr"), b"$)A": (1, "gb2312"),
}  # fmt: skip
"""Escape sequence: (code element G0 or G1, what it then holds), PS3.3 tables C.12-3 and C.12-4."""
_JIS_PREFIX: Final = {"jis-x-0208": b"\x1b$B", "jis-x-0212": b"\x1b$(D"}
_ESCAPE: Final = re.compile(rb"\x1b(\$[()][A-D]|\$B|[-()][A-Za-z])")
_RUN: Final = re.compile(rb"[\x00-\x7f]+|[\x80-\xff]+")
_DELIMITER: Final = re.compile(rb"([\\^=\r\n\t\f])")


class Texts:
    """Decodes the texts of one object and remembers what it had to guess."""

    def __init__(self, declared: str) -> None:
        self.declared = declared.strip(" \0")
        self.terms = tuple(term.strip(" \0") for term in declared.split("\\"))
        self.warnings: list[str] = []

    def decode(self, raw: bytes) -> str:
        """The text of these bytes; never fails, unreadable characters become U+FFFD."""
        raw = raw[:MAX_TEXT_BYTES]
        if raw.isascii() and b"\x1b" not in raw:
            return raw.decode("ascii").strip(" \0\t\r\n")
        if all(term in _PLAIN for term in self.terms):
            return self._guess(raw)
        if (whole := _WHOLE.get(self.terms[0])) and b"\x1b" not in raw:
            text = raw.decode(whole, "replace")
        else:
            text = self._extended(raw)
        if "\ufffd" in text:
            self._warn(f"some characters are not of the declared character set {self.declared!r}")
        return text.strip(" \0\t\r\n")

    def name(self, raw: bytes) -> str:
        """A person's name (PN): the ideographic group where there is one, else the alphabetic, family name first."""
        groups = [self.decode(group) for group in raw.split(b"\\", 1)[0].split(b"=")[:3]]
        ideographic = groups[1] if len(groups) > 1 else ""
        chosen = ideographic or groups[0]
        parts = [part.strip() for part in chosen.split("^")[:3] if part.strip()]
        return ("" if _is_han(chosen) else " ").join(parts)

    def _guess(self, raw: bytes) -> str:
        for encoding in ("utf-8", "gb18030"):
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            self._warn(f"texts are not ASCII but no character set is declared; read as {encoding.upper()}")
            return text.strip(" \0\t\r\n")
        self._warn("texts are not ASCII, no character set is declared, and some characters could not be read")
        return raw.decode("latin-1").strip(" \0\t\r\n")

    def _extended(self, raw: bytes) -> str:
        """ISO 2022: code elements change at escape sequences and go back to the first set at each delimiter."""
        term = self.terms[0].split()[-1] if self.terms[0] else ""
        first = _G1_OF_TERM.get(term)
        if first is None and term not in ("", "6", "87", "159"):
            self._warn(f"the character set {self.declared!r} is not one that DICOM defines")
            return self._guess(raw)
        if first is None and b"\x1b" not in raw and (other := self._only_extension()):
            self._warn("texts lack the escape sequences that their character set asks for")
            return raw.decode(other, "replace")
        out: list[str] = []
        for part in _DELIMITER.split(raw):
            held = ["ascii", first or "latin-1"]
            at = 0
            for escape in _ESCAPE.finditer(part):
                out += _decode_runs(part[at : escape.start()], held)
                if found := _ESCAPES.get(escape[1]):
                    held[found[0]] = found[1]
                at = escape.end()
            out += _decode_runs(part[at:], held)
        return "".join(out)

    def _only_extension(self) -> str:
        """The one set beyond ASCII that the extensions name, as devices write it without escapes; empty if several."""
        sets = {
            _G1_OF_TERM[word] for term in self.terms[1:] if (word := term.split()[-1] if term else "") in _G1_OF_TERM
        }
        return {"gb2312": "gb18030"}.get(found, found) if len(sets) == 1 and (found := sets.pop()) else ""

    def _warn(self, text: str) -> None:
        if text not in self.warnings:
            self.warnings.append(text)


def _decode_runs(raw: bytes, held: list[str]) -> list[str]:
    """The text of bytes without escapes: low bytes by G0, high bytes by G1."""
    texts = []
    for run in _RUN.findall(raw):
        if run[0] >= 0x80:
            texts.append(run.decode(held[1], "replace"))
        elif held[0] in _JIS_PREFIX:
            texts.append((_JIS_PREFIX[held[0]] + run).decode("iso2022_jp_2", "replace"))
        else:
            texts.append(run.decode("ascii"))
    return texts


def _is_han(text: str) -> bool:
    return any("\u3400" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3" or sign > "\uffff" for sign in text)
