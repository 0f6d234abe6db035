"""Whose heart is it: of which sex and age? Several limits depend on it."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final, Protocol

from ecg_center.contract.upload import RecordingIdentity

DAYS_A_YEAR: Final = 365.25
MAX_AGE_YEARS: Final = 130


@dataclass(frozen=True, slots=True)
class Patient:
    """What the order knows of the patient; the recording's own words fill what it does not."""

    sex: str | None = None
    birth_date: str | None = None
    """ISO, e.g. ``1960-01-02``."""
    received_on: date | None = None
    """The day on which the clinic's gateway took the recording: tells the age where the device's clock cannot."""


@dataclass(frozen=True, slots=True)
class Person:
    """Sex and age as the rules take them."""

    female: bool | None = None
    age_years: float | None = None


SEXES: Final = ("M", "F")
"""The two that have limits of their own; an order may also say O, other."""


def filled(patient: Patient, sex: str | None, birth_date: str | None) -> Patient:
    """What the order knows, and where it knows nothing that a limit could follow, what the device says.

    >>> filled(Patient(sex="O"), "M", "1960-01-02")
    Patient(sex='M', birth_date='1960-01-02', received_on=None)
    """
    return replace(
        patient, sex=patient.sex if patient.sex in SEXES else sex, birth_date=patient.birth_date or birth_date
    )


def is_female(sex: str | None) -> bool | None:
    """None where it is unknown, or neither."""
    return sex == "F" if sex in SEXES else None


class Identified(Protocol):
    """A recording of any kind: whom the device says it is of, and when it began."""

    @property
    def identity(self) -> RecordingIdentity:
        """Whom the device says it recorded."""

    @property
    def started_at(self) -> datetime | None:
        """Start by the device's clock."""


def person_of(recording: Identified, patient: Patient) -> Person:
    """Sex and age at the time of the recording: the order's first, else as written on the device.

    A recorder whose clock was set back, as by an empty battery, may say that it recorded before the birth, and some
    files say no time at all: a child read by the limits of adults would be called normal. There the day of receipt
    counts.
    """
    identity = recording.identity
    female = is_female(filled(patient, identity.sex, None).sex)
    began_on = recording.started_at.date() if recording.started_at else None
    for born in (patient.birth_date, identity.birth_date):
        for day in (began_on, patient.received_on):
            years = (day - date.fromisoformat(born)).days / DAYS_A_YEAR if born and day else -1.0
            if 0 <= years <= MAX_AGE_YEARS:
                return Person(female, years)
    return Person(female, identity.age_years)
