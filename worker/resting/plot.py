"""What does a person need to see, to believe or doubt a pre-read? One SVG page, true to scale, that any browser opens.

SVG rather than PNG: it needs no drawing library, its text is text, and it stays sharp at any size. At 100 % one second
is 25 mm and one millivolt 10 mm.
"""

from html import escape
from typing import Final

import numpy as np

from ecg_center.contract.findings import Findings
from ecg_center.domain.statements import TERMS
from worker.recording import Recording
from worker.resting.patient import Patient, person_of
from worker.resting.reading import Reading, read_signal
from worker.resting.traces import prepare

MM_PER_S, MM_PER_MV = 25.0, 10.0
LEAD_MM: Final = 22.0
LEFT_MM: Final = 14.0
MEDIAN_MM_PER_S: Final = 100.0
PLOT_S: Final = 10.0
LINE_MM: Final = 5.0
COLOURS: Final = {"p": "#2a7", "qrs": "#c22", "t": "#26c"}


def as_svg(recording: Recording, findings: Findings) -> str:
    """The page: statements with evidence, ten seconds with the beats, the median beat with its limits."""
    traces = prepare(recording)
    reading = read_signal(traces, person_of(recording, Patient()), calibrated=recording.calibrated)
    words = _words(findings)
    top = 8 + LINE_MM * len(words)
    height = top + LEAD_MM * (len(traces.leads) + 1)
    width = LEFT_MM + MM_PER_S * PLOT_S + 90
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="sans-serif" font-size="3.4">',
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
        *[f'<text x="4" y="{8 + LINE_MM * n:g}">{escape(line)}</text>' for n, line in enumerate(words)],
        _grid(top, height, width),
    ]
    for at in findings.beats_s:
        if at < PLOT_S:
            x = LEFT_MM + MM_PER_S * at
            parts.append(f'<path d="M{x:.2f} {top:g}V{height:g}" stroke="#c22" stroke-width=".15" opacity=".5"/>')
    for row, lead in enumerate(traces.leads):
        zero = top + LEAD_MM * (row + 0.7)
        parts.append(f'<text x="2" y="{zero:g}" font-weight="bold">{escape(lead)}</text>')
        parts.append(_trace(traces.clean[row], traces.hz, LEFT_MM, zero, MM_PER_S, PLOT_S))
        parts.append(_median(reading, row, LEFT_MM + MM_PER_S * PLOT_S + 6, zero))
    return "\n".join([*parts, "</svg>", ""])


def _words(findings: Findings) -> list[str]:
    measured = findings.measurements.model_dump(exclude={"st_j_mv"}, exclude_none=True)
    lines = [f"{findings.grade.upper()}  unconfirmed pre-read by {findings.engine} {findings.engine_version}"]
    lines.append("  ".join(f"{name} {value}" for name, value in measured.items()))
    for statement in findings.statements:
        term = TERMS[statement.code]
        seen = "; ".join(
            f"{item.quantity} {item.value if item.value is not None else ''}{item.unit} {' '.join(item.leads)}".strip()
            for item in statement.evidence[:3]
        )
        lines.append(f"{statement.code} {term.zh} {term.en} [{statement.certainty}]  {seen}")
    lines += [f"CRITICAL {value.title_zh} {value.title_en}" for value in findings.critical]
    bad = [f"{q.lead} {q.verdict} ({', '.join(q.reasons)})" for q in findings.quality.leads if q.verdict != "good"]
    return [*lines, *([f"quality {findings.quality.verdict}: {'; '.join(bad)}"] if bad else [])]


def _grid(top: float, height: float, width: float) -> str:
    def lines(step: float) -> str:
        across = "".join(f"M0 {y:g}H{width:g}" for y in np.arange(top, height, step))
        return across + "".join(f"M{x:g} {top:g}V{height:g}" for x in np.arange(LEFT_MM % step, width, step))

    return (
        f'<path d="{lines(1)}" stroke="#fbdcdc" stroke-width=".08" fill="none"/>'
        f'<path d="{lines(5)}" stroke="#f3b5b5" stroke-width=".15" fill="none"/>'
    )


def _trace(signal: "np.ndarray[tuple[int], np.dtype[np.float64]]", hz: float, left: float, zero: float,
           mm_per_s: float, longest_s: float) -> str:  # fmt: skip
    part = signal[: round(longest_s * hz)]
    x, y = left + mm_per_s * np.arange(len(part)) / hz, zero - MM_PER_MV * part / 1000
    points = " ".join(f"{a:.2f},{b:.2f}" for a, b in zip(x.tolist(), y.tolist(), strict=True))
    return f'<polyline points="{points}" fill="none" stroke="#111" stroke-width=".25"/>'


def _median(reading: Reading, row: int, left: float, zero: float) -> str:
    median, limits = reading.median, reading.limits
    if median is None or limits is None:
        return ""
    hz = reading.traces.hz
    drawn = [_trace(median.signal[row], hz, left, zero, MEDIAN_MM_PER_S * 0.6, 1.3)]
    for wave, at in (
        ("p", limits.p_on), ("p", limits.p_off), ("qrs", limits.qrs_on), ("qrs", limits.qrs_off), ("t", limits.t_off),
    ):  # fmt: skip
        if at is not None:
            x = left + MEDIAN_MM_PER_S * 0.6 * at / hz
            drawn.append(
                f'<path d="M{x:.2f} {zero - 12:.2f}V{zero + 7:.2f}" stroke="{COLOURS[wave]}" stroke-width=".2"/>'
            )
    return "".join(drawn)
