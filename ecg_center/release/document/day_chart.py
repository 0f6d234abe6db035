"""How did the heart beat, hour by hour? The small chart above a day's figures: rate, and early beats below it.

Pure geometry in millimetres, one SVG in micrometres, as the trace is (``trace.py``); words are set by the page.
"""

from dataclasses import dataclass
from typing import Final

from ecg_center.contract.holter import HourRow
from ecg_center.release.document.trace import WIDTH_MM

HEIGHT_MM: Final = 40.0
LEFT_MM: Final = 12.0
AXIS_MM: Final = 4.5
ECTOPY_MM: Final = 7.0
LEAST_BPM, MOST_BPM = 40.0, 120.0
HEADROOM_BPM: Final = 10.0
BAND, RATE, LINE = "#cfe0e8", "#0b6386", "#dfe3e8"
VENTRICULAR, SUPRAVENTRICULAR, FIBRILLATION = "#b01c16", "#0b63c7", "#f7e3bd"


@dataclass(frozen=True)
class Word:
    """A word beside the chart: its baseline's left end, or its middle."""

    text: str
    x_mm: float
    y_mm: float
    middle: bool = False


@dataclass(frozen=True)
class DayChart:
    """The drawn chart."""

    svg: str
    words: tuple[Word, ...]


@dataclass(frozen=True)
class _Scale:
    """Where a moment and a rate stand."""

    start_s: float
    mm_per_s: float
    least: float
    most: float

    @property
    def bottom(self) -> float:
        """The foot of the rate."""
        return HEIGHT_MM - AXIS_MM - ECTOPY_MM

    def x(self, at_s: float) -> float:
        """Millimetres from the left."""
        return LEFT_MM + (at_s - self.start_s) * self.mm_per_s

    def y(self, bpm: float) -> float:
        """Millimetres from the top."""
        return self.bottom - (bpm - self.least) / (self.most - self.least) * (self.bottom - 1)


def draw(hours: list[HourRow], clock: list[str]) -> DayChart:
    """The chart of these hours, one at least; ``clock`` is what stands below the left end of each."""
    start_s, end_s = hours[0].start_s, hours[-1].end_s
    scale = _Scale(
        start_s,
        (WIDTH_MM - LEFT_MM) / max(1.0, end_s - start_s),
        min([LEAST_BPM, *((row.rate_min_bpm or LEAST_BPM) - HEADROOM_BPM / 2 for row in hours)]),
        max([MOST_BPM, *((row.rate_max_bpm or 0.0) + HEADROOM_BPM for row in hours)]),
    )
    shapes, words = _grid(hours, clock, scale)
    shapes[:0] = [_fibrillation(row, scale) for row in hours if row.af_s]
    shapes += [_range(row, scale) for row in hours if row.rate_min_bpm is not None and row.rate_max_bpm is not None]
    shapes.append(_mean_line(hours, scale))
    foot = HEIGHT_MM - AXIS_MM
    shapes += _bars(hours, [row.v_beats for row in hours], foot - ECTOPY_MM / 2, VENTRICULAR, scale)
    shapes += _bars(hours, [row.s_beats for row in hours], foot, SUPRAVENTRICULAR, scale)
    words += [Word("V", LEFT_MM - 4, foot - ECTOPY_MM / 2), Word("S", LEFT_MM - 4, foot)]
    return DayChart(_svg(shapes), tuple(words))


def _grid(hours: list[HourRow], clock: list[str], scale: _Scale) -> tuple[list[str], list[Word]]:
    shapes, words = [], []
    step = 25 if scale.most - scale.least < 150 else 50
    for bpm in range(-(-int(scale.least) // step) * step, int(scale.most) + 1, step):
        shapes.append(_line(LEFT_MM, scale.y(bpm), WIDTH_MM, scale.y(bpm), LINE))
        words.append(Word(str(bpm), 3.0, scale.y(bpm) + 1.0))
    every = max(1, -(-len(hours) // 24))
    for row, text in list(zip(hours, clock, strict=True))[::every]:
        shapes.append(_line(scale.x(row.start_s), 0, scale.x(row.start_s), HEIGHT_MM - AXIS_MM, LINE))
        words.append(Word(text, scale.x(row.start_s), HEIGHT_MM - 0.8, middle=True))
    return shapes, words


def _fibrillation(row: HourRow, scale: _Scale) -> str:
    """As wide as its share of the hour: where in it the frozen figures do not say."""
    wide = (scale.x(row.end_s) - scale.x(row.start_s)) * min(1.0, row.af_s / max(1.0, row.end_s - row.start_s))
    return _box(scale.x(row.start_s), 0, wide, scale.bottom, FIBRILLATION)


def _range(row: HourRow, scale: _Scale) -> str:
    assert row.rate_min_bpm is not None
    assert row.rate_max_bpm is not None
    wide = scale.x(row.end_s) - scale.x(row.start_s)
    top = scale.y(row.rate_max_bpm)
    return _box(scale.x(row.start_s) + 0.3, top, max(0.2, wide - 0.6), max(0.2, scale.y(row.rate_min_bpm) - top), BAND)


def _mean_line(hours: list[HourRow], scale: _Scale) -> str:
    """Through the middle of each hour; lifted where an hour has no rate."""
    path, down = [], False
    for row in hours:
        if row.rate_mean_bpm is None:
            down = False
            continue
        x, y = _um((scale.x(row.start_s) + scale.x(row.end_s)) / 2), _um(scale.y(row.rate_mean_bpm))
        path.append(f"{'L' if down else 'M'}{x} {y}")
        down = True
    return f'<path fill="none" stroke="{RATE}" stroke-width="350" d="{"".join(path)}"/>'


def _bars(hours: list[HourRow], counts: list[int], foot: float, colour: str, scale: _Scale) -> list[str]:
    most = max(1, *counts) if counts else 1
    bars = []
    for row, count in zip(hours, counts, strict=True):
        if count:
            tall = 0.4 + (ECTOPY_MM / 2 - 0.8) * (count / most) ** 0.5
            wide = scale.x(row.end_s) - scale.x(row.start_s)
            bars.append(_box(scale.x(row.start_s) + 0.3, foot - tall, max(0.3, wide - 0.6), tall, colour))
    return bars


def _um(mm: float) -> int:
    return round(mm * 1000)


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f'<rect x="{_um(x)}" y="{_um(y)}" width="{_um(width)}" height="{_um(height)}" fill="{colour}"/>'


def _line(x0: float, y0: float, x1: float, y1: float, colour: str) -> str:
    return f'<path stroke="{colour}" stroke-width="120" d="M{_um(x0)} {_um(y0)}L{_um(x1)} {_um(y1)}"/>'


def _svg(shapes: list[str]) -> str:
    w, h = _um(WIDTH_MM), _um(HEIGHT_MM)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" viewBox="0 0 {w} {h}">'
        f"{''.join(shapes)}</svg>"
    )
