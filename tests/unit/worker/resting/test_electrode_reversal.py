"""Exchanged electrodes are named on a simulated beat; on real ones they are counted by bench.accuracy reversal."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from gateway.simulate.pathologies import Pathology
from gateway.simulate.studies import record
from worker.formats import read
from worker.recording import Recording
from worker.resting import analyse, reversal


@pytest.fixture(scope="module")
def sinus() -> Recording:
    return read(record(Pathology("sinus"), 1, datetime(2026, 1, 2, 3, 4, tzinfo=UTC), device="TEST").file.content)


def exchanged(whole: Recording, first: str, second: str) -> Recording:
    rows = list(range(len(whole.leads)))
    one, two = whole.row(first), whole.row(second)
    rows[one], rows[two] = two, one
    return replace(whole, digital=whole.digital[rows].copy())


def test_nothing_is_named_where_nothing_was_exchanged(sinus: Recording) -> None:
    assert analyse(sinus).quality.suspected_reversal is None


@pytest.mark.parametrize("pair", ["V1/V2", "V2/V3", "V1/V3"])
def test_exchanged_chest_electrodes_are_named_and_the_shape_is_still_read(sinus: Recording, pair: str) -> None:
    findings = analyse(exchanged(sinus, *pair.split("/")))
    assert findings.quality.suspected_reversal == pair
    assert findings.quality.verdict == "repeat"
    assert pair in findings.quality.advice_en
    assert "11" in {statement.code for statement in findings.statements}


def test_an_exchange_undoes_itself() -> None:
    beat = np.random.default_rng(3).normal(size=(8, 16))
    for exchange in reversal.EXCHANGED.values():
        assert np.allclose(exchange(exchange(beat)), beat)
        assert reversal.usualness(exchange(exchange(beat))) == pytest.approx(reversal.usualness(beat))


def test_gain_changes_nothing() -> None:
    beat = np.random.default_rng(4).normal(size=(8, 16))
    assert reversal.usualness(beat * 1.7) == pytest.approx(reversal.usualness(beat))
