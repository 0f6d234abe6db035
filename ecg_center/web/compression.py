"""How does a worklist of 160 kB reach a phone on a poor line, and again with each refresh? Compressed to a tenth.

Pages and static files only: recordings and reports go as they are, and streams (SSE) must never wait in a buffer.
"""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEAST_BYTES = 4096
"""A smaller answer travels in as few packets as it is."""
LEVEL = 4
"""2 ms for a worklist; higher levels take twice as long for a few percent."""
AS_THEY_ARE = ("/api/", "/live", "/reports/", "/healthz", "/metrics")


class CompressedPages:
    """gzip for whoever takes it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(app, minimum_size=LEAST_BYTES, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Compress the answer, or pass the request on untouched."""
        plain = scope["type"] != "http" or scope["path"].startswith(AS_THEY_ARE)
        await (self._app if plain else self._compressed)(scope, receive, send)
