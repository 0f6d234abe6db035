"""What was the pressure in the consulting room? As the order's indication says it, and only where it says so plainly.

``诊室血压 152/94``, ``office BP 152/94 mmHg``, ``门诊测血压：152/94``. A pressure without such a word
may be of any day and any cuff, and is not taken.
"""

import re
from typing import Final

from ecg_center.contract.pressure import OfficePressure

_OFFICE: Final = re.compile(
    r"(?:诊室|门诊|诊间|偶测|\boffice\b|\bclinic\b)\D{0,20}?(\d{2,3})\s*/\s*(\d{2,3})(?![\d/])", re.IGNORECASE
)
LOWEST_MMHG: Final = 30
HIGHEST_MMHG: Final = 300


def office_pressure(indication: str) -> OfficePressure | None:
    """The office pressure that these words name; None where they name none.

    >>> office_pressure("头晕1月，诊室血压152/94mmHg，查动态血压")
    OfficePressure(systolic_mmhg=152.0, diastolic_mmhg=94.0)
    """
    match = _OFFICE.search(indication)
    if match is None:
        return None
    systolic, diastolic = int(match[1]), int(match[2])
    if not LOWEST_MMHG <= diastolic < systolic <= HIGHEST_MMHG:
        return None
    return OfficePressure(systolic_mmhg=systolic, diastolic_mmhg=diastolic)
