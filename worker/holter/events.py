"""What happened in a day that the beats alone tell: early beats and runs, pauses, slow and fast stretches?

Counts are of beats and intervals that count (:func:`worker.holter.readable.readable`): no interval is believed across
an unreadable stretch, and a beat that a physician deletes makes one long interval of two. Standstill is an interval,
too. Limits are compared in samples, so that an interval of exactly a limit falls on the same side everywhere.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from ecg_center.contract.holter import MAX_EVENTS, Ectopy, Event, EventKind, Pauses
from worker.holter.ectopy import TACHYCARDIA_BPM, Groups, Rows, ectopy_of, geminy, groups_of, r_on_t
from worker.holter.happened import BeatEvents, event_of
from worker.holter.measured import Label
from worker.holter.readable import BEATING, Bools, Readable, Spans, spans_of
from worker.holter.rows import runs_of

PAUSE_S: Final = (2.0, 2.5, 3.0, 5.0)
"""An interval is a pause where it is longer (2018 ACC/AHA/HRS, doi:10.1161/CIR.0000000000000628, names 3 s; the
shorter limits are those of Holter reports)."""
BRADYCARDIA_BPM: Final = 50.0
"""2018 ACC/AHA/HRS guideline on bradycardia, as above: slower is bradycardia."""
SLOW_FAST_BEATS: Final = 8
SLOW_FAST_S: Final = 30.0
JOIN_S: Final = 10.0
HOLD_BPM: Final = 5.0
"""A slow stretch goes on until the rate is so much above its limit, a fast one until it is so much below: a night at
49 to 51/min is one event."""
AROUND: Final = 8
DROP_TIMES: Final = (1.8, 2.2)
"""A beat that fails to come leaves an interval of about two usual ones."""
DROP_STEADY: Final = 0.10
"""The intervals around it may differ by so much from one another."""
DROP_P: Final = 0.5
BLOCK_LEFT: Final = 0.5
"""An AV block is told where so much of it lies neither in fibrillation nor in what cannot be read."""
GAP_TIMES: Final = 1.35
"""Intervals that end with a P wave without QRS are so much longer than the usual one (:mod:`worker.holter.blocks`)."""
STILL: Final = frozenset(("asystole", "p_alone")) | BEATING
"""Rhythms in which an interval is one."""
PACED_BEATS: Final = 3
PACED_JOIN_BEATS: Final = 3
NO_EVENTS: Final = BeatEvents.of("paced", np.zeros(0, np.int64), np.zeros(0, np.int64))


def ectopy(day: Readable, af: Spans | None = None) -> tuple[Ectopy, Ectopy]:
    """(ventricular, supraventricular) counts.

    Args:
        af: atrial fibrillation and flutter, in which R on T is not said.
    """
    ventricular = groups_of(day, day.is_label(Label.V))
    on_t, _ = r_on_t(day, ventricular, _within(day, af))
    return ectopy_of(day, Label.V, ventricular, on_t.size), ectopy_of(day, Label.S)


def pauses(day: Readable) -> Pauses:
    """How many intervals are longer than each limit, and the longest of those that are."""
    longer = _long(day)
    if not longer.size:
        return Pauses()
    samples, hz = np.diff(day.beats.sample)[longer], day.measured.sampling_hz
    longest = int(np.argmax(samples))
    over = [int(np.count_nonzero(samples > limit * hz)) for limit in PAUSE_S]
    return Pauses(
        over_2_0_s=over[0],
        over_2_5_s=over[1],
        over_3_0_s=over[2],
        over_5_0_s=over[3],
        longest_ms=round(1000 * float(samples[longest]) / hz),
        longest_at_s=round(float(day.at_s[longer[longest]]), 3),
    )


def events_of(day: Readable, af: Spans | None = None) -> BeatEvents:
    """All that the beats tell, in order of time; of single beats no more than findings can hold.

    Args:
        af: atrial fibrillation and flutter (:mod:`worker.holter.af`).
    """
    ventricular, supraventricular = (groups_of(day, day.is_label(label)) for label in (Label.V, Label.S))
    in_af = _within(day, af)
    found = (
        *_groups(day, ventricular, ("v_single", "v_couplet", "vt", "idioventricular"), ("v_bigeminy", "v_trigeminy")),
        *_groups(day, supraventricular, ("s_single", "s_couplet", "svt", "s_run"), ("s_bigeminy", "s_trigeminy")),
        _r_on_t(day, ventricular, in_af),
        _pauses(day),
        _dropped(day, in_af),
        *_slow_and_fast(day),
        _paced(day),
    )
    return BeatEvents.joined(found).in_order(day)


def block_events(day: Readable, af: Spans) -> list[Event]:
    """AV block of the second and third degree; ``text`` is the type, ``value`` how many P waves had no QRS."""
    hz = day.measured.sampling_hz
    found = []
    for stretch in day.measured.blocks:
        start_s, end_s = stretch.start / hz, stretch.stop / hz
        gone_s = af.seconds(start_s, end_s) + day.left_out.seconds(start_s, end_s)
        first, last = np.searchsorted(day.beats.sample, [stretch.start, stretch.stop]).tolist()
        if last - first < 2 or gone_s > BLOCK_LEFT * (end_s - start_s):
            continue
        complete = stretch.reason == "third_degree"
        blocked = last - first - 1 if stretch.reason == "two_to_one" else _gaps(day, first, last)
        more: dict[str, float | str] = {} if complete else {"value": float(blocked), "quantity": "blocked_p"}
        kind: EventKind = "av_block_3" if complete else "av_block_2"
        found.append(event_of(day, kind, first, last - 1, text=stretch.reason, **more))
    return found


def broad_events(day: Readable, af: Spans) -> Iterator[Event]:
    """Tachycardias that the classes of the beats do not tell; ``text`` is ``wide`` or ``bidirectional``.

    A broad one within fibrillation is fibrillation over a bundle branch block.
    """
    hz = day.measured.sampling_hz
    for stretch in day.measured.rhythms:
        if stretch.reason in BEATING:
            first, last = np.searchsorted(day.beats.sample, [stretch.start, stretch.stop]).tolist()
            within_s = af.seconds(stretch.start / hz, stretch.stop / hz) if stretch.reason == "wide" else 0.0
            if last - first >= 2 and within_s <= BLOCK_LEFT * (stretch.stop - stretch.start) / hz:
                yield event_of(day, "vt", first, last - 1, text=stretch.reason)


def _gaps(day: Readable, first: int, last: int) -> int:
    """How many intervals between these beats are much longer than those around them; one at least."""
    around = day.rr_s[max(0, first - AROUND) : last + AROUND]
    return max(1, int(np.count_nonzero(day.rr_s[first : last - 1] > GAP_TIMES * np.quantile(around, 0.25))))


def _within(day: Readable, af: Spans | None) -> Bools:
    return np.zeros(len(day.beats), bool) if af is None else af.inside(day.at_s)


def _long(day: Readable) -> Rows:
    """The intervals that are pauses, standstill between two beats included, all else unreadable not."""
    quivering = spans_of((s for s in day.measured.rhythms if s.reason not in STILL), day.measured.sampling_hz)
    before, after = day.at_s[:-1], day.at_s[1:]
    believed = ~(day.left_out.touched(before, after) | quivering.touched(before, after))
    return np.flatnonzero(believed & (np.diff(day.beats.sample) > PAUSE_S[0] * day.measured.sampling_hz))


def _groups(
    day: Readable,
    groups: Groups,
    kinds: tuple[EventKind, EventKind, EventKind, EventKind],
    patterns: tuple[EventKind, EventKind],
) -> Iterator[BeatEvents]:
    """Runs, couplets, patterns, and the singles that are in no pattern."""
    single, couplet, fast, slow = kinds
    told = np.zeros(len(day.beats) + 1, np.int32)
    unsure = day.unsure
    for kind, cycle in zip(patterns, (2, 3), strict=True):
        first, last = geminy(day, groups, cycle)
        np.add.at(told, first, 1)
        np.subtract.at(told, last + 1, 1)
        before = first - (cycle - 1)  # the usual beats of the first cycle
        whole = (before >= 0) & (unsure[np.maximum(before, 0)] == unsure[first])
        yield BeatEvents.of(kind, np.where(whole, before, first), last)
    alone = (groups.beats == 1) & (np.cumsum(told, dtype=np.int32)[groups.first] == 0)
    rows = groups.first[alone][:MAX_EVENTS]
    yield BeatEvents.of(single, rows, rows)
    run, is_fast = groups.beats > 2, groups.bpm >= TACHYCARDIA_BPM
    for kind, chosen in ((couplet, groups.beats == 2), (fast, run & is_fast), (slow, run & ~is_fast)):
        yield BeatEvents.of(kind, groups.first[chosen], groups.last[chosen] - 1)


def _r_on_t(day: Readable, ventricular: Groups, in_af: Bools) -> BeatEvents:
    rows, before_ms = r_on_t(day, ventricular, in_af)
    return BeatEvents.of("r_on_t", rows - 1, rows, value=np.rint(before_ms) + 0.0)  # never -0.0


def _pauses(day: Readable) -> BeatEvents:
    row = _long(day)
    return BeatEvents.of("pause", row, row + 1, value=np.rint(1000 * day.rr_s[row]))


def _dropped(day: Readable, in_af: Bools) -> BeatEvents:
    """One beat failed to come in a steady rhythm with P waves: the interval is twice those before and behind it.

    Whether the sinus node, the way out of it or the AV node failed cannot be told from the beats.
    """
    n = len(day.beats)
    if n < 6:
        return NO_EVENTS
    rr = day.rr_s
    row = 2 + np.flatnonzero(rr[2 : n - 3] >= DROP_TIMES[0] / (1 + DROP_STEADY) * (1 - 1e-6) * rr[1 : n - 4])
    around = np.stack([rr[row - 2], rr[row - 1], rr[row + 1], rr[row + 2]])
    usual = (around[0] + around[1] + around[2] + around[3]) / 4
    steady = (np.ptp(around, axis=0) <= DROP_STEADY * usual) & (rr[row] >= DROP_TIMES[0] * usual)
    steady &= rr[row] <= DROP_TIMES[1] * usual
    steady &= day.sound[row[:, None] + np.arange(-2, 3)].all(axis=1)
    normal = day.is_label(Label.N) & ~in_af
    steady &= normal[row[:, None] + np.arange(-2, 4)].all(axis=1)
    p_wave = np.nan_to_num(day.beats.p_wave[row[:, None] + np.arange(2)], nan=0.0)
    steady &= (p_wave >= DROP_P).all(axis=1)
    row = row[steady]
    return BeatEvents.of("dropped_beat", row, row + 1, value=np.rint(1000 * rr[row]))


def _slow_and_fast(day: Readable) -> Iterator[BeatEvents]:
    """Stretches of at least half a minute below 50/min or from 100/min, by the mean over eight intervals.

    Between two such stretches the rate may come back as far as 55 or 95/min: they are one.
    """
    n = len(day.rr_s)
    if n < SLOW_FAST_BEATS:
        return
    total = np.zeros(n + 1)
    np.cumsum(np.where(day.sound, day.rr_s, 0.0), out=total[1:])
    mean_s = (total[SLOW_FAST_BEATS:] - total[:-SLOW_FAST_BEATS]) / SLOW_FAST_BEATS
    whole = day.sound[: mean_s.size].copy()
    for later in range(1, SLOW_FAST_BEATS):
        whole &= day.sound[later : later + mean_s.size]
    at_ends = (SLOW_FAST_BEATS // 2, n - mean_s.size - SLOW_FAST_BEATS // 2)
    kinds: tuple[tuple[EventKind, Bools, Bools], ...] = (
        ("bradycardia", mean_s > 60 / BRADYCARDIA_BPM, mean_s > 60 / (BRADYCARDIA_BPM + HOLD_BPM)),
        ("tachycardia", mean_s <= 60 / TACHYCARDIA_BPM, mean_s <= 60 / (TACHYCARDIA_BPM - HOLD_BPM)),
    )
    for kind, begins, goes_on in kinds:
        runs, wide = (_joined(day, runs_of(np.pad(whole & so, at_ends, mode="edge"))) for so in (begins, goes_on))
        long = [(start, last) for start, last in runs if day.at_s[last] - day.at_s[start] >= SLOW_FAST_S]
        start, last = np.array(_within_one(long, wide), np.int64).reshape(-1, 2).T
        yield BeatEvents.of(kind, start, last)


def _joined(day: Readable, runs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(first beat, last beat) of runs of intervals, those joined that only some seconds of sound rhythm part."""
    if not runs:
        return []
    starts, ends = np.array(runs).T
    unsure, before, after = day.unsure, ends[:-1], starts[1:]
    near = (day.at_s[after] - day.at_s[before] <= JOIN_S) & (unsure[after] == unsure[before])
    begins, stops = starts[np.append(True, ~near)], ends[np.append(~near, True)]
    return list(zip(begins.tolist(), stops.tolist(), strict=True))


def _within_one(runs: Sequence[tuple[int, int]], wide: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs in order, those that lie in the same wider one from the first to the last of them.

    >>> _within_one([(1, 4), (6, 9), (12, 15)], [(0, 10), (11, 20)])
    [(1, 9), (12, 15)]
    """
    found: list[tuple[int, int]] = []
    place, last_in = 0, -1
    for start, last in runs:
        while wide[place][1] < last:
            place += 1
        if place == last_in:
            found[-1] = (found[-1][0], last)
        else:
            found.append((start, last))
        last_in = place
    return found


def _paced(day: Readable) -> BeatEvents:
    """Stretches of paced beats; a few own beats between do not part them."""
    rows = np.flatnonzero(day.is_label(Label.P))
    if not rows.size:
        return NO_EVENTS
    edges = np.flatnonzero(np.diff(rows) > PACED_JOIN_BEATS + 1) + 1
    begin, end = np.append(0, edges), np.append(edges, rows.size)
    long = end - begin >= PACED_BEATS
    begin, end = begin[long], end[long]
    return BeatEvents.of("paced", rows[begin], rows[end - 1], beats=end - begin)
