"""Every limit of every guideline, on both sides; the words that follow from it."""

import re
from dataclasses import replace

import pytest
from support.pressures import codes, day

from ecg_center.contract.pressure import OfficePressure
from ecg_center.domain.statements import TERMS, contradicts
from worker.cli import main
from worker.pressure.analysis import analyse, conclude
from worker.pressure.guideline import CHILDREN, FOLDER, GuidelineError, for_age, guidelines, load, parse
from worker.pressure.indication import Noted
from worker.resting.patient import Patient, Person

LEVELS = {"901", "902", "903", "904", "905", "906", "907", "908", "900"}


def levels(findings):
    return set(codes(findings)) & LEVELS


def steady(systolic, diastolic, **more):
    """The same pressure by day and by night, so that all three averages are that."""
    return conclude(day((systolic, diastolic), (systolic, diastolic)), **more)


@pytest.mark.parametrize(
    ("awake", "asleep", "said"),
    [
        ((134, 84), (119, 69), set()),  # 24 h 129/79
        ((135, 60), (119, 60), {"902"}),
        ((120, 85), (100, 69), {"902"}),
        ((134, 60), (120, 60), {"903"}),
        ((120, 84), (100, 70), {"903"}),
    ],
)
def test_china_day_and_night(awake, asleep, said):
    found = codes(conclude(day(awake, asleep)))
    raised = {"904": "903", "905": "902"}
    assert {raised.get(code, code) for code in found} & {"902", "903"} == said


@pytest.mark.parametrize(
    ("systolic", "diastolic", "is_high"),
    [(129, 79, False), (130, 79, True), (129, 80, True), (129.49, 79.49, False), (129.5, 60, True), (100, 79.5, True)],
)
def test_china_24_hours(systolic, diastolic, is_high):
    """A constant pressure that is high for the night is raised there too; only the 24 hours are asked here."""
    assert ("901" in codes(steady(systolic, diastolic))) is is_high


@pytest.mark.parametrize(
    ("guideline", "period", "limit"),
    [
        (name, period, (tier.limits[period].systolic, tier.limits[period].diastolic))
        for name in ("china_2020", "esc_2024", "aha_2017", CHILDREN)
        for tier in [load(name).hypertension]
        for period in ("24h", "day", "night")
    ],
)
def test_each_limit_of_each_set_is_reached_at_its_value_and_not_below(guideline, period, limit):
    systolic, diastolic = limit
    limits = load(guideline).hypertension.limits[period]
    assert limits.reached(systolic, diastolic - 1)
    assert limits.reached(systolic - 1, diastolic)
    assert limits.reached(systolic - 0.5, 0)
    assert not limits.reached(systolic - 0.51, diastolic - 0.51)


@pytest.mark.parametrize(
    ("guideline", "expected"),
    [
        ("china_2020", [(130, 80), (135, 85), (120, 70)]),
        ("esc_2024", [(130, 80), (135, 85), (120, 70)]),
        ("aha_2017", [(125, 75), (130, 80), (110, 65)]),
        (CHILDREN, [(125, 75), (130, 80), (110, 65)]),
    ],
)
def test_the_sets_say_what_the_guidelines_print(guideline, expected):
    limits = load(guideline).hypertension.limits
    assert [(limits[name].systolic, limits[name].diastolic) for name in ("24h", "day", "night")] == expected
    assert (load(guideline).share_percent, load(guideline).least_day, load(guideline).least_night) == (70, 20, 7)


@pytest.mark.parametrize(
    ("awake", "asleep", "code"),
    [
        ((130, 80), (121, 60), "904"),
        ((134, 84), (119, 71), "904"),
        ((136, 80), (119, 69), "905"),
        ((120, 86), (119, 69), "905"),
    ],
)
def test_isolated_by_night_and_by_day_take_the_place_of_the_plain_words(awake, asleep, code):
    found = codes(conclude(day(awake, asleep)))
    assert code in found
    assert not {"902", "903"} & set(found)


def test_day_and_night_both_raised_are_said_plainly():
    assert {"901", "902", "903"} <= set(codes(conclude(day((150, 95), (140, 85)))))


@pytest.mark.parametrize(
    ("systolic", "diastolic", "code"), [(150, 79, "906"), (129, 90, "907"), (150, 90, None), (129, 79, None)]
)
def test_isolated_systolic_and_diastolic_are_of_the_24_hours(systolic, diastolic, code):
    assert set(codes(steady(systolic, diastolic))) & {"906", "907"} == ({code} if code else set())


