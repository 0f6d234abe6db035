"""A child below 13 is judged by sex and height; the percentiles agree with the L, M and S of their paper."""

import pytest
from support.pressures import codes, day

from worker.pressure.analysis import conclude
from worker.pressure.indication import Noted, noted_in
from worker.pressure.percentiles import percentile_95
from worker.resting.patient import Person

Z_95 = 1.6449
# Wühl et al. 2002: sex is female, period, pressure, height, L, M, S.
LMS = [
    (False, "24h", "systolic", 120, -1.123, 104.5, 0.063),
    (False, "24h", "systolic", 185, 1.240, 123.2, 0.061),
    (False, "24h", "diastolic", 150, -0.107, 67.1, 0.084),
    (False, "day", "systolic", 150, 0.125, 115.1, 0.067),
    (False, "day", "systolic", 130, -0.710, 111.5, 0.069),
    (False, "day", "diastolic", 140, 1.711, 72.1, 0.083),
    (False, "night", "systolic", 150, -1.126, 100.1, 0.081),
    (False, "night", "diastolic", 120, 0.440, 54.3, 0.089),
    (True, "24h", "systolic", 120, 0.593, 104.0, 0.059),
    (True, "24h", "diastolic", 160, 1.088, 67.0, 0.083),
    (True, "day", "systolic", 140, 1.583, 112.2, 0.065),
    (True, "day", "diastolic", 125, 1.915, 72.8, 0.080),
    (True, "night", "systolic", 150, 0.186, 98.9, 0.080),
    (True, "night", "diastolic", 175, -0.296, 55.4, 0.099),
]


@pytest.mark.parametrize(("female", "period", "pressure", "height_cm", "skew", "median", "spread"), LMS)
def test_the_table_is_what_the_papers_parameters_give(female, period, pressure, height_cm, skew, median, spread):
    computed = median * (1 + skew * spread * Z_95) ** (1 / skew)
    assert percentile_95(female, period, pressure, height_cm) == pytest.approx(computed, abs=0.2)


def child(systolic, diastolic, *, female, height_cm, age_years=8.0):
    return conclude(
        day((systolic, diastolic), (systolic, diastolic)),
        person=Person(female=female, age_years=age_years),
        noted=Noted(height_cm=height_cm),
    )


@pytest.mark.parametrize(
    ("systolic", "diastolic", "female", "height_cm", "high"),
    [
        (105, 60, True, 120, False),
        (106, 60, True, 120, True),  # the night of girls of 120 cm: 105.6
        (106, 60, False, 120, False),
        (107, 60, False, 120, True),  # of boys: 106.3
        (107, 60, False, 122.5, False),
        (108, 60, False, 122.5, True),  # halfway to 107.9: 107.1
        (100, 62, False, 120, False),
        (100, 63, False, 120, True),  # 62.6
        (109, 60, False, 185, False),  # never above the adolescents' 110
        (110, 60, False, 185, True),
    ],
)
def test_both_sides_of_a_childs_limits(systolic, diastolic, female, height_cm, high):
    found = child(systolic, diastolic, female=female, height_cm=height_cm)
    assert ("904" in codes(found)) is high
    assert "943" not in codes(found)
    assert f"{height_cm:g} cm" in found.pressure.grading.title_zh
    assert "Wühl" in found.pressure.grading.source


@pytest.mark.parametrize(
    ("female", "height_cm"), [(None, 130), (True, None), (True, 119.9), (True, 175.1), (False, 185.1)]
)
def test_without_sex_or_a_height_of_the_table_there_is_no_grade_and_it_says_what_to_do(female, height_cm):
    found = child(150, 95, female=female, height_cm=height_cm)
    assert not found.pressure.grading.limits
    assert "943" in codes(found)
    assert "身高" in found.pressure.grading.not_graded_zh


def test_from_13_years_the_height_changes_nothing():
    found = child(109, 60, female=True, height_cm=120, age_years=13)
    assert found.pressure.grading.limits["night"].systolic_mmhg == 110


@pytest.mark.parametrize(
    ("words", "height_cm"),
    [
        ("身高128cm", 128),
        ("8岁 身高：128.5 厘米，体重25kg", 128.5),
        ("身高 1.28 m", 128),
        ("身高1.28米", 128),
        ("height 131 cm", 131),
        ("身高128", None),
        ("身高 12 mmHg", None),
        ("身高 300cm", None),
        ("128 cm", None),
        ("", None),
    ],
)
def test_a_height_is_read_only_with_its_word_and_its_unit(words, height_cm):
    assert noted_in(words).height_cm == height_cm
