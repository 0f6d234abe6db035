"""All SQL of delivery."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.domain.workflow import State
from ecg_center.store.tables import Delivery, Institution, Report, Study

TASKS_LIMIT = 50


async def waiting(session: AsyncSession) -> list[tuple[Delivery, Report, Study, Institution]]:
    """Deliveries in sight that are not on paper yet, urgent first, then the oldest.

    A version that is being amended, or was, is left out: nobody shall act on its paper.
    """
    rows = await session.execute(
        select(Delivery, Report, Study, Institution)
        .join(Report, Report.id == Delivery.report_id)
        .join(Study, Study.id == Delivery.study_id)
        .join(Institution, Institution.id == Delivery.institution_id)
        .where(
            Delivery.state.in_(("waiting", "printing", "failed")),
            Report.state == "released",
            Study.state.in_((State.RELEASED.value, State.DELIVERED.value)),
        )
        .order_by(Study.urgency, Delivery.created_at)
        .limit(TASKS_LIMIT)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def study_of(session: AsyncSession, delivery_id: UUID) -> UUID | None:
    """The study of a delivery in sight."""
    return await session.scalar(select(Delivery.study_id).where(Delivery.id == delivery_id))


async def delivery_with_report(
    session: AsyncSession, delivery_id: UUID, *, lock: bool = False
) -> tuple[Delivery, Report] | None:
    """A delivery in sight and its report."""
    statement = select(Delivery, Report).join(Report, Report.id == Delivery.report_id).where(Delivery.id == delivery_id)
    row = (await session.execute(statement.with_for_update(of=Delivery) if lock else statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def newest_delivery(session: AsyncSession, study_id: UUID) -> tuple[Delivery, Report] | None:
    """The delivery of a study's newest released version."""
    row = (
        await session.execute(
            select(Delivery, Report)
            .join(Report, Report.id == Delivery.report_id)
            .where(Delivery.study_id == study_id)
            .order_by(Report.version.desc(), Delivery.created_at.desc())
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])
