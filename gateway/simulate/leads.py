"""How does one heart vector become what nine electrodes and twelve leads measure?

The heart is one moving dipole in Frank's axes (X to the left, Y to the feet, Z to the back, mV). Dower's matrix
(Dower 1968; its pseudo-inverse is the "inverse Dower matrix" of Edenbrandt & Pahlm 1988,
doi:10.1016/0022-0736(88)90113-6) gives leads I, II and V1 to V6. From these we go back to electrode potentials, so
that swapped cables, lost electrodes and noise happen where they happen at a bedside: at the electrode.

Limb leads I and II are rounded to 2 µV (finer than any recorder's step). So III = II − I, aVR = −(I + II)/2,
aVL = I − II/2 and aVF = II − I/2 are whole microvolts and hold exactly, sample by sample.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
MicroVolts = NDArray[np.int32]

LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
ELECTRODES: Final = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")

DOWER: Final[Float] = np.array(
    [
        [0.632, -0.235, 0.059],  # I
        [0.235, 1.066, -0.132],  # II
        [-0.515, 0.157, -0.917],  # V1
        [0.044, 0.164, -1.387],  # V2
        [0.882, 0.098, -1.277],  # V3
        [1.213, 0.127, -0.601],  # V4
        [1.125, 0.127, -0.086],  # V5
        [0.831, 0.076, 0.230],  # V6
    ]
)
"""Rows I, II, V1 to V6; columns X, Y, Z."""

LIMB_STEP_UV: Final = 2
RAIL_UV: Final = 32_000
"""A recorder's input saturates; 16-bit samples of 1 µV end at ±32 767."""


def electrodes_from_vector(vector_mv: Float) -> Float:
    """Potentials of :data:`ELECTRODES` against Wilson's central terminal, mV.

    Args:
        vector_mv: the heart vector, shape (3, n).

    Returns:
        Shape (9, n); the three limb electrodes sum to zero.
    """
    independent = DOWER @ vector_mv
    lead_i, lead_ii = independent[0], independent[1]
    limbs = [-(lead_i + lead_ii) / 3, (2 * lead_i - lead_ii) / 3, (2 * lead_ii - lead_i) / 3]
    return np.vstack([*limbs, independent[2:]])


def leads_from_electrodes(electrodes_mv: Float) -> MicroVolts:
    """The twelve :data:`LEADS` in whole µV, shape (12, n), clipped at :data:`RAIL_UV`."""
    right, left, foot = electrodes_mv[0], electrodes_mv[1], electrodes_mv[2]
    chest_mv = electrodes_mv[3:] - (right + left + foot) / 3
    chest = np.clip(np.rint(chest_mv * 1000), -RAIL_UV, RAIL_UV).astype(np.int32)
    return np.vstack([limb_leads(_limb(left - right), _limb(foot - right)), chest])


def limb_leads(lead_i: MicroVolts, lead_ii: MicroVolts) -> MicroVolts:
    """All six limb leads by Einthoven and Goldberger from even-valued I and II, shape (6, n)."""
    assert not np.any((lead_i | lead_ii) & 1), "limb leads are quantised to 2 µV"
    lead_iii = lead_ii - lead_i
    return np.vstack(
        [
            lead_i,
            lead_ii,
            lead_iii,
            -(lead_i + lead_ii) // 2,
            lead_i - lead_ii // 2,
            lead_ii - lead_i // 2,
        ]
    )


def swap(electrodes_mv: Float, first: str, second: str) -> Float:
    """The potentials as a recorder sees them when two cables are exchanged."""
    swapped = electrodes_mv.copy()
    a, b = ELECTRODES.index(first), ELECTRODES.index(second)
    swapped[[a, b]] = electrodes_mv[[b, a]]
    return swapped


def _limb(difference_mv: Float) -> MicroVolts:
    steps = np.rint(difference_mv * 1000 / LIMB_STEP_UV).astype(np.int32) * LIMB_STEP_UV
    # III is a difference of two leads: each may use half of the range
    return np.clip(steps, -RAIL_UV // 2, RAIL_UV // 2)
