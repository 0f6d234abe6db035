"""A recorder that measures an ECG and pressures: one set of findings, the words of both."""

from datetime import timedelta

import numpy as np
from support.pressures import START, codes, is_night

from ecg_center.contract.findings import Evidence, Findings, Quality, Statement
from ecg_center.domain.statements import contradicts
from worker.pressure.combined import joined, with_pressures
from worker.pressure.indication import noted_in
from worker.recording import Annotation, Recording
from worker.resting.patient import Patient


def recorded(number=48, pressure=(150, 95), asleep=(140, 88)) -> Recording:
    """A day of ECG with readings in its diary."""
    notes = []
    for n in range(number):
        moment = START + timedelta(minutes=30 * n)
        systolic, diastolic = asleep if is_night(moment) else pressure
        notes.append(Annotation(f"NIBP {systolic}/{diastolic} HR 72", 1800.0 * n))
    return Recording(
        "test",
        "holter",
        ("I",),
        np.zeros((1, 100), np.int16),
        np.ones(1),
        np.zeros(1),
        250.0,
        started_at=START,
        annotations=tuple(notes),
    )


def ecg(*said: str, grade="normal") -> Findings:
    return Findings(
        engine="holter",
        engine_version="1.0",
        kind="holter",
        duration_s=86400,
        sampling_hz=250,
        leads=["I"],
        quality=Quality(verdict="usable"),
        statements=[Statement(code=code, evidence=[Evidence(leads=["I"])]) for code in said],
        grade=grade,
    )


def test_the_words_of_both_stand_in_the_order_of_the_report():
    found = with_pressures(ecg("20", "1"), recorded(), Patient())
    assert codes(found) == ["20", "901", "902", "903", "909", "921", "930", "932", "1"]
    assert contradicts(codes(found)) == []  # a normal ECG and a raised pressure are both true
    assert (found.kind, found.grade) == ("holter", "abnormal")
    assert found.pressure.period("24h").readings == 48
    assert Findings.model_validate_json(found.model_dump_json()) == found


def test_the_office_pressure_of_the_order_is_compared():
    noted = noted_in("诊室血压120/75")
    assert "910" in codes(with_pressures(ecg(), recorded(), Patient(), noted=noted))


def test_a_few_readings_beside_an_ecg_are_no_day_of_pressures():
    assert with_pressures(ecg("20"), recorded(9), Patient()) == ecg("20")
    assert with_pressures(ecg("20"), recorded(0), Patient()) == ecg("20")


def test_the_graver_of_both_grades_counts_and_an_edited_ecg_keeps_its_pressures():
    machine = with_pressures(ecg("74", grade="critical"), recorded(), Patient())
    assert machine.grade == "critical"
    edited = joined(ecg("20"), machine)
    assert codes(edited) == ["20", "901", "902", "903", "909", "921", "930", "932"]
    assert edited.pressure == machine.pressure
    assert edited.grade == "abnormal"
    assert joined(ecg("20"), ecg("74", grade="critical")) == ecg("20")


def test_severe_pressures_make_a_normal_ecg_a_major_study():
    assert with_pressures(ecg("20"), recorded(pressure=(190, 100), asleep=(185, 95)), Patient()).grade == "major"


def test_normal_pressures_leave_the_ecgs_grade():
    found = with_pressures(ecg("20", grade="major"), recorded(pressure=(118, 72), asleep=(105, 62)), Patient())
    assert (codes(found), found.grade) == (["20", "900", "920"], "major")
