"""In which order do the leads of a resting ECG stand, on paper, on the screen and in a table?"""

from collections.abc import Iterable
from typing import Final

LIMB: Final = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST: Final = ("V1", "V2", "V3", "V4", "V5", "V6")
STANDARD: Final = LIMB + CHEST
"""AHA/ACC/HRS 2007 recommendations for the ECG, part I, doi:10.1161/CIRCULATIONAHA.106.180200."""


def in_standard_order(leads: Iterable[str]) -> list[str]:
    """The standard leads first, in their order, then the others as they come.

    >>> in_standard_order(["V1", "V4R", "II", "I"])
    ['I', 'II', 'V1', 'V4R']
    """
    given = list(dict.fromkeys(leads))
    return [lead for lead in STANDARD if lead in given] + [lead for lead in given if lead not in STANDARD]
