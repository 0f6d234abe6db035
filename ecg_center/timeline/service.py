"""What happened to a study, and how long did each step take?"""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.studies import get_study
from ecg_center.timeline import queries
from ecg_center.timeline.schemas import TimelineLine


async def timeline(session: AsyncSession, study_id: UUID) -> list[TimelineLine]:
    """Every line in sight, the oldest first.

    Raises:
        NotFound: no such study within the transaction's sight.
    """
    await get_study(session, study_id)
    lines: list[TimelineLine] = []
    for event in await queries.events_of(session, study_id):
        first, before = (lines[0].at, lines[-1].at) if lines else (event.at, event.at)
        lines.append(
            TimelineLine(
                at=event.at,
                what=event.what,
                from_state=event.from_state,
                to_state=event.to_state,
                actor_kind=event.actor_kind,
                actor_name=event.actor_name,
                source=event.source,
                why=event.why,
                step_ms=round((event.at - before).total_seconds() * 1000),
                total_ms=round((event.at - first).total_seconds() * 1000),
                data=event.data,
            )
        )
    return lines
