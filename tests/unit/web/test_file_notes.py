"""Every note that a reader of device files can write has its Chinese, found again with what it names."""

import ast
from pathlib import Path

import pytest

import worker
from ecg_center.web.file_notes import note_in

WORKER = Path(worker.__file__).parent
SOURCES = [*(WORKER / "formats").rglob("*.py"), WORKER / "recording.py", WORKER / "pressure_readings.py"]


def sentence(node: ast.expr) -> str | None:
    """The text of a literal, with a word for each value that it is filled with."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x7" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (sentence(node.left) or "x7") + (sentence(node.right) or "x7")
    return None


def notes_of(source: Path) -> set[str]:
    """The literals appended to something called warnings."""
    found = set()
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "append":
            continue
        if "warnings" not in ast.unparse(node.func.value):
            continue
        if text := sentence(node.args[0]):
            found.add(text)
    return found


NOTES = sorted({note for source in SOURCES for note in notes_of(source)})


def test_the_notes_are_found_in_the_sources():
    assert len(NOTES) > 50


@pytest.mark.parametrize("note", NOTES)
def test_every_note_has_its_chinese(note):
    said = note_in(note, "zh")
    assert said != note
    assert "{" not in said
    assert any("一" <= letter <= "鿿" for letter in said)
    assert note_in(note, "en") == note


@pytest.mark.parametrize(
    ("note", "said"),
    [
        (
            "texts are not ASCII but no character set is declared; read as GB18030",
            "文件含非ASCII文字但未声明字符集，按GB18030读取",
        ),
        ("only the first 12 of 16 leads were read", "共16个导联，只读取了前12个"),
        ("the header announces 24.00 h, the file holds 3.50 h: it was cut, or the recording ended early",
         "文件头声明24.00小时，实有3.50小时：文件被截断，或记录提前结束"),
        ("a sentence that nobody wrote", "a sentence that nobody wrote"),
        ("lead {0} occurs twice; the second was left out", "导联{0}出现两次，第二次未读取"),
    ],
)  # fmt: skip
def test_what_a_note_names_stands_in_the_sentence(note, said):
    assert note_in(note, "zh") == said
