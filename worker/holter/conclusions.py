"""What is said of a day, in the words and the order of a Holter report?

Rhythm and rates first, then what is early, fast, slow, blocked; then ST, QT, T and variability. Everything follows from
:class:`HolterFindings`; each statement carries the times and counts that it rests on.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ecg_center.contract.findings import Certainty, Evidence, Statement
from ecg_center.contract.holter import Event, HolterFindings, HrvWindow
from ecg_center.domain.statements import in_report_order
from worker.holter.flutter import FIXED
from worker.holter.posture import DOUBT
from worker.resting.say import AHA_2017_VA, ESC_2019_SVT, ESC_2020_AF, TEXTBOOK, evidence, say

TACHYCARDIA_BPM: Final = 100.0
BRADYCARDIA_BPM: Final = 60.0
AF_RAPID_BPM: Final = 100.0
AF_SLOW_BPM: Final = 60.0
AF_ALL_SHARE: Final = 0.95
"""Fibrillation that fills the whole recording but for what is noise: not paroxysmal within it."""
PACED_SHARE: Final = 0.5
NORMAL_SHARE: Final = 0.5
FREQUENT_AN_HOUR: Final = 30.0
"""Lown's grade 2 (doi:10.1161/01.CIR.44.1.130) and, for supraventricular beats, Binici and others
(doi:10.1161/CIRCULATIONAHA.109.874982): 30 an hour or more are frequent, fewer occasional."""
ACCELERATED_BPM: Final = 40.0
"""An idioventricular rhythm that is faster than the ventricles' own escape (AHA/ACC/HRS 2017)."""
SUSTAINED_S: Final = 30.0
MULTIFORM_SHARE: Final = 0.10
MULTIFORM_BEATS: Final = 10
FUSIONS_SAID: Final = 10
"""Fewer are as often one of the usual beats: outside MIT-BIH 208 hardly one in ten so called is a fusion."""
PAUSE_SAID_MS: Final = 2000.0
AF_LONG_RR_MS: Final = 3000.0
QTC_LONG_MS: Final = (450.0, 460.0)
"""Men and women, AHA/ACCF/HRS 2009 part IV (doi:10.1016/j.jacc.2008.12.014)."""
QTC_LONG_SHARE_OVER: Final = 500.0
TWA_VISIBLE_UV: Final = 100.0
TWA_ABNORMAL_UV: Final = 47.0
SDNN_LOW_MS: Final = 100.0
SDNN_VERY_LOW_MS: Final = 50.0
"""Kleiger 1987 (doi:10.1016/0002-9149(87)90795-8), Task Force 1996 (doi:10.1161/01.CIR.93.5.1043)."""
HRV_MIN_S: Final = 18 * 3600.0
HRV_MIN_NN: Final = 0.8
READABLE_SHARE: Final = 0.8
MIN_BEATS: Final = 10
LEAST_DROPPED: Final = 3
"""A beat that fails to come once or twice a day may have been overlooked."""
SECOND_DEGREE: Final = {
    "wenckebach": "83",
    "mobitz_2": "84",
    "two_to_one": "85",
    "high_grade": "87",
    "second_degree": "83a",
}
"""Statement of each type of block (``av_block_2`` events, their text); without a type, as after one blocked P, 83a."""
MOST_TIMES: Final = 20
"""Places in the recording that one statement names."""

