"""What does a simulated technician record next?

A mixture like a township clinic's day: mostly normal hearts, some common findings, now and then one that cannot wait.
"""

import zlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import numpy as np

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.dicom_file import DicomFile, WorklistOrder, write_dicom
from gateway.simulate.generator import SimulatedEcg, generate
from gateway.simulate.pathologies import SCENARIOS, Pathology
from gateway.simulate.patients import MAX_NUMBER, DemoPerson, age_years, demo_person
from gateway.simulate.shapes import Sex

MIX: Final[dict[Pathology, float]] = {
    Pathology.SINUS: 56,
    Pathology.SINUS_BRADYCARDIA: 6,
    Pathology.SINUS_TACHYCARDIA: 4,
    Pathology.ATRIAL_FIBRILLATION: 6,
    Pathology.VENTRICULAR_PREMATURE: 6,
    Pathology.AV_BLOCK_FIRST: 3,
    Pathology.RBBB: 4,
    Pathology.LBBB: 2,
    Pathology.ATRIAL_FLUTTER: 1.5,
    Pathology.STEMI_ANTERIOR: 2.5,
    Pathology.STEMI_INFERIOR: 2.5,
    Pathology.AV_BLOCK_WENCKEBACH: 0.6,
    Pathology.AV_BLOCK_MOBITZ_2: 0.4,
    Pathology.AV_BLOCK_2_1: 0.4,
    Pathology.AV_BLOCK_THIRD: 0.8,
    Pathology.PAUSE_3S: 0.6,
    Pathology.PAUSE_5S: 0.4,
    Pathology.VENTRICULAR_TACHYCARDIA: 0.7,
    Pathology.VENTRICULAR_FIBRILLATION: 0.2,
    Pathology.LONG_QT: 0.8,
    Pathology.REVERSAL_RA_LA: 1,
    Pathology.LEAD_OFF: 1,
    Pathology.ELECTRODE_OFF: 0.5,
    Pathology.NOISE: 0.5,
}
"""Relative frequency. Critical ones come some ten times as often as in life, so that a demo shows one in minutes."""

URGENT_MIX: Final = (
    Pathology.STEMI_ANTERIOR,
    Pathology.STEMI_INFERIOR,
    Pathology.VENTRICULAR_TACHYCARDIA,
    Pathology.AV_BLOCK_THIRD,
)
"""What an urgent order turns out to be."""

CHEST_PAIN_WORDS: Final = ("胸痛", "胸闷", "心梗", "chest pain")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recording, ready to be sent."""

    ecg: SimulatedEcg
    file: DicomFile
    identity: RecordingIdentity
    """What a device that does not speak DICOM says of it."""
    name: str
    """Whose name it carries, for the log of simulated devices."""

    @property
    def urgent(self) -> bool:
        """Whether the technician pressed the button."""
        return bool(self.identity.urgent)


def draw_pathology(rng: np.random.Generator, order: WorklistOrder | None = None) -> Pathology:
    """What the next patient has; an urgent order is mostly urgent for a reason."""
    if order is not None and order.urgent:
        if any(word in order.reason.lower() for word in CHEST_PAIN_WORDS):
            return Pathology(rng.choice([p.value for p in URGENT_MIX[:2]]))
        return Pathology(rng.choice([p.value for p in URGENT_MIX]))
    weights = np.array(list(MIX.values()))
    return list(MIX)[int(rng.choice(len(MIX), p=weights / weights.sum()))]


def is_resting(order: WorklistOrder) -> bool:
    """Whether a 10-second recorder can answer the order: a Holter has the same modality in the worklist."""
    return not any(word in order.procedure.lower() for word in ("动态", "holter", "ambulatory"))


def draw_number(rng: np.random.Generator) -> int:
    """The next demo person's number."""
    return int(rng.integers(1, MAX_NUMBER + 1))


def record(
    pathology: Pathology,
    number: int,
    recorded_at: datetime,
    *,
    device: str,
    institution: str = "DEMO CLINIC",
    order: WorklistOrder | None = None,
    chest_pain: bool | None = None,
    duration_s: float = 10.0,
    sampling_hz: int = 500,
    rate_bpm: float | None = None,
) -> Recorded:
    """Record one demo person, or the patient of an order.

    Args:
        pathology: what they have.
        number: the demo person; also the seed, so that a person keeps their heart.
        recorded_at: start of the recording with its time zone.
        device: AE title or MQTT device id.
        institution: written into the file.
        order: worklist entry that is answered.
        chest_pain: the button; as the pathology suggests when None.
        duration_s: length.
        sampling_hz: sampling rate.
        rate_bpm: ventricular rate, as usual for the pathology when None.
    """
    person = demo_person(number, pathology)
    seed, sex, age = number, person.sex, person.age_on(recorded_at.date())
    if order is not None:
        seed = zlib.crc32(order.patient_id.encode())
        sex = "F" if order.sex == "F" else "M"
        age = _age(order.birth_date, recorded_at.date()) or age
    ecg = generate(
        pathology,
        seed=seed,
        duration_s=duration_s,
        sampling_hz=sampling_hz,
        rate_bpm=rate_bpm,
        sex=sex,
        age_years=age,
    )
    file = write_dicom(ecg, person, recorded_at, device=device, institution=institution, order=order)
    pressed = SCENARIOS[pathology].chest_pain if chest_pain is None else chest_pain
    return Recorded(
        ecg,
        file,
        _identity(person, order, recorded_at, sex, pressed),
        order.patient_name if order else person.name_zh,
    )


def _identity(
    person: DemoPerson, order: WorklistOrder | None, recorded_at: datetime, sex: Sex, pressed: bool
) -> RecordingIdentity:
    if order is None:
        patient_id, name, born = person.patient_id, person.name_zh, person.birth_date
    else:
        patient_id, name = order.patient_id, order.patient_name.split("=")[-1]
        born = order.birth_date or person.birth_date
    return RecordingIdentity(
        accession_number=order.accession_number if order else None,
        patient_id=patient_id,
        patient_name=name,
        sex=sex,
        birth_date=born.isoformat(),
        started_at=recorded_at,
        study_kind="resting",
        urgent=pressed or (order.urgent if order else False),
        chest_pain=pressed,
    )


def _age(born: date | None, day: date) -> int | None:
    """An age that the heart model knows: it is of adults."""
    return None if born is None else min(max(age_years(born, day), 16), 110)
