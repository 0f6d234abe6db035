"""Which beats came too early, and from where?

A beat that is early and looks like the others comes from above the ventricles; one that looks different and is broad
comes from a ventricle. Aberrant conduction of an early supraventricular beat looks like the latter; a P wave before it
tells them apart where it can be seen.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.resting.reading import Reading
from worker.signal.beats import Beats
from worker.signal.filters import Floats
from worker.signal.order import around, median

EARLY: Final = 0.86
"""An RR below this share of its neighbourhood is early (sinus arrhythmia changes by less from beat to beat)."""
EARLY_STEADY, STEADY_SCATTERS, PAUSE_AFTER = 0.10, 5.0, 1.05
"""Where the intervals hardly scatter, less is early as well, if the interval behind it is longer than usual; chosen on
CPSC 2018, with none more in LUDB."""
BROADER_S: Final = 0.025
BROAD_S: Final = 0.115
BROAD_IF_EARLY_S: Final = 0.095
"""Rough widths from the velocity run shorter than the QRS: an early beat that is this broad and unlike the others comes
from a ventricle even where its number stays below 120 ms."""
LARGER: Final = 1.2
LATE: Final = 0.95
LOCAL_BEATS: Final = 9


def usual_rr_s(rr_s: Floats) -> Floats:
    """(n,) the median of the intervals around each one."""
    if rr_s.size == 0:
        return rr_s
    return median(around(rr_s, LOCAL_BEATS))


def kinds(reading: Reading) -> NDArray[np.str_]:
    """(n_beats,) ``N`` dominant, ``S`` early and like the others, ``V`` broad and unlike, ``O`` other."""
    beats, rr_s = reading.beats, reading.rr_s
    n = beats.at.size
    found = np.full(n, "N")
    if n == 0:
        return found
    dominant = beats.group == 0
    plain = dominant[:-1] & dominant[1:]  # intervals that no ectopic beat has shortened or lengthened
    usual = usual_rr_s(np.where(plain, rr_s, median(rr_s[plain])) if plain.any() else rr_s)
    early = np.zeros(n, bool)
    early[1:] = (rr_s < EARLY * usual) | _early_of_steady(rr_s, usual, plain)
    found[~dominant] = np.where(early[~dominant], "S", "O")
    found[_broad(beats, dominant, early)] = "V"
    for number in np.flatnonzero(dominant & early).tolist():
        late_after = number + 1 < n and rr_s[number] > usual[number] * LATE
        # a ventricular beat between two sinus beats leaves the sinus rhythm as it was: the second of them is not early
        squeezed = found[number - 1] == "V"
        if late_after and not squeezed:
            found[number] = "S"
    return found


def _early_of_steady(rr_s: Floats, usual: Floats, plain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n_beats - 1,) intervals outside the scatter of a steady rhythm, with a pause behind them."""
    if not plain.any():
        return np.zeros(rr_s.size, bool)
    apart = rr_s / usual
    scatter = 1.4826 * float(median(np.abs(apart[plain] - 1)))
    followed = np.append(apart[1:] >= PAUSE_AFTER, False)
    return np.asarray((apart < 1 - max(EARLY_STEADY, STEADY_SCATTERS * scatter)) & followed & plain, bool)


def _broad(beats: Beats, dominant: NDArray[np.bool_], early: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(n_beats,) ventricular by shape: unlike the usual beat and broader; one group has one answer."""
    if dominant.all() or not dominant.any():
        return np.zeros(beats.at.size, bool)
    width, size = float(median(beats.width_s[dominant])), float(median(beats.size[dominant]))
    broader = beats.width_s > width + BROADER_S
    large = (beats.width_s > width) & (beats.size > LARGER * size)
    ventricular = (broader & (beats.width_s > BROAD_S)) | (large & (beats.width_s > BROAD_S))
    ventricular |= broader & early & (beats.width_s > BROAD_IF_EARLY_S)
    for group in set(beats.group[~dominant].tolist()):
        members = beats.group == group
        if members.sum() > 1:
            ventricular[members] = ventricular[members].mean() >= 0.5
    return np.asarray(ventricular & ~dominant, bool)


def runs(found: NDArray[np.str_], kind: str) -> list[tuple[int, int]]:
    """(first beat, one past the last) of each unbroken run of a kind."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], found == kind, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