TORSADES: Final = "torsades"
POLYMORPHIC: Final = "polymorphic"
"""The texts of the tachycardias that twist or change their shape, which the signal tells and not the beats."""
FLUTTER: Final = "v_flutter"
"""The text of the fibrillation that is flutter of the ventricles."""
P_ALONE: Final = "p_alone"
"""The text of the standstill in which the atria go on."""
WIDE: Final = "wide"
UNITS: Final = {"_ms": "ms", "_mv": "mV", "_uv": "µV"}
"""Of an event's own figure, by the end of its name."""
BIDIRECTIONAL: Final = "bidirectional"
OF_SIGNAL: Final = {TORSADES: "73", POLYMORPHIC: "72", BIDIRECTIONAL: "73a", WIDE: "76"}
"""Statement of each tachycardia that the signal names."""
WIDE_SURE_BPM: Final = 120.0
"""Slower ones may be a bundle branch block over an atrial rhythm whose P waves do not show, as QT DB's sel38."""
WIDE_SHARE: Final = 0.5
"""Of the analysed time, above which the usual beats are a tachycardia's and not the sinus node's."""
LOWN: Final = "Lown and Wolf 1971, doi:10.1161/01.CIR.44.1.130"
BINICI: Final = "Binici 2010, doi:10.1161/CIRCULATIONAHA.109.874982"
VERRIER: Final = "Verrier 2011, doi:10.1016/j.jacc.2011.06.029"
TASK_FORCE: Final = "Task Force 1996, doi:10.1161/01.CIR.93.5.1043"
JAGER: Final = "Jager 2003, doi:10.1007/BF02344885"
AHA_2009_QT: Final = "AHA/ACCF/HRS 2009 part IV, doi:10.1016/j.jacc.2008.12.014"


@dataclass(frozen=True)
class _Story:
    """The findings, with their events by kind."""

    holter: HolterFindings
    events: dict[str, list[Event]]
    female: bool | None
    doubtful: frozenset[tuple[str, float]]

    def of(self, *kinds: str) -> list[Event]:
        return sorted((event for kind in kinds for event in self.events.get(kind, [])), key=lambda e: e.start_s)

    def sure(self, *kinds: str) -> list[Event]:
        """Those whose beats may be believed to be what they are called."""
        return [event for event in self.of(*kinds) if self.is_sure(event)]

    def is_sure(self, event: Event) -> bool:
        """Whether the beats of an event may be believed to be what they are called."""
        return (event.kind, event.start_s) not in self.doubtful

    @property
    def total(self) -> int:
        return sum(self.holter.beats.values())


def conclusions(
    holter: HolterFindings, *, female: bool | None = None, doubtful: Collection[tuple[str, float]] = ()
) -> list[Statement]:
    """All statements of a day, in the order of the report; no two of them contradict each other.

    Args:
        female: limits of QT differ.
        doubtful: (kind, start) of the events whose beats may well be noise: they are listed, but carry no statement
            alone, save that of a tachycardia, which is then called possible.
    """
    by_kind: dict[str, list[Event]] = {}
    for event in holter.events:
        by_kind.setdefault(event.kind, []).append(event)
    story = _Story(holter, by_kind, female, frozenset(doubtful))
    if story.total < MIN_BEATS and not story.of("vf", "asystole"):
        return [say("4", evidence("analysed_share", holter.analysed_share, READABLE_SHARE))]
    parts: tuple[Callable[[_Story], Iterable[Statement]], ...] = (
        _rhythm, _standstill, _named, _pauses, _ventricular, _supraventricular, _block, _st, _qt, _alternans,
        _variability, _technical,
    )  # fmt: skip
    by_code: dict[str, Statement] = {}
    for part in parts:
        for statement in part(story):
            by_code.setdefault(statement.code, statement)
    if "50" in by_code or "51" in by_code:
        for code in SECOND_DEGREE.values():  # without P waves nothing tells which of them was not conducted
            by_code.pop(code, None)
    return [by_code[code] for code in in_report_order(by_code)]


def _when(events: Sequence[Event], worst: Callable[[Event], float] | None = None) -> list[Evidence]:
    """Where to look: the first ones, or the worst ones where there is a measure, in order of time."""
    chosen = sorted(events, key=worst, reverse=True)[:MOST_TIMES] if worst else list(events[:MOST_TIMES])
    return [
        evidence(
            event.quantity,
            event.value,
            None,
            _unit_of(event.quantity),
            leads=event.leads,
            start_s=event.start_s,
            end_s=event.end_s,
        )
        for event in sorted(chosen, key=lambda event: event.start_s)
    ]


