"""Who is let in, for how long, from where, and how much may they send?"""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import uvicorn
from sqlalchemy import func, select, update
from support.centre import Centre
from support.postgres import TestServer
from support.studies import do, recorded

from ecg_center.cli import server_config
from ecg_center.demo.community import PASSWORD
from ecg_center.directory import accounts, queries, service
from ecg_center.directory.passwords import MAX_PASSWORD
from ecg_center.directory.schemas import PersonForm
from ecg_center.directory.sessions import SESSION_COOKIE
from ecg_center.domain.errors import Invalid
from ecg_center.limits import MAX_BODY_BYTES
from ecg_center.store.events import CENTRE
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import AuditEntry, Person, WebSession


def now() -> datetime:
    return datetime.now(UTC)


async def sign_in(centre: Centre, login: str, password: str = PASSWORD, **options) -> httpx.Response:
    async with centre.client(**options) as client:
        return await client.post("/api/session", json={"login": login, "password": password})


async def who(centre: Centre, cookie: dict[str, str]) -> int:
    async with centre.client(cookies=cookie) as client:
        return (await client.get("/api/worklist")).status_code


async def age(centre: Centre, **changes) -> None:
    async with centre.database.transaction(EVERYTHING) as session:
        await session.execute(update(WebSession).values(**changes))


async def audited(centre: Centre) -> list[str]:
    async with centre.database.transaction(EVERYTHING) as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


