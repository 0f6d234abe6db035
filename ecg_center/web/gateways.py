"""How do open pages hear of a silence? Nothing happens when a gateway falls silent, so somebody has to look.

One look a few seconds for the whole process, whoever asks and however many pages are open.
"""

import asyncio
import contextlib
import time
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from ecg_center.directory import service
from ecg_center.store.session import EVERYTHING, Database

LOOK_EVERY_S = 5.0


class GatewayWatch:
    """Which alerts stand, as a value that differs when they do."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = asyncio.Lock()
        self._looked = float("-inf")
        self._standing: tuple[object, ...] = ()

    async def standing(self) -> tuple[object, ...]:
        """The alerts of all gateways, at most some seconds old; how long they last is not part of it."""
        async with self._lock:
            if time.monotonic() - self._looked >= LOOK_EVERY_S:
                self._looked = time.monotonic()
                with contextlib.suppress(SQLAlchemyError):  # the pages say by themselves when the database is away
                    self._standing = await self._look()
            return self._standing

    async def _look(self) -> tuple[object, ...]:
        async with self._database.transaction(EVERYTHING) as session:
            alerts = await service.gateway_alerts(session, datetime.now(UTC))
        return tuple(
            (alert.name, alert.silent_since, alert.waiting, alert.disk_low, *alert.problems) for alert in alerts
        )


def watch_of(state: object) -> GatewayWatch:
    """The process's one watch, kept on ``app.state``."""
    found: GatewayWatch | None = getattr(state, "gateway_watch", None)
    if found is None:
        found = GatewayWatch(state.database)  # type: ignore[attr-defined]
        state.gateway_watch = found  # type: ignore[attr-defined]
    return found
