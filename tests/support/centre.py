"""A centre on a real database, with the demo's community, for tests that go through its HTTP.

Settling the community hashes nine passwords and makes a certificate authority, 2 s and more: it is done once a test
process, and every test's database is a copy of that one (30 ms).
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from support.postgres import TestServer

from ecg_center.app import create_app
from ecg_center.demo.community import Secrets, settle
from ecg_center.directory import accounts, queries
from ecg_center.directory.passwords import new_token, token_digest
from ecg_center.directory.sessions import SESSION_COOKIE
from ecg_center.domain.authority import Principal
from ecg_center.embedded.roles import DatabaseUrls
from ecg_center.release.service import Press
from ecg_center.settings import CenterSettings
from ecg_center.store.session import EVERYTHING, Database
from ecg_center.store.settings import StoreSettings
from ecg_center.store.tables import Institution, WebSession

PASSPHRASE = "a passphrase for tests only"


@dataclass
class Centre:
    """The application, its database and its people."""

    app: FastAPI
    database: Database
    press: Press
    secrets: Secrets
    store: StoreSettings
    center: CenterSettings

    async def person(self, login: str) -> Principal:
        """One of the demo's people, as a request of theirs is understood."""
        async with self.database.transaction(EVERYTHING) as session:
            person = await queries.person_by_login(session, login)
            assert person is not None
            institution = await session.get(Institution, person.institution_id)
            assert institution is not None
            return await accounts.describe(session, person, institution, "127.0.0.1")

    async def cookie(self, login: str, *, began: datetime | None = None) -> dict[str, str]:
        """The session cookie of one of the demo's people, without the time that a password takes."""
        began = began or datetime.now(UTC)
        token = new_token()
        async with self.database.transaction(EVERYTHING) as session:
            person = await queries.person_by_login(session, login)
            assert person is not None
            session.add(
                WebSession(
                    token_sha256=token_digest(token),
                    person_id=person.id,
                    created_at=began,
                    last_seen_at=began,
                    expires_at=began + accounts.SESSION,
                )
            )
        return {SESSION_COOKIE: token}

    async def signed_in(self, login: str) -> httpx.AsyncClient:
        """The HTTP client of one of the demo's people."""
        return self.client(cookies=await self.cookie(login))

    def client(self, **options: object) -> httpx.AsyncClient:
        """An HTTP client of the application."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app),
            base_url="http://centre",
            **options,  # type: ignore[arg-type]
        )

    def gateway(self) -> httpx.AsyncClient:
        """The demo gateway's client."""
        return self.client(headers={"Authorization": f"Bearer {self.secrets.gateway_token}"})


@dataclass(frozen=True)
class Community:
    """The database of a settled community, to be copied."""

    database: DatabaseUrls
    secrets: Secrets


@pytest.fixture(scope="session")
def community(postgres: TestServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Community]:
    """The demo's community, settled once; nobody stays connected, so that it can be copied."""
    urls = postgres.clone()

    async def make() -> Secrets:
        database = Database(urls.app, pool_size=2)
        try:
            return await settle(database, tmp_path_factory.mktemp("community"), PASSPHRASE)
        finally:
            await database.close()

    yield Community(urls, asyncio.run(make()))
    postgres.drop(urls)


@asynccontextmanager
async def running_centre(urls: DatabaseUrls, secrets: Secrets, folder: Path) -> AsyncIterator[Centre]:
    """A centre on this database, its folders below ``folder``."""
    store = StoreSettings(database_url=urls.app, blobs=str(folder / "blobs"), uploads=folder / "uploads")
    center = CenterSettings(signing_passphrase=PASSPHRASE, public_url="http://centre")
    own = Database(urls.app, pool_size=5)
    app = create_app(store, center)
    async with app.router.lifespan_context(app):
        press = Press(own, app.state.blobs, app.state.signatures, center.public_url)
        yield Centre(app, own, press, secrets, store, center)
    await own.close()


@pytest.fixture
def centre_database(postgres: TestServer, community: Community) -> Iterator[DatabaseUrls]:
    """A copy of the community's database, this test's own."""
    urls = postgres.clone(like=community.database)
    yield urls
    postgres.drop(urls)


@pytest.fixture
async def centre(centre_database: DatabaseUrls, community: Community, tmp_path: Path) -> AsyncIterator[Centre]:
    """A centre with the demo's community and no studies."""
    async with running_centre(centre_database, community.secrets, tmp_path) as running:
        yield running
