"""Which beats are two at once, a sinus and a ventricular one that met in the ventricles?

Each impulse has depolarised a part of the heart: QRS is near to a sum of a part of the usual QRS and a part of that of
a ventricular beat of the same recording, each a little earlier or later, and it comes about when the usual beat was due
(诊断学: 室性融合波; AHA/ACC/HRS 2007 statement 61). A beat is called so where such a sum explains it much better than
either alone. What differs from the day's engine (:mod:`worker.holter.fusion`), whose limits these are: ten seconds have
few ventricular beats, so one is enough to know their shape, and every lead must be explained by the same two parts.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.resting.beat_kinds import usual_rr_s
from worker.resting.leading import Rhythm
from worker.resting.reading import Reading
from worker.resting.say import TEXTBOOK, evidence, say
from worker.signal.filters import Floats
from worker.signal.order import median

BEFORE_S, AFTER_S = 0.072, 0.104
"""The QRS around its R."""
STEP_HZ: Final = 125.0
USUAL_MOVES: Final = 3
OTHER_MOVES: Final = 9
"""Samples at 125 Hz by which the usual part and the ventricular one may come earlier or later."""
ON_TIME: Final = 0.87
"""Of the usual interval; before that the sinus impulse is not yet in the ventricles."""
LATEST: Final = 1.25
SHARE: Final = (0.15, 0.65)
LEAST_USUAL: Final = 0.3
LEFT: Final = {"V": 0.12, "O": 0.16}
PART: Final = {"V": 0.4, "O": 0.75}
"""What the sum may leave: of the beat's energy, and of what the better of both shapes alone leaves. A beat as broad as
a ventricular one must be explained better than one that looks merely other. Chosen on strips of MIT-BIH DS1: 38 of 132
fusion beats found, nearly all of one person (208), 2 of 5100 others called so; none in the 12 leads of CPSC 2018."""
RHYTHMS: Final = ("sinus", "atrial", "junctional", "af", "flutter")
MOST_USUAL: Final = 8
MOST_PLACES: Final = 8


def mark_fusions(reading: Reading, rhythm: Rhythm) -> None:
    """Mark fusion beats ``F`` in the rhythm's kinds and say them."""
    found = fusions(reading, rhythm)
    if not found.any():
        return
    rhythm.kinds[found] = "F"
    at = reading.at_s
    seen = [
        evidence("fusion_beats", found.sum(), None, "", start_s=at[n] - 0.15, end_s=at[n] + 0.4, source=TEXTBOOK)
        for n in np.flatnonzero(found)[:MOST_PLACES].tolist()
    ]
    rhythm.statements.append(say("61", *seen, certainty="possible"))


def fusions(reading: Reading, rhythm: Rhythm) -> NDArray[np.bool_]:
    """(n_beats,) which beats are fusions of the usual and a ventricular one."""
    kinds, beats, rr_s = rhythm.kinds, reading.beats, reading.rr_s
    found = np.zeros(kinds.size, bool)
    if rhythm.name not in RHYTHMS or not (kinds == "V").any() or (kinds == "N").sum() < 2:
        return found
    before = np.append(np.inf, rr_s)
    due = np.append(np.inf, usual_rr_s(rr_s))
    possible = np.isin(kinds, ("V", "O")) & (beats.group != 0) & (before >= ON_TIME * due) & (before <= LATEST * due)
    windows = _Windows(reading)
    usual = windows.mean(np.flatnonzero((kinds == "N") & (beats.group == 0))[:MOST_USUAL])
    early = {
        group: windows.mean(np.flatnonzero(single)) for group, single in _ventricular(kinds, beats.group, possible)
    }
    for number in np.flatnonzero(possible).tolist():
        own, kind = windows.at(number, 0), str(kinds[number])
        if own is None or usual is None:
            continue
        found[number] = any(
            other is not None and is_sum(own, usual, other, LEFT[kind], PART[kind]) for other in early.values()
        )
    return found


