"""Modality Worklist matching by PS3.4 C.2.2.2, and the answers' shape."""

from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydicom.dataset import Dataset

from ecg_center.contract.orders import OpenOrder
from gateway.devices.worklist import BadQueryError, date_range, find, time_range, wildcard

NOW = datetime(2026, 3, 3, 0, 20, tzinfo=ZoneInfo("Asia/Shanghai"))


def order(number: int = 1, **changed) -> OpenOrder:
    known = {
        "study_id": UUID(int=number),
        "institution_code": "C01",
        "accession_number": f"E2603020{number:04d}",
        "study_instance_uid": f"1.2.3.{number}",
        "kind": "resting",
        "patient_id": f"P{number:03d}",
        "patient_name": "王伟",
        "patient_name_latin": "Wang^Wei",
        "sex": "M",
        "birth_date": date(1970, 1, 2),
        "procedure": "常规十二导联心电图",
        "indication": "胸闷",
        "urgent": False,
        "chest_pain": False,
        "registered_at": datetime(2026, 3, 2, 15, 50, tzinfo=UTC),  # 23:50 in the clinic, half an hour ago
    }
    return OpenOrder(**(known | changed))


def query(step: dict[str, str] | None = None, **keys: object) -> Dataset:
    asked = Dataset()
    for keyword in ("PatientName", "PatientID", "AccessionNumber"):
        setattr(asked, keyword, "")
    for keyword, value in keys.items():
        setattr(asked, keyword, value)
    item = Dataset()
    for keyword, value in ({"Modality": "", "ScheduledProcedureStepStartDate": ""} | (step or {})).items():
        setattr(item, keyword, value)
    asked.ScheduledProcedureStepSequence = [item]
    return asked


def matches(asked: Dataset, *orders: OpenOrder) -> list[str]:
    return [str(answer.PatientID) for answer in find(list(orders or [order()]), asked, "REC1", NOW)]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({}, True),
        ({"PatientID": "P001"}, True),
        ({"PatientID": "P002"}, False),
        ({"PatientID": "p001"}, False),  # only names ignore case
        ({"PatientID": "P*"}, True),
        ({"PatientID": "P00?"}, True),
        ({"PatientID": "P0?"}, False),
        ({"PatientID": "*"}, True),
        ({"PatientName": "wang*"}, True),
        ({"PatientName": "WANG^WEI"}, True),
        ({"PatientName": "Wang^Wei^^^"}, True),
        ({"PatientName": "wang wei"}, True),
        ({"PatientName": "Wang"}, False),
        ({"PatientName": "王*"}, True),
        ({"PatientName": "王伟"}, True),
        ({"PatientName": "=王伟"}, True),
        ({"PatientName": "Li*=王*"}, True),
        ({"PatientName": "李*"}, False),
        ({"PatientName": "W.*"}, False),  # no regular expression
        ({"AccessionNumber": "E26030200001"}, True),
        ({"AccessionNumber": "E2603*2"}, False),
        ({"StudyInstanceUID": "1.2.3.1"}, True),
        ({"StudyInstanceUID": ["1.2.3.9", "1.2.3.1"]}, True),
        ({"StudyInstanceUID": "1.2.3"}, False),
        ({"PatientBirthDate": "19700102"}, True),
        ({"PatientBirthDate": "19700103-"}, False),
        ({"PatientSex": "F"}, False),
    ],
)
def test_patient_keys(keys: dict[str, object], found: bool) -> None:
    assert matches(query(**keys)) == (["P001"] if found else [])


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ({"Modality": "ECG"}, True),
        ({"Modality": "HD"}, False),
        ({"ScheduledStationAETitle": "REC1"}, True),
        ({"ScheduledStationAETitle": "REC2"}, False),
        ({"ScheduledProcedureStepStartDate": "20260302"}, True),
        ({"ScheduledProcedureStepStartDate": "20260303"}, True),  # still open after midnight
        ({"ScheduledProcedureStepStartDate": "20260301"}, False),
        ({"ScheduledProcedureStepStartDate": "20260304-"}, False),
        ({"ScheduledProcedureStepStartDate": "-20260302"}, True),
        ({"ScheduledProcedureStepStartDate": "20260301-20260305"}, True),
        ({"ScheduledProcedureStepStartTime": "2300-2359"}, True),
        ({"ScheduledProcedureStepStartTime": "00-12"}, False),
    ],
)
def test_step_keys(step: dict[str, str], found: bool) -> None:
    assert bool(matches(query(step))) is found


def test_an_unknown_birth_date_matches_any() -> None:
    assert matches(query(PatientBirthDate="19900101"), order(birth_date=None))


@pytest.mark.parametrize(
    ("said", "inside", "outside"),
    [
        ("20260101-20260131", [date(2026, 1, 1), date(2026, 1, 31)], [date(2025, 12, 31), date(2026, 2, 1)]),
        ("20260101", [date(2026, 1, 1)], [date(2026, 1, 2)]),
        ("20260101-", [date(2030, 1, 1)], [date(2025, 1, 1)]),
        ("-20260101", [date(2026, 1, 1)], [date(2026, 1, 2)]),
        ("", [date(1900, 1, 1)], []),
    ],
)
def test_date_ranges_hold_both_ends(said: str, inside: list[date], outside: list[date]) -> None:
    test = date_range(said)
    assert all(map(test, inside))
    assert not any(map(test, outside))


def test_time_ranges_cover_the_whole_hour_and_minute() -> None:
    assert time_range("10")("105959")
    assert time_range("1030-1045")("104559")
    assert not time_range("1030-1045")("104600")
    assert time_range("10:30:00-")("235959")


@pytest.mark.parametrize(
    "step", [{"ScheduledProcedureStepStartDate": "2026-3"}, {"ScheduledProcedureStepStartTime": "1x"}]
)
def test_what_cannot_be_understood_is_an_error(step: dict[str, str]) -> None:
    asked = query()
    for keyword, value in step.items():
        asked.ScheduledProcedureStepSequence[0].add_new(keyword, "LO", value)
    with pytest.raises(BadQueryError):
        matches(asked)


def test_wildcards_span_lines_and_spaces() -> None:
    assert wildcard("a*b")("a x b ")
    assert not wildcard("a?b")("ab")


def test_the_answer_holds_what_was_asked_and_what_ties_it_to_the_order() -> None:
    asked = query(PatientWeight="", ReferencedPatientSequence=[])
    asked.ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription = ""
    (answer,) = find([order(chest_pain=True)], asked, "REC1", NOW)
    assert answer.SpecificCharacterSet == "ISO_IR 192"
    assert str(answer.PatientName) == "Wang^Wei=王伟"
    assert answer.AccessionNumber == "E26030200001"
    assert answer.StudyInstanceUID == "1.2.3.1"
    assert answer["PatientWeight"].value is None
    assert "PatientSex" not in answer
    (step,) = answer.ScheduledProcedureStepSequence
    assert step.Modality == "ECG"
    assert step.ScheduledProcedureStepStartDate == "20260302"
    assert step.ScheduledProcedureStepDescription == "常规十二导联心电图"
    assert "ScheduledStationAETitle" not in step


def test_a_name_without_latin_form_is_on_every_display() -> None:
    (answer,) = find([order(patient_name_latin=None)], query(), "REC1", NOW)
    assert str(answer.PatientName) == "王伟=王伟"
