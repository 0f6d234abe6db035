"""Does atrial fibrillation reach the ventricles over an accessory pathway?

Fast, broad and irregular (快、宽、乱): the node lets no such short intervals through, the pathway does, and what both
conduct together differs in breadth from beat to beat. The shortest RR of 250 ms is what marks danger (2015 ACC/AHA/HRS,
doi:10.1016/j.jacc.2015.08.856). With bundle branch block the QRS is broad as well, but its intervals are the node's.
"""

from typing import Final

import numpy as np

from ecg_center.contract.findings import Evidence
from worker.resting.reading import Reading
from worker.resting.say import evidence
from worker.signal.order import median

SVT_2015: Final = "ACC/AHA/HRS 2015 supraventricular tachycardia, doi:10.1016/j.jacc.2015.08.856"
FAST_BPM: Final = 120.0
SHORT_RR_S: Final = 0.30
"""200/min: more than the node conducts in fibrillation at rest."""
TOO_SHORT_RR_S: Final = 0.25
LEAST_INTERVALS: Final = 5
SHORT_COUNT: Final = 2
"""A single short interval may be a T wave taken for a beat."""
BROAD_MS: Final = 120.0
BROAD_S: Final = 0.11
"""Rough widths run shorter than the QRS (:mod:`worker.resting.beat_kinds`)."""
SCATTER_MS: Final = 20.0
"""From the narrowest tenth of the beats to the broadest; in bundle branch block 10 ms and less."""


def preexcitation_of(reading: Reading) -> list[Evidence]:
    """What shows it, of a rhythm that fibrillates; nothing where the node may conduct alone."""
    rr, widths, qrs_ms = reading.rr_s, reading.beats.width_s, reading.qrs_ms or 0.0
    if rr.size < LEAST_INTERVALS or 60 / float(rr.mean()) < FAST_BPM:
        return []
    if qrs_ms < BROAD_MS or float(median(widths)) < BROAD_S:
        return []
    scatter_ms = 1000 * float(np.quantile(widths, 0.9) - np.quantile(widths, 0.1))
    too_short = int((rr <= TOO_SHORT_RR_S).sum()) >= SHORT_COUNT
    short = int((rr <= SHORT_RR_S).sum()) >= SHORT_COUNT
    if not too_short and not (short and scatter_ms >= SCATTER_MS):
        return []
    at = reading.at_s
    first = int(np.argmin(rr))
    return [
        evidence(
            "rr_min_ms", 1000 * float(rr.min()), 1000 * SHORT_RR_S, "ms",
            start_s=at[first], end_s=at[first + 1], source=SVT_2015,
        ),
        evidence("qrs_ms", qrs_ms, BROAD_MS, "ms"),
        evidence("qrs_scatter_ms", scatter_ms, SCATTER_MS, "ms"),
    ]  # fmt: skip
