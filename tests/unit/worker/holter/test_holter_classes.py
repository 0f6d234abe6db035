"""Which class has each beat of a day? Made beats whose class is known; figures of real ones are in docs/accuracy.md."""

import numpy as np
import pytest
from support.holter_beats import HZ, day_of, sinus_with, wave

from worker.holter import features as measured
from worker.holter.classify import Forest, classified, classify, decided, forests
from worker.holter.features import FEATURES, beat_features
from worker.holter.measured import Label
from worker.signal.forest import packed_nodes, unpacked_nodes

N = 420
EARLY = dict.fromkeys(range(15, N - 5, 23), ("V", 0.62, 1.38)) | dict.fromkeys(range(25, N - 5, 31), ("S", 0.7, 1.1))


@pytest.fixture(scope="module")
def ectopic():
    return sinus_with(N, EARLY)


@pytest.fixture(scope="module")
def ectopic_uv(ectopic):
    return wave(*ectopic)


def labels(uv, at_s, hz=HZ):
    found = classified(day_of(uv, hz), np.rint(at_s * hz).astype(np.int64))
    return "".join(Label(int(label)).name for label in found.label)


def right(found, kinds, letter):
    """(share of these beats so called, how many others are)."""
    truth, called = np.array(list(kinds)) == letter, np.array(list(found)) == letter
    return float(called[truth].mean()), int((called & ~truth).sum())


def test_wide_early_beats_are_ventricular_and_narrow_ones_with_another_p_supraventricular(ectopic, ectopic_uv):
    found = labels(ectopic_uv, ectopic[0])
    share, false = right(found, ectopic[1], "V")
    assert share == 1.0
    assert false == 0
    share, false = right(found, ectopic[1], "S")
    assert share > 0.9
    assert false <= 2


@pytest.mark.parametrize("gains", [(0.4, 0.4), (-1, -1), (2, 0.5), (1, -1)], ids=str)
def test_gain_and_polarity_change_no_class(ectopic, ectopic_uv, gains):
    changed = ectopic_uv * np.array(gains)[:, None]
    assert labels(changed, ectopic[0]) == labels(ectopic_uv, ectopic[0])


def test_leads_may_stand_in_any_order(ectopic, ectopic_uv):
    assert labels(ectopic_uv[::-1], ectopic[0]) == labels(ectopic_uv, ectopic[0])


@pytest.mark.parametrize("lead", [0, 1])
def test_one_lead_alone_tells_most(ectopic, ectopic_uv, lead):
    found = labels(ectopic_uv[lead : lead + 1], ectopic[0])
    assert right(found, ectopic[1], "V") == (1.0, 0)
    share, false = right(found, ectopic[1], "S")
    assert share > 0.8
    assert false <= 3


def test_in_fibrillation_nothing_is_supraventricular_and_wide_beats_are_still_ventricular():
    random = np.random.default_rng(4)
    rr = np.clip(random.lognormal(np.log(0.7), 0.22, 500), 0.35, 1.4)
    kinds = ["V" if at % 29 == 20 else "f" for at in range(500)]
    rr[20::29], rr[21::29] = 0.48, 0.95
    at_s = np.cumsum(rr) + 1
    found = labels(wave(at_s, kinds), at_s)
    assert found.count("S") == 0
    assert right(found, kinds, "V") == (1.0, 0)


@pytest.mark.parametrize(("drawn", "noise_uv"), [("S", 12.0), ("S", 60.0), ("N", 12.0), ("f", 12.0)])
def test_where_atrial_beats_lead_most_of_the_time_the_timely_ones_are_the_rare_ones(drawn, noise_uv):
    random = np.random.default_rng(5)
    rr, kinds = [], []
    while len(rr) < 500:
        beats = 1 + int(random.geometric(0.35))
        rr += [float(random.uniform(1.4, 3.0)), *(0.75 * np.exp(random.normal(0, 0.08, beats))).tolist()]
        kinds += ["N", *["S"] * beats]
    at_s = np.cumsum(rr) + 1
    found = labels(wave(at_s, [drawn if kind == "S" else kind for kind in kinds], noise_uv=noise_uv), at_s)
    share, false = right(found, kinds, "S")
    assert share > 0.8
    assert false < 15


def test_dropped_beats_make_nothing_supraventricular():
    at_s, kinds = sinus_with(420, dict.fromkeys(range(9, 415, 6), ("N", 2.0, 1.0)), swing=0.01)
    assert labels(wave(at_s, kinds), at_s).count("S") <= 4


@pytest.mark.parametrize("share", [0.1, 0.35])
def test_beats_dropped_at_random_leave_no_early_ones_behind(share):
    random = np.random.default_rng(7)
    rr = 0.8 * np.where(random.random(500) < share, 2.0, 1.0) * np.exp(random.normal(0, 0.02, 500))
    at_s = np.cumsum(rr) + 1
    assert labels(wave(at_s, ["N"] * 500), at_s) == "N" * 500


def test_an_early_beat_among_dropped_ones_is_early_still():
    random = np.random.default_rng(8)
    early = dict.fromkeys(range(25, 415, 40), ("S", 0.7, 1.1))
    at_s, kinds = sinus_with(420, dict.fromkeys(range(9, 415, 8), ("N", 2.0, 1.0)) | early, swing=0.01)
    found = labels(wave(at_s, kinds, seed=int(random.integers(9))), at_s)
    share, false = right(found, kinds, "S")
    assert share > 0.7
    assert false <= 4


