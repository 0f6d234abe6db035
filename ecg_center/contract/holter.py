"""What does the worker say of a day of ECG? The part of ``findings.Findings`` that only a Holter has.

Times are seconds from the start of the recording, as everywhere in findings; a page adds the clock. Everything here
follows from what was measured once (beats, their classes and shapes, noise) and the list of a physician's edits, so
that it can be made again in under a second.
"""

from typing import Annotated, Literal

from pydantic import Field

from ecg_center.contract.base import Message

BeatClass = Literal["N", "S", "V", "F", "P", "Q"]
"""AAMI EC57 classes: normal or bundle branch block, supraventricular, ventricular, fusion, paced, unclassifiable."""

EventKind = Literal[
    "v_single", "v_couplet", "v_bigeminy", "v_trigeminy", "v_run", "vt", "r_on_t",
    "idioventricular", "s_single", "s_couplet", "s_bigeminy", "s_trigeminy", "s_run", "svt",
    "af", "flutter", "pause", "dropped_beat", "av_block_2", "av_block_3", "bradycardia", "tachycardia",
    "vf", "asystole", "st_elevation", "st_depression", "axis_shift", "t_alternans", "long_qt", "paced",
    "fastest", "slowest", "longest_rr", "noise", "lead_off", "diary",
]  # fmt: skip

AtrialRhythm = Literal["sinus", "af", "flutter"]
"""``sinus`` stands for whatever is neither fibrillation nor flutter."""

MAX_EVENTS = 20_000
MAX_TEMPLATES = 200
MAX_EDITS = 10_000


class Event(Message):
    """Something that happened, from its first beat to its last."""

    kind: EventKind
    start_s: float
    end_s: float
    beats: int = 0
    rate_bpm: float | None = None
    leads: list[str] = []
    value: float | None = None
    """What makes it grave: the pause's RR in ms, the ST deviation in mV, the QTc in ms; its name is ``quantity``."""
    quantity: str = ""
    text: str = ""
    """The patient's words, for a diary mark; the type, for an AV block; ``axis_shift`` for an ST episode that begins
    beside one and is doubted for it; ``two_to_one`` for flutter that only a fixed conduction speaks for."""


class RateAt(Message):
    """A heart rate and when it was."""

    bpm: float
    at_s: float


class Ectopy(Message):
    """Counts of one kind of early beats (ventricular or supraventricular)."""

    beats: int = 0
    share: float = 0.0
    """Of all analysed beats, 0 to 1."""
    singles: int = 0
    couplets: int = 0
    runs: int = 0
    """Three or more in a row."""
    bigeminy: int = 0
    trigeminy: int = 0
    """Episodes, not beats."""
    longest_run_beats: int = 0
    longest_run_at_s: float | None = None
    fastest_run_bpm: float | None = None
    fastest_run_at_s: float | None = None
    r_on_t: int = 0
    most_in_an_hour: int = 0


class Pauses(Message):
    """Long intervals between two beats, by the limits in the field."""

    over_2_0_s: int = 0
    over_2_5_s: int = 0
    over_3_0_s: int = 0
    over_5_0_s: int = 0
    longest_ms: float | None = None
    longest_at_s: float | None = None


class HourRow(Message):
    """One line of the hourly table; clock hours where the start is known."""

    start_s: float
    end_s: float
    analysed_s: float
    beats: int
    rate_mean_bpm: float | None = None
    rate_min_bpm: float | None = None
    rate_max_bpm: float | None = None
    v_beats: int = 0
    v_couplets: int = 0
    v_runs: int = 0
    s_beats: int = 0
    s_couplets: int = 0
    s_runs: int = 0
    pauses: int = 0
    af_s: float = 0.0
    qtc_ms: float | None = None
    st_max_mv: float | None = None
    """The largest deviation of any lead, with its sign."""


class AfBurden(Message):
    """Atrial fibrillation and flutter over the recording."""

    episodes: int = 0
    share: float = 0.0
    """Of the analysed time, 0 to 1."""
    longest_s: float = 0.0
    longest_at_s: float | None = None
    rate_mean_bpm: float | None = None
    rate_max_bpm: float | None = None


