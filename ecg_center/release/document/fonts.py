"""Which glyphs can the page show, and what stands where one is missing?

A patient's name may hold a rare Han character. Typst would print an empty box or nothing; so every text is checked
against the fonts' own character maps first, and what cannot be shown is printed as its code point, ``[U+2CB4E]``:
a reader sees that something stands there, and what.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cvttf_NotoSansCJK_Regular
import typst
from fontTools.ttLib import TTFont

PREFERRED = ("Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC", "Noto Sans CJK TC")
"""Best first. The wheel's file is the Traditional edition; it carries the mainland forms too, taken by language."""
BOLD_WEIGHT = 600


class FontError(Exception):
    """The fonts cannot print a Chinese report; the message says which file or folder to give."""


@dataclass(frozen=True)
class FontSet:
    """The fonts of the page, only from explicit places; hashable, so that what is read of them is read once."""

    directories: tuple[Path, ...]
    families: tuple[str, ...]
    """The text font, then the fonts asked for characters that it lacks."""
    bold: bool
    """Whether the text font has a bold cut; without one the page thickens the outline."""

    def loaded(self) -> typst.Fonts:
        """Typst's own handle on the files."""
        return _load(self.directories)

    def covered(self) -> frozenset[int]:
        """All code points that some font of the set has a glyph for."""
        return _coverage(self)


def packaged_fonts() -> FontSet:
    """The Noto Sans CJK of the wheel ``cvttf-notosanscjk-regular``, the default: the same page on any machine."""
    return find_fonts(Path(cvttf_NotoSansCJK_Regular.get_TTF_path()).parent)


def find_fonts(directory: Path, *extra: Path) -> FontSet:
    """The fonts of a folder, e.g. ``/usr/share/fonts/opentype/noto``.

    Args:
        directory: holds one of the ``PREFERRED`` families.
        extra: folders of fonts to ask for characters that the first lacks, e.g. one for the rarest Han characters.

    Raises:
        FontError: where the folder has no font for Simplified Chinese.
    """
    families = [info.family for info in _load((directory,)).fonts()]
    chosen = next((name for name in PREFERRED if name in families), None)
    if chosen is None:
        raise FontError(
            f"{directory} holds none of {', '.join(PREFERRED)}; install fonts-noto-cjk or name another folder"
        )
    weights = [info.weight for info in _load((directory,)).fonts() if info.family == chosen]
    more = dict.fromkeys(info.family for info in (_load(extra).fonts() if extra else []))
    return FontSet((directory, *extra), (chosen, *more), bold=max(weights) >= BOLD_WEIGHT)


@dataclass
class Printable:
    """Makes text printable, and remembers what could not be shown."""

    fonts: FontSet

    def __post_init__(self) -> None:
        self.missing: set[int] = set()

    def line(self, text: str) -> str:
        """One line: line breaks and tabs become spaces."""
        return " ".join(self.lines(text))

    def lines(self, text: str) -> list[str]:
        """The text's lines, every character one that the fonts show."""
        text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
        return ["".join(map(self._character, line)).strip() for line in text.splitlines()] or [""]

    def _character(self, character: str) -> str:
        code = ord(character)
        category = unicodedata.category(character)
        if character == "\t" or category == "Zs":
            return " "
        if category == "Cf" or _is_variation_selector(code):
            # Invisible by definition (joiners, marks of direction, byte order mark): nothing to see is lost,
            # and a name cannot reorder the text beside it.
            return ""
        if category in {"Cc", "Cs", "Cn", "Co"} or code not in self.fonts.covered():
            self.missing.add(code)
            return f"[U+{code:04X}]"
        return character


def _is_variation_selector(code: int) -> bool:
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


@lru_cache(maxsize=8)
def _load(directories: tuple[Path, ...]) -> typst.Fonts:
    for directory in directories:
        if not directory.is_dir():
            raise FontError(f"font folder {directory} does not exist")
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(path) for path in directories]
    )


@lru_cache(maxsize=8)
def _coverage(fonts: FontSet) -> frozenset[int]:
    codes: set[int] = set()
    seen: set[str] = set()
    for info in fonts.loaded().fonts():
        if info.family not in fonts.families or info.family in seen or info.path is None:
            continue
        seen.add(info.family)
        with TTFont(info.path, fontNumber=info.index, lazy=True) as font:
            codes.update(font.getBestCmap())
    return frozenset(codes)
