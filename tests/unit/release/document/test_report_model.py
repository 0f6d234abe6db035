"""A report that cannot be printed is refused where it is written."""

import doctest
from datetime import date, datetime

import numpy as np
import pytest

from ecg_center.contract.findings import Measurements
from ecg_center.release.document import labels
from ecg_center.release.document.model import DocumentError, Patient, Supersedes


def test_urgent_finding_stands_on_the_second_line(make_report):
    lines = make_report(opinion=("a", "b"), urgent_finding="!").opinion_lines
    assert lines == (("a", False), ("!", True), ("b", False))
    assert make_report(opinion=(), urgent_finding="!").opinion_lines == (("!", True),)
    assert make_report(opinion=("a",), urgent_finding=None).opinion_lines == (("a", False),)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"centre": "x" * 301}, "centre has 301 characters"),
        ({"opinion": ("x" * 4001,)}, "opinion has 4001"),
        ({"opinion": ("x",) * 101}, "opinion is too long"),
        ({"examined_at": datetime(2025, 1, 1)}, "examined_at needs a time zone"),  # noqa: DTZ001
        ({"version": 0}, "version counts from 1"),
        ({"verification_url": "https://x/" + "y" * 300}, "verification_url"),
    ],
)
def test_limits_name_the_field(make_report, changes, says):
    with pytest.raises(DocumentError, match=says):
        make_report(**changes)


def test_an_amendment_replaces_a_lower_version(make_report):
    released = make_report().reported_at
    with pytest.raises(DocumentError):
        make_report(version=2, supersedes=Supersedes(2, released, "x"))
    with pytest.raises(DocumentError):
        Patient("x" * 301, "M", "1")


@pytest.mark.parametrize(
    "changes",
    [
        {"samples": np.zeros((11, 100), np.int16)},
        {"samples": np.zeros((12, 100))},
        {"sampling_hz": 1.0},
        {"start_s": 10.0},
        {"gain_mm_per_mv": 7.0},
        {"uv_per_lsb": (1.0, 2.0)},
        {"valid": np.ones((12, 3), bool)},
    ],
)
def test_a_trace_that_does_not_fit_is_refused(make_trace, changes):
    with pytest.raises(DocumentError):
        make_trace(**changes)


def test_age_in_days_months_years():
    zh = [labels.age(date(2025, 5, 1), on, "zh") for on in (date(2025, 5, 1), date(2025, 5, 30), date(2027, 4, 30))]
    assert zh == ["0天", "29天", "23个月"]
    assert labels.age(date(2025, 5, 1), date(2027, 5, 1), "en") == "2 years"
    assert labels.age(date(2024, 2, 29), date(2042, 2, 28), "zh") == "17岁"
    with pytest.raises(ValueError, match="after the examination"):
        labels.age(date(2025, 5, 1), date(2025, 4, 1), "zh")
    assert doctest.testmod(labels).failed == 0


def test_what_was_not_measured_is_a_dash_never_a_number():
    rows = labels.measurement_rows(Measurements(), "zh")
    assert [row["value"] for row in rows] == ["—", "—", "—", "—", "— / —", "—", "— / —"]


def test_axes_and_the_rate_of_atria_that_beat_on_their_own_are_printed():
    block = Measurements(heart_rate_bpm=33, atrial_rate_bpm=81, p_axis_deg=55, qrs_axis_deg=-12, t_axis_deg=170)
    rows = {row["label"]: row["value"] for row in labels.measurement_rows(block, "zh")}
    assert rows["心房率"] == "81"
    assert rows["P/QRS/T 电轴"] == "55 / -12 / 170"
    one = labels.measurement_rows(block.model_copy(update={"atrial_rate_bpm": 36, "p_axis_deg": None}), "en")
    assert "Atrial rate" not in {row["label"] for row in one}
    assert {row["label"]: row["value"] for row in one}["P/QRS/T axis"] == "— / -12 / 170"


def test_both_languages_have_the_same_words():
    assert labels.ZH.keys() == labels.EN.keys()
    assert all(text for words in labels.WORDS.values() for text in words.values())
