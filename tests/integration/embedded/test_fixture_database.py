"""The test suite's own database: a clone for each test, quick and apart."""

import time

import psycopg
from support.postgres import TestServer

from ecg_center.embedded.roles import DatabaseUrls, plain_url

CLONES = 10
CLONE_LIMIT_S = 0.5
"""Measured 30 ms with an empty template; the limit only catches a template that has grown out of hand."""


def test_a_clone_for_each_test_is_quick(postgres: TestServer) -> None:
    began = time.monotonic()
    for _ in range(CLONES):
        postgres.drop(postgres.clone())
    each_s = (time.monotonic() - began) / CLONES
    print(f"PostgreSQL {postgres.version}: clone and drop {each_s * 1000:.0f} ms, migrated: {postgres.migrated}")
    assert each_s < CLONE_LIMIT_S


def test_what_one_test_writes_no_other_sees(postgres: TestServer, database: DatabaseUrls) -> None:
    other = postgres.clone()
    with psycopg.connect(plain_url(database.owner)) as connection:
        connection.execute("create table mine (n int)")
    with psycopg.connect(plain_url(other.owner)) as connection:
        row = connection.execute("select to_regclass('mine')").fetchone()
    postgres.drop(other)
    assert row == (None,)


def test_the_application_connects_to_its_clone(database: DatabaseUrls) -> None:
    with psycopg.connect(plain_url(database.app)) as connection:
        assert connection.execute("select current_user").fetchone() == ("ecg_app",)
