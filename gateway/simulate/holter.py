"""What does a simulated heart do for a day?

A schedule of stretches, slow at night and busy by day, each the same demo person's heart from the resting generator;
they are joined between two beats. Rare things happen once or twice: a pause at night, a run of ventricular
tachycardia in the afternoon, an hour and a half of fibrillation. Stretches of one kind are made a few times and
repeated, so that a day costs seconds.
"""

import zlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.dicom_file import WorklistOrder
from gateway.simulate.generator import SimulatedEcg, generate
from gateway.simulate.ishne import write_ishne
from gateway.simulate.leads import LEADS
from gateway.simulate.pathologies import Pathology
from gateway.simulate.patients import MAX_NUMBER, demo_person

DAY_LEADS: Final = ("II", "V1", "V5")
"""The three channels that most recorders of a day have: modified V5, V1 and an inferior lead."""
CHINA: Final = timezone(timedelta(hours=8))
HZ: Final = 125
GENERATED_HZ: Final = 250
NV_PER_LSB: Final = 5000
STRETCH_S: Final = 300.0
KINDS_A_STRETCH: Final = 3
"""So many stretches of one kind are made before they come again."""
BEFORE_BEAT: Final = 0.4
"""Stretches are joined this share of an interval before a beat: T is over, P has not begun."""
FADE_S: Final = 0.08
DAY_S: Final = 86_400.0

Samples = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Spell:
    """What the heart does from one hour of the clock on."""

    from_hour: float
    pathology: Pathology
    rate_bpm: float | None


USUAL: Final = (
    Spell(0.0, Pathology.SINUS_BRADYCARDIA, 56),
    Spell(2.9, Pathology.PAUSE_3S, None),
    Spell(3.0, Pathology.SINUS_BRADYCARDIA, 50),
    Spell(5.0, Pathology.SINUS_BRADYCARDIA, 57),
    Spell(6.5, Pathology.SINUS, 72),
    Spell(8.0, Pathology.SINUS, 84),
    Spell(9.0, Pathology.VENTRICULAR_PREMATURE, 78),
    Spell(10.0, Pathology.SINUS, 80),
    Spell(11.0, Pathology.SINUS_TACHYCARDIA, 112),
    Spell(11.5, Pathology.SINUS, 82),
    Spell(12.5, Pathology.SINUS, 66),
    Spell(14.0, Pathology.VENTRICULAR_PREMATURE, 74),
    Spell(14.5, Pathology.SINUS, 78),
    Spell(16.0, Pathology.ATRIAL_FIBRILLATION, 92),
    Spell(17.5, Pathology.SINUS, 80),
    Spell(20.0, Pathology.SINUS, 70),
    Spell(22.5, Pathology.SINUS, 60),
)
"""By the clock, so that the hourly table looks like a day's."""
RUN_AT_HOUR: Final = 14.4
RUN_S: Final = 6.0
"""A run of ventricular tachycardia: short, and by its rate among what cannot wait."""


@dataclass(frozen=True, slots=True)
class SimulatedDay:
    """A recorder's file, and whose it is."""

    content: bytes
    identity: RecordingIdentity
    file_name: str
    hours: float


def record_day(
    number: int, started_at: datetime, *, hours: float = 24.0, order: WorklistOrder | None = None
) -> SimulatedDay:
    """The day of one demo person, or of an order's patient, as an ISHNE file.

    The same arguments always give the same bytes.

    Raises:
        ValueError: a length that is no Holter's.
    """
    if not 0.5 <= hours <= 14 * 24:
        raise ValueError(f"a recorder is worn for half an hour to 14 days, not {hours:g} h")
    started_at = started_at.astimezone(CHINA).replace(microsecond=0)
    person = demo_person(number)
    if order is not None:
        person = replace(
            person,
            patient_id=order.patient_id,
            name_zh=order.patient_name.split("=")[-1],
            sex="F" if order.sex == "F" else "M",
            birth_date=order.birth_date or person.birth_date,
        )
    seed = number if order is None else zlib.crc32(order.patient_id.encode()) % MAX_NUMBER + 1
    samples = day_samples(seed, person.age_on(started_at.date()), started_at, hours)
    identity = RecordingIdentity(
        accession_number=order.accession_number if order else None,
        patient_id=person.patient_id,
        patient_name=person.name_zh,
        sex=person.sex,
        birth_date=person.birth_date.isoformat(),
        started_at=started_at,
        study_kind="holter",
    )
    content = write_ishne(samples, DAY_LEADS, HZ, NV_PER_LSB, person, started_at)
    return SimulatedDay(content, identity, f"holter-{seed:04d}-{started_at:%Y%m%d%H%M}.ecg", hours)


