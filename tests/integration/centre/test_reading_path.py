"""From a pre-read study to a delivered report: claims, editions, two signatures, the document, its amendment."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from support.centre import Centre
from support.studies import (
    DIAGNOSIS,
    do,
    documented,
    events,
    outcome,
    read,
    recorded,
    released,
    reviewed,
    study_of,
    upload,
    written,
)

from ecg_center.delivery import service as delivery
from ecg_center.domain.errors import Conflict, Invalid, NotAllowed, NotFound
from ecg_center.registration import service as registration
from ecg_center.release.service import make_document, verification
from ecg_center.reporting import service as reporting
from ecg_center.reporting.schemas import OpinionForm, ReportContent
from ecg_center.review import service as review
from ecg_center.signing.pades import verify, verify_record
from ecg_center.store.blobs import report_key
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import DeadlineRow, Delivery, Opinion, PersonGrant, Report, Review, SigningCertificate
from ecg_center.worklist import service as worklist


def now() -> datetime:
    return datetime.now(UTC)


async def report_of(centre: Centre, study_id, version: int = 1) -> Report:
    async with centre.database.transaction(EVERYTHING) as session:
        found = await session.scalar(select(Report).where(Report.study_id == study_id, Report.version == version))
    assert found is not None
    return found


async def deliveries(centre: Centre) -> list[tuple[int, str]]:
    """(report version, state) of every delivery, in the order of their making."""
    async with centre.database.transaction(EVERYTHING) as session:
        rows = await session.execute(
            select(Report.version, Delivery.state)
            .join(Report, Report.id == Delivery.report_id)
            .order_by(Delivery.created_at, Delivery.id)
        )
        return [tuple(row) for row in rows]


async def tasks(centre: Centre) -> list[dict]:
    async with centre.gateway() as client:
        return (await client.get("/api/gateway/prints")).raise_for_status().json()["tasks"]


async def grant(centre: Centre, login: str, *roles: str) -> None:
    person = await centre.person(login)
    async with centre.database.transaction(EVERYTHING) as session:
        session.add_all(PersonGrant(person_id=person.person_id, role=role) for role in roles)


async def print_out(centre: Centre, report: Report) -> Delivery:
    found = await documented(centre, report)
    assert await outcome(centre, found.id, "printed") == 204
    return found


class TestWriting:
    async def test_the_draft_begins_from_the_pre_read_and_is_a_suggestion(self, centre: Centre) -> None:
        exam = await recorded(centre)
        await do(centre, "wang", worklist.claim, exam.study_id, now())
        draft = await do(centre, "wang", reporting.open_draft, exam.study_id, now())
        content = ReportContent.model_validate(draft.content)
        assert (draft.state, draft.version, draft.edition) == ("draft", 1, 1)
        assert content.statements
        assert content.measurements.heart_rate_bpm is not None
        again = await do(centre, "wang", reporting.open_draft, exam.study_id, now())
        assert again.id == draft.id

    async def test_only_the_holder_opens_saves_and_signs(self, centre: Centre) -> None:
        exam = await recorded(centre)
        for use_case, arguments in (
            (reporting.open_draft, (now(),)),
            (reporting.save, (1, DIAGNOSIS, now())),
            (reporting.sign, (1, now())),
            (worklist.let_go, (now(),)),
        ):
            with pytest.raises((NotAllowed, Conflict)):
                await do(centre, "zhao", use_case, exam.study_id, *arguments)
        await do(centre, "wang", worklist.claim, exam.study_id, now())
        with pytest.raises(NotAllowed, match="do not hold"):
            await do(centre, "zhao", reporting.open_draft, exam.study_id, now())

    async def test_two_windows_never_overwrite_each_other(self, centre: Centre) -> None:
        exam = await recorded(centre)
        await do(centre, "wang", worklist.claim, exam.study_id, now())
        draft = await do(centre, "wang", reporting.open_draft, exam.study_id, now())
        first = ReportContent(statements=["20"], conclusion="normal", text="第一个窗口")
        saved = await do(centre, "wang", reporting.save, exam.study_id, draft.edition, first, now())
        with pytest.raises(Conflict, match="another window"):
            await do(centre, "wang", reporting.save, exam.study_id, draft.edition, DIAGNOSIS, now())
        with pytest.raises(Conflict, match="another window"):
            await do(centre, "wang", reporting.sign, exam.study_id, draft.edition, now())
        assert (await report_of(centre, exam.study_id)).content["text"] == "第一个窗口"
        signed = await do(centre, "wang", reporting.sign, exam.study_id, saved.edition, now())
        assert signed.state == "written"

    @pytest.mark.parametrize(
        ("content", "field"),
        [
            (ReportContent(conclusion="normal"), "statements"),
            (ReportContent(statements=["20"]), "conclusion"),
            (ReportContent(statements=["21", "22"], conclusion="abnormal"), "statements"),
            (ReportContent(statements=["1", "50"], conclusion="abnormal"), "statements"),
        ],
    )
    async def test_a_report_that_is_not_complete_is_not_signed(
        self, centre: Centre, content: ReportContent, field: str
    ) -> None:
        exam = await recorded(centre)
        with pytest.raises(Invalid) as error:
            await written(centre, exam, content=content)
        assert error.value.field == field
        assert (await study_of(centre, exam.study_id)).state == "writing"

    async def test_the_report_is_of_whoever_signs_it_not_of_whoever_began_it(self, centre: Centre) -> None:
        """A colleague takes over a draft whose lease ran out and signs it without opening it anew."""
        exam = await recorded(centre)
        began = now()
        await do(centre, "wang", worklist.claim, exam.study_id, began)
        draft = await do(centre, "wang", reporting.open_draft, exam.study_id, began)
        await do(centre, "wang", reporting.save, exam.study_id, draft.edition, DIAGNOSIS, began)
        later = began + timedelta(minutes=6)
        await do(centre, "zhao", worklist.claim, exam.study_id, later)
        signed = await do(centre, "zhao", reporting.sign, exam.study_id, draft.edition + 1, later)
        zhao = await centre.person("zhao")
        assert (signed.writer_id, signed.writer_name) == (zhao.person_id, "赵演示")
        with pytest.raises(NotAllowed, match="another physician"):
            await do(centre, "zhao", worklist.claim, exam.study_id, later)

    async def test_the_report_is_of_whoever_saves_it_last(self, centre: Centre) -> None:
        exam = await recorded(centre)
        began = now()
        await do(centre, "wang", worklist.claim, exam.study_id, began)
        draft = await do(centre, "wang", reporting.open_draft, exam.study_id, began)
        await do(centre, "zhao", worklist.claim, exam.study_id, began + timedelta(minutes=6))
        saved = await do(centre, "zhao", reporting.save, exam.study_id, draft.edition, DIAGNOSIS, began)
        assert saved.writer_name == "赵演示"

    async def test_who_has_no_certificate_cannot_sign_what_could_then_never_be_printed(self, centre: Centre) -> None:
        exam = await recorded(centre)
        wang = await centre.person("wang")
        async with centre.database.transaction(EVERYTHING) as session:
            await session.execute(
                update(SigningCertificate)
                .where(SigningCertificate.person_id == wang.person_id)
                .values(revoked_at=now())
            )
        with pytest.raises(Conflict, match="certificate"):
            await written(centre, exam)
        assert (await study_of(centre, exam.study_id)).state == "writing"

    async def test_let_go_keeps_the_draft_for_the_next(self, centre: Centre) -> None:
        exam = await recorded(centre)
        await do(centre, "wang", worklist.claim, exam.study_id, now())
        draft = await do(centre, "wang", reporting.open_draft, exam.study_id, now())
        await do(centre, "wang", reporting.save, exam.study_id, draft.edition, DIAGNOSIS, now())
        await do(centre, "wang", worklist.let_go, exam.study_id, now())
        assert (await study_of(centre, exam.study_id)).state == "preread"
        await do(centre, "zhao", worklist.claim, exam.study_id, now())
        taken = await do(centre, "zhao", reporting.open_draft, exam.study_id, now())
        assert (taken.id, taken.writer_name, taken.content["conclusion"]) == (draft.id, "赵演示", "normal")


class TestReview:
    async def test_the_writer_never_reviews(self, centre: Centre) -> None:
        exam = await recorded(centre)
        report = await written(centre, exam, "zhao")
        with pytest.raises(NotAllowed, match="another physician"):
            await do(centre, "zhao", worklist.claim, exam.study_id, now())
        rows, total = await do(centre, "zhao", worklist.rows, "review", now())
        assert (rows, total) == ([], 0)
        assert await do(centre, "zhao", worklist.take_next, "review", now()) is None
        await grant(centre, "wang", "reviewing")
        await reviewed(centre, exam, report, "wang")

    async def test_returned_with_a_reason_written_anew_and_released(self, centre: Centre) -> None:
        exam = await recorded(centre)
        report = await written(centre, exam)
        await do(centre, "li", worklist.claim, exam.study_id, now())
        with pytest.raises(Invalid, match="has to change"):
            await do(centre, "li", review.send_back, exam.study_id, "  ", now())
        await do(centre, "li", review.send_back, exam.study_id, "补充电轴", now())
        assert (await study_of(centre, exam.study_id)).state == "writing"
        rows, _ = await do(centre, "wang", worklist.rows, "write", now())
        assert [row.returned_reason for row in rows] == ["补充电轴"]
        again = await written(centre, exam, content=ReportContent(statements=["20", "120"], conclusion="abnormal"))
        assert (again.id, again.version) == (report.id, 1)
        assert again.edition > report.edition
        done = await reviewed(centre, exam, again)
        assert (done.state, done.reviewer_name) == ("released", "李演示")
        async with centre.database.transaction(EVERYTHING) as session:
            decisions = list(await session.scalars(select(Review.decision).order_by(Review.at)))
        assert decisions == ["return", "release"]

    async def test_what_the_reviewer_did_not_see_is_not_released(self, centre: Centre) -> None:
        exam = await recorded(centre)
        report = await written(centre, exam)
        with pytest.raises(NotAllowed, match="do not hold"):
            await do(centre, "li", review.release, exam.study_id, report.edition, now())
        await do(centre, "li", worklist.claim, exam.study_id, now())
        with pytest.raises(Conflict, match="has changed"):
            await do(centre, "li", review.release, exam.study_id, report.edition - 1, now())
        with pytest.raises(NotAllowed):
            await do(centre, "wang", review.release, exam.study_id, report.edition, now())

    async def test_without_a_patient_nothing_is_released(self, centre: Centre) -> None:
        receipt = await upload(centre)
        await read(centre, receipt.recording_id)

        class Unmatched:
            study_id = receipt.study_id

        report = await written(centre, Unmatched)
        with pytest.raises(Conflict, match="no patient yet"):
            await reviewed(centre, Unmatched, report)

    async def test_a_reviewer_without_a_certificate_does_not_release(self, centre: Centre) -> None:
        exam = await recorded(centre)
        report = await written(centre, exam)
        li = await centre.person("li")
        async with centre.database.transaction(EVERYTHING) as session:
            await session.execute(
                update(SigningCertificate).where(SigningCertificate.person_id == li.person_id).values(revoked_at=now())
            )
        with pytest.raises(Conflict, match="certificate"):
            await reviewed(centre, exam, report)
        assert (await study_of(centre, exam.study_id)).state == "reviewing"

    async def test_deadlines_are_met_by_the_signatures(self, centre: Centre) -> None:
        exam = await recorded(centre)
        await released(centre, exam)
        async with centre.database.transaction(EVERYTHING) as session:
            rows = {row.kind: row for row in await session.scalars(select(DeadlineRow))}
        assert set(rows) == {"written", "reviewed"}
        assert all(row.met_at and row.met_at <= row.due_at for row in rows.values())


class TestDocument:
    async def test_it_is_made_once_and_bears_both_signatures(self, centre: Centre) -> None:
        exam = await recorded(centre)
        report = await released(centre, exam)
        first = await documented(centre, report)
        again = await documented(centre, report)
        assert first.id == again.id
        frozen = await report_of(centre, exam.study_id)
        pdf = await centre.press.blobs.get(report_key(frozen.pdf_sha256))
        assert len(pdf) == frozen.pdf_size_bytes
        checks = await asyncio.to_thread(verify, pdf, [centre.secrets.root_certificate.encode()])
        assert [(check.sound, check.signer) for check in checks] == [
            (True, "王演示 (DEMO)"),
            (True, "李演示 (DEMO)"),
        ]
        (task,) = await tasks(centre)
        assert (task["accession_number"], task["report_version"]) == (exam.accession_number, 1)
        assert task["pdf_sha256"] == frozen.pdf_sha256
        async with centre.gateway() as client:
            answer = await client.get(f"/api/gateway/prints/{task['delivery_id']}/pdf")
        assert answer.content == pdf
        assert [line.what for line in await events(centre, exam.study_id)].count("document") == 1

    async def test_a_crash_before_the_hand_over_loses_and_doubles_nothing(self, centre: Centre) -> None:
        """The clock is read between the stored document and the hand-over: here the process dies."""
        exam = await recorded(centre)
        report = await released(centre, exam)

        def dies() -> datetime:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await make_document(centre.press, report.id, dies)
        assert await tasks(centre) == []
        await documented(centre, report)
        assert len(await tasks(centre)) == 1
        assert await deliveries(centre) == [(1, "waiting")]

    async def test_what_is_not_released_has_none(self, centre: Centre) -> None:
        exam = await recorded(centre)
        report = await written(centre, exam)
        with pytest.raises(NotFound):
            await make_document(centre.press, report.id, now)

    async def test_the_page_behind_the_qr_code(self, centre: Centre) -> None:
        exam = await recorded(centre)
        report = await released(centre, exam)
        await documented(centre, report)
        async with centre.database.transaction(EVERYTHING) as session:
            found = await verification(session, report.verify_code)
        assert (found.patient_name, found.version, found.newest_version) == ("演***", 1, 1)
        assert found.accession_number == exam.accession_number


class TestDelivery:
    async def test_failed_then_printed_and_every_report_may_be_repeated(self, centre: Centre) -> None:
        exam = await recorded(centre)
        sent = await documented(centre, await released(centre, exam))
        for state, detail in (("printing", ""), ("failed", "缺纸"), ("failed", "缺纸")):
            assert await outcome(centre, sent.id, state, detail) == 204
        assert [task["delivery_id"] for task in await tasks(centre)] == [str(sent.id)]
        for _ in range(3):
            assert await outcome(centre, sent.id, "printed") == 204
        assert await outcome(centre, sent.id, "failed", "late word") == 204
        assert await tasks(centre) == []
        assert (await study_of(centre, exam.study_id)).state == "delivered"
        lines = [(line.what, line.why) for line in await events(centre, exam.study_id)]
        assert lines[-3:] == [("printing", ""), ("failed", "缺纸"), ("deliver", "")]

    async def test_printing_again_is_a_delivery_of_its_own(self, centre: Centre) -> None:
        exam = await recorded(centre)
        report = await released(centre, exam)
        with pytest.raises(Conflict, match="no released report"):
            await do(centre, "t1", delivery.print_again, exam.study_id, now())
        sent = await documented(centre, report)
        with pytest.raises(Conflict, match="waiting for the printer"):
            await do(centre, "t1", delivery.print_again, exam.study_id, now())
        await outcome(centre, sent.id, "printed")
        await do(centre, "t1", delivery.print_again, exam.study_id, now())
        assert await deliveries(centre) == [(1, "printed"), (1, "waiting")]
        (task,) = await tasks(centre)
        await outcome(centre, task["delivery_id"], "printed")
        assert (await study_of(centre, exam.study_id)).state == "delivered"


class TestAmendment:
    async def test_a_second_version_keeps_the_first_byte_for_byte(self, centre: Centre) -> None:
        exam = await recorded(centre)
        first = await released(centre, exam)
        await print_out(centre, first)
        old = await report_of(centre, exam.study_id)
        before = await centre.press.blobs.get(report_key(old.pdf_sha256))
        with pytest.raises(Invalid, match="why"):
            await do(centre, "wang", reporting.amend, exam.study_id, " ", now())
        draft = await do(centre, "wang", reporting.amend, exam.study_id, "漏写电轴", now())
        assert (draft.version, draft.state, draft.content) == (2, "draft", old.content)
        with pytest.raises(Conflict):
            await do(centre, "wang", reporting.amend, exam.study_id, "twice", now())
        second = await released(centre, exam)
        assert second.version == 2
        old = await report_of(centre, exam.study_id)
        assert (old.state, old.pdf_sha256 is not None) == ("superseded", True)
        assert await centre.press.blobs.get(report_key(old.pdf_sha256)) == before
        assert (await study_of(centre, exam.study_id)).state == "released"
        await print_out(centre, second)
        assert (await study_of(centre, exam.study_id)).state == "delivered"
        assert await deliveries(centre) == [(1, "printed"), (2, "printed")]
        async with centre.database.transaction(EVERYTHING) as session:
            found = await verification(session, first.verify_code)
        assert (found.version, found.newest_version) == (1, 2)

    async def test_the_waiting_delivery_of_the_old_version_is_withdrawn(self, centre: Centre) -> None:
        exam = await recorded(centre)
        await documented(centre, await released(centre, exam))
        await do(centre, "wang", reporting.amend, exam.study_id, "漏写电轴", now())
        assert await tasks(centre) == []
        second = await released(centre, exam)
        await documented(centre, second)
        assert [task["report_version"] for task in await tasks(centre)] == [2]

    async def test_a_printer_that_fails_over_an_old_version_is_not_given_it_again(self, centre: Centre) -> None:
        exam = await recorded(centre)
        sent = await documented(centre, await released(centre, exam))
        await outcome(centre, sent.id, "printing")
        await do(centre, "wang", reporting.amend, exam.study_id, "漏写电轴", now())
        await outcome(centre, sent.id, "failed", "缺纸")
        assert await tasks(centre) == []
        await documented(centre, await released(centre, exam))
        assert [task["report_version"] for task in await tasks(centre)] == [2]

    async def test_the_old_paper_does_not_make_the_new_version_delivered(self, centre: Centre) -> None:
        exam = await recorded(centre)
        sent = await documented(centre, await released(centre, exam))
        await outcome(centre, sent.id, "printing")
        await do(centre, "wang", reporting.amend, exam.study_id, "漏写电轴", now())
        second = await released(centre, exam)
        assert await outcome(centre, sent.id, "printed") == 204
        assert (await study_of(centre, exam.study_id)).state == "released"
        await print_out(centre, second)
        assert (await study_of(centre, exam.study_id)).state == "delivered"

    async def test_a_document_that_comes_after_its_amendment_is_not_printed(self, centre: Centre) -> None:
        """The job ran late: version 1 is kept as a document, and the clinic prints version 2 only."""
        exam = await recorded(centre)
        first = await released(centre, exam)
        await do(centre, "wang", reporting.amend, exam.study_id, "漏写电轴", now())
        await make_document(centre.press, first.id, now)
        assert (await report_of(centre, exam.study_id)).pdf_sha256 is not None
        assert await tasks(centre) == []
        await documented(centre, await released(centre, exam))
        assert [task["report_version"] for task in await tasks(centre)] == [2]

    async def test_a_superseded_version_is_not_printed_again(self, centre: Centre) -> None:
        exam = await recorded(centre)
        await print_out(centre, await released(centre, exam))
        await do(centre, "wang", reporting.amend, exam.study_id, "漏写电轴", now())
        await released(centre, exam)
        with pytest.raises(Conflict, match="no released report"):
            await do(centre, "t1", delivery.print_again, exam.study_id, now())

    async def test_the_clinic_keeps_seeing_the_released_version_while_it_is_amended(self, centre: Centre) -> None:
        exam = await recorded(centre)
        with pytest.raises(NotFound):
            await do(centre, "t1", reporting.current_report, exam.study_id)
        await written(centre, exam)
        with pytest.raises(NotFound):
            await do(centre, "t1", reporting.current_report, exam.study_id)
        await reviewed(centre, exam, await report_of(centre, exam.study_id))
        await do(centre, "wang", reporting.amend, exam.study_id, "漏写电轴", now())
        assert (await do(centre, "t1", reporting.current_report, exam.study_id)).version == 1
        assert (await do(centre, "wang", reporting.current_report, exam.study_id)).version == 2


class TestOpinion:
    async def test_it_is_a_signed_record_and_meets_the_ten_minutes(self, centre: Centre) -> None:
        exam = await recorded(centre, chest_pain=True)
        form = OpinionForm(statements=["160.330"], text="立即转诊", advice="启动胸痛中心")
        given = await do(
            centre, "li", reporting.give_opinion, centre.press.signatures, exam.study_id, form, now()
        )  # fmt: skip
        root = centre.secrets.root_certificate.encode()
        async with centre.database.transaction(EVERYTHING) as session:
            kept = await session.get(Opinion, given.id)
            due = await session.get(DeadlineRow, (exam.study_id, "opinion"))
        check = await asyncio.to_thread(verify_record, kept.payload, kept.signature, [root])
        assert check.sound
        assert check.signer == "李演示 (DEMO)"
        for word in ("立即转诊", "160.330", exam.accession_number, str(exam.study_id), "李演示"):
            assert word in kept.payload.decode()
        forged = kept.payload.replace("立即".encode(), "暂不".encode())
        assert not (await asyncio.to_thread(verify_record, forged, kept.signature, [root])).intact
        assert due.met_at == kept.signed_at
        assert (await study_of(centre, exam.study_id)).state == "preread"

    async def test_it_is_refused_where_nobody_asked_or_nothing_is_said(self, centre: Centre) -> None:
        exam = await recorded(centre)
        signatures = centre.press.signatures
        with pytest.raises(Conflict, match="Only an urgent"):
            await do(centre, "li", reporting.give_opinion, signatures, exam.study_id, OpinionForm(text="x"), now())
        await do(centre, "t1", registration.mark, exam.study_id, chest_pain=True, now=now())
        with pytest.raises(Invalid):
            await do(centre, "li", reporting.give_opinion, signatures, exam.study_id, OpinionForm(), now())
        with pytest.raises(NotAllowed):
            await do(centre, "t1", reporting.give_opinion, signatures, exam.study_id, OpinionForm(text="x"), now())
