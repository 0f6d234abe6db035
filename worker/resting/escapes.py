"""Which beats came late, because nothing else did?

After an interval longer than the usual one a beat without a P of its own is an escape 逸搏: narrow and like the others
from the AV junction, broad from a ventricle. It keeps the heart going and is never called premature. 诊断学 (第9版).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.findings import Evidence, Statement
from worker.resting.beat_kinds import usual_rr_s
from worker.resting.leading import Rhythm
from worker.resting.reading import Reading
from worker.resting.say import TEXTBOOK, evidence, say

LATE: Final = 1.25
"""Of the usual interval; the pause behind a premature beat, which a sinus P ends, may be as long."""
LEAST_S: Final = 1.0
"""The junction escapes at 40 to 60/min, a ventricle at 20 to 40."""
SINUS: Final = ("sinus", "atrial")
MOST_PLACES: Final = 8


def late_beats(reading: Reading, rhythm: Rhythm) -> NDArray[np.bool_]:
    """(n_beats,) whether a beat ended a long interval without a P of its own, in a rhythm that has P waves."""
    late = np.zeros(reading.at_s.size, bool)
    rr = reading.rr_s
    if rhythm.name not in SINUS or reading.p is None or rr.size < 3 or rhythm.av_block:
        return late
    usual = np.minimum(usual_rr_s(rr), float(np.median(rr)))
    late[1:] = (rr >= LATE * usual) & (rr >= LEAST_S)
    return late & ~reading.p.present


def escapes(reading: Reading, rhythm: Rhythm, late: NDArray[np.bool_]) -> list[Statement]:
    """Junctional and ventricular escape beats."""
    found = []
    broad = late & (rhythm.kinds == "V")
    narrow = late & (rhythm.kinds != "V") & (reading.beats.group == 0)
    for code, here in (("37", narrow), ("62", broad)):
        if here.any():
            found.append(say(code, *_places(reading, np.flatnonzero(here).tolist()), certainty="possible"))
    return found


def _places(reading: Reading, numbers: list[int]) -> list[Evidence]:
    at, rr = reading.at_s, reading.rr_s
    return [
        evidence("rr_ms", 1000 * rr[n - 1], 1000 * LEAST_S, "ms", start_s=at[n - 1], end_s=at[n] + 0.3, source=TEXTBOOK)
        for n in numbers[:MOST_PLACES]
    ]
