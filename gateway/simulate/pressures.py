"""What does a simulated ambulatory blood pressure recorder write? A day of readings as ``ecg-pressure`` JSON.

The pressure follows a day as a body does: up with waking, a dip after lunch, down to sleep; readings wander about it,
and now and then the cuff fails and tries again. Nobody was measured: the names say so, as everywhere in ``simulate``.
"""

import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final

import numpy as np

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.patients import MARK_EN, STEMS, DemoPerson, demo_person

CHINA: Final = timezone(timedelta(hours=8))
"""The clock on the patient's wall, whatever the machine's own zone is."""
DAY_EVERY: Final = timedelta(minutes=20)
NIGHT_EVERY: Final = timedelta(minutes=30)
RETRY_AFTER: Final = timedelta(minutes=2)
SLEEPS_AT: Final = 22.5
WAKES_AT: Final = 6.5
"""Hours of the clock, give or take what the person's seed says."""
FAILS: Final = 0.05
MEDIA_TYPE: Final = "application/json"


class PressureProfile(StrEnum):
    """What the next person has."""

    NORMAL = "normal"
    HYPERTENSION = "hypertension"
    NON_DIPPER = "non-dipper"
    REVERSE_DIPPER = "reverse-dipper"
    NOCTURNAL = "nocturnal"
    MORNING_SURGE = "morning-surge"
    WHITE_COAT = "white-coat"
    SEVERE = "severe"
    TOO_FEW = "too-few"


@dataclass(frozen=True, slots=True)
class _Shape:
    """A day's pressures: by day, the fall at night in percent, and what is special."""

    systolic: float
    diastolic: float
    fall_percent: float
    surge_mmhg: float = 0.0
    first_hour_mmhg: float = 8.0
    fails: float = FAILS


SHAPES: Final[dict[PressureProfile, _Shape]] = {
    PressureProfile.NORMAL: _Shape(118, 74, 13),
    PressureProfile.HYPERTENSION: _Shape(148, 92, 13),
    PressureProfile.NON_DIPPER: _Shape(144, 88, 5),
    PressureProfile.REVERSE_DIPPER: _Shape(140, 84, -6),
    PressureProfile.NOCTURNAL: _Shape(129, 79, 3),
    PressureProfile.MORNING_SURGE: _Shape(136, 84, 17, surge_mmhg=24),
    PressureProfile.WHITE_COAT: _Shape(120, 75, 13, first_hour_mmhg=34),
    PressureProfile.SEVERE: _Shape(186, 112, 8),
    PressureProfile.TOO_FEW: _Shape(138, 86, 11, fails=0.7),
}
MIX: Final[dict[PressureProfile, float]] = {
    PressureProfile.NORMAL: 26,
    PressureProfile.HYPERTENSION: 24,
    PressureProfile.NON_DIPPER: 18,
    PressureProfile.REVERSE_DIPPER: 6,
    PressureProfile.NOCTURNAL: 8,
    PressureProfile.MORNING_SURGE: 8,
    PressureProfile.WHITE_COAT: 5,
    PressureProfile.SEVERE: 2,
    PressureProfile.TOO_FEW: 3,
}
"""Relative frequency, of those whom a clinic sends for it."""


@dataclass(frozen=True, slots=True)
class RecordedDay:
    """One day of readings, ready to be sent."""

    profile: PressureProfile
    content: bytes
    identity: RecordingIdentity
    file_name: str
    name: str
    """Whose name it carries, for the log of simulated devices."""


def draw_profile(rng: np.random.Generator) -> PressureProfile:
    """What the next person has."""
    weights = np.array(list(MIX.values()))
    return list(MIX)[int(rng.choice(len(MIX), p=weights / weights.sum()))]


def pressure_person(number: int) -> DemoPerson:
    """The demo person of one number, named for what was measured.

    >>> pressure_person(3).name_zh
    '演示丙·血压0003'
    """
    person = demo_person(number)
    name = f"演示{STEMS[(number - 1) % len(STEMS)]}·血压{number:04d}"
    return replace(person, name_zh=name, name_latin=f"DEMO^PRESSURE {number:04d}")


def record_day(
    profile: PressureProfile,
    number: int,
    started_at: datetime,
    *,
    device: str,
    order: WorklistOrder | None = None,
    hours: float = 24.0,
) -> RecordedDay:
    """Measure one demo person, or the patient of an order, for a day.

    Args:
        profile: what they have.
        number: the demo person; also the seed, so that a person keeps their pressures.
        started_at: the first reading, with its time zone; it is written in China's.
        device: the recorder's id.
        order: the order that is answered.
        hours: how long the recorder is worn.
    """
    started_at = started_at.astimezone(CHINA)
    person = pressure_person(number)
    seed = number if order is None else zlib.crc32(order.patient_id.encode())
    plan = list(_readings(SHAPES[profile], np.random.default_rng([seed, 11]), started_at, hours))
    identity = _identity(person, order, started_at)
    slept, woke = _night(started_at)
    document = {
        "format": "ecg-pressure",
        "version": 1,
        "patient": {
            "patient_id": identity.patient_id,
            "patient_name": identity.patient_name,
            "sex": identity.sex,
            "birth_date": identity.birth_date,
            **({"accession_number": order.accession_number} if order else {}),
        },
        "device": {"manufacturer": MARK_EN, "model": "SIMULATED ABPM", "serial": device},
        "planned": sum(not one["retry"] for one in plan),
        "diary": [{"at": slept.isoformat(), "until": woke.isoformat(), "label": "asleep"}],
        "readings": [{key: value for key, value in one.items() if key != "retry"} for one in plan],
    }
    name = order.patient_name if order else person.name_zh
    content = json.dumps(document, ensure_ascii=False, indent=1).encode()
    return RecordedDay(profile, content, identity, f"abpm-{seed:08x}-{started_at:%Y%m%d%H%M}.json", name)


