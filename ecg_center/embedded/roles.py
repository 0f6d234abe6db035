"""As whom does the application speak to its database?

``ecg_owner`` owns the schema and runs the migrations. ``ecg_app`` serves requests and jobs: neither superuser nor
allowed to pass row-level security, or the isolation of the clinics would prove nothing.
"""

from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from ecg_center.embedded.files import new_password, read_json, write_json

DATABASE = "ecg_center"
OWNER = "ecg_owner"
APP = "ecg_app"
DIALECT = "postgresql+psycopg://"


@dataclass(frozen=True)
class DatabaseUrls:
    """Two ways into one database, in SQLAlchemy's form."""

    owner: str
    """For migrations."""
    app: str
    """For everything else."""

    def for_database(self, name: str) -> "DatabaseUrls":
        """The same roles on another database of the same server."""
        return DatabaseUrls(_with_database(self.owner, name), _with_database(self.app, name))


def sqlalchemy_url(user: str, password: str, host: str, port: int, database: str) -> str:
    """``postgresql+psycopg://user:password@host:port/database``."""
    return f"{DIALECT}{user}:{password}@{host}:{port}/{database}"


def plain_url(url: str) -> str:
    """The same address as libpq, psql and psycopg read it."""
    return url.replace(DIALECT, "postgresql://", 1)


def _with_database(url: str, name: str) -> str:
    return f"{url.rpartition('/')[0]}/{name}"


def ensure_roles(superuser_url: str, secrets_file: Path, database: str = DATABASE) -> DatabaseUrls:
    """Make the two roles and the database where they are missing, and set what they may do. Idempotent.

    The passwords are random, kept in ``secrets_file`` (mode 0600) and set again at every call, so that the file
    is always right.
    """
    kept = read_json(secrets_file)
    passwords = {role: str(kept.get(role) or new_password()) for role in (OWNER, APP)}
    if kept != passwords:
        write_json(secrets_file, passwords)
    with psycopg.connect(plain_url(superuser_url), autocommit=True) as connection:
        for role, password in passwords.items():
            _ensure_role(connection, role, password)
        _ensure_database(connection, database)
        where = connection.info
        host, port = where.host, where.port
    return DatabaseUrls(
        owner=sqlalchemy_url(OWNER, passwords[OWNER], host, port, database),
        app=sqlalchemy_url(APP, passwords[APP], host, port, database),
    )


def _ensure_role(connection: psycopg.Connection, role: str, password: str) -> None:
    name = sql.Identifier(role)
    if connection.execute("select from pg_roles where rolname = %s", [role]).fetchone() is None:
        connection.execute(sql.SQL("create role {}").format(name))
    limits = "login nosuperuser nobypassrls nocreatedb nocreaterole noreplication"
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("alter role {} with {} password {}").format(name, sql.SQL(limits), sql.Literal(hashed)))


def _ensure_database(connection: psycopg.Connection, database: str) -> None:
    name, owner, app = (sql.Identifier(word) for word in (database, OWNER, APP))
    if connection.execute("select from pg_database where datname = %s", [database]).fetchone() is None:
        connection.execute(
            sql.SQL("create database {} owner {} template template0 encoding 'UTF8'").format(name, owner)
        )
    connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    connection.execute(sql.SQL("grant connect on database {} to {}").format(name, app))
