"""Days of ECG on their way through the centre: half an hour from the simulated recorder, read as a worker does."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select
from support.centre import Centre
from support.studies import Exam, offer_of, register, send

from ecg_center.contract.holter import Edit
from ecg_center.store.session import EVERYTHING
from ecg_center.store.tables import FindingsEdit, FindingsRow, PrereadProgress, Recording
from gateway.simulate.holter import record_day
from worker import long_jobs
from worker.formats import read
from worker.long_files import Request, Result
from worker.long_jobs import MeasuredDays, preread_long, reconclude
from worker.long_reading import read_long
from worker.settings import WorkerSettings
from worker.tasks import Bench, preread

MORNING = datetime(2026, 7, 13, 0, 50, tzinfo=UTC)
"""08:50 in China: sinus rhythm, and ventricular premature beats from 09:00 on."""
FEE = "310701003"


PERSON = 7


@cache
def _made() -> bytes:
    return record_day(PERSON, MORNING, hours=0.5).content


def holter(number: int = PERSON) -> bytes:
    """Half an hour of a demo person; another number is another file of the same signal."""
    return _made().replace(f"DEMO-{PERSON:04d}".encode(), f"DEMO-{number:04d}".encode())


@cache
def samples() -> np.ndarray:
    """Its samples, (3, n)."""
    return np.array(read(_made()).digital)


def bench(centre: Centre) -> Bench:
    """What a job of the worker needs."""
    return Bench(centre.database, centre.press.blobs, WorkerSettings())


async def received(centre: Centre, number: int = 7, login: str = "t1", **changes: Any) -> Exam:
    """A Holter that was registered and recorded, and waits for the machine."""
    study = await register(centre, login, kind="holter", fee_item_code=FEE, **changes)
    content = holter(number)
    async with centre.gateway() as client:
        about = {"accession_number": study.accession_number, "study_kind": "holter"}
        offer = replace_media(offer_of(content, login.upper(), **about))
        receipt = await send(client, offer, content, chunk=900_000)
    return Exam(study.id, receipt.recording_id, study.accession_number or "")


def replace_media(offer: Any) -> Any:
    """An offer of a recorder that speaks no DICOM."""
    return offer.model_copy(update={"media_type": "application/octet-stream"})


async def read_day(centre: Centre, number: int = 7, login: str = "t1", **changes: Any) -> Exam:
    """A Holter that was registered, recorded and pre-read."""
    exam = await received(centre, number, login, **changes)
    await preread(bench(centre), exam.recording_id)  # hands it over
    with in_this_process():
        await preread_long(bench(centre), exam.recording_id)
    return exam


@contextmanager
def in_this_process() -> Iterator[None]:
    """Long recordings are read without the second that a process of their own takes to start."""

    async def read_here(bench: Bench, recording_id: UUID, request: Request) -> Result:
        return await asyncio.to_thread(read_long, request, lambda share, stage: None)

    apart, long_jobs._read = long_jobs._read, read_here
    try:
        yield
    finally:
        long_jobs._read = apart


async def conclude_again(centre: Centre, recording_id: UUID) -> None:
    """The worker's answer to an edit."""
    await reconclude(bench(centre), MeasuredDays(), recording_id)


async def findings(centre: Centre, recording_id: UUID) -> list[FindingsRow]:
    """The rows of findings, the machine's first."""
    async with centre.database.transaction(EVERYTHING) as session:
        rows = await session.scalars(
            select(FindingsRow).where(FindingsRow.recording_id == recording_id).order_by(FindingsRow.edited)
        )
        return list(rows)


async def edits(centre: Centre, recording_id: UUID) -> list[FindingsEdit]:
    """The list of edits."""
    async with centre.database.transaction(EVERYTHING) as session:
        rows = await session.scalars(
            select(FindingsEdit).where(FindingsEdit.recording_id == recording_id).order_by(FindingsEdit.position)
        )
        return list(rows)


async def recording(centre: Centre, recording_id: UUID) -> Recording:
    """The recording as it stands."""
    async with centre.database.transaction(EVERYTHING) as session:
        found = await session.get(Recording, recording_id)
    assert found is not None
    return found


async def progress(centre: Centre, recording_id: UUID) -> PrereadProgress | None:
    """How far its pre-read is."""
    async with centre.database.transaction(EVERYTHING) as session:
        return await session.get(PrereadProgress, recording_id)


def form(position: int, **edit: Any) -> dict[str, Any]:
    """The body of an edit."""
    return {"position": position, "edit": Edit(**edit).model_dump(mode="json", exclude_defaults=True)}
