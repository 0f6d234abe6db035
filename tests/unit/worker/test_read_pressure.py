"""``ecg-worker read`` of blood pressures: as a file of their own, and in the diary of a combined recorder."""

import datetime
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import edfio
import numpy as np
import pytest

from worker.cli import main
from worker.formats.pressure import read

OURS = """\
# ecg-pressure 1
# patient_id: 70417
# patient_name: 王小明
# planned: 4
# model: ABPM-05
# diary: 2024-02-29T22:30:00+08:00/2024-03-01T06:45:00+08:00 asleep
at,systolic_mmhg,diastolic_mmhg,mean_mmhg,pulse_bpm,status,reason,awake,manual
2024-02-29T21:00:00+08:00,123,58,81,72,measured,,1,0
2024-03-01T01:00:00+08:00,,,,,failed,cuff leak,0,0
2024-03-01T05:00:00+08:00,145,88,107,64,measured,,0,1
"""
SEVERAL = "DATE.TIME,SYST,DIAST,ID\n2024-02-29 21:00:00,123,58,a\n2024-02-29 21:30:00,128,61,b\n"
VENDOR = "Datum;Zeit;Sys;Dia\n29.02.24;21:00;123;58\n29.02.24;21:30;128;61\n"
MAP = """\
time_format = "%d.%m.%y %H:%M"
delimiter = ";"
[columns]
date = "Datum"
time = "Zeit"
systolic = "Sys"
diastolic = "Dia"
"""


def saved(folder: Path, text: str, name: str = "export.dat") -> str:
    (folder / name).write_text(text, "utf-8")
    return str(folder / name)


