"""Which beats look alike, and what does the usual one look like without its noise?

Beats are grouped by the correlation of their QRS over all leads; the largest group is the dominant one. Its members are
aligned on each other and the median of each sample is the median beat (IEC 60601-2-25: the representative beat):
noise falls with the root of the number of beats, a single premature beat leaves no mark.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.filters import Floats, slope
from worker.signal.order import median, quantile

NDArrayInt = NDArray[np.int_]

BEFORE_S: Final = 0.10
AFTER_S: Final = 0.12
"""The part of a beat that is compared: the QRS with its surroundings, not the T wave, which follows the rate."""
PEAK_REACH_S: Final = 0.06
SHIFT_S: Final = 0.024
ALIKE: Final = 0.88
SIZE_RATIO: Final = 1.7
RIVAL: Final = 0.6
RIVAL_NARROWER_S: Final = 0.02
MEDIAN_BEFORE_S: Final = 0.50
MEDIAN_AFTER_S: Final = 0.70
NEXT_BEAT_S: Final = 0.08
QT_SHARE: Final = 0.44
"""A beat's own part after R is QT_SHARE × √RR seconds, the slowest QT that is not yet prolonged (Bazett)."""
MAX_MEDIAN_BEATS: Final = 60


@dataclass(frozen=True, eq=False)
class Beats:
    """The beats of a recording, in order.

    Attributes:
        at: (n_beats,) sample of the R peak (greatest spatial magnitude).
        group: (n_beats,) group by likeness; 0 is the dominant one.
        width_s: (n_beats,) rough QRS duration, for telling wide from narrow.
        size: (n_beats,) spatial magnitude at the peak, µV.
    """

    at: NDArrayInt
    group: NDArrayInt
    width_s: Floats
    size: Floats


@dataclass(frozen=True, eq=False)
class MedianBeat:
    """(n_leads, n) µV around R.

    Attributes:
        r: the sample of R in ``signal``.
        members: how many beats it is the median of.
        noise_uv: (n_leads,) standard error of a sample, from the scatter between beats.
    """

    signal: Floats
    r: int
    members: int
    noise_uv: Floats


def describe(shape: Floats, detected: list[int], hz: float) -> Beats:
    """Group the detected beats. ``shape`` is (n_usable_leads, n_samples) of band 1 to 40 Hz."""
    magnitude = np.sqrt((shape**2).sum(axis=0))
    at = _peaks_near(magnitude, detected, round(PEAK_REACH_S * hz))
    at = [beat for number, beat in enumerate(at) if number == 0 or beat > at[number - 1]]
    velocity = np.sqrt((slope(shape) ** 2).sum(axis=0))
    widths = _widths(velocity, np.array(at, int), hz)
    group = _narrow_first(_groups(shape, at, hz), widths)
    return Beats(np.array(at, int), group, widths, magnitude[at] if at else np.zeros(0))


def _peaks_near(magnitude: Floats, detected: list[int], reach: int) -> list[int]:
    near = np.array(detected, int)[:, None] + np.arange(-reach, reach + 1)
    places = np.clip(near, 0, magnitude.size - 1)
    found: list[int] = places[np.arange(len(places)), magnitude[places].argmax(axis=1)].tolist()
    return found


