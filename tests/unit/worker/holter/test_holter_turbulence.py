"""Heart rate turbulence and deceleration capacity."""

import numpy as np
import pytest
from support.holter_days import day

from worker.holter.measured import Stretch
from worker.holter.readable import readable
from worker.holter.turbulence import capacities, capacity_ms, slope_ms, tachograms, turbulence

HZ = 1000.0
ANSWER = np.array([780, 770, 780, 795, 810, 825, 830, 825, 815, 810, 805, 800, 800, 800, 800], float)
"""After the pause: faster at once, then slower by at most 15 ms a beat."""


def with_early_beats(n=6, coupling=500.0, pause=1080.0, answer=ANSWER, calm=8):
    """Sinus rhythm of 800 ms with ``n`` ventricular beats, each answered alike."""
    rr, labels = [800.0] * calm, "N" * (calm + 1)
    for _ in range(n):
        rr += [coupling, pause, *answer, *[800.0] * calm]
        labels += "V" + "N" * (1 + len(answer) + calm)
    return np.array(rr), labels


def made(rr_ms, labels, **fields):
    at_s = 1 + np.cumsum([0.0, *rr_ms]) / 1000
    return readable(day(labels, at_s=at_s, hz=HZ, **fields))


def test_onset_and_slope_of_a_known_answer():
    found = turbulence(made(*with_early_beats()))
    assert found == {
        "onset_share": pytest.approx((780 + 770 - 1600) / 1600, abs=1e-6),
        "slope_ms_per_rr": pytest.approx(slope_ms(ANSWER)),
        "beats": 6.0,
    }
    assert found["slope_ms_per_rr"] == pytest.approx(14.0)


def test_five_early_beats_are_needed():
    assert turbulence(made(*with_early_beats(4))) == {}
    assert turbulence(made(*with_early_beats(5)))["beats"] == 5


@pytest.mark.parametrize("fields", [{"coupling": 650.0}, {"pause": 950.0}, {"calm": 4}])
def test_early_beats_that_do_not_suit_are_left_out(fields):
    # not early enough, no pause, or not five intervals of sinus rhythm before the first
    found = tachograms(made(*with_early_beats(5, **fields)))
    assert len(found) == (4 if "calm" in fields else 0)


def test_nothing_but_sinus_rhythm_may_stand_around():
    rr, labels = with_early_beats(5)
    assert len(tachograms(made(rr, labels))) == 5
    ninth = labels.index("V") + 9
    assert len(tachograms(made(rr, labels[:ninth] + "S" + labels[ninth + 1 :]))) == 4
    gap = Stretch(round(1000 * (1 + rr[:12].sum() / 1000 + 0.1)), round(1000 * (1 + rr[:12].sum() / 1000 + 0.2)))
    assert len(tachograms(made(rr, labels, unreadable=[gap]))) == 4
    jump = rr.copy()
    jump[12] += 205
    assert len(tachograms(made(jump, labels))) == 4


def test_slope_takes_the_steepest_five_intervals():
    rng = np.random.default_rng(0)
    after = rng.normal(800, 20, 15)
    steepest = max(np.polyfit(np.arange(5), after[n : n + 5], 1)[0] for n in range(11))
    assert slope_ms(after) == pytest.approx(steepest)


def test_capacity_is_the_step_around_the_anchors():
    # up 10 ms, level, down 10 ms, level: every step up is an anchor with 800 800 | 810 810
    rr = np.tile([800.0, 800.0, 810.0, 810.0], 1200)
    usable = np.ones(rr.size, bool)
    assert capacity_ms(rr, usable, 1.0) == pytest.approx(5.0)
    assert capacity_ms(rr, usable, -1.0) == pytest.approx(-5.0)


def test_capacity_by_the_definition():
    rng = np.random.default_rng(1)
    rr = 800 + 30 * np.sin(np.arange(6000) / 5) + rng.normal(0, 10, 6000)
    anchors = [n for n in range(2, 5998 + 1) if n + 1 < 6000 and rr[n] > rr[n - 1] and rr[n] <= 1.05 * rr[n - 1]]
    expected = np.mean([(rr[n] + rr[n + 1] - rr[n - 1] - rr[n - 2]) / 4 for n in anchors])
    assert capacity_ms(rr, np.ones(6000, bool), 1.0) == pytest.approx(expected)


def test_early_beats_are_no_anchors_and_few_anchors_say_nothing():
    rr = np.tile([800.0, 800.0, 810.0, 810.0], 1200)
    labels = "N" * 4801
    whole = capacities(made(rr, labels))
    assert whole["dc_ms"] == pytest.approx(5.0, abs=0.01)
    assert whole["ac_ms"] == pytest.approx(-5.0, abs=0.01)
    assert capacities(made(rr[:2000], labels[:2001])) == {}
    assert capacities(readable(day("", duration_s=60.0))) == {}
    with_early = np.insert(rr, 400, [500.0, 1100.0])
    marked = labels[:401] + "V" + labels[401:] + "N"
    assert capacities(made(with_early, marked))["dc_ms"] == pytest.approx(5.0, abs=0.02)
