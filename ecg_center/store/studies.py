"""How does a use case take hold of one study?"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.domain.errors import NotFound
from ecg_center.domain.priority import urgency
from ecg_center.store.tables import Study


async def lock_study(session: AsyncSession, study_id: UUID) -> Study:
    """The study as it stands, locked until the transaction ends, so that two people cannot move it at once.

    Every use case locks the study before its other rows. Lines of the timeline may be added meanwhile
    (``FOR NO KEY UPDATE``).

    Raises:
        NotFound: no such study within the transaction's sight.
    """
    statement = select(Study).where(Study.id == study_id).with_for_update(key_share=True)
    study = await session.scalar(statement.execution_options(populate_existing=True))
    if study is None:
        raise NotFound("There is no such study, or it belongs to another institution.")
    return study


async def get_study(session: AsyncSession, study_id: UUID) -> Study:
    """The study, to be read.

    Raises:
        NotFound: no such study within the transaction's sight.
    """
    study = await session.get(Study, study_id)
    if study is None:
        raise NotFound("There is no such study, or it belongs to another institution.")
    return study


def refresh_urgency(study: Study) -> None:
    """Bring the sort key in line with the marks and the pre-read's grade."""
    study.urgency = urgency(chest_pain=study.chest_pain, urgent=study.urgent, grade=study.grade)  # type: ignore[arg-type]
