"""What the desk unfolds below the pre-read: every formula of QTc with the one in use marked, axes, the atria's rate."""

import re
from types import SimpleNamespace

from support.simulated import simulated

from ecg_center.contract.findings import Evidence
from ecg_center.web.rendering import environment
from ecg_center.web.words import LEAD_MEASUREMENTS


def measured_view(name: str) -> SimpleNamespace:
    """What the page is given of a simulated ECG, in a copy that may be changed."""
    _, findings = simulated(name, 1)
    return SimpleNamespace(findings=findings.model_copy(deep=True), is_day=False)


def unfolded(name: str, language: str = "en") -> str:
    """The part of the desk that holds all measurements of a simulated ECG."""
    return page_of(measured_view(name), language)


def page_of(view: SimpleNamespace, language: str = "en") -> str:
    """The same without white space between its tags."""
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


def test_st_on_the_line_is_a_measurement_and_a_wave_that_is_not_there_is_a_dash() -> None:
    view, lead = measured_view("sinus"), "V2"
    found = view.findings.measurements
    found.leads[lead] = found.leads[lead].model_copy(update={"u_mv": 0.0, "st20_mv": 0.0, "st40_mv": -0.001})
    cells = re.findall(r"<td[^>]*>(.*?)</td>", re.search(rf"<tr><th[^>]*>{lead}</th>(.*?)</tr>", page_of(view))[1])
    values = dict(zip([field for field, _ in LEAD_MEASUREMENTS], cells, strict=True))
    assert (values["u_mv"], values["st20_mv"], values["st40_mv"]) == ("–", "0.00", "0.00")


def test_what_several_places_have_in_common_is_said_once() -> None:
    parts = environment("zh").get_template("parts/study.html").module
    beats = [Evidence(quantity="early_beats", value=32, start_s=at, end_s=at + 0.5) for at in (0.4, 1.1)]
    said = re.sub(r"\s+", " ", str(parts.evidence_text(beats)))
    assert said.count("32") == 1
    assert "0.4–0.9 s; 1.1–1.6 s" in said
