"""The real parts that tests run against, one module each in ``tests/support``."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from support.browser import chromium, chromium_path
from support.centre import centre, centre_database, community
from support.mqtt import mqtt_broker
from support.network import free_port
from support.postgres import database, postgres
from support.printer import printer

__all__ = [
    "centre",
    "centre_database",
    "chromium",
    "chromium_path",
    "community",
    "database",
    "free_port",
    "mqtt_broker",
    "postgres",
    "printer",
]

# A change is judged by the same examples every time, so that what fails is the change; new ones are sought by
# `make explore`. No example has a deadline: the suite runs two tests at a time on machines that do other things.
settings.register_profile("judge", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("judge")

# What a developer's shell sets for a centre of its own must not reach the suite.
for _name in [name for name in os.environ if name.startswith("ECG_") and name not in {"ECG_DATA", "ECG_TEST_PG"}]:
    del os.environ[_name]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs PostgreSQL, so that ``-m database`` runs it again on another version."""
    for item in items:
        if {"database", "postgres"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.database)


REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def ecg_data() -> Path:
    """Real recordings, ``ECG_DATA``, by default ``../shared/ecg-data`` beside the repository."""
    folder = Path(os.environ.get("ECG_DATA", REPOSITORY.parent / "shared" / "ecg-data"))
    if not folder.is_dir():
        pytest.skip(f"no real recordings in {folder} (set ECG_DATA)")
    return folder
