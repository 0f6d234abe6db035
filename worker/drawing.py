"""How is a page drawn that a person looks at? As SVG in millimetres, and from it as PNG.

SVG needs no drawing library and stays sharp at any size; typst, which prints the reports, makes the PNG of it with the
report's own font, so that both look the same on every machine.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SUFFIXES: Final = (".png", ".svg")
PNG_PIXELS_PER_INCH: Final = 150.0
"""A page of 36 cm in 2100 pixels: the thinnest line of the grid is still one pixel."""
FAMILIES: Final = "Noto Sans CJK SC, Noto Sans CJK TC, Noto Sans SC, Microsoft YaHei, PingFang SC, sans-serif"

INK: Final = "#16181d"
SOFT: Final = "#6b7280"
"""For what explains rather than says."""
PAPER_FINE: Final = "#fae4df"
PAPER_COARSE: Final = "#f0bfb4"
RULE: Final = "#d9dce1"

_WIDE: Final = 1.0
_CAPITAL: Final = 0.67
_NARROW: Final = 0.55
"""Width of a Han character, a capital and any other Latin character in Noto Sans, in its size."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_PAGE: Final = b'#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg), format: "svg")\n'


def page(width: float, height: float, parts: Iterable[str]) -> str:
    """A page of this size in millimetres."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
            f'viewBox="0 0 {width:g} {height:g}" font-family="{FAMILIES}" xml:lang="zh-CN">',
            f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def text(
    x: float, y: float, words: str, *, size: float = 3.2, fill: str = INK, anchor: str = "start", strong: bool = False
) -> str:
    """Words with their base line at ``y``; what no font can show is left out."""
    strokes = f' stroke="{fill}" stroke-width="{size * 0.035:.2f}"' if strong else ""  # the font has one weight
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    clean = escape(_CONTROL.sub(" ", words))
    return f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:g}" fill="{fill}"{place}{strokes}>{clean}</text>'


def width_of(words: str, size: float) -> float:
    """About how wide the words are, in millimetres.

    >>> width_of("心率 72", 3.0)
    10.95
    """
    signs = (
        _WIDE if unicodedata.east_asian_width(sign) in "WF" else _CAPITAL if sign.isupper() else _NARROW
        for sign in words
    )
    return round(size * sum(signs), 2)


def fitted(words: str, size: float, width: float) -> str:
    """The words, cut with an ellipsis where they would not fit.

    >>> fitted("complete right bundle branch block", 3.0, 40)
    'complete right bundle b…'
    """
    if width_of(words, size) <= width:
        return words
    while words and width_of(words + "…", size) > width:
        words = words[:-1]
    return words.rstrip() + "…"


def wrapped(words: str, size: float, width: float) -> list[str]:
    """The words in lines of at most this width, broken between words where there are such."""
    lines, line = [""], ""
    for word in re.findall(r"\s*[^\s\u3000-\uffef]+|\s*[\u3000-\uffef]", words):
        if line and width_of(line + word, size) > width:
            lines.append("")
            line = ""
        line = (line + word) if line else word.lstrip()
        lines[-1] = fitted(line, size, width)
    return lines


def rect(
    x: float, y: float, width: float, height: float, fill: str, *, opacity: float = 1.0, round_mm: float = 0
) -> str:
    """A filled rectangle."""
    corners = f' rx="{round_mm:g}"' if round_mm else ""
    clear = f' opacity="{opacity:g}"' if opacity < 1 else ""
    return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{fill}"{corners}{clear}/>'


def line(x1: float, y1: float, x2: float, y2: float, stroke: str, width: float, *, dashes: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="M{x1:.2f} {y1:.2f}L{x2:.2f} {y2:.2f}" stroke="{stroke}" stroke-width="{width:g}"{dashed}/>'


def grid(x: float, y: float, width: float, height: float) -> list[str]:
    """ECG paper: a line a millimetre, a stronger one every five."""
    return [
        rect(x, y, width, height, "#fffdfc"),
        _lines(x, y, width, height, 1.0, PAPER_FINE, 0.07),
        _lines(x, y, width, height, 5.0, PAPER_COARSE, 0.13),
    ]


def _lines(x: float, y: float, width: float, height: float, step: float, stroke: str, thick: float) -> str:
    across = "".join(f"M{x:g} {y + at:g}h{width:g}" for at in np.arange(0, height + 0.01, step).round(3))
    down = "".join(f"M{x + at:g} {y:g}v{height:g}" for at in np.arange(0, width + 0.01, step).round(3))
    return f'<path d="{across}{down}" stroke="{stroke}" stroke-width="{thick:g}" fill="none"/>'


def trace(x_mm: NDArray[Any], y_mm: NDArray[Any], *, stroke: str = INK, width: float = 0.28) -> str:
    """A line through points, to a hundredth of a millimetre."""
    points = np.stack([x_mm, y_mm], axis=1)
    hundredths = np.rint(np.nan_to_num(points) * 100).astype(np.int64)
    if len(hundredths) < 2:
        return ""
    steps = " ".join(f"{dx} {dy}" for dx, dy in np.diff(hundredths, axis=0).tolist())
    (first_x, first_y), *_ = hundredths.tolist()
    return (
        f'<path transform="scale(.01)" d="M{first_x} {first_y}l{steps}" fill="none" stroke="{stroke}" '
        f'stroke-width="{width * 100:g}" stroke-linejoin="round" stroke-linecap="round"/>'
    )


def polygon(points: Sequence[tuple[float, float]], fill: str, *, opacity: float = 1.0) -> str:
    """A filled shape."""
    places = " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
    return f'<polygon points="{places}" fill="{fill}" opacity="{opacity:g}"/>'


def dot(x: float, y: float, radius: float, colour: str, *, filled: bool = True) -> str:
    """A point, or a ring."""
    paint = f'fill="{colour}"' if filled else f'fill="#fff" stroke="{colour}" stroke-width="0.3"'
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:g}" {paint}/>'


def chip(x: float, y: float, words: str, fill: str, *, size: float = 3.0) -> tuple[str, float]:
    """White words on a coloured ground with their base line at ``y``, and how wide that is."""
    width = width_of(words, size) + 3.2
    ground = rect(x, y - size * 1.08, width, size * 1.5, fill, round_mm=size * 0.4)
    return ground + text(x + width / 2, y, words, size=size, fill="#fff", anchor="middle", strong=True), width


def as_png(svg: str) -> bytes:
    """The page as PNG."""
    import typst  # noqa: PLC0415 - needed for a PNG alone, and every 'ecg-worker read' would wait for it
    from cvttf_NotoSansCJK_Regular import get_TTF_path  # noqa: PLC0415

    fonts = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(Path(get_TTF_path()).parent)]
    )
    made = typst.compile(
        _PAGE,
        font_paths=fonts,
        ignore_system_fonts=True,
        sys_inputs={"svg": svg},
        format="png",
        ppi=PNG_PIXELS_PER_INCH,
    )
    assert isinstance(made, bytes)
    return made


def save(svg: str, path: Path) -> None:
    """Write the page, as PNG or SVG by the file's suffix.

    Raises:
        OSError: the file cannot be written.
        ValueError: the suffix is neither.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path.name} ends in none of {', '.join(SUFFIXES)}")
    path.write_bytes(as_png(svg) if suffix == ".png" else svg.encode("utf-8"))
