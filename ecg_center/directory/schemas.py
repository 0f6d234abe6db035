"""What the directory takes."""

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


class DeviceForm(BaseModel):
    """A recorder."""

    institution_code: str
    name: Name
    vendor: str = ""
    model: str = ""
    transport: Literal["dicom", "mqtt", "ftp", "folder", "web"]
    identity: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), AfterValidator(_ascii_title)
    ]
    """AE title (DICOM: at most 16 characters) or MQTT device id."""
