"""Were electrodes exchanged?

The six chest leads foretell leads I and II by a linear map, as the transforms between lead systems do (Kors 1990, Eur
Heart J 11:1083-92). Measured I and II are compared with what is foretold, as they stand and as they would stand had two
limb electrodes been exchanged; where an exchange fits far better, it is named. An exchange of left arm and left leg
changes too little to be told in this way. Where the precordial leads fade from V1 to V6 as well, the heart lies on the
right: dextrocardia is named instead.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from worker.leads import PRECORDIAL
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.signal.filters import Floats

CHEST_TO_LIMB: Final = np.array([
    [-0.319, -0.133], [0.275, -0.063], [0.056, 0.062], [-0.252, 0.025], [0.277, 0.114], [0.596, 0.591],
])  # fmt: skip
"""V1 to V6 → (I, II): ridge regression over the median beats of LUDB's sinus rhythms and CPSC 2018's normal records
(107). Fitted on one half and tried on the other, every exchange of the right arm was named, none falsely."""
MARGIN: Final = 0.25
"""How much better, in correlation, an exchange must fit."""
EXCHANGED: Final[dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]]] = {
    "RA/LA": lambda one, two: (-one, two - one),
    "RA/LL": lambda one, two: (one - two, -two),
}
AROUND_S: Final = 0.02
P_INVERTED_UV: Final = -15.0
QRS_INVERTED_UV: Final = -150.0


def suspected_reversal(reading: Reading, rhythm: Rhythm) -> tuple[str | None, bool]:
    """(pair, whether dextrocardia explains it better)."""
    one, v6, v1 = (reading.wave(lead) for lead in ("I", "V6", "V1"))
    if one is None or v6 is None or v1 is None or rhythm.name not in ("sinus", "atrial"):
        return None, False
    arms = one.p_uv < P_INVERTED_UV and one.net_uv < QRS_INVERTED_UV
    if arms and v6.r_uv < 0.5 * v1.r_uv and v6.net_uv < 0:
        return "RA/LA", True
    return _better_fit(reading), False


def _better_fit(reading: Reading) -> str | None:
    """The exchange that the chest leads speak for; None where they do not, or where a lead is missing."""
    limits, median = reading.limits, reading.median
    if limits is None or median is None or not all(reading.wave(lead) for lead in (*PRECORDIAL, "I", "II")):
        return None
    margin = round(AROUND_S * reading.traces.hz)
    first = (limits.p_on if limits.p_on is not None else limits.qrs_on) - margin
    last = (limits.t_off if limits.t_off is not None else limits.qrs_off) + margin
    rows = [reading.traces.leads.index(lead) for lead in (*PRECORDIAL, "I", "II")]
    part = median.signal[rows, max(0, first) : last]
    part = part - np.median(part, axis=1, keepdims=True)
    foretold = CHEST_TO_LIMB.T @ part[:6]
    as_it_stands = _likeness(foretold, part[6], part[7])
    fits = {pair: _likeness(foretold, *exchange(part[6], part[7])) for pair, exchange in EXCHANGED.items()}
    best = max(fits, key=fits.__getitem__)
    return best if fits[best] - as_it_stands >= MARGIN else None


def _likeness(foretold: Floats, one: Floats, two: Floats) -> float:
    measured = np.stack([one, two])
    return float((foretold * measured).sum() / (np.linalg.norm(foretold) * np.linalg.norm(measured) or 1.0))
