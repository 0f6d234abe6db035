"""Shifts of the QRS axis, and the ST episodes beside them."""

from datetime import UTC, datetime

import numpy as np
import pytest
from support.holter_days import day, minutes

from worker.holter.conclude import conclude
from worker.holter.measured import NOT_MEASURED
from worker.holter.posture import axis_shift_events, doubted
from worker.holter.st import st_episodes

N = 1440
"""Rows of ten seconds: four hours."""


def rows(*sizes_uv, st_uv=None, noise_uv=10.0):
    chance = np.random.default_rng(4)
    sizes = np.stack([np.broadcast_to(size, N) + chance.normal(0, noise_uv, N) for size in sizes_uv])
    levels = np.zeros((len(sizes), N)) if st_uv is None else np.stack([np.broadcast_to(st, N) for st in st_uv])
    levels = levels + chance.normal(0, noise_uv / 2, levels.shape)
    names = ("II", "V1", "V5")[: len(sizes)]
    return day(
        "N" * 14_000,
        leads=names,
        duration_s=N * 10.0,
        started_at=datetime(2026, 3, 1, 9, tzinfo=UTC),
        minutes=minutes(len(sizes), N * 10.0, qrs_uv=np.rint(sizes), st_uv=np.rint(levels)),
    )


def turned(before_uv, after_uv, at=600, until=N):
    place = np.arange(N)
    return np.where((place >= at) & (place < until), after_uv, before_uv).astype(float)


def test_a_turn_is_found_when_it_was_with_its_leads_and_its_largest_step():
    (event,) = axis_shift_events(rows(turned(900, 500), turned(600, 850), 700))
    assert event.kind == "axis_shift"
    assert event.start_s == pytest.approx(6000, abs=20)
    assert event.leads == ["II", "V1"]
    assert (event.value, event.quantity) == (pytest.approx(-0.4, abs=0.03), "qrs_step_mv")


def test_turning_back_is_a_shift_of_its_own():
    events = axis_shift_events(rows(turned(900, 500, 600, 700), turned(600, 850, 600, 700)))
    assert [round(event.start_s, -2) for event in events] == [6000, 7000]


@pytest.mark.parametrize(
    ("first_uv", "second_uv"),
    [
        (turned(900, 500), np.full(N, 600.0)),  # one of two leads: its electrode
        (turned(900, 780), turned(600, 520)),  # too small
        (np.linspace(900, 300, N), np.linspace(600, 1000, N)),  # gradually
        (turned(900, 500, 600, 602), turned(600, 850, 600, 602)),  # for twenty seconds
        (turned(900, 500, 600), turned(600, 850, 650)),  # not at once
    ],
)
def test_what_is_no_shift(first_uv, second_uv):
    assert axis_shift_events(rows(first_uv, second_uv)) == []


def test_the_only_lead_is_asked_alone_and_what_was_not_measured_says_nothing():
    assert len(axis_shift_events(rows(turned(900, 500)))) == 1
    assert axis_shift_events(rows(np.full(N, float(NOT_MEASURED)), noise_uv=0.0)) == []


def test_an_episode_of_st_beside_a_shift_is_kept_and_doubted_one_elsewhere_is_not():
    place = np.arange(N)
    beside = -220.0 * np.clip((place - 601) / 9, 0, 1) * (place < 660)
    elsewhere = -220.0 * np.clip(np.minimum(place - 1000, 1060 - place) / 6, 0, 1)
    measured = rows(turned(900, 500), turned(600, 850), st_uv=(0.0, beside + elsewhere))
    shifts = axis_shift_events(measured)
    found = doubted(st_episodes(measured), shifts)
    assert [(round(event.start_s, -2), event.text) for event in found] == [(6000, "axis_shift"), (10_000, "")]


def test_findings_hold_the_shift_and_say_what_is_doubtful_with_less_certainty():
    place = np.arange(N)
    beside = -220.0 * np.clip((place - 601) / 9, 0, 1) * (place < 660)
    findings = conclude(rows(turned(900, 500), turned(600, 850), st_uv=(0.0, beside)))
    assert [event.kind for event in findings.holter.events if event.kind == "axis_shift"] == ["axis_shift"]
    (said,) = [statement for statement in findings.statements if statement.code == "145f"]
    assert said.certainty == "possible"
    assert {one.quantity: one.value for one in said.evidence}["beside_axis_shifts"] == 1
    steady = conclude(rows(900, 600, st_uv=(0.0, beside)))
    (said,) = [statement for statement in steady.statements if statement.code == "145f"]
    assert said.certainty == "probable"
    assert "beside_axis_shifts" not in {one.quantity for one in said.evidence}
