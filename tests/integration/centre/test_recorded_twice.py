"""A technician records again: what is seen is what is reported and printed, and the other recording is told of."""

from datetime import UTC, datetime

import pytest
from support.centre import Centre
from support.studies import DIAGNOSIS, Exam, do, ecg, events, read, recorded, upload

from ecg_center.domain.errors import NotFound
from ecg_center.reporting import service as reporting
from ecg_center.store.session import EVERYTHING
from ecg_center.web.studies import StudyView, study_view
from ecg_center.worklist import service as worklist


def now() -> datetime:
    return datetime.now(UTC)


async def again(centre: Centre, exam: Exam, number: int):
    """The same order is recorded once more and pre-read."""
    receipt = await upload(centre, ecg(number), "T1", accession_number=exam.accession_number)
    await read(centre, receipt.recording_id)
    return receipt.recording_id


async def view_of(centre: Centre, exam: Exam) -> StudyView:
    async with centre.database.transaction(EVERYTHING) as session:
        return await study_view(session, exam.study_id, now())


async def test_before_the_report_the_newest_is_read(centre: Centre) -> None:
    exam = await recorded(centre)
    second = await again(centre, exam, 1)
    view = await view_of(centre, exam)
    assert view.recording is not None
    assert view.recording.id == second
    assert [one.id for one, _ in view.others] == [exam.recording_id]


async def test_one_that_comes_while_it_is_written_changes_nothing_that_is_seen(centre: Centre) -> None:
    exam = await recorded(centre)
    await do(centre, "wang", worklist.claim, exam.study_id, now())
    draft = await do(centre, "wang", reporting.open_draft, exam.study_id, now())
    second = await again(centre, exam, 1)

    view = await view_of(centre, exam)
    assert draft.recording_id == exam.recording_id
    assert view.recording is not None
    assert view.recording.id == exam.recording_id  # as the document will draw it
    assert [(one.id, grade) for one, grade in view.others] == [(second, view.others[0][1])]
    assert view.others[0][1] in ("critical", "major", "abnormal", "normal")


async def test_the_writer_chooses_the_other_with_its_figures(centre: Centre) -> None:
    exam = await recorded(centre)
    await do(centre, "wang", worklist.claim, exam.study_id, now())
    before = await do(centre, "wang", reporting.open_draft, exam.study_id, now())
    second = await again(centre, exam, 1)
    after = await do(centre, "wang", reporting.choose_recording, exam.study_id, second, now())

    assert after.recording_id == second
    assert after.edition == before.edition + 1  # a page that shows the first can no longer save over it
    view = await view_of(centre, exam)
    assert view.recording is not None
    assert view.recording.id == second
    assert view.findings is not None
    assert view.content.measurements == view.findings.measurements
    assert view.content.statements == view.suggested
    assert [event.what for event in await events(centre, exam.study_id)].count("choose_recording") == 1


async def test_a_diagnosis_that_was_written_stays(centre: Centre) -> None:
    exam = await recorded(centre)
    await do(centre, "wang", worklist.claim, exam.study_id, now())
    draft = await do(centre, "wang", reporting.open_draft, exam.study_id, now())
    own = DIAGNOSIS.model_copy(update={"statements": ["22", "82"], "text": "随访"})
    await do(centre, "wang", reporting.save, exam.study_id, draft.edition, own, now())
    second = await again(centre, exam, 1)
    await do(centre, "wang", reporting.choose_recording, exam.study_id, second, now())

    view = await view_of(centre, exam)
    assert (view.content.statements, view.content.text) == (["22", "82"], "随访")
    assert view.findings is not None
    assert view.content.measurements == view.findings.measurements


async def test_a_recording_of_another_exam_is_refused(centre: Centre) -> None:
    exam, other = await recorded(centre), await recorded(centre, 2)
    await do(centre, "wang", worklist.claim, exam.study_id, now())
    await do(centre, "wang", reporting.open_draft, exam.study_id, now())
    with pytest.raises(NotFound):
        await do(centre, "wang", reporting.choose_recording, exam.study_id, other.recording_id, now())


async def test_the_desk_tells_of_the_other_and_leads_to_it(centre: Centre) -> None:
    exam = await recorded(centre)
    async with await centre.signed_in("wang") as client:
        await client.post(f"/studies/{exam.study_id}/claim")
        alone = (await client.get(f"/studies/{exam.study_id}/read")).text
        second = await again(centre, exam, 1)
        told = (await client.get(f"/studies/{exam.study_id}/others?choose=true")).text
        chosen = await client.post(f"/studies/{exam.study_id}/recording", data={"recording_id": str(second)})
        desk = (await client.get(f"/studies/{exam.study_id}/read")).text
    assert "本检查另有" not in alone
    assert "本检查另有 1 份采集" in told
    assert str(second) in told
    assert chosen.status_code == 303
    assert f"/api/recordings/{second}/waveform" in desk
    assert f'value="{exam.recording_id}"' in desk
