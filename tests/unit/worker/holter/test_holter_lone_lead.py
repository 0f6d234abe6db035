"""How far is one lead believed? Noise alone shows no classes, and the leans follow how alike the beats are."""

import numpy as np
import pytest
from scipy.signal import butter, lfilter
from support.holter_beats import HZ, day_of

from worker.holter.classify import classified
from worker.holter.lone_lead import NO_LEAD, calmness, shows_nothing, supraventricular_lean, ventricular_lean
from worker.holter.measured import Label


def test_where_a_lead_shows_only_noise_no_beat_has_a_class():
    random = np.random.default_rng(5)
    b, a = butter(2, (2, 20), "band", fs=HZ)
    uv = 300 * lfilter(b, a, random.normal(size=(1, round(600 * HZ))))
    at = np.cumsum(random.uniform(0.3, 1.1, 800))
    found = classified(day_of(uv, HZ), np.rint(at[at < 595] * HZ).astype(np.int64))
    assert set(np.unique(found.label)) <= {Label.N, Label.Q}
    assert (found.label == Label.Q).sum() > 5


@pytest.mark.parametrize(("own", "nothing"), [(NO_LEAD - 0.01, True), (NO_LEAD + 0.01, False)])
def test_half_of_a_block_decides_for_the_block(own, nothing):
    block = np.repeat([3, 7], 11)
    alike = np.where(block == 3, own, 0.99).astype(np.float32)
    alike[:5] = 0.2
    assert shows_nothing(alike, block).tolist() == [nothing] * 11 + [False] * 11


def test_the_calmer_the_lead_the_less_a_ventricular_beat_needs():
    calm = [calmness(np.full(40, own, np.float32)) for own in (0.9, 0.94, 0.98)]
    leans = [ventricular_lean(each, np.zeros(40, np.int64)) for each in calm]
    assert [len(set(lean.round(4).tolist())) for lean in leans] == [1, 1, 1]
    assert leans[0][0] < leans[1][0] < leans[2][0]


def test_a_shape_that_no_other_beat_has_needs_more():
    group = np.array([0] * 20 + [1])
    lean = ventricular_lean(np.ones(21), group)
    assert lean[-1] < lean[0]


def test_a_beat_unlike_its_own_shape_is_believed_less():
    assert supraventricular_lean(np.array([0.98, 0.5], np.float32)).tolist() == [0.0, -1.0]


def test_calm_is_asked_of_the_beats_around_not_of_the_beat_itself():
    own = np.full(60, 0.99, np.float32)
    own[30] = 0.2
    calm = calmness(own)
    assert calm[0] == calm[-1] == 1.0
    assert calm[30] == calm[25] < 1.0
