"""kill -9 of any part at any moment of the main job: nothing that a device was told is safe is lost or doubled.

One whole centre runs (real PostgreSQL, broker, gateway, worker, printers) as in ``ecg-center demo --once``. For each
part, a study is taken from order to paper several times, and the part is killed at a different moment of it, from the
first millisecond to the last. The people of the story do what people do: they try again. Then the database is asked.
"""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text

from ecg_center.demo.machine import Machine
from ecg_center.demo.once import Story, run_story
from ecg_center.embedded.files import folder_of_ones_own
from ecg_center.embedded.ports import free_port
from ecg_center.store.session import EVERYTHING, Database

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600), pytest.mark.asyncio(loop_scope="module")]

PARTS = ("gateway", "worker", "web", "jobs", "postgres", "broker")
MOMENTS = 5
"""For each part; the moments are spread evenly over the length of an undisturbed story, first and last included."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def machine() -> AsyncIterator[Machine]:
    folder = folder_of_ones_own("kill")
    machine = Machine(folder, free_port(), quiet=True)
    try:
        await machine.start(fleet=False)
        yield machine
    finally:
        await machine.supervisor.stop()
        machine.postgres.reset()
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quiet_s(machine: Machine) -> float:
    """How long a story takes that nobody disturbs, the second of two so that everything is warm."""
    await run_story(machine, "dicom")
    started = time.monotonic()
    await run_story(machine, "mqtt")
    return time.monotonic() - started


@pytest.mark.parametrize("part", PARTS)
async def test_a_kill_at_any_moment_loses_and_doubles_nothing(machine: Machine, quiet_s: float, part: str) -> None:
    transport = "mqtt" if part == "broker" else "dicom"
    for moment in range(MOMENTS):
        story_task = asyncio.create_task(run_story(machine, transport))
        await asyncio.sleep(quiet_s * moment / (MOMENTS - 1))
        killed = machine.supervisor.kill(part)
        story = await story_task
        await machine.supervisor.wait_restarted(part, killed)
        await _exactly_once(machine, story)


async def _exactly_once(machine: Machine, story: Story) -> None:
    """One recording, its bytes there; one release, one document, one delivery, one page."""
    database = Database(machine.urls.app, pool_size=1)
    try:
        async with database.transaction(EVERYTHING) as session:
            row = (
                await session.execute(
                    text("""
                        SELECT state,
                          (SELECT count(*) FROM recording WHERE study_id = study.id) AS recordings,
                          (SELECT min(sha256) FROM recording WHERE study_id = study.id) AS sha256,
                          (SELECT count(*) FROM findings WHERE study_id = study.id) AS findings,
                          (SELECT count(*) FROM report WHERE study_id = study.id AND state = 'released') AS released,
                          (SELECT count(*) FROM delivery WHERE study_id = study.id) AS deliveries,
                          (SELECT count(*) FROM study_event WHERE study_id = study.id AND what = 'receive') AS received
                        FROM study WHERE id = :id
                    """),
                    {"id": story.study_id},
                )
            ).one()
    finally:
        await database.close()
    assert row.state == "delivered"
    assert (row.recordings, row.findings, row.released, row.deliveries, row.received) == (1, 1, 1, 1, 1)
    assert (machine.folder / "blobs" / "original" / row.sha256[:2] / row.sha256).stat().st_size > 0
    assert story.printed_page
