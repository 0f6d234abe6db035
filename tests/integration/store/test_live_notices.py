"""News of a study reaches who may see it, soon, and after any break the word to look at everything anew."""

import asyncio
import json
from pathlib import Path

import psycopg
import pytest
from support.centre import Centre
from support.postgres import FAST, TestServer
from support.studies import upload

from ecg_center.embedded.postgres import EmbeddedPostgres
from ecg_center.store.events import CENTRE, note
from ecg_center.store.live import KEPT, QUEUE_LENGTH, RELOAD, Live, News
from ecg_center.store.migrate import plain_url
from ecg_center.store.session import EVERYTHING, Scope
from ecg_center.store.tables import Study


async def heard(queue: asyncio.Queue[News], seconds: float = 5) -> News:
    return await asyncio.wait_for(queue.get(), seconds)


async def drained(queue: asyncio.Queue[News]) -> list[News]:
    await asyncio.sleep(0.2)
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def test_news_stays_within_sight_and_comes_with_the_commit(centre: Centre) -> None:
    live: Live = centre.app.state.live
    t1, t2 = await centre.person("t1"), await centre.person("t2")
    async with (
        live.subscribe(EVERYTHING) as everything,
        live.subscribe(Scope(institutions=(t1.institution_id,))) as of_t1,
        live.subscribe(Scope(institutions=(t2.institution_id,))) as of_t2,
        live.subscribe(Scope()) as nobody,
    ):
        await drained(everything), await drained(of_t1), await drained(of_t2), await drained(nobody)
        receipt = await upload(centre)
        news = await heard(of_t1)
        assert (news.study, news.institution, news.what) == (receipt.study_id, t1.institution_id, "safe")
        assert [item.what for item in await drained(of_t1)] == ["receive"]
        assert len(await drained(everything)) == 2
        assert await drained(of_t2) == []
        assert await drained(nobody) == []


async def test_what_is_rolled_back_is_not_told(centre: Centre) -> None:
    live: Live = centre.app.state.live
    receipt = await upload(centre)

    async def breaks() -> None:
        async with centre.database.transaction(EVERYTHING) as session:
            study = await session.get(Study, receipt.study_id)
            note(session, study, "claim", actor=CENTRE, at=receipt.stored_at)
            await session.flush()
            raise KeyError

    async with live.subscribe(EVERYTHING) as queue:
        await drained(queue)
        with pytest.raises(KeyError):
            await breaks()
        assert await drained(queue) == []


async def test_who_falls_behind_is_told_to_reload(centre: Centre) -> None:
    live: Live = centre.app.state.live
    async with live.subscribe(EVERYTHING) as queue:
        await drained(queue)
        for number in range(QUEUE_LENGTH + 5):
            live._tell(News(None, None, str(number)))
        news = await drained(queue)
    assert news[0] is RELOAD
    assert [item.what for item in news[1:]] == [str(number) for number in range(QUEUE_LENGTH, QUEUE_LENGTH + 5)]


async def test_who_comes_late_is_told_first_what_came_after_its_page(centre: Centre) -> None:
    live: Live = centre.app.state.live
    async with live.subscribe(EVERYTHING) as early:
        await drained(early)  # until it listens
        drawn = live.as_of
        receipt = await upload(centre)
        assert (await heard(early)).study == receipt.study_id
    async with live.subscribe(EVERYTHING, drawn) as queue:
        assert [news.study for news in await drained(queue)][:1] == [receipt.study_id]
    async with live.subscribe(Scope(), drawn) as blind:
        assert await drained(blind) == []
        await drained(queue)
    async with live.subscribe(EVERYTHING, live.as_of) as queue:
        assert await drained(queue) == []


@pytest.mark.parametrize("place", ["", "another.7", "another", "{process}.-1", "{process}.999999999", "{process}.x"])
async def test_a_place_that_is_not_known_means_everything_anew(centre: Centre, place: str) -> None:
    live: Live = centre.app.state.live
    process = live.as_of.partition(".")[0]
    async with live.subscribe(EVERYTHING, place.format(process=process)) as queue:
        assert queue.get_nowait() is RELOAD


async def test_a_place_that_is_too_long_ago_means_everything_anew(centre: Centre) -> None:
    live: Live = centre.app.state.live
    drawn = live.as_of
    for number in range(KEPT):
        live._tell(News(None, None, str(number)))
    async with live.subscribe(Scope(), drawn) as queue:
        assert queue.qsize() <= QUEUE_LENGTH  # the first of them gave way to the word to look anew
        assert queue.get_nowait() is RELOAD
    live._tell(News(None, None, "one more"))
    async with live.subscribe(Scope(), drawn) as queue:
        assert [queue.get_nowait()] == [RELOAD]
        assert queue.empty()


async def test_words_that_are_none_of_ours_do_not_make_it_deaf(centre: Centre) -> None:
    live: Live = centre.app.state.live
    async with live.subscribe(EVERYTHING) as queue:
        await drained(queue)
        with psycopg.connect(plain_url(centre.store.database_url), autocommit=True) as other:
            for payload in ("", "{}", "not json", json.dumps({"study": "x", "institution": None, "what": "y"}), "[]"):
                other.execute("SELECT pg_notify('ecg_live', %s)", (payload,))
        await upload(centre)
        while (await heard(queue)).what != "receive":
            pass


async def test_a_cut_connection_is_made_anew_and_says_so(centre: Centre, postgres: TestServer) -> None:
    live: Live = centre.app.state.live
    async with live.subscribe(EVERYTHING) as queue:
        await drained(queue)
        with psycopg.connect(plain_url(postgres.superuser_url), autocommit=True) as other:
            cut = other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE starts_with(query, 'LISTEN') AND datname = %s",
                (centre.store.database_url.rpartition("/")[2],),
            ).fetchall()
        assert cut == [(True,)]
        assert await heard(queue) is RELOAD
        await upload(centre)
        assert (await heard(queue)).what == "safe"


async def test_a_server_that_restarts_is_found_again(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    server = EmbeddedPostgres(tmp_path / "pg", settings=FAST)
    await asyncio.to_thread(server.start)
    live = Live(server.superuser_url)
    try:
        await live.start()
        async with live.subscribe(EVERYTHING) as queue:
            assert await heard(queue) is RELOAD
            await asyncio.to_thread(server.stop)
            await asyncio.sleep(0.5)
            assert queue.empty()
            await asyncio.to_thread(server.start)
            assert await heard(queue, 15) is RELOAD
    finally:
        await live.stop()
        await asyncio.to_thread(server.reset)
