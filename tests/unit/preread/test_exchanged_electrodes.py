"""Electrodes exchanged between two ECGs of one person: named where undoing it brings the two together, else not."""

from dataclasses import replace

import numpy as np
import pytest
from support.simulated import recording_of

from bench.accuracy.reversal import swapped
from ecg_center.contract.findings import Findings
from ecg_center.preread.exchanged import exchanged
from gateway.simulate.generator import generate
from worker.resting import analyse

SEEDS = range(4)


def first(seed: int) -> Findings:
    return analyse(recording_of(generate("sinus", seed=seed)))


def later(seed: int, pair: str, name: str = "sinus") -> Findings:
    """The same person another day, 20 % smaller, with these electrodes exchanged; V1/V1 exchanges nothing."""
    whole = recording_of(generate(name, seed=seed, duration_s=12, rate_bpm=80))
    return analyse(replace(swapped(whole, pair), uv_per_lsb=np.full(12, 0.8)))


@pytest.mark.parametrize("seed", SEEDS)
def test_an_exchange_of_left_arm_and_leg_is_seen_beside_the_earlier_ecg(seed: int) -> None:
    now = later(seed, "LA/LL")
    assert now.quality.suspected_reversal is None  # alone it is not
    assert exchanged(first(seed), now) == "LA/LL"
    assert exchanged(now, first(seed)) == "LA/LL"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_heart_taken_alike_is_none(seed: int) -> None:
    assert exchanged(first(seed), later(seed, "V1/V1")) is None
    assert exchanged(first(seed), first(seed)) is None


def test_neighbours_on_the_chest() -> None:
    now = later(1, "V3/V4")
    now = now.model_copy(update={"quality": now.quality.model_copy(update={"suspected_reversal": None})})
    assert exchanged(first(1), now) == "V3/V4"


def test_another_rhythm_or_an_exchange_that_was_named_already_is_not_compared() -> None:
    now = later(2, "LA/LL")
    named = now.model_copy(update={"quality": now.quality.model_copy(update={"suspected_reversal": "RA/LA"})})
    assert exchanged(first(2), named) is None
    fibrillating = analyse(recording_of(generate("atrial-fibrillation", seed=2)))
    assert exchanged(fibrillating, now) is None
    bare = now.model_copy(update={"measurements": now.measurements.model_copy(update={"leads": {}})})
    assert exchanged(first(2), bare) is None
