"""Measured day and a physician's edits → findings, without the signal and in under a second."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from ecg_center.contract.findings import Findings, LeadQuality, Measurements, Quality
from ecg_center.contract.holter import (
    MAX_TEMPLATES,
    BeatTemplate,
    Edit,
    Event,
    EventKind,
    HolterFindings,
    QtTrend,
    RateAt,
    StTrend,
)
from worker.critical import DEFAULT, evaluate, load
from worker.holter.af import Episode, af_burden, af_episodes, af_events, spans_of_episodes, without_early_atrial
from worker.holter.alternans import alternans_events
from worker.holter.conclusions import FLUTTER, P_ALONE, POLYMORPHIC, TORSADES, conclusions
from worker.holter.early import only_early, with_its_runs
from worker.holter.edits import apply
from worker.holter.events import block_events, broad_events, ectopy, events_of, pauses
from worker.holter.flutter import FIXED
from worker.holter.happened import NUMBER, BeatEvents, Happened
from worker.holter.hrv import variability
from worker.holter.kept import kept
from worker.holter.measured import Label, Measured, Stretch
from worker.holter.posture import axis_shift_events, doubted
from worker.holter.qt import long_qt_events, qt_trend, qtc_rows
from worker.holter.readable import Floats, Readable, Spans, readable, spans_of
from worker.holter.st import st_episodes, st_trends
from worker.holter.summary import extreme_events, hours, nights, rate_in, rate_mean
from worker.holter.turbulence import capacities, turbulence
from worker.mapped import give_back
from worker.resting.patient import Patient, is_female

ENGINE: Final = "holter"
ENGINE_VERSION: Final = "1.0"

USABLE_SHARE: Final = 0.9
LIMITED_SHARE: Final = 0.5
"""Below half of the time there is no day to speak of, and it is to be recorded again."""
NOISY_SHARE: Final = 0.1
MOST_NOISE_EVENTS: Final = 2000
MOST_WARNINGS: Final = 100
RULED: Final = {"sinus": 0, "af": 1, "flutter": 2}
DOUBTED: Final = frozenset(("v_couplet", "v_bigeminy", "v_trigeminy", "vt", "idioventricular", "r_on_t"))
CONFIDENT: Final = 0.9
"""On MIT-BIH DS1 95 % of the ventricular beats are called so with 0.93 or more, most of the false ones with less."""
OF_RHYTHM: Final[dict[str, tuple[EventKind, str]]] = {
    "vf": ("vf", ""),
    "v_flutter": ("vf", FLUTTER),
    "torsades": ("vt", TORSADES),
    "polymorphic": ("vt", POLYMORPHIC),
    "asystole": ("asystole", ""),
    "p_alone": ("asystole", P_ALONE),
}
"""Kind and text of the event, by the reason of the stretch."""
ADVICE: Final = {
    "limited": ("部分时段无法分析，请检查电极接触", "Parts could not be analysed: check the contact of the electrodes"),
    "repeat": ("可分析时间不足一半，请重新佩戴记录", "Less than half could be analysed: record again"),
}


def conclude(
    measured: Measured, patient: Patient | None = None, *, edits: Sequence[Edit] = (), rule_set: str = DEFAULT
) -> Findings:
    """All that a day says, with the physician's edits in it.

    Raises:
        EditError: an edit cannot be applied.
        RuleSetError: there is no rule set of this name.
    """
    rules = load(rule_set, "holter")
    day = readable(apply(measured, edits))
    with _uncollected():
        holter, warnings = _holter(day, len(edits))
    doubtful = _doubtful(day, holter.events)
    female = is_female((patient or Patient()).sex)
    findings = Findings(
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        kind="holter",
        duration_s=round(measured.duration_s, 3),
        sampling_hz=measured.sampling_hz,
        leads=list(measured.leads),
        quality=_quality(day),
        measurements=_measurements(holter),
        statements=conclusions(holter, female=female, doubtful=doubtful),
        grade="normal",
        warnings=[*measured.warnings[:MOST_WARNINGS], *warnings],
        holter=holter,
    )
    critical, grade = evaluate(findings, rules)
    return findings.model_copy(update={"critical": critical, "grade": grade})


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for dead cycles meanwhile: of ten thousands of events, none of which is one, it is a sixth of all."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _holter(day: Readable, edits: int) -> tuple[HolterFindings, list[str]]:
    measured, minutes = day.measured, day.measured.minutes
    of_minutes = kept(minutes, ("minutes", measured.calibrated, measured.leads), lambda: _of_minutes(measured))
    qtc_ms = of_minutes.qtc_ms
    fibrillating = _ruled(day, with_its_runs(day, af_episodes(day)))
    day = without_early_atrial(day, fibrillating)
    af = spans_of_episodes(day, fibrillating)
    day = only_early(day, af)
    night = nights(measured)
    of_sinus = _of_sinus(day, af, night)  # before there is anything else: of two weeks both take most memory
    ventricular, supraventricular = ectopy(day, af)
    extremes = extreme_events(day)
    rates = {event.kind: RateAt(bpm=event.rate_bpm, at_s=event.start_s) for event in extremes if event.rate_bpm}
    blocks = block_events(day, af)
    happened = Happened(
        [*extremes, *_flutter_known(af_events(day, fibrillating), measured)],
        _not_blocked(events_of(day, af), blocks, day),
        [
            *blocks,
            *_rhythm_events(measured),
            *broad_events(day, af),
            *of_minutes.events,
            *_noise_events(measured),
            *_diary(measured),
        ],
    )
    events, warnings = happened.told(day)
    return (
        HolterFindings(
            analysed_s=round(day.analysed_s, 1),
            analysed_share=round(day.analysed_s / max(1e-9, day.duration_s), 4),
            beats=_counts(day),
            rate_mean_bpm=_rounded(rate_mean(day)),
            rate_day_bpm=_rounded(rate_in(day, night, outside=True)),
            rate_night_bpm=_rounded(rate_in(day, night)),
            rate_max=rates.get("fastest"),
            rate_min=rates.get("slowest"),
            ventricular=ventricular,
            supraventricular=supraventricular,
            pauses=pauses(day),
            af=af_burden(day, fibrillating),
            qt=of_minutes.qt,
            st=of_minutes.st,
            hours=hours(day, happened, qtc_ms),
            events=events,
            templates=_templates(measured),
            edits=edits,
            **of_sinus,
        ),
        warnings,
    )


@dataclass(frozen=True, eq=False)
class _OfMinutes:
    """What the averaged beats say, which no edit changes."""

    qtc_ms: Floats
    events: list[Event]
    qt: QtTrend
    st: list[StTrend]


def _of_minutes(measured: Measured) -> _OfMinutes:
    minutes = measured.minutes
    qtc_ms, shifts = qtc_rows(minutes), axis_shift_events(measured)
    return _OfMinutes(
        qtc_ms,
        [
            *doubted(st_episodes(measured), shifts),
            *shifts,
            *long_qt_events(minutes, qtc_ms),
            *alternans_events(minutes),
        ],
        qt_trend(minutes, qtc_ms),
        st_trends(measured),
    )


def _ruled(day: Readable, found: Sequence[Episode]) -> list[Episode]:
    """The episodes as a physician corrected them: what he called otherwise is cut out, what he named is put in."""
    if not day.measured.ruled:
        return list(found)
    kind = np.zeros(len(day.at_s), np.int8)
    for episode in found:
        kind[episode.first : episode.last + 1] = 2 if episode.flutter else 1
    for stretch in day.measured.ruled:
        first, last = np.searchsorted(day.beats.sample, [stretch.start, stretch.stop])
        kind[first:last] = RULED[stretch.reason]
    edges = np.flatnonzero(np.diff(kind)) + 1
    parts = zip([0, *edges.tolist()], [*edges.tolist(), len(kind)], strict=True)
    return [
        Episode(first, last - 1, flutter=bool(kind[first] == 2))
        for first, last in parts
        if kind[first] and last - first > 1
    ]


def _doubtful(day: Readable, events: Sequence[Event]) -> set[tuple[str, float]]:
    """(kind, start) of the ventricular events whose beats are called so without much confidence."""
    rows = np.flatnonzero(day.is_label(Label.V))
    at_s, total = day.at_s[rows], np.concatenate([[0.0], np.cumsum(day.beats.confidence[rows], dtype=float)])
    asked = [event for event in events if event.kind in DOUBTED]
    first = np.searchsorted(at_s, [event.start_s - 0.01 for event in asked])
    last = np.searchsorted(at_s, [event.end_s + 0.01 for event in asked])
    mean = (total[last] - total[first]) / np.maximum(last - first, 1)
    return {(event.kind, event.start_s) for event, sure in zip(asked, mean.tolist(), strict=True) if sure < CONFIDENT}


def _outside(day: Readable, af: Spans) -> Readable:
    """The same day, in which no beat within fibrillation is called normal: variability is the sinus node's."""
    label = np.where(af.inside(day.at_s), Label.Q, day.beats.label).astype(np.uint8)
    return replace(day, beats=replace(day.beats, label=label))


