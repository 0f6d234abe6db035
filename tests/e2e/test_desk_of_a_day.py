"""A physician goes through a day by the keyboard: events, beats, shapes, undo, the report; also on a phone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.async_api import Page, expect
from support import days
from support.centre import Centre
from support.studies import do, study_of

from ecg_center.store.session import EVERYTHING
from ecg_center.worklist import service as worklist
from worker import queries

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}
READY = "holter-desk[data-state=ready]"


async def at_the_desk(centre: Centre, enter: Callable, **options) -> tuple[Page, days.Exam]:
    exam = await days.read_day(centre)
    await do(centre, "wang", worklist.claim, exam.study_id, datetime.now(UTC))
    page = await enter("wang", f"/studies/{exam.study_id}/read", **options)
    await page.wait_for_selector("html[data-ready]")
    await page.wait_for_selector(READY)
    return page, exam


async def first_of(page: Page, kind: str) -> None:
    """List one kind of event and go to its first."""
    await page.select_option(".day-events select", kind)
    await expect(page.locator(".event[aria-current=true]")).to_have_count(1)
    await page.locator(".day-strip").focus()


async def test_an_event_is_found_named_and_given_back(centre: Centre, enter: Callable) -> None:
    page, exam = await at_the_desk(centre, enter)
    await expect(page.locator(".day-foot")).to_contain_text("25 mm/s · 10 mm/mV")
    await first_of(page, "v_single")
    chosen = await page.locator(".event[aria-current=true] time").inner_text()
    await expect(page.locator(".day-picked")).to_contain_text("1")
    before = await page.locator(".day-ectopy tr").nth(1).inner_text()
    await page.keyboard.press("n")
    await expect(page.locator(".day-pending")).to_be_visible()
    await days.conclude_again(centre, exam.recording_id)
    await expect(page.locator(".day-pending")).to_have_count(0, timeout=10_000)  # heard of, without a reload
    await expect(page.locator(f'.event time:text-is("{chosen}")')).to_have_count(0)
    await expect(page.locator(".day-ectopy tr").nth(1)).not_to_have_text(before, timeout=10_000)
    await expect(page.locator(".day-summary header")).to_contain_text("1 处修改")

    await page.locator(".day-strip").focus()
    await page.keyboard.press("u")
    await expect(page.locator(".day-pending")).to_be_visible()
    await days.conclude_again(centre, exam.recording_id)
    await expect(page.locator(f'.event time:text-is("{chosen}")')).to_have_count(1, timeout=10_000)
    assert [edit.content["action"] for edit in await days.edits(centre, exam.recording_id)] == ["relabel_beats", "undo"]


async def test_the_gravest_events_are_listed_first_and_a_button_puts_them_in_order_of_time(
    centre: Centre, enter: Callable
) -> None:
    page, _ = await at_the_desk(centre, enter)
    await expect(page.locator(".event").first).to_be_visible()
    rows, times = page.locator(".event"), page.locator(".event time")
    gravest = await rows.all_inner_texts()
    tones = await rows.evaluate_all("rows => rows.map((row) => row.classList[1])")
    assert tones == sorted(tones, key=["danger", "warn", "neutral"].index)
    await page.click(".day-events header button")
    in_time = await times.all_inner_texts()
    assert in_time == sorted(in_time)
    assert await rows.all_inner_texts() != gravest
    await page.click(".day-events header button")
    assert await rows.all_inner_texts() == gravest


async def test_the_worklist_says_how_far_a_long_reading_is(centre: Centre, enter: Callable) -> None:
    exam = await days.received(centre, 77)
    page = await enter("wang", "/worklist?desk=write")
    await page.wait_for_selector("html[data-ready]")
    row = page.locator(f"#progress-{exam.study_id}")
    await expect(row).to_be_hidden()
    for share, left_s in ((0.2, 80.0), (0.6, 41.0)):
        async with centre.database.transaction(EVERYTHING) as session:
            await queries.show_progress(session, exam.recording_id, share, "beats", left_s)
        await expect(row.locator("progress")).to_have_attribute("value", f"{100 * share:.0f}", timeout=10_000)
    await expect(row).to_contain_text("60 % 约剩41 s")


async def test_one_key_names_a_shape_and_the_machines_result_can_be_seen(centre: Centre, enter: Callable) -> None:
    page, exam = await at_the_desk(centre, enter)
    await page.keyboard.press("t")
    await expect(page.locator(".template").first).to_be_visible()
    shape = await page.locator(".template").first.get_attribute("data-template")
    await page.keyboard.press("f")
    await expect(page.locator(".day-pending")).to_be_visible()
    await days.conclude_again(centre, exam.recording_id)
    await expect(page.locator(f'.template.label-F[data-template="{shape}"]')).to_have_count(1, timeout=10_000)
    await page.keyboard.press("h")
    await expect(page.locator(".changes li")).to_have_count(1)
    await page.click(".day-changes p button")
    await expect(page.locator(".day-foot")).to_contain_text("机器原始结果")
    await page.keyboard.press("t")
    await expect(page.locator(f'.template.label-F[data-template="{shape}"]')).to_have_count(0)


async def test_every_view_draws_and_keys_go_through_time(centre: Centre, enter: Callable) -> None:
    page, _ = await at_the_desk(centre, enter)
    foot = page.locator(".day-foot strong").first
    start = await foot.inner_text()
    await page.keyboard.press("ArrowRight")
    await expect(foot).not_to_have_text(start)
    await page.keyboard.press("Home")
    await expect(foot).to_have_text(start)
    await page.keyboard.press("z")
    await page.keyboard.type("09:05")
    await page.keyboard.press("Enter")
    await expect(foot).to_have_text(re.compile(r"^09:0[45]:"))
    for key, drawn in (("d", ".disclosure-paper canvas"), ("g", ".day-charts canvas"), ("Escape", ".strip-paper")):
        await page.keyboard.press(key)
        await expect(page.locator(drawn).first).to_be_visible()
        await page.wait_for_function(DRAWN, arg=drawn)
    for key, words in (("2", "10 s"), ("3", "30 s"), ("4", "1 min"), ("1", "25 mm/s")):
        await page.keyboard.press(key)
        await expect(page.locator(".day-bar [aria-pressed=true]", has_text=words)).to_have_count(1)
    await page.keyboard.press("?")
    await expect(page.locator("#day-help-title")).to_be_visible()


async def test_a_point_of_the_plot_of_intervals_leads_to_its_beat(centre: Centre, enter: Callable) -> None:
    page, _ = await at_the_desk(centre, enter)
    await page.keyboard.press("End")
    foot = page.locator(".day-foot strong").first
    last = await foot.inner_text()
    await page.keyboard.press("g")
    plot = page.locator(".day-poincare")
    await plot.scroll_into_view_if_needed()
    await page.wait_for_function(DRAWN, arg=".day-poincare")
    box = await plot.bounding_box()
    assert box is not None
    for share in (0.30, 0.35, 0.40, 0.45, 0.50, 0.55):  # along the line of equal intervals, where the comet lies
        await plot.click(position={"x": 40 + share * 260, "y": 280 - share * 260})
        if not await plot.is_visible():
            break
    await expect(page.locator(".strip-paper").first).to_be_visible()
    await expect(foot).not_to_have_text(last)


DRAWN = """(selector) => {
  const canvas = document.querySelector(selector);
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  for (let i = 0; i < pixels.length; i += 4 * 97) seen.add(pixels[i] + "," + pixels[i + 1] + "," + pixels[i + 2]);
  return seen.size > 2;
}"""
"""Whether anything stands on the canvas but one colour and its grid."""


async def test_a_strip_goes_into_the_report_that_is_signed(centre: Centre, enter: Callable) -> None:
    page, exam = await at_the_desk(centre, enter)
    usual = await page.locator(".strip-list li").count()
    await page.keyboard.press("End")
    await page.keyboard.press("b")
    await expect(page.locator(".strip-list li")).to_have_count(usual + 1)
    await page.check("input[name=conclusion][value=abnormal]")
    await expect(page.locator("[data-saved=saved]")).to_be_visible(timeout=10_000)
    await page.wait_for_timeout(900)  # nothing is signed unread
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url("**/worklist*")
    assert (await study_of(centre, exam.study_id)).state == "written"


async def test_nobody_else_may_change_beats(centre: Centre, enter: Callable) -> None:
    exam = await days.read_day(centre)
    page = await enter("t1", f"/studies/{exam.study_id}")
    await page.wait_for_selector(READY)
    await first_of(page, "v_single")
    await page.keyboard.press("n")
    await expect(page.locator("#toasts")).to_contain_text("只有领取该检查的医师可以修改心搏")
    assert await days.edits(centre, exam.recording_id) == []


async def test_on_a_phone_nothing_is_wider_than_the_screen(centre: Centre, enter: Callable) -> None:
    page, _ = await at_the_desk(centre, enter, viewport=PHONE, has_touch=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.tap(".day-steps button >> nth=1")
    await expect(page.locator(".event[aria-current=true]")).to_have_count(1)
    await page.wait_for_function(DRAWN, arg=".strip-paper")
    await page.tap(".menu summary")
    await page.tap("button[name=language][value=en]")
    await expect(page.locator(".day-ectopy")).to_contain_text("Longest run")
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]  # English words are longer
