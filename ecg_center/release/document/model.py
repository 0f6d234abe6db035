"""What does a report say, apart from how it looks?

Everything on the page is in :class:`ReportDocument`; rendering reads nothing else, so that the same document
gives the same page on any machine. The dataclasses check their limits when they are made: a report that cannot be
printed is refused where it is written, not at the clinic's printer.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from ecg_center.contract.findings import Measurements
from ecg_center.contract.holter import Event, HolterFindings
from ecg_center.contract.pressure import PressureFindings
from ecg_center.domain.statements import Overall
from ecg_center.signing.authority import Role

Language = Literal["zh", "en"]
Sex = Literal["M", "F", "O"]
Layout = Literal["3x4+1", "6x2", "12x1"]
"""Rows × columns of the trace; ``3x4+1`` is 4 columns of 2.5 s over a 10 s rhythm strip."""

MAX_FIELD = 300
"""Characters in a one-line field; the wire allows 200 for a name."""
MAX_OPINION_LINE = 4000
MAX_OPINION_LINES = 100
MAX_OPINION = 20_000
"""Characters of the whole opinion, about six full pages: beyond this something else was pasted in."""
MAX_REMARK = 4000
MAX_URL = 300
"""A QR symbol stays readable at 18 mm on a 300 dpi print up to about this length."""
MAX_LEADS = 18
"""Twelve leads, V3R to V5R and V7 to V9."""
MAX_DAY_STRIPS = 24
MAX_TRACE_SAMPLES = 20_000_000
PAPER_SPEEDS = (12.5, 25.0, 50.0)
GAINS = (2.5, 5.0, 10.0, 20.0)
"""mm/s and mm/mV that recorders print (AHA/ACC/HRS 2007 recommendations, part I: the standard is 25 and 10)."""


class DocumentError(ValueError):
    """The report cannot be printed as it stands; the message names the field and what to do."""


@dataclass(frozen=True)
class Patient:
    """Whom the report is about, as registered at the clinic."""

    name: str
    sex: Sex
    age: str
    """As printed, e.g. ``63岁`` or ``8个月``; :func:`ecg_center.release.document.labels.age` makes it."""
    department: str = ""
    bed: str = ""
    inpatient_number: str = ""
    outpatient_number: str = ""

    def __post_init__(self) -> None:
        _limit(self, MAX_FIELD)


@dataclass(frozen=True, eq=False)
class Trace:
    """The recording as it is drawn: (leads × samples) integers with their scale.

    A lead is centred on its median over the printed strip, as the AC-coupled recorder does on paper; a sample that
    is not ``valid`` leaves a gap.
    """

    leads: tuple[str, ...]
    samples: npt.NDArray[np.integer]
    """Shape (leads, samples)."""
    uv_per_lsb: float | tuple[float, ...]
    """Microvolts of one step, for all leads or one a lead."""
    sampling_hz: float
    valid: npt.NDArray[np.bool_] | None = None
    """Same shape as ``samples``; None where every sample was measured."""
    start_s: float = 0.0
    """Where the printed strip begins in the recording."""
    speed_mm_per_s: float = 25.0
    gain_mm_per_mv: float = 10.0
    layout: Layout = "3x4+1"
    rhythm_lead: str = "II"
    filters: str = ""
    """As printed, e.g. ``0.05–150 Hz, 50 Hz notch``; empty where the samples are unfiltered."""

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.shape[0] != len(self.leads):
            raise DocumentError(f"samples have shape {self.samples.shape}; give ({len(self.leads)} leads, samples)")
        if not 1 <= len(self.leads) <= MAX_LEADS or self.samples.shape[1] < 2:
            raise DocumentError(f"a trace has 1 to {MAX_LEADS} leads and at least two samples")
        if self.samples.size > MAX_TRACE_SAMPLES:
            raise DocumentError("the trace is too long; pass only the seconds that are printed")
        if not np.issubdtype(self.samples.dtype, np.integer):
            raise DocumentError("samples are integers; give the scale in uv_per_lsb")
        if self.valid is not None and self.valid.shape != self.samples.shape:
            raise DocumentError("valid must have the shape of samples")
        if isinstance(self.uv_per_lsb, tuple) and len(self.uv_per_lsb) != len(self.leads):
            raise DocumentError("give one uv_per_lsb for all leads, or one a lead")
        if not 50 <= self.sampling_hz <= 100_000:
            raise DocumentError(f"sampling_hz {self.sampling_hz} is no ECG sampling rate")
        if not 0 <= self.start_s < self.samples.shape[1] / self.sampling_hz:
            raise DocumentError("start_s lies outside the recording")
        if self.speed_mm_per_s not in PAPER_SPEEDS or self.gain_mm_per_mv not in GAINS:
            raise DocumentError(f"paper speeds are {PAPER_SPEEDS} mm/s, gains {GAINS} mm/mV")


@dataclass(frozen=True, eq=False)
class DayStrip:
    """Ten seconds of a day as they are printed."""

    trace: Trace
    trace_start_s: float
    """Where in the recording the strip begins; in ``trace`` it is the first sample."""
    event: Event | None = None
    """What it shows; None where a physician chose the place."""
    text: str = ""

    def __post_init__(self) -> None:
        _length("text", self.text, MAX_FIELD)


@dataclass(frozen=True, eq=False)
class Day:
    """A day of ECG: its figures as they were signed, and its strips."""

    figures: HolterFindings
    duration_s: float
    started_at: datetime | None
    """None where the recorder's clock is not known."""
    strips: tuple[DayStrip, ...] = ()

    def __post_init__(self) -> None:
        if len(self.strips) > MAX_DAY_STRIPS:
            raise DocumentError(f"a report prints at most {MAX_DAY_STRIPS} strips of a day")
        if self.started_at is not None:
            _aware("started_at", self.started_at)


