"""A simulated day is an honest file: read by the worker, marked as a demonstration, a heart that goes on."""

from datetime import UTC, date, datetime

import numpy as np
import pytest

from gateway.cli import main
from gateway.simulate import holter
from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.holter import DAY_LEADS, HZ, record_day
from gateway.simulate.holter_recorder import is_holter
from gateway.simulate.pathologies import Pathology
from worker.formats import read

NIGHT = datetime(2026, 7, 12, 18, 40, tzinfo=UTC)
"""02:40 in China: the hour with the pause."""


@pytest.fixture(scope="module")
def day():
    return record_day(7, NIGHT, hours=1.0)


def test_the_worker_reads_it_as_a_holter(day):
    recording = read(day.content)
    assert (recording.format, recording.kind, recording.leads) == ("ishne", "holter", DAY_LEADS)
    assert recording.sampling_hz == HZ
    assert recording.duration_s == 3600.0
    assert recording.started_at == NIGHT
    assert set(recording.uv_per_lsb) == {5.0}
    assert "SIMULATED RECORDING - NOT A PATIENT" in recording.device_statements[0]
    assert recording.identity.patient_id == day.identity.patient_id == "DEMO-0007"
    assert recording.identity.patient_name == day.identity.patient_name
    assert day.identity.study_kind == "holter"


def test_the_same_person_and_time_give_the_same_bytes(day):
    assert record_day(7, NIGHT, hours=0.5).content[522:] == record_day(7, NIGHT, hours=0.5).content[522:]
    assert record_day(8, NIGHT, hours=0.5).content != record_day(7, NIGHT, hours=0.5).content


def test_stretches_are_joined_without_a_leap(day):
    samples = read(day.content).digital.astype(int)
    steps = np.abs(np.diff(samples, axis=1))
    seam = holter.STRETCH_S * HZ
    near = [slice(int(seam * n) - 5 * HZ, int(seam * n) + 5 * HZ) for n in range(1, 11)]
    for window in near:  # no step at a seam is larger than those of QRS elsewhere
        assert steps[:, window].max() <= np.percentile(steps, 99.99) * 1.5


def test_the_run_comes_in_the_afternoon_and_not_with_the_first_beat(monkeypatch):
    made = []
    stretch = holter._stretch
    monkeypatch.setattr(holter, "_stretch", lambda *key: made.append(key[1][0]) or stretch(*key))
    record_day(7, datetime(2026, 7, 13, 6, 0, tzinfo=UTC), hours=0.5)  # 14:00 in China
    assert made.count(Pathology.VENTRICULAR_TACHYCARDIA) == 1
    made.clear()
    record_day(7, datetime(2026, 7, 13, 6, 30, tzinfo=UTC), hours=0.5)  # 14:30: it was before
    assert made.count(Pathology.VENTRICULAR_TACHYCARDIA) == 0


def test_it_is_of_the_orders_patient():
    order = WorklistOrder(
        accession_number="T2-260713-0004", patient_id="P-77", patient_name="Yan Shi=演示甲",
        birth_date=date(1960, 5, 4), sex="F", procedure="动态心电图", study_instance_uid="1.2.3",
    )  # fmt: skip
    made = record_day(7, NIGHT, hours=0.5, order=order)
    assert made.identity.accession_number == "T2-260713-0004"
    assert read(made.content).identity.patient_name == "演示甲"
    assert read(made.content).identity.patient_id == "P-77"
    assert is_holter(order)


def test_a_length_that_no_recorder_is_worn_for_is_refused(tmp_path, capsys):
    with pytest.raises(ValueError, match="14 days"):
        record_day(1, NIGHT, hours=400)
    assert main(["simulate", "holter", str(tmp_path / "x.ecg"), "--hours", "0"]) == 2


def test_the_command_writes_a_file(tmp_path):
    assert main(["simulate", "holter", str(tmp_path / "day.ecg"), "--hours", "0.5", "--person", "3"]) == 0
    assert read(tmp_path / "day.ecg").duration_s == 1800
