"""Does the measuring command say what is wrong with a folder, and is what it prints as JSON always JSON?"""

import json
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bench.accuracy import __main__ as command
from bench.accuracy import af_episodes


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["bench.accuracy", *words])
    return command.main()


@pytest.mark.parametrize("task", sorted(task for task, (_, usual) in command.TASKS.items() if usual))
@pytest.mark.parametrize("made", [True, False], ids=["empty", "not there"])
def test_a_folder_without_recordings_is_an_error_not_a_table_of_zeros(
    task: str, made: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "held-back"
    if made:
        folder.mkdir()
    assert run(monkeypatch, task, "--data", str(folder), "--json") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"no recordings (*.hea) in {folder}" in printed.err
    assert "--data" in printed.err


def test_without_the_usual_recordings_nothing_is_measured_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECG_DATA", str(tmp_path))
    assert run(monkeypatch, "qrs") == 0
    assert "nothing measured" in capsys.readouterr().err


@dataclass
class Talkative:
    figures: dict[str, float] = field(default_factory=lambda: {"se": float("nan"), "ppv": 0.123456})


def talks(_folder: Path, _options: Namespace) -> Sequence[Talkative]:
    print("a library's own line")
    return [Talkative()]


def test_what_is_printed_as_json_is_json_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.hea").touch()
    monkeypatch.setattr(af_episodes, "run", talks)
    assert run(monkeypatch, "af-episodes", "--data", str(tmp_path), "--json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["figures"] == {"se": None, "ppv": 0.12346}
    assert "a library's own line" in printed.err
