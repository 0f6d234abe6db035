"""How likely is each candidate a beat, by its looks?

A logistic regression over a dozen measures of size, likeness and surroundings, on de Chazal's DS1 half of MIT-BIH (22
records, each weighing the same). The coefficients are the mean of two fits: a first one to the clean first lead, made
with a prototype of these measures, and one by ``python -m bench.accuracy.fit_qrs``, which sees NSTDB's noise and the
second lead as well. The mean was chosen among seven by its figures on DS1 itself, so only other records, as DS2, tell.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.signal.filters import Floats
from worker.signal.order import median

LOOKS_HZ: Final = 125.0
"""Likeness is compared at about this rate: the bands end at 30 Hz."""
SLOPE_HALF_S: Final = 0.08
SLOPE_SHIFT_S: Final = 0.04
BROAD_S: Final = (0.12, 0.30)
BROAD_SHIFT_S: Final = 0.05
SIZE_REACH_S: Final = 0.06
NEIGHBOURS_S: Final = ((0.0, 0.27), (0.27, 0.45))
NEIGHBOURS: Final = 9
FLOOR_COLUMN: Final = 8
FLOOR: Final = 0.004
FLOOR_AROUND_S: Final = 1.0

COEFFICIENTS: Final = np.array([
    0.199, 0.288, 0.326, 0.664, -0.597, 0.438, -0.241, -0.449, -0.152, -0.137, -0.451, -0.123, -0.202, -0.588,
    -0.802, -0.467, -0.35, 0.211, 0.442, 0.919, 0.468, 0.287, -0.93,
])  # fmt: skip


@dataclass(frozen=True, eq=False)
class Candidates:
    """What may be beats.

    Attributes:
        at: (n,) samples, increasing.
        energy: (n_samples,) slope energy in units of the usual QRS.
        units: (n_leads, n_samples) slope in the QRS band, each lead in units of its usual peak.
        broad: (n_leads, n_samples) the wider band, likewise.
        weights: (n_leads, n_samples) how much each lead counts, by its calm.
        hz: the sampling rate.
    """

    at: NDArray[np.int_]
    energy: Floats
    units: Floats
    broad: Floats
    weights: Floats
    hz: float

    @cached_property
    def size(self) -> Floats:
        """(n,) the largest magnitude close to each candidate."""
        return _largest_near(self, self.at)

    @cached_property
    def share(self) -> Floats:
        """(n_leads, n) how much each lead counts at each candidate."""
        return np.asarray(self.weights[:, self.at] ** 2)

    @cached_property
    def around(self) -> Floats:
        """(n, 5): the measures that no beat changes, log energies of the neighbours beside one's own, and the floor."""
        own = self.energy[self.at]
        neighbours = [_log(value / own) for value in _neighbours(self.at / self.hz, own)]
        return np.stack([*neighbours, _floor(self.energy, self.at, self.hz)], axis=1)

    @cached_property
    def seen(self) -> tuple["_Seen", "_Seen"]:
        """What is compared with the usual beat: of the slope, and of the broad band."""
        step = max(1, int(self.hz // LOOKS_HZ))
        low_hz, places = self.hz / step, self.at // step
        half = round(SLOPE_HALF_S * low_hz)
        before, after = (round(seconds * low_hz) for seconds in BROAD_S)
        return (
            _Seen.of(self.units[:, ::step], places, (half, half + 1), SLOPE_SHIFT_S * low_hz, self.share),
            _Seen.of(self.broad[:, ::step], places, (before, after), BROAD_SHIFT_S * low_hz, self.share),
        )


@dataclass(frozen=True, eq=False)
class _Seen:
    """The signal about each candidate, whatever it is compared with.

    Attributes:
        signal: (n_leads, n_samples).
        around: samples before and after a beat that are compared.
        windows: (n_leads, n, width + shifts − 1) of the signal.
        power: (n_leads, n, shifts) of what is compared, without its mean.
        share: (n_leads, n).
    """

    signal: Floats
    around: tuple[int, int]
    windows: Floats
    power: Floats
    share: Floats

    @classmethod
    def of(cls, signal: Floats, at: NDArray[np.int_], around: tuple[int, int], shift: float, share: Floats) -> "_Seen":
        reach = round(shift)
        width = around[0] + around[1]
        # beyond its ends the signal goes on as it ended
        near = np.arange(-around[0] - reach, around[1] + reach)
        windows = signal[:, np.clip(at[:, None] + near, 0, signal.shape[1] - 1)]
        every = np.zeros((near.size, 2 * reach + 1))
        for first in range(2 * reach + 1):
            every[first : first + width, first] = 1.0
        sums = windows @ every
        return cls(signal, around, windows, (windows**2) @ every - sums**2 / width, share)

    def likeness(self, beats: NDArray[np.int_]) -> Floats:
        """(n,) largest correlation with the median of the beats over small shifts; leads by their share."""
        width, shifts = sum(self.around), self.power.shape[2]
        own = np.arange(-self.around[0], self.around[1])
        template = median(self.signal.T[np.clip(beats[:, None] + own, 0, self.signal.shape[1] - 1)], axis=0)
        template = (template - template.mean(axis=0)).T
        sliding = np.zeros((len(self.signal), self.windows.shape[2], shifts))
        for first in range(shifts):
            sliding[:, first : first + width, first] = template
        above = np.einsum("lns,ln->ns", self.windows @ sliding, self.share)
        below = np.einsum("lns,ln->ns", self.power, self.share) * ((template**2).sum(axis=1) @ self.share)[:, None]
        return np.asarray((above / np.sqrt(np.maximum(below, 1e-12))).max(axis=1))


def weigh(found: Floats) -> Floats:
    """(n,) log odds of each candidate being a beat, of its :func:`measures`."""
    worth: Floats = design(found) @ COEFFICIENTS
    return worth


def measures(candidates: Candidates, beats: NDArray[np.int_]) -> Floats:
    """(n, 9): log energy, log size (both relative to the beats around), likeness of slope and of shape, the log energy
    of the largest neighbour before and after, close and a little farther, relative to one's own, and the log floor."""
    at, energy = candidates.at, candidates.energy
    near = nearest(at, beats)
    own = energy[at]
    usual = median(energy[beats][near], axis=1)
    usual_size = median(_largest_near(candidates, beats)[near], axis=1)
    step = max(1, int(candidates.hz // LOOKS_HZ))
    slope, shape = (seen.likeness(beats // step) for seen in candidates.seen)
    around = candidates.around
    return np.stack(
        [
            _log(own / usual), _log(candidates.size / usual_size), slope, shape,
            around[:, 0], around[:, 1], around[:, 2], around[:, 3], _log(around[:, 4] / usual),
        ],
        axis=1,
    )  # fmt: skip


def design(found: Floats) -> Floats:
    """(n, 23): the measures with the bends and products that the regression takes."""
    energy, size = np.clip(found[:, 0], -4, 1), np.clip(found[:, 1], -4, 1.5)
    slope, shape = np.maximum(found[:, 2], -0.2), np.maximum(found[:, 3], -0.3)
    beside = [np.clip(found[:, number], -4, 2) for number in (4, 5, 6, 7)]
    floor = np.clip(found[:, 8], -5, 0)
    clear = np.clip(energy - floor, 0, 4)
    columns = [
        shape, shape**2, shape * slope, energy, energy**2 * (energy < 0), size, size**2 * (size < 0), slope, slope**2,
        *beside, *[np.maximum(value, 0) for value in beside], floor, clear, clear * slope, energy * slope,
        size * slope, np.ones(len(found)),
    ]  # fmt: skip
    return np.stack(columns, axis=1)


def _log(value: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(value, 1e-3)))


def _largest_near(candidates: Candidates, at: NDArray[np.int_]) -> Floats:
    """(n,) the largest magnitude over the leads close to each place, looked at in eighths of what is close."""
    reach = round(SIZE_REACH_S * candidates.hz)
    offsets = np.arange(-reach, reach + 1, max(1, reach // 8))
    places = np.clip(at[:, None] + offsets, 0, len(candidates.energy) - 1)
    power = ((candidates.broad[:, places] * candidates.weights[:, places]) ** 2).mean(axis=0)
    return np.asarray(np.sqrt(power.max(axis=1)))


def nearest(at: NDArray[np.int_], beats: NDArray[np.int_]) -> NDArray[np.int_]:
    """(n, k ≤ 9) numbers of the beats around each candidate."""
    count = min(NEIGHBOURS, len(beats))
    first = np.clip(np.searchsorted(beats, at) - count // 2, 0, len(beats) - count)
    return np.asarray(first[:, None] + np.arange(count))


def _neighbours(seconds: Floats, own: Floats) -> list[Floats]:
    """Largest energy before and after each candidate, close by and a little farther."""
    found: list[Floats] = []
    for nearest, farthest in NEIGHBOURS_S:
        before, after = np.full(own.size, FLOOR), np.full(own.size, FLOOR)
        for offset in range(1, 4):
            apart = seconds[offset:] - seconds[:-offset]
            inside = (apart > nearest) & (apart <= farthest)
            before[offset:] = np.maximum(before[offset:], np.where(inside, own[:-offset], FLOOR))
            after[:-offset] = np.maximum(after[:-offset], np.where(inside, own[offset:], FLOOR))
        found += [before, after]
    return found


def _floor(energy: Floats, at: NDArray[np.int_], hz: float) -> Floats:
    """(n,) a lower quartile of the energy in the two seconds around."""
    thin = energy[:: max(1, round(hz / 45))]
    rate = len(thin) / len(energy)
    half = min(round(FLOOR_AROUND_S * hz * rate), len(thin) - 1)
    padded = np.pad(thin, half, mode="reflect")
    places = np.minimum((at * rate).astype(int), len(thin) - 1)
    windows = padded[places[:, None] + np.arange(2 * half + 1)]
    return np.asarray(np.partition(windows, half // 2, axis=1)[:, half // 2])