def test_a_beat_that_is_the_sum_of_a_usual_and_a_ventricular_one_is_a_fusion():
    met = dict.fromkeys(range(20, N - 5, 23), ("F", 0.96, 1.04))
    at_s, kinds = sinus_with(N, EARLY | met)
    found = labels(wave(at_s, kinds), at_s)
    share, false = right(found, kinds, "F")
    assert share > 0.8
    assert false <= 1
    assert right(found, kinds, "V") == (1.0, 0)


def test_without_ventricular_beats_of_their_own_there_is_nothing_to_fuse_with():
    at_s, kinds = sinus_with(N, dict.fromkeys(range(20, N - 5, 23), ("F", 0.96, 1.04)))
    assert labels(wave(at_s, kinds), at_s).count("F") == 0


def test_an_amplitude_that_breathes_is_no_fusion(ectopic, ectopic_uv):
    t = np.arange(ectopic_uv.shape[1]) / HZ
    breathing = ectopic_uv * (1 + 0.35 * np.sin(2 * np.pi * t / 40))
    assert labels(breathing, ectopic[0]).count("F") == 0


def test_a_beat_that_noise_hides_is_unclassifiable_and_the_clear_ones_around_it_are_not():
    random = np.random.default_rng(3)
    at_s, kinds = sinus_with(N, EARLY)
    uv = wave(at_s, kinds)
    hidden = np.arange(40, N - 10, 37)
    for at in at_s[hidden]:
        first = round((at - 0.45) * HZ)
        uv[:, first : first + HZ] += np.cumsum(random.normal(0, 260, (2, HZ)), axis=1) * np.hanning(HZ)
    found = np.array(list(labels(np.clip(uv, -30000, 30000), at_s)))
    clear = np.setdiff1d(np.arange(N), np.concatenate([hidden - 1, hidden, hidden + 1]))
    assert (found[hidden] == "Q").sum() >= 3
    assert (found[clear] == "Q").sum() == 0


def test_a_very_early_beat_that_begins_as_usual_and_ends_late_is_aberrant():
    at_s, kinds = sinus_with(60, dict.fromkeys((30, 31, 32), ("V", 1.0, 1.0)))  # three of one shape
    features = beat_features(day_of(wave(at_s, kinds)), np.rint(at_s * HZ).astype(np.int64))
    columns = {"begin": 0.75, "like": 0.66, "pre": -0.8, "area": 0.6}
    at = [FEATURES.index(name) for name in columns]
    features.values[30, at] = list(columns.values())
    v, s = np.full(60, -4.0, np.float32), np.full(60, -3.0, np.float32)
    v[30] = 2.0
    assert Label(int(decided(v, s, features)[0][30])) == Label.S
    v[31:33] = 2.0
    assert Label(int(decided(v, s, features)[0][30])) == Label.V  # the first of a run
    v[31] = -4.0
    features.values[30, FEATURES.index("begin")] = 0.2
    assert Label(int(decided(v, s, features)[0][30])) == Label.V


def test_a_piece_more_or_less_changes_nothing(ectopic, ectopic_uv, monkeypatch):
    day, beats = day_of(ectopic_uv), np.rint(ectopic[0] * HZ).astype(np.int64)
    monkeypatch.setattr(measured, "BLOCK_S", 60.0)
    monkeypatch.setattr(measured, "PIECE_BLOCKS", 100)
    whole = beat_features(day, beats)
    monkeypatch.setattr(measured, "PIECE_BLOCKS", 3)
    monkeypatch.setattr(measured, "REACH_BEATS", 200)
    parts = beat_features(day, beats)
    assert np.array_equal(parts.shape, whole.shape)
    assert np.array_equal(parts.block, whole.block)
    local = [FEATURES.index(name) for name in FEATURES if name not in ("k_share", "p_split", "p_local")]
    np.testing.assert_allclose(parts.values[:, local], whole.values[:, local], atol=5e-3)
    assert np.array_equal(classified(day, beats).label, classify(whole)[0])


def test_a_day_without_beats_and_one_with_few():
    day = day_of(np.random.default_rng(0).normal(0, 10, (2, 5000)))
    none = classified(day, np.zeros(0, np.int64))
    assert len(none.label) == len(none.confidence) == len(none.blocks) == 0
    few = classified(day, np.array([1000, 1200, 1400]))
    assert len(few.label) == 3
    assert np.isfinite(few.confidence).all()


def test_confidence_is_a_probability_and_higher_for_clear_beats(ectopic, ectopic_uv):
    beats = np.rint(ectopic[0] * HZ).astype(np.int64)
    clear = classified(day_of(ectopic_uv), beats)
    assert ((clear.confidence >= 0.5) & (clear.confidence <= 1)).all()
    noisy = classified(day_of(wave(*ectopic, noise_uv=250.0)), beats)
    assert noisy.confidence.mean() < clear.confidence.mean()


def test_a_forest_walks_as_its_table_says_and_is_read_as_written():
    feature = np.array([1, -1, 0, -1, -1, -1])
    value = np.array([0.5, 1.0, -1.0, 2.0, 4.0, 10.0], np.float32)
    forest = Forest.of(*unpacked_nodes("".join(packed_nodes(np.array([0, 5]), feature, value))))
    rows = np.array([[0, 0], [0, 0.5], [-2, 1], [0, 1]], np.float32)
    assert forest.odds(rows).tolist() == [11, 11, 12, 14]


def test_the_forests_know_the_features():
    for forest in (*forests(one_lead=False), *forests(one_lead=True)):
        assert -1 <= forest.feature.min() < forest.feature.max() < len(FEATURES)
