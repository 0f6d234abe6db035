"""ECGs of which every amplitude and duration is known, because they are drawn from straight lines and arcs of a sine.

IEC 60601-2-25, 201.12.1.101, tests an analysing electrocardiograph on the calibration (CAL) and analytical (ANE) ECGs
of the European CTS project. Those files are licensed. What is public and taken over here: which kinds there are
(CAL05000 to CAL30000 by the size of R in 10 µV, CAL202xx with raised and lowered ST, narrow and wide QRS, upright and
inverted waves), that a wave is a deflection of at least 20 µV, the noises, and the tolerances.
What is our own: the sizes and durations of each wave, and the shapes: half periods of a sine, as people who drew the
signals anew found them to be. In place of the analytical ECGs, which nobody has described, stand triangles: nothing
begins and ends more sharply.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from worker.leads import TWELVE
from worker.recording import Recording

Floats = NDArray[np.float64]

NOISES: Final = ("none", "high frequency", "mains 50 Hz", "mains 60 Hz", "baseline")
HIGH_FREQUENCY_UV: Final = 25.0
MAINS_UV: Final = 25.0
BASELINE_UV, BASELINE_HZ = 500.0, 0.3
"""Root mean square, amplitude, amplitude: 25 µV, 50 µV peak to valley, 1 mV peak to valley at 0.3 Hz."""
SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Lead:
    """Signed amplitudes in µV of one lead; 0 where it has no such wave."""

    p: float
    q: float
    r: float
    s: float
    st: float
    t: float


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal: durations in ms, one wave after the other, and the amplitudes in each lead."""

    name: str
    leads: dict[str, Lead]
    rr_ms: float = 1000.0
    p_ms: float = 110.0
    pr_ms: float = 170.0
    q_ms: float = 20.0
    r_ms: float = 50.0
    s_ms: float = 30.0
    qt_ms: float = 400.0
    t_ms: float = 170.0
    sharp: bool = False
    """Q, R and S are triangles, not arcs of a sine."""

    @property
    def qrs_ms(self) -> float:
        """From the onset of Q to the end of S."""
        return self.q_ms + self.r_ms + self.s_ms


def _limb(one: Lead, two: Lead) -> dict[str, Lead]:
    """The six limb leads that follow from I and II."""

    def mixed(a: float, b: float) -> Lead:
        values = [a * getattr(one, name) + b * getattr(two, name) for name in ("p", "q", "r", "s", "st", "t")]
        return Lead(*values)

    return {
        "I": one, "II": two, "III": mixed(-1, 1),
        "aVR": mixed(-0.5, -0.5), "aVL": mixed(1, -0.5), "aVF": mixed(-0.5, 1),
    }  # fmt: skip


def _scaled(lead: Lead, gain: float, st: float) -> Lead:
    return Lead(lead.p, gain * lead.q, gain * lead.r, gain * lead.s, st, lead.t)


def _of_size(r_uv: float, *, st: float = 0.0, sign: float = 1.0) -> dict[str, Lead]:
    """All leads with a QRS of this size; the chest leads go from S over to R."""
    gain = r_uv / 1000
    one, two = Lead(100, -90, 700, -150, 0, 150), Lead(200, -100, 1000, -200, 0, 300)
    chest = {
        "V1": Lead(80, 0, 250, -1000, 0, 120), "V2": Lead(90, 0, 400, -1000, 0, 350),
        "V3": Lead(90, 0, 700, -700, 0, 400), "V4": Lead(100, -60, 1000, -400, 0, 350),
        "V5": Lead(100, -100, 1000, -200, 0, 300), "V6": Lead(100, -100, 800, -100, 0, 250),
    }  # fmt: skip
    limb = _limb(_scaled(one, gain, 0.5 * st), _scaled(two, gain, st))
    whole = limb | {lead: _scaled(waves, gain, st) for lead, waves in chest.items()}
    if sign > 0:
        return whole
    return {lead: Lead(w.p, -w.q, -w.r, -w.s, -w.st, -w.t) for lead, w in whole.items()}


