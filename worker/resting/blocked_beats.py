"""Did an atrium beat too early to be conducted?

A premature P that finds the node or the ventricles refractory is followed by no QRS but by a pause: it is the commonest
cause of one (Marriott), and is easily taken for a sinus pause, since it hides in T. From each beat before a pause the
usual QRS and T are taken away, and what is left is compared with what is left behind the beats that no pause follows.
AHA/ACC/HRS 2007 part II, statement 31 (doi:10.1016/j.jacc.2007.01.025). Where every second beat is a blocked one, no
beat shows what T alone looks like, and nothing is said.
"""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.findings import Statement
from worker.resting.leading import Rhythm
from worker.resting.reading import Reading
from worker.resting.say import TEXTBOOK, evidence, say
from worker.signal.atrial import P_BAND_HZ, QRS_MARGIN_S, powers, ventricles, without_line
from worker.signal.filters import Floats, Spectrum
from worker.signal.order import median

Flags = NDArray[np.bool_]

PAUSE_TIMES: Final = 1.2
EARLY: Final = 0.88
"""Of the usual PP interval; a P on time without QRS is AV block's (:mod:`worker.resting.av_block`)."""
P_S: Final = 0.11
BEHIND_J_S: Final = 0.08
STANDS_OUT: Final = 6.0
"""Power of what stands behind T over the largest behind the usual beat without a pause."""
OF_ANY: Final = 2.0
"""The same over the largest behind any of them: a T that varies, or noise, varies elsewhere as well."""
LEAST_UV: Final = 50.0
LEAST_LEADS: Final = 2
LEAST_PLAIN: Final = 4
LEAST_RR_S: Final = 0.6
"""Above 100/min T and the next P run into one another, and a flutter of which each other wave is conducted has both."""
MOST_PLACES: Final = 8


class _Left(NamedTuple):
    """What stands out most between J and where the next P is due.

    Attributes:
        form: (n_leads, n) µV without the line through its ends.
        power: sum of its squares, µV².
        at_s: its beginning.
    """

    form: Floats
    power: float
    at_s: float


def blocked_beats(reading: Reading, rhythm: Rhythm) -> list[Statement]:
    """Blocked premature P waves, of a rhythm whose beats have a P; nothing where no pause has one."""
    rr, kinds = reading.rr_s, rhythm.kinds
    if rhythm.name not in ("sinus", "atrial") or rhythm.av_block or reading.limits is None:
        return []
    usual = (kinds[:-1] == "N") & (kinds[1:] == "N")
    usual_s = float(median(rr[usual])) if usual.any() else 0.0
    paused = usual & (rr >= PAUSE_TIMES * usual_s)
    plain = usual & ~paused
    if usual_s < LEAST_RR_S or not paused.any() or plain.sum() < LEAST_PLAIN:
        return []
    found = _that_stand_out(reading, usual_s, paused, plain)
    if not found:
        return []
    size_mv = max(float(np.abs(one.form).max()) for one in found) / 1000
    seen = [
        evidence("blocked_p", len(found), 1, "", start_s=one.at_s, end_s=one.at_s + P_S, source=TEXTBOOK)
        for one in found[:MOST_PLACES]
    ]
    size = evidence("p_mv", size_mv, LEAST_UV / 1000, "mV")
    longest = evidence("rr_to_usual", float(rr[paused].max()) / usual_s, PAUSE_TIMES, "")
    return [say("31", *seen, size, longest, certainty="probable" if len(found) > 1 else "possible")]


def _that_stand_out(reading: Reading, usual_s: float, paused: Flags, plain: Flags) -> list[_Left]:
    """What is left behind the beats before a pause, where it is more than is left behind the others."""
    left = _left_behind(reading, usual_s)
    behind = np.array([left[place].power for place in np.flatnonzero(plain).tolist() if place in left])
    if behind.size < LEAST_PLAIN:
        return []
    least = max(STANDS_OUT * float(median(behind)), OF_ANY * float(behind.max()))
    return [left[place] for place in np.flatnonzero(paused).tolist() if place in left and _is_p(left[place], least)]


def _is_p(left: _Left, least: float) -> bool:
    large = np.abs(left.form).max(axis=1) >= LEAST_UV
    return left.power >= least and int(large.sum()) >= LEAST_LEADS


def _left_behind(reading: Reading, usual_s: float) -> dict[int, _Left]:
    """By beat, what stands out most before the next P is due."""
    limits, hz = reading.limits, reading.traces.hz
    if limits is None or limits.p_on is None:
        return {}
    clean = reading.traces.clean[reading.rows]
    begins = replace(limits, qrs_on=limits.qrs_on + round(QRS_MARGIN_S * hz))  # the P before it stays
    rest = Spectrum(clean - ventricles(clean, reading.beats, begins, hz), hz)
    band = rest.band(rest.passing(*P_BAND_HZ))
    width = round(P_S * hz)
    first = limits.qrs_off - limits.r + round(BEHIND_J_S * hz)
    stop = limits.p_on - limits.r + round(EARLY * usual_s * hz) + width
    if stop - first < width:
        return {}
    found: dict[int, _Left] = {}
    power = powers(band, width)
    for place, at in enumerate(reading.beats.at.tolist()):
        if at + stop > band.shape[1]:
            continue
        best = at + first + int(np.argmax(power[at + first : at + stop - width + 1]))
        found[place] = _Left(without_line(band[:, best : best + width]), float(power[best]), best / hz)
    return found
