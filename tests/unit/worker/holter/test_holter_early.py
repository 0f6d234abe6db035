"""What is early beside fibrillation and in a slow rhythm, and what belongs to the one or the other."""

import numpy as np
import pytest
from support.holter_days import day
from support.holter_examples import heart, recording

from worker.holter.af import Episode
from worker.holter.analysis import analyse
from worker.holter.conclude import conclude
from worker.holter.early import only_early, with_its_runs
from worker.holter.measured import Label
from worker.holter.readable import Spans, readable


@pytest.mark.parametrize("seed", [3, 4, 6, 8])
@pytest.mark.parametrize("bpm", [110, 150])
def test_no_tachycardia_is_said_where_fibrillation_begins_or_ends(seed: int, bpm: int) -> None:
    parts = (
        heart(seconds=150, seed=seed),
        heart("atrial-fibrillation", 150, seed=seed + 10, rate_bpm=bpm),
        heart(seconds=150, seed=seed + 20),
    )
    found = analyse(recording(*parts))[0].holter
    kinds = [event.kind for event in found.events]
    assert "af" in kinds
    assert "svt" not in kinds
    assert found.supraventricular.runs == 0


def test_runs_that_touch_an_episode_belong_to_it_and_others_do_not() -> None:
    beats = "N" * 40 + "SSS" + "N" * 2 + "N" * 60 + "N" + "SS" + "N" * 40
    found = readable(day(beats, rr_s=0.5))
    (episode,) = with_its_runs(found, [Episode(45, 104)])
    assert (episode.first, episode.last) == (40, 107)
    far = readable(day("N" * 20 + "SSS" + "N" * 20 + "N" * 60, rr_s=0.5))
    assert with_its_runs(far, [Episode(43, 100)]) == [Episode(43, 100)]
    flutter = [Episode(45, 104, flutter=True)]
    assert with_its_runs(found, flutter) == flutter


def test_the_second_beat_of_a_couplet_in_step_with_the_rhythm_is_normal() -> None:
    rr = np.full(80, 0.857)
    rr[40], rr[41] = 0.55, 0.857
    labels = "N" * 40 + "SS" + "N" * 38
    found = conclude(day(labels, at_s=np.cumsum(rr)))
    assert found.holter.supraventricular.couplets == 0
    assert found.holter.supraventricular.singles == 1
    rr[41] = 0.6
    assert conclude(day(labels, at_s=np.cumsum(rr))).holter.supraventricular.couplets == 1


def test_nothing_is_relabelled_where_few_beats_are_normal_or_a_physician_said_it() -> None:
    sick = readable(day("NSSSSS" * 20, rr_s=0.9))
    assert (only_early(sick, Spans.of([])).beats.label == sick.beats.label).all()
    told = day("N" * 40 + "SS" + "N" * 38, rr_s=0.857)
    told.beats.confidence[40:42] = 1.0
    label = only_early(readable(told), Spans.of([])).beats.label
    assert (label[40:42] == Label.S).all()
