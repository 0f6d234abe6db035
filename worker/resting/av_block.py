"""Does a P wave come on time and no QRS after it?

Second-degree AV block is read from the P waves that march through: the P after a pause gives the form, the next such P
and the number of beats between them give the atrial period, and a P of that form must stand at each place of it, the
blocked one's too. What PR does before the gap names the type: it grows (Wenckebach), it stays (Mobitz II), or there is
no second beat to tell by (2:1; with more P for each QRS, high-grade). 2018 ACC/AHA/HRS bradycardia guideline,
doi:10.1016/j.jacc.2018.10.044. A blocked premature P is early and does not stand at its place; in SA block none does.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from ecg_center.contract.findings import Statement
from worker.resting.reading import Reading
from worker.resting.say import ACC_2018_BRADYCARDIA, evidence, say
from worker.signal.atrial import ventricles
from worker.signal.beats import MedianBeat, median_beat
from worker.signal.delineate import Limits, delineate
from worker.signal.filters import Floats, good_length, moving_mean, ramp, sums_of
from worker.signal.order import median

PAUSE_TIMES: Final = 1.25
"""A pause is longer than this times the shorter intervals."""
ATRIAL_BPM: Final = (45.0, 140.0)
MAX_BPM: Final = 100.0
EVEN: Final = 0.08
"""Spread of RR over its mean below which beats without pauses may be every second or third P's."""
OFF_PLACE: Final = 0.09
"""Of the atrial period: how far a P may stand from its place (ventriculophasic arrhythmia included)."""
LIKENESS: Final = 0.80
SIZE: Final = (0.5, 2.0)
SEEN_SHARE: Final = 0.8
GROWS_MS: Final = 30.0
"""PR before the gap less the first after it: above this it has grown, which is more than PR wavers at rest."""
STAYS_MS: Final = 20.0
PR_OF_PERIOD: Final = (0.08, 0.85)
"""Of the atrial period: a P farther from its QRS than the upper one would meet the next."""
PERIOD_EVEN: Final = 0.05
"""Spread of the atrial period between the gaps over its mean: the atria march, which they do not in fibrillation."""
MARGIN_S: Final = 0.02
RATIOS: Final = (4, 3, 2)

Type = Literal["wenckebach", "mobitz_2", "two_to_one", "high_grade", "second_degree"]


