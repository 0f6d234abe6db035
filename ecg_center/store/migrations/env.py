"""Alembic's entry: one connection as the schema's owner."""

from alembic import context
from sqlalchemy import create_engine

from ecg_center.store import tables
from ecg_center.store.base import Base


def include_name(name: str | None, kind: str, parents: object) -> bool:
    """Procrastinate's own tables are not ours to compare."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


assert tables  # imported so that Base knows every table
config = context.config
engine = create_engine(config.attributes["url"])
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_name=include_name,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
