"""How early is early? The steadier a rhythm, the less it takes, if a pause follows."""

import numpy as np

from worker.resting.beat_kinds import _early_of_steady, usual_rr_s


def early(rr_ms: list[int]) -> list[int]:
    rr_s = np.array(rr_ms) / 1000
    return np.flatnonzero(_early_of_steady(rr_s, usual_rr_s(rr_s), np.ones(rr_s.size, bool))).tolist()


STEADY = [950, 942, 956, 950, 944, 958, 948]


def test_in_a_steady_rhythm_an_eighth_is_early_with_its_pause() -> None:
    assert early([*STEADY, 836, 1064, *STEADY]) == [7]
    assert early([*STEADY, 836, 950, *STEADY]) == []  # no pause: the rate has changed for a beat
    assert early([*STEADY, 880, 1064, *STEADY]) == []  # less than a tenth
    assert early([*STEADY, 836]) == []  # what follows is not known


def test_breathing_is_no_extrasystole() -> None:
    breathing = [950, 1010, 1060, 1010, 940, 880, 860, 900] * 2
    assert early([*breathing, 850, 1020, *breathing]) == []
