"""A real browser for tests: the system's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"

FLAGS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without these it calls home at every start, which a closed network answers with minutes of refusals.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser's program."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None and os.access(MAC, os.X_OK):
        path = MAC
    if path is None:
        pytest.skip("no Chromium installed (apt-get install chromium)")
    return path


def launch_options(path: str) -> dict[str, object]:
    """For ``playwright.chromium.launch``, asynchronous or not."""
    # As root Chromium refuses its own sandbox.
    return {"executable_path": path, "headless": True, "args": FLAGS, "chromium_sandbox": os.geteuid() != 0}


@pytest.fixture
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    """A fresh browser with an empty profile."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**launch_options(chromium_path))
        yield browser
        await browser.close()
