"""A lead that trembles for some seconds is read in the other one, and a QRS that the end cuts is not counted."""

import numpy as np

from worker.signal.qrs import find_beats

HZ = 250.0
BEATS_S = np.arange(0.5, 40.0, 0.8)


def trace(seconds: float = 40.0) -> np.ndarray:
    at = np.arange(round(seconds * HZ)) / HZ
    beats = sum(900 * np.exp(-(((at - beat) / 0.012) ** 2)) for beat in BEATS_S)
    return np.asarray(beats + np.random.default_rng(3).normal(scale=8, size=at.size))


def test_tremor_in_one_lead_adds_and_hides_no_beat() -> None:
    calm, shaken = trace(), 0.7 * trace()
    burst = slice(round(12 * HZ), round(18 * HZ))
    shaken[burst] += np.random.default_rng(4).normal(scale=700, size=burst.stop - burst.start)
    found = find_beats(np.stack([calm, shaken]), HZ) / HZ
    assert found.size == BEATS_S.size
    assert np.abs(found - BEATS_S).max() < 0.03
    alone = find_beats(shaken[None], HZ) / HZ
    assert alone.size != BEATS_S.size or np.abs(alone - BEATS_S).max() > 0.03  # it is the other lead that tells


def test_a_qrs_that_the_end_cuts_is_not_counted() -> None:
    whole = trace()
    last = BEATS_S[-1]
    cut = whole[: round((last - 0.004) * HZ)]
    found = find_beats(cut[None], HZ) / HZ
    assert found.size == BEATS_S.size - 1
