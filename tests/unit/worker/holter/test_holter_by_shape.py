"""Is a shape of one lead ventricular? What its beats have in common decides, the more the more of them there are."""

from dataclasses import replace

import numpy as np
import pytest
from support.holter_beats import HZ, day_of, sinus_with, wave

from worker.holter.by_shape import (
    COEFFICIENTS,
    LEAN_IN_ONE_LEAD,
    MEASURES,
    aberrant,
    belief,
    by_shapes,
    shape_measures,
)
from worker.holter.classify import classified, decided
from worker.holter.features import FEATURES, BeatFeatures, beat_features, over_hours, together
from worker.holter.measured import Label

N = 420
CALM = np.ones(N)
EARLY = dict.fromkeys(range(15, N - 5, 9), ("V", 0.62, 1.38))


@pytest.fixture(scope="module")
def measured() -> tuple[BeatFeatures, np.ndarray]:
    at_s, kinds = sinus_with(N, EARLY)
    day = day_of(wave(at_s, kinds)[:1])
    return beat_features(day, np.rint(at_s * HZ).astype(np.int64)), np.array(kinds) == "V"


def only(measure: str, weight: float = 1.0) -> np.ndarray:
    """Coefficients by which one measure alone decides."""
    found = np.zeros_like(COEFFICIENTS)
    found[1 + MEASURES.index(measure)] = weight
    return found


def test_each_measure_has_its_coefficient():
    assert COEFFICIENTS.shape == (1 + len(MEASURES),)
    assert np.isfinite(COEFFICIENTS).all()


def test_what_speaks_for_a_ventricular_shape_has_the_sign_that_physiology_gives_it():
    sign = dict(zip(MEASURES, np.sign(COEFFICIENTS[1:]), strict=True))
    assert {name for name in ("v", "early", "post", "calm", "own") if sign[name] > 0} == {
        "v", "early", "post", "calm", "own"
    }  # fmt: skip
    assert {name for name in ("begin", "p_rel", "noise", "t_spread") if sign[name] < 0} == {
        "begin", "p_rel", "noise", "t_spread"
    }  # fmt: skip


