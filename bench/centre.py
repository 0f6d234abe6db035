"""A whole centre that a bench may use: made in a folder of its own, gone without a trace."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ecg_center.demo.machine import Machine
from ecg_center.embedded.ports import free_port


@asynccontextmanager
async def running_centre(name: str) -> AsyncIterator[Machine]:
    """A centre without simulated recorders; ``name`` tells whose folder it is."""
    folder = _folder(name)
    machine = Machine(folder, free_port(), quiet=True)
    try:
        await machine.start(fleet=False)
        yield machine
    finally:
        await machine.supervisor.stop()
        machine.postgres.reset()
        shutil.rmtree(folder, ignore_errors=True)


def _folder(name: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=f"ecg-{name}-"))
    folder.chmod(0o755)  # root's PostgreSQL runs as nobody
    return folder
