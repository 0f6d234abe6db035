"""What does a person need to see, to believe or doubt a pre-read? One page, true to scale: statements with what they
rest on, ten seconds of every lead with the beats and the places of the evidence, and the median beat with its limits.

At 100 % one second is 25 mm (of the median beat 50 mm) and one millivolt 10 mm. Rows lie as far apart as their waves
need. Of a longer recording the page shows the ten seconds in which the gravest finding is seen, else the first.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ecg_center.contract.findings import Findings, Measurements
from worker import drawing as d
from worker.leads import TWELVE
from worker.page_head import GRADES, MARGIN_MM, heading, statements
from worker.recording import Recording
from worker.resting.patient import Patient, person_of
from worker.resting.reading import Reading, read_signal
from worker.resting.traces import CLEAN_HZ, prepare
from worker.signal.beat_limits import delineate_beats

MM_PER_S: Final = 25.0
MM_PER_MV: Final = 10.0
MEDIAN_MM_PER_S: Final = 50.0
PLOT_S: Final = 10.0
MEDIAN_S: Final = (0.36, 0.70)
"""Shown of the median beat before and after R."""
LEAD_MM: Final = 15.0
"""Left of the trace, for the lead's name and the calibration pulse."""
BEATS_MM: Final = 6.0
"""Above the trace, for the beats and the intervals between them."""
BETWEEN_MM: Final = 6.0
ROW_MM: Final = (13.0, 34.0)
"""Least and greatest distance of two rows."""
CLEARANCE_MM: Final = 2.0

WAVES: Final = {"P": "#1b8a5a", "QRS": "#c1121f", "T": "#2458c5", "U": "#9c36b5"}
BEATS: Final = {"N": d.SOFT, "S": "#8a3ffc", "V": "#c1121f", "F": "#d9480f", "P": "#0b7285", "Q": "#8a6d00"}
BAR_MM: Final = 1.2
BARS: Final = {"P": 0.7, "QRS": 0.8, "T": 0.35}
EVIDENCE: Final = "#f5a623"
MEASURED: Final = (
    ("heart_rate_bpm", "心率 rate", "/min"), ("p_ms", "P波 P", "ms"), ("pr_ms", "P-R间期 PR", "ms"),
    ("qrs_ms", "QRS时限 QRS", "ms"), ("qt_ms", "QT间期 QT", "ms"), ("qtc_ms", "QTc", "ms"),
    ("qrs_axis_deg", "电轴 axis", "°"), ("rv5_mv", "RV5", "mV"), ("sv1_mv", "SV1", "mV"),
    ("rr_max_ms", "最长RR longest", "ms"),
)  # fmt: skip
DERIVED: Final = (
    (("p_axis_deg", "P轴 P axis", "°"), ("t_axis_deg", "T轴 T axis", "°"), ("qt_dispersion_ms", "QTd", " ms")),
    (("sokolow_lyon_mv", "Sokolow", " mV"), ("cornell_mv", "Cornell", " mV"), ("peguero_mv", "Peguero", " mV")),
    (("cornell_product_mv_ms", "Cornell×QRS", " mV·ms"), ("lewis_mv", "Lewis", " mV")),
    (("romhilt_estes_points", "Romhilt–Estes", ""), ("selvester_points", "Selvester", "")),
    (("v1_p_terminal_mv_ms", "PtfV1", " mV·ms"),),
)
WIDE_MM: Final = 150.0
SHORTEST_RR_MM: Final = 9.0
"""Below this distance of two beats their interval has no room for its number."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A place in the recording, and the code of the statement that rests on it (``!``: a critical value)."""

    code: str
    start_s: float
    end_s: float
    leads: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Paper:
    """Where the traces lie: the base line of each lead, and the corners of both fields."""

    reading: Reading
    from_s: float
    top: float
    bottom: float
    zeros: list[float]
    left: float = MARGIN_MM + LEAD_MM
    width: float = MM_PER_S * PLOT_S
    median_left: float = MARGIN_MM + LEAD_MM + MM_PER_S * PLOT_S + BETWEEN_MM
    median_width: float = MEDIAN_MM_PER_S * sum(MEDIAN_S)

    @property
    def page_width(self) -> float:
        return self.median_left + self.median_width + MARGIN_MM

    def x(self, seconds: float) -> float:
        """Where this second of the recording lies; its edge where it lies beyond."""
        return self.left + MM_PER_S * min(max(seconds - self.from_s, 0.0), PLOT_S)

    def shows(self, seconds: float) -> bool:
        """Whether this second of the recording is on the page."""
        return self.from_s <= seconds < self.from_s + PLOT_S

    def window(self) -> slice:
        """The samples on the page."""
        first = round(self.from_s * self.reading.traces.hz)
        return slice(first, first + round(PLOT_S * self.reading.traces.hz))


