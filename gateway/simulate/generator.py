"""How is one 12-lead ECG of ten seconds made, and what is true of it?

>>> ecg = generate("sinus", seed=7, rate_bpm=72)
>>> ecg.samples_uv.shape, round(ecg.truth.rate_bpm or 0)
((12, 5000), 72)
>>> bool((ecg.lead("III") == ecg.lead("II") - ecg.lead("I")).all())
True

The same arguments always give the same samples.
"""

import zlib
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from gateway.simulate import leads, noise, rhythms, shapes, waves
from gateway.simulate.leads import ELECTRODES, LEADS, Float, MicroVolts
from gateway.simulate.pathologies import Pathology, Rhythm, Scenario, scenario
from gateway.simulate.rhythms import Plan
from gateway.simulate.shapes import Build, Sex
from gateway.simulate.waves import Atrium, Beat

DEFAULT_HZ: Final = 500
DEFAULT_S: Final = 10.0
MAX_S: Final = 600.0
"""A resting ECG lasts seconds; ten minutes is the most that anyone has asked of one."""

QT_OWN_SHARE: Final = 0.3
"""QT follows the mean RR with a memory of minutes; only this share follows the single interval before the beat."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What the generator knows of its recording; None where there is no such thing."""

    pathology: Pathology
    rhythm: Rhythm
    statements: tuple[str, ...]
    critical: tuple[str, ...]
    quality: Literal["usable", "limited", "repeat"]
    suspected_reversal: str | None
    lost_leads: tuple[str, ...]
    beats_s: tuple[float, ...]
    """R peaks (longest vector) inside the recording."""
    beat_shapes: tuple[str, ...]
    """``normal`` or ``ectopic``, one for each of ``beats_s``."""
    p_onsets_s: tuple[float, ...]
    rate_bpm: float | None
    atrial_rate_bpm: float | None
    rr_mean_ms: float | None
    rr_max_ms: float | None
    p_ms: float | None
    pr_ms: float | None
    qrs_ms: float | None
    qt_ms: float | None
    qtc_ms: float | None
    """Bazett, from ``qt_ms`` and the prevailing (median) RR: a single pause does not shorten it."""
    st_j_mv: dict[str, float]
    """ST level at J of the prevailing beat without noise, by lead."""


@dataclass(frozen=True, slots=True)
class SimulatedEcg:
    """One recording: whole microvolts by lead, and the truth."""

    pathology: Pathology
    seed: int
    sampling_hz: int
    samples_uv: MicroVolts
    """Shape (12, n), rows in the order of :data:`gateway.simulate.leads.LEADS`."""
    truth: Truth
    sex: Sex
    age_years: int

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return float(self.samples_uv.shape[1]) / self.sampling_hz

    def lead(self, name: str) -> MicroVolts:
        """The samples of one lead, µV."""
        row: MicroVolts = self.samples_uv[LEADS.index(name)]
        return row


def generate(
    pathology: Pathology | str = Pathology.SINUS,
    *,
    seed: int = 0,
    duration_s: float = DEFAULT_S,
    sampling_hz: int = DEFAULT_HZ,
    rate_bpm: float | None = None,
    sex: Sex = "M",
    age_years: int = 55,
    noise_factor: float = 1.0,
) -> SimulatedEcg:
    """One deterministic 12-lead ECG.

    Args:
        pathology: a :class:`Pathology` or its name.
        seed: chooses the person's build and every chance of the recording.
        duration_s: length, up to :data:`MAX_S`.
        sampling_hz: 250 to 2000.
        rate_bpm: ventricular rate (mean); drawn from what is usual when None.
        sex: women have smaller voltages, shorter QRS and longer QTc.
        age_years: turns the axis left and lowers voltages with the years.
        noise_factor: 0 for none, 1 for what the pathology says.

    Raises:
        ValueError: for a name, rate, length or sampling rate that cannot be.
    """
    row = scenario(pathology)
    _check(row, duration_s, sampling_hz, rate_bpm, age_years, noise_factor)
    # one stream for the person, so that two recordings of one seed show one heart; one for this recording
    person = np.random.default_rng([seed, 1])
    rng = np.random.default_rng([seed, 2, zlib.crc32(row.pathology.encode())])
    build = shapes.build_of(person, sex, age_years)
    drawn_bpm = float(rng.uniform(*row.usual_bpm))
    plan = row.plan(rng, duration_s, drawn_bpm if rate_bpm is None else rate_bpm, build)
    heart = _Heart(row, build, plan, duration_s)
    samples = round(duration_s * sampling_hz)
    electrodes = leads.electrodes_from_vector(heart.vector(rng, samples, float(sampling_hz)))
    electrodes += noise.electrode_noise(rng, samples, float(sampling_hz), row.noise.scaled(noise_factor))
    samples_uv = _recorded(row, rng, electrodes, float(sampling_hz))
    samples_uv.setflags(write=False)
    return SimulatedEcg(row.pathology, seed, sampling_hz, samples_uv, heart.truth(), sex, age_years)


