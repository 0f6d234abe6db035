"""A study's way through the real pages in a real browser: technician, reporting physician, reviewer."""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.async_api import Page, Route, expect
from sqlalchemy import select
from support.centre import Centre
from support.studies import documented, ecg, events, read, recorded, released, upload

from ecg_center.demo.community import PASSWORD
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import Report, Study

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}


async def sign(page: Page) -> None:
    """By the keyboard, after the trace has stood there for a moment."""
    await page.wait_for_selector("html[data-ready]")
    await page.wait_for_selector("ecg-viewer[data-state=ready]")
    await page.wait_for_timeout(900)
    await page.keyboard.press("Control+Enter")


async def newest_study(centre: Centre) -> Study:
    async with centre.database.transaction(EVERYTHING) as session:
        found = await session.scalar(select(Study).order_by(Study.registered_at.desc()).limit(1))
    assert found is not None
    return found


async def test_from_the_clinics_form_to_the_released_report(centre: Centre, enter: Callable) -> None:
    clinic = await enter("t1")
    await expect(clinic).to_have_url(re.compile("/clinic$"))
    await clinic.fill("#name", "演示患者")
    await clinic.check("input[name=sex][value=F]")
    await clinic.fill("#age_years", "63")
    await clinic.fill("#indication", "胸痛 2 小时")
    await clinic.check("input[name=chest_pain]")
    await clinic.click("form button.primary")
    study = await newest_study(centre)
    await expect(clinic.locator("#lists")).to_contain_text(study.accession_number or "?")

    desk = await enter("wang")
    await expect(desk.locator("#desk")).to_contain_text("没有待处理的检查")
    receipt = await upload(centre, accession_number=study.accession_number)
    await expect(desk.locator("#desk")).to_contain_text("演示患者", timeout=10_000)  # without a reload
    await expect(clinic.locator("#lists")).to_contain_text("初步意见", timeout=10_000)
    await read(centre, receipt.recording_id)
    await expect(desk.locator("#desk")).to_contain_text("待报告", timeout=10_000)

    await desk.keyboard.press("n")
    await desk.wait_for_url("**/read")
    await desk.wait_for_selector("ecg-viewer[data-state=ready]")
    await expect(desk.locator(".preread")).to_contain_text("未确认")
    await give_opinion(desk)
    await expect(desk.locator(".opinion")).to_contain_text("急性下壁心肌梗死")
    await expect(desk.locator(".opinion")).to_contain_text("与前次比较 ST 抬高")
    await expect(clinic.locator("#lists")).to_contain_text("演示患者")
    await write(desk)
    await sign(desk)
    await desk.wait_for_url("**/worklist*")
    await expect(desk.locator("#toasts")).to_contain_text("已签名")

    review = await enter("li")
    await review.keyboard.press("n")
    await review.wait_for_url("**/review")
    await expect(review.locator(".compared")).to_contain_text("医师添加")
    await sign(review)
    await review.wait_for_url("**/worklist*")

    async with centre.database.transaction(EVERYTHING) as session:
        report = await session.scalar(select(Report).where(Report.study_id == study.id))
    assert report is not None
    assert (report.state, report.content["urgent_finding"]) == ("released", "急性下壁心肌梗死")
    await documented(centre, report)
    await clinic.goto(f"/studies/{study.id}")
    answer = await clinic.request.get(await clinic.locator("a[href$='/pdf']").get_attribute("href"))
    assert (await answer.body()).startswith(b"%PDF")
    await expect(clinic.locator(".timeline")).to_contain_text("审核签名并发布")
    await clinic.goto(f"/v/{report.verify_code}")
    await expect(clinic.locator("main")).to_contain_text("诊断中心存有此报告")


