"""How does a released report reach the clinic's printer, and its outcome come back?

1. ``GET /api/gateway/prints?wait_s=25`` (long poll) → :class:`PrintTasks`; a task stays in the answers until an
   outcome is reported, so a gateway that died meanwhile is given it again.
2. ``GET /api/gateway/prints/{delivery_id}/pdf`` → the signed PDF; its SHA-256 must equal ``pdf_sha256``.
3. ``POST /api/gateway/prints/{delivery_id}/outcome`` with a :class:`PrintOutcome`; repeating it is harmless.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from ecg_center.contract.base import Instant, Message, Sha256


class PrintTask(Message):
    """One released report that one clinic's printer has to put on paper."""

    delivery_id: UUID
    institution_code: str
    accession_number: str
    report_version: int
    urgent: bool
    pdf_sha256: Sha256
    pdf_size_bytes: int
    released_at: Instant


class PrintTasks(Message):
    """The tasks that wait, urgent first, then oldest first."""

    tasks: list[PrintTask]


class PrintOutcome(Message):
    """What the printer did."""

    state: Literal["printing", "printed", "failed"]
    at: Instant
    printer: Annotated[str, Field(max_length=200)]
    job_id: int | None = None
    """IPP job-id (RFC 8011 section 5.3.2)."""
    detail: Annotated[str, Field(max_length=500)] = ""
    """For ``failed``: what a person at the clinic should do, e.g. the printer's state reasons."""


class Heartbeat(Message):
    """``POST /api/gateway/heartbeat``: what the gateway says of itself, so that silence and backlog are seen."""

    version: str
    sent_at: Instant
    spool_waiting: Annotated[int, Field(ge=0)]
    spool_oldest_at: Instant | None = None
    disk_free_bytes: Annotated[int, Field(ge=0)]
    problems: list[str] = []
