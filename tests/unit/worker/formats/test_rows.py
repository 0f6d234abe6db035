import tracemalloc

import numpy as np
import pytest

from worker.formats.errors import TooLargeRecording
from worker.formats.rows import BLOCK_SAMPLES, MAX_GAPS_A_LEAD, Row, assemble, gaps_where


def row(lead, n, start=0):
    return Row(lead, np.arange(n, dtype=np.int32) % 100, 5.0, start=start)


def test_strips_of_one_time_axis_with_a_gap_between_them():
    warnings = []
    block = assemble([row("I", 500), row("II", 500, start=30_000)], warnings)
    assert block.digital.shape == (2, 30_500)
    assert [(gap.start, gap.stop, gap.leads) for gap in block.gaps] == [(500, 30_500, ("I",)), (0, 30_000, ("II",))]
    assert warnings


@pytest.mark.parametrize("start", [20_000_000, 10**9, 10**15])
def test_a_few_samples_far_apart_do_not_make_a_recording_of_days(start):
    tracemalloc.start()
    with pytest.raises(TooLargeRecording, match="far apart"):
        assemble([row("I", 100), row("II", 100, start=start)], [])
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("runs", "n"),
    [
        ([], 10), ([(0, 1)], 1), ([(0, 3), (5, 6), (9, 10)], 10),
        ([(BLOCK_SAMPLES - 5, BLOCK_SAMPLES + 5)], BLOCK_SAMPLES + 9),
        ([(BLOCK_SAMPLES - 1, BLOCK_SAMPLES), (BLOCK_SAMPLES + 1, BLOCK_SAMPLES + 9)], BLOCK_SAMPLES + 9),
    ],
)  # fmt: skip
def test_gaps_where_samples_are_missing(runs, n):
    missing = np.zeros(n, bool)
    for start, stop in runs:
        missing[start:stop] = True
    assert [(gap.start, gap.stop) for gap in gaps_where(missing, "I")] == runs


@pytest.mark.parametrize("n", [3000, 3 * BLOCK_SAMPLES + 7])
def test_of_very_many_gaps_the_later_ones_become_one_with_what_is_between(n):
    missing = np.arange(n) % 2 == 1
    missing[-3:] = False
    gaps = gaps_where(missing, "I")
    assert len(gaps) == MAX_GAPS_A_LEAD
    marked = np.zeros(n, bool)
    for gap in gaps:
        marked[gap.start : gap.stop] = True
    assert marked[missing].all()
    assert gaps[-1].stop == np.flatnonzero(missing)[-1] + 1
    assert not marked[: 2 * MAX_GAPS_A_LEAD - 2][~missing[: 2 * MAX_GAPS_A_LEAD - 2]].any()
