"""How does a stored recording become findings? job → load → decode → analyse → store.

The job may come twice, or after a worker died in the middle: every step can be done again, and the last one is one
transaction. Bytes that cannot be read are set aside with the reason; an analysis that fails leaves the trace readable.
"""

import asyncio
import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import procrastinate
import structlog
from procrastinate import JobContext

from ecg_center.contract.findings import (
    LONG_QUEUE,
    PREREAD_QUEUE,
    PREREAD_TASK,
    RECONCLUDE_TASK,
    ROUTINE_PRIORITY,
    Findings,
)
from ecg_center.store.blobs import Blobs, original_key, waveform_key
from ecg_center.store.jobs import RETRY, make_app, run_worker
from ecg_center.store.session import EVERYTHING, Database
from ecg_center.store.settings import StoreSettings
from ecg_center.store.waveforms import WaveformError, encode
from worker import queries
from worker.formats import UnreadableRecording, read
from worker.formats.errors import DamagedRecording
from worker.long_jobs import MeasuredDays, preread_long, reconclude, sweep_scratch
from worker.pressure_jobs import holds_pressures, preread_pressures, reconclude_pressures
from worker.recording import Recording
from worker.resting import Patient, analyse
from worker.settings import WorkerSettings
from worker.waveform import described
from worker.work import Bench, DamagedOriginalError

log = structlog.get_logger(__name__)


LONG_FROM_BYTES: Final = 4 * 1024**2
"""A larger file is read in the slot for long ones; an hour of three leads at 250 Hz, or 80 resting ECGs."""


class LongRecordingError(Exception):
    """The bytes hold a recording of hours: it is read in the slot for long ones."""


@dataclass(frozen=True)
class Read:
    """What came out of one recording."""

    recording: Recording
    findings: Findings | None
    failure: str
    files: dict[str, bytes]
    """The WFDB record, by suffix."""


async def preread(bench: Bench, recording_id: UUID, priority: int = ROUTINE_PRIORITY) -> None:
    """Read one recording and write down what it says; a long one is handed over, with the job's priority.

    Raises:
        DamagedOriginalError, BlobMissingError: the stored bytes are not what was received; the job is retried.
    """
    started = time.perf_counter()
    async with bench.database.transaction(EVERYTHING) as session:
        work = await queries.load(session, recording_id)
    if work is None or work.state in ("quarantined", "dismissed"):
        return
    if work.size_bytes >= LONG_FROM_BYTES:
        async with bench.database.transaction(EVERYTHING) as session:
            await queries.hand_over(session, recording_id, priority)
        return
    content = await bench.blobs.get(original_key(work.sha256))
    if hashlib.sha256(content).hexdigest() != work.sha256:
        raise DamagedOriginalError(f"original {work.sha256} is damaged in the store")
    if await asyncio.to_thread(holds_pressures, content):
        await preread_pressures(bench, work, content, started)
        return
    patient = Patient(sex=work.sex, birth_date=work.birth_date, received_on=work.received_on)
    try:
        done = await asyncio.to_thread(read_and_analyse, content, work.sha256, patient, bench.settings.rule_set)
    except LongRecordingError:
        async with bench.database.transaction(EVERYTHING) as session:
            await queries.hand_over(session, recording_id, priority)
        return
    except UnreadableRecording as error:
        log.warning("recording_quarantined", recording=str(recording_id), reason=str(error))
        async with bench.database.transaction(EVERYTHING) as session:
            await queries.quarantine(session, recording_id, str(error), bench.actor, datetime.now(UTC))
        return
    waveform = await _store_waveform(bench.blobs, work.sha256, done)
    async with bench.database.transaction(EVERYTHING) as session:
        await queries.store_read(
            session,
            recording_id,
            waveform=waveform,
            identity=done.recording.identity.model_dump(mode="json", exclude_none=True),
            started_at=done.recording.started_at,
            findings=done.findings,
            failure=done.failure,
            took_ms=round((time.perf_counter() - started) * 1000),
            actor=bench.actor,
            now=datetime.now(UTC),
        )


def read_and_analyse(content: bytes, record_name: str, patient: Patient, rule_set: str) -> Read:
    """Decode, analyse and re-encode one recording; pure but for the time it takes.

    Raises:
        UnreadableRecording: the bytes cannot be read.
        LongRecordingError: they hold a recording of hours, in few bytes.
    """
    recording = read(content)
    if recording.kind == "holter":
        raise LongRecordingError
    findings, failure = None, ""
    try:
        findings = analyse(recording, patient, rule_set=rule_set)
    except Exception as error:  # an error of ours must not keep a trace from being read
        log.exception("analysis_failed", record=record_name)
        failure = f"the analysis failed ({type(error).__name__}); read the trace without it"
    try:
        files = encode(
            record_name,
            recording.leads,
            recording.digital,
            recording.sampling_hz,
            [float(scale) for scale in recording.uv_per_lsb],
            [float(zero) for zero in recording.baseline],
            recording.started_at,
        )
    except WaveformError as error:
        raise DamagedRecording(f"the recording cannot be kept as a waveform: {error}") from error
    return Read(recording, findings, failure, files)


async def _store_waveform(blobs: Blobs, sha256: str, done: Read) -> dict[str, Any]:
    """Store the WFDB files under a key of their own content, and describe them."""
    digest = hashlib.sha256()
    for suffix in sorted(done.files):
        digest.update(done.files[suffix])
    edition = digest.hexdigest()[:12]
    keys = {suffix: waveform_key(sha256, f"-{edition}{suffix}") for suffix in done.files}
    for suffix, key in keys.items():
        await blobs.put(key, done.files[suffix])
    return {**described(done.recording), "files": keys}


def add_tasks(app: procrastinate.App, bench: Bench) -> None:
    """Give the application the worker's tasks."""
    days = MeasuredDays()

    @app.task(name=PREREAD_TASK, queue=PREREAD_QUEUE, retry=RETRY, pass_context=True)
    async def task(context: JobContext, recording_id: str) -> None:
        if context.job.queue == LONG_QUEUE:
            await preread_long(bench, UUID(recording_id))
        else:
            await preread(bench, UUID(recording_id), context.job.priority)

    @app.task(name=RECONCLUDE_TASK, queue=PREREAD_QUEUE, retry=RETRY)
    async def edited(recording_id: str) -> None:
        if not await reconclude_pressures(bench, UUID(recording_id)):
            await reconclude(bench, days, UUID(recording_id))


async def run(store: StoreSettings, settings: WorkerSettings) -> None:
    """Pre-read recordings until told to stop: resting ECGs in their slots, long recordings in one of their own."""
    sweep_scratch()
    database = Database(store.database_url, pool_size=settings.concurrency + 3)
    app = make_app(store.database_url)
    add_tasks(app, Bench(database, Blobs(store.blobs), settings))
    slots = (
        {PREREAD_QUEUE: settings.concurrency, LONG_QUEUE: 1}
        if settings.long_recordings
        else {PREREAD_QUEUE: settings.concurrency}
    )
    try:
        await run_worker(app, slots=slots, name=settings.name)
    finally:
        await database.close()