@dataclass(frozen=True)
class Signatory:
    """A physician who stands for the report, and when she or he signed."""

    role: Role
    name: str
    signed_at: datetime

    def __post_init__(self) -> None:
        _limit(self, MAX_FIELD)
        _aware("signed_at", self.signed_at)


@dataclass(frozen=True)
class Supersedes:
    """The version that an amendment replaces; the old one stays on record."""

    version: int
    released_at: datetime
    reason: str

    def __post_init__(self) -> None:
        _limit(self, MAX_FIELD)
        _aware("released_at", self.released_at)


@dataclass(frozen=True, eq=False)
class ReportDocument:
    """One version of one report, all that stands on its pages (报告页): of an ECG, of blood pressures, or of both."""

    centre: str
    """诊断中心: the institution that reads."""
    member: str
    """成员单位: the institution that recorded."""
    patient: Patient
    accession_number: str
    examined_at: datetime
    reported_at: datetime
    measurements: Measurements
    trace: Trace | None
    """None where no ECG was recorded."""
    opinion: tuple[str, ...]
    """诊断意见, rhythm and rate first; the urgent finding is not among them."""
    conclusion: Overall
    signatories: tuple[Signatory, ...]
    urgent_finding: str | None = None
    """Printed on the second line of the opinion, marked."""
    title: str | None = None
    """None for the language's own: 心电图诊断报告, 动态心电图报告, 动态血压监测报告, ECG report and so on."""
    day: Day | None = None
    """A day of ECG; the report then has no other trace."""
    pressure: PressureFindings | None = None
    """The figures of an ambulatory blood pressure, as they were signed."""
    version: int = 1
    supersedes: Supersedes | None = None
    remark: str = ""
    verification_url: str | None = None
    demo: bool = False
    """Marks every page: the data are of no patient."""
    language: Language = "zh"
    time_zone: str = "Asia/Shanghai"

    def __post_init__(self) -> None:
        for name in ("centre", "member", "accession_number", "title", "remark", "verification_url", "urgent_finding"):
            limit = {"remark": MAX_REMARK, "urgent_finding": MAX_OPINION_LINE}.get(name, MAX_FIELD)
            _length(name, getattr(self, name), limit)
        for line in self.opinion:
            _length("opinion", line, MAX_OPINION_LINE)
        if len(self.opinion) > MAX_OPINION_LINES or sum(map(len, self.opinion)) > MAX_OPINION:
            raise DocumentError(f"opinion is too long; at most {MAX_OPINION_LINES} lines, {MAX_OPINION} characters")
        if self.trace is None and self.pressure is None and self.day is None:
            raise DocumentError("a report shows a trace, a day of ECG, or blood pressures")
        if self.trace is not None and self.day is not None:
            raise DocumentError("the strips of a day are its trace; leave the trace out")
        if self.version < 1 or (self.supersedes is not None and self.supersedes.version >= self.version):
            raise DocumentError("a version counts from 1 and supersedes a lower one")
        _aware("examined_at", self.examined_at)
        _aware("reported_at", self.reported_at)
        ZoneInfo(self.time_zone)

    @property
    def opinion_lines(self) -> tuple[tuple[str, bool], ...]:
        """The lines as printed, each with whether it is the urgent finding (second, or first where it stands alone)."""
        lines = [(line, False) for line in self.opinion]
        if self.urgent_finding:
            lines.insert(min(1, len(lines)), (self.urgent_finding, True))
        return tuple(lines)


def _limit(part: object, limit: int) -> None:
    for name, value in vars(part).items():
        if isinstance(value, str):
            _length(name, value, limit)


def _length(name: str, value: str | None, limit: int) -> None:
    if value is not None and len(value) > limit:
        raise DocumentError(f"{name} has {len(value)} characters; shorten it to {limit}")


def _aware(name: str, instant: datetime) -> None:
    if instant.tzinfo is None:
        raise DocumentError(f"{name} needs a time zone")