def test_measures_are_those_of_the_beats_of_each_shape(measured):
    features, v = measured
    group = together(features.shape, features.block)
    random = np.random.default_rng(3)
    odds = random.normal(0, 3, (2, len(v))).astype(np.float32)
    found = shape_measures(odds[0], odds[1], features, np.arange(len(v)), group, CALM[: len(v)])
    assert found.shape == (group.max() + 1, len(MEASURES))
    for k in range(group.max() + 1):
        inside = group == k
        ordered = np.sort(features.column("post")[inside])
        expected = {
            "v": np.clip(odds[0][inside], -4, 4).mean(), "v_spread": np.clip(odds[0][inside], -4, 4).std(),
            "s": np.clip(odds[1][inside], -4, 4).mean(), "beats": np.log(inside.sum()),
            "early": (features.column("pre")[inside] < -0.12).mean(), "post": ordered[len(ordered) // 2],
            "t_spread": features.column("t_corr")[inside].astype(float).std(),
        }  # fmt: skip
        for name, value in expected.items():
            assert found[k, MEASURES.index(name)] == pytest.approx(value, abs=1e-4), name


def test_beats_of_a_large_shape_go_the_way_of_the_shape_whatever_each_alone_says(measured):
    features, v = measured
    group = together(features.shape, features.block)
    doubtful = np.where(np.arange(len(v)) % 3 == 0, 0.4, -0.3).astype(np.float32)
    nothing = np.zeros(len(v), np.float32)
    odds = by_shapes(doubtful, nothing, features, group, CALM[: len(v)], only("early", 3.0))
    assert (odds[v] > 1.5).all()
    assert (odds[~v] < 1).all()


def test_a_shape_of_two_beats_decides_nothing(measured):
    features, v = measured
    group = np.arange(len(v)) // 2
    odds = np.linspace(-2, 2, len(v), dtype=np.float32)
    assert by_shapes(odds, odds, features, group, CALM[: len(v)], only("beats")) == pytest.approx(
        by_shapes(odds, odds, features, group, CALM[: len(v)], only("beats", 5.0))
    )


@pytest.mark.parametrize(("beats", "spread"), [(2, 0.0), (3, 0.0), (400, 0.0), (400, 2.0)])
def test_belief_grows_with_the_beats_and_falls_with_their_differences(beats, spread):
    found = float(belief(np.array([beats]), np.array([spread]))[0])
    assert found == pytest.approx(0 if beats < 3 else beats / (beats + 5) / (1 + 0.3 * spread**2))


def test_certainty_is_limited(measured):
    features, v = measured
    group = np.zeros(len(v), np.int64)
    nothing = np.zeros(len(v), np.float32)
    odds = by_shapes(nothing, nothing, features, group, CALM[: len(v)], only("beats", 50.0))
    assert odds.max() <= 5 + LEAN_IN_ONE_LEAD


ASHMAN = {"pre": -0.8, "begin": 0.8, "like": 0.7, "t_corr": 0.7}


def changed(features: BeatFeatures, of: np.ndarray, values: dict[str, float]) -> BeatFeatures:
    """The same beats, those ``of`` with these measures."""
    found = features.values.copy()
    for name, value in values.items():
        found[of, FEATURES.index(name)] = value
    return replace(features, values=found)


def test_a_shape_that_comes_very_early_and_begins_as_the_usual_one_is_aberrant(measured):
    features, v = measured
    group = together(features.shape, features.block)
    late = changed(features, v, ASHMAN)
    assert aberrant(late, group).tolist() == v.tolist()
    sure = np.where(v, 4.0, -4.0).astype(np.float32)
    nothing = np.full(len(v), -4.0, np.float32)
    label, _ = decided(sure, nothing, late)
    assert (label[v] == Label.S).mean() > 0.9
    label, _ = decided(sure, nothing, features)
    assert (label[v] == Label.V).mean() > 0.9


@pytest.mark.parametrize(("name", "value"), [("pre", -0.5), ("begin", 0.5), ("like", 0.3), ("t_corr", 0.2)])
def test_where_one_of_the_four_signs_is_absent_a_shape_is_not_aberrant(measured, name, value):
    features, v = measured
    group = together(features.shape, features.block)
    assert not aberrant(changed(features, v, ASHMAN | {name: value}), group).any()


def test_two_beats_are_no_shape_that_could_be_aberrant(measured):
    features, v = measured
    assert not aberrant(changed(features, v, ASHMAN), np.arange(len(v)) // 2).any()


DUE = {"pre": 0.0, "hold": -0.3, "split_clean": 0.6, "af_state": 0.0, "steady": 0.8, "like_before": 1, "like_next": 1}


@pytest.mark.parametrize(
    ("different", "letter"),
    [({}, "N"), ({"pre": -0.2}, "S"), ({"hold": -0.6}, "S"), ({"split_clean": 0.9}, "S"), ({"pre": 0.2}, "N")],
)
def test_a_beat_that_is_due_is_hardly_ever_atrial_but_in_a_much_faster_rhythm_or_one_of_two_kinds(
    measured, different, letter
):
    features, v = measured
    of = ~v & ~np.roll(v, 1)
    found = changed(features, of, DUE | different | {"own": 0.99, "noise": 0.0, "p_local": 0.95, "to_short": -0.5})
    label, _ = decided(np.full(len(v), -6.0, np.float32), np.full(len(v), 0.7, np.float32), found)
    assert set(label[of].tolist()) == {Label[letter]}


def test_alike_shapes_of_different_half_hours_are_one():
    n = 4000
    early = dict.fromkeys(range(100, n - 5, 150), ("V", 0.62, 1.38))
    at_s, kinds = sinus_with(n, early)
    features = beat_features(day_of(wave(at_s, kinds)[:1]), np.rint(at_s * HZ).astype(np.int64))
    assert len(features.blocks) > 1
    group, v = over_hours(features), np.array(kinds) == "V"
    assert len(set(group[v].tolist())) == 1
    assert not set(group[v].tolist()) & set(group[~v].tolist())
    assert len(set(together(features.shape, features.block)[v].tolist())) == len(features.blocks)


@pytest.mark.parametrize("lead", [0, 1])
def test_ventricular_bigeminy_in_one_lead_is_found_beat_for_beat(lead):
    n = 600
    early = dict.fromkeys(range(120, 480, 2), ("V", 0.62, 1.3))
    at_s, kinds = sinus_with(n, early, rr_s=0.8)
    day = day_of(wave(at_s, kinds)[lead : lead + 1])
    label = classified(day, np.rint(at_s * HZ).astype(np.int64)).label
    true = np.array(kinds) == "V"
    assert (label[true] == Label.V).mean() > 0.97
    assert (label[~true] == Label.V).sum() <= 2


def test_a_recording_without_ventricular_beats_has_none():
    at_s, kinds = sinus_with(500, {}, swing=0.05)
    for lead in (0, 1):
        day = day_of(wave(at_s, kinds, noise_uv=60.0)[lead : lead + 1])
        label = classified(day, np.rint(at_s * HZ).astype(np.int64)).label
        assert (label == Label.V).sum() == 0
