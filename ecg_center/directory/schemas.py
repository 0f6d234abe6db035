"""What the directory takes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

KindName = Literal["resting", "holter", "abpm"]
RoleName = Literal["technician", "reporting", "reviewing", "director", "qc", "admin"]

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


def _ascii_title(text: str) -> str:
    if not text.isascii():
        raise ValueError("an AE title or MQTT identity is plain ASCII")
    return text


class InstitutionForm(BaseModel):
    """A hospital or clinic."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,3}$")]
    name: Name
    name_en: str = ""
    kind: Literal["lead", "member"] = "member"
    phone: str = ""
    is_demo: bool = False


class RolesForm(BaseModel):
    """A person's authority; no ``kinds`` means every kind of study."""

    roles: list[RoleName]
    kinds: list[KindName] = []


class PersonForm(RolesForm):
    """A person and their authority."""

    institution_code: str
    login: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{1,63}$")]
    name: Name
    title: Annotated[str, Field(max_length=50)] = ""
    password: str
    locale: Literal["zh", "en"] = "zh"


class DeviceChange(BaseModel):
    """What may change of a recorder; the way it sends stays."""

    institution_code: str
    name: Name
    vendor: str = ""
    model: str = ""
    identity: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_ascii_title)
    ]
    """AE title (DICOM: at most 16 characters) or MQTT device id."""


class DeviceForm(DeviceChange):
    """A recorder."""

    transport: Literal["dicom", "mqtt", "ftp", "folder", "web"]


class GatewayForm(BaseModel):
    """A clinic's gateway and the institutions that it serves."""

    name: Name
    institution_codes: Annotated[list[str], Field(min_length=1)]


class CalendarForm(BaseModel):
    """The weekly hours of a calendar: ISO weekday to [["08:00", "12:00"], …]."""

    weekly: dict[Literal["1", "2", "3", "4", "5", "6", "7"], list[list[str]]]
    review_waits: bool = False


@dataclass(frozen=True)
class GatewayAlert:
    """Why a gateway needs somebody's eye."""

    name: str
    clinics: list[str]
    """The names of the institutions in sight that it serves."""
    silent_since: datetime | None
    waiting: int
    """Recordings that lie in its spool for longer than their way takes."""
    oldest_at: datetime | None
    disk_low: bool
    problems: list[str]
