"""Which order does a recording belong to?

A wrong match shows one person's heart under another's name, so only the accession number (检查号), which the centre
itself gave out, matches by itself, and only when nothing else on the recording speaks against it. All else waits for a
person: still pre-read, still on the worklist, never released before someone says whose it is.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True)
class Identity:
    """Whom the device says it recorded."""

    accession_number: str | None = None
    patient_id: str | None = None
    patient_name: str | None = None
    sex: str | None = None
    birth_date: date | None = None


@dataclass(frozen=True)
class OrderIdentity:
    """Whom an order is for."""

    accession_number: str
    patient_id: str
    patient_name: str
    sex: str
    birth_date: date | None


Contradiction = Literal["patient_id", "sex", "birth_date"]

HARD: frozenset[Contradiction] = frozenset({"patient_id", "birth_date", "sex"})
"""A name alone is no contradiction: devices write it in pinyin, cut it, or turn it round."""


def contradictions(recording: Identity, order: OrderIdentity) -> list[Contradiction]:
    """What the recording says that the order denies."""
    found: list[Contradiction] = []
    if recording.patient_id and plain(recording.patient_id) != plain(order.patient_id):
        found.append("patient_id")
    if recording.sex in ("M", "F") and order.sex in ("M", "F") and recording.sex != order.sex:
        found.append("sex")
    if recording.birth_date and order.birth_date and recording.birth_date != order.birth_date:
        found.append("birth_date")
    return found


@dataclass(frozen=True)
class Match:
    """The outcome: ``order`` is safe to take where ``against`` is empty."""

    matched: bool
    against: list[Contradiction]


def match(recording: Identity, order: OrderIdentity | None) -> Match:
    """Whether the recording may take the order that bears its accession number."""
    if order is None or not recording.accession_number:
        return Match(False, [])
    if plain(recording.accession_number) != plain(order.accession_number):
        return Match(False, [])
    against = contradictions(recording, order)
    return Match(not against, against)


def plain(text: str) -> str:
    """Text for comparison: NFKC, upper case, without spaces and DICOM's ``^``.

    >>> plain(" demo-01 ") == plain("ＤＥＭＯ-01")
    True
    """
    return "".join(unicodedata.normalize("NFKC", text).upper().replace("^", " ").split())
