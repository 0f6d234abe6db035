"""U waves, sagging ST and alternating T: made on a simulated heart, said where they are, and only there."""

import numpy as np
import pytest
from support.simulated import recording_of

from gateway.simulate.generator import LEADS, SimulatedEcg, generate
from worker.resting import analyse

HZ = 500


def said(ecg: SimulatedEcg, samples: np.ndarray) -> dict[str, str]:
    recording = recording_of(ecg, digital=np.round(samples).astype(np.int16))
    return {statement.code: statement.certainty for statement in analyse(recording).statements}


def heart(seed: int = 1, **changes: object) -> tuple[SimulatedEcg, np.ndarray]:
    ecg = generate("sinus", seed=seed, rate_bpm=64, sampling_hz=HZ, **changes)
    return ecg, np.array(ecg.samples_uv, float)


def with_bump(ecg: SimulatedEcg, samples: np.ndarray, uv: dict[str, float], at_s: float, sd_s: float) -> np.ndarray:
    """A wave of this height in these leads, so long after each R."""
    seconds, changed = np.arange(samples.shape[1]) / HZ, samples.copy()
    for beat in ecg.truth.beats_s:
        bump = np.exp(-0.5 * ((seconds - beat - at_s) / sd_s) ** 2)
        for lead, height in uv.items():
            changed[LEADS.index(lead)] += height * bump
    return changed


def with_flat_t(ecg: SimulatedEcg, samples: np.ndarray, share: float) -> np.ndarray:
    """T left with this share of its height."""
    seconds, changed = np.arange(samples.shape[1]) / HZ, samples.copy()
    for beat in ecg.truth.beats_s:
        inside = (seconds > beat + 0.10) & (seconds < beat + 0.44)
        window = np.sin(np.pi * np.clip((seconds[inside] - beat - 0.10) / 0.34, 0, 1)) ** 0.3
        changed[:, inside] *= 1 - (1 - share) * window
    return changed


CHEST = ("V2", "V3", "V4", "V5")


@pytest.mark.parametrize("seed", range(4))
def test_a_u_above_t_speaks_of_low_potassium(seed: int) -> None:
    ecg, samples = heart(seed)
    u = dict.fromkeys(CHEST, 190.0) | {"II": 120.0}
    flat = with_flat_t(ecg, samples, 0.2)
    assert "211" in said(ecg, with_bump(ecg, flat, u, 0.50, 0.03))
    assert "211" not in said(ecg, flat)
    assert "211" not in said(ecg, with_bump(ecg, flat, {"V3": 190.0}, 0.50, 0.03))  # one lead is too few
    assert "211" not in said(ecg, with_bump(ecg, samples, dict.fromkeys(CHEST, 40.0), 0.50, 0.03))
    sunk = with_bump(ecg, with_bump(ecg, flat, u, 0.50, 0.03), dict.fromkeys(CHEST, -110.0), 0.14, 0.05)
    assert said(ecg, sunk).get("211") == "probable"


def test_a_high_u_below_t_is_only_a_high_u() -> None:
    ecg, samples = heart()
    tall = with_bump(ecg, samples, dict.fromkeys(CHEST, 400.0), 0.28, 0.05)
    codes = said(ecg, with_bump(ecg, tall, dict.fromkeys(CHEST, 260.0), 0.50, 0.03))
    assert "150" in codes
    assert "211" not in codes


@pytest.mark.parametrize("seed", range(3))
def test_t_and_u_fuse_where_the_line_between_them_stays_up(seed: int) -> None:
    ecg, samples = heart(seed)
    flat = with_flat_t(ecg, samples, 0.1)

    def both(sd_s: float, leads: tuple[str, ...] = CHEST) -> dict[str, str]:
        tall = with_bump(ecg, flat, dict.fromkeys(leads, 330.0), 0.26, sd_s)
        return said(ecg, with_bump(ecg, tall, dict.fromkeys(leads, 280.0), 0.44, sd_s))

    assert "152" in both(0.058)
    assert "211" not in both(0.058)  # U is lower than T
    apart = both(0.035)
    assert "150" in apart
    assert "152" not in apart
    assert "152" not in both(0.058, ("V3",))


@pytest.mark.parametrize("qtc_ms", [500, 560, 600, 650])
def test_a_long_qt_with_one_late_wave_says_nothing_of_potassium(qtc_ms: float) -> None:
    for seed in range(6):
        ecg = generate("long-qt", seed=seed, duration_s=12)
        slower = (ecg.truth.qtc_ms / qtc_ms) ** 2  # time stretched by k makes QTc √k longer
        findings = analyse(recording_of(ecg, sampling_hz=ecg.sampling_hz * slower))
        codes = {statement.code for statement in findings.statements}
        assert "148" in codes
        assert not codes & {"150", "152", "211"}, seed
        assert "hypokalaemia" not in {value.rule for value in findings.critical}


