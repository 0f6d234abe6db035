"""How does a file of blood pressure readings become findings, and how does a physician's edit become new ones?

As an ECG does (``tasks``), but that there is no waveform to keep: a few hundred numbers are read from the bytes again
in milliseconds. Both jobs may come twice; each ends in one transaction that writes the same again.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import structlog

from ecg_center.contract.findings import Findings
from ecg_center.contract.pressure import PressureEdit
from ecg_center.store.blobs import original_key
from ecg_center.store.session import EVERYTHING
from worker import formats, queries
from worker.formats import UnreadableRecording, pressure
from worker.formats.errors import UnknownFormat
from worker.pressure.analysis import analyse
from worker.pressure.editing import EditError
from worker.pressure.indication import noted_in
from worker.pressure_readings import BloodPressureSeries
from worker.queries import Work
from worker.resting import Patient
from worker.work import Bench, DamagedOriginalError

log = structlog.get_logger(__name__)

KIND: Final = "abpm"
MAX_REFUSED: Final = 100
"""Edits that cannot be applied are taken back one by one; more than this is no physician's work."""


def holds_pressures(content: bytes) -> bool:
    """Whether these bytes are blood pressure readings and no ECG."""
    try:
        formats.recognise(content)
    except UnknownFormat:
        return pressure.recognise(content) is not None
    return False


async def preread_pressures(bench: Bench, work: Work, content: bytes, started: float) -> None:
    """Read one day of pressures and write down what it says.

    Args:
        bench: all that a pre-read needs.
        work: the recording.
        content: its bytes, which :func:`holds_pressures`.
        started: when the job began, on ``time.perf_counter``.
    """
    findings, failure = None, ""
    try:
        series = await asyncio.to_thread(pressure.read, content)
    except UnreadableRecording as error:
        log.warning("recording_quarantined", recording=str(work.recording_id), reason=str(error))
        async with bench.database.transaction(EVERYTHING) as session:
            await queries.quarantine(session, work.recording_id, str(error), bench.actor, datetime.now(UTC))
        return
    try:
        findings = concluded(bench, work, series)
    except Exception as error:  # an error of ours must not keep the readings out of the list of recordings
        log.exception("analysis_failed", record=work.sha256)
        failure = f"the analysis failed ({type(error).__name__})"
    async with bench.database.transaction(EVERYTHING) as session:
        await queries.store_read(
            session,
            work.recording_id,
            waveform=described(series),
            identity=series.identity.model_dump(mode="json", exclude_none=True),
            started_at=series.started_at,
            findings=findings,
            failure=failure,
            took_ms=_took_ms(started),
            actor=bench.actor,
            now=datetime.now(UTC),
        )
        await queries.conclude_anew(session, work.recording_id)


async def reconclude_pressures(bench: Bench, recording_id: UUID) -> bool:
    """Replay the edits of a day of pressures and write down what follows; False where the recording is none.

    An edit that cannot be applied is taken back with the reason: a list that only grows must never get stuck.

    Raises:
        DamagedOriginalError, BlobMissingError: the stored bytes are not what was received; the job is retried.
    """
    started = time.perf_counter()
    async with bench.database.transaction(EVERYTHING) as session:
        work = await queries.load(session, recording_id)
    if work is None or work.kind != KIND:
        return False
    content = await bench.blobs.get(original_key(work.sha256))
    if hashlib.sha256(content).hexdigest() != work.sha256:
        raise DamagedOriginalError(f"original {work.sha256} is damaged in the store")
    series = await asyncio.to_thread(pressure.read, content)
    for _ in range(MAX_REFUSED):
        async with bench.database.transaction(EVERYTHING) as session:
            edits = [PressureEdit.model_validate(one) for one in await queries.edits_of(session, recording_id)]
        try:
            findings = concluded(bench, work, series, edits)
            break
        except EditError as error:
            log.warning("edit_taken_back", recording=str(recording_id), reason=str(error))
            async with bench.database.transaction(EVERYTHING) as session:
                await queries.take_back(session, recording_id, error.position, error.reason, bench.actor)
    else:
        log.error("edits_given_up", recording=str(recording_id))
        return True
    async with bench.database.transaction(EVERYTHING) as session:
        await queries.store_edited(
            session,
            recording_id,
            findings,
            {},
            edits=len(edits),
            took_ms=_took_ms(started),
            actor=bench.actor,
            now=datetime.now(UTC),
        )
    return True


def concluded(bench: Bench, work: Work, series: BloodPressureSeries, edits: Sequence[PressureEdit] = ()) -> Findings:
    """What the readings say with these edits.

    Raises:
        EditError: an edit cannot be applied.
        GuidelineError: the settings name a set that is not there.
    """
    return analyse(
        series,
        Patient(sex=work.sex, birth_date=work.birth_date),
        guideline=bench.settings.pressure_guideline,
        narrow_hours=bench.settings.pressure_narrow_hours,
        noted=noted_in(work.indication),
        edits=edits,
    )


def described(series: BloodPressureSeries) -> dict[str, Any]:
    """``recording.waveform`` of a recording that has none: what a page says of it, and no files."""
    return {
        "format": series.format,
        "kind": KIND,
        "sampling_hz": 0.0,
        "n_samples": 0,
        "leads": [],
        "derived": [],
        "filters": [],
        "calibrated": True,
        "warnings": list(series.warnings),
        "files": {},
    }


def _took_ms(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)
