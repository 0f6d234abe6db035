"""The desk of a day of blood pressures in a real browser: seen, changed, signed; on a screen and on a phone."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect
from sqlalchemy import select
from support import days
from support.centre import Centre
from support.pressure_exams import answer_edits, measured, recording
from support.studies import Exam, do, documented, read, upload

from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import Report
from ecg_center.worklist import service as worklist
from gateway.simulate.pressures import PressureProfile

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}


async def taken(enter: Callable, exam, **options) -> Page:
    page = await enter("wang", f"/studies/{exam.study_id}", **options)
    await page.click("form[action$='/claim'] button")
    await page.wait_for_url("**/read")
    await page.wait_for_selector("pressure-chart[data-state=ready]")
    await page.wait_for_selector("html[data-ready]")
    return page


async def test_a_day_is_seen_changed_and_signed(centre: Centre, enter: Callable) -> None:
    exam = await measured(centre, PressureProfile.MORNING_SURGE)
    desk = await taken(enter, exam)
    chart = desk.locator("pressure-chart")
    used = await chart.locator("circle.bp-systolic").count()
    assert used > 50
    await expect(chart.locator(".bp-night")).to_have_count(1)
    await expect(desk.locator(".pressure-table tbody tr")).to_have_count(3)
    await expect(desk.locator(".pressure-sheet")).to_contain_text("夜间依日记")

    # the keyboard goes to the chart and through the readings; Enter shows the row, X takes it out
    await desk.keyboard.press("Alt+v")
    for _ in range(4):
        await desk.keyboard.press("ArrowRight")
    await expect(chart.locator(".bp-box")).to_contain_text("09:30")
    await desk.keyboard.press("Enter")
    await expect(desk.locator("#reading-3")).to_have_attribute("aria-selected", "true")
    before = await desk.locator(".pressure-table tbody tr").first.inner_text()
    await desk.fill("#text", "诊断意见正在书写")
    await desk.select_option("#exclusion", label="袖带移位")
    await desk.click("#edit-3")
    await desk.wait_for_selector(".pressure-sheet[data-edits='1']")
    await answer_edits(centre, exam)
    await expect(desk.locator("#reading-3")).to_contain_text("医师剔除: 袖带移位", timeout=10_000)  # without a reload
    await expect(desk.locator(".edits")).to_contain_text("王演示")
    await expect(chart.locator("circle.bp-systolic")).to_have_count(used - 1)
    assert await desk.locator(".pressure-table tbody tr").first.inner_text() != before
    assert await desk.input_value("#text") == "诊断意见正在书写"
    await desk.click(".edits button")
    await desk.wait_for_selector(".pressure-sheet[data-edits='2']")
    await answer_edits(centre, exam)
    await expect(chart.locator("circle.bp-systolic")).to_have_count(used, timeout=10_000)

    # a statement of the desk's own kind comes first, and evidence is framed on the chart
    await desk.keyboard.press("Escape")
    await desk.click("statement-picker input[role=combobox]")
    await desk.keyboard.type("bdyxy")
    await expect(desk.locator(".options li").first).to_contain_text("白大衣效应")
    await desk.keyboard.press("Enter")
    await expect(desk.locator(".report .picked")).to_contain_text("白大衣效应")
    await desk.locator(".preread [data-evidence]").first.click()
    await expect(chart.locator(".bp-frame")).not_to_have_count(0)
    await desk.wait_for_timeout(900)
    await desk.keyboard.press("Control+Enter")
    await desk.wait_for_url("**/worklist*")

    review = await enter("li")
    await review.wait_for_selector("html[data-ready]")
    await review.keyboard.press("n")
    await review.wait_for_url("**/review")
    await review.wait_for_selector("pressure-chart[data-state=ready]")
    await expect(review.locator(".compared")).to_contain_text("医师添加")
    await expect(review.locator(".report")).not_to_contain_text("异常心电图")
    await review.wait_for_timeout(900)
    await review.keyboard.press("Control+Enter")
    await review.wait_for_url("**/worklist*")
    async with centre.database.transaction(EVERYTHING) as session:
        report = await session.scalar(select(Report).where(Report.study_id == exam.study_id))
    assert (report.state, report.content["pressure"]["edits"]) == ("released", 0)
    await documented(centre, report)
    clinic = await enter("t1", f"/studies/{exam.study_id}")
    await expect(clinic.locator(".panel")).to_contain_text("白大衣效应")
    pdf = await clinic.request.get(await clinic.locator("a[href$='/pdf']").get_attribute("href"))
    assert (await pdf.body()).startswith(b"%PDF")


async def test_readings_are_taken_out_as_fast_as_a_key_is_struck_and_the_last_comes_back(
    centre: Centre, enter: Callable
) -> None:
    """Struck faster than the centre answered, the second X was refused and lost."""
    exam = await measured(centre)
    desk = await taken(enter, exam)
    await desk.keyboard.press("Alt+v")
    for _ in range(5):
        await desk.keyboard.press("ArrowRight")
        await desk.keyboard.press("x")
    await desk.keyboard.press("u")  # which is the last one is not known before the sheet shows all five
    await answer_when(centre, exam, 5)
    await expect(desk.locator(".edits li")).to_have_count(5, timeout=10_000)
    await expect(desk.locator("tr.unused [data-pressure-edit]")).to_have_count(5, timeout=10_000)
    await expect(desk.locator(".toast")).to_have_count(0)
    await desk.keyboard.press("u")
    await answer_when(centre, exam, 6)
    await expect(desk.locator(".edits li.undone")).to_have_count(1, timeout=10_000)
    await expect(desk.locator("#reading-4")).not_to_have_class(re.compile("unused"))
    await expect(desk.locator("#reading-3")).to_have_class(re.compile("unused"))


async def test_pressures_beside_a_day_of_ecg_keep_their_keys_and_leave_it_its_height(
    centre: Centre, enter: Callable
) -> None:
    """The day's canvas grew until it was blank, and X on a reading went to the beats, too."""
    exam = await days.read_day(centre)
    receipt = await upload(centre, recording(), "T1", accession_number=exam.accession_number)
    await read(centre, receipt.recording_id)
    await do(centre, "wang", worklist.claim, exam.study_id, datetime.now(UTC))
    desk = await enter("wang", f"/studies/{exam.study_id}/read")
    await desk.wait_for_selector("html[data-ready]")
    await desk.wait_for_selector("holter-desk[data-state=ready]")
    assert (await desk.locator("holter-desk").evaluate("e => e.clientHeight / innerHeight")) < 0.9
    await desk.select_option(".day-events select", "v_single")
    await expect(desk.locator(".day-picked")).to_contain_text("1")
    await desk.keyboard.press("Alt+v")
    await desk.keyboard.press("ArrowRight")
    for key in ("x", "n", "s"):
        await desk.keyboard.press(key)
    await desk.wait_for_selector(".pressure-sheet .edits li, .pressure-sheet tr.unused", state="attached")
    await desk.wait_for_timeout(300)
    assert await days.edits(centre, exam.recording_id) == []
    await desk.keyboard.press("Alt+v")
    assert await desk.evaluate("document.activeElement.tagName") == "BODY"


