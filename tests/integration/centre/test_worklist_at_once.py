"""Many people at one worklist at the same moment: nobody takes what another holds, nothing waits unseen."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from support.centre import Centre
from support.studies import do, documented, ecg, events, outcome, read, recorded, register, released, study_of, upload

from ecg_center.delivery import service as delivery
from ecg_center.domain.claims import LEASE
from ecg_center.domain.errors import Conflict, NotAllowed
from ecg_center.intake import unmatched
from ecg_center.registration import service as registration
from ecg_center.registration.schemas import PatientForm
from ecg_center.reporting import service as reporting
from ecg_center.store.scopes import scope_of
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import DeadlineRow, Delivery, PersonGrant, Study, StudyEvent
from ecg_center.timeline import service as timeline
from ecg_center.worklist import service as worklist

READERS = ("wang", "li", "zhao", "sun", "admin")


def now() -> datetime:
    return datetime.now(UTC)


async def make_readers(centre: Centre) -> None:
    people = [await centre.person(login) for login in READERS]
    async with centre.database.transaction(EVERYTHING) as session:
        session.add_all(
            PersonGrant(person_id=person.person_id, role="reporting")
            for person in people
            if person.login not in ("wang",)
        )


async def uploaded_and_read(centre: Centre, number: int = 0, **identity: bool) -> UUID:
    receipt = await upload(centre, ecg(number), **identity)
    await read(centre, receipt.recording_id)
    return receipt.study_id


async def test_of_two_who_claim_at_once_exactly_one_holds_it(centre: Centre) -> None:
    receipt = await upload(centre)
    for attempt in range(10):
        moment = now() + 2 * attempt * LEASE  # the lease before has run out
        ended = await asyncio.gather(
            *(do(centre, login, worklist.claim, receipt.study_id, moment) for login in ("wang", "zhao")),
            return_exceptions=True,
        )
        assert sorted(type(end).__name__ for end in ended) == ["Conflict", "Study"]
        winner = next(end for end in ended if isinstance(end, Study))
        assert (await study_of(centre, receipt.study_id)).claimed_by == winner.claimed_by
    claims = [line for line in await events(centre, receipt.study_id) if line.what == "claim"]
    assert len(claims) == 10


async def test_take_next_gives_everyone_another_study(centre: Centre) -> None:
    await make_readers(centre)
    waiting = [await uploaded_and_read(centre, number) for number in range(len(READERS))]
    taken = await asyncio.gather(*(do(centre, login, worklist.take_next, "write", now()) for login in READERS))
    assert sorted(study.id for study in taken if study) == sorted(waiting)
    assert await do(centre, "wang", worklist.take_next, "write", now(), after=taken[0].id) is None


async def test_more_readers_than_studies(centre: Centre) -> None:
    await make_readers(centre)
    study_id = await uploaded_and_read(centre)
    taken = await asyncio.gather(*(do(centre, login, worklist.take_next, "write", now()) for login in READERS))
    assert [study.id for study in taken if study] == [study_id]


async def test_what_cannot_be_drawn_yet_is_not_taken_next(centre: Centre) -> None:
    receipt = await upload(centre, ecg(1), chest_pain=True)
    rows, _ = await do(centre, "wang", worklist.rows, "write", now())
    assert [row.study_id for row in rows] == [receipt.study_id]  # everyone sees that it is there
    assert await do(centre, "wang", worklist.take_next, "write", now()) is None
    await read(centre, receipt.recording_id)
    assert (await do(centre, "wang", worklist.take_next, "write", now())).id == receipt.study_id


async def test_what_is_read_next_is_the_most_urgent_then_the_oldest(centre: Centre) -> None:
    first, second = await uploaded_and_read(centre, 1), await uploaded_and_read(centre, 2)
    urgent, pain = await uploaded_and_read(centre, 3, urgent=True), await uploaded_and_read(centre, 4, chest_pain=True)
    order = [pain, urgent, first, second]
    rows, total = await do(centre, "wang", worklist.rows, "write", now())
    assert ([row.study_id for row in rows], total) == (order, 4)
    for expected in order:
        taken = await do(centre, "wang", worklist.take_next, "write", now())
        assert taken.id == expected
        await do(centre, "wang", worklist.claim, expected, now())  # once more renews
        async with centre.database.transaction(EVERYTHING) as session:
            study = await session.get(Study, expected)
            study.lease_until = now() + timedelta(minutes=30)
            study.claimed_by = (await centre.person("zhao")).person_id
    rows, _ = await do(centre, "wang", worklist.rows, "write", now())
    assert {row.holder_name for row in rows} == {"赵演示"}


async def test_a_lease_is_kept_by_renewing_and_lost_by_walking_away(centre: Centre) -> None:
    receipt, began = await upload(centre), now()
    await do(centre, "wang", worklist.claim, receipt.study_id, began)
    until = await do(centre, "wang", worklist.renew, receipt.study_id, began + timedelta(minutes=4))
    assert until == began + timedelta(minutes=4) + LEASE
    with pytest.raises(Conflict, match="王演示"):
        await do(centre, "zhao", worklist.claim, receipt.study_id, began + timedelta(minutes=8))
    await do(centre, "zhao", worklist.claim, receipt.study_id, until)
    with pytest.raises(Conflict, match="claim on this study has ended"):
        await do(centre, "wang", worklist.renew, receipt.study_id, until)
    with pytest.raises(NotAllowed, match="do not hold"):
        await do(centre, "wang", worklist.let_go, receipt.study_id, until)


async def test_authority_is_for_a_kind_of_study(centre: Centre) -> None:
    receipt = await upload(centre)
    sun = await centre.person("sun")
    async with centre.database.transaction(EVERYTHING) as session:
        session.add(PersonGrant(person_id=sun.person_id, role="reporting", kind="holter"))
    rows, total = await do(centre, "sun", worklist.rows, "write", now())
    assert (rows, total) == ([], 0)
    assert await do(centre, "sun", worklist.take_next, "write", now()) is None
    with pytest.raises(NotAllowed):
        await do(centre, "sun", worklist.claim, receipt.study_id, now())


class TestDeadlines:
    async def test_the_sweep_and_a_mark_at_once_never_lock_each_other_out(self, centre: Centre) -> None:
        """The sweep writes lines for studies that others hold locked; they change due times that it holds locked."""
        studies = [(await upload(centre, ecg(number))).study_id for number in range(4)]

        async def sweep(minutes: int) -> None:
            async with centre.database.transaction(EVERYTHING) as session:
                await worklist.sweep_deadlines(session, now() + timedelta(minutes=minutes))

        for turn in range(5):
            marks = (
                do(centre, "t1", registration.mark, study, chest_pain=turn % 2 == 0, now=now()) for study in studies
            )
            await asyncio.wait_for(asyncio.gather(*marks, *(sweep(12 + turn) for _ in range(3))), 20)

    async def test_sweeping_from_many_processes_says_it_once(self, centre: Centre) -> None:
        receipt = await upload(centre, chest_pain=True)
        later = now() + timedelta(hours=1)

        async def sweep() -> int:
            async with centre.database.transaction(EVERYTHING) as session:
                return await worklist.sweep_deadlines(session, later)

        await asyncio.gather(*(sweep() for _ in range(5)))
        breached = [line for line in await events(centre, receipt.study_id) if line.what == "deadline_breached"]
        assert sorted(line.data["kind"] for line in breached) == ["opinion", "reviewed", "written"]

    async def test_a_released_study_breaches_nothing(self, centre: Centre) -> None:
        exam = await recorded(centre)
        await released(centre, exam)
        async with centre.database.transaction(EVERYTHING) as session:
            assert await worklist.sweep_deadlines(session, now() + timedelta(days=1)) == 0

    async def test_a_study_without_review_in_time_is_late_though_written(self, centre: Centre) -> None:
        receipt = await upload(centre)
        async with centre.database.transaction(EVERYTHING) as session:
            await worklist.sweep_deadlines(session, now() + timedelta(minutes=21))
            rows = {row.kind: row for row in await session.scalars(select(DeadlineRow))}
        assert rows["written"].warned_at is not None
        assert rows["reviewed"].warned_at is None
        counts = await do(centre, "wang", worklist.counts, now() + timedelta(minutes=31))
        assert (counts.to_write, counts.breached, counts.unmatched) == (1, 1, 1)
        assert (await study_of(centre, receipt.study_id)).state == "received"


class TestTimeline:
    async def test_every_move_leaves_exactly_one_line_with_who_when_and_from_where(self, centre: Centre) -> None:
        exam = await recorded(centre, urgent=True)
        sent = await released(centre, exam)
        made = await documented(centre, sent)
        await outcome(centre, made.id, "printed")
        lines = await events(centre, exam.study_id)
        assert [(line.what, line.from_state, line.to_state, line.actor_kind, line.actor_name) for line in lines] == [
            ("register", None, "registered", "person", "陈演示"),
            ("safe", None, None, "device", "十二导联心电图机(演示)"),
            ("receive", "registered", "received", "gateway", "demo-gateway"),
            ("preread", "received", "preread", "worker", "ecg-worker"),
            ("claim", "preread", "writing", "person", "王演示"),
            ("sign", "writing", "written", "person", "王演示"),
            ("claim", "written", "reviewing", "person", "李演示"),
            ("release", "reviewing", "released", "person", "李演示"),
            ("document", None, None, "centre", "ecg-center"),
            ("deliver", "released", "delivered", "gateway", "demo-gateway"),
        ]
        assert all(line.at.tzinfo and abs(line.at - now()) < timedelta(minutes=2) for line in lines)
        for line in lines:
            if line.actor_kind in ("person", "device", "gateway"):
                assert line.source, line.what
                assert line.actor_id, line.what

    async def test_a_move_that_is_refused_leaves_none(self, centre: Centre) -> None:
        order = await register(centre)
        for login, use_case, arguments in (
            ("wang", worklist.claim, (now(),)),
            ("t1", delivery.print_again, (now(),)),
        ):
            with pytest.raises(Conflict):
                await do(centre, login, use_case, order.id, *arguments)
        assert [line.what for line in await events(centre, order.id)] == ["register"]

    async def test_the_lines_of_a_merged_order_are_told_with_the_study(self, centre: Centre) -> None:
        receipt, order = await upload(centre), await register(centre)
        await do(centre, "t1", unmatched.assign, receipt.study_id, order.id, now())
        async with centre.database.transaction(EVERYTHING) as session:
            lines = await timeline.timeline(session, receipt.study_id)
        assert [line.what for line in lines] == ["safe", "receive", "register", "cancel", "match"]
        assert lines[0].total_ms == 0
        assert all(line.step_ms >= 0 for line in lines)


async def test_an_outcome_and_an_amendment_at_once_do_not_lock_each_other_out(centre: Centre) -> None:
    for number in range(3):
        exam = await recorded(centre, number)
        sent = await documented(centre, await released(centre, exam))
        ended = await asyncio.wait_for(
            asyncio.gather(
                *(outcome(centre, sent.id, "printing", str(turn)) for turn in range(3)),
                do(centre, "wang", reporting.amend, exam.study_id, "漏写", now()),
            ),
            20,
        )
        assert set(ended[:3]) == {204}
        async with centre.database.transaction(EVERYTHING) as session:
            state = await session.scalar(select(Delivery.state).where(Delivery.id == sent.id))
        assert state in ("printing", "superseded")
        async with centre.gateway() as client:
            assert (await client.get("/api/gateway/prints")).json()["tasks"] == []


async def test_an_event_is_of_the_studys_own_institution(centre: Centre) -> None:
    receipt = await upload(centre, institution="T2")
    async with centre.database.transaction(EVERYTHING) as session:
        owners = set(await session.scalars(select(StudyEvent.institution_id)))
    assert owners == {(await study_of(centre, receipt.study_id)).institution_id}


class TestSearch:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", 2),
            ("张", 1),
            ("san", 1),
            ("SAN", 1),
            ("p-1", 2),
            ("P-10", 1),
            ("t1-", 2),
            ("-001", 0),
            ("%", 0),
            ("_", 0),
            ("\\", 0),
            ("100%", 0),
            (" 张 ", 1),
        ],
    )
    async def test_by_name_or_the_beginning_of_a_number(self, centre: Centre, text: str, found: int) -> None:
        await register(centre, patient=PatientForm(name="张San", sex="F", patient_no="P-10"))
        await register(centre, patient=PatientForm(name="李四", sex="M", patient_no="P-11"))
        await register(centre, "t2", patient=PatientForm(name="张他镇", sex="M", patient_no="P-10"))
        t1 = await centre.person("t1")
        async with centre.database.transaction(scope_of(t1)) as session:
            rows, total = await worklist.recent(session, now(), text=text)
        assert (len(rows), total) == (found, found)

    async def test_the_total_is_right_on_every_page(self, centre: Centre) -> None:
        for _ in range(3):
            await register(centre)
        async with centre.database.transaction(EVERYTHING) as session:
            totals = [(await worklist.recent(session, now(), offset=offset))[1] for offset in (0, 1, 2, 3, 50)]
            assert totals == [3, 3, 3, 3, 3]
