"""Which chambers does a pacemaker drive, and does the heart answer each of its pulses?

A pulse stands just before the QRS that it makes, or as far before it as a P wave stands. What answers names the mode
(起搏模式): pulses before P only are atrial pacing, before QRS only ventricular, both AV sequential pacing; a P of the
heart's own at a fixed distance before the ventricular pulse is sensed and followed (VDD). A pulse between beats that
nothing answers has failed to capture, one just behind a QRS has not sensed it. AHA/ACC/HRS 2007 part II, statements
180 to 190 (doi:10.1016/j.jacc.2007.01.025).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.findings import Evidence
from worker.resting.leading import Rhythm
from worker.resting.reading import Reading
from worker.resting.say import evidence, say
from worker.signal.filters import Floats

LEAST_SPIKES: Final = 3
BEFORE_QRS_S: Final = (-0.03, 0.09)
BEFORE_P_S: Final = (0.09, 0.32)
PACED_SHARE: Final = 0.4
OWN_P_SHARE, OWN_P_CLARITY = 0.55, 3.0
"""As for a sinus rhythm: :mod:`worker.resting.rhythm`."""
OWN_P_PR_MS: Final = (80.0, 300.0)
REFRACTORY_S: Final = 0.30
"""After the beginning of a QRS no pulse can make another."""
QRS_S: Final = 0.06
"""A pulse this soon after the onset falls into a QRS that began just before: fusion, not a failure to sense."""
UNANSWERED: Final = 2
EVEN: Final = 0.05
MOST_PLACES: Final = 8
FAINT_S: Final = (-0.030, 0.004)
FAINT_UV: Final = 25.0
FAINT_STANDS_OUT: Final = 1.4
"""Of 215 hearts of LUDB, CPSC 2018 and CinC 2021 without a pacemaker none reaches this where a pulse would stand."""
SOURCE: Final = "AHA/ACC/HRS 2007 part II, doi:10.1016/j.jacc.2007.01.025"


@dataclass(frozen=True, eq=False)
class _Answers:
    """Pulses in seconds, by what followed them."""

    ventricular: Floats
    atrial: Floats
    unanswered: Floats
    not_sensed: Floats


def paced(reading: Reading, rhythm: Rhythm) -> bool:
    """Whether a pacemaker leads; what it does is added to the statements."""
    spikes = np.array(reading.traces.spikes_s)
    if spikes.size < LEAST_SPIKES or reading.limits is None:
        return False
    onsets = reading.at_s - (reading.limits.r - reading.limits.qrs_on) / reading.traces.hz
    answers = _answers(spikes, onsets)
    ventricle = answers.ventricular.size >= PACED_SHARE * onsets.size
    atrium = answers.atrial.size >= PACED_SHARE * onsets.size
    _failures(rhythm, answers, leads=ventricle or atrium)
    if not (ventricle or atrium):
        return False
    rhythm.name = "paced"
    code = ("184" if atrium else "183" if _own_p(reading) else "181") if ventricle else "180"
    seen = evidence("spikes", spikes.size, LEAST_SPIKES, "", start_s=spikes[0], end_s=spikes[-1], source=SOURCE)
    rhythm.statements.append(say(code, seen, certainty="probable"))
    return True


def paced_beats(reading: Reading) -> NDArray[np.bool_]:
    """(n_beats,) the beats that a pulse of either chamber has started.

    Of the atria only where they are paced throughout: a pulse that the ventricle did not answer may stand as far before
    a QRS.
    """
    spikes, found = np.array(reading.traces.spikes_s), np.zeros(reading.at_s.size, bool)
    if spikes.size < UNANSWERED or reading.limits is None or not found.size:
        return found
    onsets = reading.at_s - (reading.limits.r - reading.limits.qrs_on) / reading.traces.hz
    answers = _answers(spikes, onsets)
    if answers.ventricular.size >= UNANSWERED:
        found |= _has_before(onsets, answers.ventricular, BEFORE_QRS_S)
    if answers.atrial.size >= max(UNANSWERED, PACED_SHARE * onsets.size):
        found |= _has_before(onsets, answers.atrial, BEFORE_P_S)
    return found


def _has_before(onsets: Floats, spikes: Floats, within_s: tuple[float, float]) -> NDArray[np.bool_]:
    distance = onsets[:, None] - spikes[None, :]
    return np.asarray(((distance > within_s[0]) & (distance < within_s[1])).any(axis=1))


def _answers(spikes: Floats, onsets: Floats) -> _Answers:
    """Each pulse by its distance to the QRS onsets around it; one beat answers one pulse of either chamber."""
    distance = onsets[None, :] - spikes[:, None]
    ventricular = ((distance > BEFORE_QRS_S[0]) & (distance < BEFORE_QRS_S[1])).any(axis=1)
    atrial = ~ventricular & ((distance >= BEFORE_P_S[0]) & (distance < BEFORE_P_S[1])).any(axis=1)
    neither = ~ventricular & ~atrial
    behind = np.where(distance <= 0, -distance, np.inf).min(axis=1)
    known = neither & (spikes > onsets[0])  # of those before the first beat nothing is known
    known &= spikes < onsets[-1]
    return _Answers(
        spikes[ventricular],
        spikes[atrial],
        spikes[known & (behind >= REFRACTORY_S)],
        spikes[known & (behind < REFRACTORY_S) & (behind > QRS_S)],
    )


def faint_pulses(reading: Reading) -> float | None:
    """µV of a pulse so small that only the mean over the beats shows it, as of a bipolar lead; None where none is.

    For a broad, even rhythm without P, which a ventricle or a pacemaker may lead. The median over the usual beats of
    each sample's distance from the line between its neighbours 4 ms away: a pulse stands just before the QRS in all of
    them, and out of the beginning QRS itself.
    """
    limits, hz, raw = reading.limits, reading.traces.hz, reading.traces.raw
    if limits is None:
        return None
    reach, around, close = (max(1, round(seconds * hz)) for seconds in (0.004, 0.040, 0.008))
    onset, wide = limits.qrs_on - limits.r, round(0.1 * hz)
    starts = reading.beats.at[reading.beats.group == 0] + onset - wide - reach
    starts = starts[(starts >= 0) & (starts + 2 * (wide + reach) <= raw.shape[1])]
    if starts.size < LEAST_SPIKES + 1:
        return None
    beats = np.stack([raw[:, at : at + 2 * (wide + reach)] for at in starts.tolist()])
    apart = np.abs(beats[:, :, reach:-reach] - (beats[:, :, : -2 * reach] + beats[:, :, 2 * reach :]) / 2)
    profile = np.sort(np.median(apart, axis=0), axis=0)[-3:].mean(axis=0)
    first, last = wide + round(FAINT_S[0] * hz), wide + round(FAINT_S[1] * hz) + 1
    at = first + int(np.argmax(profile[first:last]))
    beside = max(profile[at - around : at - close].max(), profile[at + close : at + around].max(), 1.0)
    size = float(profile[at])
    return size if size >= FAINT_UV and size >= FAINT_STANDS_OUT * beside else None


def _own_p(reading: Reading) -> bool:
    """Whether the heart's own P stands before the pulses."""
    limits, p = reading.limits, reading.p
    if limits is None or limits.p_on is None or p is None:
        return False
    low, high = OWN_P_PR_MS
    at_its_place = low <= reading.ms(limits.qrs_on - limits.p_on) <= high
    return at_its_place and p.share >= OWN_P_SHARE and p.clarity >= OWN_P_CLARITY


def _failures(rhythm: Rhythm, answers: _Answers, *, leads: bool) -> None:
    """Pulses without an answer; where the pacemaker does not lead, only those that come as evenly as a pacemaker's."""
    lost, late = answers.unanswered, answers.not_sensed
    if lost.size >= UNANSWERED and (leads or _even(lost)):
        rhythm.statements.append(say("186", *_places(lost, 0.0, 0.2), certainty="possible"))
    if late.size >= UNANSWERED and leads:
        rhythm.statements.append(say("188", *_places(late, -0.3, 0.0), certainty="possible"))


def _places(spikes: Floats, first_s: float, last_s: float) -> list[Evidence]:
    return [
        evidence("spikes", spikes.size, UNANSWERED, "", start_s=at + first_s, end_s=at + last_s, source=SOURCE)
        for at in spikes[:MOST_PLACES].tolist()
    ]


def _even(spikes: Floats) -> bool:
    """Whether the intervals are multiples of one."""
    apart = np.diff(spikes)
    if apart.size < LEAST_SPIKES - 1:
        return False
    times = apart / apart.min()
    return bool(np.all(np.abs(times - np.rint(times)) < EVEN * np.rint(times)))