def _check(row: Scenario, duration_s: float, hz: int, bpm: float | None, age_years: int, noise_factor: float) -> None:
    if not row.min_duration_s <= duration_s <= MAX_S:
        raise ValueError(
            f"{row.pathology}: a recording lasts {row.min_duration_s:g} to {MAX_S:g} s, not {duration_s:g}"
        )
    if not 250 <= hz <= 2000:
        raise ValueError(f"sampling rate {hz} Hz: choose 250 to 2000")
    low, high = row.possible_bpm
    if bpm is not None and not low <= bpm <= high:
        raise ValueError(f"{row.pathology}: a rate of {bpm:g}/min is not possible; choose {low:g} to {high:g}")
    if not 16 <= age_years <= 110:
        raise ValueError(f"age {age_years}: the heart model is of adults, 16 to 110 years")
    if not 0 <= noise_factor <= 10:
        raise ValueError(f"noise factor {noise_factor:g}: choose 0 to 10")


def _recorded(row: Scenario, rng: np.random.Generator, electrodes: Float, hz: float) -> MicroVolts:
    """What the recorder stores: cables swapped, electrodes lost, then twelve leads."""
    if row.swapped:
        electrodes = leads.swap(electrodes, *row.swapped)
    if row.lost_electrode in {"RA", "LA", "LL"}:
        n = electrodes.shape[1]
        t = np.arange(n) / hz
        drift = 1.1 * noise.band_noise(rng, n, hz, 0.05, 0.4) + 0.10 * noise.band_noise(rng, n, hz, 1, 120)
        hum = 0.45 * (1 + 0.3 * noise.band_noise(rng, n, hz, 0.1, 1.0)) * np.sin(2 * np.pi * noise.MAINS_HZ * t)
        electrodes[ELECTRODES.index(row.lost_electrode)] = drift + hum
    samples = leads.leads_from_electrodes(electrodes)
    if row.lost_electrode and row.lost_electrode not in {"RA", "LA", "LL"}:
        samples[LEADS.index(row.lost_electrode)] = 0  # a recorder that knows of a lost chest electrode stores zero
    return samples


