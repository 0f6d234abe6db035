"""ST episodes from the rows of a day."""

from dataclasses import replace

import numpy as np
import pytest
from support.holter_days import day, minutes

from worker.holter.measured import NOT_MEASURED
from worker.holter.st import StRule, deviations_of, slope_at, st_episodes, st_trends

N = 8640


def level(base=0.0, seed=1, noise=12.0, n=N):
    return base + np.random.default_rng(seed).normal(0, noise, n)


def bump(n, first, rows, height, ramp=6):
    """(n,) a plateau with ramps."""
    place = np.arange(n) - first
    return height * np.clip(np.minimum(place, rows - 1 - place) / ramp, 0, 1)


def with_st(*leads, n=N, **columns):
    st = np.stack([np.where(np.isnan(lead), NOT_MEASURED, np.nan_to_num(lead)) for lead in leads]).astype(np.int16)
    names = tuple(f"V{number + 1}" for number in range(len(leads)))
    return day("N" * 10, leads=names, duration_s=n * 10.0, minutes=minutes(len(leads), n * 10.0, st_uv=st, **columns))


def test_an_episode_is_found_with_its_lead_time_and_height():
    found = st_episodes(with_st(level(), level(seed=2) + bump(N, 4000, 60, -200)))
    (event,) = found
    assert (event.kind, event.leads, event.quantity) == ("st_depression", ["V2"], "st_deviation_mv")
    assert event.value == pytest.approx(-0.2, abs=0.03)
    assert event.start_s == pytest.approx(40_000, abs=60)
    assert event.end_s == pytest.approx(40_600, abs=60)
    assert event.rate_bpm == 60.0


def test_elevation_and_depression_are_told_apart():
    shape = bump(N, 1000, 40, 150) + bump(N, 6000, 40, -150)
    assert [event.kind for event in st_episodes(with_st(level() + shape))] == ["st_elevation", "st_depression"]


@pytest.mark.parametrize(("height", "rows", "count"), [(90, 60, 0), (130, 60, 1), (200, 4, 0), (200, 12, 1)])
def test_one_millimetre_one_minute(height, rows, count):
    shape = bump(N, 3000, rows, height, ramp=1)
    assert len(st_episodes(with_st(level(noise=3.0) + shape))) == count


@pytest.mark.parametrize(("apart", "count"), [(3, 1), (12, 2)])
def test_episodes_less_than_a_minute_apart_are_one(apart, count):
    shape = bump(N, 3000, 30, 200, ramp=1) + bump(N, 3030 + apart, 30, 200, ramp=1)
    assert len(st_episodes(with_st(level(noise=3.0) + shape))) == count


def test_the_rule_is_the_centres_own():
    measured = with_st(level(noise=5.0) + bump(N, 3000, 60, 150))
    assert len(st_episodes(measured, StRule(level_uv=200.0))) == 0
    assert len(st_episodes(measured, StRule(lasts_s=1200.0))) == 0


def test_what_drifts_slowly_is_the_patients_own_level():
    drift = 250 * np.sin(np.arange(N) / N * 4 * np.pi)
    assert st_episodes(with_st(level() + drift)) == []
    (event,) = st_episodes(with_st(level() + drift + bump(N, 2000, 90, 180)))
    assert event.value == pytest.approx(0.18, abs=0.05)


def test_a_constant_deviation_is_no_episode():
    assert st_episodes(with_st(level(base=-250))) == []


def test_a_turn_of_the_body_moves_qrs_and_st_in_one_step():
    turned = np.where((np.arange(N) >= 3000) & (np.arange(N) < 3400), 1.0, 0.0)
    qrs = 900 + 400 * turned
    assert st_episodes(with_st(level() + 180 * turned, qrs_uv=qrs[None])) == []
    assert len(st_episodes(with_st(level() + 180 * turned, qrs_uv=900))) == 1


def test_ischaemia_that_comes_slowly_is_an_episode_though_qrs_has_turned():
    turned = np.where(np.arange(N) >= 3030, 1.0, 0.0)
    shape = bump(N, 3000, 120, 200, ramp=24)
    assert len(st_episodes(with_st(level() + shape, qrs_uv=(900 + 400 * turned)[None]))) == 1


def test_a_bundle_branch_block_that_comes_and_goes_is_not_ischaemia():
    blocked = (np.arange(N) // 500) % 2
    measured = with_st(level() + 300 * blocked, qrs_uv=900)
    assert st_episodes(measured)
    told_apart = replace(measured, minutes=replace(measured.minutes, shape=(1 + blocked).astype(np.int16)))
    assert st_episodes(told_apart) == []


def test_an_episode_that_begins_with_a_change_of_shape_is_one():
    shape = np.where(np.arange(N) >= 3000, 2, 1).astype(np.int16)
    measured = with_st(level() + bump(N, 3000, 60, 160, ramp=1))
    (event,) = st_episodes(replace(measured, minutes=replace(measured.minutes, shape=shape)))
    assert event.kind == "st_elevation"


def test_an_episode_within_one_shape_is_found_by_that_shapes_own_level():
    blocked = (np.arange(N) // 2000) % 2
    measured = with_st(level() + 300 * blocked + bump(N, 2800, 60, -180))
    (event,) = st_episodes(replace(measured, minutes=replace(measured.minutes, shape=(1 + blocked).astype(np.int16))))
    assert event.kind == "st_depression"
    assert event.start_s == pytest.approx(28_000, abs=60)


def test_single_rows_of_noise_are_no_episode():
    noisy = level()
    noisy[100::97] += 400
    assert st_episodes(with_st(noisy)) == []


@pytest.mark.parametrize(("noise", "count"), [(10.0, 1), (70.0, 0)])
def test_of_a_few_rows_as_noisy_as_the_episode_is_high_nothing_is_said(noise, count):
    rest = np.where(np.arange(N) % 2, noise, -noise)
    inside = np.full(N, False)
    inside[3000:3010] = True
    measured = with_st(np.where(inside, 125.0 + 0 * rest, rest))
    assert len(st_episodes(measured)) == count


def test_a_short_gap_does_not_part_an_episode():
    shape = level() + bump(N, 3000, 60, 200)
    shape[3020:3025] = np.nan
    assert len(st_episodes(with_st(shape))) == 1


def test_half_an_hour_has_its_first_minutes_as_reference():
    n = 180
    (event,) = st_episodes(with_st(level(n=n) + bump(n, 40, 120, 180), n=n))
    assert event.kind == "st_elevation"
    assert event.end_s - event.start_s == pytest.approx(1200, abs=90)


def test_uncalibrated_samples_have_no_millivolts():
    measured = replace(with_st(level() + bump(N, 3000, 60, 300)), calibrated=False)
    assert st_episodes(measured) == []
    assert st_trends(measured) == []


def test_the_trend_has_a_value_a_minute_and_is_bounded():
    trend = st_trends(with_st(level(base=-80)))[0]
    assert (trend.lead, len(trend.times_s)) == ("V1", 1440)
    assert np.median(trend.level_mv) == pytest.approx(-0.08, abs=0.005)
    long = 14 * N
    assert len(st_trends(with_st(level(n=long), n=long))[0].times_s) <= 2880


def test_slope_is_read_where_it_was_measured():
    measured = with_st(level())
    measured.minutes.st_slope_uv_s[0, 7] = -900
    assert slope_at(measured, "V1", 75.0) == pytest.approx(-0.9)


def test_nothing_measured_is_nothing_found():
    measured = with_st(np.full(N, np.nan))
    assert st_episodes(measured) == []
    assert not np.isfinite(deviations_of(measured.minutes, StRule())).any()