def _of_sinus(day: Readable, af: Spans, night: Spans) -> dict[str, Any]:
    """What the sinus node's intervals say."""
    sinus = _outside(day, af)
    give_back()
    found = {
        "hrv": variability(sinus, night),
        "turbulence": turbulence(sinus),
        "deceleration": capacities(sinus),
    }
    give_back()
    return found


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def _counts(day: Readable) -> dict[str, int]:
    counts = np.bincount(day.beats.label, minlength=len(Label))
    return {label.name: int(counts[label]) for label in Label if counts[label]}


def _flutter_known(events: Iterable[Event], measured: Measured) -> Iterable[Event]:
    """The episodes, those of flutter with the reason as their text that only a fixed 2:1 conduction speaks for."""
    fixed = spans_of((stretch for stretch in measured.flutter if stretch.reason == FIXED), measured.sampling_hz)
    seen = spans_of(
        (*measured.ruled, *(stretch for stretch in measured.flutter if stretch.reason != FIXED)), measured.sampling_hz
    )
    for event in events:
        only = event.kind == "flutter" and fixed.seconds(event.start_s, event.end_s) > 0
        only = only and not seen.seconds(event.start_s, event.end_s)
        yield event.model_copy(update={"text": FIXED}) if only else event


def _rhythm_events(measured: Measured) -> Iterable[Event]:
    """Ventricular fibrillation, torsades and standstill, where a physician has not left them out."""
    hz = measured.sampling_hz
    for stretch in measured.rhythms:
        if stretch.reason not in OF_RHYTHM:
            continue
        kind, text = OF_RHYTHM[stretch.reason]
        left_out = sum(
            max(0, min(stretch.stop, other.stop) - max(stretch.start, other.start)) for other in measured.unreadable
        )
        if left_out < (stretch.stop - stretch.start) / 2:
            yield Event(kind=kind, start_s=stretch.start / hz, end_s=stretch.stop / hz, text=text)