class HrvWindow(Message):
    """Heart rate variability of one stretch; a value that the stretch is too short for is absent."""

    name: str
    """``whole``, ``day``, ``night`` or ``hour``."""
    start_s: float
    end_s: float
    nn_share: float
    """Intervals between two normal beats, of all intervals: below 0.8 the figures say little (Task Force 1996)."""
    metrics: dict[str, float] = {}
    """By the names in ``worker/holter/hrv``: ``sdnn_ms``, ``rmssd_ms``, ``lf_ms2``, ``sd1_ms`` and so on."""


class QtTrend(Message):
    """QT over the day."""

    qt_mean_ms: float | None = None
    qtc_mean_ms: float | None = None
    qtc_max_ms: float | None = None
    qtc_max_at_s: float | None = None
    over_500_share: float | None = None
    times_s: list[float] = []
    qt_ms: list[float] = []
    qtc_ms: list[float] = []
    """The trend, a value a few minutes; the three lists are of one length."""


class StTrend(Message):
    """ST level of one lead over the day, a value a minute."""

    lead: str
    times_s: list[float] = []
    level_mv: list[float] = []
    slope_mv_s: list[float] = []


class BeatTemplate(Message):
    """One shape of QRS, of which a physician names all beats at once."""

    id: int
    label: BeatClass
    beats: int
    first_s: float
    hz: float
    r_index: int
    """Which sample of ``median_uv`` is the R peak."""
    median_uv: dict[str, list[int]] = {}
    """Lead → the median beat of this shape, whole microvolts."""


class HolterFindings(Message):
    """All that a day says beside the statements."""

    analysed_s: float
    """Seconds in which at least one lead could be read."""
    analysed_share: float
    beats: dict[str, int] = {}
    """Class → how many."""
    rate_mean_bpm: float | None = None
    rate_day_bpm: float | None = None
    rate_night_bpm: float | None = None
    rate_max: RateAt | None = None
    rate_min: RateAt | None = None
    ventricular: Ectopy = Ectopy()
    supraventricular: Ectopy = Ectopy()
    pauses: Pauses = Pauses()
    af: AfBurden = AfBurden()
    qt: QtTrend = QtTrend()
    st: list[StTrend] = []
    hours: list[HourRow] = []
    hrv: list[HrvWindow] = []
    turbulence: dict[str, float] = {}
    """``onset_share``, ``slope_ms_per_rr``, ``beats``; empty without enough ventricular beats."""
    deceleration: dict[str, float] = {}
    """``dc_ms`` and ``ac_ms``."""
    events: Annotated[list[Event], Field(max_length=MAX_EVENTS)] = []
    """In order of time; where there are more than the limit, singles are dropped first and ``warnings`` says so."""
    templates: Annotated[list[BeatTemplate], Field(max_length=MAX_TEMPLATES)] = []
    edits: int = 0
    """How many of the physician's edits these figures hold."""

    @property
    def longest_rr(self) -> tuple[float, float | None] | None:
        """Milliseconds and beginning of the longest interval between beats, a pause or not; None where nothing says."""
        if self.pauses.longest_ms is not None:
            return self.pauses.longest_ms, self.pauses.longest_at_s
        found = next((event for event in self.events if event.kind == "longest_rr"), None)
        return None if found is None or found.value is None else (found.value, found.start_s)


class Edit(Message):
    """One thing that a physician changed: append-only, so that the machine's own result can always be seen again."""

    action: Literal[
        "relabel_beats", "relabel_template", "delete_beats", "insert_beats", "exclude", "include", "rhythm", "undo"
    ]
    label: BeatClass | None = None
    rhythm: AtrialRhythm | None = None
    """For ``rhythm``: who leads in a stretch, whatever the machine said: fibrillation begins, ends or never was."""
    at_s: Annotated[list[float], Field(max_length=5_000)] = []
    """R peaks, for beats that are named one by one."""
    template: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    """A stretch, for ``exclude``, ``include`` and ``rhythm``, and for all beats in it."""
    undoes: int | None = None
    """For ``undo``: the position of the edit in the list that no longer holds."""


class ReportStrip(Message):
    """Ten seconds of a day that the report prints, true to scale."""

    start_s: Annotated[float, Field(ge=0)]
    event: Event | None = None
    """What it shows; None where a physician chose the place."""
    text: Annotated[str, Field(max_length=100)] = ""
    """The physician's words."""
