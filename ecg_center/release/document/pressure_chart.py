"""Where on the paper does a day of blood pressures stand? The chart of the report, as one SVG.

As ``trace``: millimetres from the chart's upper left corner, written in whole micrometres; only numbers enter the SVG,
words are set by the template in the report's own fonts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ecg_center.contract.pressure import PressureFindings, PressureRow
from ecg_center.domain.calendars import CHINA
from ecg_center.release.document.trace import INK

WIDTH_MM: Final = 265.0
LEFT_MM: Final = 9.0
RIGHT_MM: Final = 9.0
TOP_MM: Final = 4.5
PRESSURE_MM: Final = 50.0
BETWEEN_MM: Final = 4.0
PULSE_MM: Final = 11.0
AXIS_MM: Final = 4.5
HEIGHT_MM: Final = TOP_MM + PRESSURE_MM + BETWEEN_MM + PULSE_MM + AXIS_MM
STEP_MMHG: Final = 20
LOWEST_MMHG: Final = 40
LEAST_TOP_MMHG: Final = 180
PULSE_STEP: Final = 20
GAP: Final = timedelta(minutes=125)
"""Beyond this no line is drawn from one reading to the next: an hour's plan with one reading lost is still one."""
LABEL_EVERY_H: Final = (1, 2, 3, 4, 6, 8, 12, 24)
LEAST_LABEL_MM: Final = 10.0
DOT_MM: Final = 0.55
CROSS_MM: Final = 0.8
SYSTOLIC, DIASTOLIC, PULSE, LIMIT, EXCESS = "#0b4f6c", "#4d6b1f", "#5d4b82", "#a8601f", "#f2d3cf"
NIGHT, GRID, BAR = "#e9edf4", "#d3d9df", "#a9c0cc"

Stretches = list[tuple[float, float, str]]
"""Start and end in seconds from the first reading, and ``day`` or ``night``."""


@dataclass(frozen=True)
class Word:
    """A label of the chart: its text, where it stands, and how it hangs there."""

    text: str
    x_mm: float
    y_mm: float
    """Of its base line."""
    align: str
    """``left``, ``center`` or ``right``."""


@dataclass(frozen=True)
class PressureChart:
    """The drawn day."""

    svg: str
    words: tuple[Word, ...]


class _Scale:
    """Time and pressure on paper."""

    def __init__(self, found: PressureFindings) -> None:
        pressed = [row for row in found.readings if row.systolic_mmhg is not None and row.diastolic_mmhg is not None]
        highest = max((row.systolic_mmhg or 0 for row in pressed), default=LEAST_TOP_MMHG)
        lowest = min((row.diastolic_mmhg or 0 for row in pressed), default=LOWEST_MMHG)
        pulses = [row.pulse_bpm for row in pressed if row.pulse_bpm is not None and row.state == "used"]
        self.is_long = found.is_long
        self.start, self.end = found.started_at.astimezone(CHINA), found.ended_at.astimezone(CHINA)
        self.top = max(LEAST_TOP_MMHG, _floor(highest, STEP_MMHG) + STEP_MMHG)
        self.bottom = max(0, min(LOWEST_MMHG, _floor(lowest, STEP_MMHG)))
        self.pulse_low = _floor(min([60.0, *pulses]), PULSE_STEP)
        self.pulse_high = max(self.pulse_low + 2 * PULSE_STEP, _floor(max([80.0, *pulses]), PULSE_STEP) + PULSE_STEP)
        self.pulse_top = TOP_MM + PRESSURE_MM + BETWEEN_MM

    def x(self, moment_s: float) -> float:
        """Of so many seconds after the first reading."""
        whole = max(1.0, (self.end - self.start).total_seconds())
        return LEFT_MM + moment_s / whole * (WIDTH_MM - LEFT_MM - RIGHT_MM)

    def y(self, mmhg: float) -> float:
        """Of a pressure."""
        return TOP_MM + (self.top - mmhg) / (self.top - self.bottom) * PRESSURE_MM

    def y_pulse(self, bpm: float) -> float:
        """Of a pulse."""
        return self.pulse_top + (self.pulse_high - bpm) / (self.pulse_high - self.pulse_low) * PULSE_MM

    def at(self, row: PressureRow) -> float:
        """Where a reading stands from left to right."""
        return self.x((row.at - self.start).total_seconds())


