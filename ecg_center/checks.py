"""Would the centre run with these settings? Each line says what was looked at and, where wrong, what to do."""

import asyncio
import shutil

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ecg_center.settings import CenterSettings
from ecg_center.store.blobs import Blobs
from ecg_center.store.session import EVERYTHING, Database
from ecg_center.store.settings import StoreSettings

LOW_DISK_BYTES = 5 * 1024**3
"""About a week of a county's recordings."""


def check(store: StoreSettings, center: CenterSettings) -> int:
    """Print what is right and wrong; 0 where all is right."""
    problems = asyncio.run(_problems(store))
    free = shutil.disk_usage(store.uploads.resolve().parent if not store.uploads.exists() else store.uploads).free
    if free < LOW_DISK_BYTES:
        problems.append(f"disk: only {free / 1024**3:.1f} GiB free for uploads; make room")
    for line in problems:
        print(f"wrong: {line}")
    if not problems:
        print(f"all is right; pages at {center.public_url}")
    return 1 if problems else 0


async def _problems(store: StoreSettings) -> list[str]:
    problems: list[str] = []
    database = Database(store.database_url, pool_size=1)
    try:
        async with database.transaction(EVERYTHING) as session:
            row = (
                await session.execute(text("SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"))
            ).one()
            if row.rolsuper or row.rolbypassrls:
                problems.append("database: the role may bypass row-level security; connect as one that may not")
            version = int(str(await session.scalar(text("SHOW server_version_num")))) // 10000
            if version < 15:
                problems.append(f"database: PostgreSQL {version} is too old; 15 to 18 are supported")
            if await session.scalar(text("SELECT to_regclass('study')")) is None:
                problems.append("database: no schema yet; run `ecg-center migrate`")
    except (DBAPIError, OSError) as error:
        problems.append(f"database: {str(error).splitlines()[0]}")
    finally:
        await database.close()
    try:
        Blobs(store.blobs)
    except (OSError, ValueError) as error:
        problems.append(f"blobs: {error}")
    return problems
