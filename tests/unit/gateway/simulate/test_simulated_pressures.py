"""A simulated day of blood pressures holds what its profile says, and says that nobody was measured."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.pressure_recorder import is_pressure
from gateway.simulate.pressures import CHINA, MIX, SHAPES, PressureProfile, draw_profile, record_day
from gateway.simulate.studies import is_resting
from worker.formats import pressure
from worker.pressure.analysis import analyse

START = datetime(2026, 3, 2, 8, 30, tzinfo=CHINA)
SAID = {
    PressureProfile.NORMAL: {"900", "920"},
    PressureProfile.HYPERTENSION: {"901", "902", "903"},
    PressureProfile.NON_DIPPER: {"901", "921"},
    PressureProfile.REVERSE_DIPPER: {"901", "922"},
    PressureProfile.NOCTURNAL: {"904", "921"},
    PressureProfile.MORNING_SURGE: {"909", "924"},
    PressureProfile.WHITE_COAT: {"900", "912"},
    PressureProfile.SEVERE: {"901", "913"},
    PressureProfile.TOO_FEW: {"940"},
}


def order(procedure: str) -> WorklistOrder:
    return WorklistOrder("T1-1", "1.2.3", "P-7", "演示患者", "F", None, procedure=procedure)


@pytest.mark.parametrize("profile", PressureProfile)
@pytest.mark.parametrize("person", [1, 3])
def test_a_reader_finds_what_the_profile_says(profile, person):
    day = record_day(profile, person, START, device="abpm-1")
    found = analyse(pressure.read(day.content))
    assert SAID[profile] <= {one.code for one in found.statements}
    assert found.pressure.night_by == "diary"


def test_every_profile_has_a_shape_and_is_drawn():
    assert set(SHAPES) == set(MIX) == set(PressureProfile)
    rng = np.random.default_rng(1)
    assert {draw_profile(rng) for _ in range(400)} == set(PressureProfile)


def test_a_person_keeps_their_pressures_and_another_has_others():
    one = record_day(PressureProfile.NORMAL, 5, START, device="a")
    assert one == record_day(PressureProfile.NORMAL, 5, START, device="a")
    assert one.content != record_day(PressureProfile.NORMAL, 6, START, device="a").content


def test_the_file_says_that_nobody_was_measured():
    document = json.loads(record_day(PressureProfile.NORMAL, 5, START, device="a").content)
    assert document["patient"]["patient_name"].startswith("演示")
    assert document["patient"]["patient_id"].startswith("DEMO-")
    assert "NOT A PATIENT" in document["device"]["manufacturer"]


def test_an_order_is_answered_under_its_patient():
    day = record_day(PressureProfile.NORMAL, 5, START, device="a", order=order("动态血压监测"))
    assert (day.identity.accession_number, day.identity.patient_id) == ("T1-1", "P-7")
    assert day.identity.study_kind == "abpm"
    assert day.name == "演示患者"


def test_the_clock_is_chinas_wherever_the_machine_stands():
    here = record_day(PressureProfile.NORMAL, 5, START, device="a").content
    assert record_day(PressureProfile.NORMAL, 5, START.astimezone(UTC), device="a").content == here
    diary = json.loads(here)["diary"][0]
    assert diary["at"] == "2026-03-02T22:30:00+08:00"
    assert datetime.fromisoformat(diary["until"]) - datetime.fromisoformat(diary["at"]) == timedelta(hours=8)


def test_a_recorder_of_pressures_takes_its_own_orders_only():
    assert is_pressure(order("动态血压监测"))
    assert is_pressure(order("Ambulatory Blood Pressure"))
    assert not is_pressure(order("常规心电图"))
    assert not is_pressure(order("动态心电图"))
    assert not is_resting(order("动态血压监测"))
