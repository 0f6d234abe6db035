"""What does the worker say of one recording?

The pre-read is a suggestion: whoever shows it labels it unconfirmed. Every statement and critical value carries
its evidence, so that a physician sees which lead and which seconds it rests on.
"""

from typing import Annotated, Literal

from pydantic import Field

from ecg_center.contract.base import Message
from ecg_center.contract.holter import HolterFindings
from ecg_center.contract.pressure import PressureFindings

Grade = Literal["critical", "major", "abnormal", "normal"]
"""危急值, 重大阳性值, 异常, 正常: the grade orders the worklist."""

Certainty = Literal["definite", "probable", "possible"]


class Evidence(Message):
    """Where in the recording a finding is seen, and by what limit."""

    leads: list[str] = []
    start_s: float | None = None
    end_s: float | None = None
    quantity: str = ""
    """What was measured, a name of the glossary, e.g. ``st_j_mv``, ``rr_ms``."""
    value: float | None = None
    threshold: float | None = None
    unit: str = ""
    source: str = ""
    """The guideline or standard that the threshold comes from."""


class Statement(Message):
    """One diagnostic statement, by its code in ``ecg_center.domain.statements``."""

    code: str
    certainty: Certainty = "definite"
    evidence: list[Evidence] = []


class CriticalValue(Message):
    """One rule of one rule set that fired."""

    rule_set: str
    rule: str
    title_zh: str
    title_en: str
    evidence: list[Evidence] = []


class LeadQuality(Message):
    """How far one lead can be trusted."""

    lead: str
    verdict: Literal["good", "noisy", "unusable", "off"]
    reasons: list[str] = []
    """Codes: ``lead_off``, ``flat``, ``saturated``, ``baseline_wander``, ``mains``, ``motion``, ``muscle``,
    ``clipped``."""
    moved_s: list[tuple[float, float]] = []
    """From and to which second the electrode moved."""


class Quality(Message):
    """Whether the recording can be read, and if not what the technician should do."""

    verdict: Literal["usable", "limited", "repeat"]
    leads: list[LeadQuality] = []
    suspected_reversal: str | None = None
    """``RA/LA``, ``RA/LL``, ``LA/LL`` or a precordial pair."""
    advice_zh: str = ""
    advice_en: str = ""


class LeadMeasurements(Message):
    """One lead of the median beat: amplitudes in mV against the PR level, signed, 0 where there is no such wave."""

    p_mv: float
    q_mv: float
    r_mv: float
    s_mv: float
    r2_mv: float
    """R'."""
    t_mv: float
    q_ms: float
    r_ms: float
    s_ms: float
    u_mv: float = 0.0
    st_j_mv: float
    st20_mv: float
    st40_mv: float
    st60_mv: float
    st80_mv: float
    """At J + 80 ms."""
    st_slope_mv_s: float
    """From J to J + 60 ms."""


class Measurements(Message):
    """Global measurements of a resting ECG; None where it could not be measured, never a guess."""

    heart_rate_bpm: float | None = None
    atrial_rate_bpm: float | None = None
    rr_mean_ms: float | None = None
    rr_max_ms: float | None = None
    p_ms: float | None = None
    pr_ms: float | None = None
    qrs_ms: float | None = None
    qt_ms: float | None = None
    qtc_ms: float | None = None
    qtc_formula: Literal["bazett", "fridericia", "framingham", "hodges"] | None = None
    qtc_by_formula: dict[str, float] = {}
    """The same QT by each of the four formulas."""
    p_axis_deg: float | None = None
    qrs_axis_deg: float | None = None
    t_axis_deg: float | None = None
    rv5_mv: float | None = None
    sv1_mv: float | None = None
    st_j_mv: dict[str, float] = {}
    """ST level at J against the PR baseline, by lead."""
    leads: dict[str, LeadMeasurements] = {}
    qt_dispersion_ms: float | None = None
    """Longest less shortest QT of the leads that show a T."""
    sokolow_lyon_mv: float | None = None
    cornell_mv: float | None = None
    cornell_product_mv_ms: float | None = None
    lewis_mv: float | None = None
    rv5_sv1_mv: float | None = None
    peguero_mv: float | None = None
    romhilt_estes_points: int | None = None
    selvester_points: int | None = None
    """Of the QRS score of scar; only where nothing but a scar would give points (worker/resting/selvester.py)."""
    v1_p_terminal_mv_ms: float | None = None
    """Depth times length of the last, negative part of P in V1."""


class Fiducials(Message):
    """Onsets and offsets on the median beat, seconds from its start; the R peak stands at ``r_s``."""

    r_s: float
    p_on_s: float | None = None
    p_off_s: float | None = None
    qrs_on_s: float | None = None
    qrs_off_s: float | None = None
    t_off_s: float | None = None
    u_on_s: float | None = None
    """U of the mean of the usual beats, which may end behind the median beat."""
    u_peak_s: float | None = None
    u_off_s: float | None = None


class Findings(Message):
    """All that one engine says of one recording."""

    engine: str
    engine_version: str
    kind: Literal["resting", "holter", "abpm"]
    duration_s: Annotated[float, Field(ge=0)]
    sampling_hz: float
    leads: list[str]
    quality: Quality
    measurements: Measurements = Measurements()
    statements: list[Statement] = []
    critical: list[CriticalValue] = []
    grade: Grade
    beats_s: list[float] = []
    """R peaks, seconds from the start of the recording."""
    beat_kinds: str = ""
    """One letter for each of ``beats_s``: N usual, S supraventricular, V ventricular, F fusion, P paced, Q not to be
    told; empty where no beat can be told."""
    median_beat_fiducials: Fiducials | None = None
    warnings: list[str] = []
    """What the reader of the file had to repair or could not use, in plain English."""
    device_measurements: dict[str, float] = {}
    device_statements: list[str] = []
    holter: HolterFindings | None = None
    """Only where ``kind`` is ``holter``; the beats then lie in the stored file, not in ``beats_s``."""
    pressure: PressureFindings | None = None
    """Where ``kind`` is ``abpm``, and of a combined recorder beside its ECG."""


PREREAD_QUEUE = "preread"
PREREAD_TASK = "preread"
LONG_QUEUE = "preread_long"
"""Recordings of hours and days, one at a time, so that no resting ECG waits behind one (docs/adr/0008)."""
RECONCLUDE_TASK = "reconclude"
"""A physician changed something in a day: what was measured is concluded from anew."""
URGENT_PRIORITY = 100
RECONCLUDE_PRIORITY = 90
"""Somebody waits before the screen, and it takes less than a second."""
ROUTINE_PRIORITY = 0
