"""What was seen in a day of ECG, once, before anything is concluded from it? The seam between signal and rules.

One row a beat; stretches of time beside them. Everything in ``worker/holter`` that needs the signal fills this, and
everything that makes findings reads only this, so that a physician's edit is answered without the signal.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.recording import Annotation

NOT_MEASURED: Final = np.int16(-32768)
"""In the int16 columns: there was nothing to measure."""


class Label(IntEnum):
    """The class of a beat, AAMI EC57 (ANSI/AAMI EC57:2012 table 3), as a small number for a column."""

    N = 0
    S = 1
    V = 2
    F = 3
    P = 4
    Q = 5


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples ``start`` up to but not including ``stop``, of these leads or, where empty, of all."""

    start: int
    stop: int
    leads: tuple[str, ...] = ()
    reason: str = ""
    """A quality code of ``ecg_center.contract.findings.LeadQuality``, or of a rhythm
    ``vf``, ``v_flutter``, ``torsades``, ``polymorphic``, ``asystole``, ``p_alone``, ``wide``, ``bidirectional``."""


@dataclass(frozen=True, eq=False)
class Beats:
    """All beats in order of time; every column has one length.

    Attributes:
        sample: (n,) int64 R peak, sample of the recording.
        label: (n,) uint8 :class:`Label`.
        confidence: (n,) float32, 0 to 1, that the label is right.
        template: (n,) int32 index of the beat's shape in :attr:`Measured.templates`; -1 where it has none.
        qrs_ms: (n,) int16 width of this beat's QRS.
        p_wave: (n,) float32 likeness of what stands before the QRS to the usual P wave, -1 to 1; nan where not seen.
    """

    sample: NDArray[np.int64]
    label: NDArray[np.uint8]
    confidence: NDArray[np.float32]
    template: NDArray[np.int32]
    qrs_ms: NDArray[np.int16]
    p_wave: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.sample)
        for column in (self.label, self.confidence, self.template, self.qrs_ms, self.p_wave):
            if column.shape != (n,):
                raise ValueError(f"{n} beats, but a column of shape {column.shape}")
        if n and (np.diff(self.sample) <= 0).any():
            raise ValueError("beats are in order of time")

    def __len__(self) -> int:
        return len(self.sample)


@dataclass(frozen=True, eq=False)
class Template:
    """One shape of QRS.

    Attributes:
        median_uv: (n_leads, n) int16 median beat.
        r_index: the sample of ``median_uv`` that is the R peak.
    """

    id: int
    label: Label
    beats: int
    median_uv: NDArray[np.int16]
    hz: float
    r_index: int


@dataclass(frozen=True, eq=False)
class Minutes:
    """What the median beat of each stretch of a day says; row i speaks of ``start_s[i]`` up to ``start_s[i] + step_s``.

    Attributes:
        step_s: length of a stretch (ST episodes need 30 s or less).
        start_s: (n,) float64.
        st_j_uv, st_uv: (n_leads, n) int16 ST level at J and at J+60 or J+80 ms against the PR baseline;
            :data:`NOT_MEASURED` where there were no clean dominant beats.
        st_slope_uv_s: (n_leads, n) float32.
        qt_ms: (n,) int16.
        rr_ms: (n,) float32 mean RR of the same beats.
        t_alternans_uv: (n,) float32; nan where not measured.
        qrs_uv: (n_leads, n) int16 size of the QRS from its onset to shortly after R, which steps where the body turns
            and the ST level steps with it; of shape (0, 0) where it was not measured.
        shape: (n,) int16 the shape of QRS that was averaged, by a number of its own; ST of different shapes is not
            compared (a bundle branch block comes and goes); -1 where none was; empty where shapes were not told apart.
    """

    step_s: float
    start_s: NDArray[np.float64]
    st_j_uv: NDArray[np.int16]
    st_uv: NDArray[np.int16]
    st_slope_uv_s: NDArray[np.float32]
    qt_ms: NDArray[np.int16]
    rr_ms: NDArray[np.float32]
    t_alternans_uv: NDArray[np.float32]
    qrs_uv: NDArray[np.int16] = field(default_factory=lambda: np.zeros((0, 0), np.int16))
    shape: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))


@dataclass(frozen=True, eq=False)
class Measured:
    """All that the signal said.

    Attributes:
        unreadable: stretches in which no lead can be read: nothing in them counts, no pause is believed across them.
        lead_noise: stretches in which the named leads cannot be read though others can.
        rhythms: stretches without beats in the usual sense (``vf``, ``v_flutter``, ``torsades``, ``polymorphic``,
            ``asystole``, ``p_alone``), and tachycardias that the classes do not tell (``wide``, ``bidirectional``).
        flutter: (start, stop) samples in which the atria flutter, as seen in the signal.
        blocks: stretches with AV block of the second or third degree, as seen in the signal, by their ``reason``.
        ruled: stretches of which a physician said who leads, by their ``reason``: ``sinus``, ``af``, ``flutter``; never
            the machine's, and not kept with the rest.
    """

    leads: tuple[str, ...]
    sampling_hz: float
    n_samples: int
    started_at: datetime | None
    calibrated: bool
    beats: Beats
    templates: tuple[Template, ...]
    minutes: Minutes
    unreadable: tuple[Stretch, ...] = ()
    lead_noise: tuple[Stretch, ...] = ()
    rhythms: tuple[Stretch, ...] = ()
    flutter: tuple[Stretch, ...] = ()
    blocks: tuple[Stretch, ...] = ()
    ruled: tuple[Stretch, ...] = ()
    marks: tuple[Annotation, ...] = ()
    warnings: tuple[str, ...] = field(default_factory=tuple)

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return self.n_samples / self.sampling_hz
