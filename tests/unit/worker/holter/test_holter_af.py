"""Episodes of atrial fibrillation from beats."""

import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from support.holter_days import day

from worker.holter.af import (
    CLEAR,
    Episode,
    af_beats,
    af_burden,
    af_episodes,
    af_events,
    log_odds,
    most_plausible,
    spans_of_episodes,
    without_early_atrial,
)
from worker.holter.af_measures import measures
from worker.holter.measured import Label, Stretch
from worker.holter.readable import readable

HZ = 250


def sinus(n, rr_s=0.8, seed=0):
    rng = np.random.default_rng(seed)
    return rr_s * (1 + 0.03 * np.sin(np.arange(n) / 2.5) + 0.01 * rng.standard_normal(n))


def fibrillation(n, seed=1, low=0.4, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, n)


def made(*parts, labels=None, **fields):
    rr = np.concatenate(parts)
    return readable(day(labels or "N" * len(rr), at_s=np.cumsum(rr), p_wave=np.nan, **fields))


def spans(measured):
    return spans_of_episodes(measured, af_episodes(measured)).pairs()


def test_an_episode_between_sinus_rhythm_is_found_with_its_borders():
    measured = made(sinus(200), fibrillation(200), sinus(200, seed=2))
    ((start, end),) = spans(measured)
    assert start == pytest.approx(measured.at_s[200], abs=8)
    assert end == pytest.approx(measured.at_s[400], abs=8)


def test_regular_rhythm_early_beats_and_bigeminy_are_none():
    couplings = np.tile([0.8, 0.8, 0.8, 0.5, 1.1], 80) * (1 + 0.01 * np.random.default_rng(3).standard_normal(400))
    for rr in (sinus(400), np.full(400, 0.5), couplings, np.tile([0.55, 1.05], 200) + 0.005 * np.sin(np.arange(400))):
        assert spans(made(rr)) == []


def test_ventricular_beats_do_not_make_fibrillation_of_sinus_rhythm():
    rng = np.random.default_rng(5)
    labels, rr = [], []
    for value in sinus(400):
        if rng.random() < 0.25:
            early = rng.uniform(0.5, 0.8)
            labels += ["V", "N"]
            rr += [value * early, value * (2 - early)]
        else:
            labels.append("N")
            rr.append(value)
    assert spans(made(np.array(rr), labels="".join(labels))) == []


def test_fast_and_regular_between_two_stretches_belongs_to_them_but_slow_and_regular_does_not():
    fast = made(sinus(100), fibrillation(150, low=0.6), np.full(150, 0.42), fibrillation(150, 2, low=0.6), sinus(100))
    assert len(spans(fast)) == 1
    slow = made(sinus(100), fibrillation(150, low=0.6), np.full(150, 0.9), fibrillation(150, 2, low=0.6), sinus(100))
    assert len(spans(slow)) == 2


def test_short_episodes_count_in_the_burden_alone():
    measured = made(sinus(200), fibrillation(30, low=0.3, high=1.2), sinus(200))
    episodes = [Episode(200, 228)]
    assert af_events(measured, episodes) == []
    burden = af_burden(measured, episodes)
    assert burden.episodes == 0
    assert burden.longest_at_s is None
    assert burden.share == pytest.approx((measured.at_s[228] - measured.at_s[200]) / measured.analysed_s, abs=1e-3)


def test_burden_and_events_of_an_episode():
    measured = made(np.full(100, 1.0), np.full(100, 0.5), np.full(100, 1.0))
    burden = af_burden(measured, [Episode(99, 199)])
    assert (burden.episodes, burden.longest_s, burden.longest_at_s) == (1, 50.0, 100.0)
    assert (burden.rate_mean_bpm, burden.rate_max_bpm) == (120.0, 120.0)
    assert burden.share == pytest.approx(50 / 251, abs=1e-3)
    (event,) = af_events(measured, [Episode(99, 199)])
    assert (event.kind, event.start_s, event.end_s, event.beats, event.rate_bpm) == ("af", 100.0, 150.0, 101, 120.0)


def test_what_cannot_be_read_does_not_count_in_the_burden():
    rr = np.concatenate([fibrillation(400), sinus(100)])
    whole = made(rr)
    left_out = made(rr, unreadable=[Stretch(50 * HZ, 150 * HZ)])
    lasting, whole_s = rr[:400].sum(), whole.duration_s
    assert af_burden(whole, af_episodes(whole)).share == pytest.approx(lasting / whole_s, abs=0.03)
    expected = (lasting - 100) / (whole_s - 100)
    assert af_burden(left_out, af_episodes(left_out)).share == pytest.approx(expected, abs=0.04)