def draw(found: PressureFindings, night: str, pulse: str) -> PressureChart:
    """Draw a day.

    Args:
        found: the figures.
        night, pulse: the words for the night and the unit of the pulse.
    """
    scale = _Scale(found)
    stretches = _stretches(found, scale)
    parts = [
        *(_night(scale, start, end) for start, end, name in stretches if name == "night"),
        *_grid(scale),
        *_excess(found, scale, stretches),
        *_limits(found, scale, stretches),
        *_readings(found, scale),
    ]
    words = [*_hours(scale), *_levels(scale, pulse), *_limit_words(found, scale, stretches)]
    words += [
        Word(night, (scale.x(start) + scale.x(end)) / 2, TOP_MM - 1.2, "center")
        for start, end, name in stretches
        if name == "night"
    ]
    return PressureChart(_svg(parts), tuple(words))


def _floor(value: float, step: int) -> int:
    return int(value // step) * step


def _stretches(found: PressureFindings, scale: _Scale) -> Stretches:
    """Day and night in turn, seconds from the first reading."""
    whole = (scale.end - scale.start).total_seconds()
    made: Stretches = []
    at = 0.0
    for one in sorted(found.nights, key=lambda one: one.start_at):
        start = max(at, (one.start_at - scale.start).total_seconds())
        end = min(whole, (one.end_at - scale.start).total_seconds())
        if end <= start:
            continue
        if start > at:
            made.append((at, start, "day"))
        made.append((start, end, "night"))
        at = end
    if at < whole:
        made.append((at, whole, "day"))
    return made


def _night(scale: _Scale, start: float, end: float) -> str:
    x, width = scale.x(start), scale.x(end) - scale.x(start)
    height = PRESSURE_MM + BETWEEN_MM + PULSE_MM
    return f'<rect x="{_um(x)}" y="{_um(TOP_MM)}" width="{_um(width)}" height="{_um(height)}" fill="{NIGHT}"/>'


def _grid(scale: _Scale) -> list[str]:
    ys = [scale.y(level) for level in range(scale.bottom, scale.top + 1, STEP_MMHG)]
    ys += [scale.y_pulse(scale.pulse_low), scale.y_pulse(scale.pulse_high)]
    lines = "".join(f"M{_um(LEFT_MM)} {_um(y)}H{_um(WIDTH_MM - RIGHT_MM)}" for y in ys)
    bottom = TOP_MM + PRESSURE_MM + BETWEEN_MM + PULSE_MM
    ticks = "".join(f"M{_um(word.x_mm)} {_um(bottom)}V{_um(bottom + 0.8)}" for word in _hours(scale))
    return [_path(lines, GRID, 0.1), _path(ticks, INK, 0.1)]


def _limit(found: PressureFindings, period: str, which: int) -> float | None:
    """The systolic (0) or diastolic (1) limit of day or night."""
    limits = found.grading.limits.get("night" if period == "night" else "day")
    if limits is None:
        return None
    return (limits.systolic_mmhg, limits.diastolic_mmhg)[which]


def _excess(found: PressureFindings, scale: _Scale, stretches: Stretches) -> list[str]:
    """What lies between a line and its limit, cut out of the surface below the line."""
    parts = []
    bottom = _um(TOP_MM + PRESSURE_MM)
    for which, value in enumerate((_systolic, _diastolic)):
        cut = ""
        for start, end, name in stretches:
            if (limit := _limit(found, name, which)) is not None:
                left, right = _um(scale.x(start)), _um(scale.x(end))
                cut += f"M{left} {_um(TOP_MM)}H{right}V{_um(scale.y(limit))}H{left}Z"
        if not cut:
            continue
        surface = "".join(
            f"M{points[0][0]} {bottom}" + "".join(f"L{x} {y}" for x, y in points) + f"L{points[-1][0]} {bottom}Z"
            for points in _lines(found, scale, value, scale.y)
        )
        parts.append(f'<clipPath id="c{which}"><path d="{cut}"/></clipPath>')
        parts.append(f'<path d="{surface}" fill="{EXCESS}" clip-path="url(#c{which})"/>')
    return parts


def _limits(found: PressureFindings, scale: _Scale, stretches: Stretches) -> list[str]:
    parts = []
    for which in (0, 1):
        d = ""
        for start, end, name in stretches:
            if (limit := _limit(found, name, which)) is not None:
                y = _um(scale.y(limit))
                d += f"{'L' if d else 'M'}{_um(scale.x(start))} {y}L{_um(scale.x(end))} {y}"
        parts.append(_path(d, LIMIT, 0.18, dashes="900 700"))
    return parts


def _readings(found: PressureFindings, scale: _Scale) -> list[str]:
    bars = crosses = ""
    dots: list[str] = []
    for row in found.readings:
        x = scale.at(row)
        if row.systolic_mmhg is None or row.diastolic_mmhg is None:
            crosses += _cross(x, TOP_MM + PRESSURE_MM - CROSS_MM)
        elif row.state != "used":
            crosses += _cross(x, scale.y(row.systolic_mmhg)) + _cross(x, scale.y(row.diastolic_mmhg))
        else:
            top, bottom = scale.y(row.systolic_mmhg), scale.y(row.diastolic_mmhg)
            bars += f"M{_um(x)} {_um(top)}V{_um(bottom)}"
            dots += [_dot(x, top, SYSTOLIC), _dot(x, bottom, DIASTOLIC)]
    return [
        _path(bars, BAR, 0.5),
        _path(_line(found, scale, _systolic, scale.y), SYSTOLIC, 0.25),
        _path(_line(found, scale, _diastolic, scale.y), DIASTOLIC, 0.25),
        _path(_line(found, scale, lambda row: row.pulse_bpm, scale.y_pulse), PULSE, 0.25),
        *dots,
        _path(crosses, INK, 0.2),
    ]


def _systolic(row: PressureRow) -> float | None:
    return row.systolic_mmhg


def _diastolic(row: PressureRow) -> float | None:
    return row.diastolic_mmhg


def _lines(
    found: PressureFindings, scale: _Scale, value: Callable[[PressureRow], float | None], y: Callable[[float], float]
) -> list[list[tuple[int, int]]]:
    """The points of each stretch without a gap, of the readings that are used."""
    made: list[list[tuple[int, int]]] = []
    before = None
    for row in found.readings:
        number = value(row)
        if row.state != "used" or number is None:
            continue
        if before is None or row.at - before > GAP:
            made.append([])
        made[-1].append((_um(scale.at(row)), _um(y(number))))
        before = row.at
    return made


def _line(
    found: PressureFindings, scale: _Scale, value: Callable[[PressureRow], float | None], y: Callable[[float], float]
) -> str:
    return "".join(
        "M" + "L".join(f"{x} {at}" for x, at in points) for points in _lines(found, scale, value, y) if len(points) > 1
    )


def _hours(scale: _Scale) -> list[Word]:
    """The full hours, as far apart as their words need."""
    an_hour = scale.x(3600) - scale.x(0)
    every = next((one for one in LABEL_EVERY_H if one * an_hour >= LEAST_LABEL_MM), LABEL_EVERY_H[-1])
    midnight = scale.start.replace(hour=0, minute=0, second=0, microsecond=0)
    base = TOP_MM + PRESSURE_MM + BETWEEN_MM + PULSE_MM + AXIS_MM - 0.6
    made = []
    hours = 0
    while (moment := midnight + timedelta(hours=hours)) <= scale.end:
        if moment >= scale.start:
            is_new_day = scale.is_long and moment.hour == 0
            made.append(
                Word(
                    f"{moment:{'%m-%d' if is_new_day else '%H:%M'}}",
                    scale.x((moment - scale.start).total_seconds()),
                    base,
                    "center",
                )
            )
        hours += every
    return made


def _levels(scale: _Scale, pulse: str) -> list[Word]:
    words = [
        Word(str(level), LEFT_MM - 1.2, scale.y(level) + 0.9, "right")
        for level in range(scale.bottom, scale.top + 1, STEP_MMHG)
    ]
    words += [
        Word(str(level), LEFT_MM - 1.2, scale.y_pulse(level) + 0.9, "right")
        for level in (scale.pulse_low, scale.pulse_high)
    ]
    return [*words, Word("mmHg", 0.0, TOP_MM - 1.9, "left"), Word(pulse, LEFT_MM, scale.pulse_top - 0.8, "left")]


def _limit_words(found: PressureFindings, scale: _Scale, stretches: Stretches) -> list[Word]:
    """The limits at the right edge, of the stretch that ends there."""
    if not stretches:
        return []
    limits = [_limit(found, stretches[-1][2], which) for which in (0, 1)]
    x = WIDTH_MM - RIGHT_MM + 1.0
    return [Word(f"{limit:.0f}", x, scale.y(limit) + 0.9, "left") for limit in limits if limit is not None]


def _um(mm: float) -> int:
    return round(mm * 1000)


def _cross(x: float, y: float) -> str:
    left, right, top, bottom = _um(x - CROSS_MM), _um(x + CROSS_MM), _um(y - CROSS_MM), _um(y + CROSS_MM)
    return f"M{left} {top}L{right} {bottom}M{left} {bottom}L{right} {top}"


def _dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{_um(x)}" cy="{_um(y)}" r="{_um(DOT_MM)}" fill="{colour}"/>'


def _path(d: str, colour: str, width_mm: float, dashes: str = "") -> str:
    if not d:
        return ""
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{_um(width_mm)}"{dashed}/>'


def _svg(parts: Sequence[str]) -> str:
    w, h = _um(WIDTH_MM), _um(HEIGHT_MM)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_MM}mm" height="{HEIGHT_MM}mm" viewBox="0 0 {w} {h}"'
        f' stroke-linecap="round" stroke-linejoin="round">{"".join(parts)}</svg>'
    )
