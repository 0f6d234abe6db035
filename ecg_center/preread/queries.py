"""All SQL about pre-reads."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.tables import FindingsRow, Institution, Recording


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


async def newest_findings(session: AsyncSession, recording_id: UUID) -> FindingsRow | None:
    """The newest findings of a recording, with a physician's edits where there are any."""
    return await session.scalar(
        select(FindingsRow)
        .where(FindingsRow.recording_id == recording_id)
        .order_by(FindingsRow.created_at.desc(), FindingsRow.edited.desc())
        .limit(1)
    )
