"""What did a device measure? One form for all of them, exact to the last bit.

Samples stay the integers that the device wrote; microvolts are computed when asked for. A reader in
:mod:`worker.formats` makes a :class:`Recording`; everything behind it (analysis, storage, conversion) knows only this.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.upload import RecordingIdentity
from worker import leads as lead_names
from worker.mapped import BLOCK_SAMPLES, forget

Kind = Literal["resting", "holter", "abpm"]
Samples = NDArray[np.int16] | NDArray[np.int32]
Floats = NDArray[np.float64]

INT16_MAX: Final = 32767
MAX_LEADS: Final = 64
MIN_SAMPLING_HZ: Final = 20.0
MAX_SAMPLING_HZ: Final = 64_000.0
"""From the slowest rate that any ECG format in the field uses for a trend lead to the fastest pacing-spike channel."""
MAX_WARNINGS: Final = 100
MAX_WARNING: Final = 600
"""Characters; what a file says of itself may be as long as the file."""


def told(warnings: tuple[str, ...]) -> tuple[str, ...]:
    """The warnings as far as a person reads them: each once, none too long, the rest counted.

    >>> told(("a", "a", "b"))
    ('a', 'b')
    """
    each = tuple(dict.fromkeys(one if len(one) <= MAX_WARNING else f"{one[: MAX_WARNING - 1]}…" for one in warnings))
    if len(each) <= MAX_WARNINGS:
        return each
    return (*each[: MAX_WARNINGS - 1], f"{len(each) - MAX_WARNINGS + 1} further warnings are not shown")


@dataclass(frozen=True, slots=True)
class Device:
    """The machine and who stood beside it, as the file says."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    software: str = ""
    station: str = ""
    institution: str = ""
    technician: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the device did to the signal before it wrote it; None where the file does not say."""

    highpass_hz: float | None = None
    lowpass_hz: float | None = None
    notch_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples ``start`` up to but not including ``stop`` of these leads were not measured."""

    start: int
    stop: int
    leads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mark that the device set in the signal, e.g. ``QRS onset`` at 1.325 s."""

    label: str
    start_s: float
    end_s: float | None = None


@dataclass(frozen=True, eq=False)
class MedianBeat:
    """The device's own representative beat, one row a lead."""

    leads: tuple[str, ...]
    digital: Samples
    uv_per_lsb: Floats
    baseline: Floats
    sampling_hz: float


