"""Who is recorded by a simulated device?

Nobody. Each demo person is named 演示 (demonstration) with one of the ten heavenly stems, which is how textbooks count,
and "DEMO^…" in Latin letters; the patient id begins with ``DEMO-``. The same number is always the same person.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from gateway.simulate.pathologies import Pathology
from gateway.simulate.shapes import Sex

STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
ID_PREFIX: Final = "DEMO-"
NAME_PREFIX: Final = "DEMO^"
MARK_EN: Final = "SIMULATED RECORDING - NOT A PATIENT"
MARK_ZH: Final = "模拟数据,非患者"
MAX_NUMBER: Final = 9999

SHORT_NAMES: Final[dict[Pathology, tuple[str, str]]] = {
    Pathology.SINUS: ("窦性", "SINUS"),
    Pathology.SINUS_BRADYCARDIA: ("窦缓", "SINUS BRADY"),
    Pathology.SINUS_TACHYCARDIA: ("窦速", "SINUS TACHY"),
    Pathology.ATRIAL_FIBRILLATION: ("房颤", "AFIB"),
    Pathology.ATRIAL_FLUTTER: ("房扑", "FLUTTER"),
    Pathology.VENTRICULAR_PREMATURE: ("室早", "VPB"),
    Pathology.VENTRICULAR_TACHYCARDIA: ("室速", "VT"),
    Pathology.VENTRICULAR_FIBRILLATION: ("室颤", "VF"),
    Pathology.STEMI_ANTERIOR: ("前壁", "STEMI ANTERIOR"),
    Pathology.STEMI_INFERIOR: ("下壁", "STEMI INFERIOR"),
    Pathology.AV_BLOCK_FIRST: ("一度阻滞", "AVB1"),
    Pathology.AV_BLOCK_WENCKEBACH: ("文氏阻滞", "AVB2 WENCKEBACH"),
    Pathology.AV_BLOCK_MOBITZ_2: ("莫氏二型", "AVB2 MOBITZ"),
    Pathology.AV_BLOCK_2_1: ("二比一阻滞", "AVB2 TWO TO ONE"),
    Pathology.AV_BLOCK_THIRD: ("三度阻滞", "AVB3"),
    Pathology.PAUSE_3S: ("停搏三秒", "PAUSE 3S"),
    Pathology.PAUSE_5S: ("停搏五秒", "PAUSE 5S"),
    Pathology.LBBB: ("左束支", "LBBB"),
    Pathology.RBBB: ("右束支", "RBBB"),
    Pathology.LONG_QT: ("长QT", "LONG QT"),
    Pathology.REVERSAL_RA_LA: ("反接", "ARM REVERSAL"),
    Pathology.LEAD_OFF: ("脱落", "LEAD OFF"),
    Pathology.ELECTRODE_OFF: ("松动", "ELECTRODE OFF"),
    Pathology.NOISE: ("干扰", "NOISE"),
}
"""What a demo person's given name says of the recording, in Chinese and in Latin letters."""


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person who never was."""

    patient_id: str
    name_zh: str
    name_latin: str
    sex: Sex
    birth_date: date

    def age_on(self, day: date) -> int:
        """Completed years of life."""
        return age_years(self.birth_date, day)


def demo_person(number: int, pathology: Pathology | str = Pathology.SINUS) -> DemoPerson:
    """The demo person of one number; the same arguments always give the same person.

    >>> person = demo_person(1)
    >>> person.name_zh, person.name_latin, person.patient_id
    ('演示甲·窦性0001', 'DEMO^SINUS 0001', 'DEMO-0001')
    """
    if not 1 <= number <= MAX_NUMBER:
        raise ValueError(f"demo persons are numbered 1 to {MAX_NUMBER}, not {number}")
    name_zh, name_latin = SHORT_NAMES[Pathology(pathology)]
    rng = np.random.default_rng([number, 3])
    sex: Sex = "F" if rng.random() < 0.5 else "M"
    # those who come to a township clinic for an ECG are mostly in the second half of life
    year = 2026 - int(np.clip(rng.normal(61, 14), 19, 94))
    born = date(year, int(rng.integers(1, 13)), int(rng.integers(1, 29)))
    return DemoPerson(
        patient_id=f"{ID_PREFIX}{number:04d}",
        name_zh=f"演示{STEMS[(number - 1) % len(STEMS)]}·{name_zh}{number:04d}",
        name_latin=f"{NAME_PREFIX}{name_latin} {number:04d}",
        sex=sex,
        birth_date=born,
    )


def age_years(born: date, day: date) -> int:
    """Completed years from ``born`` to ``day``."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
