"""Were electrodes exchanged?

Which arrangement of the electrodes makes this ECG the most usual one? The median beat's P, QRS and T in the eight
independent leads, in units of its own size, are weighed by a Gaussian model of correctly recorded beats (probabilistic
principal components, Tipping and Bishop 1999, doi:10.1111/1467-9868.00196), as they stand and as they would stand had
two electrodes been exchanged. An exchange that makes the beat far more usual is named. What differs from the published
rules on single P waves and axes: all leads speak at once, and exchanged chest electrodes are told in the same way. An
exchange of left arm and left leg makes many a beat more usual than it was, so that it cannot be told. Where the
precordial leads fade from V1 to V6 as well, the heart lies on the right: dextrocardia is named instead.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from ecg_center.domain.leads import CHEST
from worker.resting.reading import Reading
from worker.resting.reversal_weights import CENTRE, LEFT_OVER, SCALE, VARIANCES, VECTORS
from worker.resting.rhythm import Rhythm
from worker.signal.beats import MedianBeat
from worker.signal.delineate import Limits
from worker.signal.filters import Floats
from worker.signal.order import median

LEADS: Final = ("I", "II", *CHEST)
LEVEL_S: Final = (0.020, 0.004)
P_PARTS, QRS_PARTS, T_PARTS = 4, 8, 4
P_WEIGHT: Final = 3.0
"""P is small beside the QRS, and says the most of the arms."""
BEND: Final = 1.5
LIMB_MARGIN: Final = 4.0
WIDE_LIMB_MARGIN: Final = 12.0
CHEST_MARGIN: Final = 1.0
"""How many log units an exchange must gain. Left out in turn, the records as they were gained at the most −13.5 by an
exchange of the right arm and 0.2 by one of chest electrodes."""
NARROW_MS: Final = 115.0
"""The model knows narrow QRS; in bundle branch block only an exchange of the right arm is clear enough."""
P_INVERTED_UV: Final = -15.0
QRS_INVERTED_UV: Final = -150.0


def _limb(change: Callable[[Floats, Floats], tuple[Floats, Floats]]) -> Callable[[Floats], Floats]:
    def exchanged(beat: Floats) -> Floats:
        one, two = change(beat[0], beat[1])
        return np.concatenate([one[None], two[None], beat[2:]])

    return exchanged


def _chest(first: int, second: int) -> Callable[[Floats], Floats]:
    order = list(range(len(LEADS)))
    order[first], order[second] = second, first
    return lambda beat: np.asarray(beat[order])


EXCHANGED: Final[dict[str, Callable[[Floats], Floats]]] = {
    "RA/LA": _limb(lambda one, two: (-one, two - one)),
    "RA/LL": _limb(lambda one, two: (one - two, -two)),
    "V1/V2": _chest(2, 3),
    "V2/V3": _chest(3, 4),
    "V1/V3": _chest(2, 4),
}
"""Each undoes itself: applied to an exchanged beat it gives the right one."""


def suspected_reversal(reading: Reading, rhythm: Rhythm) -> tuple[str | None, bool]:
    """(pair, whether dextrocardia explains it better)."""
    one, v6, v1 = (reading.wave(lead) for lead in ("I", "V6", "V1"))
    if one is None or v6 is None or v1 is None or rhythm.name not in ("sinus", "atrial"):
        return None, False
    arms = one.p_uv < P_INVERTED_UV and one.net_uv < QRS_INVERTED_UV
    if arms and v6.r_uv < 0.5 * v1.r_uv and v6.net_uv < 0:
        return "RA/LA", True
    return _more_usual(reading), False


def _more_usual(reading: Reading) -> str | None:
    """The exchange that makes the beat the most usual, if by enough; None also where a lead or a wave is missing."""
    limits, median = reading.limits, reading.median
    if limits is None or median is None or not all(reading.wave(lead) for lead in LEADS):
        return None
    parts = parts_of(median, [reading.traces.leads.index(lead) for lead in LEADS], limits, reading.traces.hz)
    if parts is None:
        return None
    as_it_stands = usualness(parts)
    wide = (reading.qrs_ms or 0.0) >= NARROW_MS
    best, most = None, 0.0
    for pair, exchange in EXCHANGED.items():
        limb = pair.startswith("RA")
        if wide and not limb:
            continue
        margin = (WIDE_LIMB_MARGIN if wide else LIMB_MARGIN) if limb else CHEST_MARGIN
        gained = usualness(exchange(parts)) - as_it_stands - margin
        if gained > most:
            best, most = pair, gained
    return best


def parts_of(beat: MedianBeat, rows: list[int], limits: Limits, hz: float) -> Floats | None:
    """(8, 16) mean levels of the parts of P, QRS and T against PR, µV; None without P or T."""
    if limits.p_on is None or limits.p_off is None or limits.t_off is None:
        return None
    signal = beat.signal[rows]
    first, last = limits.qrs_on - round(LEVEL_S[0] * hz), limits.qrs_on - round(LEVEL_S[1] * hz)
    signal = signal - median(signal[:, max(0, first) : max(1, last)])[:, None]
    waves = (
        (limits.p_on, limits.p_off, P_PARTS),
        (limits.qrs_on, limits.qrs_off, QRS_PARTS),
        (limits.qrs_off, limits.t_off, T_PARTS),
    )
    return np.concatenate([_means(signal, *wave) for wave in waves], axis=1)


def _means(signal: Floats, first: int, last: int, parts: int) -> Floats:
    """(n_leads, parts) of so many equal parts, each a sample long at least."""
    edges = np.linspace(first, last, parts + 1).astype(int)
    means: Floats = np.add.reduceat(signal[:, : max(last, first + 1)], edges[:-1], axis=1)
    means /= np.maximum(np.diff(edges), 1)
    return means


def bent(parts: Floats) -> Floats:
    """(8 · 16,) the parts in units of the QRS, P made larger, the outermost pulled in."""
    qrs = parts[:, P_PARTS : P_PARTS + QRS_PARTS]
    scaled = parts / (np.sqrt(np.mean(qrs**2)) or 1.0)
    scaled[:, :P_PARTS] *= P_WEIGHT
    return np.asarray(np.arcsinh(BEND * scaled).ravel())


def usualness(parts: Floats) -> float:
    """Log likelihood of the beat, but for a constant."""
    away = (bent(parts) - CENTRE) / SCALE
    along = VECTORS @ away
    rest = float(away @ away - along @ along)
    return -0.5 * (float((along**2 / (VARIANCES + LEFT_OVER)).sum()) + rest / LEFT_OVER)