def as_svg(recording: Recording, findings: Findings) -> str:
    """The page."""
    traces = prepare(recording)
    reading = read_signal(traces, person_of(recording, Patient()), calibrated=recording.calibrated)
    head, bottom_of_head = _head(recording, findings)
    top = bottom_of_head + BEATS_MM + 5
    from_s = _first_second(findings, traces.duration_s)
    zeros, bottom = _base_lines(reading, from_s, top)
    paper = _Paper(reading, from_s, top, bottom, zeros)
    parts = [
        *head,
        *d.grid(paper.left, top, paper.width, bottom - top),
        *_gaps(recording, paper),
        *_moved(findings, paper),
        *_places(findings, paper),
        *_beats(findings, paper),
        *_limits(findings, paper),
        *_leads(findings, paper),
        *_median(findings, paper),
        *_foot(recording, paper),
    ]
    return d.page(paper.page_width, bottom + 12, parts)


# ---- words above the trace


def _head(recording: Recording, findings: Findings) -> tuple[list[str], float]:
    """Who, what was measured, what is said; and where it ends."""
    right = _Paper.median_left + _Paper.median_width
    parts = heading(recording.identity, recording.device, recording.started_at, recording.format, findings, right)
    measured, first = _measurements(recording, findings)
    said, second = statements(findings, MARGIN_MM + 96, right)
    return [*parts, *measured, *said], max(first, second)


def _measurements(recording: Recording, findings: Findings) -> tuple[list[str], float]:
    """Ours beside the device's own."""
    theirs = recording.device_measurements
    left, y = MARGIN_MM, 25.0
    if not theirs and all(getattr(findings.measurements, name) is None for name, _, _ in MEASURED):
        return [], y
    parts = [d.text(left, y, "测量 measured", size=2.8, fill=d.SOFT)]
    if theirs:
        parts.append(d.text(left + 82, y, "device", size=2.8, fill=d.SOFT, anchor="end"))
    for name, label, unit in MEASURED:
        value = getattr(findings.measurements, name)
        if value is None and name not in theirs:
            continue
        y += 4.6
        shown = "–" if value is None else f"{value + 0.0:.4g}"
        parts.append(d.text(left, y, label))
        parts.append(d.text(left + 58, y, shown, anchor="end", strong=True))
        parts.append(d.text(left + 59.5, y, unit, size=2.6, fill=d.SOFT))
        if name in theirs:
            parts.append(d.text(left + 82, y, f"{theirs[name]:.4g}", fill=d.SOFT, anchor="end"))
    for line in _derived(findings.measurements):
        y += 3.8
        parts.append(d.text(left, y, line, size=2.6, fill=d.SOFT))
    return parts, y


def _derived(measured: Measurements) -> list[str]:
    """What is calculated from the measurements: QT by each formula, and the sums of voltages."""
    lines = []
    if measured.qtc_formula:
        others = " · ".join(f"{name.title()} {value:g}" for name, value in measured.qtc_by_formula.items())
        lines += [f"QTc: {measured.qtc_formula}", *([others] if others else [])]
    for group in DERIVED:
        words = [
            f"{label} {value + 0.0:.3g}{unit}"
            for name, label, unit in group
            if (value := getattr(measured, name)) is not None
        ]
        if words:
            lines.append(" · ".join(words))
    return lines


# ---- the trace


def _pieces(findings: Findings) -> list[_Piece]:
    """What has a place in the recording, the gravest first."""
    found = [("!", item) for value in findings.critical for item in value.evidence]
    found += [(statement.code, item) for statement in findings.statements for item in statement.evidence]
    pieces = [
        _Piece(code, item.start_s, item.end_s, tuple(item.leads))
        for code, item in found
        if item.start_s is not None and item.end_s is not None
    ]
    return list({(piece.code, piece.start_s, piece.end_s): piece for piece in reversed(pieces)}.values())[::-1]


