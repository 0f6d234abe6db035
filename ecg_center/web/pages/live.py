"""How do open pages hear that something moved? One stream a page, by server-sent events (``static/js/live.js``).

Nothing that moves is missed: a page names the place in the news up to which it is true (:class:`AsOf`), a browser whose
stream was cut the last place that it heard of (``Last-Event-ID``), and the stream begins there.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from ecg_center.http import SignedIn
from ecg_center.store.live import END, Live, News
from ecg_center.store.scopes import scope_of
from ecg_center.web.gateways import watch_of

router = APIRouter(include_in_schema=False)


class AsOf:
    """Keeps on ``request.state`` the place in the news when a request came: before its page was read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Note the place, then pass the request on."""
        if scope["type"] == "http":
            live: Live | None = getattr(scope["app"].state, "live", None)  # pages alone, without news, in tests
            scope.setdefault("state", {})["as_of"] = live.as_of if live else ""
        await self._app(scope, receive, send)


BEAT_S = 5.0
"""The page calls the connection lost after 15 s of silence: two beats may go missing."""


@router.get("/live", response_class=EventSourceResponse)
async def live_stream(
    request: Request,
    principal: SignedIn,
    since: Annotated[str, Query(max_length=40)] = "",
    last_event_id: Annotated[str, Header(max_length=40)] = "",
) -> AsyncIterator[ServerSentEvent]:
    """What moves within this person's sight since that place in the news, and a beat with the centre's time."""
    live: Live = request.app.state.live
    gateways = watch_of(request.app.state)
    shown: object = None  # what the page shows of them is not known: the first look is told
    async with live.subscribe(scope_of(principal), last_event_id or since) as news:

        def place() -> str | None:
            return live.as_of if news.empty() else None  # what still waits here was not heard

        yield beat(place())
        while True:
            if (standing := await gateways.standing()) != shown:
                shown = standing
                yield ServerSentEvent(event="change", data={"topics": ["gateways"]})
            try:
                async with asyncio.timeout(BEAT_S):
                    heard = await news.get()
            except TimeoutError:
                yield beat(place())
                continue
            if heard is END:
                return
            yield ServerSentEvent(event="change", data={"topics": topics(heard)}, id=place())


def beat(place: str | None) -> ServerSentEvent:
    """The centre's time, and the place in the news up to which all was told."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    return ServerSentEvent(event="beat", data={"now": now}, id=place)


def topics(news: News) -> list[str]:
    """Which regions of pages this concerns; ``all`` where news may have been missed.

    How far a pre-read is and what an edit makes of the figures concern the pages of that study alone.
    """
    if news.study is None:
        return ["all"]
    if news.what in ("progress", "findings"):
        return [f"{news.what}-{news.study}"]
    return ["studies", f"study-{news.study}"]
