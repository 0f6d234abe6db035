"""Early beats, runs, patterns, pauses, slow and fast stretches from beats alone."""

import numpy as np
import pytest
from support.holter_days import day, minutes

from worker.holter.ectopy import groups_of, qt_before_s
from worker.holter.events import ectopy, events_of, pauses
from worker.holter.measured import Label, Stretch
from worker.holter.readable import Spans, readable

HZ = 250


def told(found, **more):
    return events_of(found, **more).told(found)


def kinds(measured, **more):
    return [event.kind for event in told(readable(measured), **more)]


def counts(letters, **more):
    return ectopy(readable(day(letters, **more)))


def at(*rr_s):
    return 1.0 + np.cumsum([0.0, *rr_s])


def test_singles_couplets_and_runs_share_out_all_beats():
    ventricular, _ = counts("NVNNVVNNVVVVNNV", rr_s=0.5)
    assert (ventricular.beats, ventricular.singles, ventricular.couplets, ventricular.runs) == (8, 2, 1, 1)
    assert ventricular.longest_run_beats == 4
    assert ventricular.longest_run_at_s == 4.5
    assert ventricular.fastest_run_bpm == 120.0
    assert ventricular.share == pytest.approx(8 / 15)


@pytest.mark.parametrize(
    ("rr_s", "kind"), [(0.6, "vt"), (0.61, "idioventricular"), (1.4, "idioventricular"), (0.3, "vt")]
)
def test_a_ventricular_run_is_a_tachycardia_from_100(rr_s, kind):
    assert kind in kinds(day("NNVVVNN", at_s=at(0.8, 0.7, rr_s, rr_s, 1.2, 0.8), qrs_ms=140))


@pytest.mark.parametrize(("rr_s", "kind"), [(0.6, "svt"), (0.62, "s_run")])
def test_a_supraventricular_run_likewise(rr_s, kind):
    assert kinds(day("NNSSSNN", at_s=at(0.8, 0.7, rr_s, rr_s, 0.9, 0.8))) == [kind]


def test_the_rate_of_a_run_is_that_within_it():
    (run,) = [e for e in told(readable(day("NVVVVN", at_s=at(0.9, 0.4, 0.4, 0.4, 1.5)))) if e.kind == "vt"]
    assert (run.beats, run.rate_bpm, run.start_s, run.end_s) == (4, 150.0, 1.9, 3.1)


def test_an_unreadable_stretch_parts_a_run():
    broken = day("NVVVVVVN", unreadable=[Stretch(round(4.2 * HZ), round(4.6 * HZ))])
    ventricular, _ = ectopy(readable(broken))
    assert (ventricular.beats, ventricular.runs, ventricular.longest_run_beats) == (6, 2, 3)


@pytest.mark.parametrize(
    ("letters", "bigeminy", "trigeminy"),
    [
        ("NVNVNV", 1, 0),
        ("NVNVNN", 0, 0),
        ("VNVNV", 1, 0),
        ("NNVNNVNNV", 0, 1),
        ("NNVNNVNN", 0, 0),
        ("NVNVNVNNNNVNVNVNV", 2, 0),
        ("NVNVVNVNV", 0, 0),
        ("NVNVQVNVN", 0, 0),
        ("NVNVNVNNVNNV", 1, 1),
    ],
)
def test_patterns_need_three_cycles_of_singles(letters, bigeminy, trigeminy):
    ventricular, _ = counts(letters)
    assert (ventricular.bigeminy, ventricular.trigeminy) == (bigeminy, trigeminy)
    events = kinds(day(letters))
    assert (events.count("v_bigeminy"), events.count("v_trigeminy")) == (bigeminy, trigeminy)


def test_members_of_a_pattern_are_counted_as_singles_but_not_listed_one_by_one():
    ventricular, _ = counts("NVNVNVNNNNV")
    assert ventricular.singles == 4
    assert kinds(day("NVNVNVNNNNV")).count("v_single") == 1


def test_a_pattern_begins_with_the_usual_beats_of_its_first_cycle():
    (pattern,) = [e for e in told(readable(day("NNNVNNVNNVNN"))) if e.kind == "v_trigeminy"]
    assert (pattern.start_s, pattern.end_s, pattern.beats) == (2.0, 10.0, 9)


def test_the_busiest_hour_is_an_hour_of_the_table():
    at_s = np.concatenate([np.arange(1, 50), 3600 + np.arange(1, 100)]).astype(float)
    letters = "NV" * 24 + "N" + "NNV" * 33
    ventricular, _ = ectopy(readable(day(letters, at_s=at_s)))
    assert ventricular.most_in_an_hour == 33


def test_pauses_are_counted_where_they_are_longer_than_the_limit():
    found = pauses(readable(day("N" * 8, at_s=at(0.8, 2.0, 2.004, 2.52, 3.02, 5.02, 1.99))))
    assert (found.over_2_0_s, found.over_2_5_s, found.over_3_0_s, found.over_5_0_s) == (4, 3, 2, 1)
    assert found.longest_ms == 5020
    assert found.longest_at_s == pytest.approx(11.344, abs=0.002)