class _Windows:
    """Every stretch of a beat's length in the signal, and what of it is needed again and again."""

    def __init__(self, shape: Floats, hz: float) -> None:
        self.shape = shape
        self.before, self.width = round(BEFORE_S * hz), round(BEFORE_S * hz) + round(AFTER_S * hz)
        reach = round(SHIFT_S * hz)
        self.shifts = np.arange(-reach, reach + 1, 2)
        self.count = max(0, shape.shape[1] - self.width + 1)
        if self.count:
            self.every = np.lib.stride_tricks.sliding_window_view(shape, self.width, axis=1)
            power = np.cumsum(np.concatenate([[0.0], (shape**2).sum(axis=0)]))
            self.size = np.sqrt(np.maximum(power[self.width :] - power[: -self.width], 0.0))

    def at(self, beat: int) -> Floats | None:
        """(n_leads, width) around a beat; None where the recording's edge cuts it."""
        start = beat - self.before
        return np.asarray(self.every[:, start]) if 0 <= start < self.count else None

    def likeness(self, beat: int, templates: Floats, norms: Floats) -> Floats:
        """(n,) largest correlation, a little earlier or later, with each of (n, n_leads · width) templates."""
        starts = beat - self.before + self.shifts
        if starts[0] < 0 or starts[-1] >= self.count:
            starts = starts[(starts >= 0) & (starts < self.count)]
        size = self.size[starts]
        alike = (norms[:, None] / SIZE_RATIO < size) & (size < SIZE_RATIO * norms[:, None])
        if not alike.any():
            return np.full(len(norms), -1.0)
        around = self.every[:, starts[0] : starts[-1] + 1 : 2].transpose(1, 0, 2).reshape(starts.size, -1)
        product = templates @ around.T
        found: Floats = np.where(alike, product / (norms[:, None] * np.maximum(size, 1e-9)), -1.0).max(axis=1)
        return found

    def moves(self, beats: list[int], template: Floats) -> list[int]:
        """The shift of each beat that gives the largest correlation with the template, 0 where none is of its size."""
        starts = np.array(beats)[:, None] - self.before + self.shifts
        inside = (starts >= 0) & (starts < self.count)
        starts = np.clip(starts, 0, self.count - 1)
        norm, size = float(np.sqrt(np.vdot(template, template))), self.size[starts]
        alike = inside & (norm / SIZE_RATIO < size) & (size < SIZE_RATIO * norm)
        reach = int(self.shifts[-1])
        sliding = np.zeros((len(template), self.width + 2 * reach, self.shifts.size))
        for number, shift in enumerate(self.shifts.tolist()):
            sliding[:, reach + shift : reach + shift + self.width, number] = template
        near = np.array(beats)[:, None] - self.before + np.arange(-reach, self.width + reach)
        around = self.shape[:, np.clip(near, 0, self.shape.shape[1] - 1)]
        product = (around @ sliding).sum(axis=0)
        likeness = np.where(alike, product / (norm * np.maximum(size, 1e-9)), -1.0)
        moved = self.shifts[likeness.argmax(axis=1)]
        found: list[int] = np.where(alike.any(axis=1), moved, 0).tolist()
        return found


def _groups(shape: Floats, at: list[int], hz: float) -> NDArrayInt:
    """(n_beats,) group numbers, the largest group being 0; beats at the edge join the group of their neighbours."""
    windows = _Windows(shape, hz)
    leaders, norms = np.empty((len(at), len(shape) * windows.width)), np.empty(len(at))
    members: list[list[int]] = []
    for number, beat in enumerate(at):
        window = windows.at(beat)
        if window is None:
            continue
        known = len(members)
        scores = windows.likeness(beat, leaders[:known], norms[:known])
        chosen = int(np.argmax(scores)) if known else 0
        if known and scores[chosen] >= ALIKE:
            members[chosen].append(number)
            weight = 1 / len(members[chosen])
            leaders[chosen] = leaders[chosen] * (1 - weight) + window.ravel() * weight
        else:
            chosen = known
            leaders[chosen] = window.ravel()
            members.append([number])
        norms[chosen] = np.sqrt(np.vdot(leaders[chosen], leaders[chosen]))
    order = sorted(range(len(members)), key=lambda group: -len(members[group]))
    groups = np.full(len(at), -1, int)
    for rank, group in enumerate(order):
        groups[members[group]] = rank
    for number in np.flatnonzero(groups < 0).tolist():
        groups[number] = _group_at_edge(
            shape, at[number], [leaders[group].reshape(len(shape), -1) for group in order], hz
        )
    return groups


def _narrow_first(group: NDArrayInt, widths: Floats) -> NDArrayInt:
    """Group 0 is the dominant one; in bigeminy, where two are of one size, the narrower of them."""
    counts = np.bincount(group) if group.size else np.zeros(0, int)
    rivals = [number for number in range(len(counts)) if counts[number] >= max(2, RIVAL * counts.max())]
    if len(rivals) < 2:
        return group
    width = {number: float(median(widths[group == number])) for number in rivals}
    first = min(rivals, key=lambda number: width[number])
    if first == 0 or width[first] > width[0] - RIVAL_NARROWER_S:
        return group
    swapped = group.copy()
    swapped[group == 0], swapped[group == first] = first, 0
    return swapped


