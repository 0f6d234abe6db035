"""How long is QT over the day, and when was QTc longest?

QTc by Fridericia (QT / RR^⅓, RR in s; Acta Med Scand 1920;53:469), which the AHA/ACC/HRS recommendations of 2009
(doi:10.1016/j.jacc.2008.12.014) prefer to Bazett where the rate varies, as it does over a day. QT and RR are those of
one averaged beat, so both come from the same seconds; what is said is the median of three minutes, where they agree.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.holter import Event, QtTrend
from worker.holter.measured import Minutes
from worker.holter.readable import Floats
from worker.holter.rows import as_floats, binned_median, running_median, runs_of, trend_width

RR_MS: Final = (400.0, 1500.0)
"""Outside of 40 to 150/min no formula is trusted."""
QT_MS: Final = (200.0, 760.0)
SMOOTH_S: Final = 180.0
"""QT follows the rate with a lag of minutes, and where a T is hard to see its end jumps for some tens of seconds."""
MIN_SHARE: Final = 0.6
"""Of the rows of such a stretch, that must be measured before it is believed."""
AGREE_MS: Final = 40.0
"""How far the middle half of a stretch's QTc may be spread: half of what separates 460 from 540 ms."""
TREND_S: Final = 300.0
LONG_MS: Final = 500.0
"""Above it torsades become likely whatever the sex (AHA/ACCF 2010, doi:10.1161/CIRCULATIONAHA.109.192704)."""
LONG_FOR_S: Final = 60.0
MAX_EVENTS: Final = 500


def fridericia_ms(qt_ms: Floats, rr_ms: Floats) -> Floats:
    """QTc in ms.

    >>> float(round(fridericia_ms(np.array(400.0), np.array(800.0)), 1))
    430.9
    """
    corrected: Floats = qt_ms / np.cbrt(rr_ms / 1000)
    return corrected


def qtc_rows(minutes: Minutes) -> Floats:
    """(n,) QTc of each row by the three minutes around it; nan where it cannot be believed."""
    qt, rr = as_floats(minutes.qt_ms), minutes.rr_ms.astype(float)
    plausible = (rr >= RR_MS[0]) & (rr <= RR_MS[1]) & (qt >= QT_MS[0]) & (qt <= QT_MS[1])
    qtc = np.where(plausible, fridericia_ms(qt, np.where(plausible, rr, 1000.0)), np.nan)
    width = max(1, round(SMOOTH_S / minutes.step_s))
    least = max(1, round(MIN_SHARE * width))
    usual = running_median(qtc, width, least)
    spread = 2 * running_median(np.abs(qtc - usual), width, least)
    return np.where(spread <= AGREE_MS, usual, np.nan)


def qt_trend(minutes: Minutes, qtc_ms: Floats) -> QtTrend:
    """QT and QTc over the day and the longest QTc."""
    measured = np.isfinite(qtc_ms)
    if not measured.any():
        return QtTrend()
    qt = np.where(measured, as_floats(minutes.qt_ms), np.nan)
    width = trend_width(len(qt), minutes.step_s, TREND_S)
    trend = np.stack([binned_median(qt, width), binned_median(qtc_ms, width)])
    times = minutes.start_s[::width][: trend.shape[1]]
    there = np.isfinite(trend).all(axis=0)
    longest = int(np.nanargmax(qtc_ms))
    return QtTrend(
        qt_mean_ms=_rounded(np.nanmean(qt)) if np.isfinite(qt).any() else None,
        qtc_mean_ms=_rounded(np.nanmean(qtc_ms)),
        qtc_max_ms=_rounded(qtc_ms[longest]),
        qtc_max_at_s=float(minutes.start_s[longest]),
        over_500_share=round(float(np.mean(qtc_ms[measured] > LONG_MS)), 4),
        times_s=times[there].tolist(),
        qt_ms=np.round(trend[0, there], 1).tolist(),
        qtc_ms=np.round(trend[1, there], 1).tolist(),
    )


def _rounded(value: np.floating | NDArray[np.float64]) -> float:
    return round(float(value), 1)


def long_qt_events(minutes: Minutes, qtc_ms: Floats) -> list[Event]:
    """Each stretch of a minute or longer with QTc of 500 ms or more; the longest ones where there are many."""
    found = [
        Event(
            kind="long_qt",
            start_s=float(minutes.start_s[first]),
            end_s=float(minutes.start_s[last - 1] + minutes.step_s),
            rate_bpm=_rounded(60_000 / np.nanmean(minutes.rr_ms[first:last])),
            value=_rounded(np.nanmax(qtc_ms[first:last])),
            quantity="qtc_ms",
        )
        for first, last in runs_of(np.nan_to_num(qtc_ms) >= LONG_MS)
        if (last - first) * minutes.step_s >= LONG_FOR_S
    ]
    gravest = sorted(found, key=lambda event: event.value or 0.0, reverse=True)[:MAX_EVENTS]
    return sorted(gravest, key=lambda event: event.start_s)
