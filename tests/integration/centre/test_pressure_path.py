"""A day of blood pressures on its way through the centre: file, findings, desk, edits, two signatures, paper."""

import io
import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from pypdf import PdfReader
from sqlalchemy import select, text
from support.centre import Centre
from support.pressure_exams import answer_edits, measured, recording
from support.studies import do, documented, ecg, events, read, register, reviewed, study_of, upload, written

from ecg_center.contract.pressure import PressureEdit
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed
from ecg_center.preread import pressures
from ecg_center.preread import service as preread
from ecg_center.preread.schemas import PressureEditForm
from ecg_center.reporting import service as reporting
from ecg_center.reporting.schemas import ReportContent
from ecg_center.review import service as review
from ecg_center.store.blobs import report_key
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import DeadlineRow, FindingsRow, Recording, Report
from ecg_center.worklist import service as worklist
from gateway.simulate.pressures import PressureProfile

CONTENT = ReportContent(statements=["901", "921"], conclusion="abnormal")


async def findings_of(centre: Centre, recording_id: UUID):
    async with centre.database.transaction(EVERYTHING) as session:
        return await preread.findings_of(session, recording_id)


def edit(position: int, action: str, *readings: int, **more) -> PressureEditForm:
    return PressureEditForm(position=position, edit=PressureEdit(action=action, readings=list(readings), **more))


async def taken(centre: Centre, exam, login: str = "wang") -> None:
    await do(centre, login, worklist.claim, exam.study_id, datetime.now(UTC))


async def change(centre: Centre, exam, form: PressureEditForm, login: str = "wang") -> int:
    return await do(centre, login, pressures.add, exam.recording_id, form, datetime.now(UTC))


async def test_a_file_of_readings_becomes_findings_and_waits_an_hour(centre: Centre) -> None:
    exam = await measured(centre)
    study = await study_of(centre, exam.study_id)
    assert (study.kind, study.state, study.grade) == ("abpm", "preread", "abnormal")
    findings = await findings_of(centre, exam.recording_id)
    assert (findings.engine, findings.kind) == ("pressure", "abpm")
    assert {"901", "902", "903"} <= {one.code for one in findings.statements}
    assert findings.pressure.office.systolic_mmhg == 152
    assert findings.pressure.night_by == "diary"
    assert findings.pressure.validity.verdict == "valid"
    async with centre.database.transaction(EVERYTHING) as session:
        due = await session.get(DeadlineRow, (exam.study_id, "written"))
        stored = await session.get(Recording, exam.recording_id)
    assert due.due_at - study.received_at == timedelta(minutes=60)
    assert (stored.waveform["kind"], stored.waveform["files"]) == ("abpm", {})
    assert stored.identity["study_kind"] == "abpm"
    assert "preread" in [line.what for line in await events(centre, exam.study_id)]


async def test_reading_the_same_file_again_changes_nothing(centre: Centre) -> None:
    exam = await measured(centre)
    before = await findings_of(centre, exam.recording_id)
    await read(centre, exam.recording_id)
    assert await findings_of(centre, exam.recording_id) == before
    async with centre.database.transaction(EVERYTHING) as session:
        assert len((await session.scalars(select(FindingsRow))).all()) == 1


async def test_readings_without_an_order_become_a_study_of_their_kind(centre: Centre) -> None:
    receipt = await upload(centre, recording())
    await read(centre, receipt.recording_id)
    study = await study_of(centre, receipt.study_id)
    assert (study.patient_id, study.kind, study.state) == (None, "abpm", "preread")


async def test_damaged_readings_are_set_aside_with_the_reason(centre: Centre) -> None:
    receipt = await upload(centre, b'{"format": "ecg-pressure", "version": 1, "readings": []}')
    await read(centre, receipt.recording_id)
    async with centre.database.transaction(EVERYTHING) as session:
        stored = await session.get(Recording, receipt.recording_id)
    assert stored.state == "quarantined"
    assert "reading" in stored.reason


async def test_a_severe_day_is_major(centre: Centre) -> None:
    exam = await measured(centre, PressureProfile.SEVERE)
    study = await study_of(centre, exam.study_id)
    assert study.grade == "major"
    assert "913" in [one.code for one in (await findings_of(centre, exam.recording_id)).statements]


