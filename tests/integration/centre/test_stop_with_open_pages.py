"""A stop need not wait for open pages and long polls: their streams end, and new ones end at once."""

import asyncio

from support.centre import Centre

from ecg_center.store.live import END, RELOAD, Live
from ecg_center.store.session import EVERYTHING


async def test_every_stream_ends_and_new_ones_end_at_once(centre: Centre) -> None:
    live: Live = centre.app.state.live
    async with live.subscribe(EVERYTHING) as open_page:
        live.end()
        async with asyncio.timeout(5):
            while (heard := await open_page.get()) is RELOAD:
                pass
        assert heard is END
    async with live.subscribe(EVERYTHING) as late:
        assert late.get_nowait() is END


async def test_a_long_poll_answers_when_the_process_stops(centre: Centre) -> None:
    async with centre.gateway() as client:
        asking = asyncio.create_task(client.get("/api/gateway/prints", params={"wait_s": 30}))
        await asyncio.sleep(0.3)
        assert not asking.done()
        centre.app.state.live.end()
        async with asyncio.timeout(5):
            assert (await asking).json() == {"tasks": []}
