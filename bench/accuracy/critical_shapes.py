"""Both sides of the critical values that a shape makes: infarction by wall, ischaemia, potassium, embolism.

To a generated sinus rhythm the change is added beat by beat, the limb leads as Einthoven's law ties them, so large that
the lead which decides lies a fifth below its limit or a third above it; the rest of the pattern is there on both sides.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bench.accuracy.critical_cases import Case, of_samples
from gateway.simulate.generator import generate
from worker.recording import Recording

Floats = NDArray[np.float64]
SIDES: Final = ((0.8, False), (1.35, True))
LATE_S: Final = 0.055
"""From R to J in the generated QRS, nearly."""
MI: Final = "acute_myocardial_infarction"
ST_UV: Final = 100.0
V2_V3_UV: Final = {"F": 150.0, "M": 200.0}
"""The Fourth Universal Definition's limits at 40 and more, as :mod:`worker.resting.repolarisation` has them."""


@dataclass(frozen=True)
class Added:
    """µV that one wave adds to leads I and II and to V1 to V6; the others follow."""

    i: float = 0.0
    ii: float = 0.0
    chest: tuple[float, ...] = (0.0,) * 6

    def leads(self) -> Floats:
        """(12,) in the order of the leads."""
        one, two = self.i, self.ii
        limb = (one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2)
        return np.array([*limb, *self.chest])


def domed(since_r: Floats, until_s: float = 0.34, falls_s: float = 0.12) -> Floats:
    """An ST that leaves at J and comes back, usually with the end of T."""
    leaves, returns = (since_r - LATE_S + 0.02) / 0.02, (until_s - since_r) / falls_s
    wave: Floats = np.clip(leaves, 0, 1) * np.clip(returns, 0, 1)
    return wave


def bump(at_s: float, width_s: float) -> Any:
    """One wave of this place after R and standard deviation."""
    return lambda since_r: np.exp(-0.5 * ((since_r - at_s) / width_s) ** 2)


def with_waves(ecg: Any, *waves: tuple[Added, Any]) -> Floats:
    """(12, n) µV of a generated ECG with these waves added to each beat."""
    samples: Floats = ecg.samples_uv.astype(float)
    seconds = np.arange(samples.shape[1]) / ecg.sampling_hz
    for at in ecg.truth.beats_s:
        near = slice(*np.searchsorted(seconds, (at - 0.15, at + 0.6)))
        for added, form in waves:
            samples[:, near] += added.leads()[:, None] * form(seconds[near] - at)
    return samples


def shapes(seed: int) -> Iterator[Case]:
    """Every pair, of one person."""
    who: Any = {"seed": seed, "sex": "MF"[seed % 2], "age_years": 45 + 5 * (seed % 8)}
    calm, fast = generate("sinus", rate_bpm=72, **who), generate("sinus-tachycardia", rate_bpm=116, **who)
    for share, fires in SIDES:
        side = "over" if fires else "under"
        for name, rule, ecg, waves in (
            *_infarctions(share, who["sex"], calm),
            ("main stem", "acute_ischaemia", calm, [(_widespread(-share * ST_UV), domed)]),
            ("lateral ischaemia", "acute_ischaemia", calm, [(_lateral(-share * ST_UV), domed)]),
            ("de Winter", MI, calm, _de_winter(share)),
            ("potassium", "hyperkalaemia", calm, _potassium(share)),
            ("embolism", "pulmonary_embolism", fast, _embolism(share)),
        ):
            yield Case(f"{name}, {side}", rule, fires, of_samples(with_waves(ecg, *waves), float(ecg.sampling_hz)))


def cases_by_name(seed: int) -> dict[str, Recording]:
    """The recording of each."""
    return {case.name: case.recording for case in shapes(seed)}


def _infarctions(share: float, sex: str, ecg: Any) -> Iterator[tuple[str, str, Any, list[tuple[Added, Any]]]]:
    front, limb = share * V2_V3_UV[sex], share * ST_UV
    # aVF decides, with III beside it; aVL is opposite
    inferior = Added(i=-0.4 * limb, ii=0.95 * limb)
    anterior = Added(ii=-70.0, chest=(0.4 * front, front, 1.1 * front, 0.4 * front, 0.0, 0.0))
    lateral = Added(i=limb, ii=0.0, chest=(-60.0, -60.0, 0.0, 0.0, 1.05 * limb, 1.05 * limb))
    for name, added in (("inferior", inferior), ("anterior", anterior), ("lateral", lateral)):
        yield f"{name} infarction", MI, ecg, [(added, domed)]


def _widespread(level_uv: float) -> Added:
    return Added(level_uv, level_uv, (0.0, 0.4 * level_uv, level_uv, 1.2 * level_uv, 1.2 * level_uv, level_uv))


def _lateral(level_uv: float) -> Added:
    """V5 decides, with V6 beside it."""
    return Added(0.4 * level_uv, 0.0, (0.0, 0.0, 0.0, 0.5 * level_uv, 1.2 * level_uv, 1.2 * level_uv))


def _de_winter(share: float) -> list[tuple[Added, Any]]:
    """J sunk in V2 to V5, at once rising into a tall T; aVR raised."""
    j = 1.25 * share * ST_UV  # a part of it is gone where J is measured
    sunk = Added(-20.0, -20.0, (0.0, -j, -1.05 * j, -1.05 * j, -j, 0.0))
    return [
        (
            sunk,
            lambda since_r: np.clip((since_r - LATE_S + 0.02) / 0.02, 0, 1) * np.clip((0.17 - since_r) / 0.09, 0, 1),
        ),
        (Added(chest=(0.0, 600.0, 600.0, 600.0, 500.0, 0.0)), bump(0.27, 0.062)),
    ]


def _potassium(share: float) -> list[tuple[Added, Any]]:
    """T pointed and narrow over the generated one, which has some 0.3 mV of its own."""
    t = share * 900 - 300
    return [(Added(0.3 * t, t, (0.0, t, t, t, t, 0.4 * t)), bump(0.27, 0.03))]


def _embolism(share: float) -> list[tuple[Added, Any]]:
    """S in I and Q in III, which decide; an inverted T in III and in front, and 116/min."""
    s, q, r = 165 * share, 195 * share, 160
    return [
        (Added(i=-s, ii=-s), bump(0.045, 0.010)),
        (Added(ii=-q), bump(-0.035, 0.009)),
        (Added(ii=r), bump(0.0, 0.010)),
        (Added(ii=-330.0, chest=(-350.0, -450.0, -450.0, 0.0, 0.0, 0.0)), bump(0.2, 0.035)),
    ]
