"""Does the QRS change from beat to beat, the even ones against the odd ones?

Electrical alternans 电交替 of the QRS: a heart that swings in an effusion, or a narrow tachycardia over an accessory
pathway. Counted is what readers count, R and S: one of them higher by 1 mm in every second beat (Morady et al. 1987,
J Am Coll Cardiol 9:489-499). What differs: three leads are asked for, nearly every step has to go the other way than
the last, and it has to stand out of the scatter among the even and among the odd beats, so that breathing, which moves
the QRS over several beats, is none. A QRS that is broader every second time is another beat, not this one swinging.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.findings import Statement
from worker.resting.beat_kinds import BROADER_S
from worker.resting.leading import Rhythm
from worker.resting.reading import Reading
from worker.resting.say import evidence, say
from worker.signal.filters import Floats
from worker.signal.order import median

Places = NDArray[np.int_]

SOURCE: Final = "Morady 1987, J Am Coll Cardiol 9:489"
LEAST_BEATS: Final = 8
LEAST_UV: Final = 100.0
LEAST_LEADS: Final = 3
LEAST_SIGMA: Final = 5.0
STEPS_SHARE: Final = 0.9
REGULAR: Final = 0.15
"""An interval within this share of the usual one belongs to the run."""
LEVEL_S: Final = 0.02


def qrs_alternans(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """Alternans of the QRS; nothing where fewer than eight beats follow one another regularly."""
    limits, hz = reading.limits, reading.traces.hz
    if limits is None or not reading.calibrated or rhythm.name not in ("sinus", "atrial", "junctional", "svt"):
        return []
    run = _regular_run(reading, rhythm)
    if run.size < LEAST_BEATS:
        return []
    widths = reading.beats.width_s[run]
    if abs(float(median(widths[::2]) - median(widths[1::2]))) > BROADER_S:
        return []
    found = _by_lead(reading, run)
    if len(found) < LEAST_LEADS:
        return []
    at = reading.beats.at[run]
    seen = evidence(
        "qrs_alternans_mv", max(found.values()) / 1000, LEAST_UV / 1000, "mV", leads=found,
        start_s=at[0] / hz, end_s=at[-1] / hz, source=SOURCE,
    )  # fmt: skip
    return [say("124", seen, evidence("beats", int(run.size), LEAST_BEATS, ""), certainty="probable")]


def _regular_run(reading: Reading, rhythm: Rhythm) -> Places:
    """(n,) the longest run of beats, none of them early or ventricular, at even intervals; whole in the recording."""
    rr, kinds = reading.rr_s, rhythm.kinds
    if rr.size + 1 < LEAST_BEATS:
        return np.zeros(0, int)
    usual = np.isin(kinds, ("N", "O"))
    even = usual[:-1] & usual[1:] & (np.abs(rr / median(rr) - 1) < REGULAR)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], even, [False]]).astype(np.int8))).reshape(-1, 2)
    if edges.size == 0:
        return np.zeros(0, int)
    first, last = edges[int(np.argmax(edges[:, 1] - edges[:, 0]))]
    run: Places = np.arange(first, last + 1)
    before, after = _reach(reading)
    at = reading.beats.at[run]
    whole: Places = run[(at >= before) & (at + after <= reading.traces.clean.shape[1])]
    return whole


def _reach(reading: Reading) -> tuple[int, int]:
    """Samples of a QRS with its level before R, and behind it."""
    limits, hz = reading.limits, reading.traces.hz
    assert limits is not None
    return limits.r - limits.qrs_on + round(LEVEL_S * hz), limits.qrs_off - limits.r


def _by_lead(reading: Reading, run: Places) -> dict[str, float]:
    """How far R, or S, of even and of odd beats lie apart, µV, in the leads in which it is no chance."""
    before, after = _reach(reading)
    signal, quiet = reading.traces.clean[reading.rows], round(LEVEL_S * reading.traces.hz)
    beats = np.stack([signal[:, at - before : at + after] for at in reading.beats.at[run].tolist()])
    beats = beats - beats[:, :, :quiet].mean(axis=2, keepdims=True)
    # the largest and the smallest are asked at once: it is the calls that take the time
    high, low = _apart(np.stack([beats.max(axis=2), beats.min(axis=2)], axis=1))
    leads = [reading.traces.leads[row] for row in reading.rows]
    return {lead: apart for lead, apart in zip(leads, np.maximum(high, low).tolist(), strict=True) if apart >= LEAST_UV}


def _apart(sizes: Floats) -> Floats:
    """(…) of (n_beats, …): the difference of the even and the odd mean; 0 where it is a chance."""
    even, odd = sizes[::2], sizes[1::2]
    apart = even.mean(axis=0) - odd.mean(axis=0)
    error = np.sqrt(even.var(axis=0, ddof=1) / len(even) + odd.var(axis=0, ddof=1) / len(odd))
    steps = np.diff(sizes, axis=0)
    turns = (np.sign(steps[1:]) != np.sign(steps[:-1])).mean(axis=0)
    sure = (np.abs(apart) >= LEAST_SIGMA * np.maximum(error, 1.0)) & (turns >= STEPS_SHARE)
    found: Floats = np.where(sure, np.abs(apart), 0.0)
    return found