async def test_an_edit_is_answered_by_new_figures_and_undone(centre: Centre) -> None:
    exam = await measured(centre)
    await taken(centre, exam)
    before = (await findings_of(centre, exam.recording_id)).pressure
    assert await change(centre, exam, edit(0, "exclude", 4, 5, reason="活动干扰")) == 0
    async with centre.database.transaction(EVERYTHING) as session:
        jobs = (await session.execute(text("SELECT task_name FROM procrastinate_jobs"))).scalars().all()
    assert "reconclude" in jobs
    await answer_edits(centre, exam)
    after = (await findings_of(centre, exam.recording_id)).pressure
    assert after.period("24h").readings == before.period("24h").readings - 2
    assert [after.readings[n].state for n in (4, 5)] == ["physician", "physician"]
    assert after.readings[4].reason == "活动干扰"
    assert await change(centre, exam, edit(1, "undo", undoes=0)) == 1
    await answer_edits(centre, exam)
    assert (await findings_of(centre, exam.recording_id)).pressure == before
    async with centre.database.transaction(EVERYTHING) as session:
        assert [made.holds for made in await pressures.made(session, exam.recording_id)] == [False, True]
    await read(centre, exam.recording_id)  # a new pre-read never loses the physician's list
    await answer_edits(centre, exam)
    assert (await findings_of(centre, exam.recording_id)).pressure == before


async def test_an_edit_sent_twice_is_one_and_a_stale_one_is_refused(centre: Centre) -> None:
    exam = await measured(centre)
    await taken(centre, exam)
    form = edit(0, "exclude", 4, reason="伪差")
    assert await change(centre, exam, form) == await change(centre, exam, form) == 0
    with pytest.raises(Conflict, match="Somebody changed"):
        await change(centre, exam, edit(0, "exclude", 9))
    with pytest.raises(Conflict, match="shorter"):
        await change(centre, exam, edit(5, "exclude", 9))


@pytest.mark.parametrize(
    "form",
    [
        edit(0, "exclude"),
        edit(0, "exclude", 5000),
        edit(0, "undo", undoes=0),
        edit(0, "undo"),
        edit(0, "include", 3, undoes=0),
    ],
)
async def test_an_edit_that_could_never_be_applied_is_refused(centre: Centre, form) -> None:
    exam = await measured(centre)
    await taken(centre, exam)
    with pytest.raises(Invalid):
        await change(centre, exam, form)


async def test_a_reading_without_pressures_cannot_be_put_in(centre: Centre) -> None:
    exam = await measured(centre)
    await taken(centre, exam)
    rows = (await findings_of(centre, exam.recording_id)).pressure.readings
    failed = next(index for index, row in enumerate(rows) if row.state == "failed")
    with pytest.raises(Invalid, match="without pressures"):
        await change(centre, exam, edit(0, "include", failed))


async def test_only_who_holds_the_study_changes_it_and_nobody_after_the_signature(centre: Centre) -> None:
    exam = await measured(centre)
    with pytest.raises(NotAllowed):
        await change(centre, exam, edit(0, "exclude", 4))
    await written(centre, exam, content=CONTENT)
    with pytest.raises((Conflict, NotAllowed)):
        await change(centre, exam, edit(0, "exclude", 4))


async def test_the_draft_is_the_pre_read_and_the_signature_freezes_the_figures(centre: Centre) -> None:
    exam = await measured(centre)
    now = datetime.now(UTC)
    await taken(centre, exam)
    draft = await do(centre, "wang", reporting.open_draft, exam.study_id, now)
    suggested = ReportContent.model_validate(draft.content)
    assert {"901", "902", "903"} <= set(suggested.statements)
    assert (suggested.conclusion, suggested.pressure) == ("abnormal", None)
    await change(centre, exam, edit(0, "exclude", 4))
    await answer_edits(centre, exam)
    saved = await do(centre, "wang", reporting.save, exam.study_id, draft.edition, CONTENT, now)
    signed = await do(centre, "wang", reporting.sign, exam.study_id, saved.edition, now)
    frozen = ReportContent.model_validate(signed.content)
    assert frozen.pressure == (await findings_of(centre, exam.recording_id)).pressure
    assert frozen.pressure.readings[4].state == "physician"


async def test_what_the_reviewer_took_out_is_out_of_what_is_released(centre: Centre) -> None:
    exam = await measured(centre)
    report = await written(centre, exam, content=CONTENT)
    assert report.content["pressure"]["readings"][4]["state"] == "used"
    now = datetime.now(UTC)
    await taken(centre, exam, "li")
    await change(centre, exam, edit(0, "exclude", 4, reason="伪差"), "li")
    await answer_edits(centre, exam)
    released = await do(centre, "li", review.release, exam.study_id, report.edition, now)
    assert released.content["pressure"]["readings"][4]["state"] == "physician"
    assert released.content["pressure"]["edits"] == 1


