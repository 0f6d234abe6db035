"""Where does each millivolt of each second stand on the paper?

Pure geometry in millimetres from the chart's upper left corner, written as one SVG whose user unit is a micrometre,
so that every coordinate is a whole number and survives the way into the PDF exactly. Only numbers enter the SVG.

A strip is 250 mm, ten seconds at 25 mm/s. Leads of one row follow each other in time, in step with the rhythm strip
below (AHA/ACC/HRS 2007 recommendations for the ECG, part I, *Circulation* 115:1306).
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ecg_center.domain.leads import STANDARD
from ecg_center.release.document.model import Layout, Trace

STRIP_MM = 250.0
PULSE_MM = 10.0
"""Left of the strip: 2.5 mm line, a 5 mm wide pulse of 1 mV, 2.5 mm line."""
TAIL_MM = 5.0
WIDTH_MM = PULSE_MM + STRIP_MM + TAIL_MM
BOX_MM = 5
HEIGHT_MM: dict[Layout, int] = {"3x4+1": 110, "6x2": 115, "12x1": 120}
MIN_HEIGHT_MM = 35
"""A chart of few leads is lower, so that their report stays one page."""
FREE_ROWS = 4
"""Rows of a chart that a recording of few leads may fill; their report stays one page."""
MIN_LAST_S = 1.0
"""What is shorter than this at the end is no row of its own."""
ROWS_APART = 0.6
"""Of an even row's height: nearer than this the zero lines, names and pulses of two rows are not told apart."""
MAX_POINTS_PER_MM = 20
"""A printer of 600 dpi sets 24 dots a millimetre; denser samples are drawn as their extremes."""
LABEL_WIDTH_MM, LABEL_HEIGHT_MM = 9.0, 3.2
TIME_WIDTH_MM = 8.0
"""What a label that says from which second its row is takes beyond its lead's name."""
MINOR, MAJOR, INK = "#f6cfcb", "#e79a94", "#10141a"
MINOR_MM, MAJOR_MM, PEN_MM = 0.1, 0.2, 0.25


@dataclass(frozen=True)
class Segment:
    """One lead over one window of time, at one place of the chart."""

    lead: str
    start_s: float
    """In the recording."""
    x_mm: float
    width_mm: float


@dataclass(frozen=True)
class Label:
    """A lead's name and where its lower left corner stands."""

    text: str
    x_mm: float
    y_mm: float


@dataclass(frozen=True)
class Chart:
    """The drawn trace."""

    svg: str
    height_mm: float
    labels: tuple[Label, ...]
    clipped: tuple[str, ...]
    """Leads whose deflection leaves the chart at this gain and is drawn along its edge."""
    end_s: float
    """Where in the recording the last drawn second ends."""


def draw(trace: Trace, height_mm: int | None = None) -> Chart:
    """Lay the leads out and draw grid, calibration pulses and curves; as high as its layout is where None is given."""
    rows = arrange(trace)
    height = height_mm or chart_height(trace.layout, len(rows))
    curves = [[_curve(trace, segment) for segment in row] for row in rows]
    extents = [(max(up for _, _, up, _ in row), max(down for *_, down in row)) for row in curves]
    pulse = trace.gain_mm_per_mv
    roomy = [(max(up, pulse), down) for up, down in extents]
    if sum(up + down for up, down in roomy) > height:  # then only the last row is sure of its pulse
        roomy = [*extents[:-1], roomy[-1]]
    lines = baselines(roomy, height)
    paths = [_pulse(line, pulse) for line in pulse_lines(lines, pulse)]
    labels, clipped = [], []
    for row, drawn, line in zip(rows, curves, lines, strict=True):
        for segment, (xs, ys, _, _) in zip(row, drawn, strict=True):
            y = line - ys
            if np.nanmin(y, initial=0.0) < 0 or np.nanmax(y, initial=0.0) > height:
                clipped.append(segment.lead)
            paths.append(path(xs + segment.x_mm, np.clip(y, 0, height)))
            later = f" {segment.start_s:g} s" if _windows_before(trace, segment) else ""
            near = ys[xs <= LABEL_WIDTH_MM + (TIME_WIDTH_MM if later else 0)]
            labels.append(Label(segment.lead + later, segment.x_mm + 1.2, _label_y(line, near, height / len(rows))))
        paths += [_tick(segment.x_mm, line) for segment in row[1:]]
    return Chart(
        _svg(height, " ".join(paths)), height, tuple(labels), tuple(dict.fromkeys(clipped)), _end_s(trace, rows)
    )


def arrange(trace: Trace) -> list[list[Segment]]:
    """The segments of each row, top to bottom.

    Without all twelve standard leads, or with more, every lead gets a row of its own, whatever the layout asked for;
    a long recording of one or two goes on in the rows that are left.
    """
    known = {lead.upper(): lead for lead in trace.leads}
    standard = [known[name.upper()] for name in STANDARD if name.upper() in known]
    others = [lead for lead in trace.leads if lead not in standard]
    if len(standard) < len(STANDARD) or others or trace.layout == "12x1":
        leads, windows = standard + others, _windows(trace)
        return [_row(trace, [lead], window) for window in range(windows) for lead in leads]
    if trace.layout == "6x2":
        return [_row(trace, [standard[i], standard[i + 6]]) for i in range(6)]
    rows = [_row(trace, standard[i::3]) for i in range(3)]
    return [*rows, _row(trace, [known.get(trace.rhythm_lead.upper(), standard[1])])]


