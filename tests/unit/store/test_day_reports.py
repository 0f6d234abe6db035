"""What of a day's findings does its report keep?"""

from ecg_center.contract.holter import Event, HolterFindings, HrvWindow, QtTrend, StTrend
from ecg_center.store.day_reports import kept_figures, usual_strips


def event(kind, start_s, end_s=None, **fields):
    return Event(kind=kind, start_s=start_s, end_s=start_s + 0.5 if end_s is None else end_s, **fields)


def found(*events, **fields):
    return HolterFindings(analysed_s=86400, analysed_share=1.0, events=list(events), **fields)


def test_of_each_kind_the_gravest_is_printed_in_order_of_time():
    strips = usual_strips(
        found(
            event("fastest", 5000, rate_bpm=150),
            event("v_run", 900, 902, beats=4),
            event("vt", 700, 740, beats=90),
            event("v_single", 100),
            event("v_single", 200),
            event("pause", 3000, value=2100, quantity="rr_ms"),
            event("pause", 4000, value=3900, quantity="rr_ms"),
            event("st_depression", 6000, 6600, value=-0.12, quantity="st_mv", leads=["V5"]),
            event("st_depression", 7000, 7600, value=-0.31, quantity="st_mv", leads=["V5"]),
            event("noise", 8000, 9000),
        )
    )
    assert [strip.event.start_s for strip in strips] == [100, 700, 4000, 5000, 7000]


def test_a_short_event_stands_in_the_middle_and_a_long_one_begins_with_what_was_before():
    short, long = usual_strips(found(event("v_couplet", 100, 102), event("af", 500, 4000)))
    assert short.start_s == 96.0
    assert long.start_s == 498.5
    assert usual_strips(found(event("slowest", 0.4, 0.6)))[0].start_s == 0.0


def test_one_strip_shows_what_lies_together_once():
    strips = usual_strips(found(event("pause", 1000, value=3000, quantity="rr_ms"), event("slowest", 1001)))
    assert len(strips) == 1


def test_a_report_keeps_figures_not_lists():
    holter = found(
        event("af", 1, 9),
        qt=QtTrend(qtc_mean_ms=420, times_s=[0, 60], qt_ms=[380, 382], qtc_ms=[420, 421]),
        st=[
            StTrend(lead="V5", times_s=[0, 60, 120], level_mv=[0.01, -0.2, 0.1], slope_mv_s=[0, 0.5, 0]),
            StTrend(lead="II", times_s=[], level_mv=[], slope_mv_s=[]),
        ],
        hrv=[
            HrvWindow(name=name, start_s=0, end_s=1, nn_share=1.0, metrics={"sdnn_ms": 100.0})
            for name in ("whole", "day", "hour", "hour")
        ],
    )
    kept = kept_figures(holter)
    assert kept.events == []
    assert kept.qt.qtc_mean_ms == 420
    assert kept.qt.times_s == []
    assert [(trend.lead, trend.times_s, trend.level_mv) for trend in kept.st] == [("V5", [60], [-0.2])]
    assert [window.name for window in kept.hrv] == ["whole", "day"]
    assert kept_figures(kept) == kept
