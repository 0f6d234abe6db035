"""What is known of a recording before any word is said about it: beats, median beat, limits, waves, atria."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ecg_center.contract.findings import LeadQuality
from worker.resting.artefacts import without_artefacts
from worker.resting.norms import Norms, norms_of
from worker.resting.patient import Person
from worker.resting.quality import lead_qualities, usable_rows
from worker.resting.traces import Traces
from worker.resting.waves import LeadWaves, measure_leads
from worker.signal import atrial, fibrillation
from worker.signal.beats import Beats, MedianBeat, describe, median_beat
from worker.signal.delineate import Limits, delineate, pacing_spike
from worker.signal.filters import Floats
from worker.signal.lead_limits import LeadLimits, lead_limits, over_all_leads
from worker.signal.long_beats import long_beats
from worker.signal.order import median
from worker.signal.qrs import detect

FLUTTER_LEADS = ("II", "III", "aVF", "V1")
FREE_P_FROM_RR_S = 0.9
FREE_P_BELOW_SHARE = 0.8
FREE_P_BELOW_CLARITY = 5.0
"""Independent P waves are looked for where the ventricles are slow and not every beat has its P."""
BEHIND_T_S: Final = 0.06
LONGER_S: Final = 0.10
"""A median beat that ends so soon behind T is made longer by so much."""
LATE_T_FROM_RR_S: Final = 0.75
"""Above 80/min the next P would come with it."""
EVEN_RR: Final = 0.12
"""In fibrillation the next beat comes when it likes."""
LEAST_MEMBERS: Final = 3


@dataclass(frozen=True, eq=False)
class Reading:
    """All that the rules look at.

    Attributes:
        rows: rows of the leads that may be measured, one for each independent lead.
        rr_s: (n_beats - 1,) intervals.
        waves: by lead, of the leads that may be measured; empty without a median beat.
        free_p: samples of regular P waves wherever they stand, where there are such.
    """

    traces: Traces
    person: Person
    calibrated: bool
    qualities: list[LeadQuality]
    rows: list[int]
    beats: Beats
    stretches: list[fibrillation.Stretch]
    median: MedianBeat | None = None
    first_limits: Limits | None = None
    """What :mod:`worker.signal.delineate` said, before each lead was asked."""
    lead_limits: LeadLimits | None = None
    limits: Limits | None = None
    waves: dict[str, LeadWaves] = field(default_factory=dict)
    p: atrial.PWaves | None = None
    flutter: atrial.Flutter | None = None
    free_p: NDArray[np.int_] | None = None

    @cached_property
    def rr_s(self) -> Floats:
        """(n_beats - 1,) seconds between beats."""
        intervals: Floats = np.diff(self.beats.at) / self.traces.hz
        return intervals

    @cached_property
    def at_s(self) -> Floats:
        """(n_beats,) seconds of the R peaks."""
        seconds: Floats = self.beats.at / self.traces.hz
        return seconds

    def ms(self, samples: float) -> float:
        """Samples as milliseconds."""
        return 1000 * samples / self.traces.hz

    @cached_property
    def long_beats(self) -> Floats | None:
        """(n_leads, n) the usual beats' mean from the onset of QRS to the next P, µV over the PR level."""
        if self.limits is None:
            return None
        return long_beats(self.traces.clean, self.beats, self.limits, self.traces.hz)

    @property
    def qrs_ms(self) -> float | None:
        """Global QRS duration of the median beat."""
        return None if self.limits is None else self.ms(self.limits.qrs_off - self.limits.qrs_on)

    @cached_property
    def norms(self) -> Norms:
        """What is normal at this person's age."""
        return norms_of(self.person)

    def wave(self, lead: str) -> LeadWaves | None:
        """The waves of a lead that may be measured."""
        return self.waves.get(lead)


def heard_rows(qualities: list[LeadQuality]) -> list[int]:
    """Rows with a signal, however noisy: resuscitation shakes every lead, and fibrillation is looked for then too."""
    return [row for row, lead in enumerate(qualities) if lead.verdict != "off" and "flat" not in lead.reasons]


def _stretches(traces: Traces, rows: list[int], beats: Beats) -> list[fibrillation.Stretch]:
    if not rows:
        return []
    if not beats.at.size:
        beats = describe(traces.shape[rows], detect(traces.spectrum, rows).beats, traces.hz)
    return fibrillation.stretches(traces.spectrum, rows, beats)


def _ends_with_t(beat: MedianBeat, limits: Limits, hz: float) -> bool:
    """Whether T ends so late that the beat ends with it: what comes behind T tells where it ends."""
    return limits.t_off is not None and beat.signal.shape[1] - limits.t_off < BEHIND_T_S * hz


def _slow_and_even(beats: Beats, hz: float) -> bool:
    """Whether the next beat stays away long enough after each one."""
    rr_s = np.diff(beats.at) / hz
    return rr_s.size > 1 and float(median(rr_s)) >= LATE_T_FROM_RR_S and float(rr_s.std() / rr_s.mean()) < EVEN_RR


def read_signal(traces: Traces, person: Person, *, calibrated: bool) -> Reading:
    """Find everything that the rules need."""
    qualities = lead_qualities(traces)
    rows = usable_rows(qualities, traces.leads, derived=False)
    detection = detect(traces.spectrum, rows)
    shape = traces.shape[rows]
    beats = without_artefacts(shape, describe(shape, detection.beats, traces.hz), traces.hz)
    stretches = _stretches(traces, rows or heard_rows(qualities), beats)
    usual = median_beat(traces.clean, shape, beats, traces.hz) if rows else None
    rr_s = float(median(np.diff(beats.at))) / traces.hz if beats.at.size > 1 else 1.0
    spike = pacing_spike(traces.spikes_s, beats, traces.hz)
    first = delineate(usual, rows, traces.hz, rr_s, spike_before_r=spike) if usual else None
    if usual and first and _ends_with_t(usual, first, traces.hz) and _slow_and_even(beats, traces.hz):
        longer = median_beat(traces.clean, shape, beats, traces.hz, longer_s=LONGER_S)
        if longer is not None and longer.members >= LEAST_MEMBERS:
            usual, first = longer, delineate(longer, rows, traces.hz, rr_s, spike_before_r=spike)
    reading = Reading(traces, person, calibrated, qualities, rows, beats, stretches, usual)
    if usual is None or first is None:
        return reading
    every = usable_rows(qualities, traces.leads)
    by_lead = lead_limits(usual, rows, first, traces.hz)
    limits = over_all_leads(by_lead, every, first)
    reading = replace(reading, first_limits=first, lead_limits=by_lead, limits=limits)
    waves = measure_leads(traces.leads, usual, limits, traces.hz)
    flutter_rows = {lead: row for lead in FLUTTER_LEADS if (row := traces.row(lead)) is not None and row in every}
    p = atrial.p_before_beats(traces.spectrum, rows, beats, usual, limits)
    slow = rr_s > FREE_P_FROM_RR_S and (p.share < FREE_P_BELOW_SHARE or p.clarity < FREE_P_BELOW_CLARITY)
    return replace(
        reading,
        waves={traces.leads[row]: waves[traces.leads[row]] for row in every},
        p=p,
        flutter=atrial.find_flutter(traces.spectrum, flutter_rows, beats),
        free_p=atrial.free_p_waves(traces.clean[rows], traces.hz, beats, limits) if slow else None,
    )
