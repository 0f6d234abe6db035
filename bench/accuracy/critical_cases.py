"""Both sides of the critical values that can be made: the same heart just beyond a limit and just short of it.

Rates and intervals are moved by naming another sampling rate: the same samples read faster are a faster heart. What a
rule asks of shape (potassium, embolism, alternans, infarction) is made in the tests of the statement itself.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from ecg_center.contract.upload import RecordingIdentity
from gateway.simulate.generator import LEADS, generate
from worker.recording import Recording

STANDSTILL_NOISE_UV: Final = 6.0
TORSADES_HZ: Final = 3.8
TORSADES_TURN_S: Final = 4.2
FLAT_EDGE_S: Final = 0.15


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
    yield Case("torsades", "ventricular_fibrillation|polymorphic_ventricular_tachycardia", True, torsades(seed))
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
    """Waves at 230/min whose axis turns: the peaks point up, then down (Dessertenne 1966)."""
    rng, hz = np.random.default_rng(seed), 500
    seconds = np.arange(10 * hz) / hz
    phase = (
        2
        * np.pi
        * np.cumsum(TORSADES_HZ * (1 + 0.04 * rng.standard_normal(seconds.size // hz + 1)).repeat(hz)[: seconds.size])
        / hz
    )
    wave = np.sin(phase) + 0.3 * np.sin(2 * phase + 0.6)
    turn = 2 * np.pi * seconds / TORSADES_TURN_S + rng.uniform(0, 2 * np.pi)
    one, two = 900 * wave * np.cos(turn), 900 * wave * np.sin(turn)
    limb = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    chest = [one * np.cos(angle) + two * np.sin(angle) for angle in np.linspace(1.6, 0, 6)]
    return of_samples(np.array([*limb, *chest]) + rng.normal(0, 10, (12, seconds.size)), float(hz))