def printed_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main(["read", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def documented() -> set[str]:
    section = Path("docs/read-json.md").read_text("utf-8").split("\n## Blood pressure")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_json_of_readings_holds_the_documented_fields(tmp_path, capsys) -> None:
    found = printed_json(capsys, saved(tmp_path, OURS))
    assert set(found) == documented()
    assert (found["format"], found["kind"], found["start"]) == ("pressure-csv", "abpm", "2024-02-29T21:00:00+08:00")
    assert (found["n_readings"], found["n_measured"], found["planned"]) == (3, 2, 4)
    assert found["duration_s"] == 8 * 3600
    assert found["patient"]["patient_name"] == "王小明"
    assert found["device"]["model"] == "ABPM-05"
    assert found["readings"][1]["reason"] == "cuff leak"
    assert found["readings"][2] == {
        "at": "2024-03-01T05:00:00+08:00", "systolic_mmhg": 145.0, "diastolic_mmhg": 88.0, "mean_mmhg": 107.0,
        "pulse_bpm": 64.0, "status": "measured", "reason": "", "awake": False, "manual": True,
    }  # fmt: skip
    assert found["diary"][0]["label"] == "asleep"
    assert found["findings"]["pressure"]["night_by"] == "diary"
    assert found["readings_sha256"] == read(OURS.encode()).readings_sha256


def test_a_day_is_drawn(tmp_path, capsys) -> None:
    assert main(["read", saved(tmp_path, OURS), "--plot", str(tmp_path / "day.png")]) == 0
    assert (tmp_path / "day.png").read_bytes().startswith(b"\x89PNG")
    assert main(["read", saved(tmp_path, SEVERAL), "--plot", str(tmp_path / "two.png")]) == 2
    assert "--patient" in capsys.readouterr().err
    assert not (tmp_path / "two.png").exists()


def test_the_digest_is_what_the_document_says(tmp_path, capsys) -> None:
    found = printed_json(capsys, saved(tmp_path, OURS))
    lines = (
        "2024-02-29T21:00:00+08:00;123;58;81;72;measured\n"
        "2024-03-01T01:00:00+08:00;;;;;failed\n"
        "2024-03-01T05:00:00+08:00;145;88;107;64;measured\n"
    )
    assert found["readings_sha256"] == hashlib.sha256(lines.encode()).hexdigest()


def test_a_person_sees_who_how_many_and_when(tmp_path, capsys) -> None:
    assert main(["read", saved(tmp_path, OURS)]) == 0
    text = capsys.readouterr().out
    assert "王小明" in text
    assert "3 of 4 planned, 2 measured" in text
    assert "(8.0 h)" in text
    assert "145/88 mmHg" in text
    assert "(cuff leak)" in text


def test_of_several_patients_each_is_given_or_one_is_picked(tmp_path, capsys) -> None:
    path = saved(tmp_path, SEVERAL)
    found = printed_json(capsys, path)
    assert [one["patient"]["patient_id"] for one in found["series"]] == ["a", "b"]
    assert "--patient" in found["warnings"][0]
    assert printed_json(capsys, path, "--patient", "b")["readings"][0]["systolic_mmhg"] == 128
    assert main(["read", path, "--patient", "c", "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"] == "unsupported"
    assert "'a', 'b'" in captured.err


def test_a_vendors_table_is_read_by_its_map(tmp_path, capsys) -> None:
    path = saved(tmp_path, VENDOR)
    assert main(["read", path]) == 1
    capsys.readouterr()
    found = printed_json(capsys, path, "--map", saved(tmp_path, MAP, "vendor.toml"))
    assert [one["systolic_mmhg"] for one in found["readings"]] == [123, 128]
    assert main(["read", path, "--map", saved(tmp_path, "nonsense = 1", "wrong.toml"), "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"] == "wrong-map"
    assert "nonsense" in captured.err


def test_an_ecg_table_is_read_by_its_map(tmp_path, capsys) -> None:
    path = saved(tmp_path, "".join(f"{value}\n" for value in range(600)))
    shape = 'sampling_hz = 300\nunit = "uV"\nheader_rows = 0\n[columns]\n1 = "II"\n'
    found = printed_json(capsys, path, "--no-analysis", "--map", saved(tmp_path, shape, "ecg.toml"))
    assert (found["leads"], found["sampling_hz"], found["n_samples"]) == (["II"], 300, 600)


def test_pressures_in_the_diary_of_a_combined_recorder(tmp_path, capsys) -> None:
    signal = edfio.EdfSignal(np.zeros(5000), 500, label="ECG II", physical_dimension="uV", physical_range=(-5, 5))
    marks = [edfio.EdfAnnotation(2, None, "NIBP 120/80 HR 72"), edfio.EdfAnnotation(7, None, "dizzy")]
    edf = edfio.Edf([signal], annotations=marks, starttime=datetime.time(8, 0))
    edf.startdate = datetime.date(2024, 2, 29)
    edf.write(tmp_path / "combined.edf")
    found = printed_json(capsys, str(tmp_path / "combined.edf"), "--no-analysis")["pressure"]
    assert (found["n_readings"], found["readings"][0]["systolic_mmhg"]) == (1, 120)
    assert found["readings"][0]["at"] == "2024-02-29T08:00:02+08:00"
    assert main(["read", str(tmp_path / "combined.edf"), "--no-analysis"]) == 0
    assert "120/80 mmHg  pulse 72/min" in capsys.readouterr().out


def test_pressures_are_not_converted(tmp_path, capsys) -> None:
    assert main(["convert", saved(tmp_path, OURS), "--to", "edf", str(tmp_path / "out.edf")]) == 1
    assert "blood pressure" in capsys.readouterr().err
    assert not (tmp_path / "out.edf").exists()


def test_real_readings(ecg_data, capsys) -> None:
    found = printed_json(capsys, str(ecg_data / "abpm" / "hypnos_abpm.csv"))
    assert sum(one["n_readings"] for one in found["series"]) == 147


def test_a_reader_that_has_enough_is_no_error(tmp_path) -> None:
    words = [sys.executable, "-m", "worker.cli", "read", saved(tmp_path, OURS), "--json"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    assert process.wait() == 141
