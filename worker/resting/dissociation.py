"""Do atria and ventricles each go their own way, with neither block nor tachycardia between them?

房室分离: regular P waves and regular QRS of nearly the same rate without a fixed distance. The ventricles follow the AV
junction or themselves because that is as fast as the sinus node; where the atria are clearly faster it is a complete
block (:mod:`worker.resting.rhythm`). 诊断学 (第9版), 干扰性房室脱节.
"""

from typing import Final

import numpy as np

from ecg_center.contract.findings import Evidence
from worker.resting.reading import Reading
from worker.resting.say import TEXTBOOK, evidence
from worker.signal import atrial
from worker.signal.filters import Floats

EVEN_RR: Final = 0.06
SLOWER, FASTER = 0.85, 1.5
"""The atrial period over the ventricular one: below the first the atria lead and are blocked."""
SPREAD_MS: Final = 60.0
LEAST_P: Final = 5


def circular_spread(distances: Floats, period: float) -> float:
    """Standard deviation on a circle of this length; large where the distances have no preferred value.

    >>> round(circular_spread(np.array([0.1, 0.1, 0.12]), 0.8), 3), circular_spread(np.array([0.0, 0.4]), 0.8) > 0.5
    (0.009, True)
    """
    if distances.size < 2:
        return 0.0
    length = float(np.abs(np.exp(2j * np.pi * distances / period).mean()))
    return period * float(np.sqrt(max(0.0, -2 * np.log(max(length, 1e-6))))) / (2 * np.pi)


def dissociation(reading: Reading) -> list[Evidence]:
    """What shows it; nothing where it is not seen."""
    rr, limits, hz = reading.rr_s, reading.limits, reading.traces.hz
    if limits is None or rr.size < LEAST_P or float(rr.std() / rr.mean()) > EVEN_RR:
        return []
    found = reading.free_p
    if found is None:
        found = atrial.free_p_waves(reading.traces.clean[reading.rows], hz, reading.beats, limits)
    if found is None or found.size < LEAST_P:
        return []
    p_s = found / hz
    period = float(np.median(np.diff(p_s)))
    if not SLOWER <= period / float(rr.mean()) <= FASTER:
        return []
    before = [at - p_s[p_s < at][-1] for at in reading.at_s if (p_s < at).any()]
    spread_ms = 1000 * circular_spread(np.array(before) % period, period)
    if spread_ms < SPREAD_MS:
        return []
    return [
        evidence("atrial_rate_bpm", 60 / period, 60 / float(rr.mean()), "/min", start_s=p_s[0], end_s=p_s[-1]),
        evidence("pr_spread_ms", spread_ms, SPREAD_MS, "ms", source=TEXTBOOK),
    ]
