"""The migrated database is what ``tables.py`` says, however often and by however many it was migrated."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg import sql
from support.postgres import TestServer

from ecg_center.embedded.roles import APP, OWNER, DatabaseUrls
from ecg_center.store.migrate import alembic_config, plain_url, upgrade


@pytest.fixture
def empty(postgres: TestServer) -> Iterator[DatabaseUrls]:
    """A database without a schema."""
    name = sql.Identifier("test_empty")
    like = postgres.clone()
    with psycopg.connect(plain_url(postgres.superuser_url), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} owner {} template template0").format(name, sql.Identifier(OWNER))
        )
    urls = like.for_database("test_empty")
    yield urls
    postgres.drop(urls)
    postgres.drop(like)


def versions(urls: DatabaseUrls) -> list[tuple[str]]:
    with psycopg.connect(plain_url(urls.owner)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchall()


def test_the_tables_are_those_of_the_code(database: DatabaseUrls) -> None:
    command.check(alembic_config(database.owner))


def test_a_difference_would_be_found(database: DatabaseUrls) -> None:
    with psycopg.connect(plain_url(database.owner), autocommit=True) as connection:
        connection.execute("DROP INDEX ix_study_open")
    with pytest.raises(Exception, match="ix_study_open"):
        command.check(alembic_config(database.owner))


def test_migrating_again_changes_nothing(database: DatabaseUrls) -> None:
    before = versions(database)
    upgrade(database.owner, APP)
    assert versions(database) == before
    command.check(alembic_config(database.owner))


def test_two_that_start_at_once_migrate_one_after_the_other(empty: DatabaseUrls) -> None:
    with ThreadPoolExecutor(3) as pool:
        for ended in [pool.submit(upgrade, empty.owner, APP) for _ in range(3)]:
            ended.result()
    head = ScriptDirectory.from_config(alembic_config(empty.owner)).get_current_head()
    assert versions(empty) == [(head,)]


def test_the_history_is_one_line() -> None:
    script = ScriptDirectory.from_config(alembic_config("postgresql+psycopg://nobody@127.0.0.1/none"))
    assert len(script.get_heads()) == 1
    assert [revision.revision for revision in script.walk_revisions()] == sorted(
        (revision.revision for revision in script.walk_revisions()), reverse=True
    )


def test_the_applications_role_cannot_migrate(database: DatabaseUrls) -> None:
    with psycopg.connect(plain_url(database.app)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("ALTER TABLE study ADD COLUMN mine int")
