"""All SQL of the timeline."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.tables import Study, StudyEvent

LIMIT = 1000
"""A study has some twenty lines; this bounds a page, not a record."""


async def events_of(session: AsyncSession, study_id: UUID) -> list[StudyEvent]:
    """The lines of a study and of the orders merged into it, by time."""
    merged = await session.scalars(select(Study.id).where(Study.merged_into == study_id))
    return list(
        await session.scalars(
            select(StudyEvent)
            .where(StudyEvent.study_id.in_([study_id, *merged]))  # asked in one, PostgreSQL would read every event
            .order_by(StudyEvent.at, StudyEvent.id)
            .limit(LIMIT)
        )
    )
