"""How does a transaction know whose rows it may see?

Every transaction names its :class:`Scope`; PostgreSQL's row-level security does the rest. The settings are local to the
transaction (``set_config(…, true)``), so a pooled connection never carries one caller's sight to the next, and a
transaction that names no scope sees nothing.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

POOL_SIZE = 10
"""Requests are short; a session waits for a connection rather than letting PostgreSQL run out of them."""
POOL_TIMEOUT_S = 10
STATEMENT_TIMEOUT_MS = 15_000
"""No page may hang on a query; the longest, a ten-thousand-row worklist, takes tens of milliseconds."""


@dataclass(frozen=True)
class Scope:
    """Which institutions' rows are seen: all of them, or those named."""

    everything: bool = False
    institutions: tuple[UUID, ...] = ()


EVERYTHING = Scope(everything=True)
"""The centre's own staff and processes."""


class Database:
    """The centre's database, entered as the application's role."""

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE) -> None:
        self.url = url
        self.engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            pool_pre_ping=True,
            # No query here is worth compiling: above its cost limit a worklist of 30 ms would take 150.
            connect_args={"options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c jit=off", "connect_timeout": 5},
        )
        self._session = async_sessionmaker(self.engine, expire_on_commit=False, autoflush=True)

    @asynccontextmanager
    async def transaction(self, scope: Scope) -> AsyncIterator[AsyncSession]:
        """One transaction in the scope: committed when the block ends, rolled back when it raises."""
        async with self._session.begin() as session:
            await session.execute(
                text("SELECT set_config('ecg.scope', :scope, true), set_config('ecg.institutions', :own, true)"),
                {
                    "scope": "all" if scope.everything else "own",
                    "own": ",".join(str(institution) for institution in scope.institutions),
                },
            )
            yield session

    async def close(self) -> None:
        """Close every pooled connection."""
        await self.engine.dispose()
