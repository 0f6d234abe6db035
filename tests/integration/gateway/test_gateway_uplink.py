"""The uplink against the contract over real HTTP: once, in order of urgency, through cuts and refusals."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from support.contract_centre import TOKEN, ContractCentre, Line

from ecg_center.contract.upload import CHUNK_BYTES, Problem, RecordingIdentity
from gateway.centre import Centre
from gateway.health import Health
from gateway.items import Item, Origin
from gateway.settings import GatewaySettings
from gateway.spool import Spool
from gateway.uplink import Uplink

ROUTINE = Origin(institution_code="C01", transport="dicom", device="REC1")
PAIN = ROUTINE.model_copy(update={"identity": RecordingIdentity(chest_pain=True)})


@pytest.fixture
def far(tmp_path: Path) -> Iterator[ContractCentre]:
    centre = ContractCentre(tmp_path / "centre").start()
    yield centre
    centre.stop()


@pytest.fixture
def line(far: ContractCentre) -> Iterator[Line]:
    line = Line(far.port).start()
    yield line
    line.stop()


class Near:
    """Spool and uplink of one gateway."""

    def __init__(self, folder: Path, port: int, **changed: object) -> None:
        known = {"centre_url": f"http://127.0.0.1:{port}", "token": TOKEN, "spool": folder, "reserve_bytes": 0}
        self.settings = GatewaySettings(**(known | changed))  # type: ignore[arg-type]
        self.spool = Spool(folder, self.settings)
        self.spool.open()
        self.health = Health()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Uplink]:
        centre = Centre(self.settings)
        uplink = Uplink(self.spool, centre, self.health, self.settings.parallel_uploads)
        task = asyncio.create_task(uplink.run())
        await asyncio.sleep(0)
        try:
            yield uplink
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await centre.close()

    async def put(self, data: bytes, origin: Origin = ROUTINE) -> Item:
        return await asyncio.to_thread(self.spool.store, origin, [data])

    async def emptied(self, within_s: float = 15) -> None:
        async with asyncio.timeout(within_s):
            while self.spool.items("waiting"):
                await asyncio.sleep(0.01)


async def test_a_recording_is_there_milliseconds_after_it_is_safe(tmp_path: Path, far: ContractCentre) -> None:
    near = Near(tmp_path / "spool", far.port)
    waits = []
    async with near.running():
        for number in range(12):
            item = await near.put(b"%d" % number * 100_000)
            safe_at = time.time()
            await near.emptied()
            waits.append(far.taken_at[item.offer.sha256] - safe_at)
    assert sorted(waits)[6] < 0.1
    assert len(far.taken) == 12
    assert not near.health.problems()


async def test_a_large_file_goes_in_chunks_and_survives_cuts(tmp_path: Path, far: ContractCentre, line: Line) -> None:
    near = Near(tmp_path / "spool", line.port)
    data = os.urandom(CHUNK_BYTES * 12 + 17)
    async with near.running() as uplink:
        for cut in range(1, 5):
            line.cut_after = CHUNK_BYTES * 2 + 1000 * cut
            if cut == 1:
                await near.put(data)
            async with asyncio.timeout(10):
                while line.cuts < cut:
                    await asyncio.sleep(0.005)
            uplink.link_is_up()
        await near.emptied()
    (sha256,) = far.taken
    assert (far.stored / sha256).read_bytes() == data
    assert near.spool.items("delivered")


async def test_a_centre_that_comes_back_is_found_again(tmp_path: Path, far: ContractCentre) -> None:
    far.stop()
    near = Near(tmp_path / "spool", far.port)
    async with near.running() as uplink:
        await near.put(b"while the centre is away")
        await asyncio.sleep(0.3)
        assert near.health.problems() == ["uplink: the centre cannot be reached; recordings wait in the spool"]
        far.start()
        uplink.link_is_up()  # as the heartbeat says it
        await near.emptied()
    assert not near.health.problems()


async def test_an_answer_lost_after_the_last_byte_makes_no_second_recording(
    tmp_path: Path, far: ContractCentre, line: Line
) -> None:
    near = Near(tmp_path / "spool", line.port)
    complete = far._complete

    def then_cut(sha256: str) -> object:
        answer = complete(sha256)
        line._loop.call_soon_threadsafe(line._cut)
        time.sleep(0.05)
        far._complete = complete  # type: ignore[method-assign]
        return answer

    far._complete = then_cut  # type: ignore[assignment,method-assign]
    async with near.running():
        item = await near.put(b"x" * 1000)
        await near.emptied()
    assert far.taken == [item.offer.sha256]
    assert line.cuts == 1


async def test_urgent_first_and_routine_pauses_for_it(tmp_path: Path, far: ContractCentre) -> None:
    near = Near(tmp_path / "spool", far.port, parallel_uploads=1)
    for number in range(3):
        await near.put(b"routine %d" % number * CHUNK_BYTES)
    pain = await near.put(b"pain" * CHUNK_BYTES, PAIN)
    async with near.running():
        await near.emptied()
    assert far.taken[0] == pain.offer.sha256
    routine = [item.offer.sha256 for item in near.spool.items("delivered") if not item.urgent]
    assert far.taken[1:] == routine, "then the oldest"


async def test_an_urgent_one_overtakes_a_running_upload(tmp_path: Path, far: ContractCentre) -> None:
    near = Near(tmp_path / "spool", far.port, parallel_uploads=1)
    large = await near.put(os.urandom(CHUNK_BYTES * 60))
    async with near.running():
        while not (far.parts / large.offer.sha256).exists():
            await asyncio.sleep(0.002)
        pain = await near.put(os.urandom(CHUNK_BYTES * 2), PAIN)
        await near.emptied()
    assert far.taken == [pain.offer.sha256, large.offer.sha256]


async def test_one_recording_that_fails_does_not_hold_the_others(tmp_path: Path, far: ContractCentre) -> None:
    far.fail_next = 1
    near = Near(tmp_path / "spool", far.port, parallel_uploads=1)
    async with near.running():
        first = await near.put(b"first")
        await asyncio.sleep(0.1)
        second = await near.put(b"second")
        await near.emptied()
    assert set(far.taken) == {first.offer.sha256, second.offer.sha256}


async def test_a_refusal_is_kept_told_and_retried_on_demand(tmp_path: Path, far: ContractCentre) -> None:
    far.refuse_with = Problem(type="not-allowed", title="no", detail="Gateway does not serve C01.", retry=False)
    near = Near(tmp_path / "spool", far.port)
    async with near.running():
        await near.put(b"of an unknown clinic")
        await near.emptied()
        (refused,) = near.spool.items("refused")
        assert refused.problem == far.refuse_with
        assert refused.recording.read_bytes() == b"of an unknown clinic"
        far.refuse_with = None
        assert near.spool.retry() == 1
        await near.emptied()
    assert len(far.taken) == 1


async def test_a_wrong_token_refuses_nothing(tmp_path: Path, far: ContractCentre) -> None:
    near = Near(tmp_path / "spool", far.port, token="not-the-right-one")
    async with near.running():
        await near.put(b"waits for the right token")
        while not near.health.problems():
            await asyncio.sleep(0.01)
    assert near.health.problems() == ["uplink: the centre does not know this gateway's token; set a valid `token`"]
    assert len(near.spool.items("waiting")) == 1


async def test_a_centre_that_forgot_the_upload_gets_it_anew(tmp_path: Path, far: ContractCentre) -> None:
    near = Near(tmp_path / "spool", far.port)
    data = os.urandom(CHUNK_BYTES * 8)
    async with near.running():
        item = await near.put(data)
        while not (far.parts / item.offer.sha256).exists():
            await asyncio.sleep(0.002)
        (far.parts / item.offer.sha256).unlink(missing_ok=True)
        far.offers.clear()
        await near.emptied()
    assert (far.stored / item.offer.sha256).read_bytes() == data


async def test_damage_on_disk_is_never_sent(tmp_path: Path, far: ContractCentre) -> None:
    near = Near(tmp_path / "spool", far.port)
    item = await near.put(b"good bytes")
    near.spool.close()
    item.recording.write_bytes(b"evil bytes")
    again = Near(tmp_path / "spool", far.port)
    async with again.running():
        await again.emptied()
        async with asyncio.timeout(15):  # it is set aside first, told after
            while not again.health.problems():
                await asyncio.sleep(0.01)
    assert not far.taken
    assert again.spool.stats().corrupt == 1
    assert "damaged" in again.health.problems()[0]


async def test_a_page_that_is_not_the_centres_is_no_receipt(tmp_path: Path) -> None:
    async def portal(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html>pay me!")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(portal, "127.0.0.1", 0)
    near = Near(tmp_path / "spool", server.sockets[0].getsockname()[1])
    async with near.running():
        await near.put(b"not for the portal")
        while not near.health.problems():
            await asyncio.sleep(0.01)
    server.close()
    assert len(near.spool.items("waiting")) == 1
