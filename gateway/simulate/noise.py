"""What disturbs a recording at a clinic, and how much?

Noise is added per electrode, so that it leaks into the leads as in life: limb noise reaches the chest leads through
Wilson's central terminal. Spectra: baseline wander below 0.5 Hz (breathing, skin), muscle 20 to 150 Hz, mains 50 Hz
with its third harmonic.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway.simulate.leads import ELECTRODES, Float

MAINS_HZ: Final = 50.0


@dataclass(frozen=True, slots=True)
class NoiseLevel:
    """Amplitudes in µV: wander and mains as peak, muscle as rms."""

    wander_uv: float
    muscle_uv: float
    mains_uv: float

    def scaled(self, factor: float) -> "NoiseLevel":
        """The same mixture, louder or quieter."""
        return NoiseLevel(self.wander_uv * factor, self.muscle_uv * factor, self.mains_uv * factor)


NONE: Final = NoiseLevel(0, 0, 0)
ORDINARY: Final = NoiseLevel(wander_uv=35, muscle_uv=4.5, mains_uv=3)
HEAVY: Final = NoiseLevel(wander_uv=1600, muscle_uv=280, mains_uv=220)
"""What a restless, cold patient with dry electrodes beside a bad cable gives: not to be read."""


def electrode_noise(rng: np.random.Generator, samples: int, hz: float, level: NoiseLevel) -> Float:
    """Noise of every electrode, mV, shape (9, samples)."""
    breath_hz, mains_phase = rng.uniform(0.18, 0.32), rng.uniform(0, 2 * np.pi)
    return np.vstack([_one_electrode(rng, samples, hz, level, breath_hz, mains_phase) for _ in ELECTRODES]) / 1000


def _one_electrode(
    rng: np.random.Generator, samples: int, hz: float, level: NoiseLevel, breath_hz: float, mains_phase: float
) -> Float:
    t = np.arange(samples) / hz
    breath = rng.uniform(0.2, 0.6) * np.sin(2 * np.pi * breath_hz * t + rng.uniform(0, 2 * np.pi))
    wander = level.wander_uv * (breath + 0.5 * band_noise(rng, samples, hz, 0.05, 0.6))
    muscle = level.muscle_uv * band_noise(rng, samples, hz, 20, 150)
    phase = mains_phase + rng.normal(0, 0.3)
    mains = np.sin(2 * np.pi * MAINS_HZ * t + phase)
    if hz > 6 * MAINS_HZ:
        mains += 0.15 * np.sin(2 * np.pi * 3 * MAINS_HZ * t + 3 * phase)
    return wander + muscle + level.mains_uv * rng.uniform(0.3, 1.0) * mains


def band_noise(rng: np.random.Generator, samples: int, hz: float, low_hz: float, high_hz: float) -> Float:
    """Gaussian noise of unit rms within a band, shape (samples,)."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / hz)
    spectrum[(frequency < low_hz) | (frequency > high_hz)] = 0
    noise = np.fft.irfft(spectrum, samples)
    rms = float(np.sqrt(np.mean(noise**2)))
    return noise / rms if rms > 0 else noise
