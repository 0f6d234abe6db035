"""What a registration takes and gives."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]
Source = Literal["outpatient", "inpatient", "emergency", "checkup"]


class PatientForm(BaseModel):
    """Whom the exam is for; without ``patient_no`` the centre gives one."""

    model_config = ConfigDict(extra="forbid")

    patient_no: Short = ""
    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    sex: Literal["M", "F", "O"]
    birth_date: date | None = None
    age_years: Annotated[int | None, Field(ge=0, le=130)] = None
    """Where the birth date is not known: the first of January of that year is stored."""
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=32)] = ""


class RegistrationForm(BaseModel):
    """One exam."""

    model_config = ConfigDict(extra="forbid")

    patient: PatientForm
    kind: Literal["resting", "holter", "abpm"] = "resting"
    fee_item_code: Annotated[str, Field(max_length=32)]
    indication: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    urgent: bool = False
    chest_pain: bool = False
    source: Source = "outpatient"
    department: Short = ""
    bed: Short = ""
    visit_no: Short = ""
    institution_code: Annotated[str | None, Field(max_length=4)] = None
    """Only a gateway or a clinic's system that serves several institutions names it."""


class Registered(BaseModel):
    """What came of it."""

    study_id: UUID
    accession_number: str
    study_instance_uid: str
    patient_no: str
    registered_at: datetime
