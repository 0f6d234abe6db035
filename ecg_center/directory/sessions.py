"""Who stands behind a request? Read once, before any handler, from the cookie or the gateway's token.

Pure ASGI, so that streams (SSE, long polls) pass untouched.
"""

from datetime import UTC, datetime

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from ecg_center.directory import accounts
from ecg_center.store.session import EVERYTHING, Database

SESSION_COOKIE = "ecg_session"
UNWATCHED = ("/static/", "/healthz", "/metrics")


class WhoAsks:
    """Puts the signed-in person or the gateway on ``request.state``."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find the caller, then pass the request on."""
        if scope["type"] == "http" and not scope["path"].startswith(UNWATCHED):
            request = Request(scope)
            try:
                await self._find(request)
            except (OperationalError, InterfaceError, PoolTimeoutError) as error:
                # Outside the handlers' own net: without this a restarting database would read as our fault (500),
                # and a gateway would not know that it should try again.
                unavailable = request.app.exception_handlers[OperationalError]
                await (await unavailable(request, error))(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _find(self, request: Request) -> None:
        source = request.client.host if request.client else ""
        bearer = request.headers.get("authorization", "")
        cookie = request.cookies.get(SESSION_COOKIE)
        database: Database = request.app.state.database
        if bearer.lower().startswith("bearer "):
            async with database.transaction(EVERYTHING) as session:
                request.state.gateway = await accounts.gateway_of(session, bearer[7:].strip(), source)
        elif cookie:
            async with database.transaction(EVERYTHING) as session:
                request.state.person = await accounts.principal_of(
                    session, cookie, now=datetime.now(UTC), source=source
                )
