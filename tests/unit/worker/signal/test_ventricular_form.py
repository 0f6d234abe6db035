"""One shape again and again, shapes that turn, or none."""

import numpy as np
import pytest

from worker.signal.ventricular_form import form_of, restless

HZ = 125.0


def wave(seconds=8.0, hz=3.3, bend=0.35):
    t = np.arange(round(seconds * HZ)) / HZ
    return t, np.sin(2 * np.pi * hz * t) + bend * np.sin(4 * np.pi * hz * t + 0.5)


def noisy(uv, seed=1, size=8.0):
    uv = np.atleast_2d(uv)
    return 500 * uv + np.random.default_rng(seed).normal(0, size, uv.shape)


def test_one_shape_is_monomorphic_and_its_rate_is_known():
    _, one = wave()
    found = form_of(noisy(np.stack([one, 0.6 * one])), HZ)
    assert found.kind == "monomorphic"
    assert found.rate_bpm == pytest.approx(198, abs=4)


def test_faster_than_any_tachycardia_is_flutter_and_has_no_name_here():
    _, one = wave(hz=5.0)
    assert form_of(noisy(one), HZ).kind == "formless"


@pytest.mark.parametrize("turn_s", [3.5, 5.0, 7.0])
def test_an_axis_that_turns_is_torsades_in_two_leads(turn_s):
    t, one = wave()
    turn = 2 * np.pi * t / turn_s
    assert form_of(noisy(np.stack([one * np.cos(turn), one * np.sin(turn)])), HZ).kind == "torsades"


def test_in_one_lead_it_waxes_and_wanes_and_comes_back_upside_down():
    t, one = wave()
    assert form_of(noisy(one * np.cos(2 * np.pi * t / 6)), HZ).kind == "torsades"
    assert form_of(noisy(one * (1.2 + np.cos(2 * np.pi * t / 6))), HZ).kind != "torsades"  # never turned over


def test_a_shape_that_becomes_another_is_polymorphic():
    t, one = wave()
    other = np.sin(2 * np.pi * 3.3 * t + 1.1) - 0.6 * np.sin(4 * np.pi * 3.3 * t)
    share = 0.5 + 0.5 * np.cos(2 * np.pi * t / 5)
    uv = np.stack([one * share, other * (1 - share), 0.4 * one * share - 0.5 * other * (1 - share)])
    assert form_of(noisy(uv), HZ).kind == "polymorphic"


@pytest.mark.parametrize("seed", range(4))
def test_fibrillation_has_no_form(seed):
    rng, n = np.random.default_rng(seed), 1000

    def wander(step_s):
        knots = rng.standard_normal(int(8 / step_s) + 3)
        return np.interp(np.arange(n) / HZ / step_s, np.arange(knots.size), knots)

    uv = np.sin(2 * np.pi * np.cumsum(5.0 + 0.9 * wander(0.4)) / HZ) * (1 + 0.35 * wander(0.7)) + 0.3 * wander(0.1)
    assert form_of(noisy(uv), HZ).kind == "formless"


def test_what_is_too_short_is_not_named():
    _, one = wave(2.5)
    assert form_of(noisy(one), HZ).kind == "formless"


@pytest.mark.parametrize("gain", [0.2, 5.0])
def test_gain_and_polarity_do_not_matter(gain):
    t, one = wave()
    uv = noisy(np.stack([one * np.cos(t), one * np.sin(t)]))
    form, other = form_of(uv, HZ), form_of(-gain * uv, HZ)
    assert other.kind == form.kind
    assert other.again == pytest.approx(form.again)


def test_beats_leave_the_line_free_and_waves_do_not():
    t = np.arange(0, 10, 1 / HZ)
    beats = 900 * np.exp(-(((t % 0.8 - 0.4) / 0.02) ** 2))
    assert restless(beats[None], HZ) == []
    ((first, stop),) = restless(np.where(t > 6, 800 * np.sin(2 * np.pi * 4 * t), beats)[None], HZ)
    assert first / HZ == pytest.approx(6, abs=0.6)
    assert stop / HZ == pytest.approx(10, abs=0.6)
    assert restless(np.where((t > 4) & (t < 6), 800 * np.sin(2 * np.pi * 4 * t), beats)[None], HZ) == []
    assert restless(beats[None, :100], HZ) == []
