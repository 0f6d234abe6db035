"""The summary of a day names what a physician must not overlook, each with its place on the trace."""

import re
from types import SimpleNamespace

from ecg_center.contract.holter import Event, HolterFindings
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


def summary(events):
    holter = HolterFindings(analysed_s=3600.0, analysed_share=1.0, beats={"N": 4000}, events=events)
    findings = SimpleNamespace(holter=holter, duration_s=3600.0)
    view = SimpleNamespace(findings=findings, recording=SimpleNamespace(started_at=None))
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
