"""Which earlier ECG of the same person lies nearest, and what has changed since?"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from ecg_center.contract.findings import Findings
from ecg_center.preread import queries
from ecg_center.preread.exchanged import exchanged
from ecg_center.preread.serial import Difference, compare, side_by_side
from ecg_center.store.tables import Recording, Study

ST_IN_A_LINE = 4


@dataclass(frozen=True, slots=True)
class Earlier:
    """A resting ECG beside the one before it.

    Attributes:
        study_id: the earlier study.
        at: when it was recorded, by the device's clock; where that is unknown, when it was safe at the clinic.
        signed: whether a report of it was signed; else only the machine has read it.
        rows: all that was measured in both, side by side.
        differences: of these and of the statements what counts.
        exchanged: electrodes that seem to have been exchanged at one of the two, e.g. ``LA/LL``; empty where none do.
    """

    study_id: UUID
    at: datetime
    signed: bool
    rows: list[Difference]
    differences: list[Difference]
    exchanged: str = ""

    @property
    def most_st(self) -> list[Difference]:
        """The leads whose ST moved most, as many as a line holds, in their order."""
        largest = sorted(self.st, key=lambda item: -abs(item.change or 0.0))[:ST_IN_A_LINE]
        return [item for item in self.st if item in largest]

    @property
    def st(self) -> list[Difference]:
        """The leads whose ST moved."""
        return [item for item in self.differences if item.kind == "st"]

    @property
    def measured(self) -> list[Difference]:
        """The measurements, whether they changed or not."""
        return [item for item in self.rows if item.kind != "st"]

    def statements(self, kind: str) -> list[str]:
        """The codes that are ``new`` or have ``vanished``."""
        return [item.name for item in self.differences if item.kind == kind]


async def earlier_of(
    session: AsyncSession, study: Study, recording: Recording, findings: Findings | None
) -> Earlier | None:
    """The nearest earlier resting ECG in sight of the same patient, compared; None where there is none to compare."""
    if findings is None or findings.kind != "resting" or study.patient_id is None:
        return None
    found = await queries.earlier_ecg(session, study, recording)
    if found is None:
        return None
    before = Findings.model_validate(found.content)
    if before.kind != "resting":
        return None
    signed = None if found.report is None else [str(code) for code in found.report.get("statements", [])]
    return Earlier(
        found.study_id,
        found.at,
        signed is not None,
        side_by_side(before, findings),
        compare(before, findings, signed),
        exchanged(before, findings) or "",
    )
