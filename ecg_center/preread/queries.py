"""All SQL about pre-reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.tables import FindingsEdit, FindingsRow, Institution, PrereadProgress, Recording, Report, Study


async def recording(session: AsyncSession, recording_id: UUID) -> tuple[Recording, Institution] | None:
    """A recording in sight with its institution."""
    row = (
        await session.execute(
            select(Recording, Institution)
            .join(Institution, Institution.id == Recording.institution_id)
            .where(Recording.id == recording_id)
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


async def recordings_of(session: AsyncSession, study_id: UUID) -> list[Recording]:
    """The recordings of a study, the newest first."""
    return list(
        await session.scalars(
            select(Recording).where(Recording.study_id == study_id).order_by(Recording.stored_at.desc())
        )
    )


async def edits_of(session: AsyncSession, recording_id: UUID) -> list[FindingsEdit]:
    """The recording's edits in their order."""
    return list(
        await session.scalars(
            select(FindingsEdit).where(FindingsEdit.recording_id == recording_id).order_by(FindingsEdit.position)
        )
    )


async def count_edits(session: AsyncSession, recording_id: UUID) -> int:
    """How many edits the recording has."""
    return int(
        await session.scalar(
            select(func.count()).select_from(FindingsEdit).where(FindingsEdit.recording_id == recording_id)
        )
        or 0
    )


async def progress(session: AsyncSession, study_id: UUID) -> PrereadProgress | None:
    """How far the pre-read of the study's long recording has come; None where none is under way."""
    return await session.scalar(
        select(PrereadProgress).where(PrereadProgress.study_id == study_id).order_by(PrereadProgress.at.desc()).limit(1)
    )


@dataclass(frozen=True, slots=True)
class EarlierEcg:
    """What was said of an earlier ECG, and what its signed report says; None where none was signed."""

    study_id: UUID
    at: datetime
    content: dict[str, Any]
    report: dict[str, Any] | None


async def earlier_ecg(session: AsyncSession, study: Study, recording: Recording) -> EarlierEcg | None:
    """The newest resting ECG in sight of the study's patient that was recorded before this one and pre-read."""
    at = func.coalesce(Recording.started_at, Recording.safe_at)
    row = (
        await session.execute(
            select(Study.id, at, FindingsRow.content, Report.content)
            .join(Recording, Recording.study_id == Study.id)
            .join(FindingsRow, FindingsRow.recording_id == Recording.id)
            .outerjoin(
                Report,
                and_(Report.recording_id == Recording.id, Report.state.in_(("written", "released", "superseded"))),
            )
            .where(
                Study.patient_id == study.patient_id,
                Study.kind == "resting",
                Study.id != study.id,
                Study.state != "cancelled",
                Recording.state == "decoded",
                at < (recording.started_at or recording.safe_at),
            )
            .order_by(at.desc(), FindingsRow.created_at.desc(), Report.version.desc().nulls_last())
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else EarlierEcg(*row)
