"""The report of a day says its figures, its hours, and prints strips that can be measured with a ruler."""

import io
from datetime import timedelta

import numpy as np
import pypdf
import pytest

from ecg_center.contract.holter import (
    AfBurden,
    Ectopy,
    Event,
    EventKind,
    HolterFindings,
    HourRow,
    HrvWindow,
    Pauses,
    RateAt,
    StTrend,
)
from ecg_center.release.document import day_chart
from ecg_center.release.document.day_words import KINDS, clocks, figures, grouped, hourly
from ecg_center.release.document.model import MAX_DAY_STRIPS, Day, DayStrip, DocumentError, Trace
from ecg_center.release.document.render import render
from ecg_center.store.day_reports import _USUAL, kept_figures

ZONE = "Asia/Shanghai"


def hour(at, **fields):
    values = {"analysed_s": 3600, "beats": 4000, "rate_mean_bpm": 66.7, "rate_min_bpm": 55, "rate_max_bpm": 90}
    return HourRow(start_s=at * 3600, end_s=(at + 1) * 3600, **values | fields)


def holter(**fields):
    values = {
        "analysed_s": 86000,
        "analysed_share": 0.995,
        "beats": {"N": 99000, "V": 876, "S": 124},
        "rate_mean_bpm": 71.4,
        "rate_max": RateAt(bpm=134, at_s=30000),
        "rate_min": RateAt(bpm=44, at_s=70000),
        "ventricular": Ectopy(beats=876, share=0.00876, singles=800, couplets=20, runs=3, longest_run_beats=5,
                              longest_run_at_s=40000, fastest_run_bpm=166, fastest_run_at_s=40000),
        "pauses": Pauses(over_2_0_s=7, over_2_5_s=2, over_3_0_s=1, longest_ms=3120, longest_at_s=71000),
        "af": AfBurden(episodes=2, share=0.031, longest_s=2400, longest_at_s=50000),
        "hours": [hour(at, v_beats=at) for at in range(24)],
        "hrv": [HrvWindow(name="whole", start_s=0, end_s=86400, nn_share=0.98, metrics={"sdnn_ms": 131.2})],
    }  # fmt: skip
    return HolterFindings(**values | fields)


@pytest.fixture
def make_day(examined_at):
    def make(found=None, strips=2, **fields):
        trace = Trace(("II", "V5"), np.tile(np.arange(-100, 100, dtype=np.int16), (2, 13))[:, :2500], 5.0, 250.0)
        shown = [
            DayStrip(trace, 40_000.0, Event(kind="v_run", start_s=40_001, end_s=40_004, beats=5, rate_bpm=166)),
            DayStrip(trace, 71_000.0, Event(kind="pause", start_s=71_002, end_s=71_005, value=3120, quantity="rr_ms")),
            DayStrip(trace, 100.0, None, "胸闷时"),
        ]
        return Day(found or holter(), 86400.0, fields.pop("started_at", examined_at), tuple(shown[:strips]))

    return make


@pytest.fixture
def examined_at(make_report):
    return make_report().examined_at


def pages(pdf):
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def test_the_report_of_a_day(make_report, make_day, examined_at):
    said = pages(render(make_report(trace=None, day=make_day())))
    assert len(said) == 3
    assert "动态心电图报告" in said[0]
    for words in ("876", "0.88 %", "3.12 s", "5 搏", "131 ms", "2 阵"):
        assert words in said[0]
    assert "分时统计" in said[1]
    assert "短阵室性心动过速" in said[2]
    assert "长间歇" in said[2]
    shown_at = (examined_at + timedelta(seconds=40_000)).strftime("%H:%M:%S")
    assert shown_at in said[2]
    assert "25 mm/s" in said[2]


def test_ten_seconds_of_each_strip_are_250_mm_and_a_millivolt_is_10(make_report, make_day, read_paths):
    """The drawn curve, 2500 samples from -0.5 to 0.5 mV, measured on the page."""
    paths = read_paths(render(make_report(trace=None, day=make_day())), 2)
    curves = [path for path in paths if len(path) > 1000]
    assert len(curves) == 4  # two strips of two leads
    for curve in curves:
        xs, ys = [x for x, _ in curve], [y for _, y in curve]
        assert max(xs) - min(xs) == pytest.approx(249.9, abs=0.05)
        assert max(ys) - min(ys) == pytest.approx(199 * 5 / 1000 * 10, abs=0.02)


