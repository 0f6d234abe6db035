"""Of which class is each beat, in the letters that a cardiologist writes over the trace?

N the usual ones and what is conducted like them, S early from above the ventricles, V from a ventricle (escapes too,
and all beats where a ventricle leads), F a fusion of both, P started by a pacemaker, Q what nothing tells the origin of
(ANSI/AAMI EC57 4.3.1 names the same classes but for P, which it counts to Q). The rules of rhythm have found most of it
by then: here their answer is brought into one letter a beat.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.resting.leading import Rhythm
from worker.resting.pacing import paced_beats
from worker.resting.reading import Reading

CLASSES: Final = ("N", "S", "V", "F", "P", "Q")
NEVER_EARLY: Final = ("af", "flutter", "multifocal", "paced")
"""In these rhythms an interval shorter than the others speaks of no early beat."""
FROM_A_VENTRICLE: Final = ("ventricular", "vt", "wide_tachycardia")


def beat_classes(reading: Reading, rhythm: Rhythm) -> str:
    """One letter of :data:`CLASSES` for each beat, in order; empty where there are no beats to speak of."""
    if rhythm.name in ("vf", "standstill") or rhythm.kinds.size != reading.beats.at.size:
        return ""
    return "".join(_letters(rhythm, paced_beats(reading), _with_p(reading)).tolist())


def _letters(rhythm: Rhythm, paced: NDArray[np.bool_], with_p: NDArray[np.bool_]) -> NDArray[np.str_]:
    found = rhythm.kinds.copy()
    usual = found == "N"
    codes = {statement.code for statement in rhythm.statements}
    if rhythm.name in FROM_A_VENTRICLE or (rhythm.name == "complete_block" and "63" in codes):
        found[usual] = "V"
    elif rhythm.name == "paced" and not paced.any():  # its pulses are too small to be seen one by one
        found[usual] = "P"
    if rhythm.name in NEVER_EARLY:
        found[found == "S"] = "N"
    found[(found == "O") & with_p] = "N"
    found[found == "O"] = "Q"
    found[found == "E"] = "V"
    found[paced & (found != "F")] = "P"
    return found


def _with_p(reading: Reading) -> NDArray[np.bool_]:
    """(n_beats,) a P like the usual one stands at its place."""
    if reading.p is None or reading.p.present.size != reading.beats.at.size:
        return np.zeros(reading.beats.at.size, bool)
    return reading.p.present
