"""When does each chamber beat?

A rhythm is a plan: onsets of P waves and of QRS complexes in seconds from the start of the recording, from before its
start until after its end, so that a recording begins in the middle of life.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gateway.simulate.leads import Float
from gateway.simulate.noise import band_noise

LEAD_IN_S: Final = 3.0
LEAD_OUT_S: Final = 1.5
MIN_RR_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Ventricular:
    """One QRS: when, which shape, and the RR interval before it (its QT follows that)."""

    onset_s: float
    shape: str
    rr_before_s: float


@dataclass(slots=True)
class Plan:
    """All events of one recording; ``f_wave`` and ``flutter`` are continuous atrial activity."""

    atrial_s: list[float] = field(default_factory=list)
    ventricular: list[Ventricular] = field(default_factory=list)
    pr_ms: float | None = None
    atrial_bpm: float | None = None


def sinus_rr(rng: np.random.Generator, rate_bpm: float, seconds: float, variability: float) -> Float:
    """RR intervals of a sinus node: breathing (0.25 Hz), Mayer waves (0.1 Hz) and slow drift, mean exactly as asked.

    Args:
        rng: source of chance.
        rate_bpm: the mean rate.
        seconds: how long the series has to be at least.
        variability: standard deviation over mean, e.g. 0.03 at rest.
    """
    mean = 60 / rate_bpm
    count = int(seconds / mean) + 4
    t = np.arange(count) * mean
    breath = np.sin(2 * np.pi * rng.uniform(0.2, 0.3) * t + rng.uniform(0, 2 * np.pi))
    mayer = np.sin(2 * np.pi * 0.1 * t + rng.uniform(0, 2 * np.pi))
    drift = np.cumsum(rng.standard_normal(count))
    drift -= np.linspace(drift[0], drift[-1], count)
    wave = 0.9 * breath + 0.5 * mayer + 0.15 * drift + 0.25 * rng.standard_normal(count)
    wave = (wave - wave.mean()) / max(float(wave.std()), 1e-9)
    rr: Float = np.maximum(MIN_RR_S, mean * (1 + variability * np.clip(wave, -2.2, 2.2)))
    return rr


def onsets(rng: np.random.Generator, rr_s: Float) -> Float:
    """Event times from intervals; the first lies ``LEAD_IN_S`` before the recording, with a random phase."""
    start = -LEAD_IN_S - rng.uniform(0, float(rr_s[0]))
    return start + np.concatenate([[0.0], np.cumsum(rr_s)])


def _span_s(duration_s: float) -> float:
    return LEAD_IN_S + duration_s + LEAD_OUT_S


def sinus(rng: np.random.Generator, duration_s: float, rate_bpm: float, pr_ms: float, variability: float) -> Plan:
    """Every P conducted after the same PR."""
    p = onsets(rng, sinus_rr(rng, rate_bpm, _span_s(duration_s), variability))
    return Plan(list(map(float, p)), conducted(p + pr_ms / 1000), pr_ms, rate_bpm)


def conducted(times: Float, shape: str = "normal") -> list[Ventricular]:
    """Ventricular events of one shape at these onsets."""
    gaps = np.diff(times, prepend=times[0] - (times[1] - times[0]))
    return [Ventricular(float(t), shape, float(rr)) for t, rr in zip(times, gaps, strict=True)]


def fibrillation(rng: np.random.Generator, duration_s: float, rate_bpm: float) -> Plan:
    """Irregularly irregular: independent, skewed RR intervals (lognormal, 24 % spread) and no P."""
    mean, spread = 60 / rate_bpm, 0.24
    count = int(_span_s(duration_s) / mean * 1.5) + 6
    rr = mean * np.exp(spread * rng.standard_normal(count) - spread**2 / 2)
    rr = np.clip(rr, max(0.30, 0.5 * mean), 2.0 * mean)
    return Plan(ventricular=conducted(onsets(rng, rr * (mean / rr.mean()))))


def flutter(rng: np.random.Generator, duration_s: float, atrial_bpm: float, ratio: int) -> Plan:
    """Fixed n:1 conduction: QRS locked to every n-th flutter wave."""
    rr = np.full(int(_span_s(duration_s) * atrial_bpm / 60 / ratio) + 3, ratio * 60 / atrial_bpm)
    rr *= 1 + 0.004 * rng.standard_normal(rr.size)
    return Plan(ventricular=conducted(onsets(rng, rr)), atrial_bpm=atrial_bpm)


def premature_beats(rng: np.random.Generator, duration_s: float, rate_bpm: float, pr_ms: float, every: int) -> Plan:
    """Sinus rhythm with a ventricular premature beat after each ``every`` sinus beats and a compensatory pause."""
    plan = sinus(rng, duration_s, rate_bpm, pr_ms, 0.02)
    mean = 60 / rate_bpm
    beats: list[Ventricular] = []
    first = int(rng.integers(0, every))
    for index, beat in enumerate(plan.ventricular):
        if (index + first) % (every + 1) == every and index:
            coupling = float(rng.normal(0.60, 0.012)) * mean
            onset = plan.ventricular[index - 1].onset_s + max(coupling, 0.40)
            beats.append(Ventricular(onset, "ectopic", onset - beats[-1].onset_s))
        else:
            before = beats[-1].onset_s if beats else beat.onset_s - mean
            beats.append(Ventricular(beat.onset_s, "normal", beat.onset_s - before))
    plan.ventricular = beats
    return plan


def dissociated(
    rng: np.random.Generator, duration_s: float, atrial_bpm: float, ventricular_bpm: float, shape: str
) -> Plan:
    """Atria and ventricles each in their own rhythm (third-degree block, ventricular tachycardia)."""
    p = onsets(rng, sinus_rr(rng, atrial_bpm, _span_s(duration_s), 0.02))
    rr = sinus_rr(rng, ventricular_bpm, _span_s(duration_s), 0.008)
    return Plan(list(map(float, p)), conducted(onsets(rng, rr), shape), None, atrial_bpm)


def second_degree(
    rng: np.random.Generator, duration_s: float, atrial_bpm: float, pr_ms: list[float], variability: float = 0.012
) -> Plan:
    """Second-degree AV block: one PR interval for each conducted P of a group, and after each group a P without QRS.

    Growing intervals are Wenckebach's, equal ones Mobitz II, a single one 2:1 block.
    """
    p = onsets(rng, sinus_rr(rng, atrial_bpm, _span_s(duration_s), variability))
    first = int(rng.integers(0, len(pr_ms) + 1))
    place = (np.arange(p.size) + first) % (len(pr_ms) + 1)
    conducts = place < len(pr_ms)
    times = p[conducts] + np.array(pr_ms)[place[conducts]] / 1000
    same = pr_ms[0] if len(set(pr_ms)) == 1 else None
    return Plan(list(map(float, p)), conducted(times), same, atrial_bpm)


def pause(rng: np.random.Generator, duration_s: float, rate_bpm: float, pr_ms: float, pause_s: float) -> Plan:
    """Sinus rhythm that stops once, for ``pause_s`` from QRS to QRS, wholly inside the recording."""
    if duration_s < pause_s + 2:
        raise ValueError(f"a pause of {pause_s:g} s needs a recording of at least {pause_s + 2:g} s")
    rr = sinus_rr(rng, rate_bpm, _span_s(duration_s), 0.025)
    p = onsets(rng, rr)
    latest = duration_s - pause_s - 0.5
    target = rng.uniform(min(1.2, latest * 0.5), min(3.0, latest))
    last = int(np.searchsorted(p + pr_ms / 1000, target, side="right")) - 1
    p[last + 1 :] += pause_s - (p[last + 1] - p[last])
    return Plan(list(map(float, p)), conducted(p + pr_ms / 1000), pr_ms, rate_bpm)


def add_f_waves(rng: np.random.Generator, vector: Float, hz: float) -> None:
    """Fibrillatory waves, largest in V1 and II: 6 Hz on average, wandering in rate, size and direction."""
    n = vector.shape[1]
    t = np.arange(n) / hz
    for base_hz, peak in ((6.1, (-0.028, 0.030, -0.062)), (7.3, (0.012, 0.024, -0.022))):
        wobble = np.cumsum(0.7 * band_noise(rng, n, hz, 0.05, 1.2)) / hz
        phase = 2 * np.pi * (base_hz * t + wobble) + rng.uniform(0, 2 * np.pi)
        size = 1 + 0.35 * band_noise(rng, n, hz, 0.1, 1.0)
        wave = np.clip(size, 0.3, 1.9) * (np.sin(phase) + 0.3 * np.sin(2 * phase + 0.8))
        vector += np.outer(peak, wave)


def add_flutter_waves(vector: Float, hz: float, plan: Plan) -> None:
    """Sawtooth F waves locked to the QRS: negative in II, III and aVF, positive in V1."""
    assert plan.atrial_bpm is not None
    cycle = 60 / plan.atrial_bpm
    t = np.arange(vector.shape[1]) / hz
    beats = np.array([beat.onset_s for beat in plan.ventricular])
    last = np.clip(np.searchsorted(beats, t, side="right") - 1, 0, beats.size - 2)
    length = beats[last + 1] - beats[last]
    waves = np.maximum(1, np.rint(length / cycle))
    phase = ((t - beats[last]) / length * waves + 0.35) % 1.0
    # a slow descent over 70 % of the cycle and a steeper return, rounded as the recorder's filter does
    saw = np.where(phase < 0.7, 1 - 2 * phase / 0.7, -1 + 2 * (phase - 0.7) / 0.3)
    kernel = np.hanning(max(3, int(0.035 * hz)))
    saw = np.convolve(saw, kernel / kernel.sum(), mode="same")
    vector += np.outer((-0.02, 0.14, 0.015), saw)
    bump = np.exp(-0.5 * ((phase - 0.86) / 0.11) ** 2)
    vector += np.outer((-0.02, 0.02, -0.09), bump - bump.mean())


def add_ventricular_fibrillation(rng: np.random.Generator, vector: Float, hz: float) -> None:
    """Chaos at 4 to 7 Hz, waxing and waning, turning in space; no QRS, no T."""
    n = vector.shape[1]
    t = np.arange(n) / hz
    for base_hz, size in ((4.6, 0.60), (5.7, 0.42), (6.8, 0.20)):
        wobble = np.cumsum(0.9 * band_noise(rng, n, hz, 0.05, 1.5)) / hz
        phase = 2 * np.pi * (base_hz * t + wobble) + rng.uniform(0, 2 * np.pi)
        envelope = np.clip(1 + 0.45 * band_noise(rng, n, hz, 0.1, 1.2), 0.2, 2.0)
        wave = size * envelope * (np.sin(phase) + 0.25 * np.sin(2 * phase + rng.uniform(0, 6)))
        turn = np.cumsum(0.5 * band_noise(rng, n, hz, 0.05, 0.6)) / hz * 2 * np.pi
        vector += wave * np.vstack([np.cos(turn) * 0.7, 0.7 * np.sin(turn + 0.7), 0.6 * np.sin(turn * 0.8)])
