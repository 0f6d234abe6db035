"""What does a day of blood pressures look like? One page: averages and statements, then every reading over the hours.

Each reading is a bar from diastolic to systolic; the nights are shaded and the guideline's limits are dashed, so that
what lies too high, and whether the pressure falls at night, is seen at a glance. Below it the pulse.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from ecg_center.contract.findings import Findings
from ecg_center.contract.pressure import PressureFindings, PressureRow, printed
from ecg_center.domain.calendars import CHINA
from worker import drawing as d
from worker.page_head import MARGIN_MM, heading, statements
from worker.pressure_readings import BloodPressureSeries

WIDTH_MM: Final = 297.0
AXIS_MM: Final = 14.0
PRESSURE_MM: Final = 108.0
PULSE_MM: Final = 30.0
BETWEEN_MM: Final = 8.0
STEP_MMHG: Final = 20
RANGE_MMHG: Final = (40, 180)
"""Always shown, so that two days can be compared at a glance; wider where the readings need it."""
RANGE_BPM: Final = (40, 120)
SYSTOLIC, DIASTOLIC, PULSE, NIGHT = "#c1121f", "#2458c5", "#1b8a5a", "#e8ecf4"
LABELS_AT_MOST: Final = 14
HOURS_BETWEEN_LABELS: Final = (1, 2, 3, 4, 6, 12, 24, 48, 168)
APART: Final = timedelta(hours=2)
"""Readings further apart are not joined by a line."""
PERIODS: Final = (("24h", "24小时 24 h"), ("day", "白天 day"), ("night", "夜间 night"))


@dataclass(frozen=True)
class _Field:
    """A chart's place on the page, and what its edges stand for."""

    top: float
    height: float
    first: datetime
    last: datetime
    low: float
    high: float
    left: float = MARGIN_MM + AXIS_MM
    width: float = WIDTH_MM - 2 * MARGIN_MM - AXIS_MM

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, at: datetime) -> float:
        """Where this time lies; the edge where it lies beyond."""
        share = (at - self.first) / (self.last - self.first)
        return self.left + self.width * min(max(share, 0.0), 1.0)

    def y(self, value: float) -> float:
        """Where this value lies."""
        return self.bottom - self.height * (value - self.low) / (self.high - self.low)


def as_svg(series: BloodPressureSeries, findings: Findings) -> str:
    """The page.

    Raises:
        ValueError: the findings are not of blood pressures.
    """
    pressure = findings.pressure
    if pressure is None:
        raise ValueError("the findings hold no blood pressures")
    right = WIDTH_MM - MARGIN_MM
    head = heading(series.identity, series.device, series.started_at, series.format, findings, right)
    averages, first = _averages(pressure)
    said, second = statements(findings, MARGIN_MM + 112, right)
    chart = _field(pressure, max(first, second) + 10)
    rates = [row.pulse_bpm for row in pressure.readings if row.pulse_bpm is not None]
    pulse = _Field(chart.bottom + BETWEEN_MM, PULSE_MM, chart.first, chart.last, *_range(rates, RANGE_BPM))
    parts = [
        *head, *averages, *said,
        *_nights(pressure, chart), *_nights(pressure, pulse),
        *_scale(chart, "mmHg"), *_scale(pulse, "/min"), *_hours(pulse),
        *_limits(pressure, chart), *_readings(pressure, chart), *_pulse(pressure, pulse),
        _foot(series, pressure, pulse.bottom + 12),
    ]  # fmt: skip
    return d.page(WIDTH_MM, pulse.bottom + 17, parts)


