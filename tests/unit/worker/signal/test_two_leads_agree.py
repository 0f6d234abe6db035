"""What stands in one of two leads alone, where the other shows every beat, is no beat."""

import numpy as np
import pytest

from worker.signal.filters import Spectrum
from worker.signal.qrs import candidates_of, find_beats
from worker.signal.qrs_agreement import COEFFICIENT, SILENT, silence, weigh_agreement

HZ = 250.0
BEATS_S = np.arange(0.5, 40.0, 0.8)
ALONE_S = np.array([10.53, 17.74, 26.53, 33.75])


def trace(places_s: np.ndarray, seed: int) -> np.ndarray:
    at = np.arange(round(40 * HZ)) / HZ
    beats = sum(900 * np.exp(-(((at - beat) / 0.012) ** 2)) for beat in places_s)
    return np.asarray(beats + np.random.default_rng(seed).normal(scale=8, size=at.size))


def silences(leads: np.ndarray, places_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(seconds of the candidates, how silent the more silent lead is there)."""
    candidates, _ = candidates_of(Spectrum(leads, HZ), list(range(len(leads))))
    assert candidates is not None
    return candidates.at / HZ, silence(candidates, np.round(places_s * HZ).astype(int))


def test_a_jerk_in_one_lead_is_no_beat() -> None:
    leads = np.stack([trace(BEATS_S, 1), trace(np.sort(np.concatenate([BEATS_S, ALONE_S])), 2)])
    found = find_beats(leads, HZ) / HZ
    assert found.size == BEATS_S.size
    assert np.abs(found - BEATS_S).max() < 0.03


def test_a_premature_beat_in_both_leads_stays() -> None:
    every = np.sort(np.concatenate([BEATS_S, ALONE_S]))
    found = find_beats(np.stack([trace(every, 1), 0.5 * trace(every, 2)]), HZ) / HZ
    assert found.size == every.size


def test_a_lead_that_has_come_off_is_not_asked() -> None:
    off = trace(BEATS_S, 2)
    off[round(15 * HZ) : round(25 * HZ)] = np.random.default_rng(5).normal(scale=2, size=round(10 * HZ))
    found = find_beats(np.stack([trace(BEATS_S, 1), off]), HZ) / HZ
    assert found.size == BEATS_S.size


def test_silence_is_measured_against_the_beats_around() -> None:
    every = np.sort(np.concatenate([BEATS_S, ALONE_S]))
    at_s, found = silences(np.stack([trace(BEATS_S, 1), trace(every, 2)]), BEATS_S)
    at_beat = np.abs(at_s[:, None] - BEATS_S).min(axis=1) < 0.03
    alone = np.abs(at_s[:, None] - ALONE_S).min(axis=1) < 0.03
    assert alone.sum() == ALONE_S.size
    assert found[alone].min() > 1.0
    assert found[at_beat].max() == 0.0
    assert SILENT < 0 > COEFFICIENT


@pytest.mark.parametrize("n_leads", [1, 3])
def test_only_two_leads_are_asked(n_leads: int) -> None:
    leads = np.stack([trace(BEATS_S, seed) for seed in range(n_leads)])
    candidates, _ = candidates_of(Spectrum(leads, HZ), list(range(n_leads)))
    assert candidates is not None
    assert weigh_agreement(candidates, np.round(BEATS_S * HZ).astype(int)) == 0.0


def test_a_run_that_is_small_in_one_lead_is_found_whole() -> None:
    run = np.arange(20.7, 22.6, 0.36)
    sinus = BEATS_S[(BEATS_S < 20.4) | (BEATS_S > 23.0)]
    at = np.arange(round(40 * HZ)) / HZ
    wide = np.asarray(sum(np.exp(-(((at - beat) / 0.03) ** 2)) for beat in run))
    first, second = trace(sinus, 1) + 1600 * wide, trace(sinus, 2) - 500 * wide
    found = find_beats(np.stack([first, second]), HZ) / HZ
    assert all(np.abs(found - beat).min() < 0.08 for beat in run)
