import struct
from pathlib import Path

import numpy as np
import pytest

from worker import drawing


def test_a_png_is_as_large_as_its_millimetres_say(tmp_path: Path) -> None:
    drawing.save(drawing.page(127, 50.8, [drawing.text(5, 10, "窦性心律 sinus")]), tmp_path / "page.png")
    width, height = struct.unpack(">II", (tmp_path / "page.png").read_bytes()[16:24])
    assert abs(width - 750) <= 1
    assert abs(height - 300) <= 1


def test_words_are_seen_in_a_png() -> None:
    empty = drawing.as_png(drawing.page(50, 20, []))
    for words in ("sinus", "窦性心律"):
        assert len(drawing.as_png(drawing.page(50, 20, [drawing.text(2, 10, words)]))) > len(empty) + 200


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.png, \.svg"):
        drawing.save(drawing.page(10, 10, []), tmp_path / "page.pdf")


def test_a_trace_ends_where_its_points_end() -> None:
    x = np.linspace(3, 253, 5000)
    path = drawing.trace(x, 40 + 5 * np.sin(x))
    start, steps = path.split('d="M')[1].split('"')[0].split("l")
    moved = np.array(steps.split(), int).reshape(-1, 2).sum(axis=0) + np.array(start.split(), int)
    assert np.abs(moved / 100 - [253, 40 + 5 * np.sin(253)]).max() < 0.006  # rounding does not add up


def test_lines_are_broken_between_words_and_han_characters() -> None:
    assert drawing.wrapped("one two three", 3.0, 15) == ["one two", "three"]
    assert "".join(drawing.wrapped("急性下壁心肌梗死", 3.0, 13)) == "急性下壁心肌梗死"
    assert all(drawing.width_of(line, 3.0) <= 13 for line in drawing.wrapped("急性下壁心肌梗死" * 3, 3.0, 13))