def test_no_pause_is_believed_across_what_cannot_be_read_or_across_fibrillation():
    where = [Stretch(round(2.0 * HZ), round(2.1 * HZ))]
    assert pauses(readable(day("NNN", at_s=at(4.0, 0.8), unreadable=where))).over_3_0_s == 0
    where = [Stretch(round(2.0 * HZ), round(4.0 * HZ), (), "vf")]
    assert pauses(readable(day("NNN", at_s=at(4.0, 0.8), rhythms=where))).over_3_0_s == 0


def test_standstill_is_a_pause_too():
    where = [Stretch(round(2.0 * HZ), round(8.0 * HZ), (), "asystole")]
    found = pauses(readable(day("NNN", at_s=at(8.0, 0.8), rhythms=where)))
    assert (found.over_5_0_s, found.longest_ms) == (1, 8000)


def test_a_deleted_beat_makes_one_long_interval():
    from ecg_center.contract.holter import Edit
    from worker.holter.edits import apply

    before = day("NNNN", rr_s=1.2)
    after = apply(before, [Edit(action="delete_beats", at_s=[2.4])])
    assert pauses(readable(before)).over_2_0_s == 0
    assert pauses(readable(after)).longest_ms == 2400


def test_r_on_t_begins_before_the_summit_of_t():
    # R at 0.045 s after Q, T's summit 0.315 s after Q: V with 140 ms begins 0.07 s before its R
    for coupling_s, expected in ((0.34, True), (0.38, False), (0.5, False)):
        measured = day("NNNVN", at_s=at(1.0, 1.0, coupling_s, 1.2), qrs_ms=[90, 90, 90, 140, 90])
        assert ("r_on_t" in kinds(measured)) is expected
        assert ectopy(readable(measured))[0].r_on_t == int(expected)


def test_r_on_t_is_not_said_in_fibrillation_nor_within_a_run():
    early = {"at_s": at(1.0, 1.0, 0.33, 0.33, 0.33, 1.0), "qrs_ms": 140}
    assert kinds(day("NNNVVVN", **early)).count("r_on_t") == 1
    assert "r_on_t" not in kinds(day("NNNVVVN", **early), af=Spans.of([(0.0, 9.0)]))


def test_qt_is_the_measured_one_where_there_is_one_near():
    known = readable(day("NNNVN", minutes=minutes(2, 6.0, qt_ms=460)))
    unknown = readable(day("NNNVN", minutes=minutes(2, 6.0, qt_ms=None)))
    assert qt_before_s(known, np.array([3])) == pytest.approx(0.46)
    assert qt_before_s(unknown, np.array([3])) == pytest.approx(0.40)


def test_slow_and_fast_stretches_last_half_a_minute():
    def stretch(n, rr_s):
        return [e for e in told(readable(day("N" * n, rr_s=rr_s))) if e.kind in ("bradycardia", "tachycardia")]

    assert not stretch(60, 1.0)
    assert not stretch(20, 1.25)
    (slow,) = stretch(40, 1.3)
    assert (slow.kind, slow.rate_bpm) == ("bradycardia", 46.2)
    (fast,) = stretch(120, 0.5)
    assert (fast.kind, fast.rate_bpm, fast.beats) == ("tachycardia", 120.0, 120)
    assert not stretch(40, 0.5)


def test_a_night_at_the_limit_is_one_slow_stretch():
    rate_bpm = 50.5 + 2.5 * np.sin(np.arange(3000) / 60)
    night = day("N" * 3001, at_s=np.cumsum(np.concatenate([[1.0], 60 / rate_bpm])))
    (slow,) = [e for e in told(readable(night)) if e.kind == "bradycardia"]
    assert slow.beats > 2500
    awake = np.where((np.arange(3000) > 1000) & (np.arange(3000) < 1200), 62.0, rate_bpm)
    twice = day("N" * 3001, at_s=np.cumsum(np.concatenate([[1.0], 60 / awake])))
    assert [e.kind for e in told(readable(twice))].count("bradycardia") == 2
    near = day("N" * 3001, at_s=np.cumsum(np.concatenate([[1.0], 60 / (rate_bpm + 2.6)])))
    assert [e.kind for e in told(readable(near))].count("bradycardia") == 0


def test_a_dropped_beat_is_twice_the_steady_interval_with_p_waves():
    steady = at(0.8, 0.8, 0.8, 1.6, 0.8, 0.8, 0.8)
    assert kinds(day("N" * 8, at_s=steady)) == ["dropped_beat"]
    assert kinds(day("N" * 8, at_s=steady, p_wave=0.1)) == []
    assert kinds(day("N" * 8, at_s=at(0.8, 0.8, 0.8, 1.35, 0.8, 0.8, 0.8))) == []
    assert "dropped_beat" not in kinds(day("NNNNVNNN", at_s=steady))


def test_paced_stretches_hold_a_few_own_beats():
    (event,) = [e for e in told(readable(day("NNPPPNPPPNNNNNP"))) if e.kind == "paced"]
    assert (event.start_s, event.end_s, event.beats) == (3.0, 9.0, 6)


def test_a_day_without_beats_has_no_events():
    empty = readable(day("", duration_s=60.0))
    assert told(empty) == []
    assert pauses(empty).over_2_0_s == 0
    assert ectopy(empty)[0].beats == 0


def test_groups_know_their_beats():
    groups = groups_of(readable(day("VNVV")), readable(day("VNVV")).is_label(Label.V))
    assert groups.beats.tolist() == [1, 2]