async def answer_when(centre: Centre, exam: Exam, changes: int) -> None:
    """The worker's answer, once so many changes have reached the centre."""
    for _ in range(100):
        if len(await days.edits(centre, exam.recording_id)) == changes:
            break
        await asyncio.sleep(0.1)
    assert len(await days.edits(centre, exam.recording_id)) == changes
    await answer_edits(centre, exam)


async def test_a_phone_shows_it_all_without_scrolling_sideways(centre: Centre, enter: Callable) -> None:
    exam = await measured(centre)
    phone = await taken(enter, exam, viewport=PHONE, has_touch=True, is_mobile=True)
    assert await phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    box = await phone.locator("pressure-chart svg").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    await phone.locator("pressure-chart").tap(position={"x": 200, "y": 120})
    await expect(phone.locator("pressure-chart .bp-box")).to_contain_text(re.compile(r"\d{2,3}/\d{2,3}"))
    await expect(phone.locator(".tiles")).to_contain_text("夜间下降率")


async def test_whoever_only_looks_changes_nothing_and_can_read_it_by_day_and_by_night(
    centre: Centre, enter: Callable
) -> None:
    exam = await measured(centre)
    page = await enter("t1", f"/studies/{exam.study_id}")
    await page.wait_for_selector("pressure-chart[data-state=ready]")
    await expect(page.locator("[data-pressure-edit]")).to_have_count(0)
    await expect(page.locator("#reading-0")).to_contain_text("08:30")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        colours = await page.evaluate(
            """() => {
                const of = (element, name) => getComputedStyle(element)[name];
                const chart = document.querySelector("pressure-chart");
                return [...["bp-word", "bp-limit-word"].map((name) => of(chart.querySelector("." + name), "fill")),
                        of(chart.closest(".card"), "backgroundColor"), of(chart.querySelector(".bp-night"), "fill")];
            }"""
        )
        word, limit, card, night = ([int(part) for part in re.findall(r"\d+", colour)[:3]] for colour in colours)
        assert contrast(word, card) >= 4.5
        assert contrast(word, night) >= 4.5
        assert contrast(limit, card) >= 3


def contrast(one: list[int], other: list[int]) -> float:
    def luminance(parts: list[int]) -> float:
        linear = [p / 255 / 12.92 if p <= 10 else ((p / 255 + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


async def test_new_figures_leave_the_physician_where_he_was(centre: Centre, enter: Callable) -> None:
    """News of the study redraws the sheet: the marked reading, the keyboard's place and the reason went with it."""
    exam = await measured(centre, PressureProfile.MORNING_SURGE)
    desk = await taken(enter, exam)
    chart = desk.locator("pressure-chart")
    await desk.select_option("#exclusion", label="袖带移位")
    await desk.keyboard.press("Alt+v")
    await desk.keyboard.press("End")
    await desk.keyboard.press("ArrowLeft")
    shown = await chart.locator(".bp-box").inner_text()
    await desk.keyboard.press("Enter")
    marked = desk.locator("[data-reading][aria-selected]")
    row = await marked.get_attribute("id")
    scrolled = await desk.evaluate("document.querySelector('.reading-list').scrollTop")
    await desk.evaluate("document.querySelector('.pressure-sheet').dataset.old = 'yes'")

    await desk.evaluate(f"document.body.dispatchEvent(new CustomEvent('live:study-{exam.study_id}'))")
    await expect(desk.locator(".pressure-sheet[data-old]")).to_have_count(0)
    await expect(chart.locator(".bp-box")).to_have_text(re.compile(re.escape(shown.split("\n")[0])))
    await expect(marked).to_have_attribute("id", row or "")
    assert await desk.evaluate("document.querySelector('.reading-list').scrollTop") == scrolled
    assert await desk.evaluate("document.querySelector('#exclusion').selectedOptions[0].label") == "袖带移位"
    await desk.keyboard.press("Home")
    await desk.keyboard.press("ArrowRight")
    await expect(chart.locator(".bp-box")).to_contain_text("08:")
