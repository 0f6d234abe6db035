"""How do rhythms beat that a small database does not hold? Times of beats and which of them are supraventricular.

For the fit of the beat classes: every kind is drawn with wide ranges, so that it stands for a class of problem.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rhythm = tuple[list[float], list[int]]

BEATS: Final = 420
RHYTHMS: Final = 14
"""Of each kind."""


def simulated(seed: int = 3) -> Iterator[tuple[str, Floats, NDArray[np.int64]]]:
    """(kind, seconds of the beats, 1 where supraventricular and 2 where ventricular) of each rhythm."""
    random = np.random.default_rng(seed)
    for kind, times in KINDS.items():
        for _ in range(round(times * RHYTHMS)):
            rr, early = kind(random)
            yield kind.__name__.strip("_"), np.cumsum(rr), np.array(early, np.int64)


def _sinus(random: np.random.Generator, swing: tuple[float, float] = (0.005, 0.06)) -> Floats:
    """Intervals with breathing, a slow walk and a little chance."""
    base, depth, period = random.uniform(0.6, 1.15), random.uniform(*swing), random.uniform(3, 7)
    phase, walk = random.uniform(0, 6.3), np.cumsum(random.normal(0, 0.004, BEATS))
    seconds = np.arange(BEATS) * base
    return np.asarray(
        base * np.exp(depth * np.sin(2 * np.pi * seconds / period + phase) + walk + random.normal(0, 0.012, BEATS))
    )


def _singles(random: np.random.Generator) -> Rhythm:
    rr: list[float] = []
    early: list[int] = []
    share = random.uniform(0.01, 0.2)
    for interval in _sinus(random).tolist():
        if random.random() < share:
            rr += [max(0.3, interval * random.uniform(0.5, 0.86)), interval * random.uniform(0.9, 1.35)]
            early += [1, 0]
        else:
            rr.append(interval)
            early.append(0)
    return rr, early


def _runs(random: np.random.Generator) -> Rhythm:
    """Couplets to long tachycardias that begin at once."""
    rr: list[float] = []
    early: list[int] = []
    share = random.uniform(0.01, 0.08)
    for interval in _sinus(random).tolist():
        if len(rr) > BEATS:
            break
        if random.random() < share:
            beats = 2 + int(random.geometric(0.12)) if random.random() < 0.8 else int(random.integers(20, 120))
            fast, chance = random.uniform(0.45, 0.78) * interval, random.uniform(0.005, 0.05)
            drift = np.linspace(random.uniform(-0.05, 0.12), 0, beats)
            rr += np.maximum(0.28, fast * np.exp(random.normal(0, chance, beats) + drift)).tolist()
            rr.append(interval * random.uniform(0.95, 1.9))
            early += [1] * beats + [0]
        else:
            rr.append(interval)
            early.append(0)
    return rr, early


def _bigeminy(random: np.random.Generator) -> Rhythm:
    """Every second, third or fourth beat early, with rests."""
    rr: list[float] = []
    early: list[int] = []
    every, rest = int(random.integers(1, 4)), 0
    for interval in _sinus(random).tolist():
        if rest or len(rr) % (every + 1) < every - 1:
            rr.append(interval)
            early.append(0)
            rest = max(0, rest - 1)
            continue
        rr += [max(0.3, interval * random.uniform(0.5, 0.8)), interval * random.uniform(0.95, 1.5)]
        early += [1, 0]
        rest = int(random.integers(5, 40)) if random.random() < 0.03 else 0
    return rr, early


def _sick_sinus(random: np.random.Generator) -> Rhythm:
    """A slow sinus beat after each pause, then a run of atrial beats: most beats are ectopic."""
    slow, change = random.uniform(1.1, 2.8), random.uniform(0.05, 0.3)
    fast, chance = min(random.uniform(0.5, 1.0), slow / 1.45), random.uniform(0.015, 0.12)
    length, first = random.uniform(1.3, 6.5), random.uniform(-0.12, 0.12)
    drift, again = random.uniform(-0.04, 0.04), random.uniform(0.0, 0.3)
    rr: list[float] = []
    early: list[int] = []
    while len(rr) < BEATS:
        sinus = 1 if random.random() > again else int(random.integers(2, 4))
        beats = int(random.geometric(1 / length))
        coupled = random.normal(0, chance, beats) + np.clip(drift * np.arange(beats), -0.15, 0.15)
        coupled[0] += first
        standstill = np.where(random.random(sinus) < 0.03, random.uniform(1.2, 2.2), 1.0)
        rr += (standstill * slow * np.exp(random.normal(0, change, sinus))).tolist()
        rr += np.maximum(0.3, fast * np.exp(coupled)).tolist()
        early += [0] * sinus + [1] * beats
    return rr, early


def _pauses(random: np.random.Generator) -> Rhythm:
    """Blocked beats: pauses of up to twice the interval, no beat early."""
    double = random.random() < 0.6
    ratio = 2 * random.uniform(0.97, 1.03) if double else random.uniform(1.35, 2.0)
    usual, even = random.uniform(1.5, 12), random.random() < 0.4
    rr: list[float] = []
    left = round(usual)
    for interval in _sinus(random).tolist():
        if left:
            rr.append(interval)
            left -= 1
        else:
            rr.append(interval * (ratio if double else ratio * float(np.exp(random.normal(0, 0.05)))))
            left = round(usual) if even else 1 + int(random.geometric(1 / usual))
    return rr, [0] * len(rr)


def _arrhythmia(random: np.random.Generator) -> Rhythm:
    """The sinus node of a young person, which breathing moves far."""
    return _sinus(random, (0.06, 0.25)).tolist(), [0] * BEATS


def _effort(random: np.random.Generator) -> Rhythm:
    """Faster and slower again, gradually."""
    wave = np.sin(np.linspace(0, 2 * np.pi * random.uniform(0.5, 2.5), BEATS) + random.uniform(0, 6))
    return (_sinus(random) * np.exp(random.uniform(0.1, 0.35) * wave)).tolist(), [0] * BEATS


def _ventricular(random: np.random.Generator) -> Rhythm:
    """Ventricular beats, single, in bigeminy or trigeminy, with full pauses or between two sinus beats."""
    rr: list[float] = []
    kind: list[int] = []
    every, share, coupling = int(random.integers(1, 5)), random.uniform(0.02, 0.3), random.uniform(0.45, 0.85)
    chain, full, since = False, random.uniform(0.6, 1.0), 0
    for interval in _sinus(random).tolist():
        if random.random() < 0.03:
            chain = not chain
        since += 1
        if since > 1 and (since > every if chain else random.random() < share):
            early = max(0.3, interval * coupling * float(np.exp(random.normal(0, 0.05))))
            pause = 2 * interval - early if random.random() < full else interval * random.uniform(0.9, 1.15)
            rr += [early, pause]
            kind += [2, 0]
            since = 0
        else:
            rr.append(interval)
            kind.append(0)
    return rr, kind


def _escape(random: np.random.Generator) -> Rhythm:
    """Stretches of a slow escape rhythm; the sinus node comes back at once, and is not early."""
    rr: list[float] = []
    share, slower = random.uniform(0.004, 0.02), random.uniform(1.15, 1.5)
    for interval in _sinus(random).tolist():
        rr.append(interval)
        if random.random() < share:
            beats = int(random.geometric(0.12)) if random.random() < 0.7 else int(random.integers(20, 60))
            rr += (slower * interval * np.exp(random.normal(0, 0.02, beats))).tolist()
    return rr[:BEATS], [0] * BEATS


KINDS: Final[dict[Callable[[np.random.Generator], Rhythm], float]] = {
    _singles: 1, _runs: 1, _bigeminy: 0.5, _sick_sinus: 2, _pauses: 1.5, _arrhythmia: 1, _effort: 0.5,
    _ventricular: 1.5, _escape: 1,
}  # fmt: skip
