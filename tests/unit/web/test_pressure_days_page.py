"""What the desk shows of two days of pressures: each day, each night with its morning, and both together."""

import re
from dataclasses import replace

from support.pressures import at, day, is_night, series

from ecg_center.contract.pressure import PressureFindings
from ecg_center.web import pressure
from ecg_center.web.rendering import environment
from worker.pressure.analysis import conclude
from worker.pressure_readings import DiaryEntry

DIARY = (DiaryEntry(at(14), "asleep"), DiaryEntry(at(22), "awake"))


def recorded(hours: float) -> PressureFindings:
    """142/88 by day, a good night and a poor one, both mornings high."""

    def change(one):
        if one.at.hour in (7, 8) and one.at > at(2):
            return replace(one, systolic_mmhg=160)
        return replace(one, systolic_mmhg=138) if is_night(one.at) and one.at > at(24) else one

    made = day((142, 88), (118, 66), hours=hours, change=change)
    return conclude(series(made.readings, diary=DIARY)).pressure


def shown(found: PressureFindings, language: str = "en") -> str:
    """The card of the days and nights."""
    made = environment(language).get_template("parts/pressure.html").make_module({"pressure": pressure})
    return re.sub(r"\s+", " ", str(made.by_day(found)))


def rows(page: str) -> list[list[str]]:
    """The cells of each line, without their tags."""
    lines = re.findall(r"<tr>(.*?)</tr>", page)
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", one)] for one in lines]


def test_a_usual_day_has_no_table_of_its_days() -> None:
    assert shown(recorded(24)).strip() == ""
    assert shown(recorded(35)).strip() == ""


def test_each_day_and_night_has_its_line_and_the_last_is_what_is_said() -> None:
    found = recorded(48)
    _, first, second, _, night, other, together = rows(shown(found))
    assert first[1:5] == second[1:5] == ["Enough readings", "48/48 (100 %)", "32", "16"]
    assert (first[7], second[7]) == ("118/66", "138/66")
    assert (night[1], other[1]) == ("diary", "fixed hours")
    assert night[4:6] == ["16.9 / 25.0 %", "Dipper"]
    assert other[5] == "Non-dipper"
    assert (together[1], together[2]) == ("32", "128/66")
    assert together[3] == f"{found.dipping.systolic_percent:.1f} / {found.dipping.diastolic_percent:.1f} %"
    assert together[-2] == str(round(found.surge.sleep_trough_mmhg))


def test_what_reaches_its_limit_is_marked() -> None:
    page = shown(recorded(48))
    nights = page[page.index("Two hours after waking") :]
    assert 'class="number">118/66<' in nights
    assert 'class="number high">138/66<' in nights
    assert 'class="number high">128/66<' in nights  # both nights together, too


def test_it_is_all_there_in_chinese() -> None:
    page = shown(recorded(48), "zh")
    for words in (
        "逐日逐夜",
        "结论依据全部读数及各晨平均",
        "日记",
        "固定时段",
        "合计",
        "非杓型",
        "夜间最低",
        "读数充足",
    ):
        assert words in page, words
    assert not re.search(r"[A-Za-z]{4,}", re.sub(r"<[^>]+>", "", page).replace("mmHg", ""))


def test_the_chart_of_several_days_knows_their_dates() -> None:
    assert pressure.drawn(recorded(48))["dates"] == ["03-02", "03-03", "03-04"]
    assert pressure.drawn(recorded(24))["dates"] == []