async def give_opinion(desk: Page) -> None:
    await desk.keyboard.press("o")
    await desk.fill("#opinion-text", "与前次比较 ST 抬高")
    picker = desk.locator("dialog[open] statement-picker input[role=combobox]")
    await picker.fill("161.330")
    await picker.press("Enter")
    await expect(desk.locator("dialog[open] .picked")).to_contain_text("急性下壁心肌梗死")
    await desk.fill("#advice", "立即转运")
    await desk.click("dialog[open] button.danger")
    await desk.wait_for_url("**/read?note=opinion")


async def write(desk: Page) -> None:
    await desk.wait_for_selector("html[data-ready]")
    await desk.keyboard.press("/")
    await desk.keyboard.type("161.330")
    await desk.keyboard.press("Enter")
    await expect(desk.locator(".report .picked")).to_contain_text("急性下壁心肌梗死")
    await expect(desk.locator(".report .clash")).to_contain_text("不能与其他异常诊断并存")
    await desk.click("button[aria-label='移除 正常心电图']")
    await expect(desk.locator(".report .clash")).to_be_hidden()
    await expect(desk.locator("input[name=conclusion][value=abnormal]")).to_be_checked()
    await desk.fill("#urgent_finding", "急性下壁心肌梗死")
    await desk.keyboard.press("Control+s")
    await expect(desk.locator("[data-saved]")).to_contain_text("已保存")


async def test_a_draft_saves_itself_and_never_overwrites_another_windows(centre: Centre, enter: Callable) -> None:
    exam = await recorded(centre)
    page = await enter("wang", f"/studies/{exam.study_id}")
    await page.click("form[action$='/claim'] button")
    await page.wait_for_url("**/read")
    second = await page.context.new_page()
    await second.goto(page.url)
    await page.fill("#text", "第一窗口")
    await expect(page.locator("[data-saved=saved]")).to_contain_text("已保存", timeout=10_000)
    await second.fill("#text", "第二窗口")
    await expect(second.locator("[data-saved=failed]")).to_contain_text("草稿已在另一窗口保存过", timeout=10_000)
    await page.reload()
    assert await page.input_value("#text") == "第一窗口"


async def test_studies_are_read_in_a_row_by_the_keyboard_alone(centre: Centre, enter: Callable) -> None:
    for number in range(3):
        await recorded(centre, number)
    page = await enter("wang")
    await page.wait_for_selector("html[data-ready]")
    await page.keyboard.press("n")
    await page.wait_for_url("**/read")
    first = page.url
    await page.wait_for_selector("html[data-ready]")
    await page.wait_for_selector("ecg-viewer[data-state=ready]")
    await page.keyboard.press("/")
    await page.keyboard.press("ArrowUp")  # to the last statement, then to the first, whose evidence is framed
    await page.keyboard.press("ArrowUp")
    assert await page.evaluate("document.querySelector('ecg-viewer').evidence.length") > 0
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Delete")
    await expect(page.locator(".report .picked li")).to_have_count(1)
    await page.keyboard.press("/")
    await page.keyboard.type("1")
    await page.keyboard.press("Enter")
    await expect(page.locator(".report .picked li")).to_have_count(2)
    await sign(page)
    await page.wait_for_url(lambda url: url != first and "/read" in url)
    second = page.url.split("?")[0]
    await page.wait_for_selector("html[data-ready]")
    await page.keyboard.press("Control+Enter")  # a second press of an impatient hand signs nothing unread
    await expect(page.locator("#toasts")).to_contain_text("采集数据刚刚显示")
    assert page.url.split("?")[0] == second
    await sign(page)
    await page.wait_for_url(lambda url: second not in url and "/read" in url)
    await sign(page)
    await page.wait_for_url("**/worklist*")
    await expect(page.locator("#desk")).to_contain_text("已全部读完")


