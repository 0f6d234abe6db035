"""All SQL of the timeline."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.tables import Study, StudyEvent

LIMIT = 1000
"""A study has some twenty lines; this bounds a page, not a record."""


async def events_of(session: AsyncSession, study_id: UUID) -> list[StudyEvent]:
    """The lines of a study and of the orders merged into it, by time."""
    merged = select(Study.id).where(Study.merged_into == study_id)
    return list(
        await session.scalars(
            select(StudyEvent)
            .where(or_(StudyEvent.study_id == study_id, StudyEvent.study_id.in_(merged)))
            .order_by(StudyEvent.at, StudyEvent.id)
            .limit(LIMIT)
        )
    )