def _first_second(findings: Findings, duration_s: float) -> float:
    """Where the page begins: so that the first piece of evidence stands in its middle, should it lie beyond."""
    first = next((piece for piece in _pieces(findings) if piece.end_s - piece.start_s < PLOT_S), None)
    if first is None or first.end_s <= PLOT_S:
        return 0.0
    middle = (first.start_s + first.end_s) / 2
    return float(min(max(np.floor(middle - PLOT_S / 2), 0.0), max(duration_s - PLOT_S, 0.0)))


def _base_lines(reading: Reading, from_s: float, top: float) -> tuple[list[float], float]:
    """Where 0 mV of each lead lies, so that neighbours do not cross, and where the last row ends."""
    first = round(from_s * reading.traces.hz)
    signal = reading.traces.clean[:, first : first + round(PLOT_S * reading.traces.hz)]
    up = MM_PER_MV * np.percentile(signal, 99.9, axis=1) / 1000
    down = -MM_PER_MV * np.percentile(signal, 0.1, axis=1) / 1000
    least, most = ROW_MM
    zeros = [0.0] * len(signal)
    y, below = top, 0.0
    for place, row in enumerate(_reading_order(reading.traces.leads)):
        y += float(np.clip(below + up[row] + CLEARANCE_MM, least if place else least / 2, most))
        zeros[row], below = y, float(down[row])
    end = y + float(np.clip(below + CLEARANCE_MM, least / 2, most))
    return zeros, top + float(np.ceil((end - top) / 5) * 5)


def _reading_order(leads: tuple[str, ...]) -> list[int]:
    """The rows in the order in which physicians read them, whatever that of the file is; others follow."""
    usual = {lead: place for place, lead in enumerate(TWELVE)}
    return sorted(range(len(leads)), key=lambda row: usual.get(leads[row], len(usual)))


def _leads(findings: Findings, paper: _Paper) -> list[str]:
    traces = paper.reading.traces
    verdicts = {lead.lead: lead.verdict for lead in findings.quality.leads}
    window = paper.window()
    parts = []
    for lead, zero, signal in zip(traces.leads, paper.zeros, traces.clean, strict=True):
        bad = verdicts.get(lead, "good") != "good"
        size = min(4.0, max(2.4, 4.0 * (LEAD_MM - 7) / d.width_of(lead, 4.0)))
        parts.append(
            d.text(
                MARGIN_MM,
                zero + 1.4,
                d.fitted(lead, size, LEAD_MM - 6),
                size=size,
                fill=GRADES["major"] if bad else d.INK,
                strong=True,
            )
        )
        if bad:
            parts.append(d.text(MARGIN_MM, zero + 4.4, verdicts[lead], size=2.4, fill=GRADES["major"]))
        parts.append(_calibration(paper.left - 6, zero))
        parts.append(_wave(signal[window], traces.hz, paper.left, zero, MM_PER_S))
    return parts


def _calibration(x: float, zero: float) -> str:
    """One millivolt for a fifth of a second."""
    pulse = f"M{x:.2f} {zero:.2f}h.7v{-MM_PER_MV:g}h{MM_PER_S / 5 - 1.4:g}v{MM_PER_MV:g}h.7"
    return f'<path d="{pulse}" fill="none" stroke="{d.SOFT}" stroke-width=".22"/>'


def _wave(signal: Any, hz: float, left: float, zero: float, mm_per_s: float) -> str:
    return d.trace(left + mm_per_s * np.arange(len(signal)) / hz, zero - MM_PER_MV * signal / 1000)


