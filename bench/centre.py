"""A whole centre that a bench may use: made in a folder of its own, gone without a trace."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ecg_center.demo.machine import Machine
from ecg_center.embedded.files import folder_of_ones_own
from ecg_center.embedded.ports import free_port


@asynccontextmanager
async def running_centre(name: str) -> AsyncIterator[Machine]:
    """A centre without simulated recorders; ``name`` tells whose folder it is."""
    folder = folder_of_ones_own(name)
    machine = Machine(folder, free_port(), quiet=True)
    try:
        await machine.start(fleet=False)
        yield machine
    finally:
        await machine.supervisor.stop()
        machine.postgres.reset()
        shutil.rmtree(folder, ignore_errors=True)