SIGNALS: Final = (
    *[Signal(f"CAL{round(size / 10):03}00", _of_size(size)) for size in (500, 1000, 1500, 2000, 3000)],
    Signal("CAL inverted", _of_size(1500, sign=-1)),
    Signal("CAL ST +200", _of_size(1500, st=200)),
    Signal("CAL ST -200", _of_size(1500, st=-200)),
    Signal("CAL narrow", _of_size(1500), q_ms=14, r_ms=36, s_ms=20),
    Signal("CAL wide", _of_size(1500), q_ms=30, r_ms=70, s_ms=50, qt_ms=440),
    Signal("CAL slow", _of_size(1500), rr_ms=1503, pr_ms=210, qt_ms=440),
    Signal("CAL fast", _of_size(1500), rr_ms=498, p_ms=90, pr_ms=130, qt_ms=300, t_ms=130),
    Signal("sharp 1", _of_size(1200), sharp=True, q_ms=30, r_ms=60, s_ms=50),
    Signal("sharp 2", _of_size(1800), sharp=True, q_ms=26, r_ms=60, s_ms=54, rr_ms=803, pr_ms=150, qt_ms=370),
    Signal("sharp 3", _of_size(900), sharp=True, q_ms=30, r_ms=60, s_ms=60, rr_ms=1100, pr_ms=190, qt_ms=430),
)


def drawn(signal: Signal, noise: str = "none", *, hz: float = 500.0, seed: int = 0) -> Recording:
    """Ten seconds of it, whole microvolts."""
    n = round(SECONDS * hz)
    seconds = np.arange(n) / hz
    rng = np.random.default_rng(seed)
    mains = 60.0 if "60" in noise else 50.0
    added: dict[str, Callable[[], Floats]] = {
        "none": lambda: np.zeros((12, n)),
        "high frequency": lambda: rng.normal(0, HIGH_FREQUENCY_UV, (12, n)),
        "mains 50 Hz": lambda: MAINS_UV * np.sin(2 * np.pi * mains * seconds)[None],
        "mains 60 Hz": lambda: MAINS_UV * np.sin(2 * np.pi * mains * seconds)[None],
        "baseline": lambda: BASELINE_UV * np.sin(2 * np.pi * BASELINE_HZ * seconds + 1)[None],
    }
    uv = np.stack([_lead(signal, signal.leads[lead], seconds) for lead in TWELVE]) + added[noise]()
    return Recording(
        format="drawn",
        kind="resting",
        leads=TWELVE,
        digital=np.rint(uv).astype(np.int16),
        uv_per_lsb=np.ones(12),
        baseline=np.zeros(12),
        sampling_hz=hz,
    )


def onsets_s(signal: Signal) -> Floats:
    """The onset of each QRS, s."""
    return np.arange(0.4137, SECONDS + 1, signal.rr_ms / 1000)


def _lead(signal: Signal, lead: Lead, seconds: Floats) -> Floats:
    uv = np.zeros(len(seconds))
    qrs = _triangle if signal.sharp else _sine
    for onset in onsets_s(signal):
        ms = 1000 * (seconds - onset)
        uv += _sine(ms, -signal.pr_ms, signal.p_ms, lead.p)
        uv += qrs(ms, 0.0, signal.q_ms, lead.q)
        uv += qrs(ms, signal.q_ms, signal.r_ms, lead.r)
        uv += qrs(ms, signal.q_ms + signal.r_ms, signal.s_ms, lead.s)
        t_on = signal.qt_ms - signal.t_ms
        uv += lead.st * np.interp(
            ms, [signal.qrs_ms - signal.s_ms / 2, signal.qrs_ms, t_on, signal.qt_ms], [0, 1, 1, 0]
        )
        uv += _sine(ms, t_on, signal.t_ms, lead.t)
    return uv


def _sine(ms: Floats, start: float, length: float, size: float) -> Floats:
    inside = (ms >= start) & (ms <= start + length)
    return np.where(inside, size * np.sin(np.pi * np.clip((ms - start) / length, 0, 1)), 0.0)


def _triangle(ms: Floats, start: float, length: float, size: float) -> Floats:
    return size * np.clip(1 - np.abs(ms - start - length / 2) / (length / 2), 0, 1)
