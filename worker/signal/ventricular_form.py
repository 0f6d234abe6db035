"""Of what form is it when the ventricles race: one shape again and again, shapes that turn, or none?

Told without beats, which no detector finds for sure here: each second of the signal is compared with itself one period
later (it repeats, or not), with the seconds further away (it is still the same, or has become another), and with these
upside down. One shape that repeats all the time is a monomorphic tachycardia; neighbours that are alike while what is
far apart is not is a polymorphic one; and where the later shape is rather the earlier one turned over, the peaks twist
about the base line: torsades de pointes (Dessertenne 1966, Arch Mal Coeur 59:263; AHA/ACCF 2010,
doi:10.1161/CIRCULATIONAHA.109.192704). What does not repeat has no form: fibrillation. The measures are our own; the
limits stand where next to none of the 835 windows of 8 s that VFDB and CUDB call fibrillation lies.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from worker.signal.filters import Floats

Kind = Literal["monomorphic", "polymorphic", "torsades", "formless"]

FRAME_S: Final = 1.0
HOP_S: Final = 0.3
PERIOD_S: Final = (0.17, 0.75)
"""From 350 down to 80 a minute."""
NEARLY: Final = 0.06
"""The shortest period that is so nearly as good as the best is taken: two periods later all is alike as well."""
FAR_S: Final = 1.5
LEAST_S: Final = 2.7
"""Less is too short to tell one form from another."""
INVERTED: Final = (0.10, 0.75)
"""Rather upside down: more alike so than upright by this much, and so much alike."""
ONE_SHAPE: Final = (0.96, 0.93, 0.92)
"""Likeness after a period, in the usual second and in the worst of ten, and far apart, of a monomorphic tachycardia."""
FASTEST_BPM: Final = 270.0
"""Faster is flutter (心室扑动) whatever its shape, and of many shapes fibrillation for who has to act."""
REPEATS: Final = (0.80, 0.65)
"""Likeness after a period, usual and in the worst of ten, below which there is no form."""
CLEARLY: Final = (0.85, 0.75)
"""The same for what is called polymorphic, which no turning about the base line bears out."""
EVEN: Final = 0.06
TURNED_SHARE: Final = 0.10
NEAR: Final = 0.15
RESTLESS: Final = 0.45
"""A second spends less of its time this near the base line, in units of the usual second's peak."""
OTHER: Final = 0.75
"""Likeness far apart below which the shape has become another."""


@dataclass(frozen=True, slots=True)
class Form:
    """What repeats in some seconds of signal.

    Attributes:
        rate_bpm: by the usual period; 0 where the signal is too short.
        again: likeness, up to 1, of a second with the same a period later: the median.
        least_again: the same in the worst of ten seconds.
        uneven: median change of the period, of the usual period.
        afar: likeness of seconds that lie :data:`FAR_S` and more apart: the median.
        turned: share of those that are rather alike upside down.
    """

    rate_bpm: float
    again: float
    least_again: float
    uneven: float
    afar: float
    turned: float

    @property
    def one_shape(self) -> bool:
        """Whether every second repeats, near and far, however fast."""
        return self.again >= ONE_SHAPE[0] and self.least_again >= ONE_SHAPE[1] and self.afar >= ONE_SHAPE[2]

    @property
    def kind(self) -> Kind:
        """What a reader would call it."""
        if self.one_shape:
            return "monomorphic" if self.rate_bpm <= FASTEST_BPM else "formless"
        if self.again < REPEATS[0] or self.least_again < REPEATS[1]:
            return "formless"
        if self.uneven > EVEN or self.rate_bpm > FASTEST_BPM:
            return "formless"
        if self.turned >= TURNED_SHARE:
            return "torsades"
        clearly = self.again >= CLEARLY[0] and self.least_again >= CLEARLY[1]
        return "polymorphic" if clearly and self.afar <= OTHER else "formless"


