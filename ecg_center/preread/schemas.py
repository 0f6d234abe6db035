"""What the reading desk of a day is told."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ecg_center.contract.findings import Findings
from ecg_center.contract.holter import Edit
from ecg_center.contract.pressure import PressureEdit


class DayLead(BaseModel):
    """One lead and its scale: microvolts are ``(value - baseline) * uv_per_lsb``."""

    name: str
    uv_per_lsb: float
    baseline: float
    derived: bool


class DayHeader(BaseModel):
    """What a day's trace is; its samples and its overview are asked for in stretches."""

    recording_id: UUID
    sampling_hz: float
    n_samples: int
    leads: list[DayLead]
    filters: list[str]
    started_at: datetime | None
    demo: bool


class DayBeats(BaseModel):
    """The beats of a stretch, column by column."""

    sample: list[int]
    label: str
    """One letter a beat (``contract.holter.BeatClass``)."""
    template: list[int]
    confidence: list[int]
    """Percent."""


class DayTrend(BaseModel):
    """Heart rate and ectopy over a stretch, column by column; None where a column has no two beats."""

    start_s: float
    step_s: float
    mean_bpm: list[float | None]
    low_bpm: list[float | None]
    high_bpm: list[float | None]
    v: list[int]
    s: list[int]


class DayFindings(BaseModel):
    """What is said of a day, and how many edits it holds of how many there are."""

    findings: Findings
    edited: bool
    held: int
    edits: int


class EditForm(BaseModel):
    """An edit, and where in the list it is meant to stand: whoever else wrote there meanwhile is not overlooked."""

    model_config = ConfigDict(extra="forbid")

    position: Annotated[int, Field(ge=0)]
    edit: Edit
    why: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""


class PressureEditForm(BaseModel):
    """An edit of blood pressure readings, and where in the list it is meant to stand."""

    model_config = ConfigDict(extra="forbid")

    position: Annotated[int, Field(ge=0)]
    edit: PressureEdit


class PressureEditMade(BaseModel):
    """One edit of that list."""

    position: int
    edit: PressureEdit
    why: str
    person_name: str
    at: datetime
    holds: bool
    """False where it was undone."""


class EditMade(BaseModel):
    """One edit of the list."""

    position: int
    edit: Edit
    why: str
    person_name: str
    at: datetime
    holds: bool
    """False where it was undone."""