async def test_nobody_can_send_figures_of_their_own(centre: Centre) -> None:
    exam = await measured(centre)
    await taken(centre, exam)
    now = datetime.now(UTC)
    draft = await do(centre, "wang", reporting.open_draft, exam.study_id, now)
    forged = CONTENT.model_copy(update={"pressure": (await findings_of(centre, exam.recording_id)).pressure})
    saved = await do(centre, "wang", reporting.save, exam.study_id, draft.edition, forged, now)
    assert ReportContent.model_validate(saved.content).pressure is None


async def test_from_the_file_to_the_signed_paper(centre: Centre) -> None:
    exam = await measured(centre)
    report = await reviewed(centre, exam, await written(centre, exam, content=CONTENT))
    await documented(centre, report)
    async with centre.database.transaction(EVERYTHING) as session:
        stored = await session.get(Report, report.id)
    pdf = await centre.press.blobs.get(report_key(stored.pdf_sha256))
    reader = PdfReader(io.BytesIO(pdf))
    first, second = (re.sub(r"\s+", "", page.extract_text()) for page in reader.pages)
    found = (await findings_of(centre, exam.recording_id)).pressure
    day = found.period("day")
    for words in ("动态血压监测报告", "24小时平均血压升高", "血压昼夜节律呈非杓型", "结论：异常", "王演示", "李演示"):
        assert words in first
    assert f"{round(day.systolic.mean)}↑" in first
    assert second.count(":") >= len(found.readings)
    assert len(reader.get_fields() or {}) == 2  # two signatures


async def test_pages_show_the_figures_to_those_who_may_read(centre: Centre) -> None:
    exam = await measured(centre)
    async with await centre.signed_in("wang") as client:
        page = (await client.get(f"/studies/{exam.study_id}")).text
        assert "<pressure-chart" in page
        assert "血压昼夜节律" in page
        part = await client.get(f"/studies/{exam.study_id}/pressure")
        assert 'id="pressure"' in part.text
        assert "data-pressure-edit" not in (await client.get(f"/studies/{exam.study_id}/pressure?edits=true")).text
        said = (await client.get(f"/api/recordings/{exam.recording_id}/pressure")).json()
        assert said["kind"] == "abpm"
        refused = await client.get(f"/api/recordings/{exam.recording_id}/waveform.json")
        assert refused.status_code == 409
        await client.post(f"/studies/{exam.study_id}/claim")
        desk = (await client.get(f"/studies/{exam.study_id}/read")).text
        assert "data-pressure-edit" in desk
        assert "data-measurement=" not in desk
        body = {"position": 0, "edit": {"action": "exclude", "readings": [3], "reason": "伪差"}}
        made = await client.post(f"/api/recordings/{exam.recording_id}/pressure-edits", json=body)
        assert (made.status_code, made.json()) == (201, {"position": 0})
        listed = (await client.get(f"/api/recordings/{exam.recording_id}/pressure-edits")).json()
        assert [(one["person_name"], one["holds"]) for one in listed] == [("王演示", True)]
    async with await centre.signed_in("t2") as other:
        assert (await other.get(f"/api/recordings/{exam.recording_id}/pressure")).status_code == 404
        assert (await other.get(f"/studies/{exam.study_id}/pressure")).status_code == 404


async def test_the_statements_of_the_desk_come_first(centre: Centre) -> None:
    async with await centre.signed_in("wang") as client:
        on_its_desk = (await client.get("/statements?q=xy&kind=abpm")).json()
        on_an_ecgs = (await client.get("/statements?q=zc&kind=resting")).json()
    assert on_its_desk[0]["code"].startswith("9")
    assert not on_an_ecgs[0]["code"].startswith("9")


async def test_an_ecg_and_pressures_are_one_study_with_two_recordings(centre: Centre) -> None:
    study = await register(centre)
    first = await upload(centre, ecg(7), accession_number=study.accession_number)
    second = await upload(centre, recording(), accession_number=study.accession_number)
    assert first.study_id == second.study_id == study.id
    for receipt in (first, second):
        await read(centre, receipt.recording_id)
    await do(centre, "wang", worklist.claim, study.id, datetime.now(UTC))
    draft = await do(centre, "wang", reporting.open_draft, study.id, datetime.now(UTC))
    content = ReportContent.model_validate(draft.content)
    assert "901" in content.statements
    assert any(not code.startswith("9") for code in content.statements)
    assert content.measurements.heart_rate_bpm is not None
    assert draft.recording_id == first.recording_id  # the trace of the report
    async with await centre.signed_in("wang") as client:
        page = (await client.get(f"/studies/{study.id}/read")).text
    assert "<ecg-viewer" in page
    assert "<pressure-chart" in page
    assert 'data-code="901"' in page
