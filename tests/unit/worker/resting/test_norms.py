"""Limits follow the age, continuously from the newborn to the adult, and the wider where the sex is unknown."""

import pytest

from worker.resting.norms import ADULT, FIRST_DAYS, norms_of
from worker.resting.patient import DAYS_A_YEAR, Person


def at(days=0.0, years=0.0, *, female=True):
    return norms_of(Person(female=female, age_years=years + days / DAYS_A_YEAR))


@pytest.mark.parametrize("age_years", [None, 16, 40])
def test_from_sixteen_and_without_an_age_an_adults(age_years):
    assert norms_of(Person(age_years=age_years)) is ADULT
    assert not ADULT.of_a_child


def test_the_first_days_have_limits_of_their_own():
    assert at(days=10.9) is FIRST_DAYS
    assert at(days=11).rate_bpm == (136, 216)


@pytest.mark.parametrize(
    ("years", "female", "rate_bpm"),
    [
        (0.99, False, (106, 194)),
        (1, False, (97, 155)),
        (2.99, False, (97, 155)),
        (3, False, (73, 123)),
        (7.99, True, (68, 115)),
        (8.01, True, (58, 110)),
        (15.99, True, (54, 107)),
    ],
)
def test_a_group_begins_at_its_birthday(years, female, rate_bpm):
    assert at(years=years, female=female).rate_bpm == rate_bpm


@pytest.mark.parametrize("years", [0.2, 2, 4, 9, 14])
def test_without_a_sex_the_wider_of_both(years):
    boy, girl, either = (at(years=years, female=female) for female in (False, True, None))
    for one in (boy, girl):
        assert either.rate_bpm[0] <= one.rate_bpm[0] < one.rate_bpm[1] <= either.rate_bpm[1]
        assert either.qrs_axis_deg[0] <= one.qrs_axis_deg[0] < one.qrs_axis_deg[1] <= either.qrs_axis_deg[1]
        assert either.pr_ms[1] >= one.pr_ms[1]
        assert either.voltage.r_v6_uv >= one.voltage.r_v6_uv
    assert either.rate_bpm[0] in (boy.rate_bpm[0], girl.rate_bpm[0])


def test_a_broad_qrs_begins_earlier_in_the_small_and_never_after_an_adults():
    widths = [at(years=years).broad_qrs_ms for years in (0.1, 3, 5, 15, 16)]
    assert widths == sorted(widths)
    assert widths[-1] == ADULT.broad_qrs_ms