NO_FORM: Final = Form(0.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def form_of(part: Floats, hz: float) -> Form:
    """The form of (n_leads, n) µV, band 1 to 30 Hz, at about 125 Hz.

    >>> seconds = np.arange(0, 8, 1 / 125)
    >>> wave = np.sin(2 * np.pi * 3.5 * seconds) + 0.4 * np.sin(2 * np.pi * 7 * seconds)
    >>> found = form_of(wave[None], 125), form_of((wave * np.sin(2 * np.pi * 0.12 * seconds))[None], 125)
    >>> [form.kind for form in found], round(found[0].rate_bpm)
    (['monomorphic', 'torsades'], 208)
    """
    if part.shape[1] < LEAST_S * hz:
        return NO_FORM
    width = round(FRAME_S * hz)
    low, high = round(PERIOD_S[0] * hz), round(PERIOD_S[1] * hz)
    seconds = _Seconds(part, width)
    starts = range(0, part.shape[1] - width - high, max(1, round(HOP_S * hz)))
    later = np.array([_period(seconds.against(start, start + low, start + high + 1)) for start in starts])
    again, period = later[:, 0], (low + later[:, 1]) / hz
    usual = float(np.median(period))
    afar, turned = _far(seconds, usual, hz)
    uneven = float(np.median(np.abs(period / usual - 1)))
    return Form(60 / usual, float(np.median(again)), float(np.quantile(again, 0.1)), uneven, afar, turned)


class _Seconds:
    """Every second of a signal, and what it measures."""

    def __init__(self, part: Floats, width: int) -> None:
        every = np.lib.stride_tricks.sliding_window_view(part, width, axis=1)
        self.every = every - every.mean(axis=2, keepdims=True)
        self.size = np.sqrt((self.every**2).sum(axis=(0, 2)))

    def against(self, start: int, first: int, stop: int) -> Floats:
        """(stop − first,) likeness of the second at ``start`` with those that begin there."""
        product = np.einsum("lsw,lw->s", self.every[:, first:stop], self.every[:, start])
        found: Floats = product / (self.size[first:stop] * self.size[start] + 1e-9)
        return found

    def against_all(self, starts: NDArray[np.int_]) -> Floats:
        """(n_starts, n) likeness of the seconds at ``starts`` with every second, as products of matrices."""
        product = np.zeros((starts.size, self.size.size))
        for lead in self.every:
            product += lead[starts] @ lead.T
        product /= self.size[starts, None] * self.size + 1e-9
        return product


def _period(likeness: Floats) -> tuple[float, float]:
    """(likeness, place) of the first summit that is nearly the highest."""
    inner = likeness[1:-1]
    summits = 1 + np.flatnonzero((inner >= likeness[:-2]) & (inner >= likeness[2:]))
    high = summits[likeness[summits] >= likeness.max() - NEARLY]
    place = int(high[0]) if high.size else int(likeness.argmax())
    return float(likeness[place]), float(place)


def _far(seconds: _Seconds, period_s: float, hz: float) -> tuple[float, float]:
    """(likeness of seconds far apart, share of them that are rather alike upside down)."""
    half, hop, far = int(np.ceil(period_s / 2 * hz)), max(1, round(HOP_S * hz)), round(FAR_S * hz)
    stop = seconds.size.size - half
    ones = np.arange(half, stop - far, hop)
    if not ones.size:
        return 0.0, 0.0
    others = ones[:, None] + far + hop * np.arange(ones.size)
    pair, place = np.nonzero(others < stop)
    near = others[pair, place, None] + np.arange(-half, half + 1)
    likeness = seconds.against_all(ones)[pair[:, None], near]
    up, down = likeness.max(axis=1), -likeness.min(axis=1)
    return float(np.median(up)), float(np.mean((down - up > INVERTED[0]) & (down > INVERTED[1])))


def restless(part: Floats, hz: float, least_s: float = LEAST_S) -> list[tuple[int, int]]:
    """(first, stop) samples of the stretches, so long, that hardly touch the base line in any second.

    >>> seconds = np.arange(0, 10, 1 / 125)
    >>> beats = 900 * np.exp(-(((seconds % 0.8 - 0.4) / 0.02) ** 2))
    >>> wave = np.where((seconds > 3) & (seconds < 7), 700 * np.sin(2 * np.pi * 4 * seconds), beats)
    >>> [(round(a / 125), round(b / 125)) for a, b in restless(wave[None], 125)], restless(beats[None], 125)
    ([(3, 7)], [])
    """
    size, second = np.abs(part), round(hz)
    whole = size.shape[1] // second
    if whole < 2:
        return []
    peaks = np.sort(size[:, : whole * second].reshape(len(size), whole, second).max(axis=2), axis=1)
    near = (size < NEAR * peaks[:, whole // 2, None]).mean(axis=0)
    total = np.concatenate([[0.0], np.cumsum(near)])
    step = second // 2
    share = (total[second::step] - total[:-second:step]) / second  # of the second that begins at each step
    edges = np.flatnonzero(np.diff(np.concatenate([[False], share < RESTLESS, [False]]).astype(np.int8)))
    found = [(first * step, (stop - 1) * step + second) for first, stop in edges.reshape(-1, 2).tolist()]
    return [(first, stop) for first, stop in found if stop - first >= least_s * hz]
