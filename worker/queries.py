"""All SQL of the worker: what it reads of a recording, and what it writes down."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import (
    LONG_QUEUE,
    PREREAD_QUEUE,
    PREREAD_TASK,
    RECONCLUDE_PRIORITY,
    RECONCLUDE_TASK,
    Findings,
)
from ecg_center.contract.holter import Edit
from ecg_center.domain.clocks import believable
from ecg_center.domain.workflow import Move, State, allows
from ecg_center.store.deadlines import set_deadlines
from ecg_center.store.events import Actor, move, note
from ecg_center.store.jobs import CENTRE_QUEUE, REMATCH_TASK, defer
from ecg_center.store.studies import refresh_urgency
from ecg_center.store.tables import FindingsEdit, FindingsRow, Patient, PrereadProgress, Study
from ecg_center.store.tables import Recording as RecordingRow
from worker.resting.patient import Patient as Whose
from worker.resting.patient import filled

GRADES = ("critical", "major", "abnormal", "normal")
"""The gravest first."""


@dataclass(frozen=True)
class Work:
    """What the worker has to know of a recording before it opens it."""

    recording_id: UUID
    sha256: str
    size_bytes: int
    state: str
    sex: str | None
    birth_date: str | None
    """ISO; both are the order's, and the device's where the order has none."""
    received_on: date
    """When the gateway had it, by the gateway's clock: a recorder's own may be years wrong."""
    measured: str | None
    """Of a day that was read: the blob key of what was measured."""
    measured_version: int
    """In which version of ``holter.stored`` it was written."""
    indication: str = ""
    """The order's words, which may name the pressure in the consulting room."""
    kind: str = ""
    """Of a recording that was read: ``resting``, ``holter`` or ``abpm``."""


async def load(session: AsyncSession, recording_id: UUID) -> Work | None:
    """The recording to be read."""
    row = (
        await session.execute(
            select(RecordingRow, Patient, Study.indication)
            .join(Study, Study.id == RecordingRow.study_id)
            .outerjoin(Patient, Patient.id == Study.patient_id)
            .where(RecordingRow.id == recording_id)
        )
    ).one_or_none()
    if row is None:
        return None
    recording, patient, indication = row
    said = recording.identity or {}
    ordered = Whose(
        sex=patient.sex if patient else None,
        birth_date=patient.birth_date.isoformat() if patient and patient.birth_date else None,
    )
    whose = filled(ordered, said.get("sex"), said.get("birth_date"))
    return Work(
        recording_id=recording.id,
        sha256=recording.sha256,
        size_bytes=recording.size_bytes,
        state=recording.state,
        sex=whose.sex,
        birth_date=whose.birth_date,
        received_on=recording.safe_at.date(),
        measured=(recording.waveform or {}).get("measured"),
        measured_version=(recording.waveform or {}).get("measured_version", 0),
        indication=indication,
        kind=(recording.waveform or {}).get("kind", ""),
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
    files: dict[str, str] | None = None,
) -> None:
    """Write down what was read, and move the study on; repeating it changes nothing that was written before.

    ``findings`` is None where the analysis failed (``failure`` says how): the trace is there to be read all the same.
    ``files`` are the blob keys of what belongs to the findings.
    """
    recording, study = await _locked(session, recording_id)
    if recording.state in ("quarantined", "dismissed"):
        return
    recording.state, recording.reason, recording.waveform = "decoded", "", waveform
    recording.identity = identity | recording.identity
    recording.started_at = recording.started_at or believable(started_at, now)
    await session.execute(delete(PrereadProgress).where(PrereadProgress.recording_id == recording_id))
    await _take_kind(session, study, waveform["kind"])
    if findings is not None:
        await _store_findings(session, recording, findings, took_ms, files or {})
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


async def _take_kind(session: AsyncSession, study: Study, kind: str) -> None:
    """A study without an order is of the kind that was recorded, and due as such."""
    if study.patient_id is None and study.kind != kind:
        study.kind = kind
        await session.flush()
        await set_deadlines(session, study)


