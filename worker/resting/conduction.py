"""How many flutter waves come to one QRS: two, three, four, or now this, now that?

Each interval between usual beats is a whole number of atrial cycles, give or take what the AV node delays one beat more
than the next (2019 ESC SVT guideline, doi:10.1093/eurheartj/ehz467: mostly 2:1 or 4:1). Where nearly all intervals have
the same number the ventricles count the atria: their rate times that number is the atrial rate, more exactly than the
period of the waves between the QRS tells it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ecg_center.contract.findings import Evidence
from worker.resting.say import ESC_2019_SVT, evidence
from worker.signal.filters import Floats
from worker.signal.order import median

FIXED_SHARE: Final = 0.8
"""Of the intervals that must have the commonest number of cycles; one early beat is no changing block."""
LEAST_INTERVALS: Final = 3
EXACT: Final = 0.2
"""Cycles by which an even rhythm may be off the whole number and still count the atria."""
EVEN: Final = 0.05
"""Coefficient of variation up to which the ventricles beat in step with the atria."""


@dataclass(frozen=True, slots=True)
class Conduction:
    """Atrial cycles for each QRS; ``least`` is ``most`` where it does not change."""

    usual: int
    least: int
    most: int
    atrial_bpm: float

    @property
    def fixed(self) -> bool:
        """Whether it stays the same."""
        return self.least == self.most


def conduction_of(rr_s: Floats, atrial_bpm: float) -> Conduction | None:
    """The conduction of a flutter of this rate; None of too few intervals.

    Args:
        rr_s: (n,) intervals between usual beats, s.
        atrial_bpm: as measured between the QRS; corrected where the ventricles tell it better.

    >>> conduction_of(np.array([0.40, 0.41, 0.40, 0.40]), 303)
    Conduction(usual=2, least=2, most=2, atrial_bpm=300.0)
    >>> conduction_of(np.array([0.40, 0.80, 0.61, 0.40, 0.79]), 300)
    Conduction(usual=2, least=2, most=4, atrial_bpm=300)
    """
    if rr_s.size < LEAST_INTERVALS:
        return None
    cycles = rr_s * atrial_bpm / 60
    whole = np.maximum(1, np.rint(cycles)).astype(int)
    usual = int(np.argmax(np.bincount(whole)))
    if float(np.mean(whole == usual)) < FIXED_SHARE:
        return Conduction(usual, int(whole.min()), int(whole.max()), atrial_bpm)
    middle = float(median(rr_s))
    in_step = float(rr_s.std()) <= EVEN * middle and abs(middle * atrial_bpm / 60 - usual) <= EXACT
    return Conduction(usual, usual, usual, round(usual * 60 / middle, 1) if in_step else atrial_bpm)


def words_of_conduction(found: Conduction) -> list[Evidence]:
    """What is said of it: one ratio, or the least and the greatest."""
    if found.fixed:
        return [evidence("ratio", found.usual, None, ":1", source=ESC_2019_SVT)]
    return [
        evidence("ratio_least", found.least, None, ":1", source=ESC_2019_SVT),
        evidence("ratio_most", found.most, None, ":1"),
    ]
