"""Does a fast rhythm conduct every second wave of a flutter, as most flutters at 150/min do?

One wave hides in QRS or T, the other stands where P would: it reads as sinus or atrial tachycardia. It is told where
what oscillates between the QRS complexes has half the cycle's period, though too weakly or too slowly to be called
flutter by itself, and the averaged cycle comes back after half of it (:mod:`worker.signal.half_cycle`). Rates are those
of ESC 2019 (doi:10.1093/eurheartj/ehz467), and slower ones, of treated flutter.

Of 222 records of LUDB, CPSC 2018 and CinC 2021 two are so read, both flutter by their labels (the lower limit of the
rate was chosen by one of them). A rate that is fixed, instead of waves that are seen, would tell most simulated 2:1
flutters too, but takes a drawn atrial tachycardia with P 0.10 or 0.15 s before the QRS for one.
"""

from typing import Final

from worker.resting.reading import Reading
from worker.signal.half_cycle import ALIKE, COMES_BACK, comes_back
from worker.signal.order import median

LEADS: Final = ("II", "V1", "V5")
"""In fewer than these nothing cancels T."""
RR_S: Final = (0.36, 0.61)
"""98 to 167/min: half of 197 to 333; in faster ones too little is left between the QRS complexes."""
LEAST_INTERVALS: Final = 12
NARROW_MS: Final = 120.0
"""What is left of a broad QRS, and its T, are as large as flutter waves."""
WAVES: Final = 0.28
"""Autocorrelation of waves between the QRS complexes, as for flutter without P (:mod:`worker.resting.rhythm`)."""
SAME_PERIOD: Final = 0.06


def comes_twice(reading: Reading) -> float | None:
    """The share of the averaged cycle that comes back after half of it; None where it is no flutter.

    Needs II, V1 and V5, and a narrow QRS.
    """
    rows = [row for lead in LEADS if (row := reading.traces.row(lead)) in reading.rows and row is not None]
    waves, rr_s = reading.flutter, reading.rr_s
    if waves is None or len(rows) < len(LEADS) or rr_s.size < LEAST_INTERVALS:
        return None
    usual_s = float(median(rr_s))
    if not RR_S[0] <= usual_s <= RR_S[1] or (reading.qrs_ms or NARROW_MS) >= NARROW_MS:
        return None
    if waves.strength < WAVES or abs(waves.rate_bpm * usual_s / 120 - 1) > SAME_PERIOD:
        return None
    share, alike = comes_back(reading.traces.clean[rows], reading.beats.at, reading.traces.hz)
    return share if share >= COMES_BACK and alike >= ALIKE else None
