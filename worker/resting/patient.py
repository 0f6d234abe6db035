"""Whose heart is it: of which sex and age? Several limits depend on it."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from worker.recording import Recording

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


def person_of(recording: Recording, patient: Patient) -> Person:
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