def test_a_recorder_without_a_clock_says_so(make_report, make_day):
    said = pages(render(make_report(trace=None, day=make_day(started_at=None))))
    assert "记录仪时钟未知" in said[0]
    assert "11:06:40" in said[0]  # 40000 s since the start


def test_edits_are_said(make_report, make_day):
    assert "经医师修订 4 处" in pages(render(make_report(trace=None, day=make_day(holter(edits=4)))))[0]


def test_a_day_without_an_hour_still_is_a_report(make_report, make_day):
    bare = HolterFindings(analysed_s=0, analysed_share=0)
    said = pages(render(make_report(trace=None, day=make_day(bare, strips=0), language="en")))
    assert len(said) == 1
    assert "Holter report" in said[0]


def test_a_fortnight_keeps_to_few_lines():
    rows = grouped([hour(at, v_beats=2, rate_min_bpm=40 + at % 5) for at in range(14 * 24)])
    assert len(rows) <= 72
    assert sum(row.v_beats for row in rows) == 14 * 24 * 2
    assert rows[0].start_s == 0
    assert rows[-1].end_s == 14 * 86400
    assert min(row.rate_min_bpm for row in rows) == 40
    assert rows[0].rate_mean_bpm == pytest.approx(66.7)


def test_the_chart_keeps_within_its_bounds(make_day):
    day = make_day()
    chart = day_chart.draw(day.figures.hours, clocks(day, day.figures.hours, ZONE))
    assert chart.svg.startswith("<svg")
    assert all(-1 <= word.y_mm <= day_chart.HEIGHT_MM for word in chart.words)
    assert "nan" not in chart.svg


def test_every_usual_strip_has_its_words():
    assert {kind for kinds, _ in _USUAL for kind in kinds} <= set(KINDS)


def test_whatever_a_physician_puts_on_paper_has_its_words():
    assert set(KINDS) == set(EventKind.__args__)


def test_the_longest_interval_is_printed_even_where_it_is_no_pause(make_day):
    event = Event(kind="longest_rr", start_s=90.0, end_s=91.48, value=1480.0, quantity="rr_ms")
    kept = kept_figures(holter(pauses=Pauses(), events=[event, Event(kind="v_single", start_s=1.0, end_s=1.0)]))
    assert kept.events == [event]
    printed = [pair for group in figures(make_day(kept), "zh", ZONE) for pair in group["rows"]]
    assert any("1.48 s" in str(pair) for pair in printed)


def test_tables_are_of_one_width(make_day):
    table = hourly(make_day(), "zh", ZONE)
    assert {len(row) for row in table["rows"]} == {len(table["head"])}
    assert next(group["title"] for group in figures(make_day(), "en", ZONE)) == "Heart rate"


def test_what_cannot_be_printed_is_refused(make_report, make_day):
    day = make_day(strips=1)
    with pytest.raises(DocumentError, match="leave the trace out"):
        make_report(day=day)
    with pytest.raises(DocumentError, match="at most"):
        Day(day.figures, 1.0, None, day.strips * (MAX_DAY_STRIPS + 1))


def test_figures_carry_their_units_and_the_leads_that_deviate_most(make_day):
    levels = {"I": 0.02, "II": 0.01, "III": -0.03, "aVR": 0.04, "V4": -0.21, "V5": -0.18, "V6": 0.01}
    found = holter(
        st=[StTrend(lead=lead, times_s=[60.0], level_mv=[level]) for lead, level in levels.items()],
        hrv=[HrvWindow(name="whole", start_s=0, end_s=86400, nn_share=1, metrics={"pnn50_percent": 6.13})],
        deceleration={"dc_ms": 6.4, "ac_ms": -7.9},
        supraventricular=Ectopy(beats=1, share=0.00001, singles=1),
    )
    rows = [tuple(row) for group in figures(make_day(found), "zh", ZONE) for row in group["rows"]]
    assert [label for label, _ in rows if label.startswith("ST")] == [
        f"ST {lead} 最大偏移" for lead in ("III", "aVR", "V4", "V5")
    ]
    assert ("pNN50", "6.13 %") in rows
    assert ("加速力 AC", "-7.9 ms") in rows
    assert ("总数", "1  (< 0.01 %)") in rows
    assert any(label == "最快心率" and value.startswith("134 次/分") for label, value in rows)
