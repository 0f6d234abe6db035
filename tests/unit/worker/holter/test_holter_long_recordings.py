"""A recording of 25 hours, of 72 and of 14 days: counts by the hour, nights and totals, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from support.holter_days import day, minutes

from ecg_center.web.day import date_of_row, moment
from worker.holter.analysis import analyse
from worker.holter.conclude import conclude
from worker.holter.measured import Stretch
from worker.holter.readable import readable
from worker.holter.summary import hour_edges, nights
from worker.recording import Recording

HZ = 128.0
HOUR_S = 3600
EVENING = datetime(2026, 3, 10, 19, 20, tzinfo=ZoneInfo("Asia/Shanghai"))
CLOCKS_BACK = datetime(2026, 10, 24, 19, 20, tzinfo=ZoneInfo("Europe/Berlin"))
"""In the night of this day Berlin's clocks are put back; the recorder's go on."""


def single_lead(hours, started_at, v_in_hour, s_in_hour=lambda hour: 0):
    """(the day, (n,) clock hours since the start's of its V beats): a beat a second by day, one in 1.25 s at night.

    So many beats of each hour of the clock are early ones; each is followed by its pause.
    """
    minute = started_at.hour * 60 + started_at.minute
    at_s, labels, now = [], [], 0.5
    done: dict[int, list[int]] = {}
    while now < hours * HOUR_S - 2:
        clock_h = (minute / 60 + now / HOUR_S) % 24
        rr = 1.25 if clock_h >= 22 or clock_h < 6 else 1.0
        hour = int(minute / 60 + now / HOUR_S)
        made = done.setdefault(hour, [0, 0])
        wanted = (v_in_hour(hour), s_in_hour(hour))
        kind = next((k for k in (0, 1) if made[k] < wanted[k]), None) if len(at_s) % 6 == 5 else None
        at_s.append(now - (0.4 * rr if kind is not None else 0.0))
        labels.append("N" if kind is None else "VS"[kind])
        if kind is not None:
            made[kind] += 1
        now += rr
    measured = day(
        "".join(labels), at_s=at_s, hz=HZ, leads=("MLII",), duration_s=hours * HOUR_S, started_at=started_at,
        minutes=minutes(1, hours * HOUR_S, step_s=60.0),
    )  # fmt: skip
    return measured, done


@pytest.mark.parametrize("started_at", [EVENING, CLOCKS_BACK])
def test_25_hours_are_counted_in_their_own_hours(started_at):
    measured, made = single_lead(25, started_at, lambda hour: hour % 7, lambda hour: hour % 3)
    holter = conclude(measured).holter
    assert [row.v_beats for row in holter.hours] == [made[hour][0] for hour in sorted(made)]
    assert [row.s_beats for row in holter.hours] == [made[hour][1] for hour in sorted(made)]
    assert [made[hour][0] for hour in sorted(made)] == [hour % 7 for hour in sorted(made)]
    assert holter.ventricular.beats == holter.beats["V"] == sum(row.v_beats for row in holter.hours)
    assert holter.supraventricular.beats == holter.beats["S"] == sum(row.s_beats for row in holter.hours)
    assert sum(holter.beats.values()) == sum(row.beats for row in holter.hours) == len(measured.beats)
    assert sum(row.analysed_s for row in holter.hours) == pytest.approx(25 * HOUR_S)
    # 19:20 to 20:20 of the next day: 40 min, 24 whole hours, 20 min
    lasted = [row.end_s - row.start_s for row in holter.hours]
    assert lasted == [2400.0, *[3600.0] * 24, 1200.0]


@pytest.mark.parametrize("started_at", [EVENING, CLOCKS_BACK])
def test_day_and_night_of_25_hours_have_their_own_rates(started_at):
    holter = conclude(single_lead(25, started_at, lambda hour: 0)[0]).holter
    assert holter.rate_day_bpm == pytest.approx(60, abs=0.1)
    assert holter.rate_night_bpm == pytest.approx(48, abs=0.1)
    night, waking = ({row.rate_mean_bpm for row in holter.hours[part]} for part in (slice(3, 11), slice(11, 26)))
    assert night == {48.0}
    assert waking == {60.0}
    windows = {window.name: window for window in holter.hrv}
    assert {"whole", "day", "night", "hour"} <= set(windows)


@pytest.mark.parametrize(("hours", "dates", "night_count"), [(72, 4, 3), (14 * 24, 15, 14)])
def test_a_patch_has_a_row_an_hour_with_its_date(hours, dates, night_count):
    started_at = datetime(2026, 2, 25, 15, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    measured = day("NN", at_s=[1.0, 2.0], hz=HZ, leads=("I",), duration_s=hours * HOUR_S, started_at=started_at)
    edges = hour_edges(measured)
    assert len(edges) == hours + 1
    assert (np.diff(edges) == HOUR_S).all()
    rows = edges[:-1].tolist()
    shown = [date_of_row(at_s, rows[place - 1] if place else None, started_at) for place, at_s in enumerate(rows)]
    named = [text for text in shown if text]
    assert (named[0], named[1], len(named)) == ("02-25", "02-26", dates)
    assert all(
        moment(rows[place], started_at).endswith(" 00:00:00") for place, text in enumerate(shown) if text and place
    )
    assert len(nights(measured).pairs()) == night_count
    assert all(end - start == 8 * HOUR_S for start, end in nights(measured).pairs())


def test_a_fortnight_keeps_its_counts_by_the_hour_where_a_day_of_it_is_lost():
    lost = Stretch(round(50 * HOUR_S * HZ), round(74 * HOUR_S * HZ), (), "lead_off")
    measured, _ = single_lead(336, datetime(2026, 2, 25, 0, 0, tzinfo=UTC), lambda hour: 3)
    measured = day(
        "".join("NSVFPQ"[label] for label in measured.beats.label), at_s=measured.beats.sample / HZ, hz=HZ,
        leads=("MLII",), duration_s=336 * HOUR_S, started_at=measured.started_at, unreadable=[lost],
        minutes=minutes(1, 336 * HOUR_S, step_s=60.0),
    )  # fmt: skip
    holter = conclude(measured).holter
    assert [row.v_beats for row in holter.hours] == [3] * 50 + [0] * 24 + [3] * 262
    assert {row.rate_mean_bpm for row in holter.hours[51:73]} == {None}
    assert holter.ventricular.beats == 3 * 312
    assert holter.analysed_s == pytest.approx(312 * HOUR_S)
    assert readable(measured).duration_s == 336 * HOUR_S


def repeated_lead(hours):
    """(samples, beats, ventricular beats) of a minute of one lead at 128 Hz again and again: 70 beats, two are V."""
    seconds = np.arange(round(60 * HZ)) / HZ
    starts = np.arange(70) * (60 / 70) + 0.4
    uv = np.random.default_rng(5).normal(0, 8, seconds.size)
    for number, start in enumerate(starts):
        ventricular = number in (20, 50)
        at = start - 0.25 if ventricular else start
        for height, place, width in (
            ((-1300, 0.0, 0.03), (500, 0.30, 0.07)) if ventricular
            else ((110, -0.16, 0.025), (1100, 0.0, 0.013), (-200, 0.03, 0.011), (240, 0.28, 0.045))
        ):  # fmt: skip
            uv += height * np.exp(-0.5 * ((seconds - at - place) / width) ** 2)
    return np.tile(np.rint(uv / 5).astype(np.int16), hours * 60)[None], 70 * 60 * hours, 2 * 60 * hours


def test_the_signal_of_25_hours_gives_the_same_counts_each_hour():
    samples, beats, ventricular = repeated_lead(25)
    recording = Recording(
        "", "holter", ("MLII",), samples, np.full(1, 5.0), np.zeros(1), HZ, started_at=EVENING
    )  # fmt: skip
    holter = analyse(recording)[0].holter
    assert holter.analysed_share > 0.999
    assert sum(holter.beats.values()) == pytest.approx(beats, abs=2)
    assert holter.ventricular.beats == pytest.approx(ventricular, abs=2)
    assert holter.supraventricular.beats == 0
    whole = [row for row in holter.hours if row.end_s - row.start_s == HOUR_S]
    assert len(whole) == 24
    assert {row.v_beats for row in whole[1:-1]} == {120}
    assert all(abs(row.beats - 4200) <= 1 for row in whole)
    assert holter.pauses.over_2_0_s == 0
    assert EVENING + timedelta(seconds=whole[0].start_s) == EVENING.replace(hour=20, minute=0)
