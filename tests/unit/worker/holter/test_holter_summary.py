"""Hourly table, extremes and nights."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pytest
from support.holter_days import day, minutes

from ecg_center.contract.holter import Event
from worker.holter.happened import BeatEvents, Happened
from worker.holter.measured import Label, Stretch
from worker.holter.readable import Spans, readable
from worker.holter.summary import extreme_events, hour_edges, hours, nights, rate_in, rate_mean
from worker.recording import Annotation

CHINA = timezone(timedelta(hours=8))


def paced_at(*stretches):
    """Beat times of (seconds, beats a minute) one after the other."""
    at, now = [], 0.0
    for seconds, bpm in stretches:
        end = now + seconds
        while now + 60 / bpm <= end + 1e-9:
            now += 60 / bpm
            at.append(now)
    return np.array(at)


def at_rates(*stretches, **fields):
    times = paced_at(*stretches)
    return day("N" * len(times), at_s=times, **fields)


def happened(*events):
    no_beats = np.zeros(0, np.int64)
    return Happened(events, BeatEvents.of("pause", no_beats, no_beats), [])


def kinds(events):
    return {event.kind: event for event in events}


def test_the_fastest_and_the_slowest_window_are_found_with_their_times():
    found = kinds(extreme_events(readable(at_rates((600, 60), (60, 150), (600, 75), (60, 40), (600, 60)))))
    assert found["fastest"].rate_bpm == pytest.approx(150, abs=0.5)
    assert 600 <= found["fastest"].start_s <= 650
    assert found["slowest"].rate_bpm == pytest.approx(40, abs=0.5)
    assert 1260 <= found["slowest"].start_s <= 1310
    assert found["slowest"].end_s - found["slowest"].start_s >= 10
    assert found["longest_rr"].value == 1500


def test_a_couplet_makes_no_maximum():
    times = np.sort(np.concatenate([paced_at((600, 60)), [300.3, 300.6]]))
    found = kinds(extreme_events(readable(day("N" * len(times), at_s=times))))
    assert found["fastest"].rate_bpm < 75


def test_no_rate_and_no_interval_reaches_across_what_cannot_be_read():
    measured = at_rates((300, 60), (300, 60), unreadable=[Stretch(200 * 250, 230 * 250, (), "muscle")])
    found = readable(measured)
    assert rate_mean(found) == pytest.approx(60)
    assert found.analysed_s == pytest.approx(measured.duration_s - 30)
    assert kinds(extreme_events(found))["longest_rr"].value == 1000
    assert not ((found.at_s >= 200) & (found.at_s < 230)).any()


def test_questionable_beats_make_no_extreme():
    measured = at_rates((300, 60), (30, 200), (300, 60))
    measured.beats.label[(measured.beats.sample > 295 * 250) & (measured.beats.sample < 335 * 250)] = Label.Q
    assert kinds(extreme_events(readable(measured)))["fastest"].rate_bpm == pytest.approx(60, abs=0.5)


def test_rows_are_hours_of_the_clock():
    measured = at_rates((9000, 60), started_at=datetime(2026, 3, 1, 9, 45, tzinfo=CHINA))
    assert hour_edges(measured).tolist() == pytest.approx([0, 900, 4500, 8100, measured.duration_s])
    assert hour_edges(replace(measured, started_at=None)).tolist() == pytest.approx(
        [0, 3600, 7200, measured.duration_s]
    )


def test_the_table_counts_beats_events_and_fibrillation_in_their_hours():
    measured = day("NNNNNNNNNV" * 720, rr_s=1.0, minutes=minutes(2, 7201, st_uv=-120))
    events = [
        Event(kind="v_couplet", start_s=10.0, end_s=11.0),
        Event(kind="vt", start_s=4000.0, end_s=4010.0),
        Event(kind="pause", start_s=4020.0, end_s=4023.0),
        Event(kind="af", start_s=3500.0, end_s=3700.0),
    ]
    qtc = np.full(len(measured.minutes.start_s), 400.0)
    first, second = hours(readable(measured), happened(*events), qtc)
    assert (first.beats, second.beats) == (3599, 3601)
    assert (first.v_beats, second.v_beats) == (359, 361)
    assert (first.v_couplets, first.v_runs, second.v_runs, second.pauses) == (1, 0, 1, 1)
    assert (first.af_s, second.af_s) == (100.0, 100.0)
    assert first.rate_mean_bpm == first.rate_min_bpm == first.rate_max_bpm == 60.0
    assert first.qtc_ms == 400.0
    assert first.st_max_mv == -0.12


def test_an_hour_of_noise_has_no_rates():
    measured = at_rates((7200, 60), unreadable=[Stretch(3600 * 250, 7200 * 250, (), "lead_off")])
    _, second = hours(readable(measured), happened(), np.full(720, np.nan))
    assert (second.beats, second.rate_mean_bpm, second.rate_min_bpm) == (1, None, None)
    assert second.analysed_s == pytest.approx(1, abs=0.1)


def test_night_is_by_the_clock():
    measured = at_rates((100, 60), started_at=datetime(2026, 3, 1, 20, 0, tzinfo=CHINA), duration_s=86_400.0)
    assert nights(measured).pairs() == [(7200.0, 36_000.0)]
    early = replace(measured, started_at=datetime(2026, 3, 1, 5, 0, tzinfo=CHINA))
    assert nights(early).pairs() == [(0.0, 3600.0), (61_200.0, 86_400.0)]
    assert nights(replace(measured, started_at=None)).pairs() == []


def test_the_diary_outranks_the_clock():
    measured = at_rates((100, 60), started_at=datetime(2026, 3, 1, 20, 0, tzinfo=CHINA), duration_s=86_400.0)
    told = replace(measured, marks=(Annotation("起床", 40_000.0), Annotation("入睡", 9000.0), Annotation("nap?", 1.0)))
    assert nights(told).pairs() == [(9000.0, 40_000.0)]
    short = replace(measured, marks=(Annotation("sleep", 100.0), Annotation("woke up", 900.0)))
    assert nights(short).pairs() == [(7200.0, 36_000.0)]


def test_day_and_night_have_their_own_mean():
    found = readable(at_rates((600, 80), (600, 50), (600, 80)))
    night = Spans.of([(600.0, 1200.0)])
    assert rate_in(found, night) == pytest.approx(50, abs=0.2)
    assert rate_in(found, night, outside=True) == pytest.approx(80, abs=0.2)
    assert rate_in(found, Spans.of([])) is None


def test_a_day_without_beats_has_no_rates():
    found = readable(day("", duration_s=4000))
    assert extreme_events(found) == []
    assert rate_mean(found) is None
    assert [row.beats for row in hours(found, happened(), np.full(400, np.nan))] == [0, 0]
