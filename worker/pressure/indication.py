"""What does the order's indication tell the judging? The pressure in the consulting room, and a child's height.

``诊室血压 152/94``, ``office BP 152/94 mmHg``, ``门诊测血压：152/94``; ``身高128cm``, ``height 1.28 m``. A number
without such a word may be of any day, any cuff or anything, and is not taken.
"""

import re
from dataclasses import dataclass
from typing import Final

from ecg_center.contract.pressure import OfficePressure

_OFFICE: Final = re.compile(
    r"(?:诊室|门诊|诊间|偶测|\boffice\b|\bclinic\b)\D{0,20}?(\d{2,3})\s*/\s*(\d{2,3})(?![\d/])", re.IGNORECASE
)
_HEIGHT: Final = re.compile(
    r"(?:身高|身长|\bheight\b)[\s:：=]{0,5}(\d{1,3}(?:\.\d{1,2})?)\s*(cm|厘米|m|米)(?![a-z])", re.IGNORECASE
)
LOWEST_MMHG: Final = 30
HIGHEST_MMHG: Final = 300
LOWEST_CM: Final = 40.0
HIGHEST_CM: Final = 250.0


@dataclass(frozen=True, slots=True)
class Noted:
    """What the order's words say beside name, sex and age; None where they do not."""

    office: OfficePressure | None = None
    height_cm: float | None = None


NOTHING: Final = Noted()


def noted_in(indication: str) -> Noted:
    """What these words say.

    >>> noted_in("头晕1月，诊室血压152/94mmHg，查动态血压").office
    OfficePressure(systolic_mmhg=152.0, diastolic_mmhg=94.0)
    >>> noted_in("8岁，身高128cm，血压高").height_cm
    128.0
    """
    return Noted(_office(indication), _height_cm(indication))


def _office(indication: str) -> OfficePressure | None:
    match = _OFFICE.search(indication)
    if match is None:
        return None
    systolic, diastolic = int(match[1]), int(match[2])
    if not LOWEST_MMHG <= diastolic < systolic <= HIGHEST_MMHG:
        return None
    return OfficePressure(systolic_mmhg=systolic, diastolic_mmhg=diastolic)


def _height_cm(indication: str) -> float | None:
    match = _HEIGHT.search(indication)
    if match is None:
        return None
    metres = match[2].lower() in ("m", "米")
    height = round(float(match[1]) * (100 if metres else 1), 1)
    return height if LOWEST_CM <= height <= HIGHEST_CM else None