def _unit_of(quantity: str) -> str:
    """As the quantity's name says.

    >>> _unit_of("rr_ms"), _unit_of("blocked_p")
    ('ms', '')
    """
    return next((unit for end, unit in UNITS.items() if quantity.endswith(end)), "")


def _rates(story: _Story) -> list[Evidence]:
    """Mean, slowest and fastest rate with their times."""
    holter = story.holter
    found = [evidence("heart_rate_bpm", holter.rate_mean_bpm, None, "/min")] if holter.rate_mean_bpm else []
    for name, rate in (("rate_min_bpm", holter.rate_min), ("rate_max_bpm", holter.rate_max)):
        if rate is not None:
            found.append(evidence(name, rate.bpm, None, "/min", start_s=rate.at_s, end_s=rate.at_s + 10.0))
    return found


def _rhythm(story: _Story) -> Iterable[Statement]:
    """Who leads the heart."""
    holter, rates = story.holter, _rates(story)
    paced = holter.beats.get("P", 0) / max(1, story.total)
    wide_s = sum(_length(event) for event in story.of("vt") if event.text in (WIDE, BIDIRECTIONAL))
    flutter_s = sum(event.end_s - event.start_s for event in story.of("flutter"))
    af_s = sum(event.end_s - event.start_s for event in story.of("af"))
    if holter.af.share >= AF_ALL_SHARE and story.of("af", "flutter"):
        yield _all_day(story, "51" if flutter_s > af_s else "50", rates)
        mean = holter.rate_mean_bpm or 0.0
        if af_s >= flutter_s and mean > AF_RAPID_BPM:
            yield say("50a", evidence("heart_rate_bpm", mean, AF_RAPID_BPM, "/min", source=ESC_2020_AF))
        elif af_s >= flutter_s and 0 < mean < AF_SLOW_BPM:
            yield say("50b", evidence("heart_rate_bpm", mean, AF_SLOW_BPM, "/min", source=TEXTBOOK))
    elif paced < PACED_SHARE and wide_s < WIDE_SHARE * holter.analysed_s and _normal(story):
        mean = holter.rate_mean_bpm or 0.0
        code = "21" if mean > TACHYCARDIA_BPM else "22" if 0 < mean < BRADYCARDIA_BPM else "20"
        yield say(code, *rates)
    if paced >= PACED_SHARE:
        yield say("181", evidence("share", paced, PACED_SHARE), *rates, certainty="probable")
    if 0 < holter.af.share < AF_ALL_SHARE:
        for code, kind in (("50e", "af"), ("51a", "flutter")):
            if episodes := story.of(kind):
                yield say(code, *_burden(story, episodes), *_when(episodes, _length), certainty=_surely(episodes))


def _normal(story: _Story) -> bool:
    """Whether most beats are the sinus node's."""
    return 0 < NORMAL_SHARE * story.total <= story.holter.beats.get("N", 0)


def _all_day(story: _Story, code: str, rates: list[Evidence]) -> Statement:
    episodes = story.of("af", "flutter")
    return say(code, *rates, *_burden(story, episodes), certainty=_surely(episodes))


def _surely(episodes: Sequence[Event]) -> Certainty:
    """Flutter that only a fixed 2:1 conduction speaks for is possible: a re-entry may look so."""
    return "possible" if all(event.text == FIXED for event in episodes) else "probable"


def _burden(story: _Story, episodes: Sequence[Event]) -> list[Evidence]:
    """How often, how much of the day, how long and how fast."""
    lasted = sum(event.end_s - event.start_s for event in episodes)
    longest = max(episodes, key=_length)
    found = [
        evidence("episodes", len(episodes), source=ESC_2020_AF),
        evidence("share", lasted / max(1.0, story.holter.analysed_s)),
        evidence("run_s", longest.end_s - longest.start_s, None, "s", start_s=longest.start_s, end_s=longest.end_s),
    ]
    rates = [event for event in episodes if event.rate_bpm is not None and _length(event) >= SUSTAINED_S]
    if rates:
        fastest = max(rates, key=_rate)
        found.append(
            evidence(
                "ventricular_rate_bpm", fastest.rate_bpm, AF_RAPID_BPM, "/min",
                start_s=fastest.start_s, end_s=fastest.end_s,
            )
        )  # fmt: skip
    return found