@pytest.mark.parametrize(
    ("guideline", "awake", "asleep", "said"),
    [
        ("china_2020", (129, 79), (118, 69), {"900"}),
        ("esc_2024", (117, 67), (108, 58), {"900"}),
        ("esc_2024", (120, 64), (105, 55), {"908"}),
        ("esc_2024", (110, 70), (100, 50), {"908"}),
        ("aha_2017", (119, 79), (99, 64), {"900"}),
        ("aha_2017", (120, 70), (99, 60), {"908"}),
        ("aha_2017", (112, 74), (99, 64), {"900"}),  # elevated is systolic only
    ],
)
def test_what_is_below_hypertension(guideline, awake, asleep, said):
    assert levels(conclude(day(awake, asleep, every_minutes=20), guideline=load(guideline))) == said


@pytest.mark.parametrize(
    ("guideline", "pressure", "category"),
    [
        ("china_2020", (129, 69), "hypertension"),
        ("china_2020", (119, 69), ""),
        ("esc_2024", (109, 59), ""),
        ("esc_2024", (111, 59), "elevated"),
        ("esc_2024", (121, 59), "hypertension"),
        ("aha_2017", (99, 64), ""),
        ("aha_2017", (100, 64), "elevated"),
        ("aha_2017", (110, 64), "stage_1"),
        ("aha_2017", (120, 64), "stage_2"),
    ],
)
def test_the_guidelines_own_name_of_the_level(guideline, pressure, category):
    assert steady(*pressure, guideline=load(guideline)).pressure.grading.category == category


@pytest.mark.parametrize(
    ("age_years", "guideline", "graded"),
    [
        (12.99, CHILDREN, False),
        (13, CHILDREN, True),
        (17.99, CHILDREN, True),
        (18, "china_2020", True),
        (None, "china_2020", True),
    ],
)
def test_children_are_judged_by_their_own_set_and_the_small_ones_not_without_a_height(age_years, guideline, graded):
    found = steady(126, 70, person=Person(age_years=age_years))
    assert found.pressure.grading.guideline == f"{guideline}@1"
    assert bool(found.pressure.grading.limits) is graded
    assert ("943" in codes(found)) is not graded
    assert ("901" in codes(found)) is (graded and guideline == CHILDREN)
    if not graded:
        assert found.pressure.period("24h").systolic_load_percent is None
        assert "Wühl" in found.pressure.grading.not_graded_zh
        assert not levels(found)


@pytest.mark.parametrize(("systolic", "fires"), [(180, False), (181, True)])
@pytest.mark.parametrize("age_years", [7, 15])
def test_a_severe_pressure_of_a_child_is_major_though_it_is_not_graded(systolic, fires, age_years):
    found = steady(systolic, 100, person=Person(age_years=age_years))
    assert ("913" in codes(found)) is fires
    assert found.grade == ("major" if fires else "abnormal")


def test_the_age_is_the_orders_first():
    recorded = day((126, 70), (126, 70))
    assert analyse(recorded, Patient(birth_date="2011-03-01")).pressure.grading.guideline == f"{CHILDREN}@1"
    assert analyse(recorded, Patient(birth_date="1961-03-01")).pressure.grading.guideline == "china_2020@1"
    assert for_age(load("esc_2024"), 50).id == "esc_2024"


@pytest.mark.parametrize(
    ("office", "ambulatory", "code"),
    [
        ((139, 89), (140, 85), "910"),
        ((140, 70), (140, 85), None),
        ((120, 90), (140, 85), None),
        ((140, 89), (115, 65), "911"),
        ((139, 90), (115, 65), "911"),
        ((139, 89), (115, 65), None),
    ],
)
def test_masked_and_white_coat_against_the_office(office, ambulatory, code):
    pressure = OfficePressure(systolic_mmhg=office[0], diastolic_mmhg=office[1])
    found = steady(*ambulatory, noted=Noted(office=pressure))
    assert set(codes(found)) & {"910", "911"} == ({code} if code else set())
    assert found.pressure.office == pressure
    assert all(one.certainty == "probable" for one in found.statements if one.code == code)


@pytest.mark.parametrize(("office", "code"), [((129, 79), "910"), ((130, 79), None)])
def test_the_american_office_limit_is_its_own(office, code):
    pressure = OfficePressure(systolic_mmhg=office[0], diastolic_mmhg=office[1])
    found = steady(128, 70, noted=Noted(office=pressure), guideline=load("aha_2017"))
    assert set(codes(found)) & {"910", "911"} == ({code} if code else set())


