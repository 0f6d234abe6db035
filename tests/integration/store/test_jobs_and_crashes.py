"""A job happens if its transaction did, and happens in the end though its worker was killed."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from support import job_worker
from support.centre import Centre
from support.studies import events, recorded, register, released, study_of, upload

from ecg_center.embedded.roles import DatabaseUrls
from ecg_center.jobs import add_tasks
from ecg_center.store.deadlines import WAKE_TASK
from ecg_center.store.jobs import CENTRE_QUEUE, RELEASE_TASK, REMATCH_TASK, defer, make_app
from ecg_center.store.migrate import plain_url
from ecg_center.store.session import EVERYTHING, Database
from ecg_center.store.tables import Recording

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
async def open_database(database: DatabaseUrls):
    opened = Database(database.app, pool_size=2)
    yield opened
    await opened.close()


async def jobs(database: Database) -> list[tuple[str, str]]:
    async with database.transaction(EVERYTHING) as session:
        rows = await session.execute(text("SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id"))
        return [tuple(row) for row in rows]


async def test_a_transaction_that_is_rolled_back_leaves_no_job(open_database: Database) -> None:
    async def breaks() -> None:
        async with open_database.transaction(EVERYTHING) as session:
            await defer(session, "slow", queue=CENTRE_QUEUE)
            raise KeyError

    with pytest.raises(KeyError):
        await breaks()
    assert await jobs(open_database) == []
    async with open_database.transaction(EVERYTHING) as session:
        await defer(session, "slow", queue=CENTRE_QUEUE)
        async with open_database.transaction(EVERYTHING) as other:
            assert (await other.execute(text("SELECT count(*) FROM procrastinate_jobs"))).scalar_one() == 0
    assert await jobs(open_database) == [("slow", "todo")]


async def test_a_refused_use_case_leaves_no_job(centre: Centre) -> None:
    """An upload whose bytes are wrong orders no pre-read."""
    await upload(centre)
    before = await jobs(centre.database)
    async with centre.gateway() as client:
        await client.patch(f"/api/gateway/uploads/{'0' * 64}", headers={"Upload-Offset": "0"}, content=b"x")
    await upload(centre)  # the same bytes again
    assert await jobs(centre.database) == before


class Workers:
    """Worker processes of a test, gone at its end."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._started: list[subprocess.Popen[bytes]] = []

    def start(self, how: str) -> tuple[subprocess.Popen[bytes], Path]:
        file = self._folder / f"{how}-{len(self._started)}"
        process = subprocess.Popen(
            [sys.executable, job_worker.__file__, self._url, how, str(file)],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        )
        self._started.append(process)
        return process, file

    def stop(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()


@pytest.fixture
def workers(database: DatabaseUrls, tmp_path: Path) -> Iterator[Workers]:
    started = Workers(database.app, tmp_path)
    yield started
    started.stop()


def wait_for(file: Path, seconds: float = 30) -> None:
    ends = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < ends, f"{file.name} did not come"
        time.sleep(0.05)


def test_the_job_of_a_killed_worker_is_done_by_another(database: DatabaseUrls, workers: Workers) -> None:
    conninfo = plain_url(database.app)

    async def order() -> None:
        opened = Database(database.app, pool_size=1)
        async with opened.transaction(EVERYTHING) as session:
            await defer(session, "slow", queue=CENTRE_QUEUE)
        await opened.close()

    asyncio.run(order())
    hanging, begun = workers.start("hang")
    wait_for(begun)
    assert int(begun.read_text()) == hanging.pid
    hanging.send_signal(signal.SIGKILL)
    hanging.wait()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        assert connection.execute(
            "SELECT status::text FROM procrastinate_jobs WHERE task_name = 'slow'"
        ).fetchone() == ("doing",)
        # Ten seconds of silence pass.
        connection.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '11 seconds'")
    _, done = workers.start("finish")
    wait_for(done)
    with psycopg.connect(conninfo) as connection:
        for _ in range(100):
            left = connection.execute("SELECT task_name FROM procrastinate_jobs WHERE task_name = 'slow'").fetchall()
            connection.rollback()
            if not left:
                break
            time.sleep(0.05)
        assert left == []


async def run_once(centre: Centre) -> None:
    """Do what waits in the centre's queue, as ``ecg-center jobs`` does, and come back."""
    app = make_app(centre.store.database_url)
    add_tasks(app, centre.press, centre.app.state.uploads)
    assert {RELEASE_TASK, REMATCH_TASK, WAKE_TASK, "deadline_sweep", "housekeeping", "retry_stalled"} <= set(app.tasks)
    async with app.open_async():
        await app.run_worker_async(
            queues=[CENTRE_QUEUE], wait=False, install_signal_handlers=False, delete_jobs="successful"
        )


async def test_the_release_makes_its_document_by_its_job(centre: Centre) -> None:
    exam = await recorded(centre)
    await released(centre, exam)
    await run_once(centre)
    assert "document" in [line.what for line in await events(centre, exam.study_id)]
    async with centre.gateway() as client:
        assert len((await client.get("/api/gateway/prints")).json()["tasks"]) == 1
    waiting = [name for name, status in await jobs(centre.database) if status == "todo" and name != "preread"]
    assert set(waiting) <= {WAKE_TASK}, "only what is for later"
    assert not [name for name, status in await jobs(centre.database) if status == "failed"]


async def test_a_decoded_accession_number_finds_its_order_by_its_job(centre: Centre) -> None:
    order = await register(centre)
    receipt = await upload(centre)
    async with centre.database.transaction(EVERYTHING) as session:
        recording = await session.get(Recording, receipt.recording_id)
        recording.identity = {"accession_number": order.accession_number}
        await defer(session, REMATCH_TASK, queue=CENTRE_QUEUE, recording_id=str(receipt.recording_id))
    await run_once(centre)
    assert (await study_of(centre, receipt.study_id)).accession_number == order.accession_number


async def test_a_woken_deadline_reads_its_row_again(centre: Centre) -> None:
    """The job may come late, twice, or for a deadline that was met: only what stands in the row counts."""
    receipt = await upload(centre, chest_pain=True)
    async with centre.database.transaction(EVERYTHING) as session:
        at = text("SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = :wake ORDER BY scheduled_at")
        times = list(await session.scalars(at, {"wake": WAKE_TASK}))
        assert len(times) == 6
        await session.execute(text("UPDATE procrastinate_jobs SET scheduled_at = now() WHERE scheduled_at IS NOT NULL"))
    assert times[0] > datetime.now(UTC)
    await run_once(centre)
    assert [line.what for line in await events(centre, receipt.study_id)] == ["safe", "receive"]
    async with centre.database.transaction(EVERYTHING) as session:
        await session.execute(text("UPDATE deadline SET warn_at = now() - interval '1 min', due_at = now()"))
        await defer(session, WAKE_TASK, queue=CENTRE_QUEUE, study_id=str(receipt.study_id))
        await defer(session, WAKE_TASK, queue=CENTRE_QUEUE, study_id=str(receipt.study_id))
    await run_once(centre)
    said = [line.what for line in await events(centre, receipt.study_id)][2:]
    assert said == ["deadline_breached"] * 3
