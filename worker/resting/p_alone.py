"""Are the waves that were found P waves that nothing follows?

When the ventricles stand still and the atria go on, P is the tallest wave there is, and a search for QRS finds it. Two
things tell: it is small in every lead, and it rises gently. In the 222 real 12-lead records here (CPSC 2018, CinC 2021,
and LUDB's, whose leads are each 1 mV high) the least QRS is 0.40 mV in its tallest lead and rises by 19 µV/ms; a P of
0.3 mV, more than an enlarged atrium makes, rises by 11. Where few leads are connected a QRS may be as small as that.
"""

from typing import Final

import numpy as np

from ecg_center.contract.findings import Statement
from worker.resting.reading import Reading
from worker.resting.say import evidence, say

LARGEST_UV: Final = 310.0
STEEPEST_UV_PER_MS: Final = 12.0
AROUND_S: Final = 0.06
LEAST_LEADS: Final = 6
"""Of the independent ones: two limb leads and four of the chest."""
SOURCE: Final = "least QRS of 222 real records: 0.40 mV, 19 µV/ms"


def p_alone(reading: Reading) -> Statement | None:
    """Standstill of the ventricles (26a), where the tallest waves are as small and as gentle as P; else None."""
    beat, hz = reading.median, reading.traces.hz
    if beat is None or not reading.calibrated or len(reading.rows) < LEAST_LEADS or reading.beats.at.size < 2:
        return None
    around = round(AROUND_S * hz)
    waves = beat.signal[reading.rows, max(0, beat.r - around) : beat.r + around + 1]
    span_uv = float(np.ptp(waves, axis=1).max())
    steepest_uv_per_ms = float(np.abs(np.diff(waves, axis=1)).max()) * hz / 1000
    if span_uv > LARGEST_UV or steepest_uv_per_ms > STEEPEST_UV_PER_MS:
        return None
    atrial = evidence("atrial_rate_bpm", 60 / float(np.median(reading.rr_s)), None, "/min")
    small = evidence(
        "span_mv", span_uv / 1000, LARGEST_UV / 1000, "mV", start_s=0, end_s=reading.traces.duration_s, source=SOURCE
    )
    return say("26a", small, atrial, certainty="probable")
