"""For each code that a Holter's list of critical values refers to: a day, in short, of which the engine must say it.

Half a day in minutes: a simulated or drawn heart in the three leads of most recorders, with what is asked in it.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from bench.accuracy.critical_cases import twisting
from gateway.simulate import leads, noise, shapes, waves
from gateway.simulate.generator import generate
from gateway.simulate.waves import Atrium
from worker.recording import Recording

HZ: Final = 250
LEADS: Final = ("II", "V1", "V5")
ROWS: Final = [leads.LEADS.index(lead) for lead in LEADS]
FADE_S: Final = 0.08
BUILD: Final = shapes.build_of(np.random.default_rng([3, 1]), "M", 60)
Part = np.ndarray[Any, Any]


def recording(*parts: Part) -> Recording:
    """The parts one after the other, each faded in over the last level of the one before."""
    joined = [parts[0]]
    for part in parts[1:]:
        n = round(FADE_S * HZ)
        weight = np.linspace(0, 1, n, endpoint=False)
        faded = part.copy()
        faded[:, :n] = (1 - weight) * joined[-1][:, -1:] + weight * faded[:, :n]
        joined.append(faded)
    digital = np.rint(np.concatenate(joined, axis=1)).astype(np.int16)
    return Recording("", "holter", LEADS, digital, np.ones(3), np.zeros(3), float(HZ))


def heart(name: str = "sinus", seconds: float = 120.0, seed: int = 3, **changes: Any) -> Part:
    """(3, n) µV of a simulated heart, from between two beats to between two beats."""
    ecg = generate(
        name, seed=seed, duration_s=seconds, sampling_hz=HZ, sex="M", age_years=60, noise_factor=1.5, **changes
    )
    at = ecg.truth.beats_s
    samples: Part = ecg.samples_uv[ROWS].astype(float)
    if len(at) < 4:
        return samples
    first, last = (round((a + 0.6 * (b - a)) * HZ) for a, b in ((at[0], at[1]), (at[-2], at[-1])))
    return samples[:, first:last]


def drawn(
    p_s: Sequence[float] | Part, qrs_s: Sequence[float] | Part, seconds: float, *, shape: Any = None,
    shape_at: dict[int, Any] | None = None, qt_ms: float = 400.0, seed: int = 0,
) -> Part:  # fmt: skip
    """(3, n) µV of a heart with these onsets of P and QRS, narrow ones or of this shape, in usual noise."""
    random, n = np.random.default_rng([seed, 9]), round(seconds * HZ)
    vector = np.zeros((3, n))
    atrium, usual = shapes.fitted_atrium(Atrium(), BUILD), shapes.fitted(shape or shapes.normal(92), BUILD)
    for at in p_s:
        waves.add_p(vector, HZ, float(at), atrium, 1.0)
    for place, at in enumerate(qrs_s):
        beat = shapes.fitted(shape_at[place], BUILD) if shape_at and place in shape_at else usual
        waves.add_qrs_t(vector, HZ, float(at), beat, qt_ms, 1.0)
    electrodes = leads.electrodes_from_vector(vector)
    electrodes += noise.electrode_noise(random, n, float(HZ), noise.ORDINARY)
    made: Part = np.asarray(leads.leads_from_electrodes(electrodes))[ROWS].astype(float)
    return made


def racing(bpm: float, seconds: float) -> Part:
    """(3, n) µV of one wave after the other, with no line between them."""
    t = np.arange(round(seconds * HZ)) / HZ
    wave = 900 * np.sin(2 * np.pi * bpm / 60 * t) + 200 * np.sin(4 * np.pi * bpm / 60 * t + 0.5)
    return np.array([[1.0], [-0.6], [0.8]]) * wave + _hiss(t.size)


def polymorphic(seconds: float) -> Part:
    """(3, n) µV of waves at 210/min whose shape becomes another over seconds without turning over."""
    t = np.arange(round(seconds * HZ)) / HZ
    phase, share = 2 * np.pi * 3.5 * t, 0.5 + 0.5 * np.cos(2 * np.pi * t / 5)
    one = (np.sin(phase) + 0.35 * np.sin(2 * phase + 0.5)) * share
    other = (0.4 * np.sin(phase + 1.1) - np.sin(2 * phase)) * (1 - share)
    across = np.linspace(0, 1.6, 12)[ROWS, None]
    return 600 * (np.cos(across) * one + np.sin(across) * other) + _hiss(t.size)


def torsades(seconds: float) -> Part:
    """(3, n) µV of waves that twist about the base line."""
    n = round(seconds * HZ)
    return twisting(np.random.default_rng(1), n, HZ)[ROWS] + _hiss(n)


def still(seconds: float) -> Part:
    """(3, n) µV of the amplifier alone."""
    return _hiss(round(seconds * HZ), 6.0)


def _hiss(n: int, size_uv: float = 10.0) -> Part:
    return np.random.default_rng(2).normal(0, size_uv, (3, n))


def two_shapes(seconds: float) -> Part:
    """(3, n) µV of two broad beats that take turns at 150/min."""
    at = np.arange(0.3, seconds - 0.2, 0.4)
    turns = {place: (shapes.lbbb(), shapes.ectopic_outflow())[place % 2] for place in range(at.size)}
    return drawn([], at, seconds, shape_at=turns, qt_ms=280.0)


def p_waves(seconds: float, step_s: float = 0.7, seed: int = 0) -> Part:
    """(3, n) µV of P waves alone."""
    return drawn(np.arange(0.2, seconds - 0.2, step_s), [], seconds, seed=seed)


def broad(bpm: float, seconds: float) -> Part:
    """(3, n) µV of broad beats without P waves."""
    return drawn([], np.arange(0.3, seconds - 0.3, 60 / bpm), seconds, shape=shapes.lbbb(), qt_ms=36_000 / bpm / 1.7)


def narrow(bpm: float, seconds: float) -> Part:
    """(3, n) µV of narrow beats without P waves."""
    return drawn([], np.arange(0.3, seconds - 0.2, 60 / bpm), seconds, qt_ms=min(400.0, 36_000 / bpm))


def within(*parts: Part) -> Recording:
    """A sinus rhythm with these parts in the middle."""
    return recording(heart(), *parts, heart(seconds=90, seed=4))


def irregular(seconds: float, bpm: float, long_s: float = 0.0, seed: int = 5) -> Part:
    """(3, n) µV of fibrillation's intervals without P waves, a long one in the middle."""
    random = np.random.default_rng(seed)
    rr = np.clip(60 / bpm * np.exp(0.2 * random.standard_normal(round(seconds * bpm / 60))), 0.25, 1.8)
    if long_s:
        rr[rr.size // 2] = long_s
    at = 0.3 + np.cumsum(rr)
    return drawn([], at[at < seconds - 0.4], seconds, qt_ms=260.0 if bpm > 150 else 340.0, seed=seed)


def faster(part: Part, times: float) -> Part:
    """The same heart, this much faster."""
    at = np.arange(0, part.shape[1] - 1, times)
    return np.array([np.interp(at, np.arange(part.shape[1]), lead) for lead in part])


def slow(bpm: float) -> Recording:
    """A sinus rhythm at this rate."""
    at = np.arange(0.5, 299, 60 / bpm)
    return recording(drawn(at - 0.16, at, 300.0, qt_ms=440.0))


def alternating() -> Recording:
    """T waves that are tall and low in turn for minutes."""
    at = np.arange(0.5, 599, 0.9)
    samples = drawn(at - 0.16, at, 600.0)
    t = np.arange(samples.shape[1]) / HZ
    for number, onset in enumerate(at):
        near = slice(*np.searchsorted(t, (onset, onset + 0.6)))
        bell = 110.0 * (-1) ** number * np.exp(-0.5 * ((t[near] - onset - 0.30) / 0.05) ** 2)
        samples[:, near] += np.array([[0.8], [0.4], [1.0]]) * bell
    return recording(samples)


def raised(uv: float, minutes: float = 6.0) -> Recording:
    """ST of II and V5 that rises or sinks for minutes."""
    at = np.arange(0.5, 1800, 0.85)
    samples = drawn(at - 0.16, at, 1801.0)
    t = np.arange(samples.shape[1]) / HZ
    for onset in at[(at > 900) & (at < 900 + 60 * minutes)]:
        near = slice(*np.searchsorted(t, (onset + 0.06, onset + 0.45)))
        since = t[near] - onset
        rise = np.clip(np.minimum((since - 0.06) / 0.03, (0.45 - since) / 0.20), 0, 1)
        samples[:, near] += np.array([[1.0], [0.3], [1.0]]) * uv * rise
    return recording(samples)


def early(step_s: float, every: int = 12) -> Recording:
    """A sinus rhythm in which a ventricular beat comes so long after a QRS, again and again."""
    p = np.arange(0.5, 300, 0.8)
    qrs, kept, shape_at = [], [], {}
    for place, at in enumerate(p):
        if place % every == 1 and place > every:
            continue  # the compensatory pause
        kept.append(at)
        qrs.append(at + 0.16)
        if place % every == 0 and place:
            shape_at[len(qrs)] = shapes.ectopic_outflow()
            qrs.append(at + 0.16 + step_s)
    return recording(drawn(kept, qrs, 301.0, shape_at=shape_at))


def slow_qt(qt_ms: float, *parts: Part) -> Recording:
    """A sinus rhythm with a long QT, and these parts behind it."""
    at = np.arange(0.5, 599, 1.0)
    return recording(drawn(at - 0.16, at, 600.0, qt_ms=qt_ms), *parts, heart(seconds=60, seed=4))


def paused(seconds: float) -> Recording:
    """A sinus rhythm that pauses so long, once."""
    first = np.arange(0.5, 120, 0.85)
    at = np.concatenate([first, np.arange(first[-1] + seconds, 240, 0.85)])
    return recording(drawn(at - 0.16, at, 241.0))


def high_grade() -> Recording:
    """Three P waves for each QRS."""
    p = np.arange(0.3, 299, 0.6)
    return recording(drawn(p, p[::3] + 0.16, 300.0))


EXAMPLES: Final[dict[str, Callable[[], Recording]]] = {
    "26b": lambda: paused(4.2),
    "26c": lambda: recording(heart(seconds=300), p_waves(60, 0.9, seed=2)),
    "50": lambda: recording(heart("atrial-fibrillation", 600, seed=3, rate_bpm=165)),
    "50c": lambda: recording(irregular(600, 80, long_s=5.3)),
    "50e": lambda: recording(
        heart(seconds=300), faster(heart("atrial-fibrillation", 300, rate_bpm=168), 1.25), heart(seconds=300, seed=4)
    ),
    "50f": lambda: recording(heart(seconds=300), irregular(300, 75, long_s=5.3), heart(seconds=300, seed=4)),
    "51": lambda: recording(heart("atrial-flutter", 300, seed=1)),
    "51a": lambda: recording(heart(seconds=300), heart("atrial-flutter", 300, seed=1), heart(seconds=300, seed=4)),
    "55a": lambda: within(narrow(205, 45)),
    "60g": lambda: early(0.30),
    "70": lambda: within(heart("ventricular-tachycardia", 45)),
    "71": lambda: within(heart("ventricular-tachycardia", 5, seed=4)),
    "72": lambda: within(polymorphic(10)),
    "73": lambda: within(torsades(8)),
    "73a": lambda: within(two_shapes(40)),
    "74b": lambda: within(heart("ventricular-fibrillation", 40)),
    "74c": lambda: within(racing(300, 20)),
    "76": lambda: recording(heart("ventricular-tachycardia", 300)),
    "84": lambda: recording(heart("av-block-mobitz-2", 300)),
    "85": lambda: recording(heart("av-block-2-1", 300)),
    "87": high_grade,
    "88": lambda: recording(heart("av-block-third", 300, rate_bpm=33)),
    "145e": lambda: raised(260.0),
    "145f": lambda: raised(-260.0),
    "147f": alternating,
    "148": lambda: slow_qt(600.0, heart("ventricular-tachycardia", 8)),
}  # fmt: skip