def _beats(findings: Findings, paper: _Paper) -> list[str]:
    """A mark above each beat, by its kind, the intervals between, and P waves that go their own way."""
    reading, y = paper.reading, paper.top - 2
    names = findings.beat_kinds
    parts = []
    before_s = -PLOT_S
    for number, at in enumerate(findings.beats_s):
        if not paper.shows(at):
            continue
        kind = names[number] if len(names) == len(findings.beats_s) else "N"
        x, colour = paper.x(at), BEATS.get(kind, d.SOFT)
        parts.append(d.line(x, paper.top, x, paper.bottom, colour, 0.12, dashes=".6 1.2"))
        parts.append(d.polygon([(x - 1, y - 1), (x + 1, y - 1), (x, y + 1)], colour))
        if kind != "N":
            parts.append(d.text(x, y - 1.8, kind, size=2.8, fill=colour, anchor="middle", strong=True))
        if paper.shows(before_s) and x - paper.x(before_s) >= SHORTEST_RR_MM:
            middle, ms = (x + paper.x(before_s)) / 2, f"{1000 * (at - before_s):.0f}"
            parts.append(d.text(middle, y + 0.4, ms, size=2.6, fill=d.SOFT, anchor="middle"))
        before_s = at
    for sample in reading.free_p if reading.free_p is not None else ():
        if paper.shows(at := float(sample) / reading.traces.hz):
            parts.append(d.text(paper.x(at), paper.top + 3, "P", size=2.8, fill=WAVES["P"], anchor="middle"))
    for at in reading.traces.spikes_s:
        if paper.shows(at):
            parts.append(d.line(paper.x(at), paper.top, paper.x(at), paper.top + 4, WAVES["T"], 0.5))
    return parts


def _limits(findings: Findings, paper: _Paper) -> list[str]:
    """Where P, QRS and T of each beat stand, over all leads: bars along the foot of the trace."""
    reading, fiducials = paper.reading, findings.median_beat_fiducials
    if fiducials is None:
        return []
    hz = reading.traces.hz
    found = delineate_beats(reading.traces.clean, reading.beats, reading.rows, hz, reading.median, reading.first_limits)
    waves = [("QRS", found.qrs_on, found.qrs_off), ("T", found.qrs_off, found.t_off)]
    if fiducials.p_on_s is not None:
        waves.append(("P", found.p_on, found.p_off))
    parts = []
    for name, on, off in waves:
        seconds = np.median(np.stack([on, off])[:, :, reading.rows], axis=2).T / hz
        for begin, end in seconds[~np.isnan(seconds).any(axis=1)].tolist():
            if paper.shows(begin) and end > begin:
                y, width = paper.bottom - BAR_MM, paper.x(end) - paper.x(begin)
                parts.append(d.rect(paper.x(begin), y, width, BAR_MM, WAVES[name], opacity=BARS[name]))
    return parts


def _places(findings: Findings, paper: _Paper) -> list[str]:
    """The seconds and leads that the statements and critical values rest on."""
    parts: list[str] = []
    rows = {lead: row for row, lead in enumerate(paper.reading.traces.leads)}
    labelled: dict[tuple[float, float], int] = {}
    for piece in _pieces(findings):
        if piece.start_s >= paper.from_s + PLOT_S or piece.end_s <= paper.from_s:
            continue
        x, end = paper.x(piece.start_s), paper.x(piece.end_s)
        named = [paper.zeros[rows[lead]] for lead in piece.leads if lead in rows]
        if end - x > WIDE_MM:  # what holds for most of the strip would only tint it
            parts.append(d.rect(x, paper.top, end - x, 1.1, EVIDENCE))
            spans = [(paper.top + 1.1, 0.0)]
        else:
            spans = [(zero - 7, 13.0) for zero in named] or [(paper.top, paper.bottom - paper.top)]
            parts += [d.rect(x, y, max(end - x, 0.6), height, EVIDENCE, opacity=0.18) for y, height in spans]
        corner = (round(x, 1), round(spans[0][0], 1))
        above = labelled[corner] = labelled.get(corner, -1) + 1  # several codes may rest on the same seconds
        parts.append(d.text(x + 0.5, spans[0][0] + 2.6 * (above + 1), piece.code, size=2.4, fill=GRADES["major"]))
    return parts


def _gaps(recording: Recording, paper: _Paper) -> list[str]:
    """What was not measured."""
    rows = {lead: row for row, lead in enumerate(paper.reading.traces.leads)}
    parts = []
    for gap in recording.gaps:
        x, end = paper.x(gap.start / recording.sampling_hz), paper.x(gap.stop / recording.sampling_hz)
        if end > x:
            parts += [d.rect(x, paper.zeros[rows[lead]] - 5, end - x, 10, d.RULE) for lead in gap.leads if lead in rows]
    return parts