def _at(
    event: Event, quantity: str, value: float | None, unit: str = "", threshold: float | None = None, source: str = ""
) -> Evidence:
    """What was measured of one event."""
    return evidence(quantity, value, threshold, unit, start_s=event.start_s, end_s=event.end_s, source=source)


def _length(event: Event) -> float:
    return event.end_s - event.start_s


def _rate(event: Event) -> float:
    return event.rate_bpm or 0.0


def _value(event: Event) -> float:
    return abs(event.value or 0.0)


def _standstill(story: _Story) -> Iterable[Statement]:
    quivers = story.of("vf")
    flutters = [event for event in quivers if event.text == FLUTTER]
    fibrillates = [event for event in quivers if event.text != FLUTTER]
    for code, events in (("74b", fibrillates), ("74c", flutters), ("26c", story.of("asystole"))):
        if events:
            yield say(code, evidence("episodes", len(events)), *_when(events), certainty="probable")


def _pauses(story: _Story) -> Iterable[Statement]:
    """Long intervals, those within atrial fibrillation apart from the others."""
    af = [(event.start_s, event.end_s) for event in story.of("af", "flutter")]
    pauses = [event for event in story.of("pause") if event.value is not None and event.value >= PAUSE_SAID_MS]
    all_day = story.holter.af.share >= AF_ALL_SHARE and bool(af)
    fibrillating: list[Event] = []
    others: list[Event] = []
    for event in pauses:
        within = all_day or any(start <= event.end_s and event.start_s <= end for start, end in af)
        (fibrillating if within else others).append(event)
    code = "50c" if all_day else "50f"
    for name, found, least in (("26b", others, PAUSE_SAID_MS), (code, fibrillating, AF_LONG_RR_MS)):
        if events := [event for event in found if _value(event) >= least]:
            longest = max(events, key=_value)
            over_3 = sum(_value(event) >= 3000 for event in events)
            yield say(
                name,
                evidence("pauses", len(events), source=TEXTBOOK),
                evidence("pauses_over_3_0_s", over_3),
                evidence("rr_max_ms", longest.value, least, "ms", start_s=longest.start_s, end_s=longest.end_s),
                *_when(events, _value),
            )


def _ventricular(story: _Story) -> Iterable[Statement]:
    counts = story.holter.ventricular
    if counts.beats:
        an_hour = counts.beats / max(1e-9, story.holter.analysed_s / 3600)
        frequent = an_hour >= FREQUENT_AN_HOUR
        yield say(
            "60a" if frequent else "60h",
            evidence("beats", counts.beats),
            evidence("share", counts.share),
            evidence("beats_an_hour", an_hour, FREQUENT_AN_HOUR, "/h", source=LOWN),
            evidence("most_in_an_hour", counts.most_in_an_hour, None, "/h"),
            *_when(story.of("v_single")[:5]),
        )
    for code, kind in (("60d", "v_couplet"), ("60b", "v_bigeminy"), ("60c", "v_trigeminy"), ("60g", "r_on_t")):
        if events := story.sure(kind):
            yield say(code, evidence("episodes", len(events)), *_when(events))
    shapes = [
        template.beats
        for template in story.holter.templates
        if template.label == "V" and template.beats >= max(MULTIFORM_BEATS, MULTIFORM_SHARE * counts.beats)
    ]
    if len(shapes) > 1:
        yield say("60e", evidence("forms", len(shapes), 2), certainty="possible")
    if (fused := story.holter.beats.get("F", 0)) >= FUSIONS_SAID:
        yield say("61", evidence("beats", fused, FUSIONS_SAID), certainty="possible")
    for kind, codes, limit in (("vt", ("70", "71"), SUSTAINED_S), ("idioventricular", ("64", "63"), None)):
        for code, is_grave in zip(codes, (True, False), strict=True):
            runs = [
                event
                for event in story.of(kind)
                if event.text not in OF_SIGNAL
                and (_rate(event) >= ACCELERATED_BPM if limit is None else _length(event) >= limit) is is_grave
            ]
            sure = [event for event in runs if story.is_sure(event)]
            if sure or (runs and kind == "vt"):
                yield say(code, *_runs(sure or runs, AHA_2017_VA), certainty="probable" if sure else "possible")


