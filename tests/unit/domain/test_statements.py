import re

import pytest

from ecg_center.domain.statements import (
    CONTRADICTIONS,
    GROUPS_ZH,
    OVERALL_ZH,
    TERMS,
    Overall,
    contradicts,
    in_report_order,
    overall_of,
    search,
)


def test_codes_are_unique_words_complete_and_groups_in_report_order():
    assert len(TERMS) >= 120
    assert len({term.zh for term in TERMS.values()}) == len(TERMS)
    assert [term.order for term in TERMS.values()] == sorted({term.order for term in TERMS.values()})
    for code, term in TERMS.items():
        assert re.fullmatch(r"\d{1,3}[a-z]?(\.33[0-4])?", code)
        assert re.search(r"[\u4e00-\u9fff]|波", term.zh)
        assert re.fullmatch(r"[a-z0-9]+", term.initials)
        assert term.group in GROUPS_ZH


def test_each_conclusion_has_its_chinese_word():
    assert set(OVERALL_ZH) == set(Overall)


def test_aha_numbers_keep_their_meaning():
    for code, words in {
        "20": "Sinus rhythm",
        "50": "Atrial fibrillation",
        "51": "Atrial flutter",
        "70": "Ventricular tachycardia",
        "74": "Ventricular fibrillation",
        "82": "First-degree",
        "88": "complete",
        "104": "Left bundle",
        "106": "Right bundle",
        "142": "Left ventricular hypertrophy",
        "148": "Prolonged QT",
        "161.330": "Inferior",
        "208": "hyperkalaemia",
    }.items():
        assert words in TERMS[code].en


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("dxxl", "20"),
        ("窦性心律", "20"),
        ("xfcd", "50"),
        ("房颤", "50"),
        ("wqxzszcdzz", "104"),
        ("104", "104"),
        ("sxzb", "60"),
        ("atrial fl", "51"),
        ("zcxdt", "1"),
        ("ST段抬高", "145a"),
        ("1dfscdzz", "82"),
    ],
)
def test_search_puts_the_meant_term_first(typed, code):
    assert search(typed, 5)[0].code == code


def test_search_is_bounded_and_silent_on_nonsense():
    assert len(search("x", 3)) == 3
    assert search("", 3) == search("  ", 3) == search("qqqqzzzz", 3) == search("dx", 0) == []


def test_conclusion_is_that_of_the_worst_statement():
    assert overall_of(["20"]) is Overall.NORMAL
    assert overall_of(["20", "23"]) is Overall.BORDERLINE
    assert overall_of(["20", "142a", "23"]) is Overall.SUSPICIOUS
    assert overall_of(["20", "142a", "50"]) is Overall.ABNORMAL
    assert overall_of([]) is None
    assert overall_of(["14"]) is None


def test_rhythm_stands_before_qrs_before_st_before_t():
    assert in_report_order(["147b", "145a", "106", "20", "20"]) == ["20", "106", "145a", "147b"]


def test_contradictions_name_known_codes_and_are_found():
    for firsts, seconds, reason in CONTRADICTIONS:
        assert set(firsts) | set(seconds) <= set(TERMS)
        assert not set(firsts) & set(seconds)
        assert reason
        assert contradicts([firsts[0], seconds[0]])
    assert contradicts(["20", "106", "145a"]) == []
    assert contradicts(["1", "20"]) == []
    assert contradicts(["1", "50"])[0][:2] == ("1", "50")