class TestSignIn:
    async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(self, centre: Centre) -> None:
        answer = await sign_in(centre, "wang")
        assert answer.status_code == 204
        (cookie,) = answer.headers.get_list("set-cookie")
        assert cookie.startswith(f"{SESSION_COOKIE}=")
        assert {"HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={12 * 3600}"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        token = answer.cookies[SESSION_COOKIE]
        async with centre.database.transaction(EVERYTHING) as session:
            kept = list(await session.scalars(select(WebSession.token_sha256)))
        assert token not in kept
        assert len(token) >= 43

    @pytest.mark.parametrize("path", ["/api/session", "/login"])
    async def test_a_centre_behind_https_never_sends_it_in_the_clear(self, centre: Centre, path: str) -> None:
        """Also where the proxy does not say by which scheme it was asked."""
        centre.app.state.public_url = "https://ecg.county.example"
        body = {"login": "wang", "password": PASSWORD}
        async with centre.client() as client:
            answer = await client.post(path, **({"json": body} if path.startswith("/api") else {"data": body}))
        assert "Secure" in answer.headers["set-cookie"]

    async def test_unknown_wrong_locked_and_closed_are_answered_alike(self, centre: Centre) -> None:
        async with centre.database.transaction(EVERYTHING) as session:
            await session.execute(
                update(Person).where(Person.login == "li").values(locked_until=now() + timedelta(minutes=5))
            )
            await session.execute(update(Person).where(Person.login == "zhao").values(active=False))
        answers = [
            await sign_in(centre, "nobody"),
            await sign_in(centre, "wang", "wrong"),
            await sign_in(centre, "li"),
            await sign_in(centre, "zhao"),
            await sign_in(centre, "wang", ""),
            await sign_in(centre, "' OR '1'='1"),
        ]
        assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
        assert not any(answer.cookies for answer in answers)

    async def test_an_unknown_login_takes_as_long_as_a_wrong_password(self, centre: Centre) -> None:
        async def took(login: str) -> float:
            loop = asyncio.get_running_loop()
            times = []
            for _ in range(3):
                began = loop.time()
                await sign_in(centre, login, "wrong")
                times.append(loop.time() - began)
            return min(times)

        assert 0.4 < await took("nobody") / await took("wang") < 2.5

    async def test_five_failures_lock_for_a_quarter_of_an_hour(self, centre: Centre) -> None:
        for _ in range(5):
            assert (await sign_in(centre, "wang", "wrong")).status_code == 401
        assert (await sign_in(centre, "wang")).status_code == 401
        async with centre.database.transaction(EVERYTHING) as session:
            until = await session.scalar(select(Person.locked_until).where(Person.login == "wang"))
            assert timedelta(minutes=14) < until - now() <= timedelta(minutes=15)
            token = await accounts.sign_in(
                session, "wang", PASSWORD, now=until + timedelta(seconds=1), source="", user_agent=""
            )
        assert token
        assert (await audited(centre))[-7:] == ["login_refused"] * 6 + ["login"]

    async def test_failures_at_once_are_all_counted(self, centre: Centre) -> None:
        await asyncio.gather(*(sign_in(centre, "wang", "wrong") for _ in range(5)))
        assert (await sign_in(centre, "wang")).status_code == 401

    async def test_a_success_forgets_the_failures(self, centre: Centre) -> None:
        for _ in range(2):
            for _ in range(4):
                await sign_in(centre, "wang", "wrong")
            assert (await sign_in(centre, " WANG ")).status_code == 204

    async def test_a_password_that_could_never_be_typed_again_is_refused(self, centre: Centre) -> None:
        """Log-in takes at most 128 characters; one more at creation would lock the person out for good."""
        person = {"institution_code": "H", "login": "new", "name": "新", "roles": ["qc"]}
        for length, good in ((7, False), (8, True), (MAX_PASSWORD, True), (MAX_PASSWORD + 1, False)):
            form = PersonForm(**(person | {"login": f"new{length}"}), password="é" * length)
            if not good:
                with pytest.raises(Invalid):
                    async with centre.database.transaction(EVERYTHING) as session:
                        await service.create_person(session, CENTRE, form, now())
                continue
            async with centre.database.transaction(EVERYTHING) as session:
                await service.create_person(session, CENTRE, form, now())
            assert (await sign_in(centre, form.login, form.password)).status_code == 204


class TestSession:
    async def test_an_hour_without_use_ends_it(self, centre: Centre) -> None:
        cookie = await centre.cookie("wang")
        await age(centre, last_seen_at=now() - timedelta(minutes=59))
        assert await who(centre, cookie) == 200
        async with centre.database.transaction(EVERYTHING) as session:
            assert now() - await session.scalar(select(WebSession.last_seen_at)) < timedelta(minutes=1)
        await age(centre, last_seen_at=now() - timedelta(minutes=60, seconds=1))
        assert await who(centre, cookie) == 401

    async def test_a_shift_ends_it_however_busy(self, centre: Centre) -> None:
        cookie = await centre.cookie("wang", began=now() - timedelta(hours=12, seconds=1))
        await age(centre, last_seen_at=now())
        assert await who(centre, cookie) == 401
        async with centre.database.transaction(EVERYTHING) as session:
            await queries.delete_expired_sessions(session, now())
            assert await session.scalar(select(func.count()).select_from(WebSession)) == 0

    async def test_a_closed_account_is_out_at_once_and_a_changed_role_counts_at_once(self, centre: Centre) -> None:
        cookie, wang = await centre.cookie("wang"), await centre.person("wang")
        assert await who(centre, cookie) == 200
        await do(centre, "admin", service.set_active, wang.person_id, False, now())
        assert await who(centre, cookie) == 401
        await do(centre, "admin", service.set_active, wang.person_id, True, now())
        assert await who(centre, cookie) == 401
        cookie = await centre.cookie("wang")
        exam = await recorded(centre)
        form = PersonForm(institution_code="H", login="wang", name="王演示", password="x", roles=["qc"])
        await do(centre, "admin", service.set_roles, wang.person_id, form, now())
        async with centre.client(cookies=cookie) as client:
            assert (await client.post(f"/api/studies/{exam.study_id}/claim")).status_code == 403

    async def test_signing_out_ends_it_at_the_centre_too(self, centre: Centre) -> None:
        cookie = await centre.cookie("wang")
        async with centre.client(cookies=cookie) as client:
            assert (await client.post("/logout")).status_code == 303
        assert await who(centre, cookie) == 401

    async def test_a_changed_password_ends_every_session(self, centre: Centre) -> None:
        first, second = await centre.cookie("wang"), await centre.cookie("wang")
        body = {"old": PASSWORD, "new": "another password", "again": "another password"}
        async with centre.client(cookies=first) as client:
            assert (await client.post("/account/password", data=body | {"old": "wrong"})).status_code == 422
            assert await who(centre, second) == 200
            assert (await client.post("/account/password", data=body)).status_code == 303
        assert (await who(centre, first), await who(centre, second)) == (401, 401)
        assert (await sign_in(centre, "wang")).status_code == 401
        assert (await sign_in(centre, "wang", "another password")).status_code == 204

    async def test_an_administrator_administers_and_reads_no_patient(self, centre: Centre) -> None:
        exam = await recorded(centre)
        async with centre.client(cookies=await centre.cookie("admin")) as client:
            for path in (
                f"/api/studies/{exam.study_id}/timeline",
                f"/api/studies/{exam.study_id}/report",
                f"/api/recordings/{exam.recording_id}/waveform.json",
                f"/api/recordings/{exam.recording_id}/waveform.i16",
                f"/studies/{exam.study_id}",
                "/studies",
                "/unmatched",
                "/clinic",
            ):
                assert (await client.get(path)).status_code == 403, path
            assert (await client.get("/directory")).status_code == 200


class TestFromWhere:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
        ],
    )
    async def test_another_sites_page_changes_nothing(self, centre: Centre, headers: dict[str, str]) -> None:
        exam, cookie = await recorded(centre), await centre.cookie("wang")
        async with centre.client(cookies=cookie, headers=headers) as client:
            assert (await client.post(f"/api/studies/{exam.study_id}/claim")).status_code == 403
            assert (await client.post("/worklist/next")).status_code == 403
            assert (await client.post("/login", data={"login": "wang", "password": PASSWORD})).status_code == 403
        async with centre.client(cookies=cookie, headers={"Origin": "http://centre"}) as client:
            assert (await client.post(f"/api/studies/{exam.study_id}/claim")).status_code == 200

    @pytest.fixture
    async def served(self, centre: Centre) -> uvicorn.Config:
        config = server_config(centre.app, centre.center.model_copy(update={"trusted_proxies": "10.0.0.9"}))
        config.load()
        return config

    @pytest.mark.parametrize(
        ("peer", "forwarded", "source"),
        [
            ("203.0.113.7", None, "203.0.113.7"),
            ("203.0.113.7", "127.0.0.1", "203.0.113.7"),
            ("203.0.113.7", "10.0.0.9", "203.0.113.7"),
            ("10.0.0.9", "198.51.100.4", "198.51.100.4"),
            ("10.0.0.9", "127.0.0.1, 198.51.100.4", "198.51.100.4"),
        ],
    )
    async def test_a_stranger_does_not_choose_their_own_address(
        self, centre: Centre, served: uvicorn.Config, peer: str, forwarded: str | None, source: str
    ) -> None:
        transport = httpx.ASGITransport(served.loaded_app, client=(peer, 1234))
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://centre", headers=headers) as client:
            await client.post("/api/session", json={"login": "wang", "password": "wrong"})
            metrics = await client.get("/metrics")
        async with centre.database.transaction(EVERYTHING) as session:
            told = await session.scalar(select(AuditEntry.source).order_by(AuditEntry.id.desc()).limit(1))
        assert told == source
        assert metrics.status_code == 403


