"""Which recordings can be simulated, and what is true of each?

One row per pathology: its titles, its usual rate, how its heart beats, and what a reader must find. Statements are
numbers of the AHA/ACC/HRS list (doi:10.1016/j.jacc.2007.01.025), as in the centre's own list of terms; critical values
are named after the Chinese consensus of 2017 (心电图危急值2017中国专家共识). Both are what a test compares an engine's
findings with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

import numpy as np

from gateway.simulate import rhythms, shapes
from gateway.simulate.noise import HEAVY, ORDINARY, NoiseLevel
from gateway.simulate.rhythms import Plan
from gateway.simulate.shapes import Build
from gateway.simulate.waves import Beat


class Pathology(StrEnum):
    """The name of one simulated condition, as the command line takes it."""

    SINUS = "sinus"
    SINUS_BRADYCARDIA = "sinus-bradycardia"
    SINUS_TACHYCARDIA = "sinus-tachycardia"
    ATRIAL_FIBRILLATION = "atrial-fibrillation"
    ATRIAL_FLUTTER = "atrial-flutter"
    VENTRICULAR_PREMATURE = "ventricular-premature"
    VENTRICULAR_TACHYCARDIA = "ventricular-tachycardia"
    VENTRICULAR_FIBRILLATION = "ventricular-fibrillation"
    STEMI_ANTERIOR = "stemi-anterior"
    STEMI_INFERIOR = "stemi-inferior"
    AV_BLOCK_FIRST = "av-block-first"
    AV_BLOCK_WENCKEBACH = "av-block-wenckebach"
    AV_BLOCK_MOBITZ_2 = "av-block-mobitz-2"
    AV_BLOCK_2_1 = "av-block-2-1"
    AV_BLOCK_THIRD = "av-block-third"
    PAUSE_3S = "pause-3s"
    PAUSE_5S = "pause-5s"
    LBBB = "lbbb"
    RBBB = "rbbb"
    LONG_QT = "long-qt"
    REVERSAL_RA_LA = "reversal-ra-la"
    LEAD_OFF = "lead-off"
    ELECTRODE_OFF = "electrode-off"
    NOISE = "noise"


Rhythm = Literal[
    "sinus",
    "atrial_fibrillation",
    "atrial_flutter",
    "ventricular_tachycardia",
    "ventricular_fibrillation",
    "second_degree_av_block",
    "complete_av_block",
]
Planner = Callable[[np.random.Generator, float, float, Build], Plan]
"""(chance, duration_s, rate_bpm, build) → when each chamber beats."""

Shaper = Callable[[Build], dict[str, Beat]]


def _pr(build: Build, bpm: float) -> float:
    """PR shortens with the rate, about 2 ms for each 10/min."""
    return float(np.clip(build.pr_ms - 0.2 * (bpm - 70), 115, 196))


def _sinus(rng: np.random.Generator, seconds: float, bpm: float, build: Build) -> Plan:
    variability = float(np.clip(0.045 * 70 / bpm, 0.008, 0.05))
    return rhythms.sinus(rng, seconds, bpm, _pr(build, bpm), variability)


def _first_degree(rng: np.random.Generator, seconds: float, bpm: float, _: Build) -> Plan:
    return rhythms.sinus(rng, seconds, bpm, float(rng.uniform(250, 300)), 0.025)


def _wenckebach(rng: np.random.Generator, seconds: float, bpm: float, build: Build) -> Plan:
    """4:3, or 5:4 as chance has it: the first PR grows most, so that the RR intervals shorten before the gap."""
    steps = [0.0, float(rng.uniform(85, 110)), float(rng.uniform(125, 155))]
    steps += [steps[-1] + float(rng.uniform(25, 40))] * int(rng.integers(0, 2))
    n = len(steps)
    return rhythms.second_degree(rng, seconds, bpm * (n + 1) / n, [_pr(build, bpm) + step for step in steps])


def _mobitz_2(rng: np.random.Generator, seconds: float, bpm: float, build: Build) -> Plan:
    n = int(rng.integers(2, 4))
    return rhythms.second_degree(rng, seconds, bpm * (n + 1) / n, [_pr(build, bpm)] * n)


def _two_to_one(rng: np.random.Generator, seconds: float, bpm: float, build: Build) -> Plan:
    return rhythms.second_degree(rng, seconds, 2 * bpm, [_pr(build, bpm)])


def _pause(length_s: tuple[float, float]) -> Planner:
    def plan(rng: np.random.Generator, seconds: float, bpm: float, build: Build) -> Plan:
        return rhythms.pause(rng, seconds, bpm, _pr(build, bpm), float(rng.uniform(*length_s)))

    return plan


def _flutter(rng: np.random.Generator, seconds: float, bpm: float, _: Build) -> Plan:
    ratio = min((2, 3, 4, 5), key=lambda n: abs(bpm * n - 300))
    return rhythms.flutter(rng, seconds, bpm * ratio, ratio)


def _narrow(build: Build) -> dict[str, Beat]:
    return {"normal": shapes.normal(build.qrs_ms)}


def _shape(beat: Callable[[], Beat], name: str = "normal") -> Shaper:
    return lambda build: {name: beat()}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One pathology: how it is made and what is true of it."""

    pathology: Pathology
    title_zh: str
    title_en: str
    rhythm: Rhythm
    usual_bpm: tuple[float, float]
    possible_bpm: tuple[float, float]
    """A rate asked for must lie here, or the name would no longer be true."""
    statements: tuple[str, ...]
    critical: tuple[str, ...] = ()
    plan: Planner = _sinus
    beats: Shaper = _narrow
    main_shape: str = "normal"
    continuous: Literal["none", "f_waves", "flutter", "ventricular_fibrillation"] = "none"
    qtc_ms: float | None = None
    noise: NoiseLevel = ORDINARY
    swapped: tuple[str, str] | None = None
    lost_electrode: str | None = None
    lost_leads: tuple[str, ...] = ()
    quality: Literal["usable", "limited", "repeat"] = "usable"
    chest_pain: bool = False
    """Whether a technician would press the chest-pain button."""
    min_duration_s: float = 2.0