def _group_at_edge(shape: Floats, at: int, leaders: list[Floats], hz: float) -> int:
    """The group of a beat that the recording's edge cuts, by the part that is there; a new one where none is alike."""
    before, n = round(BEFORE_S * hz), shape.shape[1]
    for group, leader in enumerate(leaders):
        for shift in range(-round(SHIFT_S * hz), round(SHIFT_S * hz) + 1, 2):
            start = at + shift - before
            first, last = max(0, -start), min(leader.shape[1], n - start)
            part, known = shape[:, start + first : start + last], leader[:, first:last]
            norm = float(np.linalg.norm(part) * np.linalg.norm(known))
            if norm and float((part * known).sum()) / norm >= ALIKE:
                return group
    return len(leaders)


def _widths(velocity: Floats, at: NDArrayInt, hz: float) -> Floats:
    """(n_beats,) seconds for which the spatial velocity stays above a share of its maximum around each beat."""
    reach, gap = round(0.12 * hz), round(0.016 * hz)
    beyond = np.zeros(reach)
    around = np.concatenate([beyond, velocity, beyond])[at[:, None] + np.arange(2 * reach)]
    high = around > 0.12 * np.maximum(around.max(axis=1, initial=1e-9), 1e-9)[:, None]
    return np.asarray((_end_of_activity(high[:, reach::-1], gap) + _end_of_activity(high[:, reach:], gap)) / hz)


def _end_of_activity(high: NDArray[np.bool_], gap: int) -> NDArrayInt:
    """(n,) index of the last active sample of each row before the first ``gap`` quiet ones; 0 where none is active."""
    n = high.shape[1]
    so_far = np.cumsum(high, axis=1)
    ahead: NDArrayInt = so_far[:, np.minimum(np.arange(n) + gap, n - 1)] - so_far
    return np.asarray(np.argmax(high & (ahead == 0), axis=1))


def median_beat(signal: Floats, shape: Floats, beats: Beats, hz: float, *, longer_s: float = 0.0) -> MedianBeat | None:
    """The median of the dominant group's beats in ``signal`` (all leads), aligned by ``shape``; None without beats.

    The first and last beat enter only where they lie whole in the recording. ``longer_s``: seconds more behind R than
    is usual at this rate, for a T that ends late.
    """
    if beats.at.size == 0:
        return None
    rr = float(median(np.diff(beats.at))) / hz if beats.at.size > 1 else 1.0
    after_s = min(MEDIAN_AFTER_S, max(0.25, QT_SHARE * np.sqrt(rr) * 1.15, rr - 0.35) + longer_s)
    before_s = min(MEDIAN_BEFORE_S, max(0.2, rr - 0.8 * QT_SHARE * np.sqrt(rr)))
    following = np.diff(beats.at)[beats.group[:-1] == 0] / hz
    if following.size > 1:  # in bigeminy the next beat is nearer than the rate says, and would be taken for T
        after_s = max(0.25, min(after_s, float(quantile(following, 0.25)) - NEXT_BEAT_S))
    before, after = round(before_s * hz), round(after_s * hz)
    chosen = [int(at) for at, group in zip(beats.at, beats.group, strict=True) if group == 0]
    whole = [at for at in chosen if at >= before and at + after <= signal.shape[1]]
    if not whole:
        return None
    whole = whole[:MAX_MEDIAN_BEATS]
    windows = _Windows(shape, hz)
    known = [window for at in whole if (window := windows.at(at)) is not None]
    if known:
        template = median(np.array(known), axis=0)
        whole = [at + move for at, move in zip(whole, windows.moves(whole, template), strict=True)]
        whole = [at for at in whole if at >= before and at + after <= signal.shape[1]]
    stack = np.stack([signal[:, at - before : at + after] for at in whole])
    stack = stack - median(stack, axis=2)[:, :, None]
    usual = median(stack, axis=0)
    apart = np.abs(stack - usual).transpose(1, 0, 2).reshape(len(signal), -1)
    scatter = median(apart, axis=1) * 1.4826 / np.sqrt(len(whole))
    return MedianBeat(usual, before, len(whole), scatter)
