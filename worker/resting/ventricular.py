"""Which ventricular tachycardia is it: of one shape, of many, twisting about the base line, or of two in turn?

The rhythm is decided before (:mod:`worker.resting.rhythm`); here what races or quivers gets its name. Torsades de
pointes is told by the signal alone (:mod:`worker.signal.ventricular_form`), in a stretch of three seconds and more, and
is more than possible where the QT of the beats around it is long (AHA/ACCF 2010,
doi:10.1161/CIRCULATIONAHA.109.192704). A bidirectional tachycardia is two broad beats that take turns, evenly
(AHA/ACC/HRS 2017). One shape at more than 270/min, with no line between its waves, is flutter 心室扑动.
"""

from typing import Final, NamedTuple

import numpy as np

from ecg_center.contract.findings import Evidence
from worker.resting.leading import Rhythm
from worker.resting.reading import Reading, heard_rows
from worker.resting.say import AHA_2017_VA, evidence, say
from worker.signal import fibrillation
from worker.signal.ventricular_form import FASTEST_BPM, INVERTED, TURNED_SHARE, Form, form_of, restless

TORSADES: Final = "Dessertenne 1966; AHA/ACCF 2010, doi:10.1161/CIRCULATIONAHA.109.192704"
ASKED: Final = ("vf", "vt", "wide_tachycardia", "flutter", "ventricular", "svt")
"""Rhythms that a twisting tachycardia is taken for; and any with a beat that is not like the others."""
RUN_CODES: Final = frozenset(("70", "71", "76", "74", "74a"))
SAME_WAVES: Final = RUN_CODES | {"51", "27", "55", "60", "60a", "60b", "60c", "60d", "60e", "60g", "63", "64", "26b"}
"""What else is said of the same waves, and contradicts a name for them."""
WITH_P: Final = frozenset(("20", "21", "22", "23", "34", "38", "39", "52", "54", "82", "50", "50a"))
ONE_SHAPE_S: Final = 3.0
HALVED_BPM: Final = 200.0
TACHYCARDIA_BPM: Final = 100.0
POLYMORPHIC_BPM: Final = 150.0
LONG_QTC_MS: Final = 460.0
BASIC_BEATS: Final = 3
TAKE_TURNS: Final = 8
"""So many beats in a row, each like the last but one and unlike the last."""
TURNS_BPM: Final = 120.0
TURNS_EVEN: Final = 0.12
BROAD_S: Final = 0.10
"""Rough widths run shorter than the QRS (:mod:`worker.resting.beat_kinds`)."""
RATE_WRONG: Final = 0.15


class Run(NamedTuple):
    """A stretch that hardly touches the base line."""

    start_s: float
    end_s: float
    form: Form


def name_ventricular(reading: Reading, rhythm: Rhythm) -> None:
    """Put the name of the tachycardia in the place of what was said of the same waves."""
    if _take_turns(reading, rhythm):
        return
    races = any(one.says != "N" for one in reading.stretches)
    if rhythm.name not in ASKED and not races and not np.isin(rhythm.kinds, ("V", "O")).any():
        return
    # in few leads the wave sinks to the base line where it turns over: then the windows that quivered are asked
    whole = [Run(one.start_s, one.end_s, one.form) for one in reading.stretches if one.says == "F"]
    runs = _runs(reading)
    if _of_one_shape(reading, rhythm, runs):
        return
    for code, kind, asked in (("73", "torsades", runs), ("73", "torsades", whole), ("72", "polymorphic", runs)):
        found = [run for run in asked if run.form.kind == kind]
        formless = any(run.form.kind == "formless" for run in asked)
        # what becomes fibrillation is fibrillation, the graver name; a window in which all leads sink may be formless
        graver = rhythm.name == "vf" and (2 * len(found) < len(asked) if asked is whole else formless)
        if found and not graver and _named(reading, rhythm, code, found):
            return
    _rate_of_one_shape(rhythm, runs)


def _runs(reading: Reading) -> list[Run]:
    rows = reading.rows or heard_rows(reading.qualities)
    if not rows:
        return []
    spectrum = reading.traces.spectrum
    chosen = [rows[row] for row in fibrillation.far_apart(len(rows))]
    band = fibrillation.band_of(spectrum, chosen)
    part, hz = fibrillation.thinned(band, spectrum.hz, 0, band.shape[1])
    return [
        Run(first / hz, stop / hz, form_of(part[:, first:stop], hz))
        for first, stop in restless(part, hz)
        if np.ptp(part[:, first:stop], axis=1).max() >= fibrillation.MIN_UV
    ]


def _named(reading: Reading, rhythm: Rhythm, code: str, found: list[Run]) -> bool:
    """One statement for what was called otherwise."""
    longest = max(found, key=lambda run: run.end_s - run.start_s)
    if code == "72" and longest.form.rate_bpm < POLYMORPHIC_BPM:
        return False
    form = longest.form
    seen = [
        evidence(
            "run_rate_bpm", round(form.rate_bpm), 100, "/min",
            start_s=longest.start_s, end_s=longest.end_s, source=TORSADES if code == "73" else AHA_2017_VA,
        ),
        evidence("run_s", longest.end_s - longest.start_s, None, "s"),
    ]  # fmt: skip
    if code == "73":
        seen.append(evidence("turned_share", form.turned, TURNED_SHARE, "", source=f"inverted by {INVERTED[0]}"))
    long_qt = _long_qt(reading, rhythm, found)
    was_seen = any(statement.code in RUN_CODES for statement in rhythm.statements)
    rhythm.statements = [statement for statement in rhythm.statements if statement.code not in SAME_WAVES]
    certain = was_seen if code == "72" else long_qt is not None
    rhythm.statements.append(
        say(code, *seen, *([long_qt] if long_qt else []), certainty="probable" if certain else "possible")
    )
    if rhythm.name != "vf":
        rhythm.name = "vt"
    return True


