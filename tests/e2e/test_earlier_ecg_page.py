"""What has changed since the ECG before, and all that was measured: lines that unfold on the reading desk."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect
from support.centre import Centre
from support.studies import read, register, upload

from ecg_center.registration.schemas import PatientForm
from gateway.simulate.pathologies import Pathology
from gateway.simulate.studies import record

pytestmark = pytest.mark.e2e

PHONE = {"width": 390, "height": 844}
FIRST = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, PHONE])
async def test_one_line_unfolds_to_a_table_that_fits(centre: Centre, enter: Callable, viewport: dict) -> None:
    patient = PatientForm(name="演示患者", sex="F", patient_no="DEMO-7")
    for days, pathology in enumerate((Pathology.SINUS, Pathology.STEMI_INFERIOR)):
        study = await register(centre, patient=patient)
        content = record(pathology, 1, FIRST + timedelta(days=days), device="DEMO").file.content
        receipt = await upload(centre, content, accession_number=study.accession_number)
        await read(centre, receipt.recording_id)
    async with await centre.signed_in("wang") as client:
        await client.post(f"/studies/{study.id}/claim")
    desk = await enter("wang", f"/studies/{study.id}/read", viewport=viewport)
    line = desk.locator("#serial summary")
    await expect(line).to_contain_text("与 2026-03-04 比较")
    await expect(line).to_contain_text("新出现 急性下壁心肌梗死")
    await expect(desk.locator("#serial table")).to_be_hidden()
    await line.click()
    await expect(desk.locator("#serial tr.counts").first).to_be_visible()
    everything = desk.locator("#measured")
    await expect(everything.locator("table")).to_be_hidden()
    await everything.locator("summary").click()
    await expect(everything.locator("tbody tr")).to_have_count(12)
    await expect(everything).to_contain_text("Peguero")
    raised = float(await everything.locator("tr:has(th:text-is('III')) td").nth(9).inner_text())
    assert raised >= 0.1  # ST at J, in mV
    assert await desk.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    await desk.locator("#serial a").click()
    await expect(desk.locator("h1 .patient")).to_have_text("演示患者")