P = Pathology
SCENARIOS: Final[dict[Pathology, Scenario]] = {
    row.pathology: row
    for row in (
        Scenario(P.SINUS, "窦性心律", "sinus rhythm", "sinus", (62, 88), (60, 100), ("20", "1")),
        Scenario(
            P.SINUS_BRADYCARDIA,
            "窦性心动过缓",
            "sinus bradycardia",
            "sinus",
            (44, 54),
            (40, 59),
            ("22",),
        ),
        Scenario(
            P.SINUS_TACHYCARDIA,
            "窦性心动过速",
            "sinus tachycardia",
            "sinus",
            (108, 132),
            (101, 160),
            ("21",),
        ),
        Scenario(
            P.ATRIAL_FIBRILLATION,
            "心房颤动",
            "atrial fibrillation",
            "atrial_fibrillation",
            (72, 115),
            (45, 170),
            ("50",),
            plan=lambda rng, s, bpm, _: rhythms.fibrillation(rng, s, bpm),
            continuous="f_waves",
        ),
        Scenario(
            P.ATRIAL_FLUTTER,
            "心房扑动",
            "atrial flutter",
            "atrial_flutter",
            (70, 79),
            (55, 160),
            ("51",),
            plan=_flutter,
            continuous="flutter",
        ),
        Scenario(
            P.VENTRICULAR_PREMATURE,
            "窦性心律,室性早搏",
            "sinus rhythm with ventricular premature beats",
            "sinus",
            (64, 80),
            (50, 100),
            ("20", "60"),
            plan=lambda rng, s, bpm, build: rhythms.premature_beats(
                rng, s, bpm, _pr(build, bpm), int(rng.integers(3, 5))
            ),
            beats=lambda build: {"normal": shapes.normal(build.qrs_ms), "ectopic": shapes.ectopic_outflow()},
            min_duration_s=6,
        ),
        Scenario(
            P.VENTRICULAR_TACHYCARDIA,
            "室性心动过速",
            "ventricular tachycardia",
            "ventricular_tachycardia",
            (168, 192),
            (130, 240),
            ("70",),
            ("ventricular_tachycardia",),
            plan=lambda rng, s, bpm, _: rhythms.dissociated(rng, s, float(rng.uniform(75, 95)), bpm, "normal"),
            beats=_shape(shapes.tachycardia_left),
        ),
        Scenario(
            P.VENTRICULAR_FIBRILLATION,
            "心室颤动",
            "ventricular fibrillation",
            "ventricular_fibrillation",
            (0, 0),
            (0, 0),
            ("74",),
            ("ventricular_fibrillation",),
            plan=lambda rng, s, bpm, build: Plan(),
            continuous="ventricular_fibrillation",
        ),
        Scenario(
            P.STEMI_ANTERIOR,
            "急性前壁 ST 段抬高型心肌梗死",
            "acute anterior ST-elevation myocardial infarction",
            "sinus",
            (76, 96),
            (50, 130),
            ("20", "160.330"),
            ("acute_myocardial_infarction",),
            beats=lambda build: {"normal": shapes.stemi_anterior(build.qrs_ms)},
            chest_pain=True,
        ),
        Scenario(
            P.STEMI_INFERIOR,
            "急性下壁 ST 段抬高型心肌梗死",
            "acute inferior ST-elevation myocardial infarction",
            "sinus",
            (58, 80),
            (45, 120),
            ("20", "161.330"),
            ("acute_myocardial_infarction",),
            beats=lambda build: {"normal": shapes.stemi_inferior(build.qrs_ms)},
            chest_pain=True,
        ),
        Scenario(
            P.AV_BLOCK_FIRST,
            "一度房室阻滞",
            "first-degree AV block",
            "sinus",
            (60, 78),
            (45, 100),
            ("20", "82"),
            plan=_first_degree,
        ),
        Scenario(
            P.AV_BLOCK_WENCKEBACH,
            "二度Ⅰ型房室阻滞",
            "second-degree AV block, type I (Wenckebach)",
            "second_degree_av_block",
            (54, 64),
            (45, 75),
            ("20", "83"),
            plan=_wenckebach,
            min_duration_s=8,
        ),
        Scenario(
            P.AV_BLOCK_MOBITZ_2,
            "二度Ⅱ型房室阻滞",
            "second-degree AV block, type II (Mobitz II)",
            "second_degree_av_block",
            (48, 58),
            (42, 70),
            ("20", "84"),
            plan=_mobitz_2,
            min_duration_s=8,
        ),
        Scenario(
            P.AV_BLOCK_2_1,
            "2:1房室阻滞",
            "2:1 AV block",
            "second_degree_av_block",
            (38, 45),
            (36, 50),
            ("20", "85"),
            plan=_two_to_one,
            min_duration_s=6,
        ),
        Scenario(
            P.AV_BLOCK_THIRD,
            "三度房室阻滞,室性逸搏心律",
            "third-degree AV block with ventricular escape",
            "complete_av_block",
            (31, 33.5),
            (25, 45),
            ("88", "63"),
            ("bradycardia",),
            plan=lambda rng, s, bpm, _: rhythms.dissociated(rng, s, float(rng.uniform(77, 84)), bpm, "normal"),
            beats=_shape(shapes.escape_ventricular),
            min_duration_s=6,
        ),
        Scenario(
            P.PAUSE_3S,
            "窦性停搏,RR 间期 ≥ 3.0 s",
            "sinus pause, RR of 3.0 s or longer",
            "sinus",
            (58, 74),
            (45, 100),
            ("20", "26"),
            plan=_pause((3.15, 3.8)),
            min_duration_s=6,
        ),
        Scenario(
            P.PAUSE_5S,
            "窦性停搏,RR 间期 ≥ 5.0 s",
            "sinus pause, RR of 5.0 s or longer",
            "sinus",
            (58, 74),
            (45, 100),
            ("20", "26"),
            ("long_rr",),
            plan=_pause((5.15, 5.8)),
            min_duration_s=9,
        ),
        Scenario(
            P.LBBB,
            "完全性左束支阻滞",
            "complete left bundle branch block",
            "sinus",
            (62, 84),
            (50, 110),
            ("20", "104"),
            beats=_shape(shapes.lbbb),
        ),
        Scenario(
            P.RBBB,
            "完全性右束支阻滞",
            "complete right bundle branch block",
            "sinus",
            (62, 84),
            (50, 110),
            ("20", "106"),
            beats=_shape(shapes.rbbb),
        ),
        Scenario(
            P.LONG_QT,
            "QT 间期延长(QTc ≥ 550 ms)",
            "prolonged QT, QTc of 550 ms or longer",
            "sinus",
            (58, 66),
            (50, 75),
            ("20", "148"),
            ("qtc_long",),
            beats=lambda build: {"normal": shapes.long_qt(build.qrs_ms)},
            qtc_ms=592,
        ),
        Scenario(
            P.REVERSAL_RA_LA,
            "左右手电极反接",
            "right and left arm electrodes reversed",
            "sinus",
            (62, 84),
            (50, 100),
            ("20", "10a"),
            swapped=("RA", "LA"),
            quality="repeat",
        ),
        Scenario(
            P.LEAD_OFF,
            "V3 导联脱落",
            "chest electrode V3 off: a flat lead",
            "sinus",
            (62, 84),
            (50, 100),
            ("20",),
            lost_electrode="V3",
            lost_leads=("V3",),
            quality="limited",
        ),
        Scenario(
            P.ELECTRODE_OFF,
            "左手电极接触不良",
            "left arm electrode loose: mains and drift in I, III, aVL and weaker in the others",
            "sinus",
            (62, 84),
            (50, 100),
            ("20",),
            lost_electrode="LA",
            lost_leads=("I", "III", "aVR", "aVL", "aVF"),
            quality="repeat",
        ),
        Scenario(
            P.NOISE,
            "严重干扰,无法判读",
            "heavy noise, not to be read",
            "sinus",
            (68, 92),
            (50, 120),
            ("4",),
            noise=HEAVY,
            quality="repeat",
        ),
    )
}
"""Every pathology, in the order of its enum."""


def scenario(name: str) -> Scenario:
    """The row of one pathology.

    Raises:
        ValueError: naming the pathologies that exist.
    """
    try:
        return SCENARIOS[Pathology(name)]
    except ValueError:
        raise ValueError(f"no pathology {name!r}; known: {', '.join(SCENARIOS)}") from None
