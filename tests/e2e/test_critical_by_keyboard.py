"""A critical value comes onto the report's second line by one key, and only by the physician's own act."""

from collections.abc import Callable

import pytest
from playwright.async_api import expect
from sqlalchemy import select
from support.centre import Centre
from support.studies import recorded

from ecg_center.contract.findings import CriticalValue
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import FindingsRow

pytestmark = pytest.mark.e2e


async def test_a_critical_value_is_taken_over_by_a_key(centre: Centre, enter: Callable) -> None:
    exam = await recorded(centre)
    titles = ("长RR间期≥5.0 s", "平均心室率≤35次/分")
    async with centre.database.transaction(EVERYTHING) as session:
        found = await session.scalar(select(FindingsRow).where(FindingsRow.study_id == exam.study_id))
        assert found is not None
        values = [CriticalValue(rule_set="a", rule=title, title_zh=title, title_en=title) for title in titles]
        found.content = found.content | {"critical": [value.model_dump(mode="json") for value in values]}
    desk = await enter("wang")
    await desk.keyboard.press("n")
    await desk.wait_for_url("**/read")
    await desk.wait_for_selector("html[data-ready]")
    line = desk.locator("#urgent_finding")
    await expect(line).to_have_value("")
    await desk.keyboard.press("Alt+u")
    await expect(line).to_be_focused()
    await expect(line).to_be_in_viewport()
    await desk.keyboard.press("Alt+u")
    await expect(line).to_have_value(titles[0])
    await desk.locator(f"[data-urges='{titles[1]}']").click()
    await expect(line).to_have_value("；".join(titles))
    await expect(desk.locator("[data-saved]")).to_contain_text("已保存", timeout=10_000)