class TestLimits:
    @pytest.mark.parametrize("path", ["/api/session", "/login", "/api/registrations", "/api/gateway/uploads"])
    async def test_nobody_fills_the_memory(self, centre: Centre, path: str) -> None:
        async def endless() -> AsyncIterator[bytes]:
            for _ in range(1024):
                yield bytes(64 * 1024)

        async with centre.gateway() as client:
            for content in (bytes(MAX_BODY_BYTES + 1), endless()):
                kind = "application/x-www-form-urlencoded" if path == "/login" else "application/json"
                answer = await client.post(path, content=content, headers={"Content-Type": kind})
                assert answer.status_code == 413

    @pytest.mark.parametrize("length", ["-1", "x", "0", "5"])
    async def test_a_wrong_length_does_not_get_past_the_limit(self, centre: Centre, length: str) -> None:
        async with centre.gateway() as client:
            answer = await client.post(
                "/api/session",
                content=bytes(MAX_BODY_BYTES * 2),
                headers={"Content-Length": length, "Content-Type": "application/json"},
            )
        assert answer.status_code == 413

    async def test_a_packed_body_is_not_unpacked(self, centre: Centre) -> None:
        async with centre.client() as client:
            answer = await client.post(
                "/api/session",
                content=gzip.compress(bytes(10**7)),
                headers={"Content-Type": "application/json", "Content-Encoding": "gzip"},
            )
        assert answer.status_code in (400, 422)

    async def test_errors_of_the_api_are_problems_and_tell_nothing_of_the_inside(self, centre: Centre) -> None:
        async with centre.gateway() as client:
            for method, path, status in (
                ("GET", "/api/nothing", 404),
                ("DELETE", "/api/worklist", 405),
                ("GET", "/api/worklist?desk=%00", 401),
                ("POST", "/api/gateway/uploads", 422),
                ("GET", "/api/gateway/prints?wait_s=nan", 422),
                ("GET", "/api/gateway/prints?wait_s=1e9", 422),
                ("GET", "/api/gateway/prints/not-an-id/pdf", 422),
                ("PATCH", "/api/gateway/uploads/..%2f..%2fetc", 404),
            ):
                answer = await client.request(method, path, content=b"{" if method == "POST" else None)
                assert answer.status_code == status, path
                assert answer.headers["content-type"] == "application/problem+json", path
                assert set(answer.json()) == {"type", "title", "detail", "retry"}
                assert "Traceback" not in answer.text


async def test_a_database_that_is_away_is_503_for_everyone(
    centre: Centre, postgres: TestServer, centre_database
) -> None:
    """Before the handlers too, where the caller is looked up: a gateway must know that it should try again."""
    cookie = await centre.cookie("wang")
    await centre.database.close()
    postgres.drop(centre_database)
    async with centre.gateway() as client:
        for path in ("/api/gateway/orders", "/api/gateway/prints", "/api/nothing"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["retry"]) == (503, True), path
            assert "psycopg" not in answer.text
            assert centre_database.app.rpartition("/")[2] not in answer.text
    async with centre.client(cookies=cookie) as client:
        assert (await client.get("/worklist")).status_code == 503
        assert (await client.get("/healthz")).status_code == 503
    async with centre.client() as client:
        assert (await client.post("/api/session", json={"login": "x", "password": "y"})).status_code == 503