async def test_a_report_goes_back_to_its_writer_with_the_reason(centre: Centre, enter: Callable) -> None:
    exam = await recorded(centre)
    writer = await enter("wang", f"/studies/{exam.study_id}")
    await writer.click("form[action$='/claim'] button")
    await writer.wait_for_url("**/read")
    await writer.wait_for_selector("html[data-ready]")
    await sign(writer)
    await writer.wait_for_url("**/worklist*")
    reviewer = await enter("li", f"/studies/{exam.study_id}")
    await reviewer.click("form[action$='/claim'] button")
    await reviewer.wait_for_url("**/review")
    await reviewer.wait_for_selector("html[data-ready]")
    await reviewer.keyboard.press("r")
    await reviewer.fill("#reason", "请补充 ST 段描述")
    await reviewer.click("dialog[open] button.primary")
    await reviewer.wait_for_url("**/worklist*")
    await expect(writer.locator("#desk")).to_contain_text("请补充 ST 段描述", timeout=10_000)


async def test_what_moves_between_a_page_and_its_stream_is_shown(centre: Centre, enter: Callable) -> None:
    desk = await enter("wang")
    opens = asyncio.Event()

    async def late(route: Route) -> None:
        await opens.wait()
        await route.continue_()

    await desk.route("**/live?*", late)
    await desk.reload(wait_until="domcontentloaded")
    await expect(desk.locator("#desk")).to_contain_text("没有待处理的检查")
    await recorded(centre)
    await asyncio.sleep(0.5)  # its news are over before anybody listens
    opens.set()
    await expect(desk.locator("#desk")).not_to_contain_text("没有待处理的检查", timeout=10_000)


async def test_two_physicians_do_not_take_the_same_study(centre: Centre, enter: Callable) -> None:
    exam = await recorded(centre)
    first, second = await enter("wang"), await enter("zhao")
    await expect(second.locator("#desk")).to_contain_text("演示患者")
    await first.keyboard.press("n")
    await first.wait_for_url("**/read")
    await expect(second.locator("#desk")).to_contain_text("王演示", timeout=10_000)
    await second.goto(f"/studies/{exam.study_id}")
    await expect(second.locator("#panel")).to_contain_text("另一位医师正在处理")
    assert await second.locator("form[action$='/claim']").count() == 0


async def test_a_clinic_sees_its_own_studies_only(centre: Centre, enter: Callable) -> None:
    exam = await recorded(centre)
    page = await enter("t2", "/studies")
    await expect(page.locator("#found")).to_contain_text("没有找到检查")
    answer = await page.goto(f"/studies/{exam.study_id}")
    assert answer is not None
    assert answer.status == 404
    await expect(page.locator("main")).to_contain_text("没有这份检查，或它属于其他机构")


async def test_an_unmatched_recording_is_given_its_order(centre: Centre, enter: Callable) -> None:
    receipt = await upload(centre, ecg(5))
    await read(centre, receipt.recording_id)
    page = await enter("t1", "/clinic")
    await page.fill("#name", "演示补登")
    await page.check("input[name=sex][value=M]")
    await page.fill("#age_years", "50")
    await page.click("form button.primary")
    await page.goto("/unmatched")
    await page.locator("select[name=order]").select_option(index=1)
    await page.click("form[action$='/assign'] button")
    await expect(page.locator("#toasts")).to_contain_text("已与申请匹配")
    assert "match" in {line.what for line in await events(centre, UUID(str(receipt.study_id)))}


async def test_a_recording_that_came_first_is_registered_with_one_click(centre: Centre, enter: Callable) -> None:
    identity = {"patient_name": "演示^先到", "sex": "F", "birth_date": "1961-02-03", "patient_id": "DEMO-77"}
    receipt = await upload(centre, ecg(6), **identity)
    await read(centre, receipt.recording_id)
    physician = await enter("zhao", "/unmatched")
    assert await physician.locator("a[href$='/register']").count() == 0  # registered and billed where it was made
    page = await enter("t1", "/unmatched")
    await page.click("a[href$='/register']")
    await expect(page.locator("#name")).to_have_value("演示 先到")
    await expect(page.locator("#patient_no")).to_have_value("DEMO-77")
    await expect(page.locator("#birth_date")).to_have_value("1961-02-03")
    await expect(page.locator("input[name=sex][value=F]")).to_be_checked()
    await page.fill("#indication", "体检")
    await page.click("form[action$='/register'] button.primary")
    await page.wait_for_url(f"**/studies/{receipt.study_id}*")
    await expect(page.locator("#panel")).to_contain_text("T1-")
    await expect(page.locator("#panel")).to_contain_text("体检")
    other = await enter("t2")
    answer = await other.goto(f"/unmatched/{receipt.study_id}/register")
    assert answer is not None
    assert answer.status == 404


