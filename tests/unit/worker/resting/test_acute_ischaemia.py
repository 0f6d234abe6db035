"""ST that is low and stays low in neighbours is ischaemia; less, climbing or otherwise explained it is not."""

import pytest

from bench.accuracy.critical_cases import of_samples
from bench.accuracy.critical_shapes import Added, domed, with_waves
from gateway.simulate.generator import generate
from worker.resting import analyse
from worker.resting.say import say
from worker.resting.together import settled

LATERAL = (0.0, 0.0, 0.0, 0.4, 1.0, 1.0)


def changed(level_uv: float, *, bpm: float = 72, seed: int = 3, form=domed, share=LATERAL, name: str = "sinus"):
    """A healthy heart with its lateral ST moved by so much."""
    ecg = generate(name, seed=seed, rate_bpm=bpm, sex="M", age_years=60)
    added = Added(0.4 * level_uv, 0.0, tuple(level_uv * part for part in share))
    return analyse(of_samples(with_waves(ecg, (added, form)), float(ecg.sampling_hz)))


def certainty(findings) -> str | None:
    return next((one.certainty for one in findings.statements if one.code == "220"), None)


@pytest.mark.parametrize("seed", range(4))
def test_a_tenth_of_a_millivolt_in_two_neighbours_is_ischaemia(seed: int) -> None:
    low = changed(-140.0, seed=seed)
    assert certainty(low) == "possible"
    assert "acute_ischaemia" in {value.rule for value in low.critical}
    seen = next(one for one in low.statements if one.code == "220").evidence[0]
    assert seen.value <= seen.threshold == -0.1
    assert {"V5", "V6"} <= set(seen.leads)
    less = changed(-85.0, seed=seed)
    assert certainty(less) is None
    assert {one.code for one in less.statements} & {"145b", "145c"}
    assert not less.critical


def test_twice_as_low_in_three_leads_is_probable() -> None:
    assert certainty(changed(-260.0, share=(0.0, 0.0, 0.6, 1.0, 1.0, 1.0))) == "probable"


def test_one_lead_or_a_fast_rate_or_an_st_that_climbs_is_not() -> None:
    assert certainty(changed(-160.0, share=(0.0, 0.0, 0.0, 0.0, 1.0, 0.3))) is None
    assert certainty(changed(-160.0, bpm=134, name="sinus-tachycardia")) is None
    assert certainty(changed(-160.0, form=lambda since_r: domed(since_r, until_s=0.15, falls_s=0.09))) is None


def test_what_explains_it_better_is_said_alone() -> None:
    for better in ("162.330", "220a", "220c", "205", "211"):
        assert [one.code for one in settled([say("220"), say(better)])] == [better]
    assert {one.code for one in settled([say("220"), say("145b")])} == {"220", "145b"}
