"""Is it atrial fibrillation? Irregular as nothing else is, and nothing like a P before the beats.

Measures of the intervals (successive differences, sample entropy for few beats: Lake and Moorman 2011,
doi:10.1152/ajpheart.00561.2010, what is left when early beats are taken out) and of the stretch before the QRS (how
much of it repeats from beat to beat, wherever a P may stand) enter a forest. What differs from the published
detectors: intervals are taken between beats laid over each other, which R and S in turn do not make irregular, and the
beats' likeness enters too, with the changes between believable beats alone, so that an unreadable strip is not called
fibrillation for its wild intervals. The trees are in :mod:`worker.resting.af_weights`, with what they were fitted on.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.resting.af_weights import FOREST
from worker.resting.beat_kinds import kinds
from worker.resting.reading import Reading
from worker.signal.alignment import aligned
from worker.signal.atrial import before_qrs, ventricles
from worker.signal.filters import Floats

MIN_BEATS: Final = 6
CHANGED: Final = 0.05
"""Share of the mean RR: intervals that differ by more have changed."""
ENTROPY_S: Final = 0.03
EARLY: Final = 0.88
DIFFERENCES: Final = np.arange(-0.65, 0.66, 0.05)
RESIDUE_HZ: Final = (2.0, 25.0)
BLANK_S: Final = (0.06, 0.10)

BELIEVED: Final = 0.6
"""A beat that is less like the usual one may be none."""
FAR: Final = 0.10
"""Like :data:`CHANGED`, for a large change."""
LEAST_CHANGES: Final = 4
CHANGED_S: Final = 0.05
"""As in pNN50."""
AROUND: Final = 3
LEAST_RR_S: Final = 0.15
LAGS: Final = range(1, 7)
GROUPED_BEATS: Final = 12

NAMES: Final = (
    "rate_bpm", "rmssd", "median_change", "changed_share", "entropy", "rmssd_over_sd", "change_without_early",
    "difference_entropy", "ventricular_share", "usual_change", "changed_believed", "far_changed", "least_change",
    "shortest_s", "long", "short", "grouping", "likeness_low", "likeness", "believed", "p_repeats", "p_likeness",
    "p_size", "residue", "p_share", "p_clarity", "p_halves", "p_steady", "change_s", "changed_by_50_ms",
    "from_around", "far_from_around", "turns_back", "goes_on",
)  # fmt: skip


def log_odds(reading: Reading) -> float:
    """Log odds of atrial fibrillation; minus infinity where there are too few beats to say."""
    found = measures(reading)
    return -np.inf if found is None else FOREST.log_odds(found)


def measures(reading: Reading) -> Floats | None:
    """(34,) in the order of :data:`NAMES`; None with fewer than :data:`MIN_BEATS` beats or without a median beat."""
    if reading.beats.at.size < MIN_BEATS or reading.limits is None:
        return None
    place = aligned(reading.traces.clean[reading.rows], reading.beats, reading.traces.hz)
    rr_s = np.maximum(np.diff(place.at_s), LEAST_RR_S)
    likeness = place.likeness[~np.isnan(place.likeness)]
    believed = np.nan_to_num(place.likeness, nan=1.0) > BELIEVED
    low, usual = np.quantile(likeness, (0.25, 0.5)).tolist() if likeness.size else (0.0, 0.0)
    found: Floats = np.array(
        [
            *_intervals(rr_s, kinds(reading)),
            *_changes(rr_s, believed),
            *_spread(rr_s),
            *(low, usual, float(believed.mean())),
            *_shapes(reading),
            *_beside(rr_s, believed),
        ],
        np.float64,
    )
    return np.asarray(np.nan_to_num(found), np.float64)


def _intervals(rr_s: Floats, kind: NDArray[np.str_]) -> tuple[float, ...]:
    mean, difference = float(rr_s.mean()), np.diff(rr_s)
    ventricular = kind == "V"
    plain = ~(ventricular[:-1] | ventricular[1:])
    calm = difference[plain[:-1] & plain[1:]]
    usual = rr_s[plain] if plain.sum() >= MIN_BEATS else rr_s
    rmssd, spread = float(np.sqrt(np.mean(difference**2))) / mean, float(rr_s.std()) / mean
    return (
        60 / mean,
        rmssd,
        float(np.median(np.abs(calm))) / mean if calm.size else 0.0,
        float(np.mean(np.abs(calm) > CHANGED * mean)) if calm.size else 0.0,
        _entropy(usual),
        rmssd / max(spread, 1e-4),
        _change_without_early(rr_s),
        _difference_entropy(difference / float(np.median(rr_s))),
        float(ventricular.mean()),
    )


def _entropy(rr_s: Floats) -> float:
    """Coefficient of sample entropy, m = 1."""
    n = len(rr_s)
    if n < MIN_BEATS:
        return 0.0
    near = np.abs(rr_s[:, None] - rr_s[None]) < ENTROPY_S
    both = float(np.triu(near[:-1, :-1] & near[1:, 1:], 1).sum())
    first = float(np.triu(near[:-1, :-1], 1).sum())
    return float(-np.log(max(both, 0.5) / max(first, 1.0)) + np.log(2 * ENTROPY_S) - np.log(rr_s.mean()))


def _change_without_early(rr_s: Floats) -> float:
    """Mean change between intervals that neither are early nor follow an early one, over the median interval."""
    usual = float(np.median(rr_s))
    early = np.flatnonzero(rr_s < EARLY * usual)
    kept = np.ones(len(rr_s), bool)
    kept[early] = False
    kept[np.minimum(early + 1, len(rr_s) - 1)] = False
    change = np.abs(np.diff(rr_s))
    calm = change[kept[:-1] & kept[1:]]
    if calm.size >= 3:
        return float(calm.mean()) / usual
    return float(np.median(change)) / float(rr_s.mean())


def _difference_entropy(difference: Floats) -> float:
    counts, _ = np.histogram(difference, DIFFERENCES)
    share = counts[counts > 0] / max(1, counts.sum())
    return float(-(share * np.log(share)).sum())


def _changes(rr_s: Floats, believed: NDArray[np.bool_]) -> tuple[float, ...]:
    """Changes from interval to interval over the mean, where the three beats are believed: median, shares, quarter."""
    both = believed[1:] & believed[:-1]
    sure = both[1:] & both[:-1]
    change = np.abs(np.diff(rr_s)) / float(rr_s.mean())
    change = change[sure] if sure.sum() >= LEAST_CHANGES else change
    quarter, middle = np.quantile(change, (0.25, 0.5)).tolist()
    return middle, float(np.mean(change > CHANGED)), float(np.mean(change > FAR)), quarter


def _spread(rr_s: Floats) -> tuple[float, ...]:
    """The shortest interval, the long and short ones over the usual one, and whether they come in groups.

    Grouped beating (Wenckebach, flutter with a changing block) repeats after two to six beats.
    """
    long, usual, short = np.quantile(rr_s, (0.9, 0.5, 0.1)).tolist()
    grouping = 0.0
    if len(rr_s) >= GROUPED_BEATS:
        apart = [float(np.median(np.abs(rr_s[lag:] - rr_s[:-lag]))) for lag in LAGS]
        grouping = float(np.log(min(apart[1:]) / (apart[0] + 1e-3) + 0.02))
    return float(rr_s.min()), long / usual, short / usual, grouping


def _shapes(reading: Reading) -> tuple[float, ...]:
    """What the signal says: what repeats before the QRS, what is left between the beats, the P of the usual beat."""
    traces, beats, rows, limits = reading.traces, reading.beats, reading.rows, reading.limits
    assert limits is not None
    size = float(np.median(beats.size)) or 1.0
    before = before_qrs(traces.spectrum, rows, beats, limits)
    rest = (traces.clean[rows] - ventricles(traces.clean[rows], beats, limits, traces.hz)).copy()
    for at in beats.at.tolist():
        rest[:, max(0, at - round(BLANK_S[0] * traces.hz)) : at + round(BLANK_S[1] * traces.hz)] = 0
    power = np.abs(np.fft.rfft(rest * np.hanning(rest.shape[1]), axis=1)) ** 2
    frequencies = np.fft.rfftfreq(rest.shape[1], 1 / traces.hz)
    inside = (frequencies > RESIDUE_HZ[0]) & (frequencies < RESIDUE_HZ[1])
    residue = 1e3 * float(np.sqrt(power[:, inside].sum())) / rest.shape[1] / size
    return (
        float(np.log(before.repeats + 0.02)),
        before.likeness,
        float(np.log(before.size_uv / size + 1e-3)),
        float(np.log(residue + 1e-6)),
        reading.p.share if reading.p else 0.0,
        float(np.log((reading.p.clarity if reading.p else 0.0) + 0.05)),
        before.halves,
        float(np.log(before.steady + 0.01)),
    )


def _beside(rr_s: Floats, believed: NDArray[np.bool_]) -> tuple[float, ...]:
    """Believed changes in seconds (median, share of large ones), how far intervals are from the median of the seven
    around (median, upper quartile, over it), and the correlation of neighbouring changes and of neighbouring intervals:
    an early beat's change is taken back by the next, breathing goes on in its direction, fibrillation does neither."""
    sure = believed[2:] & believed[1:-1] & believed[:-2]
    change = np.diff(rr_s)
    chosen = np.abs(change[sure] if sure.sum() >= LEAST_CHANGES else change)
    around = np.array([np.median(rr_s[max(0, at - AROUND) : at + AROUND + 1]) for at in range(len(rr_s))])
    middle, far = np.quantile(np.abs(rr_s - around) / around, (0.5, 0.75)).tolist()
    level = rr_s - rr_s.mean()
    return (
        float(np.median(chosen)),
        float(np.mean(chosen > CHANGED_S)),
        middle,
        far,
        float(change[1:] @ change[:-1] / (change @ change + 1e-9)),
        float(level[1:] @ level[:-1] / (level @ level + 1e-9)),
    )
