"""The summary of a day names what a physician must not overlook, each with its place on the trace."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

from ecg_center.contract.findings import Evidence
from ecg_center.contract.holter import Ectopy, Event, HolterFindings, HourRow, HrvWindow, Pauses, QtTrend, RateAt
from ecg_center.web.day import of_kind, worst
from ecg_center.web.rendering import environment


def event(kind, start_s, **more):
    return Event(kind=kind, start_s=start_s, end_s=start_s + more.pop("lasts_s", 2.0), **more)


EVENTS = [
    event("av_block_2", 100.0, lasts_s=40.0, value=12.0, quantity="blocked_p", text="mobitz_2"),
    event("av_block_2", 300.0, value=1.0, quantity="blocked_p", text="second_degree"),
    event("t_alternans", 400.0, value=52.0, quantity="t_alternans_uv"),
    event("t_alternans", 500.0, value=88.0, quantity="t_alternans_uv"),
    *(event("diary", 600.0 + number, text=f"胸闷{number}") for number in range(8)),
]


def summary(events, started_at=None, **more):
    holter = HolterFindings(analysed_s=3600.0, analysed_share=1.0, beats={"N": 4000}, events=events, **more)
    findings = SimpleNamespace(holter=holter, duration_s=3600.0)
    view = SimpleNamespace(findings=findings, recording=SimpleNamespace(started_at=started_at))
    return environment("zh").get_template("parts/holter.html").module.summary(view)


def test_the_worst_is_the_one_with_the_largest_value_or_the_longest():
    holter = HolterFindings(analysed_s=1.0, analysed_share=1.0, beats={}, events=EVENTS)
    assert worst(of_kind(holter, "t_alternans")).start_s == 500.0
    assert worst([event("pause", 1.0), event("pause", 5.0, lasts_s=3.0)]).start_s == 5.0


def test_blocks_alternans_and_the_diary_lead_to_their_places():
    page = summary(EVENTS)
    assert "二度房室阻滞" in page
    jumps = re.findall(r'data-jump="([\d.]+)"', page)
    assert "100.0" in jumps
    assert "300.0" not in jumps
    assert "500.0" in jumps
    assert "88 µV" in page
    assert "胸闷0" in page
    assert "胸闷7" not in page
    assert "+2" in page


def test_a_day_without_them_does_not_name_them():
    page = summary([])
    assert "µV" not in page
    assert "日记" not in page


def test_a_shift_of_the_axis_leads_to_its_place():
    page = summary([event("axis_shift", 700.0, lasts_s=10.0, value=-0.4, quantity="qrs_step_mv", leads=["II", "V1"])])
    assert "QRS电轴突变" in page
    assert 'data-jump="700.0"' in page


def test_deceleration_and_acceleration_capacity_both_stand_there():
    page = summary([], deceleration={"dc_ms": 6.4, "ac_ms": -7.9})
    assert "DC 6.4 ms · AC -7.9 ms" in page


def test_the_hours_of_a_long_recording_carry_their_dates():
    rows = [
        HourRow(start_s=hour * 3600.0, end_s=(hour + 1) * 3600.0, analysed_s=3600.0, beats=4200) for hour in range(72)
    ]
    page = summary([], datetime(2026, 12, 30, 12, tzinfo=UTC), hours=rows)
    dates = re.findall(r'<strong class="small">([\d-]+)</strong> <button[^>]*data-jump="([\d.]+)"', page)
    assert dates == [("12-30", "0.0"), ("12-31", "14400.0"), ("01-01", "100800.0"), ("01-02", "187200.0")]
    assert '<strong class="small">' not in summary([], hours=rows)


def test_the_longest_interval_stands_there_even_where_it_is_no_pause():
    page = summary([event("longest_rr", 90.0, value=1480.0, quantity="rr_ms")])
    assert "1.48 s" in page
    assert 'data-jump="90.0"' in page
    page = summary([event("longest_rr", 90.0, value=1480.0)], pauses=Pauses(longest_ms=3120.0, longest_at_s=10.0))
    assert "3.12 s" in page
    assert "1.48 s" not in page


def test_st_events_are_counted_with_the_largest():
    lower = [
        event("st_depression", at, value=level, quantity="st_deviation_mv", leads=["V5"])
        for at, level in ((5, -0.12), (60, -0.2))
    ]
    page = summary(lower)
    assert "ST 段压低" in page
    assert "V5 -0.20 mV" in page
    assert 'data-jump="60.0"' in page


def test_heads_say_what_they_mean():
    windows = [
        HrvWindow(name=name, start_s=0, end_s=1, nn_share=1.0, metrics={"sdnn_ms": 131.2, "triangular_index": 24.0})
        for name in ("whole", "day", "night")
    ]
    page = summary([], hrv=windows, supraventricular=Ectopy(beats=1, share=0.00001))
    for words in ("记录时长", "全程", "白天", "夜间", "三角指数", "&lt; 0.01 %"):
        assert words in page
    assert "检查时间" not in page
    assert "日期" not in page


def test_evidence_of_a_day_stands_by_its_clock_or_the_time_since_its_beginning():
    parts = environment("zh").get_template("parts/study.html").module
    items = [Evidence(quantity="run_s", value=5367.0, unit="s", start_s=5000.0, end_s=10367.0)]
    assert parts.evidence_text(items, None, True).split() == ["持续时间", "1:29", "h", "01:23:20–02:52:47"]
    began = datetime(2026, 12, 30, 15, 0, tzinfo=UTC)
    assert "D2 00:23:20–D2 01:52:47" in parts.evidence_text(items, began, True)


def test_rates_the_longest_interval_and_the_longest_qtc_lead_to_their_strips():
    page = summary(
        [],
        rate_mean_bpm=71.0,
        rate_day_bpm=78.0,
        rate_night_bpm=58.0,
        rate_max=RateAt(bpm=141.0, at_s=1500.5),
        rate_min=RateAt(bpm=43.0, at_s=2500.5),
        pauses=Pauses(over_2_0_s=3, over_2_5_s=2, over_3_0_s=1, longest_ms=3120.0, longest_at_s=2600.5),
        qt=QtTrend(qtc_mean_ms=431.0, qtc_max_ms=502.0, qtc_max_at_s=2700.5),
        turbulence={"onset_share": -0.021, "slope_ms_per_rr": 6.5},
    )
    for shown, at_s in (("141 次/分", "1500.5"), ("43 次/分", "2500.5"), ("3.12 s", "2600.5"), ("502 ms", "2700.5")):
        assert re.search(rf'data-jump="{re.escape(at_s)}"[^>]*>{re.escape(shown)}', page), shown
    assert "71 次/分" in page
    assert "/min" not in page
    assert re.search(r"78 ·\s*\S+ 58", page)
    assert "TO -2.10 % · TS 6.50 ms/RR" in page
    assert re.search(r"&gt; 2 s:? 3", page)


def test_dropped_beats_pacing_and_long_qt_lead_to_their_places():
    page = summary(
        [
            event("dropped_beat", 810.0, value=1650.0, quantity="rr_ms"),
            event("paced", 900.0, lasts_s=60.0),
            event("long_qt", 1000.0, lasts_s=90.0, value=520.0, quantity="qtc_ms"),
        ]
    )
    assert {"810.0", "900.0", "1000.0"} <= set(re.findall(r'data-jump="([\d.]+)"', page))
    assert "起搏" in page