def _averages(pressure: PressureFindings) -> tuple[list[str], float]:
    """The table of averages, how far the night dips, and whether there were enough readings."""
    columns = [MARGIN_MM + at for at in (50.0, 64.0, 84.0, 102.0)]
    y = 25.0
    heads = ("次数 n", "mmHg", "负荷 load %", "脉率 /min")
    parts = [d.text(x, y, words, size=2.6, fill=d.SOFT, anchor="end") for x, words in zip(columns, heads, strict=True)]
    for name, label in PERIODS:
        one = next((summary for summary in pressure.periods if summary.period == name), None)
        if one is None:
            continue
        y += 5.2
        systolic, diastolic = pressure.average_of(one.systolic), pressure.average_of(one.diastolic)
        loads = (one.systolic_load_percent, one.diastolic_load_percent)
        cells = (
            str(one.readings),
            f"{printed(systolic)}/{printed(diastolic)}",
            "/".join("–" if load is None else str(printed(load)) for load in loads),
            "–" if one.pulse is None else str(printed(pressure.average_of(one.pulse))),
        )
        parts.append(d.text(MARGIN_MM, y, label))
        for place, (x, cell) in enumerate(zip(columns, cells, strict=True)):
            parts.append(d.text(x, y, cell, anchor="end", strong=place == 1))
    lines = []
    if dip := pressure.dipping:
        falls = f"{dip.systolic_percent:.1f} / {dip.diastolic_percent:.1f} %"
        lines.append(f"夜间下降 dipping {falls} · {dip.systolic} / {dip.diastolic}".replace("_", "-"))
    if surge := pressure.surge:
        lines.append(f"晨峰 morning surge {printed(surge.sleep_trough_mmhg)} mmHg")
    seen = pressure.validity
    lines.append(f"有效 {seen.verdict}: {seen.answered} of {seen.planned} ({seen.share_percent:.0f} %), "
                 f"{seen.day} by day, {seen.night} by night")  # fmt: skip
    for words in lines:
        y += 4.6
        parts.append(d.text(MARGIN_MM, y, d.fitted(words, 2.8, 106), size=2.8, fill=d.SOFT))
    return parts, y


def _field(pressure: PressureFindings, top: float) -> _Field:
    values = [value for row in pressure.readings for value in (row.systolic_mmhg, row.diastolic_mmhg) if value]
    first = pressure.started_at.astimezone(CHINA).replace(minute=0, second=0, microsecond=0)
    last = max(pressure.ended_at.astimezone(CHINA), first + timedelta(hours=1))
    whole = last.replace(minute=0, second=0, microsecond=0)
    return _Field(top, PRESSURE_MM, first, whole + timedelta(hours=whole < last), *_range(values, RANGE_MMHG))