@dataclass(frozen=True, eq=False)
class Recording:
    """One recording of one patient. Never changed once made: its arrays are read-only.

    Attributes:
        digital: (n_leads, n_samples) integers as written by the device.
        uv_per_lsb: (n_leads,) microvolts of one step.
        baseline: (n_leads,) the digital value that stands for 0 µV.
        derived: leads that the file does not hold and that were computed from I and II.
        started_at: start by the device's clock, with a time zone.
        calibrated: False where the file does not say how large a step is; then no amplitude may be used.
        device_measurements: by our names where there is one (``qrs_ms``), else by the device's words.
        warnings: what had to be repaired or could not be used, in plain English.
    """

    format: str
    kind: Kind
    leads: tuple[str, ...]
    digital: Samples
    uv_per_lsb: Floats
    baseline: Floats
    sampling_hz: float
    started_at: datetime | None = None
    derived: frozenset[str] = frozenset()
    calibrated: bool = True
    identity: RecordingIdentity = field(default_factory=RecordingIdentity)
    device: Device = Device()
    filters: Filters = Filters()
    gaps: tuple[Gap, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    median_beat: MedianBeat | None = None
    device_measurements: Mapping[str, float] = field(default_factory=dict)
    device_statements: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n_leads = len(self.leads)
        if self.digital.ndim != 2 or self.digital.shape[0] != n_leads:
            raise ValueError(f"samples of shape {self.digital.shape} do not fit {n_leads} leads")
        if self.digital.dtype not in (np.int16, np.int32):
            raise ValueError(f"samples are int16 or int32, not {self.digital.dtype}")
        if len(set(self.leads)) != n_leads or n_leads > MAX_LEADS:
            raise ValueError(f"lead names must be unique and at most {MAX_LEADS}: {self.leads}")
        if self.uv_per_lsb.shape != (n_leads,) or self.baseline.shape != (n_leads,):
            raise ValueError("one scale and one baseline a lead")
        if not (np.isfinite(self.uv_per_lsb).all() and np.isfinite(self.baseline).all() and self.uv_per_lsb.all()):
            raise ValueError("scales are finite and not zero")
        if not MIN_SAMPLING_HZ <= self.sampling_hz <= MAX_SAMPLING_HZ:
            raise ValueError(f"a sampling rate of {self.sampling_hz} Hz is outside what recorders do")
        if self.started_at is not None and self.started_at.tzinfo is None:
            raise ValueError("the start carries its time zone")
        for array in (self.digital, self.uv_per_lsb, self.baseline):
            array.setflags(write=False)
        object.__setattr__(self, "warnings", told(self.warnings))
        object.__setattr__(self, "device_measurements", MappingProxyType(dict(self.device_measurements)))

    @property
    def n_samples(self) -> int:
        """Samples of each lead."""
        return int(self.digital.shape[1])

    @property
    def duration_s(self) -> float:
        """Length of the recording in seconds."""
        return self.n_samples / self.sampling_hz

    def row(self, lead: str) -> int:
        """The row of this lead.

        Raises:
            KeyError: where the recording has no such lead.
        """
        try:
            return self.leads.index(lead)
        except ValueError:
            raise KeyError(lead) from None

    def microvolts(self, start: int = 0, stop: int | None = None) -> Floats:
        """(n_leads, n) float64 µV of the samples ``start`` to ``stop``."""
        part = self.digital[:, start:stop].astype(np.float64, order="C")
        part -= self.baseline[:, None]
        part *= self.uv_per_lsb[:, None]
        return part

    def int16_uv(self) -> NDArray[np.int16]:
        """(n_leads, n_samples) whole microvolts, rounded half to even, held at ±32767.

        This is the common coin in which recordings of different formats are compared.
        """
        whole = np.empty(self.digital.shape, np.int16)
        for start in range(0, self.n_samples, BLOCK_SAMPLES):
            whole[:, start : start + BLOCK_SAMPLES] = self._whole_uv(slice(None), start)
        return whole

    def _whole_uv(self, rows: slice, start: int) -> NDArray[np.int16]:
        """A block of :meth:`int16_uv`; a mapped file is let go of again."""
        raw = self.digital[rows, start : start + BLOCK_SAMPLES]
        part = raw.astype(np.float64, order="C")
        forget(raw)
        part -= self.baseline[rows, None]
        part *= self.uv_per_lsb[rows, None]
        return np.clip(np.rint(part, out=part), -INT16_MAX - 1, INT16_MAX).astype(np.int16)

    @cached_property
    def signal_sha256(self) -> str:
        """SHA-256 over :meth:`int16_uv` of the leads that the file holds, lead after lead, little-endian.

        Derived leads are left out, so that the figure speaks of what the device wrote.
        """
        digest = hashlib.sha256()
        for row, lead in enumerate(self.leads):
            if lead in self.derived:
                continue
            for start in range(0, self.n_samples, BLOCK_SAMPLES):
                digest.update(self._whole_uv(slice(row, row + 1), start).astype("<i2", copy=False).data)
        return digest.hexdigest()

    def with_derived_leads(self) -> "Recording":
        """This recording with III, aVR, aVL and aVF computed from I and II where they are missing.

        The arithmetic stays in integers where I and II have one scale, so nothing is lost.
        """
        missing = [name for name in lead_names.DERIVED_LIMB if name not in self.leads]
        if not missing or "I" not in self.leads or "II" not in self.leads:
            return self
        one, two = self.row("I"), self.row("II")
        if self.uv_per_lsb[one] != self.uv_per_lsb[two]:
            return replace(
                self, warnings=(*self.warnings, "I and II differ in scale: the missing limb leads were not derived")
            )
        i, ii = self.digital[one].astype(np.int32), self.digital[two].astype(np.int32)
        rows, scales, zeros = [], [], []
        for name in missing:
            a, b, divisor = lead_names.DERIVED_LIMB[name]
            rows.append(a * i + b * ii)
            scales.append(self.uv_per_lsb[one] / divisor)
            zeros.append(a * self.baseline[one] + b * self.baseline[two])
        limb_gaps = tuple(
            replace(gap, leads=(*gap.leads, *missing)) if {"I", "II"} & set(gap.leads) else gap for gap in self.gaps
        )
        changed: dict[str, Any] = {
            "leads": (*self.leads, *missing),
            "digital": np.concatenate([self.digital.astype(np.int32), np.stack(rows)]),
            "uv_per_lsb": np.concatenate([self.uv_per_lsb, scales]),
            "baseline": np.concatenate([self.baseline, zeros]),
            "derived": self.derived | set(missing),
            "gaps": limb_gaps,
        }
        return replace(self, **changed)