@pytest.mark.parametrize(("first", "said"), [((140, 70), True), ((120, 90), True), ((139, 89), False)])
def test_a_white_coat_effect_needs_one_high_reading_of_the_first_hour(first, said):
    def at_first(one):
        is_first = one.at.hour == 8 and one.at.minute == 30 and one.at.day == 2
        return replace(one, systolic_mmhg=first[0], diastolic_mmhg=first[1]) if is_first else one

    found = conclude(day((115, 65), (105, 60), change=at_first))
    assert ("912" in codes(found)) is said
    assert found.pressure.white_coat.first_two_systolic_mmhg == (115 + first[0]) / 2
    assert found.pressure.white_coat.rest_of_day_systolic_mmhg == 115


def test_a_high_day_has_no_white_coat_effect():
    assert "912" not in codes(conclude(day((150, 95), (140, 85))))


@pytest.mark.parametrize(
    ("guideline", "pressure", "fires"),
    [
        ("china_2020", (180, 90), True),
        ("china_2020", (179, 119), False),
        ("china_2020", (150, 120), True),
        ("esc_2024", (150, 110), True),
        ("esc_2024", (179, 109), False),
        ("aha_2017", (180, 120), False),
        ("aha_2017", (181, 90), True),
        ("aha_2017", (150, 121), True),
    ],
)
def test_a_severe_average_is_major(guideline, pressure, fires):
    found = steady(*pressure, guideline=load(guideline))
    assert ("913" in codes(found)) is fires
    assert found.grade == ("major" if fires else "abnormal")
    assert found.critical == []


@pytest.mark.parametrize(("number", "fires"), [(2, False), (3, True)])
def test_three_severe_readings_are_major_even_of_a_short_recording(number, fires):
    def severe(one):
        is_one = one.at.hour == 10 and one.at.minute < 15 * number
        return replace(one, systolic_mmhg=182, diastolic_mmhg=100) if is_one else one

    found = conclude(day((120, 75), hours=6, every_minutes=15, change=severe))
    assert found.pressure.validity.verdict == "insufficient"
    assert ("913" in codes(found)) is fires
    assert found.grade == ("major" if fires else "abnormal")


def test_a_centre_may_call_an_alert_critical():
    text = (FOLDER / "china_2020.toml").read_text("utf-8").replace('grade = "major"', 'grade = "critical"', 1)
    found = steady(190, 100, guideline=parse(text))
    assert found.grade == "critical"
    assert [(value.rule_set, value.rule) for value in found.critical] == [("china_2020@1", "severe_average")]
    assert found.critical[0].evidence[0].value == 190


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("day = [135, 85]", "day = [135, 85, 1]", "limit"),
        ("day = [135, 85]", "day = [-1, 85]", "limit"),
        ("is_hypertension = true", "", "no tier is hypertension"),
        ('average = "plain"', 'average = "median"', "plain or weighted"),
        ('grade = "major"', 'grade = "minor"', "minor"),
        ('day = ["06:00", "22:00"]', 'day = ["6", "22:00"]', "Invalid"),
        ("[office]", "[desk]", "office"),
        ("id =", "id", "Expected"),
    ],
)
def test_a_set_that_is_written_wrongly_is_refused_by_name(old, new, word):
    text = (FOLDER / "china_2020.toml").read_text("utf-8")
    assert old in text
    with pytest.raises(GuidelineError, match="my set") as refused:
        parse(text.replace(old, new), "my set")
    assert word in str(refused.value)


def test_an_unknown_set_is_refused_and_a_path_is_taken(tmp_path):
    with pytest.raises(GuidelineError, match="china_2020"):
        load("moon_1969")
    own = tmp_path / "own.toml"
    own.write_text((FOLDER / "china_2020.toml").read_text("utf-8").replace('id = "china_2020"', 'id = "own"'), "utf-8")
    assert load(str(own)).name == "own@1"


def test_every_set_names_its_source_and_all_that_is_said_is_known_and_consistent():
    for name in guidelines():
        assert re.search(r"doi:|\d{4};\d+", load(name).source)
        for pressure in ((100, 55), (118, 68), (128, 78), (140, 70), (140, 95), (190, 125)):
            said = codes(steady(*pressure, guideline=load(name)))
            assert set(said) <= set(TERMS)
            assert contradicts(said) == []


def test_a_worker_does_not_start_with_a_guideline_that_is_not_there(monkeypatch, capsys):
    monkeypatch.setenv("ECG_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("ECG_WORKER_PRESSURE_GUIDELINE", "moon_1969")
    assert main(["run"]) == 2
    said = capsys.readouterr().err
    assert "ECG_WORKER_PRESSURE_GUIDELINE" in said
    assert "china_2020" in said
