"""When did T waves alternate from beat to beat?

Reads the column that :mod:`worker.holter.minutes` measured by modified moving averages (Nearing and Verrier, J Appl
Physiol 2002, doi:10.1152/japplphysiol.00592.2001). Limits of the consensus of 2011 (Verrier, Klingenheben, Malik,
doi:10.1016/j.jacc.2011.06.029): 47 µV is abnormal, 60 µV severely so. An alternans that a physician sees on paper, as
lists of critical values mean it, has 100 µV or more.
"""

from typing import Final

import numpy as np

from ecg_center.contract.holter import Event
from worker.holter.measured import Minutes
from worker.holter.readable import Floats
from worker.holter.rows import filled_short, running_median, runs_of

ABNORMAL_UV: Final = 47.0
VISIBLE_UV: Final = 100.0
LASTS_S: Final = 60.0
"""An alternans is believed where it holds for a minute: what noise feigns changes with every average."""
SMOOTH_S: Final = 30.0
GAP_S: Final = 20.0
MAX_EVENTS: Final = 500


def alternans_events(minutes: Minutes) -> list[Event]:
    """Each stretch of abnormal T-wave alternans; ``value`` is the greatest, µV; the largest where there are many."""
    level = _smooth(minutes)
    found = [
        Event(
            kind="t_alternans",
            start_s=float(minutes.start_s[first]),
            end_s=float(minutes.start_s[last - 1] + minutes.step_s),
            value=round(float(np.nanmax(level[first:last])), 1),
            quantity="t_alternans_uv",
        )
        for first, last in runs_of(np.nan_to_num(level) >= ABNORMAL_UV)
        if (last - first) * minutes.step_s >= LASTS_S
    ]
    largest = sorted(found, key=lambda event: event.value or 0.0, reverse=True)[:MAX_EVENTS]
    return sorted(largest, key=lambda event: event.start_s)


def _smooth(minutes: Minutes) -> Floats:
    values = minutes.t_alternans_uv.astype(float)
    width = max(1, round(SMOOTH_S / minutes.step_s))
    return filled_short(running_median(values, width, max(1, width - 1)), round(GAP_S / minutes.step_s))