def chart_height(layout: Layout, rows: int) -> int:
    """Millimetres, whole big boxes; the full height from four rows on."""
    return HEIGHT_MM[layout] if rows >= 4 else max(MIN_HEIGHT_MM, rows * 30 // BOX_MM * BOX_MM)


def baselines(extents: list[tuple[float, float]], height: float) -> list[float]:
    """The y of each row's zero line, for rows that reach ``(up, down)`` mm from it.

    Evenly spaced on whole millimetres where no row then runs into its neighbour or off the chart; else each row
    gets room as it needs; where even that is too much, the rows share the chart in proportion and overlap.
    """
    step = height / len(extents)
    even = [float(round((i + 0.5) * step)) for i in range(len(extents))]
    apart = all(
        b - a >= down + up for (a, b), ((_, down), (up, _)) in zip(pairwise(even), pairwise(extents), strict=True)
    )
    if apart and even[0] >= extents[0][0] and height - even[-1] >= extents[-1][1]:
        return even
    need = sum(up + down for up, down in extents)
    scale = min(1.0, height / need)
    gap = max(0.0, height - need) / len(extents)
    lines, y = [], 0.0
    for (up, down), evenly in zip(extents, even, strict=True):
        line = y + gap / 2 + up * scale
        if need > height:  # half way to even spacing, so that no two zero lines meet
            line = (line + evenly) / 2
        # Into the neighbour's room rather than off the chart.
        lines.append(max(up, min(line, height - down)) if up + down <= height else line)
        y += gap + (up + down) * scale
    least = ROWS_APART * step
    # The last row's own reach stays on the chart, unless the others then had no place.
    last = max(height - extents[-1][1], min(lines[0] + least * (len(lines) - 1), height - step / 2))
    return kept_apart(lines, least, last)


def kept_apart(lines: list[float], least_mm: float, last_mm: float) -> list[float]:
    """The lines moved down, and where the last then lies too low up again, until none is nearer than this to another.

    A lead of five millivolts at the top would else push its row onto the next: two leads drawn over each other.

    >>> kept_apart([51.0, 52.0, 70.0, 100.0], 16.0, 105.0), kept_apart([51.0, 60.0, 100.0], 30.0, 105.0)
    ([51.0, 67.0, 83.0, 100.0], [45.0, 75.0, 105.0])
    """
    moved = list(lines)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + least_mm)
    moved[-1] = min(moved[-1], last_mm)
    for i in range(len(moved) - 2, -1, -1):
        moved[i] = min(moved[i], moved[i + 1] - least_mm)
    return moved


def pulse_lines(lines: list[float], pulse_mm: float) -> list[float]:
    """The zero lines that get a calibration pulse: the last row, and upwards each whose pulse crosses no other."""
    chosen = [lines[-1]]
    for line in reversed(lines[:-1]):
        if chosen[-1] - pulse_mm > line >= pulse_mm:
            chosen.append(line)
    return chosen


def path(x_mm: npt.NDArray[np.float64], y_mm: npt.NDArray[np.float64]) -> str:
    """SVG path data in micrometres; NaN lifts the pen."""
    seen = ~np.isnan(y_mm)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], seen, [False])).astype(np.int8)))
    x_um = np.rint(np.where(seen, x_mm, 0) * 1000).astype(np.int64)
    y_um = np.rint(np.where(seen, y_mm, 0) * 1000).astype(np.int64)
    parts = []
    for first, end in edges.reshape(-1, 2):
        points = [f"{x} {y}" for x, y in zip(x_um[first:end].tolist(), y_um[first:end].tolist(), strict=True)]
        # A single sample between gaps is drawn as a dot: a line of no length with round caps.
        parts.append("M" + "L".join(points if len(points) > 1 else points * 2))
    return "".join(parts)


def _row(trace: Trace, leads: list[str], window: int = 0) -> list[Segment]:
    width = STRIP_MM / len(leads)
    seconds, start_s = width / trace.speed_mm_per_s, trace.start_s + window * _strip_s(trace)
    return [Segment(lead, start_s + i * seconds, PULSE_MM + i * width, width) for i, lead in enumerate(leads)]


def _strip_s(trace: Trace) -> float:
    return STRIP_MM / trace.speed_mm_per_s


def _left_s(trace: Trace) -> float:
    """Seconds from where printing begins to the end of the recording."""
    return float(trace.samples.shape[1] / trace.sampling_hz - trace.start_s)


