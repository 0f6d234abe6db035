"""The administrator's pages in a real browser, and what a silent gateway looks like to those whom it concerns."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.async_api import expect
from sqlalchemy import select, update
from support.centre import Centre

from ecg_center.demo.community import PASSWORD
from ecg_center.domain.calendars import CHINA
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import AuditEntry, Calendar, CalendarDay, Device, GatewayAccount, Person

pytestmark = pytest.mark.e2e


async def beat(centre: Centre, *, waiting: int = 0, disk: int = 10**12, problems: tuple[str, ...] = ()) -> None:
    """The demo gateway's heartbeat."""
    now = datetime.now(UTC)
    body: dict[str, Any] = {
        "version": "1.0",
        "sent_at": now.isoformat(),
        "spool_waiting": waiting,
        "spool_oldest_at": (now - timedelta(minutes=7)).isoformat() if waiting else None,
        "disk_free_bytes": disk,
        "problems": list(problems),
    }
    async with centre.gateway() as client:
        (await client.post("/api/gateway/heartbeat", json=body)).raise_for_status()


async def heard(centre: Centre, ago: timedelta) -> None:
    """The gateways were last heard so long ago."""
    async with centre.database.transaction(EVERYTHING) as session:
        await session.execute(update(GatewayAccount).values(last_seen_at=datetime.now(UTC) - ago))


async def test_a_silent_gateway_is_seen_by_the_centre_and_its_clinic_without_a_reload(
    centre: Centre, enter: Callable
) -> None:
    await beat(centre)
    desk, clinic = await enter("wang"), await enter("t1")
    await expect(desk.locator(".alerts .banner")).to_have_count(0)
    await heard(centre, timedelta(minutes=5, seconds=5))
    for page in (desk, clinic):
        await expect(page.locator(".alerts .banner.danger")).to_contain_text("已 5 分钟没有消息", timeout=20_000)
    await beat(centre, waiting=3)
    await expect(desk.locator(".alerts .banner.warn")).to_contain_text("3 份采集数据尚未送达中心", timeout=20_000)
    await beat(centre, problems=("printer-T1: out of paper",))
    await expect(clinic.locator(".alerts .banner.warn")).to_contain_text("out of paper", timeout=20_000)
    await beat(centre)
    await expect(desk.locator(".alerts .banner")).to_have_count(0, timeout=20_000)


async def test_a_gateway_is_added_its_token_works_once_shown_and_it_is_switched_off(
    centre: Centre, enter: Callable
) -> None:
    page = await enter("admin", "/directory?section=gateways")
    await page.fill("#name", "东镇网关")
    await page.check("input[name=institution_codes][value=T1]")
    await page.click("form[action='/directory/gateways'] button")
    token = await page.input_value("input.token")
    headers = {"Authorization": f"Bearer {token}"}

    async def asks() -> int:
        async with centre.client(headers=headers) as client:
            answer: httpx.Response = await client.get("/api/gateway/orders")
            return answer.status_code

    assert await asks() == 200
    await page.goto("/directory?section=gateways")
    assert await page.locator("input.token").count() == 0
    await page.click("tr:has-text('东镇网关') form button")
    assert await asks() == 401


async def test_a_persons_password_roles_and_account(centre: Centre, enter: Callable) -> None:
    page = await enter("admin", "/directory?section=people")
    await expect(page.locator("tr:has-text('wang')")).to_contain_text("至 ")  # a valid certificate
    row = page.locator("tr", has_text="sun")
    await row.locator("button").click()
    await page.fill("dialog[open] input[name=password]", "another-word-1")
    await page.click("dialog[open] form[action$='/password'] button")
    await expect(page.locator("#toasts")).to_contain_text("新密码已设置")
    async with centre.client() as client:
        assert (await client.post("/api/session", json={"login": "sun", "password": PASSWORD})).status_code == 401
        new = {"login": "sun", "password": "another-word-1"}
        assert (await client.post("/api/session", json=new)).status_code == 204
    await row.locator("button").click()
    await page.check("dialog[open] input[name=roles][value=reporting]")
    await page.click("dialog[open] form[action$='/roles'] button")
    await expect(row).to_contain_text("无，不能签名")  # a physician now, without a certificate
    await row.locator("button").click()
    await page.click("dialog[open] form[action$='/active'] button")
    await expect(row).to_contain_text("已停用")
    async with centre.database.transaction(EVERYTHING) as session:
        person = await session.scalar(select(Person).where(Person.login == "sun"))
        lines = set(await session.scalars(select(AuditEntry.action).where(AuditEntry.object_kind == "person")))
    assert person is not None
    assert not person.active
    assert {"password_reset", "roles_set", "person_active"} <= lines


async def test_nobody_locks_themselves_out(enter: Callable) -> None:
    page = await enter("admin", "/directory?section=people")
    await page.locator("tr", has_text="admin").locator("button").click()
    await page.uncheck("dialog[open] input[name=roles][value=admin]")
    await page.click("dialog[open] form[action$='/roles'] button")
    await expect(page.locator("main")).to_contain_text("不能取消自己的管理员角色")


async def test_a_device_is_changed_and_switched_off(centre: Centre, enter: Callable) -> None:
    page = await enter("admin", "/directory?section=devices")
    await page.locator("tr", has_text="DEMO_T1_ECG").locator("button").click()
    await page.fill("dialog[open] input[name=identity]", "EAST_ROOM_2")
    await page.click("dialog[open] footer button.primary")
    row = page.locator("tr", has_text="EAST_ROOM_2")
    await row.locator("button").click()
    await page.click("dialog[open] form[action$='/active'] button")
    await expect(row).to_contain_text("已停用")
    async with centre.database.transaction(EVERYTHING) as session:
        device = await session.scalar(select(Device).where(Device.identity == "EAST_ROOM_2"))
    assert device is not None
    assert not device.active


async def test_the_working_calendar(centre: Centre, enter: Callable) -> None:
    page = await enter("admin", "/directory?section=calendars")
    await page.fill("input[name=weekly_6]", "八点到十二点")
    await page.click("form:has(.week) button")
    await expect(page.locator(".week")).to_contain_text("工作时间请写成 08:00-12:00")
    assert await page.input_value("input[name=weekly_6]") == "八点到十二点"
    await page.fill("input[name=weekly_6]", "8：00～11：30")
    await page.check("input[name=review_waits]")
    await page.click("form:has(.week) button")
    await expect(page.locator("#toasts")).to_contain_text("已保存")
    day = (datetime.now(CHINA) + timedelta(days=300)).date()
    await page.fill("input[name=day]", day.isoformat())
    await page.fill("form[action$='/days'] input[name=name]", "停电检修")
    await page.click("form[action$='/days'] button")
    row = page.locator("tr", has_text=day.isoformat())
    await expect(row).to_contain_text("停电检修")
    async with centre.database.transaction(EVERYTHING) as session:
        calendar = await session.scalar(select(Calendar))
        kept = await session.scalar(select(CalendarDay).where(CalendarDay.day == day))
    assert calendar is not None
    assert (calendar.weekly["6"], calendar.review_waits) == ([["08:00", "11:30"]], True)
    assert kept is not None
    await row.locator("button").click()
    await expect(page.locator("tr", has_text=day.isoformat())).to_have_count(0)
    await page.locator("form[action$='/year'] button").first.click()
    await expect(page.locator("main")).to_contain_text("国庆节")
