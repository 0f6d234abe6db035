"""What meets a physician who reads one study after the other: wrong clocks, no order, critical values."""

import re
from datetime import UTC, datetime

from sqlalchemy import select, update
from support.centre import Centre
from support.studies import Exam, do, documented, ecg, read, recorded, released, upload, written

from ecg_center.contract.findings import CriticalValue
from ecg_center.reporting import service as reporting
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import FindingsRow, Study
from ecg_center.worklist import service as worklist


def now() -> datetime:
    return datetime.now(UTC)


async def test_a_recorder_whose_clock_was_set_back_before_the_birth_does_not_keep_the_report(centre: Centre) -> None:
    patient = {"name": "演示婴儿", "sex": "M", "patient_no": "DEMO-9", "birth_date": now().date()}
    exam = await recorded(centre, patient=patient)  # the recording says that it was made years ago
    found = (
        await do(centre, "wang", lambda session, _: reporting.findings_of(session, exam.study_id, exam.recording_id))
    )[0]
    rate = next(item for said in found.statements for item in said.evidence if item.quantity.endswith("rate_bpm"))
    assert rate.threshold == 90.0  # of a newborn: an adult's 60 would call it usual
    sent = await documented(centre, await released(centre, exam))
    assert sent.state == "waiting"


async def test_what_cannot_be_released_is_nobodys_next_to_review(centre: Centre) -> None:
    receipt = await upload(centre, ecg(1))
    await read(centre, receipt.recording_id)
    await written(centre, Exam(receipt.study_id, receipt.recording_id, ""))
    rows, _ = await do(centre, "li", worklist.rows, "review", now())
    assert [row.study_id for row in rows] == [receipt.study_id]  # it stands on the list, with its mark
    assert await do(centre, "li", worklist.take_next, "review", now()) is None
    exam = await recorded(centre, 2)
    await written(centre, exam)
    taken = await do(centre, "li", worklist.take_next, "review", now())
    assert taken is not None
    assert taken.id == exam.study_id


async def test_the_worklist_says_what_is_critical_and_that_nobody_confirmed_it(centre: Centre) -> None:
    exam = await recorded(centre)
    async with centre.database.transaction(EVERYTHING) as session:
        await session.execute(update(Study).where(Study.id == exam.study_id).values(grade="critical"))
        found = await session.scalar(select(FindingsRow).where(FindingsRow.study_id == exam.study_id))
        assert found is not None
        value = CriticalValue(rule_set="a", rule="vf", title_zh="心室颤动、心室扑动", title_en="VF or flutter")
        found.content = found.content | {"critical": [value.model_dump(mode="json")]}
    async with await centre.signed_in("wang") as client:
        page = (await client.get("/worklist")).raise_for_status().text
    words = re.search(r'class="critical-words"[^>]*>(.*?)</td>', page, re.S)
    assert words is not None
    assert "心室颤动、心室扑动" in words[1]
    assert "未确认" in words[1]


async def test_a_page_names_only_keys_that_do_something_there(centre: Centre) -> None:
    exam = await recorded(centre)
    told = {}
    for login in ("wang", "t1"):
        async with await centre.signed_in(login) as client:
            page = (await client.get(f"/studies/{exam.study_id}")).raise_for_status().text
        told[login] = ("领取或继续" in page, 'data-key="enter"' in page)
    assert told == {"wang": (True, True), "t1": (False, False)}
