"""Static addresses, headers, foreign forms, and templates that cannot be talked into code."""

import re
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from ecg_center.web import words
from ecg_center.web.pages.preferences import safe_path
from ecg_center.web.rendering import TEMPLATES, environment
from ecg_center.web.static_files import STATIC_FOLDER, static_url, tree_hash
from ecg_center.web.wiring import add_pages


@pytest.fixture
def app() -> FastAPI:
    made = FastAPI()
    add_pages(made)

    @made.post("/change")
    async def change(request: Request) -> HTMLResponse:
        return HTMLResponse("changed")

    return made


@pytest.fixture
def client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://centre")


async def test_todays_static_files_are_kept_for_a_year_and_older_addresses_never(client: httpx.AsyncClient) -> None:
    fresh = await client.get(static_url("js/page.js"))
    assert fresh.status_code == 200
    assert "immutable" in fresh.headers["cache-control"]
    older = await client.get("/static/0123456789ab/js/page.js")
    assert (older.status_code, older.headers["cache-control"]) == (200, "no-cache")
    assert (await client.get("/static/js")).status_code == 404
    assert (await client.get(f"/static/{tree_hash()}/../wiring.py")).status_code == 404


def test_a_static_file_that_does_not_exist_is_an_error_at_once() -> None:
    with pytest.raises(FileNotFoundError, match=r"nothing\.css"):
        static_url("css/nothing.css")


async def test_every_answer_carries_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/login", "/nowhere", static_url("css/base.css")):
        headers = (await client.get(path)).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_pages_are_not_stored(client: httpx.AsyncClient) -> None:
    assert (await client.get("/login")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://centre"}, 200),
        ({}, 200),  # a program: it carries no person's cookie
    ],
)
async def test_a_form_of_another_site_changes_nothing(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await client.post("/change", headers=headers)).status_code == status


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", ""])
def test_one_is_never_led_to_another_site(path: str) -> None:
    assert safe_path(path) == "/"


async def test_language_and_brightness_are_kept(client: httpx.AsyncClient) -> None:
    assert "登录" in (await client.get("/login")).text
    answer = await client.post("/preferences", data={"language": "en", "theme": "dark", "back": "/login"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?language=en")
    page = await client.get("/login")
    assert "Sign in" in page.text
    assert 'data-theme="dark"' in page.text
    assert (await client.get("/login", headers={"accept-language": "fr"})).status_code == 200


def test_what_a_person_typed_is_text_and_never_markup() -> None:
    template = environment("zh").from_string('{% import "components.html" as ui %}{{ ui.field("q", "<b>", value=v) }}')
    html = template.render(v='"><script>alert(1)</script>')
    assert "<script" not in html
    assert "<b>" not in html


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_templates_keep_to_the_content_security_policy(path: Path) -> None:
    html = path.read_text("utf-8")
    assert not re.search(r"\sstyle\s*=", html), "inline style"
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", html), "inline handler"
    assert not re.search(r"\shx-on", html), "hx-on is inline script"
    for attributes in re.findall(r"<script([^>]*)>", html):
        assert "src=" in attributes or "application/json" in attributes, attributes


def test_every_sign_that_words_name_is_drawn() -> None:
    icons = (TEMPLATES / "components" / "icons.html").read_text("utf-8")
    drawn = set(re.findall(r'^  "([a-z]+)":', icons, re.MULTILINE))
    groups = (words.STATES, words.MARKS, words.GRADES, words.DELIVERIES, words.REPORTS, words.RECORDINGS, words.QUALITY)
    assert {badge.icon for group in groups for badge in group.values()} <= drawn


def test_the_vendored_script_comes_with_its_licence() -> None:
    assert "Zero-Clause BSD" in (STATIC_FOLDER / "vendor" / "htmx.LICENSE.txt").read_text("utf-8")
