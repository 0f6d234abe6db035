"""All SQL of review."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.tables import Patient, Report, Review, Study


async def current_report(session: AsyncSession, study_id: UUID) -> Report | None:
    """The newest version of a study's report, locked."""
    return await session.scalar(
        select(Report).where(Report.study_id == study_id).order_by(Report.version.desc()).limit(1).with_for_update()
    )


async def reviews_of(session: AsyncSession, study_id: UUID) -> list[Review]:
    """Every decision on a study's reports, the newest first."""
    return list(
        await session.scalars(
            select(Review)
            .join(Report, Report.id == Review.report_id)
            .where(Report.study_id == study_id)
            .order_by(Review.at.desc())
        )
    )


async def supersede_older(session: AsyncSession, report: Report) -> None:
    """Mark every earlier released version as superseded."""
    await session.execute(
        update(Report)
        .where(Report.study_id == report.study_id, Report.version < report.version, Report.state == "released")
        .values(state="superseded")
    )


async def patient_of(session: AsyncSession, study: Study) -> Patient | None:
    """Whom the study is of."""
    return await session.get(Patient, study.patient_id) if study.patient_id else None
