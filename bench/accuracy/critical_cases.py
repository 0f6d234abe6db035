"""Both sides of the critical values that can be made: the same heart just beyond a limit and just short of it.

Rates and intervals are moved by naming another sampling rate: the same samples read faster are a faster heart. What a
rule asks of shape (infarction, ischaemia, potassium, embolism) is in :mod:`bench.accuracy.critical_shapes`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.generator import LEADS, generate
from worker.recording import Recording

STANDSTILL_NOISE_UV: Final = 6.0
TORSADES_HZ: Final = 3.8
TORSADES_TURN_S: Final = 4.2
TORSADES_EDGE_S: Final = 0.3
FLAT_EDGE_S: Final = 0.15

Floats = NDArray[np.float64]


class Case(NamedTuple):
    """A recording and what must come of it; ``rule`` may be one of several, parted by ``|``."""

    name: str
    rule: str
    fires: bool
    recording: Recording


def as_recording(ecg: Any) -> Recording:
    """A generated ECG as a recording."""
    made = of_samples(np.asarray(ecg.samples_uv), float(ecg.sampling_hz))
    return replace(made, identity=RecordingIdentity(sex=ecg.sex, age_years=ecg.age_years))


def of_samples(samples_uv: Any, hz: float) -> Recording:
    """(12, n) µV as a recording."""
    samples = np.asarray(np.rint(samples_uv), np.int16)
    return Recording("simulated", "resting", LEADS, samples, np.ones(len(samples)), np.zeros(len(samples)), hz)


def cases(seed: int) -> Iterator[Case]:
    """Every pair, of one person."""
    who: Any = {"seed": seed, "sex": "MF"[seed % 2], "age_years": 30 + 5 * (seed % 10)}
    for bpm, fires in ((152.0, True), (147.0, False)):
        ecg = generate("ventricular-tachycardia", rate_bpm=bpm, **who)
        yield Case(f"VT at {bpm:g}/min", "ventricular_tachycardia", fires, as_recording(ecg))
    for bpm, fires in ((34.0, True), (36.5, False)):
        # long enough that the mean of its intervals is the rate asked for
        ecg = generate("av-block-third", rate_bpm=bpm, duration_s=20, **who)
        yield Case(f"complete block at {bpm:g}/min", "bradycardia", fires, as_recording(ecg))
    tachycardia = generate("sinus-tachycardia", rate_bpm=150, duration_s=15, **who)
    for bpm, fires in ((206.0, True), (193.0, False)):
        yield Case(f"narrow at {bpm:g}/min", "supraventricular_tachycardia", fires, faster(tachycardia, bpm / 150))
    sinus = generate("sinus-bradycardia", rate_bpm=44, **who)
    for bpm, fires in ((33.5, True), (37.0, False)):
        yield Case(f"sinus at {bpm:g}/min", "bradycardia", fires, faster(sinus, bpm / 44))
    for name, fires in (("pause-5s", True), ("pause-3s", False)):
        yield Case(name, "long_rr", fires, as_recording(generate(name, **who)))
    for length_s, fires in ((5.6, True), (4.3, False)):
        yield Case(f"standstill of {length_s:g} s", "long_rr", fires, standstill(seed, length_s))
    long_qt = generate("long-qt", duration_s=12, **who)
    for qtc_ms, fires in ((610.0, True), (515.0, False)):
        ratio = (long_qt.truth.qtc_ms or 500.0) / qtc_ms  # Bazett: time stretched by k makes QTc √k longer
        yield Case(f"QTc {qtc_ms:g} ms", "qtc_long", fires, faster(long_qt, ratio**2))
    for name, fires in (("ventricular-fibrillation", True), ("noise", False), ("atrial-flutter", False)):
        yield Case(name, "ventricular_fibrillation", fires, as_recording(generate(name, **who)))
    twisting = "polymorphic_ventricular_tachycardia"
    yield Case("torsades", twisting, True, torsades(seed))
    yield Case("torsades of 4 s after a long QT", twisting, True, torsades_run(seed, 4.0))
    yield Case("torsades of 3.6 s after a long QT", twisting, True, torsades_run(seed, 3.6))
    yield Case("tachycardia of two forms in turn", twisting, True, in_turn(seed))
    yield Case("flutter at 300/min", "ventricular_fibrillation", True, racing(seed, 300.0))
    yield Case("one shape at 260/min", "ventricular_tachycardia", True, racing(seed, 260.0))
    yield Case("one shape at 240/min is no flutter", "ventricular_fibrillation", False, racing(seed, 240.0))
    for name in ("ventricular-tachycardia", "ventricular-fibrillation", "long-qt", "atrial-flutter"):
        yield Case(f"{name} is no torsades", twisting, False, as_recording(generate(name, **who)))
    for name, rule in (
        ("stemi-anterior", "acute_myocardial_infarction"),
        ("stemi-inferior", "acute_myocardial_infarction"),
    ):
        yield Case(name, rule, True, as_recording(generate(name, **who)))
    yield Case(
        "early beats", "r_on_t|ventricular_tachycardia", False, as_recording(generate("ventricular-premature", **who))
    )


def faster(ecg: Any, ratio: float) -> Recording:
    """The same samples as of a heart this much faster."""
    whole = as_recording(ecg)
    return replace(whole, sampling_hz=whole.sampling_hz * ratio)


def standstill(seed: int, length_s: float) -> Recording:
    """A sinus rhythm that stops, to the end of ten seconds, with nothing but the amplifier's noise."""
    ecg = generate("sinus", seed=seed, rate_bpm=70)
    rng, hz = np.random.default_rng(seed), ecg.sampling_hz
    last = max(at for at in ecg.truth.beats_s if at < ecg.duration_s - length_s + 0.4)
    stop = round((last + length_s) * hz)
    samples = np.concatenate([ecg.samples_uv, ecg.samples_uv[:, -hz:]], axis=1)[:, :stop].astype(float)
    after = round((last + 0.5) * hz)
    level = samples[:, after, None] * np.exp(-np.arange(stop - after) / (FLAT_EDGE_S * hz))
    samples[:, after:] = level + rng.normal(0, STANDSTILL_NOISE_UV, (len(samples), stop - after))
    return of_samples(samples, float(hz))


