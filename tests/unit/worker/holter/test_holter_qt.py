"""QTc over the day."""

import numpy as np
import pytest
from support.holter_days import minutes

from worker.holter.measured import NOT_MEASURED
from worker.holter.qt import fridericia_ms, long_qt_events, qt_trend, qtc_rows


def rows(n=8640, **columns):
    return minutes(1, n * 10.0, **columns)


def test_fridericia():
    assert fridericia_ms(np.array([400.0]), np.array([1000.0]))[0] == 400.0
    assert fridericia_ms(np.array([360.0]), np.array([512.0]))[0] == pytest.approx(450.0)


def test_the_mean_and_the_trend_of_a_constant_day():
    found = minutes(1, 86_400.0, qt_ms=360, rr_ms=729.0)
    trend = qt_trend(found, qtc_rows(found))
    assert (trend.qt_mean_ms, trend.qtc_mean_ms, trend.qtc_max_ms) == (360.0, 400.0, 400.0)
    assert trend.over_500_share == 0.0
    assert len(trend.times_s) == len(trend.qt_ms) == len(trend.qtc_ms) == 288
    assert trend.times_s[1] == 300.0


def test_the_longest_is_found_with_its_time():
    qt = np.full(8640, 400)
    qt[5000:5030] = 540
    found = rows(qt_ms=qt)
    trend = qt_trend(found, qtc_rows(found))
    assert trend.qtc_max_ms == 540.0
    assert 50_000 <= trend.qtc_max_at_s <= 50_300
    (event,) = long_qt_events(found, qtc_rows(found))
    assert (event.kind, event.value, event.quantity) == ("long_qt", 540.0, "qtc_ms")
    assert event.start_s == pytest.approx(50_000, abs=30)
    assert event.end_s == pytest.approx(50_300, abs=30)


def test_single_rows_of_noise_are_no_long_qt():
    qt = np.full(8640, 400)
    qt[1000:8000:500] = 620
    found = rows(qt_ms=qt)
    assert qt_trend(found, qtc_rows(found)).qtc_max_ms == 400.0
    assert long_qt_events(found, qtc_rows(found)) == []


def test_a_minute_that_jumps_is_not_believed():
    qt = np.where(np.arange(8640) % 2, 380, 560)
    found = rows(qt_ms=qt)
    assert not np.isfinite(qtc_rows(found)).any()
    assert qt_trend(found, qtc_rows(found)).qtc_max_ms is None


def test_rates_beyond_any_formula_are_left_out():
    found = rows(rr_ms=1800.0)
    assert not np.isfinite(qtc_rows(found)).any()


def test_gaps_do_not_reach_into_the_trend():
    qt = np.full(8640, 400)
    qt[600:1200] = NOT_MEASURED
    found = rows(qt_ms=qt)
    trend = qt_trend(found, qtc_rows(found))
    assert all(not 6100 <= at < 11_700 for at in trend.times_s)
    assert set(trend.qtc_ms) == {400.0}


def test_a_trend_of_two_weeks_stays_bounded():
    found = minutes(1, 14 * 86_400.0)
    assert len(qt_trend(found, qtc_rows(found)).times_s) <= 2880 + 1440
