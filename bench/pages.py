"""How do the pages stand with ten thousand open studies? ``python -m bench.pages --studies 10000 --history 40000``

A real centre on a real PostgreSQL, filled by SQL (``tests/support/many.py``), its pages opened in Chromium: time to the
first byte and to the settled page, how long a live refresh holds the page up; with ``--shots DIR`` every page as a
picture, on desktop and phone, in Chinese and English, light and dark. ``--serve`` keeps it open to be looked at.
"""

import argparse
import asyncio
import shutil
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import text

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from support.browser import launch_options  # noqa: E402 - after the path is set
from support.centre import PASSPHRASE, Centre, running_centre  # noqa: E402
from support.many import fill  # noqa: E402
from support.postgres import TestServer  # noqa: E402
from support.studies import recorded  # noqa: E402

from ecg_center.demo.community import PASSWORD, settle  # noqa: E402
from ecg_center.embedded.binaries import DEFAULT_VERSION  # noqa: E402
from ecg_center.embedded.files import folder_of_ones_own  # noqa: E402
from ecg_center.embedded.roles import plain_url  # noqa: E402
from ecg_center.store.session import EVERYTHING, Database  # noqa: E402

DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PAGES = (
    ("wang", "/worklist"),
    ("li", "/worklist?desk=review"),
    ("wang", "/studies"),
    ("wang", "/studies?days=all"),
    ("wang", "/studies?days=all&offset=5000"),
    ("wang", "/studies?days=all&q=%E6%9D%8E"),
    ("t1", "/clinic"),
    ("t1", "/unmatched"),
    ("admin", "/directory"),
    ("admin", "/directory?section=people"),
    ("admin", "/directory?section=devices"),
    ("admin", "/directory?section=gateways"),
    ("admin", "/directory?section=calendars"),
)
REPEATS = 5
NAMES = """
UPDATE patient SET name = '演示' || substr('赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨', 1 + (hashtext(id::text) & 15), 1)
    || substr('秀英建国桂兰志强淑珍文明玉梅海燕', 1 + (hashtext(patient_no) & 15), 2)
"""
INDICATIONS = """
UPDATE study SET indication = (ARRAY['', '体检', '胸闷气短 3 天', '高血压病，头晕', '心悸待查', '术前检查',
    '冠心病史 10 年，活动后胸痛加重 2 天，夜间不能平卧'])[1 + (hashtext(id::text) & 7) % 7]
"""


def analyze(owner: str) -> None:
    """What autovacuum does within a minute."""
    with psycopg.connect(plain_url(owner), autocommit=True) as connection:
        connection.execute("analyze")


@asynccontextmanager
async def centre_with(studies: int, history: int) -> AsyncIterator[Centre]:
    """A centre whose database is filled."""
    folder = folder_of_ones_own("bench-pages")
    server = TestServer(folder / "postgres", DEFAULT_VERSION)
    try:
        urls = server.clone()
        own = Database(urls.app, pool_size=2)
        secrets = await settle(own, folder, PASSPHRASE)
        await own.close()
        async with running_centre(urls, secrets, folder) as centre:
            if studies:
                await fill(centre, open_studies=studies, history=history)
                async with centre.database.transaction(EVERYTHING) as session:
                    await session.execute(text(NAMES))
                    await session.execute(text(INDICATIONS))
                await asyncio.to_thread(analyze, urls.owner)
            for number in range(2):
                await recorded(centre, number)
            yield centre
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def served(centre: Centre) -> AsyncIterator[str]:
    """Its pages on a free port."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(centre.app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task


async def enter(browser: Browser, address: str, login: str, **options: object) -> Page:
    """Signed in."""
    context = await browser.new_context(base_url=address, **options)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto("/login")
    await page.fill("#login", login)
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_url(lambda url: "/login" not in url)
    return page


TIMES = """() => { const n = performance.getEntriesByType("navigation")[0];
    return [n.responseStart - n.requestStart, n.loadEventEnd, n.encodedBodySize / 1024]; }"""
LONGEST_FRAME = """() => new Promise(done => { let last = performance.now(), longest = 0, until = last + 4000;
    const step = now => { longest = Math.max(longest, now - last); last = now;
        now < until ? requestAnimationFrame(step) : done(longest); };
    requestAnimationFrame(step); })"""


async def measure(browser: Browser, address: str) -> None:
    """Print each page's times: medians of some openings."""
    print(f"{'page':<46}{'first byte ms':>14}{'settled ms':>12}{'kB':>7}")
    people: dict[str, Page] = {}
    for login, path in PAGES:
        page = people.get(login) or await enter(browser, address, login, viewport=DESKTOP)
        people[login] = page
        found = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            await page.goto(path)
            await page.wait_for_selector("html[data-ready]")
            settled = (time.perf_counter() - started) * 1000
            first, _, kb = await page.evaluate(TIMES)
            found.append((first, settled, kb))
        first, settled, kb = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{login + ' ' + path:<46}{first:>14.0f}{settled:>12.0f}{kb:>7.0f}", flush=True)
    for page in people.values():
        await page.context.close()


