"""Does a wave of its own stand on J, as in the cold?

The J wave of Osborn (1953) is a hump at the end of the QRS, upright in II and V3 to V6, and it grows as the body cools.
A small one is early repolarisation's notch (Macfarlane et al. 2015, doi:10.1016/j.jacc.2015.05.033: 0.1 mV and more).
So it is said of 0.2 mV in three leads, beside what the cold does as well: a slow rate or a long QT. The hump is the
summit behind R that the trace falls before and after; it may lie within the QRS as it was limited, or behind its end.
"""

from typing import Final

from ecg_center.contract.findings import Evidence, Statement
from worker.resting.measure import qt_rr_s, qtc_ms
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.say import evidence, say
from worker.resting.waves import level_of
from worker.signal.filters import moving_mean

SOURCE: Final = "Osborn 1953; Macfarlane 2015, doi:10.1016/j.jacc.2015.05.033"
LEADS: Final = ("II", "III", "aVF", "I", "aVL", "V2", "V3", "V4", "V5", "V6")
LEAST_UV: Final = 200.0
LEAST_LEADS: Final = 3
BEHIND_R_S: Final = (0.028, 0.110)
"""Nearer is a notch in R, farther is T."""
OF_R: Final = 0.7
"""Higher is an R' of its own."""
FALLS_UV: Final = 50.0
"""Before and after: a slur, or an ST that is raised, is no wave."""
FALLS_WITHIN_S: Final = 0.060
SMOOTH_S: Final = 0.006
SLOW_BPM: Final = 60.0
LONG_QTC_MS: Final = 460.0
COVERED: Final = frozenset(("104", "106", "108"))
"""Bundle branch block and preexcitation have second summits of their own."""


def j_waves(reading: Reading, rhythm: Rhythm, said: set[str]) -> list[Statement]:
    """Osborn's wave, of a rhythm from above the ventricles."""
    if said & COVERED or rhythm.name not in ("sinus", "atrial", "junctional", "af", "multifocal"):
        return []
    found = _humps(reading)
    if len(found) < LEAST_LEADS:
        return []
    cold = _of_the_cold(reading, rhythm)
    if not cold:
        return []
    seen = evidence("j_wave_mv", max(found.values()) / 1000, LEAST_UV / 1000, "mV", leads=found, source=SOURCE)
    return [say("154", seen, *cold, certainty="probable" if len(cold) > 1 else "possible")]


def _of_the_cold(reading: Reading, rhythm: Rhythm) -> list[Evidence]:
    """A slow rate, a long QT."""
    limits, bpm, found = reading.limits, rhythm.ventricular_bpm, []
    if bpm is not None and bpm < SLOW_BPM:
        found.append(evidence("heart_rate_bpm", bpm, SLOW_BPM, "/min"))
    if limits is not None and limits.t_off is not None:
        corrected = qtc_ms(reading.ms(limits.t_off - limits.qrs_on), qt_rr_s(reading, rhythm), "fridericia")
        if corrected >= LONG_QTC_MS:
            found.append(evidence("qtc_ms", corrected, LONG_QTC_MS, "ms"))
    return found


def _humps(reading: Reading) -> dict[str, float]:
    """Height of the wave on J by lead, µV."""
    beat, limits, hz = reading.median, reading.limits, reading.traces.hz
    if beat is None or limits is None:
        return {}
    signal = moving_mean(beat.signal - level_of(beat, limits, hz), max(1, round(SMOOTH_S * hz)))
    found: dict[str, float] = {}
    for lead in LEADS:
        waves, row = reading.wave(lead), reading.traces.row(lead)
        if waves is None or row is None or waves.r_uv < LEAST_UV / OF_R:
            continue
        height = _hump(signal[row].tolist(), limits.qrs_on + round(waves.r_peak_ms / 1000 * hz), waves.r_uv, hz)
        if height >= LEAST_UV:
            found[lead] = height
    return found


def _hump(lead: list[float], r: int, r_uv: float, hz: float) -> float:
    """µV of the highest summit behind R that the trace falls before and after; 0 where none is."""
    first, stop = r + round(BEHIND_R_S[0] * hz), min(len(lead) - 1, r + round(BEHIND_R_S[1] * hz))
    near, height = round(FALLS_WITHIN_S * hz), 0.0
    for at in range(first, stop):
        if lead[at] < max(lead[at - 1], lead[at + 1]) or lead[at] > OF_R * r_uv:
            continue
        if lead[at] - max(min(lead[r : at + 1]), min(lead[at : at + near])) >= FALLS_UV:
            height = max(height, lead[at])
    return height
