"""The QRS score of scar from waves that are known, each limit on both sides; none where anything else explains it."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from bench.accuracy.calibration_signals import SIGNALS, drawn
from bench.accuracy.critical_cases import as_recording
from ecg_center.domain.statements import TERMS
from gateway.simulate.generator import generate
from worker.resting import analyse
from worker.resting.patient import Patient
from worker.resting.selvester import CONFOUNDED, LEADS, MOST_POINTS, TABLE, selvester_points
from worker.resting.waves import LeadWaves

NOTHING = LeadWaves(**{field.name: 0.0 for field in fields(LeadWaves)})
TALL = replace(NOTHING, r_uv=1000.0, r_ms=45.0, s_uv=-200.0)
DEEP = replace(NOTHING, r_uv=300.0, r_ms=30.0, s_uv=-1000.0)
HEALTHY = dict.fromkeys(LEADS, TALL) | {"V1": DEEP, "V2": DEEP}


def points(**changed):
    leads = {lead: replace(HEALTHY[lead], **values) for lead, values in changed.items()}
    return selvester_points(HEALTHY | leads, 90)


@pytest.mark.parametrize(
    ("lead", "none", "some", "expected"),
    [
        ("I", {"q_uv": -90.0, "q_ms": 29.0}, {"q_uv": -90.0, "q_ms": 30.0}, 1),
        ("I", {"r_uv": 201.0, "s_uv": -60.0}, {"r_uv": 200.0, "s_uv": -60.0}, 1),
        ("I", {"q_uv": -990.0}, {"q_uv": -1000.0}, 1),
        ("II", {"q_uv": -90.0, "q_ms": 29.0}, {"q_uv": -90.0, "q_ms": 30.0}, 1),
        ("II", {"q_uv": -90.0, "q_ms": 29.0}, {"q_uv": -90.0, "q_ms": 40.0}, 2),
        ("aVL", {"q_uv": -90.0, "q_ms": 29.0}, {"q_uv": -90.0, "q_ms": 30.0}, 1),
        ("aVL", {"q_uv": -990.0}, {"q_uv": -1000.0}, 1),
        ("aVF", {"q_uv": -90.0, "q_ms": 29.0}, {"q_uv": -90.0, "q_ms": 30.0}, 1),
        ("aVF", {"q_uv": -90.0, "q_ms": 29.0}, {"q_uv": -90.0, "q_ms": 40.0}, 2),
        ("aVF", {"q_uv": -90.0, "q_ms": 29.0}, {"q_uv": -90.0, "q_ms": 50.0}, 3),
        ("aVF", {"q_uv": -490.0}, {"q_uv": -500.0}, 1),
        ("aVF", {"q_uv": -490.0}, {"q_uv": -1000.0}, 2),
        ("V1", {"r_ms": 39.0}, {"r_ms": 40.0}, 1),
        ("V1", {"r_ms": 39.0}, {"r_ms": 50.0}, 2),
        ("V1", {}, {"q_uv": -100.0, "q_ms": 12.0}, 1),
        ("V1", {"r_uv": 699.0}, {"r_uv": 700.0}, 1),
        ("V1", {"r_uv": 690.0}, {"r_uv": 1000.0}, 2 + 1),
        ("V1", {"s_uv": -301.0}, {"s_uv": -200.0}, 1 + 1),
        ("V2", {}, {"r_ms": 10.0}, 1),
        ("V2", {"r_uv": 101.0}, {"r_uv": 100.0}, 1),
        ("V2", {"r_ms": 49.0}, {"r_ms": 50.0}, 1),
        ("V2", {"r_ms": 49.0}, {"r_ms": 60.0}, 2),
        ("V2", {"r_uv": 1490.0}, {"r_uv": 1500.0}, 1 + 1),
        ("V3", {"r_ms": 21.0}, {"r_ms": 20.0}, 1),
        ("V3", {"r_ms": 21.0}, {"r_ms": 10.0}, 2),
        ("V3", {"q_uv": -90.0, "q_ms": 19.0}, {"q_uv": -90.0, "q_ms": 20.0}, 1),
        ("V3", {"q_uv": -90.0, "q_ms": 19.0}, {"q_uv": -90.0, "q_ms": 30.0}, 2),
        ("V4", {"q_uv": -90.0, "q_ms": 19.0}, {"q_uv": -90.0, "q_ms": 20.0}, 1),
        ("V4", {"s_uv": -990.0}, {"s_uv": -1000.0}, 1),
        ("V4", {"s_uv": -990.0}, {"s_uv": -2000.0}, 2),
        ("V4", {"r_uv": 501.0}, {"r_uv": 500.0}, 1),
        ("V5", {"q_uv": -90.0, "q_ms": 29.0}, {"q_uv": -90.0, "q_ms": 30.0}, 1),
        ("V5", {"s_uv": -490.0}, {"s_uv": -500.0}, 1),
        ("V5", {"s_uv": -490.0}, {"s_uv": -1000.0}, 2),
        ("V5", {"r_uv": 601.0}, {"r_uv": 600.0}, 1),
        ("V6", {"q_uv": -90.0, "q_ms": 29.0}, {"q_uv": -90.0, "q_ms": 30.0}, 1),
        ("V6", {"s_uv": -330.0}, {"s_uv": -334.0}, 1),
        ("V6", {"s_uv": -330.0}, {"s_uv": -1000.0}, 2),
    ],
)
def test_each_limit_on_both_sides(lead, none, some, expected):
    assert points(**{lead: none}) == 0
    assert points(**{lead: some}) == expected


def test_the_table_as_a_whole():
    assert selvester_points(HEALTHY, 90) == 0
    assert selvester_points(HEALTHY, 120) is None
    assert selvester_points({lead: HEALTHY[lead] for lead in LEADS - {"V3"}}, 90) is None
    assert MOST_POINTS == 32
    assert {group.lead for group in TABLE} == LEADS
    assert set(TERMS) >= CONFOUNDED


def test_a_large_right_atrium_takes_the_posterior_points():
    assert points(V1={"r_ms": 50.0}) == 2
    assert points(V1={"r_ms": 50.0}, aVF={"p_uv": 174.0}) == 2
    assert points(V1={"r_ms": 50.0}, aVF={"p_uv": 175.0}) == 0
    assert points(V1={"r_ms": 50.0, "p_uv": 100.0}) == 0
    assert points(V1={"q_uv": -100.0, "q_ms": 12.0, "p_uv": 100.0}) == 1


def test_only_where_nothing_else_makes_such_waves():
    usual = analyse(drawn(SIGNALS[1])).measurements
    assert usual.selvester_points is not None
    for name in ("lbbb", "rbbb"):
        assert analyse(as_recording(generate(name, seed=3))).measurements.selvester_points is None
    child = replace(drawn(SIGNALS[1]), started_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert analyse(child, Patient(birth_date="2020-01-01")).measurements.selvester_points is None
    assert analyse(child, Patient(birth_date="1970-01-01")).measurements.selvester_points == usual.selvester_points


def test_a_healthy_heart_has_few():
    few = [analyse(as_recording(generate("sinus", seed=seed))).measurements.selvester_points for seed in range(4)]
    assert all(value is None or value <= 3 for value in few)
    assert any(value is not None for value in few)
