"""Which findings of a recording are in force?"""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import Findings
from ecg_center.contract.pressure import PressureFindings
from ecg_center.store.tables import FindingsRow


async def newest_findings(session: AsyncSession, recording_id: UUID, *, machine: bool = False) -> FindingsRow | None:
    """The newest findings of a recording, with the physicians' edits where there are any; or the machine's own."""
    statement = (
        select(FindingsRow)
        .where(FindingsRow.recording_id == recording_id)
        .order_by(FindingsRow.created_at.desc(), FindingsRow.edited.desc())
        .limit(1)
    )
    return await session.scalar(statement.where(FindingsRow.edited.is_(False)) if machine else statement)


async def pressures_in_force(session: AsyncSession, study_id: UUID) -> PressureFindings | None:
    """The newest blood pressure figures of a study, whichever of its recordings they are of; None where it has none."""
    row = await session.scalar(
        select(FindingsRow)
        .where(FindingsRow.study_id == study_id, FindingsRow.content["pressure"].astext.is_not(None))
        .order_by(FindingsRow.created_at.desc(), FindingsRow.edited.desc())
        .limit(1)
    )
    return None if row is None else Findings.model_validate(row.content).pressure
