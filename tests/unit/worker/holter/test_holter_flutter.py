"""Flutter in a day: an atrial clock between the QRS complexes."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.drawn_rhythms import drawn
from support.holter_days import day

from gateway.simulate.generator import generate
from gateway.simulate.leads import LEADS
from gateway.simulate.pathologies import Pathology
from worker.holter.af import af_episodes
from worker.holter.conclude import conclude
from worker.holter.day import Day
from worker.holter.flutter import flutter_of, waves_between
from worker.holter.measure import measure
from worker.holter.readable import readable
from worker.holter.two_to_one import fixed_rates
from worker.recording import Recording
from worker.signal.half_cycle import ALIKE, COMES_BACK, comes_back

HZ = 250.0


def bump(seconds, at_s, width_s):
    return np.exp(-0.5 * ((seconds - at_s) / width_s) ** 2)


def signal(at_s, duration_s, atria, noise_uv=15.0, seed=0):
    """(2, n) µV: QRS and T of each beat over what the atria do."""
    seconds = np.arange(round(duration_s * HZ)) / HZ
    uv = atria(seconds)
    for beat, rr in zip(at_s, np.diff(at_s, append=at_s[-1] + 0.8), strict=True):
        part = slice(max(0, round((beat - 0.3) * HZ)), round((beat + 0.6) * HZ))
        uv[part] += 1000 * bump(seconds[part], beat, 0.015) - 200 * bump(seconds[part], beat + 0.04, 0.012)
        uv[part] += 250 * bump(seconds[part], beat + 0.28 * np.sqrt(min(1.0, max(0.4, rr))), 0.04)
    rng = np.random.default_rng(seed)
    return np.stack([uv, 0.6 * uv]) + rng.normal(0, noise_uv, (2, seconds.size))


def sawtooth(period_s, size_uv=120.0):
    return lambda seconds: size_uv * (0.5 - seconds / period_s % 1)


def conducted(ratios, period_s, jitter_s=0.0, seed=1):
    rng = np.random.default_rng(seed)
    return 0.5 + np.cumsum(np.array(ratios) * period_s) + rng.normal(0, jitter_s, len(ratios))


def p_and_u(at_s):
    def atria(seconds):
        uv = np.zeros(seconds.size)
        for beat in at_s:
            part = slice(max(0, round((beat - 0.4) * HZ)), round((beat + 0.8) * HZ))
            uv[part] += 120 * bump(seconds[part], beat - 0.16, 0.025) + 40 * bump(seconds[part], beat + 0.48, 0.03)
        return uv

    return atria


def recorded(uv):
    digital = np.clip(np.rint(uv / 5), -32768, 32767).astype(np.int16)
    return Recording("", "holter", ("II", "V1"), digital, np.full(2, 5.0), np.zeros(2), HZ)


def found(at_s, uv):
    beats = day("N" * len(at_s), at_s=at_s).beats
    return [(s.start / HZ, s.stop / HZ) for s in flutter_of(Day(recorded(uv)), beats)]


def test_four_to_one_and_changing_conduction_are_found_with_their_length():
    rng = np.random.default_rng(3)
    for ratios, period_s in (([4] * 130, 0.25), (rng.choice([2, 3, 4], 200).tolist(), 0.24)):
        at_s = conducted(ratios, period_s, 0.004)
        ((start, end),) = found(at_s, signal(at_s, at_s[-1] + 1, sawtooth(period_s)))
        assert start < 15
        assert end > at_s[-1] - 25


def test_two_to_one_is_believed_where_it_follows_what_was_seen():
    at_s = conducted([4] * 80 + [2] * 200, 0.23)
    ((start, end),) = found(at_s, signal(at_s, at_s[-1] + 1, sawtooth(0.23)))
    assert start < 15
    assert end > at_s[-1] - 25
    alone = conducted([2] * 300, 0.2)
    assert found(alone, signal(alone, alone[-1] + 1, sawtooth(0.2))) == []


DAY = ("II", "V1", "V5")


def simulated(pathology, bpm, seed, seconds=150.0):
    ecg = generate(
        pathology, seed=seed, duration_s=seconds, sampling_hz=250, rate_bpm=bpm, age_years=60, noise_factor=1.5
    )
    digital = np.rint(ecg.samples_uv[[LEADS.index(lead) for lead in DAY]] / 5).astype(np.int16)
    return Recording("", "holter", DAY, digital, np.full(3, 5.0), np.zeros(3), HZ)


@pytest.mark.parametrize(("bpm", "seed"), [(126, 1), (130, 0), (138, 3)])
def test_two_to_one_from_end_to_end_is_found_in_its_averaged_cycle(bpm, seed):
    measured = measure(simulated(Pathology.ATRIAL_FLUTTER, bpm, seed))
    (stretch,) = measured.flutter
    assert stretch.start / HZ < 10
    assert stretch.stop / HZ > 140
    findings = conclude(measured)
    assert [event.text for event in findings.holter.events if event.kind == "flutter"] == ["two_to_one"]
    (said,) = [one for one in findings.statements if one.code in ("51", "51a")]
    assert said.certainty == "possible"


@pytest.mark.parametrize(("bpm", "seed"), [(120, 0), (150, 3)])
def test_a_sinus_tachycardia_is_none_however_fixed(bpm, seed):
    recording = simulated(Pathology.SINUS_TACHYCARDIA, bpm, seed)
    measured = measure(recording)
    assert measured.flutter == ()
    block = Day(recording).block(0, 3000)
    share, _ = comes_back(block, measured.beats.sample[measured.beats.sample < 3000], HZ)
    assert share < COMES_BACK


@pytest.mark.parametrize("p_after_s", [None, -0.11, -0.15])
@pytest.mark.parametrize("bpm", [118, 139, 151, 163])
def test_a_fixed_rate_without_p_or_with_one_before_the_qrs_is_none(bpm, p_after_s):
    qrs_s = 0.3 + np.arange(int(14 * bpm / 60)) * 60 / bpm
    p_s = [] if p_after_s is None else [at for at in qrs_s + p_after_s if at > 0.1]
    recording = drawn(p_s, qrs_s, duration_s=14.5, seed=1)
    rows = [recording.leads.index(lead) for lead in DAY]
    at = np.rint((qrs_s + 0.045) * 500).astype(int)
    share, alike = comes_back(recording.digital[rows].astype(np.float32), at, 500.0)
    assert share < COMES_BACK or alike < ALIKE


def test_a_rate_that_drifts_or_is_soon_over_is_not_fixed():
    label = np.zeros(2000, np.uint8)
    assert fixed_rates(np.arange(2000) * 0.42, label) == [(0, 1999)]
    assert fixed_rates(np.arange(250) * 0.42, label[:250]) == []  # 105 s
    drifting = 0.44 + 0.05 * np.sin(np.arange(2000) / 60)
    assert fixed_rates(np.cumsum(drifting), label) == []
    assert fixed_rates(np.arange(2000) * 0.42, np.full(2000, 2, np.uint8)) == []  # ventricular


def test_an_episode_within_sinus_rhythm_has_its_borders():
    sinus, ratios = 0.5 + np.arange(150) * 0.8, [4] * 100
    flutter = sinus[-1] + 0.2 + conducted(ratios, 0.25)
    at_s = np.concatenate([sinus, flutter, flutter[-1] + 1 + np.arange(150) * 0.8])
    clock, p_waves = sawtooth(0.25), p_and_u(np.concatenate([sinus, at_s[250:]]))

    def atria(seconds):
        return np.where((seconds > sinus[-1] + 0.3) & (seconds < flutter[-1]), clock(seconds), p_waves(seconds))

    ((start, end),) = found(at_s, signal(at_s, at_s[-1] + 1, atria))
    assert start == pytest.approx(sinus[-1], abs=10)
    assert end == pytest.approx(flutter[-1], abs=10)


def test_sinus_rhythm_with_p_and_u_waves_is_none_at_any_rate():
    for rr in (0.5, 0.7, 0.8, 0.9, 1.0, 1.2):
        at_s = 0.5 + np.arange(round(150 / rr)) * rr
        uv = signal(at_s, at_s[-1] + 1, p_and_u(at_s))
        for start in range(0, uv.shape[1] - 3000, 1500):
            inside = at_s[(at_s * HZ > start + 20) & (at_s * HZ < start + 2980)]
            seen = waves_between(
                uv[:, start : start + 3000].astype(np.float32),
                np.rint(inside * HZ).astype(int) - start,
                np.zeros(inside.size, bool),
                HZ,
            )
            assert not seen.is_flutter


def test_waves_that_lose_their_beat_are_fibrillation():
    rng = np.random.default_rng(5)
    at_s = 0.5 + np.cumsum(rng.uniform(0.5, 1.1, 250))
    periods = np.cumsum(0.18 * (1 + 0.25 * rng.standard_normal(2000)))

    def coarse(seconds):
        return 100 * np.sin(2 * np.pi * np.interp(seconds, periods, np.arange(periods.size)))

    assert found(at_s, signal(at_s, at_s[-1] + 1, coarse)) == []


def test_the_engine_says_it_as_an_episode_of_its_kind():
    rng = np.random.default_rng(3)
    at_s = conducted(rng.choice([2, 3, 4], 120).tolist(), 0.24, 0.004)
    measured = measure(recorded(signal(at_s, at_s[-1] + 1, sawtooth(0.24))))
    assert measured.flutter
    episodes = af_episodes(readable(measured))
    assert [episode.flutter for episode in episodes] == [True]


def test_few_beats_and_a_short_recording_say_nothing():
    at_s = np.array([1.0, 2.0, 3.0])
    assert found(at_s, signal(at_s, 5.0, sawtooth(0.2))) == []
    assert found(at_s[:1], np.zeros((2, 5000))) == []


def test_a_day_costs_less_than_a_second():
    at_s = 0.5 + np.arange(2250) * 0.8
    uv = signal(at_s, at_s[-1] + 1, p_and_u(at_s))
    beats, half_hour = day("N" * len(at_s), at_s=at_s).beats, Day(recorded(uv))
    flutter_of(half_hour, beats)
    began = time.process_time()
    flutter_of(half_hour, beats)
    assert 48 * (time.process_time() - began) < 1.5


def test_no_real_sinus_rhythm_or_fibrillation_is_called_flutter(ecg_data):
    from bench.accuracy.data import notes, recording

    for name in ("119", "201"):
        header = Path(ecg_data) / "mitdb" / f"{name}.hea"
        whole, written = replace(recording(header), kind="holter"), notes(header, "atr")
        beats = day("N" * len(written.beats), at_s=written.beats / HZ).beats
        assert flutter_of(Day(whole), beats) == ()
