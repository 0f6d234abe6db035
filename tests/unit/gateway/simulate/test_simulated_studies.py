"""Who is recorded, with what, and what the command line says of it."""

import argparse
import json
from collections import Counter
from datetime import UTC, date, datetime
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate import cli
from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.outbox import Outbox, OutboxFullError
from gateway.simulate.pathologies import SCENARIOS, Pathology
from gateway.simulate.patients import MAX_NUMBER, demo_person
from gateway.simulate.studies import MIX, URGENT_MIX, draw_pathology, record

WHEN = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
ORDER = WorklistOrder("A1", "1.2.3", "P1", "LI^SI=李四", "F", date(1960, 2, 29), urgent=True, reason="胸痛 2 小时")


@given(number=st.integers(1, MAX_NUMBER), pathology=st.sampled_from(list(Pathology)))
def test_a_demo_person_can_never_be_taken_for_a_patient(number, pathology):
    person = demo_person(number, pathology)
    assert person == demo_person(number, pathology)
    assert person.name_zh.startswith("演示")
    assert person.name_latin.startswith("DEMO^")
    assert person.name_latin.isascii()
    assert person.patient_id == f"DEMO-{number:04d}"
    assert 16 <= person.age_on(date(2026, 1, 1)) <= 100
    assert len(person.name_latin) <= 64, "PS3.5: a component group of PN"


@pytest.mark.parametrize("number", [0, -1, MAX_NUMBER + 1])
def test_numbers_outside_the_demo_are_refused(number):
    with pytest.raises(ValueError, match="numbered 1 to"):
        demo_person(number)


def test_the_mixture_is_mostly_normal_and_knows_every_pathology():
    assert set(MIX) == set(SCENARIOS)
    rng = np.random.default_rng(1)
    drawn = Counter(draw_pathology(rng) for _ in range(2000))
    assert drawn[Pathology.SINUS] > 900
    assert 20 < drawn[Pathology.STEMI_ANTERIOR] + drawn[Pathology.STEMI_INFERIOR] < 250


def test_an_urgent_order_is_urgent_for_a_reason():
    rng = np.random.default_rng(1)
    assert {draw_pathology(rng, ORDER) for _ in range(50)} == set(URGENT_MIX[:2])


def test_an_answered_order_carries_its_patient_and_the_button():
    recorded = record(Pathology.STEMI_ANTERIOR, 5, WHEN, device="D", order=ORDER)
    assert recorded.urgent
    identity = recorded.identity
    assert (identity.accession_number, identity.patient_id, identity.patient_name) == ("A1", "P1", "李四")
    assert (identity.sex, identity.birth_date, identity.chest_pain) == ("F", "1960-02-29", True)
    again = record(Pathology.STEMI_ANTERIOR, 6, WHEN, device="D", order=ORDER)
    assert np.array_equal(recorded.ecg.samples_uv, again.ecg.samples_uv), "the same patient has the same heart"


def test_a_walk_in_carries_the_demo_person():
    recorded = record(Pathology.SINUS, 12, WHEN, device="D")
    assert not recorded.urgent
    assert recorded.identity.accession_number is None
    assert recorded.identity.patient_id == "DEMO-0012"
    assert recorded.name == "演示乙·窦性0012"


@pytest.fixture(autouse=True)
def _log_stays(monkeypatch):
    """A command sets the process's log up for good, on a standard error that here is pytest's for one test."""
    monkeypatch.setattr("gateway.logs.configure", lambda **_: None)


def a_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser.add_subparsers(dest="command"))
    return parser


def run(*words: str) -> int:
    return cli.run(a_parser().parse_args(["simulate", *words]))


def test_the_list_names_every_pathology_in_both_languages(capsys):
    assert run("list") == 0
    said = capsys.readouterr().out
    assert all(row.title_zh in said and row.title_en in said for row in SCENARIOS.values())
    assert run("list", "--json") == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == list(Pathology)


def test_write_makes_a_file_and_tells_the_truth(tmp_path, capsys):
    path = tmp_path / "ecg.dcm"
    assert run("write", "av-block-third", str(path), "--truth", "--person", "3", "--rate", "32") == 0
    truth = json.loads(capsys.readouterr().err)
    assert truth["critical"] == ["bradycardia"]
    assert truth["rate_bpm"] == pytest.approx(32, rel=0.05)
    assert dcmread(BytesIO(path.read_bytes())).PatientID == "DEMO-0003"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["write", "flu", "x.dcm"], "known: sinus"),
        (["write", "sinus", "x.dcm", "--rate", "300"], "choose 60 to 100"),
        (["write", "sinus", "x.dcm", "--person", "0"], "numbered 1 to"),
        (["dicom", "--to", "nowhere"], "AE@HOST:PORT"),
        (["fleet"], "at least one recorder"),
        (["fleet", "--mqtt", "C01/d"], "--broker"),
        (["fleet", "--dicom", "A@127.0.0.1:1", "--every", "40-20"], "smaller number"),
        (["fleet", "--dicom", "A@127.0.0.1:1", "--every", "soon"], "two numbers"),
        (["mqtt", "--broker", "mqtt://127.0.0.1", "--clinic", "C/1", "--device", "d", "sinus"], "MQTT topic"),
    ],
)
def test_a_wrong_command_says_how_to_write_it(words, says, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.glob("*.dcm")) == []


def test_the_outbox_keeps_until_released_and_survives_half_a_write(tmp_path):
    outbox = Outbox(tmp_path)
    identity = RecordingIdentity(patient_id="DEMO-0001", patient_name="演示甲")
    kept = outbox.keep(b"abc", identity, media_type="application/dicom", name="a.dcm")
    assert outbox.keep(b"abc", identity, media_type="application/dicom", name="a.dcm") == kept
    (tmp_path / "0123.recording").write_bytes(b"half")
    reborn = Outbox(tmp_path)
    assert reborn.pending() == [kept.file_id]
    assert reborn.read(kept.file_id) == kept
    assert not (tmp_path / "0123.recording").exists()
    reborn.release(kept.file_id)
    assert list(tmp_path.iterdir()) == []


def test_a_full_outbox_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.simulate.outbox.MAX_KEPT", 1)
    outbox = Outbox(tmp_path)
    outbox.keep(b"a", RecordingIdentity(), media_type="application/dicom", name="a")
    with pytest.raises(OutboxFullError, match="no gateway took"):
        outbox.keep(b"b", RecordingIdentity(), media_type="application/dicom", name="b")
