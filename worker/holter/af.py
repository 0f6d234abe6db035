"""When do the atria fibrillate? Told from the intervals between the beats alone.

In atrial fibrillation the ventricles beat irregularly without a pattern. Two measures of variety around each beat
(:mod:`worker.holter.af_measures`) make log odds of it, by a logistic regression of three numbers; the most plausible
sequence of two states, each change of which costs, makes episodes with clean borders (Viterbi); and what nowhere is
clearly fibrillation is none (hysteresis).

Why so few numbers: a model of 34 measures and their squares, which fitted AFDB to 97 and 99 % of the time, found 60 %
of record 04936 and 78 % of 04048 when it had not seen them; no set of one to six of 120 measures was better than these
two where each patient is left out in turn. So judged (``python -m bench.accuracy.fit_af_episodes ECG_DATA --folds``),
AFDB gives Se 97.5 and +P 99.4 % by duration, 99 and 100 % by episodes of 30 s.

What differs from the papers: intervals beside ventricular beats are left out; what is fast and regular between two
stretches of fibrillation, and faster than they are, is not sinus rhythm but flutter or organised fibrillation, and
belongs to the episode. Supraventricular labels are not looked at: in fibrillation they mean nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.holter import AfBurden, Event
from worker.holter.af_measures import measures
from worker.holter.measured import Label
from worker.holter.readable import Bools, Floats, Readable, Spans
from worker.holter.rows import runs_of
from worker.signal.compiled import compiled

SURE: Final = 6.0
"""Log odds of one beat are held at ± this."""
CHANGE_COST: Final = 12.0
LEAN: Final = 1.0
"""Added to the log odds; with the cost, where lost and false time of left-out patients are alike."""
CLEAR: Final = 1.5
"""Log odds that an episode has somewhere: false ones of left-out patients seldom reach it, most true ones reach 1.8."""
COEFFICIENTS: Final = np.array([14.01, 8.77, -20.57])
"""Of variety of the pairs and of the words, and a constant (``python -m bench.accuracy.fit_af_episodes ECG_DATA``)."""
APART_S: Final = 60.0
"""No episode reaches over a longer interval that cannot be believed."""
MIN_BEATS: Final = 12
P_SEEN: Final = 0.8
"""Likeness to the usual P wave: the median is 0.23 to 0.52 in the fibrillation of MIT-BIH and CPSC 2021, 0.83 and more
in the sinus rhythm of 19 of 22 patients of MIT-BIH."""
ORGANISED_BPM: Final = 110.0
ORGANISED_TIMES: Final = 0.9
ORGANISED_S: Final = 1800.0
EPISODE_S: Final = 30.0
"""ESC 2020 (doi:10.1093/eurheartj/ehaa612): at least 30 s make an episode; shorter ones count in the burden alone."""
FLUTTER_SHARE: Final = 0.5
RATE_BEATS: Final = 8


@dataclass(frozen=True, slots=True)
class Episode:
    """Beats ``first`` up to and with ``last``; it lasts from the R peak of one to that of the other."""

    first: int
    last: int
    flutter: bool = False


def af_beats(rr_s: Floats, counts: Bools) -> Bools:
    """(n,) whether the atria fibrillate at each beat.

    Args:
        rr_s: (n,) the interval that ends at each beat; the first one's own is not known and may be anything.
        counts: (n,) whether the interval may be looked at: it ends and begins at a beat that the atria led.

    >>> spread = np.random.default_rng(1).uniform(0.45, 1.1, 300)
    >>> rr = np.concatenate([np.full(300, 0.8), spread, np.full(300, 0.8)])
    >>> found = af_beats(rr, np.ones(900, bool))
    >>> [int(found[:290].sum()), int(found[320:580].sum()), int(found[610:].sum())]
    [0, 260, 0]
    """
    if int(np.count_nonzero(counts)) < MIN_BEATS:
        return np.zeros(len(rr_s), bool)
    odds = log_odds(rr_s, counts)
    found = most_plausible(np.clip(odds, -SURE, SURE) + LEAN, CHANGE_COST)
    for first, stop in runs_of(found):
        if odds[first:stop].max() < CLEAR:
            found[first:stop] = False
    return found


def log_odds(rr_s: Floats, counts: Bools) -> Floats:
    """(n,) of fibrillation, by what stands around each beat."""
    odds: Floats = measures(rr_s, counts) @ COEFFICIENTS[:-1] + COEFFICIENTS[-1]
    return odds


@compiled
def most_plausible(odds: Floats, cost: float) -> Bools:
    """(n,) the sequence of two states whose log odds, less ``cost`` for each change, are the greatest (Viterbi)."""
    n = odds.size
    came = np.zeros((n, 2), np.bool_)
    no, yes = 0.0, 0.0
    for i in range(n):
        from_yes, from_no = yes - cost > no, no - cost > yes
        came[i, 0], came[i, 1] = from_yes, from_no
        no, yes = (yes - cost if from_yes else no), (no - cost if from_no else yes) + odds[i]
    state = 1 if yes > no else 0
    found = np.zeros(n, np.bool_)
    for i in range(n - 1, -1, -1):
        found[i] = state == 1
        if came[i, state]:
            state = 1 - state
    return found


def counted(left_out: Bools, sound: Bools | None = None) -> Bools:
    """(n,) which beats' intervals are looked at: not the first, none that ends or begins at a beat ``left_out``.

    Args:
        sound: (n − 1,) which intervals may be believed.
    """
    counts: Bools = ~left_out
    counts[1:] &= ~left_out[:-1]
    counts[:1] = False
    if sound is not None:
        counts[1:] &= sound
    return counts


def af_episodes(day: Readable) -> list[Episode]:
    """Episodes of fibrillation and flutter, of any length, in order of time.

    Flutter as the signal shows it (``Measured.flutter``) is an episode of its own kind where it takes up most of one.
    """
    n = len(day.beats)
    if n < 2:
        return []
    rr_s = np.concatenate([day.rr_s[:1], day.rr_s])
    # what is not an atrial rhythm at all: ventricular, fused, paced and doubtful beats
    counts = counted(day.is_label(Label.V, Label.F, Label.P, Label.Q), day.sound)
    state = np.zeros(n, bool)
    parts = np.flatnonzero(~day.sound & (day.rr_s > APART_S)) + 1
    for first, last in zip([0, *parts.tolist()], [*parts.tolist(), n], strict=True):
        found = _without_p(af_beats(rr_s[first:last], counts[first:last]), day.beats.p_wave[first:last])
        state[first:last] = _organised(found, rr_s[first:last])
    fluttering = Spans.of(
        (s.start / day.measured.sampling_hz, s.stop / day.measured.sampling_hz) for s in day.measured.flutter
    )
    in_flutter = fluttering.inside(day.at_s)
    bounds = np.zeros(n, bool)
    bounds[parts] = True
    return [
        Episode(first, last, bool(in_flutter[first : last + 1].mean() >= FLUTTER_SHARE))
        for first, last in _runs(state | in_flutter, bounds)
    ]


def _without_p(state: Bools, p_wave: NDArray[np.float32]) -> Bools:
    """Not what has the usual P wave before most of its beats, however irregular."""
    kept = state.copy()
    for first, stop in runs_of(state):
        likeness = p_wave[first:stop]
        if np.count_nonzero(likeness >= P_SEEN) * 2 > np.count_nonzero(~np.isnan(likeness)):
            kept[first:stop] = False
    return kept


def _runs(state: Bools, bounds: Bools) -> list[tuple[int, int]]:
    """(first, last) beat of each stretch, parted where ``bounds`` says that the beat begins something new."""
    found = []
    for first, stop in runs_of(state):
        cuts = [first, *(first + 1 + np.flatnonzero(bounds[first + 1 : stop])).tolist(), stop]
        found += [(a, b - 1) for a, b in pairwise(cuts) if b - a > 1]
    return found


def _organised(state: Bools, rr_s: Floats) -> Bools:
    """Also what is fast between two stretches of fibrillation, and faster than both: not sinus rhythm."""
    stretches = runs_of(state)
    joined = state.copy()
    for (_, before), (after, _) in pairwise(stretches):
        between = float(np.median(rr_s[before:after]))
        around = [float(np.median(rr_s[a:b])) for a, b in ((max(0, before - 30), before), (after, after + 30))]
        lasts_s = float(rr_s[before:after].sum())
        if between < 60 / ORGANISED_BPM and between <= ORGANISED_TIMES * min(around) and lasts_s < ORGANISED_S:
            joined[before:after] = True
    return joined


def spans_of_episodes(day: Readable, episodes: Sequence[Episode]) -> Spans:
    """Seconds of the episodes, the last beat of each inside."""
    after = 0.5 / day.measured.sampling_hz
    return Spans.of((float(day.at_s[episode.first]), float(day.at_s[episode.last]) + after) for episode in episodes)


def af_events(day: Readable, episodes: Sequence[Episode]) -> list[Event]:
    """The episodes of 30 s and longer, with their mean ventricular rate."""
    return [
        Event(
            kind="flutter" if episode.flutter else "af",
            start_s=round(float(day.at_s[episode.first]), 3),
            end_s=round(float(day.at_s[episode.last]), 3),
            beats=episode.last - episode.first + 1,
            rate_bpm=_rate(day, episode),
        )
        for episode in _long(day, episodes)
    ]


def af_burden(day: Readable, episodes: Sequence[Episode]) -> AfBurden:
    """How much of the time that can be read is fibrillation or flutter; short episodes count, but not as episodes."""
    spans = spans_of_episodes(day, episodes)
    lasting = sum(day.analysed(start, end) for start, end in spans.pairs())
    long = _long(day, episodes)
    longest = max(long, key=lambda e: day.at_s[e.last] - day.at_s[e.first], default=None)
    inside = spans.inside(day.at_s[:-1]) & spans.inside(day.at_s[1:]) & day.sound
    rr_s = day.rr_s[inside]
    return AfBurden(
        episodes=len(long),
        share=min(1.0, lasting / max(1e-9, day.analysed_s)),
        longest_s=round(float(day.at_s[longest.last] - day.at_s[longest.first]), 3) if longest else 0.0,
        longest_at_s=round(float(day.at_s[longest.first]), 3) if longest else None,
        rate_mean_bpm=round(60 / float(rr_s.mean()), 1) if rr_s.size else None,
        rate_max_bpm=_fastest(day, inside),
    )


def without_early_atrial(day: Readable, episodes: Sequence[Episode]) -> Readable:
    """The same day, in which no beat within an episode is called supraventricular: there is no "early" in fibrillation.

    What a physician named (confidence 1) keeps its name.
    """
    inside = spans_of_episodes(day, episodes).inside(day.at_s)
    label = np.where(inside & day.is_label(Label.S) & (day.beats.confidence < 1), Label.N, day.beats.label)
    return replace(day, beats=replace(day.beats, label=label.astype(np.uint8)))


def _long(day: Readable, episodes: Sequence[Episode]) -> list[Episode]:
    return [episode for episode in episodes if day.at_s[episode.last] - day.at_s[episode.first] >= EPISODE_S]


def _rate(day: Readable, episode: Episode) -> float | None:
    rows = slice(episode.first, episode.last)
    rr_s = day.rr_s[rows][day.sound[rows]]
    return round(60 / float(rr_s.mean()), 1) if rr_s.size else None


def _fastest(day: Readable, inside: Bools) -> float | None:
    """The greatest mean rate of eight intervals in a row that all lie within an episode."""
    total = np.concatenate([[0.0], np.cumsum(np.where(inside, day.rr_s, 0.0))])
    count = np.concatenate([[0], np.cumsum(inside)])
    if len(count) <= RATE_BEATS:
        return None
    whole = count[RATE_BEATS:] - count[:-RATE_BEATS] == RATE_BEATS
    spans = (total[RATE_BEATS:] - total[:-RATE_BEATS])[whole]
    return round(60 * RATE_BEATS / float(spans.min()), 1) if spans.size else None