def day_samples(number: int, age_years: int, started_at: datetime, hours: float) -> Samples:
    """(3, n) steps of ``NV_PER_LSB``."""
    total = round(hours * 3600 * HZ)
    samples = np.empty((len(DAY_LEADS), total), np.int16)
    begun_s = started_at.hour * 3600 + started_at.minute * 60 + started_at.second
    at, turn = 0, 0
    had_run: set[int] = set()
    while at < total:
        clock_s = begun_s + at / HZ
        spell = _spell(clock_s % DAY_S / 3600)
        key = (spell.pathology, spell.rate_bpm, turn % KINDS_A_STRETCH)
        parts = [_stretch(number, key, age_years, STRETCH_S)]
        day = int(clock_s // DAY_S)
        run_at_s = day * DAY_S + RUN_AT_HOUR * 3600
        if begun_s < run_at_s <= clock_s and day not in had_run:
            had_run.add(day)
            run = (Pathology.VENTRICULAR_TACHYCARDIA, None, 0)
            parts = [_stretch(number, run, age_years, RUN_S + 4), *parts]
        for part in parts:
            at = _append(samples, at, part)
        turn += 1
    return samples


def _spell(hour: float) -> Spell:
    return [spell for spell in USUAL if spell.from_hour <= hour][-1]


@lru_cache(maxsize=64)
def _stretch(number: int, key: tuple[Pathology, float | None, int], age_years: int, seconds: float) -> Samples:
    """One stretch, from between two beats to between two beats."""
    pathology, rate_bpm, variant = key
    ecg = generate(
        pathology, seed=number * KINDS_A_STRETCH + variant, duration_s=seconds, sampling_hz=GENERATED_HZ,
        rate_bpm=rate_bpm, age_years=min(max(age_years, 16), 110), noise_factor=1.5,
    )  # fmt: skip
    rows = ecg.samples_uv[[LEADS.index(lead) for lead in DAY_LEADS]].astype(np.float64)
    halved = rows[:, : rows.shape[1] // 2 * 2].reshape(len(DAY_LEADS), -1, 2).mean(axis=2)
    first, last = _joints(ecg)
    steps: Samples = np.rint(halved[:, first:last] * 1000 / NV_PER_LSB).astype(np.int16)
    return steps


def _joints(ecg: SimulatedEcg) -> tuple[int, int]:
    """Between the first two beats, and between the last two."""
    beats = ecg.truth.beats_s
    if len(beats) < 4:
        return 0, int(ecg.duration_s * HZ)
    ends = []
    for before, after in ((beats[0], beats[1]), (beats[-2], beats[-1])):
        ends.append(round((after - BEFORE_BEAT * (after - before)) * HZ))
    return ends[0], ends[1]


def _append(samples: Samples, at: int, part: Samples) -> int:
    """Write a stretch behind the one before, its beginning faded in over that one's last level."""
    room = int(min(part.shape[1], samples.shape[1] - at))
    fade = min(round(FADE_S * HZ), room)
    samples[:, at : at + room] = part[:, :room]
    if at and fade:
        weight = np.linspace(0, 1, fade, endpoint=False)
        level = samples[:, at - 1 : at].astype(np.float64)
        samples[:, at : at + fade] = np.rint((1 - weight) * level + weight * part[:, :fade])
    return at + room
