"""Events as columns: in order, counted whole, and cut down to what findings may hold."""

import numpy as np
import pytest
from support.holter_days import day

from ecg_center.contract.holter import MAX_EVENTS, Event
from worker.holter import happened
from worker.holter.happened import BeatEvents, Happened, event_of
from worker.holter.readable import readable


def rows(*numbers):
    return np.array(numbers, np.int64)


@pytest.fixture
def made():
    return readable(day("N" * 60, at_s=np.cumsum(np.full(60, 0.7))))


def test_what_is_told_is_what_one_event_says_of_itself(made):
    found = BeatEvents.joined(
        [
            BeatEvents.of("vt", rows(7), rows(11)),
            BeatEvents.of("r_on_t", rows(3), rows(4), value=np.array([12.0])),
            BeatEvents.of("pause", rows(5), rows(6), value=np.array([2100.0])),
            BeatEvents.of("paced", rows(20), rows(30), beats=rows(8)),
        ]
    ).in_order(made)
    assert found.told(made) == [
        event_of(made, "r_on_t", 3, 4, value=12.0, quantity="before_t_summit_ms", rate_bpm=None),
        event_of(made, "pause", 5, 6, value=2100.0, quantity="rr_ms"),
        event_of(made, "vt", 7, 11),
        event_of(made, "paced", 20, 30, beats=8),
    ]
    assert found.told(made)[2].rate_bpm == 85.7


def test_what_begins_together_stands_in_the_order_of_its_names(made):
    both = [BeatEvents.of(kind, rows(5), rows(9)) for kind in ("vt", "tachycardia", "paced")]
    assert [event.kind for event in BeatEvents.joined(both).in_order(made).told(made)] == ["paced", "tachycardia", "vt"]


def test_starts_are_rounded_as_events_are():
    at_s = np.concatenate([np.arange(0, 4000) / 128, np.arange(1, 4000) * 0.0005, [1.0005, 2.6755]])
    assert happened._rounded(at_s).tolist() == [round(second, 3) for second in at_s.tolist()]


def test_the_last_singles_are_left_out_first_and_said(made, monkeypatch):
    monkeypatch.setattr(happened, "MAX_EVENTS", 10)
    singles = np.arange(2, 40, 2)
    diary = Event(kind="diary", start_s=1.0, end_s=1.0, text="stairs")
    all_of_it = Happened(
        [diary],
        BeatEvents.joined([BeatEvents.of("v_single", singles, singles), BeatEvents.of("vt", rows(50), rows(54))]),
        [],
    )
    events, warnings = all_of_it.told(made)
    assert [event.kind for event in events] == ["diary", *["v_single"] * 8, "vt"]
    assert events[8].start_s == made.at_s[singles[7]].round(3)
    assert warnings == ["the list of events holds the first 10; 11 single premature beats are counted only"]
    assert len(all_of_it.kinds()) == 21


def test_where_nothing_less_is_left_the_last_of_all_goes(made, monkeypatch):
    monkeypatch.setattr(happened, "MAX_EVENTS", 2)
    runs = np.arange(4, 44, 10)
    events, warnings = Happened([], BeatEvents.of("vt", runs, runs + 3), []).told(made)
    assert [event.start_s for event in events] == made.at_s[runs[:2]].round(3).tolist()
    assert warnings[-1] == "the list of events holds the first 2; 2 more are counted only"
    assert MAX_EVENTS == 20_000
