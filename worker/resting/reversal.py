"""Were electrodes exchanged?

An exchange of the arms turns lead I upside down with P, QRS and T while V6, which looks at the heart from the same
side, stays as it is. An exchange of right arm and left leg turns lead II upside down. Where the precordial leads fade
from V1 to V6 as well, the heart lies on the right: dextrocardia is named instead.
"""

from typing import Final

import numpy as np

from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm

OPPOSED: Final = -0.5
P_INVERTED_UV: Final = -15.0
QRS_INVERTED_UV: Final = -150.0


def suspected_reversal(reading: Reading, rhythm: Rhythm) -> tuple[str | None, bool]:
    """(pair, whether dextrocardia explains it better)."""
    one, two, avr, v6, v1 = (reading.wave(lead) for lead in ("I", "II", "aVR", "V6", "V1"))
    if one is None or two is None or v6 is None or reading.median is None or reading.limits is None:
        return None, False
    if rhythm.name not in ("sinus", "atrial"):
        return None, False
    like_v6 = {lead: _likeness(reading, lead, "V6") for lead in ("I", "II")}
    fading = v1 is not None and v6.r_uv < 0.5 * v1.r_uv and v6.net_uv < 0
    arms = one.p_uv < P_INVERTED_UV and one.net_uv < QRS_INVERTED_UV
    if arms and (like_v6["I"] < OPPOSED or fading):
        return ("RA/LA", fading)
    leg = two.p_uv < P_INVERTED_UV and two.net_uv < QRS_INVERTED_UV and like_v6["II"] < OPPOSED
    if leg and avr is not None and avr.p_uv > -P_INVERTED_UV:
        return ("RA/LL", False)
    return None, False


def _likeness(reading: Reading, lead: str, other: str) -> float:
    """Correlation of two leads over P, QRS and T of the median beat."""
    assert reading.median is not None
    first, second = reading.traces.row(lead), reading.traces.row(other)
    if first is None or second is None:
        return 0.0
    signal = reading.median.signal
    return float(np.corrcoef(signal[first], signal[second])[0, 1])
