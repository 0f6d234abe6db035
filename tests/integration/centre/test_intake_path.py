"""Bytes into the flow: whole, once, whatever a device wrote on them; and what a person does with the rest."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import func, select, text
from support.centre import Centre
from support.studies import (
    do,
    ecg,
    events,
    form,
    offer_of,
    read,
    recorded,
    register,
    released,
    send,
    study_of,
    upload,
    written,
)

from ecg_center.directory import service as directory
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed
from ecg_center.http import Gateway
from ecg_center.intake import queries, unmatched
from ecg_center.intake import service as intake
from ecg_center.intake.uploads import FORGET_AFTER
from ecg_center.registration import service as registration
from ecg_center.registration.schemas import PatientForm
from ecg_center.store.blobs import original_key
from ecg_center.store.events import CENTRE
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import DeadlineRow, FindingsRow, Recording, Study, StudyEvent
from ecg_center.worklist import service as worklist
from worker import queries as worker


def now() -> datetime:
    return datetime.now(UTC)


async def count(centre: Centre, table: type, *where) -> int:
    async with centre.database.transaction(EVERYTHING) as session:
        return await session.scalar(select(func.count()).select_from(table).where(*where))


async def recording_of(centre: Centre, recording_id) -> Recording:
    async with centre.database.transaction(EVERYTHING) as session:
        return await session.get(Recording, recording_id)


async def quarantined(centre: Centre, number: int = 0, **identity):
    receipt = await upload(centre, f"not a recording {number}".encode(), **identity)
    async with centre.database.transaction(EVERYTHING) as session:
        await worker.quarantine(session, receipt.recording_id, "不是心电图文件", CENTRE, now())
    return receipt


async def begin(client: httpx.AsyncClient, content: bytes, sent: int, **changes) -> None:
    """Offer and send all but the rest."""
    offer = offer_of(content, **changes)
    (await client.post("/api/gateway/uploads", json=offer.model_dump(mode="json"))).raise_for_status()
    if sent:
        (await patch(client, content, 0, sent)).raise_for_status()


async def patch(client: httpx.AsyncClient, content: bytes, at: int, until: int | None = None) -> httpx.Response:
    return await client.patch(
        f"/api/gateway/uploads/{hashlib.sha256(content).hexdigest()}",
        headers={"Upload-Offset": str(at)},
        content=content[at:until],
    )


class TestUpload:
    @pytest.mark.parametrize("attempt", range(5))
    async def test_completed_by_many_requests_at_once_it_is_one_recording(self, centre: Centre, attempt: int) -> None:
        content = ecg(attempt)
        async with centre.gateway() as client:
            await begin(client, content, 1000)
            answers = await asyncio.gather(*(patch(client, content, 1000) for _ in range(6)))
            assert {answer.status_code for answer in answers} <= {200, 404, 409}
            receipts = [answer.json()["receipt"] for answer in answers if answer.status_code == 200]
            assert receipts
            again = await send(client, offer_of(content), content)
        assert {receipt["recording_id"] for receipt in receipts} == {str(again.recording_id)}
        assert sum(not receipt["duplicate"] for receipt in receipts) <= 1
        assert await count(centre, Recording) == 1
        assert await count(centre, Study) == 1
        assert await centre.press.blobs.get(original_key(hashlib.sha256(content).hexdigest())) == content
        assert list(centre.store.uploads.iterdir()) == []

    @pytest.mark.parametrize("attempt", range(3))
    async def test_damaged_bytes_completed_by_many_at_once_get_no_receipt(self, centre: Centre, attempt: int) -> None:
        content = ecg(attempt)
        digest = hashlib.sha256(content).hexdigest()
        damaged = content[:-5] + b"xxxxx"
        async with centre.gateway() as client:
            await begin(client, content, 1000)
            requests = (
                client.patch(
                    f"/api/gateway/uploads/{digest}", headers={"Upload-Offset": "1000"}, content=damaged[1000:]
                )
                for _ in range(6)
            )
            answers = await asyncio.gather(*requests)
            assert {answer.status_code for answer in answers} <= {409}
            assert await count(centre, Recording) == 0
            receipt = await send(client, offer_of(content), content)
        assert not receipt.duplicate

    async def test_bytes_that_are_gone_are_not_taken_for_finished_ones(self, centre: Centre) -> None:
        """Two requests complete damaged bytes: the first drops them, the second finds none and must not give a receipt.

        Nor where another clinic's recording has the same bytes: who cannot show them does not get them.
        """
        content = ecg()
        await upload(centre, content, "T2")
        t1 = await centre.person("t1")
        gateway = Gateway(t1.person_id, "test", {"T1": t1.institution_id}, "")
        with pytest.raises(Conflict, match="byte 0"):
            await centre.app.state.uploads._complete(gateway, t1.institution_id, offer_of(content), now())
        assert await count(centre, Recording) == 1

    async def test_the_same_bytes_of_two_clinics_are_a_recording_of_each(self, centre: Centre) -> None:
        """One gateway offers them for both before either is complete; both must end in the flow."""
        content = ecg()
        async with centre.gateway() as client:
            await begin(client, content, 0, institution="T1")
            await begin(client, content, 0, institution="T2")
            for institution in ("T1", "T2"):
                await send(client, offer_of(content, institution), content)
        async with centre.database.transaction(EVERYTHING) as session:
            owners = await session.scalars(select(Recording.institution_id))
            assert len(set(owners)) == 2
        assert await count(centre, Recording) == 2

    async def test_an_interrupted_gateway_of_two_clinics_leaves_neither_behind(self, centre: Centre) -> None:
        """Both offered, the bytes sent once: whoever hears of a receipt may let go, so both must be stored."""
        content = ecg()
        async with centre.gateway() as client:
            await begin(client, content, 0, institution="T1")
            await begin(client, content, 0, institution="T2")
            answer = await patch(client, content, 0)
            assert answer.json()["receipt"]
        assert await count(centre, Recording) == 2

    async def test_a_late_chunk_of_a_finished_upload_leaves_nothing_behind(self, centre: Centre) -> None:
        await upload(centre)
        async with centre.gateway() as client:
            assert (await patch(client, ecg(), 1000, 2000)).status_code == 404
        parts = centre.app.state.uploads._parts
        async with centre.database.transaction(EVERYTHING) as session:
            institution_id = await session.scalar(select(Recording.institution_id))
        with pytest.raises(Conflict, match="byte 0"):
            parts.append(institution_id, "0" * 64, 1000, b"late", 5000)
        assert list(centre.store.uploads.iterdir()) == []

    async def test_a_chunk_that_is_too_large_or_runs_past_the_end_is_refused(self, centre: Centre) -> None:
        async with centre.gateway() as client:
            await begin(client, ecg(), 0)
            digest = hashlib.sha256(ecg()).hexdigest()
            past = await client.patch(
                f"/api/gateway/uploads/{digest}", headers={"Upload-Offset": "0"}, content=ecg() + b"more"
            )
            huge = await client.patch(
                f"/api/gateway/uploads/{digest}", headers={"Upload-Offset": "0"}, content=bytes(8 * 1024**2 + 1)
            )
            negative = await client.patch(f"/api/gateway/uploads/{digest}", headers={"Upload-Offset": "-1"})
        assert [answer.status_code for answer in (past, huge, negative)] == [409, 422, 422]
        assert await count(centre, Recording) == 0

    async def test_what_nobody_continues_for_a_week_is_forgotten(self, centre: Centre) -> None:
        async with centre.gateway() as client:
            await begin(client, ecg(), 1000)
        uploads = centre.app.state.uploads
        assert await uploads.forget_stale(now()) == 0
        assert await uploads.forget_stale(now() + FORGET_AFTER + timedelta(minutes=1)) == 1
        assert list(centre.store.uploads.iterdir()) == []
        assert not (await upload(centre)).duplicate


class TestIdentity:
    @pytest.mark.parametrize(
        "identity",
        [
            {"patient_name": "ZHANG\x00SAN", "patient_id": "\x00"},
            {"birth_date": "1960-02-31"},
            {"started_at": datetime(1, 1, 1, tzinfo=UTC)},
            {"started_at": "0001-01-01T00:00:00+14:00"},
            {"started_at": datetime(9999, 12, 31, tzinfo=UTC)},
            {"accession_number": "T1-261122-001\x00"},
            {"accession_number": "' OR 1=1 --"},
            {"patient_name": "<script>alert(1)</script>"},
            {"patient_name": "😀" * 200},
        ],
    )
    async def test_whatever_a_device_wrote_the_recording_gets_in_and_is_listed(self, centre: Centre, identity) -> None:
        receipt = await upload(centre, **identity)
        await read(centre, receipt.recording_id)
        async with centre.database.transaction(EVERYTHING) as session:
            assert len(await queries.unmatched(session)) == 1
        rows, total = await do(centre, "wang", worklist.rows, "write", now())
        assert (len(rows), total) == (1, 1)
        async with centre.client(cookies=await centre.cookie("wang")) as client:
            for path in ("/worklist", "/unmatched", f"/studies/{receipt.study_id}"):
                page = await client.get(path)
                assert page.status_code == 200
                assert "<script>alert" not in page.text

    async def test_a_birth_date_that_no_calendar_has_contradicts_nothing(self, centre: Centre) -> None:
        order = await register(centre, patient=PatientForm(name="丙", sex="F", birth_date="1960-02-28"))
        receipt = await upload(centre, accession_number=order.accession_number, birth_date="1960-02-31")
        assert receipt.matched

    async def test_the_file_names_the_accession_number_that_the_gateway_did_not(self, centre: Centre) -> None:
        order = await register(centre)
        receipt = await upload(centre)
        async with centre.database.transaction(EVERYTHING) as session:
            recording = await session.get(Recording, receipt.recording_id)
            recording.identity = {"accession_number": order.accession_number}
        await read(centre, receipt.recording_id)
        async with centre.database.transaction(EVERYTHING) as session:
            job = text("SELECT args FROM procrastinate_jobs WHERE task_name = 'rematch'")
            assert (await session.execute(job)).scalar_one() == {"recording_id": str(receipt.recording_id)}
            assert await intake.rematch(session, receipt.recording_id, CENTRE, now())
            assert not await intake.rematch(session, receipt.recording_id, CENTRE, now())
        study = await study_of(centre, receipt.study_id)
        assert (study.accession_number, study.patient_id) == (order.accession_number, order.patient_id)
        merged = await study_of(centre, order.id)
        assert (merged.state, merged.merged_into, merged.accession_number) == ("cancelled", study.id, None)

    async def test_a_file_that_contradicts_the_order_it_names_waits_for_a_person(self, centre: Centre) -> None:
        order = await register(centre)
        receipt = await upload(centre)
        async with centre.database.transaction(EVERYTHING) as session:
            recording = await session.get(Recording, receipt.recording_id)
            recording.identity = {"accession_number": order.accession_number, "sex": "M"}
        async with centre.database.transaction(EVERYTHING) as session:
            assert not await intake.rematch(session, receipt.recording_id, CENTRE, now())
        assert (await recording_of(centre, receipt.recording_id)).identity_conflict == ["sex"]
        assert (await study_of(centre, receipt.study_id)).patient_id is None


class TestOrders:
    async def test_the_same_accession_number_twice_is_one_study_with_two_recordings(self, centre: Centre) -> None:
        exam = await recorded(centre, 1)
        second = await upload(centre, ecg(2), accession_number=exam.accession_number)
        assert second.matched
        assert second.study_id == exam.study_id
        await read(centre, second.recording_id)
        assert (await study_of(centre, exam.study_id)).state == "preread"
        assert await count(centre, Recording) == 2
        assert await count(centre, DeadlineRow) == 2

    async def test_at_once_too(self, centre: Centre) -> None:
        order = await register(centre)
        receipts = await asyncio.gather(
            *(upload(centre, ecg(number), accession_number=order.accession_number) for number in range(5))
        )
        assert {receipt.study_id for receipt in receipts} == {order.id}
        assert await count(centre, Recording) == 5
        assert await count(centre, DeadlineRow) == 2

    async def test_a_recording_for_a_signed_study_waits_where_somebody_looks(self, centre: Centre) -> None:
        exam = await recorded(centre, 1)
        await written(centre, exam)
        late = await upload(centre, ecg(2), accession_number=exam.accession_number)
        assert not late.matched
        assert late.study_id != exam.study_id
        rows, _ = await do(centre, "wang", worklist.rows, "write", now())
        assert [row.study_id for row in rows] == [late.study_id]

    async def test_a_cancelled_order_that_was_recorded_after_all_is_read(self, centre: Centre) -> None:
        order = await register(centre)
        await do(centre, "t1", registration.cancel, order.id, "患者离开", now())
        receipt = await upload(centre, accession_number=order.accession_number)
        assert receipt.matched
        assert (await study_of(centre, order.id)).state == "received"

    async def test_another_clinics_number_matches_nothing(self, centre: Centre) -> None:
        order = await register(centre, "t2")
        receipt = await upload(centre, institution="T1", accession_number=order.accession_number)
        assert not receipt.matched
        assert (await study_of(centre, order.id)).state == "registered"

    async def test_new_patients_registered_at_once_get_each_a_number_and_are_one_patient(self, centre: Centre) -> None:
        studies = await asyncio.gather(*(register(centre) for _ in range(8)))
        numbers = sorted(study.accession_number for study in studies)
        assert [number[-3:] for number in numbers] == [f"{n:03d}" for n in range(1, 9)]
        assert len({study.patient_id for study in studies}) == 1

    @pytest.mark.parametrize(
        "change",
        [
            {"name": "另一人", "sex": "F"},
            {"name": "演示患者", "sex": "M"},
            {"name": "演示患者", "sex": "F", "birth_date": "1960-01-02"},
        ],
    )
    async def test_a_number_that_belongs_to_someone_else_is_refused(self, centre: Centre, change: dict) -> None:
        first = PatientForm(name="演示患者", sex="F", patient_no="DEMO-1", birth_date="1950-05-05")
        await register(centre, patient=first)
        with pytest.raises(Conflict, match="belongs to 演示患者"):
            await register(centre, patient=PatientForm(patient_no="DEMO-1", **change))

    async def test_a_birth_date_to_come_is_refused(self, centre: Centre) -> None:
        tomorrow = (now() + timedelta(days=2)).date()
        with pytest.raises(Invalid, match="future"):
            await register(centre, patient=PatientForm(name="丙", sex="M", birth_date=tomorrow))

    async def test_a_mark_that_says_nothing_writes_no_line(self, centre: Centre) -> None:
        order = await register(centre)
        with pytest.raises(Invalid, match="mark"):
            await do(centre, "t1", registration.mark, order.id, now=now())
        assert [line.what for line in await events(centre, order.id)] == ["register"]

    async def test_both_marks_at_once_are_both_written_down(self, centre: Centre) -> None:
        order = await register(centre)
        await do(centre, "t1", registration.mark, order.id, urgent=True, chest_pain=True, now=now())
        lines = [(line.what, line.data["on"]) for line in (await events(centre, order.id))[1:]]
        assert sorted(lines) == [("chest_pain", True), ("urgent", True)]


class TestUnmatched:
    async def test_a_person_says_whose_it_is(self, centre: Centre) -> None:
        receipt = await upload(centre)
        await read(centre, receipt.recording_id)
        order = await register(centre, chest_pain=True, indication="胸闷")
        await do(centre, "t1", unmatched.assign, receipt.study_id, order.id, now())
        study = await study_of(centre, receipt.study_id)
        assert (study.accession_number, study.patient_id, study.indication, study.chest_pain, study.urgency) == (
            order.accession_number,
            order.patient_id,
            "胸闷",
            True,
            0,
        )
        async with centre.database.transaction(EVERYTHING) as session:
            due = await session.get(DeadlineRow, (study.id, "opinion"))
            assert due.due_at == order.marked_at + timedelta(minutes=10)
        with pytest.raises(Conflict, match="matched already"):
            await do(centre, "t1", unmatched.assign, receipt.study_id, order.id, now())
        await released(centre, type("Exam", (), {"study_id": study.id}))

    async def test_two_recordings_given_to_one_order_at_once(self, centre: Centre) -> None:
        receipts = [await upload(centre, ecg(number)) for number in range(2)]
        order = await register(centre)
        ended = await asyncio.gather(
            *(do(centre, "zhao", unmatched.assign, receipt.study_id, order.id, now()) for receipt in receipts),
            return_exceptions=True,
        )
        assert sorted(type(end).__name__ for end in ended) == ["Conflict", "NoneType"]
        assert await count(centre, Study, Study.patient_id.is_not(None)) == 1

    async def test_an_order_that_was_merged_takes_no_other(self, centre: Centre) -> None:
        """The emptied order is no recording: giving it another order would cancel that one too."""
        receipt = await upload(centre)
        first, second = await register(centre), await register(centre)
        await do(centre, "t1", unmatched.assign, receipt.study_id, first.id, now())
        with pytest.raises(Conflict):
            await do(centre, "t1", unmatched.assign, first.id, second.id, now())
        assert (await study_of(centre, second.id)).state == "registered"

    async def test_who_may_not_and_what_is_another_clinics(self, centre: Centre) -> None:
        receipt, order = await upload(centre), await register(centre, "t2")
        with pytest.raises(NotAllowed):
            await do(centre, "sun", unmatched.assign, receipt.study_id, order.id, now())
        with pytest.raises(Conflict, match="another institution"):
            await do(centre, "zhao", unmatched.assign, receipt.study_id, order.id, now())


class TestQuarantine:
    async def test_read_again(self, centre: Centre) -> None:
        order = await register(centre)
        receipt = await quarantined(centre, accession_number=order.accession_number)
        assert (await study_of(centre, order.id)).state == "registered"
        await do(centre, "t1", unmatched.retry_quarantined, receipt.recording_id, now())
        assert (await study_of(centre, order.id)).state == "received"
        assert (await recording_of(centre, receipt.recording_id)).state == "stored"
        with pytest.raises(Conflict, match="dealt with"):
            await do(centre, "t1", unmatched.retry_quarantined, receipt.recording_id, now())

    async def test_read_again_while_the_study_went_on_with_another_recording(self, centre: Centre) -> None:
        exam = await recorded(centre, 1)
        bad = await quarantined(centre, accession_number=exam.accession_number)
        await released(centre, exam)
        await do(centre, "t1", unmatched.retry_quarantined, bad.recording_id, now())
        assert (await recording_of(centre, bad.recording_id)).state == "stored"
        assert (await study_of(centre, exam.study_id)).state == "released"
        assert (await events(centre, exam.study_id))[-1].why == "read again"

    async def test_set_aside_with_a_reason(self, centre: Centre) -> None:
        receipt = await quarantined(centre)
        with pytest.raises(Invalid, match="why"):
            await do(centre, "t1", unmatched.dismiss_quarantined, receipt.recording_id, " ", now())
        await do(centre, "t1", unmatched.dismiss_quarantined, receipt.recording_id, "测试文件", now())
        assert (await recording_of(centre, receipt.recording_id)).state == "dismissed"
        with pytest.raises(Conflict):
            await do(centre, "t1", unmatched.dismiss_quarantined, receipt.recording_id, "again", now())
        assert (await upload(centre, b"not a recording 0")).duplicate

    async def test_the_repeated_recording_has_its_own_thirty_minutes(self, centre: Centre) -> None:
        """What was unreadable two hours ago must not make the repetition late before anyone can read it."""
        order = await register(centre)
        await quarantined(centre, accession_number=order.accession_number)
        async with centre.database.transaction(EVERYTHING) as session:
            study = await session.get(Study, order.id)
            study.received_at -= timedelta(hours=2)
            for row in await session.scalars(select(DeadlineRow)):
                row.due_at, row.warn_at = row.due_at - timedelta(hours=2), row.warn_at - timedelta(hours=2)
                row.warned_at = row.warn_at
        await upload(centre, ecg(), accession_number=order.accession_number)
        async with centre.database.transaction(EVERYTHING) as session:
            await worklist.sweep_deadlines(session, now())
            rows = {row.kind: row for row in await session.scalars(select(DeadlineRow))}
        study = await study_of(centre, order.id)
        assert rows["written"].due_at == study.received_at + timedelta(minutes=30)
        assert (rows["written"].warned_at, rows["written"].breached_at) == (None, None)
        assert await count(centre, StudyEvent, StudyEvent.what == "deadline_breached") == 0


class TestCalendarMistakes:
    async def test_hours_that_are_none_are_refused_before_they_stop_every_upload(self, centre: Centre) -> None:
        admin = await centre.person("admin")
        async with centre.database.transaction(EVERYTHING) as session:
            calendar = await directory.create_calendar(session, "x", {"1": []}, review_waits=True, years=[])
        for hours in (
            [["08:00"]],
            [["8", "x"]],
            "all day",
            [["12:00", "08:00"]],
            [["08:00", "12:00"], ["11:00", "13:00"]],
        ):
            with pytest.raises(Invalid):
                async with centre.database.transaction(EVERYTHING) as session:
                    await directory.set_calendar_day(session, admin, calendar.id, now().date(), hours, "x")
        async with centre.database.transaction(EVERYTHING) as session:
            hours = [["08:00", "12:00"]]
            await directory.set_calendar_day(session, admin, calendar.id, now().date(), hours, "x")


async def test_a_form_with_what_postgresql_cannot_store_is_refused_politely(centre: Centre) -> None:
    body = form(indication="x").model_dump(mode="json")
    body["indication"] = "a\x00b"
    async with centre.client(cookies=await centre.cookie("t1")) as client:
        answer = await client.post("/api/registrations", json=body)
        assert (answer.status_code, answer.json()["type"]) == (422, "invalid")
        assert "psycopg" not in answer.text
        assert (await client.get("/studies", params={"q": "\x00"})).status_code in (200, 422)
        assert (await client.get("/studies", params={"offset": 10**30})).status_code in (200, 422)


class TestWhatTheFileSays:
    async def test_a_file_that_contradicts_its_order_after_the_match_is_marked(self, centre: Centre) -> None:
        """The number was typed at the device; the file inside is of somebody else."""
        order = await register(centre)
        receipt = await upload(centre, accession_number=order.accession_number)
        assert receipt.matched
        async with centre.database.transaction(EVERYTHING) as session:
            recording = await session.get(Recording, receipt.recording_id)
            recording.identity = {"sex": "M", "patient_id": "OTHER"}
        await read(centre, receipt.recording_id)
        async with centre.database.transaction(EVERYTHING) as session:
            job = text("SELECT args FROM procrastinate_jobs WHERE task_name = 'rematch'")
            assert (await session.execute(job)).scalar_one() == {"recording_id": str(receipt.recording_id)}
        for _ in range(2):
            async with centre.database.transaction(EVERYTHING) as session:
                await intake.rematch(session, receipt.recording_id, CENTRE, now())
        assert (await recording_of(centre, receipt.recording_id)).identity_conflict == ["patient_id", "sex"]
        lines = [line for line in await events(centre, order.id) if line.what == "contradiction"]
        assert [line.data["against"] for line in lines] == [["patient_id", "sex"]]
        async with centre.client(cookies=await centre.cookie("wang")) as client:
            assert "与申请不一致" in (await client.get(f"/studies/{order.id}")).text

    async def test_a_harmless_second_recording_hides_no_critical_first(self, centre: Centre) -> None:
        exam = await recorded(centre, 1)
        async with centre.database.transaction(EVERYTHING) as session:
            row = await session.scalar(select(FindingsRow))
            row.content = row.content | {"grade": "critical"}
            study = await session.get(Study, exam.study_id)
            study.grade, study.urgency = "critical", 1
        second = await upload(centre, ecg(2), accession_number=exam.accession_number)
        await read(centre, second.recording_id)
        study = await study_of(centre, exam.study_id)
        assert (study.grade, study.urgency) == ("critical", 1)
