"""All SQL of intake."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import PREREAD_TASK
from ecg_center.domain.workflow import State
from ecg_center.store.tables import Device, Institution, Patient, Recording, Report, Study, Upload

LIST_LIMIT = 200


async def lock_content(session: AsyncSession, institution_id: UUID, sha256: str) -> None:
    """Hold an advisory lock on this content until the transaction ends: two uploads of it go one after the other."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"{institution_id}/{sha256}"}
    )


async def recording_by_content(session: AsyncSession, institution_id: UUID, sha256: str) -> Recording | None:
    """The recording that has these bytes."""
    return await session.scalar(
        select(Recording).where(Recording.institution_id == institution_id, Recording.sha256 == sha256)
    )


async def study_of(session: AsyncSession, recording_id: UUID) -> UUID | None:
    """The study of a recording in sight."""
    return await session.scalar(select(Recording.study_id).where(Recording.id == recording_id))


async def lock_recording(session: AsyncSession, recording_id: UUID) -> Recording | None:
    """One recording, locked."""
    return await session.scalar(select(Recording).where(Recording.id == recording_id).with_for_update())


async def upload(session: AsyncSession, institution_id: UUID, sha256: str) -> Upload | None:
    """An upload under way."""
    return await session.get(Upload, (institution_id, sha256))


async def uploads_by_content(session: AsyncSession, sha256: str) -> list[Upload]:
    """The uploads of this content under way for institutions in sight; nearly always one."""
    return list(
        await session.scalars(
            select(Upload).where(Upload.sha256 == sha256).order_by(Upload.created_at, Upload.institution_id)
        )
    )


async def save_upload(
    session: AsyncSession, institution_id: UUID, sha256: str, gateway_id: UUID, offer: dict[str, Any], now: datetime
) -> None:
    """Note an upload under way, or that it was offered again."""
    await session.execute(
        insert(Upload)
        .values(
            institution_id=institution_id,
            sha256=sha256,
            gateway_id=gateway_id,
            offer=offer,
            created_at=now,
            touched_at=now,
        )
        .on_conflict_do_update(
            index_elements=["institution_id", "sha256"],
            set_={"gateway_id": gateway_id, "offer": offer, "touched_at": now},
        )
    )


async def delete_upload(session: AsyncSession, institution_id: UUID, sha256: str) -> None:
    """Forget an upload that is complete."""
    await session.execute(delete(Upload).where(Upload.institution_id == institution_id, Upload.sha256 == sha256))


async def stale_uploads(session: AsyncSession, before: datetime) -> list[Upload]:
    """Uploads that nobody has touched since."""
    return list(await session.scalars(select(Upload).where(Upload.touched_at < before).limit(LIST_LIMIT)))


async def device(session: AsyncSession, transport: str, identity: str) -> Device | None:
    """A device in sight by its identity."""
    return await session.scalar(
        select(Device).where(Device.transport == transport, Device.identity == identity, Device.active)
    )


async def touch_device(session: AsyncSession, device_id: UUID, at: datetime) -> None:
    """Note when a device was last heard of."""
    await session.execute(
        update(Device)
        .where(Device.id == device_id, func.coalesce(Device.last_seen_at, at) <= at)
        .values(last_seen_at=at)
    )


async def institution(session: AsyncSession, institution_id: UUID) -> Institution | None:
    """One institution."""
    return await session.get(Institution, institution_id)


async def order_by_accession(
    session: AsyncSession, institution_id: UUID, accession_number: str
) -> tuple[Study, Patient] | None:
    """The institution's study of this accession number with its patient, locked."""
    row = (
        await session.execute(
            select(Study, Patient)
            .join(Patient, Patient.id == Study.patient_id)
            .where(Study.institution_id == institution_id, Study.accession_number == accession_number)
            .with_for_update(of=Study)
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


async def study_by_instance(session: AsyncSession, institution_id: UUID, sop_instance_uid: str) -> Study | None:
    """The study that already holds a recording of this SOP instance."""
    return await session.scalar(
        select(Study)
        .join(Recording, Recording.study_id == Study.id)
        .where(Recording.institution_id == institution_id, Recording.sop_instance_uid == sop_instance_uid)
        .limit(1)
        .with_for_update(of=Study)
    )


async def patient(session: AsyncSession, patient_id: UUID) -> Patient | None:
    """One patient."""
    return await session.get(Patient, patient_id)


async def has_report(session: AsyncSession, study_id: UUID) -> bool:
    """Whether a report of the study has been begun."""
    return (await session.scalar(select(Report.id).where(Report.study_id == study_id).limit(1))) is not None


async def unmatched(session: AsyncSession) -> list[tuple[Study, Recording, Institution]]:
    """Studies in sight whose recording has no order, the most urgent and oldest first."""
    rows = await session.execute(
        select(Study, Recording, Institution)
        .join(Recording, Recording.study_id == Study.id)
        .join(Institution, Institution.id == Study.institution_id)
        .where(
            Study.patient_id.is_(None),
            Study.state != State.CANCELLED.value,
            Recording.state.in_(("stored", "decoded")),
        )
        .order_by(Study.urgency, Recording.stored_at)
        .limit(LIST_LIMIT)
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def quarantined(session: AsyncSession) -> list[tuple[Recording, Study, Institution, Device | None]]:
    """Recordings in sight that could not be read, the oldest first."""
    rows = await session.execute(
        select(Recording, Study, Institution, Device)
        .join(Study, Study.id == Recording.study_id)
        .join(Institution, Institution.id == Recording.institution_id)
        .outerjoin(Device, Device.id == Recording.device_id)
        .where(Recording.state == "quarantined")
        .order_by(Recording.stored_at)
        .limit(LIST_LIMIT)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def candidate_orders(session: AsyncSession, institution_id: UUID) -> list[tuple[Study, Patient]]:
    """Open orders of the institution that an unmatched recording may belong to, the newest first."""
    rows = await session.execute(
        select(Study, Patient)
        .join(Patient, Patient.id == Study.patient_id)
        .where(Study.institution_id == institution_id, Study.state == State.REGISTERED.value)
        .order_by(Study.registered_at.desc())
        .limit(LIST_LIMIT)
    )
    return [(row[0], row[1]) for row in rows]


async def stuck_recordings(session: AsyncSession, before: datetime) -> list[Recording]:
    """Recordings stored since before then that are not read, with no job left that would."""
    waiting = text(
        "NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS job WHERE job.task_name = :task "
        "AND job.status IN ('todo', 'doing') AND job.args ->> 'recording_id' = recording.id::text)"
    ).bindparams(task=PREREAD_TASK)
    return list(
        await session.scalars(
            select(Recording)
            .where(Recording.state == "stored", Recording.stored_at < before, waiting)
            .order_by(Recording.stored_at)
            .limit(LIST_LIMIT)
        )
    )
