import tracemalloc

import numpy as np
import pytest

from worker.formats.errors import TooLargeRecording
from worker.formats.rows import Row, assemble


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
