"""How long until a physician's edit of a day has its findings? ``python -m bench.day_edits [--hours 24]``

Half an hour of a simulated day is measured and laid end to end; then single beats are named, one edit after the other,
each with all that came before. Processor time of concluding; the way through database and queue comes on top.
"""

import argparse
import time
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from ecg_center.contract.holter import Edit
from gateway.simulate.holter import CHINA, record_day
from worker.formats import read
from worker.holter.conclude import conclude
from worker.holter.measure import measure
from worker.holter.measured import Measured

EDITS = 5


def long_day(hours: float) -> Measured:
    """A measured day of this length, its intervals a little different each time."""
    half = measure(read(record_day(1, datetime(2026, 11, 21, 14, 15, tzinfo=CHINA), hours=0.5).content))
    times, beats, minutes = max(1, round(2 * hours)), half.beats, half.minutes
    again = np.concatenate([beats.sample + turn * half.n_samples for turn in range(times)])
    steps = np.diff(again, prepend=0) + np.random.default_rng(1).integers(-3, 4, again.size)
    sample = np.cumsum(np.maximum(1, steps))
    columns: dict[str, Any] = {
        name: np.tile(getattr(beats, name), times) for name in ("label", "confidence", "template", "qrs_ms", "p_wave")
    }
    rows: dict[str, Any] = {
        name: np.concatenate([getattr(minutes, name)] * times, axis=-1)
        for name in ("st_j_uv", "st_uv", "st_slope_uv_s", "qt_ms", "rr_ms", "t_alternans_uv", "qrs_uv", "shape")
    }
    rows["start_s"] = np.arange(minutes.start_s.size * times) * minutes.step_s
    return replace(
        half,
        n_samples=int(sample[-1]) + 1000,
        beats=replace(beats, sample=sample, **columns),
        minutes=replace(minutes, **rows),
    )


def main() -> None:
    """Print the seconds of the first conclusion and of those after an edit."""
    parser = argparse.ArgumentParser(prog="bench.day_edits", description=__doc__)
    parser.add_argument("--hours", type=float, default=24.0)
    day = long_day(parser.parse_args().hours)
    began = time.process_time()
    conclude(day)
    print(f"{len(day.beats)} beats; first conclusion {time.process_time() - began:.2f} s")
    edits: list[Edit] = []
    took = []
    for number in range(EDITS):
        at_s = float(day.beats.sample[5000 + 700 * number]) / day.sampling_hz
        edits.append(Edit(action="relabel_beats", at_s=[at_s], label="S"))
        began = time.process_time()
        conclude(day, edits=edits)
        took.append(time.process_time() - began)
    print(f"after an edit {min(took):.2f} s at best, {max(took):.2f} s at worst")


if __name__ == "__main__":
    main()
