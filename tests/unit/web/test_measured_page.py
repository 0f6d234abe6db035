"""What the desk unfolds below the pre-read: every formula of QTc with the one in use marked, axes, the atria's rate."""

import re
from types import SimpleNamespace

from support.simulated import simulated

from ecg_center.web.rendering import environment


def unfolded(name: str, language: str = "en") -> str:
    """The part of the desk that holds all measurements of a simulated ECG, without white space between its tags."""
    _, findings = simulated(name, 1)
    view = SimpleNamespace(findings=findings, is_day=False)
    made = environment(language).get_template("parts/measured.html").make_module({"view": view})
    return re.sub(r"\s+", " ", str(made.everything(view)))


def test_all_four_formulas_are_there_and_the_one_in_use_is_marked() -> None:
    page = unfolded("sinus")
    rows = dict(re.findall(r'<div data-qtc="(\w+)">(.*?)</div>', page))
    assert list(rows) == ["bazett", "fridericia", "framingham", "hodges"]
    _, findings = simulated("sinus", 1)
    for formula, row in rows.items():
        assert f"{findings.measurements.qtc_by_formula[formula]:.0f}" in row
    assert ["used" in row for row in rows.values()] == [True, False, False, False]
    assert "采用" in unfolded("sinus", "zh")


def test_the_axes_and_the_rate_of_the_atria_are_there() -> None:
    page = unfolded("av-block-third")
    assert "Atrial rate" in page
    assert "T axis" in page
    assert "P axis" not in page  # nothing conducts: there is no one P before the QRS
    assert "P axis" in unfolded("sinus")


def test_a_rhythm_without_qt_shows_no_formula() -> None:
    assert "data-qtc" not in unfolded("ventricular-tachycardia")
