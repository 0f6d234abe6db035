"""A day of ECG over HTTP: any second of it, its findings, the physicians' edits, and the report that keeps them."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pypdf
import pytest
import pytest_asyncio
from sqlalchemy import select, text
from support import days
from support.centre import Centre, Community, running_centre
from support.postgres import TestServer
from support.studies import do, documented, ecg, recorded, register, reviewed, upload

from ecg_center.domain.errors import Conflict
from ecg_center.preread.days import trend_of
from ecg_center.reporting import service as reporting
from ecg_center.reporting.schemas import ReportContent
from ecg_center.store.beats import ROW
from ecg_center.store.blobs import report_key
from ecg_center.store.live import Live
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import AuditEntry, DeadlineRow, Report, Study
from ecg_center.web.pages.live import topics
from ecg_center.worklist import service as worklist
from worker import queries
from worker.long_jobs import preread_long

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def centre(
    postgres: TestServer, community: Community, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Centre]:
    """One centre for the file: reading a day takes seconds."""
    urls = postgres.clone(like=community.database)
    async with running_centre(urls, community.secrets, tmp_path_factory.mktemp("day")) as running:
        yield running
    postgres.drop(urls)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def exam(centre: Centre) -> days.Exam:
    """A day that everyone looks at and nobody changes."""
    return await days.read_day(centre, 7)


@pytest_asyncio.fixture(loop_scope="module")
async def taken(centre: Centre) -> AsyncIterator[days.Exam]:
    """A day that Wang has taken to write."""
    exam = await days.read_day(centre, next(NUMBERS))
    await do(centre, "wang", worklist.claim, exam.study_id, datetime.now(UTC))
    yield exam


NUMBERS = iter(range(100, 200))


async def get(centre: Centre, exam: days.Exam, path: str, who: str = "wang") -> Any:
    async with await centre.signed_in(who) as client:
        return await client.get(f"/api/recordings/{exam.recording_id}/{path}")


async def post_edit(centre: Centre, exam: days.Exam, body: dict[str, Any], who: str = "wang") -> Any:
    async with await centre.signed_in(who) as client:
        return await client.post(f"/api/recordings/{exam.recording_id}/edits", json=body)


async def test_the_header_says_what_the_trace_is(centre: Centre, exam: days.Exam) -> None:
    header = (await get(centre, exam, "day")).json()
    assert header["n_samples"] == days.samples().shape[1]
    assert header["sampling_hz"] == 125
    assert [lead["name"] for lead in header["leads"]] == ["II", "V1", "V5"]
    assert {lead["uv_per_lsb"] for lead in header["leads"]} == {5.0}
    assert header["started_at"].startswith("2026-07-13T00:50:00")


@pytest.mark.parametrize(("start", "stop"), [(0, 1250), (100_001, 101_251), (223_750, 225_000)])
async def test_any_stretch_is_the_samples(centre: Centre, exam: days.Exam, start: int, stop: int) -> None:
    answer = await get(centre, exam, f"stretch.i16?start={start}&stop={stop}")
    assert "immutable" in answer.headers["cache-control"]
    got = np.frombuffer(answer.content, "<i2").reshape(3, stop - start)
    np.testing.assert_array_equal(got, days.samples()[:, start:stop])


@pytest.mark.parametrize(("start", "stop", "columns"), [(0, 225_000, 500), (1000, 9000, 700), (0, 225_000, 3000)])
async def test_an_overview_has_the_extremes(
    centre: Centre, exam: days.Exam, start: int, stop: int, columns: int
) -> None:
    answer = await get(centre, exam, f"overview.i16?start={start}&stop={stop}&columns={columns}")
    pairs = np.frombuffer(answer.content, "<i2").reshape(3, columns, 2)
    inside = days.samples()[:, start:stop]
    np.testing.assert_array_equal(pairs[:, :, 0].min(axis=1), inside.min(axis=1))
    np.testing.assert_array_equal(pairs[:, :, 1].max(axis=1), inside.max(axis=1))
    one = await get(centre, exam, f"overview.i16?start={start}&stop={stop}&columns={columns}&lead=2")
    np.testing.assert_array_equal(np.frombuffer(one.content, "<i2").reshape(columns, 2), pairs[2])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("stretch.i16?start=5&stop=5", 422),
        ("stretch.i16?start=0&stop=225001", 422),
        ("stretch.i16?start=-1&stop=5", 422),
        ("overview.i16?start=0&stop=100&columns=101", 422),
        ("overview.i16?start=0&stop=100&columns=0", 422),
        ("overview.i16?start=0&stop=100&columns=10&lead=3", 422),
        ("trend?start=0&stop=225000&columns=5000", 422),
        ("waveform.i16", 409),
    ],
)
async def test_what_is_not_there_is_refused(centre: Centre, exam: days.Exam, path: str, status: int) -> None:
    answer = await get(centre, exam, path)
    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_a_resting_ecg_is_no_day(centre: Centre) -> None:
    resting = await recorded(centre, 5)
    assert (await get(centre, resting, "day")).status_code == 404
    assert (await get(centre, resting, "waveform.i16")).status_code == 200


async def test_beats_of_stretches_are_those_of_the_whole(centre: Centre, exam: days.Exam) -> None:
    whole = (await get(centre, exam, "beats?start=0&stop=225000")).json()
    assert len(whole["sample"]) == len(whole["label"]) == len(whole["template"]) == len(whole["confidence"])
    assert whole["sample"] == sorted(whole["sample"])
    assert set(whole["label"]) <= set("NSVFPQ")
    parts = [
        (await get(centre, exam, f"beats?start={start}&stop={start + 75_000}")).json()
        for start in range(0, 225_000, 75_000)
    ]
    assert [sample for part in parts for sample in part["sample"]] == whole["sample"]
    said = (await get(centre, exam, "findings")).json()
    assert sum(said["findings"]["holter"]["beats"].values()) == len(whole["sample"])
    assert (said["edited"], said["held"], said["edits"]) == (False, 0, 0)


async def test_the_trend_is_that_of_its_beats(centre: Centre, exam: days.Exam) -> None:
    whole = (await get(centre, exam, "beats?start=0&stop=225000")).json()
    trend = (await get(centre, exam, "trend?start=0&stop=225000&columns=60")).json()
    assert sum(trend["v"]) == whole["label"].count("V")
    assert len(trend["mean_bpm"]) == 60
    per_column = np.histogram(np.array(whole["sample"]) / 125, bins=60, range=(0, 1800))[0]
    np.testing.assert_allclose(trend["mean_bpm"], per_column * 2, atol=6)
    columns = zip(trend["low_bpm"], trend["mean_bpm"], trend["high_bpm"], strict=True)
    assert all(low <= mean <= high for low, mean, high in columns)


def test_a_trend_of_hardly_any_beats() -> None:
    rows = np.zeros(3, ROW)
    rows["sample"] = [0, 125, 2500]
    trend = trend_of(rows, 125.0, 0, 5000, 4)
    assert trend.mean_bpm == [60.0, None, None, None]  # twenty seconds are a hole, not a rate
    assert trend_of(rows[:0], 125.0, 0, 5000, 2).mean_bpm == [None, None]


async def test_the_beats_go_out_as_a_wfdb_annotation(centre: Centre, exam: days.Exam) -> None:
    answer = await get(centre, exam, "beats.atr")
    assert answer.headers["content-disposition"].endswith('.atr"')
    assert len(answer.content) > 1000


# ------------------------------------------------------------------------------------------------- edits


async def test_an_edit_is_kept_taken_in_and_heard_of(centre: Centre, taken: days.Exam) -> None:
    live = Live(centre.store.database_url)
    await live.start()
    try:
        async with live.subscribe(EVERYTHING) as news:
            assert (await asyncio.wait_for(news.get(), 10)).what == "reload"
            shape = (await get(centre, taken, "findings")).json()["findings"]["holter"]["templates"][0]
            answer = await post_edit(
                centre, taken, days.form(0, action="relabel_template", template=shape["id"], label="S")
            )
            assert (answer.status_code, answer.json()) == (201, {"position": 0})
            async with centre.database.transaction(EVERYTHING) as session:
                waiting = await session.execute(
                    text("SELECT priority FROM procrastinate_jobs WHERE task_name = 'reconclude' AND status = 'todo'")
                )
                assert 90 in [row[0] for row in waiting]
                audited = await session.scalar(select(AuditEntry).where(AuditEntry.action == "findings_edited"))
            assert audited is not None
            await days.conclude_again(centre, taken.recording_id)
            while (heard := await asyncio.wait_for(news.get(), 10)).what != "findings":
                pass
            assert topics(heard) == [f"findings-{taken.study_id}"]
    finally:
        await live.stop()
    said = (await get(centre, taken, "findings")).json()
    assert (said["edited"], said["held"], said["edits"]) == (True, 1, 1)
    assert said["findings"]["holter"]["beats"]["S"] >= shape["beats"]
    machine = (await get(centre, taken, "findings?machine=true")).json()
    assert machine["edited"] is False
    assert machine["findings"]["holter"]["templates"][0] == shape
    labels = [
        (await get(centre, taken, f"beats?start=0&stop=50000{whose}")).json()["label"]
        for whose in ("", "&machine=true")
    ]
    assert labels[0] != labels[1]
    (listed,) = (await get(centre, taken, "edits")).json()
    assert (listed["person_name"], listed["holds"], listed["edit"]["label"]) == ("王演示", True, "S")


async def test_the_same_edit_twice_is_one_and_another_at_its_place_is_refused(centre: Centre, taken: days.Exam) -> None:
    body = days.form(0, action="exclude", start_s=10, end_s=20)
    for _ in range(3):
        assert (await post_edit(centre, taken, body)).json() == {"position": 0}
    assert len(await days.edits(centre, taken.recording_id)) == 1
    assert (await post_edit(centre, taken, days.form(0, action="exclude", start_s=10, end_s=30))).status_code == 409
    assert (await post_edit(centre, taken, days.form(5, action="exclude", start_s=10, end_s=30))).status_code == 409
    bodies = [days.form(1, action="exclude", start_s=at, end_s=at + 5) for at in (100, 200, 300)]
    answers = await asyncio.gather(*(post_edit(centre, taken, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]


@pytest.mark.parametrize(
    "edit",
    [
        {"action": "relabel_beats", "label": "V"},
        {"action": "exclude", "start_s": 20, "end_s": 10},
        {"action": "exclude", "start_s": 5000, "end_s": 6000},
        {"action": "insert_beats", "label": "N", "at_s": [9999]},
        {"action": "undo", "undoes": 0},
        {"action": "undo", "undoes": 0, "label": "N"},
        {"action": "forget"},
        {"action": "exclude", "start_s": 1, "end_s": 2, "more": 1},
    ],
)
async def test_an_edit_that_could_never_be_applied_is_refused(
    centre: Centre, exam: days.Exam, edit: dict[str, Any]
) -> None:
    async with centre.database.transaction(EVERYTHING) as session:
        state = (
            await session.execute(text("SELECT state, claimed_by FROM study WHERE id = :id"), {"id": exam.study_id})
        ).one()
    if state.claimed_by is None:
        await do(centre, "wang", worklist.claim, exam.study_id, datetime.now(UTC))
    answer = await post_edit(centre, exam, {"position": 0, "edit": edit})
    assert answer.status_code == 422
    assert await days.edits(centre, exam.recording_id) == []


async def test_only_who_holds_the_study_changes_its_beats(centre: Centre, taken: days.Exam) -> None:
    body = days.form(0, action="exclude", start_s=10, end_s=20)
    for who in ("li", "zhao", "t1", "sun"):
        assert (await post_edit(centre, taken, body, who)).status_code == 403
    content = ReportContent(statements=["20"], conclusion="normal")
    draft = await do(centre, "wang", reporting.open_draft, taken.study_id, datetime.now(UTC))
    saved = await do(centre, "wang", reporting.save, taken.study_id, draft.edition, content, datetime.now(UTC))
    await do(centre, "wang", reporting.sign, taken.study_id, saved.edition, datetime.now(UTC))
    assert (await post_edit(centre, taken, body)).status_code == 403  # signed: it is no longer Wang's
    await do(centre, "li", worklist.claim, taken.study_id, datetime.now(UTC))
    assert (await post_edit(centre, taken, body, "li")).status_code == 201


async def test_a_resting_ecg_takes_no_edits(centre: Centre) -> None:
    resting = await recorded(centre, 6)
    await do(centre, "wang", worklist.claim, resting.study_id, datetime.now(UTC))
    assert (await post_edit(centre, resting, days.form(0, action="exclude", start_s=1, end_s=2))).status_code == 404


# -------------------------------------------------------------------------------------------- pages, report


async def test_the_pages_of_a_day(centre: Centre, taken: days.Exam) -> None:
    async with await centre.signed_in("wang") as client:
        desk = (await client.get(f"/studies/{taken.study_id}/read")).text
        figures = (await client.get(f"/studies/{taken.study_id}/day?adds=true")).text
        worklist_page = (await client.get("/worklist")).text
    assert f'<holter-desk src="/api/recordings/{taken.recording_id}" study="{taken.study_id}" editable>' in desk
    assert "<strip-list>" in desk
    assert 'id="day-figures"' in desk
    assert "统计摘要" in figures
    assert "分时统计" in figures
    assert "动态心电图" in worklist_page
    async with await centre.signed_in("t1") as client:
        page = (await client.get(f"/studies/{taken.study_id}")).text
    assert "holter-desk" in page
    assert " editable>" not in page


async def test_progress_stands_on_the_studys_page(centre: Centre) -> None:
    exam = await days.received(centre, next(NUMBERS))
    async with await centre.signed_in("t1") as client:
        assert "hidden" in (await client.get(f"/studies/{exam.study_id}/progress")).text
        async with centre.database.transaction(EVERYTHING) as session:
            await queries.show_progress(session, exam.recording_id, 0.42, "beats", 95.0)
        shown = (await client.get(f"/studies/{exam.study_id}/progress")).text
        page = (await client.get(f"/studies/{exam.study_id}")).text
    async with await centre.signed_in("wang") as client:
        worklist_page = (await client.get("/worklist")).text
    row = worklist_page.split(f'id="progress-{exam.study_id}"')[1].split("</span>")[0]
    assert 'value="42"' in row
    assert "约剩1:35 min" in row
    assert 'value="42"' in shown
    assert "检测心搏" in shown
    assert 'value="42"' in page


async def test_the_report_keeps_what_was_signed(centre: Centre, taken: days.Exam) -> None:
    now = datetime.now(UTC)
    draft = await do(centre, "wang", reporting.open_draft, taken.study_id, now)
    assert draft.content["statements"]
    content = ReportContent.model_validate(draft.content).model_copy(update={"conclusion": "abnormal"})
    saved = await do(centre, "wang", reporting.save, taken.study_id, draft.edition, content, now)
    assert saved.content["holter"] is None
    report = await do(centre, "wang", reporting.sign, taken.study_id, saved.edition, now)
    signed = ReportContent.model_validate(report.content)
    assert signed.holter is not None
    assert signed.strips
    assert [event.kind for event in signed.holter.events] == ["longest_rr"]  # the others stay with the findings
    assert len(json.dumps(report.content)) < 60_000

    await do(centre, "li", worklist.claim, taken.study_id, now)
    assert (
        await post_edit(centre, taken, days.form(0, action="exclude", start_s=0, end_s=900), "li")
    ).status_code == 201
    await days.conclude_again(centre, taken.recording_id)
    released = await reviewed(centre, taken, report)
    kept = ReportContent.model_validate(released.content)
    assert kept.holter is not None
    assert kept.holter.edits == 1
    assert kept.holter.analysed_share < signed.holter.analysed_share

    await documented(centre, released)
    async with centre.database.transaction(EVERYTHING) as session:
        printed = await session.get(Report, released.id)
    assert printed is not None
    pdf = pypdf.PdfReader(io.BytesIO(await centre.press.blobs.get(report_key(printed.pdf_sha256))))
    pages = [page.extract_text() for page in pdf.pages]
    assert "动态心电图报告" in pages[0]
    assert "经医师修订 1 处" in pages[0]
    assert "分时统计" in pages[1]
    assert "25 mm/s" in pages[2]
    assert (await post_edit(centre, taken, days.form(1, action="undo", undoes=0), "li")).status_code in (403, 409)


async def test_the_physician_chooses_the_strips(centre: Centre, taken: days.Exam) -> None:
    now = datetime.now(UTC)
    draft = await do(centre, "wang", reporting.open_draft, taken.study_id, now)
    chosen = {"strips": [{"start_s": 600.0, "text": "胸闷时"}], "conclusion": "abnormal"}
    content = ReportContent.model_validate(draft.content | chosen)
    saved = await do(centre, "wang", reporting.save, taken.study_id, draft.edition, content, now)
    report = await do(centre, "wang", reporting.sign, taken.study_id, saved.edition, now)
    strips = ReportContent.model_validate(report.content).strips
    assert [(strip.start_s, strip.text, strip.event) for strip in strips or []] == [(600.0, "胸闷时", None)]


async def test_a_study_without_an_order_becomes_a_holter(centre: Centre) -> None:
    receipt = await upload(centre, days.holter(next(NUMBERS)))
    with days.in_this_process():
        await preread_long(days.bench(centre), receipt.recording_id)
    async with centre.database.transaction(EVERYTHING) as session:
        study = await session.get(Study, receipt.study_id)
        due = await session.get(DeadlineRow, (receipt.study_id, "written"))
    assert study is not None
    assert due is not None
    assert (study.kind, study.state) == ("holter", "preread")
    assert due.due_at - study.received_at == timedelta(hours=1)


async def test_nobody_writes_before_there_is_something_to_read(centre: Centre) -> None:
    exam = await days.received(centre, next(NUMBERS))
    await do(centre, "wang", worklist.claim, exam.study_id, datetime.now(UTC))
    with pytest.raises(Conflict):
        await do(centre, "wang", reporting.open_draft, exam.study_id, datetime.now(UTC))


async def test_the_resting_flow_is_as_it_was(centre: Centre) -> None:
    study = await register(centre)
    receipt = await upload(centre, ecg(9), accession_number=study.accession_number)
    assert receipt.matched
