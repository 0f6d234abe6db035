"""Does the T wave change from beat to beat, the even ones against the odd ones?

The usual beats of an unbroken regular run are split into even and odd; their mean T waves are compared as the modified
moving average method does over a day (Nearing and Verrier 2002, doi:10.1152/japplphysiol.00592.2001). What differs:
ten seconds hold a dozen beats, so only alternans that a person could see is looked for, and it has to stand out of the
scatter among the even and among the odd beats in two independent leads, with the QRS steady: a QRS that alternates as
well is that of an effusion or of a tachycardia, not of the T wave.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.findings import Statement
from worker.resting.reading import Reading
from worker.resting.rhythm import Rhythm
from worker.resting.say import evidence, say
from worker.signal.delineate import Limits
from worker.signal.filters import Floats, moving_mean
from worker.signal.order import median

Samples = NDArray[np.int_]

METHOD: Final = "Nearing and Verrier 2002, doi:10.1152/japplphysiol.00592.2001"
LEAST_BEATS: Final = 8
LEAST_UV: Final = 60.0
"""Between the mean T of even and of odd beats; 47 to 65 µV are taken as abnormal in a day (Verrier 2011)."""
LEAST_SIGMA: Final = 5.0
LEAST_LEADS: Final = 2
REGULAR: Final = 0.15
"""An interval within this share of the usual one belongs to the run; breathing moves them by less."""
RR_ALTERNATES_S: Final = 0.02
"""Where the intervals alternate, T follows them."""
T_FROM_J_S: Final = 0.06
LAST_S: Final = 0.40
SMOOTH_S: Final = 0.04
QRS_SHARE: Final = 0.5


def alternans(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """T-wave alternans; nothing where fewer than eight usual beats follow one another regularly."""
    limits, hz = reading.limits, reading.traces.hz
    if limits is None or not reading.calibrated or rhythm.name not in ("sinus", "atrial", "junctional", "svt"):
        return []
    at = _regular_run(reading)
    rr_s = np.diff(at) / hz
    if at.size < LEAST_BEATS or abs(float(rr_s[::2].mean() - rr_s[1::2].mean())) > RR_ALTERNATES_S:
        return []
    found = _by_lead(reading, limits, at)
    if len(found) < LEAST_LEADS:
        return []
    seen = evidence(
        "t_alternans_uv", max(found.values()), LEAST_UV, "µV", leads=found,
        start_s=at[0] / hz, end_s=at[-1] / hz, source=METHOD,
    )  # fmt: skip
    return [say("147f", seen, evidence("beats", int(at.size), LEAST_BEATS, ""), certainty="possible")]


def _by_lead(reading: Reading, limits: Limits, at: Samples) -> dict[str, float]:
    """How far the mean T of even and of odd beats lie apart, µV, in the leads in which it is no chance."""
    hz, clean = reading.traces.hz, reading.traces.clean
    on, j = limits.qrs_on - limits.r, limits.qrs_off - limits.r
    stop = min(limits.t_off - limits.r if limits.t_off else j + round(LAST_S * hz), int(np.diff(at).min()) + on)
    first, quiet, width = j + round(T_FROM_J_S * hz), round(0.02 * hz), max(1, round(SMOOTH_S * hz))
    at = at[(at + on >= quiet) & (at + stop < clean.shape[1])]
    at = at[: at.size - at.size % 2]
    if at.size < LEAST_BEATS or stop - first < round(0.08 * hz):
        return {}
    signal, start = clean[reading.rows], first - on + quiet
    beats = np.stack([signal[:, place + on - quiet : place + stop] for place in at.tolist()])
    beats = beats - beats[:, :, :quiet].mean(axis=2, keepdims=True)
    apart = np.abs(moving_mean(_difference(beats), width)[:, start:]).max(axis=1)
    if int((apart >= LEAST_UV).sum()) < LEAST_LEADS:
        return {}  # so it is in nearly every recording: what follows takes twice as long
    beats = moving_mean(beats, width)
    apart, sigma = _even_against_odd(beats[:, :, start:])
    in_qrs = np.abs(_difference(beats[:, :, quiet : j - on + quiet])).max(axis=1)
    here = (apart >= LEAST_UV) & (apart >= LEAST_SIGMA * sigma) & (in_qrs <= QRS_SHARE * apart)
    return {reading.traces.leads[reading.rows[n]]: float(apart[n]) for n in np.flatnonzero(here).tolist()}


def _regular_run(reading: Reading) -> Samples:
    """(n,) the longest run of usual beats at even intervals."""
    at, usual = reading.beats.at, reading.beats.group == 0
    if at.size < LEAST_BEATS:
        return at[:0]
    rr = np.diff(at)
    even = usual[:-1] & usual[1:] & (np.abs(rr / median(rr) - 1) < REGULAR)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], even, [False]]).astype(np.int8))).reshape(-1, 2)
    if edges.size == 0:
        return at[:0]
    first, last = edges[int(np.argmax(edges[:, 1] - edges[:, 0]))]
    return at[first : last + 1]


def _difference(beats: Floats) -> Floats:
    """(n_leads, n) the mean of the even less that of the odd beats."""
    difference: Floats = beats[::2].mean(axis=0) - beats[1::2].mean(axis=0)
    return difference


def _even_against_odd(beats: Floats) -> tuple[Floats, Floats]:
    """(n_leads,) the largest difference, and the standard error of a difference there; ``beats`` (n, n_leads, m)."""
    difference = _difference(beats)
    place = np.abs(difference).argmax(axis=1)
    rows = np.arange(difference.shape[0])
    there = beats[:, rows, place]  # (n, n_leads)
    scatter = (there[::2].var(axis=0, ddof=1) + there[1::2].var(axis=0, ddof=1)) / (beats.shape[0] / 2)
    return np.abs(difference[rows, place]), np.maximum(np.sqrt(scatter), 1.0)