async def _store_findings(
    session: AsyncSession,
    recording: RecordingRow,
    findings: Findings,
    took_ms: int,
    files: dict[str, str],
    edits: int | None = None,
) -> None:
    """Write one row; ``edits`` is how many of a physician's edits it holds, None for the machine's own."""
    changed = {
        "content": findings.model_dump(mode="json"),
        "took_ms": took_ms,
        "files": files,
        "edits": edits or 0,
        "created_at": func.now(),
    }
    await session.execute(
        insert(FindingsRow)
        .values(
            institution_id=recording.institution_id,
            recording_id=recording.id,
            study_id=recording.study_id,
            engine=findings.engine,
            engine_version=findings.engine_version,
            edited=edits is not None,
            **changed,
        )
        .on_conflict_do_update(
            index_elements=["recording_id", "engine", "engine_version", "edited"],
            set_=changed,
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


async def edits_of(session: AsyncSession, recording_id: UUID) -> list[dict[str, Any]]:
    """What physicians changed in a day's findings, in the order in which they did."""
    rows = await session.scalars(
        select(FindingsEdit.content).where(FindingsEdit.recording_id == recording_id).order_by(FindingsEdit.position)
    )
    return list(rows)


async def machine_findings(session: AsyncSession, recording_id: UUID) -> Findings | None:
    """The machine's own newest findings of a recording, without any edit."""
    content = await session.scalar(
        select(FindingsRow.content)
        .where(FindingsRow.recording_id == recording_id, FindingsRow.edited.is_(False))
        .order_by(FindingsRow.created_at.desc())
        .limit(1)
    )
    return None if content is None else Findings.model_validate(content)


async def holds(session: AsyncSession, recording_id: UUID, edits: int) -> bool:
    """Whether the findings in force hold this many edits already."""
    newest = await session.scalar(
        select(FindingsRow.edits)
        .where(FindingsRow.recording_id == recording_id)
        .order_by(FindingsRow.created_at.desc(), FindingsRow.edited.desc())
        .limit(1)
    )
    return newest is not None and newest >= edits


async def take_back(session: AsyncSession, recording_id: UUID, position: int, why: str, actor: Actor) -> None:
    """Undo an edit that cannot be applied, with the reason, so that those after it count."""
    recording, study = await _locked(session, recording_id)
    last = await session.scalar(
        select(func.max(FindingsEdit.position)).where(FindingsEdit.recording_id == recording_id)
    )
    session.add(
        FindingsEdit(
            institution_id=recording.institution_id,
            recording_id=recording.id,
            study_id=study.id,
            position=int(last or 0) + 1,
            content=Edit(action="undo", undoes=position).model_dump(mode="json", exclude_defaults=True),
            why=why[:500],
            person_name=actor.name,
            at=datetime.now(UTC),
        )
    )


async def store_edited(
    session: AsyncSession,
    recording_id: UUID,
    findings: Findings,
    files: dict[str, str],
    *,
    edits: int,
    took_ms: int,
    actor: Actor,
    now: datetime,
) -> None:
    """Write down what follows from so many edits, unless more have been taken in already."""
    recording, study = await _locked(session, recording_id)
    held = await session.scalar(
        select(FindingsRow.edits).where(
            FindingsRow.recording_id == recording_id,
            FindingsRow.edited,
            FindingsRow.engine == findings.engine,
            FindingsRow.engine_version == findings.engine_version,
        )
    )
    if held is not None and held > edits:
        return
    await _store_findings(session, recording, findings, took_ms, files, edits)
    await session.flush()
    before, study.grade = study.grade, await _worst_grade(session, study.id)
    if study.grade != before:
        refresh_urgency(study)
        note(session, study, "regraded", actor=actor, at=now, recording_id=str(recording_id), grade=study.grade)


async def show_progress(
    session: AsyncSession, recording_id: UUID, share: float, stage: str, remaining_s: float | None = None
) -> None:
    """Say how far a pre-read has come, and what it will still take; pages hear of it."""
    recording = await session.get(RecordingRow, recording_id)
    if recording is None:
        return
    changed = {"share": share, "stage": stage, "remaining_s": remaining_s, "at": func.now()}
    await session.execute(
        insert(PrereadProgress)
        .values(
            recording_id=recording.id,
            institution_id=recording.institution_id,
            study_id=recording.study_id,
            **changed,
        )
        .on_conflict_do_update(index_elements=["recording_id"], set_=changed)
    )


async def hand_over(session: AsyncSession, recording_id: UUID, priority: int) -> None:
    """Give a long recording to the slot that reads those."""
    await defer(session, PREREAD_TASK, queue=LONG_QUEUE, priority=priority, recording_id=str(recording_id))
    await show_progress(session, recording_id, 0.0, "waiting")


async def has_edits(session: AsyncSession, recording_id: UUID) -> bool:
    """Whether a physician has changed anything in this recording."""
    first = select(FindingsEdit.id).where(FindingsEdit.recording_id == recording_id).limit(1)
    return await session.scalar(first) is not None


async def conclude_anew(session: AsyncSession, recording_id: UUID) -> None:
    """Have the physicians' edits replayed over a new result of the machine."""
    if await has_edits(session, recording_id):
        await defer(
            session,
            RECONCLUDE_TASK,
            queue=PREREAD_QUEUE,
            priority=RECONCLUDE_PRIORITY,
            recording_id=str(recording_id),
        )


async def quarantine(session: AsyncSession, recording_id: UUID, reason: str, actor: Actor, now: datetime) -> None:
    """Set unreadable bytes aside with the reason; the exam is to be recorded again, and a person is asked to look."""
    recording, study = await _locked(session, recording_id)
    if recording.state != "stored":
        return
    recording.state, recording.reason = "quarantined", reason
    await session.execute(delete(PrereadProgress).where(PrereadProgress.recording_id == recording_id))
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
