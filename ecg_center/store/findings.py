"""Which findings of a recording are in force?"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import Findings
from ecg_center.contract.pressure import PressureFindings
from ecg_center.store.tables import FindingsRow


@dataclass(frozen=True)
class FindingsFile:
    """A row of findings without what it says: a day says a megabyte, which its beats need not wait for."""

    edited: bool
    edits: int
    files: dict[str, Any]
    content: str = ""
    """The findings as JSON text, where they were asked for."""


async def newest_findings(session: AsyncSession, recording_id: UUID, *, machine: bool = False) -> FindingsRow | None:
    """The newest findings of a recording, with the physicians' edits where there are any; or the machine's own."""
    found: FindingsRow | None = await session.scalar(_newest(select(FindingsRow), recording_id, machine))
    return found


async def newest_file(
    session: AsyncSession, recording_id: UUID, *, machine: bool = False, with_content: bool = False
) -> FindingsFile | None:
    """The same row, its content as the text that it is or not at all."""
    columns: list[Any] = [FindingsRow.edited, FindingsRow.edits, FindingsRow.files]
    if with_content:
        columns.append(cast(FindingsRow.content, Text))
    row = (await session.execute(_newest(select(*columns), recording_id, machine))).one_or_none()
    return None if row is None else FindingsFile(*row)


def _newest(statement: Select[Any], recording_id: UUID, machine: bool) -> Select[Any]:
    statement = (
        statement.where(FindingsRow.recording_id == recording_id)
        .order_by(FindingsRow.created_at.desc(), FindingsRow.edited.desc())
        .limit(1)
    )
    return statement.where(FindingsRow.edited.is_(False)) if machine else statement


async def pressures_in_force(session: AsyncSession, study_id: UUID) -> PressureFindings | None:
    """The newest blood pressure figures of a study, whichever of its recordings they are of; None where it has none."""
    row = await session.scalar(
        select(FindingsRow)
        .where(FindingsRow.study_id == study_id, FindingsRow.content["pressure"].astext.is_not(None))
        .order_by(FindingsRow.created_at.desc(), FindingsRow.edited.desc())
        .limit(1)
    )
    return None if row is None else Findings.model_validate(row.content).pressure
