"""What counts as a run of ventricular tachycardia, and when it is found."""

import numpy as np
import pytest

from bench.accuracy.data import Notes
from bench.accuracy.vt_runs import RUN_S, Runs, beat_runs, truth_of

HZ = 250.0


def written(symbols, rr_s=0.4):
    at = np.rint(np.arange(len(symbols)) * rr_s * HZ).astype(int)
    return Notes(at, list(symbols), [""] * len(symbols))


@pytest.mark.parametrize(
    ("symbols", "rr_s", "runs"),
    [("NVVVVVVN", 0.4, 1), ("NVVVVVN", 0.4, 0), ("NVVVVVVN", 0.61, 0), ("VVVNVVV", 0.4, 0), ("V~VVVVVN", 0.4, 1)],
)
def test_a_run_is_six_ventricular_beats_at_a_hundred(symbols, rr_s, runs):
    assert len(beat_runs(written(symbols, rr_s), HZ)) == runs


def test_where_no_beats_are_written_the_rhythm_counts_from_three_seconds():
    letters = np.array(["N"] * 250 + ["T"] * round(RUN_S * HZ) + ["N"] * 250 + ["T"] * 700 + ["F"] * 500)
    runs, quivering, all_of_it = truth_of(Notes(np.zeros(0, int), [], []), letters, HZ)
    assert [round(stop - start, 1) for start, stop in runs] == [RUN_S]
    assert len(quivering) == 1
    assert len(all_of_it) == 3


def test_any_overlap_finds_and_what_touches_nothing_is_false():
    runs = Runs("runs")
    runs.add("a", ([(10.0, 14.0), (50.0, 55.0)], [], [(10.0, 14.0), (50.0, 55.0)]), [(13.5, 20.0), (80.0, 84.0)], 3600)
    table = runs.finished("vt_runs")
    assert table.figures == {
        "vt_runs.runs": 2.0, "vt_runs.se": 50.0, "vt_runs.vf_se": pytest.approx(float("nan"), nan_ok=True),
        "vt_runs.false_an_hour": 1.0,
    }  # fmt: skip
    assert "a at 50 s" in table.note
