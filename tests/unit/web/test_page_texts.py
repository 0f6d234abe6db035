"""Every text of the pages has its Chinese, and nothing that is gone keeps one."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ecg_center.domain.authority import Act, Role
from ecg_center.domain.deadlines import DeadlineKind
from ecg_center.domain.priority import Grade
from ecg_center.domain.statements import Overall
from ecg_center.domain.workflow import Move, State
from ecg_center.web import i18n, words
from ecg_center.web.errors import MOVES
from ecg_center.web.navigation import ITEMS


def test_the_catalogue_is_whole() -> None:
    faults = i18n.shortcomings()
    assert not faults, "run `python -m ecg_center.web.i18n`, translate what it names:\n" + "\n".join(faults)


def test_no_chinese_text_is_left_in_english() -> None:
    latin = {"QTc", "RV5", "SV1", "QTc间期", ", "}
    for message in i18n.read_catalogue():
        if not message.id or not isinstance(message.string, str):
            continue
        if message.string not in latin and re.search(r"[A-Za-z]{3}", str(message.id)):
            assert re.search(r"[一-鿿]", message.string), message.id


def test_placeholders_survive_translation() -> None:
    pattern = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
    for message in i18n.read_catalogue():
        if message.id:
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
            assert set(pattern.findall(texts[0])) == set(pattern.findall(ids[-1])), message.id


@pytest.mark.parametrize(
    ("mapping", "members"),
    [
        (words.STATES, list(State)),
        (words.DEADLINES, list(DeadlineKind)),
        (words.CONCLUSIONS, list(Overall)),
        (words.ROLES, list(Role)),
        (words.GRADES, Grade.__args__),
    ],
)
def test_every_member_has_its_word(mapping: dict, members: list) -> None:
    assert set(mapping) == set(members)


def test_every_move_reads_in_a_timeline_and_in_a_refusal() -> None:
    assert {move.value for move in Move} <= set(words.EVENTS)
    asked_for_by_people = {Move.CLAIM, Move.LET_GO, Move.SIGN, Move.RETURN, Move.RELEASE, Move.AMEND, Move.CANCEL}
    assert {move.value for move in asked_for_by_people} == set(MOVES)


def test_every_page_of_the_bar_belongs_to_an_act() -> None:
    assert all(set(item.acts) <= set(Act) for item in ITEMS)


def test_chinese_is_the_default_whatever_is_asked_for() -> None:
    assert i18n.language_named(None) == i18n.language_named("fr") == "zh"
    assert i18n.language_named("en") == "en"


def test_scripts_get_their_texts_and_only_theirs() -> None:
    texts = json.loads(i18n.script_texts("zh").replace("<\\/", "</"))
    assert texts["no signal"] == "无信号"
    assert "Sign out" not in texts
    assert "</" not in i18n.script_texts("zh")


def test_numbers_choose_their_form() -> None:
    message = ("%(num)d more study waits behind these.", "%(num)d more studies wait behind these.")
    assert i18n.Texts("en").ngettext(*message, 1) == "1 more study waits behind these."
    assert i18n.Texts("en").ngettext(*message, 3) == "3 more studies wait behind these."
    assert i18n.Texts("zh").ngettext(*message, 3) == "之后还有 3 份检查。"


def test_times_are_the_clinics_whatever_zone_they_came_in() -> None:
    instant = datetime(2026, 7, 12, 18, 5, 9, 123456, tzinfo=UTC)
    assert i18n.show_datetime(instant) == "2026-07-13 02:05"
    assert i18n.show_date(instant) == "2026-07-13"
    assert i18n.show_clock(instant) == "02:05:09.123"
    assert i18n.show_date(date(1964, 5, 30)) == "1964-05-30"
    assert i18n.show_time(None) == i18n.show_datetime_s(None) == "–"


@pytest.mark.parametrize(
    ("span", "text"),
    [(0.42, "420 ms"), (12.3, "12.3 s"), (725, "12:05"), (4325, "1:12:05")],
)
def test_a_lapse_reads_in_the_unit_that_fits(span: float, text: str) -> None:
    assert i18n.show_lapse(timedelta(seconds=span)) == text


def test_every_quantity_that_the_worker_measures_has_its_word() -> None:
    worker = Path(__file__).parents[3] / "worker"
    pattern = re.compile(r"(?:\bevidence\(\s*|quantity=)\"([a-z0-9_]+)\"")
    said = {name for path in worker.rglob("*.py") for name in pattern.findall(path.read_text("utf-8"))}
    assert said
    assert not said - set(words.QUANTITIES)


@pytest.mark.parametrize(
    ("value", "text"), [(812.4, "812"), (72.816, "72.8"), (0.2131, "0.21"), (-1.5, "-1.5"), (0, "0")]
)
def test_a_figure_has_no_digits_that_nobody_measured(value: float, text: str) -> None:
    assert i18n.show_figure(value) == text


def test_nothing_has_no_minus_and_millivolts_stand_below_each_other() -> None:
    assert [i18n.show_fixed(value, 2) for value in (-0.001, 0.0, -0.01)] == ["0.00", "0.00", "-0.01"]
    assert [i18n.show_figure(value, "mV") for value in (1.0, 0.8, -0.004)] == ["1.00", "0.80", "0.00"]
    assert i18n.show_figure(-0.001) == "0"
    assert [i18n.show_change(value, 0) for value in (-0.3, 0.2, 4.2, -5.0)] == ["0", "0", "+4", "-5"]
    assert i18n.show_change(0.111, 2) == "+0.11"


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "text"),
    [
        ("qt_ms", 402.4, "ms", "402 ms"),
        ("episodes", 4, "", "4"),
        ("share", 0.0004, "", "< 0.1 %"),
        ("analysed_share", 0.853, "", "85.3 %"),
        ("p_share", 1.0, "", "100 %"),
        ("p_share", 0.55, "", "55 %"),
        ("q_mv", -0.1, "mV", "-0.10 mV"),
        ("heart_rate_bpm", 46.3, "/min", "46 /min"),
        ("heart_rate_bpm", 12.4, "/min", "12.4 /min"),
    ],
)
def test_evidence_reads_with_its_unit_and_a_share_in_percent(quantity: str, value: float, unit: str, text: str) -> None:
    assert i18n.show_evidence(quantity, value, unit) == text


def test_a_rate_has_the_unit_of_the_reports_page() -> None:
    assert i18n.show_evidence("heart_rate_bpm", 66.2, "/min", "zh") == "66 次/分"
    assert (i18n.show_unit("/min", "en"), i18n.show_unit("ms", "zh")) == ("/min", "ms")
