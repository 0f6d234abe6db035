import hashlib
import json
import re
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest

from gateway.simulate.holter import record_day
from worker.cli import main

ECG = Path(pydicom.data.get_testdata_file("waveform_ecg.dcm"))


def documented(heading: str) -> set[str]:
    """The fields in the first column of the table below this heading of docs/read-json.md."""
    section = Path("docs/read-json.md").read_text("utf-8").split(f"\n## {heading}")[1].split("\n## ")[0]
    return {
        name
        for line in section.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }


def test_read_json_holds_the_documented_fields(capsys):
    assert main(["read", str(ECG), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == documented("An ECG")
    assert printed["pressure"] is None
    assert printed["format"] == "dicom"
    assert printed["leads"][:3] == ["I", "II", "III"]
    assert printed["n_samples"] == 10000
    samples = np.rint(pydicom.dcmread(ECG).waveform_array(0).T).clip(-32768, 32767).astype("<i2")
    assert printed["signal_sha256"] == hashlib.sha256(np.ascontiguousarray(samples).tobytes()).hexdigest()
    assert printed["findings"]["grade"] == "normal"


def test_read_text_shows_ours_beside_the_devices(capsys):
    assert main(["read", str(ECG)]) == 0
    text = capsys.readouterr().out
    assert "(device: 161)" in text
    assert "窦性心律" in text
    assert "unconfirmed" in text


def test_what_cannot_be_read_says_why(tmp_path, capsys):
    broken = tmp_path / "x.pdf"
    broken.write_bytes(b"%PDF-1.4")
    assert main(["read", str(broken), "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"] == "unknown-format"
    assert "PDF" in captured.err
    assert main(["read", str(tmp_path / "absent")]) == 1


def test_wrong_rule_set_names_those_that_exist(capsys):
    assert main(["read", str(ECG), "--rules", "nowhere"]) == 2
    assert "regional_strict" in capsys.readouterr().err


def test_decode_only(capsys):
    assert main(["read", str(ECG), "--json", "--no-analysis"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] is None


def test_run_without_settings_names_the_key(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["run"]) == 2
    assert "database_url" in capsys.readouterr().err


def test_answers_in_a_second_and_a_half_from_a_cold_start():
    """By the processor's time: how long others keep the machine says nothing about the worker."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "worker.cli", "read", str(ECG), "--json"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.5


@pytest.mark.parametrize(
    "heavy", ["scipy", "pydicom", "wfdb", "neurokit2", "matplotlib", "sqlalchemy", "soundfile", "typst"]
)
def test_reading_a_file_imports_nothing_heavy(heavy):
    code = (
        f"import sys; sys.argv = ['x']; from worker.cli import main; main(['read', {str(ECG)!r}, '--json']); "
        f"sys.exit({heavy!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("to", ["dicom", "aecg", "scp", "edf", "csv", "fhir"])
def test_convert_keeps_every_sample(to: str, tmp_path, capsys) -> None:
    source = str(ECG)
    assert main(["convert", source, "--to", to, str(tmp_path / "out.bin")]) == 0
    capsys.readouterr()
    sums = []
    for path in (source, str(tmp_path / "out.bin")):
        assert main(["read", path, "--json", "--no-analysis"]) == 0
        sums.append(json.loads(capsys.readouterr().out)["signal_sha256"])
    assert sums[0] == sums[1]


def test_convert_says_which_formats_there_are(tmp_path, capsys) -> None:
    source = str(ECG)
    assert main(["convert", source, "--to", "pdf", str(tmp_path / "out.pdf")]) == 1
    assert "wfdb" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "starts"), [("page.png", b"\x89PNG\r\n"), ("page.SVG", b"<svg")])
def test_a_page_is_drawn_in_the_kind_that_its_name_says(name: str, starts: bytes, tmp_path, capsys) -> None:
    assert main(["read", str(ECG), "--plot", str(tmp_path / name), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["format"] == "dicom"
    assert (tmp_path / name).read_bytes().startswith(starts)


@pytest.mark.parametrize(
    ("arguments", "code", "error", "words"),
    [
        (["--plot", "page.pdf"], 2, "wrong-use", ".png, .svg"),
        (["--plot", "page.png", "--no-analysis"], 2, "wrong-use", "--no-analysis"),
        (["--plot", "absent/page.svg"], 1, "no-plot", "absent"),
        (["--rules", "nowhere"], 2, "wrong-rules", "regional_strict"),
        (["--map", "absent.toml"], 1, "no-file", "absent.toml"),
    ],
)
def test_what_is_of_no_use_is_said_as_json_too(
    arguments: list[str], code: int, error: str, words: str, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["read", str(ECG), "--json", *arguments]) == code
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"] == error
    assert words in captured.err
    assert not list(tmp_path.iterdir())


def test_an_absent_file_is_said_as_json_too(tmp_path, capsys) -> None:
    assert main(["read", str(tmp_path / "absent.dcm"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "no-file"


def test_convert_writes_our_measurements_as_a_report(tmp_path, capsys) -> None:
    assert main(["convert", str(ECG), "--to", "dicom", "--report", str(tmp_path / "ecg.dcm")]) == 0
    report = pydicom.dcmread(tmp_path / "ecg-report.dcm")
    assert report.ConceptNameCodeSequence[0].CodeMeaning == "ECG Report"
    assert pydicom.dcmread(tmp_path / "ecg.dcm").WaveformSequence[0].NumberOfWaveformSamples == 10000
    assert main(["convert", str(ECG), "--to", "edf", "--report", str(tmp_path / "ecg.edf")]) == 1
    assert "only dicom" in capsys.readouterr().err


def test_a_day_is_read_by_the_engine_of_the_day_as_in_the_worker(tmp_path, capsys):
    path = tmp_path / "day.ecg"
    path.write_bytes(record_day(3, datetime(2026, 1, 2, 8, tzinfo=UTC), hours=0.5).content)
    assert main(["read", str(path)]) == 0
    text = capsys.readouterr().out
    assert "unconfirmed pre-read by holter" in text
