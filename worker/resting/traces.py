"""In which forms does the analysis need the signal? Made once, from one Fourier transform."""

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from worker.recording import Recording
from worker.signal.filters import Floats, Spectrum, notch, to_working_rate
from worker.signal.spikes import blank, find_spikes

MAX_S: Final = 60.0
"""A resting ECG is read from its first minute; what is longer belongs to the Holter analysis."""
CLEAN_HZ: Final = (0.5, 120.0)
"""Measurements: 0.5 Hz without phase shift leaves ST alone (doi:10.1016/j.jacc.2007.01.024, section high-pass)."""
SHAPE_HZ: Final = (1.0, 40.0)
"""Comparison of beats."""
MAINS_HZ: Final = (50.0, 60.0)
MAINS_STANDS_OUT: Final = 4.0
MAINS_NEAR_HZ: Final = 0.6
MAINS_PEAK_HZ: Final = 0.15
MAINS_WIDTH_HZ: Final = 0.4
"""A grid's frequency is off by up to 0.2 Hz but keeps still for ten seconds: the gap stands where the mains are and is
narrow, for a wide one takes so much of a narrow QRS that its echo before it looks like a Q of 50 µV."""
MIN_SPIKES: Final = 3
KEPT_BYTES: Final = (32 << 20) - 65536
"""glibc keeps freed blocks up to the size of the largest that it was given back, 32 MB at the most (mallopt(3),
M_MMAP_THRESHOLD); before, each array of 12 leads is fetched from the system page by page, a fifth of the pre-read."""


@dataclass(frozen=True, eq=False)
class Traces:
    """The recording at the working rate.

    Attributes:
        raw: (n_leads, n) µV as recorded, gaps bridged.
        clean, shape: (n_leads, n) µV in their bands, pacing spikes and mains removed.
        covered: (n_leads,) share of the samples that were measured.
        mains_hz: the mains frequency that was found and removed, else None.
        mains_uv: (n_leads,) amplitude of the mains.
        spikes_s: pacing spikes in seconds.
    """

    leads: tuple[str, ...]
    hz: float
    raw: Floats
    clean: Floats
    shape: Floats
    spectrum: Spectrum
    covered: Floats
    mains_hz: float | None
    mains_uv: Floats
    spikes_s: list[float]

    @property
    def duration_s(self) -> float:
        """Seconds analysed."""
        return float(self.raw.shape[1] / self.hz)

    def row(self, lead: str) -> int | None:
        """The lead's row; None where the recording has no such lead."""
        return self.leads.index(lead) if lead in self.leads else None


@cache
def _keep_freed_memory() -> None:
    """Once in a process: give back a block of this size, which was never touched and so never took memory."""
    np.empty(KEPT_BYTES, np.uint8)


def prepare(recording: Recording) -> Traces:
    """The first minute of the recording in all forms."""
    _keep_freed_memory()
    n = min(recording.n_samples, round(MAX_S * recording.sampling_hz))
    raw = recording.microvolts(0, n)
    covered = _bridge_gaps(recording, raw)
    spikes = find_spikes(raw, recording.sampling_hz)
    spikes = spikes if len(spikes) >= MIN_SPIKES else []
    raw, hz = to_working_rate(blank(raw, recording.sampling_hz, spikes), recording.sampling_hz)
    spectrum = Spectrum(raw, hz)
    mains_hz, mains_uv = _mains(spectrum)
    clean = spectrum.passing(*CLEAN_HZ)
    if mains_hz is not None:
        clean = clean * notch(spectrum.frequencies, _centre(spectrum, mains_hz), MAINS_WIDTH_HZ)
    return Traces(
        leads=recording.leads,
        hz=hz,
        raw=raw,
        clean=spectrum.band(clean),
        shape=spectrum.band(spectrum.passing(*SHAPE_HZ)),
        spectrum=spectrum,
        covered=covered,
        mains_hz=mains_hz,
        mains_uv=mains_uv,
        spikes_s=[at / recording.sampling_hz for at in spikes],
    )


def _bridge_gaps(recording: Recording, raw: Floats) -> Floats:
    """Straight lines over the gaps, in place; (n_leads,) share of the samples that were measured."""
    n = raw.shape[1]
    covered = np.ones(len(recording.leads))
    for gap in recording.gaps:
        start, stop = min(gap.start, n), min(gap.stop, n)
        for lead in gap.leads:
            row = recording.row(lead)
            left = raw[row, start - 1] if start > 0 else (raw[row, stop] if stop < n else 0.0)
            right = raw[row, stop] if stop < n else left
            raw[row, start:stop] = np.linspace(left, right, stop - start)
            covered[row] -= (stop - start) / n
    return covered


def _mains(spectrum: Spectrum) -> tuple[float | None, Floats]:
    """The mains frequency where it stands out in any lead, and its amplitude in each lead, µV."""
    n_near = int(np.searchsorted(spectrum.frequencies, MAINS_HZ[-1] + 5))
    frequencies, power = spectrum.frequencies[:n_near], np.abs(spectrum.values[:, :n_near]) ** 2
    best: tuple[float, float] | None = None
    amplitude = np.zeros(power.shape[0])
    for mains in MAINS_HZ:
        if mains + 5 > spectrum.hz / 2:
            continue
        at = np.abs(frequencies - mains) < MAINS_NEAR_HZ
        beside = (np.abs(frequencies - mains) > 1.5) & (np.abs(frequencies - mains) < 5)
        excess = power[:, at].mean(axis=1) / np.maximum(power[:, beside].mean(axis=1), 1e-9)
        if excess.max() > MAINS_STANDS_OUT and (best is None or excess.max() > best[1]):
            best = (mains, float(excess.max()))
            energy = np.maximum(power[:, at].sum(axis=1) - power[:, beside].mean(axis=1) * at.sum(), 0)
            amplitude = 2 * np.sqrt(energy) / spectrum.length * np.sqrt(spectrum.length / spectrum.n_samples)
    return (best[0] if best else None), amplitude


def _centre(spectrum: Spectrum, mains_hz: float) -> float:
    """Where the mains really are near their nominal frequency, Hz."""
    near = np.flatnonzero(np.abs(spectrum.frequencies - mains_hz) < MAINS_NEAR_HZ)
    power = (np.abs(spectrum.values[:, near]) ** 2).sum(axis=0)
    frequencies = spectrum.frequencies[near]
    peak = np.abs(frequencies - frequencies[int(np.argmax(power))]) <= MAINS_PEAK_HZ
    return float((frequencies[peak] * power[peak]).sum() / power[peak].sum())
