"""Which beats does the simulated heart know, and how do people differ?

Vectors in mV, Frank's axes: X to the left, Y to the feet, Z to the back. With Dower's matrix V1 sees −Z and −X,
V4 to V6 see X, II and aVF see Y; the comments say what a reader sees.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from gateway.simulate.leads import Float
from gateway.simulate.waves import Atrium, Beat, Lobe, Vector

Sex = Literal["M", "F"]


@dataclass(frozen=True, slots=True)
class Build:
    """How one person's heart lies and how strongly it is seen."""

    qrs_gain: float
    t_gain: float
    p_gain: float
    frontal_deg: float
    """Turn of the whole heart in the frontal plane; positive turns the axis to the right (downwards)."""
    horizontal_deg: float
    """Turn seen from below; positive brings the transition zone towards V5 (clockwise rotation)."""
    qrs_ms: float
    pr_ms: float
    qtc_ms: float
    """QT at 60/min (Fridericia)."""


def build_of(rng: np.random.Generator, sex: Sex, age_years: int) -> Build:
    """A person's build, drawn around what is usual for sex and age.

    Means after Rijnbeek et al. 2014 (doi:10.1016/j.jelectrocard.2014.07.022): the axis turns left and amplitudes
    fall with age; women have shorter QRS, lower voltage and longer QTc.
    """
    female = sex == "F"
    older = (min(max(age_years, 18), 90) - 50) / 40
    return Build(
        qrs_gain=float(rng.uniform(0.88, 1.12)) * (0.88 if female else 1.0) * (1 - 0.10 * older),
        t_gain=float(rng.uniform(0.85, 1.15)) * (0.85 if female else 1.0) * (1 - 0.15 * older),
        p_gain=float(rng.uniform(0.85, 1.15)),
        frontal_deg=float(rng.normal(-10, 8)) - 14 * older,
        horizontal_deg=float(rng.normal(0, 6)),
        qrs_ms=float(np.clip(rng.normal(88 if female else 95, 4), 78, 108)),
        pr_ms=float(np.clip(rng.normal(156 + 10 * older, 12), 126, 192)),
        qtc_ms=float(np.clip(rng.normal(418 if female else 404, 9), 385, 440)),
    )


def rotation(frontal_deg: float, horizontal_deg: float) -> Float:
    """The 3×3 matrix that turns a heart vector by a person's build."""
    a, b = np.radians(frontal_deg), np.radians(horizontal_deg)
    frontal = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    horizontal = np.array([[np.cos(b), 0, -np.sin(b)], [0, 1, 0], [np.sin(b), 0, np.cos(b)]])
    return np.asarray(frontal @ horizontal, dtype=np.float64)


def fitted(beat: Beat, build: Build) -> Beat:
    """The beat in this person: turned and scaled. The ST vector is left alone: it states a truth."""
    turn = rotation(build.frontal_deg, build.horizontal_deg)
    return replace(
        beat,
        qrs=tuple(replace(lobe, peak=_turned(turn, lobe.peak, build.qrs_gain)) for lobe in beat.qrs),
        t_peak=_turned(turn, beat.t_peak, build.t_gain),
        u_peak=_turned(turn, beat.u_peak, build.t_gain),
    )


def fitted_atrium(atrium: Atrium, build: Build) -> Atrium:
    """The P wave in this person."""
    turn = rotation(build.frontal_deg * 0.5, 0)
    return replace(atrium, lobes=tuple(replace(o, peak=_turned(turn, o.peak, build.p_gain)) for o in atrium.lobes))


def _turned(turn: Float, vector: Vector, gain: float) -> Vector:
    x, y, z = (turn @ np.asarray(vector)) * gain
    return float(x), float(y), float(z)


_SEPTAL: Final = Lobe(0.20, 0.085, (-0.14, 0.02, -0.30))  # r in V1, q in I and V6
_APICAL: Final = Lobe(0.41, 0.095, (0.72, 0.62, -0.22))  # R in V3 to V5, II
_LATERAL: Final = Lobe(0.54, 0.095, (0.62, 0.42, 0.72))  # S in V1 and V2, R in V5 and V6
_BASAL: Final = Lobe(0.73, 0.082, (-0.16, -0.18, 0.36))  # s in V5, V6 and inferior leads


def normal(qrs_ms: float) -> Beat:
    """A narrow sinus beat: axis near 50°, transition at V3 to V4, upright T in I, II and V2 to V6."""
    return Beat(
        qrs_ms=qrs_ms,
        qrs=(_SEPTAL, _APICAL, _LATERAL, _BASAL),
        t_peak=(0.27, 0.20, -0.19),
        st=(0.01, 0.005, -0.02),
        u_peak=(0.010, 0.006, -0.018),
    )


