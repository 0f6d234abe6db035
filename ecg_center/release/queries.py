"""All SQL of release."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.store.jobs import RELEASE_TASK
from ecg_center.store.tables import Delivery, Institution, Patient, Recording, Report, Study

STUCK_LIMIT = 100


@dataclass(frozen=True)
class ReleasedReport:
    """A released report with all that its document says."""

    report: Report
    study: Study
    patient: Patient
    member: Institution
    recording: Recording


async def released(session: AsyncSession, report_id: UUID) -> ReleasedReport | None:
    """A released report by its id."""
    row = (
        await session.execute(
            select(Report, Study, Patient, Institution, Recording)
            .join(Study, Study.id == Report.study_id)
            .join(Patient, Patient.id == Study.patient_id)
            .join(Institution, Institution.id == Study.institution_id)
            .join(Recording, Recording.id == Report.recording_id)
            .where(Report.id == report_id, Report.state.in_(("released", "superseded")))
        )
    ).one_or_none()
    return None if row is None else ReleasedReport(*row)


async def lead(session: AsyncSession) -> Institution | None:
    """The lead hospital."""
    return await session.scalar(select(Institution).where(Institution.kind == "lead"))


async def previous_version(session: AsyncSession, report: Report) -> Report | None:
    """The version that this one replaces."""
    return await session.scalar(
        select(Report).where(Report.study_id == report.study_id, Report.version == report.version - 1)
    )


async def study_of(session: AsyncSession, report_id: UUID) -> UUID | None:
    """The study of a report."""
    return await session.scalar(select(Report.study_id).where(Report.id == report_id))


async def lock_report(session: AsyncSession, report_id: UUID) -> Report | None:
    """A report, locked."""
    return await session.scalar(select(Report).where(Report.id == report_id).with_for_update())


async def has_delivery(session: AsyncSession, report_id: UUID) -> bool:
    """Whether the report has been handed to delivery."""
    return (await session.scalar(select(Delivery.id).where(Delivery.report_id == report_id).limit(1))) is not None


async def report_by_code(session: AsyncSession, verify_code: str) -> UUID | None:
    """The report whose QR code ends in this."""
    return await session.scalar(select(Report.id).where(Report.verify_code == verify_code))


async def newest_version(session: AsyncSession, study_id: UUID) -> int:
    """The newest released version of a study's report."""
    found = await session.scalar(
        select(Report.version)
        .where(Report.study_id == study_id, Report.state == "released")
        .order_by(Report.version.desc())
        .limit(1)
    )
    return int(found or 0)


async def stuck_reports(session: AsyncSession, before: datetime) -> list[tuple[Report, Study]]:
    """Reports released before then that have no document, with no job left that would make it."""
    waiting = text(
        "NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS job WHERE job.task_name = :task "
        "AND job.status IN ('todo', 'doing') AND job.args ->> 'report_id' = report.id::text)"
    ).bindparams(task=RELEASE_TASK)
    rows = await session.execute(
        select(Report, Study)
        .join(Study, Study.id == Report.study_id)
        .where(Report.state == "released", Report.pdf_sha256.is_(None), Report.released_at < before, waiting)
        .order_by(Report.released_at)
        .limit(STUCK_LIMIT)
    )
    return [(row[0], row[1]) for row in rows]