class _Heart:
    """One heart during one recording."""

    def __init__(self, row: Scenario, build: Build, plan: Plan, duration_s: float) -> None:
        self.row, self.build, self.plan, self.duration_s = row, build, plan, duration_s
        self.beats = {name: shapes.fitted(beat, build) for name, beat in row.beats(build).items()}
        self.atrium = shapes.fitted_atrium(Atrium(), build)
        inside = [beat for beat in plan.ventricular if 0 <= self._peak_s(beat) < duration_s]
        self.inside = inside
        rr = np.diff([self._peak_s(beat) for beat in inside])
        self.rr_s = rr
        self.mean_rr_s = float(rr.mean()) if rr.size else 1.0
        # after a pause QT still follows the rate before it: the median is what QT remembers
        self.qt_rr_s = float(np.median(rr)) if rr.size else 1.0

    def vector(self, rng: np.random.Generator, samples: int, hz: float) -> Float:
        """The heart vector during the recording, mV, shape (3, samples)."""
        vector = np.zeros((3, samples))
        breath_hz, phase = rng.uniform(0.2, 0.3), rng.uniform(0, 2 * np.pi)
        for beat in self.plan.ventricular:
            gain = 1 + 0.035 * np.sin(2 * np.pi * breath_hz * beat.onset_s + phase) + 0.01 * rng.standard_normal()
            waves.add_qrs_t(vector, hz, beat.onset_s, self.beats[beat.shape], self.qt_ms(beat), float(gain))
        for onset_s in self.plan.atrial_s:
            waves.add_p(vector, hz, onset_s, self.atrium, float(1 + 0.03 * rng.standard_normal()))
        if self.row.continuous == "f_waves":
            rhythms.add_f_waves(rng, vector, hz)
        elif self.row.continuous == "flutter":
            rhythms.add_flutter_waves(vector, hz, self.plan)
        elif self.row.continuous == "ventricular_fibrillation":
            rhythms.add_ventricular_fibrillation(rng, vector, hz)
        return vector

    def qt_ms(self, beat: rhythms.Ventricular | None = None) -> float:
        """QT of one beat, or of the prevailing beat, by Fridericia's cube root; broad QRS add to it."""
        own = self.qt_rr_s if beat is None else float(np.clip(beat.rr_before_s, 0.3, 2.0))
        rr = QT_OWN_SHARE * own + (1 - QT_OWN_SHARE) * self.qt_rr_s
        shape: Beat = self.beats[self.row.main_shape if beat is None else beat.shape]
        qtc = self.row.qtc_ms or self.build.qtc_ms
        return float(qtc * np.cbrt(rr) + 0.6 * max(0.0, shape.qrs_ms - 110))

    def truth(self) -> Truth:
        """What is true of this recording."""
        row, beating = self.row, bool(self.inside)
        has_p = bool(self.plan.atrial_s)
        qt_ms = self.qt_ms() if beating else None
        return Truth(
            pathology=row.pathology,
            rhythm=row.rhythm,
            statements=row.statements,
            critical=row.critical,
            quality=row.quality,
            suspected_reversal="/".join(row.swapped) if row.swapped else None,
            lost_leads=row.lost_leads,
            beats_s=tuple(round(self._peak_s(beat), 4) for beat in self.inside),
            beat_shapes=tuple(beat.shape for beat in self.inside),
            p_onsets_s=tuple(round(p, 4) for p in self.plan.atrial_s if 0 <= p < self.duration_s),
            rate_bpm=_rounded(60 / self.mean_rr_s if beating else None),
            atrial_rate_bpm=_rounded(self.plan.atrial_bpm),
            rr_mean_ms=_rounded(self.mean_rr_s * 1000 if beating else None),
            rr_max_ms=_rounded(float(self.rr_s.max()) * 1000 if self.rr_s.size else None),
            p_ms=_rounded(self.atrium.p_ms if has_p else None),
            pr_ms=_rounded(self.plan.pr_ms),
            qrs_ms=_rounded(self.beats[row.main_shape].qrs_ms if beating else None),
            qt_ms=_rounded(qt_ms),
            qtc_ms=_rounded(qt_ms / float(np.sqrt(self.qt_rr_s)) if qt_ms is not None else None),
            st_j_mv=self._st_j_mv() if beating else {},
        )

    def _peak_s(self, beat: rhythms.Ventricular) -> float:
        return beat.onset_s + waves.r_peak_ms(self.beats[beat.shape]) / 1000

    def _st_j_mv(self) -> dict[str, float]:
        beat, hz = self.beats[self.row.main_shape], 1000.0
        vector = np.zeros((3, 1000))
        waves.add_qrs_t(vector, hz, 0.1, beat, self.qt_ms())
        at = 100 + round(beat.qrs_ms)
        levels = leads.leads_from_electrodes(leads.electrodes_from_vector(vector[:, at : at + 1]))[:, 0]
        return {name: float(level) / 1000 for name, level in zip(LEADS, levels, strict=True)}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


__all__ = ["DEFAULT_HZ", "DEFAULT_S", "LEADS", "SimulatedEcg", "Truth", "generate"]