async def refreshed(browser: Browser, centre: Centre, address: str) -> None:
    """How smooth is the worklist while studies keep moving? The longest frame during live refreshes."""
    page = await enter(browser, address, "wang", viewport=DESKTOP)
    await page.wait_for_selector("html[data-ready]")
    asked: list[float] = []
    page.on(
        "requestfinished",
        lambda request: asked.append(request.timing["responseEnd"]) if "/worklist" in request.url else None,
    )

    async def move() -> None:
        for number in range(10, 14):
            await recorded(centre, number)

    moving = asyncio.create_task(move())
    longest = await page.evaluate(LONGEST_FRAME)
    await moving
    print(
        f"live: {len(asked)} refreshes in 4 s, median {statistics.median(asked or [0]):.0f} ms each, "
        f"longest frame {longest:.0f} ms"
    )
    await page.context.close()


async def shots(browser: Browser, address: str, folder: Path) -> None:
    """Every page as a picture."""
    for size, view in (("desk", DESKTOP), ("phone", PHONE)):
        for language, theme in (("zh", "light"), ("en", "dark")):
            people: dict[str, Page] = {}
            for number, (login, path) in enumerate(PAGES):
                options = {
                    "viewport": view,
                    "color_scheme": theme,
                    "is_mobile": size == "phone",
                    "has_touch": size == "phone",
                }
                page = people.get(login) or await enter(browser, address, login, **options)
                if login not in people:
                    await page.request.post("/preferences", form={"language": language})
                people[login] = page
                await page.goto(path)
                await page.wait_for_selector("html[data-ready]")
                name = f"{number:02}-{path.strip('/').split('?')[0]}-{size}-{language}-{theme}.png"
                await page.screenshot(path=folder / name)
            for page in people.values():
                await page.context.close()


async def run(chosen: argparse.Namespace) -> None:
    """Fill, serve, and do what is asked."""
    async with centre_with(chosen.studies, chosen.history) as centre, served(centre) as address:
        print(f"{chosen.studies} open studies over {chosen.history} older ones at {address}", flush=True)
        if chosen.serve:
            await asyncio.Event().wait()
        path = next(
            found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))
        )
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(**launch_options(path))  # type: ignore[arg-type]
            if chosen.shots:
                chosen.shots.mkdir(parents=True, exist_ok=True)
                await shots(browser, address, chosen.shots)
            else:
                await measure(browser, address)
                await refreshed(browser, centre, address)
            await browser.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=10_000, help="open studies (default 10000)")
    parser.add_argument("--history", type=int, default=40_000, help="delivered ones (default 40000)")
    parser.add_argument("--shots", type=Path, help="take a picture of every page into this folder instead")
    parser.add_argument("--serve", action="store_true", help="keep the pages open until Ctrl-C")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