def _ventricular(
    kinds: NDArray[np.str_], group: NDArray[np.int_], possible: NDArray[np.bool_]
) -> Iterable[tuple[int, NDArray[np.bool_]]]:
    """Each ventricular shape with its beats, (n_beats,), of which none may itself be a fusion."""
    for number in sorted(set(group[kinds == "V"].tolist())):
        single = (kinds == "V") & (group == number) & ~possible
        if single.any():
            yield number, single


class _Windows:
    """The QRS of single beats at 125 Hz, with room to move."""

    def __init__(self, reading: Reading) -> None:
        self.step = max(1, round(reading.traces.hz / STEP_HZ))
        self.signal = reading.traces.shape[reading.rows][:, :: self.step]
        self.beats = reading.beats.at // self.step
        hz = reading.traces.hz / self.step
        self.before, self.after = round(BEFORE_S * hz), round(AFTER_S * hz)

    def at(self, number: int, room: int) -> Floats | None:
        """(n_leads, n) of one beat with ``room`` samples more on both sides; None where the edge cuts it."""
        first, last = self.beats[number] - self.before - room, self.beats[number] + self.after + room
        return self.signal[:, first:last] if first >= 0 and last <= self.signal.shape[1] else None

    def mean(self, numbers: NDArray[np.int_]) -> Floats | None:
        """The median of these beats, with room for the ventricular part to move."""
        whole = [window for n in numbers.tolist() if (window := self.at(n, OTHER_MOVES)) is not None]
        return median(np.array(whole), axis=0) if whole else None


def is_sum(own: Floats, usual: Floats, other: Floats, most_left: float, part: float) -> bool:
    """Whether a beat is a part of the usual one and a part of another, and neither alone.

    Args:
        own: (n_leads, n) the beat.
        usual, other: (n_leads, n + 18) both shapes, with nine samples more on either side.
        most_left, part: what the sum may leave, of the beat's energy and of what the better shape alone leaves.

    >>> t = np.arange(41)
    >>> usual, wide = (np.exp(-(((t - at) / half) ** 2))[None] for at, half in ((20, 2), (23, 6)))
    >>> both = 0.6 * usual + 0.4 * wide
    >>> [is_sum(shape[:, 9:-9], usual, wide, 0.12, 0.4) for shape in (both, usual, wide, 0.95 * usual + 0.05 * wide)]
    [True, False, False, False]
    """
    n = own.shape[1]
    x = own.ravel()
    power = float(x @ x) + 1e-9
    middle = range(OTHER_MOVES - USUAL_MOVES, OTHER_MOVES + USUAL_MOVES + 1)
    one = np.stack([usual[:, at : at + n].ravel() for at in middle])
    two = np.stack([other[:, at : at + n].ravel() for at in range(2 * OTHER_MOVES + 1)])
    dd, vv, dv = (one**2).sum(axis=1)[:, None] + 1e-9, (two**2).sum(axis=1)[None] + 1e-9, one @ two.T
    xd, xv = (one @ x)[:, None], (two @ x)[None]
    alone = min(float((1 - 2 * xd / (power + dd)).min()), float((1 - 2 * xv / (power + vv)).min()))
    under = dd * vv - dv * dv + 1e-9
    a = np.clip((xd * vv - xv * dv) / under, 0.0, 1.0)
    b = np.clip((xv * dd - xd * dv) / under, 0.0, 1.0)
    left = 1 + (a * a * dd + b * b * vv + 2 * a * b * dv - 2 * a * xd - 2 * b * xv) / power
    best = np.unravel_index(int(np.argmin(left)), left.shape)
    share = float(b[best] / (a[best] + b[best] + 1e-9))
    mixed = SHARE[0] < share < SHARE[1] and float(a[best]) > LEAST_USUAL
    return mixed and float(left[best]) < min(most_left, part * alone)
