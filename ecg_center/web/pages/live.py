"""How do open pages hear that something moved? One stream a page, by server-sent events (``static/js/live.js``)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from ecg_center.http import SignedIn
from ecg_center.store.live import END, Live, News
from ecg_center.store.scopes import scope_of
from ecg_center.web.gateways import watch_of

router = APIRouter(include_in_schema=False)

BEAT_S = 5.0
"""The page calls the connection lost after 15 s of silence: two beats may go missing."""


@router.get("/live", response_class=EventSourceResponse)
async def live_stream(request: Request, principal: SignedIn) -> AsyncIterator[ServerSentEvent]:
    """What moves within this person's sight, and a beat with the centre's time."""
    live: Live = request.app.state.live
    gateways = watch_of(request.app.state)
    shown = await gateways.standing()
    async with live.subscribe(scope_of(principal)) as news:
        yield beat()
        while True:
            if (standing := await gateways.standing()) != shown:
                shown = standing
                yield ServerSentEvent(event="change", data={"topics": ["gateways"]})
            try:
                async with asyncio.timeout(BEAT_S):
                    heard = await news.get()
            except TimeoutError:
                yield beat()
                continue
            if heard is END:
                return
            yield ServerSentEvent(event="change", data={"topics": topics(heard)})


def beat() -> ServerSentEvent:
    """The centre's time."""
    return ServerSentEvent(event="beat", data={"now": datetime.now(UTC).isoformat(timespec="milliseconds")})


def topics(news: News) -> list[str]:
    """Which regions of pages this concerns; ``all`` where news may have been missed.

    How far a pre-read is and what an edit makes of the figures concern the pages of that study alone.
    """
    if news.study is None:
        return ["all"]
    if news.what in ("progress", "findings"):
        return [f"{news.what}-{news.study}"]
    return ["studies", f"study-{news.study}"]