def _moved(findings: Findings, paper: _Paper) -> list[str]:
    """Where an electrode moved."""
    rows = {lead: row for row, lead in enumerate(paper.reading.traces.leads)}
    return [
        d.rect(paper.x(begin), paper.zeros[rows[lead.lead]] + 5, paper.x(end) - paper.x(begin), 0.8, GRADES["major"])
        for lead in findings.quality.leads
        for begin, end in lead.moved_s
        if paper.x(end) > paper.x(begin)
    ]


# ---- the median beat


def _median(findings: Findings, paper: _Paper) -> list[str]:
    reading, limits = paper.reading, findings.median_beat_fiducials
    left, width, top, bottom = paper.median_left, paper.median_width, paper.top, paper.bottom
    if reading.median is None or limits is None:
        return [d.text(left, top - 2, "没有中位搏动 no median beat", size=2.6, fill=d.SOFT)]
    parts = d.grid(left, top, width, bottom - top)
    first_s = limits.r_s - MEDIAN_S[0]

    def x(at_s: float) -> float:
        return left + MEDIAN_MM_PER_S * (at_s - first_s)

    for name, on, off in (
        ("P", limits.p_on_s, limits.p_off_s),
        ("QRS", limits.qrs_on_s, limits.qrs_off_s),
        ("T", limits.qrs_off_s, limits.t_off_s),
        ("U", limits.u_on_s, limits.u_off_s),
    ):
        if on is None or off is None or not first_s <= off <= first_s + sum(MEDIAN_S):
            continue
        begin = max(x(on), left)
        if name != "T":
            parts.append(d.rect(begin, top, x(off) - begin, bottom - top, WAVES[name], opacity=0.09))
            parts.append(d.line(begin, top, begin, bottom, WAVES[name], 0.16))
        parts.append(d.line(x(off), top, x(off), bottom, WAVES[name], 0.16))
        label = (begin + x(off)) / 2
        parts.append(d.text(label, top - 1.4, name, size=2.8, fill=WAVES[name], anchor="middle", strong=True))
    hz = reading.traces.hz
    start = max(0, round(first_s * hz))
    stop = round((first_s + sum(MEDIAN_S)) * hz)
    offset = MEDIAN_MM_PER_S * (start / hz - first_s)
    for lead, zero, signal in zip(reading.traces.leads, paper.zeros, reading.median.signal, strict=True):
        parts.append(_wave(signal[start:stop], hz, left + offset, zero, MEDIAN_MM_PER_S))
        parts.append(d.text(left + 1, zero - 1.6, lead, size=2.6, fill=d.SOFT))
        level = findings.measurements.st_j_mv.get(lead)
        if level is not None:
            words = f"J {round(level, 2) + 0.0:+.2f}"
            parts.append(d.text(left + width - 1, zero - 1.6, words, size=2.6, fill=WAVES["QRS"], anchor="end"))
    members = f"中位搏动 median of {reading.median.members} · 50 mm/s · J in mV"
    return [*parts, d.text(left, top - 5.4, members, size=2.6, fill=d.SOFT)]


def _foot(recording: Recording, paper: _Paper) -> list[str]:
    traces = paper.reading.traces
    mains = f" · {traces.mains_hz:g} Hz removed" if traces.mains_hz else ""
    last_s = paper.from_s + PLOT_S
    shown = (
        f"{paper.from_s:g} to {last_s:g} s of {recording.duration_s:g} s · " if recording.duration_s > PLOT_S else ""
    )
    left = f"{shown}25 mm/s · 10 mm/mV · {CLEAN_HZ[0]:g}–{CLEAN_HZ[1]:g} Hz{mains}"
    amplitude = "" if recording.calibrated else " · amplitudes not calibrated"
    right = f"{recording.format} · {recording.sampling_hz:g} Hz · signal {recording.signal_sha256[:16]}{amplitude}"
    y = paper.bottom + 7
    seconds = [paper.from_s + second for second in range(round(PLOT_S) + 1)]
    return [
        *[
            d.text(paper.left + MM_PER_S * place, paper.bottom + 3, f"{at:g} s", size=2.3, fill=d.SOFT, anchor="middle")
            for place, at in enumerate(seconds)
        ],
        d.text(paper.left, y, left, size=2.8, fill=d.SOFT),
        d.text(paper.median_left + paper.median_width, y, right, size=2.8, fill=d.SOFT, anchor="end"),
    ]
