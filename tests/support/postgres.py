"""A real PostgreSQL for tests: one cluster a test process, one migrated template, a clone for each test.

``ECG_TEST_PG`` chooses the major version (default 18, from the wheel; 15 from the system's package). ``fsync`` is
off here and only here: a test cluster need not survive a power cut. The fault tests run clusters of their own.
"""

import importlib
import importlib.util
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ecg_center.embedded.binaries import DEFAULT_VERSION
from ecg_center.embedded.postgres import EmbeddedPostgres, PostgresError
from ecg_center.embedded.roles import APP, OWNER, DatabaseUrls, plain_url
from ecg_center.processes import is_running

TEMPLATE = "ecg_template"
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_wal_size": "'256MB'"}
MEMORY = Path("/dev/shm")
MEMORY_WANTED_BYTES = 1024**3
"""In memory a clone takes 12 to 30 ms, on a busy disk ten times that; a container's 64 MB would not do."""


class TestServer:
    """The cluster of this test process."""

    __test__ = False

    def __init__(self, folder: Path, version: int) -> None:
        self.server = EmbeddedPostgres(folder, version, settings=FAST).start()
        self._numbers = itertools.count(1)
        self._roles: DatabaseUrls = self.server.ensure_roles()
        self._connection = psycopg.connect(plain_url(self.server.superuser_url), autocommit=True)
        self._create(TEMPLATE, "template0")
        self.migrated = _migrate(self._roles.for_database(TEMPLATE))

    @property
    def version(self) -> int:
        """Major version."""
        return self.server.version

    @property
    def superuser_url(self) -> str:
        """For what a test does to the server itself."""
        return self.server.superuser_url

    def clone(self, like: DatabaseUrls | None = None) -> DatabaseUrls:
        """A new database like the migrated template, or like another that nobody is connected to."""
        name = f"test_{next(self._numbers)}"
        self._create(name, like.app.rpartition("/")[2] if like else TEMPLATE)
        return self._roles.for_database(name)

    def drop(self, urls: DatabaseUrls) -> None:
        """Drop it, whoever is still connected."""
        name = urls.app.rpartition("/")[2]
        self._connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def close(self) -> None:
        """Stop the cluster and delete it."""
        self._connection.close()
        self.server.reset()

    def _create(self, name: str, template: str) -> None:
        names = {"name": sql.Identifier(name), "owner": sql.Identifier(OWNER), "template": sql.Identifier(template)}
        # With fsync off a file copy beats the default, which writes the whole template to the log first.
        words = "create database {name} owner {owner} template {template} strategy file_copy"
        self._connection.execute(sql.SQL(words).format(**names))
        self._connection.execute(sql.SQL("revoke all on database {name} from public").format(**names))
        self._connection.execute(
            sql.SQL("grant connect on database {name} to {app}").format(app=sql.Identifier(APP), **names)
        )


def _migrate(urls: DatabaseUrls) -> bool:
    """Bring the template to the newest schema, where the project has migrations."""
    if (
        importlib.util.find_spec("ecg_center.store") is None
        or importlib.util.find_spec("ecg_center.store.migrate") is None
    ):
        return False
    importlib.import_module("ecg_center.store.migrate").upgrade(urls.owner, APP)
    return True


def _cluster_folder() -> Path:
    """A new folder in memory where there is room, free of what killed test runs left."""
    memory = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_WANTED_BYTES
    base = MEMORY if memory else Path(tempfile.gettempdir())
    for old in base.glob("ecg-test-pg-*"):
        pid = old.name.split("-")[3]
        if pid.isdigit() and not is_running(int(pid)) and os.access(old, os.W_OK):
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"ecg-test-pg-{os.getpid()}-", dir=base))
    folder.chmod(0o755)  # root's server runs as nobody
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestServer]:
    """The cluster of this test process, its template migrated."""
    version = int(os.environ.get("ECG_TEST_PG") or DEFAULT_VERSION)
    folder = _cluster_folder()
    try:
        server = TestServer(folder, version)
    except PostgresError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if version == DEFAULT_VERSION:
            raise
        pytest.skip(f"ECG_TEST_PG={version}: {error}")
    try:
        yield server
    finally:
        server.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgres: TestServer) -> Iterator[DatabaseUrls]:
    """A migrated database of this test's own; ``.owner`` and ``.app`` are SQLAlchemy URLs."""
    urls = postgres.clone()
    yield urls
    postgres.drop(urls)
