"""All SQL of the worker: what it reads of a recording, and what it writes down."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import Findings
from ecg_center.domain.clocks import believable
from ecg_center.domain.workflow import Move, State, allows
from ecg_center.store.events import Actor, move, note
from ecg_center.store.jobs import CENTRE_QUEUE, REMATCH_TASK, defer
from ecg_center.store.studies import refresh_urgency
from ecg_center.store.tables import FindingsRow, Patient, Study
from ecg_center.store.tables import Recording as RecordingRow

GRADES = ("critical", "major", "abnormal", "normal")
"""The gravest first."""


@dataclass(frozen=True)
class Work:
    """What the worker has to know of a recording before it opens it."""

    recording_id: UUID
    sha256: str
    state: str
    sex: str | None
    birth_date: str | None
    """ISO, of the order's patient where there is one."""


async def load(session: AsyncSession, recording_id: UUID) -> Work | None:
    """The recording to be read."""
    row = (
        await session.execute(
            select(RecordingRow, Patient)
            .join(Study, Study.id == RecordingRow.study_id)
            .outerjoin(Patient, Patient.id == Study.patient_id)
            .where(RecordingRow.id == recording_id)
        )
    ).one_or_none()
    if row is None:
        return None
    recording, patient = row
    return Work(
        recording_id=recording.id,
        sha256=recording.sha256,
        state=recording.state,
        sex=patient.sex if patient else None,
        birth_date=patient.birth_date.isoformat() if patient and patient.birth_date else None,
    )


async def store_read(
    session: AsyncSession,
    recording_id: UUID,
    *,
    waveform: dict[str, Any],
    identity: dict[str, Any],
    started_at: datetime | None,
    findings: Findings | None,
    failure: str,
    took_ms: int,
    actor: Actor,
    now: datetime,
) -> None:
    """Write down what was read, and move the study on; repeating it changes nothing that was written before.

    ``findings`` is None where the analysis failed (``failure`` says how): the trace is there to be read all the same.
    """
    recording, study = await _locked(session, recording_id)
    if recording.state in ("quarantined", "dismissed"):
        return
    recording.state, recording.reason, recording.waveform = "decoded", "", waveform
    recording.identity = identity | recording.identity
    recording.started_at = recording.started_at or believable(started_at, now)
    if findings is not None:
        await _store_findings(session, recording, findings, took_ms)
        study.grade = await _worst_grade(session, study.id)
        refresh_urgency(study)
    if allows(State(study.state), Move.PREREAD):
        data: dict[str, Any] = {"recording_id": str(recording_id), "took_ms": took_ms}
        if findings is not None:
            data |= {"grade": findings.grade, "engine": f"{findings.engine} {findings.engine_version}"}
        move(session, study, Move.PREREAD, actor=actor, at=now, why=failure, **data)
    names_someone = ("patient_id", "sex", "birth_date") if study.patient_id else ("accession_number",)
    if any(recording.identity.get(name) for name in names_someone):
        await defer(session, REMATCH_TASK, queue=CENTRE_QUEUE, recording_id=str(recording_id))


async def _store_findings(session: AsyncSession, recording: RecordingRow, findings: Findings, took_ms: int) -> None:
    content = findings.model_dump(mode="json")
    await session.execute(
        insert(FindingsRow)
        .values(
            institution_id=recording.institution_id,
            recording_id=recording.id,
            study_id=recording.study_id,
            engine=findings.engine,
            engine_version=findings.engine_version,
            content=content,
            took_ms=took_ms,
        )
        .on_conflict_do_update(
            index_elements=["recording_id", "engine", "engine_version", "edited"],
            set_={"content": content, "took_ms": took_ms, "created_at": func.now()},
        )
    )


async def _worst_grade(session: AsyncSession, study_id: UUID) -> str | None:
    """The gravest grade of the study's recordings, by the newest findings of each: none hides a critical one."""
    newest = (
        select(FindingsRow.content["grade"].astext)
        .where(FindingsRow.study_id == study_id)
        .ext(distinct_on(FindingsRow.recording_id))
        .order_by(FindingsRow.recording_id, FindingsRow.created_at.desc(), FindingsRow.edited.desc())
    )
    return min(await session.scalars(newest), key=GRADES.index, default=None)


async def quarantine(session: AsyncSession, recording_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Set unreadable bytes aside with the reason; the exam is to be recorded again, and a person is asked to look."""
    recording, study = await _locked(session, recording_id)
    if recording.state != "stored":
        return
    recording.state, recording.reason = "quarantined", reason
    if allows(State(study.state), Move.QUARANTINE) and not await _has_readable(session, study.id):
        move(session, study, Move.QUARANTINE, actor=actor, at=now, why=reason, recording_id=str(recording_id))
    else:
        note(session, study, "quarantine", actor=actor, at=now, why=reason, recording_id=str(recording_id))


async def _has_readable(session: AsyncSession, study_id: UUID) -> bool:
    found = await session.scalar(
        select(RecordingRow.id).where(RecordingRow.study_id == study_id, RecordingRow.state == "decoded").limit(1)
    )
    return found is not None


async def _locked(session: AsyncSession, recording_id: UUID) -> tuple[RecordingRow, Study]:
    """The recording and its study, the study locked first as everywhere."""
    study_id = await session.scalar(select(RecordingRow.study_id).where(RecordingRow.id == recording_id))
    study = await session.scalar(select(Study).where(Study.id == study_id).with_for_update())
    recording = await session.scalar(select(RecordingRow).where(RecordingRow.id == recording_id).with_for_update())
    assert study is not None
    assert recording is not None
    return recording, study
