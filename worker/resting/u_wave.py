"""Is there a U wave, where does it begin, culminate and end, and how high is it in each lead?

U is a low wave behind T, highest in V2 and V3 and hardly seen above 95/min (AHA/ACCF/HRS 2009 part IV, section U wave,
doi:10.1016/j.jacc.2008.12.014). It stands mostly beyond the median beat, so it is looked for in the mean of the usual
beats up to the next P. It is only taken for one where neither noise nor a beginning P would look like it: it has a
summit of its own that rises and falls by 25 µV and by the noise fourfold, in two leads or more at the same time. Its
limits are the feet of the steepest tangents (Lepeschkin and Surawicz 1952,
doi:10.1161/01.CIR.6.3.378), the median of the leads that show it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from worker.resting.leading import Rhythm
from worker.resting.reading import Reading
from worker.resting.slow_waves import LEAST_RR_S
from worker.signal.filters import Floats
from worker.signal.order import median

LEAST_UV: Final = 25.0
"""A quarter of a small square more than what IEC 60601-2-25 counts as a wave at all."""
NOISE_TIMES: Final = 4.0
LEAST_LEADS: Final = 2
CHEST: Final = ("V2", "V3", "V4", "V5")
LOOKED: Final = ("II", *CHEST)
"""Where U shows, if anywhere: two of these must have it, one of the chest; others may have it, too."""
TOGETHER_S: Final = 0.03
T_TAIL_S: Final = 0.02
"""T may end so much before its limit in a single lead."""
SUMMIT_S: Final = (0.04, 0.24)
"""From the end of T to the summit of U; U begins 0 to 0.05 s behind T and lasts 0.15 to 0.2 s."""
FALLS_SHARE: Final = 0.5
"""Of its rise: what only bends is the end of T or the beginning of P."""
RHYTHMS: Final = ("sinus", "atrial", "junctional")


@dataclass(frozen=True, slots=True)
class UWave:
    """Samples of the median beat, which may lie beyond its end, and µV over the PR level in the leads that show it."""

    on: int
    peak: int
    off: int
    uv: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Bump:
    on: float
    peak: int
    off: float
    uv: float
    sign: int


def u_wave(reading: Reading, rhythm: Rhythm) -> UWave | None:
    """The U wave of the usual beats; None where there is none, or none that could be told from T and P."""
    limits, hz = reading.limits, reading.traces.hz
    if rhythm.name not in RHYTHMS or rhythm.av_block or limits is None or limits.t_off is None:
        return None
    if not reading.rr_s.size or float(median(reading.rr_s)) < LEAST_RR_S or reading.median is None:
        return None
    long = reading.long_beats
    if long is None:
        return None
    together = _together(_bumps(reading, long, LOOKED), hz)
    if len(together) < LEAST_LEADS or not any(lead in CHEST for lead in together):
        return None
    together = _together(together | _bumps(reading, long, set(reading.waves).difference(LOOKED)), hz)
    on, peak, off = (
        round(float(np.median([getattr(bump, name) for bump in together.values()]))) + limits.qrs_on
        for name in ("on", "peak", "off")
    )
    return UWave(on, peak, off, {lead: bump.uv for lead, bump in together.items()})


def _bumps(reading: Reading, long: Floats, leads: Iterable[str]) -> dict[str, _Bump]:
    limits, usual, rows = reading.limits, reading.median, reading.traces.leads
    if limits is None or limits.t_off is None or usual is None:
        return {}
    t_off, found = limits.t_off - limits.qrs_on, {}
    for lead in leads:
        if lead in reading.waves:
            row = rows.index(lead)
            least_uv = NOISE_TIMES * float(usual.noise_uv[row])
            if bump := bump_behind(long[row], t_off, reading.traces.hz, least_uv):
                found[lead] = bump
    return found


def _together(found: dict[str, _Bump], hz: float) -> dict[str, _Bump]:
    """The most leads whose summits stand at the same time."""
    best: dict[str, _Bump] = {}
    for one in found.values():
        near = {lead: bump for lead, bump in found.items() if abs(bump.peak - one.peak) <= TOGETHER_S * hz}
        best = near if len(near) > len(best) else best
    return best


def bump_behind(beat: Floats, t_off: int, hz: float, least_uv: float = 0.0) -> _Bump | None:
    """The wave of either sign behind the end of T in one lead; ``beat`` is smooth and ends before the next P.

    >>> ms = np.arange(0, 700, 2)
    >>> t, u = (size * np.exp(-0.5 * ((ms - at) / sd) ** 2) for size, at, sd in ((400, 300, 40), (80, 480, 32)))
    >>> bump = bump_behind(t + u, 195, 500.0)
    >>> bump.peak * 2, round(bump.on * 2), round(bump.off * 2), bump_behind(t, 195, 500.0)
    (480, 426, 544, None)
    """
    begin, start = max(0, t_off - round(T_TAIL_S * hz)), t_off + round(SUMMIT_S[0] * hz)
    stop = min(beat.size - 1, t_off + round(SUMMIT_S[1] * hz))
    if stop - start < 2:
        return None
    for sign in (1, -1):
        own = sign * beat
        peak = start + int(np.argmax(own[start : stop + 1]))
        left, right = begin + int(np.argmin(own[begin:peak])), peak + int(np.argmin(own[peak:]))
        if left == begin:  # no valley between T and the summit: a bend of T, or a U of the other sign that ends it
            if own[begin] > 0:
                continue
            left = peak - int(np.argmax(own[peak:begin:-1] <= 0))
        rise, fall = float(own[peak] - own[left]), float(own[peak] - own[right])
        if peak in (start, stop) or min(rise, fall) < max(LEAST_UV, least_uv) or fall < FALLS_SHARE * rise:
            continue
        return _Bump(_foot(own, peak, left), peak, _foot(own, peak, right), float(beat[peak]), sign)
    return None


def _foot(own: Floats, peak: int, rest: int) -> float:
    """Where the steepest tangent between the summit and the place of rest meets the level of rest."""
    step = 1 if rest > peak else -1
    path = own[peak : rest + step : step] if rest + step >= 0 else own[peak::-1]
    falls = path[:-1] - path[1:]
    steepest = int(np.argmax(falls))
    if falls[steepest] <= 0:
        return float(rest)
    length = steepest + 0.5 + (0.5 * (path[steepest] + path[steepest + 1]) - path[-1]) / float(falls[steepest])
    return peak + step * min(float(length), len(path) - 1.0)
