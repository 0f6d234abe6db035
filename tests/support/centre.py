"""A centre on a real database, with the demo's community, for tests that go through its HTTP."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from ecg_center.app import create_app
from ecg_center.demo.community import PASSWORD, Secrets, settle
from ecg_center.directory import accounts
from ecg_center.directory.sessions import SESSION_COOKIE
from ecg_center.domain.authority import Principal
from ecg_center.embedded.roles import DatabaseUrls
from ecg_center.release.service import Press
from ecg_center.settings import CenterSettings
from ecg_center.store.session import EVERYTHING, Database
from ecg_center.store.settings import StoreSettings

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
        """One of the demo's people, signed in."""
        now = datetime.now(UTC)
        async with self.database.transaction(EVERYTHING) as session:
            token = await accounts.sign_in(session, login, PASSWORD, now=now, source="test", user_agent="pytest")
        assert token is not None
        async with self.database.transaction(EVERYTHING) as session:
            principal = await accounts.principal_of(session, token, now=now, source="127.0.0.1")
        assert principal is not None
        return principal

    async def cookie(self, login: str) -> dict[str, str]:
        """The session cookie of one of the demo's people."""
        async with self.database.transaction(EVERYTHING) as session:
            token = await accounts.sign_in(
                session, login, PASSWORD, now=datetime.now(UTC), source="test", user_agent="pytest"
            )
        assert token is not None
        return {SESSION_COOKIE: token}

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


@pytest.fixture
async def centre(database: DatabaseUrls, tmp_path: Path) -> AsyncIterator[Centre]:
    """A centre with the demo's community and no studies."""
    store = StoreSettings(database_url=database.app, blobs=str(tmp_path / "blobs"), uploads=tmp_path / "uploads")
    center = CenterSettings(signing_passphrase=PASSPHRASE, public_url="http://centre")
    own = Database(database.app, pool_size=5)
    secrets = await settle(own, tmp_path, PASSPHRASE)
    app = create_app(store, center)
    async with app.router.lifespan_context(app):
        press = Press(own, app.state.blobs, app.state.signatures, center.public_url)
        yield Centre(app, own, press, secrets, store, center)
    await own.close()
