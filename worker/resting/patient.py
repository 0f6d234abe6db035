"""Whose heart is it: of which sex and age? Several limits depend on it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol

from ecg_center.contract.upload import RecordingIdentity

DAYS_A_YEAR: Final = 365.25


@dataclass(frozen=True, slots=True)
class Patient:
    """What the order knows of the patient; the recording's own words fill what it does not."""

    sex: str | None = None
    birth_date: str | None = None
    """ISO, e.g. ``1960-01-02``."""


@dataclass(frozen=True, slots=True)
class Person:
    """Sex and age as the rules take them."""

    female: bool | None = None
    age_years: float | None = None


class Identified(Protocol):
    """A recording of any kind: whom the device says it is of, and when it began."""

    @property
    def identity(self) -> RecordingIdentity:
        """Whom the device says it recorded."""

    @property
    def started_at(self) -> datetime | None:
        """Start by the device's clock."""


def person_of(recording: Identified, patient: Patient) -> Person:
    """Sex and age at the time of the recording: the order's first, else as written on the device."""
    identity = recording.identity
    sex = patient.sex if patient.sex in ("M", "F") else identity.sex
    female = {"F": True, "M": False}.get(sex or "")
    for born in (patient.birth_date, identity.birth_date):
        if born and recording.started_at:
            years = (recording.started_at.date() - date.fromisoformat(born)).days / DAYS_A_YEAR
            if 0 <= years <= 130:
                return Person(female, years)
    return Person(female, identity.age_years)
