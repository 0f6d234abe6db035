"""The report of a day of blood pressures: what stands on its pages, and where its chart puts a reading."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from pypdf import PdfReader
from support.pressures import START, day, series

from ecg_center.contract.pressure import OfficePressure, PressureEdit, PressureFindings
from ecg_center.domain.statements import Overall
from ecg_center.release.document import pressure_chart, pressure_words
from ecg_center.release.document.model import DocumentError, ReportDocument
from ecg_center.release.document.render import render
from worker.pressure.analysis import conclude
from worker.pressure.indication import Noted
from worker.pressure_readings import DiaryEntry, PressureReading
from worker.resting.patient import Person

NORMAL = conclude(day((118, 72), (104, 62)), person=Person(age_years=63)).pressure


def figures(**more) -> PressureFindings:
    return conclude(day((150, 95), (140, 85)), person=Person(age_years=63), **more).pressure


def report(make_report: Callable[..., ReportDocument], found: PressureFindings, **more) -> ReportDocument:
    words = {"opinion": ("24小时平均血压升高",), "urgent_finding": None, "trace": None}
    return make_report(**(words | {"pressure": found, "conclusion": Overall.ABNORMAL} | more))


def text_of(pdf: bytes) -> list[str]:
    """The words of each page, without the blanks that stand between Han and Latin letters."""
    return [re.sub(r"\s+", "", page.extract_text()) for page in PdfReader(BytesIO(pdf)).pages]


def test_the_page_says_what_was_measured_and_the_second_lists_it(make_report):
    office = OfficePressure(systolic_mmhg=152, diastolic_mmhg=94)
    first, second = text_of(render(report(make_report, figures(noted=Noted(office=office)))))
    for words in (
        "动态血压监测报告", "24小时", "150↑", "95↑", "140↑", "135", "有效读数48/48（100%）", "白天32次、夜间16次",
        "夜间22:00–06:00（固定时段）", "2020中国动态血压监测指南", "夜间下降率", "6.7/10.5%", "非杓型", "血压晨峰",
        "诊室血压", "152/94mmHg", "结论：异常", "张㛃", "报告医师", "审核医师", "演示数据DEMO",
    ):  # fmt: skip
        assert words.replace(" ", "") in first, words
    assert "心电图" not in first
    assert "续页" in second
    assert second.count(":") >= 48
    assert "03-0208:00" in second
    assert "03-0300:00" in second


def test_it_is_two_landscape_a4_pages_of_pdf_a(make_report):
    pdf = render(report(make_report, figures()))
    pages = PdfReader(BytesIO(pdf)).pages
    assert len(pages) == 2
    assert [round(float(side) / 72 * 25.4) for side in pages[0].mediabox[2:]] == [297, 210]
    assert b"pdfaid:part" in pdf
    assert render(report(make_report, figures())) == pdf


def test_readings_that_do_not_count_say_why(make_report):
    def change(one):
        if one.at.hour == 9:
            return replace(one, status="failed", systolic_mmhg=None, diastolic_mmhg=None)
        return replace(one, systolic_mmhg=60, diastolic_mmhg=30) if one.at.hour == 10 else one

    recorded = day(change=change)
    found = conclude(recorded, [PressureEdit(action="exclude", readings=[7], reason="袖带移位")]).pressure
    second = text_of(render(report(make_report, found)))[1]
    assert second.count("失败") == 2
    assert second.count("伪差") == 2
    assert second.count("医师剔除") == 1


def test_a_child_without_limits_is_told_so_and_has_no_arrow(make_report):
    child = conclude(day((150, 95), (140, 85)), person=Person(age_years=9)).pressure
    first = text_of(render(report(make_report, child)))[0]
    assert "不作分级" in first
    assert "↑" not in first


def test_english(make_report):
    found = figures()
    first = PdfReader(BytesIO(render(report(make_report, found, language="en", opinion=("Raised",))))).pages[0]
    words = first.extract_text()
    for said in ("Ambulatory blood pressure report", "Morning surge", "non-dipper", "48 of 48 readings", "Abnormal"):
        assert said in words
    assert "Abnormal ECG" not in words


def test_an_ecg_with_pressures_has_both(make_report, make_trace):
    pages = text_of(render(report(make_report, figures(), trace=make_trace())))
    assert len(pages) == 3
    assert "心电图诊断报告" in pages[0]
    assert "异常心电图" in pages[0]
    assert "150↑" in pages[1]
    assert "血压读数" in pages[2]


def test_a_report_of_nothing_is_refused(make_report):
    with pytest.raises(DocumentError, match="a trace, a day of ECG, or blood pressures"):
        make_report(trace=None)


def test_a_long_list_goes_on_and_ends(make_report):
    many = series(PressureReading(START + timedelta(minutes=10 * n), 130, 80) for n in range(620))
    pages = text_of(render(report(make_report, conclude(many).pressure)))
    assert len(pages) == 1 + 5
    assert "另有20次读数未打印" in pages[-1]


def test_both_languages_have_the_same_words():
    assert pressure_words.ZH.keys() == pressure_words.EN.keys()


def coordinates(svg: str, colour: str) -> list[tuple[float, float]]:
    """The dots of one colour, in millimetres."""
    found = re.findall(rf'<circle cx="(\d+)" cy="(\d+)" r="\d+" fill="{colour}"', svg)
    return [(int(x) / 1000, int(y) / 1000) for x, y in found]


def test_the_chart_puts_each_reading_at_its_time_and_pressure():
    chart = pressure_chart.draw(NORMAL, "夜间", "脉率")
    dots = coordinates(chart.svg, pressure_chart.SYSTOLIC)
    assert len(dots) == 48
    left, right = pressure_chart.LEFT_MM, pressure_chart.WIDTH_MM - pressure_chart.RIGHT_MM
    assert dots[0][0] == pytest.approx(left)
    assert dots[-1][0] == pytest.approx(right)
    levels = {int(one.text): one.y_mm - 0.9 for one in chart.words if one.text.isdigit() and one.align == "right"}
    per_mmhg = (levels[140] - levels[160]) / 20
    assert dots[0][1] == pytest.approx(levels[160] + (160 - 118) * per_mmhg, abs=0.01)
    assert coordinates(chart.svg, pressure_chart.DIASTOLIC)[0][1] == pytest.approx(
        levels[160] + (160 - 72) * per_mmhg, abs=0.01
    )


def test_the_chart_shades_the_night_and_names_the_hours():
    chart = pressure_chart.draw(NORMAL, "夜间", "脉率")
    assert chart.svg.count("<rect") == 1
    words = [one.text for one in chart.words]
    assert "夜间" in words
    assert {"09:00", "22:00", "06:00"} <= set(words)
    assert {"135", "85"} <= set(words)


def test_a_gap_lifts_the_pen_and_what_is_not_used_is_crossed():
    minutes = [0, 30, 60, 300, 330]
    readings = [PressureReading(START + timedelta(minutes=m), 120 + n, 70) for n, m in enumerate(minutes)]
    found = conclude(series(readings), [PressureEdit(action="exclude", readings=[1])]).pressure
    svg = pressure_chart.draw(found, "", "").svg
    systolic = re.search(rf'<path d="([^"]+)" fill="none" stroke="{pressure_chart.SYSTOLIC}"', svg)[1]
    assert systolic.count("M") == 2
    crossed = re.search(rf'<path d="([^"]+)" fill="none" stroke="{pressure_chart.INK}" stroke-width="200"', svg)[1]
    assert crossed.count("M") == 4


@pytest.mark.parametrize("systolic", [25, 80, 260])
def test_any_pressure_stays_on_the_chart(systolic):
    found = conclude(day((systolic, 12), (systolic, 12)), [PressureEdit(action="include", readings=list(range(48)))])
    svg = pressure_chart.draw(found.pressure, "", "").svg
    ys = [y for _, y in coordinates(svg, pressure_chart.SYSTOLIC) + coordinates(svg, pressure_chart.DIASTOLIC)]
    assert len(ys) == 96
    assert all(pressure_chart.TOP_MM <= y <= pressure_chart.TOP_MM + pressure_chart.PRESSURE_MM for y in ys)


def test_only_numbers_of_ours_enter_the_svg():
    reason = '"/><script>alert(1)</script>'
    found = conclude(day(), [PressureEdit(action="exclude", readings=[3], reason=reason)]).pressure
    assert "script" not in pressure_chart.draw(found, reason, reason).svg


def long(hours: float = 48, every_minutes: int = 30) -> PressureFindings:
    """High by day and in the morning, the second night poorer than the first."""

    def change(one):
        if one.at.hour in (6, 7) and one.at > START + timedelta(hours=2):
            return replace(one, systolic_mmhg=165)
        if one.at > START + timedelta(hours=30) and (one.at.hour >= 22 or one.at.hour < 6):
            return replace(one, systolic_mmhg=138)
        return one

    recorded = day((145, 90), (118, 66), hours=hours, every_minutes=every_minutes, change=change)
    return conclude(recorded, person=Person(age_years=63)).pressure


def test_days_and_nights_of_a_long_recording_are_printed_one_by_one(make_report):
    first, second, *_ = text_of(render(report(make_report, long())))
    assert "全程" in first
    assert "24小时平均脉" not in first
    assert "夜间22:00–06:00（固定时段）" in first  # two nights of the same hours are told once
    for words in (
        "逐日逐夜", "结论依据全部读数；晨峰为各晨平均", "03-0208:00–03-0308:00", "03-0308:00–03-0407:30",
        "48/48(100%)", "32/16", "有效", "03-0222:00–06:00固定时段", "118/66", "138/66↑", "杓型", "非杓型",
        "47↑", "合计", "128/66↑",
    ):  # fmt: skip
        assert words in second, words
    assert "逐日逐夜" not in "".join(text_of(render(report(make_report, figures()))))


def test_it_is_all_there_in_english(make_report):
    pages = text_of(render(report(make_report, long(), language="en")))
    for words in (
        "Eachdayandnight",
        "Conclusionsrestonallreadings",
        "fixedhours",
        "Alltogether",
        "non-dipper",
        "Lowest",
    ):
        assert words in pages[1], words
    assert "Whole" in pages[0]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("hours", "pages"), [(24, 2), (48, 2), (72, 3)])
def test_no_page_is_left_to_a_line_that_found_no_room(make_report, language, hours, pages):
    """With the office pressure and the first hour, figures in English went over to a page of their own."""
    office = OfficePressure(systolic_mmhg=152, diastolic_mmhg=94)
    found = long(hours).model_copy(update={"office": office})
    texts = text_of(render(report(make_report, found, language=language)))
    assert len(texts) == pages
    assert "152/94" in texts[0]
    assert sum(text.count(":") for text in texts[1:]) >= 2 * hours


def test_midnight_of_a_long_chart_is_its_date():
    chart = pressure_chart.draw(long(), "夜间", "脉率")
    assert {"03-03", "03-04"} <= {word.text for word in chart.words}
    assert "03-03" not in {word.text for word in pressure_chart.draw(figures(), "夜间", "脉率").words}


def test_a_recording_without_a_night_names_none():
    recorded = series(one for one in day((145, 90)).readings if 8 <= one.at.hour < 20)
    lines = pressure_words.caption(conclude(recorded).pressure, "zh", "Asia/Shanghai")
    assert not any(line.startswith("夜间") for line in lines)


def test_each_night_says_by_whom_it_is_one():
    diary = (DiaryEntry(START + timedelta(hours=15), "asleep"), DiaryEntry(START + timedelta(hours=23), "awake"))
    found = conclude(series(day(hours=48).readings, diary=diary)).pressure
    assert "夜间 23:00–07:00（日记）、22:00–06:00（固定时段）" in pressure_words.caption(found, "zh", "Asia/Shanghai")