def test_digitalis_sags_without_lowering_j() -> None:
    ecg, samples = heart()
    flat = with_flat_t(ecg, samples, 0.5)
    sag = dict.fromkeys(("I", "II", "V4", "V5", "V6"), -230.0)
    scooped = with_bump(ecg, flat, sag, 0.18, 0.045)
    assert "205" in said(ecg, scooped)
    assert "205" not in said(ecg, flat)
    assert "205" not in said(ecg, with_bump(ecg, flat, {"V5": -230.0}, 0.18, 0.045))
    lowered = with_bump(ecg, scooped, dict.fromkeys(sag, -200.0), 0.07, 0.03)  # J as well: ischaemia
    assert "205" not in said(ecg, lowered)


def alternating(ecg: SimulatedEcg, samples: np.ndarray, uv: float, leads: tuple[str, ...]) -> np.ndarray:
    seconds, changed = np.arange(samples.shape[1]) / HZ, samples.copy()
    for number, beat in enumerate(ecg.truth.beats_s):
        bump = np.exp(-0.5 * ((seconds - beat - 0.27) / 0.05) ** 2)
        for lead in leads:
            changed[LEADS.index(lead)] += (-1) ** number * uv / 2 * bump
    return changed


@pytest.mark.parametrize("seed", range(3))
def test_t_that_alternates_is_said_and_other_scatter_is_not(seed: int) -> None:
    ecg, samples = heart(seed)
    assert "147f" in said(ecg, alternating(ecg, samples, 180.0, CHEST))
    assert "147f" not in said(ecg, samples)
    assert "147f" not in said(ecg, alternating(ecg, samples, 30.0, CHEST))
    assert "147f" not in said(ecg, alternating(ecg, samples, 180.0, ("V3",)))
    rng = np.random.default_rng(seed)
    chance = samples.copy()
    seconds = np.arange(samples.shape[1]) / HZ
    for beat in ecg.truth.beats_s:  # as large, but in no order
        chance += rng.normal(0, 90.0) * np.exp(-0.5 * ((seconds - beat - 0.27) / 0.05) ** 2)
    assert "147f" not in said(ecg, chance)


def test_a_short_run_or_an_alternating_qrs_is_no_alternans_of_t() -> None:
    ecg, samples = heart(duration_s=7.0)
    assert "147f" not in said(ecg, alternating(ecg, samples, 180.0, CHEST))  # seven beats
    ecg, samples = heart()
    whole = samples.copy()
    seconds = np.arange(samples.shape[1]) / HZ
    for number, beat in enumerate(ecg.truth.beats_s):
        near = np.abs(seconds - beat - 0.12) < 0.32
        whole[:, near] *= 1 + 0.25 * (-1) ** number
    assert "147f" not in said(ecg, whole)


def swinging(ecg: SimulatedEcg, samples: np.ndarray, share: float, leads: tuple[str, ...] = LEADS) -> np.ndarray:
    """QRS larger and smaller by this share in turn, its T left alone."""
    changed, seconds = samples.copy(), np.arange(samples.shape[1]) / HZ
    rows = [LEADS.index(lead) for lead in leads]
    for number, beat in enumerate(ecg.truth.beats_s):
        window = np.clip((0.075 - np.abs(seconds - beat - 0.005)) / 0.02, 0, 1)
        changed[rows] *= 1 + share * (-1) ** number * window
    return changed


@pytest.mark.parametrize("seed", range(4))
def test_qrs_that_is_larger_every_second_time_is_electrical_alternans(seed: int) -> None:
    ecg, samples = heart(seed)
    codes = said(ecg, swinging(ecg, samples, 0.20))
    assert codes.get("124") == "probable"
    assert "147f" not in codes
    assert "124" not in said(ecg, samples)
    assert "124" not in said(ecg, swinging(ecg, samples, 0.02))  # less than 1 mm
    assert "124" not in said(ecg, swinging(ecg, samples, 0.20, ("V3", "V4")))  # two leads
    breathing = samples.copy()
    seconds = np.arange(samples.shape[1]) / HZ
    for number, beat in enumerate(ecg.truth.beats_s):  # over four beats
        breathing *= 1 + 0.2 * np.sin(2 * np.pi * number / 4) * np.clip((0.075 - np.abs(seconds - beat)) / 0.02, 0, 1)
    assert "124" not in said(ecg, breathing)


def test_a_heart_that_turns_in_an_effusion_is_too_however_unlike_its_beats_are() -> None:
    ecg, samples = heart(2)
    codes = said(ecg, swinging(ecg, samples, 0.45))
    assert "124" in codes
    assert not set(codes) & {"60", "60a", "60b", "73a", "30", "30a"}


def test_seven_beats_are_too_few_for_alternans_of_the_qrs() -> None:
    ecg, samples = heart(duration_s=6.5)
    assert "124" not in said(ecg, swinging(ecg, samples, 0.20))