def _named(story: _Story) -> Iterable[Statement]:
    """The tachycardias that the signal names: they twist, change their shape, have two, or are the usual beat."""
    for text, code in OF_SIGNAL.items():
        if events := [event for event in story.of("vt") if event.text == text]:
            longest = max(events, key=_length)
            if longest.rate_bpm is not None:
                sure = code != "76" or longest.rate_bpm >= WIDE_SURE_BPM
                yield say(code, *_runs(events, AHA_2017_VA), certainty="probable" if sure else "possible")
                continue
            seen = evidence("episodes", len(events), source=AHA_2017_VA)
            yield say(code, seen, _at(longest, "run_s", _length(longest), "s"), *_when(events), certainty="probable")


def _runs(events: Sequence[Event], source: str) -> list[Evidence]:
    """How many runs, the longest and the fastest; rate and length of one evidence block speak of one run."""
    longest, fastest = max(events, key=_length), max(events, key=_rate)
    found = [evidence("episodes", len(events), source=source)]
    for event in (longest, fastest) if fastest is not longest else (longest,):
        found += [
            _at(event, "run_rate_bpm", event.rate_bpm, "/min"),
            _at(event, "run_s", _length(event), "s"),
            _at(event, "run_beats", event.beats),
        ]
    return found + _when([event for event in events if event is not longest and event is not fastest], _length)


def _supraventricular(story: _Story) -> Iterable[Statement]:
    counts = story.holter.supraventricular
    if counts.beats:
        an_hour = counts.beats / max(1e-9, story.holter.analysed_s / 3600)
        yield say(
            "41a" if an_hour >= FREQUENT_AN_HOUR else "41e",
            evidence("beats", counts.beats),
            evidence("share", counts.share),
            evidence("beats_an_hour", an_hour, FREQUENT_AN_HOUR, "/h", source=BINICI),
            evidence("most_in_an_hour", counts.most_in_an_hour, None, "/h"),
            *_when(story.of("s_single")[:5]),
        )
    for code, kind in (("41b", "s_couplet"), ("41c", "s_bigeminy"), ("41d", "s_trigeminy")):
        if events := story.of(kind):
            yield say(code, evidence("episodes", len(events)), *_when(events))
    runs = story.of("svt")
    sustained = [event for event in runs if _length(event) >= SUSTAINED_S]
    for code, events in (("55a", sustained), ("55b", [event for event in runs if event not in sustained])):
        if events:
            yield say(code, *_runs(events, ESC_2019_SVT), certainty="probable")


def _block(story: _Story) -> Iterable[Statement]:
    """Third degree, or each type of the second; one P without QRS in a day is called possible."""
    if events := story.of("av_block_3"):
        yield say(
            "88", evidence("episodes", len(events)), *_slowest(events), *_when(events, _length), certainty="probable"
        )
        return
    by_code: dict[str, list[Event]] = {}
    for event in story.of("av_block_2"):
        by_code.setdefault(SECOND_DEGREE.get(event.text, "83a"), []).append(event)
    if len(by_code) > 1:
        by_code.pop("83a", None)  # what has no type of its own is most likely of the type that was seen
    if not by_code and len(dropped := story.of("dropped_beat")) >= LEAST_DROPPED:
        yield say("83a", evidence("episodes", len(dropped)), *_when(dropped), certainty="possible")
    for code, events in by_code.items():
        certainty: Certainty = "probable" if sum(event.value or 1.0 for event in events) > 1 else "possible"
        slowest = _slowest(events) if code == "87" else []
        yield say(code, evidence("episodes", len(events)), *slowest, *_when(events, _length), certainty=certainty)