def _range(values: list[float], usual: tuple[int, int]) -> tuple[int, int]:
    low, high = min([*values, usual[0]]), max([*values, usual[1]])
    return int(low // STEP_MMHG) * STEP_MMHG, -int(-high // STEP_MMHG) * STEP_MMHG


def _nights(pressure: PressureFindings, field: _Field) -> list[str]:
    return [
        d.rect(start, field.top, end - start, field.height, NIGHT)
        for night in pressure.nights
        if (end := field.x(night.end_at)) > (start := field.x(night.start_at))
    ]


def _scale(field: _Field, unit: str) -> list[str]:
    parts = [d.text(field.left - 2, field.top - 3.4, unit, size=2.8, fill=d.SOFT, anchor="end")]
    for value in range(int(field.low), int(field.high) + 1, STEP_MMHG):
        y = field.y(value)
        parts.append(d.line(field.left, y, field.left + field.width, y, d.RULE, 0.15))
        parts.append(d.text(field.left - 2, y + 1, str(value), size=2.8, fill=d.SOFT, anchor="end"))
    return parts


def _hours(field: _Field) -> list[str]:
    """The hours below, as many as have room, with the date where a day begins."""
    hours = (field.last - field.first) / timedelta(hours=1)
    every = next((one for one in HOURS_BETWEEN_LABELS if hours / one <= LABELS_AT_MOST), HOURS_BETWEEN_LABELS[-1])
    at = field.first + timedelta(hours=-field.first.hour % every if every <= 24 else 0)
    parts, date = [], None
    while at <= field.last:
        x = field.x(at)
        parts.append(d.line(x, field.bottom, x, field.bottom + 1.2, d.SOFT, 0.2))
        parts.append(d.text(x, field.bottom + 4.2, f"{at:%H:%M}", size=2.8, fill=d.SOFT, anchor="middle"))
        if at.date() != date:
            date = at.date()
            parts.append(d.text(x, field.bottom + 7.6, f"{at:%m-%d}", size=2.6, fill=d.SOFT, anchor="middle"))
        at += timedelta(hours=every)
    return parts


def _limits(pressure: PressureFindings, field: _Field) -> list[str]:
    """Those of the day by day, those of the night by night."""
    limits = pressure.grading.limits
    if "day" not in limits or "night" not in limits:
        return []
    nights = [(field.x(one.start_at), field.x(one.end_at)) for one in pressure.nights]
    edges = [field.left, *(edge for night in nights for edge in night), field.left + field.width]
    parts = []
    for place, (start, end) in enumerate(pairwise(edges)):
        limit = limits["night" if place % 2 else "day"]
        if end > start:
            for value, colour in ((limit.systolic_mmhg, SYSTOLIC), (limit.diastolic_mmhg, DIASTOLIC)):
                parts.append(d.line(start, field.y(value), end, field.y(value), colour, 0.25, dashes="1.6 1.2"))
                parts.append(d.text(start + 0.8, field.y(value) - 0.8, f"{value:g}", size=2.4, fill=colour))
    return parts


def _readings(pressure: PressureFindings, field: _Field) -> list[str]:
    parts: list[str] = []
    before: PressureRow | None = None
    for row in pressure.readings:
        x = field.x(row.at)
        if row.systolic_mmhg is None or row.diastolic_mmhg is None:
            y = field.bottom - 2
            parts += [d.line(x - 1, y - 1, x + 1, y + 1, d.SOFT, 0.3), d.line(x - 1, y + 1, x + 1, y - 1, d.SOFT, 0.3)]
            continue
        used = row.state == "used"
        pair = ((row.systolic_mmhg, SYSTOLIC if used else d.SOFT), (row.diastolic_mmhg, DIASTOLIC if used else d.SOFT))
        ends = [field.y(value) for value, _ in pair]
        parts.append(d.line(x, ends[0], x, ends[1], "#9aa3b2" if used else d.RULE, 0.35))
        if used and before is not None and row.at - before.at <= APART:
            for (value, colour), earlier in zip(pair, (before.systolic_mmhg, before.diastolic_mmhg), strict=True):
                if earlier is not None:
                    parts.append(d.line(field.x(before.at), field.y(earlier), x, field.y(value), colour, 0.18))
        parts += [d.dot(x, y, 0.95, colour, filled=used) for y, (_, colour) in zip(ends, pair, strict=True)]
        before = row if used else before
    return parts


def _pulse(pressure: PressureFindings, field: _Field) -> list[str]:
    rows = [row for row in pressure.readings if row.pulse_bpm is not None and row.state == "used"]
    parts = [d.dot(field.x(row.at), field.y(row.pulse_bpm or 0.0), 0.7, PULSE) for row in rows]
    for before, row in pairwise(rows):
        if row.at - before.at <= APART:
            ends = (field.x(before.at), field.y(before.pulse_bpm or 0), field.x(row.at), field.y(row.pulse_bpm or 0))
            parts.append(d.line(*ends, PULSE, 0.18))
    return parts


def _foot(series: BloodPressureSeries, pressure: PressureFindings, y: float) -> str:
    words = (
        f"{series.format} · {len(series.readings)} readings · × failed, ○ not used · night by {pressure.night_by} · "
        f"{pressure.grading.guideline} · readings {series.readings_sha256[:16]}"
    )
    return d.text(MARGIN_MM + AXIS_MM, y, words, size=2.8, fill=d.SOFT)
