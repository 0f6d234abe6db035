"""The centre's pages served to a real browser, and the log-in of the demo's people."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page
from support.centre import Centre

from ecg_center.demo.community import PASSWORD

DESKTOP = {"width": 1440, "height": 900}


@pytest.fixture
async def address(centre: Centre) -> AsyncIterator[str]:
    """The centre's pages, served in the test's own event loop."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(centre.app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with contextlib.suppress(NotImplementedError):
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined,method-assign]
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task


@pytest.fixture
async def enter(chromium: Browser, address: str) -> AsyncIterator[Callable]:
    """Open the pages as one of the demo's people; fails on any script error or breach of the content policy."""
    errors: list[str] = []
    contexts: list[BrowserContext] = []

    async def sign_in(login: str, path: str = "/", **options) -> Page:
        context = await chromium.new_context(**{"base_url": address, "viewport": DESKTOP, **options})
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(f"{login}: {error}"))
        page.on(
            "console",
            lambda said: errors.append(f"{login}: {said.text}") if "Content Security Policy" in said.text else None,
        )
        await page.goto("/login")
        await page.fill("#login", login)
        await page.fill("#password", PASSWORD)
        await page.press("#password", "Enter")
        await page.wait_for_url(lambda url: "/login" not in url)
        if path != "/":
            await page.goto(path)
        return page

    yield sign_in
    for context in contexts:
        await context.close()
    assert not errors, errors
