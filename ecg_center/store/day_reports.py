"""What of a day's findings does a report keep and print? Its figures as they were signed, and a few strips.

Twenty thousand events and the trends of a fortnight stay with the findings; the report keeps what its pages say.
"""

from collections.abc import Callable, Iterable
from typing import Final

from ecg_center.contract.holter import Event, HolterFindings, ReportStrip, StTrend

STRIP_S: Final = 10.0
LEAD_IN_S: Final = 1.5
MAX_USUAL: Final = 12
"""Four pages of three strips: what a physician looks for first, not the whole day."""


def _by_beats(event: Event) -> float:
    return event.beats


def _by_length(event: Event) -> float:
    return event.end_s - event.start_s


def _by_value(event: Event) -> float:
    return abs(event.value or 0.0)


def _first(event: Event) -> float:
    return -event.start_s


_USUAL: Final[tuple[tuple[tuple[str, ...], Callable[[Event], float]], ...]] = (
    (("fastest",), _first),
    (("slowest",), _first),
    (("vf", "asystole"), _by_length),
    (("pause", "longest_rr"), _by_value),
    (("vt", "v_run", "idioventricular"), _by_beats),
    (("v_couplet", "r_on_t"), _first),
    (("v_single",), _first),
    (("svt", "s_run"), _by_beats),
    (("s_single",), _first),
    (("af", "flutter"), _by_length),
    (("av_block_3", "av_block_2"), _by_length),
    (("st_elevation",), _by_value),
    (("st_depression",), _by_value),
    (("long_qt", "t_alternans"), _by_value),
)
"""Which events are printed: of each group the one that counts for most."""


def usual_strips(found: HolterFindings) -> list[ReportStrip]:
    """The strips that a report prints where the physician chose none, in order of time."""
    chosen: list[Event] = []
    for kinds, rank in _USUAL:
        events = [event for event in found.events if event.kind in kinds]
        if events:
            chosen.append(max(events, key=rank))
    strips = [ReportStrip(start_s=_start(event), event=event) for event in _apart(chosen)[:MAX_USUAL]]
    return sorted(strips, key=lambda strip: strip.start_s)


def _start(event: Event) -> float:
    """An event that fits stands in the middle; a longer one begins after what came before it."""
    if _by_length(event) < STRIP_S - 2 * LEAD_IN_S:
        return max(0.0, (event.start_s + event.end_s - STRIP_S) / 2)
    return max(0.0, event.start_s - LEAD_IN_S)


def _apart(events: Iterable[Event]) -> list[Event]:
    """Without those that the strip of one before shows already."""
    kept: list[Event] = []
    for event in events:
        if all(abs(_start(event) - _start(other)) > STRIP_S / 2 for other in kept):
            kept.append(event)
    return kept


def kept_figures(found: HolterFindings) -> HolterFindings:
    """The figures that a report keeps: without the lists that its pages do not print.

    Of the events the longest RR stays, of ST the largest deviation of each lead, of the variability the whole, day and
    night.
    """
    return found.model_copy(
        update={
            "events": [event for event in found.events if event.kind == "longest_rr"],
            "templates": [],
            "st": [extreme for trend in found.st if (extreme := _extreme(trend)) is not None],
            "qt": found.qt.model_copy(update={"times_s": [], "qt_ms": [], "qtc_ms": []}),
            "hrv": [window for window in found.hrv if window.name != "hour"],
        }
    )


def _extreme(trend: StTrend) -> StTrend | None:
    if not trend.level_mv:
        return None
    at = max(range(len(trend.level_mv)), key=lambda i: abs(trend.level_mv[i]))
    return StTrend(
        lead=trend.lead,
        times_s=[trend.times_s[at]],
        level_mv=[trend.level_mv[at]],
        slope_mv_s=trend.slope_mv_s[at : at + 1],
    )