def _windows(trace: Trace) -> int:
    """How many strips below each other: a long recording of one or two leads goes on in the rows that are free."""
    strips = int(np.ceil((_left_s(trace) - MIN_LAST_S) / _strip_s(trace)))
    return max(1, min(FREE_ROWS // len(trace.leads), strips))


def _windows_before(trace: Trace, segment: Segment) -> int:
    return int((segment.start_s - trace.start_s) / _strip_s(trace) + 1e-6)


def _end_s(trace: Trace, rows: list[list[Segment]]) -> float:
    windows = 1 + max(_windows_before(trace, segment) for row in rows for segment in row)
    return trace.start_s + min(_left_s(trace), windows * _strip_s(trace))


def _curve(trace: Trace, segment: Segment) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float, float]:
    """Millimetres right of the segment's start and above the zero line (NaN in gaps); the reach up and down."""
    index = trace.leads.index(segment.lead)
    scale = trace.uv_per_lsb[index] if isinstance(trace.uv_per_lsb, tuple) else trace.uv_per_lsb
    steps = trace.samples[index].astype(np.float64)
    if trace.valid is not None:
        steps[~trace.valid[index]] = np.nan
    hz = trace.sampling_hz
    begins_s = trace.start_s + _windows_before(trace, segment) * _strip_s(trace)
    strip = steps[round(begins_s * hz) : round((begins_s + _strip_s(trace)) * hz)]
    if strip.size and not np.isnan(strip).all():
        steps -= np.nanmedian(strip)
    mm = steps * (scale / 1000.0 * trace.gain_mm_per_mv)
    first = int(np.ceil(segment.start_s * hz - 1e-6))
    # The sample on the boundary belongs to both segments, so that the curve reaches it.
    last = int(np.floor((segment.start_s + segment.width_mm / trace.speed_mm_per_s) * hz + 1e-6))
    window = mm[first : last + 1]
    x = ((np.arange(window.size) + first) / hz - segment.start_s) * trace.speed_mm_per_s
    x, window = _thin(x, window, hz / trace.speed_mm_per_s)
    if not window.size or np.isnan(window).all():
        return x, window, 0.0, 0.0
    return x, window, max(0.0, float(np.nanmax(window))), max(0.0, -float(np.nanmin(window)))


def _thin(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], points_per_mm: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """At most ``MAX_POINTS_PER_MM``: the lowest and the highest of each bucket, so that no pacing spike is lost."""
    size = 2 * int(np.ceil(points_per_mm / MAX_POINTS_PER_MM))
    if size <= 2 or y.size < 2 * size:
        return x, y
    whole = y.size // size * size
    buckets = y[:whole].reshape(-1, size)
    low = np.argmin(np.where(np.isnan(buckets), np.inf, buckets), axis=1)
    high = np.argmax(np.where(np.isnan(buckets), -np.inf, buckets), axis=1)
    # A gap inside a bucket is kept as its own sample.
    gap = np.where(np.isnan(buckets).any(axis=1), np.argmax(np.isnan(buckets), axis=1), low)
    kept = np.sort(np.stack([low, high, gap], axis=1), axis=1) + np.arange(0, whole, size)[:, None]
    keep = np.unique(np.concatenate([[0], kept.ravel(), np.arange(whole, y.size), [y.size - 1]]))
    return x[keep], y[keep]


def _label_y(line: float, near_mm: npt.NDArray[np.float64], row_mm: float) -> float:
    """Above the curve where the label stands, though not far into the row above."""
    lift = max(float(np.nanmax(near_mm, initial=0.0)) + 1.5, row_mm * 0.24)
    return max(LABEL_HEIGHT_MM, line - min(lift, row_mm * 0.6))


def _pulse(line: float, mm: float) -> str:
    x = np.array([0.0, 2.5, 2.5, 7.5, 7.5, PULSE_MM])
    return path(x, line - np.array([0, 0, mm, mm, 0, 0], dtype=np.float64))


def _tick(x_mm: float, line: float) -> str:
    return path(np.array([x_mm, x_mm]), np.array([line - 4.0, line - 2.0]))


def _svg(height: float, curves: str) -> str:
    w, h = round(WIDTH_MM * 1000), round(height * 1000)
    lines: dict[bool, list[str]] = {False: [], True: []}
    for mm in range(round(WIDTH_MM) + 1):
        lines[mm % BOX_MM == 0].append(f"M{mm * 1000} 0V{h}")
    for mm in range(round(height) + 1):
        lines[mm % BOX_MM == 0].append(f"M0 {mm * 1000}H{w}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{height}mm" viewBox="0 0 {w} {h}"'
        ' fill="none" stroke-linecap="round" stroke-linejoin="round">'
        f'<path stroke="{MINOR}" stroke-width="{MINOR_MM * 1000:g}" d="{"".join(lines[False])}"/>'
        f'<path stroke="{MAJOR}" stroke-width="{MAJOR_MM * 1000:g}" d="{"".join(lines[True])}"/>'
        f'<path stroke="{INK}" stroke-width="{PEN_MM * 1000:g}" d="{curves}"/></svg>'
    )
