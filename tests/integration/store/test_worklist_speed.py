"""The lists that everybody looks at all day, with ten thousand open studies: each within 50 ms on an idle machine.

``pytest -s`` prints what was measured. The limit here is four times as high, for machines that do something else.
"""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import select
from support.centre import Centre
from support.many import fill

from ecg_center.delivery import service as delivery
from ecg_center.embedded.roles import DatabaseUrls
from ecg_center.registration import service as registration
from ecg_center.store.migrate import plain_url
from ecg_center.store.scopes import scope_of
from ecg_center.store.tables import Study
from ecg_center.timeline import service as timeline
from ecg_center.worklist import queries
from ecg_center.worklist import service as worklist

OPEN, HISTORY = 10_000, 5_000
LIMIT_S = 0.2
RUNS = 5


async def test_ten_thousand_open_studies(centre: Centre, centre_database: DatabaseUrls) -> None:
    await fill(centre, open_studies=OPEN, history=HISTORY)
    with psycopg.connect(plain_url(centre_database.owner), autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    now = datetime.now(UTC)
    lists: dict[tuple[str, str], Callable[[Any, Any], Awaitable[Any]]] = {
        ("wang", "to write"): lambda s, p: worklist.rows(s, p, "write", now),
        ("zhao", "to review"): lambda s, p: worklist.rows(s, p, "review", now),
        ("wang", "to write, the last page"): lambda s, p: worklist.rows(s, p, "write", now, offset=6500),
        ("wang", "counts"): lambda s, p: worklist.counts(s, p, now),
        ("wang", "the next to read"): lambda s, p: queries.next_free(
            s, "write", p.person_id, ["resting"], now, after=None
        ),
        ("wang", "recent"): lambda s, p: worklist.recent(s, now),
        ("t1", "recent of a clinic"): lambda s, p: worklist.recent(s, now, since=now - timedelta(days=7)),
        ("wang", "search a name"): lambda s, p: worklist.recent(s, now, text="患者77"),
        ("wang", "search a number"): lambda s, p: worklist.recent(s, now, text="l100000777"),
        ("wang", "search in vain"): lambda s, p: worklist.recent(s, now, text="nobody"),
        ("t1", "open orders"): lambda s, _: registration.open_orders(s, now),
        ("t1", "print tasks"): lambda s, _: delivery.tasks(s),
        ("wang", "deadline sweep"): lambda s, _: queries.running_deadlines(s, now - timedelta(days=900), 500),
    }
    async with centre.database.transaction(scope_of(await centre.person("wang"))) as session:
        study_id = await session.scalar(select(Study.id).limit(1))
    lists["wang", "timeline"] = lambda s, _: timeline.timeline(s, study_id)
    took: dict[str, float] = {}
    for (login, name), look in lists.items():
        person = await centre.person(login)
        for _ in range(RUNS):
            async with centre.database.transaction(scope_of(person)) as session:
                began = time.perf_counter()
                await look(session, person)
                took[name] = min(took.get(name, 9), time.perf_counter() - began)
        print(f"{name:28} {took[name] * 1000:6.1f} ms")
    assert {name: seconds for name, seconds in took.items() if seconds > LIMIT_S} == {}
