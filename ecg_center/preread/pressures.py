"""How does a physician take a blood pressure reading out, or put one back in?

As in a day of ECG (``edits``): by adding to a list that is never shortened and that the worker replays over the
readings. What is replayed is small enough that the page has its new figures within the second.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.pressure import MAX_EDITS, PressureEdit, PressureFindings
from ecg_center.domain.authority import Principal
from ecg_center.domain.errors import Conflict, Invalid
from ecg_center.domain.workflow import State
from ecg_center.preread import queries, service
from ecg_center.preread.edits import is_repeated, keep, require_held
from ecg_center.preread.schemas import PressureEditForm, PressureEditMade
from ecg_center.store.studies import lock_study


async def made(session: AsyncSession, recording_id: UUID) -> list[PressureEditMade]:
    """The list of a recording's edits, each with whether it holds."""
    rows = await queries.edits_of(session, recording_id)
    edits = [PressureEdit.model_validate(row.content) for row in rows]
    return [
        PressureEditMade(
            position=row.position, edit=edit, why=row.why, person_name=row.person_name, at=row.at, holds=holds
        )
        for row, edit, holds in zip(rows, edits, standing(edits), strict=True)
    ]


def standing(edits: list[PressureEdit]) -> list[bool]:
    """Which edits hold; an undone undo lets its edit hold again.

    >>> standing([PressureEdit(action="exclude", readings=[3]), PressureEdit(action="undo", undoes=0)])
    [False, True]
    """
    holds = [True] * len(edits)
    for position in reversed(range(len(edits))):
        undoes = edits[position].undoes
        if edits[position].action == "undo" and holds[position] and undoes is not None and undoes < position:
            holds[undoes] = False
    return holds


async def add(
    session: AsyncSession, principal: Principal, recording_id: UUID, form: PressureEditForm, now: datetime
) -> int:
    """Add an edit to the list and have it taken in; returns its position. Sending the same one again changes nothing.

    Raises:
        NotAllowed: the person does not hold the study.
        Conflict: the study is not being written or reviewed, or the list has grown since the page read it.
        Invalid: the edit could never be applied.
    """
    recording, _ = await service.recording(session, recording_id)
    study = await lock_study(session, recording.study_id)
    require_held(principal, study.claimed_by, State(study.state), study.kind)
    findings = await service.findings_of(session, recording_id)
    if (recording.waveform or {}).get("kind") != "abpm" or findings is None or findings.pressure is None:
        raise Conflict("This recording has no blood pressure readings that could be changed.")
    rows = await queries.edits_of(session, recording_id)
    content = form.edit.model_dump(mode="json", exclude_defaults=True)
    if not is_repeated(rows, principal, form.position, content):
        _check([PressureEdit.model_validate(row.content) for row in rows], form.edit, findings.pressure)
        await keep(session, principal, recording, form.position, content, form.edit.reason, now)
    return form.position


def _check(edits: list[PressureEdit], edit: PressureEdit, found: PressureFindings) -> None:
    if len(edits) >= MAX_EDITS:
        raise Invalid("A recording takes no more than {limit} changes.", field="edit", limit=MAX_EDITS)
    if edit.action == "undo":
        if edit.readings or edit.undoes is None or edit.undoes >= len(edits):
            raise Invalid("Only a change that was made can be undone.", field="edit")
        if not standing(edits)[edit.undoes]:
            raise Invalid("This change has been undone already.", field="edit")
        return
    rows = found.readings
    named = [rows[index] for index in edit.readings if index < len(rows)]
    if edit.undoes is not None or not named or len(named) != len(edit.readings):
        raise Invalid("Choose readings of this recording.", field="edit")
    if any(row.systolic_mmhg is None for row in named):
        raise Invalid("A reading without pressures cannot be used.", field="edit")
