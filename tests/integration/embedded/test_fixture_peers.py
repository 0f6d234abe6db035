"""The suite's own printer and browser really print and browse."""

import subprocess
from pathlib import Path

from playwright.async_api import Browser
from support.printer import TestPrinter


def test_the_printer_keeps_the_page(printer: TestPrinter, tmp_path: Path) -> None:
    page = tmp_path / "page.pdf"
    page.write_bytes(b"%PDF-1.4\n%a page of a test\n")
    words = ["ipptool", "-tv", "-f", str(page), printer.uri, "print-job.test"]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert [path.read_bytes() for path in printer.pages()] == [page.read_bytes()]


async def test_the_browser_opens_a_page(chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.set_content("<title>心电</title><p id=x>12 leads</p>")
    assert await page.title() == "心电"
    assert await page.inner_text("#x") == "12 leads"
