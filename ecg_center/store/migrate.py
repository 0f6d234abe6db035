"""How does a database get this version's schema?

As the schema's owner, never as the application's role. Safe to run again, and by two processes at once.
"""

from pathlib import Path

import procrastinate
import psycopg
from alembic import command
from alembic.config import Config
from procrastinate import SyncPsycopgConnector

HERE = Path(__file__).parent / "migrations"
_LOCK = 0x_ECC_0001
"""Advisory lock held while migrating, so that two starting processes do it one after the other."""


def upgrade(owner_url: str, app_role: str = "ecg_app") -> None:
    """Bring the database to the newest schema and grant the application's role what it needs."""
    conninfo = plain_url(owner_url)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        if connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
            _procrastinate_schema(conninfo)
        command.upgrade(alembic_config(owner_url, app_role), "head")


def alembic_config(owner_url: str, app_role: str = "ecg_app") -> Config:
    """Alembic's configuration, without a file."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.attributes["url"] = owner_url
    config.attributes["app_role"] = app_role
    return config


def plain_url(url: str) -> str:
    """The address as psycopg and libpq take it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def _procrastinate_schema(conninfo: str) -> None:
    app = procrastinate.App(connector=SyncPsycopgConnector(conninfo=conninfo, min_size=1, max_size=1))
    with app.open():
        app.schema_manager.apply_schema()
