"""What does one heartbeat look like as a moving vector?

Each wave is a Gaussian in time (after McSharry et al. 2003, ECGSYN, doi:10.1109/TBME.2003.808805) with a fixed
direction in Frank's axes. What differs from the paper: there, three limit-cycle equations are integrated for one
lead; here the waves are added directly as heart vectors, so that all twelve leads come from one heart and onsets,
offsets and intervals are known in advance. The ST segment is a plateau between two logistic ramps.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from gateway.simulate.leads import Float

Vector = tuple[float, float, float]
"""X (left), Y (feet), Z (back), mV."""

T_END_SIGMAS: Final = 2.4
"""The end of a Gaussian T: the tangent at its steepest fall meets the baseline at 2 sigma, a 5 % threshold at 2.45;
readers mark it near the latter."""

T_FALL_PER_QT: Final = 0.092
T_RISE_PER_QT: Final = 0.135
"""A T wave rises slowly and falls fast; Tpeak to Tend is about 20 % of QT."""


@dataclass(frozen=True, slots=True)
class Lobe:
    """One Gaussian of a wave: centre and sigma as fractions of the wave's duration."""

    at: float
    sigma: float
    peak: Vector


@dataclass(frozen=True, slots=True)
class Beat:
    """One ventricular beat: QRS, ST segment, T wave (and nothing of the atria)."""

    qrs_ms: float
    qrs: tuple[Lobe, ...]
    t_peak: Vector
    st: Vector = (0.0, 0.0, 0.0)
    """ST level at the J point."""
    u_peak: Vector = (0.0, 0.0, 0.0)
    t_width: float = 1.0
    t_notch: float = 0.0
    """Share of the T amplitude in an earlier second hump (a notched T of some long QT syndromes)."""


@dataclass(frozen=True, slots=True)
class Atrium:
    """One P wave."""

    p_ms: float = 104.0
    lobes: tuple[Lobe, ...] = field(
        default=(
            Lobe(0.36, 0.175, (0.030, 0.090, -0.045)),
            Lobe(0.64, 0.17, (0.060, 0.055, 0.030)),
        )
    )


def add_qrs_t(vector: Float, hz: float, onset_s: float, beat: Beat, qt_ms: float, gain: float = 1.0) -> None:
    """Add one ventricular beat in place, its QRS starting at ``onset_s`` (may lie outside the recording)."""
    span = _span(vector, hz, onset_s - 0.05, onset_s + qt_ms * 1.5e-3)
    if span is None:
        return
    ms = (np.arange(span.start, span.stop) / hz - onset_s) * 1000
    part = np.zeros((3, ms.size))
    for lobe in beat.qrs:
        part += _gauss(ms, lobe.at * beat.qrs_ms, lobe.sigma * beat.qrs_ms, lobe.sigma * beat.qrs_ms, lobe.peak)
    fall, rise = T_FALL_PER_QT * qt_ms * beat.t_width, T_RISE_PER_QT * qt_ms * beat.t_width
    t_at = qt_ms - T_END_SIGMAS * fall
    part += _gauss(ms, t_at, rise, fall, beat.t_peak)
    if beat.t_notch:
        part += beat.t_notch * _gauss(ms, t_at - 2.1 * rise, 0.6 * rise, 0.6 * rise, beat.t_peak)
    part += _gauss(ms, qt_ms + 70, 28, 34, beat.u_peak)
    ramp = _logistic((ms - beat.qrs_ms * 0.90) / 4.5) * _logistic((t_at + 0.2 * fall - ms) / (0.55 * fall))
    part += np.outer(beat.st, ramp)
    vector[:, span] += gain * part


def add_p(vector: Float, hz: float, onset_s: float, atrium: Atrium, gain: float = 1.0) -> None:
    """Add one P wave in place, starting at ``onset_s``."""
    span = _span(vector, hz, onset_s - 0.03, onset_s + atrium.p_ms * 1.4e-3)
    if span is None:
        return
    ms = (np.arange(span.start, span.stop) / hz - onset_s) * 1000
    for lobe in atrium.lobes:
        sigma = lobe.sigma * atrium.p_ms
        vector[:, span] += gain * _gauss(ms, lobe.at * atrium.p_ms, sigma, sigma, lobe.peak)


def r_peak_ms(beat: Beat) -> float:
    """Time of the longest vector after the QRS onset, ms."""
    ms = np.arange(0, beat.qrs_ms, 1.0)
    part = np.zeros((3, ms.size))
    for lobe in beat.qrs:
        part += _gauss(ms, lobe.at * beat.qrs_ms, lobe.sigma * beat.qrs_ms, lobe.sigma * beat.qrs_ms, lobe.peak)
    return float(ms[np.argmax(np.linalg.norm(part, axis=0))])


def _gauss(ms: Float, at: float, rise: float, fall: float, peak: Vector) -> Float:
    width = np.where(ms < at, rise, fall)
    return np.outer(peak, np.exp(-0.5 * ((ms - at) / width) ** 2))


def _logistic(x: Float) -> Float:
    return 1 / (1 + np.exp(-np.clip(x, -40, 40)))


def _span(vector: Float, hz: float, start_s: float, end_s: float) -> slice | None:
    first, last = max(0, int(start_s * hz)), min(vector.shape[1], int(end_s * hz) + 1)
    return slice(first, last) if first < last else None
