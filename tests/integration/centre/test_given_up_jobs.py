"""A job that was given up is asked for again: no recording stays unread and no report unprinted behind a failed job."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from support.centre import Centre
from support.studies import ecg, events, recorded, released, upload

from ecg_center.intake import service as intake
from ecg_center.release import service as release
from ecg_center.store.session import EVERYTHING

LATER = timedelta(minutes=11)


async def jobs(centre: Centre, task: str) -> int:
    async with centre.database.transaction(EVERYTHING) as session:
        found = await session.scalar(
            text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task AND status = 'todo'"), {"task": task}
        )
    return int(found or 0)


async def give_up(centre: Centre) -> None:
    async with centre.database.transaction(EVERYTHING) as session:
        await session.execute(text("UPDATE procrastinate_jobs SET status = 'failed'"))


async def ask(centre: Centre, at: datetime) -> tuple[int, int]:
    async with centre.database.transaction(EVERYTHING) as session:
        return await intake.ask_again(session, at), await release.ask_again(session, at)


async def test_a_preread_that_was_given_up_is_asked_for_again_once(centre: Centre) -> None:
    receipt = await upload(centre, ecg(1))
    now = datetime.now(UTC)
    assert await ask(centre, now + LATER) == (0, 0)  # its job still waits
    await give_up(centre)
    assert await ask(centre, now) == (0, 0)  # too early to say
    assert await ask(centre, now + LATER) == (1, 0)
    assert await ask(centre, now + LATER) == (0, 0)
    assert await jobs(centre, "preread") == 1
    assert [line.what for line in await events(centre, receipt.study_id)].count("preread_again") == 1


async def test_a_document_that_was_given_up_is_asked_for_again_once(centre: Centre) -> None:
    report = await released(centre, await recorded(centre))
    await give_up(centre)
    assert await ask(centre, datetime.now(UTC) + LATER) == (0, 1)
    assert await ask(centre, datetime.now(UTC) + LATER) == (0, 0)
    assert await jobs(centre, "make_document") == 1
    assert "document_again" in [line.what for line in await events(centre, report.study_id)]
