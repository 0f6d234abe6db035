"""A regular narrow tachycardia is supraventricular at any rate, and not the sinus node's above what that reaches."""

import numpy as np
import pytest
from support.drawn_rhythms import drawn
from support.simulated import recording_of

from gateway.simulate import shapes
from gateway.simulate.generator import generate
from worker.resting import analyse

RHYTHMS = {"21", "27", "50", "51", "52", "54", "55", "70", "71", "72", "74", "76"}


def racing(bpm, qrs_ms, qt_share, seed=0):
    at = np.arange(0.2, 9.95, 60 / bpm)
    return drawn([], at, shape=shapes.normal(qrs_ms), qt_ms=qt_share * 60_000 / bpm, seed=seed)


@pytest.mark.parametrize("bpm", [190, 200, 210, 220, 230])
@pytest.mark.parametrize(("qrs_ms", "qt_share"), [(84, 0.7), (92, 0.8), (104, 0.9)])
def test_t_that_meets_the_next_beat_makes_it_neither_broad_nor_sinus_nor_flutter(bpm, qrs_ms, qt_share):
    found = analyse(racing(bpm, qrs_ms, qt_share, seed=bpm))

    assert {said.code for said in found.statements} & RHYTHMS == {"55"}
    assert found.measurements.qrs_ms == pytest.approx(qrs_ms, abs=14)


@pytest.mark.parametrize("bpm", [160, 190, 220, 240])
def test_broad_beats_at_these_rates_are_still_ventricular(bpm):
    at = np.arange(0.2, 9.95, 60 / bpm)
    found = analyse(drawn([], at, shape=shapes.tachycardia_left(), qt_ms=0.8 * 60_000 / bpm))

    assert "70" in {said.code for said in found.statements}


@pytest.mark.parametrize(("age_years", "code"), [(30, "21"), (80, "55")])
def test_the_same_rate_is_the_sinus_nodes_in_the_young_only(age_years, code):
    ecg = generate("sinus-tachycardia", seed=3, rate_bpm=156, age_years=age_years)
    found = analyse(recording_of(ecg))

    assert {said.code for said in found.statements} & RHYTHMS == {code}
