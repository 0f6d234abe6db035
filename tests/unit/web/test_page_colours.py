"""Every text stands out from what it is written on: WCAG 2.2 AA, 4.5 : 1 for text, 3 : 1 for signs and edges."""

import re

import pytest

from ecg_center.web.static_files import STATIC_FOLDER

TEXT = [
    ("text", "page"),
    ("text", "surface"),
    ("text", "surface-2"),
    ("text", "surface-3"),
    ("text-2", "page"),
    ("text-2", "surface"),
    ("text-2", "surface-2"),
    ("accent", "surface"),
    ("accent", "page"),
    ("accent", "accent-soft"),
    ("on-accent", "accent"),
    ("on-accent", "accent-hover"),
    ("danger", "surface"),
    ("danger", "danger-soft"),
    ("on-danger", "danger"),
    ("on-danger", "danger-hover"),
    ("warn", "surface"),
    ("warn", "warn-soft"),
    ("ok", "surface"),
    ("ok", "ok-soft"),
    ("bar-text", "bar"),
    ("bar-text-2", "bar"),
    ("bar-text", "bar-on"),
]
SIGNS = [("line-strong", "surface"), ("focus", "surface"), ("focus", "page")]


def tokens(css: str, selector: str) -> dict[str, str]:
    block = css[css.index(selector) :]
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", block[: block.index("}")]))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


CSS = (STATIC_FOLDER / "css" / "base.css").read_text("utf-8")
THEMES = {
    "light": tokens(CSS, ":root {"),
    "dark": tokens(CSS, 'html[data-theme="dark"] {'),
}


def test_the_dark_theme_is_the_same_by_choice_and_by_the_system() -> None:
    assert tokens(CSS, 'html[data-theme="auto"] {') == THEMES["dark"]
    assert THEMES["dark"].keys() == THEMES["light"].keys()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_is_legible(theme: str, front: str, back: str) -> None:
    assert contrast(THEMES[theme][front], THEMES[theme][back]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("front", "back"), SIGNS)
def test_edges_and_focus_are_seen(theme: str, front: str, back: str) -> None:
    assert contrast(THEMES[theme][front], THEMES[theme][back]) >= 3


@pytest.mark.parametrize("selector", ["ecg-viewer,", 'html[data-theme="dark"] ecg-viewer,'])
def test_the_trace_stands_out_from_paper_and_grid(selector: str) -> None:
    css = (STATIC_FOLDER / "css" / "viewer.css").read_text("utf-8")
    paper = tokens(css, selector)
    assert contrast(paper["ecg-trace"], paper["ecg-paper"]) >= 12
    assert contrast(paper["ecg-trace"], paper["ecg-major"]) >= 7
    assert contrast(paper["ecg-label"], paper["ecg-paper"]) >= 7
    assert contrast(paper["ecg-on-calliper"], paper["ecg-calliper"]) >= 4.5
