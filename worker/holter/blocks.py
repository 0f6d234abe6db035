"""When in a day did P waves come on time and no QRS after them?

AV block of the second and third degree is read as a resting ECG is (:mod:`worker.resting.av_block`, and the complete
block of :mod:`worker.resting.rhythm`), in strips of twelve seconds with the day's own beats, where the beats leave room
for it: around an interval much longer than the steady ones beside it, and in a slow, even rhythm. A day without either
costs nothing; one with many is sampled, one strip in each ten minutes of what looks alike, and where a strip shows
block, its neighbours are asked. Where a slow rhythm has no P wave before most of its beats and strips do not tell why,
a minute of it is asked whether P waves march through at a pace of their own (:mod:`worker.holter.dissociation`).

What differs from ten seconds: a U wave or the end of a T wave in the middle of a slow cycle passes for the P of a 2:1
block in one strip of a hundred, which in a day is every day. So it must be more like the P waves before the QRS, and a
slow rhythm's block is said where two strips in a row show it. Figures are in docs/accuracy.md
(``python -m bench.accuracy blocks``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from worker.holter.day import Day
from worker.holter.dissociation import March, march
from worker.holter.measured import Beats, Label, Stretch
from worker.holter.readable import Bools, Floats, Spans, spans_of
from worker.holter.rows import runs_of
from worker.recording import Recording
from worker.resting.av_block import second_degree
from worker.resting.patient import Person
from worker.resting.quality import lead_qualities, usable_rows
from worker.resting.reading import Reading
from worker.resting.rhythm import rhythm_of
from worker.resting.traces import prepare
from worker.signal import atrial
from worker.signal.beats import describe, median_beat
from worker.signal.delineate import delineate

Int64s = NDArray[np.int64]

STRIP_S: Final = 12.0
PIECE_S: Final = 600.0
MOST_WITH_GAPS: Final = 16
"""Pieces that are looked at, those with most gaps first: 4 ms each."""
MOST_SLOW: Final = (10, 6)
"""Slow pieces that are looked at, the slowest and some of the others: 6 ms each."""
LOOKS: Final = 2
"""Strips of a piece with gaps that are looked at until one shows block."""
GAP_TIMES: Final = (1.35, 2.3)
"""A gap that one P without QRS leaves, in usual intervals: Wenckebach's is shorter than two, and above 1.35 in groups
of up to six beats; a sinus arrhythmia rarely changes so much from one beat to the next."""
AROUND: Final = 4
"""Intervals on both sides of a gap that tell what is usual."""
STEADY: Final = 0.15
"""Those that are no gaps themselves lie so near the usual one; of fibrillation they do not."""
CLEAN_BEATS: Final = (2, 4)
"""No ventricular or paced beat so near before and behind a gap: its pause is compensatory."""
JOIN_S: Final = 30.0
SLOW_S: Final = 60 / 65
"""A slow rhythm's intervals are longer; sinus rhythm that conducts every second P at 130/min has this."""
SLOW_BEATS: Final = 6
EVEN: Final = (0.10, 1.2)
"""Spread over the mean, and longest over the mean, of that many intervals."""
LEAST_BEATS: Final = 4
EDGE_S: Final = 0.1
ALIKE: Final = 0.88
"""2:1 taken from 20 real records by erasing every second QRS has a median likeness above this in 95 of 100 strips; what
passes for it in normal records stays below, but for one in which P was mistaken."""
PR_MOST_MS: Final = 420.0
SAME_RATE: Final = 0.15
"""Pieces of a slow rhythm that nobody looked at belong to a neighbour with block if their rate differs by less."""
INT16: Final = 32767
WITHOUT_P: Final = ("junctional", "ventricular")
"""So the rhythm below a complete block is called where a strip does not show its P waves: another one is looked at."""
PLACES: Final = (0.5, 0.2, 0.8)
"""Where in a piece it is looked at, as shares of its length."""
MARCH_S: Final = 60.0
MOST_MARCHES: Final = 40
"""Pieces without P before the beats in which P waves are sought that march through, the longest: two looks of 4 ms."""
P_LIKE: Final = 0.6
WITH_P: Final = 0.7
"""Of the beats, which have a P like the usual one before them: of slow rhythms whose QRS were made to come by
themselves two in a hundred have more, of conducted ones, made slow, seven in a hundred fewer."""
MARCHES: Final = (0.12, 0.25)
"""Strength from which two looks, one after the other, at one period, and from which one alone tells; in 915 minutes of
conducted rhythms made slow (DS1, QT DB) no pair reaches 0.1 and no minute 0.2."""
MARCH_BEATS: Final = 30
"""One look alone holds so many; of cu31's 22 slow broad beats what is left of T passes for P."""
SAME_PACE: Final = 0.12
MOST_LEFT_OUT: Final = 0.3
"""Of a look that may be unreadable."""
EDGE_SHARE: Final = 0.25
"""So much of a strip may lie outside of its piece."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Beats ``first`` to ``last``, among which a block may be; ``gaps`` are the long intervals; a slow rhythm has none.

    Attributes:
        run: pieces of one slow stretch have one number.
    """

    first: int
    last: int
    run: int
    rr_s: float
    gaps: tuple[int, ...] = ()