def _not_blocked(found: BeatEvents, blocks: Sequence[Event], day: Readable) -> BeatEvents:
    """Without the dropped beats that are known to be blocked."""
    dropped = np.flatnonzero(found.kind == NUMBER["dropped_beat"])
    if not (dropped.size and blocks):
        return found
    spans = Spans.of((block.start_s, block.end_s) for block in blocks)
    kept = np.ones(len(found), bool)
    kept[dropped] = [not spans.seconds(e.start_s, e.end_s) for e in found.taken(dropped).told(day)]
    return found.taken(kept)


def _noise_events(measured: Measured) -> list[Event]:
    """What could not be read, the longest stretches where there are many."""
    stretches: list[Stretch] = sorted(
        (*measured.unreadable, *measured.lead_noise), key=lambda stretch: stretch.stop - stretch.start, reverse=True
    )
    hz = measured.sampling_hz
    return [
        Event(
            kind="lead_off" if stretch.reason == "lead_off" else "noise",
            start_s=stretch.start / hz,
            end_s=stretch.stop / hz,
            leads=list(stretch.leads),
            text=stretch.reason,
        )
        for stretch in stretches[:MOST_NOISE_EVENTS]
    ]


def _diary(measured: Measured) -> Iterable[Event]:
    for mark in measured.marks:
        yield Event(kind="diary", start_s=mark.start_s, end_s=mark.end_s or mark.start_s, text=mark.label)


def _templates(measured: Measured) -> list[BeatTemplate]:
    """The shapes that a page shows, the most frequent first."""
    hz, beats = measured.sampling_hz, measured.beats
    shown = sorted((template for template in measured.templates if template.beats), key=lambda t: (-t.beats, t.id))
    ids, first = np.unique(beats.template, return_index=True)
    first_s = dict(zip(ids.tolist(), (beats.sample[first] / hz).tolist(), strict=True))
    return [
        BeatTemplate(
            id=template.id,
            label=template.label.name,
            beats=template.beats,
            first_s=round(first_s.get(template.id, 0.0), 3),
            hz=template.hz,
            r_index=template.r_index,
            median_uv={lead: row.tolist() for lead, row in zip(measured.leads, template.median_uv, strict=True)},
        )
        for template in shown[:MAX_TEMPLATES]
    ]


def _measurements(holter: HolterFindings) -> Measurements:
    longest = [event.value for event in holter.events if event.kind == "longest_rr"]
    qt = holter.qt
    return Measurements(
        heart_rate_bpm=holter.rate_mean_bpm,
        rr_max_ms=longest[0] if longest else None,
        qt_ms=qt.qt_mean_ms,
        qtc_ms=qt.qtc_mean_ms,
        qtc_formula="fridericia" if qt.qtc_mean_ms is not None else None,
    )


def _quality(day: Readable) -> Quality:
    measured = day.measured
    share = day.analysed_s / max(1e-9, day.duration_s)
    verdict = "usable" if share >= USABLE_SHARE else "limited" if share >= LIMITED_SHARE else "repeat"
    zh, en = ADVICE.get(verdict, ("", ""))
    return Quality(
        verdict=verdict,
        leads=[_lead_quality(lead, measured) for lead in measured.leads],
        advice_zh=zh,
        advice_en=en,
    )


def _lead_quality(lead: str, measured: Measured) -> LeadQuality:
    """How much of the day this lead cannot be read, and why."""
    by_reason: dict[str, int] = {}
    for stretch in (*measured.unreadable, *measured.lead_noise):
        if not stretch.leads or lead in stretch.leads:
            by_reason[stretch.reason] = by_reason.get(stretch.reason, 0) + stretch.stop - stretch.start
    share = sum(by_reason.values()) / max(1, measured.n_samples)
    reasons = sorted((reason for reason in by_reason if reason), key=lambda reason: -by_reason[reason])
    if share < NOISY_SHARE:
        return LeadQuality(lead=lead, verdict="good")
    verdict = "noisy" if share < LIMITED_SHARE else "off" if reasons[:1] == ["lead_off"] else "unusable"
    return LeadQuality(lead=lead, verdict=verdict, reasons=reasons)
