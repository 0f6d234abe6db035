"""All SQL of reporting."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.tables import Delivery, Institution, Opinion, Patient, Recording, Report, Study


async def current_report(
    session: AsyncSession, study_id: UUID, *, lock: bool = False, released: bool = False
) -> Report | None:
    """The newest version of a study's report, or the newest that was released."""
    statement = select(Report).where(Report.study_id == study_id).order_by(Report.version.desc()).limit(1)
    if released:
        statement = statement.where(Report.state.in_(("released", "superseded")))
    return await session.scalar(statement.with_for_update() if lock else statement)


async def reports_of(session: AsyncSession, study_id: UUID) -> list[Report]:
    """Every version, the newest first."""
    return list(
        await session.scalars(select(Report).where(Report.study_id == study_id).order_by(Report.version.desc()))
    )


async def readable_recordings(session: AsyncSession, study_id: UUID) -> list[Recording]:
    """The readable recordings of a study, the newest first."""
    return list(
        await session.scalars(
            select(Recording)
            .where(Recording.study_id == study_id, Recording.state == "decoded")
            .order_by(Recording.stored_at.desc())
        )
    )


async def opinions_of(session: AsyncSession, study_id: UUID) -> list[Opinion]:
    """The signed opinions of a study, the newest first."""
    return list(
        await session.scalars(select(Opinion).where(Opinion.study_id == study_id).order_by(Opinion.signed_at.desc()))
    )


async def patient_and_institution(session: AsyncSession, study: Study) -> tuple[Patient | None, Institution | None]:
    """Whom a study is of, and where it was recorded."""
    patient = await session.get(Patient, study.patient_id) if study.patient_id else None
    return patient, await session.get(Institution, study.institution_id)


async def previous_studies(session: AsyncSession, study: Study, limit: int) -> list[Study]:
    """Earlier released studies of the same patient and kind, the newest first."""
    if study.patient_id is None:
        return []
    return list(
        await session.scalars(
            select(Study)
            .where(
                Study.patient_id == study.patient_id,
                Study.kind == study.kind,
                Study.id != study.id,
                Study.state.in_(("released", "delivered")),
            )
            .order_by(Study.registered_at.desc())
            .limit(limit)
        )
    )


async def deliveries_of(session: AsyncSession, study_id: UUID) -> list[Delivery]:
    """The deliveries of a study's report versions."""
    return list(
        await session.scalars(
            select(Delivery).where(Delivery.study_id == study_id).order_by(Delivery.created_at.desc())
        )
    )


async def withdraw_waiting(session: AsyncSession, study_id: UUID) -> None:
    """Take back deliveries that no printer has begun: an amended version follows."""
    for delivery in await deliveries_of(session, study_id):
        if delivery.state in ("waiting", "failed"):
            delivery.state = "superseded"
