"""What was already done to put a report on paper, also after a kill at any moment?"""

import time
from pathlib import Path
from typing import Literal
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict

from ecg_center.contract.printing import PrintOutcome, PrintTask
from gateway.files import replace

log = structlog.get_logger(__name__)

KEEP_S = 7 * 86400.0
"""A finished entry is kept a week: the centre may have missed the outcome and ask again."""

Step = Literal["submitting", "submitted", "idle", "finished"]
"""``submitting``: the printer may have the job or not; ``submitted``: it has, under ``job_id``; ``idle``: it has none;
``finished``: no further attempt is made."""


class Entry(BaseModel):
    """One delivery."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    task: PrintTask
    step: Step
    job_id: int | None = None
    lost: int = 0
    """How often the printer forgot the job."""
    aborted: int = 0
    """How often the printer gave the job up."""
    outcome: PrintOutcome | None = None
    reported: bool = True
    """Whether the centre has heard ``outcome``."""


class PrintJournal:
    """One small file a delivery, replaced atomically."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._entries: dict[UUID, Entry] = {}

    def open(self) -> None:
        """Take up what the last process left."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.glob("*.json"):
            try:
                entry = Entry.model_validate_json(path.read_bytes())
            except (OSError, ValueError) as error:
                log.error("print journal entry unreadable", file=str(path), error=str(error).splitlines()[0])
                path.rename(path.with_suffix(".unreadable"))
                continue
            if entry.step == "finished" and entry.reported and time.time() - path.stat().st_mtime > KEEP_S:
                path.unlink()
                continue
            self._entries[entry.task.delivery_id] = entry

    def get(self, delivery_id: UUID) -> Entry | None:
        """What is known of a delivery."""
        return self._entries.get(delivery_id)

    def put(self, entry: Entry) -> Entry:
        """Write it down, durably, before anything else happens."""
        replace(self._folder / f"{entry.task.delivery_id}.json", entry.model_dump_json(indent=1).encode())
        self._entries[entry.task.delivery_id] = entry
        return entry

    def unreported(self) -> list[Entry]:
        """Those whose outcome the centre has not heard."""
        return [entry for entry in self._entries.values() if entry.outcome is not None and not entry.reported]
