"""The chart's geometry, before any PDF."""

import re
from itertools import pairwise

import numpy as np
import pytest

from ecg_center.release.document.model import Trace
from ecg_center.release.document.trace import HEIGHT_MM, ROWS_APART, arrange, baselines, draw, path, pulse_lines


def flat(leads: int = 12, hz: float = 500.0, seconds: float = 10.0, **changes) -> Trace:
    names = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8")[:leads]
    values = {
        "leads": names,
        "samples": np.zeros((leads, int(hz * seconds)), np.int16),
        "uv_per_lsb": 1.0,
        "sampling_hz": hz,
    }
    return Trace(**(values | changes))


def test_columns_follow_each_other_in_time_over_the_rhythm_strip():
    rows = arrange(flat())
    assert [[s.lead for s in row] for row in rows] == [
        ["I", "aVR", "V1", "V4"],
        ["II", "aVL", "V2", "V5"],
        ["III", "aVF", "V3", "V6"],
        ["II"],
    ]
    assert [s.start_s for s in rows[0]] == [0, 2.5, 5, 7.5]
    assert [s.x_mm for s in rows[0]] == [10, 72.5, 135, 197.5]


def test_six_rows_of_two_and_twelve_of_one():
    assert [[s.lead for s in row] for row in arrange(flat(layout="6x2"))][:2] == [["I", "V1"], ["II", "V2"]]
    assert len(arrange(flat(layout="12x1"))) == 12


def test_missing_or_further_leads_get_rows_of_their_own():
    assert [row[0].lead for row in arrange(flat(leads=3))] == ["I", "II", "III"]
    assert [row[0].lead for row in arrange(flat(leads=14))][-2:] == ["V7", "V8"]
    assert draw(flat(leads=1)).height_mm < HEIGHT_MM["12x1"]


def test_lead_names_are_taken_as_written_whatever_their_case():
    leads = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
    assert arrange(Trace(leads, flat().samples, 1.0, 500.0))[0][1].lead == "AVR"


def test_rows_keep_apart_where_there_is_room():
    extents = [(10, 5), (30, 2), (4, 20), (10, 5)]
    lines = baselines(extents, 110)
    for (a, b), ((_, down), (up, _)) in zip(pairwise(lines), pairwise(extents), strict=True):
        assert b - a >= down + up - 1e-9
    assert lines[0] >= 10
    assert 110 - lines[-1] >= 5


def test_rows_stay_on_the_chart_where_there_is_no_room():
    extents = [(10, 20)] * 12
    lines = baselines(extents, 120)
    assert lines == sorted(lines)
    assert all(10 <= line <= 100 for line in lines)


def test_pulses_never_cross_another_zero_line():
    assert pulse_lines([5, 15, 24, 33, 44], 10) == [44, 33, 15]


def test_a_spike_between_dense_samples_survives():
    samples = np.zeros((12, 40_000), np.int16)
    samples[1, 20_001] = 1000  # 1 mV for a quarter of a millisecond at 4 kHz
    dense = flat(hz=4000.0, samples=samples, leads=12, layout="12x1")
    drawn = draw(dense).svg
    ends = [(int(x), int(y)) for x, y in re.findall(r"L(\d+) (\d+)", drawn)]
    peak = [y for x, y in ends if abs(x - (10_000 + 20_001 / 4000 * 25_000)) < 2]
    beside = [y for x, y in ends if 134_000 < x < 134_900]
    assert min(abs(b - p - 10_000) for b in beside for p in peak) <= 1
    assert len(ends) < 12 * 250 * 20 * 1.2


def test_gaps_lift_the_pen():
    assert path(np.array([0.0, 1, 2, 3]), np.array([1.0, np.nan, 2, 3])) == "M0 1000L0 1000M2000 2000L3000 3000"
    valid = np.ones((12, 5000), bool)
    valid[0, :] = False
    assert draw(flat(valid=valid)).clipped == ()


def test_a_deflection_beyond_the_chart_is_said(make_trace):
    samples = np.zeros((12, 5000), np.int32)
    samples[6, 3000:3010] = 30_000  # 300 mm
    assert draw(flat(samples=samples)).clipped == ("V1",)
    assert draw(make_trace()).clipped == ()


def test_a_short_recording_is_drawn_as_far_as_it_goes():
    chart = draw(flat(seconds=4.0))
    assert len(chart.labels) == 13
    assert "nan" not in chart.svg


@pytest.mark.parametrize("speed", [12.5, 25.0, 50.0])
def test_the_offset_of_a_lead_does_not_move_its_curve(speed, make_trace):
    trace = make_trace(speed_mm_per_s=speed)
    shifted = make_trace(speed_mm_per_s=speed, samples=trace.samples.astype(np.int32) + 4000)
    assert draw(trace).svg == draw(shifted).svg


@pytest.mark.parametrize(
    "extents",
    [
        [(51, 10), (41, 8), (22, 8), (10, 3)],  # V4 and V5 of five and four millivolts above each other, as recorded
        [(10, 51), (10, 41), (10, 22), (10, 3)],
        [(12, 9)] * 11 + [(60, 60)],
    ],
)
def test_rows_are_told_apart_however_tall_their_leads(extents):
    height = 110
    lines = baselines([(float(up), float(down)) for up, down in extents], height)
    least = min(after - before for before, after in pairwise(lines))
    assert least >= ROWS_APART * height / len(extents) - 1e-9
    assert 0 <= lines[0] < lines[-1] <= height


def test_a_strip_of_one_lead_goes_on_in_the_rows_below():
    chart = draw(flat(leads=1, hz=300.0, seconds=30.4))
    assert [label.text for label in chart.labels] == ["I", "I 10 s", "I 20 s"]
    assert chart.end_s == 30.0
    samples = np.zeros((1, 9120), np.int16)
    samples[0, 3000 + 150] = 1500  # half a second into the second row: beside the name, below the time
    assert draw(flat(leads=1, hz=300.0, samples=samples)).labels[1].y_mm < chart.labels[1].y_mm - 5
    assert len(arrange(flat(leads=1, seconds=61.0))) == 4
    assert len(arrange(flat(leads=12, seconds=30.0))) == 4
    assert draw(flat(leads=12, seconds=30.0)).end_s == 10.0