def _of_one_shape(reading: Reading, rhythm: Rhythm, runs: list[Run]) -> bool:
    """Flutter: one shape, faster than any tachycardia; and a tachycardia of which every second wave was taken for T."""
    alike = [run for run in runs if run.form.one_shape]
    if not alike:
        return False
    longest = max(alike, key=lambda run: run.end_s - run.start_s)
    length_s, bpm = longest.end_s - longest.start_s, longest.form.rate_bpm
    flutters = bpm > FASTEST_BPM
    half = rhythm.name not in ("vt", "wide_tachycardia", "vf") and bpm >= HALVED_BPM
    if length_s < ONE_SHAPE_S or not (flutters or (half and _every_second(rhythm, bpm))):
        return False
    limit = FASTEST_BPM if flutters else TACHYCARDIA_BPM
    seen = [
        evidence(
            "run_rate_bpm", round(bpm), limit, "/min", start_s=longest.start_s, end_s=longest.end_s, source=AHA_2017_VA
        ),
        evidence("run_s", length_s, 30, "s"),
        evidence("run_share", length_s / reading.traces.duration_s, None, ""),
    ]
    rhythm.statements = [one for one in rhythm.statements if one.code not in SAME_WAVES | WITH_P]
    rhythm.statements.append(say("74a" if flutters else "70", *seen, certainty="probable"))
    rhythm.name, rhythm.ventricular_bpm, rhythm.atrial_bpm = "vt", bpm, None
    rhythm.kinds[:] = "O"
    return True


def _every_second(rhythm: Rhythm, bpm: float) -> bool:
    """Whether the beats that were found are every second wave."""
    return rhythm.ventricular_bpm is not None and abs(bpm / (2 * rhythm.ventricular_bpm) - 1) < RATE_WRONG


def _long_qt(reading: Reading, rhythm: Rhythm, runs: list[Run]) -> Evidence | None:
    """The QTc of the beats outside the runs, where it is long and can be measured."""
    limits, at_s = reading.limits, reading.at_s
    outside = np.array([not any(run.start_s - 0.3 <= at <= run.end_s + 0.3 for run in runs) for at in at_s], bool)
    usual = reading.beats.group == 0
    basic = np.flatnonzero(outside & usual)
    if limits is None or limits.t_off is None or basic.size < BASIC_BEATS or basic.size < 0.5 * usual.sum():
        return None
    followed = basic[:-1][np.diff(basic) == 1]
    if not followed.size:
        return None
    rr_s = float(np.median(reading.rr_s[followed]))
    qtc_ms = reading.ms(limits.t_off - limits.qrs_on) / np.sqrt(rr_s)
    return evidence("qtc_ms", qtc_ms, LONG_QTC_MS, "ms", source=TORSADES) if qtc_ms >= LONG_QTC_MS else None


def _take_turns(reading: Reading, rhythm: Rhythm) -> bool:
    """Bidirectional: A B A B …, all broad, fast and even."""
    beats, rr_s = reading.beats, reading.rr_s
    if rhythm.name in ("vf", "paced") or beats.at.size < TAKE_TURNS:
        return False
    group = beats.group
    in_turn = np.append((group[2:] == group[:-2]) & (group[2:] != group[1:-1]), False)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], in_turn, [False]]).astype(np.int8))).reshape(-1, 2)
    for first, stop in edges.tolist():
        last = stop + 1  # the last beat of the last A B A
        rr = rr_s[first:last]
        even = rr.size and float(rr.std()) <= TURNS_EVEN * float(rr.mean()) and 60 / float(rr.mean()) >= TURNS_BPM
        broad = float(np.median(beats.width_s[first : last + 1])) >= BROAD_S
        if last - first + 1 >= TAKE_TURNS and even and broad:
            at_s = reading.at_s
            seen = evidence(
                "run_rate_bpm", round(60 / float(rr.mean())), TURNS_BPM, "/min",
                start_s=at_s[first], end_s=at_s[last], source=AHA_2017_VA,
            )  # fmt: skip
            rhythm.statements = [one for one in rhythm.statements if one.code not in SAME_WAVES]
            rhythm.statements.append(say("73a", seen, evidence("run_beats", last - first + 1), certainty="probable"))
            rhythm.name = "vt"
            return True
    return False


def _rate_of_one_shape(rhythm: Rhythm, runs: list[Run]) -> None:
    """A tachycardia whose beats were not all found is faster than they say."""
    fastest = max((run.form.rate_bpm for run in runs if run.form.kind == "monomorphic"), default=0.0)
    for place, statement in enumerate(rhythm.statements):
        if statement.code not in ("70", "76"):
            continue
        told = [
            item.model_copy(update={"value": round(fastest)})
            if item.quantity == "run_rate_bpm" and fastest > (1 + RATE_WRONG) * (item.value or 0.0)
            else item
            for item in statement.evidence
        ]
        rhythm.statements[place] = statement.model_copy(update={"evidence": told})
