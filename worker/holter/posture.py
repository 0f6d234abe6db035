"""When did the QRS change its axis at once, as it does where a body turns over?

The heart lies otherwise when its owner turns: QRS grows in some leads and shrinks in others within seconds, stays so
until the next turn, and ST moves with it. Such a moment is an event of its own, and an ST episode that begins beside
one is kept but doubted, with the reason shown (Jager and others, doi:10.1007/BF02344885, mark axis shifts apart from
ischaemic episodes).

What differs: Jager's shifts are marked by eye, from ST and QRS functions; here the size of the QRS must take one sharp
step in at least two leads within half a minute, or in the only one there is.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from ecg_center.contract.holter import Event
from worker.holter.measured import Measured
from worker.holter.rows import as_floats, runs_of
from worker.holter.st import STEP_QRS_SHARE, STEP_QRS_UV, sharp_steps

TOGETHER_S: Final = 30.0
"""Steps of several leads so near one another are one shift: rows are 10 s, and a step is known to two of them."""
LEAST_LEADS: Final = 2
BESIDE_S: Final = 60.0
"""An episode that begins so near a shift may be its doing."""
MAX_SHIFTS: Final = 500
DOUBT: Final = "axis_shift"
"""The text of an ST event beside a shift."""
OF_ST: Final = ("st_elevation", "st_depression")


def axis_shift_events(measured: Measured) -> list[Event]:
    """Moments at which the QRS axis shifted; ``value`` is the largest step of a lead's QRS in mV, with its sign."""
    minutes = measured.minutes
    if not measured.calibrated or minutes.qrs_uv.shape != minutes.st_uv.shape:
        return []
    found: list[tuple[float, str, float]] = []
    for lead, size in zip(measured.leads, as_floats(minutes.qrs_uv), strict=True):
        if not np.isfinite(size).any():
            continue
        step = sharp_steps(size, minutes.step_s)
        least = max(STEP_QRS_UV, STEP_QRS_SHARE * float(np.nanmedian(size)))
        for first, last in runs_of(np.abs(step) >= least):
            at = first + int(np.argmax(np.abs(step[first:last])))
            found.append((float(minutes.start_s[at]), lead, float(step[at])))
    shifts = [shift for steps in _together(sorted(found)) if (shift := _shift(steps, measured))]
    largest = sorted(shifts, key=lambda event: abs(event.value or 0.0), reverse=True)[:MAX_SHIFTS]
    return sorted(largest, key=lambda event: event.start_s)


def _together(found: Sequence[tuple[float, str, float]]) -> list[list[tuple[float, str, float]]]:
    """Steps in order of time, those of one moment together."""
    groups: list[list[tuple[float, str, float]]] = []
    for step in found:
        if groups and step[0] - groups[-1][0][0] <= TOGETHER_S:
            groups[-1].append(step)
        else:
            groups.append([step])
    return groups


def _shift(steps: Sequence[tuple[float, str, float]], measured: Measured) -> Event | None:
    moved = {lead for _, lead, _ in steps}
    if len(moved) < min(LEAST_LEADS, len(measured.leads)):
        return None
    return Event(
        kind="axis_shift",
        start_s=steps[0][0],
        end_s=steps[-1][0] + measured.minutes.step_s,
        leads=[lead for lead in measured.leads if lead in moved],
        value=round(max((by for _, _, by in steps), key=abs) / 1000, 3),
        quantity="qrs_step_mv",
    )


def doubted(episodes: Sequence[Event], shifts: Sequence[Event]) -> list[Event]:
    """The ST episodes, those that begin beside a shift of the axis with that reason as their text.

    >>> turn = Event(kind="axis_shift", start_s=600.0, end_s=610.0)
    >>> low = Event(kind="st_depression", start_s=640.0, end_s=900.0)
    >>> [event.text for event in doubted([low, low.model_copy(update={"start_s": 800.0})], [turn])]
    ['axis_shift', '']
    """
    return [
        event.model_copy(update={"text": DOUBT})
        if any(shift.start_s - BESIDE_S <= event.start_s <= shift.end_s + BESIDE_S for shift in shifts)
        else event
        for event in episodes
    ]