def torsades(seed: int) -> Recording:
    """Ten seconds of nothing but :func:`twisting`."""
    rng, hz = np.random.default_rng(seed), 500
    return of_samples(twisting(rng, 10 * hz, hz) + rng.normal(0, 10, (12, 10 * hz)), float(hz))


def twisting(rng: np.random.Generator, n: int, hz: int) -> Floats:
    """(12, n) µV of waves at 230/min whose axis turns: the peaks point up, then down (Dessertenne 1966)."""
    seconds = np.arange(n) / hz
    rate = TORSADES_HZ * (1 + 0.04 * rng.standard_normal(n // hz + 1)).repeat(hz)[:n]
    phase = 2 * np.pi * np.cumsum(rate) / hz
    wave = np.sin(phase) + 0.3 * np.sin(2 * phase + 0.6)
    turn = 2 * np.pi * seconds / TORSADES_TURN_S + rng.uniform(0, 2 * np.pi)
    return _leads(900 * wave * np.cos(turn), 900 * wave * np.sin(turn))


def _leads(one: Floats, two: Floats) -> Floats:
    """(12, n) of two leads that stand across each other."""
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    return np.array([*limb, *(one * np.cos(angle) + two * np.sin(angle) for angle in np.linspace(1.6, 0, 6))])


def torsades_run(seed: int, length_s: float) -> Recording:
    """A sinus rhythm with a long QT in which an early beat on T begins a run of torsades, which ends by itself."""
    ecg = generate("long-qt", seed=seed, rate_bpm=60, sex="F", age_years=50)
    rng, hz = np.random.default_rng(seed), ecg.sampling_hz
    first = round((ecg.truth.beats_s[3] + 0.36) * hz)
    n = min(round(length_s * hz), ecg.samples_uv.shape[1] - first)
    seconds = np.arange(n) / hz
    rises = np.minimum(1.0, np.minimum(seconds, seconds[::-1]) / TORSADES_EDGE_S)
    samples = ecg.samples_uv.astype(float)
    samples[:, first : first + n] *= 1 - rises
    samples[:, first : first + n] += twisting(rng, n, hz) * rises
    return of_samples(samples, float(hz))


def racing(seed: int, bpm: float) -> Recording:
    """Ten seconds of one wave after the other with no line between them, as of a tachycardia or of flutter."""
    rng, hz, n = np.random.default_rng(seed), 500, 5000
    rate = bpm / 60 * (1 + 0.006 * rng.standard_normal(n // 100 + 1)).repeat(100)[:n]
    phase = 2 * np.pi * np.cumsum(rate) / hz
    one, two = np.sin(phase + 0.5) + 0.2 * np.sin(2 * phase + 1.5), np.sin(phase) + 0.25 * np.sin(2 * phase + 0.7)
    return of_samples(_leads(550 * one, 1100 * two) + rng.normal(0, 10, (12, n)), float(hz))


def in_turn(seed: int) -> Recording:
    """A bidirectional tachycardia at 150/min: two broad beats in turn, one axis to the left and up, one right and down,
    both positive in V1 as such beats are."""
    rng, hz, n = np.random.default_rng(seed), 500, 5000
    seconds = np.arange(n) / hz
    every, turned = np.zeros(n), np.zeros(n)
    for number, at in enumerate(np.arange(0.15, 10, 0.4) + rng.normal(0, 0.004, 25)):
        beat = np.exp(-0.5 * ((seconds - at) / 0.026) ** 2) - 0.4 * np.exp(-0.5 * ((seconds - at - 0.07) / 0.026) ** 2)
        beat -= 0.25 * np.exp(-0.5 * ((seconds - at - 0.2) / 0.04) ** 2)
        every, turned = every + beat, turned + beat * (1 if number % 2 else -1)
    samples = _leads(150 * every, 1000 * turned)
    samples[6:] = [(900 - 250 * place) * every + 200 * turned for place in range(6)]
    return of_samples(samples + rng.normal(0, 10, (12, n)), float(hz))