def lbbb() -> Beat:
    """Left bundle branch block: QS or rS in V1 to V3, broad notched R in I and V6 without q, discordant ST-T."""
    return Beat(
        qrs_ms=154,
        qrs=(
            Lobe(0.16, 0.07, (0.16, 0.06, -0.06)),
            Lobe(0.36, 0.11, (0.92, 0.34, 0.95)),
            Lobe(0.52, 0.09, (0.40, 0.05, 0.95)),
            Lobe(0.65, 0.10, (0.92, 0.02, 0.72)),
        ),
        t_peak=(-0.26, -0.02, -0.34),
        st=(-0.08, -0.01, -0.12),
    )


def rbbb() -> Beat:
    """Right bundle branch block: rsR' in V1, broad S in I, V5 and V6, T inverted in V1 and V2."""
    return Beat(
        qrs_ms=142,
        qrs=(
            Lobe(0.13, 0.055, (-0.14, 0.03, -0.30)),
            Lobe(0.27, 0.065, (0.74, 0.60, -0.14)),
            Lobe(0.37, 0.065, (0.60, 0.36, 0.66)),
            Lobe(0.67, 0.118, (-0.52, -0.10, -0.62)),
        ),
        t_peak=(0.26, 0.18, 0.17),
        st=(0.02, 0.0, 0.04),
    )


def stemi_anterior(qrs_ms: float) -> Beat:
    """Acute anterior infarction: lost r and convex ST elevation in V1 to V4, merged with a tall T; inferior mirror."""
    return Beat(
        qrs_ms=qrs_ms,
        qrs=(
            Lobe(0.20, 0.09, (0.06, 0.08, 0.24)),  # Q instead of r in V1 to V3
            replace(_APICAL, peak=(0.56, 0.52, 0.18)),
            replace(_LATERAL, peak=(0.58, 0.36, 0.52)),
            replace(_BASAL, peak=(-0.05, -0.10, 0.10)),
        ),
        t_peak=(0.24, 0.02, -0.34),
        st=(0.18, -0.11, -0.27),
        t_width=1.12,
    )


def stemi_inferior(qrs_ms: float) -> Beat:
    """Acute inferior infarction: Q and ST elevation in II, III, aVF, highest in III; mirror in I, aVL, V2 to V4."""
    return Beat(
        qrs_ms=qrs_ms,
        qrs=(
            Lobe(0.19, 0.09, (0.06, -0.34, -0.22)),
            replace(_APICAL, peak=(0.74, 0.44, -0.20)),
            replace(_LATERAL, peak=(0.60, 0.52, 0.60)),
            replace(_BASAL, peak=(-0.10, 0.06, 0.26)),
        ),
        t_peak=(-0.02, 0.34, 0.08),
        st=(-0.10, 0.27, 0.10),
        t_width=1.1,
    )


def ectopic_outflow() -> Beat:
    """A ventricular premature beat from the right outflow tract: left-bundle-like in V1, tall in II, III and aVF."""
    return Beat(
        qrs_ms=150,
        qrs=(
            Lobe(0.25, 0.12, (0.10, 0.45, 0.15)),
            Lobe(0.50, 0.14, (0.45, 1.30, 0.95)),
            Lobe(0.72, 0.11, (0.15, 0.40, 0.55)),
        ),
        t_peak=(-0.20, -0.46, -0.42),
        st=(-0.05, -0.10, -0.10),
    )


def tachycardia_left() -> Beat:
    """Ventricular tachycardia from the left ventricle: broad R in V1, deep S in V6, axis in the north-west."""
    return Beat(
        qrs_ms=168,
        qrs=(
            Lobe(0.24, 0.11, (0.12, -0.30, -0.55)),
            Lobe(0.48, 0.13, (-0.42, -1.05, -0.85)),
            Lobe(0.72, 0.12, (-0.55, -0.60, 0.10)),
        ),
        t_peak=(0.34, 0.52, 0.26),
        st=(0.08, 0.14, 0.06),
    )


def escape_ventricular() -> Beat:
    """A slow escape from low in the conduction system: moderately broad, left-bundle-like, leftward axis."""
    return Beat(
        qrs_ms=138,
        qrs=(
            Lobe(0.20, 0.09, (0.20, -0.05, -0.10)),
            Lobe(0.42, 0.12, (0.85, -0.15, 0.70)),
            Lobe(0.62, 0.11, (0.70, -0.40, 0.62)),
        ),
        t_peak=(-0.20, 0.16, -0.30),
        st=(-0.05, 0.03, -0.08),
    )


def long_qt(qrs_ms: float) -> Beat:
    """A narrow beat whose T is late, broad and slightly notched."""
    return replace(normal(qrs_ms), t_width=1.05, t_notch=0.28, u_peak=(0.0, 0.0, 0.0))
