"""How does each beat stand in time among its neighbours?"""

import numpy as np
import pytest
from support.holter_beats import sinus_with

from worker.holter.beat_rhythm import RHYTHM, rhythm_of


def columns(at_s, usual=None):
    found = rhythm_of(np.asarray(at_s, float), np.ones(len(at_s), bool) if usual is None else usual)
    return {name: found[:, place] for place, name in enumerate(RHYTHM)}


def test_an_early_beat_is_early_and_its_pause_late():
    at_s, _ = sinus_with(200, {100: ("S", 0.7, 1.3)}, swing=0.0)
    found = columns(at_s)
    assert found["pre"][100] == pytest.approx(np.log(0.7), abs=0.01)
    assert found["post"][100] == pytest.approx(np.log(1.3), abs=0.01)
    assert found["comp"][100] == pytest.approx(0.0, abs=0.01)
    assert found["pre_prev"][100] == pytest.approx(np.log(0.7), abs=0.01)
    assert abs(found["pre"][50]) < 0.01
    assert found["steady"][50] == 1.0


def test_what_is_usual_does_not_depend_on_the_rate():
    at_s, _ = sinus_with(300, dict.fromkeys(range(20, 290, 17), ("S", 0.75, 1.1)))
    slow, fast = columns(at_s), columns(at_s * 0.7)
    for name in RHYTHM:
        if name not in ("af", "af_state", "pre_slow", "hold", "hold_back", "run", "run_back"):
            np.testing.assert_allclose(fast[name], slow[name], atol=1e-3, err_msg=name)


def test_in_a_run_the_rhythm_before_it_is_held_on_to():
    early = dict.fromkeys(range(100, 120), ("S", 0.55, 1.0))
    at_s, _ = sinus_with(200, early, swing=0.005)
    found = columns(at_s)
    assert (found["hold"][100:120] < -0.5).all()
    assert np.expm1(found["run"][119]) == pytest.approx(20, abs=1)
    assert (np.abs(found["hold"][130:]) < 0.1).all()
    assert (found["hold_back"][99:119] < -0.5).all()


def test_a_rate_that_stays_is_no_run_for_ever():
    at_s = np.cumsum(np.concatenate([np.full(100, 1.0), np.full(400, 0.6)]))
    found = columns(at_s)
    assert found["run"][110] > 0
    assert (found["run"][320:] == 0).all()
    assert (np.abs(found["hold"][320:]) < 0.01).all()


def test_two_kinds_of_intervals_are_told_apart():
    rr = np.tile([1.6, 0.7, 0.72, 0.69], 80)
    found = columns(np.cumsum(rr))
    assert found["split"][160] == pytest.approx(np.log(1.6 / 0.7), abs=0.03)
    assert found["split_share"][160] == pytest.approx(0.25, abs=0.02)
    assert found["split_clean"][160] > 0.98
    assert np.expm1(found["since_long"][160:164]).round().tolist() == [0, 1, 2, 3]


def test_fibrillation_is_seen_and_its_beats_are_none_the_earlier_for_it():
    random = np.random.default_rng(2)
    rr = np.concatenate([np.full(300, 0.8) * np.exp(random.normal(0, 0.01, 300)), random.uniform(0.45, 1.1, 400)])
    found = columns(np.cumsum(rr))
    assert found["af_state"][:250].sum() == 0
    assert found["af_state"][350:].all()
    assert np.abs(found["odd"][350:]).max() < np.abs(np.log(0.5)) / 0.03


def test_ventricular_beats_do_not_make_the_usual_interval():
    at_s, kinds = sinus_with(300, dict.fromkeys(range(10, 295, 3), ("V", 0.6, 1.4)), swing=0.0)
    found = columns(at_s, np.array([kind == "N" for kind in kinds]))
    timely = [at for at in range(30, 270) if kinds[at] == "N" and kinds[at - 1] == "N"]
    assert np.abs(found["pre"][timely]).max() < 0.02


@pytest.mark.parametrize("n", [0, 1, 3, 4, 7, 30])
def test_few_beats_are_no_trouble(n):
    found = rhythm_of(np.arange(n) * 0.8, np.ones(n, bool))
    assert found.shape == (n, len(RHYTHM))
    assert np.isfinite(found).all()


def test_where_none_has_the_usual_shape_all_intervals_count():
    at_s, _ = sinus_with(60, {30: ("S", 0.7, 1.3)})
    none, all_of_them = columns(at_s, np.zeros(60, bool)), columns(at_s)
    for name in ("pre", "comp", "irregular", "steady", "split"):
        np.testing.assert_allclose(none[name], all_of_them[name], atol=0.05)
