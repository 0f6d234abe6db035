"""When do the atria fibrillate? Told from the intervals between the beats alone.

In atrial fibrillation the ventricles beat irregularly without a pattern. Around each beat, over 13 and over 61 beats,
17 measures of that (:mod:`worker.holter.af_measures`): size and sign of the changes from one interval to the next
(also after a median of three, which a single early beat does not survive), turning points, the histogram of the
intervals (fibrillation spreads them, ectopy heaps them in a few places; after Lake and Moorman 2011,
doi:10.1152/ajpheart.00561.2010, and Petrenas 2015, doi:10.1016/j.compbiomed.2015.01.019), and how often alike
intervals are followed by alike ones (sample entropy). A logistic regression makes log odds of them, and the most
plausible sequence of two states, each change of which costs, makes episodes with clean borders (Viterbi).

What differs from the papers: intervals beside ventricular beats are left out; what is fast and regular between two
stretches of fibrillation, and faster than they are, is not sinus rhythm but flutter or organised fibrillation, and
belongs to the episode. Supraventricular labels are not looked at: in fibrillation they mean nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from ecg_center.contract.holter import AfBurden, Event
from worker.holter.af_measures import measures
from worker.holter.af_weights import CENTRE, COEFFICIENTS, SCALE
from worker.holter.measured import Label
from worker.holter.readable import Bools, Floats, Readable, Spans
from worker.holter.rows import runs_of
from worker.signal.compiled import compiled

SURE: Final = 6.0
"""Log odds of one beat are held at ± this."""
CHANGE_COST: Final = 12.0
LEAN: Final = 0.7
"""Added to the log odds: chosen with the cost on the records of the fit, where it weighs lost and false time alike."""
APART_S: Final = 60.0
"""No episode reaches over a longer interval that cannot be believed."""
MIN_BEATS: Final = 12
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
    return most_plausible(np.clip(log_odds(rr_s, counts), -SURE, SURE) + LEAN, CHANGE_COST)


def log_odds(rr_s: Floats, counts: Bools) -> Floats:
    """(n,) of fibrillation, by what stands around each beat."""
    scaled = np.clip((measures(rr_s, counts) - CENTRE) / SCALE, -3, 3)
    odds: Floats = scaled @ COEFFICIENTS[: CENTRE.size] + scaled**2 @ COEFFICIENTS[CENTRE.size : -1] + COEFFICIENTS[-1]
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
        state[first:last] = _organised(af_beats(rr_s[first:last], counts[first:last]), rr_s[first:last])
    fluttering = Spans.of(
        (s.start / day.measured.sampling_hz, s.stop / day.measured.sampling_hz) for s in day.measured.flutter
    )
    in_flutter = fluttering.inside(day.at_s)
    bounds = np.zeros(n, bool)
    bounds[parts] = True
    found = []
    for first, last in _runs(state | in_flutter, bounds):
        share = float(in_flutter[first : last + 1].mean())
        found.append(Episode(first, last, share >= FLUTTER_SHARE))
    return found


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