def test_a_long_unreadable_stretch_parts_an_episode():
    rr = fibrillation(600)
    rr[300] = 100.0
    at_s = np.cumsum(rr)
    gap = [Stretch(round((at_s[299] + 0.1) * HZ), round((at_s[300] - 0.1) * HZ))]
    assert len(af_episodes(made(rr, unreadable=gap))) == 2


def test_flutter_as_the_signal_shows_it_is_an_episode_of_its_own_kind():
    measured = made(sinus(600, 0.5), flutter=[Stretch(100 * HZ, 200 * HZ)])
    (episode,) = af_episodes(measured)
    assert episode.flutter
    (event,) = af_events(measured, [episode])
    assert (event.kind, round(event.start_s), event.end_s) == ("flutter", 100, pytest.approx(199.7, abs=0.6))


def test_nothing_is_early_within_fibrillation_unless_a_physician_said_so():
    measured = made(np.full(6, 0.8), labels="NSNSSN")
    measured.beats.confidence[3] = 1.0
    settled = without_early_atrial(measured, [Episode(0, 5)])
    assert settled.beats.label.tolist() == [Label.N, Label.N, Label.N, Label.S, Label.N, Label.N]
    assert measured.beats.label[1] == Label.S


def test_few_beats_say_nothing():
    assert af_episodes(readable(day("", duration_s=10.0))) == []
    assert not af_beats(fibrillation(8), np.ones(8, bool)).any()
    assert af_episodes(readable(day("NN"))) == []


def test_measures_of_a_window_are_those_computed_the_long_way():
    rr, counts = fibrillation(160), np.ones(160, bool)
    counts[[0, 60, 61, 90]] = False
    row = 80
    change = np.clip(np.rint(np.diff(np.log(rr), prepend=np.log(rr[0])) / 0.05), -12, 12)
    cells = Counter(
        (change[i - 1], change[i]) for i in range(row - 30, row + 31) if counts[i] and counts[i - 1] and counts[i - 2]
    )
    told = sum(cells.values())
    entropy = -sum(times / told * np.log(times / told) for times in cells.values())
    rate = np.floor(60 / rr / 5)
    words = {tuple(rate[i - 2 : i + 1]) for i in range(row - 15, row + 16)}
    found = measures(rr, counts)[row]
    assert told < 61
    assert found == pytest.approx([entropy / np.log(0.75 * told + 0.25 * 61), len(words) / 31])


def test_what_looks_like_the_usual_p_wave_before_the_beats_speaks_against_fibrillation():
    rr = np.concatenate([sinus(200), fibrillation(200), sinus(200, seed=2)])
    for likeness, episodes in ((0.95, 0), (0.4, 1)):
        assert len(af_episodes(readable(day("N" * 600, at_s=np.cumsum(rr), p_wave=likeness)))) == episodes


def test_what_is_nowhere_clearly_fibrillation_is_none():
    rng = np.random.default_rng(4)
    base, rr = sinus(600), []
    for value in base:
        early = rng.random() < 0.2
        rr += [value * 0.7, value * 1.25] if early else [value]
    odds = log_odds(np.array(rr), np.ones(len(rr), bool))
    assert odds.max() < CLEAR
    assert spans(made(np.array(rr))) == []


def test_the_most_plausible_sequence_is_the_best_of_all():
    rng = np.random.default_rng(0)
    for _ in range(20):
        odds = rng.normal(0, 2, 8)
        words = [np.array([number >> bit & 1 for bit in range(8)], bool) for number in range(256)]
        value = [odds[word].sum() - 1.5 * np.count_nonzero(np.diff(word)) for word in words]
        assert most_plausible(odds, 1.5).tolist() == words[int(np.argmax(value))].tolist()


def test_a_day_takes_less_than_a_tenth_of_a_second():
    measured = made(np.concatenate([sinus(50_000), fibrillation(50_000)]))
    af_episodes(made(sinus(50)))
    began = time.process_time()
    af_episodes(measured)
    assert time.process_time() - began < 0.1


@pytest.mark.parametrize(("name", "episode", "duration"), [("afdb_annotations_only", 97, 97), ("cpsc2021", 99, 95)])
def test_real_episodes(ecg_data, name, episode, duration):
    from bench.accuracy.af_episodes import run

    options = SimpleNamespace(half=None, limit=0)
    (table,) = run(Path(ecg_data) / name, options)
    figures = table.figures
    assert min(figures["episode_se"], figures["episode_ppv"]) >= episode
    assert min(figures["duration_se"], figures["duration_ppv"]) >= duration