def _readings(shape: _Shape, rng: np.random.Generator, started_at: datetime, hours: float) -> Iterator[dict[str, Any]]:
    at, end = started_at, started_at + timedelta(hours=hours)
    wander = 0.0
    while at <= end:
        asleep = _is_asleep(at)
        wander = 0.6 * wander + float(rng.normal(0, 5.0 if not asleep else 3.5))
        if rng.random() < shape.fails:
            yield {"at": at.isoformat(), "status": "failed", "reason": "E03 cuff leak", "retry": False}
            if rng.random() < 1 - shape.fails:
                yield _reading(shape, rng, started_at, at + RETRY_AFTER, wander) | {"retry": True}
        else:
            yield _reading(shape, rng, started_at, at, wander) | {"retry": False}
        at += NIGHT_EVERY if asleep else DAY_EVERY


def _reading(
    shape: _Shape, rng: np.random.Generator, started_at: datetime, at: datetime, wander: float
) -> dict[str, Any]:
    level, awake = _level(shape, started_at, at), not _is_asleep(at)
    systolic = shape.systolic * level + wander + _extra(shape, started_at, at)
    diastolic = shape.diastolic * level + 0.6 * wander + float(rng.normal(0, 2.5))
    diastolic = min(diastolic, systolic - 22)
    mean = diastolic + 0.36 * (systolic - diastolic)
    pulse = (74 if awake else 60) + 0.4 * wander + float(rng.normal(0, 3))
    return {
        "at": at.isoformat(),
        "systolic_mmhg": round(systolic),
        "diastolic_mmhg": round(diastolic),
        "mean_mmhg": round(mean),
        "pulse_bpm": max(44, round(pulse)),
        "awake": awake,
    }


def _level(shape: _Shape, started_at: datetime, at: datetime) -> float:
    """The share of the day's pressure at this hour of the clock."""
    hour = _hour(at)
    if _is_asleep(at):
        into_sleep = (hour - SLEEPS_AT) % 24
        length = (WAKES_AT - SLEEPS_AT) % 24
        depth = 0.8 + 0.4 * math.sin(math.pi * min(1.0, into_sleep / length))
        return 1 - shape.fall_percent / 100 * depth
    after_lunch = 0.03 * math.exp(-(((hour - 14.0) / 1.2) ** 2))
    return 1.0 - after_lunch


def _extra(shape: _Shape, started_at: datetime, at: datetime) -> float:
    """The clinic's nearness in the first hour, and the rise after waking."""
    since_waking = (_hour(at) - WAKES_AT) % 24
    surge = shape.surge_mmhg * math.exp(-since_waking / 2.0) if since_waking < 6 else 0.0
    hours_worn = (at - started_at).total_seconds() / 3600
    return surge + (shape.first_hour_mmhg * math.exp(-hours_worn / 0.7) if hours_worn < 2 else 0.0)


def _hour(at: datetime) -> float:
    return at.hour + at.minute / 60


def _is_asleep(at: datetime) -> bool:
    hour = _hour(at)
    return hour >= SLEEPS_AT or hour < WAKES_AT


def _night(started_at: datetime) -> tuple[datetime, datetime]:
    """The first night of the recording, as the patient's diary has it."""
    slept = started_at.replace(hour=int(SLEEPS_AT), minute=int(SLEEPS_AT % 1 * 60), second=0, microsecond=0)
    if _is_asleep(started_at) and _hour(started_at) < WAKES_AT:
        slept -= timedelta(days=1)
    return slept, slept + timedelta(hours=(WAKES_AT - SLEEPS_AT) % 24)


def _identity(person: DemoPerson, order: WorklistOrder | None, started_at: datetime) -> RecordingIdentity:
    if order is None:
        patient_id, name, sex, born = person.patient_id, person.name_zh, person.sex, person.birth_date
    else:
        patient_id, name = order.patient_id, order.patient_name.split("=")[-1]
        sex, born = ("F" if order.sex == "F" else "M"), order.birth_date or person.birth_date
    return RecordingIdentity(
        accession_number=order.accession_number if order else None,
        patient_id=patient_id,
        patient_name=name,
        sex=sex,
        birth_date=born.isoformat(),
        started_at=started_at,
        study_kind="abpm",
    )