CODES: Final[dict[Type, str]] = {
    "wenckebach": "83", "mobitz_2": "84", "two_to_one": "85", "high_grade": "87", "second_degree": "83a",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Block:
    """What was seen.

    Attributes:
        blocked_s: where the P waves without QRS stand, seconds.
        pr_first_ms, pr_last_ms: PR after and before the gaps, mean.
        likeness: of even beats, how like the P waves before the QRS those without QRS are, median; else 1.
    """

    type: Type
    atrial_bpm: float
    blocked_s: list[float]
    pr_first_ms: float
    pr_last_ms: float
    likeness: float = 1.0


def words_of(block: Block) -> Statement:
    """The statement, with the place of each blocked P."""
    places = [
        evidence("blocked_p", len(block.blocked_s), 1, "", start_s=at, end_s=at + 0.15, source=ACC_2018_BRADYCARDIA)
        for at in block.blocked_s[:8]
    ]
    growth = evidence("pr_growth_ms", block.pr_last_ms - block.pr_first_ms, GROWS_MS, "ms")
    return say(CODES[block.type], *places, growth, certainty="probable" if len(block.blocked_s) > 1 else "possible")


@dataclass(frozen=True, slots=True)
class _Group:
    """From a P after a gap to the next such P: places of the P between, and the beats that they should conduct to."""

    period_s: float
    pr_s: list[float]
    blocked_s: list[float]
    expected: int
    seen: int


def second_degree(reading: Reading) -> Block | None:
    """The block; None where not every gap has its P."""
    rr = reading.rr_s
    if rr.size < 3 or not reading.rows or 60 / float(rr.mean()) > MAX_BPM:
        return None
    short = float(median(rr[rr <= median(rr)]))
    pause = rr > PAUSE_TIMES * short
    if pause.any():
        first = 1 + np.flatnonzero(pause)
    elif float(rr.std() / rr.mean()) < EVEN and RATIOS[-1] * 60 / float(rr.mean()) <= ATRIAL_BPM[1]:
        first = np.arange(reading.at_s.size)  # every second P's or more, if the atria were not too fast for it
    else:
        return None
    found = _template(reading, first)
    if found is None:
        return None
    rest, p, to_r = found
    if not pause.any():
        return _even_block(reading, rest, p, to_r)
    like = _likeness(rest, p)
    beats = first.tolist()
    groups = [_group(reading, like, to_r, begin, end) for begin, end in pairwise(beats)]
    before = _group_before(reading, like, to_r, beats[0]) if beats[0] > 1 else None
    return _named([group for group in [before, *groups] if group is not None])


def _template(reading: Reading, first: np.ndarray) -> tuple[Floats, Floats, float] | None:
    """(the leads without QRS and T, the P of these beats in them, seconds from its first sample to R)."""
    hz, beats = reading.traces.hz, reading.beats
    clean = reading.traces.clean[reading.rows]
    chosen = np.zeros(beats.at.size, bool)
    chosen[first] = True
    chosen &= beats.group == 0
    if not chosen.any() or reading.limits is None or reading.median is None:
        return None
    if np.array_equal(chosen, beats.group == 0):
        usual: MedianBeat | None = replace(reading.median, signal=reading.median.signal[reading.rows])
        limits: Limits | None = reading.limits
    else:
        only = replace(
            beats, at=beats.at[chosen], group=beats.group[chosen], width_s=beats.width_s[chosen],
            size=beats.size[chosen],
        )  # fmt: skip
        usual = median_beat(clean, reading.traces.shape[reading.rows], only, hz)
        rr_s = float(median(reading.rr_s))
        limits = delineate(usual, list(range(len(clean))), hz, rr_s) if usual is not None else None
    if usual is None or limits is None or limits.p_on is None or limits.p_off is None:
        return None
    margin = round(MARGIN_S * hz)
    begin, end = max(0, limits.p_on - margin), min(limits.p_off + margin, limits.qrs_on)
    rest = moving_mean(clean - ventricles(clean, beats, reading.limits, hz), 3)
    return rest, moving_mean(usual.signal[:, begin:end], 3), (limits.r - begin) / hz


def _likeness(rest: Floats, p: Floats) -> Floats:
    """(n,) correlation of every window of (n_leads, n_samples) with the P, both without the line through their ends.

    The line is linear in the window, so that sums and products of the windows are enough: none is ever made.
    """
    width = p.shape[1]
    edge, along = max(1, width // 8), ramp(width)
    usual = p - _line(p[:, :edge].mean(axis=1), p[:, -edge:].mean(axis=1), along)
    last, power = rest.shape[1] - width + 1, sums_of((rest**2).sum(axis=0), width)
    ends = sums_of(rest, edge) / edge
    left = ends[:, :last]
    rise, sums = ends[:, width - edge :] - left, sums_of(rest, width)
    length = good_length(rest.shape[1])
    values = np.fft.rfft(rest, length, axis=1)
    rising = np.fft.irfft(values * np.fft.rfft(along, length).conj(), length, axis=1)[:, :last]
    product = np.fft.irfft((values * np.fft.rfft(usual, length, axis=1).conj()).sum(axis=0), length)[:last]
    product = product - usual.sum(axis=1) @ left - (usual @ along) @ rise
    lines = left * (width * left + 2 * along.sum() * rise - 2 * sums) + rise * (along @ along * rise - 2 * rising)
    own = np.sqrt(np.maximum(power + lines.sum(axis=0), 0.0))
    size = float(np.linalg.norm(usual))
    like: Floats = product / (own * size + 1e-9)
    like[(own < SIZE[0] * size) | (own > SIZE[1] * size)] = 0.0
    return like


def _line(left: Floats, right: Floats, along: Floats) -> Floats:
    """(n_leads, n) straight from left to right."""
    line: Floats = left[:, None] + (right - left)[:, None] * along
    return line


def _at(reading: Reading, like: Floats, place_s: float, within_s: float) -> float | None:
    """Where the best P near this place begins; None where none is there."""
    hz = reading.traces.hz
    first, last = round((place_s - within_s) * hz), round((place_s + within_s) * hz) + 1
    if first < 0 or last > like.size:
        return None
    best = first + int(np.argmax(like[first:last]))
    return best / hz if like[best] >= LIKENESS else None


def _group(reading: Reading, like: Floats, to_r: float, begin: int, end: int) -> _Group:
    """From the beat after a gap to the next beat after one."""
    at = reading.at_s
    start, stop, n = at[begin] - to_r, at[end] - to_r, end - begin
    return _march(reading, like, start, (stop - start) / (n + 1), at[begin:end].tolist(), to_r)


def _group_before(reading: Reading, like: Floats, to_r: float, end: int) -> _Group | None:
    """The beats before the first gap, whose own beginning was not recorded; only where it is the only gap's."""
    at = reading.at_s
    if 1 + int(np.sum(reading.rr_s > PAUSE_TIMES * np.median(reading.rr_s))) > 2:
        return None
    last = at[end - 1] - to_r
    period = (at[end] - to_r - last) / 2
    usual = float(np.median(reading.rr_s[: end - 1]))
    return _march(reading, like, last, period, [float(at[end - 1])], to_r) if abs(period / usual - 1) < 0.1 else None


def _march(reading: Reading, like: Floats, start: float, period: float, r_s: list[float], to_r: float) -> _Group:
    pr, blocked, seen = [to_r], [], 0
    for step in range(1, len(r_s) + 1):
        found = _at(reading, like, start + step * period, OFF_PLACE * period)
        seen += found is not None
        if found is None:
            continue
        if step == len(r_s):
            blocked.append(found)
        else:
            pr.append(r_s[step] - found)
    return _Group(period, pr, blocked, len(r_s), seen)


def _named(groups: list[_Group]) -> Block | None:
    """The block that the groups tell of together."""
    with_gap = [group for group in groups if group.blocked_s]
    if not with_gap or len(with_gap) < SEEN_SHARE * len(groups):
        return None
    expected, seen = sum(group.expected for group in groups), sum(group.seen for group in groups)
    periods = np.array([group.period_s for group in with_gap])
    period = float(np.median(periods))
    if float(periods.std()) > PERIOD_EVEN * period:
        return None
    if seen < SEEN_SHARE * expected or not ATRIAL_BPM[0] <= 60 / period <= ATRIAL_BPM[1]:
        return None
    told = [group for group in with_gap if len(group.pr_s) > 1]
    low, high = (share * period for share in PR_OF_PERIOD)
    if any(not low <= pr <= high for group in with_gap for pr in group.pr_s):
        return None
    first = 1000 * float(np.mean([group.pr_s[0] for group in told or with_gap]))
    last = 1000 * float(np.mean([group.pr_s[-1] for group in told or with_gap]))
    name: Type = "second_degree"
    if told and last - first >= GROWS_MS:
        name = "wenckebach"
    elif told and abs(last - first) <= STAYS_MS:
        name = "mobitz_2"
    return Block(name, 60 / period, [at for group in with_gap for at in group.blocked_s], first, last)


def _even_block(reading: Reading, rest: Floats, p: Floats, to_r: float) -> Block | None:
    """Even beats of which each has the same number of P waves before the next."""
    cycles, cycle_s = reading.at_s.size - 1, float(np.mean(np.diff(reading.at_s)))
    bpm = {ratio: 60 * ratio / cycle_s for ratio in RATIOS if ATRIAL_BPM[0] <= 60 * ratio / cycle_s <= ATRIAL_BPM[1]}
    # where the first cycles have none, the others cannot make up for it: most hearts are told from a block by these
    enough = int((1 - SEEN_SHARE) * cycles) + 1
    early = _likeness(rest[:, : int(reading.beats.at[enough]) + p.shape[1]], p)
    if not any(_in_place(reading, early, to_r, ratio, enough) for ratio in bpm):
        return None
    like = _likeness(rest, p)
    for ratio, atrial_bpm in bpm.items():
        blocked = _in_place(reading, like, to_r, ratio, cycles)
        if len(blocked) >= SEEN_SHARE * cycles * (ratio - 1):
            likeness = float(np.median([like[round(place * reading.traces.hz)] for place in blocked]))
            name: Type = "two_to_one" if ratio == 2 else "high_grade"
            return Block(name, atrial_bpm, blocked, 1000 * to_r, 1000 * to_r, likeness)
    return None


def _in_place(reading: Reading, like: Floats, to_r: float, ratio: int, cycles: int) -> list[float]:
    """Where the P waves stand of those of the first cycles that have ``ratio`` of them at even distances."""
    at = reading.at_s[: cycles + 1].tolist()
    blocked: list[float] = []
    for begin, end in pairwise(at):
        period = (end - begin) / ratio
        places = [_at(reading, like, begin - to_r + k * period, OFF_PLACE * period) for k in range(1, ratio)]
        found = [place for place in places if place is not None]
        if len(found) == len(places):
            blocked += found
    return blocked
