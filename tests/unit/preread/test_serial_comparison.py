"""Two findings of one person: what has changed, and what only looks so."""

import pytest
from support.simulated import recording_of

from ecg_center.contract.findings import Statement
from ecg_center.preread.serial import AXIS_DEG, PR_MS, QRS_MS, QTC_MS, RATE_BPM, compare, side_by_side
from gateway.simulate.generator import generate
from worker.resting import analyse


@pytest.fixture(scope="module")
def plain():
    return analyse(recording_of(generate("sinus", seed=2)))


def changed(findings, **values):
    return findings.model_copy(update={"measurements": findings.measurements.model_copy(update=values)})


def test_nothing_differs_from_itself(plain):
    assert compare(plain, plain) == []


@pytest.mark.parametrize(
    ("name", "limit"), [("heart_rate_bpm", RATE_BPM), ("pr_ms", PR_MS), ("qrs_ms", QRS_MS), ("qtc_ms", QTC_MS)]
)
def test_each_measurement_has_its_limit(plain, name, limit):
    value = getattr(plain.measurements, name)
    assert compare(plain, changed(plain, **{name: value + limit})) == []
    (more,) = compare(plain, changed(plain, **{name: value + limit + 1}))
    assert (more.kind, more.name, more.limit) == ("measurement", name, limit)
    assert more.change == pytest.approx(limit + 1)
    (less,) = compare(changed(plain, **{name: value + limit + 1}), plain)
    assert less.change == pytest.approx(-limit - 1)
    assert compare(plain, changed(plain, **{name: None})) == []


def test_an_axis_turns_the_shorter_way(plain):
    before = changed(plain, qrs_axis_deg=170.0)
    assert compare(before, changed(plain, qrs_axis_deg=-170.0)) == []
    (turned,) = compare(before, changed(plain, qrs_axis_deg=-150.0))
    assert (turned.kind, turned.change) == ("axis", 40.0)
    assert turned.limit == AXIS_DEG


def test_st_is_compared_lead_by_lead_where_the_leads_can_be_trusted(plain):
    levels = plain.measurements.st_j_mv
    moved = changed(
        plain, st_j_mv=levels | {"II": levels["II"] + 0.1, "V2": levels["V2"] - 0.15, "V5": levels["V5"] + 0.09}
    )
    found = compare(plain, moved)
    assert [(item.kind, item.name) for item in found] == [("st", "II"), ("st", "V2")]
    assert found[1].change == pytest.approx(-0.15)
    doubtful = moved.model_copy(update={"quality": moved.quality.model_copy(update={"verdict": "repeat"})})
    assert compare(plain, doubtful) == []


def test_qtc_of_two_formulas_is_not_compared(plain):
    value = plain.measurements.qtc_ms
    assert compare(plain, changed(plain, qtc_ms=value + 100, qtc_formula="hodges")) == []


def test_statements_come_and_go():
    before = analyse(recording_of(generate("sinus", seed=2, sex="M", age_years=60)))
    now = analyse(recording_of(generate("stemi-inferior", seed=2, sex="M", age_years=60)))
    found = compare(before, now)
    assert ("new", "161.330") in {(item.kind, item.name) for item in found}
    assert {"II", "III", "aVF"} <= {item.name for item in found if item.kind == "st"}
    back = compare(now, before)
    assert ("vanished", "161.330") in {(item.kind, item.name) for item in back}
    assert not any(item.name == "1" for item in [*found, *back])


def test_what_physicians_signed_weighs(plain):
    def saying(*codes):
        return plain.model_copy(update={"statements": [Statement(code=code) for code in codes]})

    def said(*arguments):
        return [(item.kind, item.name) for item in compare(*arguments)]

    before, now = saying("20", "145c", "147a"), saying("20", "82", "147b")
    assert said(before, now) == [("new", "82"), ("new", "147b"), ("vanished", "145c"), ("vanished", "147a")]
    # the physician took the minor ST change out and put the long PR in
    assert said(before, now, {"20", "82", "147a"}) == [("new", "147b"), ("vanished", "147a")]


def test_side_by_side_shows_what_stayed_as_well(plain):
    moved = changed(plain, pr_ms=plain.measurements.pr_ms + PR_MS + 1, qrs_axis_deg=None)
    rows = {item.name: item for item in side_by_side(plain, moved)}
    assert [name for name, item in rows.items() if item.counts] == ["pr_ms"]
    assert rows["qrs_ms"].change == 0
    assert rows["qrs_axis_deg"].change is None
    assert {"I", "V1", "V6"} <= rows.keys()


def test_a_day_is_no_resting_ecg(plain):
    with pytest.raises(ValueError, match="holter"):
        compare(plain, plain.model_copy(update={"kind": "holter"}))
