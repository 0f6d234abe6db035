"""All SQL about pre-reads."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.tables import FindingsEdit, Institution, PrereadProgress, Recording


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
