"""What does every job of the worker need?"""

from dataclasses import dataclass

from ecg_center.store.blobs import Blobs
from ecg_center.store.events import Actor
from ecg_center.store.session import Database
from worker.settings import WorkerSettings


class DamagedOriginalError(Exception):
    """The stored original no longer has its digest: the disk or the object store has damaged it; restore a backup."""


@dataclass(frozen=True)
class Bench:
    """All that a pre-read needs."""

    database: Database
    blobs: Blobs
    settings: WorkerSettings

    @property
    def actor(self) -> Actor:
        """The worker as the timeline names it."""
        return Actor("worker", self.settings.name)