def blocks_of(day: Day, beats: Beats, unreadable: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The stretches of a day with AV block, in order of time; ``reason`` is the type.

    Types are those of :data:`worker.resting.av_block.CODES` and ``third_degree``.
    """
    at_s = beats.sample / day.hz
    looker = Looker(day, beats, at_s, spans_of(unreadable, day.hz))
    found = [*_with_gaps(looker, gap_pieces(at_s, beats.label)), *_slow(looker, slow_pieces(at_s, beats.label))]
    return tuple(
        Stretch(int(beats.sample[first]), int(beats.sample[last]) + 1, (), reason)
        for first, last, reason in sorted(found)
    )


def gap_pieces(at_s: Floats, label: NDArray[np.uint8]) -> list[Piece]:
    """Where steady intervals are interrupted by long ones, in pieces of at most ten minutes.

    >>> at_s = np.cumsum([0.8] * 9 + [1.6] + [0.8] * 9)
    >>> gap_pieces(at_s, np.zeros(19, np.uint8))[0].gaps
    (8,)
    """
    pieces: list[Piece] = []
    rr_s = np.diff(at_s)
    for gap in _gaps(rr_s, label).tolist():
        if pieces and at_s[gap] - at_s[pieces[-1].last] < JOIN_S and at_s[gap] - at_s[pieces[-1].first] < PIECE_S:
            pieces[-1] = replace(pieces[-1], last=gap + 1, gaps=(*pieces[-1].gaps, gap))
        else:
            pieces.append(Piece(gap, gap + 1, -1, float(rr_s[gap]), (gap,)))
    return pieces


def _gaps(rr_s: Floats, label: NDArray[np.uint8]) -> Int64s:
    """Numbers of the intervals that are much longer than the steady ones around them."""
    n = rr_s.size
    if n < 2 * AROUND + 1:
        return np.zeros(0, np.int64)
    padded = np.pad(rr_s, AROUND, mode="edge")
    # a gap is longer than the interval behind it: so few intervals are looked at further
    chosen = np.flatnonzero(rr_s > GAP_TIMES[0] * padded[AROUND + 1 : AROUND + 1 + n])
    windows = sliding_window_view(padded, 2 * AROUND + 1)[chosen]
    usual = np.sort(windows, axis=1)[:, AROUND // 2 + 1]
    ratio = rr_s[chosen] / usual
    unsteady = (np.abs(windows / usual[:, None] - 1) > STEADY) & (windows < GAP_TIMES[0] * usual[:, None])
    others = np.concatenate([[0], np.cumsum(~np.isin(label, (Label.N, Label.S)))])
    clean = others[np.minimum(chosen + CLEAN_BEATS[1], n + 1)] == others[np.maximum(chosen - CLEAN_BEATS[0], 0)]
    gap: Bools = (ratio >= GAP_TIMES[0]) & (ratio <= GAP_TIMES[1]) & ~unsteady.any(axis=1) & clean
    return chosen[gap]


def slow_pieces(at_s: Floats, label: NDArray[np.uint8]) -> list[Piece]:
    """Slow even rhythm, in pieces of at most ten minutes.

    >>> [(piece.first, piece.last) for piece in slow_pieces(np.arange(500) * 1.4, np.zeros(500, np.uint8))]
    [(0, 429), (429, 499)]
    """
    rr_s = np.diff(at_s)
    if rr_s.size < SLOW_BEATS:
        return []
    windows = sliding_window_view(rr_s, SLOW_BEATS)
    mean = windows.mean(axis=1)
    slow = np.flatnonzero(mean >= SLOW_S)
    windows, mean = windows[slow], mean[slow]
    even = np.zeros(rr_s.size - SLOW_BEATS + 1, bool)
    even[slow] = (windows.std(axis=1) <= EVEN[0] * mean) & (windows.max(axis=1) <= EVEN[1] * mean)
    inside = np.zeros(at_s.size, bool)
    for first, stop in runs_of(even):
        inside[first : stop + SLOW_BEATS] = True
    inside &= np.isin(label, (Label.N, Label.S, Label.V))
    pieces: list[Piece] = []
    for run, (first, stop) in enumerate(runs_of(inside)):
        for a, b in pairwise(_cuts(at_s, rr_s, first, stop - 1) if stop - first > SLOW_BEATS else ()):
            if b - a >= SLOW_BEATS and at_s[b] - at_s[a] >= STRIP_S:
                pieces.append(Piece(a, b, run, float(at_s[b] - at_s[a]) / (b - a)))
    return pieces


def _cuts(at_s: Floats, rr_s: Floats, first: int, last: int) -> list[int]:
    """Beats from ``first`` to ``last`` between which the rate is one, and no more than ten minutes lie."""
    edges, place = [first], first
    level = float(rr_s[first : first + SLOW_BEATS].mean())
    smooth = np.convolve(rr_s[first:last], np.full(SLOW_BEATS, 1 / SLOW_BEATS), "valid").tolist()
    for step, mean in enumerate(smooth):
        place = first + step
        if abs(mean / level - 1) > SAME_RATE or at_s[place] - at_s[edges[-1]] >= PIECE_S:
            edges.append(place)
            level = mean
    return [*edges, last]


class Looker:
    """Reads strips of a day."""

    def __init__(self, day: Day, beats: Beats, at_s: Floats, left_out: Spans) -> None:
        self.day, self.beats, self.at_s, self.left_out = day, beats, at_s, left_out

    def reading(self, middle_s: float, *, atria: bool) -> Reading | None:
        """The strip around this moment, as the rules of the rhythm need it; None where it cannot be read."""
        start_s = max(0.0, middle_s - STRIP_S / 2)
        first, last = np.searchsorted(self.at_s, [start_s + EDGE_S, start_s + STRIP_S - EDGE_S]).tolist()
        if last - first < LEAST_BEATS or self.left_out.seconds(start_s, start_s + STRIP_S) > 0:
            return None
        start, stop = round(start_s * self.day.hz), round((start_s + STRIP_S) * self.day.hz)
        return strip_reading(
            self.day.block(start, min(stop, self.day.n_samples), self.day.independent),
            [self.day.leads[row] for row in self.day.independent],
            self.day.hz,
            self.beats.sample[first:last] - start,
            atria=atria,
        )

    def with_gap(self, gap: int) -> str:
        """The type of the block around this interval; empty where there is none."""
        reading = self.reading(float(self.at_s[gap] + self.at_s[gap + 1]) / 2, atria=False)
        block = second_degree(reading) if reading else None
        return block.type if block and block.type != "two_to_one" else ""

    def slow(self, middle_s: float) -> tuple[str, bool]:
        """(type of the block of an even rhythm here or empty, whether it has no P before its beats)."""
        reading = self.reading(middle_s, atria=True)
        if reading is None:
            return "", False
        rhythm = rhythm_of(reading)
        if rhythm.name == "complete_block":
            return "third_degree", False
        block = second_degree(reading) if rhythm.av_block else None
        if block is None or block.likeness < ALIKE or block.pr_first_ms > PR_MOST_MS:
            return "", rhythm.name in WITHOUT_P
        return block.type, False

    def without_p(self, piece: Piece) -> bool:
        """Whether most beats of a piece have no P like the usual one before them."""
        like = np.nan_to_num(self.beats.p_wave[piece.first : piece.last + 1])
        return float(np.mean(like > P_LIKE)) < WITH_P

    def marches(self, piece: Piece) -> Iterator[tuple[float, March]]:
        """(start in seconds, what marches through) of two looks, one after the other, in the middle of a piece."""
        start_s, end_s = float(self.at_s[piece.first]), float(self.at_s[piece.last])
        length_s = min(MARCH_S, (end_s - start_s) / 2) if end_s - start_s > 1.5 * MARCH_S else end_s - start_s
        looks = 2 if length_s < end_s - start_s else 1
        begin_s = (start_s + end_s - looks * length_s) / 2
        for place_s in (begin_s, begin_s + length_s)[:looks]:
            if self.left_out.seconds(place_s, place_s + length_s) > MOST_LEFT_OUT * length_s:
                continue
            first, last = round(place_s * self.day.hz), round((place_s + length_s) * self.day.hz)
            a, b = np.searchsorted(self.beats.sample, [first, last + 1]).tolist()
            uv = self.day.block(first, last + 1, self.day.independent)
            seen = march(uv, self.day.hz, self.beats.sample[a:b] - first)
            # of a shorter look chance makes more
            yield place_s, seen._replace(strength=seen.strength * min(1.0, length_s / MARCH_S) ** 0.5)


def strip_reading(
    uv: NDArray[np.float32], leads: Sequence[str], hz: float, at: Int64s, *, atria: bool = True
) -> Reading | None:
    """What the rules of the rhythm need of a strip whose beats are known; None where no lead can be read.

    Args:
        uv: (n_leads, n) µV at ``hz``.
        at: (k,) samples of the beats, k at least two.
        atria: whether P waves are looked for before each beat and by themselves.
    """
    traces = prepare(
        Recording(
            format="", kind="resting", leads=tuple(leads), sampling_hz=hz,
            digital=np.clip(np.rint(uv), -INT16, INT16).astype(np.int16),
            uv_per_lsb=np.ones(len(leads)), baseline=np.zeros(len(leads)),
        )
    )  # fmt: skip
    qualities = lead_qualities(traces)
    rows = usable_rows(qualities, traces.leads, derived=False)
    if not rows:
        return None
    beats = describe(traces.shape[rows], np.rint(at * traces.hz / hz).astype(int).tolist(), traces.hz)
    median = median_beat(traces.clean, traces.shape[rows], beats, traces.hz)
    limits = delineate(median, rows, traces.hz, float(np.median(np.diff(beats.at))) / traces.hz) if median else None
    if median is None or limits is None:
        return None
    reading = Reading(traces, Person(), True, qualities, rows, beats, [], median, limits, None, limits)
    if not atria:
        return reading
    return replace(
        reading,
        p=atrial.p_before_beats(traces.spectrum, rows, beats, median, limits),
        free_p=atrial.free_p_waves(traces.clean[rows], traces.hz, beats, limits),
    )


def _with_gaps(looker: Looker, pieces: Sequence[Piece]) -> Iterator[tuple[int, int, str]]:
    """(first beat, last beat, type) of the pieces with gaps in which a strip shows block."""
    chosen = sorted(pieces, key=lambda piece: -len(piece.gaps))[:MOST_WITH_GAPS]
    for piece in sorted(chosen, key=lambda piece: piece.first):
        asked = dict.fromkeys((piece.gaps[len(piece.gaps) // 2], piece.gaps[0]))
        said = next((said for gap in asked if (said := looker.with_gap(gap))), "")
        if said:
            yield piece.first, piece.last, said


def _slow(looker: Looker, pieces: Sequence[Piece]) -> Iterator[tuple[int, int, str]]:
    """(first beat, last beat, type) of the slow rhythms in which two strips in a row show block."""
    said = {place: _agreed(looker, pieces[place]) for place in _chosen(pieces)}
    said |= dict.fromkeys(_marching(looker, pieces, said), "third_degree")
    joined: list[tuple[int, int, str]] = []
    for place, piece in enumerate(pieces):
        answer = said[place] if place in said else _of_neighbour(pieces, said, place)
        if not answer:
            continue
        if joined and joined[-1][2] == answer and looker.at_s[piece.first] - looker.at_s[joined[-1][1]] < JOIN_S:
            joined[-1] = (joined[-1][0], piece.last, answer)
        else:
            joined.append((piece.first, piece.last, answer))
    yield from joined


def _chosen(pieces: Sequence[Piece]) -> list[int]:
    """The numbers of the slow pieces that are looked at."""
    by_rate = sorted(range(len(pieces)), key=lambda place: -pieces[place].rr_s)
    slowest, others = by_rate[: MOST_SLOW[0]], sorted(by_rate[MOST_SLOW[0] :])
    return sorted([*slowest, *others[:: max(1, -(-len(others) // MOST_SLOW[1]))]])


def _marching(looker: Looker, pieces: Sequence[Piece], said: dict[int, str]) -> list[int]:
    """The numbers of the slow pieces through which P waves march at a pace of their own."""
    asked = [place for place, piece in enumerate(pieces) if not said.get(place) and looker.without_p(piece)]
    asked = sorted(sorted(asked, key=lambda place: pieces[place].first - pieces[place].last)[:MOST_MARCHES])
    looks = [(place, start_s, seen) for place in asked for start_s, seen in looker.marches(pieces[place])]
    found = {
        place for place, _, seen in looks
        if seen.strength >= MARCHES[1] and pieces[place].last - pieces[place].first >= MARCH_BEATS
    }  # fmt: skip
    for (one, at_s, seen), (other, later_s, again) in pairwise(looks):
        together = later_s - at_s < 2 * MARCH_S and min(seen.strength, again.strength) >= MARCHES[0]
        if together and abs(again.period_s / seen.period_s - 1) < SAME_PACE:
            found |= {one, other}
    return sorted(found)


def _of_neighbour(pieces: Sequence[Piece], said: dict[int, str], place: int) -> str:
    """What was said of the nearest piece of the same stretch with the same rate, of one that nobody looked at."""
    mine = pieces[place]
    alike = [
        near for near in said
        if pieces[near].run == mine.run and abs(pieces[near].rr_s / mine.rr_s - 1) < SAME_RATE
    ]  # fmt: skip
    return said[min(alike, key=lambda near: abs(near - place))] if alike else ""


def _agreed(looker: Looker, piece: Piece) -> str:
    """The type of block of a slow piece, which two strips of it, one beside the other, show."""
    start_s, end_s = float(looker.at_s[piece.first]), float(looker.at_s[piece.last])
    for share in PLACES:
        middle_s = start_s + share * (end_s - start_s)
        found, without_p = looker.slow(middle_s)
        for beside_s in (middle_s + STRIP_S, middle_s - STRIP_S) if found else ():
            inside = start_s - EDGE_SHARE * STRIP_S <= beside_s - STRIP_S / 2
            if inside and beside_s + STRIP_S / 2 <= end_s + EDGE_SHARE * STRIP_S and looker.slow(beside_s)[0]:
                return found
        if not (found or without_p):
            return ""  # a P before each beat, and none between them: nothing more to ask
    return ""