def _slowest(events: Sequence[Event]) -> list[Evidence]:
    rates = [event.rate_bpm for event in events if event.rate_bpm]
    return [evidence("ventricular_rate_bpm", min(rates), None, "/min")] if rates else []


def _st(story: _Story) -> Iterable[Statement]:
    """Episodes of ST; those beside a shift of the QRS axis are counted and doubted."""
    for code, kind in (("145e", "st_elevation"), ("145f", "st_depression")):
        events = story.of(kind)
        if not events:
            continue
        sure = [event for event in events if event.text != DOUBT]
        worst = max(sure or events, key=_value)
        leads = sorted({lead for event in sure or events for lead in event.leads}, key=_place_of(events))
        beside = [evidence("beside_axis_shifts", len(events) - len(sure))] if len(sure) < len(events) else []
        yield say(
            code,
            evidence("episodes", len(events), leads=leads, source=JAGER),
            *beside,
            evidence(
                "st_deviation_mv", worst.value, 0.1 if kind == "st_elevation" else -0.1, "mV",
                leads=worst.leads, start_s=worst.start_s, end_s=worst.end_s,
            ),
            *_when([event for event in sure or events if event is not worst], _value),
            certainty="probable" if sure else "possible",
        )  # fmt: skip


def _place_of(events: Sequence[Event]) -> Callable[[str], int]:
    """Leads in the order in which they first appear."""
    order: dict[str, int] = {}
    for event in events:
        for lead in event.leads:
            order.setdefault(lead, len(order))
    return lambda lead: order[lead]


def _qt(story: _Story) -> Iterable[Statement]:
    """Long where the day's mean is above the limit of the sex, or a minute at 500 ms or more."""
    qt = story.holter.qt
    if qt.qtc_mean_ms is None or qt.qtc_max_ms is None:
        return
    limit = QTC_LONG_MS[0] if story.female is False else QTC_LONG_MS[1]
    long = story.of("long_qt")
    if qt.qtc_mean_ms <= limit and not long:
        return
    at = qt.qtc_max_at_s or 0.0
    yield say(
        "148",
        evidence("qtc_mean_ms", qt.qtc_mean_ms, limit, "ms", source=AHA_2009_QT),
        evidence("qtc_ms", qt.qtc_max_ms, QTC_LONG_SHARE_OVER, "ms", start_s=at, end_s=at + 60.0),
        *_when(long, _value),
        certainty="probable",
    )


def _alternans(story: _Story) -> Iterable[Statement]:
    events = story.of("t_alternans")
    if not events:
        return
    worst = max(events, key=_value)
    visible = _value(worst) >= TWA_VISIBLE_UV
    limit = TWA_VISIBLE_UV if visible else TWA_ABNORMAL_UV
    yield say(
        "147f" if visible else "147g",
        _at(worst, "t_alternans_uv", worst.value, "µV", limit, VERRIER),
        *_when([event for event in events if event is not worst], _value),
        certainty="probable" if visible else "possible",
    )


def _variability(story: _Story) -> Iterable[Statement]:
    """Of the whole day alone: SDNN grows with the length of what it is taken from."""
    whole: HrvWindow | None = next((window for window in story.holter.hrv if window.name == "whole"), None)
    if whole is None or whole.end_s - whole.start_s < HRV_MIN_S or whole.nn_share < HRV_MIN_NN:
        return
    sdnn = whole.metrics.get("sdnn_ms")
    if sdnn is not None and sdnn < SDNN_LOW_MS and story.holter.af.share < AF_ALL_SHARE:
        very = sdnn < SDNN_VERY_LOW_MS
        limit = SDNN_VERY_LOW_MS if very else SDNN_LOW_MS
        yield say("40d" if very else "40c", evidence("sdnn_ms", sdnn, limit, "ms", source=TASK_FORCE))


def _technical(story: _Story) -> Iterable[Statement]:
    share = story.holter.analysed_share
    if share < READABLE_SHARE:
        yield say(
            "15", evidence("analysed_share", share, READABLE_SHARE), *_when(story.of("noise", "lead_off"), _length)
        )