class Wire:
    """The network between a browser and the centre, that a test may cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.is_cut = False
        self._writers: set[asyncio.StreamWriter] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    def cut(self) -> None:
        self.is_cut = True
        for writer in self._writers:
            writer.close()


async def test_a_lost_connection_is_said_and_a_found_one_catches_up(
    centre: Centre, address: str, enter: Callable
) -> None:
    wire = Wire(int(address.rpartition(":")[2]))
    server = await asyncio.start_server(wire.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    page = await enter("wang", base_url=f"http://127.0.0.1:{port}")
    await expect(page.locator("#desk")).to_contain_text("没有待处理的检查")
    wire.cut()
    await expect(page.locator("#live-lost")).to_contain_text("连接已中断", timeout=30_000)
    await recorded(centre)
    wire.is_cut = False
    await expect(page.locator("#desk")).to_contain_text("演示患者", timeout=30_000)
    await expect(page.locator("#live-lost")).to_be_hidden()
    await page.context.close()
    server.close()


async def test_english_is_one_switch_away_and_stays_with_the_person(enter: Callable) -> None:
    page = await enter("wang")
    await page.click(".menu summary")
    await page.click("button[name=language][value=en]")
    await expect(page.locator(".tabs")).to_contain_text("To report")
    await page.goto("/studies")
    await expect(page.locator("h1")).to_have_text("Studies")
    elsewhere = await enter("wang")  # another browser
    await expect(elsewhere.locator(".tabs")).to_contain_text("To report")
    other = await enter("zhao")
    await expect(other.locator(".tabs")).to_contain_text("待报告")


async def test_a_language_chosen_at_the_log_in_is_the_persons(enter: Callable) -> None:
    page = await enter("li")
    await page.click(".menu summary")
    await page.click("form[action='/logout'] button")
    await page.click(".menu summary")
    await page.click("button[name=language][value=en]")
    await page.fill("#login", "li")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await expect(page.locator(".tabs")).to_contain_text("To review")


async def test_an_amendment_keeps_the_old_version(centre: Centre, enter: Callable) -> None:
    exam = await recorded(centre)
    report = await released(centre, exam)
    await documented(centre, report)
    page = await enter("zhao", f"/studies/{exam.study_id}")
    await page.click("[data-opens=amend]")
    await page.fill("#reason", "补充测量值")
    await page.click("dialog[open] button.primary")
    await page.wait_for_url("**/read*")
    await expect(page.locator("main")).to_contain_text("修订，第 2 版")
    await page.goto(f"/studies/{exam.study_id}")
    assert await page.locator("a[href$='/pdf']").count() == 1


@pytest.mark.parametrize("path", ["/worklist", "/studies", "/unmatched", "/clinic", "/directory", "/account"])
async def test_every_page_fits_a_phone_and_has_a_name_for_every_control(
    centre: Centre, enter: Callable, path: str
) -> None:
    await recorded(centre)
    login = {"/clinic": "t1", "/directory": "admin"}.get(path, "zhao")
    page = await enter(login, path, viewport=PHONE, has_touch=True, is_mobile=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    unnamed = await page.evaluate(
        """() => [...document.querySelectorAll("main :is(input:not([type=hidden]), select, textarea, button)")]
            .filter((e) => !(e.labels?.length || e.getAttribute("aria-label") || e.innerText?.trim() || e.title))
            .map((e) => e.outerHTML)"""
    )
    assert not unnamed, json.dumps(unnamed)
