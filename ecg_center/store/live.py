"""How do pages and gateways hear at once that a study has moved?

One connection of the process LISTENs; every timeline line is NOTIFYed by a trigger as it commits. Subscribers get it
through a bounded queue; one that falls behind is told to reload everything rather than fed late news.

Between drawing a page and opening its stream, and while a stream is cut for a moment, studies move too. So a page
carries the place in the news up to which it is true (:attr:`Live.as_of`), and is told first what came after it.
"""

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import psycopg
import structlog

from ecg_center.store.events import LIVE_CHANNEL
from ecg_center.store.migrate import plain_url
from ecg_center.store.session import Scope

log = structlog.get_logger(__name__)

QUEUE_LENGTH = 200
KEPT = 1000
"""News kept for who comes late; some minutes of a busy centre."""
KEEPALIVE_S = 15
"""A listener never sends: without these a connection cut silently by a firewall would be missed for two hours."""
RECONNECT_S = 1.0
"""A restarted PostgreSQL is back within seconds; pages show the gap in the meantime."""


@dataclass(frozen=True)
class News:
    """One line of a timeline, or (``study`` None) the word to look at everything anew."""

    study: UUID | None
    institution: UUID | None
    what: str


RELOAD = News(None, None, "reload")
END = News(None, None, "end")
"""The process stops: whoever streams ends the stream, so that the stop need not wait for open pages."""


class Live:
    """Hands the database's notices to whoever subscribes."""

    def __init__(self, database_url: str) -> None:
        self._url = plain_url(database_url)
        self._subscribers: dict[asyncio.Queue[News], Scope] = {}
        self._task: asyncio.Task[None] | None = None
        self._ended = False
        self._process = secrets.token_hex(4)
        self._told = 0
        self._kept: deque[News] = deque(maxlen=KEPT)

    @property
    def as_of(self) -> str:
        """The place in the news: what is read from the database from now on holds all that came before it."""
        return f"{self._process}.{self._told}"

    async def start(self) -> None:
        """Begin to listen."""
        self._task = asyncio.create_task(self._run(), name="live")

    def end(self) -> None:
        """Tell every subscriber that the process stops; may be called from a signal handler."""
        self._ended = True
        if self._task is not None:
            self._task.get_loop().call_soon_threadsafe(self._tell, END)

    async def stop(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @asynccontextmanager
    async def subscribe(self, scope: Scope, since: str | None = None) -> AsyncIterator[asyncio.Queue[News]]:
        """A queue of the news in sight, for as long as the block lasts; first what came after the place ``since``."""
        queue: asyncio.Queue[News] = asyncio.Queue(QUEUE_LENGTH)
        for news in self._after(since) if since is not None else ():
            _offer(queue, scope, news)
        self._subscribers[queue] = scope
        if self._ended:  # a gateway asks again at once, on the connection it has
            queue.put_nowait(END)
        try:
            yield queue
        finally:
            del self._subscribers[queue]

    async def _run(self) -> None:
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(
                    self._url, autocommit=True, connect_timeout=5, keepalives_idle=KEEPALIVE_S
                ) as connection:
                    await connection.execute(f"LISTEN {LIVE_CHANNEL}")
                    self._tell(RELOAD)
                    async for notice in connection.notifies():
                        if (news := _read(notice.payload)) is not None:
                            self._tell(news)
            except psycopg.Error as error:
                log.warning("live_connection_lost", error=str(error).strip())
            await asyncio.sleep(RECONNECT_S)

    def _after(self, place: str) -> Iterable[News]:
        process, _, number = place.partition(".")
        missed = self._told - int(number) if number.isdecimal() else -1
        if process != self._process or not 0 <= missed <= len(self._kept):
            return (RELOAD,)  # of another process, or too long ago
        return tuple(self._kept)[len(self._kept) - missed :]

    def _tell(self, news: News) -> None:
        self._told += 1
        self._kept.append(news)
        for queue, scope in self._subscribers.items():
            _offer(queue, scope, news)


def _offer(queue: asyncio.Queue[News], scope: Scope, news: News) -> None:
    """Put it in, if it is in sight; whoever is too slow for that starts over."""
    if not scope.everything and news.institution is not None and news.institution not in scope.institutions:
        return
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(RELOAD)
    queue.put_nowait(news)


def _read(payload: str) -> News | None:
    """The news in a notice; None for words that are none of ours, which must not end the listening."""
    try:
        fields = json.loads(payload)
        return News(UUID(fields["study"]), UUID(fields["institution"]), str(fields["what"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        log.warning("live_notice_not_understood", payload=payload[:200])
        return None
