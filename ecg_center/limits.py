"""How much may one request send?

Everything but an upload's chunks is a form or a small document; more is refused before it fills the memory, also from
somebody who is not signed in.
"""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1024 * 1024
"""A full report with every measurement is some 10 kB."""
UNLIMITED = ("/api/gateway/uploads/",)
"""Chunks of recordings: their own handler counts them, for gateways only."""


class BodyLimit:
    """Refuses requests with more than ``MAX_BODY_BYTES`` of body with 413."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting what it sends."""
        if scope["type"] != "http" or scope["path"].startswith(UNLIMITED):
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        too_large = announced.isdecimal() and int(announced) > MAX_BODY_BYTES
        received = 0

        async def counted() -> Message:
            nonlocal received
            if too_large:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        await self.app(scope, counted, send)
